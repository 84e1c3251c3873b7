"""The ends of what goes are opened in their places, before anything of it is taken (P2).

Whoever may write into the transcripts can move rows of the living into a chapter that is due, where they
would go as purged and leave no gap. The seqs of a session only grow, so what was moved there from another day
comes last in it, or first; and there it doesn't open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from vault.chat.chapter import Chapter, chapter_key, make_chapter
from vault.crypto.tree import Opened
from vault.errors import TamperedError
from vault.retention.facts import Facts
from vault.retention.steps import Steps
from vault.retention.whole import Whole
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
        """Prove what goes of some sessions, under their locks, and that it has keys which can die."""
        sessions = {one.seen.session.id: one.seen.session for one in steps if one.seen.session.id in keys}
        groups: defaultdict[int, list[Group]] = defaultdict(list)
        chapters: dict[int, ChapterAt] = {}
        for one in steps:
            for group in (judged.group for judged in one.judged if judged.body and judged.group.messages):
                if group.session in sessions:
                    groups[group.chapter].append(group)
                    chapters[group.chapter] = one.seen.chapters[group.chapter]
        opened = self._facts.chapter_keys(sessions, keys, chapters.values()) if chapters else {}
        ends = []
        for number, at in chapters.items():
            if number not in opened:
                if not self._facts.is_erased(at.place):
                    raise TamperedError("an epoch or chapter was edited, or the keyring is older than it")
                continue  # an older copy brought it back
            node, going = sessions[at.session].node, groups[number]
            chapter = make_chapter(number, self._stores.vault, node, at.place, opened[number])
            size = sum(group.bytes for group in going)
            seqs = {min(group.first for group in going), max(group.last for group in going)}
            ends += [_End(at.session, seq, chapter, size) for seq in seqs]
        _prove(connection, ends)


def _prove(connection: Connection, ends: Iterable[_End]) -> None:
    """Open messages in their places; who was moved or taken away by now is not for here."""
    for some in _portions(ends):
        chapters = {(one.session, one.seq): one.chapter for one in some}
        for row in sql.ends(connection, list(chapters)):
            chapter = chapters[row.session_id, row.seq]
            if row.chapter_id == chapter.id:
                try:
                    chapter.cipher.open(row.body, chapter.aad(row.seq, row.role, row.created_at))
                except TamperedError:
                    raise TamperedError("a message that is due was edited, or moved to where it is") from None


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
