"""What `vault doctor` finds of directories and files: who may look and write there, whose they are, room."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from vault.cli.bedside import Bedside, Mend
from vault.cli.findings import Finding, failed, ok, warning
from vault.cli.mending_root import move
from vault.config import FILE, Settings, is_url, is_vault
from vault.errors import GuardedError, UnavailableError
from vault.roots import Root
from vault.roots.file import FileRoot
from vault.storage.engine import parse_url

ROOM = 256 * 2**20  # below this a purge or a restore may not come to its end
FULL = 2**20  # below this SQLite can't even open what is there
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def data_files(settings: Settings) -> list[Path]:
    """Give the databases that are files."""
    urls = [parse_url(url) for url in (settings.transcripts, settings.keyring)]
    return [Path(url.database or "").absolute() for url in urls if url.get_backend_name() == "sqlite"]


def look_at_directories(settings: Settings, at: Bedside) -> Iterator[Finding]:
    """Look at where the databases and vault.toml lie."""
    data = {file.parent for file in data_files(settings)}
    named = at.file is not None and is_vault(settings.base)
    for place in sorted(data | ({settings.base} if named else set())):
        if place.is_dir():
            yield from _look_at_mode(place, holds_data=place in data)
            yield from _look_at_owners(place, settings)
            if place in data:
                yield from _look_at_room(place)
    if named:
        yield from _look_at_password(settings, settings.base / FILE)


def unreachable(check: str, error: OSError, at: Bedside) -> Finding:
    """Say whose a place is that can't be looked at."""
    place = Path(error.filename)
    nearest = next(one for one in (place, *place.parents) if os.access(one.parent, os.X_OK) and one.exists())
    mend = Mend(
        "what can't be looked at can't be used either: the vault is run by whoever owns it",
        f"sudo -u {_name(nearest.stat().st_uid)} {at.vault('doctor')}",
    )
    return failed(check, UnavailableError(f"{error.strerror}: {place}"), mend)


def _look_at_mode(place: Path, *, holds_data: bool) -> Iterator[Finding]:
    mode, quoted = place.stat().st_mode, shlex.quote(str(place))
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        mend = Mend(
            "whoever writes there can put other databases, or another root, in place of yours",
            f"chmod go-w {quoted}",
        )
        yield failed("directory", GuardedError(f"others may write in {place}"), mend)
    elif not mode & stat.S_IWUSR or not mode & stat.S_IXUSR:
        mend = Mend("no message can be written", f"chmod u+rwx {quoted}")
        yield failed("directory", UnavailableError(f"its owner may not write in {place}"), mend)
    elif holds_data and mode & _OTHERS:
        mend = Mend(
            "who talks to whom, and when, shows in the sizes and times of files", f"chmod go-rwx {quoted}"
        )
        yield warning("directory", f"others may look into {place}", mend)
    else:
        yield ok(
            "directory", f"{place} is open to its owner alone" if holds_data else f"{place} is its owner's"
        )


def _look_at_owners(place: Path, settings: Settings) -> Iterator[Finding]:
    owner = place.stat().st_uid
    mine = [place / FILE, *data_files(settings)]
    every = [
        beside
        for file in mine
        for beside in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm")))
    ]
    foreign = [
        file for file in every if file.parent == place and file.exists() and file.stat().st_uid != owner
    ]
    if foreign:
        mend = Mend(
            "whoever runs the vault is kept from their own files: somebody once ran it as another user",
            f"{_sudo()}chown -R {_name(owner)}: {shlex.quote(str(place))}",
        )
        listed = ", ".join(file.name for file in foreign)
        yield failed(
            "directory", UnavailableError(f"{listed} in {place} belong to another user than it"), mend
        )
    elif os.geteuid() not in {0, owner}:
        mend = Mend(
            "what you write there its owner may not be able to read",
            f"sudo -u {_name(owner)} vault --vault {shlex.quote(str(place))} doctor",
        )
        yield warning("directory", f"{place} belongs to {_name(owner)}, and you are another", mend)


def _sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def is_full(place: Path) -> bool:
    """Say whether there is no room at all where a database lies."""
    nearest = next(one for one in (place, *place.parents) if one.exists())
    return shutil.disk_usage(nearest).free < FULL


def make_room(place: Path) -> str:
    """Show what takes the room."""
    return f"du -xh {shlex.quote(str(place))} | sort -h | tail  # and make room there"


def _look_at_room(place: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(place).free
    if free < ROOM:
        mend = Mend("when it is full, messages are refused and erasures wait", make_room(place))
        yield warning("directory", f"{free // 2**20} MiB are left on the disk of {place}", mend)


def _look_at_password(settings: Settings, file: Path) -> Iterator[Finding]:
    has_password = any(
        parse_url(url).password for url in (settings.transcripts, settings.keyring) if is_url(url)
    )
    if has_password and file.stat().st_mode & _OTHERS:
        mend = Mend("who reads it can write to the databases", f"chmod 600 {shlex.quote(str(file))}")
        yield failed("directory", GuardedError(f"others may read {file}, which holds a password"), mend)


def look_beside(root: Root, settings: Settings, at: Bedside) -> Iterator[Finding]:
    """Say where the root is lost, or stolen, together with the databases."""
    data = [file for file in data_files(settings) if file.exists()]
    held = [path for path in root.paths if path.exists()] if isinstance(root, FileRoot) else []
    directories = {file.parent.resolve() for file in data}
    devices = {file.stat().st_dev for file in data}
    near = [path for path in held if path.parent.resolve() in directories]
    where = "in one directory"
    if not near:
        near, where = [path for path in held if path.stat().st_dev in devices], "on one device"
    if near:
        kept = [path for path in held if path not in near]
        mend = Mend(
            "one copy, snapshot or theft takes both, and then nothing that was erased is gone",
            move(at, root, kept, ["/ELSEWHERE"] if kept else ["/ELSEWHERE", "/MIRROR"]),
        )
        yield warning("root", f"{near[0]} lies {where} with a database", mend)
