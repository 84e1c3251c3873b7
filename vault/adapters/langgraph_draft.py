"""Drawing up what is stored in one transaction: records, and references to the messages among them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vault.adapters.langgraph_forms import MARK, MESSAGES, PRUNES, Run, Where
from vault.adapters.langgraph_values import (
    REFERENCES,
    Raw,
    Serializer,
    Text,
    Typed,
    digest,
    is_message,
    message_text,
    sealed_message,
)
from vault.chat.records import ABSENT, Basis, Put
from vault.clock import to_datetime
from vault.core import Core
from vault.messages import Message

_PARENTS = 64  # checkpoints of a thread of which it is remembered where their values are

At = tuple[str, bytes]  # the key of a value that has a record of its own, and the node of its chapter
Apart = dict[tuple[str, Any], At]  # by the channel and its version


class AgainError(Exception):
    """A message turned out to be one that is stored already: draw up the checkpoint again."""


@dataclass(slots=True, repr=False)
class Known:
    """What this process knows to be stored of a thread. No content: hashes, numbers, places.

    It holds for one session, and until something is taken out: `mark` was read before all the rest.
    """

    node: bytes
    since: int
    mark: int = ABSENT
    next: int = 0
    messages: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    apart: OrderedDict[tuple[str, str], Apart] = field(default_factory=OrderedDict)
    spaces: dict[str, bytes] = field(default_factory=dict)
    pointed: set[tuple[str, str]] = field(default_factory=set)

    def note(
        self, space: str, checkpoint_id: str, places: Mapping[str, At], versions: Mapping[str, Any]
    ) -> None:
        """Remember where the values of a checkpoint are.

        A version alone tells nothing: two branches of a thread may have the same one, each with its value.
        """
        self.apart.pop((space, checkpoint_id), None)
        self.apart[space, checkpoint_id] = {(name, versions.get(name)): at for name, at in places.items()}
        while len(self.apart) > _PARENTS:
            self.apart.popitem(last=False)


class Draft:
    """What one call stores: messages that are new, values, and what refers to them."""

    def __init__(self, core: Core, serde: Serializer, where: Where, known: Known) -> None:
        self._core = core
        self._redacts = core.redactor is not None
        self._serde = serde
        self.known = known
        self.now = core.stores.clock()
        self.at = to_datetime(self.now)
        self._session = core.sessions.find_or_make(where.user, where.thread, where.namespace)
        self._chapters: dict[str, bytes] = {}
        self.puts: list[Put] = []
        self._new: dict[bytes, tuple[int, bytes]] = {}
        self._stored: dict[int, tuple[set[bytes], bytes]] = {}
        self._aliases: dict[bytes, bytes] = {}

    @property
    def basis(self) -> Basis:
        """Give what has to be so still when this is written: else it would refer to what is gone (P8)."""
        return Basis(self.node, {(PRUNES, MARK): self.known.mark})

    @property
    def node(self) -> bytes:
        """Give the session for which this is drawn up."""
        return self.known.node or self._session.node

    def chapter(self, role: str) -> bytes:
        """Give the node of the chapter in which something is stored now."""
        if role not in self._chapters:
            self._chapters[role] = self._core.chapter_of(self._session, role, self.now)
        return self._chapters[role]

    def text(self, value: object, label: str) -> Text:
        """Take a value apart; its messages become records of their own."""
        return Text.of(self._serde.dumps_typed(value), label, self.refer, redacts=self._redacts)

    def refer(self, messages: Sequence[Raw]) -> Raw | None:
        """Give what stands for messages; those that are new are stored. None where some are no messages."""
        marks = [digest(message.payload) for message in messages]
        known = self.known.messages
        if not all(mark in known or is_message(one) for mark, one in zip(marks, messages, strict=True)):
            return None
        runs: list[Run] = []
        for mark, message in zip(marks, messages, strict=True):
            number, chapter = self._number(mark, message)
            if runs and runs[-1][0] == chapter and runs[-1][2] + 1 == number:
                runs[-1] = chapter, runs[-1][1], number
            else:
                runs.append((chapter, number, number))
        return Raw(REFERENCES, msgspec.msgpack.encode(runs))

    def _number(self, mark: bytes, message: Raw) -> tuple[int, bytes]:
        found = self.known.messages.get(mark) or self._new.get(mark)
        if found is not None:
            return found
        text = message_text(message)
        number, self.known.next = self.known.next, self.known.next + 1
        role = text.said[0].role
        found = self._new[mark] = number, self.chapter(role)

        def make(redacted: Sequence[Message]) -> object:
            sealed = sealed_message(text, redacted)
            same = digest(sealed.payload)
            if same != mark and same in self.known.messages:
                self._aliases[mark] = same
            self._stored[number] = {mark, same}, found[1]
            return [sealed.code, sealed.payload, found[1]]

        self.puts.append(Put(MESSAGES, f"{number}", text.said, make, self.at, role, ABSENT))
        return found

    def record(
        self,
        collection: str,
        key: str,
        texts: Sequence[Text],
        make: Callable[[list[Typed]], object],
        revision: int | None = None,
    ) -> None:
        """Store a record of several values."""

        def made(redacted: Sequence[Message]) -> object:
            if self._aliases:
                raise AgainError
            rest = iter(redacted)
            return make([text.sealed([next(rest) for _ in text.said]) for text in texts])

        said = [message for text in texts for message in text.said]
        self.puts.append(Put(collection, key, said, made, self.at, revision=revision))

    def again(self) -> None:
        """Learn which messages are stored already."""
        for mark, same in self._aliases.items():
            self.known.messages[mark] = self.known.messages[same]

    def learn(self) -> None:
        """Remember what is stored now."""
        self.known.node = self.node
        for number, (marks, chapter) in self._stored.items():
            self.known.messages |= dict.fromkeys(marks, (number, chapter))
