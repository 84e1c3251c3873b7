"""`doctor`: look at everything that a vault stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Colour, Command, as_json, counted, harmless, paint, put_beside, put_json, say

if TYPE_CHECKING:
    from vault.cli.findings import Finding

_COLOURS: dict[str, Colour] = {"warning": "magenta", "FAILED": "red"}


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

    Each line says ok, warning or FAILED; then why it matters, and the command that mends it. What stands in
    capitals there only you know: /ELSEWHERE and /MIRROR are other disks, /COPY holds a copy of the root,
    /BACKUP is what vault backup made. Nothing is changed by looking. It goes on after a failure, and ends
    with the exit code of the worst one; warnings alone give 0.
    """
    from vault.cli.checks import examine
    from vault.cli.findings import worst

    findings = []
    for finding in examine(given):
        findings.append(finding)
        if not as_json:
            _tell(finding)
    code = worst(findings)
    if as_json:
        put_json({"checks": findings, "exit_code": code})
    else:
        _sum_up([one.state for one in findings])
    context.exit(code)


def _tell(finding: Finding) -> None:
    colour = _COLOURS.get(finding.state)
    state = paint(finding.state.ljust(7), fg=colour, bold=colour is not None)
    put_beside(f"{state}  {finding.check:11}  ", 22, finding.says)
    if finding.why:
        put_beside(f"{'':9}why: ", 14, finding.why)
    if finding.do:
        click.echo(harmless(f"{'':9}do:  {finding.do}"))  # in one line, so that it can be copied


def _sum_up(states: list[str]) -> None:
    failures, warnings = states.count("FAILED"), states.count("warning")
    if failures:
        say(f"{counted(failures, 'failure')}, {counted(warnings, 'warning')}: mend the first, then ask again")
    elif warnings:
        say(f"it works; {counted(warnings, 'warning')}")
    else:
        say("all is well")
