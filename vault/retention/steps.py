"""What a purge does to one session, worked out before anything is changed. Pure.

A key that dies takes all that was sealed with it. So in an epoch that dies a chapter is either emptied, or,
where all of it stays, given a key of its own; one of which a part stays is emptied too, and that part sealed
anew elsewhere. A chapter that has a key of its own dies as soon as a part of it goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from vault.retention.deciding import Fact
from vault.retention.facts import Seen
from vault.retention.plan import Verdict
from vault.retention.policy import Part
from vault.storage.retention import ChapterAt, Group
from vault.storage.schema import State

ROWS = 10000  # messages and records that one transaction takes


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about: of a user's run, other users' messages only where they share an epoch."""

    user: bytes | None = None
    epochs: frozenset[int] = frozenset()

    def takes(self, seen: Seen, chapter: ChapterAt) -> bool:
        """Say whether what is in a chapter may go in this run."""
        everything = self.user is None or seen.session.user_node == self.user
        return everything or (chapter.depends and chapter.epoch in self.epochs)


@dataclass(slots=True)
class Done:
    """What was done so far, beside what a Planner counts."""

    kept: int = 0
    resealed: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a group: of its messages, and of their originals where they have some.

    Where `body` or `originals` do not go, they stay, or can't go in this run.
    """

    group: Group
    body: bool
    originals: bool
    fact: Fact
    by: Verdict
    originals_fact: Fact | None
    by_originals: Verdict | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What happens to a session: by chapter."""

    seen: Seen
    judged: tuple[Judged, ...]
    delete: frozenset[int]  # chapters whose messages and records all go
    bare: frozenset[int]  # chapters whose originals all go, while their messages stay
    keep: frozenset[int]  # chapters that get keys of their own
    split: frozenset[int]  # chapters of which a part goes
    close: frozenset[int]  # chapters whose keys die

    @property
    def messages(self) -> int:
        """Count the messages that go."""
        return sum(one.group.messages for one in self.judged if one.body)

    @property
    def rows(self) -> int:
        """Count the messages and records that go."""
        return sum(one.group.rows for one in self.judged if one.body)

    @property
    def changes(self) -> bool:
        """Say whether there is anything to do."""
        return bool(self.delete or self.bare or self.keep or self.split or self.close)

    def sparing(self, made: Collection[int]) -> Steps:
        """Leave open the chapters that were made for what stays: they are empty until it is moved there."""
        return replace(self, close=self.close.difference(made))


def judge(
    seen: Seen, decide: Callable[[Fact, int], Verdict], may_go: Callable[[ChapterAt], bool]
) -> list[Judged]:
    """Decide about each group. What goes takes its originals along, so both keys must be ready to die."""
    found = []
    for group in seen.groups:
        fact = seen.fact(group)
        by, their_fact, theirs, originals = decide(fact, group.chapter), None, None, False
        body = by.goes and may_go(seen.chapters[group.chapter])
        if group.originals_chapter is not None:
            their_fact = seen.fact(group, Part.ORIGINALS)
            theirs = decide(their_fact, group.originals_chapter)
            ready = may_go(seen.chapters[group.originals_chapter])
            body = body and ready
            originals = body or (theirs.goes and ready)
        found.append(Judged(group, body, originals, fact, by, their_fact, theirs))
    return _unparted(found) if seen.session.state == State.HIDDEN else found


def _unparted(judged: list[Judged]) -> list[Judged]:
    """Let nothing go of a chapter of which something stays: what stays would be sealed anew by a name.

    A hidden session has none. All of it goes when it is removed, since no hold keeps it any more.
    """
    while True:
        ends: defaultdict[int, set[bool]] = defaultdict(set)
        for one in judged:
            for number, _, goes in parts_of(one):
                ends[number].add(goes)
        parted = {number for number, kinds in ends.items() if len(kinds) > 1}
        if not parted:
            return judged
        judged = [
            replace(one, body=False, originals=False)
            if parted & {one.group.chapter, one.group.originals_chapter}
            else one
            for one in judged
        ]


def is_dying(chapter: ChapterAt) -> bool:
    """Say whether a chapter's key may be erased in this run: its epoch is closed, or it is its own."""
    return not chapter.depends or chapter.epoch_state != State.LIVE


def work_out(
    seen: Seen, judged: list[Judged], *, is_held: bool, dead: Collection[int] = frozenset()
) -> Steps:
    """Say what has to happen to each chapter; the keys of those that are `dead` are erased already.

    One that the app has emptied dies, unless a hold keeps it. So does one that a run has emptied which was
    broken off: a hold that came since then may keep its key, but not that of its epoch, which is everybody's.
    What a hold hides stays where it has a key of its own: it can't be sealed anew, and goes with the hold.
    """
    hides = is_held and seen.session.state == State.HIDDEN
    goes: defaultdict[int, bool] = defaultdict(bool)
    stays: defaultdict[int, bool] = defaultdict(bool)
    bodies: defaultdict[int, set[bool]] = defaultdict(set)
    bared: defaultdict[int, set[bool]] = defaultdict(set)
    for one in judged:
        (goes if one.body else stays)[one.group.chapter] = True
        bodies[one.group.chapter].add(one.body)
        number = one.group.originals_chapter
        if number is not None:
            (goes if one.originals else stays)[number] = True
            bared[number].add(one.originals)
    keep, split, close = set(), set(), set()
    for number, chapter in seen.chapters.items():
        if not is_dying(chapter):
            continue
        own = not chapter.depends and (hides or chapter.state == State.LIVE)
        if stays[number] and not goes[number] and (own or number in dead):
            continue  # nothing keeps what is erased: of that a later run takes the rows
        if not stays[number]:
            if goes[number] or (chapter.state == State.LIVE and not is_held):
                close.add(number)
            elif is_held and chapter.depends and chapter.epoch_state != State.GONE and number not in dead:
                keep.add(number)
        elif chapter.depends and not goes[number]:
            keep.add(number)
        else:
            split.add(number)
    whole = {number for number, kinds in bodies.items() if kinds == {True}}
    bare = {number for number, kinds in bared.items() if kinds == {True}}
    return Steps(
        seen,
        tuple(judged),
        frozenset(whole),
        frozenset(bare),
        frozenset(keep),
        frozenset(split),
        frozenset(close | split),
    )


def parts_of(one: Judged) -> list[tuple[int, Part, bool]]:
    """Give the chapters that a group is in, with the part that is in each and whether it goes."""
    found = [(one.group.chapter, Part.BODY, one.body)]
    if one.group.originals_chapter is not None:
        found.append((one.group.originals_chapter, Part.ORIGINALS, one.originals))
    return found


def replace_verdict(verdict: Verdict, *, goes: bool) -> Verdict:
    """Give another end to a verdict."""
    return Verdict(verdict.bounds, verdict.holds, goes)
