"""The checkpoints of LangGraph's threads, as records of a session: one session for each user's thread.

spaces               the checkpoint namespaces of the thread
checkpoints <ns>     each with its small values inside it
values               larger values, each stored once a day while a checkpoint has it
messages             each message of a list of messages, stored once; checkpoints name ranges of numbers
writes <ns> <id>     the writes of a checkpoint's tasks
prunes               a mark that changes when messages and values are taken out: whoever writes names the one
                     that was read before what is referred to, so that nobody refers to what is gone
early                checkpoints whose tasks wrote before the checkpoint itself was stored
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from vault.adapters.langgraph_values import Raw, Typed
from vault.chat.records import Record
from vault.errors import TamperedError

THREAD, RUN = "langgraph thread", "langgraph run"
BARE = frozenset({"v", "id", "ts", "channel_versions", "versions_seen", "updated_channels"})
TELLING = frozenset({"source", "step", "parents", "run_id", "counters_since_delta_snapshot"})
SPACES, VALUES, MESSAGES, PRUNES, EARLY = (
    "langgraph spaces",
    "langgraph values",
    "langgraph messages",
    "langgraph prunes",
    "langgraph early",
)

MARK = "mark"  # the key of the only record in PRUNES

T = TypeVar("T")
Run = tuple[bytes, int, int]  # a chapter's node, and first and last number of messages that lie in it


class Stored(msgspec.Struct, array_like=True):
    """What is sealed of a checkpoint. Fields are only ever added at the end."""

    id: str
    space: str
    parent: str | None
    bare: Typed
    rest: Typed
    telling: Typed
    metadata: Typed
    inline: dict[str, Typed]
    apart: dict[str, tuple[str, bytes]]  # the key of a record of its own, and the node of its chapter


class Task(msgspec.Struct, array_like=True):
    """What is sealed of the writes of one task."""

    id: str
    path: str
    writes: list[tuple[int, str, str, bytes]]  # index, channel, kind, data


@dataclass(frozen=True, slots=True)
class Where:
    """A thread of a user."""

    user: str
    thread: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint as it was stored, with everything that it refers to."""

    id: str
    space: str
    parent: str | None
    checkpoint: dict[str, Any]
    metadata: dict[str, Any]
    writes: list[tuple[str, str, Any]]


def collection_of(*parts: str) -> str:
    """Give a collection of its own to parts of any length."""
    return f"langgraph {parts[0]} {hashlib.sha256(msgspec.json.encode(parts)).hexdigest()}"


def key_of(name: str) -> str:
    """Give a key to a name of any form."""
    return hashlib.sha256(name.encode()).hexdigest()


def early_key(space: str, checkpoint_id: str) -> str:
    """Give the key of a checkpoint in EARLY."""
    return hashlib.sha256(msgspec.json.encode([space, checkpoint_id])).hexdigest()


def checkpoint_of(record: Record) -> Stored:
    """Read a checkpoint."""
    return _converted(record, Stored)


def task_of(record: Record) -> Task:
    """Read the writes of a task."""
    return _converted(record, Task)


def message_of(record: Record) -> tuple[Raw, bytes]:
    """Read a message, and the node of its chapter."""
    code, payload, chapter = record.value
    return Raw(code, payload), chapter


def _converted(record: Record, form: type[T]) -> T:
    with suppress(msgspec.MsgspecError, TypeError):
        return msgspec.msgpack.decode(record.value, type=form)
    raise TamperedError("a sealed record is of no known form")


def runs_of(one: Raw) -> list[Run]:
    """Give the ranges of messages that a reference names."""
    return msgspec.msgpack.decode(one.payload, type=list[Run])
