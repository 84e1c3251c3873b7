"""How the code waits for anything that is not SQL: `Blocking` here, `Waiting` for the async face."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Protocol, TypeVar

from vault.forks import in_child

T = TypeVar("T")

_TURN = 0.0002  # seconds


class Runtime(Protocol):
    """How the code waits for anything that is not SQL."""

    def wait(self, future: Future[T]) -> T:
        """Wait for another thread or task."""

    def pause(self, seconds: float) -> None:
        """Let others go first."""

    def compute(self, work: Callable[[], T]) -> T:
        """Run work that takes long and waits for nothing."""

    def begin(self, work: Callable[[], T]) -> Callable[[], T]:
        """Let work go on beside what comes next; give what waits for its end."""


class _ShortTurns:
    """Lets threads take turns often, as long as some work goes on beside other work.

    Who has a database locked needs Python for a moment after each statement, and others wait for the lock.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._usual = 0.0
        in_child(self, _ShortTurns._renew)

    def __enter__(self) -> None:
        with self._lock:
            if not self._count:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(_TURN)
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                sys.setswitchinterval(self._usual)

    def _renew(self) -> None:
        if self._count:
            sys.setswitchinterval(self._usual)
        self._lock, self._count = Lock(), 0


_short_turns = _ShortTurns()


class Blocking:
    """The runtime of the sync face: a thread waits."""

    def wait(self, future: Future[T]) -> T:
        """Wait for another thread."""
        return future.result()

    def pause(self, seconds: float) -> None:
        """Let other threads go first."""
        time.sleep(seconds)

    def compute(self, work: Callable[[], T]) -> T:
        """Run it here: other threads go on."""
        return work()

    def begin(self, work: Callable[[], T]) -> Callable[[], T]:
        """Run it in a thread of its own."""

        def beside() -> T:
            with _short_turns:
                return work()

        pool = ThreadPoolExecutor(max_workers=1)
        future = pool.submit(beside)
        pool.shutdown(wait=False)
        return future.result
