"""LlamaIndex chat stores, wrapped: anything that is a `BaseChatStore`. Each of its keys is a session."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from llama_index.core.llms import ChatMessage
from llama_index.core.storage.chat_store.base import BaseChatStore
from pydantic import PrivateAttr

from vault.blobs import decoded, encoded
from vault.errors import InputError, TamperedError
from vault.messages import ROLES, Message
from vault.wrapping.fields import fold, unfold
from vault.wrapping.flows import Wrapping
from vault.wrapping.shelf import Remembered
from vault.wrapping.wrapper import Wrapper

_ALIKE = {"chatbot": "assistant", "model": "assistant"}


def wrap(wrapper: Wrapper, memory: BaseChatStore, session_id: str | None) -> BaseChatStore:
    """Wrap a store: with a session id, that session alone."""
    return SealedChatStore(wrapper, memory, session_id)


class SealedChatStore(BaseChatStore):
    """A chat store that holds sealed messages only."""

    _wrapper: Wrapper = PrivateAttr()
    _store: BaseChatStore = PrivateAttr()
    _only: str | None = PrivateAttr()

    def __init__(self, wrapper: Wrapper, store: BaseChatStore, only: str | None) -> None:
        super().__init__()
        self._wrapper = wrapper
        self._store = store
        self._only = only

    @classmethod
    def class_name(cls) -> str:
        """Name the class, as the framework asks."""
        return "SealedChatStore"

    def _of(self, key: str) -> Wrapping:
        if self._only not in {None, key}:
            raise InputError("this store was wrapped for another session")
        return self._wrapper.of(StoreShelf(self._store, key), key)

    def set_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Have a session hold these messages; those that it begins with already stay as they are."""
        of = self._of(key)
        of.run(of.replace(messages))

    def get_messages(self, key: str) -> list[ChatMessage]:
        """Give all messages of a session, opened."""
        of = self._of(key)
        return of.run(of.read())

    def add_message(self, key: str, message: ChatMessage, idx: int | None = None) -> None:
        """Redact, seal and add a message; with an index, before the one that stands there."""
        of = self._of(key)
        of.run(of.add([message]) if idx is None else of.insert(idx, message))

    def delete_messages(self, key: str) -> list[ChatMessage] | None:
        """Erase a session and give what it held; None where it held nothing."""
        of = self._of(key)
        held: Remembered = of.run(of.read())
        of.run(of.clear())
        return held or None

    def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Remove one message and give it."""
        of = self._of(key)
        found: ChatMessage | None = of.run(of.remove(idx, partial(self._store.delete_message, key)))
        return found

    def delete_last_message(self, key: str) -> ChatMessage | None:
        """Remove the last message and give it."""
        return self.delete_message(key, -1)

    def get_keys(self) -> list[str]:
        """Give the keys of the store."""
        return [key for key in self._store.get_keys() if self._only in {None, key}]

    async def aset_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Have a session hold these messages."""
        of = self._of(key)
        await of.arun(of.replace(messages))

    async def aget_messages(self, key: str) -> list[ChatMessage]:
        """Give all messages of a session, opened."""
        of = self._of(key)
        return await of.arun(of.read())

    async def async_add_message(self, key: str, message: ChatMessage) -> None:
        """Redact, seal and add a message."""
        of = self._of(key)
        await of.arun(of.add([message]))

    async def adelete_messages(self, key: str) -> list[ChatMessage] | None:
        """Erase a session and give what it held."""
        of = self._of(key)
        held: Remembered = await of.arun(of.read())
        await of.arun(of.clear())
        return held or None

    async def adelete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Remove one message and give it."""
        of = self._of(key)
        found: ChatMessage | None = await of.arun(of.remove(idx, partial(self._store.delete_message, key)))
        return found

    async def adelete_last_message(self, key: str) -> ChatMessage | None:
        """Remove the last message and give it."""
        return await self.adelete_message(key, -1)

    async def aget_keys(self) -> list[str]:
        """Give the keys of the store."""
        return self.get_keys()


class StoreShelf:
    """A store's own methods, of one key."""

    awaits = False

    def __init__(self, store: BaseChatStore, key: str) -> None:
        self._store = store
        self._key = key

    def read(self) -> Any:
        """Give all messages as they are stored."""
        return list(self._store.get_messages(self._key))

    def add(self, items: list[ChatMessage]) -> Any:
        """Add messages."""
        for item in items:
            self._store.add_message(self._key, item)

    def clear(self) -> Any:
        """Remove all messages."""
        self._store.delete_messages(self._key)

    def rewrite(self, old: list[ChatMessage], new: list[ChatMessage]) -> Any:  # noqa: ARG002 (the protocol's)
        """Put other messages in the place of all."""
        self._store.set_messages(self._key, new)

    def text(self, item: ChatMessage) -> object:
        """Give the content."""
        return item.content

    def stand_in(self, item: ChatMessage, text: str) -> ChatMessage:
        """Give a message of the same role with an envelope as its content."""
        return ChatMessage(role=item.role, content=text)

    def message(self, item: ChatMessage) -> Message:
        """Give a message in the vault's form: every field of it."""
        fields = decoded(json.loads(item.model_dump_json()))
        fields["content"] = fields.pop("blocks")
        role = _ALIKE.get(item.role.value, item.role.value)
        return fold(fields, role if role in ROLES else "user")

    def item(self, message: Message, stored: ChatMessage) -> ChatMessage:
        """Give back the message that was added."""
        fields = encoded(unfold(message))
        fields["blocks"] = fields.pop("content")
        found = ChatMessage.model_validate(fields)
        if found.role != stored.role:
            raise TamperedError("the role of a message in a memory was edited")
        return found
