"""`AsyncVault` and `AsyncTranscript`: the very same implementation, run in a greenlet over async drivers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from sqlalchemy.util.concurrency import await_, greenlet_spawn

from vault.clock import Clock, system_clock
from vault.core import UNSAID, Core, Opening, Unsaid, many_messages, one_message
from vault.errors import MissingExtraError
from vault.evidence.certificate import Certificate
from vault.listing import SessionSummary
from vault.messages import Content, Message, Messages, check_id, check_ids, check_namespace
from vault.redaction import Redactor
from vault.requests import Footprint
from vault.status import KeysStatus
from vault.transfer.backup import back_up
from vault.transfer.drill import Drill, Exercise, drill
from vault.transfer.manifest import Manifest
from vault.transfer.restore import Restored, Target, restore

P = ParamSpec("P")
T = TypeVar("T")


class Waiting:
    """The runtime of the async face: a task waits, the loop goes on."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work to its end, in a task of its own.

        Whoever is cancelled stops waiting for it. The work goes on: it may be writing for others too, and a
        commit that nobody sees the end of would be lost or made twice.
        """
        task = asyncio.ensure_future(_run(work, *args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for what cancelled callers left behind."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def wait(self, future: Future[T]) -> T:
        """Wait for another task."""
        return await_(asyncio.wrap_future(future))

    def pause(self, seconds: float) -> None:
        """Let other tasks go first."""
        await_(asyncio.sleep(seconds))


async def _run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await greenlet_spawn(partial(work, *args, **kwargs))


class AsyncVault:
    """`Vault`, awaited. It belongs to one event loop; use it as an async context manager."""

    def __init__(self, core: Core, runtime: Waiting) -> None:
        self._core = core
        self._runtime = runtime

    @classmethod
    async def open(  # noqa: PLR0913 (one for each setting)
        cls,
        where: str | os.PathLike[str] | None = None,
        *,
        keyring: str | None = None,
        root: str | None = None,
        redactor: Redactor | Unsaid | None = UNSAID,
        horizon: str | None = None,
        limit: int | None = None,
        clock: Clock = system_clock,
        create: bool = True,
    ) -> Self:
        """Open a directory, or the URL of transcripts with keyring= and root=; make what is new."""
        given = Opening(
            where=where,
            keyring=keyring,
            root=root,
            redactor=redactor,
            horizon=horizon,
            limit=limit,
            clock=clock,
            create=create,
        )
        runtime = Waiting()
        try:
            return cls(await _run(Core, given, runtime, is_async=True), runtime)
        except ImportError as missing:
            raise MissingExtraError(missing.name or "greenlet", "async") from None

    async def close(self) -> None:
        """Close the connections. What was acknowledged is durable already."""
        await self._runtime.finish()
        await _run(self._core.stores.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def transcript(self, user_id: str, session_id: str, *, namespace: str = "") -> AsyncTranscript:
        """Give the transcript of a session. Nothing is made or looked up yet."""
        ids = check_ids(user_id, session_id)
        return AsyncTranscript(self._core, self._runtime, *ids, check_namespace(namespace))

    async def users(self) -> AsyncIterator[str]:
        """Give the ids of all users, in the order of their first message."""
        after: int | None = 0
        while after is not None:
            page, after = await self._runtime.run(self._core.lister.users_page, after)
            for user_id in page:
                yield user_id

    async def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give a user's sessions, in the order of their beginning."""
        return await self._runtime.run(self._core.lister.sessions, check_id(user_id, "user id"))

    async def footprint(self, user_id: str, session_id: str | None = None) -> Footprint:
        """Count what forgetting a user, or one session of theirs, would take; change nothing."""
        return await self._runtime.run(self._core.requests.footprint, user_id, session_id)

    async def forget_user(
        self, user_id: str, *, reason: str = "", actor: str = "", now: bool = False
    ) -> Certificate:
        """Erase a user for good, in every copy that was ever taken.

        The certificate is provisional until the horizon has passed; `now=True` cuts that short. Asked again,
        it gives the same certificate, as far as it has come.
        """
        return (await self.forget_users([user_id], reason=reason, actor=actor, now=now))[0]

    async def forget_users(
        self, user_ids: Iterable[str], *, reason: str = "", actor: str = "", now: bool = False
    ) -> list[Certificate]:
        """Erase many users with one change of the root."""
        forget = self._core.requests.forget_users
        return await self._runtime.run(forget, user_ids, reason=reason, actor=actor, now=now)

    async def forget_session(
        self, user_id: str, session_id: str, *, reason: str = "", actor: str = "", now: bool = False
    ) -> Certificate:
        """Erase one session for good."""
        forget = self._core.requests.forget_session
        return await self._runtime.run(forget, user_id, session_id, reason=reason, actor=actor, now=now)

    async def enroll(self, user_id: str, session_id: str | None = None) -> None:
        """Let a user, or a session, that was forgotten start anew. What was erased stays erased."""
        await self._runtime.run(self._core.requests.enroll, user_id, session_id)

    async def certificates(self) -> list[Certificate]:
        """Give the certificates of all erasures, as far as each has come."""
        return await self._runtime.run(self._core.requests.certificates)

    async def keys_status(self) -> KeysStatus:
        """Say how the root and the keyring stand."""
        return await self._runtime.run(self._core.status)

    async def destroy_due(self, *, now: bool = False) -> list[Certificate]:
        """Destroy the old root generations that are due, or all; give the certificates that became final."""
        return await self._runtime.run(self._core.swapper.destroy_due, cut_short=now)

    async def adopt(self) -> None:
        """Make this keyring, a copy or one that was moved, the holder of its root."""
        await self._runtime.run(self._core.adopt)

    async def backup(self, destination: str | os.PathLike[str]) -> Manifest:
        """Copy transcripts and keyring, while they are in use, into a new directory. The root is left out."""
        return await self._runtime.run(back_up, self._core.stores, self._core.keyring, destination)

    @classmethod
    async def restore(  # noqa: PLR0913 (one for each setting)
        cls,
        backup: str | os.PathLike[str],
        where: str | os.PathLike[str] | None = None,
        *,
        keyring: str | None = None,
        root: str | None = None,
        horizon: str | None = None,
        replace: Collection[str] = (),
        clock: Clock = system_clock,
    ) -> Restored:
        """Put a backup back: fill what is empty, keep what holds something unless `replace` names it.

        Keep the present keyring where there is one: it knows who was forgotten since and whose keys are new.
        No process may have the vault open meanwhile.
        """
        runtime = Waiting()
        target = Target(
            where=where,
            keyring=keyring,
            root=root,
            horizon=horizon,
            replace=replace,
            clock=clock,
            runtime=runtime,
            is_async=True,
        )
        return await runtime.run(restore, backup, target)

    @classmethod
    async def drill(
        cls,
        backup: str | os.PathLike[str],
        where: str | os.PathLike[str] | None = None,
        *,
        root: str | None = None,
        sample: int | None = 20,
        clock: Clock = system_clock,
    ) -> Drill:
        """Show that a backup can be restored, in a temporary copy: nothing else is touched.

        Every user's name is opened, and the last `sample` messages of `sample` sessions; None reads all.
        """
        runtime = Waiting()
        given = Exercise(where=where, root=root, sample=sample, clock=clock, runtime=runtime, is_async=True)
        return await runtime.run(drill, backup, given)


class AsyncTranscript:
    """`Transcript`, awaited."""

    __slots__ = ("_core", "_namespace", "_runtime", "session_id", "user_id")

    def __init__(self, core: Core, runtime: Waiting, user_id: str, session_id: str, namespace: str) -> None:
        self._core = core
        self._runtime = runtime
        self._namespace = namespace
        self.user_id = user_id
        self.session_id = session_id

    async def append(
        self,
        message: str | Message | Mapping[str, Any],
        content: Content | Unsaid = UNSAID,
        *,
        metadata: dict[str, Any] | None = None,
        created_at: datetime | None = None,
        key: str | None = None,
    ) -> Message:
        """Add one message: a role and content, a dict, or a Message. It is durable when this returns.

        With `key`, saying the same again in this session adds nothing and gives the first message.
        """
        one = one_message(message, content, metadata, created_at)
        return (
            await self._runtime.run(
                self._core.extend, self.user_id, self.session_id, self._namespace, [one], key
            )
        )[0]

    async def extend(
        self, messages: Iterable[Message | Mapping[str, Any]], *, key: str | None = None
    ) -> list[Message]:
        """Add many messages, all or none."""
        many = many_messages(messages)
        return await self._runtime.run(
            self._core.extend, self.user_id, self.session_id, self._namespace, many, key
        )

    async def messages(self, *, last: int | None = None, before: int | None = None) -> Messages:
        """Give the messages in order: all, the `last` ones, or those `before` a seq."""
        read = self._core.reader.messages
        return await self._runtime.run(read, self.user_id, self.session_id, last=last, before=before)

    async def pop(self) -> Message | None:
        """Remove the last message and give it. Its row is deleted, which is no erasure from old copies."""
        return await self._runtime.run(self._core.remover.pop, self.user_id, self.session_id)

    async def clear(self) -> None:
        """Start the session anew: its messages are erased, its name stays."""
        await self._runtime.run(self._core.requests.clear, self.user_id, self.session_id, self._namespace)

    async def delete(self) -> None:
        """Erase the session. Its id may be used again."""
        await self._runtime.run(self._core.requests.delete, self.user_id, self.session_id)
