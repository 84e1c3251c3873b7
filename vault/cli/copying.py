"""`backup` and `restore`: copies of transcripts and keyring; the root stays where it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vault.cli.given import Given, is_missing, open_existing, pass_given
from vault.cli.talking import (
    Command,
    as_json,
    ask_confirm,
    counted,
    dry,
    moment,
    put,
    put_facts,
    put_json,
    say,
)
from vault.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.transfer.drill import Drill
    from vault.transfer.restore import Restored


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
    put(f"a backup is in {directory}: {_counts(manifest.transcripts.rows)}")
    put("It opens only with the root, which is not in it.")


@click.command(
    "restore",
    cls=Command,
    examples=(
        "vault restore /mnt/backups/2026-11-20 --drill",
        "vault restore /mnt/backups/2026-11-20 --replace transcripts --dry-run",
        "vault --vault new-vault --root file:/mnt/a/root.key \\",
        "    restore /mnt/backups/2026-11-20 --confirm new-vault",
    ),
)
@click.argument("backup", type=click.Path(path_type=Path))
@click.option(
    "--replace",
    multiple=True,
    type=click.Choice(["transcripts", "keyring"]),
    metavar="STORE",
    help="What may lose its content, transcripts or keyring; without it only what is empty is filled.",
)
@click.option("--drill", is_flag=True, help="Only try: open a copy, read a sample, change nothing.")
@click.option("--confirm", metavar="NAME", help="The name of the vault's directory, or database, again.")
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
    """Put a backup back, or try it with --drill.

    Keep the present keyring where there is one: it knows who was forgotten since. A keyring that comes out of
    the backup takes over the root, and one elsewhere becomes a copy; so that wants --confirm, and so does
    --replace. What was erased since the backup is erased again. Stop whatever uses the vault.
    """
    if drill:
        _drill(given, backup, as_json=as_json)
        return
    where = given.where
    name, plan = _plan(given, replace)
    if dry_run:
        _tell_plan(backup, name, plan, as_json=as_json)
        return
    if plan["keyring"] != "keep" or "replace" in plan.values():
        ask_confirm(f"restoring {name}: {_words(plan)}", name, confirm)
    from vault.client import Vault

    restored = Vault.restore(
        backup,
        where,
        keyring=given.keyring,
        root=given.root,
        horizon=given.horizon,
        replace=replace,
    )
    _tell_restored(restored, as_json=as_json)


def _drill(given: Given, backup: Path, *, as_json: bool) -> None:
    from vault.client import Vault

    try:
        where = given.where
    except ConfigError:
        if given.root is None:
            raise
        where = None  # a drill needs no more than the root
    found = Vault.drill(backup, where, root=given.root)
    if as_json:
        put_json(found)
    else:
        _tell_drill(found)
    if not found.within_horizon:
        say("warning: the horizon of its keyring has passed: soon only its transcripts can be restored")
    if found.unreadable:
        say(f"error: the keys of {counted(found.unreadable, 'session')} are not in it")
        click.get_current_context().exit(3)


def _plan(given: Given, replace: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """Name the place, and say what a restore would do to each store there: fill, replace or keep."""
    from vault.config import is_url, is_vault
    from vault.opening import read_facts
    from vault.storage.copying import RESTORING
    from vault.storage.engine import parse_url

    where = given.where
    if where is not None and not is_url(where) and not is_vault(Path(where)):
        return Path(where).absolute().name, {"transcripts": "fill", "keyring": "fill"}
    settings, plan = given.settings(), {}
    for label, url in (("transcripts", settings.transcripts), ("keyring", settings.keyring)):
        facts: Mapping[str, bytes] = {}
        if not is_missing(url):
            with closing(open_existing(url, label)) as store:
                facts = read_facts(store)
        is_empty = not facts or RESTORING in facts  # the mark: a restore was interrupted
        plan[label] = "fill" if is_empty else "replace" if label in replace else "keep"
    name = settings.base.name if is_vault(settings.base) else parse_url(settings.transcripts).database
    return name or "", plan


def _words(plan: dict[str, str]) -> str:
    words = ", ".join(f"{what} {label}" for label, what in plan.items())
    takes = "; its keyring takes over the root" if plan["keyring"] != "keep" else ""
    return words + takes


def _tell_plan(backup: Path, name: str, plan: dict[str, str], *, as_json: bool) -> None:
    from vault.transfer.manifest import read_manifest

    manifest = read_manifest(backup)
    rows = manifest.transcripts.rows
    if as_json:
        put_json({"created_at": manifest.created_at, "rows": rows, "name": name, **plan})
        return
    put(f"would restore {name}: {_words(plan)}")
    put(f"from a backup of {moment(manifest.created_at)}: {_counts(rows)}")


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(counted(rows[name], name[:-1]) for name in ("users", "sessions", "messages"))


def _tell_restored(restored: Restored, *, as_json: bool) -> None:
    if as_json:
        put_json(restored)
        return
    put(f"restored {' and '.join(restored.filled)} from a backup of {moment(restored.created_at)}")
    put_facts(
        [
            ("now here", _counts(_rows_of(restored))),
            ("erased again", restored.erased_again),
            ("lost", f"{counted(restored.lost, 'session')} of after the backup, without messages here"),
            (
                "unreadable",
                f"{counted(restored.unreadable, 'session')} of after the keyring, without keys here",
            ),
        ]
    )
    if restored.missing:
        say(
            f"warning: of users and sessions whose keys are here {restored.missing:,} have no rows, and are"
            " refused as stolen: restore the transcripts again, if this keyring was younger than they are"
        )


def _tell_drill(found: Drill) -> None:
    put(f"the backup of {moment(found.created_at)} can be restored with this root")
    until = found.restorable_until
    put_facts(
        [
            ("holds", _counts(_rows_of(found))),
            ("read", f"{counted(found.sessions_read, 'session')}, {counted(found.messages_read, 'message')}"),
            ("erased since", found.erased_again),
            (
                "keyring",
                f"restorable until {moment(until)}" if until else "restorable: nothing was erased since",
            ),
        ]
    )


def _rows_of(found: Restored | Drill) -> dict[str, Any]:
    return {"users": found.users, "sessions": found.sessions, "messages": found.messages}
