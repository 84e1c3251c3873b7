"""Making users and sessions: first the rows, then the keys.

In this order a crash leaves rows without keys and without messages, which harm nobody; a key without a row is
then always a theft (P2).
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.chat.profile import Profile, open_name, open_profile, seal_name, seal_profile
from vault.chat.session import Session
from vault.crypto.tree import Kind, Opened, radix_slots, slot
from vault.erasure import Eraser
from vault.errors import TamperedError
from vault.keys.ring import Keyring
from vault.keys.slots import Seedling, UserKeys, fresh, hidden_slot
from vault.storage import lost, sweeping
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores


class Maker:
    """Makes what is not there yet; where another process was faster, that stays."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser

    def make(self, user_id: str, session_id: str | None, namespace: str) -> None:
        """Make a session, and its user if new; without a session id the user alone."""
        known = self._keyring.find_user(user_id)
        if known and session_id is None:
            return
        if known:
            self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, known.node, None))
        user, seedlings = (known, []) if known else self._new_user(user_id)
        made: list[bytes] = [] if known else [user.node]
        session: tuple[Opened, bytes] | None = None
        if session_id is not None:
            session = fresh(), user.session_slot(session_id)
            seedlings.append(Seedling(session[0], Kind.SESSION, session[1], user.slot))
            made.append(session[0].id)

        def rows(connection: Connection) -> None:
            user_row = self._user_row(connection, user, user_id, new=known is None)
            if session is not None and session_id is not None:
                self._session_row(connection, user, user_row, session, session_id, namespace)

        try:
            self._stores.transcripts.write(rows)
        except IntegrityError:
            return  # the user's row went meanwhile: the next look says why
        if not self._keyring.plant(user.path, seedlings, below=user.node):
            self._stores.transcripts.write(lambda connection: sweeping.withdraw(connection, made))
            if session_id is not None:
                self._take_over(user_id, session_id, namespace)

    def _take_over(self, user_id: str, session_id: str, namespace: str) -> None:
        """Give a nameless row, which a restore left for a session that was lost, its name again."""
        vault, user = self._stores.vault, self._keyring.find_user(user_id)
        opened = None if user is None else self._keyring.find_session(user, session_id)
        if user is None or opened is None:
            return
        row = self._stores.transcripts.read(lambda connection: sql.find_session(connection, opened.id))
        if row is not None and row.state == State.GONE:
            node = row.node
            intent = self._stores.keyring.read(lambda c: self._keyring.records.of(c, node))
            if intent is not None:
                self._eraser.carry_out([intent.id])  # its name is free by it, or what it waits for is said
            return
        if row is None or open_name(row.name, vault, row.node, user.node, opened.key):
            return
        name = seal_name(session_id, vault, row.node, user.node, opened.key)
        profile = seal_profile(Profile(namespace), vault, row.node, opened.key, row.rev)
        self._stores.transcripts.write(
            lambda c: lost.name_session(c, row, name=name, namespace=namespace, profile=profile)
        )

    def _new_user(self, user_id: str) -> tuple[UserKeys, list[Seedling]]:
        index = self._keyring.user_index(user_id)
        node, secret, where = fresh(), fresh(), slot(Kind.USER, index)
        keys = UserKeys(node.id, where, index, secret.key)
        return keys, [
            Seedling(node, Kind.USER, where, radix_slots(index)[-1]),
            Seedling(secret, Kind.SECRET, slot(Kind.SECRET, index), where),
        ]

    def _user_row(self, connection: Connection, user: UserKeys, user_id: str, *, new: bool) -> int:
        if new:
            name = seal_name(user_id, self._stores.vault, user.node, b"", user.secret)
            return sql.add_user(connection, user.index, user.node, name)
        found = sql.find_user(connection, user.node)
        if found is None:
            raise TamperedError("a user's row is gone from the transcripts, though their key is here")
        if found.slot != user.index:
            raise TamperedError("a user's row was edited")
        if not open_name(found.name, self._stores.vault, user.node, b"", user.secret):
            name = seal_name(user_id, self._stores.vault, user.node, b"", user.secret)
            lost.name_user(connection, found, name)
        return found.id

    def _session_row(  # noqa: PLR0913, PLR0917 (the parts of a row)
        self,
        connection: Connection,
        user: UserKeys,
        user_row: int,
        session: tuple[Opened, bytes],
        session_id: str,
        namespace: str,
    ) -> None:
        opened, where = session
        vault = self._stores.vault
        sql.add_session(
            connection,
            user_id=user_row,
            slot=where[1:],
            node=opened.id,
            name=seal_name(session_id, vault, opened.id, user.node, opened.key),
            namespace=namespace,
            profile=seal_profile(Profile(namespace), vault, opened.id, opened.key, 0),
        )

    def make_remainder(self, user: UserKeys, row: sql.SessionRow, opened: Opened) -> Session | None:
        """Make a session, closed to the app, for what a floor keeps of another; None where that is gone.

        It lies in the place of its own node, not of a name: the row before the key, as every session.
        """
        vault, own = self._stores.vault, fresh()
        known = open_profile(row.profile, vault, row.node, opened.key, row.rev)
        name = open_name(row.name, vault, row.node, user.node, opened.key)
        profile = Profile(row.namespace, is_closed=True, remainder_of=known.remainder_of or row.node)

        def add(connection: Connection) -> int:
            return sql.add_session(
                connection,
                user_id=row.user_id,
                slot=own.id,
                node=own.id,
                name=seal_name(name, vault, own.id, user.node, own.key),
                namespace=row.namespace,
                profile=seal_profile(profile, vault, own.id, own.key, 0),
            )

        try:
            number = self._stores.transcripts.write(add)
        except IntegrityError:
            return None  # the user's row is gone
        seedling = Seedling(own, Kind.SESSION, hidden_slot(own.id), user.slot)
        if not self._keyring.plant(user.path, [seedling], below=user.node, closed=True):
            self._stores.transcripts.write(lambda connection: sweeping.withdraw(connection, [own.id]))
            return None
        return Session(
            user_id="",
            session_id=name,
            user=user,
            slot=seedling.slot,
            node=own.id,
            key=own.key,
            row=number,
            ledger=(0, profile),
            next_seq=0,
            is_apart=True,
        )
