"""What tests of the daemon share: a clock that is set by hand, and who leads by it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from apscheduler.triggers.cron import CronTrigger

from vault.clock import DAY
from vault.core import Core
from vault.daemon.leading import Duty, Leader
from vault.daemon.lease import Lease
from vault.daemon.turns import Turns
from vault.telemetry import Metrics

HOUR = DAY // 24
START = 1_800_000_000_000_000
POLICY = """\
version: 1
policy: brief
schedule: "0 3 * * *"
classes:
  - name: default
    keep: {at_most: 2d}
"""


class Hours:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


def leader_of(
    core: Core,
    clock: Hours,
    *duties: Duty,
    stop: threading.Event | None = None,
    steady: Hours | None = None,
) -> Leader:
    store = core.stores.keyring
    return Leader(
        duties,
        lease=Lease(store, "daemon", steady or clock),
        turns=Turns(store, lambda: core.keyring.service),
        clock=clock,
        stop=stop or threading.Event(),
        metrics=Metrics(),
    )


def every(schedule: str) -> Callable[[], list[CronTrigger]]:
    return lambda: [CronTrigger.from_crontab(schedule, timezone="UTC")]
