"""Tombstones: who was erased stays so, until somebody enrols them anew.

Each stands at the slot of what was erased, under a seal of the service key, and beside the record of its
erasure: one that was edited, or taken away, is noticed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.errors import TamperedError
from vault.evidence.certificate import Why
from vault.evidence.entries import Kind as Event
from vault.evidence.log import Log
from vault.forks import cached
from vault.keys.records import Records
from vault.storage import erasures
from vault.storage.engine import Store


class Tombstones:
    """Sets tombstones, finds the one that stands, and ends it."""

    def __init__(self, store: Store, service: Callable[[], bytes], records: Records, log: Log) -> None:
        self._store = store
        self._service = service
        self._records = records
        self._log = log

    @cached
    def _key(self) -> bytes:
        return derive(self._service(), b"tombstones")

    def bury(self, connection: Connection, row: erasures.IntentRow, pseudonym: str, at: int) -> None:
        """Set a tombstone, in the transaction that cuts the keys."""
        if any(stone.intent == row.id for stone in erasures.tombstones_at(connection, row.slot)):
            return  # an older record of this erasure was put back
        stone = erasures.Tombstone(row.id, row.slot, pseudonym, at, None, b"")
        erasures.add_tombstone(connection, replace(stone, seal=self._seal(stone)))

    def standing(self, connection: Connection, where: bytes) -> erasures.Tombstone | None:
        """Give the tombstone that stands at a slot, if one does."""
        stones = erasures.tombstones_at(connection, where)
        for stone in stones:
            if not hmac.compare_digest(stone.seal, self._seal(stone)):
                raise TamperedError("a tombstone was edited")
        intents = {stone.intent for stone in stones}
        for row in self._records.at(connection, where):
            if row.phase >= erasures.Phase.CUT and Why(row.kind).leaves_tombstone and row.id not in intents:
                raise TamperedError("a tombstone is gone")
        return next((stone for stone in stones if stone.enrolled_at is None), None)

    def lift(self, where: bytes, at: int, actor: str) -> None:
        """End the tombstones at a slot, as far as any stand."""
        while self._lift_one(where, at, actor):  # what went by parts has more than one
            pass

    def _lift_one(self, where: bytes, at: int, actor: str) -> bool:
        def work(connection: Connection) -> bool:
            stone = self.standing(connection, where)
            if stone is None:
                return False
            lifted = replace(stone, enrolled_at=at)
            erasures.lift_tombstone(connection, stone.intent, at, self._seal(lifted))
            told = self._log.draft(Event.ENROLL, subject=stone.pseudonym, actor=actor)
            self._log.add(connection, [told])
            return True

        return self._store.write(work)

    def _seal(self, stone: erasures.Tombstone) -> bytes:
        said = bind(
            stone.intent,
            stone.slot,
            stone.pseudonym.encode(),
            str(stone.erased_at).encode(),
            str(stone.enrolled_at).encode(),
        )
        return hmac.digest(self._key, said, "sha256")[:ID_BYTES]
