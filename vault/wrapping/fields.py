"""Items that are dicts, as messages of the vault's, and back without a difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vault.messages import ROLES, Message

_OWN = frozenset({"role", "content", "metadata", "created_at"})
_MARK = "~"  # stands before a name that a message has itself, or that begins with the mark
_NO_CONTENT = "~"


def fold(fields: Mapping[str, Any], role: str) -> Message:
    """Make a message of a dict: its content where it has one, all the rest as extra fields."""
    content = fields.get("content")
    fits = isinstance(content, str | list | dict | None)
    extra = {
        _MARK + name if name in _OWN or name.startswith(_MARK) else name: part
        for name, part in fields.items()
        if name != "content" or not fits
    }
    if "content" not in fields:
        extra[_NO_CONTENT] = True
    return Message(role if role in ROLES else "user", content if fits else None, {}, extra)


def unfold(message: Message) -> dict[str, Any]:
    """Give back the dict that `fold` was given."""
    fields = {name.removeprefix(_MARK): part for name, part in message.extra.items() if name != _NO_CONTENT}
    if _NO_CONTENT not in message.extra and "content" not in fields:
        fields["content"] = message.content
    return fields
