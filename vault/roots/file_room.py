"""Whether the files of a root could be changed now. Nothing is written by asking."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vault.roots.file_disk import lock_of

SPARE = 256 * 1024  # for what a change adds to a file: generations with their journal


def obstacle(path: Path, room: int) -> str | None:
    """Say what keeps a file of a root from being changed; `room` is what all that is written takes there."""
    try:
        disk = os.statvfs(path.parent)
        if disk.f_flag & os.ST_RDONLY:
            return "its file system is read-only"
        lock = lock_of(path)
        if os.path.lexists(lock) and not stat.S_ISREG(lock.lstat().st_mode):
            return f"{lock} is not a regular file"
        closed = next((one for one in (path.parent, path, lock) if not _is_writable(one)), None)
    except OSError as error:
        return error.strerror
    if closed is not None:
        return f"who runs this may not write to {closed}"
    blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    files = disk.f_ffree if os.geteuid() == 0 else disk.f_favail
    # Some file systems count neither.
    if (disk.f_blocks and blocks * disk.f_frsize < room) or (disk.f_files and not files):
        return f"there is no room in {path.parent}"
    return None


def _is_writable(place: Path) -> bool:
    """Say whether a file, or what is in a directory, may be changed; what is not there may be made."""
    if not os.path.lexists(place):
        return True
    needed = os.W_OK | os.X_OK if place.is_dir() else os.W_OK
    return os.access(place, needed, effective_ids=os.access in os.supports_effective_ids)
