"""The statements of records, behind the same fence as messages. Bodies arrive sealed, names as blind indexes.

A record is replaced by taking its row away and adding another in the same transaction: the id of its row,
which is never given twice, is its revision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    select,
    update,
)

from vault.storage.engine import chunks
from vault.storage.fence import adding, reading
from vault.storage.schema import State, pointers, records, sessions, users

Name = tuple[bytes, bytes]  # the place and the key of a record
AnyRow = Row[*tuple[Any, ...]]


_put = adding(
    records, place="the_place", key="the_key", role="the_role", created_at="at_time", body="the_body"
).execution_options(preserve_rowcount=True)


def put(connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
    """Add records behind the fence; give how many got through. IntegrityError: another added one first."""
    return connection.execute(_put, rows[0] if len(rows) == 1 else rows).rowcount


_keys: BindParameter[Any] = bindparam("keys", expanding=True)
_places: BindParameter[Any] = bindparam("places", expanding=True)
_find = select(records.c.id, records.c.place, records.c.key).where(
    records.c.session_id == bindparam("the_session"), records.c.place.in_(_places), records.c.key.in_(_keys)
)


def find(connection: Connection, session: int, names: Collection[Name]) -> dict[Name, int]:
    """Give the revisions of those records that are there."""
    places = sorted({place for place, _ in names})
    found = {
        (place, key): id_
        for part in chunks([key for _, key in names])
        for id_, place, key in connection.execute(
            _find, {"the_session": session, "places": places, "keys": part}
        )
    }
    return {name: found[name] for name in names if name in found}


def revisions(connection: Connection, session: int) -> frozenset[int]:
    """Give the revisions of all records of a session."""
    mine = select(records.c.id).where(records.c.session_id == session)
    return frozenset(connection.execute(mine).scalars())


def remove(connection: Connection, session: int, ids: Collection[int]) -> int:
    """Delete records by their revisions; give how many were still there."""
    mine = records.c.session_id == session
    return sum(
        connection.execute(delete(records).where(mine, records.c.id.in_(part))).rowcount
        for part in chunks(ids)
    )


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record, sealed."""

    id: int
    name: Name
    chapter: int
    role: str
    created_at: int
    body: bytes


_rows = select(
    records.c.id,
    records.c.place,
    records.c.key,
    records.c.chapter_id,
    records.c.role,
    records.c.created_at,
    records.c.body,
).where(records.c.session_id == bindparam("the_session"))


def _row(row: AnyRow) -> RecordRow:
    return RecordRow(row.id, (row.place, row.key), row.chapter_id, row.role, row.created_at, row.body)


def rows(connection: Connection, session: int, ids: Collection[int]) -> list[RecordRow]:
    """Give records by their revisions."""
    return [
        _row(row)
        for part in chunks(ids)
        for row in connection.execute(_rows.where(records.c.id.in_(part)), {"the_session": session})
    ]


def rows_in(connection: Connection, session: int, places: Collection[bytes]) -> list[RecordRow]:
    """Give the records of some places in order of their dates, whether the fence is closed or not."""
    query = _rows.where(records.c.place.in_(places)).order_by(records.c.created_at, records.c.id)
    return [_row(row) for row in connection.execute(query, {"the_session": session})]


_move = (
    update(records)
    .where(records.c.id == bindparam("at"))
    .values(place=bindparam("the_place"), key=bindparam("the_key"), body=bindparam("sealed"))
)


def move(connection: Connection, moved: Sequence[Mapping[str, object]]) -> None:
    """Put records, sealed anew, into other places. Their revisions stay."""
    if moved:
        connection.execute(_move, list(moved))


def _reading(*which: ColumnElement[bool]) -> Select[Any]:
    """Say how the records of one place are read behind the fence."""
    return reading(
        records.c.id,
        records.c.key,
        records.c.role,
        records.c.created_at,
        records.c.body,
        records.c.chapter_id,
        chapter=records.c.chapter_id,
        which=and_(records.c.place == bindparam("the_place"), *which),
    )


_read_all = _reading().order_by(records.c.created_at, records.c.id)
_read_some = _reading(records.c.key.in_(_keys)).order_by(records.c.created_at, records.c.id)
_read_last = _reading().order_by(records.c.created_at.desc(), records.c.id.desc()).limit(bindparam("last"))


def read(
    connection: Connection,
    fence: Mapping[str, object],
    place: bytes,
    keys: Collection[bytes] | None,
    last: int | None,
) -> list[AnyRow]:
    """Give records in order of their dates. No row at all: the fence is closed. One without an id: none."""
    values = {**fence, "the_place": place}
    if keys is not None:
        return [
            row
            for part in chunks(keys)
            for row in connection.execute(_read_some, {**values, "keys": part}).all()
        ]
    if last is None:
        return list(connection.execute(_read_all, values).all())
    return list(connection.execute(_read_last, {**values, "last": last}).all()[::-1])


def has_any(connection: Connection, session: int) -> bool:
    """Say whether a session has records."""
    mine = records.c.session_id == session
    return connection.execute(select(exists().where(mine))).scalar_one()


# -- pointers --------------------------------------------------------------------------------------------


def point(connection: Connection, session: int, seals: Mapping[bytes, bytes]) -> None:
    """Let a session be found by some names. IntegrityError: another writer does the same."""
    mine = pointers.c.session_id == session
    known = select(pointers.c.place).where(mine, pointers.c.place.in_(list(seals)))
    missing = seals.keys() - {bytes(place) for place in connection.execute(known).scalars()}
    if missing:
        connection.execute(
            insert(pointers),
            [{"place": place, "session_id": session, "seal": seals[place]} for place in sorted(missing)],
        )


_pointed = (
    select(
        users.c.node,
        users.c.slot,
        sessions.c.node,
        sessions.c.slot,
        sessions.c.name,
        pointers.c.seal,
        case((and_(sessions.c.state == State.LIVE, users.c.state == State.LIVE), 1), else_=0),
    )
    .select_from(pointers)
    .outerjoin(sessions, sessions.c.id == pointers.c.session_id)
    .outerjoin(users, users.c.id == sessions.c.user_id)
    .where(pointers.c.place == bindparam("place"))
    .order_by(sessions.c.id)
)


def pointed(connection: Connection, place: bytes) -> Sequence[AnyRow]:
    """Give node and slot of user and session, the session's name, the seal, and whether all of it lives."""
    return connection.execute(_pointed, {"place": place}).all()
