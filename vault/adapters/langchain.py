"""`VaultChatMessageHistory`: LangChain's chat message history, in front of a transcript.

    history = VaultChatMessageHistory("s-1", connection="chat-vault", user_id="u-42")

Messages come back as they were, each of LangChain's class for its type, but for what redaction has
replaced in them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from vault.adapters import framework
from vault.adapters.facing import AnyVault, Awaited, awaited, opened, whose
from vault.aio import AsyncVault
from vault.blobs import decoded, encoded
from vault.errors import InputError, TamperedError, UsageError
from vault.messages import ROLES, Message
from vault.transcript import Transcript

framework("langchain_core", "langchain")  # says how to get it, where the next lines could only fail

from langchain_core import messages as lc  # noqa: E402 (the line above)
from langchain_core.chat_history import BaseChatMessageHistory  # noqa: E402 (the same)
from langchain_core.messages import BaseMessage, convert_to_messages  # noqa: E402 (the same)

_CLASSES: dict[str, type[BaseMessage]] = {
    str(one.model_fields["type"].default): one
    for one in (
        lc.HumanMessage,
        lc.AIMessage,
        lc.SystemMessage,
        lc.ToolMessage,
        lc.FunctionMessage,
        lc.ChatMessage,
        lc.RemoveMessage,
        lc.HumanMessageChunk,
        lc.AIMessageChunk,
        lc.SystemMessageChunk,
        lc.ToolMessageChunk,
        lc.FunctionMessageChunk,
        lc.ChatMessageChunk,
    )
}
_PLAIN: dict[str, type[BaseMessage]] = {
    "user": lc.HumanMessage,
    "assistant": lc.AIMessage,
    "tool": lc.ToolMessage,
    "function": lc.FunctionMessage,
}
_ROLES = {"human": "user", "system": "system", "tool": "tool", "function": "function"}
_BASE64 = "~base64"  # beside fields of which some were base64 and are bytes
_OURS = "langchain"  # the field of `extra` that holds what only LangChain knows


class VaultChatMessageHistory(BaseChatMessageHistory):
    """The messages of one session of one user.

    `connection` is a `Vault`, an `AsyncVault` (then only what is awaited works), or a directory or URL, which
    this process opens once. `async_mode` is there for the sake of others: both kinds of methods work.
    """

    def __init__(  # noqa: PLR0913 (one for each setting)
        self,
        session_id: str,
        connection: AnyVault | str | os.PathLike[str],
        user_id: str | None = None,
        *,
        user_from_session: bool = False,
        namespace: str = "",
        async_mode: bool | None = None,  # noqa: ARG002 (said by others)
    ) -> None:
        super().__init__()
        self.session_id = session_id
        self.user_id = whose(user_id, session_id, user_from_session=user_from_session)
        self._vault = opened(connection)
        self._namespace = namespace
        self._vault.transcript(self.user_id, session_id, namespace=namespace)  # refuses what can't be right

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override, unused-ignore]
        """All messages, in order."""
        return [_to_langchain(message) for message in self._chat.messages()]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages, all or none."""
        self._chat.extend([_from_langchain(message) for message in messages])

    def clear(self) -> None:
        """Erase all messages; the session starts anew."""
        self._chat.clear()

    async def aget_messages(self) -> list[BaseMessage]:
        """Give all messages, in order."""
        return [_to_langchain(message) for message in await self._awaited.messages()]

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages, all or none."""
        await self._awaited.extend([_from_langchain(message) for message in messages])

    async def aclear(self) -> None:
        """Erase all messages; the session starts anew."""
        await self._awaited.clear()

    @property
    def _chat(self) -> Transcript:
        if isinstance(self._vault, AsyncVault):
            raise UsageError(
                "an AsyncVault can only be awaited",
                hint="ainvoke and aget_messages, or a Vault, with which both kinds of methods work",
            )
        return self._vault.transcript(self.user_id, self.session_id, namespace=self._namespace)

    @property
    def _awaited(self) -> Awaited:
        return awaited(self._vault, self.user_id, self.session_id, namespace=self._namespace)


def _from_langchain(message: BaseMessage) -> Message:
    if not isinstance(message, BaseMessage):
        raise InputError("a message is one of LangChain's", hint='HumanMessage("Hello")')
    if message.type not in _CLASSES:
        raise InputError("a message of an unknown type would not come back as one")
    fields = message.model_dump(exclude_defaults=True, warnings=False)  # a warning would show content (P1)
    has = decoded(fields)
    if has != fields:
        fields = {**has, _BASE64: True}
    fields["type"] = message.type
    name = fields.pop("name", None)
    extra = {_OURS: fields} if name is None else {"name": name, _OURS: fields}
    kind = message.type.removesuffix("MessageChunk").lower()
    said_as = fields.get("role") if kind == "chat" else _ROLES.get(kind)
    role = said_as if isinstance(said_as, str) and said_as in ROLES else "assistant"
    return Message(role, fields.pop("content", ""), {}, extra)


def _to_langchain(message: Message) -> BaseMessage:
    fields = message.extra.get(_OURS)
    if not isinstance(fields, dict):  # an app said it in other words than LangChain's
        return _in_other_words(message)
    kind = _CLASSES.get(str(fields.get("type")))
    if kind is None:
        raise TamperedError("a message is of a class that this release of LangChain does not know")
    given: dict[str, Any] = {**fields, "content": message.content}
    if given.pop(_BASE64, False):
        given = encoded(given)
    if "name" in message.extra:
        given["name"] = message.extra["name"]
    # As it was when it was sealed: a validator might change it, or tell in its error what is in it (P1).
    return kind.model_construct(**given)


def _in_other_words(message: Message) -> BaseMessage:
    """Give what an app said without LangChain; as a plain message of its role, where LangChain can't take it.

    Its errors go no further: they hold what was said (P1). It checks little, so that they are of four kinds:
    a tool's answer without an id is a KeyError, calls without a function are a TypeError, a text in place of
    calls is an AttributeError, and what a model of pydantic's refuses a ValueError.
    """
    try:
        [found] = convert_to_messages([message.to_dict()])
    except (AttributeError, LookupError, TypeError, ValueError):
        kind = _PLAIN.get(message.role, lc.SystemMessage)
        own = {name: kind.model_fields.get(name) for name in ("name", "tool_call_id")}
        fields = {
            name: message.extra.get(name, "")
            for name, field in own.items()
            if field is not None and (field.is_required() or name in message.extra)
        }
        said: Any = message.content if message.content is not None else ""
        fields["content"] = [said] if isinstance(said, dict) else said
        fields["additional_kwargs"] = {
            name: part for name, part in message.extra.items() if name not in fields
        }
        found = kind.model_construct(**fields)
    return found
