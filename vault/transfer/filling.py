"""Adding what was read elsewhere: each message once, in its order, at its time.

A message is told apart by a mark, an idempotency key made of what it says and of its place in the source, or,
out of an export, by its seq. Marks are made under the session's key and go with it: without it nobody can try
what was redacted.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from vault.chat.inserting import Job, OutgrownError
from vault.chat.profile import count_in, join
from vault.chat.session import Session
from vault.core import Core
from vault.crypto.envelope import derive
from vault.errors import MissingError, StoreUnavailableError, VaultError
from vault.messages import Message, created_us
from vault.redaction import Redacted
from vault.redaction.memory import Memory
from vault.redaction.settings import ENTITIES
from vault.redaction.structure import texts_of
from vault.redaction.traces import Trace
from vault.storage import messages as sql
from vault.transfer.workers import examined

_NUMBERED = re.compile(r"<([A-Z_]{2,40})_(\d{1,6})>")
_RACES = 200
_TOO_LATE = (
    "what follows it was imported before it: import the parts of an export in their order, into a session"
    " that is empty"
)


@dataclass(slots=True, repr=False)
class Piece:
    """A message on its way in."""

    place: str
    message: Message
    said: bytes = b""  # a hash of what its mark is made of
    seq: int | None = None
    found: list[Trace] | None = None
    problem: str = ""


@dataclass(slots=True, repr=False)
class Group:
    """Messages of one session that are added together."""

    user_id: str
    session_id: str
    namespace: str
    pieces: list[Piece] = field(default_factory=list)

    @property
    def by_seq(self) -> bool:
        """Whether these come out of an export."""
        return bool(self.pieces) and self.pieces[0].seq is not None


@dataclass(slots=True)
class Tally:
    """What became of some messages."""

    added: int = 0
    known: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)  # places, and why


class Filler:
    """Adds groups of messages to a vault."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def is_new(self, group: Group, tally: Tally) -> list[Piece]:
        """Give those messages that are not here; what is, or can't be, goes to the tally."""
        try:
            session = self._core.sessions.find(group.user_id, group.session_id)
        except MissingError as error:
            tally.problems += [(piece.place, str(error)) for piece in group.pieces]
            return []
        pieces = group.pieces
        if not group.by_seq:
            pieces = list({piece.said: piece for piece in pieces}.values())
            tally.known += len(group.pieces) - len(pieces)
        return pieces if session is None else self._sort(session, pieces, group, tally)

    def _sort(self, session: Session, pieces: Sequence[Piece], group: Group, tally: Tally) -> list[Piece]:
        if group.by_seq:
            return self._sort_by_seq(session, pieces, tally)
        every = marks(session, pieces)
        known = self._core.writer.known(session, every)
        tally.known += len(known)
        return [piece for mark, piece in zip(every, pieces, strict=True) if mark not in known]

    def _sort_by_seq(self, session: Session, pieces: Sequence[Piece], tally: Tally) -> list[Piece]:
        """A seq is taken by the same message, by one that was lawfully removed, or by another one."""
        self._core.sessions.reload_profile(session)
        seqs = [piece.seq or 0 for piece in pieces]
        there, last = self._core.stores.transcripts.read(
            lambda c: (sql.stamps(c, session.row, min(seqs), max(seqs)), sql.last_seq(c, session.row))
        )
        session.next_seq = max(session.next_seq, last + 1)
        following = max(last + 1, session.profile.next_seq)
        new: list[Piece] = []
        for piece, seq in zip(pieces, seqs, strict=True):
            stamp = (piece.message.role, created_us(piece.message, 0))
            if there.get(seq) == stamp:
                tally.known += 1
            elif count_in(session.profile.skipped, seq, seq + 1):
                tally.problems.append((piece.place, _TOO_LATE))
            elif seq not in there and session.profile.explains(seq, seq + 1):
                tally.known += 1
            elif seq < following:
                tally.problems.append((piece.place, "another message stands there in this session"))
            elif new and seq <= (new[-1].seq or 0):
                tally.problems.append((piece.place, "it stands before the message before it"))
            else:
                new.append(piece)
        return new

    def add(self, groups: Sequence[Group]) -> Tally:
        """Add what was looked through, all groups with one commit where nothing comes in between."""
        tally, again = Tally(), list[Group]()
        failures: list[VaultError] = []
        with self._core.writer.leaving() as jobs:
            begun = list[tuple[Group, Job | None]]()
            for group in groups:
                with self._noting(group, tally, failures):
                    begun.append((group, self._begin(group, group.pieces, jobs)))
            for group, job in begun:  # in order, and all of them: the first one writes for the others
                with self._noting(group, tally, failures):
                    if job is None or not self._settle(job, group, tally):
                        again.append(group)
        if failures:
            raise failures[0]
        for group in again:
            with self._noting(group, tally, failures):
                self._add_alone(group, tally)
        if failures:
            raise failures[0]
        return tally

    @contextmanager
    def _noting(self, group: Group, tally: Tally, failures: list[VaultError]) -> Iterator[None]:
        """Keep an error for later; nothing is written under a name that was forgotten."""
        try:
            yield
        except MissingError as error:
            tally.problems += [(piece.place, str(error)) for piece in group.pieces]
        except VaultError as error:
            failures.append(error)

    def _settle(self, job: Job, group: Group, tally: Tally) -> bool:
        try:
            tally.added += len(self._core.writer.settle(job))
        except OutgrownError:
            self._core.sessions.distrust(group.user_id, group.session_id)
            return False
        return True

    def _add_alone(self, group: Group, tally: Tally) -> None:
        """Add a group that others came in between: look again what is new."""
        for _ in range(_RACES):
            here = Tally()
            pieces = self.is_new(group, here)
            with self._core.writer.leaving() as jobs:
                job = self._begin(group, pieces, jobs) if pieces else None
                if not pieces or (job is not None and self._settle(job, group, here)):
                    tally.added += here.added
                    tally.known += here.known
                    tally.problems += here.problems
                    return
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def make(self, group: Group) -> None:
        """Make a session that has no messages."""
        self._core.sessions.find_or_make(group.user_id, group.session_id, group.namespace)

    def _begin(self, group: Group, pieces: Sequence[Piece], jobs: list[Job]) -> Job | None:
        """Number the placeholders and queue the messages; None where it is not the session it was."""
        core = self._core
        names = group.user_id, group.session_id, group.namespace
        session = core.sessions.find_or_make(*names)
        rev, profile = session.ledger
        memory = Memory(derive(session.key, b"placeholders"), profile.placeholders)
        redacted = [self._finish(piece, memory, profile.namespace) for piece in pieces]
        now = core.stores.clock()
        entries = core.packing.taken_over(redacted, [piece.message for piece in pieces], now, session)
        if core.sessions.ready(*names, [place for entry in entries for place in entry.places]) is not session:
            return None
        seqs = [piece.seq or 0 for piece in pieces] if group.by_seq else []
        after = max(session.next_seq, profile.next_seq)
        if seqs and seqs[0] < after:
            return None  # others came in between
        gaps = _gaps(after, seqs)
        grown = replace(
            profile,
            placeholders=memory.known if memory.has_grown else profile.placeholders,
            popped=join(profile.popped, gaps),
            skipped=join(profile.skipped, gaps),
        )
        job = Job(
            session,
            entries,
            None,
            rev,
            grown if grown != profile else None,
            marks=[] if group.by_seq else marks(session, pieces),
            seqs=seqs,
            after=after,
        )
        jobs.append(job)
        return core.writer.offer(job)

    def _finish(self, piece: Piece, memory: Memory, namespace: str) -> Redacted:
        for text in texts_of(piece.message, metadata=True):
            for entity, number in _NUMBERED.findall(text.text):
                if entity in ENTITIES:
                    memory.reserve(entity, int(number))
        return examined(self._core.redactor, piece.message, piece.found, namespace).finish(memory)[0]


def marks(session: Session, pieces: Sequence[Piece]) -> list[str]:
    """Give what each is known by when it comes again."""
    key = derive(session.key, b"import")
    return ["import " + hmac.digest(key, piece.said, "sha256").hex() for piece in pieces]


def _gaps(start: int, seqs: Sequence[int]) -> list[tuple[int, int]]:
    """Give, as closed ranges, the seqs that were removed before the messages were written down."""
    found = []
    for seq in seqs:
        if seq > start:
            found.append((start, seq - 1))
        start = seq + 1
    return found
