"""`doctor`: look at everything that a vault stands on."""

from __future__ import annotations

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Command, as_json, paint, put_beside, put_json

_COLOURS = {"ok": "green", "warning": "yellow", "FAILED": "red"}


@click.command(
    "doctor",
    cls=Command,
    examples=("vault doctor", "vault doctor --json | jq '.checks[] | select(.state != \"ok\")'"),
)
@as_json
@click.pass_context
@pass_given
def doctor(given: Given, context: click.Context, as_json: bool) -> None:
    """Look at all that the vault stands on.

    Each line says ok, warning or FAILED, and what to do. Nothing is changed by looking. It goes on after a
    failure, and ends with the exit code of the worst one; warnings alone give 0.
    """
    from vault.cli.checks import examine, worst

    findings = []
    for finding in examine(given):
        findings.append(finding)
        if not as_json:
            state = paint(finding.state.ljust(7), fg=_COLOURS[finding.state], bold=True)
            put_beside(f"{state}  {finding.check:11}  ", 22, finding.says)
            if finding.do:
                put_beside(f"{'':22}do: ", 26, finding.do)
    code = worst(findings)
    if as_json:
        put_json({"checks": findings, "exit_code": code})
    context.exit(code)
