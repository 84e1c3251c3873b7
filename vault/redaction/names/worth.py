"""What the lists say of a name: whether it is one, and may be looked for again wherever it stands."""

from __future__ import annotations

import re
from typing import Final

from vault.redaction.names import features, model

COMMON: Final = 1 << 5
"""The bit of words that are written small outside of names."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_SHORTEST: Final = 3


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
