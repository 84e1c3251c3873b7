"""The checkpoints of LangGraph's threads: written to a session, and put together again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from vault.adapters.langgraph_draft import AgainError, Draft, Known
from vault.adapters.langgraph_forms import (
    BARE,
    MESSAGES,
    PRUNES,
    RUN,
    SPACES,
    TELLING,
    THREAD,
    VALUES,
    Found,
    Stored,
    Task,
    Where,
    checkpoint_of,
    collection_of,
    key_of,
    message_of,
    runs_of,
    task_of,
)
from vault.adapters.langgraph_values import (
    Raw,
    Serializer,
    Text,
    Typed,
    digest,
    parse,
    references_in,
    render,
    restored,
)
from vault.chat.records import ABSENT, Record
from vault.core import Core
from vault.errors import RevisionError, StoreUnavailableError, TamperedError
from vault.messages import STATE

_RACES = 50
INLINE = 1024  # bytes: a larger value has a record of its own
_CACHED = 1000  # threads of which it is remembered what is stored
_NEWEST = 8  # rows among which the latest checkpoint is: one that is written again comes to the end


def _space(space: str, chapter: bytes, typed: list[Typed]) -> object:  # noqa: ARG001 (there is no value in it)
    return [space, chapter]


class Threads:
    """Stores and finds checkpoints. All of it runs on the core, behind either face."""

    def __init__(self, core: Core, serde: Serializer) -> None:
        self.core = core
        self.serde = serde
        self._known: OrderedDict[Where, Known] = OrderedDict()

    # -- writing ----------------------------------------------------------------------------------------

    def put(  # noqa: PLR0913, PLR0917 (what a checkpoint is made of)
        self,
        where: Where,
        space: str,
        checkpoint: Mapping[str, Any],
        parent: str | None,
        metadata: Mapping[str, Any],
        new_versions: Collection[str],
    ) -> None:
        """Store a checkpoint."""

        def draw(draft: Draft) -> None:
            known, values = draft.known, checkpoint["channel_values"]
            inline: dict[str, Text] = {}
            apart: dict[str, tuple[str, bytes]] = {}
            for channel, value in values.items():
                version = checkpoint["channel_versions"].get(channel)
                at = known.values.get((space, channel, version))
                if at is not None and channel not in new_versions and at[1] == draft.chapter(STATE):
                    apart[channel] = at
                    continue
                text = draft.text(value, channel)
                if len(text.tree if text.kind != "msgpack" else render(text.tree)) <= INLINE:
                    inline[channel] = text
                    continue
                at = apart[channel] = secrets.token_hex(16), draft.chapter(STATE)
                draft.record(VALUES, at[0], [text], lambda typed: list(typed[0]))
                draft.values[space, channel, version] = at
            rest = {key: one for key, one in checkpoint.items() if key not in {*BARE, "channel_values"}}
            bare = self.serde.dumps_typed({key: one for key, one in checkpoint.items() if key in BARE})
            telling = self.serde.dumps_typed({key: one for key, one in metadata.items() if key in TELLING})
            said = {key: one for key, one in metadata.items() if key not in TELLING}

            def make(typed: list[Typed]) -> object:
                stored = Stored(
                    checkpoint["id"],
                    space,
                    parent,
                    bare,
                    typed[0],
                    telling,
                    typed[1],
                    dict(zip(inline, typed[2:], strict=True)),
                    apart,
                )
                return msgspec.msgpack.encode(stored)

            draft.record(
                collection_of("checkpoints", space),
                key_of(checkpoint["id"]),
                [draft.text(rest, "state"), draft.text(said, "metadata"), *inline.values()],
                make,
            )

        run = metadata.get("run_id")
        names = [(THREAD, where.thread), *([(RUN, str(run))] if run else [])]
        self._write(where, space, names, draw)

    def put_writes(  # noqa: PLR0913 (what is written, and where)
        self,
        where: Where,
        space: str,
        checkpoint_id: str,
        task: Task,
        values: Sequence[Any],
        *,
        replaces: bool,
    ) -> None:
        """Store what a task wrote. What it wrote before stays, unless it `replaces` it."""
        collection = collection_of("writes", space, checkpoint_id)
        before: list[Record] = []

        def draw(draft: Draft) -> None:
            def make(typed: list[Typed]) -> object:
                merged = {one[0]: one for one in (task_of(before[0]).writes if before else [])}
                for (index, channel, _, _), (kind, data) in zip(task.writes, typed, strict=True):
                    if replaces or index not in merged:
                        merged[index] = index, channel, kind, data
                now = Task(task.id, task.path, [merged[index] for index in sorted(merged)])
                return msgspec.msgpack.encode(now)

            texts = [draft.text(value, one[1]) for value, one in zip(values, task.writes, strict=True)]
            draft.record(collection, key_of(task.id), texts, make, before[0].revision if before else ABSENT)

        def look() -> None:
            before[:] = self.read(where, collection, keys=[key_of(task.id)])

        self._write(where, space, [(THREAD, where.thread)], draw, look)

    def _write(
        self,
        where: Where,
        space: str,
        names: Sequence[tuple[str, str]],
        draw: Callable[[Draft], None],
        look: Callable[[], None] | None = None,
    ) -> None:
        for _ in range(_RACES):
            known = self._known_of(where)
            draft = Draft(self.core, self.serde, where, known)
            chapter = draft.chapter(STATE)
            if known.spaces.get(space) != chapter:  # it ages as all records do, and is needed longer
                draft.record(SPACES, key_of(space), [], partial(_space, space, chapter))
            draw(draft)
            pointers = [name for name in names if name not in known.pointed]
            try:
                self.core.keep(where.user, where.thread, where.namespace, draft.puts, found_by=pointers)
            except AgainError:
                draft.again()
                continue
            except RevisionError:
                self._known.pop(where, None)
                if look is not None:
                    look()
                continue
            session = self.core.sessions.find(where.user, where.thread)
            if session is not None and known.node in {b"", session.node}:
                known.node = session.node
                draft.learn()
                known.spaces[space] = chapter
                known.pointed.update(names)
            return
        raise StoreUnavailableError("too many writers for one thread", hint="try again")

    # -- what is known ----------------------------------------------------------------------------------

    def _known_of(self, where: Where) -> Known:
        session = self.core.sessions.find(where.user, where.thread)
        node = session.node if session else b""
        known = self._known.get(where)
        if known is None or known.node != node:
            known = self._load(where, node)
        return known

    def forget(self, where: Where) -> None:
        """Look at a thread anew the next time."""
        self._known.pop(where, None)

    def _load(self, where: Where, node: bytes) -> Known:
        known = Known(node)
        if node:
            known.mark = self._mark(where)
            for record in self.read(where, MESSAGES):
                self._learn_message(known, record)
            known.spaces = self._spaces(where)
        self._known[where] = known
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return known

    def _learn_message(self, known: Known, record: Record) -> None:
        raw, chapter = message_of(record)
        number = int(record.key)
        known.next = max(known.next, number + 1)
        known.messages[digest(raw.payload)] = number, chapter

    def _mark(self, where: Where) -> int:
        return next((one.revision for one in self.read(where, PRUNES)), ABSENT)

    # -- reading ----------------------------------------------------------------------------------------

    def read(
        self,
        where: Where,
        collection: str,
        *,
        keys: Collection[str] | None = None,
        last: int | None = None,
    ) -> list[Record]:
        """Read records of a thread."""
        return self.core.records.read(where.user, where.thread, collection, keys=keys, last=last)

    def spaces(self, where: Where) -> list[str]:
        """Give the checkpoint namespaces of a thread."""
        return list(self._spaces(where))

    def _spaces(self, where: Where) -> dict[str, bytes]:
        """Give the same, each with the chapter that says so."""
        return dict(record.value for record in self.read(where, SPACES))

    def latest(self, where: Where, space: str) -> Stored | None:
        """Give the latest checkpoint of a namespace."""
        newest = self.read(where, collection_of("checkpoints", space), last=_NEWEST)
        return max(map(checkpoint_of, newest), key=lambda one: one.id, default=None)

    def one(self, where: Where, space: str, checkpoint_id: str) -> Stored | None:
        """Give a checkpoint."""
        return next(
            map(
                checkpoint_of,
                self.read(where, collection_of("checkpoints", space), keys=[key_of(checkpoint_id)]),
            ),
            None,
        )

    def every(self, where: Where, space: str) -> list[Stored]:
        """Give all checkpoints of a namespace, the newest first."""
        found = map(checkpoint_of, self.read(where, collection_of("checkpoints", space)))
        return sorted(found, key=lambda one: one.id, reverse=True)

    def tasks(self, where: Where, stored: Stored) -> list[Task]:
        """Give the writes of a checkpoint, in the order in which a run applies them."""
        found = map(task_of, self.read(where, collection_of("writes", stored.space, stored.id)))
        return sorted(found, key=lambda task: (task.path, task.id))

    def metadata(self, stored: Stored) -> dict[str, Any]:
        """Give the metadata of a checkpoint."""
        telling = self.serde.loads_typed(stored.telling)
        return {**telling, **self.serde.loads_typed(stored.metadata)}

    def open(self, where: Where, stored: Stored) -> Found:
        """Put a checkpoint together again."""
        tasks = self.tasks(where, stored)
        values = self.values(where, stored)
        everything = [*values.values(), *((kind, data) for task in tasks for _, _, kind, data in task.writes)]
        library = self._library(where, [one for typed in everything for one in references_in(typed)])

        def loaded(typed: Typed) -> Any:  # noqa: ANN401 (any value)
            kind, data = typed
            if kind == "msgpack" and references_in(typed):
                data = render(restored(parse(data), library))
            return self.serde.loads_typed((kind, data))

        known = self._known.get(where)
        if known is not None:
            for channel, at in stored.apart.items():
                version = self.serde.loads_typed(stored.bare)["channel_versions"].get(channel)
                known.values.setdefault((stored.space, channel, version), at)
        checkpoint = {**self.serde.loads_typed(stored.bare), **self.serde.loads_typed(stored.rest)}
        checkpoint["channel_values"] = {channel: loaded(typed) for channel, typed in values.items()}
        writes = [
            (task.id, channel, loaded((kind, data)))
            for task in tasks
            for _, channel, kind, data in task.writes
        ]
        return Found(stored.id, stored.space, stored.parent, checkpoint, self.metadata(stored), writes)

    def values(self, where: Where, stored: Stored) -> dict[str, Typed]:
        """Give the values of a checkpoint, without those that retention took."""
        values = dict(stored.inline)
        if stored.apart:
            keys = [at[0] for at in stored.apart.values()]
            found = {one.key: one.value for one in self.read(where, VALUES, keys=keys)}
            for channel, (key, chapter) in stored.apart.items():
                if key in found:
                    values[channel] = found[key][0], found[key][1]
                elif not self.core.was_purged(chapter):
                    raise TamperedError("a value of a checkpoint is gone, and nothing erased it")
        return values

    def _library(self, where: Where, references: Sequence[Raw]) -> Callable[[Raw], list[Raw]]:
        """Give what finds the messages that are referred to, without those that retention took."""
        wanted = {
            number
            for one in references
            for *_, first, last in runs_of(one)
            for number in range(first, last + 1)
        }
        found: dict[int, Raw] = {}
        if wanted:
            mark = self._mark(where)
            session = self.core.sessions.find(where.user, where.thread)
            known = self._known.get(where)
            if session is not None and (known is None or known.node != session.node or known.mark != mark):
                known = self._known[where] = Known(session.node, mark, spaces=self._spaces(where))
                keys = None  # a cold process learns all of them
            else:
                keys = [f"{number}" for number in wanted] if known and len(wanted) * 2 < known.next else None
            for record in self.read(where, MESSAGES, keys=keys):
                found[int(record.key)] = message_of(record)[0]
                if known is not None:
                    self._learn_message(known, record)

        def expand(one: Raw) -> list[Raw]:
            messages = []
            for chapter, first, last in runs_of(one):
                for number in range(first, last + 1):
                    if number in found:
                        messages.append(found[number])
                    elif not self.core.was_purged(chapter):
                        raise TamperedError("a message of a checkpoint is gone, and nothing erased it")
            return messages

        return expand
