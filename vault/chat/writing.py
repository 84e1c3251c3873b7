"""Adding to transcripts: who writes when, and again.

The seq is known from the last append and the unique key settles races; who loses goes again, alone, with the
true seq. Appends that arrive while one is being written are committed as one group with the next; each
caller is told only when its own message is durable (P8).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.chat.entries import Entry
from vault.chat.inserting import Added, FenceClosedError, Inserter, Job, OutgrownError, check_key
from vault.chat.profile import Profile
from vault.chat.records import Beside
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.errors import (
    OutcomeUnknownError,
    RevisionError,
    StoreUnavailableError,
    TamperedError,
    VaultError,
)
from vault.forks import in_child
from vault.messages import Message
from vault.storage import messages as sql
from vault.storage.stores import Stores

GROUP = 256  # jobs committed at once
_RACES = 200
_REOPENINGS = 50

T = TypeVar("T")
Growth = tuple[int, Profile]


class Writer:
    """Adds messages. Safe to use from many threads and tasks."""

    def __init__(self, stores: Stores, sessions: Sessions) -> None:
        self._stores = stores
        self._sessions = sessions
        self._inserter = Inserter(sessions)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Job, None] = OrderedDict()
        self._leader: Job | None = None  # whoever writes, or was called to
        in_child(self, Writer._renew)
        self._given: Sequence[Job] = ()  # what the leader's transaction holds, once all of it is there

    def _renew(self) -> None:
        """Leave to the parent, in a forked child, what its threads have queued."""
        self._lock = threading.Lock()
        self._waiting, self._leader, self._given = OrderedDict(), None, ()

    def add(
        self,
        session: Session,
        entries: Sequence[Entry],
        key: str | None,
        grown: Growth | None = None,
        beside: Beside | None = None,
    ) -> list[int]:
        """Add messages to a session; give their seqs once they are durable.

        `grown` is a new profile, and the revision that it was made from: OutgrownError where that is past.
        """
        rev, profile = grown or (0, None)
        job = Job(session, entries, key, rev, profile, beside or Beside())
        with self.leaving(job):
            return self.settle(self.offer(job))

    @contextmanager
    def leaving(self, *given: Job) -> Iterator[list[Job]]:
        """Leave no job behind whose caller is gone, for whatever reason: it could be called to lead.

        Around `offer` and `settle`; further jobs are added to the list before they are offered. An interrupt
        may come at any place, so also while this is at it.
        """
        jobs = list(given)
        try:
            yield jobs
        finally:
            try:
                self._leave(jobs)
            except BaseException:  # not narrower: Ctrl-C or a signal's error cut it short; all of it goes on
                self._leave(jobs)
                raise

    def offer(self, job: Job) -> Job:
        """Queue a job; whoever offers it settles it, within `leaving`."""
        with self._lock:
            self._waiting[job] = None
            if self._leader is None:
                self._leader = job
                job.call()
        return job

    def settle(self, job: Job) -> list[int]:
        """Wait until a job is durable, or do it with all that wait; give its seqs."""
        if not job.turn.done():
            self._stores.runtime.wait(job.turn)
        if job.outcome is None:
            self._lead()
        self._leave([job])
        if isinstance(job.outcome, list):
            return job.outcome
        raise job.outcome or AssertionError("unreachable")

    def _leave(self, jobs: Sequence[Job]) -> None:
        """Stop waiting, and hand on the lead. Doing it twice does no harm, nor having begun it before."""
        with self._lock:
            for job in jobs:
                self._waiting.pop(job, None)
            if self._leader is None or self._leader not in jobs:
                return
            while self._waiting:
                successor = next(iter(self._waiting))
                if successor.outcome is None:
                    successor.call()
                    self._leader = successor
                    return
                successor.call()
                del self._waiting[successor]
            self._leader = None

    def known(self, session: Session, marks: Sequence[str]) -> set[str]:
        """Give those marks under which something was added before."""
        keys = {session.user.idempotency_key(session.node, mark): mark for mark in marks}
        found = self._stores.transcripts.read(lambda c: sql.find_keys(c, session.row, keys))
        for key, seq, seal in found:
            check_key(session, key, seq, seal)
        return {keys[key] for key, _, _ in found}

    def _lead(self) -> None:
        """Write one group, with the own job in it. What is not given to the database yet can wait for others.

        Where an interrupt comes when it was, perhaps during the commit, nobody knows whether it is there: to
        write it again could double it.
        """
        with self._lock:
            group = [job for job in islice(self._waiting, GROUP) if job.outcome is None]
        try:
            self._write(group)
        except BaseException:  # not narrower: whatever ends this thread, others wait to be told; it goes on
            for job in self._given:
                job.outcome = job.outcome or OutcomeUnknownError(
                    "the thread that was to commit this was interrupted",
                    hint="look whether it was done before it is tried again; an idempotency key helps",
                )
            raise
        finally:
            self._given = ()
            for job in group:
                if job.outcome is not None:
                    job.call()

    def _write(self, group: Sequence[Job]) -> None:
        try:
            done = self._stores.transcripts.write(
                lambda c: self._give(group, lambda: self._insert_group(c, group))
            )
        except OutcomeUnknownError as error:  # trying again could add the messages twice
            for job in group:
                job.end(error)
            return
        except (
            IntegrityError,
            FenceClosedError,
            OutgrownError,
            RevisionError,
            StoreUnavailableError,
            TamperedError,
        ):
            for job in group:
                self._write_alone(job)
            return
        for job, added in zip(group, done, strict=True):
            job.session.next_seq = max(job.session.next_seq, added.after)
            _learn_own(job, added)
            job.end(added.seqs)

    def _give(self, jobs: Sequence[Job], insert: Callable[[], T]) -> T:
        """Insert jobs in a transaction, and remember that its commit comes next."""
        self._given = ()
        inserted = insert()
        self._given = jobs
        return inserted

    def _insert_group(self, connection: Connection, group: Sequence[Job]) -> list[Added]:
        following: dict[int, int] = {}
        done = []
        for job in group:
            start = following.get(job.session.row, job.session.next_seq)
            done.append(self._inserter.insert(connection, job, start))
            following[job.session.row] = done[-1].after
        return done

    def _write_alone(self, job: Job) -> None:
        try:
            seqs = self._retry(job)
        except (VaultError, OutgrownError) as error:  # any other may be an interrupt, meant for who leads
            job.end(error)
        else:
            job.end(seqs)

    def _retry(self, job: Job) -> list[int]:
        """Write one job under its session's lock, opening the session again where its fence is closed."""
        reopened = 0
        for _ in range(_RACES):
            try:
                added = self._stores.transcripts.write(
                    lambda c: self._give([job], lambda: self._inserter.insert_locked(c, job))
                )
            except IntegrityError:
                self._stores.runtime.pause(0)
            except FenceClosedError:
                reopened += 1
                if reopened > _REOPENINGS:
                    raise TamperedError("a session's rows do not belong together") from None
                self._reopen(job)
            else:  # not before it is committed: a seq that was never used would look stolen
                job.session.next_seq = added.after
                _learn_own(job, added)
                return added.seqs
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def _reopen(self, job: Job) -> None:
        """Find out why the fence is closed: raise that, or go on in the session that took its place."""
        old = job.session
        self._sessions.drop(old)
        if job.profile is not None:
            raise OutgrownError  # what takes the session's place remembers other things
        places = [place for entry in job.entries for place in entry.places] + job.beside.places
        job.session = self._sessions.ready(old.user_id, old.session_id, old.profile.namespace, places)
        if job.session.node != old.node:
            raise OutgrownError  # begun anew, it has other numbers, and maybe another namespace


def _learn_own(job: Job, added: Added) -> None:
    """Know at once what the job itself has changed."""
    if job.profile is not None and not added.is_known:
        job.session.learn(job.rev + 1, job.profile)


def stored(message: Message, entry: Entry, seq: int) -> Message:
    """Give a message as it was stored."""
    at = to_datetime(entry.created_at)
    return Message(message.role, message.content, message.metadata, message.extra, at, seq)
