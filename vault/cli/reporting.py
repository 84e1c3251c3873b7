"""`report`: what an auditor asks, on one page."""

from __future__ import annotations

from pathlib import Path

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import STDOUT, Command, as_json, new_file, put, put_json, say


@click.command(
    "report",
    cls=Command,
    examples=("vault report", "vault report --html report.html", "vault report --json | jq .overdue"),
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write one page that needs nothing else; - for stdout.",
)
@click.option(
    "--anchor",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="A directory of checkpoints, outside the vault.",
)
@as_json
@pass_given
def report(given: Given, html: Path | None, anchor: Path | None, as_json: bool) -> None:
    """Tell an auditor what is kept, held, erased and run.

    The log is verified on the way; where it is not whole the report says so, and the exit code is 3. No
    content, no user id and no session id is in it. FILE is new, and only its owner can read it.
    """
    from vault.errors import TamperedError, UsageError

    if as_json and str(html) == STDOUT:
        raise UsageError("a page and JSON don't both go to stdout", hint="--html FILE")
    with new_file(html, encode=lambda page: str(page).encode(), or_stdout=True) as write:
        with given.open(None) as vault:
            found = vault.report(anchor=anchor)
        if html is not None:
            write(found.to_html())
    if as_json:
        put_json(found)
    elif html is None:
        for line in found.to_text().splitlines():
            put(line)
    elif str(html) != STDOUT:
        say(f"the report is in {html}")
    if found.log.failure is not None:
        raise TamperedError(found.log.failure, hint="vault log verify")
