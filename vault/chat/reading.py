"""Reading a transcript: one SELECT behind the fence, then every body opened in its place.

Nothing is skipped silently: a gap must stand in the ledger, a closed chapter must have been erased (P2, P7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
                return self._open(session, rows, last, stop)
            self._sessions.drop(session)  # the fence is closed; opening the session again says why
        raise TamperedError("a session's rows do not belong together")

    def first_said(self, user_id: str, session_id: str, seqs: Sequence[int], mark: bytes) -> dict[int, Message]:
        """Give what was added under an idempotency key, by seq, without what was removed since."""
        session = self._sessions.find(user_id, session_id)
        if session is None:
            return {}
        start, stop = seqs[0], seqs[-1] + 1
        found = self._stores.transcripts.read(lambda c: sql.read(c, session.fence, stop, len(seqs)))
        if not found:
            return {}  # cleared since
        rows = [row for row in found if row.seq is not None and row.seq >= start]
        said, others = {}, False
        for message, key in self._bodies(session, rows):
            if key == mark:
                said[message.seq or 0] = message
            elif message.seq == start:
                raise TamperedError("an idempotency key stands for a message that was not added under it")
            else:
                others = True
        if others or not self._were_removed(session, set(seqs) - {row.seq for row in rows}):
            raise InputError("this idempotency key was used for fewer messages before")
        return said

    def _were_removed(self, session: Session, seqs: Collection[int]) -> bool:
        """Say whether the ledger knows all of these seqs."""

        def known() -> bool:
            return all(session.profile.explains(seq, seq + 1) for seq in seqs)

        return known() or (self._sessions.reload_profile(session) and known())

    def _open(self, session: Session, found: Sequence[AnyRow], last: int | None, stop: int) -> Messages:
        newest = -1 if found[0].newest is None else found[0].newest
        rows = [row for row in found if row.seq is not None]
        start = rows[0].seq if rows and len(rows) == last else 0
        end = min(stop, newest + 1)
        purged = self._check_gaps(session, [row.seq for row in rows], start, end)
        purged += count_in(session.profile.purged, end, stop)
        opened = self._bodies(session, rows)
        return Messages([message for message, _ in opened], purged=purged + len(rows) - len(opened))

    def _bodies(self, session: Session, rows: Sequence[AnyRow]) -> list[tuple[Message, bytes | None]]:
        """Open rows; those whose chapter was purged are left out."""
        found = []
        looked_at: dict[tuple[int, bytes], Chapter | None] = {}
        for seq, role, created_at, body, chapter_id, place, alive, _ in rows:
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

    def _check_gaps(self, session: Session, seqs: Sequence[int], start: int, end: int) -> int:
        """Raise TamperedError for a row that is missing before `end`; count those that retention purged."""
        purged, expected, fresh = 0, start, False
        for seq in (*seqs, end):
            if seq > expected:
                if not session.profile.explains(expected, seq) and not fresh:
                    fresh = self._sessions.reload_profile(session)
                if not session.profile.explains(expected, seq):
                    raise TamperedError("a message is missing in the middle of a transcript")
                purged += count_in(session.profile.purged, expected, seq)
            expected = seq + 1
        return purged
