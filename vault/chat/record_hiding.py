"""What a hold keeps of records that the app has deleted: hidden from it, shown to an officer, removed later.

A hidden record lies in a place that no collection has, sealed anew for that place. What is written over is
replaced as ever: only what deletes hides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from vault.chat.chapter import Chapter
from vault.chat.hiding import Hider
from vault.chat.records import Index, Record, Records, aad, pack_record, unpack_record
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.storage import messages as message_sql
from vault.storage import records as sql
from vault.storage.records import RecordRow
from vault.storage.schema import State
from vault.storage.stores import Stores

_ENDLESS = 2**31  # it was within the limit before


class RecordHider:
    """Hides records under a hold, shows them, and removes them once nothing holds them."""

    def __init__(self, stores: Stores, keyring: Keyring, sessions: Sessions) -> None:
        self._stores = stores
        self._keyring = keyring
        self._sessions = sessions

    def _is_held(self, session: Session) -> bool:
        return self._keyring.holds.is_held(session.user.node, session.node, self._stores.clock())

    def hide(self, connection: Connection, session: Session, gone: Mapping[int, str]) -> Collection[int]:
        """Hide those of some records, by revision, that a hold covers; each is given with its collection.

        The caller has locked the session's row: whoever places a hold waits for that (P5).
        """
        if not self._is_held(session):
            return ()
        index = Index.of(session)
        moved: dict[int, dict[str, object]] = {}
        for row in sql.rows(connection, session.row, gone):
            chapter = self._chapter(session, row)
            if chapter is None:
                continue  # its key is erased: there is nothing that a hold could keep
            packed = pack_record(gone[row.id], [*_open(chapter, row)], limit=_ENDLESS)
            name = index.hidden_name(row.name, row.id)
            sealed = chapter.cipher.seal(packed, aad(chapter, name, row.role, row.created_at))
            moved[row.id] = {"at": row.id, "the_place": name[0], "the_key": name[1], "sealed": sealed}
        sql.move(connection, list(moved.values()))
        return moved

    def _chapter(self, session: Session, row: RecordRow) -> Chapter | None:
        if row.chapter not in session.by_id:
            self._sessions.load_chapters(session)
        return session.by_id.get(row.chapter)

    def hidden(self, hider: Hider, user_id: str, session_id: str, collection: str) -> Records:
        """Give what a hold keeps of a collection: what was deleted, and all that a clear or delete hid."""
        return beyond_doubt(self._stores, lambda: self._hidden(hider, user_id, session_id, collection))

    def _hidden(self, hider: Hider, user_id: str, session_id: str, collection: str) -> Records:
        found, purged = [], 0
        for session in hider.sessions(user_id, session_id):
            for one in self._of(session, collection):
                if one is None:
                    purged += 1
                else:
                    found.append(one)
        return Records(found, purged=purged)

    def _of(self, session: Session, collection: str) -> Iterator[Record | None]:
        """Give a session's hidden records, in order; None for one whose key is erased."""
        index = Index.of(session)
        place = index.place(collection)
        wanted = {index.hidden} | ({place} if session.state == State.HIDDEN else set())
        for row in self._stores.transcripts.read(lambda c: sql.rows_in(c, session.row, wanted)):
            chapter = self._chapter(session, row)
            if chapter is None:
                yield None
                continue
            name, value = _open(chapter, row)
            if row.name[0] == place:
                yield Record(name, value, to_datetime(row.created_at), row.id)
            elif name == collection:
                yield Record(value[0], value[1], to_datetime(row.created_at), row.id)

    def remove(self, session: Session) -> None:
        """Remove for good what is hidden in a session, now that no hold keeps it."""
        hidden = Index.of(session).hidden

        def work(connection: Connection) -> None:
            message_sql.lock_session(connection, session.row)
            if not self._is_held(session):
                ids = [row.id for row in sql.rows_in(connection, session.row, {hidden})]
                sql.remove(connection, session.row, ids)

        self._stores.transcripts.write(work)


def _open(chapter: Chapter, row: RecordRow) -> tuple[str, Any]:
    return unpack_record(chapter.cipher.open(row.body, aad(chapter, row.name, row.role, row.created_at)))
