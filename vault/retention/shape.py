"""The shape of a policy file, said once: the reader checks by it, and the JSON Schema is made from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vault.retention import durations, schedule
from vault.retention.policy import ROLES
from vault.retention.reading import Node, Problems, Scalar, Sequence, Table, naming, nearest


@dataclass(frozen=True, slots=True)
class Text:
    """A text of some form; `parse` raises ValueError for what the pattern can't tell."""

    pattern: str
    expected: str
    examples: tuple[str, ...] = ()
    parse: Callable[[str], object] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a few."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """The number 1."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text, a number or a boolean, compared as it is written."""


@dataclass(frozen=True, slots=True)
class Some:
    """One of a kind, or a list of it."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Many:
    """A list with something in it."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Labels:
    """Keys of the app's own, with something in it."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Raw:
    """Keys that somebody else reads."""


@dataclass(frozen=True, slots=True)
class Field:
    """What stands under a key, and what it is for."""

    kind: Kind
    about: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Known keys. Of `one_of` at least one is there."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()


Kind = Text | Choice | Version | Label | Some | Many | Labels | Raw | Record

_NAME = Text(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
    "a name of letters, digits, dots and hyphens",
    ("support-eu", "default"),
)
_DURATION = Text(
    durations.PATTERN, durations.EXPECTED, ("90d", "1y", "6mo", "2w", "12h", "P1Y6M"), durations.parse
)
_GLOB = Text(
    r"[^\x00-\x1f\x7f]{1,255}", "a namespace, in which * stands for anything", ("billing/*", "support/eu")
)
_ZONE = Text(
    r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*",
    "a time zone such as UTC or Europe/Berlin",
    ("UTC", "Europe/Berlin"),
)
_PERCENT = Text(r"(?:100|[1-9]?[0-9](?:\.[0-9]{1,3})?)%", "a share from 0% to 100%", ("20%",))

_SESSION = Record(
    {"older_than": Field(_DURATION, "Sessions that began longer ago than this.")}, required=("older_than",)
)
_MATCH = Record(
    {
        "role": Field(
            Some(Choice(tuple(sorted(ROLES)))),
            "Who speaks, or state for an adapter's records; one role or a list.",
        ),
        "namespace": Field(Some(_GLOB), "The session's namespace; * stands for any characters, also /."),
        "metadata": Field(
            Labels(Some(Label())),
            "Fields of a message's metadata. Deciding by them opens bodies, which costs time.",
        ),
        "session": Field(_SESSION, "How old the session is."),
    },
    one_of=("role", "namespace", "metadata", "session"),
)
_KEEP = Record(
    {
        "at_least": Field(
            _DURATION, "The floor: before it nothing is erased, whichever class a message has."
        ),
        "at_most": Field(
            _DURATION, "The ceiling: what is older is erased, unless a floor or a hold keeps it."
        ),
        "count_from": Field(
            Choice(("message", "last-message", "session-start")), "From when the time is counted.", "message"
        ),
    },
    one_of=("at_least", "at_most"),
)
CLASS = Record(
    {
        "name": Field(_NAME, "The name of the class, once in a policy."),
        "match": Field(
            _MATCH, "Which messages; all conditions must hold. Left out in the last class, which takes all."
        ),
        "keep": Field(_KEEP, "How long."),
        "then": Field(
            Choice(("erase", "keep-redacted")),
            "What happens at the ceiling: all is erased, or only what redaction replaced.",
            "erase",
        ),
    },
    required=("name", "keep"),
)
POLICY = Record(
    {
        "version": Field(Version(), "The version of this format: 1."),
        "policy": Field(_NAME, "The name of the policy; its classes are called by it: policy/class."),
        "schedule": Field(
            Text(
                schedule.PATTERN,
                schedule.EXPECTED,
                ("0 3 * * *", "*/30 * * * *", "0 4 * * sun"),
                schedule.parse,
            ),
            "When the daemon runs it, in the policy's time zone: minute hour day month weekday.",
            "0 3 * * *",
        ),
        "timezone": Field(_ZONE, "Where years, months and the schedule are counted.", "UTC"),
        "limits": Field(
            Record(
                {
                    "max_fraction": Field(
                        _PERCENT, "A run over 1,000 messages that would erase more stops.", "20%"
                    )
                },
                required=("max_fraction",),
            ),
            "What stops a run before it starts.",
        ),
        "classes": Field(Many(CLASS), "The first that matches gives a message its class; all floors count."),
        "originals": Field(
            Record({"keep": Field(_DURATION, "How long; 0d: never stored.", "0d")}, required=("keep",)),
            "The values that redaction replaced.",
        ),
        "redaction": Field(Raw(), "What redaction looks for, and what it does with it."),
    },
    required=("version", "policy", "classes"),
)


def check(node: Node, kind: Kind, problems: Problems) -> None:
    """Note whatever does not have the shape."""
    match kind:
        case Record():
            _check_record(node, kind, problems)
        case Some():
            items = node.items if isinstance(node, Sequence) else (node,)
            _check_items(node, items, kind.kind, problems)
        case Many():
            if isinstance(node, Sequence):
                _check_items(node, node.items, kind.kind, problems)
            else:
                _unexpected(node, "a list", problems)
        case Labels():
            if not isinstance(node, Table) or not node.entries:
                _unexpected(node, "keys with values", problems)
                return
            for value in node.entries.values():
                check(value, kind.kind, problems)
        case Raw():
            if not isinstance(node, Table):
                _unexpected(node, "keys with values", problems)
        case _:
            _check_scalar(node, kind, problems)


def _check_items(node: Node, items: tuple[Node, ...], kind: Kind, problems: Problems) -> None:
    if not items:
        problems.add(node.at, "this list is empty", "leave it out, or put something in it")
    for item in items:
        check(item, kind, problems)


def _check_record(node: Node, kind: Record, problems: Problems) -> None:
    if not isinstance(node, Table):
        _unexpected(node, f"keys: {', '.join(kind.fields)}", problems)
        return
    for name, value in node.entries.items():
        if name in kind.fields:
            check(value, kind.fields[name].kind, problems)
        else:
            problems.add(node.keys[name], f"{naming(name)} is no known key", nearest(name, kind.fields))
    if node.entries.keys() - kind.fields.keys():
        return  # the missing key may be the one that is written wrongly
    for name in kind.required:
        if name not in node.entries:
            problems.add(node.at, f"{name} is missing here", kind.fields[name].about)
    if kind.one_of and not node.entries.keys() & kind.one_of:
        problems.add(node.at, f"expected at least one of {', '.join(kind.one_of)}")


def _check_scalar(node: Node, kind: Text | Choice | Version | Label, problems: Problems) -> None:
    if not isinstance(node, Scalar):
        _unexpected(node, _expected(kind), problems)
        return
    match kind:
        case Version():
            fits = node.is_plain and node.value == "1"
        case Label():
            fits = not node.is_null
        case Choice():
            fits = node.is_text and node.value in kind.words
        case Text():
            fits = node.is_text and re.fullmatch(kind.pattern, node.value) is not None
    problem = _ask(kind, node) if isinstance(kind, Text) else ""
    if fits and not problem:
        return
    if problem and node.is_text:
        problems.add(node.at, f"{problem}; found {_found(node)}")
    elif isinstance(kind, Choice):
        problems.add(node.at, f"expected {_expected(kind)}", nearest(node.value, kind.words))
    else:
        _unexpected(node, _expected(kind), problems)


def _ask(kind: Text, node: Scalar) -> str:
    """Give the words of the field's own parser, where it refuses."""
    if kind.parse is not None:
        try:
            kind.parse(node.value)
        except ValueError as error:
            return str(error)
    return ""


def _expected(kind: Text | Choice | Version | Label) -> str:
    match kind:
        case Version():
            return "1, the version of this format"
        case Label():
            return "a text, a number, true or false"
        case Choice():
            return f"one of {', '.join(kind.words)}"
        case Text():
            return kind.expected


def _unexpected(node: Node, expected: str, problems: Problems) -> None:
    quotes = isinstance(node, Scalar) and not node.is_text and not node.is_null
    hint = "to mean a text, put it between quotes" if quotes else ""
    problems.add(node.at, f"expected {expected}; found {_found(node)}", hint)


def _found(node: Node) -> str:
    match node:
        case Scalar():
            return "nothing" if node.is_null else naming(node.value, "something else")
        case Sequence():
            return "a list"
        case Table():
            return "keys with values"
