"""LangGraph's long-term memory, as records of a user: redacted, sealed, gone with its user.

Everything of a user lies in one session. Keys and namespaces are sealed as they are, texts of values after
redaction. A search opens all items of its user: there is no index that could tell what they say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)

from vault.adapters.langgraph_face import Face
from vault.chat.records import Drop, Put, Record
from vault.clock import to_datetime
from vault.errors import InputError, RevisionError, StoreUnavailableError, TamperedError
from vault.messages import STATE, Message, check_id, check_namespace

if TYPE_CHECKING:
    from vault.aio import AsyncVault
    from vault.client import Vault

SESSION, ITEMS = "langgraph store", "langgraph items"
T = TypeVar("T")
_RACES = 50
_ENDLESS = 2**62  # microseconds
_MINUTE = 60_000_000
_REFRESHED = 0.01  # a read that would move the end by less than this part of the whole time writes nothing


class Kept(msgspec.Struct, array_like=True):
    """What is sealed of an item. Fields are only ever added at the end."""

    namespace: tuple[str, ...]
    key: str
    value: dict[str, Any]
    created_at: int
    updated_at: int
    ttl: float | None = None  # minutes
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """The items of a user at one moment."""

    user: str
    now: int
    items: Mapping[str, Kept]
    revisions: Mapping[str, int]


class VaultStore(BaseStore):
    """Keeps a graph's long-term memory.

    The user id comes from the config of the graph that runs, or from the constructor. Expired items are never
    given. `ttl` is LangGraph's own `TTLConfig`.
    """

    supports_ttl = True

    def __init__(
        self,
        vault: Vault | AsyncVault,
        *,
        user_id: str | None = None,
        namespace: str = "",
        ttl: TTLConfig | None = None,
    ) -> None:
        self._face = Face(vault)
        self._core = self._face.core
        self._given = None if user_id is None else check_id(user_id, "user id")
        self._namespace = check_namespace(namespace)
        self.ttl_config = ttl

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out many operations; reads see what was there before the writes."""
        user = self._user()
        return self._face.run_in_turn(user, self._batch, user, list(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out many operations; reads see what was there before the writes."""
        user = self._user()
        return await self._face.arun_in_turn(user, self._batch, user, list(ops))

    def sweep_ttl(self) -> int:
        """Delete what has expired; give how many items."""
        user = self._user()
        return self._face.run_in_turn(user, self._sweep, user)

    def _user(self) -> str:
        config = var_child_runnable_config.get() or {}
        user = config.get("configurable", {}).get("user_id") or self._given
        if user is None:
            raise InputError(
                "no user is named whose memory this is",
                hint='VaultStore(vault, user_id=...), or config["configurable"]["user_id"]',
            )
        return check_id(str(user), "user id")

    # -- behind the face ----------------------------------------------------------------------------------

    def _batch(self, user: str, ops: Sequence[Op]) -> list[Result]:
        return _until_it_fits(partial(self._try_batch, user, ops))

    def _try_batch(self, user: str, ops: Sequence[Op]) -> list[Result]:
        look = self._look(user, ops)
        changes: dict[str, Put | Drop] = {}
        results = [self._answer(look, op, changes) for op in ops]
        for op in ops:
            if isinstance(op, PutOp):
                key = _key(op.namespace, op.key)
                changes[key] = Drop(ITEMS, key) if op.value is None else _put(look, key, op)
        puts = [one for one in changes.values() if isinstance(one, Put)]
        drops = [one for one in changes.values() if isinstance(one, Drop)]
        if changes:
            self._core.keep(user, SESSION, self._namespace, puts, drops)
        return results

    def _answer(self, look: _Look, op: Op, changes: dict[str, Put | Drop]) -> Result:
        """Give what an operation asks for, and put off the end of what is read."""
        match op:
            case GetOp():
                found = look.items.get(_key(op.namespace, op.key))
                self._refresh(look, [found] if found and op.refresh_ttl else [], changes)
                return None if found is None else _item(found)
            case SearchOp():
                chosen = _searched(look, op)
                self._refresh(look, chosen if op.refresh_ttl else [], changes)
                return [_found(one) for one in chosen]
            case ListNamespacesOp():
                return _namespaces(look, op)
            case PutOp():
                return None
        raise InputError("an operation of an unknown kind")

    def _look(self, user: str, ops: Sequence[Op]) -> _Look:
        keys: list[str] | None = [_key(op.namespace, op.key) for op in ops if isinstance(op, GetOp | PutOp)]
        if any(isinstance(op, SearchOp | ListNamespacesOp) for op in ops):
            keys = None
        now = self._core.stores.clock()
        records = self._core.records.read(user, SESSION, ITEMS, keys=keys)
        kept = {one.key: _kept(one) for one in records}
        alive = {key: one for key, one in kept.items() if one.expires_at is None or one.expires_at > now}
        return _Look(user, now, alive, {one.key: one.revision for one in records})

    def _refresh(self, look: _Look, items: Iterable[Kept], changes: dict[str, Put | Drop]) -> None:
        """Put off the end of items, as they were read: what another wrote or deleted since stays so (P8)."""
        for one in items:
            if one.ttl is None or one.expires_at is None:
                continue
            end = look.now + int(one.ttl * _MINUTE)
            if end - one.expires_at > one.ttl * _MINUTE * _REFRESHED:
                key = _key(one.namespace, one.key)
                later = msgspec.msgpack.encode(msgspec.structs.replace(one, expires_at=end))
                at = to_datetime(one.updated_at)
                revision = look.revisions[key]
                changes[key] = Put(ITEMS, key, [], partial(_as_it_is, later), at, revision=revision)

    def _sweep(self, user: str) -> int:
        return _until_it_fits(partial(self._try_sweep, user))

    def _try_sweep(self, user: str) -> int:
        now = self._core.stores.clock()
        gone = [
            Drop(ITEMS, one.key, one.revision)
            for one in self._core.records.read(user, SESSION, ITEMS)
            if (end := _kept(one).expires_at) is not None and end <= now
        ]
        self._core.keep(user, SESSION, self._namespace, [], gone)
        return len(gone)


def _until_it_fits(work: Callable[[], T]) -> T:
    """Do something again, from its reading on, where another wrote what it had read."""
    for _ in range(_RACES):
        with suppress(RevisionError):
            return work()
    raise StoreUnavailableError("too many writers for one memory", hint="try again")


def _key(namespace: Sequence[str], key: str) -> str:
    parts = [*namespace, key]
    if all(isinstance(part, str) for part in parts):
        with suppress(UnicodeEncodeError):  # a lone surrogate
            return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
    raise InputError("the key of an item, and the parts of its namespace, are texts")


def _kept(record: Record) -> Kept:
    with suppress(msgspec.MsgspecError, TypeError):
        return msgspec.msgpack.decode(record.value, type=Kept)
    raise TamperedError("a sealed item is of no known form")


def _item(one: Kept) -> Item:
    return Item(
        namespace=one.namespace,
        key=one.key,
        value=one.value,
        created_at=to_datetime(one.created_at),
        updated_at=to_datetime(one.updated_at),
    )


def _found(one: Kept) -> SearchItem:
    created_at, updated_at = to_datetime(one.created_at), to_datetime(one.updated_at)
    return SearchItem(one.namespace, one.key, one.value, created_at, updated_at)


def _put(look: _Look, key: str, op: PutOp) -> Put:
    before = look.items.get(key)
    created_at = look.now if before is None else before.created_at
    end = None if op.ttl is None else look.now + _length(op.ttl)
    value = _plain(op.value)

    def make(redacted: Sequence[Message]) -> object:
        content = redacted[0].content
        said = content["arguments"] if isinstance(content, dict) else content
        kept = Kept(op.namespace, op.key, said, created_at, look.now, op.ttl, end)  # type: ignore[arg-type]
        return msgspec.msgpack.encode(kept)

    return Put(ITEMS, key, [Message(STATE, {"arguments": value})], make, to_datetime(look.now))


def _length(minutes: float) -> int:
    with suppress(ValueError, OverflowError):
        length = int(minutes * _MINUTE)
        if length < _ENDLESS:
            return length
    raise InputError("a ttl is a number of minutes", hint="None for an item that never expires")


def _plain(value: object) -> dict[str, Any]:
    """Give a value as JSON has it, which is what every store of LangGraph's gives back."""
    with suppress(TypeError, ValueError, OverflowError, msgspec.MsgspecError, RecursionError):
        plain = msgspec.msgpack.decode(
            msgspec.msgpack.encode(msgspec.json.decode(msgspec.json.encode(value)))
        )
        if isinstance(plain, dict) and plain == value:
            return plain
    raise InputError(
        "an item's value is a dict of what JSON can hold, and gives back as it was",
        hint="texts as keys; texts, finite numbers, booleans, None, lists and dicts in it",
    )


def _as_it_is(value: object, redacted: Sequence[Message]) -> object:  # noqa: ARG001 (nothing was left to redact)
    return value


# -- searching -------------------------------------------------------------------------------------------


def _searched(look: _Look, op: SearchOp) -> list[Kept]:
    depth = len(op.namespace_prefix)
    found = [
        one
        for one in look.items.values()
        if one.namespace[:depth] == tuple(op.namespace_prefix)
        and all(_fits(one.value.get(key), wanted) for key, wanted in (op.filter or {}).items())
    ]
    found.sort(key=lambda one: one.updated_at, reverse=True)
    return found[op.offset : op.offset + op.limit]


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: bool(value == wanted),
    "$ne": lambda value, wanted: bool(value != wanted),
    "$gt": lambda value, wanted: float(value) > float(wanted),
    "$gte": lambda value, wanted: float(value) >= float(wanted),
    "$lt": lambda value, wanted: float(value) < float(wanted),
    "$lte": lambda value, wanted: float(value) <= float(wanted),
}


def _fits(value: Any, wanted: Any) -> bool:  # noqa: ANN401 (any value)
    match wanted:
        case dict() if any(str(key).startswith("$") for key in wanted):
            return all(_compared(value, str(name), other) for name, other in wanted.items())
        case dict():
            return isinstance(value, dict) and all(_fits(value.get(key), one) for key, one in wanted.items())
        case list() | tuple():
            same = isinstance(value, list) and len(value) == len(wanted)
            return same and all(_fits(*pair) for pair in zip(value, wanted, strict=True))
        case _:
            return bool(value == wanted)


def _compared(value: Any, name: str, wanted: Any) -> bool:  # noqa: ANN401 (any value)
    if name not in _COMPARED:
        raise InputError("an unknown comparison", hint=f"one of {', '.join(_COMPARED)}")
    with suppress(TypeError, ValueError):  # what is no number is neither more nor less than one
        return _COMPARED[name](value, wanted)
    return False


def _namespaces(look: _Look, op: ListNamespacesOp) -> list[tuple[str, ...]]:
    found = {
        one.namespace[: op.max_depth]
        for one in look.items.values()
        if all(_matches(one.namespace, condition) for condition in op.match_conditions or ())
    }
    return sorted(found)[op.offset : op.offset + op.limit]


def _matches(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path, depth = condition.path, len(namespace)
    is_prefix = condition.match_type == "prefix"
    part = namespace[: len(path)] if is_prefix else namespace[max(0, depth - len(path)) :]
    return len(part) == len(path) and all(want in {"*", one} for one, want in zip(part, path, strict=True))
