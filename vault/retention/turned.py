"""How a run that a schedule asked for ended, and the seal by which its row is known."""

from __future__ import annotations

import enum
import hmac
from dataclasses import replace

from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.errors import TamperedError
from vault.storage.turns import TurnRow


class Outcome(enum.StrEnum):
    """How a run ended."""

    SEEN = "seen"  # never run yet: what the schedule asked for before is not made up for
    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


def sealed(row: TurnRow, service: bytes) -> TurnRow:
    """Give a row with its seal."""
    return replace(row, seal=_seal(row, service))


def checked(row: TurnRow, service: bytes) -> TurnRow:
    """Give a row back; raise TamperedError where no daemon of this vault wrote it."""
    if not hmac.compare_digest(row.seal, _seal(row, service)):
        raise TamperedError("the keyring holds a scheduled run that no daemon of this vault wrote")
    return row


def _seal(row: TurnRow, service: bytes) -> bytes:
    facts = (row.due, row.fence, row.begun_at, row.ended_at)
    said = bind(row.job.encode(), *(str(fact).encode() for fact in facts), row.outcome.encode())
    return hmac.digest(derive(service, b"turns"), said, "sha256")[:ID_BYTES]
