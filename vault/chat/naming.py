"""Who a node is: the user, or the session, that holds and requests name by their nodes only."""

from __future__ import annotations

from vault.chat.profile import open_name
from vault.errors import TamperedError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys, hidden_slot
from vault.storage import keyring as keyring_sql
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores


class Namer:
    """Opens the names of users and sessions that are not forgotten yet."""

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self._stores = stores
        self._keyring = keyring

    def owner(self, user_node: bytes) -> tuple[UserKeys, str] | None:
        """Find a user by their node; None for one who was forgotten. Lost in a restore, they have no name."""
        return beyond_doubt(self._stores, lambda: self._owner(user_node))

    def _owner(self, user_node: bytes) -> tuple[UserKeys, str] | None:
        node = self._stores.keyring.read(lambda c: keyring_sql.nodes_by_id(c, [user_node])).get(user_node)
        if node is None or self._stores.keyring.read(lambda c: self._keyring.records.of(c, user_node)):
            return None
        user = self._keyring.find_users([node.slot[1:]]).get(node.slot[1:])
        row = self._stores.transcripts.read(lambda connection: sql.find_user(connection, user_node))
        if user is None or row is None or (row.slot, row.state) != (user.index, State.LIVE):
            raise TamperedError("the row of a user who is held was edited, or is gone")
        return user, open_name(row.name, self._stores.vault, row.node, b"", user.secret)

    def session(self, user: UserKeys, session_node: bytes) -> str | None:
        """Give the id of a session by its node; None for one that was erased."""
        return beyond_doubt(self._stores, lambda: self._session(user, session_node))

    def _session(self, user: UserKeys, session_node: bytes) -> str | None:
        node = self._stores.keyring.read(lambda c: keyring_sql.nodes_by_id(c, [session_node])).get(
            session_node
        )
        if node is None or self._stores.keyring.read(lambda c: self._keyring.records.of(c, session_node)):
            return None
        opened = self._keyring.find_sessions(user, [node.slot]).get(node.slot)
        row = self._stores.transcripts.read(lambda connection: sql.find_session(connection, session_node))
        aside = node.slot == hidden_slot(session_node)
        if (
            opened is None
            or row is None
            or row.user_node != user.node
            or (not aside and row.slot != node.slot[1:])
        ):
            raise TamperedError("the row of a session that is held was edited, or is gone")
        return open_name(row.name, self._stores.vault, row.node, user.node, opened.key) or None
