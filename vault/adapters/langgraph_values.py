"""Values of a graph as they are sealed: LangGraph's own serialisation, in which every text was redacted.

A value is serialised first and then walked, so that nothing of it is overlooked, whatever its classes are:
messages, pydantic models, dataclasses, sets, named tuples. A list of messages becomes a list of references:
each message is a record of its own, stored once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vault.blobs import decoded, encoded_like
from vault.errors import MissingExtraError, RedactionError, TamperedError
from vault.messages import Message
from vault.redaction.structure import is_telling

try:
    import ormsgpack
except ModuleNotFoundError:  # the first of LangGraph's packages that is asked for
    raise MissingExtraError("langgraph", "langgraph") from None

Typed = tuple[str, bytes]  # how a serializer of LangGraph's gives a value

REFERENCES = 101  # the code of an extension that stands for messages; LangGraph's own are 0 to 7
_SINGLE, _POSITIONAL, _KEYWORDS, _METHOD, _PYDANTIC_1, _PYDANTIC_2, _NUMPY, _DELTA = range(8)
_CLASSES = frozenset({_SINGLE, _POSITIONAL, _KEYWORDS, _METHOD, _PYDANTIC_1, _PYDANTIC_2})
_OPTIONS = ormsgpack.OPT_NON_STR_KEYS
_WRITING = _OPTIONS | ormsgpack.OPT_PASSTHROUGH_DATACLASS
_MESSAGES = "langchain_core.messages."
_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "function"}
# What only these can be: a placeholder in them would be no date, no number, no pattern any more.
_EXACT = frozenset({"datetime", "uuid", "decimal", "zoneinfo", "re", "fractions"})
STATE = "state"
_TIES = frozenset({"id", "type", "tool_call_id", "status"})  # what ties messages together is nobody's data
_UUID = re.compile(r"(?:[a-z]+[-_])?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Serializer(Protocol):
    """LangGraph's `SerializerProtocol`."""

    def dumps_typed(self, obj: Any) -> Typed: ...  # noqa: ANN401, D102 (the framework's)
    def loads_typed(self, data: Typed) -> Any: ...  # noqa: ANN401, D102 (the framework's)


@dataclass(frozen=True, slots=True)
class Raw:
    """An extension of msgpack as it stands: an object of some class, not built."""

    code: int
    payload: bytes


def parse(data: bytes) -> Any:  # noqa: ANN401 (any value)
    """Read msgpack without building any object."""
    try:
        return ormsgpack.unpackb(data, ext_hook=Raw, option=_OPTIONS)
    except ValueError:
        pass
    raise TamperedError("a sealed value is of no known form")  # out here: the decoder's words hold content


def render(tree: object) -> bytes:
    """Write what `parse` read."""
    return ormsgpack.packb(tree, default=_extension, option=_WRITING)


def _extension(value: object) -> ormsgpack.Ext:
    if isinstance(value, Raw):
        return ormsgpack.Ext(value.code, value.payload)
    raise TypeError


def digest(payload: bytes) -> bytes:
    """Give what two equal values have in common. It stays in memory."""
    return hashlib.blake2b(payload, digest_size=16).digest()


def is_message(value: Raw) -> bool:
    """Say whether something is a message of LangChain's with an id, by which a graph replaces it."""
    if value.code != _PYDANTIC_2:
        return False
    module, _, fields, *_ = parse(value.payload)
    return module.startswith(_MESSAGES) and bool(fields.get("id"))


# -- references ------------------------------------------------------------------------------------------

Reduce = Callable[[Sequence[Raw]], Raw | None]  # None: not all of them are messages
Expand = Callable[[Raw], list[Raw]]


def referred(tree: Any, refer: Reduce) -> Any:  # noqa: ANN401 (any value)
    """Put references in the place of lists of messages, as far as they lie open."""
    match tree:
        case list():
            if tree and all(isinstance(one, Raw) for one in tree) and (one := refer(tree)) is not None:
                return one
            return [referred(one, refer) for one in tree]
        case dict():
            return {key: referred(one, refer) for key, one in tree.items()}
        case Raw(code, payload) if code == _DELTA:
            return Raw(code, render(referred(parse(payload), refer)))
        case _:
            return tree


def restored(tree: Any, expand: Expand) -> Any:  # noqa: ANN401 (any value)
    """Put messages back in the place of references."""
    match tree:
        case Raw(code, _) if code == REFERENCES:
            return expand(tree)
        case Raw(code, payload) if code == _DELTA:
            return Raw(code, render(restored(parse(payload), expand)))
        case list():
            return [restored(one, expand) for one in tree]
        case dict():
            return {key: restored(one, expand) for key, one in tree.items()}
        case _:
            return tree


def references_in(typed: Typed) -> list[Raw]:
    """Give all references in a stored value."""
    found: list[Raw] = []

    def note(one: Raw) -> list[Raw]:
        found.append(one)
        return []

    if typed[0] == "msgpack":
        restored(parse(typed[1]), note)
    return found


# -- redaction -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Text:
    """A value on its way to being sealed: `said` is what redaction has to see of it."""

    kind: str
    tree: Any
    said: list[Message] = field(default_factory=list)

    @classmethod
    def of(cls, typed: Typed, label: str, refer: Reduce | None = None, *, redacts: bool = True) -> Text:
        """Take a serialised value apart; its label is read with it."""
        kind, data = typed
        if kind == "msgpack":
            tree = parse(data)
            text = cls(kind, tree if refer is None else referred(tree, refer))
        elif kind in {"null", "bytes", "bytearray"}:
            text = cls(kind, data)
        elif redacts:
            raise RedactionError(
                f"a value that is serialised as {kind!r} can't be redacted",
                hint="use LangGraph's JsonPlusSerializer without its pickle fallback",
            )
        else:
            return cls(kind, data)
        text.said.append(Message(STATE, None))
        laid = _Laid(text.said).out(text.tree)
        # Read as the arguments of a tool are: all keys are the app's own, and tie nothing together.
        text.said[0] = Message(STATE, {"arguments": {label: laid} if is_telling(label) else [laid]})
        return text

    def sealed(self, redacted: Sequence[Message]) -> Typed:
        """Give the value as it is sealed, with what redaction made of `said`."""
        if not self.said:
            return self.kind, self.tree
        if len(redacted) != len(self.said):
            raise _misshapen()
        whole = redacted[0].content
        try:
            inner: Any = whole["arguments"]  # type: ignore[call-overload, index]
            [now] = inner.values() if isinstance(inner, dict) else inner
        except (KeyError, TypeError, ValueError):
            raise _misshapen() from None
        tree = _Laid(list(redacted), 1).back(self.tree, now)
        return self.kind, render(tree) if self.kind == "msgpack" else tree


def message_text(raw: Raw) -> Text:
    """Take one message apart, for a record of its own."""
    said: list[Message] = []
    _Laid(said).out(raw)
    return Text("message", raw, said)


def sealed_message(text: Text, redacted: Sequence[Message]) -> Raw:
    """Give a message as it is sealed."""
    now = _Laid(list(redacted)).back(text.tree, None)
    if not isinstance(now, Raw):
        raise _misshapen()
    return now


@dataclass(slots=True)
class _Laid:
    """A tree laid out as plain lists and dicts, and put together again in the very same order.

    Messages are taken out and stand for themselves, each with its role.
    """

    said: list[Message]
    next: int = 0

    def out(self, tree: Any) -> Any:  # noqa: ANN401 (any value)
        match tree:
            case Raw(code, payload):
                return self._object_out(code, payload)
            case list():
                return [self.out(one) for one in tree]
            case dict():
                return {key: self.out(one) for key, one in tree.items()}
            case str() if _UUID.fullmatch(tree):
                return None  # it means nobody, and some of its digits may look like somebody's number
            case _:
                return tree

    def _object_out(self, code: int, payload: bytes) -> Any:  # noqa: ANN401, PLR0911 (any value; its kinds)
        if code == REFERENCES:
            return None
        tree = parse(payload)
        if code == _DELTA:
            return self.out(tree)
        if code == _NUMPY:
            if str(tree[0])[1:2] not in "?biufcmM":
                raise RedactionError("an array of texts can't be redacted", hint="use a list")
            return None
        if code not in _CLASSES:
            raise RedactionError("a value of an unknown kind can't be redacted")
        module, _, inner = tree[:3]
        if code == _PYDANTIC_2 and module.startswith(_MESSAGES):
            at = len(self.said)
            self.said.append(Message(STATE, None))
            self.said[at] = _message({key: self.out(one) for key, one in inner.items()})
            return None
        if module in _EXACT:
            return None
        if _is_send(tree):
            return self.out(inner[1:])
        if _is_interrupt(tree):
            return self.out(inner["value"])
        return self.out(inner)

    def back(self, tree: Any, now: Any) -> Any:  # noqa: ANN401 (any value)
        match tree:
            case Raw(code, payload):
                return self._object_back(tree, code, payload, now)
            case list():
                if not isinstance(now, list) or len(now) != len(tree):
                    raise _misshapen()
                return [self.back(*pair) for pair in zip(tree, now, strict=True)]
            case dict():
                if not isinstance(now, dict) or now.keys() != tree.keys():
                    raise _misshapen()
                return {key: self.back(one, now[key]) for key, one in tree.items()}
            case str() if _UUID.fullmatch(tree):
                return tree
            case _:
                return now

    def _object_back(self, was: Raw, code: int, payload: bytes, now: Any) -> Any:  # noqa: ANN401 (any value)
        if code in {REFERENCES, _NUMPY}:
            return was
        tree = parse(payload)
        if code == _DELTA:
            return Raw(code, render(self.back(tree, now)))
        module, _, inner = tree[:3]
        if code == _PYDANTIC_2 and module.startswith(_MESSAGES):
            if self.next >= len(self.said):
                raise _misshapen()
            message = self.said[self.next]
            self.next += 1
            fields = _fields(message, inner)
            tree[2] = {key: self.back(one, fields[key]) for key, one in inner.items()}
        elif module in _EXACT:
            return was
        elif _is_send(tree):
            tree[2] = [inner[0], *self.back(inner[1:], now)]
        elif _is_interrupt(tree):
            tree[2] = {**inner, "value": self.back(inner["value"], now)}
        else:
            tree[2] = self.back(inner, now)
            if module == "ipaddress" and tree[2] != inner:
                return tree[2]  # a placeholder is no address, and stays a text
        return Raw(code, render(tree))


def _is_send(tree: Sequence[Any]) -> bool:
    return tree[0] == "langgraph.types" and tree[1] == "Send" and len(tree[2]) > 1


def _is_interrupt(tree: Sequence[Any]) -> bool:
    return tree[0] == "langgraph.types" and tree[1] == "Interrupt" and "value" in tree[2]


def _message(fields: Mapping[str, Any]) -> Message:
    role = _ROLES.get(str(fields.get("type")).lower().removesuffix("messagechunk"), "user")
    has = decoded(fields)
    rest = {key: one for key, one in has.items() if key not in {"content", "response_metadata", *_TIES}}
    return Message(role, has.get("content"), has.get("response_metadata") or {}, rest)


def _fields(message: Message, was: Mapping[str, Any]) -> dict[str, Any]:
    fields = {key: one for key, one in was.items() if key in _TIES}
    fields |= {**message.extra, "content": message.content}
    if "response_metadata" in was:
        fields["response_metadata"] = message.metadata or was["response_metadata"]
    if not was.keys() <= fields.keys():
        raise _misshapen()
    return {key: encoded_like(one, was.get(key)) for key, one in fields.items()}


def _misshapen() -> RedactionError:
    return RedactionError("the redactor gave something of another shape; nothing was written")
