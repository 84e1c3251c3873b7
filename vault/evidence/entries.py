"""What one entry of the log says: canonical JSON (RFC 8785), with no content and no user id in it (P6)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import rfc8785

from vault.crypto.blind import normalized
from vault.errors import TamperedError

FORMAT = 1
_EXACT = 2**53 - 1  # what a number of JSON can say exactly


class Step(enum.StrEnum):
    """How far an act has come; what is one transaction with its act has only been completed."""

    INTENT = "intent"
    COMPLETED = "completed"
    FINAL = "final"


class Kind(enum.StrEnum):
    """Acts that are no erasures; those have the words of `certificate.Why`. The values are stored."""

    CREATE = "create"
    ENROLL = "enroll"
    ROTATE = "rotate"
    DESTROY = "destroy"
    ADOPT = "adopt"
    MOVE = "move"
    RESTORE = "restore"
    REVEAL = "reveal"
    EXPORT = "export"
    IMPORT = "import"
    HOLD = "hold"
    RELEASE = "release"
    REQUEST = "request"
    PURGE_RUN = "purge-run"
    POLICY = "policy"
    INTEGRITY = "integrity"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One entry. `subject` is a pseudonym; `facts` are counts, times, ids and words of the operator."""

    format: int
    act: str
    at: datetime
    kind: str
    step: Step
    subject: str = ""
    actor: str = ""
    reason: str = ""
    facts: dict[str, Any] = {}

    def encode(self) -> str:
        """Write the entry in the one form that is hashed."""
        return canonical(msgspec.to_builtins(self)).decode()

    @staticmethod
    def read(text: str) -> Entry:
        """Read an entry, whatever its form."""
        try:
            return msgspec.json.decode(text, type=Entry)
        except (msgspec.MsgspecError, UnicodeError):
            raise _foreign() from None

    @staticmethod
    def decode(text: str) -> Entry:
        """Read an entry; raise TamperedError for what `encode` never wrote."""
        found = Entry.read(text)
        try:
            written = found.encode()
        except rfc8785.CanonicalizationError:
            written = None
        if found.format != FORMAT or written != text:
            raise _foreign()
        return found


def _foreign() -> TamperedError:
    return TamperedError("an entry of the log is not what a vault writes")


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry on its way into the log: its act and its text."""

    act: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something whose intent stands in the log: `Log.completed` takes it."""

    id: bytes
    kind: str
    subject: str = ""
    actor: str = ""


_sorted = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:  # noqa: ANN401 (any JSON)
    """Write JSON in its canonical form."""
    return _sorted.encode(value) if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:  # noqa: ANN401 (any JSON)
    """Say whether sorting the keys is all that makes the form: no number is written in two ways."""
    kind = type(value)
    if kind is dict:
        return all(type(name) is str and name.isascii() and _is_plain(one) for name, one in value.items())
    if kind is list:
        return all(map(_is_plain, value))
    return kind is str or value is None or kind is bool or (kind is int and abs(value) <= _EXACT)


def facts_of(given: Mapping[str, object]) -> dict[str, Any]:
    """Turn facts into JSON; those that are None say nothing."""
    built: dict[str, Any] = msgspec.to_builtins({name: one for name, one in given.items() if one is not None})
    return built


def struck(text: str, names: Iterable[str], pseudonym: str) -> str:
    """Put the pseudonym where a text names a person: evidence outlives them (P6)."""
    for name in sorted(map(normalized, names), key=len, reverse=True):
        if name and text:
            whole = rf"(?<!\w){re.escape(name)}(?!\w)"
            text = re.sub(whole, pseudonym, normalized(text), flags=re.IGNORECASE)
    return text
