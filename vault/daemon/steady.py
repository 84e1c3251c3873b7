"""Schedules that go on where the clocks go back.

In the hour that is there twice, APScheduler's trigger names a moment of the first for one of the second. Who
asks on from there is told the same for ever.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_STEP = timedelta(minutes=1)


@functools.cache
def steady_trigger() -> type[CronTrigger]:
    """Give the class of such schedules."""
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 (a daemon's)

    class SteadyTrigger(CronTrigger):  # type: ignore[misc]
        """A schedule of which each moment is later than the one before."""

        def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
            """Give the next moment behind the previous one, or from now on."""
            found: datetime | None = super().get_next_fire_time(previous_fire_time, now)
            if previous_fire_time is None:
                at, least = now.astimezone(UTC), now.astimezone(UTC)
            else:
                at = previous_fire_time.astimezone(UTC)
                least = at + timedelta(microseconds=1)
            while found is not None and found.astimezone(UTC) < least:
                at += _STEP
                found = super().get_next_fire_time(None, at)
            return found

    return SteadyTrigger
