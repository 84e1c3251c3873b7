"""From files to policies: what stands in one file must make sense, and so must several together."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from fractions import Fraction
from pathlib import Path

from vault.clock import DAY
from vault.errors import PolicyError, UsageError
from vault.retention import durations, policy_file, schedule
from vault.retention.durations import Duration
from vault.retention.policy import ROLES, Earlier, From, Keep, Match, Policies, Policy, Rule, Then, is_inner
from vault.retention.reading import (
    Node,
    Place,
    Problems,
    Scalar,
    Sequence,
    Table,
    entries,
    naming,
    read,
    text_of,
)
from vault.retention.redacting import read_block
from vault.retention.shape import CLASS, POLICY, Record, check

_MOST_INNER = 100  # namespaces with a * before their end, in one file


def load(paths: Iterable[str | os.PathLike[str]]) -> Policies:
    """Read the policies that are to be in force together; raise PolicyError that says all that is wrong."""
    files = [policy_file(Path(path)) for path in paths]
    if not files:
        raise UsageError("no policy file is named", hint="policies/default.yaml is a start")
    problems = Problems()
    policies = [policy for file in files if (policy := _try_load(file, problems)) is not None]
    _check_together(policies, problems)
    problems.end()
    return Policies(tuple(policies))


def _try_load(path: Path, problems: Problems) -> Policy | None:
    """Read one file and note what is wrong with it."""
    own = Problems()
    try:
        node = read(path, own)
        check(node, POLICY, own)
        own.end()
        return _policy(node, problems)
    except PolicyError as error:
        problems.found += error.all
        return None


# -- one file ------------------------------------------------------------------------------------------------


class _Fields:
    """A table whose shape was checked; what is left out has its default."""

    def __init__(self, node: Node | None, kind: Record) -> None:
        self._entries = node.entries if isinstance(node, Table) else {}
        self._kind = kind

    def node(self, name: str) -> Node | None:
        return self._entries.get(name)

    def text(self, name: str) -> str:
        node = self._entries.get(name)
        return node.value if isinstance(node, Scalar) else self._kind.fields[name].default or ""

    def duration(self, name: str) -> Duration | None:
        said = self.text(name)
        return durations.parse(said) if said else None

    def below(self, name: str) -> _Fields:
        kind = self._kind.fields[name].kind
        if not isinstance(kind, Record):
            raise TypeError(name)
        return _Fields(self._entries.get(name), kind)

    def each(self, name: str) -> Iterator[Node]:
        node = self._entries.get(name)
        if node is not None:
            yield from node.items if isinstance(node, Sequence) else (node,)


def _policy(node: Node, problems: Problems) -> Policy:
    fields = _Fields(node, POLICY)
    zone = _zone(fields, problems)
    name = fields.text("policy")
    originals = fields.below("originals").duration("keep") or Duration()
    _refuse_many_globs(fields)
    rules: dict[str, Rule] = {}
    earlier = Earlier()
    for one in fields.each("classes"):
        rule = _rule(one, name, originals, zone)
        _check_rule(rule, rules, earlier, one, problems)
        rules.setdefault(rule.name, rule)
        earlier.add(rule.match)
    redaction, models = read_block(fields.node("redaction"), problems)
    return Policy(
        name=name,
        rules=tuple(rules.values()),
        schedule=schedule.parse(fields.text("schedule")),
        zone=zone,
        max_fraction=Fraction(fields.below("limits").text("max_fraction").rstrip("%")) / 100,
        redaction=redaction,
        models=models,
        at=_key(node, "classes"),
    )


def _refuse_many_globs(fields: _Fields) -> None:
    """Refuse what would have to be compared glob by glob."""
    named = [
        one
        for rule in fields.each("classes")
        for one in _Fields(rule, CLASS).below("match").each("namespace")
    ]
    inner = {text_of(one): one.at for one in reversed(named) if is_inner(text_of(one))}
    if len(inner) > _MOST_INNER:
        raise sorted(inner.values(), key=lambda at: (at.line, at.column))[_MOST_INNER].error(
            f"more than {_MOST_INNER} namespaces have a * before their end",
            "a * at the end, or none, may stand in as many as fit",
        )


def _zone(fields: _Fields, problems: Problems) -> tzinfo:
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 (most policies count in UTC)

    name = fields.text("timezone")
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError, RecursionError):
        node = fields.node("timezone")
        known = available_timezones()
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else "Europe/Berlin, for example"
        if node is not None:
            problems.add(
                node.at,
                f"{naming(name)} is no time zone that this machine knows",
                hint if known else "pip install tzdata",
            )
        return UTC


def _rule(node: Node, policy: str, originals: Duration, zone: tzinfo) -> Rule:
    fields = _Fields(node, CLASS)
    keep = fields.below("keep")
    return Rule(
        name=f"{policy}/{fields.text('name')}",
        policy=policy,
        keep=Keep(keep.duration("at_least"), keep.duration("at_most"), From(keep.text("count_from"))),
        match=_match(fields.below("match")),
        then=Then(fields.text("then")),
        originals=originals,
        zone=zone,
        at=node.at,
    )


def _match(fields: _Fields) -> Match:
    roles = frozenset(map(text_of, fields.each("role"))) or None
    labels = {
        name: frozenset(said for one in _each(value) for said in _labels(one))
        for name, value in entries(fields.node("metadata")).items()
    }
    return Match(
        roles=None if roles == ROLES else roles,
        namespaces=tuple(map(text_of, fields.each("namespace"))),
        labels=tuple(sorted(labels.items())),
        older_than=fields.below("session").duration("older_than"),
    )


def _labels(node: Node) -> set[str]:
    """Give a value as metadata may say it: what YAML takes for a boolean may be one, or a text."""
    said = {text_of(node)}
    return said | {one.lower() for one in said} if isinstance(node, Scalar) and node.is_bool else said


def _each(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)


def _key(node: Node, name: str) -> Place:
    return node.keys.get(name, node.at) if isinstance(node, Table) else node.at


# -- what makes sense ----------------------------------------------------------------------------------------


def _check_rule(rule: Rule, rules: dict[str, Rule], earlier: Earlier, node: Node, problems: Problems) -> None:
    """Compare a rule with itself and with those before it."""
    inside = entries(node)
    _check_keep(rule, inside, problems)
    for value in entries(entries(inside.get("match")).get("metadata")).values():
        _check_numbers(value, problems)
    own = rule.name.partition("/")[2]
    if rule.name in rules:
        line = rules[rule.name].at.line
        problems.add(inside["name"].at, f"a class {naming(own)} is there already, in line {line}")
    if rule.match.takes_all:
        first = next((other for other in rules.values() if other.match.takes_all), None)
        if first is not None:
            problems.add(
                rule.at,
                f"a second class takes all messages; the first is in line {first.at.line}",
                "give all classes but the last a match",
            )
            return
    if earlier.take_all_of(rule.match):
        problems.add(
            rule.at,
            f"the class {naming(own)} can never match: classes before it take all that it would",
            "put it before them, or take it out",
        )


def _check_keep(rule: Rule, inside: dict[str, Node], problems: Problems) -> None:
    keep, said = rule.keep, entries(inside["keep"])
    for name, duration in (("at_least", keep.at_least), ("at_most", keep.at_most)):
        if duration is not None and duration.longest == 0:
            problems.add(said[name].at, f"{name} is nothing; nothing can be kept for no time")
    older = rule.match.older_than
    if older is not None and older.longest == 0:
        session = entries(entries(inside["match"])["session"])
        problems.add(session["older_than"].at, "every session is older than this", "leave the session out")
    if keep.at_least is not None and keep.at_most is not None and _may_exceed(keep.at_least, keep.at_most):
        problems.add(
            said["at_most"].at,
            f"at_most {keep.at_most} may end before at_least {keep.at_least} does",
            "make at_most the longer one",
        )
    if rule.then is Then.KEEP_REDACTED and keep.at_most is None:
        problems.add(inside["then"].at, "keep-redacted says what happens at at_most, which is missing")


def _check_numbers(value: Node, problems: Problems) -> None:
    """Refuse numbers that metadata says in other words: a floor for one would match nothing."""
    for one in _each(value):
        if isinstance(one, Scalar) and one.is_number and not _is_as_printed(one.value):
            problems.add(
                one.at,
                "a number in metadata is compared as it is printed, which is not as it is written here",
                "1000.0 for 1e3, 16 for 0x10; to mean a text, put it between quotes",
            )


def _is_as_printed(number: str) -> bool:
    if re.fullmatch("0|-?[1-9][0-9]*", number):
        return True
    try:
        return repr(float(number)) == number
    except ValueError:  # of another base; or what is no number
        return False


def _may_exceed(floor: Duration, ceiling: Duration) -> bool:
    """Say whether a floor may ever end after a ceiling: a month may have 28 days, or 31."""
    if floor.months and ceiling.months:
        return (floor.months, floor.days * DAY + floor.exact) > (
            ceiling.months,
            ceiling.days * DAY + ceiling.exact,
        )
    return floor.longest > ceiling.shortest


def _check_together(policies: list[Policy], problems: Problems) -> None:
    names: dict[str, Policy] = {}
    for policy in policies:
        first = names.setdefault(policy.name, policy)
        if first is not policy:
            problems.add(policy.at, f"a policy {naming(policy.name)} is there already, in {first.at.path}")
    rules = [rule for policy in policies for rule in policy.rules]
    if not problems.found and not any(rule.match.takes_all for rule in rules):
        problems.add(
            policies[0].at,
            "no class takes all messages, so that some would have no class",
            "end with a class without match",
        )
