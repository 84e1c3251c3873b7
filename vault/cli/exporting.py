"""`export`: transcripts for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.talking import STDOUT, Command, actor, counted, harmless, on_terminal, policy_files, say
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault.client import Vault
    from vault.transfer.exporting import Exported, Wish
    from vault.transfer.output import Stream


@click.command(
    "export",
    cls=Command,
    examples=(
        "vault export --user u-42 | jq -r .content",
        "vault export --user u-42 --session s-1 --format md --output s-1.md",
        "vault export --all --output everything.jsonl",
        "vault export --user u-42 --subject-access --output u-42.zip",
    ),
)
@click.option("--user", metavar="USER", help="All sessions of this user.")
@click.option("--session", metavar="SESSION", help="Only this one of theirs.")
@click.option("--all", "everything", is_flag=True, help="All users.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "json", "md", "html"]),
    metavar="FORMAT",
    help="One of jsonl, json, md, html; jsonl where nothing is said.",
)
@click.option(
    "--output", metavar="FILE", help="A new file that only its owner can read; - for stdout, a terminal too."
)
@click.option("--resume", is_flag=True, help="Go on with an export to this file that was interrupted.")
@click.option("--reveal", is_flag=True, help="Put back what redaction replaced, where that is kept.")
@click.option("--purpose", metavar="TEXT", default="", help="With --reveal: what for; it stands in the log.")
@actor
@click.option("--subject-access", is_flag=True, help="One ZIP for the person: a page, the data, a manifest.")
@policy_files(help="With --subject-access: a policy in force, to put into the ZIP.")
@click.option(
    "--to", "recipients", multiple=True, metavar="AGE", help="Encrypt it to an age recipient: age1…"
)
@pass_given
def export(
    given: Given,
    user: str | None,
    session: str | None,
    everything: bool,
    form: str | None,
    output: str | None,
    resume: bool,
    reveal: bool,
    purpose: str,
    actor: str | None,
    subject_access: bool,
    policies: tuple[Path, ...],
    recipients: tuple[str, ...],
) -> None:
    """Write transcripts to a file or a pipe.

    A file appears whole or not at all. What does not open ends the export with the code 3 and says where it
    stands: the numbers of user and session are those of the order of vault sessions.
    """
    from vault.transfer.exporting import Wish

    if everything == (user is not None):
        raise UsageError("what is to be exported?", hint="--user USER, with or without --session; or --all")
    if subject_access and (user is None or session is not None or form is not None):
        raise UsageError("--subject-access takes a --user, and gives all there is of them")
    if policies and not subject_access:
        raise UsageError("--policy goes with --subject-access")
    if resume and (subject_access or recipients):
        raise UsageError("a ZIP and what is encrypted can't be gone on with; export anew")
    wish = Wish(
        user_id=user,
        session_id=session,
        format=form or "jsonl",
        reveal=reveal,
        purpose=purpose,
        actor=actor or login(),
        resume=resume,
    )
    wish.check()
    to = _place(output, is_binary=subject_access or bool(recipients))
    with given.open() as vault, _progress(vault, wish, to) as progress:
        done = _write(vault, wish, to, progress, policies, recipients, subject_access=subject_access)
    _tell(done)


def _write(
    vault: Vault,
    wish: Wish,
    to: Path | Stream,
    progress: Callable[[int], None] | None,
    policies: tuple[Path, ...],
    recipients: tuple[str, ...],
    *,
    subject_access: bool,
) -> Exported:
    from vault.transfer.encrypting import encrypted
    from vault.transfer.exporting import export as write
    from vault.transfer.subject import Subject
    from vault.transfer.subject import subject_access as write_zip

    core = vault._core  # noqa: SLF001 (the command line shows how far it is)
    if subject_access:
        return write_zip(core, Subject(wish=wish, policies=policies, recipients=recipients), to, progress)
    if recipients:
        return encrypted(core, wish, recipients, to, progress)
    return write(core, wish, to, progress)


def _place(output: str | None, *, is_binary: bool) -> Path | Stream:
    from vault.transfer.output import Stream

    if output is not None and output != STDOUT:
        return Path(output)
    if on_terminal():
        if output is None or is_binary:
            raise UsageError(
                "this would come to the terminal",
                hint="--output FILE" + ("" if is_binary else "; --output - shows it here all the same"),
            )
        return Stream(sys.stdout.buffer, lambda piece: harmless(piece.decode()).encode())
    stdout: BinaryIO = sys.stdout.buffer
    return Stream(stdout)


@contextmanager
def _progress(vault: Vault, wish: Wish, to: Path | Stream) -> Iterator[Callable[[int], None] | None]:
    """Show a bar where a person looks on, and nothing else comes to that terminal."""
    if not sys.stderr.isatty() or not isinstance(to, Path):
        yield None
        return
    if wish.user_id is None:
        total = vault._core.count_messages()  # noqa: SLF001 (a bar's length)
    else:
        total = sum(
            one.messages for one in vault.sessions(wish.user_id) if wish.session_id in {None, one.session_id}
        )
    with bar("exporting", total) as advance:
        yield advance


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show on stderr how far something has come."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, color_system=None), transient=True) as shown:
        task = shown.add_task(title, total=total)
        yield lambda done: shown.update(task, completed=done)


def _tell(done: Exported) -> None:
    what = f"{counted(done.sessions, 'session')}, {counted(done.messages, 'message')}"
    say(f"exported {what}" + (f" of {counted(done.users, 'user')}" if done.users != 1 else ""))
    if done.purged:
        say(f"{counted(done.purged, 'message')} left out: purged by retention")
    if done.left:
        say(f"{done.left} left out: forgotten or begun anew meanwhile")
