"""What every wrapped memory does, once for sync and async: flows.

A flow is a generator. Each of its steps is work for the vault or for the memory, or the wait for a turn; who
runs it decides how to wait.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from vault.chat.outside import is_envelope
from vault.chat.removing import Taken
from vault.chat.wrapping import Known, Read
from vault.core import Core
from vault.errors import (
    SessionForgottenError,
    StoreUnavailableError,
    TamperedError,
    UsageError,
    UserForgottenError,
)
from vault.messages import Message
from vault.wrapping.shelf import Mode, Remembered, Shelf
from vault.wrapping.turns import Turn, turn_of

T = TypeVar("T")
_RACES = 20
_own: ContextVar[frozenset[Turn]] = ContextVar("turns", default=frozenset())  # of the flows under way here


class By(enum.Enum):
    """Who does a step."""

    VAULT = enum.auto()
    MEMORY = enum.auto()
    TURN = enum.auto()  # the queue of the session, which is waited for


Step = tuple[By, Callable[[], Any]]
Flow = Generator[Step, Any, T]


class Waits(Protocol):
    """The runtime of an AsyncVault."""

    async def run(self, work: Callable[[], T]) -> T:
        """Run work of the vault's to its end."""


@dataclass(frozen=True, slots=True, repr=False)
class Shelved:
    """An item of a memory, opened: where it lies there, its seq, and what it is."""

    index: int
    seq: int
    message: Message


@dataclass(frozen=True, slots=True, repr=False)
class _State:
    known: Known
    raw: list[Any]
    read: Read

    @property
    def entries(self) -> list[Shelved]:
        """Give what was opened, in the order of the vault."""
        found = [Shelved(index, seq, said) for index, (seq, said) in self.read.opened.items()]
        return sorted(found, key=lambda entry: entry.seq)


@dataclass(frozen=True, slots=True, repr=False)
class Wrapping:
    """One memory of one session, wrapped."""

    core: Core
    waits: Waits | None
    shelf: Shelf
    user_id: str
    session_id: str
    namespace: str
    mode: Mode
    adopt: bool
    trims: bool

    # -- running ----------------------------------------------------------------------------------------

    def run(self, flow: Flow[T]) -> T:
        """Run a flow and wait for it here."""
        if self.waits is not None:
            raise UsageError(
                "this memory was wrapped by an AsyncVault", hint="await its async methods, or use Vault.wrap"
            )
        if self.shelf.awaits:
            raise UsageError("this memory is async", hint="await its async methods")
        sent: Any = None
        with closing(flow):  # which gives its turn back, whatever happens
            while True:
                try:
                    by, work = flow.send(sent)
                except StopIteration as end:
                    done: T = end.value
                    return done
                sent = work().wait() if by is By.TURN else work()

    async def arun(self, flow: Flow[T]) -> T:
        """Run a flow and let others go on."""
        sent: Any = None
        with closing(flow):
            while True:
                try:
                    by, work = flow.send(sent)
                except StopIteration as end:
                    done: T = end.value
                    return done
                if by is By.TURN:
                    sent = await work().awaited()
                elif by is By.MEMORY and self.shelf.awaits:
                    given: Awaitable[Any] = work()
                    sent = await given
                elif by is By.VAULT and self.waits is not None:
                    sent = await self.waits.run(work)
                else:
                    sent = await asyncio.to_thread(work)

    def _in_turn(self, flow: Flow[T], *, alone: bool = True) -> Flow[T]:
        """Run a flow when nobody else in this process is at the session, or nobody who takes out."""
        turn = turn_of(self.core.stores.vault, self.user_id, self.session_id)
        if turn in _own.get():  # the memory is a wrapped one itself: it would wait for its caller
            return (yield from flow)
        has_come = yield By.TURN, partial(turn.ask, alone=alone)
        try:
            _own.set(_own.get() | {turn})
            return (yield from flow)
        finally:
            _own.set(_own.get() - {turn})
            if has_come:
                turn.leave()

    # -- the flows --------------------------------------------------------------------------------------

    def add(self, items: Sequence[Any]) -> Flow[None]:
        """Redact and seal items, and only then hand them to the memory."""
        return self._in_turn(self._add(items), alone=False)

    def clear(self) -> Flow[None]:
        """Erase what the session holds, then what lies in the memory; only that, where it is recorded."""
        return self._in_turn(self._clear())

    def replace(self, items: Sequence[Any]) -> Flow[None]:
        """Have the memory hold these items; what it holds already at the beginning stays as it lies there."""
        return self._in_turn(self._replace(items))

    def insert(self, place: int, item: Any) -> Flow[None]:
        """Have the memory hold an item more, before the one that stands at a place."""
        return self._in_turn(self._insert(place, item))

    def remove(self, place: int, take: Callable[[int], Any]) -> Flow[Any]:
        """Remove one item, by its index in the memory, and give it; None where there is no such."""
        return self._in_turn(self._remove(place, take))

    def pop(self, take: Callable[[], Any]) -> Flow[Any]:
        """Remove the last item with what the memory has for it, and give it."""
        return self._in_turn(self._pop(take))

    def _add(self, items: Sequence[Any]) -> Flow[None]:
        messages = [self.shelf.message(item) for item in items]
        names = self.user_id, self.session_id, self.namespace
        if self.mode is Mode.RECORD:
            yield By.VAULT, partial(self.core.extend, *names, messages, None)
            yield By.MEMORY, partial(self.shelf.add, list(items))
            return
        parcels = yield By.VAULT, partial(self.core.announce, *names, messages)
        sealed = [self.shelf.stand_in(item, one.text) for item, one in zip(items, parcels, strict=True)]
        yield By.MEMORY, partial(self.shelf.add, sealed)
        yield By.VAULT, partial(self.core.wrapped.confirm, parcels)

    def read(self) -> Flow[Remembered]:
        """Give the items as they were added, in order."""
        if self.mode is Mode.RECORD:
            yield By.VAULT, self._refuse_forgotten
            return Remembered((yield By.MEMORY, self.shelf.read))
        state = yield from self._state()
        items = [self.shelf.item(one.message, state.raw[one.index]) for one in state.entries]
        read = state.read
        return Remembered(items, purged=read.purged, erased=read.erased, trimmed=read.trimmed)

    def _clear(self) -> Flow[None]:
        if self.mode is Mode.RECORD:
            yield By.MEMORY, self.shelf.clear
        elif (yield By.VAULT, self._erase):
            yield By.MEMORY, self.shelf.clear
            yield By.VAULT, self._erase_overtaken

    def _replace(self, items: Sequence[Any]) -> Flow[None]:
        messages = [self.shelf.message(item) for item in items]
        if self.mode is Mode.RECORD:
            held = yield By.MEMORY, self.shelf.read
            same = _common([self.shelf.message(item) for item in held], messages)
            names = self.user_id, self.session_id, self.namespace
            yield By.VAULT, partial(self.core.extend, *names, messages[same:], None)
            yield By.MEMORY, partial(self.shelf.rewrite, list(held), list(items))
            return
        state = yield from self._state()
        entries = state.entries
        same = _common([one.message for one in entries], messages)
        stay = [state.raw[one.index] for one in entries[:same]]
        yield from self._exchange(
            state, stay, messages[same:], items[same:], [one.seq for one in entries[same:]]
        )

    def _insert(self, place: int, item: Any) -> Flow[None]:
        held = yield from self.read()
        held.insert(place, item)
        yield from self._replace(held)

    def _remove(self, place: int, take: Callable[[int], Any]) -> Flow[Any]:
        if self.mode is Mode.RECORD:
            held = yield By.MEMORY, self.shelf.read
            found = -len(held) <= place < len(held)
            return (yield By.MEMORY, partial(take, place % len(held))) if found else None

        def choose(entries: Sequence[Shelved]) -> Shelved | None:
            return entries[place] if -len(entries) <= place < len(entries) else None

        return (yield from self._take_out(choose, partial(self._take_at, take)))

    def _pop(self, take: Callable[[], Any]) -> Flow[Any]:
        if self.mode is Mode.RECORD:
            return (yield By.MEMORY, take)

        def choose(entries: Sequence[Shelved]) -> Shelved | None:
            return max(entries, key=lambda entry: entry.index, default=None)

        return (yield from self._take_out(choose, partial(self._take_last, take)))

    def _take_out(
        self,
        choose: Callable[[Sequence[Shelved]], Shelved | None],
        take: Callable[[_State, int], Flow[None]],
    ) -> Flow[Any]:
        """Choose an item until it is this call's to take: the vault gives each to one caller only."""
        for _ in range(_RACES):
            state = yield from self._state()
            chosen = choose(state.entries)
            if chosen is None:
                return None
            names = self.user_id, self.session_id
            taken = yield By.VAULT, partial(self.core.wrapped.remove, *names, state.known, [chosen.seq])
            if taken is Taken.GONE:
                yield from take(state, chosen.index)
            if taken is not Taken.BEFORE:
                return self.shelf.item(chosen.message, state.raw[chosen.index])
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def _take_last(self, take: Callable[[], Any], state: _State, index: int) -> Flow[None]:
        """Have the memory give its last items up to one that was removed already, while none is another's."""
        wanted = self.shelf.text(state.raw[index])
        noise = {self.shelf.text(item) for item in state.raw[index:]}
        while True:
            held = [self.shelf.text(item) for item in (yield By.MEMORY, self.shelf.read)]
            if wanted not in held or held[-1] not in noise:
                return  # another process took it, or has added since: it stays, and opens nowhere
            taken = yield By.MEMORY, take
            text = None if taken is None else self.shelf.text(taken)
            if text is not None and text not in noise:  # added this very moment
                yield By.MEMORY, partial(self.shelf.add, [taken])
            if text is None or text not in noise:
                return

    def _take_at(self, take: Callable[[int], Any], state: _State, index: int) -> Flow[None]:
        """Have the memory remove one item that was removed already, wherever it stands now."""
        wanted = self.shelf.text(state.raw[index])
        held = [self.shelf.text(item) for item in (yield By.MEMORY, self.shelf.read)]
        if wanted not in held:
            return  # another process took it
        place = held.index(wanted)
        taken = yield By.MEMORY, partial(take, place)
        if taken is not None and self.shelf.text(taken) != wanted:  # others were moved this very moment
            now = list((yield By.MEMORY, self.shelf.read))
            yield By.MEMORY, partial(self.shelf.rewrite, now, [*now[:place], taken, *now[place:]])

    # -- their parts ------------------------------------------------------------------------------------

    def _state(self) -> Flow[_State]:
        """Read the memory and open it, after everything plain in it was sealed, where that may be."""
        for _ in range(_RACES):
            known = yield By.VAULT, partial(self.core.wrapped.look, self.user_id, self.session_id)
            raw = list((yield By.MEMORY, self.shelf.read))
            where = [index for index, item in enumerate(raw) if is_envelope(self.shelf.text(item))]
            texts = [str(self.shelf.text(raw[index])) for index in where]
            opening = partial(
                self.core.wrapped.open, self.user_id, self.session_id, known, texts, may_trim=self.trims
            )
            read = yield By.VAULT, opening
            read.opened = {where[index]: one for index, one in read.opened.items()}
            state = _State(known, raw, read)
            if len(where) == len(raw):
                return state
            if not self.adopt:
                raise TamperedError(
                    "a memory holds a message that this vault did not seal",
                    hint="adopt=True seals what was there before the memory was wrapped",
                )
            yield from self._seal_plain(state, set(where))
        raise StoreUnavailableError(
            "somebody goes on writing to this memory, and unsealed", hint="wrap it there"
        )

    def _seal_plain(self, state: _State, sealed: set[int]) -> Flow[None]:
        """Seal what is plain, and anew what comes after it, so that the order stays what it was."""
        first = next(index for index in range(len(state.raw)) if index not in sealed)
        opened = {one.index: one for one in state.entries}
        rest = [index for index in range(first, len(state.raw)) if index not in sealed or index in opened]
        messages = [
            opened[index].message if index in opened else self.shelf.message(state.raw[index])
            for index in rest
        ]
        leaving = [opened[index].seq for index in rest if index in opened]
        items = [state.raw[index] for index in rest]
        yield from self._exchange(state, state.raw[:first], messages, items, leaving)

    def _exchange(
        self,
        state: _State,
        stay: list[Any],
        messages: Sequence[Message],
        items: Sequence[Any],
        leaving: Sequence[int],
    ) -> Flow[None]:
        """Have the memory hold what stays and, after it, these messages; note what leaves it."""
        names = self.user_id, self.session_id
        if leaving and (yield By.VAULT, partial(self.core.wrapped.is_held, state.known)):
            where = {seq: index for index, (seq, _) in state.read.opened.items()}
            stay = [*stay, *(state.raw[where[seq]] for seq in leaving)]
        else:
            yield By.VAULT, partial(self.core.wrapped.doubt, state.known, leaving)
        parcels = yield By.VAULT, partial(self.core.announce, *names, self.namespace, messages)
        sealed = [self.shelf.stand_in(item, one.text) for item, one in zip(items, parcels, strict=True)]
        yield By.MEMORY, partial(self.shelf.rewrite, state.raw, [*stay, *sealed])
        yield By.VAULT, partial(self.core.wrapped.confirm, parcels)
        yield By.VAULT, partial(self.core.wrapped.remove, *names, state.known, leaving)

    def _erase(self) -> bool:
        """Erase what the session holds; False where a hold keeps it, here and in the memory (P5)."""
        try:
            self.core.requests.clear(self.user_id, self.session_id, self.namespace)
        except (UserForgottenError, SessionForgottenError):
            return True  # what lies there is noise already
        return not self.core.wrapped.is_hidden(self.user_id, self.session_id)

    def _erase_overtaken(self) -> None:
        """Erase what others announced while the memory was emptied: it may be missing there now.

        To them it is as if they had added it before it was cleared.
        """
        try:
            known = self.core.wrapped.look(self.user_id, self.session_id)
        except (UserForgottenError, SessionForgottenError):
            return  # nothing of it is missed
        if known.rows:
            self._erase()

    def _refuse_forgotten(self) -> None:
        """Read nothing of somebody who was forgotten, although the memory may still hold it (P7)."""
        self.core.reader.messages(self.user_id, self.session_id, last=0)


def _common(held: Sequence[Message], wanted: Sequence[Message]) -> int:
    """Count the messages at the beginning that are the same."""
    for index, (one, other) in enumerate(zip(held, wanted, strict=False)):
        if (one.role, one.content, one.extra) != (other.role, other.content, other.extra):
            return index
    return min(len(held), len(wanted))
