"""JSON lines: an export of a vault's, or anybody's lines with role and content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from vault.errors import InputError
from vault.messages import MAX_DEPTH, Message
from vault.transfer.lines import restored
from vault.transfer.sources import Arrivals, Given, Incoming, Unreadable, open_file, values

_LONGEST = 64 * 1024 * 1024  # bytes of one line
_OURS = frozenset(
    {"user_id", "session_id", "namespace", "seq", "role", "content", "created_at", "metadata", "extra"}
    | {"originals", "timestamp"}
)


def read_jsonl(given: Given) -> Arrivals:
    """Read the lines in their order."""
    with open_file(Path(given.source)) as file:
        for number, line in enumerate(_lines(file), 1):
            place = f"line {number}"
            if line is None:
                yield Unreadable(place=place, why=f"it is longer than {_LONGEST} bytes")
            elif line.strip():
                try:
                    yield _entry(place, values.mapping(line))
                except InputError as error:
                    yield Unreadable(place=place, why=str(error))


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Give the lines; None for one that is too long to be read."""
    first = True
    while line := file.readline(_LONGEST + 1):
        if first:
            line, first = line.removeprefix(b"\xef\xbb\xbf"), False
        if len(line) <= _LONGEST or line.endswith(b"\n"):
            yield line
            continue
        while len(line) > _LONGEST and not line.endswith(b"\n"):
            line = file.readline(_LONGEST + 1)
        yield None


def _entry(place: str, line: dict[str, Any]) -> Incoming:
    user_id = values.text(line["user_id"], "user") if line.get("user_id") is not None else None
    session_id = values.text(line["session_id"], "session") if line.get("session_id") is not None else None
    namespace = line.get("namespace") or ""
    if not isinstance(namespace, str):
        raise InputError("its namespace is no text")
    if "role" not in line and "content" not in line and session_id is not None:
        return Incoming(place=place, user_id=user_id, session_id=session_id, namespace=namespace)
    seq = line.get("seq")
    if seq is not None and (not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 2**53):
        raise InputError("its seq is no number of a message")
    if "role" not in line or "content" not in line:
        raise InputError("it has no role or no content")
    metadata, extra = restored(line.get("metadata") or {}), restored(line.get("extra") or {})
    if not isinstance(metadata, dict) or not isinstance(extra, dict):
        raise InputError("its metadata or its extra fields are no JSON object")
    # An export has what models use beside role and content under `extra`; others have it in the line.
    extra |= {name: restored(value) for name, value in line.items() if name not in _OURS}
    at = values.moment(line.get("created_at", line.get("timestamp")))
    message = Message(
        values.role(line["role"]), restored(line["content"], MAX_DEPTH * 4), metadata, extra, at
    )
    return Incoming(
        place=place,
        user_id=user_id,
        session_id=session_id,
        namespace=namespace,
        message=message,
        seq=seq if at is not None else None,
    )
