"""The certificate of an erasure, and the record of one that is under way.

Neither holds content, a user id or a session id: a person appears as a random pseudonym, which only the
tombstone in the keyring ties to a blind index (P6).
"""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec


class Why(enum.StrEnum):
    """Who asked for an erasure, in one word; the values are stored."""

    FORGET_USER = "forget-user"
    FORGET_SESSION = "forget-session"
    DELETE = "delete"
    PURGE = "purge"

    @property
    def leaves_tombstone(self) -> bool:
        """Whether the name stays blocked: a person asked, not the app."""
        return self in {Why.FORGET_USER, Why.FORGET_SESSION}


class Status(enum.StrEnum):
    """How far an erasure reaches."""

    REQUESTED = "requested"
    PROVISIONAL = (
        "provisional"  # the keys are cut off; a retained root generation and an old keyring open them
    )
    FINAL = "final"  # nothing that was ever copied opens them (P3)


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, why, and from when on nothing opens it. Times are UTC."""

    format: str = "transcript-vault erasure 1"
    id: str
    vault: str
    kind: Why
    pseudonym: str
    status: Status
    sessions: int
    messages: int
    reason: str
    actor: str
    requested_at: datetime
    cut_at: datetime | None = None
    due_at: datetime | None = None
    final_at: datetime | None = None
    retired: str | None = None
    receipt: str | None = None
    proof: dict[str, str] | None = None
    signature: str | None = None

    def to_json(self) -> str:
        """Give the certificate as one self-contained JSON document."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure as the keyring remembers it: enough to take it up again after a crash."""

    certificate: Certificate
    now: bool = False

    def encode(self) -> str:
        """Write it for the keyring."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def decode(text: str) -> Record:
        """Read what `encode` wrote."""
        return msgspec.json.decode(text, type=Record)
