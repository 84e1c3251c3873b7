"""The one place that reads the clock. Times are whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], int]

DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def system_clock() -> int:
    """Read the clock of this machine."""
    return time.time_ns() // 1000


def to_datetime(at: int) -> datetime:
    """Show a stored time as an aware datetime."""
    return _EPOCH + at * _MICROSECOND


def from_datetime(at: datetime) -> int:
    """Turn an aware datetime into a stored time, exactly."""
    return (at - _EPOCH) // _MICROSECOND
