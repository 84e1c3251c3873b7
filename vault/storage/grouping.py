"""Messages and records summed up: those of one chapter and role that lie in one unit of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
)

from vault.storage.engine import chunks
from vault.storage.retention import Group
from vault.storage.schema import messages, records

_SINCE = 62_135_596_800_000_000  # whole days: the first day that a message can have is then day 0
_ids: BindParameter[Any] = bindparam("ids", expanding=True)


def bucket_of(created_at: int, unit: int) -> int:
    """Give the unit of time that a message lies in, as `groups_in` counts it."""
    return (created_at + _SINCE) // unit


def _bucket(created_at: ColumnElement[Any], unit: int) -> ColumnElement[int]:
    return ((type_coerce(created_at, BigInteger) + _SINCE) // unit).label("bucket")


def _grouped(unit: int, *, by_role: bool) -> Select[Any]:
    bucket = _bucket(messages.c.created_at, unit)
    role: ColumnElement[Any] = messages.c.role if by_role else literal("").label("role")
    keys = (
        messages.c.session_id,
        messages.c.chapter_id,
        messages.c.originals_chapter_id,
        role,
        bucket,
    )
    by = (*keys[:3], messages.c.role) if by_role else keys[:3]
    return (
        select(
            *keys,
            func.count().label("number"),
            func.sum(func.length(messages.c.body)),
            func.coalesce(func.sum(func.length(messages.c.originals)), 0),
            func.min(messages.c.created_at),
            func.max(messages.c.created_at),
            func.min(messages.c.seq),
            func.max(messages.c.seq),
        )
        .where(messages.c.session_id.in_(_ids))
        .group_by(*by, "bucket")
    )


def _grouped_records(unit: int) -> Select[Any]:
    bucket = _bucket(records.c.created_at, unit)
    keys = records.c.session_id, records.c.chapter_id, records.c.role, bucket
    return (
        select(
            *keys,
            func.count().label("number"),
            func.sum(func.length(records.c.body)),
            func.min(records.c.created_at),
            func.max(records.c.created_at),
        )
        .where(records.c.session_id.in_(_ids))
        .group_by(*keys[:3], "bucket")
    )


_GROUPED: dict[tuple[int, bool], Select[Any]] = {}
_GROUPED_RECORDS: dict[int, Select[Any]] = {}


def groups_in(
    connection: Connection, ids: Sequence[int], unit: int, *, by_role: bool = True
) -> Iterator[Group]:
    """Sum up the messages of some sessions by chapter, a unit of time, and role if that is asked for."""
    query = _GROUPED.get((unit, by_role))
    if query is None:
        query = _GROUPED[unit, by_role] = _grouped(unit, by_role=by_role)
    for part in chunks(ids):
        for row in connection.execute(query, {"ids": part}).all():
            session, chapter, originals, role, _, number, size, more, oldest, newest, first, last = row
            yield Group(
                session, chapter, originals, role, number, int(size), int(more), oldest, newest, first, last
            )


def record_groups_in(connection: Connection, ids: Sequence[int], unit: int) -> Iterator[Group]:
    """Sum up the records of some sessions by chapter and a unit of time."""
    query = _GROUPED_RECORDS.get(unit)
    if query is None:
        query = _GROUPED_RECORDS[unit] = _grouped_records(unit)
    for part in chunks(ids):
        for session, chapter, role, _, number, size, oldest, newest in connection.execute(
            query, {"ids": part}
        ):
            yield Group(
                session, chapter, None, role, 0, int(size), 0, oldest, newest, 0, 0, (), records=number
            )
