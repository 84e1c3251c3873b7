"""A process that uses a vault and is killed at a chosen step.

A step is the instant before or after a commit, and before each call that changes a file of the root or makes
the vault's directory. They are put in from outside and in this process alone: the product has no code for it.
"""

import asyncio
import builtins
import io
import os
import pathlib
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from daemon_days import lead
from sqlalchemy import Connection, Engine, event

from vault import AsyncVault, Vault
from vault.clock import DAY, Clock, system_clock, to_datetime
from vault.evidence.certificate import Why
from vault.evidence.entries import Kind as Event

P = ParamSpec("P")
T = TypeVar("T")
Act: TypeAlias = tuple[str, ...]

# A server that has imported all that is slow and forks from then on: it never opens a vault, so that no
# child inherits a connection.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["vault.aio", "alembic.command", "alembic.config", "psycopg", "pymysql", "aiosqlite", "aiomysql"]
)


_DAYS_PASSED: list[None] = []  # in this process


def wait_a_day() -> None:
    """Let a day pass, for a clock that stands still."""
    _DAYS_PASSED.append(None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vault is, and what it is opened with."""

    where: str
    keyring: str | None = None
    root: str | None = None
    horizon: str = "7d"
    policies: str | None = None
    ahead: int = 0  # by how many days its clock is
    at: int | None = None  # where its clock stands still, but for the days that an act lets pass

    @property
    def clock(self) -> Clock:
        at = self.at
        if at is not None:
            return lambda: at + (self.ahead + len(_DAYS_PASSED)) * DAY
        if not self.ahead:
            return system_clock
        return lambda: system_clock() + self.ahead * DAY

    @property
    def settings(self) -> dict[str, Any]:
        """What it is opened with."""
        return {
            "keyring": self.keyring,
            "root": self.root,
            "redactor": None,
            "horizon": self.horizon,
            "policies": self.policies,
            "clock": self.clock,
        }

    def open(self, clock: Clock | None = None) -> Vault:
        return Vault.open(self.where, **{**self.settings, "clock": clock or self.clock})

    async def open_async(self) -> AsyncVault:
        return await AsyncVault.open(self.where, **self.settings)


@dataclass(slots=True)
class Steps:
    """Counts the steps, and kills this process at one of them."""

    fatal: int | None
    names: list[str] = field(default_factory=list)
    counting: bool = False

    def take(self, name: str) -> None:
        if not self.counting:
            return
        self.names.append(name)
        if len(self.names) == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def perform(vault: Vault | AsyncVault, act: Act) -> object:
    """Do one thing; give its result, or what is to be awaited for it."""
    match act:
        case "append", user, session, text:
            return vault.transcript(user, session).append("user", text)
        case "append", user, session, text, key:
            return vault.transcript(user, session).append("user", text, key=key)
        case "extend", user, session, *texts:
            many = [{"role": "user", "content": text} for text in texts]
            return vault.transcript(user, session).extend(many)
        case "pop", user, session:
            return vault.transcript(user, session).pop()
        case "clear", user, session:
            return vault.transcript(user, session).clear()
        case "delete", user, session:
            return vault.transcript(user, session).delete()
        case "forget", user, when:
            return vault.forget_user(user, now=when == "now")
        case "forget-session", user, session, when:
            return vault.forget_session(user, session, now=when == "now")
        case "enroll", user:
            return vault.enroll(user)
        case "destroy", when:
            return vault.destroy_due(now=when == "now")
        case "rotate", when:
            return vault.rotate(now=when == "now")
        case "adopt", _:
            return vault.adopt()
        case "old", user, session, role, text:
            chat = vault.transcript(user, session)
            return chat.append({"role": role, "content": text, "created_at": "2024-02-03T04:05:06Z"})
        case "purge", policies:
            return vault.purge(policies=policies, yes=True)
        case "hold", user:
            return vault.hold(user, reason="case 7")
        case "release", user:
            return vault.release(_hold_on(vault, user), reason="closed")
        case "forget-later", user:
            return vault.forget_user(user, when_released=True)
        case "say", user, session, role, text:
            return vault.transcript(user, session).append(role, text)
        case "forget-except", user:
            return vault.forget_user(user, except_floors=True)
        case "due", _:
            return vault.carry_out_due()
        case "hold-for", user, days:
            until = to_datetime(vault._core.stores.clock() + int(days) * DAY)
            return vault.hold(user, reason="case 7", until=until)
        case "begin", what, *given:
            _begin(vault, what, *given)
            return None
        case "daemon", days, anchor:
            assert isinstance(vault, Vault)
            lead(vault, int(days), wait_a_day, Path(anchor))
            return None
        case _:
            raise ValueError(act)


def _begin(vault: Vault | AsyncVault, what: str, user: str = "") -> None:
    """Note what is about to be done, and no more: as if whoever asked for it was killed."""
    core = vault._core
    if what == "export":
        core.keyring.log.intent(Event.EXPORT, actor="an officer", format="jsonl")
        return
    known = core.keyring.find_user(user)
    if known is not None:
        core.eraser.begin(Why.FORGET_USER, [known.node], known.slot, reason="", actor="", now=False)


def _hold_on(vault: Vault | AsyncVault, user: str) -> str:
    """Find a hold. Only scripts that are not awaited have one."""
    assert isinstance(vault, Vault)
    [found] = [one.id for one in vault.holds() if one.user_id == user]
    return found


def run(
    pipe: Pipe,
    place: Place,
    setup: tuple[Act, ...],
    acts: tuple[Act, ...],
    fatal: int | None,
    *,
    is_async: bool,
) -> None:
    """Do all of it; steps count from the first of `acts` on, the opening included where nothing is before."""
    steps = Steps(fatal)
    _put_in(steps)
    story = _Story(pipe, place, steps)
    if is_async:
        asyncio.run(story.tell_async(setup, acts))
    else:
        story.tell(setup, acts)
    pipe.send(("ended", tuple(steps.names)))


@dataclass(slots=True)
class _Story:
    """Says through the pipe what begins and what is done: what was said is said, whatever happens then."""

    pipe: Pipe
    place: Place
    steps: Steps

    def tell(self, setup: tuple[Act, ...], acts: tuple[Act, ...]) -> None:
        self.steps.counting = not setup
        with self.place.open() as vault:
            for number, act in enumerate(setup + acts):
                self.steps.counting = number >= len(setup)
                self.pipe.send(("begun", act))
                perform(vault, act)
                self.pipe.send(("done", act))

    async def tell_async(self, setup: tuple[Act, ...], acts: tuple[Act, ...]) -> None:
        self.steps.counting = not setup
        async with await self.place.open_async() as vault:
            for number, act in enumerate(setup + acts):
                self.steps.counting = number >= len(setup)
                self.pipe.send(("begun", act))
                result = perform(vault, act)
                assert isawaitable(result)
                await result
                self.pipe.send(("done", act))


def _put_in(steps: Steps) -> None:
    def before(name: str, work: Callable[P, T]) -> Callable[P, T]:
        def stepping(*args: P.args, **kwargs: P.kwargs) -> T:
            steps.take(f"before {name}")
            return work(*args, **kwargs)

        return stepping

    for name in ("replace", "fsync", "link", "unlink", "mkdir"):
        setattr(os, name, before(f"os.{name}", getattr(os, name)))
    _put_in_openings(steps)
    commit = Connection.commit

    def committing(connection: Connection) -> None:
        writes = connection.get_execution_options().get("transcript_vault_mode") == "write"
        if writes:
            steps.take(f"before a commit to {connection.engine.url.database}")
        commit(connection)
        if writes:
            steps.take(f"after a commit to {connection.engine.url.database}")

    Connection.commit = committing  # type: ignore[assignment, method-assign]

    def executed(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("CREATE", "ALTER", "DROP")):
            steps.take(f"after {' '.join(statement.split()[:3])}")  # MariaDB commits each of them

    event.listen(Engine, "after_cursor_execute", executed)


def _put_in_openings(steps: Steps) -> None:
    """Count what makes a file, once it is made and empty."""
    really_open, open_file = os.open, io.open

    def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        handle = really_open(path, flags, *args, **kwargs)
        if flags & os.O_CREAT:
            steps.take("after os.open")
        return handle

    def file_opened(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        file = open_file(path, mode, *args, **kwargs)
        if not isinstance(path, int) and mode[0] in "wax":
            steps.take("after open")
        return file

    os.open = opened
    io.open = builtins.open = file_opened  # type: ignore[assignment]
    pathlib.io.open = file_opened  # type: ignore[attr-defined]
