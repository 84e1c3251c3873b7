"""Where an export goes: a file that is there whole or not at all, or a stream that somebody else opened.

A file grows beside its place under a name of its own, with a cursor that says how far it has come. Only its
owner can read it. What is interrupted goes on from the cursor, or is removed by the next export of that name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from vault.errors import ConfigError

_UNFINISHED = ".part"
_CURSOR = ".cursor"


class Position(msgspec.Struct, kw_only=True):
    """How far an export has come: in which session, at which seq, and what was written before."""

    asked: str  # what was asked for, so that nothing else is gone on with
    offset: int = 0
    user_id: str = ""
    session_id: str = ""
    seq: int | None = 0  # where to go on in the session; None: with the next one
    users: int = 0
    sessions: int = 0
    messages: int = 0
    purged: int = 0
    here: int = 0  # messages of this session
    purged_here: int = 0


class Sink(Protocol):
    """Takes the pieces of an export."""

    def write(self, piece: bytes) -> None:
        """Add a piece."""

    def reach(self, position: Position) -> None:
        """Note that everything up to a position was written."""


class Stream:
    """A sink that somebody else opened; there is nothing to go on with."""

    def __init__(self, file: BinaryIO, change: Callable[[bytes], bytes] | None = None) -> None:
        self._file = file
        self._change = change

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._file.write(self._change(piece) if self._change else piece)

    def reach(self, position: Position) -> None:
        """Hand on what was written."""
        del position
        self._file.flush()


class _Growing:
    """A file that grows, with its cursor."""

    def __init__(self, file: BinaryIO, cursor: Path | None) -> None:
        self._file = file
        self._cursor = cursor

    def write(self, piece: bytes) -> None:
        self._file.write(piece)

    def reach(self, position: Position) -> None:
        if self._cursor is None:
            return
        self._file.flush()
        position.offset = self._file.tell()
        new = self._cursor.with_name(self._cursor.name + ".new")
        with os.fdopen(_open(new, os.O_TRUNC), "wb") as file:
            file.write(msgspec.json.encode(position))
        new.replace(self._cursor)


def _open(path: Path, flags: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)


@contextmanager
def whole_file(
    path: Path, start: Position, *, resume: bool = False, resumable: bool = True
) -> Iterator[tuple[Sink, Position]]:
    """Give a sink for a new file and where to begin; the file is there once all went well, and not before.

    After an error, or a kill, what was written waits for `resume`; where nothing can be resumed it goes.
    """
    part = path.with_name(path.name + _UNFINISHED)
    cursor = path.with_name(path.name + _CURSOR)
    if os.path.lexists(path):
        raise ConfigError(f"there is a file at {path} already", hint="name a new one")
    before = _read_cursor(cursor, start.asked) if resume else None
    for old in () if before else (part, cursor):
        old.unlink(missing_ok=True)
    file = os.fdopen(_open(part, 0), "r+b", buffering=1024 * 1024)
    finished = False
    try:
        with file:
            position = before or start
            if file.seek(0, os.SEEK_END) < position.offset:
                raise ConfigError("what was written before is gone", hint="export anew, without --resume")
            file.truncate(position.offset)
            file.seek(position.offset)
            yield _Growing(file, cursor if resumable else None), position
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(part, path)
        finished = True
    finally:
        if finished or not resumable or not cursor.exists():
            part.unlink(missing_ok=True)
            cursor.unlink(missing_ok=True)


def _put_in_place(part: Path, path: Path) -> None:
    """Give the file its name; never that of another file."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise ConfigError(f"there is a file at {path} already", hint="name a new one") from None
    except OSError:  # a file system without links
        part.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read_cursor(cursor: Path, asked: str) -> Position:
    text = None
    with suppress(FileNotFoundError):
        text = cursor.read_bytes()
    if text is None:
        raise ConfigError("there is nothing to go on with", hint="export without --resume")
    position = None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        position = msgspec.json.decode(text, type=Position)
    if position is None or position.asked != asked:
        raise ConfigError("what was begun there was another export", hint="ask for the same again")
    return position
