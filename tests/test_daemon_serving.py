"""The daemon as a process meets the machine around it: signals at any instant, databases that go away."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
import test_daemon
from test_daemon import Hours, leader_of

from vault.core import Core
from vault.daemon import serving
from vault.daemon.serving import Service
from vault.telemetry import Metrics

open_core = test_daemon.open_core


@pytest.mark.timeout(30)
def test_a_signal_while_the_daemon_wakes_up_from_another_one_leaves_it_awake(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    core, clock, stop = open_core(Hours()), Hours(), threading.Event()
    service = Service(leader_of(core, clock, stop=stop), core, stop, Metrics())
    seen: set[tuple[object, int]] = set()
    known = reloads = 0

    def interrupt(frame: FrameType, _: str, __: object) -> Callable[..., Any] | None:
        """Send a signal once from each line in which the main thread waits and wakes up."""
        if frame.f_code.co_filename not in {serving.__file__, threading.__file__}:
            return None
        if (place := (frame.f_code, frame.f_lineno)) not in seen:
            seen.add(place)
            if callable(signal.getsignal(signal.SIGHUP)) and not stop.is_set():
                signal.raise_signal(signal.SIGHUP)
        return interrupt

    def reload() -> None:
        nonlocal known, reloads
        reloads += 1
        signal.raise_signal(signal.SIGTERM if known == len(seen) else signal.SIGHUP)
        known = len(seen)

    monkeypatch.setattr(core, "reload_policies", reload)
    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        service.run(None)
    finally:
        sys.settrace(before)
    assert stop.is_set()
    assert reloads > 2
