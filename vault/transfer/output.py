"""Where an export goes: a file that is there whole or not at all, or a stream that somebody else opened.

A file grows beside its place under a name of its own, with a cursor that says how far it has come. Only its
owner can read it, and only one export at a time writes to it. What is interrupted goes on from the cursor, or
is removed by the next export of that name.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO, Protocol

import msgspec

from vault.errors import ConfigError, Note, UsageError

_UNFINISHED = ".part"
_CURSOR = ".cursor"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # of a file system that knows none
_RACES = 20
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Position(msgspec.Struct, kw_only=True):
    """How far an export has come: in which session, at which seq, and what was written before."""

    asked: str  # what was asked for, so that nothing else is gone on with
    offset: _Count = 0
    user_id: str = ""
    session_id: str = ""
    seq: _Count | None = 0  # where to go on in the session; None: with the next one
    number: _Count = 0  # of the session at its user's
    mark: str = ""  # of the session itself: one that was begun anew has the name, and another mark
    users: _Count = 0
    sessions: _Count = 0
    messages: _Count = 0
    purged: _Count = 0
    here: _Count = 0  # messages of this session
    purged_here: _Count = 0


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
        put_cursor(self._cursor, msgspec.json.encode(position))


def put_cursor(cursor: Path, says: bytes) -> None:
    """Put a cursor in the place of the one before; where that fails, it stays, and nothing lies beside it."""
    new = cursor.with_name(cursor.name + ".new")
    handle = _open(new, os.O_CREAT | os.O_TRUNC)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(says)
        new.replace(cursor)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise OSError(error.errno, error.strerror, str(cursor)) from None


def _open(path: Path, flags: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)


@contextmanager
def whole_file(
    path: Path, start: Position, *, resume: bool = False, resumable: bool = True
) -> Iterator[tuple[Sink, Position]]:
    """Give a sink for a new file and where to begin; the file is there once all went well, and not before.

    After an error, or a kill, what was written waits for `resume`; where nothing can be resumed it goes.
    """
    if not path.name:
        raise ConfigError("a file for the output has a name", hint="name a new one, or - for stdout")
    part = path.with_name(path.name + _UNFINISHED)
    cursor = path.with_name(path.name + _CURSOR)
    if os.path.lexists(path):
        raise ConfigError(f"there is a file at {path} already", hint="name a new one")
    with _buffered(_take(path, part, anew=not resume)) as file:
        if resume:
            start = _read_cursor(cursor, start.asked)
        else:
            cursor.unlink(missing_ok=True)
        if file.seek(0, os.SEEK_END) < start.offset:
            raise ConfigError("what was written before is gone", hint="export anew, without --resume")
        finished = False
        try:
            file.truncate(start.offset)
            file.seek(start.offset)
            yield _Growing(file, cursor if resumable else None), start
            file.flush()
            os.fsync(file.fileno())
            _put_in_place(file.fileno(), part, path)
            finished = True
        except (
            BaseException
        ) as error:  # not narrower: Ctrl-C or a signal's error too leaves plain text behind; it goes on
            waits = resumable and cursor.exists() and _is_at(part, file.fileno())
            if waits and not isinstance(error, UsageError):  # which says what to do itself
                error.add_note(
                    Note(f"what was written so far waits in {part}: --resume goes on, or remove it")
                )
            raise
        finally:
            is_ours = finished or _is_at(part, file.fileno())
            if is_ours and (finished or not resumable or not cursor.exists()):
                cursor.unlink(missing_ok=True)
                part.unlink(missing_ok=True)  # and with it the lock


@contextmanager
def _buffered(handle: int) -> Iterator[BinaryIO]:
    """Close a file at the end: what can't be written even then hides no earlier error."""
    file = os.fdopen(handle, "r+b", buffering=1024 * 1024)
    try:
        yield file
    except BaseException:  # not narrower: whatever ended the export is what its caller is told
        with suppress(OSError):
            file.close()
        raise
    file.close()


def _take(path: Path, part: Path, *, anew: bool) -> int:
    """Open the unfinished file for one export alone, empty where it begins `anew`; refuse where one is at it.

    By its lock nobody takes it away, or gives its name to what another one wrote.
    """
    for _ in range(_RACES):
        try:
            handle, is_empty = _open(part, os.O_CREAT | os.O_EXCL if anew else 0), anew
        except FileExistsError:
            is_empty = False
            try:
                handle = _open(part, 0)
            except FileNotFoundError:
                continue  # another export has just ended
        except FileNotFoundError:
            if anew:
                raise
            raise ConfigError("there is nothing to go on with", hint="export without --resume") from None
        with ExitStack() as undone:
            undone.callback(os.close, handle)
            _lock(handle, path)
            if _is_at(part, handle):
                if is_empty or not anew:
                    undone.pop_all()
                    return handle
                part.unlink()  # what one left that was broken off: others may have it open
    raise _busy(path)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(path) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:  # there the look before the file gets its name is all there is
            raise


def _busy(path: Path) -> ConfigError:
    return ConfigError(f"another export writes to {path}", hint="wait for its end, or name another file")


def _is_at(part: Path, handle: int) -> bool:
    """Say whether a name is still that of an open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), part.lstat())
    return False


def _put_in_place(handle: int, part: Path, path: Path) -> None:
    """Give the file its name; never that of another file, nor this name to another one."""
    if not _is_at(part, handle):
        raise ConfigError(f"{part} was taken away while it was written", hint="export anew")
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
    try:
        text = cursor.read_bytes()
    except FileNotFoundError:
        raise ConfigError("there is nothing to go on with", hint="export without --resume") from None
    position = None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        position = msgspec.json.decode(text, type=Position)
    if position is None or position.asked != asked:
        raise ConfigError("what was begun there was another export", hint="ask for the same again")
    return position
