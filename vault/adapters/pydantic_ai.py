"""`VaultConversationStore`: pydantic-ai's conversation store, in front of a vault. A scope is a user.

    store = VaultConversationStore(vault)
    conversation = await store.load("c-1", scope="u-42") or Conversation(conversation_id="c-1")
    result = await agent.run("Hello", conversation=conversation)
    await store.save(result, scope="u-42")

A conversation is a session, an entry of its log a message in it, and its record lies beside them. A fork has
the entries that it shares as its own: what is erased with one conversation is not missed in another.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from vault.adapters import framework
from vault.adapters.facing import AnyVault, core_of, passing_over, run
from vault.adapters.pydantic_ai_lines import OURS, Line, Lines
from vault.blobs import in_base64, with_bytes
from vault.chat.records import ABSENT, Drop, Put, Record
from vault.core import Core
from vault.errors import RevisionError, SessionForgottenError, TamperedError, UsageError
from vault.messages import STATE, Message, check_id

framework("pydantic_ai", "pydantic-ai")  # says how to get it, where the next lines could only fail

from pydantic import TypeAdapter, ValidationError  # noqa: E402 (as above)
from pydantic_ai.conversation import Conversation  # noqa: E402 (as above)
from pydantic_ai.conversation_store import (  # noqa: E402 (as above)
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter  # noqa: E402 (as above)
from pydantic_ai.run import AgentRunResult  # noqa: E402 (as above)

_KEY = "record"
_record_type: TypeAdapter[ConversationRecord] = TypeAdapter(ConversationRecord)


class VaultConversationStore(ConversationStore):
    """The conversations of all users, or, with `user_id`, of one: then a scope is a label among theirs."""

    def __init__(self, vault: AnyVault, user_id: str | None = None, *, namespace: str = "") -> None:
        self._vault = vault
        self._stored = _Stored(core_of(vault), namespace)
        self._user_id = None if user_id is None else check_id(user_id, "user id")
        self._now: ContextVar[tuple[str | None, str | None]] = ContextVar("now", default=(None, None))

    async def load(
        self, conversation_id: str, *, limit: int | None = None, scope: str | None = None
    ) -> Conversation | None:
        """Load a conversation, or its last messages; None where there is none."""
        with self._about(conversation_id, scope):
            return await super().load(conversation_id, limit=limit, scope=scope)

    async def load_entries(
        self, conversation_id: str, *, limit: int | None = None, scope: str | None = None
    ) -> list[ConversationEntry] | None:
        """Load the entries of a conversation, or the last ones; None where there is none."""
        with self._about(conversation_id, scope):
            return await super().load_entries(conversation_id, limit=limit, scope=scope)

    async def save(
        self, conversation: Conversation | AgentRunResult[Any], *, scope: str | None = None
    ) -> list[ConversationEntry]:
        """Save what a conversation has that the store has not."""
        known = conversation.conversation if isinstance(conversation, AgentRunResult) else conversation
        with self._about(known.conversation_id, scope):
            return await super().save(conversation, scope=scope)

    async def branch(
        self,
        conversation_id: str,
        *,
        at: int | None = None,
        from_entry: str | None = None,
        expected_revision: str | None,
        scope: str | None = None,
    ) -> Conversation:
        """Go on from an earlier point of a conversation, or from a branch that it left."""
        with self._about(conversation_id, scope):
            return await super().branch(
                conversation_id,
                at=at,
                from_entry=from_entry,
                expected_revision=expected_revision,
                scope=scope,
            )

    async def fork(  # noqa: PLR0913 (pydantic-ai's)
        self,
        conversation_id: str,
        *,
        at: int | None = None,
        from_entry: str | None = None,
        new_conversation_id: str | None = None,
        scope: str | None = None,
        source_scope: str | None = None,
    ) -> Conversation:
        """Start a conversation of the same user from this one."""
        if self._user_id is None and None not in {scope, source_scope} and scope != source_scope:
            raise UsageError("a conversation of one user can't be forked for another")
        with self._about(conversation_id, scope or source_scope):
            return await super().fork(
                conversation_id,
                at=at,
                from_entry=from_entry,
                new_conversation_id=new_conversation_id,
                scope=scope,
                source_scope=source_scope,
            )

    async def delete(self, conversation_id: str, *, scope: str | None = None) -> None:
        """Erase a conversation with all its entries."""
        with self._about(conversation_id, scope):
            await super().delete(conversation_id, scope=scope)

    # -- what the methods above stand on ----------------------------------------------------------------

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        """Give the record of a conversation."""
        found = await run(self._vault, self._stored.record, self._user(), conversation_id)
        return None if found is None else _record(found)

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        """Give the records of a user's conversations, the latest first."""
        every = await run(self._vault, self._stored.records, self._user(scope))
        found = [one for one in map(_record, every) if scope is None or one.scope == scope]
        return sorted(found, key=lambda one: one.updated_at, reverse=True)[:limit]

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        """Store a record and its new entries, all or nothing, where the record is still what was read."""
        user, source = self._user(record.scope), self._now.get()[1]
        write = self._stored.write
        try:
            await run(self._vault, write, user, record, new_entries, expected_revision, source=source)
        except RevisionError:
            raise ConversationConflict(record.conversation_id) from None

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        """Erase a conversation with all its entries, where its record is still what was read."""
        try:
            await run(self._vault, self._stored.delete, self._user(), conversation_id, expected_revision)
        except RevisionError:
            raise ConversationConflict(conversation_id) from None

    async def read_history(self, head_id: str | None, *, limit: int | None = None) -> list[ConversationEntry]:
        """Give the entries up to one, without what retention has taken of them."""
        if head_id is None:
            return []
        where = self._now.get()[1]
        line, _ = await run(self._vault, self._stored.history, self._user(), head_id, where)
        return [
            _entry(message)
            for message in (line if limit is None else line[len(line) - min(limit, len(line)) :])
        ]

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """Give one entry."""
        for entry in await self.read_history(entry_id, limit=1):
            if entry.id == entry_id:
                return entry
        raise LookupError("retention has taken this entry")

    @contextmanager
    def _about(self, conversation_id: str, scope: str | None) -> Iterator[None]:
        """Remember whose conversation this is about: what stands below is not told."""
        token = self._now.set((scope, conversation_id))
        try:
            yield
        finally:
            self._now.reset(token)

    def _user(self, scope: str | None = None) -> str:
        user = self._user_id or scope or self._now.get()[0]
        if user is None:
            raise UsageError(
                "whose conversation is this? There is no scope, and nobody could be forgotten",
                hint="scope=…, or VaultConversationStore(vault, user_id=…)",
            )
        return user


class _Stored:
    """What the store stores. Its methods run on the core of either face."""

    def __init__(self, core: Core, namespace: str) -> None:
        self._core = core
        self._namespace = namespace

    def record(self, user: str, conversation: str) -> Record | None:
        check_id(user, "scope")
        check_id(conversation, "conversation id")
        return next(iter(self._core.records.read(user, conversation, OURS, keys=[_KEY])), None)

    def records(self, user: str) -> list[Record]:
        found: list[Record | None] = []
        for one in self._core.lister.sessions(user):
            with passing_over(SessionForgottenError):
                found.append(self.record(user, one.session_id))
        return [one for one in found if one is not None]

    def write(
        self,
        user: str,
        record: ConversationRecord,
        entries: Sequence[ConversationEntry],
        expected: str | None,
        *,
        source: str | None,
    ) -> None:
        """Write a record with entries; a fork gets a copy of what it shares with its source."""
        there = self.record(user, record.conversation_id)
        self._check(there, expected)
        _, lines = self._entries(user, record.conversation_id)
        said = [_message(entry, lines.add(entry.parent_id, entry.id)) for entry in entries]
        head = record.head_id
        if head is not None and head not in lines:
            if source is None or source == record.conversation_id:
                raise RevisionError("the newest entry of a conversation is not there")
            try:
                shared, lines = self.history(user, head, source)
            except LookupError:
                raise RevisionError("the source of a fork has gone") from None
            said = [*shared, *said]
        kept = lines.of([*([head] if head else []), *record.branches])
        put = _put(record, kept, ABSENT if there is None else there.revision)
        self._core.keep(user, record.conversation_id, self._namespace, [put], (), said)

    def delete(self, user: str, conversation: str, expected: str) -> None:
        there = self.record(user, conversation)
        self._check(there, expected)
        if there is not None:  # so that nobody saves meanwhile what is then erased
            drop = Drop(OURS, _KEY, there.revision)
            self._core.keep(user, conversation, self._namespace, [], [drop])
        self._core.requests.delete(user, conversation)

    def history(self, user: str, head: str, conversation: str | None) -> tuple[list[Message], Lines]:
        """Give the entries up to one of them, and the lines of the conversation that they are in."""
        places = [] if conversation is None else [conversation]
        places += [
            one.session_id for one in self._core.lister.sessions(user) if one.session_id != conversation
        ]
        for place in places:
            with passing_over(SessionForgottenError, unless=place == conversation):
                entries, lines = self._entries(user, place)
                if head in lines:
                    return lines.up_to(head, entries), lines
        raise LookupError("no such entry is here")

    def _entries(self, user: str, conversation: str) -> tuple[list[Message], Lines]:
        """Read a conversation's entries, and then its record: whatever that names was there before."""
        found = self._core.messages(user, conversation, last=None, before=None, reveal=False, purpose="")
        entries = [one for one in found if OURS in one.extra]
        record = self.record(user, conversation)
        return entries, Lines(entries, {} if record is None else record.value.get("lines", {}))

    def _check(self, there: Record | None, expected: str | None) -> None:
        if (None if there is None else there.value["revision"]) != expected:
            raise RevisionError("a conversation was changed since it was read")


def _put(record: ConversationRecord, lines: dict[str, Line], revision: int) -> Put:
    fields = _record_type.dump_python(record, mode="json", warnings=False)
    # Redaction sees what was asked of tools; the rest are ids, numbers and times.
    asked = Message(STATE, {"deferred_tool_requests": fields.pop("deferred_tool_requests")})

    def make(done: Sequence[Message]) -> object:
        content = done[0].content
        return {**fields, **(content if isinstance(content, dict) else {}), "lines": lines}

    return Put(OURS, _KEY, [asked], make, revision=revision)


def _record(record: Record) -> ConversationRecord:
    try:
        return _record_type.validate_json(json.dumps(record.value))
    except ValidationError:
        pass  # raised out of its reach: it holds what was asked (P1)
    raise TamperedError("a conversation's record is of a form that this release of pydantic-ai does not know")


def _message(entry: ConversationEntry, line: Line) -> Message:
    [written] = ModelMessagesTypeAdapter.dump_python([entry.message], mode="json", warnings=False)
    [given] = ModelMessagesTypeAdapter.dump_python([entry.message], warnings=False)
    fields = with_bytes(written, given)  # a tool's dict of text is none, whatever it calls itself
    parts = fields.pop("parts")
    kinds = {part.get("part_kind") for part in parts}
    role = "tool" if kinds == {"tool-return"} else "user" if fields["kind"] == "request" else "assistant"
    ours = {"id": entry.id, "parent_id": entry.parent_id, "kind": entry.kind, "line": line}
    return Message(role, parts, {}, {OURS: {**ours, "message": fields}})


def _entry(message: Message) -> ConversationEntry:
    ours = message.extra[OURS]
    packed = json.dumps([{**ours["message"], "parts": message.content}], default=in_base64)
    found: list[ModelMessage] = []
    with suppress(ValidationError):  # what it holds was said: it is not passed on (P1)
        found = ModelMessagesTypeAdapter.validate_json(packed)
    if not found:
        raise TamperedError("a message is of a form that this release of pydantic-ai does not know")
    entry = ConversationEntry(id=ours["id"], parent_id=ours["parent_id"], message=found[0])
    return dataclasses.replace(entry, kind=ours["kind"])
