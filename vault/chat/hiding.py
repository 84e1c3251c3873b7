"""What a hold keeps of what the app has removed: hidden from the app, shown to an officer, removed later.

`clear` and `delete` hide a whole session. First its row is marked and its profile says so, in one transaction
that has looked at the holds; then its key moves to a slot of its own, so that the name is free for a new
session. A crash between the two is completed by whoever looks for the session next (P8).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import msgspec
from sqlalchemy import Connection

from vault.chat.naming import Namer
from vault.chat.profile import open_name
from vault.chat.reading import Reader
from vault.chat.removing import Remover
from vault.chat.revealing import Revealer
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.crypto.tree import Kind, Opened, slot
from vault.erasure import Eraser, Target
from vault.errors import HeldError, SessionForgottenError, TamperedError, UserForgottenError
from vault.evidence.certificate import Why
from vault.keys.doubt import beyond_doubt
from vault.keys.holds import HoldRow
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys, hidden_slot
from vault.messages import Message, Messages
from vault.storage import messages as message_sql
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores

_REOPENINGS = 50


class Hider:
    """Hides sessions under a hold, shows what is hidden, and removes it once nothing holds it."""

    def __init__(  # noqa: PLR0913, PLR0917 (what it stands on)
        self,
        stores: Stores,
        keyring: Keyring,
        eraser: Eraser,
        sessions: Sessions,
        reader: Reader,
        remover: Remover,
        revealer: Revealer,
        namer: Namer,
        remove_records: Callable[[Session], None],
    ) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser
        self._sessions = sessions
        self._reader = reader
        self._remover = remover
        self._revealer = revealer
        self._namer = namer
        self._remove_records = remove_records

    def hide(self, user_id: str, session_id: str) -> bool:
        """Hide a session as the app clears or deletes it; False where no hold covers it (any more)."""
        session = self._sessions.find(user_id, session_id)
        if session is None:
            return False

        def mark(connection: Connection) -> bool:
            message_sql.lock_session(connection, session.row)
            if not self._keyring.holds.is_held(session.user.node, session.node, self._stores.clock()):
                return False
            if not self._sessions.learn(connection, session):
                return False
            rev, known = session.ledger
            sealed = self._sessions.seal(session, msgspec.structs.replace(known, is_hidden=True), rev + 1)
            return message_sql.write_profile(connection, session.row, sealed, rev, State.HIDDEN)

        marked = self._stores.transcripts.write(mark)
        self._sessions.drop(session)
        if marked:
            self._keyring.move_aside(session.user, session.slot, session.node)
        return marked

    def messages(self, user_id: str, session_id: str, *, reveal: bool) -> Messages:
        """Give all of a session that is still there: first what a clear or delete has hidden."""

        def look() -> Messages:
            for _ in range(_REOPENINGS):
                found = self._every(user_id, session_id, reveal=reveal)
                if found is not None:
                    return found
                self._sessions.distrust(user_id, session_id)  # opening it again says why
            raise TamperedError("a session's rows do not belong together")

        return beyond_doubt(self._stores, look)

    def _every(self, user_id: str, session_id: str, *, reveal: bool) -> Messages | None:
        """Give the messages of all sessions of an id as one list; None where the fence of one is closed."""
        every: list[Message] = []
        hidden: list[int] = []
        purged = 0
        for session in self.sessions(user_id, session_id):
            found = self._reader.every(session)
            if reveal and found is not None:
                found = self._revealer.reveal(session, found)
            if found is None:
                return None
            hidden += [len(every) + at for at in sorted(found.hidden)]
            every += found
            purged += found.purged
        return Messages(every, purged=purged, hidden=hidden)

    def sessions(self, user_id: str, session_id: str) -> list[Session]:
        """Give all that is still there of an id: what the app doesn't see any more comes first."""
        kept = self._sessions.find_hidden(user_id, session_id)
        try:
            present = self._sessions.find_closed(user_id, session_id)
        except SessionForgottenError:
            if not kept:
                raise
            present = None  # forgotten, but for what a floor keeps
        return [*kept, *([] if present is None else [present])]

    def nodes_hidden(self, user_id: str, session_id: str) -> list[bytes]:
        """Give the nodes of the sessions of an id that are hidden: who forgets it forgets them too."""
        return [
            node
            for session in self._sessions.find_hidden(user_id, session_id)
            for node in self._nodes(session.user, session.node, session.key)
        ]

    def _nodes(self, user: UserKeys, node: bytes, key: bytes) -> list[bytes]:
        return self._keyring.session_nodes(user, Opened(node, 0, key))

    # -- the end of a hold ------------------------------------------------------------------------------

    def remove_unheld(self, user_node: bytes, session_node: bytes | None, holds: Sequence[HoldRow]) -> bool:
        """Remove for good what is hidden of a user, or of one session of theirs, and that no hold keeps now.

        Who placed no lock on the session's row in time sees that the hold has ended, and hides nothing more.
        False where the keyring is older than some of it: that is left to the latest one (P3).
        """

        def knows(nodes: Collection[bytes]) -> bool:
            return not self._stores.keyring.read(lambda connection: self._keyring.unheard(connection, nodes))

        found = self._namer.owner(user_node)
        if found is None:
            return knows([user_node])
        user, user_id = found
        rows = self._stores.transcripts.read(lambda connection: sql.sessions_of(connection, user.node))
        ended = [
            row
            for row in rows
            if row.slot != row.node  # nothing hid that: a floor keeps it
            and session_node in {None, row.node}
            and not any(one.covers(user.node, row.node) for one in holds)
        ]
        slots = {at: row for row in ended for at in (slot(Kind.SESSION, row.slot), hidden_slot(row.node))}
        keys = {one.id: (at, one) for at, one in self._keyring.find_sessions(user, list(slots)).items()}
        going: list[Target] = []
        for row in ended:
            if row.node not in keys:
                continue  # it is erased
            at, opened = keys[row.node]
            if row.state == State.HIDDEN and at != hidden_slot(row.node):
                self._sessions.finish_hiding(user, at, row, opened)
                at = hidden_slot(row.node)
            if at == hidden_slot(row.node):
                going.append((self._nodes(user, row.node, opened.key), at))
                continue
            session_id = open_name(row.name, self._stores.vault, row.node, user.node, opened.key)
            named = user_id and session_id
            session = None
            with suppress(SessionForgottenError, UserForgottenError):  # somebody else is at it, or was faster
                session = self._sessions.find_closed(user_id, session_id) if named else None
            if session is not None and session.node == row.node:
                self._remover.remove_hidden(session)
                self._remove_records(session)
        self._erase(going)
        return knows([row.node for row in ended if row.state == State.HIDDEN])

    def _erase(self, going: Sequence[Target]) -> None:
        said = "cleared or deleted by the app while it was held; the hold has ended"
        begun = []
        for nodes, where in going:
            with suppress(HeldError):  # a new hold was placed this very moment, and sees to it when it ends
                begun.append(
                    self._eraser.begin(Why.DELETE, nodes, where, reason=said, actor="vault", now=False)
                )
        if begun:
            self._eraser.carry_out(begun)
