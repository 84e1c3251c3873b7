"""The statements of the daemon: who leads, and which runs of a schedule were begun and ended.

And of what else somebody is at: an act under way has a lease, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from vault.storage.schema import leases, turns


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """Who leads. `fence` grows with each new leader, `beat` as long as one lives."""

    holder: bytes
    fence: int
    beat: int


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One run that a schedule asked for at `due`; without `ended_at` it is under way, or was broken off."""

    job: str
    due: int
    fence: int
    begun_at: int
    ended_at: int | None
    outcome: str
    seal: bytes = b""


def lock_lease(connection: Connection, name: str) -> LeaseRow | None:
    """Give a lease; nobody else changes it in this transaction."""
    query = select(leases.c.holder, leases.c.fence, leases.c.beat).where(leases.c.name == name)
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else LeaseRow(*row)


def read_lease(connection: Connection, name: str) -> LeaseRow | None:
    """Give a lease as it is."""
    query = select(leases.c.holder, leases.c.fence, leases.c.beat).where(leases.c.name == name)
    row = connection.execute(query).one_or_none()
    return None if row is None else LeaseRow(*row)


def add_lease(connection: Connection, name: str, row: LeaseRow) -> None:
    """Take a lease that nobody had. IntegrityError: another was first."""
    values = {"holder": row.holder, "fence": row.fence, "beat": row.beat}
    connection.execute(insert(leases).values(name=name, **values))


def change_lease(connection: Connection, name: str, row: LeaseRow) -> None:
    """Write a lease that this transaction has locked."""
    values = {"holder": row.holder, "fence": row.fence, "beat": row.beat}
    connection.execute(update(leases).where(leases.c.name == name).values(**values))


def drop_lease(connection: Connection, name: str) -> bool:
    """Delete a lease that nobody needs any more; False where somebody else has."""
    return connection.execute(delete(leases).where(leases.c.name == name)).rowcount == 1


def leases_named(connection: Connection, prefix: str) -> dict[str, LeaseRow]:
    """Give the leases whose names begin with a word, by name."""
    query = select(leases).where(leases.c.name.startswith(prefix, autoescape=True))
    return {row.name: LeaseRow(bytes(row.holder), row.fence, row.beat) for row in connection.execute(query)}


_turn = select(
    turns.c.job,
    turns.c.due,
    turns.c.fence,
    turns.c.begun_at,
    turns.c.ended_at,
    turns.c.outcome,
    turns.c.seal,
)


def last_turn(connection: Connection, job: str, *, until: int) -> TurnRow | None:
    """Give the latest run of a job that is not of the future: a clock may have run ahead for a while."""
    query = _turn.where(turns.c.job == job, turns.c.due <= until).order_by(turns.c.due.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else TurnRow(*row)


def turns_of(connection: Connection, job: str, *, last: int) -> list[TurnRow]:
    """Give the latest runs of a job, oldest first."""
    query = _turn.where(turns.c.job == job).order_by(turns.c.due.desc()).limit(last)
    return [TurnRow(*row) for row in connection.execute(query)][::-1]


def add_turn(connection: Connection, row: TurnRow) -> None:
    """Begin a run. IntegrityError: another daemon has begun it."""
    values = {name: getattr(row, name) for name in TurnRow.__slots__}
    connection.execute(insert(turns).values(**values))


def change_turn(connection: Connection, row: TurnRow, *, fence: int) -> bool:
    """Write how a run stands; False where another daemon has taken it over since."""
    changed = connection.execute(
        update(turns)
        .where(turns.c.job == row.job, turns.c.due == row.due, turns.c.fence == fence)
        .where(turns.c.ended_at.is_(None))
        .values(
            fence=row.fence,
            begun_at=row.begun_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            seal=row.seal,
        )
    )
    return changed.rowcount == 1


def keep_turns(connection: Connection, job: str, number: int) -> None:
    """Delete all runs of a job but the latest ones."""
    query = select(turns.c.due).where(turns.c.job == job).order_by(turns.c.due.desc())
    oldest = connection.execute(query.offset(number - 1).limit(1)).scalar_one_or_none()
    if oldest is not None:
        connection.execute(delete(turns).where(turns.c.job == job, turns.c.due < oldest))
