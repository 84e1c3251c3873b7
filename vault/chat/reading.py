"""Reading a transcript: one SELECT behind the fence, then every body opened in its place.

Nothing is skipped silently: a gap must stand in the ledger, a closed chapter must have been erased (P2, P7).
"""

from __future__ import annotations

from collections.abc import Sequence

from vault.chat.chapter import Chapter
from vault.chat.profile import count_in
from vault.chat.sessions import Session, Sessions
from vault.clock import to_datetime
from vault.errors import InputError, TamperedError
from vault.messages import Message, Messages, unpack
from vault.storage import transcripts as sql
from vault.storage.stores import Stores
from vault.storage.transcripts import AnyRow

_ENDLESS = 2**62
_REOPENINGS = 5


class Reader:
    """Reads messages of sessions."""

    def __init__(self, stores: Stores, sessions: Sessions) -> None:
        self._stores = stores
        self._sessions = sessions

    def messages(
        self, user_id: str, session_id: str, *, last: int | None = None, before: int | None = None
    ) -> Messages:
        """Give messages in order: all, the `last` ones, or those `before` a seq."""
        if (last is not None and last < 0) or (before is not None and before < 0):
            raise InputError("last and before are numbers from 0 up")
        if last == 0:
            return Messages()
        stop = _ENDLESS if before is None else before
        for _ in range(_REOPENINGS):
            session = self._sessions.find(user_id, session_id)
            if session is None:
                return Messages()
            fence = session.fence
            rows = self._stores.transcripts.read(lambda c, f=fence: sql.read(c, f, stop, last))  # type: ignore[misc]
            if rows:
                return self._open(session, [row for row in rows if row.seq is not None], last)
            self._sessions.drop(session)  # the fence is closed; opening the session again says why
        raise TamperedError("a session's rows do not belong together")

    def key_at(self, user_id: str, session_id: str, seq: int) -> tuple[Message, bytes | None] | None:
        """Give one message with the idempotency key it was added under; None where it is removed."""
        session = self._sessions.find(user_id, session_id)
        if session is None:
            return None
        rows = self._stores.transcripts.read(lambda c: sql.read(c, session.fence, seq + 1, 1))
        if not rows or rows[0].seq != seq:
            return None
        opened = self._bodies(session, rows)
        return next(iter(opened), None)

    def _open(self, session: Session, rows: Sequence[AnyRow], last: int | None) -> Messages:
        start = rows[0].seq if rows and last is not None and len(rows) == last else 0
        purged = self._check_gaps(session, rows, start)
        opened = self._bodies(session, rows)
        return Messages([message for message, _ in opened], purged=purged + len(rows) - len(opened))

    def _bodies(self, session: Session, rows: Sequence[AnyRow]) -> list[tuple[Message, bytes | None]]:
        """Open rows; those whose chapter was purged are left out."""
        found = []
        looked_at: dict[tuple[int, bytes], Chapter | None] = {}
        for seq, role, created_at, body, chapter_id, place, alive in rows:
            chapter = session.by_id.get(chapter_id)
            if chapter is None or not alive or chapter.place != place:
                if (chapter_id, place) not in looked_at:
                    looked_at[chapter_id, place] = self._look_again(session, chapter_id, place)
                chapter = looked_at[chapter_id, place]
                if chapter is None:
                    continue
            said = unpack(chapter.cipher.open(body, chapter.aad(seq, role, created_at)))
            at = to_datetime(created_at)
            message = Message(role, said.content, said.metadata or {}, said.extra or {}, at, seq)
            found.append((message, said.key))
        return found

    def _look_again(self, session: Session, chapter: int, place: bytes | None) -> Chapter | None:
        """Look at a chapter that is new or was closed; None where it was purged."""
        if place is None:
            raise TamperedError("a message has lost its chapter")
        session.by_id.pop(chapter, None)
        session.dead.discard(chapter)
        self._sessions.load_chapters(session)
        if chapter in session.dead:
            return None
        found = session.by_id.get(chapter)
        if found is None or found.place != place:
            raise TamperedError("a message stands in another chapter")
        return found

    def _check_gaps(self, session: Session, rows: Sequence[AnyRow], start: int) -> int:
        """Raise TamperedError for a missing row; count those that retention purged."""
        purged, expected, fresh = 0, start, False
        for row in rows:
            if row.seq != expected:
                if not session.profile.explains(expected, row.seq) and not fresh:
                    fresh = self._sessions.reload_profile(session)
                if not session.profile.explains(expected, row.seq):
                    raise TamperedError("a message is missing in the middle of a transcript")
                purged += count_in(session.profile.purged, expected, row.seq)
            expected = row.seq + 1
        return purged
