"""The statements of runs: what each policy run did, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, text, update

from vault.clock import DAY
from vault.storage.schema import runs


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it is stored; `record` is JSON of the retention package."""

    id: bytes
    started_at: int
    cursor: int
    record: str
    seal: bytes = b""


def add_run(connection: Connection, row: RunRow) -> None:
    """Note a run before it does anything."""
    connection.execute(
        insert(runs).values(
            id=row.id, started_at=row.started_at, cursor=row.cursor, record=row.record, seal=row.seal
        )
    )


def update_run(connection: Connection, row: RunRow) -> None:
    """Note how far a run has come."""
    connection.execute(
        update(runs).where(runs.c.id == row.id).values(cursor=row.cursor, record=row.record, seal=row.seal)
    )


def find_runs(connection: Connection, ids: Collection[bytes]) -> list[RunRow]:
    """Give some runs."""
    return [
        RunRow(bytes(row.id), row.started_at, row.cursor, row.record, bytes(row.seal))
        for row in connection.execute(select(runs).where(runs.c.id.in_(ids)))
    ]


def last_runs(connection: Connection, limit: int) -> list[RunRow]:
    """Give the last runs, latest first."""
    query = select(runs).order_by(runs.c.started_at.desc(), runs.c.id).limit(limit)
    return [
        RunRow(bytes(row.id), row.started_at, row.cursor, row.record, bytes(row.seal))
        for row in connection.execute(query)
    ]


def count_runs(connection: Connection) -> int:
    """Count all runs."""
    return int(connection.execute(select(func.count()).select_from(runs)).scalar_one())


SLACK = DAY // 24
"""By how much two clocks may differ."""

FAR = 100 * DAY
"""After a run: that a clock jumped there is more likely than that nobody looked since."""


def database_clock(connection: Connection) -> int | None:
    """Give the time by the database server's own clock; None where the database has none of its own."""
    match connection.dialect.name:
        case "sqlite":
            return None
        case "postgresql":
            query = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
        case _:
            query = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"
    return int(connection.execute(text(query)).scalar_one())
