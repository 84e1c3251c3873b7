"""`backup` and `restore`: copies of transcripts and keyring; the root stays where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, open_existing, pass_given
from vault.cli.talking import (
    Command,
    as_json,
    ask_confirm,
    check_confirm,
    counted,
    dry,
    put,
    put_facts,
    put_json,
)
from vault.errors import UnavailableError

if TYPE_CHECKING:
    import msgspec

    from vault.transfer.manifest import Manifest

_COUNTED = ("users", "sessions", "messages")


@click.command(
    "backup",
    cls=Command,
    examples=("vault backup /mnt/backups/2026-11-20", "vault backup /mnt/backups/2026-11-20 --json"),
)
@click.argument("directory", type=click.Path(path_type=Path))
@as_json
@pass_given
def backup(given: Given, directory: Path, as_json: bool) -> None:
    """Copy transcripts and keyring, while in use.

    DIRECTORY is new or empty. The root is left out: keep its copies apart from these, and under control.
    """
    with given.open() as vault:
        manifest = vault.backup(directory)
    if as_json:
        put_json(manifest)
        return
    put(f"a backup is in {directory}: {_said(manifest.transcripts.rows)}")
    put("It opens only with the root, which is not in it.")


@click.command(
    "restore",
    cls=Command,
    examples=(
        "vault restore /mnt/backups/2026-11-20 --drill",
        "vault --vault new-vault --root file:/mnt/a/root.key restore /mnt/backups/2026-11-20",
        "vault --vault chat-vault restore /mnt/backups/2026-11-20 --replace transcripts --dry-run",
    ),
)
@click.argument("backup", type=click.Path(path_type=Path))
@click.option(
    "--replace",
    multiple=True,
    type=click.Choice(["transcripts", "keyring"]),
    help="What may lose its content; else only what is empty is filled.",
)
@click.option("--drill", is_flag=True, help="Only try it: open a copy, read a sample, touch no root.")
@click.option("--confirm", metavar="NAME", help="With --replace: the name of the directory or database again.")
@dry
@as_json
@pass_given
def restore(
    given: Given,
    backup: Path,
    replace: tuple[str, ...],
    drill: bool,
    confirm: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put a backup back, or try whether it would work.

    What was erased since the backup is erased again. Of the keyring only a copy that is not older than the
    horizon can be put back, so replace it only where the present one is lost.
    """
    from vault.client import Vault

    if drill:
        _tell("the backup opens", Vault.drill(backup, given.where, root=given.root), as_json=as_json)
        return
    if dry_run:
        _tell_plan(given, backup, replace, as_json=as_json)
        return
    if replace:
        name = _name(given)
        check_confirm(name, confirm)
        ask_confirm(f"replacing {' and '.join(replace)} of {name}: {_present(given)}", name, confirm)
    restored = Vault.restore(
        backup,
        given.where,
        keyring=given.keyring,
        root=given.root,
        horizon=given.horizon,
        replace=replace,
    )
    _tell("the backup is put back", restored, as_json=as_json)
