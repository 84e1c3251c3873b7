"""`log`: what was done to keys and originals, whether that record is whole, and checkpoints of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Group, as_json, counted, put, put_facts, put_json, put_table, say

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
    """Show, verify and sign the evidence log."""


@log.command("show", examples=("vault log show", "vault log show --json | jq -r .kind"))
@click.option(
    "--from", "first", type=click.IntRange(min=0), default=0, metavar="N", help="From this entry on."
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
        put_table(
            ("entry", "at", "kind", "step", "subject", "actor", "reason", "facts"),
            (
                (one.index, one.at, one.kind, one.step, one.subject, one.actor, one.reason, _facts(one))
                for one in entries
            ),
        )


def _facts(entry: LogEntry) -> str:
    return ", ".join(
        f"{name}={' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in sorted(entry.facts.items())
    )


@log.command(
    "verify",
    examples=(
        "vault log verify",
        "vault log verify --anchor /mnt/audit --key vault.pub",
        "vault log verify --json",
    ),
)
@_anchor
@click.option("--key", metavar="PUB", help="The public key that you know, or a file with it.")
@as_json
@pass_given
def verify(given: Given, anchor: Path | None, key: str | None, as_json: bool) -> None:
    """Check every entry of the log.

    An entry that was edited, added, moved or taken is found. A log that was cut off at its end, or set back
    with the whole keyring, is found by the checkpoints in --anchor, and only by them.
    """
    from vault.evidence.checking import read_key

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


@log.command(
    "checkpoint",
    examples=("vault log checkpoint", "vault log checkpoint --anchor /mnt/audit"),
)
@_anchor
@pass_given
def checkpoint(given: Given, anchor: Path | None) -> None:
    """Sign the present state of the log.

    The checkpoint is a C2SP signed note. Keep it where whoever runs the databases can't write: it shows
    later that the log was not cut off or set back.
    """
    with given.open() as vault:
        click.echo(vault.log.checkpoint(anchor=anchor), nl=False)
