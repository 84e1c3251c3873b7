"""Chapters that go as a whole: most of what a purge takes, and nothing of it is looked at message by message.

Where the rules ask for nothing but when, by whom and under which label something was said, all that an epoch
holds of a session has one date. Such chapters are summed up and counted many sessions at once.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec
from sqlalchemy import Connection

from vault.retention.classes import Classes, plain_name
from vault.retention.deciding import Fact, span_of
from vault.retention.facts import edited
from vault.retention.plan import Planner, Verdict
from vault.retention.steps import ROWS
from vault.storage import whole as sql
from vault.storage.engine import CHUNK
from vault.storage.retention import SessionAt, living_sessions
from vault.storage.schema import State
from vault.storage.stores import Stores
from vault.storage.transcripts import EpochRow

KEPT = 20_000  # sessions of which a run remembers what it saw; the others it looks at again


@dataclass(slots=True, eq=False)
class Kind:
    """What of an epoch no rule tells apart; and what was counted of it, until a planner is told."""

    at: EpochRow
    span: tuple[int, int]
    fact: Fact
    verdict: Verdict
    is_over: bool = False  # it stays, though its epoch is past the ceiling of its class
    counted: list[tuple[int, int, int, int]] = field(default_factory=list)
    sessions: list[bytes] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Give the epoch's row."""
        return self.at.id

    def tell(self, planner: Planner) -> None:
        """Count by a planner what was added."""
        if not self.counted:
            return
        messages, sizes, oldest, newest = zip(*self.counted, strict=True)
        fact = replace(
            self.fact, messages=sum(messages), bytes=sum(sizes), oldest=min(oldest), newest=max(newest)
        )
        planner.count_all(fact, self.verdict, self.sessions, self.users)
        self.counted, self.sessions, self.users = [], [], []


class Part(msgspec.Struct, frozen=True, gc=False):
    """What a session has in one epoch, of one kind."""

    kind: Kind
    chapter: int
    messages: int
    bytes: int
    oldest: int
    newest: int
    first: int
    last: int


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A session of which nothing but whole chapters goes, as it was seen at a revision."""

    at: SessionAt
    goes: tuple[Part, ...]
    stays: tuple[Part, ...]

    @property
    def id(self) -> int:
        """Give its row."""
        return self.at.id

    @property
    def messages(self) -> int:
        """Count the messages that go."""
        return sum(part.messages for part in self.goes)


@dataclass(slots=True)
class Found:
    """What was found, in the order of the sessions: a run remembers some, the ids of the rest.

    `over` are sessions of which something stays beyond the ceiling of its class.
    """

    kept: list[Whole] = field(default_factory=list)
    unkept: array[int] = field(default_factory=lambda: array("q"))
    epochs: set[int] = field(default_factory=set)
    over: array[int] = field(default_factory=lambda: array("q"))


class Wholes:
    """Tells the sessions of which whole chapters go from those that must be looked at closely."""

    def __init__(self, stores: Stores, classes: Classes, planner: Planner, due: Iterable[EpochRow]) -> None:
        self._stores = stores
        self._classes = classes
        self._planner = planner
        self._by_role = any(rule.match.roles for rule in classes.policies.rules)
        self._opens_bodies = bool(classes.labels)
        self._due = {one.id: one for one in due}
        self._kinds: dict[tuple[int, str, str], Kind | None] = {}

    def find(self, ids: Sequence[int]) -> tuple[Found, array[int]]:
        """Look at sessions and count what is whole; give that, and the sessions to be looked at closely."""
        found, others = Found(), array("q")
        if self._opens_bodies or not self._due:
            others.extend(ids)
            return found, others
        for page, left in self.pages(ids):
            others.extend(left)
            for one in page:
                count(one, one.goes)
                count(one, one.stays)
                if any(part.kind.is_over for part in one.stays):
                    found.over.append(one.id)
                if one.goes:
                    found.epochs.update(part.kind.epoch for part in one.goes)
                    if len(found.kept) < KEPT:
                        found.kept.append(one)
                    else:
                        found.unkept.append(one.id)
            self.tell(self._planner)
        return found, others

    def tell(self, planner: Planner) -> None:
        """Count by a planner what was counted here."""
        for kind in list(self._kinds.values()):  # others may just be found
            if kind is not None:
                kind.tell(planner)

    def pages(self, ids: Sequence[int]) -> Iterator[tuple[list[Whole], list[int]]]:
        """Look at sessions page by page, at two beside each other: the whole ones, and the others alive."""

        def look(start: int) -> tuple[list[Whole], list[int]]:
            page = list(ids[start : start + CHUNK])
            return self._stores.transcripts.snapshot(lambda c: self._look(c, page)) if page else ([], [])

        for start in range(0, len(ids), 2 * CHUNK):
            coming = self._stores.runtime.begin(partial(look, start + CHUNK))
            try:
                yield look(start)
            finally:
                beside = coming()
            yield beside

    def _look(self, connection: Connection, ids: Sequence[int]) -> tuple[list[Whole], list[int]]:
        sql.plan_afresh(connection)
        odd = sql.odd(connection, ids)
        sessions = living_sessions(connection, ids, hidden=True)  # what is hidden is due like all the rest
        odd.update(
            number
            for number, at in sessions.items()
            if at.state == State.HIDDEN or self._planner.holds(at.user_node)
        )
        goes: defaultdict[int, list[Part]] = defaultdict(list)
        stays: defaultdict[int, list[Part]] = defaultdict(list)
        sums = sql.sums(connection, ids, list(self._due), by_role=self._by_role)
        for number, epoch, chapter, role, messages, size, oldest, newest, first, last, originals in sums:
            if number in odd or number not in sessions:
                continue
            namespace = sessions[number].namespace
            kind = self._kind(epoch, role or "", namespace) if messages and not originals else None
            if kind is None:  # what is empty may hold originals of what is said elsewhere
                odd.add(number)
                continue
            if not kind.span[0] <= oldest <= newest < kind.span[1]:
                raise edited(number, "a message stands in an epoch that its date does not lie in")
            part = Part(kind, chapter, messages, int(size), oldest, newest, first, last)
            (goes if kind.verdict.goes else stays)[number].append(part)
        whole = [
            one
            for number, at in sessions.items()
            if number not in odd and (number in goes or number in stays)
            # What is more than a transaction takes goes bit by bit.
            if (one := Whole(at, tuple(goes.get(number, ())), tuple(stays.get(number, ())))).messages <= ROWS
        ]
        left = sessions.keys() - {one.id for one in whole}
        return whole, sorted(left)

    def _kind(self, epoch: int, role: str, namespace: str) -> Kind | None:
        name = epoch, role, namespace
        if name not in self._kinds:
            self._kinds.setdefault(name, self._make_kind(*name))  # there is one, whoever looks beside this
        return self._kinds[name]

    def _make_kind(self, epoch: int, role: str, namespace: str) -> Kind | None:
        """Give a kind where all that an epoch can hold of it goes, or nothing; otherwise None."""
        at = self._due[epoch]
        first, after = span = span_of(at.anchor)
        fact = Fact(
            user=None,
            session=None,
            namespace=namespace,
            role=role,
            messages=0,
            bytes=0,
            oldest=first,
            newest=after - 1,
            session_start=first,
            last_activity=after - 1,
            class_name=plain_name(at.class_name),
            anchor=at.anchor,
        )
        latest = self._planner.fixed(fact)
        earliest = self._planner.fixed(replace(fact, newest=first))
        if latest is None or earliest is None or latest.goes != earliest.goes:
            return None
        if at.state != State.LIVE and not latest.goes:
            return None  # it outlives its epoch, or its key is erased
        is_over = not latest.goes and self._classes.is_over(at.class_name, at.anchor, self._planner.now)
        return Kind(at, span, fact, latest, is_over)


def count(whole: Whole, parts: Collection[Part]) -> None:
    """Count parts of a session with others of their kind."""
    for part in parts:
        kind = part.kind
        kind.counted.append((part.messages, part.bytes, part.oldest, part.newest))
        kind.sessions.append(whole.at.node)
        kind.users.append(whole.at.user_node)
