"""How a root file is read, continued, replaced and overwritten: a crash at any instant leaves a whole one.

For /d/root.key: /d/.root.key.lock is locked by who changes it, /d/.root.key.<random>.new is what is about
to take its name, and /d/.root.key.<random>.old what had it before and is still to be overwritten.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from vault.errors import ConfigError, RootUnavailableError

MAX_BYTES = 64 * 1024 * 1024
_READS = 100
_PASSPHRASE_BYTES = 65_536
_SAFELY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

Owner = tuple[int, int]


@contextmanager
def _reaching(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise RootUnavailableError(
            f"the root at {path} can't be {verb}: {reason}",
            hint="mend that place, then repeat: every mirror must be there for a change",
        ) from None


def read(path: Path) -> bytes | None:
    """Give the content of a root file, or None where there is no file."""
    for _ in range(_READS):
        with _reaching(path, "read"), ExitStack() as stack:
            try:
                handle = os.open(path, os.O_RDONLY | _SAFELY)
            except FileNotFoundError:
                return None
            stack.callback(os.close, handle)
            info = os.fstat(handle)
            _refuse_unsafe(path, info)
            with os.fdopen(handle, "rb", closefd=False) as file:
                data = file.read(info.st_size + 1)  # room for 64 MiB is slow to get
            # A file is overwritten only after it has lost its name. One that has it still was whole;
            # one that lost it meanwhile is read anew.
            with suppress(FileNotFoundError):
                if os.path.samestat(info, path.lstat()):
                    return data
    raise RootUnavailableError(f"the root at {path} is replaced faster than it can be read")


def read_passphrase(path: Path) -> str:
    """Give the passphrase that a file holds, without the end of its line."""
    try:
        # Nobody is waited for: a pipe has no passphrase, and a device has one without an end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            is_file, text = stat.S_ISREG(os.fstat(file.fileno()).st_mode), b""
            if is_file:
                text = file.read(_PASSPHRASE_BYTES + 1)
        if is_file and len(text) <= _PASSPHRASE_BYTES:
            return text.decode().removesuffix("\n").removesuffix("\r")
        reason: str | None = "it is far too long for a passphrase" if is_file else "it is not a regular file"
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    # Raised out here, as an error of decoding carries the passphrase.
    raise ConfigError(f"the passphrase file {path} can't be read: {reason}")


def passphrase_exposures(passphrase: Path, roots: tuple[Path, ...]) -> list[str]:
    """Say what about the place of a passphrase gives it to whoever takes the root."""
    found = []
    with suppress(OSError):
        if passphrase.stat().st_mode & _OTHERS:
            found.append(f"the passphrase is open to other users of this machine: chmod go-rwx {passphrase}")
        places = {path.parent.resolve() for path in roots}
        if places & {passphrase.parent.resolve(), passphrase.resolve().parent}:
            found.append(f"the passphrase {passphrase} lies beside the root: one copy or theft takes both")
    return found


def is_taken(path: Path) -> bool:
    """Say whether anything is at this path, be it no root at all."""
    with _reaching(path, "reached"), suppress(FileNotFoundError):
        path.lstat()
        return True
    return False


def _refuse_unsafe(path: Path, info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise RootUnavailableError(f"the root at {path} is not a regular file")
    if info.st_mode & _OTHERS:
        raise RootUnavailableError(
            f"the root at {path} is open to other users of this machine", hint=f"chmod 600 {path}"
        )
    if os.geteuid() not in {0, info.st_uid} and info.st_uid != 0:
        raise RootUnavailableError(f"the root at {path} belongs to another user of this machine")
    if info.st_size > MAX_BYTES:
        raise RootUnavailableError(f"the root at {path} is far too large for a root file")


def _owner(paths: tuple[Path, ...]) -> Owner | None:
    """Whose the files are: what an administrator replaces must stay readable for the service."""
    for path in paths if os.geteuid() == 0 else ():
        with _reaching(path, "reached"), suppress(FileNotFoundError):
            info = path.lstat()
            return info.st_uid, info.st_gid
    return None


def lock_of(path: Path) -> Path:
    """Give the file that is locked by whoever changes this one."""
    return path.with_name(f".{path.name}.lock")


@contextmanager
def locked(paths: tuple[Path, ...]) -> Iterator[None]:
    """Keep every other thread and process from changing any of the files."""
    owner = _owner(paths)
    with ExitStack() as stack:
        locks: dict[tuple[int, int], tuple[int, Path]] = {}
        for path in paths:
            with _reaching(path, "locked"):
                handle = _open_lock(lock_of(path), owner)
            stack.callback(os.close, handle)
            info = os.fstat(handle)
            locks[info.st_dev, info.st_ino] = handle, path
        if len(locks) < len(paths):
            raise ConfigError("two paths of the root are one file by two names")
        # In one order for all, whatever the order in the URI: nobody waits in a circle.
        for _, (handle, path) in sorted(locks.items()):
            with _reaching(path, "locked"):
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Said aloud: closing does not unlock while a forked child holds a copy of the handle.
            stack.callback(fcntl.flock, handle, fcntl.LOCK_UN)
        yield


def _open_lock(lock: Path, owner: Owner | None) -> int:
    with suppress(FileExistsError):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)
        os.fchmod(handle, 0o600)  # as below
        # Only when it is new: whoever may write here could have put a link to another file there.
        if owner is not None:
            os.fchown(handle, *owner)
        return handle
    return os.open(lock, os.O_RDWR | _SAFELY)


def can_append(paths: tuple[Path, ...], size: int) -> bool:
    """Say whether every file may get so large, and has no second name that would get what is added too."""
    for path in paths:
        with _reaching(path, "reached"):
            if path.lstat().st_nlink > 1:
                return False
    return size <= MAX_BYTES


def append_all(paths: tuple[Path, ...], size: int, data: bytes) -> None:
    """Add something durably to the end of every file, which has this size; the data tells its own end."""
    for path in paths:
        with _reaching(path, "written"), ExitStack() as stack:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | _SAFELY)
            stack.callback(os.close, handle)
            info = os.fstat(handle)
            _refuse_unsafe(path, info)
            try:
                if info.st_size == size:
                    _write_whole(handle, data)
                    os.fsync(handle)
                is_there = os.pread(handle, len(data) + 1, size) == data
            except OSError:
                os.ftruncate(handle, size)  # a disk that is full; where this fails too, no end is there
                raise
        if not is_there:
            raise RootUnavailableError(f"the root at {path} does not hold what was added to it")


def _write_whole(handle: int, data: bytes) -> None:
    if os.write(handle, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def replace_all(paths: tuple[Path, ...], data: bytes) -> None:
    """Give every file this content, durably, read it back, and overwrite what they held before (P3, P8)."""
    owner = _owner(paths)
    with ExitStack() as stack:
        try:
            # All are written before the first takes its name: a full disk changes nothing.
            ready = [(path, _write_beside(path, data, owner)) for path in paths]
            nameless = [handle for path in paths for handle in _keep_old(path, stack)]
            for path, new in ready:
                _take_name(path, new)
        finally:
            for path in paths:
                _clear(path, "new")
        for path in paths:
            if read(path) != data:
                raise RootUnavailableError(f"the root at {path} does not hold what was written to it")
        # Not before now: after a crash an old name may still lead to what was the living file until here.
        for path in paths:
            _clear(path, "old")
        for handle in nameless:
            with _reaching(paths[0], "overwritten"):
                _overwrite(handle)


def remove_all(paths: tuple[Path, ...]) -> None:
    """Overwrite and remove root files whose content stands elsewhere; repeated, it completes.

    The caller has their locks.
    """
    for path in paths:
        with _reaching(path, "removed"), suppress(FileNotFoundError):
            path.rename(_beside(path, "old"))
            _sync_directory(path.parent)
        _clear(path, "old")


def _write_beside(path: Path, data: bytes, owner: Owner | None) -> Path:
    new = _beside(path, "new")
    with _reaching(path, "written"):
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)  # an odd umask or a default ACL may have left another mode
            if owner is not None:
                os.fchown(handle, *owner)
            file.write(data)
            file.flush()
            os.fsync(handle)
    return new


def _keep_old(path: Path, stack: ExitStack) -> list[int]:
    """Give what is about to lose its name a second one, by which it is found even after a crash."""
    try:
        _beside(path, "old").hardlink_to(path)
    except FileNotFoundError:
        return []
    except OSError:
        # A file system without links: an open handle reaches it too, though not after a crash.
        with _reaching(path, "replaced"):
            handle = os.open(path, os.O_RDWR | _SAFELY)
            stack.callback(os.close, handle)
            return [handle]
    return []


def _take_name(path: Path, new: Path) -> None:
    with _reaching(path, "replaced"):
        new.replace(path)
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear(path: Path, suffix: Literal["new", "old"]) -> None:
    """Overwrite and remove the files of this change, and of one that a crash broke off."""
    for found in leftovers(path, suffix):
        with _reaching(found, "overwritten"):
            handle = os.open(found, os.O_RDWR | _SAFELY)
            try:
                _overwrite(handle)
            finally:
                os.close(handle)
            found.unlink()


def _overwrite(handle: int) -> None:
    with os.fdopen(handle, "r+b", closefd=False) as file:
        file.write(bytes(os.fstat(handle).st_size))
        file.flush()
        os.fsync(handle)


def _beside(path: Path, suffix: Literal["new", "old"]) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.{suffix}")


def leftovers(path: Path, suffix: str = "(?:new|old)") -> list[Path]:
    """Find the files that hold, or held, keys beside this one. Only whoever has the lock may act on it."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.{suffix}")
    with _reaching(path, "reached"):
        return sorted(found for found in path.parent.iterdir() if pattern.fullmatch(found.name))


def exposures(path: Path) -> list[str]:
    """Say what about the place of a root file endangers it."""
    found = [f"an interrupted change left {one}: the next one overwrites it" for one in leftovers(path)]
    with _reaching(path, "reached"):
        if path.stat().st_nlink > 1:
            found.append(f"the root at {path} has a second name (a hard link): it will be overwritten")
        if path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            found.append(f"others may replace the root at {path}: chmod go-w {path.parent}")
    return found


def shared_place(paths: list[Path]) -> str | None:
    """Name what several mirrors would be lost with."""
    with _reaching(paths[0], "reached"):
        if len({path.parent.resolve() for path in paths}) < len(paths):
            return "directory"
        return "device" if len({path.stat().st_dev for path in paths}) < len(paths) else None
