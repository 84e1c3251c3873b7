"""Puts likely tokens together: where a name or a value begins and ends."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

import numpy as np

from vault.redaction.findings import Finding, Ground
from vault.redaction.names.network import Floats
from vault.redaction.names.plausible import BEFORE, counts, dated, plausible

BY: Final = "names"
NAMES: Final = ("PERSON", "LOCATION", "ORGANIZATION")
ENTITIES: Final = (
    *NAMES,
    "ADDRESS",
    "AGE",
    "DATE_OF_BIRTH",
    "PHONE_NUMBER",
    "USERNAME",
    "SECRET",
    "LICENSE_PLATE",
    "PASSPORT",
    "DRIVER_LICENSE",
    "NATIONAL_ID",
    "MEDICAL_ID",
    "BANK_ACCOUNT",
    "CREDIT_CARD",
    "EMAIL_ADDRESS",
    "URL",
)
"""In the order of the network's labels."""

JOINED: Final = 0.7
"""What part of the threshold is enough for a word beside a name to belong to it."""

_ABBREVIATED: Final = 3
_TIES: Final = frozenset("-_")
_ENDS: Final = frozenset(" \t\n\r\"'`<>()[]{}|,;")
"""What no address of the net goes over."""

_GLUED: Final = 12
"""Tokens that a value is lengthened by at most, on either side."""


def _closes(word: str, before: str) -> bool:
    """Say whether a token can end a name: a word can, and the dot of an initial or of a short form."""
    bare = word.strip()
    return bare[:1].isalnum() or (bare == "." and len(before.strip()) <= _ABBREVIATED)


def _cut(words: list[str], first: int, last: int) -> tuple[int, int]:
    """Take off what is no part of a name at its ends."""
    while first < last and not words[first].strip()[:1].isalnum():
        first += 1
    while first < last and not _closes(words[last], words[last - 1]):
        last -= 1
    return first, last


def _whole(words: list[str], first: int, last: int, done: int) -> tuple[int, int]:
    """Take off spaces at the ends of a value, and add what is written together with it."""
    while first < last and words[first].isspace():
        first += 1
    while first < last and words[last].isspace():
        last -= 1
    lowest = max(first - _GLUED, done)
    while first > lowest + 1 and words[first][:1].isalnum() and words[first - 1].strip() in _TIES:
        if not words[first - 2][-1:].isalnum() or words[first - 1][0] == " ":
            break
        first -= 2
    highest = min(last + _GLUED, len(words) - 1)
    while last < highest and words[last][-1:].isalnum() and words[last + 1] in _TIES:
        if last + 2 > highest or not words[last + 2][:1].isalnum():
            break
        last += 2
    return first, last


def _address(words: list[str], first: int, last: int, done: int) -> tuple[int, int]:
    """Add the rest of an address of the net of which a part was found: as far as nothing ends it."""
    while first > done and words[first].strip() and words[first][0] not in _ENDS:
        if words[first - 1][-1:] in _ENDS:
            break
        first -= 1
    while last + 1 < len(words) and words[last + 1][:1] not in _ENDS:
        last += 1
    return first, last


def _date(words: list[str], first: int, last: int, done: int) -> tuple[int, int]:
    """Add the rest of a date of which a part was found."""
    low, high = max(first - _GLUED, done), min(last + _GLUED, len(words) - 1)
    ends = list(accumulate(map(len, words[low : high + 1])))
    start, stop = dated(
        "".join(words[low : high + 1]),
        ends[first - low] - len(words[first].lstrip(" ")),
        ends[last - low],
    )
    return low + bisect_right(ends, start), low + bisect_left(ends, stop)


def _joining(
    words: list[str], sure: list[float], best: list[int], begun: list[float], bounds: Floats
) -> Callable[[int], bool]:
    """Say of a token whether it and the next one belong together."""
    floors = (bounds * JOINED).tolist()
    names = len(NAMES)

    def joins(at: int) -> bool:
        behind = at + 1
        if sure[at] < floors[best[at]] or sure[behind] < floors[best[behind]]:
            return False
        is_tied = words[at] in _TIES
        is_name = best[behind] < names
        if is_name != (best[at] < names) and not is_tied and words[behind] not in _TIES:
            return False
        return is_tied or not is_name or begun[behind] * 2 <= sure[behind]  # else another name begins

    return joins


def spans(  # noqa: PLR0913, PLR0917 (of one chunk)
    words: list[str], odds: Floats, bounds: Floats, offset: int, begin: int, stop: int
) -> Iterator[tuple[Finding, list[str], float]]:
    """Give runs of likely tokens, around one that is more so. A name ends where another begins."""
    kinds = odds[:, :-1]
    everything = kinds.sum(axis=1)
    best = kinds.argmax(axis=1)
    firm = np.flatnonzero(everything[:stop] >= bounds[best[:stop]]).tolist()
    joins = _joining(words, everything.tolist(), best.tolist(), odds[:, -1].tolist(), bounds)
    ends = list(accumulate(map(len, words)))
    index = done = begin
    count = len(words)
    for place in firm:
        if place < index or words[place].isspace():
            continue
        first = last = place
        while first > done and "\n" not in words[first - 1] and joins(first - 1):
            first -= 1
        while last + 1 < count and "\n" not in words[last + 1] and joins(last):
            last += 1
        index = last + 1
        kind = int(best[first] if first == last else kinds[first : last + 1].sum(axis=0).argmax())
        first, last = _cut(words, first, last) if kind < len(NAMES) else _whole(words, first, last, done)
        if ENTITIES[kind] == "DATE_OF_BIRTH":
            first, last = _date(words, first, last, done)
        elif ENTITIES[kind] == "URL":
            first, last = _address(words, first, last, done)
        if not any(word.strip()[:1].isalnum() for word in words[first : last + 1]):
            continue
        start = offset + ends[first] - len(words[first].lstrip(" "))
        index = done = max(index, last + 1)
        score = float(everything[first] if first == last else everything[first : last + 1].mean())
        value = "".join(words[first : last + 1])
        if not plausible(ENTITIES[kind], value):
            continue
        if counts(ENTITIES[kind], value, "".join(words[max(first - BEFORE, 0) : first])):
            continue
        found = Finding(ENTITIES[kind], start, offset + ends[last], min(score, 1.0), BY, Ground.MODEL)
        yield found, words[first : last + 1], float(bounds[kind])
