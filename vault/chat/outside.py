"""The envelope in which a body lies outside the vault: text, so that any memory can hold it.

    tv1. ‖ base64url without padding of
        user node (16) ‖ session node (16) ‖ seq (8, big-endian) ‖ sealed body

The sealed body is the vault's own: format (1) ‖ suite (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16), under the key
of the chapter that the message lies in, with the part `outside` in its AAD. Its plaintext is

    first (8) ‖ last (8) ‖ the message as a body of the vault's holds it

where first to last are seqs that were in the memory before this one was written; first > last: none known.
So whoever puts messages in another order, or leaves one out, contradicts what the others say (P2).
"""

from __future__ import annotations

import base64
import binascii
import struct
from contextlib import suppress
from dataclasses import dataclass

from vault.chat.chapter import Chapter
from vault.crypto.envelope import ID_BYTES, OVERHEAD
from vault.errors import TamperedError

PREFIX = "tv1."
OUTSIDE = b"outside"
NOTHING = 1, 0  # a range of seqs with none in it

_head = struct.Struct(f">{ID_BYTES}s{ID_BYTES}sQ")
_known = struct.Struct(">QQ")

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope, read and not opened: where it says that it belongs."""

    user: bytes
    session: bytes
    seq: int
    sealed: bytes


def write_envelope(envelope: Envelope) -> str:
    """Give an envelope as text."""
    head = _head.pack(envelope.user, envelope.session, envelope.seq)
    return PREFIX + base64.urlsafe_b64encode(head + envelope.sealed).rstrip(b"=").decode()


def is_envelope(text: object) -> bool:
    """Say whether a text claims to be an envelope."""
    return isinstance(text, str) and text.startswith(PREFIX)


def read_envelope(text: str) -> Envelope:
    """Read an envelope, or raise TamperedError: there is one way only to write each."""
    with suppress(binascii.Error, ValueError):
        inner = text.removeprefix(PREFIX).encode("ascii")
        raw = base64.b64decode(inner + b"=" * (-len(inner) % 4), altchars=b"-_", validate=True)
        if len(raw) >= _head.size + OVERHEAD:
            user, session, seq = _head.unpack_from(raw)
            envelope = Envelope(user, session, seq, raw[_head.size :])
            if write_envelope(envelope) == text:
                return envelope
    raise TamperedError("a memory holds an envelope of no known form")


def seal_body(chapter: Chapter, seq: int, role: str, created_at: int, packed: bytes, known: Range) -> bytes:  # noqa: PLR0913, PLR0917 (what it is bound to)
    """Seal a message for a memory outside."""
    return chapter.cipher.seal(_known.pack(*known) + packed, chapter.aad(seq, role, created_at, OUTSIDE))


def open_body(chapter: Chapter, seq: int, role: str, created_at: int, sealed: bytes) -> tuple[Range, bytes]:
    """Open what `seal_body` sealed."""
    plain = chapter.cipher.open(sealed, chapter.aad(seq, role, created_at, OUTSIDE))
    if len(plain) < _known.size:
        raise TamperedError("a sealed body outside is of an unknown form")
    first, last = _known.unpack_from(plain)
    return (first, last), plain[_known.size :]


def check_order(order: list[tuple[int, Range]]) -> None:
    """Raise TamperedError where a message stands before one that was there when it was written (P2).

    `order` are the seqs as the memory gives them. Writers at the same time may come in either order.
    """
    least_after = len(order) * [0]
    least = 2**64
    for index in range(len(order) - 1, -1, -1):
        least_after[index] = least
        least = min(least, order[index][0])
    for index, (seq, (first, last)) in enumerate(order):
        if least_after[index] < seq and any(first <= later <= last for later, _ in order[index + 1 :]):
            raise TamperedError("the messages of a memory stand in another order than they were written in")
