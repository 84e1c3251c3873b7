"""The statements of holds, and of the requests that wait for holds to end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from vault.roots import Noted
from vault.storage.engine import chunks
from vault.storage.prepared import Prepared
from vault.storage.schema import chapters, epochs, holds, messages, records, sessions, users


def add(connection: Connection, row: Noted) -> None:
    """Add a hold, or a request."""
    connection.execute(insert(holds).values(**asdict(row)))


def change(connection: Connection, row: Noted) -> bool:
    """Store how a hold stands now; False where it is not here."""
    values = asdict(row)
    known = select(holds.c.id).where(holds.c.id == row.id)
    if connection.execute(known).one_or_none() is None:
        return False
    connection.execute(update(holds).where(holds.c.id == values.pop("id")).values(**values))
    return True


_rows = select(holds).order_by(holds.c.id)
_unsettled = Prepared(_rows.where(holds.c.settled_at.is_(None)))


def unsettled(connection: Connection) -> list[Noted]:
    """Give the holds for which something is still to be done: those in force, and those that just ended."""
    return [Noted(**row._asdict()) for row in _unsettled.rows(connection)]  # a namedtuple's public name


def unsettled_of(connection: Connection, user_node: bytes) -> list[Noted]:
    """Give those of one user."""
    return _noted(connection, _rows.where(holds.c.settled_at.is_(None), holds.c.user_node == user_node))


def unsettled_at(connection: Connection, slot: bytes) -> list[Noted]:
    """Give those of whoever has, or had, a slot."""
    return _noted(connection, _rows.where(holds.c.settled_at.is_(None), holds.c.slot == slot))


def every(connection: Connection) -> list[Noted]:
    """Give all there ever were."""
    return _noted(connection, _rows)


def find(connection: Connection, ids: Collection[bytes]) -> list[Noted]:
    """Give those of some that are here."""
    return [row for part in chunks(ids) for row in _noted(connection, _rows.where(holds.c.id.in_(part)))]


def _noted(connection: Connection, query: Select[Any]) -> list[Noted]:
    return [Noted(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 (its public name)


# -- in the transcripts ----------------------------------------------------------------------------------


def wait_for_removals(connection: Connection, user_node: bytes) -> None:
    """Wait until nobody is removing from a user's sessions: a removal locks the session's row, then looks.

    SQLite lets one write at a time, so there this transaction itself has waited.
    """
    owner = select(users.c.id).where(users.c.node == user_node).scalar_subquery()
    mine = select(sessions.c.id).where(sessions.c.user_id == owner).order_by(sessions.c.id)
    connection.execute(mine.with_for_update(key_share=True)).all()


def has_held_messages(
    connection: Connection,
    nodes: Collection[bytes],
    user_nodes: Sequence[bytes],
    session_nodes: Sequence[bytes],
) -> bool:
    """Say whether messages of held users or sessions would go with some epochs' or chapters' nodes."""
    of_chapter = (messages.c.chapter_id == chapters.c.id) | (messages.c.originals_chapter_id == chapters.c.id)
    query = (
        select(chapters.c.id)
        .join(sessions, sessions.c.id == chapters.c.session_id)
        .join(users, users.c.id == sessions.c.user_id)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(select(messages.c.seq).where(messages.c.session_id == sessions.c.id, of_chapter).exists())
        .limit(1)
    )
    return any(
        connection.execute(query.where(taken, held)).first() is not None
        for part in chunks(nodes)
        for taken in (
            chapters.c.node.in_(part),
            chapters.c.node.is_(None) & epochs.c.node.in_(part),
        )
        for column, held_nodes in ((users.c.node, user_nodes), (sessions.c.node, session_nodes))
        for some in chunks(held_nodes)
        for held in (column.in_(some),)
    )


def sessions_at(connection: Connection, nodes: Sequence[bytes]) -> dict[int, bytes]:
    """Give the rows of some sessions, by their nodes."""
    query = select(sessions.c.id, sessions.c.node)
    found = (
        row for part in chunks(nodes) for row in connection.execute(query.where(sessions.c.node.in_(part)))
    )
    return {row.id: row.node for row in found}


def session_without_chapter(connection: Connection, ids: Sequence[int]) -> int | None:
    """Give one of some sessions in which something stands in no chapter of that session."""
    places = (
        (messages, messages.c.chapter_id),
        (messages, messages.c.originals_chapter_id),
        (records, records.c.chapter_id),
    )
    for part in chunks(ids):
        for table, place in places:
            known = (chapters.c.id == place) & (chapters.c.session_id == table.c.session_id)
            lost = (
                table.c.session_id.in_(part),
                place.is_not(None),
                ~select(chapters.c.id).where(known).exists(),
            )
            found = connection.execute(select(table.c.session_id).where(*lost).limit(1)).scalar()
            if found is not None:
                return int(found)
    return None
