"""Redaction in several processes: finding is the cost of an import, and needs nothing of the vault.

What was found comes back without the text. Numbering the placeholders, sealing and writing stay in one
process and in order, so that any number of workers comes to the same.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol

from vault.errors import RedactionError, UsageError, VaultError
from vault.messages import Message
from vault.redaction import Examined, Redactor, SessionRedactor, examine
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction
from vault.redaction.traces import Trace, trace

Task = tuple[str, Sequence[Message]]  # a namespace, and messages of it
Found = list[list[Trace] | str | None]  # for each message; a text says why it can't be redacted


class Finder(Protocol):
    """Finds personal data in messages, now or meanwhile."""

    def begin(self, tasks: Sequence[Task]) -> Future[list[Found]]:
        """Look through messages."""


def look(engine: Engine, tasks: Sequence[Task]) -> list[Found]:
    """Look through messages one by one: one that fails takes no other with it."""
    return [[_look(engine, message, namespace) for message in messages] for namespace, messages in tasks]


def _look(engine: Engine, message: Message, namespace: str) -> list[Trace] | str | None:
    try:
        shards = engine.search(message, namespace)
    except VaultError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 (whatever it says may be content)
        return f"the redactor failed with {type(error).__name__}"
    return None if shards is None else [trace(one) for one in shards]


class Here:
    """Looks through them in this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, tasks: Sequence[Task]) -> Future[list[Found]]:
        """Look at once."""
        done: Future[list[Found]] = Future()
        done.set_result(look(self._engine, tasks))
        return done


class Elsewhere:
    """Looks through them in other processes, several batches at a time."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def begin(self, tasks: Sequence[Task]) -> Future[list[Found]]:
        """Hand them on."""
        try:
            return self._pool.submit(_work, tasks)
        except BrokenProcessPool:
            raise RedactionError("a process that redacts was ended from outside", hint="try again") from None


_engine: list[Engine] = []


def _start(settings: Redaction) -> None:
    """Make ready in a new process, which ends with the one that started it."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    _engine.append(Engine(settings))


def _work(tasks: Sequence[Task]) -> list[Found]:
    return look(_engine[0], tasks)


@contextmanager
def finder(engine: Engine, workers: int) -> Iterator[Finder]:
    """Give what finds personal data, with its processes where there are several."""
    if workers == 1:
        yield Here(engine)
        return
    if engine.has_recognizers:
        raise UsageError("recognizers of the app's own live in its process alone", hint="use one worker")
    # Spawned: a fork would take threads, connections and keys along.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(engine.settings,))
    try:
        yield Elsewhere(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def examined(
    redactor: Redactor | SessionRedactor | None, message: Message, found: list[Trace] | None, namespace: str
) -> Examined:
    """Give a message in which everything was found."""
    if isinstance(redactor, Engine):
        return redactor.searched(message, found, namespace)
    return examine(redactor, [message], namespace)
