"""Databases across a fork: no connection is used by two processes.

A server's connections stay with the parent, and the child opens its own. What SQLite knows of the locks of
a file belongs to the process, and a child that inherits it believes that it holds what only its parent holds.
So no thread may be within a transaction while the process forks, and no connection open; where that can't be
had in time the child may not use that file.
"""

from __future__ import annotations

import os
import threading
import weakref

from sqlalchemy import Engine
from sqlalchemy.pool import Pool, QueuePool

from vault.forks import in_child

PATIENCE = 10.0  # seconds that a fork waits for transactions to end


class Gate:
    """Lets a fork wait until no thread is inside, and threads outside until it is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0  # threads
        self._forks = 0
        self._own = threading.local()

    @property
    def _depth(self) -> int:
        return getattr(self._own, "depth", 0)

    def enter(self) -> None:
        """Go in. Who is inside already does not wait: the fork waits for them."""
        if not self._depth:
            with self._changed:
                while self._forks:
                    self._changed.wait()
                self._inside += 1
        self._own.depth = self._depth + 1

    def leave(self) -> None:
        """Come out."""
        self._own.depth = self._depth - 1
        if not self._depth:
            with self._changed:
                self._inside -= 1
                if self._forks:
                    self._changed.notify_all()

    def shut(self) -> bool:
        """Let nobody in; say whether all came out in time."""
        with self._changed:
            self._forks += 1
            return self._changed.wait_for(lambda: not self._inside, 0 if self._depth else PATIENCE)

    def open(self) -> None:
        """Let everybody in again."""
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()

    def renew(self) -> None:
        """Forget, in a child, the threads of the parent."""
        self._changed = threading.Condition(threading.Lock())
        self._forks = 0
        self._inside = 1 if self._depth else 0


gate = Gate()
_engines: weakref.WeakValueDictionary[int, Engine] = weakref.WeakValueDictionary()  # of SQLite, sync
_torn: set[str] = set()
_kept: list[Pool] = []  # closed by nobody in this process: they are the parent's


def file_of(engine: Engine) -> str | None:
    """Say which file an engine opens."""
    path = engine.url.database
    return os.path.realpath(path) if engine.dialect.name == "sqlite" and path else None


def is_torn(file: str) -> bool:
    """Say whether this process was forked while its parent had the file open."""
    return file in _torn


def watch(engine: Engine) -> None:
    """Take care of an engine from now on, whenever the process forks."""
    in_child(engine, _part)
    if engine.dialect.name == "sqlite" and not engine.dialect.is_async:
        _engines[id(engine)] = engine


def _part(engine: Engine) -> None:
    """Leave the connections to the parent."""
    pool, file = engine.pool, file_of(engine)
    is_open = isinstance(pool, QueuePool) and pool.checkedin() + pool.checkedout() > 0
    if is_open and file is not None:
        _torn.add(file)
    if file is not None or engine.dialect.is_async:
        _kept.append(pool)
    engine.dispose(close=False)


def _before() -> None:
    if gate.shut():
        for reference in _engines.valuerefs():
            engine = reference()
            if engine is not None:
                engine.dispose()


os.register_at_fork(before=_before, after_in_parent=gate.open, after_in_child=gate.renew)
