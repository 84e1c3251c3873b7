"""The records of erasures, each under a seal of the service key.

Without it, whoever may write to the keyring could have the vault erase somebody who lives, at its next
opening and up to the backups; could pass a theft off as an erasure; could forge a certificate (P2).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.errors import TamperedError
from vault.forks import cached
from vault.storage import erasures
from vault.storage.erasures import IntentRow
from vault.storage.schema import Phase


class Records:
    """Seals what is recorded, and gives back only what was."""

    def __init__(self, service: Callable[[], bytes]) -> None:
        self._service = service

    @cached
    def _key(self) -> bytes:
        return derive(self._service(), b"intents")

    def add(self, connection: Connection, row: IntentRow) -> None:
        """Record an erasure before it happens."""
        [sealed] = self._sealed([row])
        erasures.add_intent(connection, sealed)

    def update(self, connection: Connection, rows: Sequence[IntentRow]) -> None:
        """Store how far erasures have come."""
        erasures.update_intents(connection, self._sealed(rows))

    def find(self, connection: Connection, ids: Sequence[bytes]) -> dict[bytes, IntentRow]:
        """Give some erasures; raise TamperedError where the record of one is gone."""
        found = {row.id: row for row in self._checked(erasures.find_intents(connection, ids))}
        if len(found) < len(set(ids)):
            raise TamperedError("the record of an erasure is gone from the keyring")
        return found

    def before(self, connection: Connection, phase: Phase) -> list[IntentRow]:
        """Give the erasures that have not come as far as `phase`, oldest first."""
        return self._checked(erasures.intents_before(connection, phase))

    def reached(self, connection: Connection, ordinal: int) -> list[IntentRow]:
        """Give the erasures that no generation before `ordinal` is needed to undo, and are not final yet."""
        return self._checked(erasures.intents_reached(connection, ordinal))

    def after(self, connection: Connection, ordinal: int) -> list[IntentRow]:
        """Give the erasures by swaps after the one with this ordinal."""
        return self._checked(erasures.intents_after(connection, ordinal))

    def every(self, connection: Connection) -> list[IntentRow]:
        """Give every erasure there was, oldest first; those that are not cut yet come last."""
        rows = self._checked(erasures.all_intents(connection))
        if erasures.has_lost_intents(connection) or len({row.id for row in rows}) < len(rows):
            raise TamperedError("the record of an erasure is gone from the keyring, or there twice")
        return rows

    def at(self, connection: Connection, where: bytes) -> list[IntentRow]:
        """Give the erasures of whoever had this slot, oldest first."""
        rows = self._checked(erasures.intents_at(connection, where))
        return sorted(rows, key=lambda row: (row.ordinal is None, row.ordinal))

    def of(self, connection: Connection, node: bytes) -> IntentRow | None:
        """Give the erasure that takes, or took, a node."""
        return next(iter(self._checked(erasures.intents_of(connection, node))), None)

    def _seal(self, row: IntentRow) -> bytes:
        said = bind(
            row.id,
            row.kind.encode(),
            str(int(row.phase)).encode(),
            str(row.ordinal).encode(),
            row.slot,
            row.record.encode(),
            *sorted(row.nodes),
        )
        return hmac.digest(self._key, said, "sha256")[:ID_BYTES]

    def _sealed(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        return [replace(row, seal=self._seal(row)) for row in rows]

    def _checked(self, rows: list[IntentRow]) -> list[IntentRow]:
        if not all(hmac.compare_digest(row.seal, self._seal(row)) for row in rows):
            raise TamperedError(
                "the keyring holds the record of an erasure that was not written by this vault",
                hint="somebody writes to the keyring: nothing is erased before this record is gone",
            )
        return rows
