"""Redaction: what a message passes through before it is sealed (P1).

A redactor takes messages one by one, or, where its placeholders are to hold through a session, in two steps:
it examines them, which may fail and then nothing was written, and finishes with what the session remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from vault.errors import RedactionError, UsageError, VaultError
from vault.messages import Message
from vault.redaction.findings import Finding as Finding
from vault.redaction.memory import Memory


@runtime_checkable
class Redactor(Protocol):
    """Takes personal data out of a message. It raises where it can't: nothing is written then."""

    def redact(self, message: Message) -> Message:
        """Give the message as it may be stored."""


@dataclass(frozen=True, slots=True, repr=False)
class Redacted:
    """A message as it may be stored, and, where the policy keeps them, the values behind its placeholders."""

    message: Message
    values: dict[str, str] | None = None


class Examined(Protocol):
    """Messages in which everything was found."""

    def finish(self, memory: Memory) -> list[Redacted]:
        """Replace what was found. It fails for nothing that `examine` let pass."""


@runtime_checkable
class SessionRedactor(Protocol):
    """A redactor that gives a value the same placeholder all through a session."""

    def examine(self, messages: Sequence[Message], namespace: str) -> Examined:
        """Find everything; raise where that fails."""


def check_redactor(given: object) -> None:
    """Refuse what can't redact before a message is lost by it; None stores messages as they are."""
    if given is not None and (isinstance(given, type) or not isinstance(given, Redactor | SessionRedactor)):
        raise UsageError(
            "a redactor is an object with a method redact(message)",
            hint="leave redactor= away, or pass vault.redaction.engine.Engine(), or None to redact nothing",
        )


class _OneByOne:
    """What a simple redactor has done already."""

    def __init__(self, redacted: list[Redacted]) -> None:
        self._redacted = redacted

    def finish(self, memory: Memory) -> list[Redacted]:  # noqa: ARG002 (the protocol's)
        return self._redacted


def examine(
    redactor: Redactor | SessionRedactor | None, messages: Sequence[Message], namespace: str
) -> Examined:
    """Find everything; where that fails, say so without the words of the failure, which may hold content."""
    if redactor is None:
        return _OneByOne([Redacted(message) for message in messages])
    try:
        if isinstance(redactor, SessionRedactor):
            return redactor.examine(messages, namespace)
        done: list[object] = [redactor.redact(message) for message in messages]
    except VaultError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever a redactor raises, nothing may be written)
        failure = type(error).__name__
    else:
        redacted = [Redacted(message) for message in done if isinstance(message, Message)]
        if len(redacted) == len(done):
            return _OneByOne(redacted)
        other = next(one for one in done if not isinstance(one, Message))
        failure = f"a {type(other).__name__} in place of a Message"
    raise RedactionError(f"the redactor failed with {failure}; the message was not written")
