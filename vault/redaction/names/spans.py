"""Puts likely tokens together: where a name or a value begins and ends."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

import numpy as np

from vault.redaction.findings import Finding, Ground
from vault.redaction.names.network import Floats
from vault.redaction.names.nobody import (
    is_a_column,
    is_a_locale,
    is_a_medicine,
    is_a_sum,
    is_no_birth,
    is_no_person,
    is_no_user,
)
from vault.redaction.names.plausible import BEFORE, counts, dated, is_other, plausible
from vault.redaction.names.regions import behind_town

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

_PERSON: Final = ENTITIES.index("PERSON")
_LOCATION: Final = ENTITIES.index("LOCATION")
_USERNAME: Final = ENTITIES.index("USERNAME")

JOINED: Final = 0.7
"""What part of the threshold is enough for a word beside a name to belong to it."""

_ABBREVIATED: Final = 3
_RULES: Final = frozenset(["", "|"])
"""Between the cells of a table, and between words."""

_STOPS: Final = frozenset(".!?")
_TIES: Final = frozenset("-_")
_BEHIND: Final = frozenset("?&,;:")  # a user's name: the rest of an address
_QUOTES: Final = frozenset("\"'`")
_BEFORE_QUOTES: Final = frozenset("=([{,:")
_BEHIND_QUOTES: Final = frozenset(",)]};")
_ENDS: Final = frozenset(" \t\n\r\"'`<>()[]{}|,;")
"""What no address of the net goes over."""

_GLUED: Final = 12
"""Tokens that a value is lengthened by at most, on either side."""


AFTER: Final = 3
"""Tokens behind a value that say what it is of."""

_JOINING: Final = frozenset(
    ["in", "of", "at", "from", "via", "and", "with", "for", "by", "à", "et", "und", "mit", "aus"]
)
_FAR: Final = 60  # tokens around a day in which a birth is spoken of
# fmt: off
_PARTICLES: Final = frozenset(
    ["de", "du", "del", "des", "da", "do", "dos", "das", "di", "von", "vom", "zu", "zum", "la",
    "le", "les", "el", "los", "las"]
)
_SMALL: Final = _JOINING | _PARTICLES | frozenset(
    [
        "to", "the", "or", "on", "a", "an", "is", "was", "y", "e", "o", "u", "em", "en", "no", "na",
        "que", "con", "com", "por", "para", "pour", "avec", "chez", "vers", "oder", "zur", "im",
        "am", "bei", "der", "die", "den", "dem", "nach",
    ]
)
"""Words that end no name: the first in any text, all of them where names have capitals."""

_LEADING_ON: Final = frozenset(
    ["la", "al", "el", "um", "hai", "hain", "still", "haha", "lol", "nacio", "nació"]
)
"""Words behind a name that are none of it, whether names have capitals or not."""

_OPENING: Final = _JOINING | frozenset(
    ["to", "or", "en", "em", "y", "oder", "nach", "bei", "desde", "hasta", "chez", "avec"]
)
"""Words that begin no name, as "de" and "la" do."""

_CALLED: Final = frozenset(
    [
        "as", "is", "am", "user", "username", "account", "streamer", "player", "gamer", "mod",
        "admin", "seller", "buyer", "named", "called", "name", "nick", "nickname", "handle",
        "alias", "aka", "tag", "channel", "by", "from", "with", "and", "or", "add", "dm", "als",
        "ist", "es", "est", "como", "comme",
    ]
)
"""Words before the name of a user."""

_ROOFS: Final = frozenset(
    ["house", "home", "flat", "apartment", "place", "shop", "store", "office", "school",
    "hotel", "room", "building", "address"]
)
"""Words that an address stands behind, with a comma between."""

# fmt: on
_ADDRESSED: Final = re.compile(r"[^\n\",<>]{1,60}\"(?: ?<|\s*\Z)")
"""The rest of a name in quotes, before mail or at the end."""

_DEGREES: Final = frozenset(["md", "phd", "esq", "dds", "dvm", "rn", "cpa", "mba", "jd", "llm", "obe", "mbe"])
"""What stands behind a name and a comma."""


def _closes(word: str, before: str) -> bool:
    """Say whether a token can end a name: a word can, and the dot of an initial or of a short form."""
    bare = word.strip()
    return bare[:1].isalnum() or (bare == "." and len(before.strip()) <= _ABBREVIATED)


def _cut(words: list[str], first: int, last: int) -> tuple[int, int]:
    """Take off what is no part of a name at its ends."""
    while first < last and not words[first].strip()[:1].isalnum():
        first += 1
    while first < last and words[first].strip() in _OPENING and words[first + 1][0] == " ":
        first += 1
    while first < last and (not _closes(words[last], words[last - 1]) or _is_small(words, first, last)):
        last -= 1
    if last - first > 1 and words[last - 1] == "," and words[last].strip().lower() in _DEGREES:
        last -= 2
    return first, last


def _initials(words: list[str], first: int, told: int) -> int:
    """Say where a name begins with the initials that are written together with its first: a.j., J.R.R."""
    while first - 2 >= told and words[first - 1] == "." and len(words[first]) == 1:
        if len(words[first - 2].strip()) != 1 or not words[first - 2][-1].isalpha():
            break
        first -= 2
    return first


def _is_small(words: list[str], first: int, last: int) -> bool:
    """Say whether the last token is a word that ends no name, nor leads to the rest of it."""
    space, word = words[last][0], words[last][1:]
    if space == " " and word in _LEADING_ON:
        return True
    if space != " " or word not in _SMALL:
        return False
    behind = words[last + 1][1:2] if last + 1 < len(words) else ""
    if word in _PARTICLES and behind.isupper():
        return False
    return word in _JOINING or any(one.strip()[:1].isupper() for one in words[first:last])


def _bare(entity: str, words: list[str], first: int, last: int) -> int:
    """Say where a value begins behind words of the sentence that were taken with it."""
    if entity == "USERNAME":
        while first < last and words[first].strip() in _CALLED and words[first + 1][0] == " ":
            rest = "".join(words[first + 1 : last + 1]).strip()
            if rest.isalpha() and (rest.islower() or rest.istitle()):
                break
            first += 1
    elif entity == "ADDRESS" and last - first > 1 and words[first].strip() in _ROOFS:
        first += 2 * (words[first + 1] == "," and words[first + 2].strip()[:1].isdigit())
    return first


def _goes_on(words: list[str], first: int, last: int, behind: int) -> bool:
    """Say whether a person's name goes on: "Fred Gregory", or "Gregory, Fred" in quotes before mail."""
    if words[behind][0] != " " or not words[first].strip()[:1].isupper() or not words[behind][1:2].isupper():
        return False
    if behind == last + 1:
        if words[last] == ".":
            return len(words[last - 1].strip()) == 1  # an initial and not a title
        return words[last].strip() != "n"  # "Shaz n Dazza" are two
    if behind == last + 2 and words[last + 1] == ".":
        return len(words[last].strip()) == 1
    if behind != last + 2 or words[last + 1] != "," or first == 0 or words[first - 1].strip() != '"':
        return False
    return _ADDRESSED.match("".join(words[behind : behind + _GLUED])) is not None


def _whole(words: list[str], first: int, last: int, done: int) -> tuple[int, int]:
    """Take off spaces at the ends of a value, and add what is written together with it."""
    while first < last and words[first].strip() in _RULES:
        first += 1
    while first < last and words[last].strip() in _RULES:
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


def _unquoted(words: list[str], first: int, last: int) -> tuple[int, int]:
    """Take the quotes off a value, and the signs of code that stand beyond them."""
    while first < last and _is_quote(words, first, first + 1, _BEFORE_QUOTES):
        first += 1
    while first < last and _is_quote(words, last, last - 1, _BEHIND_QUOTES):
        last -= 1
    return first, last


def _is_quote(words: list[str], at: int, inner: int, beyond: frozenset[str]) -> bool:
    sign = words[at].strip()
    return sign in _QUOTES or (sign in beyond and words[inner].strip() in _QUOTES)


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
    ends = list(accumulate(map(len, words)))

    def finding(kind: int, first: int, last: int, score: float) -> tuple[Finding, list[str], float]:
        start = offset + ends[first] - len(words[first].lstrip(" "))
        one = Finding(ENTITIES[kind], start, offset + ends[last], min(score, 1.0), BY, Ground.MODEL)
        return one, words[first : last + 1], float(bounds[kind])

    held: tuple[int, int, int, float] | None = None
    for kind, first, last, score in _runs(words, odds, bounds, begin, stop):
        if held is not None and kind == held[0] == _PERSON and _goes_on(words, *held[1:3], first):
            held = kind, held[1], last, max(score, held[3])
            continue
        if held is not None:
            yield finding(*held)
        held = kind, first, last, score
    if held is not None:
        yield finding(*held)


def _edges(entity: str, words: list[str], first: int, last: int, done: int) -> tuple[int, int]:
    """Say where what was found begins and ends, each kind after its own rule."""
    if entity in NAMES:
        return _cut(words, first, last)
    first, last = _whole(words, first, last, done)
    if entity != "SECRET":  # whose last sign may be any
        first, last = _unquoted(words, first, last)
    if entity == "DATE_OF_BIRTH":
        return _date(words, first, last, done)
    if entity == "URL":
        return _address(words, first, last, done)
    while entity == "USERNAME" and first < last and words[last].strip() in _BEHIND:
        last -= 1
    return _bare(entity, words, first, last), last


def _sentence(words: list[str], first: int, last: int) -> int:
    """Say with which token the sentence ends that a name of a user stands in."""
    for at in range(first + 1, last):
        if words[at] in _STOPS and words[at + 1][0] == " " and words[at + 1][1:2].isupper():
            return at - 1
    return last


def _parts(kind: int, words: list[str], first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Part a town from the region behind it."""
    region = behind_town(words, first, last) if kind == _LOCATION else None
    return ((first, last),) if region is None else ((first, region - 1), (region, last))


def _is_else(  # noqa: PLR0913, PLR0917 (a value in its place)
    entity: str, value: str, words: list[str], first: int, last: int, score: float
) -> bool:
    """Say whether what stands around a value says that it is another thing, or nobody's."""
    opening = " " if words[first][0] == " " else ""  # a word carries the space before it
    before = "".join(words[max(first - BEFORE, 0) : first])
    after = "".join(words[last + 1 : last + 1 + AFTER])
    if counts(entity, value, before) or is_other(entity, value, before + opening, after):
        return True
    bare = value.strip()
    match entity:
        case "DATE_OF_BIRTH":
            around = "".join(words[max(first - _FAR, 0) : last + 1 + _FAR])
            behind = "".join(words[last + 1 : last + 1 + BEFORE])
            return is_a_locale(bare) or is_no_birth(bare, around, behind, score)
        case "USERNAME":
            return is_a_locale(bare) or is_no_user(
                bare, before + opening, "".join(words[last + 1 : last + 1 + BEFORE])
            )
        case "SECRET":
            behind = "".join(words[last + 1 : last + 1 + BEFORE])
            return is_a_sum(before + opening) or is_a_column(bare, behind)
        case "PERSON":
            behind = "".join(words[last + 1 : last + 1 + BEFORE])
            return is_a_medicine(bare) or is_a_locale(bare) or is_no_person(bare, before + opening, behind)
        case _:
            return is_a_locale(bare) or (entity in NAMES and is_a_medicine(bare))


def _runs(
    words: list[str], odds: Floats, bounds: Floats, begin: int, stop: int
) -> Iterator[tuple[int, int, int, float]]:
    """Give the kind, the first and the last token, and the score of what is plausible."""
    kinds = odds[:, :-1]
    everything = kinds.sum(axis=1)
    best = kinds.argmax(axis=1)
    firm = np.flatnonzero(everything[:stop] >= bounds[best[:stop]]).tolist()
    joins = _joining(words, everything.tolist(), best.tolist(), odds[:, -1].tolist(), bounds)
    index = done = told = begin
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
        if kind == _USERNAME and (stop_at := _sentence(words, first, last)) < last:
            last, index = stop_at, stop_at + 2  # what comes next is looked at for itself
        first, last = _edges(ENTITIES[kind], words, first, last, done)
        if not any(word.strip()[:1].isalnum() for word in words[first : last + 1]):
            continue
        index = done = max(index, last + 1)
        score = float(everything[first] if first == last else everything[first : last + 1].mean())
        value = "".join(words[first : last + 1])
        if not plausible(ENTITIES[kind], value):
            continue
        if _is_else(ENTITIES[kind], value, words, first, last, score):
            continue
        if kind < len(NAMES):
            first = _initials(words, first, told)
        told = last + 1
        yield from ((kind, *part, score) for part in _parts(kind, words, first, last))
