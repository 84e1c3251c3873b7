"""SQLiteSession of the OpenAI Agents SDK: agent_messages, one item of the Responses API in each row."""

from __future__ import annotations

from typing import Any

from vault.errors import InputError
from vault.messages import Message
from vault.transfer.sources import Arrivals, Given, Incoming, SourceError, Unreadable, values
from vault.transfer.sources.tables import Columns, opened

_OUTPUT = "_output"  # how the types of what tools gave back end


def read_openai_agents_sqlite(given: Given) -> Arrivals:
    """Read the items in the order in which they were added."""
    table = given.table or "agent_messages"
    with opened(given.source) as database:
        columns = Columns(database.columns(table), given)
        if not str(columns):
            raise SourceError(f"there is no table {table}", hint="--table NAME")
        number, session = columns.find("id"), columns.need("session_id")
        data, at = columns.need("message_data"), columns.find("created_at")
        for row, (session_id, item, *when) in database.rows(
            table, [session, data, *([at] if at else [])], number
        ):
            place = f"row {row} of {table}"
            try:
                created = when[0] if when else None
                created = values.text(created, "time") if isinstance(created, bytes) else created
                yield Incoming(
                    place=place,
                    session_id=values.text(session_id, "session"),
                    message=message_of(values.mapping(item), created),
                    name=f"{table} {row}",
                )
            except InputError as error:
                yield Unreadable(place=place, why=str(error))


def message_of(item: dict[str, Any], at: object = None) -> Message:
    """Turn an item into a message: what it has beside role and content stays with it."""
    extra = dict(item)
    kind = extra.get("type")
    content = extra.pop("content", None)
    metadata = extra.pop("metadata", None)
    extra.pop("created_at", None)
    if "role" in extra:
        role = values.role(extra.pop("role"))
    elif isinstance(kind, str) and kind.endswith(_OUTPUT):
        role, content = "tool", extra.pop("output", content)
    elif isinstance(kind, str):
        role = "assistant"
    else:
        raise InputError("it is no item of the Responses API")
    kept = metadata if isinstance(metadata, dict) else {}
    return Message(role, content, kept, extra, values.moment(at))
