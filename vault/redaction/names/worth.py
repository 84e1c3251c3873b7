"""What the lists say of a name: whether it is one, and may be looked for again wherever it stands."""

from __future__ import annotations

import re
from typing import Final

from vault.redaction.names import features, model

COMMON: Final = 1 << 5
"""The bit of words that are written small outside of names."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_SHORTEST: Final = 3
_FEWEST, _MOST = 2, 4  # words of a full name
_NAME: Final = re.compile(
    r"(?:[A-Z\u00c0-\u00de\u0100-\u017f](?:[^\W\d_]*[a-z\u00df-\u017f][^\W\d_]*|\.)(?:['\u2019-][^\W\d_]+)*"
    r"|[OD]['\u2019][^\W\d_]+|de|la|del|da|dos|von|van|der|den|di|bin|al)"
)
_OPENING: Final = frozenset(
    ["el", "fort", "la", "lake", "las", "los", "mount", "new", "port", "saint", "san", "santa", "são", "the"]
)
_FIRST, _LAST = 1 << 0, 1 << 1
_COUNTRY: Final = 1 << 4
_PLACES: Final = 1 << 2 | 1 << 3 | _COUNTRY
_NO_FIRST: Final = COMMON | 1 << 4 | 1 << 8 | 1 << 10  # everyday words, countries, companies, tongues
_NO_LAST: Final = _NO_FIRST | 1 << 7  # things


def worth_remembering(finding_text: str) -> bool:
    """Say whether a name is so much its own that it may be redacted wherever it stands.

    'Anjali' and 'Will Hope' are; 'Will', 'Jo' and '34' are not.
    """
    words = [word for word in _WORD.findall(finding_text) if len(word) >= _SHORTEST]
    if len(words) > 1:
        return True
    kinds = model.loaded().table.kinds
    return bool(words) and not kinds.get(features.folded(words[0]), 0) & COMMON


def is_listed(name: str) -> bool:
    """Say whether a word of it is a first name or a surname that the lists hold, and no everyday word."""
    kinds = model.loaded().table.kinds
    bits = (kinds.get(features.folded(word), 0) for word in _WORD.findall(name) if len(word) >= _SHORTEST)
    return any(bit & model.NAMED and not bit & COMMON for bit in bits)


def may_be_a_name(text: str) -> bool:
    """Say whether some words are written as a full name is."""
    words = text.split()
    if not _FEWEST <= len(words) <= _MOST or words[0].casefold() in _OPENING:
        return False
    return all(map(_NAME.fullmatch, words))


def is_full_name(text: str) -> bool:
    """Say whether a text is but a first name of the lists and a surname, written as names are."""
    if not may_be_a_name(text):
        return False
    words = text.split()
    kinds = model.loaded().table.kinds
    first, last = (kinds.get(features.folded(word), 0) for word in (words[0], words[-1]))
    if not first & _FIRST:
        return False
    if last & _LAST and not last & COMMON:
        return not first & _NO_FIRST & ~COMMON
    return not first & _NO_FIRST and not last & _NO_LAST


def is_famous(name: str, verdict: float = model.SETTLED) -> bool:
    """Say whether all the world knows somebody by this very name, in a text that is judged so."""
    return model.loaded().famous(features.tokens(name), doubtful=verdict < model.PLAINLY)


def is_town(name: str) -> bool:
    """Say whether a name is a town's or a country's, too."""
    return bool(_bits(name) & _PLACES)


def is_region(name: str, *, is_sure: bool) -> bool:
    """Say whether a name is a country's or a state's; and where that is not sure, nobody's first name."""
    bits = _bits(name)
    return bool(bits & _COUNTRY) and name[:1].isupper() and (is_sure or not bits & _FIRST)


def is_unheard(word: str) -> bool:
    """Say whether no list and no text holds a word: it is nobody's name and no everyday word."""
    table, said = model.loaded().table, features.folded(word)
    return said not in table.kinds and said not in table.rows and word not in table.plain


def _bits(word: str) -> int:
    return model.loaded().table.kinds.get(features.folded(word), 0)
