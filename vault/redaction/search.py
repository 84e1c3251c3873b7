"""What holds for the search of one message: its time, and that equal pieces are looked at once.

A table, a log or an HTML page has thousands of short pieces, and many are equal: whatever a recognizer finds
in one, it finds in the others.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from vault.errors import RedactionError
from vault.redaction.findings import Finding, Ground
from vault.redaction.segments import Form, Piece, as_it_is
from vault.redaction.segments.statements import nobodys

_KEPT: Final = 4_000  # pieces that a stream remembers
SHORT = 256  # characters of a piece that others may equal
LONG = 20_000  # characters that are read in no time
_REFERENCE: Final = re.compile(r"&#(?:\d{1,7}|[xX][\da-fA-F]{1,6});?")


class Shard(Struct):
    """A text of a message with what was found in it, piece by piece."""

    text: str
    pieces: list[Piece]
    found: list[list[Finding]]
    inner: list[Shard | None]
    whole: str | None = None  # what takes the place of the text, whatever is in it

    __repr__ = object.__repr__  # what it holds is personal

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        if self.whole is not None:
            return False
        return not (any(self.found) or any(self.inner))


class Looked:
    """What short pieces came to, as far as the pieces alone tell it."""

    __slots__ = ("names", "pieces")

    def __init__(self) -> None:
        self.pieces: dict[tuple[str, str, int], list[Finding]] = {}
        self.names: dict[str, list[Finding]] = {}  # what the bundled model found in short texts


class Search:
    """The search of one message: until when it may go on, and what its short pieces came to.

    A stream sees the same rows again with each token, and has `before`: what those came to that it saw last.
    """

    __slots__ = ("_before", "_clock", "_deadline", "looked", "shards")

    def __init__(self, clock: Callable[[], float], budget: float, before: Looked | None = None) -> None:
        self._clock = clock
        self._deadline = clock() + budget
        self._before = before
        self.looked = Looked()
        self.shards: dict[tuple[str, str, int], Shard] = {}

    def go_on(self) -> None:
        """Take up what was seen before; not where pieces are few, since those are read in another way."""
        if self._before is None:
            return
        self.looked = self._before
        if len(self.looked.pieces) + len(self.looked.names) > _KEPT:
            self.looked.pieces.clear()
            self.looked.names.clear()

    def check(self) -> None:
        """Refuse to go on when the time is over."""
        if self._clock() > self._deadline:
            raise RedactionError("redaction took longer than its budget")

    def check_within(self, text: str) -> Callable[[], None]:
        """Give what is to be called while one text is read: in a short one the next text is soon enough.

        So a first message is not refused because its recognizers had to be imported.
        """
        return self.check if len(text) > LONG else _nothing


def _nothing() -> None:
    pass


def beside(found: list[Finding], taken: list[tuple[int, int]]) -> list[Finding]:
    """Leave out what reaches into a stretch that is taken; these are disjoint and in order."""
    starts = [start for start, _ in taken]

    def is_free(one: Finding) -> bool:
        before = bisect.bisect_left(starts, one.end) - 1
        return before < 0 or taken[before][1] <= one.start

    return [one for one in found if is_free(one)]


def beside_signs(found: list[Finding], text: str) -> list[Finding]:
    """Leave out what a model takes for an age in `it&#39;s`, or what is taken for somebody in a statement.

    A part of HTML is read as it stands, and SQL is read as prose: its columns are nobody, and what stands in
    them without quotes is no age unless they say so.
    """
    spans = [one.span() for one in _REFERENCE.finditer(text)] if "&#" in text else []
    columns: list[tuple[int, int]] = []
    if "(" in text and found:
        columns, values = nobodys(text)
        spans += values
    if not spans and not columns:
        return found
    spans = sorted(spans + columns)

    def is_said(one: Finding) -> bool:
        if one.ground > Ground.PATTERN or (one.ground is Ground.PATTERN and not _lies_in(one, columns)):
            return True
        return not _lies_in(one, spans)

    return [one for one in found if is_said(one)]


def _lies_in(one: Finding, spans: list[tuple[int, int]]) -> bool:
    before = bisect.bisect_right(spans, (one.start, one.end)) - 1
    return any(one.start >= start and one.end <= end for start, end in spans[max(before, 0) : before + 2])


def moved(found: list[Finding], by: int) -> list[Finding]:
    """Give findings by their places in a longer or shorter text."""
    if not by:
        return found
    return [replace(one, start=max(0, one.start + by), end=one.end + by) for one in found]


def kind(piece: Piece, depth: int, *, is_read: bool) -> int:
    """Tell apart what is looked at in different ways, though text and label are the same."""
    form = (piece.form is Form.CODE) | (piece.form is Form.LINK) << 1 | (piece.form is Form.NUMBER) << 2
    return form | (piece.write is as_it_is) << 3 | (depth > 0) << 4 | is_read << 5
