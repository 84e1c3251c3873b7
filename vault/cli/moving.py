"""`keys move`: the root's files to other places, or to more of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.talking import Command, actor, as_json, counted, dry, put, put_json, say
from vault.errors import UsageError, VaultError

if TYPE_CHECKING:
    from vault.roots.file import FileRoot


@click.command(
    "move",
    cls=Command,
    examples=(
        "vault keys move file:/mnt/a/root.key,/mnt/b/root.key --dry-run",
        "vault keys move file:/mnt/a/root.key,/mnt/b/root.key",
    ),
)
@click.argument("uri", metavar="URI")
@actor
@dry
@as_json
@pass_given
def move(given: Given, uri: str, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Put the root elsewhere, or give it mirrors.

    URI names all the files that there shall be. They are written and read back, vault.toml names them, and
    those of before that are not among them are overwritten and removed. What was interrupted is completed by
    saying it again. A passphrase stays, so leave ?passphrase-file=/path away here. Stop whatever uses the
    vault: it would write to the old places.

    A file that is lost for good is given up by a URI without it, and written anew by one with it. Mount its
    disk instead where it is only away: what lies there opens what is erased from now on. So does one that is
    given up where it can be read and not be changed: then it stays where it is, and you are told.
    """
    from vault.roots.file_disk import is_taken

    settings = given.settings()
    _check_changeable(given, settings.base)
    named, option = _parts(settings.root)
    new_names, _ = _parts(uri, is_new=True)
    before, new = _root(named, option, settings.base), _root(new_names, option, settings.base)
    gone = tuple(path for path in before.paths if path not in new.paths)
    stuck = [path for path in gone if before.is_stuck(path)]
    there = [path for path in before.paths if path in stuck or is_taken(path)]
    if not there:
        before.load()  # which says so
    old = {path: name for path, name in zip(before.paths, named, strict=True) if path in there}
    if set(old) == set(stuck):
        stuck = []  # then it is they that hold the root
    for path in stuck:
        del old[path]
    gone = tuple(path for path in gone if path not in stuck)
    if not dry_run and not set(new.paths) == set(before.paths) == set(old):
        kept = [name for path, name in old.items() if path not in new.paths]
        uris = [_uri(names, option) for names in ([*old.values()], [*new_names, *kept], new_names)]
        _move(given, settings.base, [settings.root, *uris], gone, actor or login())
    removed = [str(path) for path in gone if path in old]
    missed = [str(path) for path in gone if path not in old]
    _tell(new.name, removed, missed, [str(path) for path in stuck], dry_run=dry_run, as_json=as_json)


def _tell(
    name: str, removed: list[str], missed: list[str], left: list[str], *, dry_run: bool, as_json: bool
) -> None:
    """Say where the root lies, what was removed, and what may turn up again or can't be removed."""
    if missed:
        listed = ", ".join(missed)
        say(f"warning: no root was at {listed}: if one turns up again, it opens what was alive until now")
    if left:
        listed = ", ".join(left)
        say(f"warning: {listed} can't be removed, and opens what was alive until now: destroy it")
    if as_json:
        more = {name: paths for name, paths in (("missed", missed), ("left", left)) if paths}
        put_json({"root": name, "removed": removed, **more})
        return
    put(f"the root {'would lie' if dry_run else 'lies'} at {name}")
    if removed:
        listed = ", ".join(removed)
        put(f"{'would remove' if dry_run else 'removed'} {counted(len(removed), 'file')}: {listed}")


def _check_changeable(given: Given, base: Path) -> None:
    from vault.config import VARIABLES, is_vault

    if given.root is not None or VARIABLES + "ROOT" in os.environ or not is_vault(base):
        raise UsageError(
            "only a root that vault.toml names can be moved",
            hint="leave --root and TRANSCRIPT_VAULT_ROOT away; vault init DIRECTORY writes a vault.toml",
        )


def _parts(uri: str, *, is_new: bool = False) -> tuple[list[str], str]:
    parts = urlsplit(uri)
    if parts.scheme != "file":
        raise UsageError("only a root in files can be moved, to files", hint="file:/a/root.key,/b/root.key")
    if is_new and parts.query:
        raise UsageError("the passphrase of a root stays when it moves", hint="leave the option away")
    return parts.path.split(","), parts.query


def _uri(names: list[str], option: str) -> str:
    return f"file:{','.join(names)}" + (f"?{option}" if option else "")


def _root(names: list[str], option: str, base: Path) -> FileRoot:
    from vault.roots.file import FileRoot

    return FileRoot.from_uri(_uri(names, option), relative_to=base)


def _move(given: Given, base: Path, uris: list[str], gone: tuple[Path, ...], actor: str) -> None:
    """Go by way of a root that has all places, so that at each instant vault.toml names every copy (P3)."""
    from vault.config import write_setting
    from vault.evidence.entries import Kind
    from vault.keys.home import require_home
    from vault.roots.file import FileRoot

    original, reached, both, after = uris
    is_spread = False
    try:
        if reached != original:  # no change could be made while a file is named that is not there
            write_setting(base, "root", reached)
        with given.open() as vault:
            core = vault._core  # noqa: SLF001 (the settings are the command line's)
            core.stores.keyring.read(lambda connection: require_home(core.stores, connection))
            with core.keyring.log.telling(Kind.MOVE, actor=actor):
                write_setting(base, "root", both)
                root = FileRoot.from_uri(both, relative_to=base)
                root.spread()
                is_spread = True
                # Of one that is not there, an interrupted move may have left what is to be overwritten.
                if present := tuple(path for path in gone if path.parent.is_dir()):
                    root.withdraw(present)
                write_setting(base, "root", after)
    except VaultError:
        if not is_spread:
            write_setting(base, "root", original)
        raise
