"""One face over `Vault` and `AsyncVault`: LangGraph has sync and async methods on one object."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import ParamSpec, TypeVar

from vault.adapters.facing import core_of
from vault.aio import AsyncVault
from vault.client import Vault
from vault.errors import UsageError
from vault.forks import in_child

P = ParamSpec("P")
T = TypeVar("T")

_TURNS = 64  # threads whose writers do not wait for each other; more of them sometimes do


class Face:
    """Runs the same work behind `Vault` and behind `AsyncVault`, for sync and for async callers."""

    def __init__(self, vault: Vault | AsyncVault) -> None:
        self._vault = vault
        self.core = core_of(vault)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._locks = [threading.Lock() for _ in range(_TURNS)]
        in_child(self, Face._renew)
        self._waiting = [asyncio.Lock() for _ in range(_TURNS)]
        if isinstance(vault, AsyncVault):
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                self._loop = None

    def _renew(self) -> None:
        self._locks = [threading.Lock() for _ in range(_TURNS)]

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work for a sync caller."""
        return self.run_in_turn(None, work, *args, **kwargs)

    async def arun(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work for an async caller."""
        return await self.arun_in_turn(None, work, *args, **kwargs)

    def run_in_turn(self, turn: object, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work for a sync caller, after all that others began in the same turn."""
        if isinstance(self._vault, Vault):
            with self._locks[hash(turn) % _TURNS] if turn is not None else nullcontext():
                return work(*args, **kwargs)
        loop = self._loop
        if loop is None or not loop.is_running():
            raise UsageError(
                "an AsyncVault belongs to a running loop", hint="await the async methods, or use Vault"
            )
        try:
            here: object = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is loop:
            raise UsageError("this would wait for its own loop", hint="await the async method of this name")
        return asyncio.run_coroutine_threadsafe(self.arun_in_turn(turn, work, *args, **kwargs), loop).result()

    async def arun_in_turn(self, turn: object, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work for an async caller, after all that others began in the same turn."""
        if isinstance(self._vault, Vault):
            return await asyncio.to_thread(lambda: self.run_in_turn(turn, work, *args, **kwargs))
        self._vault._runtime.check_loop()  # noqa: SLF001 (the faces' own)
        self._loop = asyncio.get_running_loop()
        async with self._waiting[hash(turn) % _TURNS] if turn is not None else nullcontext():
            return await self._vault._runtime.run(work, *args, **kwargs)  # noqa: SLF001 (as above)
