"""What characters a pattern can't do without: the gate's cheap test where there is no Hyperscan.

A pattern is read by Python's own parser. From its tree follows how long a match is at least, how many of
its characters
are digits, and which characters stand in every match. What the parser can't read needs nothing: it is
always let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_PARSER = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 (since 3.11; there is no public one)
_DIGITS = frozenset(map(ord, "0123456789"))
_DIGIT = "0-9"  # among the characters: one digit, whichever
_SAME = str.maketrans({0x17F: "s", 0x212A: "k", 0x130: "i", 0x131: "i"})


@dataclass(frozen=True, slots=True)
class Present:
    """What a text has: how many characters and digits, and which characters, in lower case."""

    length: int
    digits: int
    characters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Need:
    """What every match has, at the least."""

    length: int = 0
    digits: int = 0
    characters: frozenset[str] = frozenset()

    @property
    def has_digit(self) -> bool:
        """Whether every match has a digit, or looks at one."""
        return _DIGIT in self.characters

    def met(self, there: Present) -> bool:
        """Whether a text could hold a match."""
        return (
            self.digits <= there.digits
            and self.length <= there.length
            and self.characters <= there.characters
        )


NOTHING = Need()


def present(text: str) -> Present:
    """What a text has."""
    plain = text.isascii()
    digits = sum(map(text.count, "0123456789")) if plain else sum(map(str.isdecimal, text))
    low = text.lower() if plain else text.translate(_SAME).lower()
    return Present(len(text), digits, frozenset(low) | ({_DIGIT} if digits else frozenset()))


def needed(pattern: str, flags: int) -> Need:
    """What every match of a pattern has."""
    try:
        return _sequence(_PARSER.parse(pattern, int(flags)))
    except (re.error, RecursionError, TypeError, AttributeError, KeyError):
        return NOTHING


def _sequence(items: Iterable[tuple[Any, Any]]) -> Need:
    length, digits = 0, 0
    characters: frozenset[str] = frozenset()
    for operation, value in items:
        need = _item(str(operation), value)
        length += need.length
        digits += need.digits
        characters |= need.characters
    return Need(length, digits, characters)


def _item(operation: str, value: Any) -> Need:  # noqa: PLR0911
    match operation:
        case "LITERAL":
            if value in _DIGITS:
                return Need(1, 1, frozenset({_DIGIT, chr(value)}))
            return Need(1, 0, frozenset(chr(value).lower() if chr(value).isascii() else ""))
        case "IN":
            return Need(1, 1, frozenset({_DIGIT})) if all(map(_only_digits, value)) else Need(1)
        case "ANY" | "NOT_LITERAL":
            return Need(1)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, _, body = value
            once = _sequence(body) if least else NOTHING
            return Need(once.length * least, once.digits * least, once.characters)
        case "SUBPATTERN":
            return _sequence(value[3])
        case "ATOMIC_GROUP":
            return _sequence(value)
        case "ASSERT":  # what it looks at may be taken by another part
            return Need(characters=_sequence(value[1]).characters)
        case "BRANCH":
            ways = [_sequence(way) for way in value[1]]
            common = frozenset.intersection(*(way.characters for way in ways))
            return Need(min(way.length for way in ways), min(way.digits for way in ways), common)
        case _:
            return NOTHING


def _only_digits(member: tuple[Any, Any]) -> bool:
    operation, value = str(member[0]), member[1]
    match operation:
        case "LITERAL":
            return value in _DIGITS
        case "RANGE":
            return value[0] in _DIGITS and value[1] in _DIGITS
        case "CATEGORY":
            return str(value) == "CATEGORY_DIGIT"
        case _:
            return False
