"""`log`: what was done to keys and originals, whether that record is whole, and checkpoints of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import (
    Group,
    as_json,
    counted,
    moment,
    on_terminal,
    paint,
    put,
    put_facts,
    put_json,
    put_table,
    say,
)
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault.logs import LogEntry

_anchor = click.option(
    "--anchor",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="A directory of checkpoints, outside the vault.",
)


@click.group(
    "log",
    cls=Group,
    examples=("vault log show", "vault log verify --anchor /mnt/audit", "vault log checkpoint"),
)
def log() -> None:
    """Show, verify, sign and prove the evidence log."""


@log.command("show", examples=("vault log show", "vault log show --json | jq -r .kind"))
@click.option(
    "--first",
    type=click.IntRange(0, 2**62),
    default=0,
    metavar="N",
    help="The number of the first entry.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one entry a line.")
@pass_given
def show(given: Given, first: int, as_json: bool) -> None:
    """Print the entries of the log.

    No content and no user id stands in them: a person appears under a pseudonym. In a pipe each line is a
    row, its values apart by tabs: index, time, kind, step, subject, actor, reason, facts.
    """
    with given.open() as vault:
        entries = vault.log.entries(first=first)
        if as_json:
            for entry in entries:
                put_json(entry, in_one_line=True)
            return
        if on_terminal():
            for entry in entries:
                _print(entry)
            return
        put_table(
            ("entry", "at", "kind", "step", "subject", "actor", "reason", "facts"),
            (
                (one.index, one.at, one.kind, one.step, one.subject, one.actor, one.reason, _facts(one))
                for one in entries
            ),
        )


def _print(entry: LogEntry) -> None:
    """Print an entry on a terminal, where its facts fit no table."""
    head = (paint(f"#{entry.index}", dim=True), paint(f"{entry.kind} {entry.step}", bold=True))
    click.echo("  ".join((*head, paint(moment(entry.at), dim=True))))
    said = {"subject": entry.subject, "actor": entry.actor, "reason": entry.reason}
    facts = [(name, _value(value)) for name, value in sorted(entry.facts.items())]
    put_facts([*((name, value) for name, value in said.items() if value), *facts])


def _value(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _facts(entry: LogEntry) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in sorted(entry.facts.items()))


@log.command(
    "verify",
    examples=(
        "vault log verify",
        "vault log verify --anchor /mnt/audit --key vault.pub",
        "vault log verify growth.json --key vault.pub",
    ),
)
@click.argument("file", type=click.File("rb"), required=False)
@_anchor
@click.option("--key", metavar="PUB", help="The public key that you know, or a file with it.")
@as_json
@pass_given
def verify(given: Given, file: BinaryIO | None, anchor: Path | None, key: str | None, as_json: bool) -> None:
    """Check every entry of the log, or a proof of it.

    An entry that was edited, added, moved or taken is found. A log that was cut off at its end, or set back
    with the whole keyring, is found by the checkpoints in --anchor, and only by them. With FILE, which log
    prove wrote, no vault and no network is needed: only the public key, in --key.
    """
    from vault.evidence.checking import read_key

    if file is not None:
        _verify_growth(file.read(), key, has_anchor=anchor is not None, as_json=as_json)
        return
    known = None if key is None else str(read_key(key))
    with given.open() as vault:
        found = vault.log.verify(anchor=anchor, key=known)
    if as_json:
        put_json(found)
        return
    put("the log is whole")
    put_facts(
        [
            ("entries", f"{found.entries:,}"),
            ("root", found.root),
            ("key", found.key),
            ("checkpoints", f"{found.checkpoints:,}"),
            ("unfinished", counted(found.unfinished, "act")),
        ]
    )
    if anchor is None:
        say("without --anchor nobody can tell whether entries were cut off at the end")


def _verify_growth(data: bytes, key: str | None, *, has_anchor: bool, as_json: bool) -> None:
    from vault.evidence.checking import read_key
    from vault.evidence.growth import check_growth, read_growth
    from vault.evidence.notes import encode64

    if key is None or has_anchor:
        raise UsageError(
            "a proof is checked with the public key alone", hint="vault log verify FILE --key PUB"
        )
    old, new = check_growth(read_growth(data), read_key(key))
    roots = {"old_root": encode64(old.root), "new_root": encode64(new.root)}
    if as_json:
        put_json({"log": old.origin, "old_entries": old.size, "new_entries": new.size, **roots})
        return
    put("the later log begins as the earlier one: nothing was edited, moved or taken in between")
    put_facts(
        [
            ("log", old.origin),
            ("earlier", f"{counted(old.size, 'entry', 'entries')}, root {roots['old_root']}"),
            ("later", f"{counted(new.size, 'entry', 'entries')}, root {roots['new_root']}"),
        ]
    )


@log.command(
    "prove",
    examples=(
        "vault log prove monday.checkpoint friday.checkpoint > growth.json",
        "vault log prove monday.checkpoint > growth.json",
    ),
)
@click.argument("old", type=click.File("r", encoding="utf-8"))
@click.argument("new", type=click.File("r", encoding="utf-8"), required=False)
@as_json
@pass_given
def prove(given: Given, old: TextIO, new: TextIO | None, as_json: bool) -> None:  # noqa: ARG001 (always JSON)
    """Prove that the log only grew.

    OLD and NEW are checkpoints, as log checkpoint signed them; without NEW it is the present log. What is
    printed holds both and the hashes between them (RFC 6962), no entries and no names: vault log verify
    FILE --key PUB checks it anywhere.
    """
    from vault.evidence.growth import Growth

    before = _read_note(old)
    with given.open() as vault:
        after = vault.log.checkpoint() if new is None else _read_note(new)
        put_json(Growth(old=before, new=after, hashes=vault.log.consistency(before, after).hashes))


def _read_note(file: TextIO) -> str:
    from vault.errors import TamperedError

    try:
        return file.read()
    except UnicodeDecodeError:
        raise TamperedError("this is not a signed note") from None


@log.command(
    "checkpoint",
    examples=("vault log checkpoint", "vault log checkpoint --anchor /mnt/audit"),
)
@_anchor
@as_json
@pass_given
def checkpoint(given: Given, anchor: Path | None, as_json: bool) -> None:
    """Sign the present state of the log.

    The checkpoint is a C2SP signed note. Keep it where whoever runs the databases can't write: it shows
    later that the log was not cut off or set back.
    """
    with given.open() as vault:
        note = vault.log.checkpoint(anchor=anchor)
    if as_json:
        put_json({"checkpoint": note})
    else:
        click.echo(note, nl=False)
