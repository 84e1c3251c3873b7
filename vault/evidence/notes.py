"""Signed notes and checkpoints, as C2SP has them: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint.

A note is a text, a blank line, and lines of signatures. A checkpoint is the text that names a log, its size
and its root. Any tool that knows the two checks them with the public key alone. Pure functions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vault.errors import TamperedError, UsageError
from vault.evidence.merkle import HASH_BYTES
from vault.forks import cached

_ED25519 = b"\1"
_ID_BYTES = 4
_MARK = "— "
_SIGNATURES = 64  # as many as a reader must be able to bear
_NAME = re.compile(r"[^\s+\ud800-\udfff]+")
_NEVER = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # stands in no note: of UTF-8, and of lines
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX_ID = re.compile(r"[0-9a-f]{8}")


def encode64(data: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(data).decode()


def decode64(text: str) -> bytes | None:
    """Read base64; None for anything that `encode64` would not have written."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode64(data) == text else None


def key_id(name: str, public: bytes) -> bytes:
    """Give the hash by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_BYTES]


@dataclass(frozen=True)
class Verifier:
    """A public key and the name of whoever signs with it."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Give the hash by which a signature names this key."""
        return key_id(self.name, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode64(_ED25519 + self.public)}"

    @staticmethod
    def parse(text: str) -> Verifier:
        """Read a key as `vault keys public` prints it."""
        name, _, rest = text.strip().partition("+")
        written, _, encoded = rest.partition("+")
        data = decode64(encoded)
        is_key = (
            _NAME.fullmatch(name)
            and _HEX_ID.fullmatch(written)
            and data is not None
            and len(data) == 1 + HASH_BYTES
            and data[:1] == _ED25519
        )
        if not is_key or data is None or key_id(name, data[1:]).hex() != written:
            raise UsageError("this is not a public key of a vault", hint="vault keys public prints it")
        return Verifier(name, data[1:])

    @cached
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public)

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Say whether the owner of this key signed a message."""
        try:
            self._key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def open(self, note: str) -> str:
        """Give the text of a note; raise TamperedError unless this key signed it."""
        text, blank, lines = note.rpartition("\n\n")
        if not blank or not lines.endswith("\n") or _NEVER.search(note):
            raise TamperedError("this is not a signed note")
        text += "\n"
        signatures = lines[:-1].split("\n")
        if len(signatures) > _SIGNATURES:
            raise TamperedError("a note has too many signatures")
        mine = []
        for line in signatures:
            name, _, encoded = line.removeprefix(_MARK).partition(" ")
            data = decode64(encoded)
            well_formed = line.startswith(_MARK) and _NAME.fullmatch(name) and data is not None
            if not well_formed or data is None or len(data) <= _ID_BYTES:
                raise TamperedError("a signature of a note is malformed")
            if (name, data[:_ID_BYTES]) == (self.name, self.id):
                mine.append(data[_ID_BYTES:])
        if not mine:
            raise TamperedError("a note is not signed with this key")
        if not all(self.signed(text.encode(), one) for one in mine):
            raise TamperedError("the signature of a note does not fit its text")
        return text


class Signer:
    """A private key and the name of whoever signs with it."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError("a key's name has no space and no plus")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def signature(self, message: bytes) -> bytes:
        """Sign a message."""
        return self._key.sign(message)

    def sign(self, text: str) -> str:
        """Make a note of a text, which ends with a line's end."""
        if not text.endswith("\n"):
            raise ValueError("the text of a note ends with a line's end")
        signed = encode64(self.verifier.id + self.signature(text.encode()))
        return f"{text}\n{_MARK}{self.verifier.name} {signed}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: whose it is, how many entries it has, and their root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"

    @staticmethod
    def parse(text: str) -> Checkpoint:
        """Read the text of a checkpoint; lines that follow the three are somebody else's."""
        origin, _, rest = text.partition("\n")
        size, _, rest = rest.partition("\n")
        encoded, end, _ = rest.partition("\n")
        root = decode64(encoded)
        if not origin or not _SIZE.fullmatch(size) or not end or root is None or len(root) != HASH_BYTES:
            raise TamperedError("this is not a checkpoint")
        return Checkpoint(origin, int(size), root)


def open_checkpoint(note: str, key: Verifier) -> Checkpoint:
    """Read a signed checkpoint of the log that belongs to a key; raise TamperedError for any other."""
    found = Checkpoint.parse(key.open(note))
    if found.origin != key.name:
        raise TamperedError("a checkpoint is of another log")
    return found
