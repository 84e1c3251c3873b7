"""What an import has read of its source: by it messages are told apart, and a source that has changed."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec

from vault.errors import ConfigError
from vault.messages import Message
from vault.transfer.output import put_cursor
from vault.transfer.sources import Incoming

Names = tuple[str, str]  # of a user and a session, as the vault tells them apart


def summed(said: bytes) -> bytes:
    """Sum up what must not be kept itself."""
    return hashlib.sha256(said).digest()[:16]


class Trail:
    """The entries of a source that were read so far. It stays in memory: what is kept is made under a key."""

    def __init__(self, kind: str, key: bytes) -> None:
        self._kind = kind
        self._chains: dict[Names, bytes] = {}
        self._moments: dict[Names, tuple[int, Counter[bytes]]] = {}
        self._passed = hmac.new(key, digestmod="sha256")

    @property
    def passed(self) -> str:
        """A keyed hash of them all."""
        return self._passed.hexdigest()

    def pass_by(self, entry: Incoming) -> None:
        """Go on by one entry."""
        self._passed.update(repr([entry.user_id, entry.session_id, entry.name, entry.seq]).encode())

    def told_apart(
        self, names: Names, entry: Incoming, message: Message, packed: bytes, at: int | None
    ) -> bytes:
        """Give what the message of that entry is known by when it comes again; by its seq out of an export.

        Its name in the source or its time is enough, with what it says; those that say the same at one time
        are counted. Where a source has neither, it binds all those before it in the session, so that another
        file, or one that was begun anew, is told apart.
        """
        digest = summed(repr([self._kind, entry.name, message.role, at]).encode() + packed)
        self._passed.update(digest)
        if entry.seq is not None:
            return b""
        if entry.name:
            return digest
        if at is None:
            self._chains[names] = summed(self._chains.get(names, b"") + digest)
            return self._chains[names]
        before, same = self._moments.get(names, (None, Counter[bytes]()))
        same = same if before == at else Counter()
        same[digest] += 1
        self._moments[names] = at, same
        return summed(digest + same[digest].to_bytes(8, "big"))


class Cursor(msgspec.Struct):
    """How far an import has come, in entries of its source; `passed` is that of its trail."""

    asked: str
    done: int = 0
    passed: str = ""


def read_cursor(path: Path, asked: str) -> Cursor:
    """Give where the same import has come to; its beginning, where there is no such file."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Cursor(asked)
    except OSError as error:
        raise ConfigError(f"the cursor can't be read: {error.strerror}", hint="name a file") from None
    cursor: Cursor | None = None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        cursor = msgspec.json.decode(text, type=Cursor)
    if cursor is None or cursor.asked != asked:
        raise ConfigError("the cursor is that of another import", hint="name a new file, or remove it")
    return cursor


def write_cursor(path: Path, cursor: Cursor) -> None:
    """Remember how far it came; what it counts is durable already."""
    put_cursor(path, msgspec.json.encode(cursor))
