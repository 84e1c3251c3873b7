"""Saying what a run would do: what is found in the databases, put before the rules. Nothing is changed."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from vault.errors import UnknownError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.messages import check_id
from vault.retention.classes import Classes, plain_name
from vault.retention.deciding import Fact
from vault.retention.ends import Ends
from vault.retention.facts import PAGE, Facts, Seen
from vault.retention.holding import Holds, as_holds
from vault.retention.plan import Plan, Planner, Verdict
from vault.retention.steps import ROWS, Scope, judge, parts_of, replace_verdict
from vault.retention.whole import Found, Wholes
from vault.storage import purging as purge_sql
from vault.storage import retention as sql
from vault.storage.schema import State
from vault.storage.stores import Stores
from vault.storage.transcripts import EpochRow


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and where in the database it takes place.

    `sessions` are to be looked at closely; of those in `found` whole chapters go.
    """

    plan: Plan
    scope: Scope
    sessions: array[int]
    sizes: array[int]  # how many messages go from each
    epochs: frozenset[int]
    wholes: Wholes
    found: Found
    closed: frozenset[int]  # by a run that was broken off; a run for everybody ends it

    @property
    def dying(self) -> int:
        """Count the epochs whose keys are to die."""
        return len(self.epochs | self.closed)

    def packed(self, ids: Collection[int]) -> Iterator[list[int]]:
        """Put sessions together, in their order, to batches of a bounded size."""
        sizes = iter(zip(self.sessions, self.sizes, strict=True))
        planned = next(sizes, None)
        batch: list[int] = []
        rows = 0
        for number in ids:
            while planned is not None and planned[0] < number:
                planned = next(sizes, None)
            size = planned[1] if planned is not None and planned[0] == number else 0
            if batch and (rows + size > ROWS or len(batch) >= PAGE):
                yield batch
                batch, rows = [], 0
            batch.append(number)
            rows += size
        if batch:
            yield batch


class Planning:
    """Plans runs."""

    def __init__(
        self, stores: Stores, keyring: Keyring, classes: Classes, facts: Facts, holds: Holds
    ) -> None:
        self._stores = stores
        self._keyring = keyring
        self._classes = classes
        self._facts = facts
        self._holds = holds
        self._ends = Ends(stores, facts)

    def plan(self, now: int, user_id: str | None = None) -> Planned:
        """Say what a run would do now, and change nothing."""
        user = None if user_id is None else self._user(user_id)
        planned = self._plan(now, Scope(user))
        if user is None:
            return planned
        # What shares an epoch with this user's dies with it, so others' messages there are planned for too.
        return self._plan(now, Scope(user, planned.epochs))

    def _user(self, user_id: str) -> bytes:
        found = self._keyring.find_user(check_id(user_id, "user id"))
        if found is None:
            raise UnknownError("no such user is here", hint="vault sessions lists the users")
        return found.node

    def _plan(self, now: int, scope: Scope) -> Planned:
        holds = self._stores.keyring.read(lambda c: self._holds.in_force(c, now))
        planner = Planner(self._classes.policies, now, as_holds(holds))
        ids, going_on, due, later = self._facts.candidates(now, scope.user)
        self._prove_going_on(going_on)
        if scope.epochs:
            beside = self._stores.transcripts.read(lambda c: list(sql.sessions_in(c, sorted(scope.epochs))))
            ids = array("q", sorted({*ids, *beside}))
        # In a run for one user it matters whose a message is: all is looked at closely.
        wholes = Wholes(self._stores, self._classes, planner, due if scope.user is None else [])
        found, others = wholes.find(ids)
        sessions, sizes, skipped = array("q"), array("q"), {one.id for one in later}
        for page in self._facts.pages(found.over):
            self._prove_kept([seen for seen in page if not self._is_held(planner, seen)])
        for page in self._facts.pages(others):
            dead = self._facts.dead_chapters(page)
            self._prove_kept([seen for seen in page if self._seems_young(planner, seen)])
            for seen in page:
                going, size = self._count(planner, scope, seen, skipped, dead)
                for number in going:
                    chapter = seen.chapters[number]
                    if chapter.depends and chapter.epoch is not None:
                        found.epochs.add(chapter.epoch)
                if going or self._has_emptied(planner, seen):
                    sessions.append(seen.session.id)
                    sizes.append(size)
        if scope.user is None:
            found.epochs |= self._emptied(due, found.epochs)
        self._see_later(planner, later)
        everybody = due if scope.user is None else ()
        closed = frozenset(one.id for one in everybody if one.state == State.CLOSED)
        # What older transcripts brought back goes from epochs whose keys are long dead.
        dying = frozenset(found.epochs).difference(one.id for one in due if one.state == State.GONE)
        return Planned(planner.plan(), scope, sessions, sizes, dying, wholes, found, closed)

    def _has_emptied(self, planner: Planner, seen: Seen) -> bool:
        """Say whether a chapter has a key of its own and holds nothing any more, nor does a hold keep it."""
        filled = {number for one in seen.groups for number in (one.chapter, one.originals_chapter)}
        alone = (one for one in seen.chapters.values() if not one.depends and one.state == State.LIVE)
        if all(one.id in filled for one in alone):
            return False
        return not self._is_held(planner, seen)

    def _is_held(self, planner: Planner, seen: Seen) -> bool:
        return planner.covers(seen.session.user_node, seen.session.node)

    def _emptied(self, due: Iterable[EpochRow], dying: Collection[int]) -> set[int]:
        """Give the epochs that are past their date and hold nothing: what the app took out was theirs too."""
        idle = [one.id for one in due if one.state == State.LIVE and one.id not in dying]
        return self._stores.transcripts.read(lambda c: purge_sql.epochs_emptied(c, idle))

    def _count(
        self, planner: Planner, scope: Scope, seen: Seen, skipped: Collection[int], dead: Collection[int]
    ) -> tuple[set[int], int]:
        """Count a session; give the chapters that lose something, and how many rows go.

        What can't be due is counted by itself. What an older copy brought back goes, whatever keeps it today:
        its key is erased.
        """

        def decide(fact: Fact, number: int) -> Verdict:
            found = planner.judge(fact)
            return replace_verdict(found, goes=True) if number in dead else found

        going: set[int] = set()
        rows = 0
        for one in judge(seen, decide, lambda chapter: scope.takes(seen, chapter)):
            rows += one.group.rows if one.body else 0
            said = (one.fact, one.by), (one.originals_fact, one.by_originals)
            for (number, _, goes), (fact, by) in zip(parts_of(one), said, strict=False):
                if goes:
                    going.add(number)
                chapter = seen.chapters[number]
                is_looked_at = number in dead or chapter.epoch not in skipped
                if fact and by and is_looked_at and scope.takes(seen, chapter):
                    planner.count(fact, replace_verdict(by, goes=by.goes and goes))
        return going, rows

    def _see_later(self, planner: Planner, later: list[EpochRow]) -> None:
        """Count what can't be due only where a policy seems to erase too much, and no further than needed."""
        for policy, missing in planner.missing().items():
            rules = {rule.name for rule in self._classes.policies.rules if rule.policy == policy}
            ids = [one.id for one in later if plain_name(one.class_name) in rules]
            counted = self._stores.transcripts.read(lambda c, i=ids, m=missing: sql.count_rest(c, i, m))  # type: ignore[misc]
            planner.see(policy, counted)

    # -- what stays (P4) --------------------------------------------------------------------------------

    def _seems_young(self, planner: Planner, seen: Seen) -> bool:
        """Say whether something may stay only by what rows say that anybody may have written there."""
        if not seen.groups or self._is_held(planner, seen):
            return False
        classes, now, first = self._classes, planner.now, min(one.oldest for one in seen.groups)
        filled = {one.chapter for one in seen.groups}
        chapters = [one for number, one in seen.chapters.items() if number in filled]
        if any(
            one.anchor is not None and classes.is_over(one.class_name, one.anchor, now) for one in chapters
        ):
            return True
        names = {one.class_name for one in chapters}
        if not (classes.asks_last or classes.asks_start):
            return False
        going_on = classes.asks_last and any(classes.due_after(name, first) <= now for name in names)
        return going_on or max(seen.started, seen.last, seen.touched) > now

    def _prove_kept(self, page: Sequence[Seen]) -> None:
        if page:
            self._beyond_doubt(lambda connection: self._ends.of_kept(connection, page))

    def _prove_going_on(self, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), PAGE):
            page = list(ids[start : start + PAGE])
            self._beyond_doubt(partial(self._ends.of_going_on, ids=page))

    def _beyond_doubt(self, prove: Callable[[Connection], None]) -> None:
        beyond_doubt(self._stores, lambda: self._stores.transcripts.snapshot(prove))
