"""Things that are made and numbered: cars and graphics cards have the form of a plate or an id."""

from __future__ import annotations

import re
from typing import Final

_LOOSE: Final = re.compile(r"\b(?:record|group|chart|script|scheme)$")
_FEW: Final = re.compile(r"[^\d\n,:]{0,24}\d(?:[\d.]{0,5}|[ -]?\d{1,3})(?![\w/.-]*\d)")
_NUMBERED: Final = re.compile(r"[\"')]{0,2} ?(?:[#:=?]|(?:no|nr|number|num|id|is|was)\b)")
_NURSED: Final = re.compile(
    r"medic|dental|dentist|hospital|patient|insur|clinic|doctor|\bdr\b|nurse|member|subscrib|\bppo\b|\bhmo\b"
    r"|pharma|prescri|health|\bmrn\b|\bnhs\b|\bgp\b|surgery|\bward\b|\brx\b|\bpens?\b|pills?\b|tablet|dose"
    r"|\d ?mg\b|therap|\b(?:my|his|her|their|our|your|mum|mom|dad|nan|son|daughter|wife|husband)\b"
)
_AROUND: Final = 80  # characters
_CARD: Final = re.compile(r"\brx$")
_OF_A_CARD: Final = re.compile(r"[ -]?\d{3,4}(?:[ -]?(?:xtx?|gre|le|se|m|s|d))?(?![\w/-])")
_NAMESPACE: Final = re.compile(r"\burn$")
_NAMED_SPACE: Final = re.compile(r":[a-z][a-z0-9-]{1,31}:")

_MAKERS: Final = (
    r"audi|bmw|mercedes(?:[ -]benz)?|benz|vw|volkswagen|porsche|opel|vauxhall|ford|toyota|lexus|honda|acura"
    r"|nissan|infiniti|mazda|subaru|suzuki|mitsubishi|hyundai|kia|genesis|volvo|saab|peugeot|citroen|citroën"
    r"|renault|dacia|alpine|fiat|alfa romeo|lancia|ferrari|maserati|seat|cupra|skoda|škoda|jaguar|mini|mg"
    r"|(?:land|range) rover|tesla|polestar|byd|chevrolet|chevy|gmc|dodge|jeep|chrysler|cadillac|buick|lincoln"
    r"|tata|mahindra|yamaha|kawasaki|ktm|ducati|aprilia|triumph|harley(?:[ -]davidson)?|husqvarna|piaggio"
    r"|royal enfield|vespa|bajaj|tvs|boeing|airbus|embraer|cessna|scania|iveco|daf|fendt|claas"
)
_MADE: Final = re.compile(rf"\b(?:{_MAKERS})[ /-]$")
_MADE_OF_A_KIND: Final = re.compile(rf"\b(?:{_MAKERS}) (?P<kind>\w{{1,10}}) $")
_MODEL: Final = re.compile(
    r"[a-z]{1,3}-\d{2,4}[a-z]?|[a-z]{1,2} \d{2,3}(?: ?[a-z])?|\d{2,4}"
    r"|\d{2,4} ?(?:sw|gti?|tdi|cdi|hdi|tsi|tfsi|cc|gtx?|rs|st|amg|xc|[dies]|se|le|xt)"
)
_SHORT_MODEL: Final = re.compile(r"[a-z]{1,2} \d{2,3}(?: ?[a-z])?|\d{2,3}")
_OWNED: Final = re.compile(
    r"plates?|reg\w*|kennz\w*|number|matric\w*|placas?|chapa|immat\w*|targa|is|ist|es|est"
)
"""A word between the maker and a number that says that the number is one car's."""


_SO_MUCH: Final = (
    r"\d{1,5}(?:[.,]\d{1,2})? ?"
    r"(?:v|vdc|vac|m?ah|a|[km]?wh?|cv|ch|ps|hp|bhp|ccm?|t?km|nm|vb|[km]?g|ml|l|[cm]?m|mph|k?hz)"
)
_BEFORE: Final = (
    r"(?:and|the|for|was|has|had|get|got|use|buy|its|one|two|but|not|are|per|all|any|can|put|set|add|run|our"
    r"|out|new|old|via|von|mit|und|der|die|das|een|het|van|con|por|los|las|una|des|les|sur|par|que)"
)
_AMOUNT: Final = re.compile(rf"(?:{_BEFORE} )?{_SO_MUCH}(?:[ /,]{{1,2}}{_SO_MUCH})*", re.IGNORECASE)


def is_an_amount(value: str) -> bool:
    """Say whether what has the form of a plate, not in capitals, is how much a thing has: 12v 7ah, 110 cv."""
    return not value.isupper() and _AMOUNT.fullmatch(value) is not None


def is_of_the_world(low: str, end: int) -> bool:
    """Say whether a word that may number a patient is of a record, a graphics card or the net."""
    start = max(0, end - 8)
    if _CARD.search(low, start, end):
        return _OF_A_CARD.match(low, end) is not None
    if _NAMESPACE.search(low, start, end):
        return _NAMED_SPACE.match(low, end) is not None
    if not _LOOSE.search(low, start, end) or not _FEW.match(low, end) or _NUMBERED.match(low, end):
        return False
    return _NURSED.search(low, max(0, end - _AROUND), end + _AROUND) is None


def is_a_model(low: str, start: int, end: int) -> bool:
    """Say whether what has the form of a plate is the model behind its maker's name: BMW M 340."""
    first = max(0, start - 32)
    if _MADE.search(low, first, start):
        return _MODEL.fullmatch(low, start, end) is not None
    if not _SHORT_MODEL.fullmatch(low, start, end):
        return False
    made = _MADE_OF_A_KIND.search(low, first, start)
    return made is not None and not _OWNED.fullmatch(made["kind"])
