"""Taking messages out of a transcript without erasing a key: the ledger says what was removed (P2).

Under a hold they are hidden only: no longer read, and still there. Whoever removes locks the session's row
first and then looks at the holds; whoever places a hold waits for that lock before it is acknowledged (P5).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection

from vault.chat.profile import Profile, add_to
from vault.chat.reading import Reader
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.errors import StoreUnavailableError
from vault.keys.ring import Keyring
from vault.messages import Message
from vault.storage import messages as sql
from vault.storage.engine import chunks
from vault.storage.stores import Stores

_RACES = 50
_PART = 500  # seqs in one statement


class _RaceError(Exception):
    """Another process changed the ledger, or took the row, first."""


class Taken(enum.Enum):
    """What became of messages that were to be removed."""

    GONE = enum.auto()  # this call removed them
    HIDDEN = enum.auto()  # a hold keeps some of them
    BEFORE = enum.auto()  # somebody else had removed them, or begun the session anew


class Remover:
    """Removes rows, with the ledger in the same transaction."""

    def __init__(self, stores: Stores, keyring: Keyring, sessions: Sessions, reader: Reader) -> None:
        self._stores = stores
        self._keyring = keyring
        self._sessions = sessions
        self._reader = reader

    def pop(self, user_id: str, session_id: str) -> Message | None:
        """Remove the last message and give it. Its row goes, or a hold keeps it; this is no erasure."""
        for _ in range(_RACES):
            found = self._reader.messages(user_id, session_id, last=1)
            session = self._sessions.find(user_id, session_id)
            if not found or session is None:
                return None
            if self._remove(session, _seqs(found)):
                return found[0]
            self._sessions.drop(session)
            self._stores.runtime.pause(0)
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def take(self, user_id: str, session_id: str, seqs: Collection[int]) -> list[Message]:
        """Remove messages by seq, all at once, and give those that were still there. This is no erasure."""
        for _ in range(_RACES):
            if not seqs:
                return []
            every = self._reader.messages(user_id, session_id, before=1 + max(seqs))
            found = [message for message in every if message.seq in seqs]
            session = self._sessions.find(user_id, session_id)
            if not found or session is None:
                return []
            if self._remove(session, _seqs(found)):
                return found
            self._sessions.drop(session)
            self._stores.runtime.pause(0)
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def remove(self, user_id: str, session_id: str, node: bytes, seqs: Sequence[int]) -> Taken:
        """Remove some messages of the session with this node, as far as they are still there."""
        for _ in range(_RACES):
            session = self._sessions.find(user_id, session_id)
            if session is None or session.node != node:
                return Taken.BEFORE
            known = session.profile
            left = [seq for seq in seqs if not known.explains(seq, seq + 1) and not known.hides(seq)]
            if not left:
                return Taken.BEFORE
            if self._remove(session, left):
                return Taken.HIDDEN if any(map(session.profile.hides, left)) else Taken.GONE
            self._sessions.drop(session)
            self._stores.runtime.pause(0)
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def _remove(self, session: Session, seqs: Sequence[int]) -> bool:
        rev, known = session.ledger

        def work(connection: Connection) -> Profile:
            sql.lock_session(connection, session.row)
            if self._keyring.holds.is_held(session.user.node, session.node, self._stores.clock()):
                profile = msgspec.structs.replace(known, hidden=add_to(known.hidden, seqs))
            else:
                profile = msgspec.structs.replace(known, popped=add_to(known.popped, seqs))
            sealed = self._sessions.seal(session, profile, rev + 1)
            if not sql.write_profile(connection, session.row, sealed, rev):
                raise _RaceError
            if profile.hidden != known.hidden:
                return profile
            parts = [seqs[at : at + _PART] for at in range(0, len(seqs), _PART)]
            if sum(sql.remove_messages(connection, session.row, part) for part in parts) != len(seqs):
                raise _RaceError
            return profile

        try:
            profile = self._stores.transcripts.write(work)
        except _RaceError:
            return False
        session.learn(rev + 1, profile)
        return True

    def remove_hidden(self, session: Session) -> None:
        """Remove for good what pops have hidden, now that no hold keeps it."""
        for _ in range(_RACES):
            if not self._sessions.reload_profile(session) or not session.profile.hidden:
                return
            rev, known = session.ledger
            seqs = known.hidden_seqs
            profile = msgspec.structs.replace(known, popped=add_to(known.popped, seqs), hidden=())
            sealed = self._sessions.seal(session, profile, rev + 1)

            def work(connection: Connection, rev: int = rev, sealed: bytes = sealed) -> bool:
                sql.lock_session(connection, session.row)
                if self._keyring.holds.is_held(session.user.node, session.node, self._stores.clock()):
                    return True
                if not sql.write_profile(connection, session.row, sealed, rev):
                    return False
                for part in chunks(seqs):  # noqa: B023 (it runs before the next round)
                    sql.remove_messages(connection, session.row, part)
                return True

            if self._stores.transcripts.write(work):
                self._sessions.drop(session)
                return
        raise StoreUnavailableError("too many writers for one session", hint="try again")


def _seqs(found: Sequence[Message]) -> list[int]:
    return [message.seq for message in found if message.seq is not None]
