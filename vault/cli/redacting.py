"""`redact`: what redaction makes of a text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Command, as_json, put_json, say
from vault.errors import ConfigError, InputError

if TYPE_CHECKING:
    from vault.redaction.engine import Engine
    from vault.redaction.result import RedactedText

_SHOWN = 40  # characters of a value that a table shows


@click.command(
    "redact",
    cls=Command,
    examples=(
        "echo 'Call Anna on 020 7946 0018' | vault redact",
        "vault redact --explain < letter.txt",
        "vault redact --json < letter.txt | jq -r '.findings[].entity' | sort | uniq -c",
    ),
)
@click.option("--explain", is_flag=True, help="Say on stderr what was found, where, and by whom.")
@click.option(
    "--namespace", metavar="NAME", default="", help="Redact as a message of this namespace would be."
)
@as_json
@pass_given
def redact(given: Given, explain: bool, namespace: str, as_json: bool) -> None:
    """Redact the text on stdin; the result goes to stdout.

    Nothing is stored and no network is used. Where a vault is named, its settings hold; a vault need not be
    there. --json shows the findings with their values' places, --explain the values themselves.
    """
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        text = None
    if text is None:  # raised out here, as an error of decoding carries what was read (P1)
        raise InputError("the text on stdin is not UTF-8")
    found = _engine(given).redact_text(text, namespace)
    if as_json:
        put_json(
            {
                "text": found.text,
                "findings": [
                    {
                        "entity": one.entity,
                        "start": one.start,
                        "end": one.end,
                        "score": round(one.score, 3),
                        "by": one.by,
                    }
                    for one in found.findings
                ],
            }
        )
    else:
        click.echo(found.text, nl=False)
    if explain:
        _explain(text, found)


def _engine(given: Given) -> Engine:
    from vault.redaction.engine import Engine
    from vault.redaction.settings import Redaction

    try:
        where = given.where
    except ConfigError:
        where = None
    settings = given.settings().redaction if where is not None else {}
    return Engine(Redaction.of(settings, where="redaction of vault.toml"))


def _explain(text: str, found: RedactedText) -> None:
    if not found.findings:
        say("nothing was found")
        return
    for one in found.findings:
        value = text[one.start : one.end].replace("\n", " ")
        shown = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "\u2026"
        say(f"{one.start}-{one.end}  {one.entity}  {one.score:.2f}  {one.by}  {shown!r}")
