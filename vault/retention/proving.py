"""Opening in its place all that some sessions hold, before it is decided that it stays, or that it may go.

What the rules look at stands in the rows in clear: namespaces, roles, dates. Whoever may write there would
decide what a floor keeps (P5), or keep a key alive beyond its day (P4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing

from sqlalchemy import Connection

from vault.chat.chapter import BODY, ORIGINALS, Chapter, make_chapter
from vault.chat.records import aad
from vault.crypto.envelope import Cipher
from vault.errors import TamperedError
from vault.retention.facts import Facts, Seen, edited, naming
from vault.storage import retention as sql
from vault.storage.retention import ChapterAt, RecordAt, RowAt, SessionAt


class Proofs:
    """Proves what sessions say of themselves."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def prove(
        self, connection: Connection, page: Sequence[Seen], chapters: Collection[int] | None = None
    ) -> None:
        """Open the profiles of sessions, and all that is in their chapters, or in some of these.

        Where there is no chapter nothing is proven: it may be the row of a session that is being made, or of
        one whose making was killed, and its name may be another's.
        """
        sessions = {seen.session.id: seen.session for seen in page if seen.chapters or seen.groups}
        keys = self._facts.session_keys(sessions.values())
        listed = [
            chapter
            for seen in page
            for chapter in seen.chapters.values()
            if seen.session.id in keys and (chapters is None or chapter.id in chapters)
        ]
        opened = self.open_chapters(sessions, keys, listed)
        places = {one.id: one.place for one in listed}
        for number, key in keys.items():
            profile = self._facts.profile(sessions[number], key)
            with closing(sql.rows_in(connection, number, chapters)) as rows:
                for row in rows:
                    _open_message(opened, row)
                    if row.chapter not in opened:
                        with naming(number):
                            profile.check_not_emptied(places.get(row.chapter))
            with closing(sql.records_in(connection, number)) as records:
                for record in records:
                    if record.chapter in opened:
                        open_record(opened[record.chapter], record, number)

    def open_chapters(
        self, sessions: Mapping[int, SessionAt], keys: Mapping[int, bytes], listed: Sequence[ChapterAt]
    ) -> dict[int, Chapter]:
        """Open chapters; those are left out that an older copy brought back, though they were erased."""
        facts = self._facts
        found = facts.chapter_keys(sessions, keys, listed) if listed else {}
        for one in listed:
            if one.id not in found and one.session in keys:
                facts.check_erased(sessions[one.session], keys[one.session], one)
        return {
            one.id: make_chapter(one.id, facts.vault, sessions[one.session].node, one.place, found[one.id])
            for one in listed
            if one.id in found
        }


def _open_message(opened: Mapping[int, Chapter], row: RowAt) -> None:
    at = row.session, row.seq, row.role, row.created_at
    if row.chapter in opened:
        open_message(opened[row.chapter], row.body, *at)
    beside = None if row.originals_chapter is None else opened.get(row.originals_chapter)
    if row.originals is not None and beside is not None:
        open_message(beside, row.originals, *at, ORIGINALS)


def open_message(  # noqa: PLR0913, PLR0917 (what a body is bound to)
    chapter: Chapter, sealed: bytes, session: int, seq: int, role: str, created_at: int, part: bytes = BODY
) -> None:
    """Open a message in its place, or say that it is not what was written there."""
    _open(chapter.cipher, sealed, chapter.aad(seq, role, created_at, part), session, "a message")


def open_record(chapter: Chapter, row: RecordAt, session: int) -> None:
    """Open a record in its place, or say that it is not what was written there."""
    bound = aad(chapter, (row.place, row.key), row.role, row.created_at)
    _open(chapter.cipher, row.body, bound, session, "a record")


def _open(cipher: Cipher, sealed: bytes, bound: bytes, session: int, what: str) -> None:
    try:
        cipher.open(sealed, bound)
    except TamperedError:
        raise edited(
            session, f"{what} that a rule decides about was edited, or moved to where it is"
        ) from None
