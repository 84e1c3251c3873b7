"""Sessions of the OpenAI Agents SDK, wrapped: anything that has the four methods of its protocol."""

from __future__ import annotations

from typing import Any

from vault.blobs import decoded, encoded
from vault.errors import InputError, TamperedError
from vault.messages import ROLES, Message
from vault.wrapping.fields import fold, unfold
from vault.wrapping.flows import Wrapping
from vault.wrapping.shelf import Remembered
from vault.wrapping.wrapper import Wrapper

_ALL = 2**31 - 1  # None would stand for the session's own limit
_BY = {"function_call": "assistant", "function_call_output": "tool", "reasoning": "assistant"}


def wrap(wrapper: Wrapper, memory: Any, session_id: str | None) -> SealedSession:
    """Wrap one session."""
    name = session_id or getattr(memory, "session_id", None)
    return SealedSession(wrapper.of(SessionShelf(memory), name), memory)


class SealedSession:
    """A session whose storage holds sealed items only."""

    def __init__(self, wrapping: Wrapping, memory: Any) -> None:
        self._wrapping = wrapping
        self._memory = memory
        self.user_id = wrapping.user_id
        self.session_id = wrapping.session_id
        self.session_settings = getattr(memory, "session_settings", None)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Give the items, opened: all, or the latest."""
        found: Remembered = await self._wrapping.arun(self._wrapping.read())
        most = limit if limit is not None else getattr(self.session_settings, "limit", None)
        if most is None:
            return found
        kept = found[max(0, len(found) - most) :] if most > 0 else []
        return Remembered(kept, purged=found.purged, erased=found.erased, trimmed=found.trimmed)

    async def add_items(self, items: list[Any]) -> None:
        """Redact, seal and add items."""
        await self._wrapping.arun(self._wrapping.add(items))

    async def pop_item(self) -> Any:
        """Remove the last item and give it."""
        return await self._wrapping.arun(self._wrapping.pop(self._memory.pop_item))

    async def clear_session(self) -> None:
        """Erase what the session holds, here and in the storage."""
        await self._wrapping.arun(self._wrapping.clear())


class SessionShelf:
    """A session's own methods."""

    awaits = True

    def __init__(self, session: Any) -> None:
        self._session = session

    async def read(self) -> Any:
        """Give all items as they are stored."""
        return list(await self._session.get_items(_ALL))

    async def add(self, items: list[Any]) -> Any:
        """Add items."""
        await self._session.add_items(items)

    async def clear(self) -> Any:
        """Remove all items."""
        await self._session.clear_session()

    async def rewrite(self, old: list[Any], new: list[Any]) -> Any:
        """Put other items in the place of all."""
        from vault.wrapping.rewriting import arewrite  # noqa: PLC0415 (few need it)

        await arewrite(self._session, old, new)

    def text(self, item: dict[str, Any]) -> object:
        """Give the content."""
        return item.get("content")

    def stand_in(self, item: dict[str, Any], text: str) -> dict[str, Any]:
        """Give an item with the same role and type, where they are known words, and an envelope."""
        role, kind = item.get("role"), item.get("type")
        said = {"role": role} if role in ROLES else {}
        return {**said, **({"type": kind} if kind in _KINDS else {}), "content": text}

    def message(self, item: Any) -> Message:
        """Give an item in the vault's form: every field of it."""
        if not isinstance(item, dict):
            raise InputError("an item of a session is a dict")
        role = item.get("role")
        return fold(decoded(item), role if isinstance(role, str) else _BY.get(str(item.get("type")), "user"))

    def item(self, message: Message, stored: dict[str, Any]) -> dict[str, Any]:
        """Give back the item that was added."""
        found: dict[str, Any] = encoded(unfold(message))
        if {**self.stand_in(found, ""), "content": None} != {**stored, "content": None}:
            raise TamperedError("the role or type of an item in a memory was edited")
        return found


_KINDS = frozenset(
    {
        "message",
        "function_call",
        "function_call_output",
        "reasoning",
        "computer_call",
        "computer_call_output",
        "file_search_call",
        "web_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "item_reference",
        "compaction",
    }
)
