"""Taking checkpoints out of LangGraph's threads, and copying threads: what is asked for without a user.

Whose a thread is, its pointer tells; a thread id that belongs to several users is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

from vault.adapters.langgraph_forms import (
    EARLY,
    MARK,
    MESSAGES,
    PRUNES,
    RUN,
    SPACES,
    THREAD,
    VALUES,
    Stored,
    Where,
    collection_of,
    early_key,
    key_of,
    runs_of,
)
from vault.adapters.langgraph_threads import RACES, Threads
from vault.adapters.langgraph_values import Typed, references_in
from vault.chat.records import ABSENT, Basis, Drop, Put
from vault.errors import InputError, RevisionError, StoreUnavailableError, TamperedError, UsageError
from vault.messages import Message

T = TypeVar("T")
KEEP_LATEST, DELETE = "keep_latest", "delete"


class Pruner:
    """Deletes and copies threads, or parts of them."""

    def __init__(self, threads: Threads, user: str | None, namespace: str) -> None:
        self._threads = threads
        self._core = threads.core
        self._user = user
        self._namespace = namespace

    def where(self, thread: str) -> Where | None:
        """Find whose a thread is; None where there is none."""
        holders = self._core.pointers.holders((THREAD, thread))
        if any(session != thread for _, session in holders):
            raise TamperedError("a thread's pointer was edited")
        users = {user for user, _ in holders} & (
            {self._user} if self._user is not None else {u for u, _ in holders}
        )
        if len(users) > 1:
            raise UsageError(
                "this thread id belongs to several users",
                hint="VaultSaver(vault, user_id=...) says whose thread is meant",
            )
        return next((Where(user, thread, self._namespace) for user in users), None)

    def delete_thread(self, thread: str) -> None:
        """Erase a thread: its session, with its key."""
        where = self.where(thread)
        if where is not None:
            self._core.requests.delete(where.user, where.thread)

    def holders(self, runs: Collection[str]) -> list[Where]:
        """Find the threads in which some runs made checkpoints."""
        holders = {
            holder for run in set(map(str, runs)) for holder in self._core.pointers.holders((RUN, run))
        }
        return [
            Where(user, thread, self._namespace)
            for user, thread in sorted(holders)
            if self._user is None or user == self._user
        ]

    def delete_for_runs(self, where: Where, runs: Collection[str]) -> None:
        """Delete the checkpoints of a thread that some runs made, with their writes."""
        wanted = set(map(str, runs))
        self._remove(where, lambda one: str(self._threads.metadata(one).get("run_id")) in wanted)

    def chosen(self, threads: Sequence[str], strategy: str) -> list[Where]:
        """Find the threads that are to be pruned, before anything is."""
        if isinstance(threads, str):
            raise InputError("many thread ids are a list: one text would be taken for its letters")
        if strategy not in {KEEP_LATEST, DELETE}:
            raise InputError("a strategy is keep_latest or delete")
        return [where for thread in threads if (where := self.where(str(thread))) is not None]

    def prune(self, where: Where, strategy: str) -> None:
        """Delete all checkpoints of a thread, or all but what the latest ones need."""
        if strategy == DELETE:
            self._core.requests.delete(where.user, where.thread)
        else:
            self._remove(where, None)

    def _remove(self, where: Where, goes: Callable[[Stored], bool] | None) -> None:
        """Delete some checkpoints, or all but what the latest ones need, and what nothing refers to any more.

        What a reading of the thread comes to is carried out only where nothing was written since: a new
        checkpoint may refer to what nothing referred to (P8).
        """
        mark = Put(PRUNES, MARK, [], lambda _: None)
        for _ in range(RACES):
            found = self._at_once(where, partial(self._unneeded, where, goes))
            if found is None or not found[1]:
                return
            basis, drops = found
            try:
                self._core.keep(where.user, where.thread, where.namespace, [mark], drops, basis=basis)
            except RevisionError:
                continue
            self._threads.forget(where)
            return
        raise _crowded()

    def _at_once(self, where: Where, read: Callable[[], T]) -> tuple[Basis, T] | None:
        """Read a thread as it was at one moment, and give that with it; None where there is no thread."""
        look = partial(self._core.records.basis, where.user, where.thread)
        for _ in range(RACES):
            basis = look()
            if basis is None:
                return None
            try:
                found = read()
            except TamperedError:
                if look() == basis:
                    raise
                continue
            if look() == basis:
                return basis, found
        raise _crowded()

    def _unneeded(self, where: Where, goes: Callable[[Stored], bool] | None) -> list[Drop]:
        """Give what goes: checkpoints with their writes, and the messages and values that only they name."""
        threads = self._threads
        spaces = [threads.every(where, space) for space in threads.spaces(where)]
        every = {(one.space, one.id): one for space in spaces for one in space}
        if goes is None:
            gone = every.keys() - {(one.space, one.id) for space in spaces for one in self._needed(space)}
        else:
            gone = {at for at, one in every.items() if goes(one)}
        if not gone:
            return []
        early = set(threads.early(where))
        drops = [Drop(EARLY, early_key(*at)) for at in early & every.keys()]
        values: set[str] = set()
        held: list[Typed] = []
        for at in every.keys() | early:
            tasks = threads.tasks(where, *at)
            if at in gone:
                drops.append(Drop(collection_of("checkpoints", at[0]), key_of(at[1])))
                drops += [Drop(collection_of("writes", *at), key_of(task.id)) for task in tasks]
                continue
            held += [(kind, data) for task in tasks for _, _, kind, data in task.writes]
            if at in every:
                held += threads.values(where, every[at]).values()
                values |= {key for key, _ in every[at].apart.values()}
        runs = [run for typed in held for one in references_in(typed) for run in runs_of(one)]
        numbers = {f"{number}" for _, first, last in runs for number in range(first, last + 1)}
        for collection, kept in ((VALUES, values), (MESSAGES, numbers)):
            records = threads.read(where, collection)
            drops += [Drop(collection, one.key) for one in records if one.key not in kept]
        return drops

    def _needed(self, space: Sequence[Stored]) -> list[Stored]:
        """Give a namespace's latest checkpoint, and those before it that its delta channels are made of."""
        every = {one.id: one for one in space}
        one = every.get(max(every, default=""))
        needed: list[Stored] = []
        missing: set[str] | None = None
        while one is not None:
            needed.append(one)
            deltas = set(self._threads.metadata(one).get("counters_since_delta_snapshot") or {})
            missing = deltas if missing is None else missing
            missing = missing - one.inline.keys() - one.apart.keys()
            one = every.get(one.parent or "") if missing else None
        return needed

    def copy(self, source: str, target: str) -> None:
        """Copy a thread with its whole history, for the same user."""
        where = self.where(source)
        if where is None:
            return
        there = Where(where.user, target, where.namespace)
        if self._threads.spaces(there):
            raise _taken()
        found = self._at_once(where, partial(self._everything, where))
        if found is None:
            return
        puts, runs = found[1]
        names = [(THREAD, target), *((RUN, run) for run in sorted(runs))]
        try:
            self._core.keep(
                there.user, there.thread, there.namespace, puts, found_by=names, copied_from=source
            )
        except RevisionError:
            raise _taken() from None
        self._threads.forget(there)

    def _everything(self, where: Where) -> tuple[list[Put], set[str]]:
        """Give what writes a thread again where nothing is, and the runs that made its checkpoints."""
        runs: set[str] = set()
        puts = [*self._copies(where, SPACES), *self._copies(where, VALUES), *self._copies(where, MESSAGES)]
        for space in self._threads.spaces(where):
            puts += self._copies(where, collection_of("checkpoints", space))
            for one in self._threads.every(where, space):
                puts += self._copies(where, collection_of("writes", space, one.id))
                run = self._threads.metadata(one).get("run_id")
                runs |= {str(run)} if run else set()
        return puts, runs

    def _copies(self, where: Where, collection: str) -> list[Put]:
        """Give what writes records anew as they are: they were redacted when they were first written."""
        return [
            Put(collection, one.key, [], partial(_as_it_is, one.value), one.created_at, revision=ABSENT)
            for one in self._threads.read(where, collection)
        ]


def _taken() -> UsageError:
    return UsageError("the thread that is copied to has checkpoints", hint="delete it first, or name another")


def _crowded() -> StoreUnavailableError:
    return StoreUnavailableError("too many writers for one thread", hint="try again")


def _as_it_is(value: object, redacted: Sequence[Message]) -> object:  # noqa: ARG001 (nothing was left to redact)
    return value
