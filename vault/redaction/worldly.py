"""Tells a question about the world from a message about somebody: places and companies alone are nobody's.

"What's the capital of Kenya?" names a country, "we moved to Kenya" says where somebody lives. A model sees
the words around a name; this looks at the whole message, for any word of a person's life. In a question
without one, a name that the model doubts is nobody's either: "where does the surname Smith come from?"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from vault.redaction.findings import Finding, Ground

_FEW: Final = 5
_WORLD: Final = frozenset({"LOCATION", "ORGANIZATION"})
_NAMES: Final = _WORLD | {"PERSON"}
_DOUBTED: Final = 0.8  # how probable the surest name is at most
_ASKS: Final = re.compile(
    r"\?|^\W*(?:who|whose|what|which|where|when|why|how|is|are|was|were|did|does|has|have"
    r"|quién|qué|cuál|cuándo|dónde|cómo|wer|was|welche\w?|wann|wo|wie|warum"
    r"|qui|que|quel\w{0,4}|quand|où|comment|pourquoi|quem|qual|quando|onde|como)\b",
    re.IGNORECASE,
)
_LIFE: Final = re.compile(
    r"\b(?:i|i'm|im|i've|ive|i'd|my|me|mine|we|our|us|ours|myself|he|she|her|his|him|they|their"
    r"|dear|hi|hello|hey|regards|sincerely|thanks|cheers|mr|mrs|ms|dr|mum|mom|dad|sir|madam|name|named|called"
    r"|customer|patient|client|guest|tenant|employee|student|attn|contact|your"
    r"|friend|mate|neighbou?r|flatmate|roommate|boss|colleague|coworker|landlord|landlady|teacher|wife|husband"
    r"|son|daughter|sister|brother|cousin|uncle|aunt|auntie|nan|gran|grandma|grandpa|bf|gf|ex|hubby|herr|frau"
    r"|yo|mi|mis|mí|nuestr[ao]|soy|vivo|hola"
    r"|ich|mein\w{0,2}|mich|mir|wir|unser\w{0,2}|hallo"
    r"|je|mon|ma|mes|moi|nous|notre|bonjour"
    r"|eu|meus?|minhas?|nós|nosso|sou|você|olá)\b|\bj'ai\b",
    re.IGNORECASE,
)


def is_worldly(text: str, found: Sequence[Finding]) -> bool:
    """Say whether a message has no word of somebody's life, and nothing in it but places, companies, doubts.

    Some words only may be the answer to "Where do you live?", and are not.
    """
    if (
        not found
        or len(text.split(None, _FEW)) <= _FEW
        or any(one.ground is not Ground.MODEL for one in found)
    ):
        return False
    places = all(one.entity in _WORLD for one in found)
    doubts = all(one.entity in _NAMES and one.score < _DOUBTED for one in found)
    return (places or (doubts and _ASKS.search(text) is not None)) and not _LIFE.search(text)
