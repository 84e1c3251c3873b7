"""Taking checkpoints out of LangGraph's threads, and copying threads: what is asked for without a user.

Whose a thread is, its pointer tells; a thread id that belongs to several users is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from vault.adapters.langgraph_forms import (
    MESSAGES,
    PRUNES,
    RUN,
    SPACES,
    THREAD,
    VALUES,
    Stored,
    Where,
    collection_of,
    key_of,
    runs_of,
)
from vault.adapters.langgraph_threads import Threads
from vault.adapters.langgraph_values import references_in
from vault.chat.records import Drop, Put
from vault.errors import InputError, TamperedError, UsageError
from vault.messages import Message

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

    def delete_for_runs(self, runs: Collection[str]) -> None:
        """Delete the checkpoints that some runs made, with their writes."""
        wanted = {str(run) for run in runs}
        holders = {holder for run in wanted for holder in self._core.pointers.holders((RUN, run))}
        for user, thread in sorted(holders):
            if self._user is None or user == self._user:
                where = Where(user, thread, self._namespace)
                self._remove(where, lambda one: str(self._threads.metadata(one).get("run_id")) in wanted)

    def prune(self, threads: Sequence[str], strategy: str) -> None:
        """Delete all checkpoints of some threads, or all but what the latest ones need."""
        if isinstance(threads, str):
            raise InputError("many thread ids are a list: one text would be taken for its letters")
        if strategy not in {KEEP_LATEST, DELETE}:
            raise InputError("a strategy is keep_latest or delete")
        found = [where for thread in threads if (where := self.where(str(thread))) is not None]
        for where in found:
            if strategy == DELETE:
                self._core.requests.delete(where.user, where.thread)
            else:
                kept = {
                    (one.space, one.id)
                    for space in self._threads.spaces(where)
                    for one in self._needed(where, space)
                }
                self._remove(where, partial(_is_not_in, kept))

    def _needed(self, where: Where, space: str) -> list[Stored]:
        """Give the latest checkpoint, and those before it from which its delta channels are made."""
        every = {one.id: one for one in self._threads.every(where, space)}
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

    def _remove(self, where: Where, goes: Callable[[Stored], bool]) -> None:
        """Delete checkpoints, their writes, and the messages and values that nothing refers to any more."""
        threads = self._threads
        drops: list[Drop] = []
        values: set[str] = set()
        numbers: set[int] = set()
        for space in threads.spaces(where):
            for one in threads.every(where, space):
                tasks = threads.tasks(where, one)
                if goes(one):
                    drops.append(Drop(collection_of("checkpoints", space), key_of(one.id)))
                    drops += [Drop(collection_of("writes", space, one.id), key_of(task.id)) for task in tasks]
                    continue
                values |= {at[0] for at in one.apart.values()}
                held = [*threads.values(where, one).values()]
                held += [(kind, data) for task in tasks for _, _, kind, data in task.writes]
                for typed in held:
                    for reference in references_in(typed):
                        for *_, first, last in runs_of(reference):
                            numbers |= set(range(first, last + 1))
        if not drops:
            return
        for collection, kept in ((VALUES, values), (MESSAGES, {f"{number}" for number in numbers})):
            drops += [
                Drop(collection, record.key)
                for record in threads.read(where, collection)
                if record.key not in kept
            ]
        mark = Put(PRUNES, "mark", [], lambda _: None)
        self._core.keep(where.user, where.thread, where.namespace, [mark], drops)
        threads.forget(where)

    def copy(self, source: str, target: str) -> None:
        """Copy a thread with its whole history, for the same user."""
        where = self.where(source)
        if where is None:
            return
        there = Where(where.user, target, where.namespace)
        if self._threads.spaces(there):
            raise UsageError(
                "the thread that is copied to has checkpoints", hint="delete it first, or name another"
            )
        names = [(THREAD, target)]
        puts = [*self._copies(where, SPACES), *self._copies(where, VALUES), *self._copies(where, MESSAGES)]
        for space in self._threads.spaces(where):
            puts += self._copies(where, collection_of("checkpoints", space))
            for one in self._threads.every(where, space):
                puts += self._copies(where, collection_of("writes", space, one.id))
                run = self._threads.metadata(one).get("run_id")
                names += [(RUN, str(run))] if run else []
        self._core.keep(
            there.user,
            there.thread,
            there.namespace,
            puts,
            found_by=list(dict.fromkeys(names)),
            copied_from=source,
        )
        self._threads.forget(there)

    def _copies(self, where: Where, collection: str) -> list[Put]:
        """Give what writes records anew as they are: they were redacted when they were first written."""
        return [
            Put(collection, one.key, [], partial(_as_it_is, one.value), one.created_at)
            for one in self._threads.read(where, collection)
        ]


def _is_not_in(kept: Collection[tuple[str, str]], one: Stored) -> bool:
    return (one.space, one.id) not in kept


def _as_it_is(value: object, redacted: Sequence[Message]) -> object:  # noqa: ARG001 (nothing was left to redact)
    return value
