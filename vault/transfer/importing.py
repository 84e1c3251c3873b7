"""Getting messages in: read in order, look for personal data, number, seal, write in bounded batches."""

from __future__ import annotations

import hmac
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from vault.core import Core
from vault.crypto.blind import normalized
from vault.crypto.envelope import derive
from vault.errors import InputError, UsageError, UserForgottenError, VaultError
from vault.evidence.entries import Kind as Event
from vault.evidence.entries import struck
from vault.messages import check_id, check_namespace, check_words, created_us, encode
from vault.redaction.engine import Engine
from vault.redaction.traces import count
from vault.transfer.filling import Filler, Group, Piece, Tally
from vault.transfer.seams import is_past
from vault.transfer.sources import Given, Incoming, Unreadable, read
from vault.transfer.trail import Cursor, Names, Trail, read_cursor, summed, write_cursor
from vault.transfer.workers import Finder, Found, finder

Progress = Callable[[int], None]
BATCH = 256  # messages
_BATCH_BYTES = 2 * 1024 * 1024
_TOLD = 1000  # problems that are told one by one


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be taken over: where it stands and why, never what it says."""

    place: str
    why: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or, for a dry run, would do.

    `known` were here already; `past` are older than retention lets them be and were not written; `others` are
    those of other users or sessions than were asked for. `entities` counts what redaction replaces. `anew`
    says that the cursor fitted the source no more, so that all of it was looked at again.
    """

    added: int
    known: int
    past: int
    others: int
    skipped: int
    problems: list[Problem]
    entities: dict[str, int]
    anew: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported, and how."""

    source: str
    kind: str
    user_id: str | None = None
    session_id: str | None = None
    namespace: str = ""
    table: str | None = None
    columns: Mapping[str, str] = {}
    on_error: Literal["stop", "skip"] = "stop"
    dry_run: bool = False
    workers: int = 1
    cursor: str | None = None
    actor: str = ""

    def check(self) -> None:
        """Refuse what can't be carried out."""
        for name, what in ((self.user_id, "user id"), (self.session_id, "session id")):
            if name is not None:
                check_id(name, what)
        check_namespace(self.namespace)
        check_words(self.actor, "actor")
        if self.on_error not in {"stop", "skip"}:
            raise UsageError("on_error is stop or skip")
        if self.workers < 1:
            raise UsageError("there is at least one worker")

    @property
    def asked(self) -> str:
        """Stand for what was asked, without saying it."""
        said = [self.source, self.kind, self.user_id, self.session_id, self.namespace, self.table]
        return summed(msgspec.json.encode([*said, sorted(self.columns.items())])).hex()


class StoppedError(InputError):
    """Something in the source can't be taken over; what stood before it was."""


def import_from(core: Core, order: Order, progress: Progress | None = None) -> Imported:
    """Take over messages from somewhere else. Again, it adds only what is new."""
    order.check()
    if order.dry_run:
        return _Import(core, order, progress).run()
    with core.keyring.log.telling(Event.IMPORT, actor=_actor(core, order), source=order.kind) as told:
        done = _Import(core, order, progress).run()
        told["messages"] = done.added
        return done


def _actor(core: Core, order: Order) -> str:
    """Say who asked, but not by the id of whom it is about: evidence outlives them (P6)."""
    names = [name for name in (order.user_id, order.session_id) if name is not None]
    user = None
    if order.user_id is not None:
        with suppress(UserForgottenError):  # whose messages will be refused, one by one
            user = core.keyring.find_user(order.user_id)
    return struck(order.actor, names, "the user" if user is None else user.pseudonym)


@dataclass(slots=True, repr=False)
class _Batch:
    """Some entries, in groups by session; `upto` is the cursor at its end."""

    upto: Cursor
    groups: dict[tuple[Names, bool], Group] = field(default_factory=dict)
    empty: list[Group] = field(default_factory=list)
    count: int = 0
    size: int = 0

    @property
    def is_full(self) -> bool:
        return self.count >= BATCH or self.size >= _BATCH_BYTES


_Begun = tuple[_Batch, list[Group], Future[list[Found]] | None]


class _Import:
    """One run."""

    def __init__(self, core: Core, order: Order, progress: Progress | None) -> None:
        self._core = core
        self._order = order
        self._progress = progress
        self._filler = Filler(core)
        self._anew = False
        self._begin_reading()
        self._tally = Tally()
        self._counts: Counter[str] = Counter()
        self._entities: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._stopped = False

    def run(self) -> Imported:
        """Read, look, write; the batches overlap, their order stays."""
        ahead, begun = 2 * self._order.workers - 1, deque[_Begun]()
        failure: VaultError | None = None
        redactor = self._core.redactor
        looking: AbstractContextManager[Finder | None]
        looking = finder(redactor, self._order.workers) if isinstance(redactor, Engine) else nullcontext()
        with looking as one:
            reading = self._batches(self._cursor())
            while True:
                try:
                    batch = next(reading, None)
                except VaultError as error:  # what was read before it is written: the next run goes on there
                    failure, batch = error, None
                if batch is None:
                    break
                begun.append(self._begin(batch, one))
                if len(begun) > ahead:
                    self._finish(begun.popleft())
            while begun:
                self._finish(begun.popleft())
        if failure is not None:
            raise failure
        if self._stopped:
            raise self._stop()
        return self._imported()

    def _stop(self) -> StoppedError:
        problem = self._problems[-1]
        return StoppedError(
            f"{problem.place}: {problem.why}; {self._tally.added} messages were added before it",
            hint="--on-error skip leaves such messages out and tells of each",
        )

    def _imported(self) -> Imported:
        return Imported(
            added=self._tally.added,
            known=self._tally.known,
            past=self._counts["past"],
            others=self._counts["others"],
            skipped=self._counts["skipped"],
            problems=self._problems,
            entities=dict(self._entities.most_common()),
            anew=self._anew,
        )

    # -- reading ----------------------------------------------------------------------------------------

    def _begin_reading(self) -> None:
        """Know of no entry yet."""
        self._trail = Trail(self._order.kind, derive(self._core.keyring.service, b"import"))

    def _cursor(self) -> Cursor:
        order = self._order
        if order.cursor is None or order.dry_run:
            return Cursor(order.asked)
        return read_cursor(Path(order.cursor), order.asked)

    def _batches(self, cursor: Cursor) -> Iterator[_Batch]:
        """Give what was read in batches, without what the cursor has passed, which is durable.

        Where the source is not any more what the cursor passed, all of it is read again.
        """
        order = self._order
        given = Given(source=order.source, table=order.table, columns=order.columns)
        entries = enumerate(read(order.kind, given), 1)
        if cursor.done and not self._pass_by(entries, cursor):
            self._anew, cursor = True, Cursor(order.asked)
            self._begin_reading()
            entries = enumerate(read(order.kind, given), 1)
        batch = _Batch(cursor)
        for number, entry in entries:
            if isinstance(entry, Unreadable):
                self._unread(entry.place, entry.why)
            else:
                self._take(entry, batch)
            if self._stopped:
                break
            batch.upto = Cursor(order.asked, number, self._trail.passed)
            if batch.is_full:
                yield batch
                batch = _Batch(batch.upto)
        yield batch

    def _pass_by(self, entries: Iterator[tuple[int, Incoming | Unreadable]], cursor: Cursor) -> bool:
        """Go on to where the cursor stands; False where the source is another by now, or shorter."""
        for number, entry in entries:
            if not isinstance(entry, Unreadable):
                self._take(entry, None)
            if number == cursor.done:
                return hmac.compare_digest(self._trail.passed, cursor.passed)
        return False

    def _take(self, entry: Incoming, batch: _Batch | None) -> None:
        """Put an entry into the batch, where it is one that is asked for and can be stored, or pass it by."""
        self._trail.pass_by(entry)
        if not self._is_asked(entry):
            self._counts["others"] += batch is not None
            return
        try:
            group, packed, at = self._checked(entry)
        except InputError as error:
            if batch is not None:
                self._unread(entry.place, str(error))
            return
        message = entry.message
        if message is None:
            if batch is not None:
                batch.empty.append(group)
            return
        names = normalized(group.user_id), normalized(group.session_id)
        said = self._trail.told_apart(names, entry, message, packed, at)
        if batch is None:
            return
        if at is not None and is_past(self._core, group.namespace, message, at):
            self._counts["past"] += 1
            return
        piece = Piece(entry.place, message, said, entry.seq)
        batch.groups.setdefault((names, entry.seq is None), group).pieces.append(piece)
        batch.count += 1
        batch.size += len(packed)

    def _is_asked(self, entry: Incoming) -> bool:
        """Say whether an entry is of the user and the session that were named, if any."""
        order = self._order
        for name, given, option in (
            ("users", entry.user_id or order.user_id, "a user"),
            ("sessions", entry.session_id or order.session_id, "a session"),
        ):
            if given is None:
                raise UsageError(f"{entry.place}: this source names no {name}", hint=f"name {option}")
        if not _is_same(entry.user_id, order.user_id):
            return False
        named = order.kind != "langchain-file"  # there the name of the file stands in for one
        return not named or _is_same(entry.session_id, order.session_id)

    def _checked(self, entry: Incoming) -> tuple[Group, bytes, int | None]:
        """Give where an entry goes, what it says and its time; raise for what can't be stored."""
        order, message = self._order, entry.message
        user_id = check_id(entry.user_id or order.user_id, "user id")
        session_id = check_id(order.session_id or entry.session_id, "session id")
        group = Group(user_id, session_id, check_namespace(entry.namespace or order.namespace))
        if message is None:
            return group, b"", None
        packed = encode(message, limit=self._core.stores.limit)
        return group, packed, None if message.created_at is None else created_us(message, 0)

    def _unread(self, place: str, why: str) -> None:
        """Note what can't be read; what stands before it is still written."""
        self._note(place, why)
        self._stopped = self._stops

    def _trouble(self, place: str, why: str) -> None:
        """Note what can't be written, and stop where that was asked for."""
        self._note(place, why)
        if self._stops:
            raise self._stop()

    @property
    def _stops(self) -> bool:
        return self._order.on_error == "stop" and not self._order.dry_run

    def _note(self, place: str, why: str) -> None:
        self._counts["skipped"] += 1
        if len(self._problems) < _TOLD or self._stops:
            self._problems.append(Problem(place=place, why=why))

    # -- looking and writing ----------------------------------------------------------------------------

    def _begin(self, batch: _Batch, looking: Finder | None) -> _Begun:
        """Leave out what is here, and have the rest looked through."""
        groups, tally = [], Tally()
        for group in batch.groups.values():
            group.pieces = self._filler.is_new(group, tally)
            if group.pieces:
                groups.append(group)
        self._add_up(tally)
        if looking is None or not groups:
            return batch, groups, None
        tasks = [(self._namespace(group), [piece.message for piece in group.pieces]) for group in groups]
        return batch, groups, self._core.stores.runtime.compute(lambda: looking.begin(tasks))

    def _namespace(self, group: Group) -> str:
        session = self._core.sessions.find(group.user_id, group.session_id)
        return session.profile.namespace if session else group.namespace

    def _finish(self, begun: _Begun) -> None:
        """Write a batch; what it holds is durable when this returns."""
        batch, groups, found = begun
        if found is not None:
            results = self._core.stores.runtime.wait(found)
            for group, result in zip(groups, results, strict=True):
                group.pieces = self._found(group, result)
        groups = [group for group in groups if group.pieces]
        if self._order.dry_run:
            self._tally.added += sum(len(group.pieces) for group in groups)
        else:
            self._add_up(self._filler.add(groups))
            for group in batch.empty:
                self._filler.make(group)
            if self._order.cursor is not None:
                write_cursor(Path(self._order.cursor), batch.upto)
            self._core.keyring.log.acts.beat()
        if self._progress:
            self._progress(self._tally.added + self._tally.known)

    def _found(self, group: Group, result: Found) -> list[Piece]:
        """Keep what was found with each message; leave out those that can't be redacted (P1)."""
        kept = []
        for piece, one in zip(group.pieces, result, strict=True):
            if isinstance(one, str):
                self._trouble(piece.place, one)
                continue
            piece.found = one
            self._entities.update(count(one or []))
            kept.append(piece)
        return kept

    def _add_up(self, tally: Tally) -> None:
        self._tally.added += tally.added
        self._tally.known += tally.known
        for place, why in tally.problems:
            self._trouble(place, why)


def _is_same(said: str | None, asked: str | None) -> bool:
    """Compare names as the vault does, where both are there."""
    return said is None or asked is None or normalized(said) == normalized(asked)
