"""Regular expressions from a user's settings, made so that no text can make them slow.

`re` backtracks: of two pluses that can share characters, a text can be written that takes hours. So + and *
get an end (REACH), and the most steps that a pattern could take at one place of the worst text are counted
on its parse tree before it is accepted: at most STEPS, so that a search is linear in the text.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

REACH: Final = 128  # what + and * may take beyond their least
STEPS: Final = 1_000

_parser: Final = importlib.import_module("re._parser")  # no stubs; what sre_parse was

_quantified: Final = re.compile(
    r"""\\. | \(\?\#[^)]*\) | \(\?? | \[\^?\]?(?:\\.|[^\]\\])*\]
      | (?:(?P<open>[*+]|\{(?P<least>\d*),\})|\?|\{\d*,?\d*\})[?+]?""",
    re.DOTALL | re.VERBOSE,
)
_caseless: Final = re.compile(r"\(\?[a-zA-Z]*i")

_Items = Sequence[tuple[object, Any]]
_Set = frozenset[str]


class PatternError(ValueError):
    """Why a pattern is refused. Neither it nor its text is in the message: it may be personal."""


class _CostlyError(Exception):
    """The pattern could take more than STEPS."""


def compile_bounded(source: str) -> re.Pattern[str]:
    """Compile a pattern whose search takes linear time, or say why there is none."""
    bounded = _quantified.sub(_bound, source)
    try:
        tree = _parser.parse(bounded)
        pattern = re.compile(bounded)
    except (re.error, OverflowError, RecursionError):
        pattern = None
    if pattern is None:  # raised here, so that the error which quotes the pattern is not its context
        raise PatternError("it is no regular expression")
    if pattern.flags & re.VERBOSE:
        raise PatternError("the flag x is not supported")
    if tree.getwidth()[0] == 0:
        raise PatternError("it matches the empty string")
    costly = False
    try:
        _Count(tree, caseless=_caseless.search(source) is not None).steps(tree, 1, _END)
    except (_CostlyError, RecursionError):
        costly = True
    if costly:
        raise PatternError("a text could make it slow: quantifiers that are nested or share characters")
    return pattern


def _bound(match: re.Match[str]) -> str:
    """Give + and * and {n,} an end; a ? or + behind them stays.

    What ends the pattern may stay open: nothing behind it can fail, and the search goes on where it ended.
    """
    if (quantifier := match["open"]) is None or match.end() == len(match.string):
        return match.group()
    least = int(match["least"] or 0) if quantifier[0] == "{" else int(quantifier == "+")
    return f"{{{least},{least + REACH}}}{match.group()[len(quantifier) :]}"


_END: Final[_Set] = frozenset()  # behind the pattern's end nothing can fail
_SAMPLE: Final = (
    "".join(map(chr, range(128))) + "\u00a0\u00e9\u00c9\u0434\u0414\u4e2d\u0664\u2003\u20ac\U0001f600"
)


class _Count:
    """The steps of a pattern on its worst text. Sets of characters are sets of samples."""

    def __init__(self, tree: _Items, *, caseless: bool) -> None:
        self.caseless = caseless
        self.every: _Set = frozenset(_SAMPLE) | frozenset(map(chr, _literals(tree)))

    def steps(self, items: _Items, rest: int, follows: _Set) -> int:
        """The steps to match items, and at each of their ends the `rest`, which `follows` begin."""
        for index in range(len(items) - 1, -1, -1):
            rest = self.step(items[index], rest, self.first(items[index + 1 :], follows))
            if rest > STEPS:
                raise _CostlyError
        return rest

    def step(self, item: tuple[object, Any], rest: int, follows: _Set) -> int:
        """The same for one item."""
        name, value = str(item[0]), item[1]
        match name:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "AT":
                rest += 1
            case "SUBPATTERN":
                rest = self.steps(value[3], rest, follows)
            case "BRANCH":
                rest = sum(self.steps(branch, rest, follows) for branch in value[1])
            case "ATOMIC_GROUP":
                rest += self.steps(value, 1, _END)
            case "ASSERT" | "ASSERT_NOT":
                rest += self.steps(value[1], 1, _END)
            case "MAX_REPEAT" | "MIN_REPEAT":
                rest = self.repeat(value, rest, follows)
            case "POSSESSIVE_REPEAT":
                rest += self.repeat(value, 1, _END)
            case "GROUPREF":
                rest += REACH
            case _:
                raise _CostlyError
        return rest

    def repeat(self, value: tuple[int, int, _Items], rest: int, follows: _Set) -> int:
        """A repeat gives back what it took, piece by piece, and tries the rest each time."""
        least, most, body = int(value[0]), int(value[1]), value[2]
        if most == int(_parser.MAXREPEAT):  # only what ends the pattern
            most = least + REACH
        if most > STEPS:
            raise _CostlyError
        begins = self.first(body, _END)
        if len(body) == 1 and str(body[0][0]) in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}:
            ends = most - least + 1
            return most + (ends + rest if begins.isdisjoint(follows) else ends * rest)
        total = rest
        for times in range(most - 1, -1, -1):
            total = self.steps(body, total, begins | follows) + (rest if times >= least else 0)
        return total

    def first(self, items: _Items, follows: _Set) -> _Set:
        """The characters that items can begin with; all of them, where that is not known."""
        found: _Set = frozenset()
        for name, value in items:
            match str(name):
                case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                    return found | self.members(str(name), value)
                case "SUBPATTERN":
                    inner, empty = value[3], value[3].getwidth()[0] == 0
                    found |= self.first(inner, _END)
                case "BRANCH":
                    empty = any(branch.getwidth()[0] == 0 for branch in value[1])
                    found = found.union(*(self.first(branch, _END) for branch in value[1]))
                case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                    empty = value[0] == 0 or value[2].getwidth()[0] == 0
                    found |= self.first(value[2], _END)
                case _:
                    return self.every
            if not empty:
                return found
        return found | follows

    def members(self, name: str, value: Any) -> _Set:
        """The samples that one item matches."""
        match name:
            case "ANY":
                return self.every
            case "LITERAL":
                found = frozenset(chr(value))
            case "NOT_LITERAL":
                found = self.every - {chr(value)}
            case _:
                found = frozenset().union(*(self.part(str(kind), part) for kind, part in value))
                if str(value[0][0]) == "NEGATE":
                    return self.every - found if not self.caseless else self.every
        return found | {other for sign in found for other in sign.swapcase()} if self.caseless else found

    def part(self, kind: str, value: Any) -> _Set:
        """The samples of one part of a character class."""
        match kind:
            case "LITERAL":
                return frozenset(chr(value))
            case "RANGE":
                return frozenset(sign for sign in self.every if value[0] <= ord(sign) <= value[1])
            case "NEGATE":
                return frozenset()
        category = re.compile(_CATEGORIES[str(value)])
        return frozenset(sign for sign in self.every if category.match(sign))


_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


def _literals(tree: Any) -> Iterator[int]:
    """All code points that the pattern names, so that the samples have them."""
    if isinstance(tree, tuple) and len(tree) == 2:  # noqa: PLR2004  an item, or the ends of a range
        name, value = tree
        if str(name) in {"LITERAL", "NOT_LITERAL"}:
            yield value
            return
        if str(name) == "RANGE":
            yield from value
            return
    if isinstance(tree, (tuple, list, _parser.SubPattern)):
        for part in tree:
            yield from _literals(part)
