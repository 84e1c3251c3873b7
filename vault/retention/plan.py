"""A plan: by class, what would go now and what keeps the rest. Equal facts give equal plans.

`plan` takes all facts at once; a Planner takes them one by one, remembers only sums, and is what a run over
millions of messages uses.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from vault.retention.deciding import Bounds, Fact, Hold, bounds, may_go, rules_for
from vault.retention.durations import HOUR
from vault.retention.policy import From, Part, Policies, Rule

_Of = tuple[Collection[Hashable], Collection[Hashable]]  # sessions and users
GUARDED_FROM = 1000  # messages; what a smaller run erases is looked over at a glance


@dataclass(frozen=True, slots=True)
class Tally:
    """How much of something there is. `oldest` is a moment, None where there is nothing."""

    messages: int = 0
    sessions: int = 0
    users: int = 0
    bytes: int = 0
    oldest: int | None = None
    records: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What is past its ceiling and stays; by its grounds: ids of holds, or names of rules with a floor."""

    all: Tally
    by: dict[str, Tally]


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """What a plan says of one class. What is both held and floored counts as held, under each of its holds.

    `moved` are messages and records that are still sealed under another class.
    """

    name: str
    policy: str
    part: Part
    all: Tally
    goes: Tally
    held: Kept
    floored: Kept
    moved: int


@dataclass(frozen=True, slots=True)
class DyingEpoch:
    """An epoch some of whose messages go, so that its key must die; `stays` need keys of their own first."""

    class_name: str
    anchor: int
    goes: int
    stays: int


@dataclass(frozen=True, slots=True)
class Excess:
    """A policy that would erase more than the share it allows of the messages and records it classes."""

    policy: str
    goes: int
    of: int
    limit: Fraction


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. `facts` are the messages that go."""

    now: int
    classes: tuple[ClassPlan, ...]
    epochs: tuple[DyingEpoch, ...]
    excesses: tuple[Excess, ...]
    facts: tuple[Fact, ...] = ()
    sessions: int = 0  # from which something goes
    users: int = 0

    @property
    def goes(self) -> int:
        """Count the messages that go; originals are not counted again."""
        return sum(one.goes.messages for one in self.classes if one.part is Part.BODY)


def plan(policies: Policies, now: int, facts: Iterable[Fact], holds: Iterable[Hold] = ()) -> Plan:
    """Say what would go now, and what keeps the rest."""
    planner = Planner(policies, now, holds)
    going = [fact for fact in facts if planner.take(fact)]
    return planner.plan(tuple(going))


@dataclass(slots=True)
class _Sum:
    """A tally that grows."""

    messages: int = 0
    bytes: int = 0
    sessions: set[Hashable] = field(default_factory=set)
    users: set[Hashable] = field(default_factory=set)
    oldest: int | None = None
    records: int = 0

    def add(self, fact: Fact, of: _Of) -> None:
        self.messages += fact.messages
        self.records += fact.records
        self.bytes += fact.bytes
        self.sessions.update(of[0])
        self.users.update(of[1])
        self.oldest = fact.oldest if self.oldest is None else min(self.oldest, fact.oldest)

    @property
    def rows(self) -> int:
        return self.messages + self.records

    def tally(self) -> Tally:
        sessions, users = len(self.sessions), len(self.users)
        return Tally(self.messages, sessions, users, self.bytes, self.oldest, self.records)


@dataclass(slots=True)
class _Keeping:
    all: _Sum = field(default_factory=_Sum)
    by: defaultdict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))

    def add(self, fact: Fact, of: _Of, grounds: Iterable[str]) -> None:
        self.all.add(fact, of)
        for ground in grounds:
            self.by[ground].add(fact, of)

    def kept(self) -> Kept:
        return Kept(self.all.tally(), {name: self.by[name].tally() for name in sorted(self.by)})


@dataclass(slots=True)
class _Class:
    rule: Rule
    part: Part
    all: _Sum = field(default_factory=_Sum)
    goes: _Sum = field(default_factory=_Sum)
    held: _Keeping = field(default_factory=_Keeping)
    floored: _Keeping = field(default_factory=_Keeping)
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of some messages, and the holds that forbid it."""

    bounds: Bounds
    holds: tuple[str, ...]
    goes: bool


class Planner:
    """Decides fact by fact, and keeps the sums."""

    def __init__(self, policies: Policies, now: int, holds: Iterable[Hold] = ()) -> None:
        self._policies = policies
        self.now = now
        self._holds: defaultdict[Hashable, list[Hold]] = defaultdict(list)
        self.hold(holds)
        self._matching: dict[tuple[object, ...], tuple[list[Rule], bool]] = {}
        self._bounds: dict[tuple[object, ...], Bounds] = {}
        self._classes: dict[tuple[str, Part], _Class] = {}
        self._epochs: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        self._unseen: dict[str, int] = {}
        self._losing: tuple[set[Hashable], set[Hashable]] = set(), set()

    def hold(self, holds: Iterable[Hold]) -> None:
        """Decide by other holds from here on: some were placed or released."""
        self._holds.clear()
        for hold in holds:
            self._holds[hold.user].append(hold)

    def take(self, fact: Fact) -> bool:
        """Count some messages, and say whether they go."""
        return self.count(fact, self.judge(fact))

    def judge(self, fact: Fact) -> Verdict:
        """Say what becomes of some messages."""
        found = self._look(fact)
        forbidding = tuple(hold.id for hold in self._holds.get(fact.user, ()) if hold.forbids(fact, self.now))
        return Verdict(found, forbidding, may_go(found, self.now) and not forbidding)

    def holds(self, user: Hashable) -> bool:
        """Say whether anything of a user's is on hold."""
        return user in self._holds

    def covers(self, user: Hashable, session: Hashable) -> bool:
        """Say whether a session is on hold."""
        return any(hold.covers(user, session, self.now) for hold in self._holds.get(user, ()))

    def fixed(self, fact: Fact) -> Verdict | None:
        """Say what becomes of some messages that nobody holds; None where their session counts too."""
        found = self._look(fact)
        _, alike = self._matching[fact.role, fact.namespace, fact.labels]
        return Verdict(found, (), may_go(found, self.now)) if alike else None

    def count(self, fact: Fact, verdict: Verdict) -> bool:
        """Count some messages that were judged; say whether they go."""
        return self.count_all(fact, verdict, (fact.session,), (fact.user,))

    def count_all(
        self, fact: Fact, verdict: Verdict, sessions: Collection[Hashable], users: Collection[Hashable]
    ) -> bool:
        """Count messages of many sessions, of which a fact is the sum."""
        of = sessions, users
        found, forbidding, goes = verdict.bounds, verdict.holds, verdict.goes
        key = found.rule.name, fact.part
        sums = self._classes.get(key)
        if sums is None:
            sums = self._classes[key] = _Class(found.rule, fact.part)
        sums.all.add(fact, of)
        if fact.class_name != found.class_name:
            sums.moved += fact.rows
        if fact.anchor is not None:
            self._epochs[fact.class_name, fact.anchor][not goes] += fact.rows
        if goes:
            sums.goes.add(fact, of)
            self._losing[0].update(sessions)
            self._losing[1].update(users)
        elif found.is_over(self.now):
            if forbidding:
                sums.held.add(fact, of, forbidding)
            elif floor := found.floor_at(self.now):
                sums.floored.add(fact, of, [floor.rule.name])
        return goes

    def _look(self, fact: Fact) -> Bounds:
        """Give what the rules say; where no session counts, all messages of an hour have the same."""
        kind = fact.role, fact.namespace, fact.labels
        if kind not in self._matching:
            matching = rules_for(self._policies, fact)
            alike = all(
                rule.keep.count_from is From.MESSAGE and rule.match.older_than is None for rule in matching
            )
            self._matching[kind] = matching, alike
        matching, alike = self._matching[kind]
        if not alike:
            return bounds(matching, fact, self.now)
        hours = (*kind, fact.part, fact.oldest // HOUR, fact.newest // HOUR)
        if hours not in self._bounds:
            self._bounds[hours] = bounds(matching, fact, self.now)
        return self._bounds[hours]

    def plan(self, facts: tuple[Fact, ...] = ()) -> Plan:
        """Give the plan of all that was taken. `facts` are those that go, where somebody kept them."""
        return Plan(
            now=self.now,
            classes=tuple(self._class_plan(self._classes[key]) for key in sorted(self._classes, key=str)),
            epochs=tuple(
                DyingEpoch(*place, goes, stays)
                for place, (goes, stays) in sorted(self._epochs.items())
                if goes
            ),
            excesses=tuple(self._excesses()),
            facts=facts,
            sessions=len(self._losing[0]),
            users=len(self._losing[1]),
        )

    def _class_plan(self, one: _Class) -> ClassPlan:
        return ClassPlan(
            one.rule.class_of(one.part),
            one.rule.policy,
            one.part,
            one.all.tally(),
            one.goes.tally(),
            one.held.kept(),
            one.floored.kept(),
            one.moved,
        )

    def _excesses(self) -> Iterable[Excess]:
        """Compare each policy with its own limit, over the messages whose class it gives."""
        bodies = [one for (_, part), one in self._classes.items() if part is Part.BODY]
        for policy in self._policies.policies:
            ours = [one for one in bodies if one.rule.policy == policy.name]
            goes, of = sum(one.goes.rows for one in ours), sum(one.all.rows for one in ours)
            of += self._unseen.get(policy.name, 0)
            if goes > GUARDED_FROM and goes > policy.max_fraction * of:
                yield Excess(policy.name, goes, of, policy.max_fraction)

    def missing(self) -> dict[str, int]:
        """Say how many more messages each policy must have, for what goes to be within its share."""
        return {one.policy: math.ceil(one.goes / one.limit) - one.of for one in self._excesses() if one.limit}

    def see(self, policy: str, messages: int) -> None:
        """Count what is a policy's and can't be due, and was not looked at one by one."""
        self._unseen[policy] = self._unseen.get(policy, 0) + messages
