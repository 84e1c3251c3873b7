"""Where messages come from. One small file for each kind; each reads its source and changes nothing in it.

A source gives entries in the order in which they were said. What it can't read is an entry too, which says
where that stands and why, and never what it says (P1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import msgspec

from vault.errors import UsageError
from vault.messages import Message


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its place in the source; without a message, a session that has none.

    `name` stays the same when the source is read again, and is another for each message of a session. A
    source without such names leaves it empty. `seq` is the message's own, where the source is an export.
    """

    place: str
    user_id: str | None = None
    session_id: str | None = None
    namespace: str = ""
    message: Message | None = None
    name: str = ""
    seq: int | None = None


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at a place can't be read."""

    place: str
    why: str


Arrivals = Iterator[Incoming | Unreadable]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is read by. `columns` say where a table keeps what usually has another name."""

    source: str
    table: str | None = None
    columns: Mapping[str, str] = {}


class SourceError(UsageError):
    """The source as a whole can't be read."""


SOURCES = {
    "langchain-sql": "vault.transfer.sources.langchain",
    "langchain-file": "vault.transfer.sources.langchain",
    "chat-messages": "vault.transfer.sources.chat_messages",
    "openai-agents-sqlite": "vault.transfer.sources.openai_agents",
    "jsonl": "vault.transfer.sources.jsonl",
    "chatgpt": "vault.transfer.sources.chatgpt",
}


def read(kind: str, given: Given) -> Arrivals:
    """Read a source of some kind."""
    if kind not in SOURCES:
        raise UsageError("this is no kind of source", hint=f"one of {', '.join(SOURCES)}")
    module = import_module(SOURCES[kind])
    reading: Callable[[Given], Arrivals] = getattr(module, f"read_{kind.replace('-', '_')}")
    return reading(given)


def open_file(path: Path) -> BinaryIO:
    """Open a source's file, and look for no other."""
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last of a NUL character
        raise SourceError(f"there is no file {path}", hint="name the source's file") from None
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}", hint="name the source's file") from None
