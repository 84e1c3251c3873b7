"""`vault.wrap`: a memory that keeps its own storage, whose messages are sealed before they reach it."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from importlib import import_module
from typing import Any

from vault.core import Core
from vault.errors import UsageError
from vault.wrapping import agents, named
from vault.wrapping.flows import Waits
from vault.wrapping.wrapper import Wrapper

# The base classes of frameworks, and what wraps them, which imports its framework. None is imported to look.
_KINDS = {
    "langchain_core.chat_history.BaseChatMessageHistory": "vault.wrapping.langchain",
    "llama_index.core.storage.chat_store.base.BaseChatStore": "vault.wrapping.llamaindex",
}
_SESSION = ("get_items", "add_items", "pop_item", "clear_session")  # the protocol of the OpenAI Agents SDK


def wrap(  # noqa: PLR0913 (what can be said of a memory)
    core: Core,
    waits: Waits | None,
    memory: Any,
    *,
    user_id: str,
    session_id: str | None,
    namespace: str,
    mode: str,
    adopt: bool,
    trims: bool | None,
    add: str,
    read: str,
    clear: str,
    replace: str,
    keep: Collection[str],
) -> Any:
    """Give an object of the memory's own interface, in front of the vault and then of the memory."""
    wrapper = Wrapper(core, waits, user_id, namespace=namespace, mode=mode, adopt=adopt, trims=trims)
    if add or read:
        names = {"add": add, "read": read, "clear": clear, "replace": replace}
        return named.wrap(wrapper, memory, session_id, names, frozenset(keep))
    for kind in type(memory).__mro__:
        module = _KINDS.get(f"{kind.__module__}.{kind.__qualname__}")
        if module is not None:
            return import_module(module).wrap(wrapper, memory, session_id)
    if all(inspect.iscoroutinefunction(getattr(memory, name, None)) for name in _SESSION):
        return agents.wrap(wrapper, memory, session_id)
    raise UsageError(
        "this memory is of no framework that is known here",
        hint='name its methods: vault.wrap(memory, add="save_message", read="load_conversation", …)',
    )
