"""Either face of a vault behind one: adapters of async frameworks take a `Vault` or an `AsyncVault`."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import ParamSpec, Protocol, TypeVar

from vault.aio import AsyncVault
from vault.client import Vault
from vault.config import is_url
from vault.core import Core
from vault.errors import UsageError, VaultError
from vault.forks import renew_locks
from vault.messages import Message, Messages
from vault.transcript import Transcript

AnyVault = Vault | AsyncVault
P = ParamSpec("P")
T = TypeVar("T")

_opened: dict[tuple[int, str], Vault] = {}
_opening = threading.Lock()
renew_locks(sys.modules[__name__], "_opening")


def opened(where: AnyVault | str | os.PathLike[str]) -> AnyVault:
    """Give a vault, or the one that this process has opened at a directory or URL: memories come and go."""
    if isinstance(where, Vault | AsyncVault):
        return where
    if not isinstance(where, str | os.PathLike):
        raise UsageError("this takes a vault, or where one lies", hint='Vault.open("chat-vault")')
    name = os.fspath(where)
    place = os.getpid(), name if is_url(name) else os.path.realpath(name)
    with _opening:
        if place not in _opened:
            if not _opened:
                atexit.register(_close)
            _opened[place] = Vault.open(where)
        return _opened[place]


def _close() -> None:
    """Close what this process has opened: a fork leaves its parent's connections alone."""
    with _opening:
        mine = [place for place in _opened if place[0] == os.getpid()]
        for place in mine:
            _opened.pop(place).close()


class Awaited(Protocol):
    """What adapters ask of a transcript."""

    async def extend(self, messages: Iterable[Message]) -> list[Message]:
        """Add many messages, all or none."""

    async def messages(self, *, last: int | None = None) -> Messages:
        """Give the messages in order."""

    async def pop(self) -> Message | None:
        """Remove the last message and give it."""

    async def clear(self) -> None:
        """Start the session anew."""


async def run(vault: AnyVault, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work on a vault's core as its face runs it, awaited."""
    if isinstance(vault, AsyncVault):
        return await vault._runtime.run(work, *args, **kwargs)  # noqa: SLF001 (the faces' own)
    return await asyncio.to_thread(work, *args, **kwargs)


def core_of(vault: AnyVault) -> Core:
    """Give what both faces stand on."""
    if not isinstance(vault, Vault | AsyncVault):
        raise UsageError("this takes a Vault or an AsyncVault", hint='Vault.open("chat-vault")')
    return vault._core  # noqa: SLF001 (the faces' own)


class _Threaded:
    """A transcript of the sync face, in threads, so that the loop goes on."""

    def __init__(self, chat: Transcript) -> None:
        self._chat = chat

    async def extend(self, messages: Iterable[Message]) -> list[Message]:
        return await asyncio.to_thread(self._chat.extend, messages)

    async def messages(self, *, last: int | None = None) -> Messages:
        return await asyncio.to_thread(self._chat.messages, last=last)

    async def pop(self) -> Message | None:
        return await asyncio.to_thread(self._chat.pop)

    async def clear(self) -> None:
        await asyncio.to_thread(self._chat.clear)


def awaited(vault: AnyVault, user_id: str, session_id: str, *, namespace: str = "") -> Awaited:
    """Give a transcript whose methods are awaited, whichever face the vault has."""
    if isinstance(vault, AsyncVault):
        return vault.transcript(user_id, session_id, namespace=namespace)
    if isinstance(vault, Vault):
        return _Threaded(vault.transcript(user_id, session_id, namespace=namespace))
    raise UsageError("this takes a Vault or an AsyncVault", hint='Vault.open("chat-vault")')


def passing_over(*forgotten: type[VaultError], unless: bool = False) -> suppress:
    """Leave out of a list what was forgotten since it was begun, `unless` it was asked for by its name."""
    return suppress(*() if unless else forgotten)


def whose(user_id: str | None, session_id: str, *, user_from_session: bool) -> str:
    """Give the user a memory belongs to. None is invented: without one nobody could be forgotten."""
    if user_id is not None:
        return user_id
    if user_from_session:
        return session_id
    raise UsageError(
        "whose messages are these? There is no user id, and nobody could be forgotten",
        hint="user_id=…, or user_from_session=True where each session is a user of its own",
    )
