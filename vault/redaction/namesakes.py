"""Tells a name that a session knows from a longer one that is somebody else's, or nobody's.

Whoever is called Michael has Michael Jackson for a namesake, and Lake Victoria is no client. A name alone is
always the session's, and so is a run of words that it knows wholly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from vault.redaction.worldly import LIFE

_FURTHEST: Final = 3  # words beside it
_REACH: Final = 80  # letters in which they stand
_NEAR: Final = 32  # letters in which the word before a name stands that says what it is
_WORD: Final = re.compile(r"[^\W\d_]+")
_BEHIND: Final = re.compile(r"['\u2019]?[ -]([^\W\d_]+(?:['\u2019][^\W\d_]+)*)|(['\u2019]s) ")
_BEFORE: Final = re.compile(r"([^\W\d_]+(?:['\u2019][^\W\d_]+)*\.?)[ -]$")
_PLACE_OF: Final = re.compile(
    r"(?:^|\W)(?:Lake|Mount|Mt\.?|Port|Fort|Cape|Saint|Santa|Santo|San|S\u00e3o|Sankt|Gulf of|Bay of"
    r"|(?i:lago|lac|isla|ilha|\u00eele|r\u00edo|puerto|cabo|golfo de|bah\u00eda de|ba\u00eda de|hurricane"
    r"|typhoon|cyclone|tropical storm|hurac\u00e1n|ouragan|furac\u00e3o|hurrikan|tif\u00f3n|taifun))[ -]$"
)
_PLACES: Final = re.compile(r" (?:Falls|Islands?|County|Airport|University|Peninsula|River)\b")
_SAINT: Final = re.compile(r"\bSt\.? $")
_OWN: Final = re.compile(r"['\u2019]s\b")
_TERM: Final = re.compile(
    r"[ -](?:(?i:theorems?|lemmas?|conjectures?|algorithms?|optimi[sz]ers?|optimierer|optimizador|optimiseur"
    r"|otimizador|classifiers?|transforms?|transformation|distributions?|equations?|elimination|inequality"
    r"|integrals?|paradox|syndrome|(?:programming )?language)|DB|Satz|Verteilung)\b"
)
_TERM_OF: Final = re.compile(
    r"\b(?:theorem|lemma|teorema|lema|th\u00e9or\u00e8me|lemme|satz|ecuaci\u00f3n|equa\u00e7\u00e3o|\u00e9quation|gleichung|desigualdad"
    r"|desigualdade|in\u00e9galit\u00e9|ungleichung) (?:of|von|des?|del|do) $",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(
    r"\b(?:miss|father|mother|granny|granddad|grandad|professor|doctor|do\u00f1a|don|se\u00f1orita|t\u00edo|t\u00eda|padre|madre|abuel[oa]"
    r"|tante|onkel|oma|opa|fr\u00e4ulein|oncle|mamie|papi|madame|monsieur|mademoiselle|tio|tia|dona|vov\u00f3|vov\u00f4|pai|m\u00e3e)\b",
    re.IGNORECASE,
)
"""So somebody's own people are called, whoever else is."""

_REGION: Final = re.compile(r", ?([^\W\d_]{4,})|,? (?:de|del|do|da|du|of) ([^\W\d_]{4,})")
_WHERE: Final = re.compile(r"\b(?:in|near|nach|en|\u00e0|em)(?: [^\W\d_]+)? $")


def longer_name(
    text: str, start: int, end: int, knows: Callable[[str], bool], judge: Callable[[str], float]
) -> tuple[int, int] | None:
    """Give the longer name that text[start:end] is a part of; none where the session knows every word of it.

    `judge` tells how much the text is about somebody's life: there, Michael Jordan may be anybody.
    """
    before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
    stretches = list(_stretches(before, after))
    for first, last in stretches:
        longer = text[start - first : end + last]
        if _is_famous(longer) and not (LIFE.search(longer) or _CALLED.search(longer)):
            others = _WORD.findall(text[start - first : start] + " " + text[end : end + last])
            if all(map(knows, others)) or not _is_famous(longer, judge(text)):
                continue
            is_known = any(knows(text[start - one : end + other]) for one, other in stretches)
            return None if is_known else (start - first, end + last)
    before = before[-_NEAR:]
    if _is_place(text[start:end], before, after, knows) or _is_term(before, after):
        return start, end
    return None


def _stretches(before: str, after: str) -> Iterator[tuple[int, int]]:
    """Give how many letters before and behind a name may be of a longer one."""
    firsts, lasts = [0], [0]
    while len(firsts) <= _FURTHEST and (word := _BEFORE.search(before, 0, len(before) - firsts[-1])):
        firsts.append(len(before) - word.start(1))
    while len(lasts) <= _FURTHEST and (word := _BEHIND.match(after, lasts[-1])):
        lasts.append(word.end(1) if word[1] else word.end(2))
    for words in range(1, _FURTHEST + 1):
        for at in range(words + 1):
            if at < len(firsts) and words - at < len(lasts):
                yield firsts[at], lasts[words - at]


def _is_famous(name: str, verdict: float | None = None) -> bool:
    from vault.redaction.names import is_famous

    return is_famous(name) if verdict is None else is_famous(name, verdict)


def _is_place(name: str, before: str, after: str, knows: Callable[[str], bool]) -> bool:
    """Say whether a name is a part of a place's: Lake Victoria; Madison, Wisconsin; St. Michael's."""
    if _SAINT.search(before) and _OWN.match(after):
        return True
    if (called := _PLACE_OF.search(before)) and not any(map(knows, called[0].split())):
        return True
    if (called := _PLACES.match(after)) and not knows(called[0].strip()):
        return True
    if (region := _REGION.match(after)) is None or knows(said := region[1] or region[2]):
        return False
    from vault.redaction.names import is_region, is_town

    return is_town(name) and is_region(said, is_sure=_WHERE.search(before) is not None)


def _is_term(before: str, after: str) -> bool:
    """Say whether a name is a part of what science or a program is called: the Adam optimizer."""
    return _TERM.match(after) is not None or _TERM_OF.search(before) is not None
