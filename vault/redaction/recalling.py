"""Finds again what a session knows, where nothing around it says what it is.

The words of names, where they are written as names; values wherever they stand, also with a sign on them,
in other groups, and in code. Names are looked for in code only where they can hardly be its own words.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Final

from vault.redaction.everyday import EVERYDAY, is_written_as_a_name
from vault.redaction.findings import Finding, Ground
from vault.redaction.folding import unbroken
from vault.redaction.memory import NAMES, WORD, Memory
from vault.redaction.namesakes import longer_name
from vault.redaction.search import beside
from vault.redaction.writings import EDGES, bare, is_numbered

_SIGNS: Final = r"[^\s\"'`<>()\[\]{},;|\u2018-\u201e]"
_VALUE: Final = re.compile(rf"{_SIGNS}{{6,64}}")
_LONGEST: Final = 64
_ONE_DIGIT: Final = r"(?=[^\s\d]{0,63}\d)"
_NUMBERS: Final = re.compile(rf"(?<!{_SIGNS}){_ONE_DIGIT}{_SIGNS}{{4,}}+")
_NUMBERS_AND_WORDS: Final = re.compile(rf"(?<!{_SIGNS})(?:{_ONE_DIGIT}{_SIGNS}{{4,}}+|{_SIGNS}{{10,}}+)")
_TOKENS: Final = re.compile(rf"(?<!{_SIGNS})(?:{_ONE_DIGIT}{_SIGNS}{{4,}}+|{_SIGNS}{{6,}}+)")
_PARTS: Final = re.compile(r"[^=:&#/@?%+]+")
_CORES: Final = re.compile(r"[^\W_]{4,}")
_GROUP: Final = re.compile(r"(?<![^\W_])(?:\d[^\W_]{0,11}|[A-Z]{1,4}\d{0,8})(?![^\W_])")
_GROUPS: Final = 6
_APART: Final = frozenset(" -./")
_DIGITS: Final = 4  # that a value has at least, or it is a word
_FEW_DIGITS: Final = 2  # of a plate, or behind a word as in a user name
_SECRET: Final = 10  # letters of a password that are no word by chance
_SHORTEST: Final = 6
_FEW: Final = 12  # signs, of which a PIN's place says whether it is one
_PIN: Final = re.compile(r"(?!19\d\d|20\d\d|\d+00$)\d{4,5}")
_NUMBERED: Final = re.compile(r"[^\W\d_]{4,}\d{2,3}")
_JOINED: Final = re.compile(r"[^\W_]{2,}(?:[._][^\W_]{2,})+")
# What is told by the words around it, or is a word like others.
_UNTOLD: Final = frozenset(
    {"PERSON", "LOCATION", "ORGANIZATION", "ADDRESS", "AGE", "DATE_OF_BIRTH", "DENIED", "URL"}
)
_SAID: Final = re.compile(
    r'"(?:[^"\\\n]|\\.)*+"?|\'(?:[^\'\\\n]|\\.){1,200}+\''
    r"|(?:(?<!\S)(?:#|//|--)|/\*)[ \t*]*+[^\n\"]*+|^[ \t]*+\*[ \t][^\n]*+",
    re.MULTILINE,
)
"""Strings and comments of code."""

_LETTER: Final = re.compile(r"[^\W_]")
_JOINTS: Final = frozenset(" _.-")
_BEFORE: Final = re.compile(r"(?:^|[\s\"'`(\[{<=*_]|(?<!\d):)$")
_BEHIND: Final = re.compile(
    r"(?! ?(?:[ckm]?m|[km]?g|m?l|k?wh?|[kmgt]i?b|m?s|min|\u20ac|\$|%|usd|eur|gbp|kcal|ft|miles|feet)\b)"
    r"(?:$|[\s\"'`)\]}>;!?*_]|[.,:](?!\d))"
)
_OF_CODE: Final = frozenset("_./\\-$@")
"""What stands beside a word that is a part of a name in code."""


def tells(entity: str, value: str, *, is_sure: bool) -> bool:
    """Say whether a value can be known again: it is one word, or a number, that can be nothing else.

    Less is asked of one where it `is_sure` what it is.
    """
    if entity in _UNTOLD:
        return False
    said = bare(value) if is_numbered(entity) else value.strip(EDGES)
    if _VALUE.fullmatch(said) is None:
        return entity == "SECRET" and _PIN.fullmatch(said) is not None
    digits = sum(map(str.isdigit, said))
    if digits >= _DIGITS or (digits and not said.isalnum()):
        return True
    if entity == "SECRET" and len(said) >= _SECRET:
        return True
    if entity == "LICENSE_PLATE":
        return digits >= _FEW_DIGITS
    return is_sure and entity in {"SECRET", "USERNAME"} and _is_handle(said.removeprefix("@"), entity)


def _is_handle(said: str, entity: str) -> bool:
    """Say whether a user name is no word: it has digits or signs in it, or nobody has ever heard of it."""
    if _NUMBERED.fullmatch(said):
        return True
    if entity != "USERNAME":
        return False
    if _JOINED.fullmatch(said):
        return True
    from vault.redaction.names import is_unheard

    return said.isalpha() and said.isascii() and is_unheard(said)


def recall(
    memory: Memory,
    text: str,
    found: list[Finding],
    *,
    code: bool = False,
    judge: Callable[[str], float] | None = None,
) -> list[Finding]:
    """Find what a session knows, where nothing is found already; findings are disjoint.

    Where there is a `judge`, who has a namesake whom all the world knows is not taken for that one.
    """
    taken = sorted((one.start, one.end) for one in found)
    values = beside(_values(memory, text, code=code), taken) if memory.values else []
    if not memory.knows_names:
        return values
    if values:
        taken = sorted([*taken, *((one.start, one.end) for one in values)])
    names = _in_code(memory, text) if code else _names(memory, text)
    names = _joined(beside(names, taken), text)
    if judge is not None and not code:
        once = cache(judge)
        names = [one for one in names if not _is_anothers(one, text, taken, memory, once)]
    return [*values, *names]


def _found(entity: str, start: int, end: int) -> Finding:
    return Finding(entity, start, end, 1.0, "memory", Ground.PATTERN)


# -- values ----------------------------------------------------------------------------------------------


def _values(memory: Memory, text: str, *, code: bool) -> list[Finding]:
    plain = unbroken(text)
    alone = plain.text.strip() if code else None
    values: list[Finding] = []
    looked: set[str] = set()
    for token in _words_alike(memory).finditer(plain.text):
        if token[0] in looked:
            continue
        before, end = len(values), token.start()
        for start, stop in _candidates(plain.text, *token.span()):
            said = plain.text[start:stop]
            if start < end or not _may_tell(said, memory):
                continue
            if len(said) < _SHORTEST and not _is_alone(plain.text, start, stop, alone):
                continue
            if entity := memory.known_as(said):
                values.append(_found(entity, *plain.span(start, stop)))
                end = stop
        if len(values) == before and len(token[0]) > _FEW:
            looked.add(token[0])
    if any(map(is_numbered, memory.values)):
        taken = [(one.start, one.end) for one in values]
        values += beside(list(_in_groups(memory, plain.text, plain.span)), taken)
    return values


def _words_alike(memory: Memory) -> re.Pattern[str]:
    """Give what finds the words that may be or hold a value of the kinds that are known."""
    if "USERNAME" in memory.values:
        return _TOKENS
    return _NUMBERS_AND_WORDS if "SECRET" in memory.values else _NUMBERS


def _candidates(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give what of a token may be a value: the whole, what stands between its signs, and every word in it."""
    said = text[start:end].rstrip(EDGES)
    end = start + len(said)
    if len(said) <= _LONGEST:
        yield start, end
        if said.isalnum():
            return
    for part in _PARTS.finditer(text, start, end):
        bare_end = part.start() + len(part[0].rstrip(EDGES))
        if bare_end - part.start() <= _LONGEST:
            yield part.start(), bare_end
        for core in _CORES.finditer(text, part.start(), bare_end):
            if len(core[0]) <= _LONGEST:
                yield core.span()


def _may_tell(said: str, memory: Memory) -> bool:
    """Tell cheaply whether a word may be known."""
    if any(map(str.isdigit, said)):
        return len(said) >= _SHORTEST or ("SECRET" in memory.values and _PIN.fullmatch(said) is not None)
    if "USERNAME" in memory.values:
        return len(said) >= _SHORTEST
    return "SECRET" in memory.values and len(said) >= _SECRET


def _is_alone(text: str, start: int, end: int, alone: str | None) -> bool:
    """Say whether a short number is no part of a sum, a time or a longer one; in code it stands `alone`."""
    if alone is not None:
        return text[start:end] == alone
    return _BEFORE.search(text, max(0, start - 2), start) is not None and _BEHIND.match(text, end) is not None


def _in_groups(memory: Memory, text: str, place: Callable[[int, int], tuple[int, int]]) -> Iterator[Finding]:
    """Find numbers whose groups are written apart: 925 100 617, AB12 CDE."""
    groups = [one.span() for one in _GROUP.finditer(text)]
    done = 0
    for first, (start, _) in enumerate(groups):
        if start < done:
            continue
        begin = start - (text[start - 1 : start] == "+")
        for end in reversed(_ends(text, groups[first : first + _GROUPS])):
            said = text[begin:end]
            if sum(map(str.isdigit, said)) < _FEW_DIGITS or (entity := memory.known_as(said)) is None:
                continue
            if is_numbered(entity):
                yield _found(entity, *place(begin, end))
                done = end
                break


def _ends(text: str, groups: list[tuple[int, int]]) -> list[int]:
    """Say where several groups end that stand beside each other."""
    ends = []
    for (_, end), (start, after) in pairwise(groups):
        if start - end != 1 or text[end] not in _APART:
            break
        ends.append(after)
    return ends


# -- names -----------------------------------------------------------------------------------------------


def _words(memory: Memory, text: str) -> Iterator[tuple[int, int]]:
    """Give the words of names that the session knows, and whole names of everyday words."""
    known: dict[str, bool] = {}
    last = (0, 0)
    for match in WORD.finditer(text):
        word, before, last = match[0], last, match.span()
        if word not in known:
            known[word] = memory.knows_word(word)
        is_whole = (
            text[before[1] : last[0]] == " "
            and word[0].isupper()
            and text[before[0]].isupper()
            and memory.knows_name(text[before[0] : last[1]])
        )
        if is_whole or known[word]:
            yield before[0] if is_whole else last[0], last[1]


def _names(memory: Memory, text: str) -> list[Finding]:
    plain = unbroken(text)
    return [
        _found(NAMES, *plain.span(start, end))
        for start, end in _words(memory, plain.text)
        if is_written_as_a_name(plain.text, start, end)
    ]


def _in_code(memory: Memory, text: str) -> list[Finding]:
    """Find names in code: two words in a row, or what a string or a comment says, or the code as a whole."""
    plain = unbroken(text)
    words = list(_words(memory, plain.text))
    if not words:
        return []
    said = [one.span() for one in _SAID.finditer(plain.text)]
    if not _LETTER.search(plain.text, 0, words[0][0]) and not _LETTER.search(plain.text, words[-1][1]):
        said = [(0, len(plain.text))]
    names = []
    for at, (start, end) in enumerate(words):
        beside_it = words[max(0, at - 1) : at] + words[at + 1 : at + 2]
        is_pair = " " in plain.text[start:end] or any(
            _are_one(plain.text, start, end, *other) for other in beside_it
        )
        if is_pair or _is_said(plain.text, start, end, said):
            names.append(_found(NAMES, *plain.span(start, end)))
    return names


def _are_one(text: str, start: int, end: int, other: int, last: int) -> bool:
    """Say whether two words of names stand in a row, and are no two words besides."""
    gap = text[end:other] if end <= other else text[last:start]
    words = {text[start:end].casefold(), text[other:last].casefold()}
    return len(gap) == 1 and gap in _JOINTS and len(words) > 1 and not words <= EVERYDAY


def _is_said(text: str, start: int, end: int, said: list[tuple[int, int]]) -> bool:
    """Say whether a name stands in what code says, and is no part of its own names."""
    before = bisect.bisect_right(said, (start, len(text))) - 1
    if before < 0 or said[before][1] < end or not is_written_as_a_name(text, start, end):
        return False
    is_cut = text[end : end + 1] == "." and not text[end + 1 : end + 2].isalnum()
    return text[max(0, start - 1) : start] not in _OF_CODE and (is_cut or text[end : end + 1] not in _OF_CODE)


def _joined(names: list[Finding], text: str) -> list[Finding]:
    """Make one finding of words that stand in a row."""
    joined: list[Finding] = []
    for name in names:
        start = name.start
        if joined and start - joined[-1].end <= 1 and not text[joined[-1].end : start].strip(" "):
            start = joined.pop().start
        joined.append(_found(NAMES, start, name.end))
    return joined


def _is_anothers(
    name: Finding, text: str, taken: list[tuple[int, int]], memory: Memory, judge: Callable[[str], float]
) -> bool:
    """Say whether a name is but a part of a longer one, of which nothing else is found."""
    longer = longer_name(text, name.start, name.end, memory.knows_name, judge)
    return longer is not None and bool(beside([_found(NAMES, *longer)], taken))
