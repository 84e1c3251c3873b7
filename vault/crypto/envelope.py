"""The sealed envelope: the one way in which anything is encrypted.

    format (1) ‖ suite (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)

What an envelope belongs to is its AAD, built by `bind` alone.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.errors import TamperedError

FORMAT = 1
AES_256_GCM = 1
HEAD = bytes([FORMAT, AES_256_GCM])
KEY_BYTES = 32
ID_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD = len(HEAD) + NONCE_BYTES + TAG_BYTES

_length = struct.Struct(">I").pack


def random_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def random_id() -> bytes:
    """128 random bits, never used for a second thing."""
    return os.urandom(ID_BYTES)


def bind(*parts: bytes) -> bytes:
    """Join parts so that no two lists of parts give the same bytes: each comes after its length."""
    return _form(*map(len, parts)) % parts


@lru_cache(maxsize=1024)
def _form(*lengths: int) -> bytes:
    """Give what parts of some lengths are put into: nearly all that is bound has one of a few shapes."""
    return b"".join([_length(length).replace(b"%", b"%%") + b"%b" for length in lengths])


def derive(secret: bytes, *info: bytes) -> bytes:
    """Give the key that `secret` has for the purpose named by `info` (HKDF-SHA256)."""
    return HKDF(hashes.SHA256(), KEY_BYTES, None, bind(HEAD, *info)).derive(secret)


class Cipher:
    """One key, ready to seal and to open."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under a fresh nonce, bound to `aad`."""
        nonce = os.urandom(NONCE_BYTES)
        return HEAD + nonce + self._aead.encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Decrypt, or raise TamperedError: another key, another place, other bytes (P2)."""
        if sealed[:2] != HEAD or len(sealed) < OVERHEAD:
            raise TamperedError("not a sealed envelope of a known format")
        try:
            return self._aead.decrypt(sealed[2:14], sealed[14:], aad)
        except InvalidTag:
            raise TamperedError("a sealed envelope does not open in this place") from None
