"""Words that a network takes for people and births, and the words around them say otherwise.

A month in a column of months, a day on which something was ordered, a verb at the head of a sentence, a
name in code, the name of a language and its country.
"""

from __future__ import annotations

import re
from typing import Final

# fmt: off
_MONTHS: Final = (
    "jan jan. feb febr mar apr may jun jul aug sep sept oct nov dec january february march april june july"
    " august september october november december januar februar märz mai juni juli oktober dezember okt dez"
    " ene abr ago dic enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre"
    " noviembre diciembre janvier février fevrier avril juin juillet août septembre octobre novembre"
    " décembre fev mai set out janeiro fevereiro março maio junho julho setembro outubro novembro dezembro"
)
_DAYS: Final = (
    "mon tue tues wed thu thur thurs fri sat monday tuesday wednesday thursday friday saturday sunday"
    " montag dienstag mittwoch donnerstag freitag samstag sonntag lunes martes miércoles jueves viernes"
    " sábado domingo lundi mardi mercredi jeudi vendredi samedi dimanche segunda terça quarta quinta sexta"
)
_NAMED: Final = (
    "jan mar may jun april june august march july mai juni juli julio abril avril junio mayo marzo märz"
    " janvier domingo out set mon sat monday tuesday wednesday thursday friday saturday sunday sonntag"
    " freitag dimanche"
)
"""Of these, what somebody may be called."""

_VERBS: Final = (
    "bear carry chase chuck dip grant hope mark peg pierce rob rush skip spike sue tuck wish"
)
# fmt: on
_DATES: Final = frozenset(f"{_MONTHS} {_DAYS}".split())
_BORNE: Final = frozenset(_NAMED.split())
_DONE: Final = frozenset(_VERBS.split())
_SURE: Final = 0.6
_WORDS: Final = re.compile(r"[^\W\d_]+\.?")
_NUMBERED: Final = re.compile(r"[.,;:|\t ]{0,3}\d")
_TIMED: Final = re.compile(
    r"(?:\d(?:st|nd|rd|th|\.)?|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?|\b(?:in|of|during|since|until|till"
    r"|last|next|this|early|late|mid|every|seit|im|bis|ab|desde|hasta|en|em|depuis|début|fin|dès)) $",
    re.IGNORECASE,
)
_OBJECT: Final = re.compile(r" (?:this|them|the|it|that|these|those|him|us|me)\b")
_OPENS: Final = re.compile(r"(?:^|[.!?:;\n\"“(*-] ?)$")
_CALLED: Final = re.compile(r"\.[a-z_]\w*\(|\((?!at\)|a\))")
_SHOUTED: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_LOCALE: Final = re.compile(r"[a-z]{0,3}_[A-Z]{2}(?:[.@][\w-]{1,12})?")
_YEAR: Final = re.compile(
    r"(?<!\d)(?:1[89]|20)\d\d(?!\d)|\d[./-]\d{1,2}[./-]\d|['\u2019]\d\d\b|\d{6}|[^\W\d_] (?:3[2-9]|[4-9]\d)$"
)
_SPELT: Final = re.compile(
    r"\b(?:nineteen|eighteen|two thousand|twenty[- ]\w+$|neunzehn|zweitausend|mil|deux mille)"
)
_NUMBER: Final = re.compile(r"\d{1,2}")
_TIME: Final = re.compile(r",?(?: at| um| à| a las| às|T)? ?\d{1,2}[:h]\d\d")
_BIRTH: Final = re.compile(
    r"birth|born|\bb-?day|\bdob\b|d\.o\.b|\bgeb|nacid|\bnac[ií]|nacim|cumple|\bcumpl|anniv|naiss|\bn[ée]e?\b|nasc|anivers"
    r"|\bturn|\byears?\b|\bage[ds]?\b|\bold\b|\balt\b|\bjahre|\baños|\bans\b|\banos\b|urodz|\bnata?o?\b|compleann|fødsel|född"
    r"|\b(?:aries|taurus|gemini|cancer|leo|virgo|libra|scorpio|sagittarius|capricorn|aquarius|pisces|zodiac|sign)\b"
    r"|\b(?:baby|twins?|feast|candles|cake|party|delivered|due date|name day|same day)\b",
    re.IGNORECASE,
)


def is_no_person(value: str, before: str, after: str) -> bool:
    """Say whether a word is the name of a month or a day, or what somebody is to do with something."""
    words = [word.rstrip(".").casefold() for word in _WORDS.findall(value)]
    if not words:
        return False
    if _DATES.issuperset(words):
        if _BORNE.isdisjoint(words) or (len(words) > 1 and not _BORNE.issuperset(words)):
            return True
        beside = {word.rstrip(".").casefold() for word in _WORDS.findall(f"{before} {after}")}
        if not beside.isdisjoint(_DATES - _BORNE):
            return True  # one of several
        return _NUMBERED.match(after) is not None or _TIMED.search(before) is not None
    if len(words) > 1 or words[0] not in _DONE:
        return False
    return _OPENS.search(before) is not None and _OBJECT.match(after) is not None


def is_no_birth(value: str, around: str, after: str, score: float) -> bool:
    """Say whether a day has no year, or has a time, and nothing around it speaks of a birth."""
    if not any(map(str.isdigit, value)) and len(_DATES.intersection(value.casefold().split())) > 1:
        return True  # a row of months
    is_sure = score >= _SURE and not _NUMBER.fullmatch(value)
    if not _TIME.match(after) and (is_sure or _YEAR.search(value) or _SPELT.search(value.casefold())):
        return False
    return _BIRTH.search(around) is None


def is_no_user(value: str, after: str) -> bool:
    """Say whether a word is a constant, or what a program calls."""
    return _SHOUTED.fullmatch(value) is not None or _CALLED.match(after) is not None


def is_a_locale(value: str) -> bool:
    """Say whether a word is a language and its country: pt_BR."""
    return _LOCALE.fullmatch(value) is not None
