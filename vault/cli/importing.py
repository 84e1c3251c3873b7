"""`import`: messages that another program stored, taken over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.talking import (
    STDOUT,
    Command,
    actor,
    as_json,
    counted,
    dry,
    put,
    put_facts,
    put_json,
    put_table,
    say,
)
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault.transfer.importing import Imported

_KINDS = ("langchain-sql", "langchain-file", "chat-messages", "openai-agents-sqlite", "jsonl", "chatgpt")
_TOLD = 20


@click.command(
    "import",
    cls=Command,
    examples=(
        "vault import chat.db --from chat-messages --dry-run",
        "vault import chat.db --from chat-messages --workers 2",
        "vault import memory.db --from langchain-sql --user u-42",
        "vault import conversations.json --from chatgpt --user u-42 --on-error skip",
        "vault import export.jsonl --from jsonl",
    ),
)
@click.argument("source")
@click.option(
    "--from",
    "kind",
    type=click.Choice(_KINDS),
    metavar="KIND",
    required=True,
    help="What kind of source it is: one of those above.",
)
@click.option("--user", metavar="USER", help="Whose messages: only theirs, or theirs from now on.")
@click.option("--session", metavar="SESSION", help="Which session: only this, or this from now on.")
@click.option("--namespace", metavar="NAME", default="", help="The namespace of sessions that are made.")
@click.option("--table", metavar="NAME", help="The table, where it is not called as usual.")
@click.option(
    "--column", "columns", multiple=True, metavar="WHAT=NAME", help="A column by another name: user_id=owner"
)
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    metavar="HOW",
    default="stop",
    help="At what can't be read, stop or skip; stop where nothing is said.",
)
@click.option("--workers", type=click.IntRange(min=1), default=1, metavar="N", help="Processes that redact.")
@click.option("--cursor", metavar="FILE", help="Remember in a file how far it came, and go on from there.")
@actor
@dry
@as_json
@pass_given
def import_(
    given: Given,
    source: str,
    kind: str,
    user: str | None,
    session: str | None,
    namespace: str,
    table: str | None,
    columns: tuple[str, ...],
    on_error: str,
    workers: int,
    cursor: str | None,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take over messages from another store.

    \b
    KIND is one of
    langchain-sql         the table of LangChain's SQLChatMessageHistory
    langchain-file        a file of LangChain's FileChatMessageHistory
    chat-messages         a table chat_messages: user, session, role, content
    openai-agents-sqlite  the file of an OpenAI Agents SQLiteSession
    jsonl                 a message in each line, as vault export writes it
    chatgpt               conversations.json out of a ChatGPT export

    They are redacted and sealed, and keep their times and order. The source is only read. The same source
    again adds only what is new, so that an import that was interrupted is simply said again; a cursor makes
    that quicker as long as the source only grows, and looks at all of it again where it does not. What
    retention would erase at once is not written.
    """  # noqa: D301 (click reads the character)
    from vault.transfer.importing import Order, import_from

    if source == STDOUT:
        raise UsageError("a source is a file: it may have to be read twice", hint="name the file")
    order = Order(
        actor=actor or login(),
        source=source,
        kind=kind,
        user_id=user,
        session_id=session,
        namespace=namespace,
        table=table,
        columns=dict(map(_column, columns)),
        on_error="skip" if on_error == "skip" else "stop",
        dry_run=dry_run,
        workers=workers,
        cursor=cursor,
    )
    order.check()
    with given.open(None, redacts=True) as vault, _progress() as progress:
        done = import_from(vault._core, order, progress)  # noqa: SLF001 (the command line shows how far it is)
    if as_json:
        put_json(done)
    else:
        _tell(done, is_dry=dry_run)
    if not dry_run:
        say("the source and its backups still hold the plain text: erase them when all is here")


def _column(said: str) -> tuple[str, str]:
    what, mark, name = said.partition("=")
    if not (what and mark and name):
        raise UsageError("--column takes what it holds and its name", hint="--column user_id=owner")
    return what, name


@contextmanager
def _progress() -> Iterator[Callable[[int], None] | None]:
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.completed:,} messages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, color_system=None), transient=True) as shown:
        task = shown.add_task("importing", total=None)
        yield lambda done: shown.update(task, completed=done)


def _tell(done: Imported, *, is_dry: bool) -> None:
    put(f"{'would add' if is_dry else 'added'} {counted(done.added, 'message')}")
    facts = [
        ("here already", done.known),
        ("past their time, not written", done.past),
        ("of others than asked for", done.others),
        ("left out", done.skipped),
    ]
    if shown := [(name, f"{number:,}") for name, number in facts if number]:
        put_facts(shown)
    if done.anew:
        say("the source is not what the cursor has passed, or shorter: all of it was looked at again")
    if done.entities:
        put("would replace" if is_dry else "replaced")
        put_table(("what", "times"), done.entities.items())
    for problem in done.problems[:_TOLD]:
        say(f"left out: {problem.place}: {problem.why}")
    if done.skipped > _TOLD:
        say(f"and {done.skipped - _TOLD:,} more; --json lists the first {len(done.problems):,}")
