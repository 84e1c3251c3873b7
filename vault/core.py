"""The parts of a vault, put together. Both faces, `Vault` and `AsyncVault`, are thin shells around this."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vault.chat.reading import Reader
from vault.chat.removing import Remover
from vault.chat.sessions import Sessions
from vault.chat.writing import Entry, Writer
from vault.clock import DAY, Clock, to_datetime
from vault.config import DEFAULT_ROOT, as_url, is_url, is_vault, make_directory, read_settings
from vault.erasure import Eraser
from vault.errors import ConfigError, InputError
from vault.keys.home import adopt
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper
from vault.listing import Lister
from vault.messages import Content, Message, check_id, created_us, encode, pack
from vault.opening import make_ready, open_stores
from vault.redaction import Redactor, redact
from vault.requests import Requests
from vault.roots import from_uri
from vault.status import KeysStatus, read_status
from vault.storage.engine import Runtime, parse_url

DEFAULT_CLASS = "default"


class Unsaid(enum.Enum):
    """The mark of an argument that has no safe default."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a vault is opened with."""

    where: str | os.PathLike[str] | None
    keyring: str | None
    root: str | None
    redactor: Redactor | Unsaid | None
    horizon: str | None
    limit: int | None
    clock: Clock
    create: bool


class Core:
    """One opened vault. Safe to use from many threads, or from many tasks of one loop."""

    def __init__(self, given: Opening, runtime: Runtime, *, is_async: bool) -> None:
        if isinstance(given.redactor, Unsaid):
            raise ConfigError(
                "say how messages are redacted before they are sealed",
                hint="pass a redactor, or redactor=None to store them as they are",
            )
        where = given.where
        if given.create and where is not None and not is_url(where) and not is_vault(Path(where)):
            # What can't be right is refused before it stands in vault.toml.
            from_uri(DEFAULT_ROOT if given.root is None else given.root, relative_to=str(where))
            parse_url(as_url(given.keyring or "", Path(where)))
            make_directory(Path(where), keyring=given.keyring, root=given.root, horizon=given.horizon)
        explicit = {
            "keyring": given.keyring,
            "root": given.root,
            "horizon": given.horizon,
            "limit": given.limit,
        }
        self.settings = read_settings(where, explicit)
        self.stores = open_stores(self.settings, given.clock, runtime, is_async=is_async, create=given.create)
        self.redactor = given.redactor
        self.keyring = Keyring(self.stores)
        self.swapper = Swapper(self.stores, self.keyring)
        self.eraser = Eraser(self.stores, self.swapper)
        self.sessions = Sessions(self.stores, self.keyring, self.eraser)
        self.reader = Reader(self.stores, self.sessions)
        self.writer = Writer(self.stores, self.sessions)
        self.remover = Remover(self.stores, self.sessions, self.reader)
        self.lister = Lister(self.stores, self.keyring)
        self.requests = Requests(self.stores, self.keyring, self.eraser, self.sessions)
        try:
            make_ready(self.stores, self.keyring, self.eraser)
        except BaseException:
            self.stores.close()
            raise

    def extend(
        self, user_id: str, session_id: str, namespace: str, given: Sequence[Message], key: str | None
    ) -> list[Message]:
        """Redact, encode, seal and add messages, all or none; give them as they were stored."""
        if key is not None:
            check_id(key, "idempotency key")
        if not given:
            return []
        redacted = [redact(self.redactor, message) for message in given]
        now, mark = self.stores.clock(), key.encode() if key is not None else None
        entries = [self._entry(message, now, mark) for message in redacted]
        places = [entry.place for entry in entries]
        session = self.sessions.ready(user_id, session_id, namespace, places)
        seqs = self.writer.add(session, entries, key)
        stored = [
            _stored(message, entry, seq) for message, entry, seq in zip(redacted, entries, seqs, strict=True)
        ]
        if mark is None:
            return stored
        first = self.reader.first_said(user_id, session_id, seqs, mark)
        return [first.get(seq, message) for seq, message in zip(seqs, stored, strict=True)]

    def status(self) -> KeysStatus:
        """Say how the root and the keyring stand."""
        return read_status(self.stores)

    def adopt(self) -> None:
        """Take over the root, and repeat first what this keyring has missed."""
        adopt(self.stores)
        make_ready(self.stores, self.keyring, self.eraser)

    def _entry(self, message: Message, now: int, mark: bytes | None) -> Entry:
        created_at = created_us(message, now)
        packed = pack(encode(message, limit=self.stores.limit, key=mark))
        return Entry(packed, message.role, created_at, (DEFAULT_CLASS, created_at // DAY))


def _stored(message: Message, entry: Entry, seq: int) -> Message:
    at = to_datetime(entry.created_at)
    return Message(message.role, message.content, message.metadata, message.extra, at, seq)


def one_message(
    message: str | Message | Mapping[str, Any],
    content: Content | Unsaid,
    metadata: dict[str, Any] | None,
    created_at: datetime | None,
) -> Message:
    """Understand the ways in which one message can be said."""
    if not isinstance(message, str):
        if not isinstance(content, Unsaid) or metadata is not None or created_at is not None:
            raise InputError("a Message or dict carries its own content, metadata and created_at")
        return Message.of(message)
    if isinstance(content, Unsaid):
        raise InputError("a message needs a role and content", hint='append("user", "Hello")')
    if metadata is not None and not isinstance(metadata, dict):
        raise InputError("metadata is a dict")
    return Message(message, content, metadata or {}, {}, created_at)


def many_messages(messages: Iterable[Message | Mapping[str, Any]]) -> list[Message]:
    """Understand many messages at once."""
    return [Message.of(message) for message in messages]
