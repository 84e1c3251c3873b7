"""A memory of no framework, wrapped by the names of its methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vault.errors import InputError, TamperedError, UsageError
from vault.messages import ROLES, Message
from vault.wrapping.fields import fold, unfold
from vault.wrapping.flows import Flow, Wrapping
from vault.wrapping.wrapper import Wrapper

_ALIKE = {"human": "user", "ai": "assistant", "bot": "assistant"}
_TEXTS = ("content", "message", "text")  # what a parameter is called that takes what was said


def wrap(
    wrapper: Wrapper, memory: object, session_id: str | None, names: dict[str, str], keep: frozenset[str]
) -> SealedMemory:
    """Wrap one session of an object."""
    methods = {what: getattr(memory, name) for what, name in names.items() if name}
    if not {"add", "read"} <= methods.keys() or not all(map(callable, methods.values())):
        raise UsageError("a memory has a method to add and one to read", hint="add=…, read=…")
    if len({inspect.iscoroutinefunction(method) for method in methods.values()}) > 1:
        raise UsageError("the methods of a memory are all sync or all async")
    name = session_id or getattr(memory, "session_id", None)
    shelf = NamedShelf(methods, keep, inspect.iscoroutinefunction(methods["add"]))
    return SealedMemory(wrapper.of(shelf, name), shelf, {what: names[what] for what in methods})


class SealedMemory:
    """An object with the methods that were named, and no other: what is not sealed can't pass by."""

    def __init__(self, wrapping: Wrapping, shelf: NamedShelf, names: Mapping[str, str]) -> None:
        self._wrapping = wrapping
        self._shelf = shelf
        self.user_id = wrapping.user_id
        self.session_id = wrapping.session_id
        ways = {"add": self._add, "read": self._read, "clear": self._clear, "replace": self._replace}
        for what, name in names.items():
            setattr(self, name, self._method(ways[what]))

    def _method(self, way: Callable[..., Flow[Any]]) -> Callable[..., Any]:
        if self._shelf.awaits:

            async def waiting(*args: Any, **kwargs: Any) -> Any:
                return await self._wrapping.arun(way(*args, **kwargs))

            return waiting
        return lambda *args, **kwargs: self._wrapping.run(way(*args, **kwargs))

    def _add(self, *args: Any, **kwargs: Any) -> Flow[None]:
        return self._wrapping.add([self._shelf.call(args, kwargs)])

    def _read(self, *args: Any, **kwargs: Any) -> Flow[Any]:
        return self._with(args, kwargs).read()

    def _clear(self, *args: Any, **kwargs: Any) -> Flow[None]:
        return self._with(args, kwargs).clear()

    def _replace(self, *args: Any, **kwargs: Any) -> Flow[None]:
        if not args or not isinstance(args[-1], list):
            raise InputError("the new messages are a list, and the last argument")
        return self._with(args[:-1], kwargs).replace(args[-1])

    def _with(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Wrapping:
        return replace(self._wrapping, shelf=self._shelf.asked(args, kwargs))


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One call of the method that adds: its arguments, and which of them is what was said."""

    arguments: inspect.BoundArguments
    name: str
    fields: dict[str, Any]

    def saying(self, value: object) -> inspect.BoundArguments:
        """Give the arguments with something else said."""
        arguments = {**self.arguments.arguments, self.name: value}
        return inspect.BoundArguments(self.arguments.signature, arguments)


class NamedShelf:
    """The methods that were named. Items are dicts, pairs of role and content, or texts."""

    def __init__(self, methods: Mapping[str, Callable[..., Any]], keep: frozenset[str], awaits: bool) -> None:  # noqa: FBT001 (a field)
        self._methods = methods
        self._keep = keep
        self.awaits = awaits
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}

    def asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NamedShelf:
        """Give a shelf that is read and cleared with some arguments."""
        shelf = NamedShelf(self._methods, self._keep, self.awaits)
        shelf._args, shelf._kwargs = args, kwargs
        return shelf

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Find out what was said; refuse what would reach the memory beside it, unsealed (P1)."""
        bound = inspect.signature(self._methods["add"]).bind(*args, **kwargs)
        given = bound.arguments
        said = [name for name, value in given.items() if isinstance(value, Mapping) and "content" in value]
        said = said or [name for name in _TEXTS if isinstance(given.get(name), str)]
        if not said:
            raise InputError("no message is among these arguments", hint="a dict with content, or content=…")
        beside = given.keys() - {said[0], "role"} - self._keep
        if beside:
            raise InputError(
                "an argument beside the message would reach the memory unsealed",
                hint="keep=[…] names those that hold nothing of the user's",
            )
        value = given[said[0]]
        fields = dict(value) if isinstance(value, Mapping) else {"content": value}
        if "role" in given:
            fields.setdefault("role", given["role"])
        self._role(fields)
        return Call(bound, said[0], fields)

    def _role(self, fields: Mapping[str, Any]) -> str:
        role = fields.get("role", "user")
        found = _ALIKE.get(role, role) if isinstance(role, str) else ""
        if found not in ROLES:
            raise InputError("this is not a role", hint=f"one of {', '.join(sorted(ROLES))}")
        return found

    def read(self) -> Any:
        """Give all items as they are stored."""
        if self.awaits:
            return self._read()
        return list(self._methods["read"](*self._args, **self._kwargs))

    async def _read(self) -> Any:
        return list(await self._methods["read"](*self._args, **self._kwargs))

    def add(self, items: list[Any]) -> Any:
        """Add one item: the method takes no more."""
        [call] = items
        whole = isinstance(call.arguments.arguments[call.name], Mapping)
        bound = call.saying(call.fields if whole else call.fields["content"])
        return self._methods["add"](*bound.args, **bound.kwargs)

    def clear(self) -> Any:
        """Remove all items."""
        return self._methods["clear"](*self._args, **self._kwargs)

    def rewrite(self, old: list[Any], new: list[Any]) -> Any:  # noqa: ARG002 (the protocol's)
        """Put other items in the place of all."""
        if "replace" not in self._methods:
            raise UsageError(
                "this memory can't be sealed in place",
                hint="replace=… names a method that takes all messages as a list",
            )
        return self._methods["replace"](*self._args, new, **self._kwargs)

    def text(self, item: Any) -> object:
        """Give the content."""
        match item:
            case Call():
                return item.fields.get("content")
            case Mapping():
                return item.get("content")
            case [_, content]:
                return content
            case _:
                return item

    def stand_in(self, item: Any, text: str) -> Any:
        """Give an item of the same role that holds nothing but an envelope, and what may be kept."""
        match item:
            case Call():
                return replace(item, fields=self._sealed(item.fields, text))
            case Mapping():
                return self._sealed(item, text)
            case [role, _]:
                return type(item)([role, text])
            case _:
                return text

    def _sealed(self, fields: Mapping[str, Any], text: str) -> dict[str, Any]:
        kept = {name: part for name, part in fields.items() if name in self._keep or name == "role"}
        return {**kept, "content": text}

    def message(self, item: Any) -> Message:
        """Give an item in the vault's form."""
        match item:
            case Call():
                fields = item.fields
            case Mapping():
                fields = dict(item)
            case [role, content]:
                fields = {"role": role, "content": content}
            case str():
                fields = {"content": item}
            case _:
                raise InputError("an item of this memory is no dict, pair or text")
        return fold(fields, self._role(fields))

    def item(self, message: Message, stored: Any) -> Any:
        """Give an item as the memory gives it, with what was said in it."""
        fields = unfold(message)
        match stored:
            case Mapping():
                if "role" in fields and fields["role"] != stored.get("role", fields["role"]):
                    raise TamperedError("the role of a message in a memory was edited")
                return {**stored, **fields}
            case [role, _]:
                if role != fields.get("role", role):
                    raise TamperedError("the role of a message in a memory was edited")
                return type(stored)([role, fields["content"]])
            case _:
                return fields["content"]
