"""A disk under one mirror of a root, which begins to fail: the ways in which a mirror can't be used."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vault.keys.swap import Swapper

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Disk:
    """A disk under one mirror of the root, which can begin to fail."""

    place: Path
    patched: pytest.MonkeyPatch
    before: list[tuple[Path, Path]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.place / "root.key"

    def _is_here(self, path: object) -> bool:
        return isinstance(path, str | Path) and Path(path).is_relative_to(self.place)

    def _refusing(self, code: int, names: tuple[str, ...], *, flags: int = 0) -> None:
        def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
            def refuse(*given: Any, **named: Any) -> Any:
                wants = not flags or (len(given) > 1 and given[1] & flags)
                if wants and any(map(self._is_here, given)):
                    raise OSError(code, os.strerror(code))
                return real(*given, **named)

            return refuse

        for name in names:
            self.patched.setattr(os, name, refusing(getattr(os, name)))

    def _space(self, **changes: int) -> None:
        real = os.statvfs

        def told(path: Path) -> Any:
            found = real(path)
            said = {name: getattr(found, name) for name in dir(found) if name.startswith("f_")}
            return SimpleNamespace(**said | (changes if self._is_here(path) else {}))

        self.patched.setattr(os, "statvfs", told)

    def is_missing(self) -> None:
        self._move_away(self.place)
        self.place.mkdir(mode=0o700)

    def is_unmounted_altogether(self) -> None:
        self._move_away(self.place)

    def can_not_be_reached(self) -> None:
        self._move_away(self.place)
        self.place.touch()

    def is_read_only(self) -> None:
        self._refusing(errno.EROFS, ("open",), flags=_WRITING)
        self._refusing(errno.EROFS, ("link", "rename", "replace", "unlink"))
        self._space(f_flag=os.ST_RDONLY)

    def is_full(self) -> None:
        self._refusing(errno.ENOSPC, ("open",), flags=os.O_CREAT)
        self._refusing(errno.ENOSPC, ("link",))
        real = os.write

        def write(handle: int, data: bytes) -> int:
            if self._is_here(Path(f"/proc/self/fd/{handle}").readlink()):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(handle, data)

        self.patched.setattr(os, "write", write)
        self._space(f_bfree=0, f_bavail=0)

    def is_damaged(self) -> None:
        self._move_away(self.root)
        self.root.write_bytes(b"\x00garbage")
        self.root.chmod(0o600)

    def is_locked_away(self) -> None:
        lock = self.place / ".root.key.lock"
        self._move_away(lock)
        lock.mkdir()

    def _move_away(self, what: Path) -> None:
        aside = what.with_name(f"{what.name}.aside")
        what.rename(aside)
        self.before.append((aside, what))

    def is_mended(self) -> None:
        self.patched.undo()
        for aside, what in self.before:
            shutil.rmtree(what) if what.is_dir() else what.unlink(missing_ok=True)
            aside.rename(what)
        self.before.clear()


WAYS: list[Callable[[Disk], None]] = [
    Disk.is_missing,
    Disk.is_unmounted_altogether,
    Disk.can_not_be_reached,
    Disk.is_read_only,
    Disk.is_full,
    Disk.is_damaged,
    Disk.is_locked_away,
]
of_all_ways = pytest.mark.parametrize("fails", WAYS)


def fail_in_the_middle(disk: Disk, fails: Callable[[Disk], None], at: str = "cut") -> None:
    """Let the disk fail when an erasure has begun."""
    real = getattr(Swapper, at)

    def step(*given: Any, **named: Any) -> Any:
        disk.patched.setattr(Swapper, at, real)
        fails(disk)
        return real(*given, **named)

    disk.patched.setattr(Swapper, at, step)
