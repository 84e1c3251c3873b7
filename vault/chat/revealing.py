"""Reading originals: what redaction replaced, where the policy keeps it, sealed in a class of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from msgspec.structs import replace

from vault.chat.chapter import ORIGINALS
from vault.chat.profile import count_in
from vault.chat.reading import PAGE, Reader
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.errors import TamperedError
from vault.keys.doubt import beyond_doubt
from vault.messages import Messages, Originals, unpack_originals
from vault.redaction.result import put_back, tell
from vault.storage import messages as sql
from vault.storage.stores import Stores

T = TypeVar("T")

_REOPENINGS = 50


class Revealer:
    """Opens originals. Those that are erased already are left out: what took their place is read instead."""

    def __init__(self, stores: Stores, sessions: Sessions, reader: Reader) -> None:
        self._stores = stores
        self._sessions = sessions
        self._reader = reader

    def messages(
        self, user_id: str, session_id: str, *, last: int | None = None, before: int | None = None
    ) -> Messages:
        """Give messages as they were said, as far as that was kept."""

        def look() -> Messages | None:
            found = self._reader.messages(user_id, session_id, last=last, before=before)
            session = self._sessions.find(user_id, session_id)
            return found if session is None else self.reveal(session, found)

        return self._look(user_id, session_id, look)

    def page(
        self, user_id: str, session_id: str, start: int = 0, *, most: int = PAGE
    ) -> tuple[Messages, int | None]:
        """Give the messages from the seq `start` on as they were said, and where to go on."""

        def look() -> tuple[Messages, int | None] | None:
            found, following = self._reader.page(user_id, session_id, start, most=most)
            session = self._sessions.find(user_id, session_id)
            revealed = found if session is None else self.reveal(session, found)
            return None if revealed is None else (revealed, following)

        return self._look(user_id, session_id, look)

    def _look(self, user_id: str, session_id: str, look: Callable[[], T | None]) -> T:
        """Look, and where the fence is closed by then, look again: opening the session anew says why."""

        def until_open() -> T:
            for _ in range(_REOPENINGS):
                seen = look()
                if seen is not None:
                    return seen
                self._sessions.distrust(user_id, session_id)
            raise TamperedError("a session's rows do not belong together")

        return beyond_doubt(self._stores, until_open)

    def reveal(self, session: Session, found: Messages) -> Messages | None:
        """Put back into messages what was kept of how they were said; None where the fence is closed."""
        seqs = [message.seq or 0 for message in found]
        if not seqs:
            return found
        there = self._originals(session, seqs[0], seqs[-1])
        if there is None:
            return None
        originals, erased = there
        missing = found.originals - originals.keys() - erased
        if missing and not self._were_purged(session, missing):
            raise TamperedError("the originals of a message are gone, and nothing erased them")
        revealed = []
        for message in found:
            said = originals.get(message.seq or 0)
            revealed.append(
                message
                if said is None
                else replace(
                    message, content=said.content, extra=said.extra or {}, metadata=said.metadata or {}
                )
            )
        return Messages(
            revealed,
            purged=found.purged,
            originals=found.originals & originals.keys(),
            hidden=found.hidden,
            outside=found.outside,
        )

    def _were_purged(self, session: Session, seqs: Collection[int]) -> bool:
        """Say whether the ledger knows that the originals of these messages were purged."""

        def known() -> bool:
            return all(count_in(session.profile.bare, seq, seq + 1) for seq in seqs)

        return known() or (self._sessions.reload_profile(session) and known())

    def restore(self, user_id: str, session_id: str, text: str) -> str:
        """Put the values of a session back where their placeholders stand in a text."""

        def look() -> dict[str, str] | None:
            values: dict[str, str] = {}
            session = self._sessions.find(user_id, session_id)
            if session is None:
                return values
            there = self._originals(session, 0, sql.ENDLESS)
            if there is None:
                return None
            for seq, said in there[0].items():
                if not session.profile.hides(seq):
                    tell(values, said.values)
            return values

        return put_back(text, self._look(user_id, session_id, look))

    def _originals(
        self, session: Session, first: int, last: int
    ) -> tuple[dict[int, Originals], set[int]] | None:
        """Give originals by seq, and the seqs of those that were erased before their message.

        None: the session's fence is closed.
        """
        profile = session.profile  # of before the rows: what it says is emptied was so when they were read
        every = self._stores.transcripts.read(
            lambda connection: sql.read_originals(connection, session.fence, first, last, session.state)
        )
        if not every:
            return None
        rows = [row for row in every if row.seq is not None]
        if any(row.chapter not in session.by_id or not row.alive for row in rows):
            for row in rows:
                if not row.alive:
                    session.by_id.pop(row.chapter, None)
            self._sessions.load_chapters(session)
        found: dict[int, Originals] = {}
        erased: set[int] = set()
        with self._sessions.questioned(session):
            for row in rows:
                chapter = session.by_id.get(row.chapter)
                if chapter is None:  # a restored row may say so too of what has got a key of its own
                    if row.chapter not in session.dead:
                        raise TamperedError("originals have lost their chapter")
                    profile.check_not_emptied(row.place)
                    erased.add(row.seq)
                    continue
                if row.originals is None:
                    raise TamperedError("originals were taken out of their row")
                aad = chapter.aad(row.seq, row.role, row.created_at, ORIGINALS)
                found[row.seq] = unpack_originals(chapter.cipher.open(row.originals, aad))
        return found, erased
