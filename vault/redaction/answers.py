"""Messages that are nothing but a name: "Zoe Papadopoulos", "it's Mary Johnson", "in Calgary, Canada".

They answer a question that stands in another message. Nothing in them tells a private name from one that all
the world knows, so whatever looks like a name is one; where some are too famous to be private, they stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vault.redaction.findings import Finding

if TYPE_CHECKING:
    from vault.redaction.names import Mode, Names

LONGEST: Final = 80
_MOST: Final = 7  # words
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-](?=[^\W\d_]))*")  # noqa: RUF001
_OTHER: Final = re.compile(r"[\d@?:/<>{}\[\]|=\n]")
# fmt: off
_WHERE: Final = frozenset(
    ["in", "from", "near", "at", "to", "outside", "desde", "aus", "bei", "à", "de", "em"]
)
_BESIDE: Final = _WHERE | frozenset(
    [
        "it's", "its", "it", "is", "i'm", "im", "i", "am", "me", "my", "name", "this", "that's", "thats",
        "here", "hi", "hello", "hey", "dear", "yes", "no", "yeah", "yep", "ok", "okay", "sure", "thanks",
        "and", "or", "of", "with", "by", "the", "was", "just", "call", "mr", "mrs", "ms", "miss", "dr",
        "prof", "sir", "ich", "bin", "heiße", "das", "ist", "und", "herr", "frau", "soy", "es", "y", "llamo",
        "la", "el", "señor", "señora", "je", "suis", "c'est", "et", "sou", "é", "e", "o", "a", "sr", "sra",
    ]
)
# fmt: on


def answer(text: str, mode: Mode, bundled: Callable[[Mode], Names]) -> list[Finding]:
    """Give the names of a message that holds nothing else."""
    if mode == "every-name" or len(text) > LONGEST or _OTHER.search(text):
        return []
    names = bundled("every-name")
    words = [(one.start(), one[0]) for one in _WORD.finditer(text)]
    named = [(at, word) for at, word in words if word.lower() not in _BESIDE]
    if not named or len(words) > _MOST:
        return []
    if not all(word[0].isupper() or names.may_name(word) for _, word in named):
        return []
    found = [one for one in names.find(text) if one.entity in {"PERSON", "LOCATION"}]
    if not all(any(one.start <= at < one.end for one in found) for at, _ in named):
        return []
    if mode != "balanced" or any(word.lower() in _WHERE for _, word in words):
        return found
    return [one for one in found if not names.is_known(one, text[one.start : one.end])]
