"""`sessions` and `show`: what is in the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.talking import (
    Command,
    as_json,
    counted,
    harmless,
    moment,
    on_terminal,
    paint,
    put_json,
    put_table,
    say,
)
from vault.errors import UserForgottenError

if TYPE_CHECKING:
    from vault.client import Vault
    from vault.messages import Message


@click.command(
    "sessions",
    cls=Command,
    examples=(
        "vault sessions",
        "vault sessions u-42",
        "vault sessions --json | jq -r '.[] | select(.messages == 0).user_id'",
    ),
)
@click.argument("user", required=False)
@as_json
@pass_given
def sessions(given: Given, user: str | None, as_json: bool) -> None:
    """List the users, or the sessions of one.

    In a pipe each line is a row, its values apart by tabs: user, sessions, messages; or session, messages,
    first and last message, namespace.
    """
    with given.open() as vault:
        if user is None:
            _list_users(vault, as_json=as_json)
        else:
            _list_sessions(vault, user, as_json=as_json)


def _list_users(vault: Vault, *, as_json: bool) -> None:
    rows = []
    for user_id in vault.users():
        try:
            found = vault.sessions(user_id)
        except UserForgottenError:
            continue  # forgotten since the list was begun
        rows.append((user_id, len(found), sum(one.messages for one in found)))
    if as_json:
        names = ("user_id", "sessions", "messages")
        put_json([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        put_table(("user", "sessions", "messages"), rows)
    else:
        say("the vault is empty")


def _list_sessions(vault: Vault, user: str, *, as_json: bool) -> None:
    found = vault.sessions(user)
    if as_json:
        put_json(found)
    elif found:
        put_table(
            ("session", "messages", "first", "last", "namespace"),
            [(one.session_id, one.messages, one.first_at, one.last_at, one.namespace) for one in found],
        )
    else:
        say("this user has no sessions here")


@click.command(
    "show",
    cls=Command,
    examples=(
        "vault show u-42 s-1",
        "vault show u-42 s-1 --last 20",
        "vault show u-42 s-1 --json | jq -r .content",
    ),
)
@click.argument("user")
@click.argument("session")
@click.option("--last", type=click.IntRange(min=0), metavar="N", help="Only the last N messages.")
@click.option("--before", type=click.IntRange(min=0), metavar="SEQ", help="Only messages before this one.")
@click.option("--reveal", is_flag=True, help="Put back what redaction replaced, where that is kept.")
@click.option("--purpose", default="", metavar="TEXT", help="With --reveal: what for; it stands in the log.")
@click.option("--actor", metavar="NAME", help="With --reveal: who reads; by default your login name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one message a line; bytes as base64.")
@pass_given
def show(
    given: Given,
    user: str,
    session: str,
    last: int | None,
    before: int | None,
    reveal: bool,
    purpose: str,
    actor: str | None,
    as_json: bool,
) -> None:
    r"""Print the messages of a session.

    --reveal needs --purpose. Who revealed what for stands in the log before anything is printed.

    Characters that could drive a terminal or reorder what it shows are printed as their codes, such as \x1b.
    --json keeps every value as it is.
    """
    with given.open() as vault:
        messages = vault.transcript(user, session).messages(
            last=last, before=before, reveal=reveal, purpose=purpose, actor=actor or login()
        )
    for message in messages:
        if as_json:
            put_json(message, in_one_line=True)
        else:
            _print(message)
    if messages.purged:
        say(f"{counted(messages.purged, 'message')} left out: purged by retention")
    elif not messages and not as_json:
        say("this session has no messages here")


def _print(message: Message) -> None:
    when = moment(message.created_at) if message.created_at else ""
    head = (
        paint(f"#{message.seq}", dim=True),
        paint(message.role, fg=None if message.role == "user" else "magenta", bold=True),
        paint(when, dim=True),
    )
    click.echo("  ".join(head))
    for text in _texts(message):
        _print_indented(harmless(text.replace("\r\n", "\n")))


def _texts(message: Message) -> list[str]:
    texts = []
    if isinstance(message.content, str):
        texts.append(message.content)
    elif message.content is not None:
        texts.append(_as_json(message.content))
    texts += [f"{name}: {_as_json(value)}" for name, value in message.extra.items()]
    if message.metadata:
        texts.append(f"metadata: {_as_json(message.metadata)}")
    return texts


def _as_json(value: Any) -> str:  # noqa: ANN401 (content is any JSON)
    import json

    import msgspec

    return json.dumps(json.loads(msgspec.json.encode(value)), indent=2, ensure_ascii=False)


def _print_indented(text: str) -> None:
    """Print a text so that none of its lines can pass for the head of another message."""
    if not on_terminal():
        click.echo("".join(f"    {line}\n" for line in text.split("\n")), nl=False)
        return
    import shutil

    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    width = max(20, shutil.get_terminal_size().columns)
    Console(highlight=False, width=width).print(Padding(Text(text), (0, 0, 0, 4)))
