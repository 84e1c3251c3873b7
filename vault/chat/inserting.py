"""What one transaction adds to a session: messages, sealed, by one INSERT … SELECT behind the fence.

With them go the records beside them, the profile that they change, and the keys that tell them again.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from vault.chat.chapter import ORIGINALS
from vault.chat.entries import Entry
from vault.chat.profile import Profile
from vault.chat.records import Beside, write_records
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.errors import TamperedError
from vault.storage import messages as sql


@dataclass(slots=True, eq=False, repr=False)
class Job:
    """What one caller wants added, all of it or nothing.

    `profile` is what the session's profile becomes by it, from the one of the revision `rev`. What comes from
    elsewhere has a mark for each entry, which is an idempotency key of its own, or seqs of its own, which
    follow what is there.
    """

    session: Session
    entries: Sequence[Entry]
    key: str | None
    rev: int = 0
    profile: Profile | None = None
    beside: Beside = field(default_factory=Beside)
    marks: Sequence[str] = ()
    seqs: Sequence[int] = ()
    after: int = 0  # what was to be the next seq when they were chosen
    outcome: list[int] | Exception | None = None
    turn: Future[None] = field(default_factory=Future)  # its caller's, to take the outcome or to lead

    def call(self) -> None:
        """Let its caller go on: the outcome is known, or nobody else will write it."""
        if not self.turn.done():
            self.turn.set_result(None)

    def end(self, outcome: list[int] | Exception) -> None:
        """Tell its caller what became of it."""
        self.outcome = outcome
        self.call()


class Added(NamedTuple):
    """What became of a job; `is_known` says that its key was used before, so nothing of it was written."""

    seqs: list[int]
    after: int  # the seq after the last one that is used
    is_known: bool = False


class FenceClosedError(Exception):
    """A statement let fewer rows through than it was given."""


class OutgrownError(Exception):
    """Another writer changed the session's profile first, or ended it: redact again."""


class Inserter:
    """Writes jobs, each within a transaction of its caller's."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def insert(self, connection: Connection, job: Job, start: int) -> Added:
        """Write a job's messages, unless they are there already."""
        session = job.session
        if job.beside.drops or job.beside.basis.every is not None:
            # First of all: who places a hold waits for this, or is seen (P5).
            sql.lock_session(connection, session.row)
        key = job.key and session.user.idempotency_key(session.node, job.key)
        if key:
            known = sql.find_key(connection, session.row, key)
            if known is not None:
                first, seal = known
                check_key(session, key, first, seal)
                there = list(range(first, first + len(job.entries)))
                return Added(there, max(start, first + 1), is_known=True)
        keys = [session.user.idempotency_key(session.node, mark) for mark in job.marks]
        _refuse_outgrown(connection, job, keys, start)
        seqs = job.seqs or range(start, start + len(job.entries))
        rev = session.rev
        if job.profile is not None:  # before the messages, which share a lock on the row that this changes
            rev = job.rev + 1
            sealed = self._sessions.seal(session, job.profile, rev)
            if not sql.write_profile(connection, session.row, sealed, job.rev):
                raise OutgrownError
        rows = [_sealed(session, seq, entry, rev) for seq, entry in zip(seqs, job.entries, strict=True)]
        if not _append(connection, job, rows) or not write_records(connection, session, job.beside, rev):
            raise FenceClosedError
        if key:
            seal = session.user.idempotency_seal(session.node, key, start)
            sql.add_keys(connection, session.row, [(key, start, seal)])
        if keys:
            seal_key = partial(session.user.idempotency_seal, session.node)
            marked = [(one, seq, seal_key(one, seq)) for one, seq in zip(keys, seqs, strict=True)]
            sql.add_keys(connection, session.row, marked)
        return Added(list(seqs), seqs[-1] + 1 if seqs else start)

    def insert_locked(self, connection: Connection, job: Job) -> Added:
        """Write a job's messages under its session's lock, from the seq on that is the next one then."""
        after_rows = sql.lock_session(connection, job.session.row)
        self._sessions.learn(connection, job.session)  # under the lock nobody changes the ledger any more
        if job.profile is not None and job.session.rev != job.rev:
            raise OutgrownError
        return self.insert(connection, job, max(after_rows, job.session.profile.next_seq))


def _refuse_outgrown(connection: Connection, job: Job, keys: Sequence[bytes], start: int) -> None:
    """Raise OutgrownError where somebody else has added what a job was not prepared for."""
    if job.seqs and max(start, sql.lock_session(connection, job.session.row)) != job.after:
        raise OutgrownError
    if keys and sql.find_keys(connection, job.session.row, keys):
        raise OutgrownError


def check_key(session: Session, key: bytes, seq: int, seal: bytes) -> None:
    """Raise TamperedError for an idempotency key that was not stored with this message."""
    if not hmac.compare_digest(seal, session.user.idempotency_seal(session.node, key, seq)):
        raise TamperedError("an idempotency key was made to stand for another message")


def _sealed(session: Session, seq: int, entry: Entry, rev: int) -> dict[str, object]:
    """Seal one message for its row, and for a memory outside where its content goes there."""
    chapter = session.by_place[entry.place]
    aad = chapter.aad(seq, entry.role, entry.created_at)
    if entry.outside is not None:
        entry.outside.seal(session, chapter, seq, entry)
    return {
        **session.fence,
        "at_rev": rev,
        "the_chapter": chapter.id,
        "place": chapter.place,
        "at_seq": seq,
        "the_role": entry.role,
        "at_time": entry.created_at,
        "the_body": chapter.cipher.seal(entry.packed, aad),
        **_sealed_originals(session, seq, entry),
    }


def _append(connection: Connection, job: Job, rows: Sequence[Mapping[str, object]]) -> bool:
    """Add messages; False where the chapter of one of them, or of its originals, takes no more."""
    if rows and sql.append(connection, rows) != len(rows):
        return False
    apart = _apart(job.session, job.entries)
    return not apart or sql.takes_originals(connection, job.session.row, apart)


def _apart(session: Session, entries: Sequence[Entry]) -> dict[int, bytes]:
    """Give the chapters of originals, each with its place."""
    places = {entry.originals_place for entry in entries if entry.originals is not None}
    kept = [session.by_place[place] for place in places if place is not None]
    return {chapter.id: chapter.place for chapter in kept}


def _sealed_originals(session: Session, seq: int, entry: Entry) -> dict[str, object]:
    if entry.originals is None or entry.originals_place is None:
        return {"the_originals": None, "their_chapter": None}
    chapter = session.by_place[entry.originals_place]
    aad = chapter.aad(seq, entry.role, entry.created_at, ORIGINALS)
    return {"the_originals": chapter.cipher.seal(entry.originals, aad), "their_chapter": chapter.id}
