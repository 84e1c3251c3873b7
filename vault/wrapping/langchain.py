"""LangChain chat histories, wrapped: anything that is a `BaseChatMessageHistory`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
)

from vault.blobs import decoded, encoded
from vault.errors import TamperedError
from vault.messages import Message
from vault.wrapping.fields import fold, unfold
from vault.wrapping.flows import Wrapping
from vault.wrapping.shelf import Remembered
from vault.wrapping.wrapper import Wrapper

_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "function"}
_BASE64 = "~base64"  # beside fields of which some were base64 and are bytes
_SEALED = "sealed"  # where a type asks for one more text


def wrap(wrapper: Wrapper, memory: BaseChatMessageHistory, session_id: str | None) -> BaseChatMessageHistory:
    """Wrap one history, which is of one session."""
    name = session_id or getattr(memory, "session_id", None)
    trims = any(getattr(memory, setting, None) for setting in ("ttl", "history_size"))
    own = type(memory).aget_messages is not BaseChatMessageHistory.aget_messages
    by_itself = own and getattr(memory, "async_mode", True)  # SQLChatMessageHistory has either sync or async
    return SealedChatMessageHistory(
        wrapper.of(HistoryShelf(memory), name, trims=trims),
        wrapper.of(AsyncHistoryShelf(memory) if by_itself else HistoryShelf(memory), name, trims=trims),
    )


class SealedChatMessageHistory(BaseChatMessageHistory):
    """A chat history whose storage holds sealed messages only."""

    def __init__(self, wrapping: Wrapping, awaited: Wrapping) -> None:
        super().__init__()
        self._wrapping = wrapping
        self._awaited = awaited
        self.user_id = wrapping.user_id
        self.session_id = wrapping.session_id

    def _read(self) -> Remembered:
        """Give all messages, opened. The list has the counts of what is not in it."""
        return self._wrapping.run(self._wrapping.read())

    messages: Any = property(_read)  # what is an attribute there may be a property here

    async def aget_messages(self) -> Remembered:
        """Give all messages, opened."""
        return await self._awaited.arun(self._awaited.read())

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Redact, seal and add messages."""
        self._wrapping.run(self._wrapping.add(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Redact, seal and add messages."""
        await self._awaited.arun(self._awaited.add(messages))

    def clear(self) -> None:
        """Erase what the session holds, here and in the storage."""
        self._wrapping.run(self._wrapping.clear())

    async def aclear(self) -> None:
        """Erase what the session holds, here and in the storage."""
        await self._awaited.arun(self._awaited.clear())


class HistoryShelf:
    """A history's own methods."""

    awaits = False

    def __init__(self, history: BaseChatMessageHistory) -> None:
        self._history = history

    def read(self) -> Any:
        """Give all messages as they are stored."""
        return list(self._history.messages)

    def add(self, items: list[BaseMessage]) -> Any:
        """Add messages."""
        self._history.add_messages(items)

    def clear(self) -> Any:
        """Remove all messages."""
        self._history.clear()

    def rewrite(self, old: list[BaseMessage], new: list[BaseMessage]) -> Any:
        """Put other messages in the place of all."""
        from vault.wrapping.rewriting import rewrite  # noqa: PLC0415 (few need it)

        return rewrite(self._history, old, new)

    def text(self, item: BaseMessage) -> object:
        """Give the content."""
        return item.content

    def stand_in(self, item: BaseMessage, text: str) -> BaseMessage:
        """Give a message of the same type with an envelope as its content."""
        match item:
            case HumanMessage():
                return HumanMessage(content=text)
            case AIMessage():
                return AIMessage(content=text)
            case SystemMessage():
                return SystemMessage(content=text)
            case ToolMessage():
                return ToolMessage(content=text, tool_call_id=_SEALED)
            case FunctionMessage():
                return FunctionMessage(content=text, name=_SEALED)
            case _:
                return ChatMessage(content=text, role=_SEALED)

    def message(self, item: BaseMessage) -> Message:
        """Give a message in the vault's form: every field of it."""
        said = message_to_dict(item)
        kind = str(said["type"])
        role = item.role if isinstance(item, ChatMessage) else kind.removesuffix("MessageChunk").lower()
        fields = {**said["data"], "type": kind}
        has = decoded(fields)
        return fold(fields if has == fields else {**has, _BASE64: True}, _ROLES.get(role, role))

    def item(self, message: Message, stored: BaseMessage) -> BaseMessage:
        """Give back the message that was added; its type is what was sealed, whatever is stored."""
        fields = unfold(message)
        if fields.pop(_BASE64, False):
            fields = encoded(fields)
        [found] = messages_from_dict([{"type": fields["type"], "data": fields}])
        if type(self.stand_in(found, "")) is not type(stored):
            raise TamperedError("the type of a message in a memory was edited")
        return found


class AsyncHistoryShelf(HistoryShelf):
    """The same, by the async methods of a history that has its own."""

    awaits = True

    async def read(self) -> Any:
        """Give all messages as they are stored."""
        return list(await self._history.aget_messages())

    async def add(self, items: list[BaseMessage]) -> Any:
        """Add messages."""
        await self._history.aadd_messages(items)

    async def clear(self) -> Any:
        """Remove all messages."""
        await self._history.aclear()

    async def rewrite(self, old: list[BaseMessage], new: list[BaseMessage]) -> Any:
        """Put other messages in the place of all."""
        from vault.wrapping.rewriting import arewrite  # noqa: PLC0415 (few need it)

        await arewrite(self._history, old, new)
