"""Erasing: intent, fence, cut, destroy, sweep, completion. Each step can be repeated (P8).

The intent stands in the keyring before anything happens; whoever finds one unfinished takes it up. The fence
in transcripts makes every process refuse at its next statement; the cut makes the keys unreachable; only
then are rows deleted, in batches, because by then they are noise.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import to_datetime
from vault.crypto.envelope import random_id
from vault.errors import TamperedError
from vault.evidence.certificate import Certificate, Record, Status, Why
from vault.keys.home import require_home
from vault.keys.swap import Swapper
from vault.roots import Erased
from vault.storage import erasures, sweeping, transcripts
from vault.storage.stores import Stores


class Eraser:
    """Carries erasures out, and takes up those that a crash left behind."""

    def __init__(self, stores: Stores, swapper: Swapper) -> None:
        self._stores = stores
        self._swapper = swapper
        self._records = swapper.records

    def count(self, nodes: Sequence[bytes]) -> tuple[int, int]:
        """Count the sessions and messages that an erasure would take."""

        def work(connection: Connection) -> tuple[int, int]:
            below = sweeping.sessions_below(connection, nodes)
            return len(below), sweeping.count_messages(connection, below)

        return self._stores.transcripts.read(work)

    def begin(  # noqa: PLR0913 (what is recorded)
        self, why: Why, nodes: Sequence[bytes], where: bytes, *, reason: str, actor: str, now: bool
    ) -> bytes:
        """Record an erasure; from here on it happens, whatever crashes. Give the intent's id."""
        sessions, messages = self.count(nodes)
        intent = random_id()
        certificate = Certificate(
            id=intent.hex(),
            vault=self._stores.vault.hex(),
            kind=why,
            pseudonym=secrets.token_hex(8),
            status=Status.REQUESTED,
            sessions=sessions,
            messages=messages,
            reason=reason,
            actor=actor,
            requested_at=to_datetime(self._stores.clock()),
        )
        record = Record(certificate=certificate, now=now)
        taken = tuple(sorted(nodes))
        row = erasures.IntentRow(intent, why, erasures.Phase.BEGUN, None, where, record.encode(), taken)

        def add(connection: Connection) -> None:
            require_home(self._stores, connection)  # a copy refuses before it has changed anything
            self._records.add(connection, row)

        with suppress(IntegrityError):
            self._stores.keyring.write(add)
            return intent
        first = self._stores.keyring.read(lambda connection: self._records.of(connection, nodes[0]))
        if first is None:
            raise TamperedError("an erasure is recorded without its intent")
        return first.id  # another process was asked for the same

    def carry_out(self, intents: Sequence[bytes], *, now: bool = False) -> list[Certificate]:
        """Take erasures from wherever they stand to their end."""
        now = now or self._stores.horizon == 0
        targets = self._close_fence(intents)
        self._swapper.cut(intents)
        if now:  # the keys go before the rows, which may take long
            self._swapper.destroy_due(cut_short=True)
        self._sweep(targets)
        self._swapper.destroy_due(cut_short=now, swept=intents)
        rows = self._stores.keyring.read(lambda connection: self._records.find(connection, intents))
        return [Record.decode(rows[intent].record).certificate for intent in intents]

    def _close_fence(self, intents: Sequence[bytes]) -> list[bytes]:
        """Mark what goes: from here every process refuses. Note on the way what is swept long ago."""

        def look(connection: Connection) -> tuple[list[bytes], int]:
            rows = self._records.find(connection, intents).values()
            return [node for row in rows for node in row.nodes], erasures.swept_through(connection)

        targets, through = self._stores.keyring.read(look)

        def close(connection: Connection) -> None:
            sweeping.close_fence(connection, targets)
            transcripts.raise_mark(connection, through)

        self._stores.transcripts.write(close)
        return targets

    def repeat(self, journal: Sequence[Erased]) -> None:
        """Erase once more, in a keyring that was restored, what its root's journal remembers."""
        intents = [erased.intent for erased in journal]
        self._close_fence(intents)
        self._swapper.cut(intents, repeated=journal)

    def take_up(self) -> None:
        """Complete what was begun and not ended, and destroy what is due."""
        unfinished = self._stores.keyring.read(
            lambda connection: self._records.before(connection, erasures.Phase.SWEPT)
        )
        hasty = [row.id for row in unfinished if Record.decode(row.record).now]
        patient = [row.id for row in unfinished if row.id not in hasty]
        if hasty:
            self.carry_out(hasty, now=True)
        if patient:
            self.carry_out(patient)
        self._swapper.destroy_due()

    def sweep_after(self, ordinal: int) -> None:
        """Delete again what was erased after some swap: the transcripts are an older copy."""
        rows = self._stores.keyring.read(lambda connection: self._records.after(connection, ordinal))
        targets = [node for row in rows for node in row.nodes]
        self._stores.transcripts.write(lambda connection: sweeping.close_fence(connection, targets))
        self._sweep(targets)
        self._raise_mark()

    def _sweep(self, nodes: Sequence[bytes]) -> None:
        store = self._stores.transcripts
        while True:
            for session in store.read(lambda connection: sweeping.sessions_below(connection, nodes)):
                self._sweep_session(session)
            try:
                store.write(lambda connection: sweeping.delete_users(connection, nodes))
            except IntegrityError:
                continue  # a session that somebody was just making; its keys are refused
            return

    def _sweep_session(self, session: int) -> None:
        store = self._stores.transcripts
        while True:
            while store.write(lambda connection: sweeping.delete_batch(connection, session)):
                pass
            try:
                store.write(lambda connection: sweeping.delete_session(connection, session))
            except IntegrityError:
                continue  # a row of a writer that was faster than the fence; nothing opens it
            return

    def _raise_mark(self) -> None:
        through = self._stores.keyring.read(erasures.swept_through)
        self._stores.transcripts.write(lambda connection: transcripts.raise_mark(connection, through))
