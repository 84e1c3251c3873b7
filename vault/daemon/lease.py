"""One leader among many daemons, by a row in the keyring.

Whoever leads makes the row's beat grow. Another takes over when it has seen the same beat for the whole term,
by its own clock: the clocks of hosts need not agree. Each leader has a higher fence than the one before, and
whatever it does in batches asks between them whether the fence is still its own.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import Clock
from vault.crypto.envelope import ID_BYTES, random_id
from vault.storage import turns as sql
from vault.storage.engine import Store
from vault.storage.turns import LeaseRow

TERM = 30_000_000  # microseconds without a beat, after which another leads
_PATIENCE = 1.0  # seconds: a beat that waits longer for a lock is told of, and the next one comes soon
_NOBODY = bytes(ID_BYTES)


class Lease:
    """A claim to lead. `clock` must not jump: it measures spans, and tells no time."""

    def __init__(self, store: Store, name: str, clock: Clock) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._me = random_id()
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._seen_at = 0
        self._answered_at: int | None = None
        self.fence: int | None = None  # while this one leads

    def keep(self) -> bool:
        """Go on leading, or begin to where nobody does; say whether this one leads."""
        with self._lock:
            at = self._clock()
            fence = None
            with suppress(IntegrityError):  # another was first
                fence = self._store.write(lambda connection: self._claim(connection, at), patience=_PATIENCE)
            self.fence, self._answered_at = fence, at
            return fence is not None

    def _claim(self, connection: Connection, at: int) -> int | None:
        row = sql.lock_lease(connection, self._name)
        if row is None:
            sql.add_lease(connection, self._name, LeaseRow(self._me, 1, 0))
            return 1
        if row.holder == self._me:
            sql.change_lease(connection, self._name, replace(row, beat=row.beat + 1))
            return row.fence
        if row.holder != _NOBODY and not self._is_silent(row, at):
            return None
        sql.change_lease(connection, self._name, LeaseRow(self._me, row.fence + 1, 0))
        return row.fence + 1

    def _is_silent(self, row: LeaseRow, at: int) -> bool:
        if self._seen != (row.fence, row.beat):
            self._seen, self._seen_at = (row.fence, row.beat), at
        return at - self._seen_at >= TERM

    @property
    def sign(self) -> tuple[int, int] | None:
        """Give the sign of life of another that was last seen: who lives changes it."""
        return self._seen

    def is_mine(self) -> bool:
        """Say whether this one still leads, by the row itself."""
        fence = self.fence
        if fence is None or self.is_away():
            return False
        row = self._store.read(lambda connection: sql.read_lease(connection, self._name))
        return row is not None and (row.holder, row.fence) == (self._me, fence)

    def is_away(self) -> bool:
        """Say whether the keyring has not answered for a whole term."""
        return self._answered_at is None or self._clock() - self._answered_at >= TERM

    def release(self) -> None:
        """Let another lead at once."""

        def work(connection: Connection) -> None:
            row = sql.lock_lease(connection, self._name)
            if row is not None and row.holder == self._me:
                sql.change_lease(connection, self._name, replace(row, holder=_NOBODY))

        with self._lock:
            self.fence = None
            self._store.write(work, patience=_PATIENCE)
