"""What is to be written: a message that is packed and not yet sealed, for a row or for a memory outside."""

from __future__ import annotations

from dataclasses import dataclass

from vault.chat.chapter import Chapter
from vault.chat.outside import NOTHING, Envelope, Range, seal_body, write_envelope
from vault.chat.session import Place, Session


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One message, encoded and packed, not yet sealed: its seq is not known."""

    packed: bytes
    role: str
    created_at: int
    place: Place
    originals: bytes | None = None  # the message as it was before redaction, where the policy keeps that
    originals_place: Place | None = None
    outside: Parcel | None = None  # what is sealed for a memory outside, while `packed` only says so

    @property
    def places(self) -> list[Place]:
        """Give the epochs that it needs."""
        return [self.place] if self.originals_place is None else [self.place, self.originals_place]


@dataclass(slots=True, eq=False, repr=False)
class Parcel:
    """A message for a memory outside: packed first, and sealed where its row is written.

    `index` is its place among those written at once; `known` the seqs in the memory before all of them;
    `announced` is what its row holds at first, and `certain` once it is there.
    """

    packed: bytes
    announced: bytes
    certain: bytes
    index: int
    known: Range
    row: Sealed | None = None
    text: str = ""

    def seal(self, session: Session, chapter: Chapter, seq: int, entry: Entry) -> None:
        """Seal it for one row. A row that is written again has another seq."""
        first, last = self.known
        start = seq - self.index
        if last >= start:  # the session was started anew meanwhile
            first, last = NOTHING
        if self.index:
            first, last = (first if first <= last == start - 1 else start), seq - 1
        sealed = seal_body(chapter, seq, entry.role, entry.created_at, self.packed, (first, last))
        self.text = write_envelope(Envelope(session.user.node, session.node, seq, sealed))
        self.row = Sealed(session, chapter, seq, entry.role, entry.created_at)


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """The row that a parcel was sealed for."""

    session: Session
    chapter: Chapter
    seq: int
    role: str
    created_at: int
