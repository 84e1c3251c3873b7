"""The statements that move rows from one session to another of the same user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, update

from vault.storage.schema import messages, records

_move_message = (
    update(messages)
    .where(messages.c.session_id == bindparam("from"), messages.c.seq == bindparam("at"))
    .values(
        session_id=bindparam("to"),
        chapter_id=bindparam("chapter"),
        body=bindparam("sealed"),
        originals=None,
        originals_chapter_id=None,
    )
)
_move_record = (
    update(records)
    .where(records.c.id == bindparam("at"))
    .values(session_id=bindparam("to"), chapter_id=bindparam("chapter"), body=bindparam("sealed"))
)


def move_messages(connection: Connection, moved: Sequence[Mapping[str, object]]) -> None:
    """Move messages, sealed anew and without their originals. Their seqs stay."""
    if moved:
        connection.execute(_move_message, list(moved))


def move_records(connection: Connection, moved: Sequence[Mapping[str, object]]) -> None:
    """Move records, sealed anew."""
    if moved:
        connection.execute(_move_record, list(moved))
