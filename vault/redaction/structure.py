"""The texts in a message: its content, the parts of it, tool calls and their results, metadata.

Keys are never touched, nor what only ties parts together: types, ids, names of functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from vault.messages import Message
from vault.redaction.segments.pieces import LONGEST_LABEL

Edit = Callable[[str, str], str]  # of a text and its label
Denied = Callable[[str], Sequence[object]]  # what the user denied of a text

_TIES = frozenset(
    {
        "approval_request_id",
        "block_type",
        "branch",
        "cache_control",
        "call_id",
        "container_id",
        "conversation_id",
        "detail",
        "encoding",
        "encrypted_content",
        "file_id",
        "finish_reason",
        "format",
        "function_call_id",
        "id",
        "identifier",
        "index",
        "invocation_id",
        "isolation_scope",
        "item_id",
        "long_running_tool_ids",
        "media_type",
        "mimeType",
        "mime_type",
        "model",
        "model_name",
        "model_provider",
        "object",
        "parent_id",
        "part_kind",
        "previous_response_id",
        "provider_name",
        "provider_response_id",
        "response_id",
        "rewind_before_invocation_id",
        "role",
        "run_id",
        "service_tier",
        "signature",
        "status",
        "stop_reason",
        "system_fingerprint",
        "thoughtSignature",
        "thought_signature",
        "timestamp",
        "tool_call_id",
        "tool_name",
        "tool_use_id",
        "transfer_to_agent",
        "type",
    }
)
_NAMELESS = frozenset({"text", "content", "output", "result", "value", "thinking", "reasoning", "message"})
_CALLS = frozenset({"arguments", "input", "args", "parameters", "response", "tool_kwargs"})
_TELLING = re.compile(
    r"phone|mobile|tel(?:e|_|$)|cell|fax|ssn|social|card|account|iban|passport|licen[cs]e|birth|dob|age$|zip"
    r"|post_?code|plz|national|tax|nif|cpf|dni|medical|patient|member|pin$|password|secret|token",
    re.IGNORECASE,
)
_UNNAMEABLE = re.compile(r"[\s<|\\/>]+")  # what a model's API takes in no name
_SPACE = re.compile(r"\s")
_COUNT = re.compile(r"tokens$|token_?counts?$", re.IGNORECASE)  # of what a model read and wrote


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a message, and the key that it stands under."""

    text: str
    label: str


def texts_of(message: Message, *, metadata: bool, denied: Denied | None = None) -> list[Text]:
    """Give the texts of a message in order; `rewritten` puts them back in the same order.

    A number is one under a name that tells so, and where the user `denied` it.
    """
    found: list[Text] = []

    def note(text: str, label: str) -> str:
        found.append(Text(text, label))
        return text

    _Walk(note, denied).message(message, metadata=metadata)
    return found


def rewritten(
    message: Message, texts: Iterator[str], *, metadata: bool, blobs: bool, denied: Denied | None = None
) -> Message:
    """Give the message with other texts, and with or without its blobs."""
    return _Walk(lambda _text, _label: next(texts), denied, blobs).message(message, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One way through a message, text by text."""

    edit: Edit
    denied: Denied | None = None
    blobs: bool = True

    def message(self, message: Message, *, metadata: bool) -> Message:
        content = self._value(message.content, "", in_call=False)
        extra = {
            key: self._name(message.role, part) if key == "name" else self._part(key, part, {}, in_call=False)
            for key, part in message.extra.items()
        }
        kept = self._value(message.metadata, "", in_call=True) if metadata else message.metadata
        return replace(message, content=content, extra=extra, metadata=kept)

    def _name(self, role: str, name: Any) -> Any:
        """Give who spoke: a user is a person, whoever else has a name is a function or an agent.

        Agents speak as users too, under identifiers that no list of names holds.
        """
        if role != "user" or not isinstance(name, str):
            return name
        now = self.edit(name, "name")
        if now == name:
            return name
        from vault.redaction.names import is_listed

        if name.isidentifier() and not is_listed(name):
            return name
        return _UNNAMEABLE.sub("_", now).strip("_")

    def _value(self, value: Any, label: str, *, in_call: bool) -> Any:  # noqa: PLR0911 (one for each kind)
        match value:
            case str():
                return self.edit(value, "" if label in _NAMELESS else label)
            case bytes():
                return value if self.blobs else b""
            case bool() | None:
                return value
            case int() | float():
                said = str(value)
                if not (is_telling(label) or (self.denied is not None and self.denied(said))):
                    return value
                now = self.edit(said, label)
                return value if now == said else now
            case dict():
                return {key: self._part(key, part, value, in_call=in_call) for key, part in value.items()}
            case list():
                return [self._value(part, label, in_call=in_call) for part in value]
            case _:
                return value

    def _part(self, key: object, part: Any, beside: dict[Any, Any], *, in_call: bool) -> Any:
        if _is_tie(key, part, beside, in_call=in_call):
            return part
        if _retells(key, part):
            return [] if isinstance(part, list) else None
        return self._value(part, str(key)[-LONGEST_LABEL:], in_call=in_call or key in _CALLS)


def is_telling(label: str) -> bool:
    """Say whether a name tells what stands under it: a number under "phone" is one, a count of tokens not."""
    return _TELLING.search(label) is not None and _COUNT.search(label) is None


def _retells(key: object, part: object) -> bool:
    """Tell the text once more, token by token, where no pattern finds anything in it."""
    tokens = part.get("content") if isinstance(part, dict) else part
    return (
        key == "logprobs"
        and isinstance(tokens, list)
        and all(isinstance(one, dict) and "token" in one for one in tokens)
    )


def _is_tie(key: object, part: object, beside: dict[Any, Any], *, in_call: bool) -> bool:
    """Tell what a model's API ties parts together by. Within a tool's arguments all keys are the tool's.

    No id has parts or spaces: what stands under the key of one and has, is something that was said.
    """
    if in_call or not (key in _TIES or (key == "name" and not _CALLS.isdisjoint(beside))):
        return False
    return all(
        not isinstance(one, dict | list) and not (isinstance(one, str) and _SPACE.search(one))
        for one in (part if isinstance(part, list) else [part])
    )
