"""A daemon that lives some days in an instant: its duties, its lease, a clock that goes on by hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vault import Vault
from vault.clock import Clock
from vault.daemon.duties import duties_of
from vault.daemon.leading import Leader
from vault.daemon.lease import TERM, Lease
from vault.daemon.turns import Turns
from vault.telemetry import Metrics, log


class _Faults(logging.Handler):
    """Collects what a duty told instead of raising it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = getattr(record, "facts", {})
        self.told.append(f"{record.msg} {facts}")


def lead(vault: Vault, days: int, wait: Callable[[], None], anchor: Path) -> None:
    """Do all that falls due: now, and after each of some days that `wait` lets pass."""
    core, metrics, faults = vault._core, Metrics(), _Faults()
    steady = Steady(core.stores.clock)
    leader = Leader(
        duties_of(core, metrics, anchor),
        lease=Lease(core.stores.keyring, "daemon", steady),
        turns=Turns(core.stores.keyring, lambda: core.keyring.service),
        clock=core.stores.clock,
        stop=threading.Event(),
        metrics=metrics,
    )
    log.addHandler(faults)
    try:
        leader.beat()
        steady.ahead += TERM  # who led before was killed, and is silent
        for day in range(days + 1):
            if day:
                wait()
            assert leader.beat()
            leader.tick()
    finally:
        log.removeHandler(faults)
    assert faults.told == []


class Steady:
    """The lease's own clock, a little ahead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead = 0

    def __call__(self) -> int:
        return self._clock() + self.ahead
