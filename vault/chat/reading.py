"""Reading a transcript: one SELECT behind the fence, then every body opened in its place.

Nothing is skipped silently: a gap must stand in the ledger, a closed chapter must have been erased (P2, P7).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from vault.chat.chapter import Chapter
from vault.chat.profile import Profile, count_in
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.crypto.blind import normalized
from vault.errors import InputError, TamperedError
from vault.keys.doubt import beyond_doubt
from vault.messages import Body, Message, Messages, Outside, unpack
from vault.storage import messages as message_sql
from vault.storage import transcripts as sql
from vault.storage.messages import AnyRow
from vault.storage.stores import Stores

PAGE = 500  # messages read at once where many are read one after the other
_PAGE_BYTES = 4 * 1024 * 1024  # of sealed bodies, however long each is
_REOPENINGS = 50
NEVER = -(2**62)  # before every message

_Find = Callable[[Connection, Session], Sequence[AnyRow]]
_Within = Callable[[Sequence[AnyRow], int], tuple[int, int]]  # from where to where rows are accounted for


@dataclass(frozen=True, slots=True, repr=False)
class Lying:
    """What a row says of a message whose content lies in a memory outside."""

    for_certain: bool
    chapter: Chapter
    body: Body


@dataclass(slots=True, repr=False)
class _Notes:
    originals: list[int] = field(default_factory=list)
    outside: dict[int, Lying] = field(default_factory=dict)


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
        last = None if last is None else min(last, message_sql.ENDLESS)
        stop = message_sql.ENDLESS if before is None else min(before, message_sql.ENDLESS)

        return beyond_doubt(self._stores, lambda: self._look(user_id, session_id, last, stop))

    def _look(self, user_id: str, session_id: str, last: int | None, stop: int) -> Messages:
        for _ in range(_REOPENINGS):
            session = self._sessions.find(user_id, session_id)
            if session is None:
                return Messages()
            # Those that are hidden are read and left out, so that many more have to be asked for.
            more = count_in(session.profile.hidden, 0, stop)
            most = None if last is None else last + more
            find = partial(_find_last, stop=stop, last=most)
            rows, profile = self._read(session, find)
            if rows and count_in(profile.hidden, 0, stop) > more:
                continue  # more were hidden meanwhile
            if rows:
                with self._sessions.questioned(session):
                    return self._open(session, profile, rows, partial(_within_last, stop, most), last=last)
            self._sessions.drop(session)  # the fence is closed; opening the session again says why
        raise TamperedError("a session's rows do not belong together")

    def every(self, session: Session) -> Messages | None:
        """Give all messages of a session, those that are hidden too; None where its fence is closed."""
        rows, profile = self._read(session, partial(_find_last, stop=message_sql.ENDLESS, last=None))
        if not rows:
            return None
        return self._open(
            session, profile, rows, partial(_within_last, message_sql.ENDLESS, None), every=True
        )

    def page(
        self, user_id: str, session_id: str, start: int = 0, *, most: int = PAGE
    ) -> tuple[Messages, int | None]:
        """Give the messages from the seq `start` on, not too many for memory, and where to go on."""
        return beyond_doubt(self._stores, lambda: self._look_on(user_id, session_id, start, most))

    def _look_on(self, user_id: str, session_id: str, start: int, most: int) -> tuple[Messages, int | None]:
        count = most
        following: int | None = None

        def find(connection: Connection, session: Session) -> Sequence[AnyRow]:
            nonlocal count
            count = _fitting(message_sql.sizes_from(connection, session.row, start, most), most)
            return message_sql.read_on(connection, session.fence, start, count, session.state)

        def within(rows: Sequence[AnyRow], end: int) -> tuple[int, int]:
            nonlocal following
            following = rows[-1].seq + 1 if len(rows) == count else None
            return start, end if following is None else following

        for _ in range(_REOPENINGS):
            session = self._sessions.find(user_id, session_id)
            if session is None:
                return Messages(), None
            rows, profile = self._read(session, find)
            if rows:
                with self._sessions.questioned(session):
                    return self._open(session, profile, rows, within), following
            self._sessions.drop(session)  # the fence is closed; opening the session again says why
        raise TamperedError("a session's rows do not belong together")

    def _read(self, session: Session, find: _Find) -> tuple[Sequence[AnyRow], Profile]:
        """Give rows, and the ledger of the same moment: what it says is gone can't be among them (P2)."""
        store, (rev, profile) = self._stores.transcripts, session.ledger
        rows = store.read(lambda connection: find(connection, session))
        if not rows or rows[0].rev == rev:
            return rows, profile
        row, rows = store.snapshot(lambda c: (sql.find_session(c, session.node), find(c, session)))
        if row is None or not rows:
            return [], profile
        if row.rev < rev:
            raise TamperedError("a session's ledger is older than it was")
        return rows, self._sessions.open_ledger(session, row.profile, row.rev)

    def last_activity(self, session: Session) -> int:
        """Give the time of a session's latest message, as its rows say it; the earliest there is for none."""
        found = self._stores.transcripts.read(lambda c: message_sql.span_of(c, session.row))
        return found[1] if found else NEVER

    def began(self, session: Session) -> int | None:
        """Give when a session began; what is purged of it counts too."""
        found = self._stores.transcripts.read(lambda c: message_sql.span_of(c, session.row))
        known = [at for at in (found and found[0], session.profile.started) if at is not None]
        return min(known, default=None)

    def first_said(self, user_id: str, session_id: str, seqs: Sequence[int], mark: str) -> dict[int, Message]:
        """Give what was added under an idempotency key, by seq, without what was removed since."""
        look = partial(self._first_said, user_id, session_id, seqs, mark)
        return beyond_doubt(self._stores, look)

    def _first_said(
        self, user_id: str, session_id: str, seqs: Sequence[int], mark: str
    ) -> dict[int, Message]:
        session = self._sessions.find(user_id, session_id)
        if session is None:
            return {}
        start, stop = seqs[0], seqs[-1] + 1
        profile = session.profile  # of before the rows: what it says is emptied was so when they were read
        found = self._stores.transcripts.read(lambda c: message_sql.read(c, session.fence, stop, len(seqs)))
        if not found:
            return {}  # cleared since
        hidden = session.profile.hides
        rows = [row for row in found if row.seq is not None and row.seq >= start and not hidden(row.seq)]
        said, others = {}, False
        with self._sessions.questioned(session):
            bodies = self._bodies(session, profile, rows)
        for message, key in bodies:
            if key is not None and normalized(key.decode()) == normalized(mark):
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
            profile = session.profile
            return all(profile.explains(seq, seq + 1) or profile.hides(seq) for seq in seqs)

        return known() or (self._sessions.reload_profile(session) and known())

    def _open(  # noqa: PLR0913 (what was read, and how)
        self,
        session: Session,
        profile: Profile,
        found: Sequence[AnyRow],
        within: _Within,
        *,
        last: int | None = None,
        every: bool = False,
    ) -> Messages:
        """Open what was read; with `every` those too that are hidden."""
        newest = -1 if found[0].newest is None else found[0].newest
        rows = [row for row in found if row.seq is not None]
        start, end = within(rows, max(newest + 1, profile.next_seq))
        purged = _check_gaps(profile, [row.seq for row in rows], start, end)
        if not every:
            rows = [row for row in rows if not profile.hides(row.seq)]
            rows = rows if last is None else rows[-last:]
        notes = _Notes()
        opened = [message for message, _ in self._bodies(session, profile, rows, notes)]
        purged += len(rows) - len(opened)
        hidden = [at for at, one in enumerate(opened) if profile.is_hidden or profile.hides(one.seq or 0)]
        return Messages(
            opened, purged=purged, originals=notes.originals, hidden=hidden, outside=notes.outside
        )

    def _bodies(
        self, session: Session, profile: Profile, rows: Sequence[AnyRow], notes: _Notes | None = None
    ) -> list[tuple[Message, bytes | None]]:
        """Open rows; those whose chapter was purged are left out."""
        found = []
        looked_at: dict[tuple[int, bytes | None], Chapter | None] = {}
        for seq, role, created_at, body, chapter_id, place, alive, _, _ in rows:
            chapter = self.chapter(session, chapter_id, place, looked_at, alive=alive)
            if chapter is None:
                profile.check_not_emptied(place)
                continue
            said = unpack(chapter.cipher.open(body, chapter.aad(seq, role, created_at)))
            at = to_datetime(created_at)
            message = Message(role, said.content, said.metadata or {}, said.extra or {}, at, seq)
            found.append((message, said.key))
            if said.has_originals and notes is not None:
                notes.originals.append(seq)
            if said.outside and notes is not None:
                notes.outside[seq] = Lying(said.outside == Outside.YES, chapter, said)
        return found

    def chapter(
        self,
        session: Session,
        chapter_id: int,
        place: bytes | None,
        looked_at: dict[tuple[int, bytes | None], Chapter | None],
        *,
        alive: int,
    ) -> Chapter | None:
        """Give the chapter that a row stands in; None where it was purged."""
        known = session.by_id.get(chapter_id)
        if known is not None and alive and known.place == place:
            return known
        if (chapter_id, place) not in looked_at:
            looked_at[chapter_id, place] = self._look_again(session, chapter_id, place)
        return looked_at[chapter_id, place]

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


def _find_last(connection: Connection, session: Session, *, stop: int, last: int | None) -> Sequence[AnyRow]:
    return message_sql.read(connection, session.fence, stop, last, session.state)


def _within_last(stop: int, last: int | None, rows: Sequence[AnyRow], end: int) -> tuple[int, int]:
    return rows[0].seq if rows and len(rows) == last else 0, min(stop, end)


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


def _fitting(sizes: Sequence[int], most: int) -> int:
    """Count how many of the next messages fit into a page; always one."""
    together = 0
    for count, size in enumerate(sizes):
        together += size
        if together > _PAGE_BYTES:
            return max(1, count)
    return most


def _is_count(number: object) -> bool:
    return isinstance(number, int) and number >= 0
