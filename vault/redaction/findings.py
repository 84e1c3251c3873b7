"""What was found in a text: where, what it is, how sure, and by whom."""

from __future__ import annotations

import enum
from typing import Protocol, runtime_checkable

from msgspec import Struct


class Ground(enum.IntEnum):
    """What a finding rests on. Of two that overlap, the better ground wins."""

    MODEL = 0  # a model's opinion
    PATTERN = 1  # a shape, or the words around it
    CHECKSUM = 2  # digits that prove themselves
    DENIED = 3  # a term that the user's own list names


class Finding(Struct, frozen=True, gc=False):  # a dataclass takes ten times as long to make
    """One piece of personal data: text[start:end]. `by` names the recognizer."""

    entity: str
    start: int
    end: int
    score: float
    by: str
    ground: Ground = Ground.PATTERN


@runtime_checkable
class Recognizer(Protocol):
    """Anything that finds personal data in a text: ten lines of the user's own will do."""

    def find(self, text: str) -> list[Finding]:
        """Give what is found, overlapping or not."""
