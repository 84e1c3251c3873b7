"""Going through a session row by row, where some of a chapter stays: what stays is sealed anew elsewhere.

The chapters that take it are made before the transaction in which the rows change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from vault.chat.chapter import BODY, ORIGINALS, Chapter
from vault.chat.profile import Ranges, join
from vault.chat.records import aad
from vault.chat.sessions import Sessions
from vault.retention.classes import Kind as MessageKind
from vault.retention.classes import Place, Times
from vault.retention.facts import Facts, Seen
from vault.retention.policy import Part
from vault.retention.steps import Judged, Steps, parts_of
from vault.storage import purging as purge_sql
from vault.storage import records as record_sql
from vault.storage import retention as sql
from vault.storage.retention import Group, RowAt
from vault.storage.schema import State
from vault.storage.stores import Stores


@dataclass(frozen=True, slots=True, repr=False)
class Rooms:
    """The chapters that lose some of what they hold, and those that take the rest, by session and place."""

    old: Mapping[int, Chapter]
    new: Mapping[tuple[int, Place], Chapter]


class Rewritten(NamedTuple):
    """The seqs that went, those that lost their originals, and how much was sealed anew."""

    removed: Ranges
    bared: Ranges
    resealed: int


class Rewriter:
    """Moves what stays out of chapters whose keys die, and takes the rest away."""

    def __init__(self, stores: Stores, facts: Facts, sessions: Sessions, now: int) -> None:
        self._stores = stores
        self._facts = facts
        self._sessions = sessions
        self._now = now

    # -- preparing --------------------------------------------------------------------------------------

    def make_room(self, steps: Steps, key: bytes, dead: Collection[int]) -> dict[tuple[int, Place], Chapter]:
        """Make the chapters that take what stays of those that are split, in the classes of today."""
        session = steps.seen.session
        if session.state == State.HIDDEN:
            return {}  # by its name the app has another one, or none; it goes as a whole when its hold ends
        alone = [number for number in steps.close if not steps.seen.chapters[number].depends]

        def close(connection: Connection) -> None:
            self._facts.living(connection, [session.id], lock=True)  # nobody is just moving something there
            purge_sql.close_chapters(connection, alone)

        self._stores.transcripts.write(close)
        places: set[Place] = set()
        for one in steps.judged:
            for number, part, goes in parts_of(one):
                if number in steps.split.difference(dead) and not goes:
                    places.add(self._place(steps.seen, one.group, part))
        names = self._facts.names(session, key)
        if names is None or not places:
            return {}
        self._sessions.distrust(*names)  # this process may know it from before its chapters were closed
        made = self._sessions.ready_apart(*names, session.namespace, places, session.node)
        if made.node != session.node:
            return {}
        return {(session.id, place): made.by_place[place] for place in places if place in made.by_place}

    def _place(self, seen: Seen, group: Group, part: Part) -> Place:
        """Give where messages of a group would be sealed today."""
        kind = MessageKind(group.role, seen.session.namespace, group.labels)
        times = Times(group.oldest, seen.started, seen.last)
        return self._facts.classes.place_kept(kind, times, self._now, part)

    # -- changing ---------------------------------------------------------------------------------------

    def rewrite(self, connection: Connection, steps: Steps, rooms: Rooms) -> Rewritten | None:
        """Delete what goes, seal anew what stays of a chapter that dies; None where no chapter takes it."""
        facts, session = self._facts, steps.seen.session
        opened = (
            facts.open_chapters([session], {session.id: steps.seen.chapters}) if facts.classes.labels else {}
        )
        judged = {facts.key_of_group(one.group): one for one in steps.judged if one.group.messages}
        going: list[int] = []
        bare: list[int] = []
        bodies: list[dict[str, object]] = []
        originals: list[dict[str, object]] = []
        for row in sql.rows_in(connection, session.id):
            one = judged[facts.key_of(row, opened)]
            if one.body:
                going.append(row.seq)
                continue
            if row.chapter in steps.split:
                moved = self._reseal(steps, one, row, Part.BODY, rooms)
                if moved is None:
                    return None
                bodies.append(moved)
            if one.originals:
                bare.append(row.seq)
            elif row.originals_chapter in steps.split:
                moved = self._reseal(steps, one, row, Part.ORIGINALS, rooms)
                if moved is None:
                    return None
                originals.append(moved)
        records = self._rewrite_records(connection, steps, rooms)
        if records is None:
            return None
        purge_sql.delete_seqs(connection, session.id, going)
        purge_sql.bare_seqs(connection, session.id, bare)
        purge_sql.move_bodies(connection, bodies)
        purge_sql.move_originals(connection, originals)
        removed, bared = (join((), ((seq, seq) for seq in seqs)) for seqs in (going, bare))
        return Rewritten(removed, bared, len(bodies) + len(originals) + records)

    def _rewrite_records(self, connection: Connection, steps: Steps, rooms: Rooms) -> int | None:
        """Do the same with the records; count those that were sealed anew."""
        facts, session = self._facts, steps.seen.session
        judged = {facts.key_of_group(one.group): one for one in steps.judged if one.group.records}
        going: list[int] = []
        moved: list[dict[str, object]] = []
        for row in sql.records_in(connection, session.id) if judged else ():
            one = judged[facts.key_of_record(row)]
            if one.body:
                going.append(row.id)
            elif row.chapter in steps.split:
                new = self._room(steps, one, Part.BODY, rooms)
                if new is None:
                    return None
                old, name = rooms.old[row.chapter], (row.place, row.key)
                plain = old.cipher.open(row.body, aad(old, name, row.role, row.created_at))
                sealed = new.cipher.seal(plain, aad(new, name, row.role, row.created_at))
                moved.append({"at": row.id, "sealed": sealed, "to": new.id})
        record_sql.remove(connection, session.id, going)
        purge_sql.move_records(connection, moved)
        return len(moved)

    def _room(self, steps: Steps, one: Judged, part: Part, rooms: Rooms) -> Chapter | None:
        """Give the chapter for what stays of another; None where a run has closed that, to erase its key."""
        new = rooms.new.get((steps.seen.session.id, self._place(steps.seen, one.group, part)))
        at = None if new is None else steps.seen.chapters.get(new.id)
        return new if at is not None and at.state == State.LIVE and at.id not in steps.split else None

    def _reseal(
        self, steps: Steps, one: Judged, row: RowAt, part: Part, rooms: Rooms
    ) -> dict[str, object] | None:
        """Open a body under the key that dies and seal it under another; None where there is none yet."""
        new = self._room(steps, one, part, rooms)
        is_body = part is Part.BODY
        sealed, number = (row.body, row.chapter) if is_body else (row.originals, row.originals_chapter)
        if new is None or sealed is None or number is None:
            return None
        old, name = rooms.old[number], BODY if is_body else ORIGINALS
        plain = old.cipher.open(sealed, old.aad(row.seq, row.role, row.created_at, name))
        again = new.cipher.seal(plain, new.aad(row.seq, row.role, row.created_at, name))
        return {"session": row.session, "at": row.seq, "sealed": again, "to": new.id}
