"""Steps that go on by a clock that nobody can set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vault.telemetry import tell_error

pause = time.sleep


@contextmanager
def repeated(act: Callable[[], object], seconds: float) -> Iterator[None]:
    """Act again and again beside what is done here, each time so long after the last one ended."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(seconds):
            try:
                act()
            except Exception as error:  # noqa: BLE001 (one step must not end those after it; it is told)
                tell_error("a step failed", error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
