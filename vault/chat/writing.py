"""Adding to transcripts: seal, then one INSERT … SELECT behind the fence.

The seq is known from the last append and the unique key settles races; who loses goes again, alone, with the
true seq. Appends that arrive while one is being written are committed as one group with the next; each
caller is told only when its own message is durable (P8).
"""

from __future__ import annotations

import hmac
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.chat.sessions import Place, Session, Sessions
from vault.errors import OutcomeUnknownError, StoreUnavailableError, TamperedError
from vault.storage import messages as sql
from vault.storage.stores import Stores

GROUP = 256  # jobs committed at once
_RACES = 200
_REOPENINGS = 50


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One message, encoded and packed, not yet sealed: its seq is not known."""

    packed: bytes
    role: str
    created_at: int
    place: Place


@dataclass(slots=True, eq=False, repr=False)
class Job:
    """What one caller wants added, all of it or nothing."""

    session: Session
    entries: Sequence[Entry]
    key: str | None
    result: Future[list[int] | None] = field(default_factory=Future)


class _FenceClosedError(Exception):
    """A statement let fewer rows through than it was given."""


class Writer:
    """Adds messages. Safe to use from many threads and tasks."""

    def __init__(self, stores: Stores, sessions: Sessions) -> None:
        self._stores = stores
        self._sessions = sessions
        self._lock = threading.Lock()
        self._queue: deque[Job] = deque()
        self._leading = False

    def add(self, session: Session, entries: Sequence[Entry], key: str | None) -> list[int]:
        """Add messages to a session; give their seqs once they are durable."""
        job = Job(session, entries, key)
        with self._lock:
            self._queue.append(job)
            leads = not self._leading
            self._leading = True
        while True:
            if leads:
                self._lead(job)
            seqs = self._stores.runtime.wait(job.result)
            if seqs is not None:
                return seqs
            job.result, leads = Future(), True  # the leader left, and named this job's caller

    def _lead(self, own: Job) -> None:
        """Write one group, with the own job in it, and hand the lead on."""
        with self._lock:
            group = [self._queue.popleft() for _ in range(min(GROUP, len(self._queue)))]
        try:
            self._write(group)
        finally:
            with self._lock:
                stranded = [job for job in group if job is not own and not job.result.done()]
                self._queue.extendleft(reversed(stranded))
                successor = self._queue[0] if self._queue else None
                self._leading = successor is not None
            if successor is not None:
                successor.result.set_result(None)

    def _write(self, group: Sequence[Job]) -> None:
        try:
            done = self._stores.transcripts.write(lambda connection: self._insert_group(connection, group))
        except OutcomeUnknownError as error:  # trying again could add the messages twice
            for job in group:
                job.result.set_exception(error)
            return
        except (IntegrityError, _FenceClosedError, StoreUnavailableError, TamperedError):
            for job in group:
                self._write_alone(job)
            return
        for job, (seqs, after) in zip(group, done, strict=True):
            job.session.next_seq = max(job.session.next_seq, after)
            job.result.set_result(seqs)

    def _insert_group(self, connection: Connection, group: Sequence[Job]) -> list[tuple[list[int], int]]:
        following: dict[int, int] = {}
        done = []
        for job in group:
            start = following.get(job.session.row, job.session.next_seq)
            seqs, following[job.session.row] = self._insert(connection, job, start)
            done.append((seqs, following[job.session.row]))
        return done

    def _write_alone(self, job: Job) -> None:
        try:
            job.result.set_result(self._retry(job))
        except Exception as error:  # noqa: BLE001 (it is the caller's, who waits for it)
            job.result.set_exception(error)

    def _retry(self, job: Job) -> list[int]:
        """Write one job under its session's lock, opening the session again where its fence is closed."""
        reopened = 0
        for _ in range(_RACES):
            try:
                seqs, after = self._stores.transcripts.write(lambda c: self._insert_locked(c, job))
            except IntegrityError:
                self._stores.runtime.pause(0)
            except _FenceClosedError:
                reopened += 1
                if reopened > _REOPENINGS:
                    raise TamperedError("a session's rows do not belong together") from None
                self._reopen(job)
            else:  # not before it is committed: a seq that was never used would look stolen
                job.session.next_seq = after
                return seqs
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def _reopen(self, job: Job) -> None:
        """Find out why the fence is closed: raise that, or go on in the session that took its place."""
        old = job.session
        self._sessions.drop(old)
        places = [entry.place for entry in job.entries]
        job.session = self._sessions.ready(old.user_id, old.session_id, old.profile.namespace, places)

    def _insert_locked(self, connection: Connection, job: Job) -> tuple[list[int], int]:
        after_rows = sql.lock_session(connection, job.session.row)
        self._sessions.learn(connection, job.session)  # under the lock nobody changes the ledger any more
        return self._insert(connection, job, max(after_rows, job.session.profile.next_seq))

    def _insert(self, connection: Connection, job: Job, start: int) -> tuple[list[int], int]:
        """Give the seqs of a job's messages, and the seq after the last one that is used."""
        session = job.session
        key = job.key and session.user.idempotency_key(session.node, job.key)
        if key:
            known = sql.find_key(connection, session.row, key)
            if known is not None:
                first, seal = known
                if not hmac.compare_digest(seal, session.user.idempotency_seal(session.node, key, first)):
                    raise TamperedError("an idempotency key was made to stand for another message")
                return list(range(first, first + len(job.entries))), max(start, first + 1)
        rows: list[dict[str, object]] = []
        for seq, entry in enumerate(job.entries, start):
            chapter = session.by_place[entry.place]
            aad = chapter.aad(seq, entry.role, entry.created_at)
            rows.append(
                {
                    **session.fence,
                    "at_rev": session.rev,
                    "the_chapter": chapter.id,
                    "place": chapter.place,
                    "at_seq": seq,
                    "the_role": entry.role,
                    "at_time": entry.created_at,
                    "the_body": chapter.cipher.seal(entry.packed, aad),
                }
            )
        if sql.append(connection, rows) != len(rows):
            raise _FenceClosedError
        if key:
            seal = session.user.idempotency_seal(session.node, key, start)
            sql.add_key(connection, session.row, key, start, seal)
        after = start + len(rows)
        return list(range(start, after)), after
