"""What mends a root, or the place where it lies."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from vault.cli.bedside import Bedside, Mend, line_of
from vault.errors import ConfigError, GuardedError, VaultError
from vault.roots import Root
from vault.roots.file import FileRoot

_LOST = "without it no transcript opens, ever"
_NEITHER = "nothing is read or written before that is clear, so that nothing gets worse"


def mend_root(error: VaultError, at: Bedside, root: Root | None) -> Mend:
    """Say what to do where the root can't be used."""
    said = str(error)
    if error.hint.startswith("chmod "):
        return Mend("whoever can read it opens every copy of the vault", error.hint)
    is_ours = not isinstance(error, ConfigError | GuardedError) and "passphrase" not in said
    if not isinstance(root, FileRoot) or not (is_ours or "different vaults" in said):
        return Mend(_LOST, at.edit(line_of(at.file, "root")))
    if "belongs to another user" in said:
        path = next((one for one in root.paths if str(one) in said), root.paths[0])
        owner = f"sudo chown {os.geteuid()} {shlex.quote(str(path))}"
        return Mend("it is only read from its owner or root", owner)
    return put_back(root)


def put_back(root: Root) -> Mend:
    """Put a copy of the root where its files are, and what is there aside."""
    if not isinstance(root, FileRoot):
        return Mend(_LOST, "vault keys status")
    steps = []
    for path in root.paths:
        file = shlex.quote(str(path))
        steps += [f"mv {file} {file}.other"] if path.exists() else []
        steps += [f"cp -p /COPY/root.key {file}", f"chmod 600 {file}"]
    is_there = any(path.exists() for path in root.paths)
    return Mend(_NEITHER if is_there else _LOST, " && ".join(steps))


def mend_root_warning(warning: str, at: Bedside, root: Root) -> Mend:
    """Say what to do about something that a root warns of."""
    paths = root.paths if isinstance(root, FileRoot) else ()
    path = next((path for path in paths if str(path) in warning), None)
    file, rotate = shlex.quote(str(path)), at.vault("keys rotate")
    above = None if path is None or path.parent.is_dir() else shlex.quote(str(path.parent))
    make = f"mkdir -p -m 700 {above} && " if above else ""
    lost = Mend(
        "a root that is lost can't be made again, and every transcript goes with it",
        move(at, root, [*paths[:1]], ["/MIRROR"]),
    )
    outlives = Mend("an old generation in it outlives what was erased", rotate)
    why = "one theft takes both, and then the passphrase keeps nobody out"
    together = Mend(why, at.edit(line_of(at.file, "root")))
    known = {
        "lies beside the root": together,
        "the passphrase is open": Mend("with it a stolen root opens", warning[warning.find("chmod ") :]),
        "chmod ": Mend("whoever replaces it can lose you all", warning[warning.find("chmod ") :]),
        "open to other users": Mend("whoever can read it opens every copy of the vault", f"chmod 600 {file}"),
        "no mirror": lost,
        "lie on one": lost,
        "is missing": Mend(
            "mount its disk, if it is away; only where the file is lost for good, write it anew",
            make + _again(at, root, path),
        ),
        "is behind": outlives,
        "interrupted change": outlives,
        "second name": outlives,
    }
    unusable = "while one of its files can't be used the root can't change, and nothing can be erased"
    place = "." if path is None else shlex.quote(str(path.parent))
    known |= {
        "is read-only": Mend(unusable, f'mount -o remount,rw "$(findmnt -nro TARGET -T {place})"'),
        "no room": Mend(unusable, f"du -xh {place} | sort -h | tail  # and make room there"),
        "can't be changed": Mend(unusable, f"ls -la {place}  # who runs the vault must be able to write"),
    }
    aside = f"mv {file} {file}.broken && {_again(at, root, path)}"
    otherwise = Mend(unusable, aside if path else at.vault("keys status"))
    return next((one for words, one in known.items() if words in warning), otherwise)


def _again(at: Bedside, root: Root, path: Path | None) -> str:
    """Write one file of a root anew from the others."""
    paths = root.paths if isinstance(root, FileRoot) else ()
    there = next((one for one in paths if one != path and one.exists()), None)
    if _is_in_settings(at) or there is None:
        return at.vault(f"keys move {shlex.quote(root.name)}")
    return f"cp -p {shlex.quote(str(there))} {shlex.quote(str(path))}"


def _is_in_settings(at: Bedside) -> bool:
    """Say whether it is vault.toml that names the root."""
    return at.given.root is None and "TRANSCRIPT_VAULT_ROOT" not in os.environ and at.file is not None


def move(at: Bedside, root: Root, kept: list[Path], places: list[str]) -> str:
    """Put the root to other places, keeping some of its files."""
    paths = [*map(str, kept), *(f"{place}/root.key" for place in places)]
    if not _is_in_settings(at):
        file = root.paths[0] if isinstance(root, FileRoot) else "ROOT"
        return f"cp -p {shlex.quote(str(file))} {places[0]}/root.key  # then --root file:{','.join(paths)}"
    return at.vault(f"keys move {shlex.quote('file:' + ','.join(paths))}")
