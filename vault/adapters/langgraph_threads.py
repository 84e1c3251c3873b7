"""The checkpoints of LangGraph's threads: written to a session, and put together again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from vault.adapters.langgraph_draft import AgainError, Apart, At, Draft, Known
from vault.adapters.langgraph_forms import (
    BARE,
    EARLY,
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
    early_key,
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

RACES = 50
INLINE = 1024  # bytes: a larger value has a record of its own
_HOUR = 3_600_000_000  # microseconds
_CACHED = 1000  # threads of which it is remembered what is stored
_NEWEST = 8  # rows among which the latest checkpoint is: one that is written again comes to the end


def _space(space: str, chapter: bytes, typed: list[Typed]) -> object:  # noqa: ARG001 (there is no value in it)
    return [space, chapter]


def _set_apart(
    draft: Draft,
    checkpoint: Mapping[str, Any],
    before: Apart,
    new_versions: Collection[str],
    apart: dict[str, At],
) -> dict[str, Text]:
    """Draw the large values of a checkpoint as records of their own; give the small ones.

    Into `apart` goes where each large one lies; one that lies there since `before` is not drawn again.
    """
    inline: dict[str, Text] = {}
    versions = checkpoint["channel_versions"]
    for channel, value in checkpoint["channel_values"].items():
        at = before.get((channel, versions.get(channel)))
        if at is not None and channel not in new_versions and at[1] == draft.chapter(STATE):
            apart[channel] = at
            continue
        text = draft.text(value, channel)
        if len(text.tree if text.kind != "msgpack" else render(text.tree)) <= INLINE:
            inline[channel] = text
            continue
        at = apart[channel] = secrets.token_hex(16), draft.chapter(STATE)
        draft.record(VALUES, at[0], [text], lambda typed: list(typed[0]))
    return inline


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
        """Store a checkpoint. A value that has not changed since its parent is not stored again."""
        apart: dict[str, At] = {}

        def draw(draft: Draft) -> None:
            apart.clear()
            before = {} if parent is None else draft.known.apart.get((space, parent), {})
            inline = _set_apart(draft, checkpoint, before, new_versions, apart)
            rest = {key: one for key, one in checkpoint.items() if key not in {*BARE, "channel_values"}}
            bare = self.serde.dumps_typed({key: one for key, one in checkpoint.items() if key in BARE})
            telling = self.serde.dumps_typed({key: one for key, one in metadata.items() if key in TELLING})
            said = {key: one for key, one in metadata.items() if key not in TELLING}

            def make(typed: list[Typed]) -> object:
                values = dict(zip(inline, typed[2:], strict=True))
                stored = Stored(
                    checkpoint["id"], space, parent, bare, typed[0], telling, typed[1], values, apart
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
        known = self._write(where, space, names, draw)
        known.note(space, checkpoint["id"], apart, checkpoint["channel_versions"])

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
        at = space, checkpoint_id

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
            if at not in draft.known.apart and self.one(where, *at) is None:
                # Its checkpoint is on its way: without this a prune would not know of what it refers to.
                draft.record(EARLY, early_key(*at), [], lambda _: list(at))

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
    ) -> Known:
        for _ in range(RACES):
            known = self._known_of(where)
            draft = Draft(self.core, self.serde, where, known)
            chapter = draft.chapter(STATE)
            if known.spaces.get(space) != chapter:  # it ages as all records do, and is needed longer
                draft.record(SPACES, key_of(space), [], partial(_space, space, chapter))
            draw(draft)
            pointers = [name for name in names if name not in known.pointed]
            try:
                self.core.keep(
                    where.user,
                    where.thread,
                    where.namespace,
                    draft.puts,
                    found_by=pointers,
                    basis=draft.basis,
                )
            except AgainError:
                draft.again()
                continue
            except RevisionError:
                self._known.pop(where, None)
                if look is not None:
                    look()
                continue
            draft.learn()
            known.spaces[space] = chapter
            known.pointed.update(names)
            return known
        raise StoreUnavailableError("too many writers for one thread", hint="try again")

    # -- what is known ----------------------------------------------------------------------------------

    def _known_of(self, where: Where) -> Known:
        session = self.core.sessions.find(where.user, where.thread)
        node = session.node if session else b""
        known = self._known.get(where)
        # The mark ages, too: what was known before it came must not outlast it.
        if known is None or known.node != node or self.core.stores.clock() - known.since > _HOUR:
            known = self._load(where, node)
        return known

    def forget(self, where: Where) -> None:
        """Look at a thread anew the next time."""
        self._known.pop(where, None)

    def _load(self, where: Where, node: bytes) -> Known:
        known = Known(node, self.core.stores.clock())
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

    def early(self, where: Where) -> list[tuple[str, str]]:
        """Give the namespaces and ids of checkpoints whose tasks wrote before they were stored."""
        return [(one.value[0], one.value[1]) for one in self.read(where, EARLY)]

    def tasks(self, where: Where, space: str, checkpoint_id: str) -> list[Task]:
        """Give the writes of a checkpoint, in the order in which a run applies them."""
        found = map(task_of, self.read(where, collection_of("writes", space, checkpoint_id)))
        return sorted(found, key=lambda task: (task.path, task.id))

    def metadata(self, stored: Stored) -> dict[str, Any]:
        """Give the metadata of a checkpoint."""
        telling = self.serde.loads_typed(stored.telling)
        return {**telling, **self.serde.loads_typed(stored.metadata)}

    def find(self, where: Where, space: str, checkpoint_id: str | None) -> Found | None:
        """Give a checkpoint, or the latest, put together again."""
        while True:
            stored = self.one(where, space, checkpoint_id) if checkpoint_id else self.latest(where, space)
            if stored is None or (found := self.open(where, stored)) is not None:
                return None if stored is None else found

    def open(self, where: Where, stored: Stored) -> Found | None:
        """Put a checkpoint together again; None where it was deleted meanwhile."""
        try:
            return self._open(where, stored)
        except TamperedError:
            if self.one(where, stored.space, stored.id) == stored:  # so nobody took lawfully what it needs
                raise
        return None

    def _open(self, where: Where, stored: Stored) -> Found:
        known, is_new = self._standing(where)  # before all that it is to learn
        tasks = self.tasks(where, stored.space, stored.id)
        values = self.values(where, stored)
        everything = [*values.values(), *((kind, data) for task in tasks for _, _, kind, data in task.writes)]
        references = [one for typed in everything for one in references_in(typed)]
        library = self._library(where, references, known, is_cold=is_new)

        def loaded(typed: Typed) -> Any:  # noqa: ANN401 (any value)
            kind, data = typed
            if kind == "msgpack" and references_in(typed):
                data = render(restored(parse(data), library))
            return self.serde.loads_typed((kind, data))

        bare = self.serde.loads_typed(stored.bare)
        if known is not None:
            known.note(stored.space, stored.id, stored.apart, bare["channel_versions"])
        checkpoint = {**bare, **self.serde.loads_typed(stored.rest)}
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

    def _standing(self, where: Where) -> tuple[Known | None, bool]:
        """Give what is known of a thread, and whether that was begun just now, as something was taken out."""
        mark = self._mark(where)
        session = self.core.sessions.find(where.user, where.thread)
        if session is None:
            return None, False
        known = self._known.get(where)
        if known is not None and known.node == session.node and known.mark == mark:
            return known, False
        known = self._known[where] = Known(
            session.node, self.core.stores.clock(), mark, spaces=self._spaces(where)
        )
        return known, True

    def _library(
        self, where: Where, references: Sequence[Raw], known: Known | None, *, is_cold: bool
    ) -> Callable[[Raw], list[Raw]]:
        """Give what finds the messages that are referred to, without those that retention took."""
        wanted = {
            number
            for one in references
            for *_, first, last in runs_of(one)
            for number in range(first, last + 1)
        }
        found: dict[tuple[bytes, int], Raw] = {}  # by chapter, too: numbers of what aged out are given again
        if wanted or is_cold:  # a cold process learns all of them
            few = known is not None and not is_cold and len(wanted) * 2 < known.next
            keys = [f"{number}" for number in wanted] if few else None
            for record in self.read(where, MESSAGES, keys=keys):
                raw, place = message_of(record)
                found[place, int(record.key)] = raw
                if known is not None:
                    self._learn_message(known, record)

        def expand(one: Raw) -> list[Raw]:
            messages = []
            for chapter, first, last in runs_of(one):
                for number in range(first, last + 1):
                    if (chapter, number) in found:
                        messages.append(found[chapter, number])
                    elif not self.core.was_purged(chapter):
                        raise TamperedError("a message of a checkpoint is gone, and nothing erased it")
            return messages

        return expand
