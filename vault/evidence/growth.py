"""Proof that a log only grew from one signed checkpoint to another: a file that needs no vault (P6)."""

from __future__ import annotations

import msgspec

from vault.errors import TamperedError
from vault.evidence.merkle import grew
from vault.evidence.notes import Checkpoint, Verifier, decode64, open_checkpoint

FORM = "transcript-vault growth 1"


class Growth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two signed checkpoints, and the hashes by which the later log begins as the earlier one (RFC 6962)."""

    format: str = FORM
    old: str
    new: str
    hashes: list[str]


def read_growth(text: str | bytes) -> Growth:
    """Read a proof."""
    try:
        found = msgspec.json.decode(text, type=Growth)
    except (msgspec.MsgspecError, UnicodeError):
        raise TamperedError("this is not a proof of a log's growth") from None
    if found.format != FORM:
        raise TamperedError("the proof is of a form that this release does not know")
    return found


def check_growth(proof: Growth, key: Verifier) -> tuple[Checkpoint, Checkpoint]:
    """Give both checkpoints; raise TamperedError unless the log of the one grew into that of the other."""
    first, second = open_checkpoint(proof.old, key), open_checkpoint(proof.new, key)
    hashes = [decode64(one) or b"" for one in proof.hashes]
    if not grew(first.size, second.size, first.root, second.root, hashes):
        raise TamperedError("the log of one checkpoint did not grow into that of the other")
    return first, second
