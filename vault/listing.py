"""Listing users and sessions: names are opened with the keys of those they name."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vault.chat.profile import open_name
from vault.clock import to_datetime
from vault.crypto.tree import Kind, slot
from vault.errors import KeyringOutdatedError, TamperedError, UserForgottenError
from vault.keys.ring import Keyring
from vault.storage import keyring as keyring_sql
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores

_PAGE = 200


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A session, without its messages."""

    session_id: str
    namespace: str
    messages: int
    first_at: datetime | None
    last_at: datetime | None


class Lister:
    """Lists what is alive; raises for what should be here and is not."""

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self._stores = stores
        self._keyring = keyring

    def users_page(self, after: int) -> tuple[list[str], int | None]:
        """Give some user ids, and where to go on; None at the end."""
        rows = self._stores.transcripts.read(lambda connection: sql.live_users(connection, after, _PAGE))
        keys = self._keyring.find_users([index for _, index, _, _ in rows])
        names = []
        for _, index, node, name in rows:
            user = keys.get(index)
            if user is None or user.node != node:
                self._account_for(node)
            else:
                names.append(open_name(name, self._stores.vault, node, b"", user.secret))
        return names, rows[-1][0] if len(rows) == _PAGE else None

    def _account_for(self, node: bytes) -> None:
        """Accept a row without a key where it never had a message, or is being erased."""
        if self._stores.keyring.read(lambda connection: keyring_sql.intent_of(connection, node)):
            return
        if self._stores.transcripts.read(lambda c: sql.activity_of(c, node)):
            raise KeyringOutdatedError(
                "a user is stored whose key this keyring does not have", hint="put back the latest keyring"
            )

    def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give the sessions of a user."""
        user = self._keyring.find_user(user_id)
        if user is None:
            return []
        row = self._stores.transcripts.read(lambda connection: sql.find_user(connection, user.node))
        if row is None:
            raise TamperedError("a user's row is gone from the transcripts, though their key is here")
        if row[2] != State.LIVE:
            if self._stores.keyring.read(lambda c: keyring_sql.intent_of(c, user.node)) is None:
                raise TamperedError("a row is marked as erased, but nothing erased it")
            raise UserForgottenError("this user was forgotten")
        active = self._stores.transcripts.read(lambda connection: sql.activity_of(connection, user.node))
        slots = {one.slot: slot(Kind.SESSION, one.slot) for one in active}
        keys = self._keyring.find_sessions(user, list(slots.values()))
        found = []
        for one in active:
            opened = keys.get(slots[one.slot])
            if opened is None or opened.id != one.node:
                self._account_for_session(one)
                continue
            found.append(
                SessionSummary(
                    session_id=open_name(one.name, self._stores.vault, one.node, user.node, opened.key),
                    namespace=one.namespace,
                    messages=one.messages,
                    first_at=None if one.first_at is None else to_datetime(one.first_at),
                    last_at=None if one.last_at is None else to_datetime(one.last_at),
                )
            )
        return found

    def _account_for_session(self, one: sql.Activity) -> None:
        if one.messages == 0:
            return  # a writer was interrupted, or is just now making it
        if self._stores.keyring.read(lambda connection: keyring_sql.intent_of(connection, one.node)) is None:
            raise KeyringOutdatedError(
                "a session is stored whose key this keyring does not have", hint="put back the latest keyring"
            )
