"""Steps that go on by a clock that nobody can set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vault.telemetry import tell_error

pause = time.sleep


@contextmanager
def repeated(act: Callable[[], object], seconds: float, first: float | None = None) -> Iterator[None]:
    """Act in steady steps beside what is done here, first after `first`; the last comes to its end."""
    ended = threading.Event()

    def go_on() -> None:
        span = seconds if first is None else first
        while not ended.wait(span):
            began = time.monotonic()
            try:
                act()
            except Exception as error:  # noqa: BLE001 (one step must not end those after it; it is told)
                tell_error("a step failed", error)
            span = max(0.0, began + seconds - time.monotonic())

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
