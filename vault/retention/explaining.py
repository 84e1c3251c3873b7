"""Why a message is kept, or goes: every rule and hold that has a say, with its place in its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from vault.clock import to_datetime
from vault.retention import deciding
from vault.retention.deciding import Fact, Hold, Reason
from vault.retention.facts import Seen
from vault.retention.policy import Part, Policies


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """One ground: a class, a ceiling, a floor or a hold. Those that decide the date count."""

    ground: str
    name: str
    says: str
    at: datetime | None
    counts: bool
    where: str | None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, or records, of a session that no rule tells apart, and what becomes of them.

    `goes_at` is the first moment at which they may go, as rules and holds are today; None: not under these.
    """

    class_name: str
    sealed_as: str
    part: str
    role: str
    messages: int
    oldest: datetime
    newest: datetime
    goes: bool
    goes_at: datetime | None
    reasons: list[Why]
    records: int = 0


def explain_all(seen: Seen, policies: Policies, holds: Iterable[Hold], now: int) -> Iterator[Explained]:
    """Explain a session, oldest first."""
    known = list(holds)
    for group in sorted(seen.groups, key=lambda one: (one.oldest, one.role)):
        yield _explained(seen.fact(group), policies, known, now)
        if group.originals_chapter is not None:
            yield _explained(seen.fact(group, Part.ORIGINALS), policies, known, now)


def _explained(fact: Fact, policies: Policies, holds: list[Hold], now: int) -> Explained:
    decision = deciding.decide(policies, fact, holds, now)
    return Explained(
        class_name=decision.bounds.class_name,
        sealed_as=fact.class_name,
        part=fact.part.value,
        role=fact.role,
        messages=fact.messages,
        oldest=to_datetime(fact.oldest),
        newest=to_datetime(fact.newest),
        goes=decision.goes,
        goes_at=None if decision.goes_at is None else to_datetime(decision.goes_at),
        reasons=[_why(one) for one in deciding.explain(decision)],
        records=fact.records,
    )


def _why(reason: Reason) -> Why:
    return Why(
        ground=reason.ground.value,
        name=reason.name,
        says=reason.says,
        at=None if reason.at is None else to_datetime(reason.at),
        counts=reason.counts,
        where=None if reason.place is None else str(reason.place),
    )
