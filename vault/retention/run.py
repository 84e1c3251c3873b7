"""One run of the policies: plan, guard, close, purge in batches, erase the keys. What the daemon calls.

A run that is killed needs no repair: what it closed says in the database that its keys are to die, and the
next run takes it up. Two at once do the same work twice, which changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection

from vault.chat.sessions import Sessions
from vault.clock import from_datetime, to_datetime
from vault.crypto.envelope import random_id
from vault.erasure import Eraser
from vault.errors import GuardedError, UnknownError
from vault.keys.home import require_home
from vault.keys.ring import Keyring
from vault.retention.classes import Classes
from vault.retention.cutting import Cut, Cutter
from vault.retention.deciding import span_of
from vault.retention.explaining import Explained, explain_all
from vault.retention.facts import Facts
from vault.retention.guarding import Guard
from vault.retention.holding import Holds, NoHolds, as_holds
from vault.retention.plan import Plan, Planner
from vault.retention.planning import Planned, Planning
from vault.retention.policy import Part
from vault.retention.purging import Purger
from vault.retention.report import RunRecords, RunResult, class_reports, excesses
from vault.retention.taking import Taker
from vault.retention.telling import RunLog
from vault.storage import purging as purge_sql
from vault.storage import runs as runs_sql
from vault.storage.stores import Stores
from vault.storage.transcripts import all_epochs

_LOOKED_AT = 100  # runs: what one left behind that was broken off, a later one has to find
NOTED = 1000  # sessions after which a run notes how far it has come

Progress = Callable[[int, int], None]


class Runs:
    """Runs the policies of a vault."""

    def __init__(  # noqa: PLR0913, PLR0917 (the parts of a vault)
        self,
        stores: Stores,
        keyring: Keyring,
        eraser: Eraser,
        sessions: Sessions,
        classes: Classes,
        holds: Holds | None = None,
    ) -> None:
        self._stores = stores
        self._keyring = keyring
        self._sessions = sessions
        self._classes = classes
        self._holds = holds or NoHolds()
        self._facts = Facts(stores, keyring, classes, hidden=True)
        self._planning = Planning(stores, keyring, classes, self._facts, self._holds)
        self._guard = Guard(stores, self._facts, self._holds)
        self._cutter = Cutter(stores, keyring, eraser, self._facts, self._holds)
        self._records = RunRecords(lambda: keyring.service)
        self._log = RunLog(keyring.log, self._records, classes)

    # -- running ----------------------------------------------------------------------------------------

    def run(  # noqa: PLR0913 (how it is asked for)
        self,
        *,
        dry_run: bool = False,
        user_id: str | None = None,
        yes: bool = False,
        actor: str = "",
        should_stop: Callable[[], bool] = lambda: False,
        progress: Progress = lambda _done, _of: None,
    ) -> RunResult:
        """Run the policies once; `should_stop` is asked between batches.

        Raises GuardedError where more would go than a policy allows, or where the clock can't be right; `yes`
        says that somebody has looked.
        """
        now = self._stores.clock()
        disregards = self._check_clocks(now, yes=yes)
        planned = self._planning.plan(now, user_id)
        result = replace(self._result(planned, now, dry_run=dry_run), disregards=disregards)
        if dry_run:
            return _told(result, planned, None)
        if result.excesses and not yes:
            one = result.excesses[0]
            raise GuardedError(
                f"the policy {one.policy} would erase {one.goes:,} of {one.of:,} messages and records,"
                f" more than the {one.limit:.0%} that it allows",
                hint="vault purge --dry-run tells more; --yes, if this is meant",
            )
        return self._carry_out(planned, result, now, actor, should_stop, progress)

    def _result(self, planned: Planned, now: int, *, dry_run: bool) -> RunResult:
        return RunResult(
            id=random_id().hex(),
            policies=[one.name for one in self._classes.policies.policies],
            dry_run=dry_run,
            now=to_datetime(now),
            started_at=to_datetime(now),
            opens_bodies=bool(self._classes.labels),
            excesses=excesses(planned.plan),
        )

    def _carry_out(  # noqa: PLR0913, PLR0917 (a run and how it is asked for)
        self,
        planned: Planned,
        result: RunResult,
        now: int,
        actor: str,
        should_stop: Callable[[], bool],
        progress: Progress,
    ) -> RunResult:
        store, actor = self._stores, actor or "vault"
        first, intended = self._records.row(result, now, 0), _told(result, planned, None)
        broken = any(one.ended_at is None or one.stopped for one in self.last_runs(_LOOKED_AT))

        def begin(connection: Connection) -> None:
            require_home(store, connection)  # a copy lets no key die, so it takes no row either
            if intended.messages or intended.records or intended.originals or intended.epochs:
                store.root.require_mirrors()  # nor does whoever can't let keys die now
            self._log.begin(connection, first, intended, actor)

        self._guard.check()
        store.keyring.write(begin)
        store.transcripts.write(lambda c: purge_sql.close_epochs(c, sorted(planned.epochs)))
        dying = store.transcripts.snapshot(lambda c: array("q", purge_sql.sessions_closing(c)))
        every = sorted({*planned.sessions, *dying})
        counter = Planner(self._classes.policies, now)
        taker = Taker(store, self._facts, self._holds, planned.wholes, counter, now)
        purger = Purger(store, self._facts, self._sessions, self._holds)
        purger.start(counter, planned.scope, now)

        def turns() -> Generator[tuple[Sequence[int], Callable[[], None]]]:
            for ready in taker.batches(planned.found):
                yield [one.whole.id for one in ready], partial(taker.take, ready)
            for ids in planned.packed(taker.without_taken(every)):
                yield ids, partial(purger.take, ids)

        stopped, done, noted = False, 0, 0
        with closing(turns()) as listed:
            for ids, take in listed:
                if should_stop():
                    stopped = True
                    break
                take()
                self._keyring.log.acts.beat()
                done += len(ids)
                progress(min(done, len(every)), len(every))
                if done - noted >= NOTED:
                    row, noted = self._records.row(result, now, ids[-1]), done
                    store.keyring.write(lambda c, row=row: runs_sql.update_run(c, row))  # type: ignore[misc]
        told = _told(result, planned, counter.plan())
        reason = f"retention: {', '.join(result.policies)}"
        counts, loose = (told.sessions, told.messages), broken or purger.left_keys
        keyless = purger.keyless
        if not stopped:
            self._guard.check()  # a hold may have come meanwhile
        cut = Cut() if stopped else self._cutter.cut(counts, reason, actor, keyless, loose=loose)
        ended = replace(
            told,
            ended_at=to_datetime(store.clock()),
            stopped=stopped,
            epochs=cut.epochs,
            chapters=cut.chapters,
            kept=purger.done.kept,
            resealed=purger.done.resealed,
            certificate=cut.certificate.id if cut.certificate else None,
        )
        last = self._records.row(ended, now, every[-1] if every and not stopped else 0)
        store.keyring.write(lambda c: self._log.end(c, last, ended, actor))
        return ended

    def explain(self, user_id: str, session_id: str) -> list[Explained]:
        """Say of the messages of a session which rules and holds decide about them."""
        session = self._sessions.find(user_id, session_id)
        if session is None:
            raise UnknownError("this user has no such session", hint="vault sessions USER lists them")
        now = self._stores.clock()
        facts = Facts(self._stores, self._keyring, self._classes, by_role=True)
        holds = self._stores.keyring.read(lambda c: self._holds.in_force(c, now))
        return [
            one
            for page in facts.pages([session.row])
            for seen in page
            for one in explain_all(seen, self._classes.policies, as_holds(holds), now)
        ]

    def last_runs(self, limit: int = 20) -> list[RunResult]:
        """Give the last runs, latest first. One without an end was interrupted, or is under way."""
        rows = self._stores.keyring.read(lambda connection: runs_sql.last_runs(connection, limit))
        return [self._records.read(row) for row in rows]

    def other_rules(self) -> list[str] | None:
        """Name the policies of the last run where it went by other rules than these; None: by the same."""
        mark, names = self._stores.keyring.read(self._log.last_rules)
        return None if mark in {None, self._classes.mark} else names

    # -- guards -----------------------------------------------------------------------------------------

    def _check_clocks(self, now: int, *, yes: bool) -> datetime | None:
        """Refuse to erase by a clock that can't be right; give until when runs by such a clock don't count.

        Where somebody says `yes`, the runs that are ahead of now were made by one.
        """
        rows = self._stores.keyring.read(lambda c: runs_sql.last_runs(c, _LOOKED_AT))
        told = [self._records.read(one).disregards for one in rows]
        until = max((from_datetime(one) for one in told if one), default=0)
        if yes and rows:
            until = max(until, rows[0].started_at)
        last = next(  # who was told to disregard some is not one of them
            (one for one, knows in zip(rows, told, strict=True) if knows or one.started_at > until), None
        ) or next((one for one in rows if one.started_at <= now + runs_sql.SLACK), None)
        if not yes:
            server = self._stores.transcripts.read(self._stores.server_clock)
            known = None if rows else self._newest()
            far = max(runs_sql.FAR, self._classes.policies.gap)
            check_clocks(now, server, None if last is None else last.started_at, far, known)
        return to_datetime(until) if until > now + runs_sql.SLACK else None

    def _newest(self) -> int | None:
        """Give the newest moment that the vault knows of by itself: of its log, or of its epochs."""
        logged = self._stores.keyring.read(self._keyring.log.last_at)
        days = [span_of(one.anchor)[0] for one in self._stores.transcripts.read(all_epochs)]
        return max([*days, *([] if logged is None else [from_datetime(logged)])], default=None)


def check_clocks(
    now: int, database: int | None, last: int | None, far: int = runs_sql.FAR, known: int | None = None
) -> None:
    """Raise GuardedError where now is not what the database's clock and the last run let expect.

    `known` stands for a run where there was none yet: the newest that the vault knows of.
    """
    hint = "set the clock right; vault purge --yes, if it is"
    if database is not None and abs(now - database) > runs_sql.SLACK:
        raise GuardedError(
            f"this machine's clock says {_moment(now)}, the database's {_moment(database)}:"
            " nothing was erased",
            hint=hint,
        )
    if last is not None and now < last - runs_sql.SLACK:
        raise GuardedError(
            f"the clock says {_moment(now)}, before the last run of {_moment(last)}: nothing was erased",
            hint=hint,
        )
    if last is not None and now > last + far:
        raise GuardedError(
            f"the clock says {_moment(now)}, long after the last run of {_moment(last)}: nothing was erased",
            hint=hint,
        )
    if known is not None and now > known + far:
        raise GuardedError(
            f"there was no run yet, and the clock says {_moment(now)}, long after the newest that this vault"
            f" knows of, {_moment(known)}: nothing was erased",
            hint=hint,
        )


def _moment(at: int) -> str:
    return to_datetime(at).strftime("%Y-%m-%d %H:%M")


def _told(result: RunResult, planned: Planned, done: Plan | None) -> RunResult:
    """Put the numbers into a result: planned ones, or what was counted while it was done."""
    counted = planned.plan if done is None else done
    reports = class_reports(planned.plan, done)
    bodies = [one for one in counted.classes if one.part is Part.BODY]
    return replace(
        result,
        classes=reports,
        messages=sum(one.goes.messages for one in bodies),
        records=sum(one.goes.records for one in bodies),
        originals=sum(one.goes.messages for one in counted.classes if one.part is Part.ORIGINALS),
        sessions=counted.sessions,
        users=counted.users,
        bytes=sum(one.goes.bytes for one in counted.classes),
        epochs=planned.dying,
    )
