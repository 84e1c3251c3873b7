"""Listing users and sessions: names are opened with the keys of those they name."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vault.chat.profile import open_name, open_profile
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
        rows = self._stores.transcripts.read(lambda connection: sql.users_after(connection, after, _PAGE))
        keys = self._keyring.find_users([row.slot for row in rows])
        names = []
        for row in rows:
            user = keys.get(row.slot)
            if user is not None and user.node == row.node and row.state == State.LIVE:
                name = open_name(row.name, self._stores.vault, row.node, b"", user.secret)
                names += [name] if name else []  # nameless: lost in a restore, and not back yet
            elif not self._is_erased(row.node, row.state):
                active = self._stores.transcripts.read(lambda c, n=row.node: sql.activity_of(c, n))  # type: ignore[misc]
                self._refuse_orphans(sum(one.messages for one in active))
        return names, rows[-1].id if len(rows) == _PAGE else None

    def _is_erased(self, node: bytes, state: int) -> bool:
        """Say whether the vault erased what a row is of; accuse where it is marked so and nothing did (P2)."""
        erased = self._stores.keyring.read(lambda c: keyring_sql.intent_of(c, node)) is not None
        if state != State.LIVE and not erased:
            raise TamperedError("a row is marked as erased, but nothing erased it")
        return erased

    def _refuse_orphans(self, messages: int) -> None:
        """Accept rows without a key where they never had a message: a writer was interrupted, or is at it."""
        if messages:
            raise KeyringOutdatedError(
                "messages are stored whose key this keyring does not have", hint="put back the latest keyring"
            )

    def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give the sessions of a user."""
        user = self._keyring.find_user(user_id)
        if user is None:
            return []
        row = self._stores.transcripts.read(lambda connection: sql.find_user(connection, user.node))
        if row is None:
            raise TamperedError("a user's row is gone from the transcripts, though their key is here")
        if row.state != State.LIVE and self._is_erased(user.node, row.state):
            raise UserForgottenError("this user was forgotten")
        active = self._stores.transcripts.read(lambda connection: sql.activity_of(connection, user.node))
        slots = {one.slot: slot(Kind.SESSION, one.slot) for one in active}
        keys = self._keyring.find_sessions(user, list(slots.values()))
        found = []
        for one in active:
            opened = keys.get(slots[one.slot])
            if opened is None or opened.id != one.node or one.state != State.LIVE:
                if not self._is_erased(one.node, one.state):
                    self._refuse_orphans(one.messages)
                continue
            profile = open_profile(one.profile, self._stores.vault, one.node, opened.key, one.rev)
            if profile.namespace != one.namespace:
                raise TamperedError("a session's namespace was edited")
            name = open_name(one.name, self._stores.vault, one.node, user.node, opened.key)
            if not name:
                continue  # lost in a restore, and not back yet
            found.append(
                SessionSummary(
                    session_id=name,
                    namespace=one.namespace,
                    messages=one.messages,
                    first_at=None if one.first_at is None else to_datetime(one.first_at),
                    last_at=None if one.last_at is None else to_datetime(one.last_at),
                )
            )
        return found
