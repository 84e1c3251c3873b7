"""The lines of a JSONL export, and what is read back from them: nothing is lost on the way there and back.

A message may hold what JSON has no form for: bytes, moments, keys that are no text. Such a value is written
as a dict with one key that begins with `$`; a dict that looks like one is put into `{"$": …}`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from math import isfinite
from typing import Any

import msgspec

from vault.errors import InputError
from vault.messages import MAX_DEPTH, Message

_encoder = msgspec.json.Encoder()
_DEEPEST = 4 * MAX_DEPTH  # a marked value adds levels of its own


def message_line(user_id: str, session_id: str, namespace: str, message: Message, *, said: bool) -> bytes:
    """Write a message with its place; `said`: these are its originals."""
    line: dict[str, object] = {"user_id": user_id, "session_id": session_id}
    if namespace:
        line["namespace"] = namespace
    line |= {
        "seq": message.seq,
        "role": message.role,
        "content": plain(message.content),
        "created_at": message.created_at,
    }
    if message.metadata:
        line["metadata"] = plain(message.metadata)
    if message.extra:
        line["extra"] = plain(message.extra)
    if said:
        line["originals"] = True
    return _encoder.encode(line)


def session_line(user_id: str, session_id: str, namespace: str) -> bytes:
    """Write a session that has no messages."""
    line = {"user_id": user_id, "session_id": session_id}
    return _encoder.encode({**line, "namespace": namespace} if namespace else line)


def plain(value: Any) -> Any:  # noqa: ANN401, PLR0911 (content is any value; one return for each kind)
    """Give a value of a message as JSON can hold it."""
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            return value if isfinite(value) else {"$float": repr(value)}
        case bytes():
            return {"$bytes": b64encode(value).decode()}
        case list():
            return [plain(part) for part in value]
        case datetime():
            return {"$datetime": value.isoformat()}
        case dict():
            if not all(isinstance(key, str) for key in value):
                return {"$pairs": [[plain(key), plain(part)] for key, part in value.items()]}
            inner = {key: plain(part) for key, part in value.items()}
            return {"$": inner} if _is_marked(inner) else inner
        case msgspec.msgpack.Ext():
            return {"$ext": [value.code, b64encode(value.data).decode()]}
        case _:
            raise InputError("a message holds a value that no export has a form for")


def _is_marked(value: Mapping[Any, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def restored(value: Any, depth: int = _DEEPEST) -> Any:  # noqa: ANN401 (the way back)
    """Give the value that `plain` wrote."""
    if depth == 0:
        raise InputError(f"a value is nested deeper than {MAX_DEPTH} levels")
    match value:
        case list():
            return [restored(part, depth - 1) for part in value]
        case dict():
            if not _is_marked(value):
                return {key: restored(part, depth - 1) for key, part in value.items()}
            [(mark, inner)] = value.items()
            if mark == "$" and isinstance(inner, dict):
                return {key: restored(part, depth - 1) for key, part in inner.items()}
            with suppress(ValueError, TypeError, KeyError):  # b64decode's error is a ValueError
                return _unmarked(mark, inner, depth)
            # Not ours: somebody else's file has a key that begins so.
            return {mark: restored(inner, depth - 1)}
        case _:
            return value


def _unmarked(mark: str, inner: Any, depth: int) -> Any:  # noqa: ANN401 (any value)
    match mark:
        case "$bytes":
            return b64decode(inner, validate=True)
        case "$float":
            return {"inf": float("inf"), "-inf": float("-inf")}[inner]
        case "$datetime":
            return datetime.fromisoformat(inner)
        case "$pairs":
            return {restored(key, depth - 1): restored(part, depth - 1) for key, part in inner}
        case "$ext":
            code, data = inner
            return msgspec.msgpack.Ext(code, b64decode(data, validate=True))
        case _:
            raise KeyError(mark)
