"""The ends of what goes are opened in their places, before anything of it is taken (P2).

Whoever may write into the transcripts can move rows of the living into a chapter that is due, where they
would go as purged and leave no gap. The seqs of a session only grow, so what was moved there from another day
comes last in it, or first; and there it doesn't open.

Where a session was begun and when it was last used may decide about all of it (P5), and what goes leaves both
in the ledger. So the oldest and the newest of what a session holds are opened, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from vault.chat.chapter import Chapter, chapter_key, make_chapter
from vault.crypto.tree import Opened
from vault.retention.facts import Facts, Seen, edited
from vault.retention.proving import Proofs, open_message, open_record
from vault.retention.steps import Steps
from vault.retention.whole import Whole
from vault.storage import retention as retention_sql
from vault.storage import whole as sql
from vault.storage.engine import CHUNK
from vault.storage.retention import ChapterAt, Group
from vault.storage.stores import Stores
from vault.storage.transcripts import EpochRow

_MOST = 1 << 24  # bytes of chapters whose ends are read at once


class _End(NamedTuple):
    session: int
    seq: int
    chapter: Chapter
    bytes: int  # of all that goes with it


class Ends:
    """Opens the first and the last message that go of each chapter."""

    def __init__(self, stores: Stores, facts: Facts) -> None:
        self._stores = stores
        self._facts = facts
        self._proofs = Proofs(facts)
        self._epochs: dict[int, Opened | None] = {}  # by their rows

    def of_wholes(self, wholes: Sequence[Whole], keys: Mapping[int, bytes]) -> list[Whole]:
        """Prove chapters that go as a whole; leave out the sessions of which one is not where its key is."""
        self._open({part.kind.epoch: part.kind.at for one in wholes for part in one.goes})
        known = self._epochs
        proven = [one for one in wholes if all(known[part.kind.epoch] for part in one.goes)]
        ends = [end for one in proven for end in self._of_whole(one, keys[one.id])]
        self._stores.transcripts.read(lambda connection: _prove(connection, ends))
        return proven

    def _open(self, epochs: Mapping[int, EpochRow]) -> None:
        new = {number: epochs[number] for number in epochs.keys() - self._epochs.keys()}
        found = self._facts.epoch_keys((at.class_name, at.anchor) for at in new.values())
        for number, at in new.items():
            opened = found.get((at.class_name, at.anchor))
            self._epochs[number] = opened if opened is not None and opened.id == at.node else None

    def _of_whole(self, one: Whole, key: bytes) -> Iterator[_End]:
        parts, node = one.goes, one.at.node
        first, last = min(parts, key=attrgetter("first")), max(parts, key=attrgetter("last"))
        if one.messages == last.last - first.first + 1:
            ends = {first.first: first, last.last: last}  # there is no gap: these are the ends of all of it
        else:
            ends = {seq: part for part in parts for seq in (part.first, part.last)}
        chapters: dict[int, Chapter] = {}
        for seq, part in ends.items():
            chapter, epoch = chapters.get(part.chapter), self._epochs[part.kind.epoch]
            if chapter is None and epoch is not None:
                opened = chapter_key(key, epoch.key, node, epoch.id)
                chapter = make_chapter(part.chapter, self._stores.vault, node, epoch.id, opened)
                chapters[part.chapter] = chapter
            if chapter is not None:
                yield _End(one.id, seq, chapter, part.bytes)

    def of_steps(self, connection: Connection, steps: Sequence[Steps], keys: Mapping[int, bytes]) -> None:
        """Prove what goes of some sessions, under their locks, and that it has keys which can die.

        And what their dates rest on: their oldest and newest messages, and records.
        """
        sessions = {one.seen.session.id: one.seen.session for one in steps if one.seen.session.id in keys}
        groups: defaultdict[int, list[Group]] = defaultdict(list)
        every: dict[int, ChapterAt] = {}
        beside: set[int | None] = set()  # chapters of originals
        said, put = _Dated(), _Dated()
        for one in steps:
            losing = [judged for judged in one.judged if judged.body or judged.originals]
            if not losing or one.seen.session.id not in sessions:
                continue
            for group in (judged.group for judged in losing if judged.body and judged.group.messages):
                groups[group.chapter].append(group)
            beside |= {judged.group.originals_chapter for judged in losing if judged.originals}
            said.add([group for group in one.seen.groups if group.messages])
            put.add([group for group in one.seen.groups if group.records])
            every |= one.seen.chapters
        going = {*groups, *(number for number in beside if number is not None)}
        chapters = {number: every[number] for number in {*going, *said.chapters, *put.chapters}}
        opened = self._proofs.open_chapters(sessions, keys, list(chapters.values()))
        for at in (chapters[number] for number in going if number not in opened):
            self._facts.check_dead(sessions[at.session], keys[at.session], at)
        ends = list(said.ends(connection, opened))
        for number, those in groups.items():
            if number in opened:
                size = sum(group.bytes for group in those)
                seqs = {min(group.first for group in those), max(group.last for group in those)}
                ends += [_End(chapters[number].session, seq, opened[number], size) for seq in seqs]
        _prove(connection, ends)
        put.prove_records(connection, opened)

    def of_kept(self, connection: Connection, page: Sequence[Seen]) -> None:
        """Prove by what sessions stay, whose dates seem to say so: namespaces, the oldest and newest rows."""
        sessions = {seen.session.id: seen.session for seen in page}
        keys = self._facts.session_keys(sessions.values())
        said, put = _Dated(), _Dated()
        listed: list[ChapterAt] = []
        for seen in page:
            if seen.session.id in keys:
                said.add([group for group in seen.groups if group.messages])
                put.add([group for group in seen.groups if group.records])
                used = said.chapters.keys() | put.chapters.keys()
                listed += [at for at in seen.chapters.values() if at.id in used]
        opened = self._proofs.open_chapters(sessions, keys, listed)
        for number, key in keys.items():
            self._facts.profile(sessions[number], key)
        _prove(connection, said.ends(connection, opened))
        put.prove_records(connection, opened)

    def of_going_on(self, connection: Connection, ids: Sequence[int]) -> None:
        """Prove the last messages of sessions, where only these keep them from being looked at."""
        sessions = self._facts.living(connection, ids)
        keys = self._facts.session_keys(sessions.values())
        last = retention_sql.last_seqs(connection, list(keys))
        rows = {row.session_id: row for row in sql.ends(connection, list(last.items()))} if last else {}
        chapters = {at.id: at for at in retention_sql.chapters_in(connection, list(rows))}
        for row in rows.values():
            if row.chapter_id not in chapters:
                raise edited(row.session_id, "a message has lost its chapter")
        opened = self._proofs.open_chapters(
            sessions, keys, [chapters[row.chapter_id] for row in rows.values()]
        )
        for row in rows.values():
            chapter = opened.get(row.chapter_id)
            if chapter is not None:
                open_message(chapter, row.body, row.session_id, row.seq, row.role, row.created_at)


@dataclass(slots=True)
class _Dated:
    """The first and the last moment of what sessions hold, and the sizes of the chapters that have them."""

    moments: dict[int, set[int]] = field(default_factory=dict)
    chapters: dict[int, int] = field(default_factory=dict)
    sessions: dict[int, int] = field(default_factory=dict)  # by chapter

    def add(self, groups: Sequence[Group]) -> None:
        """Add one session: all its groups of a kind."""
        if not groups:
            return
        first, last = min(one.oldest for one in groups), max(one.newest for one in groups)
        self.moments[groups[0].session] = {first, last}
        for one in groups:
            if one.oldest == first or one.newest == last:
                self.chapters[one.chapter] = self.chapters.get(one.chapter, 0) + one.bytes
                self.sessions[one.chapter] = one.session

    def ends(self, connection: Connection, opened: Mapping[int, Chapter]) -> Iterator[_End]:
        """Give a message of each of these moments, by chapter."""
        for session, seq, number in retention_sql.seqs_at(connection, self.moments):
            if number in opened and number in self.chapters:
                yield _End(session, seq, opened[number], self.chapters[number])

    def prove_records(self, connection: Connection, opened: Mapping[int, Chapter]) -> None:
        """Open a record of each of these moments, by chapter."""
        for record in retention_sql.records_at(connection, self.moments):
            if record.chapter in opened and record.chapter in self.sessions:
                open_record(opened[record.chapter], record, self.sessions[record.chapter])


def _prove(connection: Connection, ends: Iterable[_End]) -> None:
    """Open messages in their places; who was moved or taken away by now is not for here."""
    for some in _portions(ends):
        chapters = {(one.session, one.seq): one.chapter for one in some}
        for row in sql.ends(connection, list(chapters)):
            chapter = chapters[row.session_id, row.seq]
            if row.chapter_id == chapter.id:
                open_message(chapter, row.body, row.session_id, row.seq, row.role, row.created_at)


def _portions(ends: Iterable[_End]) -> Iterator[list[_End]]:
    portion: list[_End] = []
    size = 0
    for one in ends:
        portion.append(one)
        size += one.bytes
        if len(portion) == CHUNK or size > _MOST:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
