"""The certificate of an erasure, and the record of one that is under way.

Neither holds content, a user id or a session id: a person appears as a random pseudonym, which only the
tombstone in the keyring ties to a blind index (P6). A certificate that is given out carries its proof: its
entry of the log, the way from there to a signed checkpoint, and a signature over all of it.
"""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from vault.evidence.entries import FORMAT, Entry, Step, canonical, facts_of

FORM = "transcript-vault erasure 1"


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


_STEPS = {Status.REQUESTED: Step.INTENT, Status.PROVISIONAL: Step.COMPLETED, Status.FINAL: Step.FINAL}


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the log says the same: the entry, its place, the way to the root, the signed checkpoint."""

    index: int
    entry: str
    hashes: list[str]
    checkpoint: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was erased, why, and from when on nothing opens it. Times are UTC."""

    format: str = FORM
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
    proof: Proof | None = None
    key: str | None = None
    signature: str | None = None

    def to_json(self) -> str:
        """Give the certificate as one self-contained JSON document."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def with_proof(self, proof: Proof, key: str) -> Certificate:
        """Give the certificate with what shows that the log says the same."""
        return msgspec.structs.replace(self, proof=proof, key=key)

    def signed(self, signature: str) -> Certificate:
        """Give the certificate with its signature."""
        return msgspec.structs.replace(self, signature=signature)


def sealed_text(certificate: Certificate | dict[str, object]) -> bytes:
    """Give what the signature of a certificate covers: everything else in it."""
    said = dict(msgspec.to_builtins(certificate)) | {"signature": None}
    return FORM.encode() + b"\n" + canonical(said)


def entry_of(certificate: Certificate, at: datetime) -> Entry:
    """Give the entry by which the log says what a certificate says."""
    is_final = certificate.status is Status.FINAL
    return Entry(
        format=FORMAT,
        act=certificate.id,
        at=at,
        kind=certificate.kind,
        step=_STEPS[certificate.status],
        subject=certificate.pseudonym,
        actor=certificate.actor,
        reason=certificate.reason,
        facts=facts_of(
            {
                "sessions": certificate.sessions,
                "messages": certificate.messages,
                "requested_at": certificate.requested_at,
                "cut_at": certificate.cut_at,
                "due_at": certificate.due_at,
                "final_at": certificate.final_at,
                "retired": certificate.retired,
                # What a root says of a destruction may come before the rows are deleted; it counts with them.
                "receipt": certificate.receipt if is_final else None,
            }
        ),
    )


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure as the keyring remembers it: enough to take it up again after a crash.

    Of a request that waits for floors it remembers the sessions that they keep, and how many messages each
    has, those that were removed from it counted.
    """

    certificate: Certificate
    now: bool = False
    kept: tuple[bytes, ...] = ()
    counts: tuple[int, ...] = ()

    def encode(self) -> str:
        """Write it for the keyring."""
        return msgspec.json.encode(self).decode()

    @property
    def counted(self) -> dict[bytes, int]:
        """Give the sessions that floors keep, each with the number of its messages, where that was noted."""
        return dict.fromkeys(self.kept, 0) | dict(zip(self.kept, self.counts, strict=False))

    @staticmethod
    def decode(text: str) -> Record:
        """Read what `encode` wrote."""
        return msgspec.json.decode(text, type=Record)
