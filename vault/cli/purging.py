"""`purge`: run the retention policies once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import (
    Command,
    as_json,
    counted,
    dry,
    on_terminal,
    policy_files,
    put,
    put_json,
    put_table,
    say,
)

if TYPE_CHECKING:
    from vault.retention.report import ClassReport, KeptBack, RunResult


@click.command(
    "purge",
    cls=Command,
    examples=(
        "vault purge --dry-run",
        "vault purge",
        "vault purge --policy policies/gdpr.yaml --dry-run --json",
    ),
)
@dry
@click.option("--user", metavar="USER", help="Only what is of one user, and what shares an epoch with it.")
@policy_files(help="Go by this policy instead of the vault's own; may be given again.")
@click.option("--yes", is_flag=True, help="Go on where a guard refuses: somebody has looked.")
@as_json
@pass_given
def purge(
    given: Given,
    /,
    dry_run: bool,
    user: str | None,
    policies: tuple[Path, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Erase what is past its date by the retention policies.

    Messages go, and then the keys of their epochs, with one change of the root: no copy opens them once the
    horizon has passed. What a hold or a floor keeps stays readable. Where more would go than
    limits.max_fraction allows, or the clock can't be right, nothing happens and the exit code is 5.
    """
    with given.open(policies or None) as vault, _progress(shown=not dry_run) as progress:
        result = vault._core.runs().run(  # noqa: SLF001 (the face shows no progress)
            dry_run=dry_run, user_id=user, yes=yes, progress=progress
        )
    if as_json:
        put_json(result)
    else:
        _tell(result)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how many sessions are done."""
    if not shown or not on_terminal():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True, color_system=None), transient=True) as bar:
        task = bar.add_task("sessions", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _tell(result: RunResult) -> None:
    if result.opens_bodies:
        say("a rule asks for metadata: bodies were opened to decide, which takes longer")
    for excess in result.excesses:
        share = f"more than the {excess.limit:.0%} that it allows"
        say(
            f"{excess.policy} would erase {excess.goes:,} of {excess.of:,} messages and records,"
            f" {share}: it needs --yes"
        )
    put_table(
        ("class", "messages", "records", "sessions", "users", "bytes", "oldest", "held", "floored"),
        [_row(one) for one in result.classes],
    )
    verb = "would erase" if result.dry_run else "erased"
    said = f"{verb} {counted(result.messages, 'message')} of {counted(result.users, 'user')}"
    if result.records:
        said += f", and {counted(result.records, 'record')} beside messages"
    if result.originals:
        said += f", and the originals of {counted(result.originals, 'message')}"
    put(f"{said}; {counted(result.epochs, 'epoch')}{_rest(result)}")


def _rest(result: RunResult) -> str:
    parts = [
        (result.chapters, "chapter with a key of its own", "chapters with keys of their own"),
        (result.kept, "chapter kept", "chapters kept"),
        (result.resealed, "body sealed anew", "bodies sealed anew"),
    ]
    said = "".join(f", {number:,} {one if number == 1 else many}" for number, one, many in parts if number)
    return f"{said}; certificate {result.certificate}" if result.certificate else said


def _row(one: ClassReport) -> tuple[object, ...]:
    name = one.name
    goes = one.goes
    return (
        name,
        goes.messages,
        goes.records,
        goes.sessions,
        goes.users,
        goes.bytes,
        goes.oldest,
        _kept(one.held),
        _kept(one.floored),
    )


def _kept(kept: KeptBack) -> str:
    number = kept.all.messages + kept.all.records
    if not number:
        return ""
    return f"{number:,}: {', '.join(kept.by)}"
