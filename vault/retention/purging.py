"""Carrying a plan out, session by session: rows go, with the ledger in the same transaction; keys wait.

Each batch looks again, under the locks of its sessions and at the holds of that moment. What it finds to be
other than what it has prepared is left for another round. Each step can be repeated, by this run, by the next
one, or by one that is at it at the same time (P8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace
from sqlalchemy import Connection

from vault.chat.chapter import Chapter, make_chapter
from vault.chat.profile import Ranges, join, seal_profile
from vault.chat.sessions import Sessions
from vault.errors import TamperedError
from vault.keys.doubt import beyond_doubt
from vault.keys.many import Keeping
from vault.retention.classes import Place
from vault.retention.deciding import Fact
from vault.retention.ends import Ends
from vault.retention.facts import Facts, Seen
from vault.retention.holding import Holds, as_holds
from vault.retention.plan import Planner, Verdict
from vault.retention.proving import Proofs
from vault.retention.rewriting import Rewriter, Rooms
from vault.retention.seqs import seqs_bared, seqs_removed
from vault.retention.steps import (
    ROWS,
    Done,
    Judged,
    Scope,
    Steps,
    is_dying,
    judge,
    parts_of,
    replace_verdict,
    work_out,
)
from vault.storage import purging as purge_sql
from vault.storage import records as record_sql
from vault.storage import retention as sql
from vault.storage.retention import ChapterAt
from vault.storage.schema import State
from vault.storage.stores import Stores

_ROUNDS = 50


@dataclass(frozen=True, slots=True, repr=False)
class _Prepared:
    """What a batch needs beside its rows: session keys, keys of kept chapters, chapters to move to."""

    keys: Mapping[int, bytes]
    own: Mapping[tuple[bytes, bytes], bytes]
    rooms: Rooms
    is_plain: bool = False


@dataclass(slots=True)
class _Changes:
    """What one transaction writes, in few statements."""

    counted: list[Judged] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    whole: list[Steps] = field(default_factory=list)
    close: list[int] = field(default_factory=list)
    keep: dict[int, bytes] = field(default_factory=dict)
    profiles: list[dict[str, object]] = field(default_factory=list)
    keys: list[tuple[int, int, int]] = field(default_factory=list)
    resealed: int = 0
    partial: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)


class Purger:
    """Takes what is due out of sessions."""

    def __init__(self, stores: Stores, facts: Facts, sessions: Sessions, holds: Holds) -> None:
        self._stores = stores
        self._facts = facts
        self._sessions = sessions
        self._holds = holds
        self._planner: Planner
        self._scope: Scope
        self._now: int
        self._rewriter: Rewriter
        self._ends = Ends(stores, facts)
        self._proofs = Proofs(facts)
        self._dead: set[int] = set()
        self._counted: set[int] = set()
        self._planted: set[int] = set()
        self.done = Done()
        self.keyless: set[bytes] = set()

    def start(self, planner: Planner, scope: Scope, now: int) -> None:
        """Decide and count by a planner from here on."""
        self._planner, self._scope, self._now = planner, scope, now
        self._rewriter = Rewriter(self._stores, self._facts, self._sessions, now)

    @property
    def left_keys(self) -> bool:
        """Say whether a chapter was given a key to be kept by, and then was not kept."""
        return bool(self._planted)

    # -- deciding ---------------------------------------------------------------------------------------

    def _decide(self, fact: Fact, number: int) -> Verdict:
        found = self._planner.judge(fact)
        # What an older copy brought back goes once more, whatever keeps it today: its key is erased.
        return replace_verdict(found, goes=True) if number in self._dead else found

    def work_out(self, seen: Seen) -> Steps:
        """Say what has to happen to a session now."""

        def may_go(chapter: ChapterAt) -> bool:
            return is_dying(chapter) and self._scope.takes(seen, chapter)

        judged = judge(seen, self._decide, may_go)
        return work_out(seen, judged, is_held=self._is_held(seen), dead=self._dead)

    def _is_held(self, seen: Seen) -> bool:
        return self._planner.covers(seen.session.user_node, seen.session.node)

    def _look_at_holds(self) -> None:
        rows = self._stores.keyring.read(lambda c: self._holds.in_force(c, self._now))
        self._planner.hold(as_holds(rows))

    # -- batches ----------------------------------------------------------------------------------------

    def take(self, ids: Sequence[int]) -> None:
        """Bring some sessions to where the rules want them."""
        ids = self._take_plain(ids)
        for _ in range(_ROUNDS):
            ids = [number for batch in self._batches(ids) for number in self._take(batch)]
            if not ids:
                return
        # Nothing is lost: they stay closed, and the next run takes them up.

    def _take_plain(self, ids: Sequence[int]) -> list[int]:
        """Change at once, unseen, those sessions that need nothing prepared; give the others."""
        sessions = self._stores.transcripts.read(lambda c: self._facts.living(c, ids))
        prepared = _Prepared(self._facts.session_keys(sessions.values()), {}, Rooms({}, {}), is_plain=True)
        return self._change(list(sessions), prepared)

    def _batches(self, ids: Sequence[int]) -> Iterable[list[Steps]]:
        """Look at sessions, and put together those that go into one transaction."""
        self._look_at_holds()
        batch: list[Steps] = []
        rows = 0
        for page in self._facts.pages(ids):
            for steps in map(self.work_out, page):
                if not steps.changes:
                    continue
                if batch and rows + steps.rows > ROWS:
                    yield batch
                    batch, rows = [], 0
                batch.append(steps)
                rows += steps.rows
        if batch:
            yield batch

    def _take(self, batch: Sequence[Steps]) -> list[int]:
        """Change some sessions in one transaction; give those that need another round."""
        ids = [steps.seen.session.id for steps in batch]
        if self._relinked(batch):
            return ids
        return self._change(ids, self._prepare(batch))

    def _change(self, ids: Sequence[int], prepared: _Prepared) -> list[int]:
        """Look under lock, decide and write; give the sessions that need another round."""

        def work(connection: Connection) -> _Changes:
            locked = self._facts.look(connection, ids, lock=True)
            self._look_at_holds()
            changes, made = _Changes(), {one.id for one in prepared.rooms.new.values()}
            steps = [self.work_out(seen).sparing(made) for seen in locked]
            self._ends.of_steps(connection, steps, prepared.keys)
            for one in steps:
                self._collect(connection, one, prepared, changes)
            self._write(connection, changes)
            return changes

        changes = self._stores.transcripts.write(work)
        self._count(changes)
        return changes.again

    def _count(self, changes: _Changes) -> None:
        self.done.batches += 1
        self.done.kept += len(changes.keep)
        self._planted -= changes.keep.keys()
        self.done.resealed += changes.resealed
        for seen, one in zip(changes.seen, changes.counted, strict=True):
            if seen.session.id in self._counted:
                continue
            if one.body:
                self._planner.count(one.fact, one.by)
            if one.originals and one.originals_fact is not None and one.by_originals is not None:
                self._planner.count(one.originals_fact, one.by_originals)
        self._counted.update(changes.partial)

    # -- preparing --------------------------------------------------------------------------------------

    def _prepare(self, batch: Sequence[Steps]) -> _Prepared:
        """Open what is needed, and plant what must be there before the rows change."""
        facts = self._facts
        sessions = {steps.seen.session.id: steps.seen.session for steps in batch}
        keys = facts.session_keys(sessions.values())
        touched = [
            steps.seen.chapters[number] for steps in batch for number in sorted(steps.keep | steps.split)
        ]
        opened = facts.chapter_keys(sessions, keys, touched) if touched else {}
        old = {
            one.id: make_chapter(
                one.id, self._stores.vault, sessions[one.session].node, one.place, opened[one.id]
            )
            for one in touched
            if one.id in opened
        }
        self._find_dead(batch, opened, keys)
        self._prove_kept(batch)
        keeping = []
        for steps in batch:
            session = steps.seen.session
            places = [
                (steps.seen.chapters[number].place, opened[number])
                for number in sorted(steps.keep)
                if number in opened
            ]
            if places and session.id in keys:
                keeping.append(Keeping(session.user_slot, keys[session.id], places))
        self._planted |= {number for steps in batch for number in steps.keep}
        facts.many.keep(keeping)
        own = facts.many.find_chapters(
            (one.user, one.session, [place for place, _ in one.chapters]) for one in keeping
        )
        new: dict[tuple[int, Place], Chapter] = {}
        for steps in batch:
            if steps.split and steps.seen.session.id in keys:
                new |= self._rewriter.make_room(steps, keys[steps.seen.session.id], self._dead)
        return _Prepared(keys, {name: one.id for name, one in own.items()}, Rooms(old, new))

    def _prove_kept(self, batch: Sequence[Steps]) -> None:
        """Prove what is to outlive a key (P4): what anybody may write into its row would keep it alive.

        What a hold keeps is not looked at: the keyring says that it stays.
        """
        kept = [steps for steps in batch if (steps.keep or steps.split) and not self._is_held(steps.seen)]
        page = [steps.seen for steps in kept]
        chapters = {number for steps in kept for number in steps.keep | steps.split} - self._dead

        def prove(connection: Connection) -> None:
            self._proofs.prove(connection, page, chapters)
            self._ends.of_kept(connection, page)

        if kept:
            beyond_doubt(self._stores, lambda: self._stores.transcripts.snapshot(prove))

    def _relinked(self, batch: Sequence[Steps]) -> bool:
        """Tie chapters to their own keys again that an older copy of the transcripts knows nothing of."""
        own = self._facts.own_keys(steps.seen for steps in batch)
        kept = {number: node for number, node in own.items() if node is not None}
        self._stores.transcripts.write(lambda connection: purge_sql.keep_chapters(connection, kept))
        return bool(kept)

    def _find_dead(
        self, batch: Sequence[Steps], opened: Mapping[int, bytes], keys: Mapping[int, bytes]
    ) -> None:
        """Note the chapters whose keys are gone; accuse where nothing erased them (P2).

        One that is empty may be of a run that was killed when it had cut the keys, and has not told so yet.
        """
        for seen, steps in ((one.seen, one) for one in batch if one.seen.session.id in keys):
            filled = {number for one in steps.judged for number, _, _ in parts_of(one)}
            for number in sorted((steps.keep | steps.split) - opened.keys()):
                check = self._facts.check_dead if number in filled else self._facts.check_erased
                check(seen.session, keys[seen.session.id], seen.chapters[number])
                self._dead.add(number)

    # -- changing ---------------------------------------------------------------------------------------

    def _collect(self, connection: Connection, steps: Steps, prepared: _Prepared, changes: _Changes) -> None:
        """Work one session in, or leave it for another round where it is not as it was prepared."""
        session = steps.seen.session
        key = prepared.keys.get(session.id)
        if not steps.changes:
            return
        if key is None:
            self.keyless.add(session.node)  # erased meanwhile by somebody who was asked to, or a theft
            return
        chapters = steps.seen.chapters
        loose = any(one.depends and one.epoch_state == State.GONE for one in chapters.values())
        if prepared.is_plain and loose:
            changes.again.append(session.id)  # of an older copy: it may have a key of its own
            return
        own = {number: prepared.own.get((key, chapters[number].place)) for number in steps.keep}
        if None in own.values() or not steps.split <= prepared.rooms.old.keys():
            changes.again.append(session.id)
            return
        if steps.rows > ROWS and not steps.split:
            self._take_some(connection, steps, key, changes)
            return
        if steps.split:
            rewritten = self._rewriter.rewrite(connection, steps, prepared.rooms)
            if rewritten is None:
                changes.again.append(session.id)
                return
            removed, bared, resealed = rewritten
            changes.resealed += resealed
        else:
            removed, bared = seqs_removed(connection, steps), seqs_bared(connection, steps)
            changes.whole.append(steps)
        changes.keep |= {number: node for number, node in own.items() if node is not None}
        changes.close += steps.close
        changes.seen += [steps.seen] * len(steps.judged)
        changes.counted += steps.judged
        self._note(steps, key, removed, bared, changes)

    def _note(  # noqa: PLR0913 (what goes, and how far)
        self,
        steps: Steps,
        key: bytes,
        removed: Ranges,
        bared: Ranges,
        changes: _Changes,
        *,
        is_done: bool = True,
    ) -> None:
        """Put what goes into the session's ledger (P2). Of records it only remembers when they were put."""
        seen, session = steps.seen, steps.seen.session
        loses = bool(removed) or steps.rows > steps.messages
        emptied = {seen.chapters[number].place for number in steps.close} if is_done else set()
        if not loses and not bared and not emptied:
            return
        profile = self._facts.profile(session, key).emptying(emptied)
        remembering = profile.losing(seen.started, (seen.last, seen.touched)) if loses else profile
        written = replace(remembering.purging(removed), bare=join(profile.bare, bared))
        sealed = seal_profile(written, self._stores.vault, session.node, key, session.rev + 1)
        changes.profiles.append(
            {"session": session.id, "at": session.rev, "next": session.rev + 1, "sealed": sealed}
        )
        changes.keys += [(session.id, first, last) for first, last in removed]

    def _take_some(self, connection: Connection, steps: Steps, key: bytes, changes: _Changes) -> None:
        """Take the first messages of a long session; the next round goes on."""
        session = steps.seen.session.id
        seqs = sql.seqs_in(connection, session, sorted(steps.delete), ROWS)
        if purge_sql.delete_seqs(connection, session, seqs) != len(seqs):
            raise TamperedError("messages that a lock should keep are gone")
        if len(seqs) < ROWS:
            ids = sql.record_ids_in(connection, session, sorted(steps.delete), ROWS - len(seqs))
            record_sql.remove(connection, session, ids)
        changes.seen += [steps.seen] * len(steps.judged)  # as a whole: later rounds see what is left of it
        changes.counted += steps.judged
        changes.partial.append(session)
        self._note(steps, key, join((), ((seq, seq) for seq in seqs)), (), changes, is_done=False)
        changes.again.append(session)

    def _write(self, connection: Connection, changes: _Changes) -> None:
        """Write a batch: each statement is for all sessions of it."""
        ids = [steps.seen.session.id for steps in changes.whole]
        bare = sorted(
            number for steps in changes.whole for number in steps.bare if number not in steps.delete
        )
        purge_sql.bare_whole(connection, ids, bare)
        gone = sorted(number for steps in changes.whole for number in steps.delete)
        expected = sum(steps.messages for steps in changes.whole)
        if purge_sql.delete_whole(connection, ids, gone) != expected:
            raise TamperedError("messages that a lock should keep are gone")
        beside = [steps for steps in changes.whole if steps.rows > steps.messages]
        if beside:
            purge_sql.delete_whole_records(
                connection,
                [steps.seen.session.id for steps in beside],
                sorted(number for steps in beside for number in steps.delete),
            )
        purge_sql.write_profiles(connection, changes.profiles)
        purge_sql.delete_keys(connection, changes.keys)
        purge_sql.keep_chapters(connection, changes.keep)
        purge_sql.close_chapters(connection, changes.close)
