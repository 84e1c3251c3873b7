"""A backup: both databases, copied while they are in use, as two SQLite files and a manifest.

Transcripts are copied first and the keyring second, each as of one moment. In this order:

* Every message in the copy has its keys there, for keys are planted before the first message of a session.
* What was erased between the two moments has its rows in the copy and its erasure in the copied keyring, or
  in the root's journal; restoring sweeps it.
* What was begun between the two moments would have keys and no rows, which is how a theft looks (P2). Rows
  are made before keys, so these rows exist by now, and they are added: sessions that have no message yet.

The other way round, messages would be copied whose keys are not.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Table

from vault.clock import to_datetime
from vault.errors import ConfigError, StoreUnavailableError
from vault.keys.ring import Keyring
from vault.storage import copying, lost, migrations
from vault.storage import keyring as sql
from vault.storage.engine import Store, open_file
from vault.storage.stores import Stores
from vault.transfer.manifest import FILES, NAME, FileSum, Manifest, aside, describe
from vault.version import __version__

_UNFINISHED = ".part"
_MARK = ".backup.part"  # stands beside what is not a whole backup yet, and is locked by who writes it


def back_up(stores: Stores, keyring: Keyring, destination: str | os.PathLike[str]) -> Manifest:
    """Copy transcripts and keyring, without the root, into a new directory; nothing is left if that fails."""
    directory = Path(destination).absolute()
    at = stores.clock()
    with _writing(), _new_directory(directory):
        with ExitStack() as opened:
            copies = {label: _new_file(stores, directory, label, opened) for label in FILES}
            _copy(stores.transcripts, copies["transcripts"])
            _copy(stores.keyring, copies["keyring"])
            _add_late_rows(stores.transcripts, copies)
            rows = {label: _count(copy, label) for label, copy in copies.items()}
            generation, ordinal = sql.split_root(copies["keyring"].read(sql.read_meta)["root"])
        parts = aside(stores.runtime, lambda: {one: _finish(directory, one, rows[one]) for one in FILES})
        manifest = Manifest(
            release=__version__,
            vault=stores.vault.hex(),
            created_at=to_datetime(at),
            generation=generation.hex(),
            ordinal=ordinal,
            transcripts=parts["transcripts"],
            keyring=parts["keyring"],
        ).sealed(keyring.service)
        # Last, and whole or not at all: without it the directory is no backup.
        aside(stores.runtime, lambda: _write(directory / NAME, manifest.to_json().encode()))
    return manifest


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(
            f"the backup can't be written: {error.strerror}",
            hint="nothing is left of it: mend that, and repeat",
        ) from error


@contextmanager
def _new_directory(directory: Path) -> Iterator[None]:
    """Make the directory; clear it again where the backup fails, and of what a killed one left."""
    made = not directory.exists()
    if made:
        directory.mkdir(mode=0o700, parents=True)
    elif not directory.is_dir() or not _is_ours(directory):
        raise _not_empty()
    with ExitStack() as stack:
        mark, is_new = _open_mark(directory / _MARK)
        stack.callback(os.close, mark)
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError("another backup is written there", hint="name another directory") from None
        if not _is_ours(directory, is_marked=not is_new and _is_at(directory / _MARK, mark)):
            (directory / _MARK).unlink(missing_ok=True)  # another one has just ended there
            raise _not_empty()
        for path in directory.iterdir():
            if path.name != _MARK:
                path.unlink()
        with ExitStack() as undone:
            undone.callback(_clear, directory, made=made)
            yield
            undone.pop_all()
        (directory / _MARK).unlink()


def _open_mark(path: Path) -> tuple[int, bool]:
    """Open the mark; say whether it is new, and no other backup left it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags | os.O_EXCL, 0o600), True
    except FileExistsError:
        return os.open(path, flags, 0o600), False


def _is_at(path: Path, handle: int) -> bool:
    """Say whether a name is still that of an open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.lstat())
    return False


def _is_ours(directory: Path, *, is_marked: bool = True) -> bool:
    """Say whether nothing is in a directory, or only what a backup leaves that was killed.

    One that was killed at its very end has its manifest: nobody was told of it, and it is made anew.
    """
    names = {path.name for path in directory.iterdir()}
    unfinished = {
        f"{name}{_UNFINISHED}{end}" for name in FILES.values() for end in ("", "-wal", "-shm", "-journal")
    }
    unfinished |= {NAME + _UNFINISHED, _MARK}
    # Files that have their names already are no vault's where the mark stands beside them.
    return names <= (unfinished | {NAME, *FILES.values()} if is_marked and _MARK in names else unfinished)


def _not_empty() -> ConfigError:
    return ConfigError("the place of the backup is not empty", hint="name a new directory, or an empty one")


def _clear(directory: Path, *, made: bool) -> None:
    with suppress(OSError):
        for path in directory.iterdir():
            path.unlink()
        if made:
            directory.rmdir()


def _new_file(stores: Stores, directory: Path, label: str, opened: ExitStack) -> Store:
    path = _unfinished(directory, label)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    is_async = stores.transcripts.engine.dialect.is_async
    store = open_file(path, f"backup's {label}", stores.runtime, is_async=is_async, new=True)
    opened.callback(store.close)
    store.write(lambda connection: migrations.upgrade(connection, label))
    return store


def _unfinished(directory: Path, label: str) -> Path:
    return directory / (FILES[label] + _UNFINISHED)


def _copy(source: Store, target: Store) -> None:
    """Copy all rows as of one moment, batch by batch."""
    label = source.label

    def work(connection: Connection) -> None:
        target.write(lambda copy: copying.empty(copy, label))  # where an attempt before this one broke off
        for table in copying.tables_of(label):
            copying.pour(connection, table, partial(_add, target, table))
        last = copying.last_ids(connection, label)
        target.write(lambda copy: copying.raise_ids(copy, label, last))

    source.snapshot(work)


def _add(target: Store, table: Table, rows: copying.Rows) -> None:
    target.write(lambda copy: copying.add_batch(copy, table, rows))


def _add_late_rows(source: Store, copies: Mapping[str, Store]) -> None:
    """Add the rows of users and sessions that were begun after the transcripts were copied.

    A row that is not there any more was erased since, or was stolen, which shall go on to show.
    """
    transcripts = copies["transcripts"]
    for kind in lost.ROWS:
        for page in lost.keys_of(copies["keyring"], kind):
            late = transcripts.read(lambda c, kind=kind, page=page: lost.without_row(c, kind, page))  # type: ignore[misc]
            lost.copy_rows(source, transcripts, kind, late)


def _count(copy: Store, label: str) -> dict[str, int]:
    return copy.read(lambda connection: copying.count_rows(connection, label))


def _finish(directory: Path, label: str, rows: dict[str, int]) -> FileSum:
    """Make a file durable, sum it, and give it its name."""
    path = _unfinished(directory, label)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    part = describe(path, migrations.HEADS[label], rows)
    path.rename(directory / FILES[label])
    return part


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + _UNFINISHED)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)
    unfinished.rename(path)
    for directory in (path.parent, path.parent.parent):
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
