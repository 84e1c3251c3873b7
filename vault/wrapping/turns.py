"""Turns at a wrapped memory, in one process: who adds goes beside others who add, who takes out goes alone.

A memory's own methods take what is last, or at a place, whoever put it there: nobody should come in between.
From another process somebody can; so whoever takes out looks again, and the vault says whose it is.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from weakref import WeakValueDictionary

from vault.forks import renew_locks

_turns: WeakValueDictionary[tuple[int, bytes, str, str], Turn] = WeakValueDictionary()
_looking = threading.Lock()
renew_locks(sys.modules[__name__], "_looking")


def turn_of(vault: bytes, user_id: str, session_id: str) -> Turn:
    """Give the turn of a session, the same to all who hold it in this process."""
    place = os.getpid(), vault, user_id, session_id
    with _looking:
        return _turns.setdefault(place, Turn())


class Turn:
    """Lets in, in order, any number of those who go beside others, or one who goes alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[tuple[bool, Future[None]]] = deque()
        self._inside = 0
        self._is_alone = False

    def ask(self, *, alone: bool) -> Asked:
        """Stand in the queue; whoever is let in leaves."""
        come: Future[None] = Future()
        with self._lock:
            self._queue.append((alone, come))
            self._admit()
        return Asked(self, come)

    def leave(self) -> None:
        """Let the next ones in."""
        with self._lock:
            self._inside -= 1
            self._is_alone = False
            self._admit()

    def _admit(self) -> None:
        while self._queue:
            alone, come = self._queue[0]
            if self._is_alone or (alone and self._inside):
                return
            self._queue.popleft()
            if come.set_running_or_notify_cancel():
                self._inside += 1
                self._is_alone = alone
                come.set_result(None)


@dataclass(frozen=True, slots=True)
class Asked:
    """A place in the queue of a turn."""

    turn: Turn
    come: Future[None]

    @property
    def has_come(self) -> bool:
        """Say whether the turn has come."""
        return self.come.done()

    def wait(self) -> bool:
        """Wait here; False, and no turn, in a thread whose loop may have to run before the turn can come."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.come.result()
            return True
        return not self.come.cancel()

    async def awaited(self) -> bool:
        """Wait and let others go on."""
        try:
            await asyncio.wrap_future(self.come)
        except asyncio.CancelledError:
            if not self.come.cancel():  # the turn came this very moment
                self.turn.leave()
            raise
        return True
