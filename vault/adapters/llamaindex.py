"""LlamaIndex's chat stores, in front of the transcripts of one user: a key is a session.

    store = VaultChatStore(vault, user_id="u-42")
    memory = Memory.from_defaults(session_id="s-1", chat_store=store)

`VaultChatStore` is awaited, and what `Memory` takes; `VaultLegacyChatStore` is for the memories before it.
"""

from __future__ import annotations

import json
from typing import Any

from vault.adapters import framework
from vault.adapters.facing import AnyVault, core_of, run
from vault.adapters.queue import Queue, Status
from vault.blobs import decoded, encoded
from vault.client import Vault
from vault.errors import InputError, UsageError
from vault.messages import ROLES, Message

framework("llama_index.core", "llamaindex")  # says how to get it, where the next lines could only fail

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock  # noqa: E402 (as above)
from llama_index.core.bridge.pydantic import PrivateAttr, ValidationError  # noqa: E402 (as above)
from llama_index.core.storage.chat_store.base import BaseChatStore  # noqa: E402 (as above)
from llama_index.core.storage.chat_store.base_db import AsyncDBChatStore, MessageStatus  # noqa: E402 (as above)

_OURS = "llamaindex"  # the field of `extra` that holds what only LlamaIndex knows


class VaultChatStore(AsyncDBChatStore):
    """The messages of one user, by session. Give a `Vault`, or an `AsyncVault` where one loop runs all.

    `user_from_session=True` makes each key a user of its own, for an app whose keys are users.
    """

    _vault: Any = PrivateAttr()
    _queue: Queue = PrivateAttr()

    def __init__(
        self,
        vault: AnyVault,
        user_id: str | None = None,
        *,
        user_from_session: bool = False,
        namespace: str = "",
    ) -> None:
        super().__init__()
        self._vault = vault
        self._queue = Queue(core_of(vault), user_id, namespace, user_from_session=user_from_session)

    async def get_messages(
        self,
        key: str,
        status: MessageStatus | None = MessageStatus.ACTIVE,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[ChatMessage]:
        """Give messages in order."""
        found = await run(self._vault, self._queue.read, key, _status(status))
        start = offset or 0
        return _all_to_llamaindex(found[start : None if limit is None else start + limit])

    async def count_messages(self, key: str, status: MessageStatus | None = MessageStatus.ACTIVE) -> int:
        """Count messages."""
        return len(await run(self._vault, self._queue.read, key, _status(status)))

    async def add_message(
        self, key: str, message: ChatMessage, status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Add a message."""
        await self.add_messages(key, [message], status)

    async def add_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Add messages, all or none."""
        await run(self._vault, self._queue.add, key, _all_from_llamaindex(messages), _status(status))

    async def set_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Replace all messages, at once: nobody reads half of it, and a failure leaves them as they were."""
        await run(self._vault, self._queue.replace, key, _all_from_llamaindex(messages), _status(status))

    async def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Remove the message at a place among the active ones, and give it."""
        return _first(await run(self._vault, self._queue.take_at, key, idx))

    async def delete_messages(self, key: str, status: MessageStatus | None = None) -> None:
        """Erase the session; with a status, remove the messages that have it."""
        await run(self._vault, self._queue.delete, key, _status(status))

    async def delete_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Remove the oldest active messages, and give them."""
        return _all_to_llamaindex(await run(self._vault, self._queue.take_oldest, key, n))

    async def archive_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Archive the oldest active messages, and give them."""
        return _all_to_llamaindex(await run(self._vault, self._queue.archive, key, n))

    async def get_keys(self) -> list[str]:
        """Give the keys under which something is."""
        return await run(self._vault, self._queue.keys)

    @classmethod
    def class_name(cls) -> str:
        """Name the class, as LlamaIndex does."""
        return "VaultChatStore"


class VaultLegacyChatStore(BaseChatStore):
    """The same for `ChatMemoryBuffer` and others that take a `BaseChatStore`. It takes a `Vault`."""

    _queue: Queue = PrivateAttr()

    def __init__(
        self,
        vault: Vault,
        user_id: str | None = None,
        *,
        user_from_session: bool = False,
        namespace: str = "",
    ) -> None:
        super().__init__()
        if not isinstance(vault, Vault):
            raise UsageError("this store is not awaited, and takes a Vault", hint='Vault.open("chat-vault")')
        self._queue = Queue(core_of(vault), user_id, namespace, user_from_session=user_from_session)

    def set_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Replace all messages, at once."""
        self._queue.replace(key, _all_from_llamaindex(messages), "active")

    def get_messages(self, key: str) -> list[ChatMessage]:
        """Give messages in order."""
        return _all_to_llamaindex(self._queue.read(key, "active"))

    def add_message(self, key: str, message: ChatMessage) -> None:
        """Add a message."""
        self._queue.add(key, _all_from_llamaindex([message]), "active")

    def delete_messages(self, key: str) -> list[ChatMessage] | None:
        """Erase the session, and give what was in it; None where it was empty."""
        found = self._queue.read(key, "active")
        self._queue.delete(key, None)
        return _all_to_llamaindex(found) or None

    def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Remove the message at a place, and give it."""
        return _first(self._queue.take_at(key, idx))

    def delete_last_message(self, key: str) -> ChatMessage | None:
        """Remove the last message, and give it."""
        return self.delete_message(key, -1)

    def get_keys(self) -> list[str]:
        """Give the keys under which something is."""
        return self._queue.keys()

    @classmethod
    def class_name(cls) -> str:
        """Name the class, as LlamaIndex does."""
        return "VaultLegacyChatStore"


def _status(status: MessageStatus | None) -> Status | None:
    if status is None:
        return None
    return "archived" if status == MessageStatus.ARCHIVED else "active"


def _first(found: list[Message]) -> ChatMessage | None:
    return _to_llamaindex(found[0]) if found else None


def _all_from_llamaindex(messages: list[ChatMessage]) -> list[Message]:
    return [_from_llamaindex(message) for message in messages]


def _all_to_llamaindex(messages: list[Message]) -> list[ChatMessage]:
    return [_to_llamaindex(message) for message in messages]


def _from_llamaindex(message: ChatMessage) -> Message:
    if not isinstance(message, ChatMessage):
        raise InputError("a message is one of LlamaIndex's", hint='ChatMessage("Hello")')
    # JSON, as the store of LlamaIndex keeps it; without warnings, which would show content (P1).
    fields = decoded(message.model_dump(mode="json", warnings=False))
    role, blocks, known = fields.pop("role"), fields.pop("blocks"), {**fields}
    content = blocks
    if len(blocks) == 1 and blocks[0] == {"block_type": "text", "text": blocks[0].get("text")}:
        content = blocks[0]["text"]
    if not known["additional_kwargs"]:
        del known["additional_kwargs"]
    if role not in ROLES:
        known["role"], role = role, "assistant"
    return Message(role, content, {}, {_OURS: known} if known else {})


def _to_llamaindex(message: Message) -> ChatMessage:
    known = message.extra.get(_OURS)
    if not isinstance(known, dict):  # an app said it in other words than LlamaIndex's, or nothing more
        known = {"additional_kwargs": message.extra} if message.extra else {}
    content = message.content
    said = content if isinstance(content, list) else [content] if content is not None else []
    return ChatMessage(
        role=MessageRole(known.get("role", message.role)),
        blocks=[_block(part) for part in encoded(said)],
        additional_kwargs=encoded(known.get("additional_kwargs", {})),
    )


def _block(part: object) -> Any:  # noqa: ANN401 (a block of one of many classes)
    """Give a block; as text, where redaction, or a file that is gone, has left nothing that validates."""
    if isinstance(part, str):
        return TextBlock(text=part)
    if isinstance(part, dict) and "block_type" not in part and isinstance(part.get("text"), str):
        return TextBlock(text=part["text"])  # an app's own
    try:
        return ChatMessage.model_validate({"blocks": [part]}).blocks[0]
    except ValidationError:
        return TextBlock(text=json.dumps(part, ensure_ascii=False, default=repr))
