"""The daemon as a process: signals, the scheduler, health, systemd.

SIGTERM lets the batch that is being written come to its end; a second one ends the process at once, which an
erasure survives (P8). SIGHUP reads the policies again, as taking over from another daemon does; what can't be
read changes nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from vault.core import Core
from vault.daemon.duties import trigger_of
from vault.daemon.health import Health
from vault.daemon.leading import Leader
from vault.daemon.pacing import repeated
from vault.retention.policy import Policies
from vault.telemetry import Metrics, notify, reloading, tell, tell_error

BEAT = 10  # seconds between two beats of the lease
TICK = 30  # seconds between two looks at what is due
_PATIENCE = 7 * BEAT  # more than two waits for a lock, which a beat may need where others wait for it, too
_ABORTED = 130


def monotonic() -> int:
    """Read a clock that never jumps, in microseconds."""
    return time.monotonic_ns() // 1000


class Service:
    """Runs a leader until it is told to stop."""

    def __init__(
        self,
        leader: Leader,
        core: Core,
        stop: threading.Event,
        metrics: Metrics,
    ) -> None:
        self._leader = leader
        self._core = core
        self._stop = stop
        self._metrics = metrics
        # A handler interrupts the very thread that waits: an Event's lock would then wait for itself.
        self._signals: SimpleQueue[signal.Signals] = SimpleQueue()
        self._is_told = False
        self._reading = threading.Lock()  # SIGHUP may come as it takes over
        self._alive_at = monotonic()

    def run(self, where: tuple[str, int] | None) -> None:
        """Serve until SIGTERM."""
        self._show_valid(1)
        health = Health(where, self._metrics, self.dead, self.unready) if where else None
        with self._heeding(), self._scheduler() as scheduler:
            if health is not None:
                health.start()
            tell(logging.INFO, "started", port=health.port if health else None)
            notify("READY=1")
            try:
                while not self._stop.is_set():
                    came = self._heard(_watchdog_seconds())
                    if not self.dead():
                        notify("WATCHDOG=1")
                    if ends := came - {signal.SIGHUP}:
                        tell(logging.INFO, "told to stop", signal=min(ends).name)
                        self._stop.set()
                    elif came:
                        self._read_again(scheduler)
            finally:
                notify("STOPPING=1")
                tell(logging.INFO, "stopping")
                if health is not None:
                    health.stop()
        tell(logging.INFO, "stopped")

    # -- health ---------------------------------------------------------------------------------------------

    def dead(self) -> list[str]:
        """Say what only a new start would mend."""
        silent = monotonic() - self._alive_at > _PATIENCE * 1_000_000
        return ["the daemon's own clockwork stands still"] if silent else []

    def unready(self) -> list[str]:
        """Say what keeps the daemon from its work: what is away is named by each duty that asked for it."""
        silent = ["the keyring does not answer"] if self._leader.is_silent() else []
        return [*self.dead(), *silent, *self._leader.kept_from()]

    # -- the schedule ---------------------------------------------------------------------------------------

    @contextmanager
    def _scheduler(self) -> Iterator[Any]:
        from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415 (a daemon's)
        from apscheduler.jobstores.memory import MemoryJobStore  # noqa: PLC0415
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415

        logging.getLogger("apscheduler").setLevel(
            logging.ERROR
        )  # a purge that takes longer than a tick is no event
        scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},  # never one that unpickles what a database holds
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone="UTC",
        )
        self._beat()
        self._schedule(scheduler, self._core.policies)
        # Whoever led may have been told of policies that keep what those of this process's start take (P5).
        self._leader.taking_over = lambda: self._read_again(scheduler)
        # The scheduler goes by the wall clock, which may be set back: what must go on does not wait for it.
        with (
            repeated(self._beat, BEAT),
            repeated(self._leader.tick, TICK, first=0),
        ):  # what was missed, at once
            scheduler.start()
            try:
                yield scheduler
            finally:
                scheduler.shutdown(wait=True)  # the batch comes to its end

    def _beat(self) -> None:
        self._leader.beat()
        self._alive_at = monotonic()

    def _schedule(self, scheduler: Any, policies: Policies | None) -> None:  # noqa: ANN401 (APScheduler has no types)
        """Rebuild the jobs from the policies."""
        triggers = {} if policies is None else {one.name: trigger_of(one) for one in policies.policies}
        for job in scheduler.get_jobs():
            if job.id.startswith("policy:"):
                job.remove()
        for name, trigger in triggers.items():
            scheduler.add_job(self._leader.tick, trigger, id=f"policy:{name}")

    def _read_again(self, scheduler: Any) -> None:  # noqa: ANN401 (APScheduler has no types)
        with self._reading:
            notify(reloading())
            try:
                policies = self._core.reload_policies()
                self._schedule(scheduler, policies)
            except Exception as error:  # noqa: BLE001 (what can't be read changes nothing; it is told)
                tell_error("the policies can't be read: those of before stay in force", error)
                self._show_valid(0)
            else:
                names = [] if policies is None else [one.name for one in policies.policies]
                tell(logging.INFO, "the policies were read again", policies=names)
                self._show_valid(1)
            notify("READY=1")

    def _show_valid(self, valid: int) -> None:
        self._metrics.show("policies_valid", "0 where the policies could not be read again", valid)

    # -- signals --------------------------------------------------------------------------------------------

    def _heard(self, seconds: float) -> set[signal.Signals]:
        """Wait for signals; several of one kind ask for the same."""
        came: set[signal.Signals] = set()
        with suppress(Empty):
            came.add(self._signals.get(timeout=seconds))
            while True:
                came.add(self._signals.get_nowait())
        return came

    @contextmanager
    def _heeding(self) -> Iterator[None]:
        def end(number: int, _: FrameType | None) -> None:
            if self._is_told:
                os._exit(_ABORTED)
            self._is_told = True
            self._signals.put(signal.Signals(number))

        def again(number: int, _: FrameType | None) -> None:
            self._signals.put(signal.Signals(number))

        handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: again}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _watchdog_seconds() -> float:
    asked = os.environ.get("WATCHDOG_USEC", "")
    return min(BEAT, int(asked) / 3_000_000) if asked.isdecimal() and int(asked) > 0 else BEAT
