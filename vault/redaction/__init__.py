"""Redaction: what a message passes through before it is sealed (P1)."""

from __future__ import annotations

from typing import Protocol

from vault.errors import RedactionError, VaultError
from vault.messages import Message


class Redactor(Protocol):
    """Takes personal data out of a message. It raises where it can't: nothing is written then."""

    def redact(self, message: Message) -> Message:
        """Give the message as it may be stored."""


def redact(redactor: Redactor | None, message: Message) -> Message:
    """Redact a message; where that fails, say so without the words of the failure, which may hold content."""
    if redactor is None:
        return message
    try:
        redacted: object = redactor.redact(message)
    except VaultError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever a redactor raises, nothing may be written)
        failure = type(error).__name__
    else:
        if isinstance(redacted, Message):
            return redacted
        failure = f"a {type(redacted).__name__} in place of a Message"
    raise RedactionError(f"the redactor failed with {failure}; the message was not written")
