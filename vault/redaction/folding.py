"""Folds a text to plain ASCII so that one pattern reads all the ways in which the same thing is written.

Digits of every script become 0-9, letters lose their accents, every dash is "-", every quote a plain one,
what can't be seen (zero-width and bidirectional marks, combining accents) is taken out, and what addresses
and pages write as `%40` or `&#64;` is the sign that it stands for. Each place in the folded text leads back
to its place in the original: nothing is found in one that can't be cut from the other.
"""

from __future__ import annotations

import re
import unicodedata
from array import array

from msgspec import Struct
from msgspec.structs import replace

from vault.redaction.findings import Finding

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
    0x2800: " ",
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
_HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_ACCENTS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
# No space and no quote: they would end an address in the middle.
_ESCAPED = (
    r"%(?P<url>2[6B-Fb-f]|3[\dADad]|4[\dA-Fa-f]|5[\dAFaf]|6[1-9A-Fa-f]|7[\dAa])"
    r"|&#(?P<decimal>\d{2,3});|&#[xX](?P<hex>[2-7][\dA-Fa-f]);|&nbsp;"
)
_DISGUISE = re.compile(f"[{_HIDDEN}{_ACCENTS}]+|{_ESCAPED}")
_WITHIN = re.compile(rf"(?<=\w)[{_HIDDEN}]+(?=\w)|[\u115f\u1160\u3164\uffa0]+")  # these pass for letters
_ODD = re.compile(rf"(?![0-9])\d|[{_DASHES}]")


class Folded(Struct, frozen=True, gc=False):
    """A text in its folded form; `low` is the same in lower case.

    `is_disguised` says that a value may be written in it as only a folded text shows.
    """

    text: str
    low: str
    places: array[int] | None = None
    ends: array[int] | None = None
    is_disguised: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where text[start:end] stands in the original."""
        if self.places is None or self.ends is None:
            return start, end
        return self.places[start], self.ends[end - 1]

    def led_back(self, found: list[Finding]) -> list[Finding]:
        """Give findings in the folded text by their places in the original."""
        if self.places is None or self.ends is None:
            return found
        return [replace(one, start=self.places[one.start], end=self.ends[one.end - 1]) for one in found]


def fold(text: str) -> Folded:
    """Fold a text. One of plain ASCII is its own folded form."""
    is_plain = text.isascii()
    if is_plain and "%" not in text and "&" not in text:
        return Folded(text, text.lower())
    places = ends = None
    is_odd = not is_plain and _ODD.search(text) is not None
    if _DISGUISE.search(text):
        text, places, ends = _undisguised(text, _DISGUISE)
    plain = text if text.isascii() else text.translate(_FOLD)
    return Folded(plain, plain.lower(), places, ends, is_odd or places is not None)


def unbroken(text: str) -> Folded:
    """Give a text without what hides inside its words; nothing else of it is folded, `low` neither."""
    if text.isascii() or not _WITHIN.search(text):
        return Folded(text, text)
    plain, places, ends = _undisguised(text, _WITHIN)
    return Folded(plain, plain, places, ends)


def _undisguised(text: str, disguise: re.Pattern[str]) -> tuple[str, array[int], array[int]]:
    pieces: list[str] = []
    places, ends = array("L"), array("L")
    at = 0
    for found in disguise.finditer(text):
        pieces.append(text[at : found.start()])
        places.extend(range(at, found.start()))
        ends.extend(range(at + 1, found.start() + 1))
        at = found.end()
        if sign := _sign(found):
            pieces.append(sign)
            places.append(found.start())
            ends.append(at)
    pieces.append(text[at:])
    places.extend(range(at, len(text)))
    ends.extend(range(at + 1, len(text) + 1))
    return "".join(pieces), places, ends


def _sign(found: re.Match[str]) -> str:
    """Give the sign that an escape stands for; what can't be seen stands for none."""
    if found[0] == "&nbsp;":
        return " "
    said = found.groupdict()
    if decimal := said.get("decimal"):
        return chr(int(decimal))
    code = said.get("url") or said.get("hex")
    return chr(int(code, 16)) if code else ""
