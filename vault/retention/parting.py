"""Taking apart what a floor keeps and what may go, where both lie in one session (P3, P5).

A chapter's key can be derived as long as its session's and its epoch's keys live, and an epoch is for all.
So what is kept moves, sealed anew, to a session of its own, the remainder; then the old one is erased as a
whole. Until the rows have moved, in one transaction, nothing has happened; from then on the old session holds
nothing that is kept. A crash leaves an empty remainder, or an old session that the next look erases (P8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace
from sqlalchemy import Connection

from vault.chat.chapter import Chapter
from vault.chat.profile import add_to, seal_profile
from vault.chat.records import aad as record_aad
from vault.chat.session import Place, Session
from vault.chat.sessions import Sessions
from vault.crypto.tree import Opened
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys
from vault.messages import Outside, unpack
from vault.retention.facts import Facts, Seen
from vault.storage import messages as message_sql
from vault.storage import parting as part_sql
from vault.storage import retention as sql
from vault.storage import transcripts as transcripts_sql
from vault.storage.retention import Group, RecordAt, RowAt
from vault.storage.schema import State
from vault.storage.stores import Stores

_ROUNDS = 20

Keeps = Callable[[Seen, Group], bool]


@dataclass(slots=True)
class _Moves:
    """What moves, and the seqs of what stays behind to be erased."""

    messages: list[dict[str, object]] = field(default_factory=list)
    records: list[dict[str, object]] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    bare: list[int] = field(default_factory=list)


class Parter:
    """Moves what is kept out of a session; `keeps` says of which groups that is."""

    def __init__(
        self, stores: Stores, keyring: Keyring, sessions: Sessions, facts: Facts, keeps: Keeps
    ) -> None:
        self._stores = stores
        self._keyring = keyring
        self._sessions = sessions
        self._facts = facts
        self._keeps = keeps

    def part(self, user: UserKeys, opened: Opened) -> None:
        """Take a session apart; leave it whole where a hold forbids that, or where content lies outside."""
        row = self._stores.transcripts.read(lambda c: transcripts_sql.find_session(c, opened.id))
        if row is None or row.state != State.LIVE:
            return
        seen = self._stores.transcripts.snapshot(lambda c: self._facts.look(c, [row.id]))
        if not seen or self._lies_outside(seen[0]):
            return
        remainder = None
        for _ in range(_ROUNDS):
            places = {self._place(seen[0], group) for group in seen[0].groups if self._keeps(seen[0], group)}
            if not places or self._is_held(user, opened.id):
                return
            remainder = remainder or self._sessions.maker.make_remainder(user, row, opened)
            if remainder is None or not self._sessions.make_chapters(remainder, places):
                return
            into = remainder
            done = self._stores.transcripts.write(lambda c: self._move(c, row.id, opened, into))  # noqa: B023 (run at once)
            if done:
                return
            seen = self._stores.transcripts.snapshot(lambda c: self._facts.look(c, [row.id]))
            if not seen:
                return

    def _is_held(self, user: UserKeys, node: bytes) -> bool:
        return self._keyring.holds.is_held(user.node, node, self._stores.clock())

    def _place(self, seen: Seen, group: Group) -> Place:
        """Give where a group lies now: it stays in its epoch, and goes with that."""
        chapter = seen.chapters[group.chapter]
        return chapter.class_name, chapter.anchor

    def _lies_outside(self, seen: Seen) -> bool:
        """Say whether content lies in a memory outside: nobody can seal that anew."""
        chapters = self._open(seen)

        def look(connection: Connection) -> bool:
            return any(
                row.chapter in chapters and unpack(_plain(chapters[row.chapter], row)).outside != Outside.NO
                for row in sql.rows_in(connection, seen.session.id)
            )

        return self._stores.transcripts.snapshot(look)

    def _open(self, seen: Seen) -> dict[int, Chapter]:
        return self._facts.open_chapters([seen.session], {seen.session.id: seen.chapters})

    # -- moving -----------------------------------------------------------------------------------------

    def _move(self, connection: Connection, number: int, opened: Opened, remainder: Session) -> bool:
        """Move under lock what is kept at this moment; False where a chapter is missing for it yet."""
        looked = {
            one.session.id: one for one in self._facts.look(connection, [number, remainder.row], lock=True)
        }
        seen = looked.get(number)
        if seen is None or remainder.row not in looked or self._is_held(remainder.user, opened.id):
            return True  # somebody else erases it, or may not any more: there is nothing to take apart
        moves = self._moves(connection, seen, remainder)
        if moves is None:
            return False
        if moves.moved or moves.records:
            part_sql.move_messages(connection, moves.messages)
            part_sql.move_records(connection, moves.records)
            self._write_ledgers(connection, seen, opened, remainder, moves)
        return True

    def _moves(self, connection: Connection, seen: Seen, remainder: Session) -> _Moves | None:
        facts, chapters, moves = self._facts, self._open(seen), _Moves()
        kept = {
            (bool(group.records), facts.key_of_group(group))
            for group in seen.groups
            if self._keeps(seen, group)
        }
        for row in sql.rows_in(connection, seen.session.id):
            old = chapters.get(row.chapter)
            plain = b"" if old is None else _plain(old, row)  # what is left behind is what it says, too
            if old is None or (False, facts.key_of(row, chapters)) not in kept:
                moves.left.append(row.seq)
                continue
            new = self._new(seen, row.chapter, remainder)
            if new is None:
                return None
            sealed = new.cipher.seal(plain, new.aad(row.seq, row.role, row.created_at))
            moves.moved.append(row.seq)
            moves.messages.append(_moved(row.seq, sealed, new, remainder) | {"from": row.session})
            if row.originals is not None:
                moves.bare.append(row.seq)
        for record in sql.records_in(connection, seen.session.id):
            old = chapters.get(record.chapter)
            name = record.place, record.key
            plain = b"" if old is None else _plain_record(old, record)
            if old is None or (True, facts.key_of_record(record)) not in kept:
                continue
            new = self._new(seen, record.chapter, remainder)
            if new is None:
                return None
            sealed = new.cipher.seal(plain, record_aad(new, name, record.role, record.created_at))
            moves.records.append(_moved(record.id, sealed, new, remainder))
        return moves

    def _new(self, seen: Seen, chapter: int, remainder: Session) -> Chapter | None:
        at = seen.chapters[chapter]
        return remainder.by_place.get((at.class_name, at.anchor))

    def _write_ledgers(
        self, connection: Connection, seen: Seen, opened: Opened, remainder: Session, moves: _Moves
    ) -> None:
        """Say in each ledger that what is in the other is gone from it: nothing was stolen (P2)."""
        vault, session = self._stores.vault, seen.session
        before = self._facts.profile(session, opened.key)
        old = replace(before, purged=add_to(before.purged, moves.moved))
        rev, made = remainder.ledger
        new = replace(
            made,
            popped=before.popped,
            purged=add_to(before.purged, moves.left),
            hidden=before.hidden,
            bare=add_to(before.bare, moves.bare),
            started=seen.started,
            last=(seen.last, seen.touched),
        )
        for number, profile, node, key, at in (
            (session.id, old, session.node, opened.key, session.rev),
            (remainder.row, new, remainder.node, remainder.key, rev),
        ):
            sealed = seal_profile(profile, vault, node, key, at + 1)
            message_sql.write_profile(connection, number, sealed, at)


def _plain(chapter: Chapter, row: RowAt) -> bytes:
    return chapter.cipher.open(row.body, chapter.aad(row.seq, row.role, row.created_at))


def _plain_record(chapter: Chapter, row: RecordAt) -> bytes:
    return chapter.cipher.open(row.body, record_aad(chapter, (row.place, row.key), row.role, row.created_at))


def _moved(at: int, sealed: bytes, chapter: Chapter, remainder: Session) -> dict[str, object]:
    return {"at": at, "sealed": sealed, "chapter": chapter.id, "to": remainder.row}
