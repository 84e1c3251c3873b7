"""LangGraph: `VaultSaver` keeps the checkpoints of a graph in a vault, `VaultStore` its long-term memory.

A thread is a session of its user. The user id comes from `config["configurable"]["user_id"]`, or from the
constructor.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from vault.adapters.facing import passing_over
from vault.adapters.langgraph_face import Face
from vault.adapters.langgraph_forms import Found, Stored, Task, Where
from vault.adapters.langgraph_pruning import KEEP_LATEST, Pruner
from vault.adapters.langgraph_store import VaultStore
from vault.adapters.langgraph_threads import Threads
from vault.errors import InputError, MissingExtraError, SessionForgottenError
from vault.messages import check_id, check_namespace

try:
    from langgraph.checkpoint.base import (
        WRITES_IDX_MAP,
        BaseCheckpointSaver,
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        get_serializable_checkpoint_metadata,
    )
except ModuleNotFoundError:
    raise MissingExtraError("langgraph", "langgraph") from None

__all__ = ["VaultSaver", "VaultStore"]

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from vault.aio import AsyncVault
    from vault.client import Vault


_WITHIN = "__pregel_checkpointer"  # in the configs that a graph makes for its subgraphs, and in no others
_asked: ContextVar[tuple[str, str] | None] = ContextVar("asked", default=None)

Chosen = list[tuple[Where, Stored]]  # named out here: a saver's `list` is a method


class VaultSaver(BaseCheckpointSaver[str]):
    """Keeps checkpoints redacted, sealed and erasable by user.

    `user_id` is for configs that name none; `user_from_session=True` takes the thread id for it. `namespace`
    is the operator's label of new threads, by which retention rules choose.
    """

    def __init__(
        self,
        vault: Vault | AsyncVault,
        *,
        user_id: str | None = None,
        user_from_session: bool = False,
        namespace: str = "",
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self._face = Face(vault)
        self._user = None if user_id is None else check_id(user_id, "user id")
        self._user_from_session = user_from_session
        self._namespace = check_namespace(namespace)
        self._prepare()

    def _prepare(self) -> None:
        self._threads = Threads(self._face.core, self.serde)
        self._pruner = Pruner(self._threads, self._user, self._namespace)

    # -- whose --------------------------------------------------------------------------------------------

    def _where(self, config: RunnableConfig) -> Where:
        configurable = config["configurable"]
        thread = check_id(str(configurable["thread_id"]), "thread id")
        user = configurable.get("user_id") or self._user or (thread if self._user_from_session else None)
        if user is None and _WITHIN in configurable and configurable.get("checkpoint_ns"):
            # A graph asks for the state of a subgraph: for the thread that it was asked for a moment ago.
            asked = _asked.get()
            user = asked[1] if asked is not None and asked[0] == thread else None
        if user is None:
            raise InputError(
                "no user is named whose thread this is",
                hint='config["configurable"]["user_id"], or VaultSaver(vault, user_id=...)',
            )
        _asked.set((thread, str(user)))
        return Where(check_id(str(user), "user id"), thread, self._namespace)

    def with_allowlist(self, extra_allowlist: Any) -> VaultSaver:  # noqa: ANN401 (the framework's)
        """Give a clone whose serializer builds further classes."""
        clone = super().with_allowlist(extra_allowlist)
        if isinstance(clone, VaultSaver) and clone is not self:
            clone._prepare()  # noqa: SLF001 (one of its own kind)
        return clone  # type: ignore[return-value]

    def get_next_version(self, current: str | None, channel: None) -> str:  # noqa: ARG002 (the framework's)
        """Give a version after another: texts that sort as their numbers do, and differ between branches."""
        number = int(str(current).partition(".")[0]) if current is not None else 0
        return f"{number + 1:032}.{secrets.token_hex(8)}"

    # -- reading ------------------------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Give a checkpoint, or the latest."""
        return self._face.run(self._get, config, self._where(config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Give a checkpoint, or the latest."""
        return await self._face.arun(self._get, config, self._where(config))

    def _get(self, config: RunnableConfig, where: Where) -> CheckpointTuple | None:
        configurable = config["configurable"]
        space, wanted = configurable.get("checkpoint_ns", ""), configurable.get("checkpoint_id")
        found = self._threads.find(where, space, wanted)
        return None if found is None else self._tuple(config, where, found)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 (the framework's)
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Give checkpoints, the newest first."""
        chosen = self._face.run(self._choose, config, filter, before, limit)
        for where, stored in chosen:
            if (found := self._face.run(self._open, config, where, stored)) is not None:
                yield found

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 (the framework's)
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Give checkpoints, the newest first."""
        for where, stored in await self._face.arun(self._choose, config, filter, before, limit):
            if (found := await self._face.arun(self._open, config, where, stored)) is not None:
                yield found

    def _choose(
        self,
        config: RunnableConfig | None,
        wanted: Mapping[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> Chosen:
        threads = self._threads
        configurable = (config or {}).get("configurable", {})
        found: Chosen = []
        for where in self._wheres(config):
            with passing_over(SessionForgottenError, unless=_names_thread(config)):
                found += [
                    (where, stored)
                    for space in threads.spaces(where)
                    if configurable.get("checkpoint_ns") in {None, space}
                    for stored in threads.every(where, space)
                ]
        found.sort(key=lambda one: one[1].id, reverse=True)
        if one := configurable.get("checkpoint_id"):
            found = [pair for pair in found if pair[1].id == one]
        if before is not None and (end := before["configurable"].get("checkpoint_id")):
            found = [pair for pair in found if pair[1].id < end]
        if wanted:
            found = [pair for pair in found if self._fits(pair[1], wanted)]
        return found[:limit]

    def _wheres(self, config: RunnableConfig | None) -> Sequence[Where]:
        if config is not None and _names_thread(config):
            return [self._where(config)]
        user = (config or {}).get("configurable", {}).get("user_id") or self._user
        if user is None:
            raise InputError(
                "no user is named whose threads these are", hint="VaultSaver(vault, user_id=...)"
            )
        sessions = self._face.core.lister.sessions(check_id(str(user), "user id"))
        return [Where(str(user), one.session_id, self._namespace) for one in sessions]

    def _fits(self, stored: Stored, wanted: Mapping[str, Any]) -> bool:
        metadata = self._threads.metadata(stored)
        return all(key in metadata and metadata[key] == value for key, value in wanted.items())

    def _open(self, config: RunnableConfig | None, where: Where, stored: Stored) -> CheckpointTuple | None:
        found = None
        with passing_over(SessionForgottenError, unless=_names_thread(config)):
            found = self._threads.open(where, stored)
        return None if found is None else self._tuple(config, where, found)

    def _tuple(self, config: RunnableConfig | None, where: Where, found: Found) -> CheckpointTuple:
        def at(checkpoint_id: str) -> RunnableConfig:
            return self._config(config, where, found.space, checkpoint_id)

        return CheckpointTuple(
            at(found.id),
            found.checkpoint,  # type: ignore[arg-type]
            found.metadata,  # type: ignore[arg-type]
            at(found.parent) if found.parent else None,
            found.writes,
        )

    def _config(
        self, config: RunnableConfig | None, where: Where, space: str, checkpoint_id: str
    ) -> RunnableConfig:
        named = "user_id" in (config or {}).get("configurable", {})
        return {
            "configurable": {
                "thread_id": where.thread,
                "checkpoint_ns": space,
                "checkpoint_id": checkpoint_id,
                **({"user_id": where.user} if named else {}),
            }
        }

    # -- writing ------------------------------------------------------------------------------------------

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint; it is durable when this returns."""
        return self._face.run_in_turn(
            self._where(config), self._put, config, checkpoint, metadata, new_versions
        )

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint; it is durable when this returns."""
        return await self._face.arun_in_turn(
            self._where(config), self._put, config, checkpoint, metadata, new_versions
        )

    def _put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        where, configurable = self._where(config), config["configurable"]
        space = configurable.get("checkpoint_ns", "")
        said = get_serializable_checkpoint_metadata(config, metadata)
        self._threads.put(where, space, checkpoint, configurable.get("checkpoint_id"), said, new_versions)
        return self._config(config, where, space, checkpoint["id"])

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote."""
        self._face.run_in_turn(self._where(config), self._put_writes, config, writes, task_id, task_path)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote."""
        turn = self._where(config)
        await self._face.arun_in_turn(turn, self._put_writes, config, writes, task_id, task_path)

    def _put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        configurable = config["configurable"]
        task = Task(
            task_id,
            task_path,
            [
                (WRITES_IDX_MAP.get(channel, index), channel, "", b"")
                for index, (channel, _) in enumerate(writes)
            ],
        )
        self._threads.put_writes(
            self._where(config),
            configurable.get("checkpoint_ns", ""),
            configurable["checkpoint_id"],
            task,
            [value for _, value in writes],
            replaces=all(channel in WRITES_IDX_MAP for channel, _ in writes),
        )

    # -- deleting and copying -----------------------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        """Erase a thread."""
        self._face.run(self._pruner.delete_thread, str(thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        """Erase a thread."""
        await self._face.arun(self._pruner.delete_thread, str(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that some runs made."""
        for where in self._face.run(self._pruner.holders, run_ids):
            self._face.run_in_turn(where, self._pruner.delete_for_runs, where, run_ids)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that some runs made."""
        for where in await self._face.arun(self._pruner.holders, run_ids):
            await self._face.arun_in_turn(where, self._pruner.delete_for_runs, where, run_ids)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history, for the same user."""
        self._face.run(self._pruner.copy, str(source_thread_id), str(target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history, for the same user."""
        await self._face.arun(self._pruner.copy, str(source_thread_id), str(target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = KEEP_LATEST) -> None:
        """Delete all checkpoints of some threads, or all but the latest of each namespace."""
        for where in self._face.run(self._pruner.chosen, thread_ids, strategy):
            self._face.run_in_turn(where, self._pruner.prune, where, strategy)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = KEEP_LATEST) -> None:
        """Delete all checkpoints of some threads, or all but the latest of each namespace."""
        for where in await self._face.arun(self._pruner.chosen, thread_ids, strategy):
            await self._face.arun_in_turn(where, self._pruner.prune, where, strategy)


def _names_thread(config: RunnableConfig | None) -> bool:
    return "thread_id" in (config or {}).get("configurable", {})
