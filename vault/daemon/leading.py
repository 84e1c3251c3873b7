"""What the one leading daemon does, duty by duty. Time is given; nothing here sleeps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.clock import Clock
from vault.daemon.lease import Lease
from vault.daemon.turns import Outcome, Turn, Turns
from vault.errors import GuardedError, TamperedError, UnavailableError
from vault.telemetry import Metrics, tell, tell_error

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

MINUTE = 60_000_000
_HOUR = 60 * MINUTE
_LOOK = 3.0  # seconds between two looks whether another lives

Facts = Mapping[str, object]  # counts and names for the log
MayGoOn = Callable[[], bool]
Act = Callable[[MayGoOn], Facts | None]  # None: told to stop before the end


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do: in steady steps while leading, or on schedule, once among all daemons."""

    name: str
    act: Act
    every: int | None = None
    triggers: Callable[[], Sequence[CronTrigger]] = tuple


class Leader:
    """Does the duties as long as it leads."""

    def __init__(  # noqa: PLR0913 (what it works with)
        self,
        duties: Sequence[Duty],
        *,
        lease: Lease,
        turns: Turns,
        clock: Clock,
        stop: threading.Event,
        metrics: Metrics,
    ) -> None:
        self._duties = duties
        self._lease = lease
        self._turns = turns
        self._clock = clock
        self._stop = stop
        self._metrics = metrics
        self._led = False
        self._taken: int | None = None  # the fence under which duties may be done
        self._last: dict[str, int] = {}
        self._failures: dict[str, int] = {}  # of each duty, since it was last done
        self._kept_from: dict[str, str] = {}  # by what each duty was broken off, until it comes to its end
        self._working = threading.Lock()
        # Done before the first duty of whoever leads anew.
        self.taking_over: Callable[[], object] = lambda: None
        self.trouble: Exception | None = None  # the first of the last look: who looks but once tells of it

    def beat(self) -> bool:
        """Keep the lease, or take one that is free; say whether this one leads."""
        leads = False
        try:
            leads = self._lease.keep()
        except (TamperedError, UnavailableError) as error:
            self._troubled("the lease can't be kept", error)
        else:
            if not leads:
                self._kept_from.clear()  # the duties are another's
        if leads != self._led:
            tell(logging.INFO, "leading" if leads else "following", fence=self._lease.fence)
        if leads and self._lease.fence != self._taken:
            self.taking_over()
            self._taken = self._lease.fence
        self._led = leads
        self._metrics.show("leader", "1 where this daemon leads", int(leads))
        return leads

    def lead(self, wait: Callable[[float], object]) -> bool:
        """Lead, once it is known that nobody else does.

        Who was killed still holds the lease: one look can't tell them from one who works.
        """
        seen = None
        while not self.beat():
            sign = self._lease.sign
            if self.trouble is not None or (seen is not None and sign != seen):
                return False
            if seen is None:
                tell(logging.INFO, "waiting for a sign of the daemon that leads")
            seen = sign
            wait(_LOOK)
        return True

    def is_silent(self) -> bool:
        """Say whether the keyring has not been reached for a whole term."""
        return self._lease.is_away()

    def kept_from(self) -> list[str]:
        """Say which duties can't be done because something is away, and what."""
        return [f"{name}: {said}" for name, said in self._kept_from.copy().items()]

    def tick(self) -> list[str]:
        """Do what is due; give the names of the duties that were done."""
        done: list[str] = []
        with self._working:  # the schedule and a wake-up may come at once
            self.trouble = None
            try:
                done.extend(duty.name for duty in self._duties if self._may_go_on() and self._attend(duty))
            except UnavailableError as error:  # of the lease or the turns: the next tick tries again
                self._troubled("a database can't be reached", error)
        return done

    def _may_go_on(self) -> bool:
        is_ready = self._taken is not None and self._taken == self._lease.fence
        return is_ready and not self._stop.is_set() and self._lease.is_mine()

    def _attend(self, duty: Duty) -> bool:
        now = self._clock()
        if duty.every is None:
            return self._take_turn(duty, now)
        if self._was_just(duty, now, self._span(duty, duty.every)):
            return False
        self._last[duty.name] = now
        return self._do(duty, now) is not Outcome.BEGUN

    def _span(self, duty: Duty, every: int) -> int:
        """Say after what time it is due: what failed soon, then ever less often, and each hour at least."""
        failures = self._failures.get(duty.name, 0)
        return min(every, MINUTE << min(failures - 1, 6), _HOUR) if failures else every

    def _was_just(self, duty: Duty, now: int, span: int) -> bool:
        """Say whether it was begun within a span. What a clock that ran ahead says of it does not count."""
        last = self._last.get(duty.name)
        return last is not None and 0 <= now - last < span

    def _take_turn(self, duty: Duty, now: int) -> bool:
        fence = self._lease.fence
        if fence is None or self._was_just(duty, now, MINUTE):
            return False
        try:
            turn = self._turns.claim(duty.name, duty.triggers(), fence, now)
        except TamperedError as error:  # the other duties go on
            self._troubled("failed", error, job=duty.name)
            self._tell(duty, Outcome.FAILED, {}, 0.0, told=False)
            return False
        if turn is None:
            return False
        outcome = self._do(duty, now, turn)
        if outcome is Outcome.BEGUN:  # broken off: it is taken up again, by this one not at once
            self._last[duty.name] = now
            return False
        self._turns.end(turn, outcome, self._clock())
        return True

    def _do(self, duty: Duty, now: int, turn: Turn | None = None) -> Outcome:
        """Do it; what went wrong is told, and the other duties go on."""
        late = 0.0 if turn is None else (now - turn.due) / 1_000_000
        facts: Facts | None = {}
        outcome, kept_from = Outcome.DONE, ""
        try:
            facts = duty.act(self._may_go_on)
            outcome = Outcome.BEGUN if facts is None else Outcome.DONE
        except GuardedError as error:
            outcome = Outcome.REFUSED
            self._troubled("refused", error, job=duty.name)
        except UnavailableError as error:
            outcome, kept_from = Outcome.BEGUN, str(error)
            self._troubled("broken off", error, job=duty.name)
        except Exception as error:  # noqa: BLE001 (one duty must not end the others; it is told and counted)
            outcome = Outcome.FAILED
            self._troubled("failed", error, job=duty.name)
        self._kept_from.pop(duty.name, None)
        if kept_from:
            self._kept_from[duty.name] = kept_from
        self._failures[duty.name] = 0 if outcome is Outcome.DONE else self._failures.get(duty.name, 0) + 1
        if outcome is not Outcome.DONE and duty.every is not None:
            facts = {**(facts or {}), "again": self._span(duty, duty.every) // 1_000_000}
        self._tell(duty, outcome, facts or {}, late, told=turn is not None)
        return outcome

    def _troubled(self, event: str, error: Exception, **facts: str) -> None:
        self.trouble = self.trouble or error
        tell_error(event, error, **facts)

    def _tell(self, duty: Duty, outcome: Outcome, facts: Facts, late: float, *, told: bool) -> None:
        at = self._clock()
        self._metrics.count(
            "runs_total", "Runs of each duty by how they ended", job=duty.name, outcome=outcome
        )
        if outcome is Outcome.DONE:
            says = "When each duty was last done, in seconds since 1970"
            self._metrics.show("last_success_timestamp_seconds", says, at / 1_000_000, job=duty.name)
        if told:
            self._metrics.show("lag_seconds", "How late the last run began", late, job=duty.name)
        if told or any(facts.values()) or outcome is not Outcome.DONE:
            tell(logging.INFO, "ran", job=duty.name, outcome=outcome, late=round(late, 1), **facts)
