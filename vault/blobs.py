"""Bytes in what a framework writes as JSON: base64 there, and here bytes, which redaction leaves alone."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def with_bytes(written: Any, given: Any) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Give what a framework wrote as JSON, with bytes wherever it was given bytes."""
    match written, given:
        case str(), bytes():
            return given if in_base64(given) == written else written
        case dict(), dict():
            return {key: with_bytes(part, given.get(key)) for key, part in written.items()}
        case list(), list() | tuple() if len(written) == len(given):
            return [with_bytes(*pair) for pair in zip(written, given, strict=True)]
        case _:
            return written


def in_base64(value: object) -> str:
    """Write bytes as pydantic does: the alphabet of URLs."""
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).decode()
    raise TypeError


# Where base64 stands in the parts of messages: by the type of a part, or by the name of what holds it. Beside
# the frameworks' own these are the forms of the providers, which they pass on.
_IN_TYPE = {
    "audio": {"base64"},
    "base64": {"data"},
    "file": {"base64"},
    "image": {"base64"},
    "image_generation_call": {"result"},
    "input_file": {"file_data"},
    "media": {"data"},
    "redacted_thinking": {"data"},
    "text-plain": {"base64"},
    "video": {"base64"},
    "web_search_result_location": {"encrypted_index"},
}
_IN_BLOCK = {"audio": {"audio"}, "document": {"data"}, "image": {"image"}, "video": {"video"}}  # LlamaIndex's
_IN_NAMED = {"audio": {"data"}, "file": {"file_data"}, "input_audio": {"data"}}
_SIGNATURES = "__gemini_function_call_thought_signatures__"
_CALLS = frozenset({"args", "arguments", "input", "tool_kwargs"})  # what a tool is told is its own


def decoded(value: Any) -> Any:  # noqa: ANN401 (whatever a message holds)
    """Give parts of a message with bytes where a framework has written base64, where types and names say so.

    What has bytes of its own in such a place stays as it is: nobody could tell them apart afterwards.
    """
    found: list[object] = []
    _edited(value, "", found.append)
    return value if any(isinstance(part, bytes) for part in found) else _edited(value, "", _decoded)


def encoded(value: Any) -> Any:  # noqa: ANN401 (whatever a message holds)
    """Give back what `decoded` was given."""
    return _edited(value, "", _encoded)


def encoded_like(value: Any, was: Any) -> Any:  # noqa: ANN401 (as above)
    """Give back what `decoded` was given, which is still there."""
    match value, was:
        case bytes(), str():
            return _encoded(value)
        case dict(), dict():
            return {key: encoded_like(part, was.get(key)) for key, part in value.items()}
        case list(), list() if len(value) == len(was):
            return [encoded_like(*pair) for pair in zip(value, was, strict=True)]
        case _:
            return value


def _edited(value: Any, name: str, edit: Callable[[object], object]) -> Any:  # noqa: ANN401 (as above)
    match value:
        case dict():
            places = _places(value, name)
            return {
                key: edit(part)
                if key in places or name == _SIGNATURES
                else part
                if key in _CALLS
                else _edited(part, str(key), edit)
                for key, part in value.items()
            }
        case list():
            return [_edited(part, "", edit) for part in value]
        case _:
            return value


def _places(fields: dict[Any, Any], name: str) -> set[str]:
    kind, block = fields.get("type"), fields.get("block_type")
    places = set(_IN_NAMED.get(name, ()))
    places |= _IN_TYPE.get(kind, set()) if isinstance(kind, str) else set()
    places |= _IN_BLOCK.get(block, set()) if isinstance(block, str) else set()
    return places | {"data"} if fields.get("source_type") == "base64" else places


def _decoded(part: object) -> object:
    if isinstance(part, str) and part:
        with suppress(binascii.Error, ValueError):
            found = base64.b64decode(part, validate=True)
            return found if _encoded(found) == part else part
    return part


def _encoded(part: object) -> object:
    return base64.b64encode(part).decode() if isinstance(part, bytes) else part
