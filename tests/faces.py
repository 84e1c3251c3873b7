"""Both faces behind one: a test is written once, against `Vault`, and driven through `AsyncVault` too."""

from __future__ import annotations

import asyncio
import inspect
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from databases import Databases, Server, Sqlite, fresh_databases, quick_directory

from vault import AsyncTranscript, AsyncVault, Vault
from vault.aio_transcript import AsyncTranscriptRecords

DAY = 86_400_000_000
_FACES = AsyncVault | AsyncTranscript | AsyncTranscriptRecords


@dataclass
class Clock:
    """A clock that the test sets, in microseconds."""

    now: int = 1_790_000_000_000_000

    def __call__(self) -> int:
        return self.now


class TickingClock(Clock):
    """A clock that goes on by a millisecond whenever it is asked."""

    def __call__(self) -> int:
        self.now += 1000
        return self.now


class Awaited:
    """Something async, used as its sync twin is: whatever it gives to await is awaited."""

    def __init__(self, inner: object, runner: asyncio.Runner) -> None:
        self._inner = inner
        self._runner = runner

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        return partial(self._call, found) if callable(found) else found

    def __enter__(self) -> object:
        return self._call(cast(AsyncVault, self._inner).__aenter__)

    def __exit__(self, *error: object) -> object:
        return self._call(cast(AsyncVault, self._inner).__aexit__, *error)

    def _call(self, method: Callable[..., object], *args: object, **kwargs: object) -> object:
        given = method(*args, **kwargs)
        if isinstance(given, AsyncIterator):
            return self._each(given)
        if inspect.iscoroutine(given):
            given = self._runner.run(given)
        return Awaited(given, self._runner) if isinstance(given, _FACES) else given

    def _each(self, items: AsyncIterator[object]) -> Iterator[object]:
        async def step() -> tuple[object, ...]:
            async for item in items:
                return (item,)
            return ()

        while found := self._runner.run(step()):
            yield found[0]


@dataclass(frozen=True)
class Home:
    """Where a vault lives, and through which face it is opened."""

    databases: Databases
    root: Path
    runner: asyncio.Runner | None
    clock: Clock = field(default_factory=Clock)

    def open(self, where: str | None = None, **changes: Any) -> Vault:
        """Open the vault of this home, or one elsewhere, with some settings changed."""
        usual: dict[str, Any] = {
            "keyring": self.databases.keyring,
            "root": f"file:{self.root}",
            "clock": self.clock,
        }
        settings = {"redactor": None, **({} if where else usual), **changes}
        place = where or self.databases.transcripts
        if self.runner is None:
            return Vault.open(place, **settings)
        opened = self.runner.run(AsyncVault.open(place, **settings))
        return cast(Vault, Awaited(opened, self.runner))

    def rows(self) -> dict[str, int]:
        """Count the rows of every table of both databases."""
        return {
            f"{label}.{table}": len(rows)
            for label in ("transcripts", "keyring")
            for table, rows in self.databases.dump(getattr(self.databases, label)).items()
        }


@contextmanager
def moved_in(server: Server | None, runner: asyncio.Runner | None) -> Iterator[Home]:
    """Give a home in fresh databases; without a server, in SQLite, and in memory: nobody cuts the power."""
    with tempfile.TemporaryDirectory(prefix="vault-test-", dir=quick_directory()) as name:
        directory = Path(name)
        with fresh_databases(server or Sqlite(directory)) as databases:
            yield Home(databases, directory / "root.key", runner)
