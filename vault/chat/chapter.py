"""A chapter: the key of one transcript's part in one epoch, and what each of its bodies is bound to."""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from functools import lru_cache

from vault.crypto.envelope import HEAD, ID_BYTES, Cipher, bind, derive
from vault.errors import TamperedError

BODY = b"body"
ORIGINALS = b"originals"

_numbers = struct.Struct(">IQIq")  # two 8-byte parts of `bind`: seq, created_at


@lru_cache
def _tail(role: str, part: bytes) -> bytes:
    return bind(role.encode(), part)


@dataclass(frozen=True, slots=True, repr=False)
class Chapter:
    """Seals and opens bodies. `prefix` is the part of the AAD that all of them share."""

    id: int
    place: bytes
    cipher: Cipher
    prefix: bytes

    def aad(self, seq: int, role: str, created_at: int, part: bytes = BODY) -> bytes:
        """Give what a body is bound to: all the immutable facts of its row (P2)."""
        return self.prefix + _numbers.pack(8, seq, 8, created_at) + _tail(role, part)


def make_chapter(chapter: int, vault: bytes, session: bytes, place: bytes, key: bytes) -> Chapter:
    """Make a chapter from its key."""
    return Chapter(chapter, place, Cipher(key), bind(HEAD, vault, session, place))


def chapter_key(session_key: bytes, epoch_key: bytes, session: bytes, epoch: bytes) -> bytes:
    """Derive the key of a session's part in an epoch: destroying either destroys it."""
    return derive(session_key + epoch_key, b"chapter", session, epoch)


def chapter_seal(session_key: bytes, session: bytes, place: bytes) -> bytes:
    """Give the code that shows that a session has a chapter in this place, or had it before its key died."""
    said = bind(session, place)
    return hmac.digest(derive(session_key, b"chapter seal"), said, "sha256")[:ID_BYTES]


def check_seal(seal: bytes, session_key: bytes, session: bytes, place: bytes) -> None:
    """Raise TamperedError for a chapter that the session never had (P2)."""
    if not hmac.compare_digest(seal, chapter_seal(session_key, session, place)):
        raise TamperedError("a chapter was made for a session that never had it")
