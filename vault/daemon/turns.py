"""What a schedule asks for is run once: begun by one daemon, ended by it or by the one that takes over.

What was missed while no daemon ran is run once, late. The rows are sealed: whoever could forge one would
keep a purge from happening.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import DAY, from_datetime, to_datetime
from vault.retention.turned import Outcome as Outcome  # noqa: PLC0414 (passed on)
from vault.retention.turned import checked, sealed
from vault.storage import turns as sql
from vault.storage.engine import Store
from vault.storage.turns import TurnRow

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

LEADING = "daemon"  # the lease of whoever claims
_KEPT = 1000  # runs of one job
_SECOND = timedelta(seconds=1)
_HOUR = DAY // 24


@dataclass(frozen=True, slots=True)
class Turn:
    """One run, claimed. `is_resumed` where another daemon had begun it and did not end it."""

    row: TurnRow
    is_resumed: bool

    @property
    def due(self) -> int:
        """Give the moment for which the schedule asked."""
        return self.row.due


def latest_due(triggers: Iterable[CronTrigger], after: int, now: int) -> int | None:
    """Give the last moment that some schedule names, later than `after` and not later than `now`."""
    found = (_latest(trigger, after, now) for trigger in triggers)
    return max((at for at in found if at is not None), default=None)


def _latest(trigger: CronTrigger, after: int, now: int) -> int | None:
    """Look back in growing steps: a schedule of every minute must not be counted over a year."""
    span = _HOUR
    while True:
        start = max(after + 1, now - span)
        fire, last = trigger.get_next_fire_time(None, to_datetime(start)), None
        while fire is not None and from_datetime(fire) <= now:
            last = from_datetime(fire)
            fire = trigger.get_next_fire_time(fire, fire + _SECOND)
        if last is not None or start == after + 1:
            return last
        span *= 24


class Turns:
    """The runs of scheduled jobs, as the keyring knows them."""

    def __init__(self, store: Store, service: Callable[[], bytes]) -> None:
        self._store = store
        self._service = service
        self._known: dict[str, int] = {}  # for which moment each job was last seen to be run

    def claim(self, job: str, triggers: Iterable[CronTrigger], fence: int, now: int) -> Turn | None:
        """Begin the run that is due, or take up one that a former leader broke off; None: nothing to do."""

        def work(connection: Connection) -> tuple[int, Turn | None]:
            last = self._last(connection, job, now)
            if last is not None and last.ended_at is None:
                if last.fence > fence and not self._leads(connection, fence):
                    return last.due, None  # who claims is no leader any more
                row = self._sealed(replace(last, fence=fence, begun_at=now))
                taken = sql.change_turn(connection, row, fence=last.fence)
                return last.due, Turn(row, True) if taken else None
            # Rows that a thief takes away don't put off what is due (P4).
            since = self._known.get(job) if last is None else last.due
            if since is None:
                sql.add_turn(connection, self._sealed(TurnRow(job, now, fence, now, now, Outcome.SEEN)))
                return now, None
            due = latest_due(triggers, since, now)
            if due is None:
                return since, None
            row = self._sealed(TurnRow(job, due, fence, now, None, Outcome.BEGUN))
            sql.add_turn(connection, row)
            sql.keep_turns(connection, job, _KEPT)
            return due, Turn(row, False)

        with suppress(IntegrityError):  # another daemon was first
            since, turn = self._store.write(work)
            self._known[job] = min(since, now)  # a clock may have run ahead for a while
            return turn
        return None

    def end(self, turn: Turn, outcome: Outcome, now: int) -> bool:
        """Write down how a run ended; False where another daemon has taken it over."""
        row = self._sealed(replace(turn.row, ended_at=now, outcome=outcome))
        return self._store.write(lambda c: sql.change_turn(c, row, fence=turn.row.fence))

    def last(self, job: str, number: int = 1) -> list[TurnRow]:
        """Give the latest runs of a job, oldest first."""
        rows = self._store.read(lambda connection: sql.turns_of(connection, job, last=number))
        return [self._checked(row) for row in rows]

    def _leads(self, connection: Connection, fence: int) -> bool:
        """Say whether a fence is the present one: whoever sets the lease back puts off no run (P4)."""
        lease = sql.read_lease(connection, LEADING)
        return lease is not None and lease.fence == fence

    def _last(self, connection: Connection, job: str, now: int) -> TurnRow | None:
        row = sql.last_turn(connection, job, until=now)
        return None if row is None else self._checked(row)

    def _sealed(self, row: TurnRow) -> TurnRow:
        return sealed(row, self._service())

    def _checked(self, row: TurnRow) -> TurnRow:
        return checked(row, self._service())
