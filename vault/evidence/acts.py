"""Acts under way: each has a lease from its intent to its completion.

Who is killed between the two leaves the lease behind. Once nobody has kept it for a while, whoever opens the
vault next completes the act as interrupted, so that the log doesn't call it unfinished for ever (P6, P8).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from sqlalchemy import Connection

from vault.clock import Clock
from vault.evidence.entries import Act, Entry, Step
from vault.storage import log as log_sql
from vault.storage import turns as sql
from vault.storage.engine import Store
from vault.storage.turns import LeaseRow

BEAT = 60_000_000  # microseconds between two signs of life
SILENCE = 60 * BEAT  # after which nobody is at it any more
_PREFIX = "act:"


class Acts:
    """Keeps the leases of the acts of this process, and finds those that nobody keeps."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._mine: dict[bytes, int] = {}

    def begin(self, connection: Connection, act: bytes) -> None:
        """Take a lease, in the transaction of the intent."""
        at = self._clock()
        sql.add_lease(connection, _name(act), LeaseRow(act, 1, at))
        self._mine[act] = at

    def leave(self, act: bytes) -> None:
        """Keep a lease no longer, and don't give it back yet."""
        self._mine.pop(act, None)

    def end(self, connection: Connection, act: bytes) -> bool:
        """Give it back, first in the transaction of the completion; False where another has completed it."""
        self.leave(act)
        return sql.drop_lease(connection, _name(act))

    def beat(self) -> None:
        """Keep what this process is at; to be called between batches, however small they are."""
        at = self._clock()
        late = [act for act, beaten in list(self._mine.items()) if abs(at - beaten) >= BEAT]
        if not late:
            return

        def work(connection: Connection) -> None:
            for act in sorted(late):
                sql.change_lease(connection, _name(act), LeaseRow(act, 1, at))

        self._store.write(work)
        self._mine |= dict.fromkeys(late, at)

    def silent(self, connection: Connection) -> list[bytes]:
        """Give the acts that nobody is at. A clock that ran ahead for a while keeps nothing for ever."""
        at = self._clock()
        found = sql.leases_named(connection, _PREFIX)
        return sorted(_act(name) for name, row in found.items() if abs(at - row.beat) >= SILENCE)

    def take_over(self, connection: Connection) -> list[Act]:
        """Take the leases of silent acts, to complete those that have an intent and no completion yet."""
        taken = [act for act in self.silent(connection) if self.end(connection, act)]
        open_acts: dict[bytes, Act] = {}
        for row in log_sql.entries_of(connection, taken):
            entry = Entry.read(row.entry)
            if entry.step is Step.INTENT:
                open_acts[row.act] = Act(row.act, entry.kind, entry.subject, entry.actor)
            else:
                open_acts.pop(row.act, None)
        return list(open_acts.values())


def _name(act: bytes) -> str:
    return _PREFIX + urlsafe_b64encode(act).rstrip(b"=").decode()


def _act(name: str) -> bytes:
    return urlsafe_b64decode(name.removeprefix(_PREFIX) + "==")
