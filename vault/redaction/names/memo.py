"""What was worked out of the tokens met so far: most of a new text is words that were met before."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.redaction.names import features
from vault.redaction.names.network import GIST, NEAR, NETS, REACH, Floats

Rows = NDArray[np.intp]

MOST: Final = 8192
"""Kinds of token of which it is kept what was worked out."""

PARTS: Final = 16_384
"""Parts of a text whose rows are kept."""

LONGEST: Final = 24
"""Letters of such a part: a longer one is seldom met again."""

_PAD: Final = np.zeros(REACH, np.intp).tobytes()
_GAP: Final = re.compile(r"([\n ]\s+|\n)")


class Memo:
    """What the networks make of the tokens met so far; a full one is left to who still reads it."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.used = 1  # the first row stays empty: it pads
        self.shares = np.zeros((MOST * (2 * REACH + 1), NETS * NEAR), np.float32)
        self.gists = np.zeros((MOST, NETS * GIST), np.float32)
        self.looks = np.zeros((MOST, 2 * REACH + 1), np.float32)
        self._parts: dict[str, bytes] = {}

    def has_room(self, tokens: int) -> bool:
        """Say whether so many more tokens fit in."""
        return self.used + tokens <= MOST and len(self.rows) <= 4 * MOST

    def keep(self, row: int, shares: Floats) -> None:
        """Keep what a token adds to those around it."""
        wide = len(shares)
        self.shares[row * wide : (row + 1) * wide] = shares

    def met(self, text: str) -> Rows | None:
        """Give the rows of a text, padded, without cutting it into tokens; None if a part of it is new."""
        try:
            packed = _PAD + b"".join(map(self._parts.__getitem__, _apart(text))) + _PAD
        except KeyError:
            return None
        return np.frombuffer(packed, np.intp)

    def meet(self, text: str) -> None:
        """Keep the rows of the parts of a text, of which all tokens are known."""
        if len(self._parts) > PARTS:
            self._parts.clear()
        for part in _apart(text):
            if part not in self._parts and len(part) <= LONGEST and (tokens := _tokens(part)) is not None:
                rows = [self.rows.get(token) for token in tokens]
                if None not in rows:
                    self._parts[part] = np.array(rows, np.intp).tobytes()


def _apart(text: str) -> list[str]:
    """Cut a text where no token reaches over: at single spaces, and around longer gaps.

    No space stands before what begins the text, nor before what follows a gap: it has one behind it.
    """
    if "\n" not in text and "  " not in text:
        parts = text.split(" ")
        parts[0] += " "
        return parts
    parts = []
    for at, stretch in enumerate(_GAP.split(text)):
        if at % 2:
            parts.append(stretch)
        else:
            first, *others = stretch.split(" ")
            parts += (first + " ", *others)
    return parts


def _tokens(part: str) -> list[str] | None:
    """Cut a part into its tokens; None where it ends with white space that may go on behind it."""
    if _GAP.fullmatch(part):
        return [part]
    if not part:
        return [" "]  # the last one of a text
    said = part[:-1] if part[-1] == " " else " " + part
    return None if said[-1:].isspace() else features.tokens(said)
