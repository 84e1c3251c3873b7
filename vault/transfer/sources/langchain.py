"""LangChain's histories: SQLChatMessageHistory's table, and FileChatMessageHistory's JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vault.errors import InputError
from vault.messages import Message
from vault.transfer.sources import Arrivals, Given, Incoming, SourceError, Unreadable, values
from vault.transfer.sources.arrays import elements
from vault.transfer.sources.tables import Columns, opened

_KNOWN = frozenset({"content", "type", "role"})
_ABOUT = ("response_metadata", "usage_metadata")  # what was told of the call, not said in it


def read_langchain_sql(given: Given) -> Arrivals:
    """Read the table that SQLChatMessageHistory writes: id, session_id, message."""
    table = given.table or "message_store"
    with opened(given.source) as database:
        columns = Columns(database.columns(table), given)
        if not str(columns):
            raise SourceError(f"there is no table {table}", hint="--table NAME")
        session, said = columns.need("session_id"), columns.need("message")
        user, number = columns.find("user_id"), columns.find("id")
        at = columns.find("created_at", "timestamp")
        wanted = [session, said, *(name for name in (user, at) if name)]
        for row, (session_id, text, *rest) in database.rows(table, wanted, number):
            place = f"row {row} of {table}"
            try:
                owner = values.text(rest.pop(0), "user") if user else None
                message = message_of(values.mapping(text), rest[0] if at else None)
                yield Incoming(
                    place=place,
                    user_id=owner,
                    session_id=values.text(session_id, "session"),
                    message=message,
                    name=f"{table} {row}",
                )
            except InputError as error:
                yield Unreadable(place=place, why=str(error))


def read_langchain_file(given: Given) -> Arrivals:
    """Read the JSON that FileChatMessageHistory writes: one session."""
    name = Path(given.source).stem
    for number, found in enumerate(elements(Path(given.source)), 1):
        if isinstance(found, Unreadable):
            yield found
            continue
        place = f"message {number}"
        try:
            yield Incoming(place=place, session_id=name, message=message_of(values.mapping(found)))
        except InputError as error:
            yield Unreadable(place=place, why=str(error))


def message_of(said: dict[str, Any], at: object = None) -> Message:
    """Turn a message as LangChain writes it down into one of the vault's."""
    data = said.get("data", said)
    kind = said.get("type", data.get("type") if isinstance(data, dict) else None)
    if not isinstance(data, dict) or not isinstance(kind, str) or "content" not in data:
        raise InputError("it is no message of LangChain's")
    kind = kind.removesuffix("MessageChunk").lower()
    role = values.role(data.get("role") if kind == "chat" else kind)
    metadata = {name: data[name] for name in _ABOUT if data.get(name)}
    extra = {
        name: value
        for name, value in data.items()
        if name not in _KNOWN and name not in _ABOUT and value not in (None, False, "", [], {})
    }
    for name in ("metadata", "created_at"):
        if name in extra:
            metadata[name] = extra.pop(name)
    return Message(role, data["content"], metadata, extra, values.moment(at))
