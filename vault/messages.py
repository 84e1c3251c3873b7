"""Message, the one encoding of it, and what ids may look like."""

from __future__ import annotations

import enum
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from vault.clock import from_datetime
from vault.errors import InputError, TamperedError, TooLargeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
STATE = "state"  # the role of a record, where a retention rule or a redactor asks for one
MAX_ID_BYTES = 512
MAX_NAMESPACE = 255
MAX_WORDS = 4096
MAX_DEPTH = 100  # far below what the stack of a caller who is deep in a framework leaves for reading
DEFAULT_LIMIT = 16 * 1024 * 1024
_COMPRESS_FROM = 512  # below it a frame saves little, and opening one costs more than all the rest of a read
_ENCODABLE = (
    "use text, numbers, booleans, bytes, times with a zone, lists and dicts;"
    " a tuple would come back as a list"
)
_NESTS = (dict, list, tuple)
_PLAIN, _ZSTD = b"\0", b"\1"
_OWN_FIELDS = frozenset({"role", "content", "metadata", "created_at"})

Content = str | list[Any] | dict[str, Any] | None


class Message(msgspec.Struct, frozen=True):
    """One message, as it was given and as it comes back.

    `extra` holds the other fields that models use beside role and content (name, tool_calls, tool_call_id);
    `metadata` is the app's own. `seq` and `created_at` are set on every message that was stored.
    """

    role: str
    content: Content
    metadata: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    created_at: datetime | None = None
    seq: int | None = None

    @classmethod
    def of(cls, value: Message | Mapping[str, Any]) -> Message:
        """Take a Message or a dict in the shape that chat models use."""
        if isinstance(value, Message):
            return value
        if not isinstance(value, Mapping):
            raise InputError("a message is a Message, or a dict with role and content")
        if "role" not in value or "content" not in value:
            raise InputError(
                "a message needs a role and content",
                hint="a tool call without text has the content None",
            )
        metadata = value.get("metadata", {})
        if not isinstance(metadata, dict):
            raise InputError("metadata is a dict")
        extra = {name: part for name, part in value.items() if name not in _OWN_FIELDS}
        return cls(value["role"], value["content"], metadata, extra, _moment(value.get("created_at")))

    def to_dict(self) -> dict[str, Any]:
        """Give role, content and the other model fields: what an app hands to its model."""
        return {"role": self.role, "content": self.content, **self.extra}


class Messages(list[Message]):
    """The messages of a session, in order.

    `purged` counts those that retention has taken from among them; `originals` are the seqs of those whose
    originals were stored with them, or, where they were asked for, are among these. `hidden` are the places
    in this list of those that only a hold keeps, where they were asked for. `outside` has the seqs of those
    whose content lies in a memory that was wrapped, and reads as None here.
    """

    __slots__ = ("hidden", "originals", "outside", "purged")

    def __init__(
        self,
        messages: Iterable[Message] = (),
        *,
        purged: int = 0,
        originals: Iterable[int] = (),
        hidden: Iterable[int] = (),
        outside: Mapping[int, Any] | None = None,
    ) -> None:
        super().__init__(messages)
        self.purged = purged
        self.originals = frozenset(originals)
        self.hidden = frozenset(hidden)
        self.outside = {} if outside is None else outside


class Outside(enum.IntEnum):
    """Where the content of a message is kept."""

    NO = 0  # here
    PERHAPS = 1  # in a memory outside, unless the write to it, or the removal from it, was interrupted
    YES = 2  # in a memory outside, and its absence is a loss


class Body(msgspec.Struct, array_like=True):
    """What is sealed of a message. Fields are only ever added at the end."""

    content: Any
    extra: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    key: bytes | None = None
    has_originals: bool = False  # so that whoever takes them out of the row is noticed (P2)
    outside: int = Outside.NO


def _plain(value: object) -> object:
    """Take what a framework calls a text or a number of its own as the text or number that it is."""
    match value:
        case str():
            return str.__str__(value)
        case int():
            return int.__int__(value)
        case float():
            return float.__float__(value)
        case bytes():
            return bytes.__bytes__(value)
    raise TypeError  # without the value: an error never carries content (P1)


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)  # which is asked only about what is not plain
_decoder = msgspec.msgpack.Decoder(Body)


class _Compressor(threading.local):
    """One for each thread: making one takes longer than using it."""

    def __init__(self) -> None:
        self.frame = zstd.ZstdCompressor(level=3)


_compressor = _Compressor()


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    # Each error is raised out of reach of the one before it, which holds what was given (P1).
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime) and moment.utcoffset() is not None:
            return moment.astimezone(UTC)
    raise InputError(
        "created_at is a datetime with a time zone, or an ISO 8601 text with one",
        hint="datetime.now(timezone.utc)",
    )


def created_us(message: Message, now: int) -> int:
    """Give the stored time of a message: its own, or now."""
    moment = _moment(message.created_at)
    return now if moment is None else from_datetime(moment)


def check_id(value: object, what: str) -> str:
    """Return an id that can be stored and found again, or raise InputError."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"the {what} is a text that is not empty")
    if (size := _size(value)) is None:
        raise InputError(f"the {what} has a lone surrogate, which is no character")
    if size > MAX_ID_BYTES:
        raise InputError(f"the {what} has at most {MAX_ID_BYTES} bytes; this one has {size}")
    if any(ord(character) < ord(" ") or ord(character) == 0x7F for character in value):  # noqa: PLR2004 (DEL)
        raise InputError(f"the {what} has a control character")
    return value


def _size(text: str) -> int | None:
    """Count bytes; None for what has none. The codec's error holds the text, and is not passed on (P1)."""
    with suppress(UnicodeEncodeError):
        return len(text.encode())
    return None


def check_flag(value: object, what: str) -> bool:
    """Return a yes or no that is kept as evidence: nothing else could be read again."""
    if not isinstance(value, bool):
        raise InputError(f"{what} is True or False")
    return value


def check_words(value: object, what: str) -> str:
    """Return a text that is kept as evidence; it may be empty."""
    if not isinstance(value, str) or _size(value) is None:
        raise InputError(f"the {what} is a text")
    if len(value) > MAX_WORDS:
        raise InputError(f"the {what} has at most {MAX_WORDS} characters")
    return value


def check_ids(user_id: str, session_id: str) -> tuple[str, str]:
    """Check the two names of a transcript."""
    return check_id(user_id, "user id"), check_id(session_id, "session id")


def check_namespace(namespace: str) -> str:
    """Check an operator's label; it may be empty."""
    if namespace != "":
        check_id(namespace, "namespace")
    if len(namespace) > MAX_NAMESPACE:
        raise InputError(f"the namespace has at most {MAX_NAMESPACE} characters")
    return str.__str__(namespace)  # which is encoded with the profile: a text of an app's own is made plain


def check_role(role: object) -> None:
    """Refuse what is no role."""
    if not isinstance(role, str) or role not in ROLES:
        raise InputError("this is not a role", hint=f"one of {', '.join(sorted(ROLES))}")


def encode(
    message: Message,
    *,
    limit: int = DEFAULT_LIMIT,
    key: bytes | None = None,
    has_originals: bool = False,
    outside: Outside = Outside.NO,
) -> bytes:
    """Turn a message into the bytes that are sealed; raise InputError for what would not come back equal."""
    check_role(message.role)
    if not isinstance(message.content, str | list | dict | None):
        raise InputError("content is a text, a list of parts, a dict, or None")
    body = Body(
        message.content, message.extra or None, message.metadata or None, key, has_originals, int(outside)
    )
    packed, problem, hint = _try_to_encode(body)
    if problem:
        raise InputError(problem, hint=hint)
    if _OWN_FIELDS & message.extra.keys():
        raise InputError("extra repeats a field that a message has itself, such as its role")
    if len(packed) > limit:
        raise TooLargeError(f"a message has {len(packed)} bytes; the limit is {limit}")
    return packed


def encode_value(value: object, *, limit: int = DEFAULT_LIMIT) -> bytes:
    """Turn a value that is no message into the bytes that are sealed; `unpack` gives it as the content."""
    packed, problem, hint = _try_to_encode(Body(value))
    if problem:
        raise InputError(problem, hint=hint)
    if len(packed) > limit:
        raise TooLargeError(f"a value has {len(packed)} bytes; the limit is {limit}")
    return packed


class Originals(msgspec.Struct, array_like=True):
    """A message as it was before redaction, and the values by what took their place."""

    content: Any
    extra: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    values: dict[str, str] = {}


def encode_originals(message: Message, values: dict[str, str], *, limit: int = DEFAULT_LIMIT) -> bytes:
    """Turn what redaction replaced into the bytes that are sealed."""
    encode(message, limit=limit)  # refuses what would not come back equal
    return _encoder.encode(
        Originals(message.content, message.extra or None, message.metadata or None, values)
    )


def unpack_originals(packed: bytes) -> Originals:
    """Read what `encode_originals` and `pack` wrote."""
    with suppress(msgspec.MsgspecError, zstd.ZstdError, UnicodeDecodeError, RecursionError):
        return msgspec.msgpack.decode(_unpacked(packed), type=Originals)
    raise TamperedError("sealed originals are of no known encoding")


def _try_to_encode(body: Body) -> tuple[bytes, str, str]:
    """Give the bytes, or what is wrong: no exception of the encoder, which holds content, lives on (P1)."""
    if any(_is_deeper(part, MAX_DEPTH) for part in (body.content, body.extra, body.metadata)):
        return b"", f"a value is nested deeper than {MAX_DEPTH} levels", ""
    try:
        packed = _encoder.encode(body)
        same = _decoder.decode(packed) == body
    except UnicodeEncodeError:
        return (
            b"",
            "text has a lone surrogate, which is no character",
            "text.encode(errors='replace').decode()",
        )
    except (TypeError, OverflowError, ValueError, RecursionError, msgspec.MsgspecError):
        return b"", "a value can't be encoded", _ENCODABLE
    if not same:
        return b"", "a value would not come back equal", _ENCODABLE
    if b"\0" in packed and _has_nul((body.content, body.extra, body.metadata)):
        return b"", "text has a NUL character", "text.replace('\\0', '\\ufffd')"
    return packed, "", ""


def _is_deeper(value: object, levels: int) -> bool:
    """Look down before across: a list that holds itself is not to be followed in all directions."""
    if not isinstance(value, _NESTS):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return any(levels == 1 or _is_deeper(part, levels - 1) for part in parts if isinstance(part, _NESTS))


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_has_nul(key) or _has_nul(part) for key, part in value.items())
        case list() | tuple():
            return any(map(_has_nul, value))
        case _:
            return False


def pack(encoded: bytes) -> bytes:
    """Compress where that makes it shorter; the first byte says which."""
    if len(encoded) >= _COMPRESS_FROM:
        frame = _compressor.frame
        squeezed = frame.compress(encoded, frame.FLUSH_FRAME)
        if len(squeezed) < len(encoded):
            return _ZSTD + squeezed
    return _PLAIN + encoded


def _unpacked(packed: bytes) -> bytes | memoryview:
    if packed[:1] == _ZSTD:
        return zstd.decompress(packed[1:])
    if packed[:1] == _PLAIN:
        return memoryview(packed)[1:]
    return b""  # which decodes to nothing


def unpack(packed: bytes) -> Body:
    """Read what `encode` and `pack` wrote."""
    with suppress(msgspec.MsgspecError, zstd.ZstdError, UnicodeDecodeError, RecursionError):
        return _decoder.decode(_unpacked(packed))
    # Raised out here, as an error of decoding holds what was said (P1).
    raise TamperedError("a sealed body holds no message of a known encoding")
