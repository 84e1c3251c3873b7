"""`AsyncVault` and `AsyncTranscript`: the very same implementation, run in a greenlet over async drivers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
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

P = ParamSpec("P")
T = TypeVar("T")


class Waiting:
    """The runtime of the async face: a task waits, the loop goes on."""

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

    def __init__(self, core: Core) -> None:
        self._core = core

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
        try:
            return cls(await _run(Core, given, Waiting(), is_async=True))
        except ImportError as missing:
            raise MissingExtraError(missing.name or "greenlet", "async") from None

    async def close(self) -> None:
        """Close the connections. What was acknowledged is durable already."""
        await _run(self._core.stores.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def transcript(self, user_id: str, session_id: str, *, namespace: str = "") -> AsyncTranscript:
        """Give the transcript of a session. Nothing is made or looked up yet."""
        return AsyncTranscript(self._core, *check_ids(user_id, session_id), check_namespace(namespace))

    async def users(self) -> AsyncIterator[str]:
        """Give the ids of all users, in the order of their first message."""
        after: int | None = 0
        while after is not None:
            page, after = await _run(self._core.lister.users_page, after)
            for user_id in page:
                yield user_id

    async def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give a user's sessions, in the order of their beginning."""
        return await _run(self._core.lister.sessions, check_id(user_id, "user id"))

    async def footprint(self, user_id: str, session_id: str | None = None) -> Footprint:
        """Count what forgetting a user, or one session of theirs, would take; change nothing."""
        return await _run(self._core.requests.footprint, user_id, session_id)

    async def forget_user(
        self, user_id: str, *, reason: str = "", actor: str = "", now: bool = False
    ) -> Certificate:
        """Erase a user for good, in every copy that was ever taken."""
        return (await self.forget_users([user_id], reason=reason, actor=actor, now=now))[0]

    async def forget_users(
        self, user_ids: Iterable[str], *, reason: str = "", actor: str = "", now: bool = False
    ) -> list[Certificate]:
        """Erase many users with one change of the root."""
        forget = self._core.requests.forget_users
        return await _run(forget, user_ids, reason=reason, actor=actor, now=now)

    async def forget_session(
        self, user_id: str, session_id: str, *, reason: str = "", actor: str = "", now: bool = False
    ) -> Certificate:
        """Erase one session for good."""
        forget = self._core.requests.forget_session
        return await _run(forget, user_id, session_id, reason=reason, actor=actor, now=now)

    async def enroll(self, user_id: str, session_id: str | None = None) -> None:
        """Let a user, or a session, that was forgotten start anew. What was erased stays erased."""
        await _run(self._core.requests.enroll, user_id, session_id)

    async def certificates(self) -> list[Certificate]:
        """Give the certificates of all erasures, as far as each has come."""
        return await _run(self._core.requests.certificates)

    async def keys_status(self) -> KeysStatus:
        """Say how the root and the keyring stand."""
        return await _run(self._core.status)

    async def destroy_due(self, *, now: bool = False) -> list[Certificate]:
        """Destroy the old root generations that are due, or all; give the certificates that became final."""
        return await _run(self._core.swapper.destroy_due, cut_short=now)

    async def adopt(self) -> None:
        """Make this keyring, a copy or one that was moved, the holder of its root."""
        await _run(self._core.adopt)


class AsyncTranscript:
    """`Transcript`, awaited."""

    __slots__ = ("_core", "_namespace", "session_id", "user_id")

    def __init__(self, core: Core, user_id: str, session_id: str, namespace: str) -> None:
        self._core = core
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
        """Add one message: a role and content, a dict, or a Message. It is durable when this returns."""
        one = one_message(message, content, metadata, created_at)
        return (await _run(self._core.extend, self.user_id, self.session_id, self._namespace, [one], key))[0]

    async def extend(
        self, messages: Iterable[Message | Mapping[str, Any]], *, key: str | None = None
    ) -> list[Message]:
        """Add many messages, all or none."""
        many = many_messages(messages)
        return await _run(self._core.extend, self.user_id, self.session_id, self._namespace, many, key)

    async def messages(self, *, last: int | None = None, before: int | None = None) -> Messages:
        """Give the messages in order: all, the `last` ones, or those `before` a seq."""
        read = self._core.reader.messages
        return await _run(read, self.user_id, self.session_id, last=last, before=before)

    async def pop(self) -> Message | None:
        """Remove the last message and give it. Its row is deleted, which is no erasure from old copies."""
        return await _run(self._core.remover.pop, self.user_id, self.session_id)

    async def clear(self) -> None:
        """Start the session anew: its messages are erased, its name stays."""
        await _run(self._core.requests.clear, self.user_id, self.session_id, self._namespace)

    async def delete(self) -> None:
        """Erase the session. Its id may be used again."""
        await _run(self._core.requests.delete, self.user_id, self.session_id)
