"""`VaultChatMemory`: the memory that an app wrote by hand, over a transcript in place of a table.

memory = VaultChatMemory("u-42", "s-1", connection="chat-vault")
memory.save_message("user", "Hello")
memory.load_conversation()  # [{"role": "user", "content": "Hello"}]
"""

from __future__ import annotations

import os
from typing import Any

from vault.adapters.facing import opened
from vault.client import Vault
from vault.errors import UsageError
from vault.messages import Content, Message


class VaultChatMemory:
    """The messages of one session of one user. `connection` is a `Vault`, or a directory or URL."""

    def __init__(
        self,
        user_id: str,
        session_id: str,
        connection: Vault | str | os.PathLike[str],
        *,
        namespace: str = "",
    ) -> None:
        vault = opened(connection)
        if not isinstance(vault, Vault):
            raise UsageError("this memory is not awaited, and takes a Vault", hint='Vault.open("chat-vault")')
        self._chat = vault.transcript(user_id, session_id, namespace=namespace)

    def save_message(self, role: str, content: Content, **fields: Any) -> Message:  # noqa: ANN401 (what models use)
        """Add a message, with others of a model's fields, such as tool_calls; give it as it was stored."""
        return self._chat.append({**fields, "role": role, "content": content})

    def load_conversation(self, last: int | None = None) -> list[dict[str, Any]]:
        """Give the messages in order, as dicts that a model takes: all, or the `last` ones."""
        return [message.to_dict() for message in self._chat.messages(last=last)]

    def clear(self) -> None:
        """Erase all messages; the session starts anew."""
        self._chat.clear()
