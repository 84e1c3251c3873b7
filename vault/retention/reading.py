"""YAML as a tree that knows its places. A value is a text until a field says otherwise.

What other readers of YAML guess (NO is false, 1e3 is a number) is not guessed here. Anchors, tags and second
documents are refused while they are read, so that no file can unfold into more than it shows.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from vault.errors import PolicyError

LIMIT = 128 * 1024
_DEEPEST = 32
_MOST_PROBLEMS = 20
_NAMEABLE = re.compile(r"[\w. /*-]{1,40}")
_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

# What YAML 1.2 takes for something else than a text; editors do, too.
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NUMBER = re.compile(
    r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file, line and column, counted from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def error(self, message: str, hint: str = "") -> PolicyError:
        """Make an error of this place."""
        return PolicyError(message, hint=hint, path=self.path, line=self.line, column=self.column)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `is_plain` without quotes: only then may it be a number or nothing."""

    value: str
    is_plain: bool
    at: Place

    @property
    def is_null(self) -> bool:
        """Say whether nothing stands here."""
        return self.is_plain and _NULL.fullmatch(self.value) is not None

    @property
    def is_bool(self) -> bool:
        """Say whether YAML 1.2 takes this for true or false."""
        return self.is_plain and _BOOL.fullmatch(self.value) is not None

    @property
    def is_number(self) -> bool:
        """Say whether YAML 1.2 takes this for a number."""
        return self.is_plain and _NUMBER.fullmatch(self.value) is not None

    @property
    def is_text(self) -> bool:
        """Say whether every reader of YAML 1.2 takes this for a text."""
        guesses = (_NULL, _BOOL, _NUMBER) if self.is_plain else ()
        return not any(guess.fullmatch(self.value) for guess in guesses)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    at: Place


@dataclass(frozen=True, slots=True)
class Table:
    """Keys with their values, and the places of the keys."""

    entries: dict[str, Node]
    keys: dict[str, Place]
    at: Place


Node = Scalar | Sequence | Table


def text_of(node: Node) -> str:
    """Give a value; nothing where something else stands."""
    return node.value if isinstance(node, Scalar) else ""


def items_of(node: Node | None) -> tuple[Node, ...]:
    """Give what a list holds; nothing where something else stands, or nothing at all."""
    return node.items if isinstance(node, Sequence) else ()


def entries(node: Node | None) -> dict[str, Node]:
    """Give what a table holds; nothing where something else stands, or nothing at all."""
    return node.entries if isinstance(node, Table) else {}


def plain(node: Node) -> object:
    """Give what a tree holds, without its places."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Table():
            return {key: plain(value) for key, value in node.entries.items()}


@dataclass(slots=True)
class Problems:
    """All that is wrong with a file, so that it can be said at once."""

    found: list[PolicyError] = field(default_factory=list)

    def add(self, at: Place, message: str, hint: str = "") -> None:
        """Note a problem; of too many, the first ones are enough."""
        self.found.append(at.error(message, hint))
        if len(self.found) >= _MOST_PROBLEMS:
            self.end()

    def end(self) -> None:
        """Raise what was found, if anything was, in the order of the file."""
        if self.found:
            first, *others = sorted(self.found, key=lambda one: (one.path, one.line, one.column))
            raise PolicyError(
                first.message,
                hint=first.hint,
                path=first.path,
                line=first.line,
                column=first.column,
                others=others,
            )


def read(path: Path, problems: Problems) -> Node:
    """Read a file into a tree. Doubled keys are noted; what can't be read on is raised."""
    top = Place(str(path), 1, 1)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise top.error("this is no file", "a pipe or a device would be waited for")
        with path.open("rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        raise top.error(f"the file can't be read: {error.strerror}") from None
    except ValueError:  # a NUL character
        raise top.error("no file has such a name") from None
    if len(content) > LIMIT:
        raise top.error(
            f"the file has more than {LIMIT:,} bytes",
            "a policy is a short YAML file; see policies/default.yaml",
        )
    return _Builder(top, problems).read(_decoded(content, top))


def _decoded(content: bytes, top: Place) -> str:
    problem = None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text, problem = content[: error.start].decode("utf-8-sig", "replace"), "this is not UTF-8"
    if problem is None and (found := re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)):
        text, problem = text[: found.start()], "this is not YAML: a control character stands here"
    if problem is not None:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        raise Place(top.path, line, column).error(problem)
    return text


class _Builder:
    """Turns the parser's events into nodes."""

    def __init__(self, top: Place, problems: Problems) -> None:
        self._top = top
        self._problems = problems

    def read(self, text: str) -> Node:
        try:
            events = iter(yaml.parse(text, Loader=_LOADER))
            node: Node | None = None
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent):
                    if node is not None:
                        self._refuse(event, "a second document starts here; a file holds one policy")
                    node = self._node(next(events), events, 0)
        except yaml.MarkedYAMLError as error:
            failure = self._place(error.problem_mark).error(f"this is not YAML: {error.problem}")
        except yaml.YAMLError:
            failure = self._top.error("this is not YAML: a character that may not stand in it")
        else:
            if node is not None:
                return node
            failure = self._top.error("the file is empty", "expected a policy; see policies/default.yaml")
        raise failure  # out here, away from an error that quotes the file

    def _place(self, mark: object) -> Place:
        line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
        return Place(self._top.path, line + 1, column + 1)

    def _refuse(self, event: yaml.Event, message: str, hint: str = "") -> NoReturn:
        raise self._place(event.start_mark).error(message, hint)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        at = self._place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse(event, "anchors and aliases are not read here", "write the value out")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, "tags are not read here", "every field knows its own type")
        if depth > _DEEPEST:
            self._refuse(event, f"this is nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, bool(event.implicit[0]), at)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events, depth + 1))
            return Sequence(tuple(items), at)
        return self._table(at, events, depth)

    def _table(self, at: Place, events: Iterator[yaml.Event], depth: int) -> Table:
        table = Table({}, {}, at)
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self._problems.add(key.at, "a key is a word")
            elif key.value in table.entries:
                first = table.keys[key.value].line
                self._problems.add(
                    key.at, f"{naming(key.value)} is here a second time; it stands in line {first}"
                )
            else:
                table.entries[key.value] = value
                table.keys[key.value] = key.at
        return table


def naming(word: str, otherwise: str = "this") -> str:
    """Name a word of the file. What does not look like one may be anything, and is not repeated (P1)."""
    return f"“{word}”" if _NAMEABLE.fullmatch(word) else otherwise


def nearest(word: str, known: Collection[str]) -> str:
    """Say which known word was probably meant."""
    close = difflib.get_close_matches(word[:40].lower(), list(known), 1, 0.6)
    listed = ", ".join(sorted(known))
    return f"did you mean {close[0]}? known here: {listed}" if close else f"known here: {listed}"
