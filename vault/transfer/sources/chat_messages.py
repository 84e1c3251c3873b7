"""A table of the app's own, as many begin: user_id, session_id, role, content, timestamp."""

from __future__ import annotations

from typing import Any

from vault.errors import InputError
from vault.messages import Message
from vault.transfer.sources import Arrivals, Given, Incoming, SourceError, Unreadable, values
from vault.transfer.sources.tables import Columns, opened

_PURPOSES = {
    "user_id": ("user",),
    "session_id": ("session", "conversation_id", "thread_id"),
    "timestamp": ("created_at", "time", "sent_at"),
    "metadata": (),
}


def read_chat_messages(given: Given) -> Arrivals:
    """Read the rows in the order in which they were added."""
    table = given.table or "chat_messages"
    with opened(given.source) as database:
        columns = Columns(database.columns(table), given)
        if not str(columns):
            raise SourceError(f"there is no table {table}", hint="--table NAME")
        number = columns.find("id")
        wanted = {"role": columns.need("role"), "content": columns.need("content", "message", "text")}
        for purpose, usual in _PURPOSES.items():
            found = columns.find(purpose, *usual)
            if found:
                wanted[purpose] = found
        for row, cells in database.rows(table, list(wanted.values()), number):
            place = f"row {row} of {table}"
            try:
                yield _entry(place, f"{table} {row}", dict(zip(wanted, cells, strict=True)))
            except InputError as error:
                yield Unreadable(place=place, why=str(error))


def _entry(place: str, name: str, cells: dict[str, Any]) -> Incoming:
    content = cells["content"]
    if content is not None and not isinstance(content, dict | list):
        content = values.text(content, "text")
    metadata = cells.get("metadata")
    message = Message(
        values.role(cells["role"]),
        content,
        values.mapping(metadata) if metadata not in (None, "", b"") else {},
        {},
        values.moment(_decoded(cells.get("timestamp"))),
    )
    return Incoming(
        place=place,
        user_id=values.text(cells["user_id"], "user") if "user_id" in cells else None,
        session_id=values.text(cells["session_id"], "session") if "session_id" in cells else None,
        message=message,
        name=name,
    )


def _decoded(value: object) -> object:
    return values.text(value, "time") if isinstance(value, bytes) else value
