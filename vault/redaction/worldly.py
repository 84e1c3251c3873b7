"""Tells a question about the world from a message about somebody: places and companies alone are nobody's.

"What's the capital of Kenya?" names a country, "we moved to Kenya" says where somebody lives. A model sees
the words around a name; this looks at the whole message, for any word of a person's life. In a question
without one, a name that the model doubts is nobody's either: "where does the surname Smith come from?"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from vault.redaction.findings import Finding, Ground

_FEW: Final = 5
_WORLD: Final = frozenset({"LOCATION", "ORGANIZATION"})
_PLACES: Final = _WORLD | {"ADDRESS"}
_NAMES: Final = _WORLD | {"PERSON"}
_DOUBTED: Final = 0.8  # how probable the surest name is at most
_ASKS: Final = re.compile(
    r"\?|^\W*(?:who|whose|what|which|where|when|why|how|is|are|was|were|did|does|has|have"
    r"|quién|qué|cuál|cuándo|dónde|cómo|wer|was|welche\w?|wann|wo|wie|warum"
    r"|qui|que|quel\w{0,4}|quand|où|comment|pourquoi|quem|qual|quando|onde|como)\b",
    re.IGNORECASE,
)
_OWN_WORDS: Final = (
    r"i|i'm|im|i've|ive|i'd|my|me|mine|we|our|us|ours|myself"
    r"|dear|hi|hello|hey|regards|sincerely|thanks|cheers|mum|mom|dad|sir|madam"
    r"|customer|patient|client|guest|tenant|employee|student|attn|contact|your"
    r"|friend|mate|neighbou?r|flatmate|roommate|boss|colleague|coworker|landlord|landlady|teacher|wife|husband"
    r"|son|daughter|sister|brother|cousin|uncle|aunt|auntie|nan|gran|grandma|grandpa|bf|gf|ex|hubby|herr|frau"
    r"|yo|mi|mis|mí|nuestr[ao]|soy|vivo|hola"
    r"|ich|mein\w{0,2}|mich|mir|wir|unser\w{0,2}|hallo"
    r"|je|mon|ma|mes|moi|nous|notre|bonjour"
    r"|eu|meus?|minhas?|nós|nosso|sou|você|olá"
)
LIFE: Final = re.compile(
    rf"\b(?:{_OWN_WORDS}|he|she|her|his|him|they|their|mr|mrs|ms|dr|name|named|called)\b|\bj'ai\b",
    re.IGNORECASE,
)
OWN: Final = re.compile(
    rf"\b(?:{_OWN_WORDS}|hij[oa]|dob|baby|kid|child|toddler|twins?|y/?o|[mf])\b(?!')|\bj'ai\b",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(r"\bage ?[:=]", re.IGNORECASE)
_DATES: Final = frozenset({"AGE", "DATE_OF_BIRTH"})
_WORLDS: Final = -2.0  # the judgement of a message that is about the world
_SURELY: Final = -3.0
_SEEN: Final = re.compile(
    r"\b(?:museum|museo|musée|louvre|palace|castle|cathedral|tower|stadium|arena|opera|theatre|gallery"
    r"|embassy|consulate|library|university|airport|monument|memorial|abbey|basilica|zoo|aquarium"
    r"|prado|uffizi|white house|parliament)\b",
    re.IGNORECASE,
)
"""What has an address that everybody may know."""

_JUST_BEFORE: Final = 48  # letters
_WAY: Final = re.compile(
    r"\b(?:near(?:by|est)?|from|far|close|closest|next|beside|distance|between|route|walk\w*|driv\w*|bus|train|taxi|uber"
    r"|ride|get to|go to|way|deliver\w*|moved?|lives?|living)\b",
    re.IGNORECASE,
)
"""The address may be where somebody starts from."""


def is_worldly(text: str, found: Sequence[Finding], judge: Callable[[str], float] | None) -> bool:
    """Say whether all that was found in a message is the world's, and no word in it is of somebody's life.

    Where nothing can `judge`, or something is proven or denied, only what a model alone has found is doubted.
    """
    if not found:
        return False
    if judge is None or any(one.ground > Ground.PATTERN for one in found):
        return _is_named(text, found)
    kinds = {one.entity for one in found}
    if kinds <= _DATES:
        return _is_history(text, kinds, judge)
    if "ADDRESS" in kinds:
        return kinds <= _PLACES and _is_sight(text, found)
    return _is_named(text, found)


def _is_history(text: str, kinds: set[str], judge: Callable[[str], float]) -> bool:
    """Say whether ages and births are of those whom all the world knows: "who died at 32?"."""
    if _FIELD.search(text):
        return False
    if OWN.search(text):
        return kinds == {"AGE"} and judge(text) < _SURELY
    return judge(text) < _WORLDS


def _is_sight(text: str, found: Sequence[Finding]) -> bool:
    """Say whether addresses are where all the world goes: "is the Louvre in the Rue de Rivoli?"."""
    if not _ASKS.search(text) or LIFE.search(text) or _WAY.search(text):
        return False
    return all(
        one.entity != "ADDRESS" or _SEEN.search(text[max(0, one.start - _JUST_BEFORE) : one.start])
        for one in found
    )


def _is_named(text: str, found: Sequence[Finding]) -> bool:
    """Say whether there is nothing but places, companies and doubts.

    Some words only may be the answer to "Where do you live?", and are not.
    """
    if len(text.split(None, _FEW)) <= _FEW or any(one.ground is not Ground.MODEL for one in found):
        return False
    places = all(one.entity in _WORLD for one in found)
    doubts = all(one.entity in _NAMES and one.score < _DOUBTED for one in found)
    return (places or (doubts and _ASKS.search(text) is not None)) and not LIFE.search(text)
