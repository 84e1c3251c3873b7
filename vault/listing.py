"""Listing users and sessions: names are opened with the keys of those they name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from vault.chat.profile import open_name, open_profile
from vault.clock import to_datetime
from vault.crypto.tree import Kind, Opened, slot
from vault.errors import KeyringOutdatedError, TamperedError, UserForgottenError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys, hidden_slot
from vault.storage import keyring as keyring_sql
from vault.storage import lost
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
        return beyond_doubt(self._stores, lambda: self._users_page(after))

    def _users_page(self, after: int) -> tuple[list[str], int | None]:
        rows = self._stores.transcripts.read(lambda connection: sql.users_after(connection, after, _PAGE))
        if len({row.node for row in rows}) < len(rows):
            raise TamperedError("a user's row is there twice")
        keys = self._keyring.find_users([row.slot for row in rows])
        closing = self._stores.keyring.read(self._keyring.holds.closing)
        names = []
        for row in rows:
            user = keys.get(row.slot)
            if user is not None and user.node == row.node and row.state == State.LIVE:
                name = open_name(row.name, self._stores.vault, row.node, b"", user.secret)
                if not name:  # lost in a restore, and not back yet
                    self._refuse_nameless(row.node)
                elif row.node not in closing:
                    names.append(name)
            elif not self._is_erased(row.node, row.state):
                if self._stores.keyring.read(lambda c, n=row.node: keyring_sql.nodes_by_id(c, [n])):  # type: ignore[misc]
                    raise TamperedError("a user's row was edited")
                active = self._stores.transcripts.read(lambda c, n=row.node: sql.activity_of(c, n))  # type: ignore[misc]
                self._refuse_orphans(is_used=any(one.is_used for one in active))
        if len(rows) == _PAGE:
            return names, rows[-1].id
        self._refuse_losses()
        return names, None

    def _refuse_nameless(self, node: bytes) -> None:
        """Accuse where a user has messages and no name: nobody can write without giving it."""
        active = self._stores.transcripts.read(lambda connection: sql.activity_of(connection, node))
        if any(one.is_used for one in active):
            raise TamperedError("a user who has messages has lost their name")

    def _refuse_losses(self) -> None:
        """Accuse where a user has a key and no row: the list would be shorter than it was (P2)."""
        for page in lost.keys_of(self._stores.keyring, Kind.USER):
            gone = self._stores.transcripts.read(lambda c, ids=page: lost.without_row(c, Kind.USER, ids))  # type: ignore[misc]
            if not all(self._is_erased(node, State.LIVE) for node in gone):
                raise TamperedError("a user's row is gone from the transcripts, though their key is here")

    def _is_erased(self, node: bytes, state: int) -> bool:
        """Say whether the vault erased what a row is of; accuse where one is marked so and nothing did."""
        erased = self._stores.keyring.read(lambda c: self._keyring.records.of(c, node)) is not None
        if state != State.LIVE and not erased:
            raise TamperedError("a row is marked as erased, but nothing erased it")
        return erased

    def _refuse_orphans(self, *, is_used: bool) -> None:
        """Accept rows without a key where they never had a message: a writer was interrupted, or is at it."""
        if is_used:
            raise KeyringOutdatedError(
                "messages are stored whose key this keyring does not have", hint="put back the latest keyring"
            )

    def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give the sessions of a user."""
        return beyond_doubt(self._stores, lambda: self._look(user_id))

    def _look(self, user_id: str) -> list[SessionSummary]:
        user = self._keyring.find_user(user_id)
        if user is None:
            return []
        # Keys before rows: who makes a session adds them the other way round.
        alive = self._stores.keyring.read(lambda c: keyring_sql.ids_below(c, user.node, Kind.SESSION))
        active = self._stores.transcripts.read(lambda connection: sql.activity_of(connection, user.node))
        # In this order: who is alive now was alive when their sessions were read (P7).
        row = self._stores.transcripts.read(lambda connection: sql.find_user(connection, user.node))
        if row is None:
            raise TamperedError("a user's row is gone from the transcripts, though their key is here")
        if row.state != State.LIVE and self._is_erased(user.node, row.state):
            raise UserForgottenError("this user was forgotten")
        self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, user.node, None))
        closing = self._stores.keyring.read(self._keyring.holds.closing)
        self._refuse_lost_sessions(alive.difference(one.node for one in active))
        slots = {one.slot: slot(Kind.SESSION, one.slot) for one in active}
        keys = self._keyring.find_sessions(user, list(slots.values()))
        found = []
        for one in active:
            opened = keys.get(slots[one.slot])
            if opened is not None and opened.id == one.node and (one.slot == one.node or one.node in closing):
                continue  # a floor keeps it; to the app it is forgotten
            if opened is not None and opened.id == one.node and one.state == State.LIVE:
                found.append(self._open(user, one, opened.key))
            elif self._is_hidden(user, one, opened):
                continue
            elif not self._is_erased(one.node, one.state):
                if one.node in alive:
                    raise TamperedError("a session's row was edited")
                self._refuse_orphans(is_used=one.is_used)
        return [summary for summary in found if summary.session_id]  # nameless: lost in a restore

    def _is_hidden(self, user: UserKeys, one: sql.Activity, opened: Opened | None) -> bool:
        """Say whether the app cleared or deleted a session while it was held; by its key, or its profile."""
        if hidden_slot(one.node) in self._keyring.find_sessions(user, [hidden_slot(one.node)]):
            return True
        if one.state != State.HIDDEN or opened is None or opened.id != one.node:
            return False
        return open_profile(one.profile, self._stores.vault, one.node, opened.key, one.rev).is_hidden

    def _refuse_lost_sessions(self, nodes: Collection[bytes]) -> None:
        """Accuse where sessions have a key and no row."""
        if not all(self._is_erased(node, State.LIVE) for node in nodes):
            raise TamperedError("a session's row is gone from the transcripts, though its key is here")

    def refuse_losses(self, user: UserKeys, nodes: Collection[bytes] | None = None) -> None:
        """Accuse where a user, or a session of theirs, has a key and no row: a count would miss it."""
        alive = self._stores.keyring.read(lambda c: keyring_sql.ids_below(c, user.node, Kind.SESSION))
        there = self._stores.transcripts.read(lambda connection: sql.sessions_of(connection, user.node))
        row = self._stores.transcripts.read(lambda connection: sql.find_user(connection, user.node))
        if row is None and not self._is_erased(user.node, State.LIVE):
            raise TamperedError("a user's row is gone from the transcripts, though their key is here")
        asked = alive if nodes is None else alive.intersection(nodes)
        self._refuse_lost_sessions(asked.difference(one.node for one in there))

    def _open(self, user: UserKeys, one: sql.Activity, key: bytes) -> SessionSummary:
        vault = self._stores.vault
        profile = open_profile(one.profile, vault, one.node, key, one.rev)
        if profile.namespace != one.namespace:
            raise TamperedError("a session's namespace was edited")
        end = max(profile.next_seq, 0 if one.newest is None else one.newest + 1)
        if not profile.counts(one.messages, 0, end):
            raise TamperedError("a message is missing in the middle of a transcript, or is back")
        name = open_name(one.name, vault, one.node, user.node, key)
        if not name and one.is_used:
            raise TamperedError("a session that has messages has lost its name")
        return SessionSummary(
            session_id=name,
            namespace=one.namespace,
            messages=one.messages - len(profile.hidden_seqs),
            first_at=None if one.first_at is None else to_datetime(one.first_at),
            last_at=None if one.last_at is None else to_datetime(one.last_at),
        )
