"""What the policies make of a message: its class, when it goes, and what keeps it (P5).

Holds are over all; of floors the longest counts, of ceilings the shortest, and a floor beats a ceiling. Every
matching rule gives its floor. A ceiling comes from the first match of each policy only.

All of an epoch goes at once, so its messages have one date: that of the last moment which the epoch can hold.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo

from vault.clock import DAY
from vault.retention.durations import HOUR, LAST, Duration, add, latest
from vault.retention.policy import From, Part, Policies, Rule, Then
from vault.retention.reading import Place

_HOURS = 1 << 32  # anchors of hours stand beyond those of days, so that each says which it is


@dataclass(frozen=True, slots=True)
class Fact:
    """Messages, or records, of one session that no rule tells apart. Times are microseconds since 1970, UTC.

    `class_name` and `anchor` say under which epoch they are sealed now; no anchor: under a key of their own.
    """

    user: Hashable
    session: Hashable
    namespace: str
    role: str
    messages: int
    bytes: int
    oldest: int
    newest: int
    session_start: int
    last_activity: int
    labels: tuple[tuple[str, str], ...] = ()
    part: Part = Part.BODY
    class_name: str = ""
    anchor: int | None = None
    records: int = 0

    @property
    def rows(self) -> int:
        """Count messages and records: what a key takes along, and what a share is of."""
        return self.messages + self.records


@dataclass(frozen=True, slots=True)
class Hold:
    """Forbids erasure, of one session or of all of a user's; until a moment, or until it is released."""

    id: str
    user: Hashable
    session: Hashable = None
    until: int | None = None

    def forbids(self, fact: Fact, now: int) -> bool:
        """Say whether this keeps some messages now."""
        return self.covers(fact.user, fact.session, now)

    def covers(self, user: Hashable, session: Hashable, now: int) -> bool:
        """Say whether this keeps a session now."""
        ours = self.user == user and self.session in {None, session}
        return ours and (self.until is None or now < self.until)


class Ground(enum.Enum):
    """Why something stands in an explanation."""

    CLASS = "class"
    CEILING = "ceiling"
    FLOOR = "floor"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Bound:
    """A floor or a ceiling of one rule, and the moment at which it is over.

    The limit of originals does not yield to floors: they keep a message as redaction left it.
    """

    rule: Rule
    duration: Duration
    start: From
    at: int
    yields: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation: what counts here, from which rule of which file, and its date.

    A floor or a ceiling `counts` where it decides the date. `name` is a rule's, or a hold's id.
    """

    ground: Ground
    name: str
    place: Place | None
    says: str
    at: int | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the rules say of some messages, holds apart; of floors and ceilings the first one counts."""

    rule: Rule
    part: Part
    floors: tuple[Bound, ...]
    ceilings: tuple[Bound, ...]
    date: (
        int | None
    )  # from when the rules let the messages go: the longest floor beats the shortest ceiling (P5)

    @property
    def class_name(self) -> str:
        """Name the class under which such messages are to be sealed."""
        return self.rule.class_of(self.part)

    def is_over(self, now: int) -> bool:
        """Say whether some ceiling is past, whatever keeps the messages."""
        return bool(self.ceilings) and self.ceilings[0].at <= now

    def floor_at(self, now: int) -> Bound | None:
        """Give the floor that keeps the messages, if one does."""
        return self.floors[0] if self.floors and self.floors[0].at > now else None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of some messages. `holds` are those in force.

    `goes_at` is the first moment at which they may go, as rules and holds are today; None: not under these.
    """

    bounds: Bounds
    holds: tuple[Hold, ...]
    goes: bool
    goes_at: int | None


# -- epochs --------------------------------------------------------------------------------------------------


def epoch_of(rule: Rule, moment: int, part: Part = Part.BODY) -> int | None:
    """Give the anchor of the epoch that holds a moment; None where the class has no epochs."""
    unit = rule.unit(part)
    if unit is None:
        return None
    return moment // HOUR + _HOURS if unit == HOUR else moment // DAY


def span_of(anchor: int) -> tuple[int, int]:
    """Give the first moment of an epoch, and the first one after it."""
    unit, number = (HOUR, anchor - _HOURS) if anchor > _HOURS // 2 else (DAY, anchor)
    return number * unit, (number + 1) * unit


# -- deciding ------------------------------------------------------------------------------------------------


def decide(policies: Policies, fact: Fact, holds: Iterable[Hold], now: int) -> Decision:
    """Say what becomes of some messages."""
    matching = rules_for(policies, fact)
    active = tuple(hold for hold in holds if hold.forbids(fact, now))
    found = bounds(matching, fact, now)
    if may_go(found, now) and not active:
        return Decision(found, active, True, now)
    return Decision(found, active, False, _first(matching, fact, active, now))


def rules_for(policies: Policies, fact: Fact) -> list[Rule]:
    """Give the rules that match some messages, or will when the session is old enough."""
    labels = dict(fact.labels)
    return [rule for rule in policies.rules if rule.match.fits(fact.role, fact.namespace, labels)]


def may_go(found: Bounds, now: int) -> bool:
    """Say whether the rules let messages go, if no hold forbids it."""
    return found.date is not None and found.date <= now


def bounds(matching: list[Rule], fact: Fact, now: int) -> Bounds:
    """Say what those of the matching rules make of messages for which the session is old enough."""
    return _bounds([rule for rule in matching if _is_of_age(rule, fact, now)], fact)


def _is_of_age(rule: Rule, fact: Fact, now: int) -> bool:
    since = _matches_from(rule, fact)
    return since is None or since <= now


def _matches_from(rule: Rule, fact: Fact) -> int | None:
    older = rule.match.older_than
    return None if older is None else add(fact.session_start, older, rule.zone)


def _bounds(rules: list[Rule], fact: Fact) -> Bounds:
    first = list({rule.policy: rule for rule in reversed(rules)}.values())  # the first of each policy
    rule = _class_giver(first, rules, fact.part)
    unit = rule.unit(fact.part)

    def bound(rule: Rule, duration: Duration, start: From, *, yields: bool = True) -> Bound:
        return Bound(rule, duration, start, _over(rule.zone, duration, start, fact, unit), yields)

    floors = [
        bound(one, one.keep.at_least, one.keep.count_from) for one in rules if one.keep.at_least is not None
    ]
    ceilings = [
        bound(one, one.keep.at_most, one.keep.count_from)
        for one in first
        if one.keep.at_most is not None and (one.then is Then.ERASE or fact.part is Part.ORIGINALS)
    ]
    if fact.part is Part.ORIGINALS:
        ceilings += [bound(one, one.originals, From.MESSAGE, yields=False) for one in first]
    floors.sort(key=lambda bound: (-bound.at, bound.rule.name))
    ceilings.sort(key=lambda bound: (bound.at, bound.rule.name))
    floor = [floors[0].at] if floors else []
    dates = [max([one.at, *floor]) if one.yields else one.at for one in ceilings]
    return Bounds(rule, fact.part, tuple(floors), tuple(ceilings), min(dates, default=None))


def _class_giver(first: list[Rule], rules: list[Rule], part: Part) -> Rule:
    """Choose among the first matches: the shortest ceiling that is below no floor, otherwise the longest.

    An epoch of it then dies with most of its messages, and few must be given keys of their own.
    """

    def length(rule: Rule) -> tuple[float, str]:
        ceiling = rule.ceiling(part)
        return (float("inf") if ceiling is None else ceiling.usual), rule.name

    floor = max((rule.keep.at_least.usual for rule in rules if rule.keep.at_least is not None), default=0)
    long_enough = [rule for rule in first if length(rule)[0] >= floor]
    return min(long_enough, key=length) if long_enough else max(first, key=length)


def _over(zone: tzinfo, duration: Duration, start: From, fact: Fact, unit: int | None) -> int:
    """Give the moment at which a time is over for some messages, and for all that their epochs can hold."""
    match start:
        case From.LAST_MESSAGE:
            return add(max(fact.last_activity, fact.newest), duration, zone)
        case From.SESSION_START:
            return add(fact.session_start, duration, zone)
        case From.MESSAGE if unit is None:
            return latest(fact.oldest, fact.newest, duration, zone)
        case From.MESSAGE:
            last = (fact.newest // unit + 1) * unit - 1
            return min(latest(fact.oldest // unit * unit, last, duration, zone) + 1, LAST)


def _first(matching: list[Rule], fact: Fact, holds: tuple[Hold, ...], now: int) -> int | None:
    """Give the first moment at which messages may go, over all known changes: ages and ends of holds."""
    ages = (_matches_from(rule, fact) for rule in matching)
    ends = (hold.until for hold in holds)
    moments = sorted({now, *(at for at in (*ages, *ends) if at is not None and at > now)})
    for at, following in zip(moments, [*moments[1:], None], strict=True):
        if any(hold.forbids(fact, at) for hold in holds):
            continue
        date = bounds(matching, fact, at).date
        if date is not None and (following is None or max(date, at) < following):
            return max(date, at)
    return None


# -- explaining ----------------------------------------------------------------------------------------------


def explain(decision: Decision) -> Iterator[Reason]:
    """Say line by line why a decision is what it is: the class, what keeps, what erases."""
    found = decision.bounds
    yield Reason(
        Ground.CLASS, found.class_name, found.rule.at, "gives the class", decision.goes_at, counts=True
    )
    for hold in decision.holds:
        yield Reason(Ground.HOLD, hold.id, None, "forbids erasure", hold.until, counts=True)
    for ground, listed, words in (
        (Ground.FLOOR, found.floors, "at least"),
        (Ground.CEILING, found.ceilings, "at most"),
    ):
        for place, bound in enumerate(listed):
            says = f"{words} {bound.duration} from {bound.start.value}"
            counts = place == 0 and bound.at == found.date
            yield Reason(ground, bound.rule.name, bound.rule.at, says, bound.at, counts)
