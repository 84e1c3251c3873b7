"""How the awaited face waits: the one implementation runs in a greenlet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.util.concurrency import await_, greenlet_spawn

from vault.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")


class Waiting:
    """The runtime of the async face: a task waits, the loop goes on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last: set[asyncio.Task[None]] = set()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work to its end, in a task of its own.

        Whoever is cancelled stops waiting for it. The work goes on: it may be writing for others too, and a
        commit that nobody sees the end of would be lost or made twice.
        """
        self.check_loop()
        task = asyncio.ensure_future(run_spawned(work, *args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def check_loop(self) -> None:
        """Refuse whoever comes from another loop: connections and locks wait in the one they were made in."""
        is_child = os.getpid() != self._process  # it is refused for that
        if asyncio.get_running_loop() is not self._loop and not is_child:
            raise UsageError(
                "this AsyncVault belongs to another event loop",
                hint="open one in each loop, or use Vault, which any thread may use",
            )

    async def finish(self, close: Callable[[], None]) -> None:
        """Wait for what cancelled callers left behind, and close, even where this caller is cancelled."""
        task = asyncio.ensure_future(self._finish(close))
        self._last.add(task)
        task.add_done_callback(self._last.discard)
        await asyncio.shield(task)

    async def _finish(self, close: Callable[[], None]) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        await run_spawned(close)

    def wait(self, future: Future[T]) -> T:
        """Wait for another task."""
        return await_(asyncio.wrap_future(future))

    def pause(self, seconds: float) -> None:
        """Let other tasks go first."""
        await_(asyncio.sleep(seconds))

    def compute(self, work: Callable[[], T]) -> T:
        """Run it in a thread, so that the loop goes on."""
        return await_(asyncio.to_thread(work))

    def begin(self, work: Callable[[], T]) -> Callable[[], T]:
        """Run it in another task."""
        task = asyncio.ensure_future(run_spawned(work))
        return lambda: await_(task)


async def run_spawned(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work in a greenlet, from which it waits."""
    return await greenlet_spawn(partial(work, *args, **kwargs))
