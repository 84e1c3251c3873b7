"""The statements of a report: how much is stored by class and day, and what else is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Select, func, select, type_coerce

from vault.clock import DAY
from vault.errors import TamperedError
from vault.storage.schema import (
    Moment,
    State,
    chapters,
    classes,
    epochs,
    messages,
    records,
    sessions,
    turns,
    users,
)
from vault.storage.turns import TurnRow

_SINCE = 62_135_596_800_000_000  # whole days: the first day that a message can have is then day 0


@dataclass(frozen=True, slots=True)
class DayAt:
    """What is stored of one class of one day; days are counted from 1970."""

    class_name: str
    day: int
    messages: int
    bytes: int


def _by_day(chapter: Column[Any], sealed: Column[Any], unknown: str) -> Select[Any]:
    """Sum up in the database: what comes back has a row for each class and day, however much is stored.

    What has lost its chapter, or its class, stands under `unknown`.
    """
    day = ((type_coerce(messages.c.created_at, BigInteger) + _SINCE) // DAY).label("day")
    of_class = func.coalesce(epochs.c.class_id, chapters.c.class_id).label("of_class")
    summed = (
        select(of_class, day, func.count().label("number"), func.sum(func.length(sealed)).label("size"))
        .select_from(messages)
        .outerjoin(chapters, chapters.c.id == chapter)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(chapter.is_not(None))
        .group_by("of_class", "day")
        .subquery()
    )
    return select(
        func.coalesce(classes.c.name, unknown), summed.c.day, summed.c.number, summed.c.size
    ).outerjoin(classes, classes.c.id == summed.c.of_class)


_stored = (
    _by_day(messages.c.chapter_id, messages.c.body, ""),
    _by_day(messages.c.originals_chapter_id, messages.c.originals, "originals"),
)


def stored_by_day(connection: Connection) -> Iterator[DayAt]:
    """Count messages and sealed bytes by class and day; originals stand under a class of their own."""
    for query in _stored:
        for name, day, number, size in connection.execute(query):
            if not 0 <= day <= (Moment.most + _SINCE) // DAY:
                raise TamperedError("a column holds what the vault never wrote there")
            yield DayAt(name, int(day) - _SINCE // DAY, int(number), int(size or 0))


def count_stored(connection: Connection) -> dict[str, int]:
    """Count the users and sessions that are alive, and the records beside messages."""
    found = {}
    for table in (users, sessions):
        living = select(func.count()).select_from(table).where(table.c.state == State.LIVE)
        found[table.name] = int(connection.execute(living).scalar_one())
    found[records.name] = int(connection.execute(select(func.count()).select_from(records)).scalar_one())
    return found


def latest_turns(connection: Connection, limit: int) -> list[TurnRow]:
    """Give the latest scheduled runs of all jobs, latest first."""
    columns = [turns.c[name] for name in TurnRow.__slots__]
    query = select(*columns).order_by(turns.c.due.desc(), turns.c.job).limit(limit)
    return [TurnRow(*row) for row in connection.execute(query)]
