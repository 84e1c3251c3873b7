"""Taking messages out of a transcript without erasing a key: the ledger says what was removed (P2)."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from vault.chat.profile import add_to
from vault.chat.reading import Reader
from vault.chat.sessions import Session, Sessions
from vault.errors import StoreUnavailableError
from vault.messages import Message
from vault.storage import messages as sql
from vault.storage.stores import Stores

_RACES = 50


class _RaceError(Exception):
    """Another process changed the ledger, or took the row, first."""


class Remover:
    """Removes rows, with the ledger in the same transaction."""

    def __init__(self, stores: Stores, sessions: Sessions, reader: Reader) -> None:
        self._stores = stores
        self._sessions = sessions
        self._reader = reader

    def pop(self, user_id: str, session_id: str) -> Message | None:
        """Remove the last message and give it. Its row goes; this is no erasure."""
        for _ in range(_RACES):
            found = self._reader.messages(user_id, session_id, last=1)
            session = self._sessions.find(user_id, session_id)
            if not found or session is None:
                return None
            seq = found[0].seq
            if seq is not None and self._remove(session, seq):
                return found[0]
            self._sessions.drop(session)
            self._stores.runtime.pause(0)
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def _remove(self, session: Session, seq: int) -> bool:
        rev, known = session.ledger
        profile = msgspec.structs.replace(known, popped=add_to(known.popped, [seq]))
        sealed = self._sessions.seal(session, profile, rev + 1)

        def work(connection: Connection) -> None:
            written = sql.write_profile(connection, session.row, sealed, rev)
            if not written or sql.remove_messages(connection, session.row, [seq]) != 1:
                raise _RaceError

        try:
            self._stores.transcripts.write(work)
        except _RaceError:
            return False
        session.ledger = rev + 1, profile
        return True
