"""What apps say: messages in their many forms, requests, purposes, arguments without a safe default."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vault.errors import InputError, UsageError
from vault.messages import Content, Message, check_words


class Unsaid(enum.Enum):
    """The mark of an argument that has no safe default."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How somebody asks to forget: why and who, whether at once, and what it may wait for."""

    reason: str = ""
    actor: str = ""
    now: bool = False
    when_released: bool = False
    except_floors: bool = False

    def check_words(self) -> None:
        """Refuse what evidence could not hold: it would stop every later erasure, and the next opening."""
        check_words(self.reason, "reason")
        check_words(self.actor, "actor")


def check_purpose(purpose: str) -> None:
    """Originals are read for a purpose that can be named (P6)."""
    if not check_words(purpose, "purpose").strip():
        raise UsageError(
            "originals, and what is hidden, are read for a purpose", hint='purpose="request 881"'
        )


def one_message(
    message: str | Message | Mapping[str, Any],
    content: Content | Unsaid,
    metadata: dict[str, Any] | None,
    created_at: datetime | None,
) -> Message:
    """Understand the ways in which one message can be said."""
    if not isinstance(message, str):
        if not isinstance(content, Unsaid) or metadata is not None or created_at is not None:
            raise InputError("a Message or dict carries its own content, metadata and created_at")
        return Message.of(message)
    if isinstance(content, Unsaid):
        raise InputError("a message needs a role and content", hint='append("user", "Hello")')
    if metadata is not None and not isinstance(metadata, dict):
        raise InputError("metadata is a dict")
    return Message(message, content, metadata or {}, {}, created_at)


def many_messages(messages: Iterable[Message | Mapping[str, Any]]) -> list[Message]:
    """Understand many messages at once."""
    return [Message.of(message) for message in messages]
