"""Gathering a report: sums from the databases, the plan, what was done, and a check of the log."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from datetime import timedelta

from sqlalchemy import Connection

from vault.clock import DAY, to_datetime
from vault.core import Core
from vault.errors import TamperedError
from vault.evidence.certificate import Record
from vault.evidence.entries import struck
from vault.reporting.report import Report
from vault.reporting.values import (
    Bar,
    Erasure,
    HeldBy,
    Keys,
    LogState,
    Overdue,
    Queued,
    Retired,
    Stored,
    Turned,
)
from vault.retention.classes import plain_name
from vault.retention.policy import ORIGINALS, Part, Rule
from vault.retention.report import RunRecords, RunResult
from vault.retention.turned import checked
from vault.storage import reporting as sql
from vault.storage import runs as runs_sql
from vault.version import __version__

_BARS = 48
_LATEST = 50  # of what is past; what is in force or open is told in full

_Days = dict[int, tuple[int, int]]


def gather(core: Core, anchor: str | os.PathLike[str] | None = None) -> Report:
    """Gather all that a report says."""
    now = core.stores.clock()
    days, counts = core.stores.transcripts.snapshot(_stored)
    stored = _classes(core, days, now)
    bodies = [one for one in stored if one.part == Part.BODY.value]
    holds = _holds(core)
    erasures, kinds = _erasures(core)
    runs, in_all = _runs(core)
    ended = [one for one in holds if not one.in_force]
    return Report(
        vault=core.stores.vault.hex(),
        at=to_datetime(now),
        version=__version__,
        policies=[] if core.policies is None else [one.name for one in core.policies.policies],
        users=counts["users"],
        sessions=counts["sessions"],
        messages=sum(one.messages for one in bodies),
        bytes=sum(one.bytes for one in stored),
        records=counts["records"],
        stored=stored,
        overdue=_overdue(core),
        holds=[one for one in holds if one.in_force] + ended[-_LATEST:][::-1],
        holds_ended=len(ended),
        waiting=_waiting(core),
        erasures=erasures,
        erasures_by=kinds,
        runs=runs,
        runs_in_all=in_all,
        turns=_turns(core),
        log=_log(core, anchor),
        keys=_keys(core, now),
    )


# -- what is stored --------------------------------------------------------------------------------------


def _stored(connection: Connection) -> tuple[dict[str, _Days], dict[str, int]]:
    """Sum up by class, whichever version of the rules put it there, and day."""
    found: defaultdict[str, _Days] = defaultdict(dict)
    for one in sql.stored_by_day(connection):
        of_class = found[plain_name(one.class_name)]
        messages, size = of_class.get(one.day, (0, 0))
        of_class[one.day] = messages + one.messages, size + one.bytes
    return dict(found), sql.count_stored(connection)


def _classes(core: Core, days: dict[str, _Days], now: int) -> list[Stored]:
    rules = {} if core.policies is None else {one.name: one for one in core.policies.rules}
    named = [one for one in rules if one not in days] + list(days)
    order = {name: place for place, name in enumerate(rules)}

    def place(name: str) -> tuple[int, str]:
        return order.get(name.removesuffix(ORIGINALS), len(order)), name

    found = []
    for name in sorted(named, key=place):
        part = Part.ORIGINALS if name.endswith(ORIGINALS) or name == "originals" else Part.BODY
        found.append(_class(name, part, rules.get(name.removesuffix(ORIGINALS)), days.get(name, {}), now))
    return found


def _class(name: str, part: Part, rule: Rule | None, days: _Days, now: int) -> Stored:
    most = None if rule is None else rule.ceiling(part)
    least = None if rule is None else rule.keep.at_least
    most_days = None if most is None else most.usual / DAY
    oldest = min(days, default=None)
    return Stored(
        name=name,
        policy=None if rule is None else rule.policy,
        part=part.value,
        at_least=None if least is None else str(least),
        at_most=None if most is None else str(most),
        least_days=None if least is None else least.usual / DAY,
        most_days=most_days,
        count_from="message" if rule is None else rule.counts_from(part).value,
        messages=sum(number for number, _ in days.values()),
        bytes=sum(size for _, size in days.values()),
        oldest=None if oldest is None else to_datetime(oldest * DAY),
        bars=_bars(days, now // DAY, most_days),
    )


def _bars(days: _Days, today: int, most: float | None) -> list[Bar]:
    """Sort days by age into bars of one width, that reach as far as the oldest message and the ceiling."""
    if not days:
        return []
    # A ceiling far beyond everything would press all bars together: it is said, and not drawn.
    reach = max(today - min(days), 0) + 1
    if most is not None and most < 4 * reach:
        reach = max(reach, math.ceil(most * 1.15))
    width = math.ceil(reach / _BARS)
    sums: Counter[int] = Counter()
    for day, (number, _) in days.items():
        sums[max(today - day, 0) // width] += number
    return [
        Bar(since=at * width, until=(at + 1) * width, messages=sums[at])
        for at in range(math.ceil(reach / width))
    ]


# -- what is due, held, erased, run ----------------------------------------------------------------------


def _overdue(core: Core) -> list[Overdue] | None:
    """Take the plan that a dry run prints. Guards are for runs that erase: looking is always allowed."""
    if core.policies is None:
        return None
    planned = core.runs().run(dry_run=True, yes=True)
    found = []
    for one in planned.classes:
        goes, held, floored = one.goes.messages, one.held.all.messages, one.floored.all.messages
        if goes or held or floored:
            times = (one.goes.oldest, one.held.all.oldest, one.floored.all.oldest)
            oldest = min((at for at in times if at), default=None)
            found.append(Overdue(name=one.name, goes=goes, held=held, floored=floored, oldest=oldest))
    return found


def _holds(core: Core) -> list[HeldBy]:
    return [
        HeldBy(
            id=one.id,
            on="session" if one.on_session else "user",
            in_force=one.in_force,
            reason=struck(one.reason, (one.user_id or "", one.session_id or ""), "[id]"),
            placed_at=one.placed_at,
            until=one.until,
            released_at=one.released_at,
            release_reason=struck(one.release_reason, (one.user_id or "", one.session_id or ""), "[id]"),
        )
        for one in core.holding.holds()
    ]


def _waiting(core: Core) -> list[Queued]:
    return [
        Queued(
            id=one.id,
            reason=struck(one.reason, (one.user_id or "", one.session_id or ""), "[id]"),
            requested_at=one.requested_at,
        )
        for one in core.queue.queued()
    ]


def _erasures(core: Core) -> tuple[list[Erasure], dict[str, int]]:
    """Give those that are not final, and the latest of the others; count all by their status."""
    rows = core.stores.keyring.snapshot(core.keyring.records.every)
    every = [Record.decode(row.record).certificate for row in rows]
    every.sort(key=lambda one: one.requested_at, reverse=True)
    closed = [one for one in every if one.final_at is not None][:_LATEST]
    shown = [one for one in every if one.final_at is None] + closed
    told = [
        Erasure(
            id=one.id,
            kind=one.kind.value,
            status=one.status.value,
            sessions=one.sessions,
            messages=one.messages,
            reason=one.reason,
            requested_at=one.requested_at,
            cut_at=one.cut_at,
            due_at=one.due_at,
            final_at=one.final_at,
        )
        for one in shown
    ]
    return told, dict(Counter(one.status.value for one in every))


def _runs(core: Core) -> tuple[list[RunResult], int]:
    sealed = RunRecords(lambda: core.keyring.service)

    def look(connection: Connection) -> tuple[list[RunResult], int]:
        rows = runs_sql.last_runs(connection, _LATEST)
        return [sealed.read(row) for row in rows], runs_sql.count_runs(connection)

    return core.stores.keyring.snapshot(look)


def _turns(core: Core) -> list[Turned]:
    rows = core.stores.keyring.read(lambda connection: sql.latest_turns(connection, _LATEST))
    return [
        Turned(
            job=row.job,
            due_at=to_datetime(row.due),
            begun_at=to_datetime(row.begun_at),
            ended_at=None if row.ended_at is None else to_datetime(row.ended_at),
            outcome=row.outcome,
        )
        for row in (checked(row, core.keyring.service) for row in rows)
    ]


# -- what proves it --------------------------------------------------------------------------------------


def _log(core: Core, anchor: str | os.PathLike[str] | None) -> LogState:
    """Check the log. That it is not whole is what a report must be able to say: the command then fails."""
    key = core.auditor.key
    try:
        checkpoint = core.auditor.checkpoint()
        found = core.auditor.verify(anchor)
    except TamperedError as error:
        return LogState(
            failure=str(error), entries=0, root="", key=key, checkpoint="", anchors=0, unfinished=0
        )
    return LogState(
        failure=None,
        entries=found.entries,
        root=found.root,
        key=key,
        checkpoint=checkpoint,
        anchors=found.checkpoints,
        unfinished=found.unfinished,
    )


def _keys(core: Core, now: int) -> Keys:
    found = core.status()
    at = to_datetime(now)
    return Keys(
        root=found.root,
        ordinal=found.ordinal,
        is_home=found.is_home,
        retired=[
            Retired(
                ordinal=one.ordinal,
                retired_at=one.retired_at,
                due_at=one.due_at,
                is_overdue=one.due_at + timedelta(days=1) < at,
            )
            for one in found.retired
        ],
        nodes=found.nodes,
        warnings=found.warnings,
    )
