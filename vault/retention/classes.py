"""Under which class a message is sealed: the rules in force decide as it is added.

The name of a class in the database carries a mark of the rules that gave it. What stands under the mark of
today's rules was put there by them, whichever process did it, so that its dates are known without looking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vault.clock import DAY
from vault.retention.deciding import Bounds, Fact, bounds, epoch_of, may_go, rules_for, span_of
from vault.retention.policy import ORIGINALS, From, Part, Policies, Rule, as_label

_REMEMBERED = 4096  # kinds of messages: labels may have any value
_MARK = "@"
_DIGITS = 12

Place = tuple[str, int | None]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """Messages that no rule tells apart, the age of their session aside."""

    role: str
    namespace: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Times:
    """When a message was said, and where that lies in its session."""

    created_at: int
    session_start: int
    last_activity: int


@dataclass(frozen=True, slots=True)
class _Classed:
    """What the rules make of a kind of messages. Originals that are kept for no time are not stored."""

    body: Rule
    originals: Rule
    keeps_originals: bool


class Classes:
    """Gives each message its class, and remembers what it gave."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.mark = mark_of(policies)
        self.labels = policies.labels
        rules = policies.rules
        self.asks_age = any(rule.match.older_than is not None for rule in rules)
        self.asks_start = self.asks_age or any(rule.keep.count_from is From.SESSION_START for rule in rules)
        self.asks_last = any(rule.keep.count_from is From.LAST_MESSAGE for rule in rules)
        self._known: dict[Kind, _Classed] = {}

    def kind(self, role: str, namespace: str, metadata: Mapping[str, object]) -> Kind:
        """Give what the rules look at in a message."""
        return Kind(role, namespace, labels_of(metadata, self.policies) if self.labels else ())

    def places(self, kind: Kind, times: Times, now: int) -> tuple[Place, Place | None]:
        """Give the epochs of a message and of its originals; None where those are not stored."""
        classed = self._known.get(kind)
        if classed is None:
            classed = self._classed(kind, times, now)
            if not self.asks_age:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[kind] = classed
        body = self.place(classed.body, times.created_at, Part.BODY)
        if not classed.keeps_originals:
            return body, None
        return body, self.place(classed.originals, times.created_at, Part.ORIGINALS)

    def place_kept(self, kind: Kind, times: Times, now: int, part: Part) -> Place:
        """Give the epoch of a part that is there already: of originals, too, that would not be stored now.

        Beside their message they would be taken for what lasts as long.
        """
        classed = self._classed(kind, times, now)
        rule = classed.body if part is Part.BODY else classed.originals
        return self.place(rule, times.created_at, part)

    def place(self, rule: Rule, created_at: int, part: Part) -> Place:
        """Give the epoch of a moment in a class."""
        return f"{rule.class_of(part)}{_MARK}{self.mark}", epoch_of(rule, created_at, part)

    def _classed(self, kind: Kind, times: Times, now: int) -> _Classed:
        body = self._bounds(kind, times, now, Part.BODY)
        originals = self._bounds(kind, times, now, Part.ORIGINALS)
        never = any(not one.yields and one.duration.longest == 0 for one in originals.ceilings)
        return _Classed(body.rule, originals.rule, not never)

    def is_past(self, kind: Kind, times: Times, now: int) -> bool:
        """Say whether a message is past its date already: a run would erase it at once."""
        return may_go(self._bounds(kind, times, now, Part.BODY), now)

    def _bounds(self, kind: Kind, times: Times, now: int, part: Part) -> Bounds:
        fact = Fact(
            user=None,
            session=None,
            namespace=kind.namespace,
            role=kind.role,
            messages=1,
            bytes=0,
            oldest=times.created_at,
            newest=times.created_at,
            session_start=min(times.session_start, times.created_at),
            last_activity=max(times.last_activity, times.created_at),
            labels=kind.labels,
            part=part,
        )
        return bounds(rules_for(self.policies, fact), fact, now)

    # -- what needs no look ---------------------------------------------------------------------------------

    def rule_of(self, class_name: str) -> tuple[Rule, Part] | None:
        """Give the rule behind a class as it is stored; None for what other rules put there."""
        name, _, mark = class_name.partition(_MARK)
        if mark != self.mark:
            return None
        part = Part.ORIGINALS if name.endswith(ORIGINALS) else Part.BODY
        own = name.removesuffix(ORIGINALS)
        return next(((rule, part) for rule in self.policies.rules if rule.name == own), None)

    def due_after(self, class_name: str, first: int, last: int | None = None) -> float:
        """Give a moment before which nothing said from `first` on in a class is past its date.

        `last` is what was said last, where that is another moment: some rules count from it.

        A day is taken off, for changes of clocks. What other rules put there may be due at any time.
        """
        found = self.rule_of(class_name)
        if found is None:
            return float("-inf")
        least = float("inf")
        for rule in self._ceilings_beside(found[0]):
            due = _earliest(rule, found[1], first, first if last is None else last)
            if due is not None:
                least = min(least, due)
        return least - DAY

    def epoch_due_after(self, class_name: str, anchor: int) -> float:
        """Give the same for an epoch."""
        return self.due_after(class_name, span_of(anchor)[0])

    def is_over(self, class_name: str, anchor: int, now: int) -> bool:
        """Say whether an epoch is past the ceiling of the rule that gave its class: little should be left.

        Where rules ask for the age of sessions, another one may count by now.
        """
        found = self.rule_of(class_name)
        if found is None or self.asks_age:
            return False
        ceiling = found[0].ceiling(found[1])
        return ceiling is not None and span_of(anchor)[1] + ceiling.longest + DAY <= now

    def _ceilings_beside(self, rule: Rule) -> Iterator[Rule]:
        """Give the rules whose ceilings may count for what is in a class: the first match of each policy.

        Which of another policy's rules matches is not known, nor which comes first once sessions are older.
        """
        yield rule
        for policy in self.policies.policies:
            for other in policy.rules:
                if other.policy != rule.policy or other.match.older_than is not None:
                    yield other


def _earliest(rule: Rule, part: Part, first: int, last: int) -> float | None:
    """Give the earliest moment at which a rule may erase a part of what was said between two moments."""
    times: list[float] = []
    if rule.ceiling(part) is not None and rule.keep.at_most is not None:
        since = {From.SESSION_START: float("-inf"), From.LAST_MESSAGE: last, From.MESSAGE: first}
        times.append(since[rule.keep.count_from] + rule.keep.at_most.shortest)
    if part is Part.ORIGINALS:
        times.append(first + rule.originals.shortest)
    return min(times, default=None)


def labels_of(metadata: Mapping[str, object], policies: Policies) -> Labels:
    """Give the fields of metadata that some rule asks for, as a policy writes them."""
    found = ((name, as_label(metadata[name])) for name in sorted(policies.labels & metadata.keys()))
    return tuple((name, value) for name, value in found if value is not None)


def plain_name(class_name: str) -> str:
    """Give a class's name as a policy says it, without the mark."""
    return class_name.partition(_MARK)[0]


def mark_of(policies: Policies) -> str:
    """Give a mark that is another one whenever a rule is, or their order."""
    said = [
        (
            rule.name,
            rule.policy,
            str(rule.keep.at_least),
            str(rule.keep.at_most),
            rule.keep.count_from.value,
            sorted(rule.match.roles or ()),
            rule.match.namespaces,
            [(name, sorted(values)) for name, values in rule.match.labels],
            str(rule.match.older_than),
            rule.then.value,
            str(rule.originals),
            str(rule.zone),
        )
        for rule in policies.rules
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:_DIGITS]
