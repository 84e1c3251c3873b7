"""Proving that the rows of what is held say where its keys are, before any key dies (P5).

A hold keeps the days that the chapters of its sessions name. Whoever may write into the transcripts would end
it by another day, or another session, in a chapter's row. Each chapter's seal says which it had.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from vault.chat.chapter import check_seal
from vault.crypto.tree import Kind
from vault.keys.doubt import beyond_doubt
from vault.retention.facts import PAGE, Facts, edited, naming
from vault.retention.holding import Holds
from vault.storage import holds as sql
from vault.storage import keyring as keyring_sql
from vault.storage.retention import chapters_in
from vault.storage.stores import Stores


class Guard:
    """Looks at the sessions that are held: at their rows, and at those of their chapters."""

    def __init__(self, stores: Stores, facts: Facts, holds: Holds) -> None:
        self._stores = stores
        self._facts = facts
        self._holds = holds

    def check(self) -> None:
        """Raise TamperedError where a row of what is held was edited, or a chapter's is gone."""
        beyond_doubt(self._stores, self._check)

    def _check(self) -> None:
        nodes = sorted(self._stores.keyring.read(self._held))
        for start in range(0, len(nodes), PAGE):
            page = nodes[start : start + PAGE]
            self._stores.transcripts.snapshot(lambda c, page=page: self._look(c, page))  # type: ignore[misc]

    def _held(self, connection: Connection) -> set[bytes]:
        found: set[bytes] = set()
        for hold in self._holds.in_force(connection, self._stores.clock()):
            every = hold.session is None
            found |= (
                keyring_sql.ids_below(connection, hold.user, Kind.SESSION) if every else {hold.session or b""}
            )
        return found

    def _look(self, connection: Connection, nodes: Sequence[bytes]) -> None:
        rows = sql.sessions_at(connection, nodes)
        living = self._facts.living(connection, list(rows))
        for number in rows.keys() - living.keys():
            if not self._facts.is_erased(rows[number]):
                raise edited(number, "a session's row was edited, or its user's")
        keys = self._facts.session_keys(living.values())
        for one in chapters_in(connection, list(keys)):
            with naming(one.session):
                check_seal(one.seal, keys[one.session], living[one.session].node, one.place)
        lost = sql.session_without_chapter(connection, list(keys))
        if lost is not None:
            raise edited(lost, "a message or a record has lost its chapter")
