"""Folds a text to plain ASCII so that one pattern reads all the ways in which the same thing is written.

Digits of every script become 0-9, letters lose their accents, every dash is "-", every quote a plain one,
and what can't be seen (zero-width and bidirectional marks, combining accents) is taken out. Each place
in the folded text leads back to its place in the original: nothing is found in one that can't be cut from
the other.
"""

from __future__ import annotations

import re
import unicodedata
from array import array

from msgspec import Struct

_UNSEEN = frozenset({"Cf", "Mn", "Me"})
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u30fc\u00ac\u02d7"
_BY_HAND = {
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4\u02b9"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"'),
    **dict(zip(map(ord, "ßæÆøØłŁđĐðÐþÞœŒıħĦŧŦ"), "saAoOlLdDdDtToOihHtT", strict=True)),
    0x2028: "\n",
    0x2029: "\n",
    0x0085: "\n",
    0x2044: "/",
    0x2215: "/",
    0x00B7: ".",
    0x2024: ".",
    0x3002: ".",
    0x2022: "*",
    0x2116: "#",
}


def _folded(character: str) -> str:
    """The one ASCII character that stands for this one."""
    digit = unicodedata.digit(character, -1)
    if digit >= 0 and unicodedata.category(character) == "Nd":
        return chr(48 + digit)
    plain = unicodedata.normalize("NFKD", character)
    if plain[:1].isascii() and (len(plain) == 1 or unicodedata.category(plain[1]) in _UNSEEN):
        return plain[0] if plain[0].isprintable() else " "
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return " " if character.isspace() else "\x01"


class _Table(dict[int, str]):
    """A table for str.translate that fills itself with what it meets."""

    def __missing__(self, code: int) -> str:
        found = chr(code) if chr(code).isascii() else _folded(chr(code))
        self[code] = found
        return found


_FOLD = _Table(_BY_HAND)
_SUSPECT = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0"
    "\ufe00-\ufe0f\ufeff]"
)


class Folded(Struct, frozen=True, gc=False):
    """A text in its folded form; `low` is the same in lower case."""

    text: str
    low: str
    places: array[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where text[start:end] stands in the original."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """Fold a text. One of plain ASCII is its own folded form."""
    if text.isascii():
        return Folded(text, text.lower())
    places = None
    if _SUSPECT.search(text):
        places = array("L", (at for at, character in enumerate(text) if not _SUSPECT.match(character)))
        text = _SUSPECT.sub("", text)
    plain = text.translate(_FOLD)
    return Folded(plain, plain.lower(), places)
