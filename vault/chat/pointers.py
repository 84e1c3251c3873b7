"""Pointers: the way to a session by a name alone, where a framework asks without saying for which user.

Such a name, a thread's or a run's, is indexed under the service key. What stands in the row is not believed:
it is sealed with the key of its session, and user and session are read from their sealed names. The rows go
with their session.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from sqlalchemy import Connection

from vault.chat.profile import open_name
from vault.crypto.blind import blind_index
from vault.crypto.envelope import ID_BYTES, derive
from vault.crypto.tree import Kind, slot
from vault.errors import TamperedError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import hidden_slot
from vault.storage import keyring as keyring_sql
from vault.storage import records as sql
from vault.storage import transcripts
from vault.storage.stores import Stores

Name = tuple[str, str]  # a kind of names, and one of them
Holder = tuple[str, str]  # a user id and a session id


def pointer_seal(session_key: bytes, place: bytes) -> bytes:
    """Give the code that shows that a session itself let a name lead to it (P2)."""
    return hmac.digest(derive(session_key, b"pointer"), place, "sha256")[:ID_BYTES]


class Pointers:
    """Finds sessions by names that lead to them."""

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self._stores = stores
        self._keyring = keyring

    def places(self, names: Sequence[Name]) -> list[bytes]:
        """Give where names are looked up."""
        if not names:
            return []
        key = derive(self._keyring.service, b"pointers")
        return [blind_index(key, kind, name) for kind, name in names]

    def holders(self, name: Name) -> list[Holder]:
        """Give the users and sessions that a name leads to, as far as they are alive."""
        [place] = self.places([name])
        return beyond_doubt(self._stores, lambda: self._look(place))

    def _look(self, place: bytes) -> list[Holder]:
        every = self._stores.transcripts.read(lambda connection: sql.pointed(connection, place))
        if any(row[0] is None or row[2] is None for row in every):
            raise TamperedError("a pointer leads to a session whose row is gone")
        users = self._keyring.find_users(list({bytes(row[1]) for row in every}))
        if len({row[2] for row in every}) < len(every):
            raise TamperedError("a pointer is there twice")
        found = []
        for user_node, user_slot, node, session_slot, name, seal, alive in every:
            user, where = users.get(user_slot), slot(Kind.SESSION, session_slot)
            opened = None
            if user is not None and alive and user.node == user_node:
                opened = self._keyring.find_sessions(user, [where]).get(where)
            if user is None or opened is None or opened.id != node:
                if self._went(user_node, node):
                    continue
                raise TamperedError("the row of a user or session that a name leads to was edited")
            row = self._stores.transcripts.read(lambda c, n=user_node: transcripts.find_user(c, n))  # type: ignore[misc]
            if row is None:
                continue
            vault = self._stores.vault
            user_id = open_name(row.name, vault, user.node, b"", user.secret)
            session_id = open_name(name, vault, node, user.node, opened.key)
            if user.session_slot(session_id) != where:
                raise TamperedError("a session's row was edited")
            if not hmac.compare_digest(seal, pointer_seal(opened.key, place)):
                raise TamperedError("a pointer was made to lead elsewhere")
            found.append((user_id, session_id))
        return found

    def _went(self, user_node: bytes, node: bytes) -> bool:
        """Say whether a session was erased, or hidden under a hold."""

        def look(connection: Connection) -> bool:
            if any(self._keyring.records.of(connection, one) for one in (user_node, node)):
                return True
            found = keyring_sql.nodes_by_id(connection, [node]).get(node)
            return found is not None and found.slot == hidden_slot(node)

        return self._stores.keyring.read(look)
