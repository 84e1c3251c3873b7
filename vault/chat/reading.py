"""Reading a transcript: one SELECT behind the fence, then every body opened in its place.

Nothing is skipped silently: a gap must stand in the ledger, a closed chapter must have been erased (P2, P7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from vault.chat.chapter import Chapter
from vault.chat.profile import Profile, count_in
from vault.chat.sessions import Session, Sessions
from vault.clock import to_datetime
from vault.errors import InputError, TamperedError
from vault.keys.doubt import beyond_doubt
from vault.messages import Message, Messages, unpack
from vault.storage import messages as message_sql
from vault.storage import transcripts as sql
from vault.storage.messages import AnyRow
from vault.storage.stores import Stores

_ENDLESS = 2**62
_REOPENINGS = 50


class Reader:
    """Reads messages of sessions."""

    def __init__(self, stores: Stores, sessions: Sessions) -> None:
        self._stores = stores
        self._sessions = sessions

    def messages(
        self, user_id: str, session_id: str, *, last: int | None = None, before: int | None = None
    ) -> Messages:
        """Give messages in order: all, the `last` ones, or those `before` a seq."""
        if not all(number is None or _is_count(number) for number in (last, before)):
            raise InputError("last and before are whole numbers from 0 up")
        if last == 0:  # nothing is asked for, and still an error is not an empty list (P7)
            self.messages(user_id, session_id, last=1, before=before)
            return Messages()
        last = None if last is None else min(last, _ENDLESS)
        stop = _ENDLESS if before is None else min(before, _ENDLESS)
        return beyond_doubt(self._stores, lambda: self._look(user_id, session_id, last, stop))

    def _look(self, user_id: str, session_id: str, last: int | None, stop: int) -> Messages:
        for _ in range(_REOPENINGS):
            session = self._sessions.find(user_id, session_id)
            if session is None:
                return Messages()
            rows, profile = self._read(session, last, stop)
            if rows:
                with self._sessions.questioned(session):
                    return self._open(session, profile, rows, last, stop)
            self._sessions.drop(session)  # the fence is closed; opening the session again says why
        raise TamperedError("a session's rows do not belong together")

    def _read(self, session: Session, last: int | None, stop: int) -> tuple[Sequence[AnyRow], Profile]:
        """Give rows, and the ledger of the same moment: what it says is gone can't be among them (P2)."""
        store, fence, (rev, profile) = self._stores.transcripts, session.fence, session.ledger
        rows = store.read(lambda connection: message_sql.read(connection, fence, stop, last))
        if not rows or rows[0].rev == rev:
            return rows, profile
        row, rows = store.snapshot(
            lambda c: (sql.find_session(c, session.node), message_sql.read(c, fence, stop, last))
        )
        if row is None or not rows:
            return [], profile
        if row.rev < rev:
            raise TamperedError("a session's ledger is older than it was")
        return rows, self._sessions.open_ledger(session, row.profile, row.rev)

    def first_said(
        self, user_id: str, session_id: str, seqs: Sequence[int], mark: bytes
    ) -> dict[int, Message]:
        """Give what was added under an idempotency key, by seq, without what was removed since."""
        look = partial(self._first_said, user_id, session_id, seqs, mark)
        return beyond_doubt(self._stores, look)

    def _first_said(
        self, user_id: str, session_id: str, seqs: Sequence[int], mark: bytes
    ) -> dict[int, Message]:
        session = self._sessions.find(user_id, session_id)
        if session is None:
            return {}
        start, stop = seqs[0], seqs[-1] + 1
        found = self._stores.transcripts.read(lambda c: message_sql.read(c, session.fence, stop, len(seqs)))
        if not found:
            return {}  # cleared since
        rows = [row for row in found if row.seq is not None and row.seq >= start]
        said, others = {}, False
        with self._sessions.questioned(session):
            bodies = self._bodies(session, rows)
        for message, key in bodies:
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

    def _open(
        self, session: Session, profile: Profile, found: Sequence[AnyRow], last: int | None, stop: int
    ) -> Messages:
        newest = -1 if found[0].newest is None else found[0].newest
        rows = [row for row in found if row.seq is not None]
        start = rows[0].seq if rows and len(rows) == last else 0
        end = min(stop, max(newest + 1, profile.next_seq))
        purged = _check_gaps(profile, [row.seq for row in rows], start, end)
        opened = self._bodies(session, rows)
        return Messages([message for message, _ in opened], purged=purged + len(rows) - len(opened))

    def _bodies(self, session: Session, rows: Sequence[AnyRow]) -> list[tuple[Message, bytes | None]]:
        """Open rows; those whose chapter was purged are left out."""
        found = []
        looked_at: dict[tuple[int, bytes], Chapter | None] = {}
        for seq, role, created_at, body, chapter_id, place, alive, _, _ in rows:
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


def _check_gaps(profile: Profile, seqs: Sequence[int], start: int, end: int) -> int:
    """Raise TamperedError where rows from `start` to `end` are missing or back; count those purged."""
    expected = start
    for seq in (*seqs, end):
        if seq > expected and not profile.explains(expected, seq):
            raise TamperedError("a message is missing in the middle of a transcript")
        expected = seq + 1
    if not profile.counts(len(seqs), start, end):
        raise TamperedError("a message that was removed is back")
    return count_in(profile.purged, start, end)


def _is_count(number: object) -> bool:
    return isinstance(number, int) and number >= 0
