"""Policies as values: what a rule matches, how long it keeps, and what of several rules counts."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from fractions import Fraction
from functools import cache, lru_cache

from vault import messages
from vault.clock import DAY
from vault.messages import STATE
from vault.retention.durations import HOUR, WEEK, Duration
from vault.retention.reading import Place
from vault.retention.schedule import Schedule

ROLES = messages.ROLES | {STATE}  # what a rule may name: records stand beside messages
ORIGINALS = ":originals"  # what is added to the name of a class for the values that redaction replaced


class Part(enum.Enum):
    """What of a message: each is sealed in a chapter of its own."""

    BODY = "body"
    ORIGINALS = "originals"


class From(enum.Enum):
    """From when a rule counts."""

    MESSAGE = "message"
    LAST_MESSAGE = "last-message"
    SESSION_START = "session-start"


class Then(enum.Enum):
    """What happens at a ceiling."""

    ERASE = "erase"
    KEEP_REDACTED = "keep-redacted"


@dataclass(frozen=True, slots=True)
class Keep:
    """A floor, a ceiling, or both."""

    at_least: Duration | None = None
    at_most: Duration | None = None
    count_from: From = From.MESSAGE


@dataclass(frozen=True, slots=True)
class Match:
    """Conditions of which all must hold; None and nothing are no condition."""

    roles: frozenset[str] | None = None
    namespaces: tuple[str, ...] = ()
    labels: tuple[tuple[str, frozenset[str]], ...] = ()
    older_than: Duration | None = None

    @property
    def takes_all(self) -> bool:
        """Say whether no message is left out."""
        roles = self.roles is None or self.roles >= ROLES
        namespaces = not self.namespaces or any(not glob.strip("*") for glob in self.namespaces)
        return roles and namespaces and not self.labels and self.older_than is None

    def fits(self, role: str, namespace: str, labels: Mapping[str, str]) -> bool:
        """Say whether a message fits, the age of its session apart."""
        return (
            (self.roles is None or role in self.roles)
            and (not self.namespaces or any(_glob(glob).fullmatch(namespace) for glob in self.namespaces))
            and all(labels.get(name) in values for name, values in self.labels)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One class of one policy, with what it needs of its policy. `name` is policy/class."""

    name: str
    policy: str
    keep: Keep
    match: Match = Match()
    then: Then = Then.ERASE
    originals: Duration = field(default=Duration(text="0d"))
    zone: tzinfo = UTC
    at: Place = field(default=Place("", 0, 0), compare=False)

    def class_of(self, part: Part = Part.BODY) -> str:
        """Name the class under which a part of a message is sealed."""
        return self.name if part is Part.BODY else self.name + ORIGINALS

    def ceiling(self, part: Part = Part.BODY) -> Duration | None:
        """Give the time after which this rule erases a part; None where it never does."""
        at_most = self.keep.at_most
        if part is Part.BODY:
            return at_most if self.then is Then.ERASE else None
        if at_most is None:
            return self.originals
        return min(at_most, self.originals, key=lambda one: one.usual)

    def counts_from(self, part: Part = Part.BODY) -> From:
        """Say from when `ceiling` counts: what is said of originals counts from their message."""
        own = part is Part.BODY or self.ceiling(part) is not self.originals
        return self.keep.count_from if own else From.MESSAGE

    def unit(self, part: Part = Part.BODY) -> int | None:
        """Give the length of this class's epochs; None where it has none."""
        if self.counts_from(part) is not From.MESSAGE:
            return None
        ceiling = self.ceiling(part)
        return HOUR if ceiling is not None and ceiling.longest < WEEK else 24 * HOUR


@dataclass(frozen=True, slots=True)
class Policy:
    """One file. `redaction` is passed on as it was read; `models` are those that it names, and where."""

    name: str
    rules: tuple[Rule, ...]
    schedule: Schedule = field(default_factory=Schedule)
    zone: tzinfo = UTC
    max_fraction: Fraction = Fraction(1, 5)
    redaction: Mapping[str, object] = field(default_factory=dict)
    models: tuple[tuple[str, Place], ...] = field(default=(), compare=False)
    at: Place = field(default=Place("", 0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies in force together. One of them has a class that takes all messages."""

    policies: tuple[Policy, ...]

    def __post_init__(self) -> None:
        """Keep the promise that every message has a class."""
        if not any(rule.match.takes_all for rule in self.rules):
            raise ValueError("no class takes all messages")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Give the rules of all policies, in their order."""
        return tuple(rule for policy in self.policies for rule in policy.rules)

    @property
    def labels(self) -> frozenset[str]:
        """Name the fields of metadata that some rule asks for: to know them, bodies are opened."""
        return frozenset(name for rule in self.rules for name, _ in rule.match.labels)

    @property
    def gap(self) -> int:
        """Say how long the most frequent schedule lets pass between two runs."""
        return min(policy.schedule.longest_gap for policy in self.policies) * DAY


def as_label(value: object) -> str | None:
    """Give a value of metadata as a policy would write it; None for what no policy can."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            return None


# -- what matches --------------------------------------------------------------------------------------------


@lru_cache(maxsize=2**15)  # more than a policy can name
def _glob(glob: str) -> re.Pattern[str]:
    """Make a pattern of a namespace in which * stands for any characters, also for none and for /.

    What stands between two stars is taken where it comes first, and not looked for again.
    """
    first, *others = map(re.escape, re.split(r"\*+", glob))
    if not others:
        return re.compile(first)
    between = "".join(f"(?>.*?{one})" for one in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)


def is_inner(glob: str) -> bool:
    """Say whether a * stands before the end: such a glob is tried, where others are looked up."""
    return "*" in glob.rstrip("*")


_FEW = 8  # values of a label: by one that has more no class is looked up
_NONE = -1  # no age at all is asked for
_Labels = tuple[tuple[str, frozenset[str]], ...]
_Label = tuple[str, str] | tuple[()]
_Ages = dict[str, int]  # by role: from what age of its session on a message is taken


class Earlier:
    """The classes before one, by the namespaces that they take, and by a label that few of them ask for."""

    def __init__(self, matches: Iterable[Match] = ()) -> None:
        self._by_glob: dict[str, dict[_Label, dict[_Labels, _Ages]]] = {}
        self._inner: list[str] = []
        self._by_labels: dict[_Labels, list[_Label]] = {}
        self._asked: Counter[_Label] = Counter()
        for match in matches:
            self.add(match)

    def add(self, match: Match) -> None:
        """Put a class behind the others."""
        age = _NONE if match.older_than is None else match.older_than.longest
        known = self._by_labels.get(match.labels)
        keys = self._by_labels[match.labels] = self._choose(match.labels) if known is None else known
        for glob in map(_short, match.namespaces or ("*",)):
            if glob not in self._by_glob and is_inner(glob):
                self._inner.append(glob)
            there = self._by_glob.setdefault(glob, {})
            for key in keys:
                ages = there.setdefault(key, {}).setdefault(match.labels, {})
                ages |= {role: min(age, ages.get(role, age)) for role in match.roles or ROLES}

    def _choose(self, labels: _Labels) -> list[_Label]:
        """Give the values of one label, by any of which classes are found that ask for it."""
        short: list[list[_Label]] = [
            [(name, value) for value in values] for name, values in labels if len(values) <= _FEW
        ]
        if not short:
            return [()]
        keys = min(short, key=lambda keys: max(map(self._asked.__getitem__, keys)))
        self._asked.update(keys)
        return keys

    def take_all_of(self, rule: Match) -> bool:
        """Say whether they take everything that a rule would, so that it never matches."""
        asked = dict(rule.labels)
        age = _NONE if rule.older_than is None else rule.older_than.shortest
        labels: set[_Label] = {(), *((name, next(iter(values))) for name, values in rule.labels)}

        @cache
        def roles(glob: str) -> frozenset[str]:
            there = self._by_glob[glob]
            likely = (one for label in there.keys() & labels for one in there[label].items())
            fitting = (ages for wanted, ages in likely if _ask_no_more(wanted, asked))
            return frozenset(role for ages in fitting for role, least in ages.items() if least <= age)

        wanted = rule.roles or ROLES
        every = map(_short, rule.namespaces or ("*",))
        return all(wanted <= frozenset().union(*map(roles, self._taking(glob))) for glob in every)

    def _taking(self, namespace: str) -> Iterator[str]:
        """Give the globs that take all of another. A * is only taken by a *."""
        starts = (namespace[:end] + "*" for end in range(len(namespace) + 1))
        yield from (glob for glob in {namespace, *starts} if glob in self._by_glob)
        yield from (glob for glob in self._inner if _glob(glob).fullmatch(namespace))


def _short(glob: str) -> str:
    """Write one * at the end for several."""
    return glob.rstrip("*") + "*" if glob.endswith("*") else glob


def _ask_no_more(labels: _Labels, asked: Mapping[str, frozenset[str]]) -> bool:
    """Say whether what some labels ask is asked by others, too."""
    return all(name in asked and asked[name] <= values for name, values in labels)
