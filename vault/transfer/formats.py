"""How an export is written: JSON lines, JSON, Markdown. Each gives pieces, and keeps nothing between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Protocol

import msgspec

from vault.listing import SessionSummary
from vault.messages import Message
from vault.transfer.lines import message_line, plain, session_line
from vault.transfer.output import Position

_TICKS = re.compile("`+")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session before its messages."""

    user_id: str
    session_id: str
    namespace: str
    messages: int
    first_at: datetime | None = None
    last_at: datetime | None = None

    @classmethod
    def of(cls, user_id: str, one: SessionSummary) -> Head:
        """Take it from a listing."""
        return cls(
            user_id=user_id,
            session_id=one.session_id,
            namespace=one.namespace,
            messages=one.messages,
            first_at=one.first_at,
            last_at=one.last_at,
        )


class Format(Protocol):
    """One way to write an export. `at` is the position before the piece."""

    suffix: str

    def begin(self, exported_at: datetime) -> str | bytes:
        """Give what stands before everything."""

    def session(self, head: Head, at: Position) -> str | bytes:
        """Give what stands before the messages of a session."""

    def message(self, head: Head, message: Message, at: Position, *, said: bool) -> str | bytes:
        """Give a message; `said`: with its originals."""

    def session_end(self, head: Head, at: Position) -> str | bytes:
        """Give what stands after the messages of a session."""

    def end(self, at: Position) -> str | bytes:
        """Give what stands after everything."""


class JsonLines:
    """A line for each message; one for a session without messages."""

    suffix = "jsonl"

    def begin(self, exported_at: datetime) -> str | bytes:
        """Nothing stands before the lines."""
        del exported_at
        return b""

    def session(self, head: Head, at: Position) -> str | bytes:
        """Nothing: each line names its session."""
        del head, at
        return b""

    def message(self, head: Head, message: Message, at: Position, *, said: bool) -> str | bytes:
        """Give a line."""
        del at
        return message_line(head.user_id, head.session_id, head.namespace, message, said=said) + b"\n"

    def session_end(self, head: Head, at: Position) -> str | bytes:
        """Give a line for a session that had none."""
        return b"" if at.here else session_line(head.user_id, head.session_id, head.namespace) + b"\n"

    def end(self, at: Position) -> str | bytes:
        """Nothing stands after the lines."""
        del at
        return b""


class Json:
    """One document: sessions, each with its messages."""

    suffix = "json"

    def begin(self, exported_at: datetime) -> str | bytes:
        """Open the document."""
        return f'{{"exported_at":{_json(exported_at)},"sessions":['

    def session(self, head: Head, at: Position) -> str | bytes:
        """Open a session."""
        said = {"user_id": head.user_id, "session_id": head.session_id, "namespace": head.namespace}
        return f'{"," if at.sessions else ""}\n{_json(said)[:-1]},"messages":['

    def message(self, head: Head, message: Message, at: Position, *, said: bool) -> str | bytes:
        """Give a message."""
        del head
        whole: dict[str, object] = {
            "seq": message.seq,
            "role": message.role,
            "content": plain(message.content),
            "created_at": message.created_at,
        }
        whole |= {"metadata": plain(message.metadata)} if message.metadata else {}
        whole |= {"extra": plain(message.extra)} if message.extra else {}
        whole |= {"originals": True} if said else {}
        return f"{',' if at.here else ''}\n{_json(whole)}"

    def session_end(self, head: Head, at: Position) -> str | bytes:
        """Close a session."""
        del head
        return f'],"purged":{at.purged_here}}}'

    def end(self, at: Position) -> str | bytes:
        """Close the document."""
        return f'\n],"messages":{at.messages},"purged":{at.purged}}}\n'


class Markdown:
    """For people who read text. What was said stands in fences that nothing in it can close."""

    suffix = "md"

    def begin(self, exported_at: datetime) -> str | bytes:
        """Give the title."""
        return f"# Transcripts\n\nExported {moment(exported_at)}\n"

    def session(self, head: Head, at: Position) -> str | bytes:
        """Give the head of a session."""
        del at
        where = f", namespace {span(head.namespace)}" if head.namespace else ""
        return f"\n## {span(head.session_id)}\n\nUser {span(head.user_id)}{where}\n"

    def message(self, head: Head, message: Message, at: Position, *, said: bool) -> str | bytes:
        """Give a message in a fence."""
        del head, at
        kept = ", as it was said" if said else ""
        title = f"\n### {message.seq} · {message.role}\n\n{moment(message.created_at)}{kept}\n"
        return title + "".join(f"\n{_label(name)}{fenced(text)}" for name, text in texts(message))

    def session_end(self, head: Head, at: Position) -> str | bytes:
        """Say what is missing."""
        del head
        if at.purged_here:
            return f"\n{at.purged_here} messages are left out: purged by retention.\n"
        return "" if at.here else "\nNo messages.\n"

    def end(self, at: Position) -> str | bytes:
        """Count."""
        return f"\n---\n\n{at.sessions} sessions, {at.messages} messages.\n"


def texts(message: Message) -> list[tuple[str, str]]:
    """Give what there is to read in a message, each with its name; the content has none."""
    found: list[tuple[str, str]] = []
    if isinstance(message.content, str):
        found.append(("", message.content))
    elif isinstance(message.content, list):
        found += [("", _readable(list(parts))) for _, parts in groupby(message.content, key=_is_prose)]
    elif message.content is not None:
        found.append(("", _readable([message.content])))
    found += [(name, _pretty(value)) for name, value in message.extra.items()]
    if message.metadata:
        found.append(("metadata", _pretty(message.metadata)))
    return found


def _is_prose(part: object) -> bool:
    return isinstance(part, str) or (isinstance(part, dict) and isinstance(part.get("text"), str))


def _readable(parts: Sequence[Any]) -> str:
    if all(_is_prose(part) for part in parts):
        return "\n\n".join(part if isinstance(part, str) else part["text"] for part in parts)
    return _pretty(parts[0] if len(parts) == 1 else list(parts))


def _pretty(value: Any) -> str:  # noqa: ANN401 (content is any value)
    return (
        value
        if isinstance(value, str)
        else msgspec.json.format(msgspec.json.encode(plain(value)), indent=2).decode()
    )


def fenced(text: str) -> str:
    """Put a text into a fence that is longer than any in it."""
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}text\n{text}\n{fence}\n"


def span(text: str) -> str:
    """Put a name into a code span that nothing in it can close."""
    ticks = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{ticks} {text} {ticks}"


def _label(name: str) -> str:
    # A name is the app's own, and may hold anything; in a heading of its own it could break out.
    return f"{span(' '.join(name.split()))}\n\n" if name else ""


def moment(at: datetime | None) -> str:
    """Show a time: UTC, to the second."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
