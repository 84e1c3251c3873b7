"""Durations: on the calendar of a time zone (1y, 6mo, P1Y2M3D), or exact (7d, 2w, PT36H).

What is written with years or months is counted on the calendar, and so are the weeks and days beside them.
All else is exact: a day is 24 hours, a week seven days. A bare m is refused: it is minutes to one reader and
months to the next.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from vault.clock import DAY, from_datetime, to_datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
WEEK = 7 * DAY

SIMPLE = r"[0-9]{1,9}(?:y|mo|w|d|h|min|s)"
ISO = (
    r"P(?=[0-9T])(?:[0-9]{1,9}Y)?(?:[0-9]{1,9}M)?(?:[0-9]{1,9}W)?(?:[0-9]{1,9}D)?"
    r"(?:T(?=[0-9])(?:[0-9]{1,9}H)?(?:[0-9]{1,9}M)?(?:[0-9]{1,9}S)?)?"
)
PATTERN = f"{SIMPLE}|{ISO}"
EXPECTED = "a duration such as 12h, 7d, 2w, 6mo, 1y or P1Y6M"

LAST = from_datetime(datetime.max.replace(tzinfo=UTC))
_FIRST = from_datetime(datetime(2, 1, 1, tzinfo=UTC))
_EDGE = from_datetime(
    datetime(9998, 12, 31, tzinfo=UTC)
)  # beyond these a time zone may leave what a datetime holds
_CYCLE = 146_097  # days of 400 years
_LONGEST = 5 * _CYCLE * DAY // 2  # 1000 years
_UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND}
_OF_MONTH = _CYCLE * DAY // 4800  # in the mean of 400 years


@dataclass(frozen=True, slots=True)
class Duration:
    """Months and days of a calendar, and exact microseconds. `text` is how it was written."""

    months: int = 0
    days: int = 0
    exact: int = 0
    text: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def is_calendar(self) -> bool:
        """Say whether its length depends on when it starts."""
        return self.months != 0 or self.days != 0

    @property
    def usual(self) -> int:
        """Give its mean length: only good for an order among durations."""
        return self.months * _OF_MONTH + self.days * DAY + self.exact

    @property
    def shortest(self) -> int:
        """Give the least it can be, a change of clocks apart."""
        return _month_bounds(self.months)[0] * DAY + self.days * DAY + self.exact

    @property
    def longest(self) -> int:
        """Give the most it can be, a change of clocks apart."""
        return _month_bounds(self.months)[1] * DAY + self.days * DAY + self.exact


def parse(text: str) -> Duration:
    """Read a duration; raise ValueError that says what is wrong with it."""
    if text.startswith(("-", "P-")):
        raise ValueError("a duration is never negative")
    if re.fullmatch(r"[0-9]+m", text):
        raise ValueError("m may be minutes or months: write min or mo")
    if re.fullmatch(PATTERN, text) is None:
        raise ValueError(f"expected {EXPECTED}")
    duration = _iso(text) if text.startswith("P") else _simple(text)
    if duration.usual > _LONGEST:
        raise ValueError("this is longer than 1000 years")
    return duration


def _simple(text: str) -> Duration:
    unit = text.lstrip("0123456789")
    number = int(text.removesuffix(unit))
    if unit in _UNITS:
        return Duration(exact=number * _UNITS[unit], text=text)
    return Duration(months=number * (12 if unit == "y" else 1), text=text)


def _iso(text: str) -> Duration:
    dates, _, times = text[1:].partition("T")
    dated = {unit: int(number) for number, unit in re.findall(r"([0-9]+)([YMWD])", dates)}
    timed = {unit: int(number) for number, unit in re.findall(r"([0-9]+)([HMS])", times)}
    exact = timed.get("H", 0) * HOUR + timed.get("M", 0) * MINUTE + timed.get("S", 0) * SECOND
    months = dated.get("Y", 0) * 12 + dated.get("M", 0)
    days = dated.get("W", 0) * 7 + dated.get("D", 0)
    if months:
        return Duration(months, days, exact, text)
    return Duration(exact=exact + days * DAY, text=text)


@lru_cache(maxsize=1024)
def _month_bounds(months: int) -> tuple[int, int]:
    """Give the least and the most days of so many months, over turns of centuries."""
    lengths = [_month_start(start + months) - _month_start(start) for start in range(1996 * 12, 2108 * 12)]
    return min(lengths), max(lengths)


def _month_start(months: int) -> int:
    """Give the day a month begins on; months are counted from the year 0, and the years go on past 9999."""
    year, month = divmod(months, 12)
    cycles, year = divmod(year, 400)
    return date(2000 + year, month + 1, 1).toordinal() + cycles * _CYCLE


# -- adding ----------------------------------------------------------------------------------------------


def add(moment: int, duration: Duration, zone: tzinfo) -> int:
    """Give the moment at which a duration is over that began at `moment`; past all dates it is the last one.

    A day that a month does not have becomes its last one: 31 January and a month is 28 or 29 February. A time
    that a change of clocks leaves out becomes the first after it; of one that comes twice, the first counts.
    """
    if not duration.is_calendar:
        return min(moment + duration.exact, LAST)
    if moment + duration.longest > _EDGE:
        return LAST
    local = to_datetime(max(moment, _FIRST)).astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + duration.months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    wanted = local.replace(tzinfo=None, year=year, month=month + 1, day=day, fold=0) + timedelta(
        days=duration.days
    )
    return min(_settled(wanted, zone) + duration.exact, LAST)


def _settled(wanted: datetime, zone: tzinfo) -> int:
    """Turn a wall clock's time into a moment; later times never into earlier ones, even in a gap."""
    aware = wanted.replace(tzinfo=zone)
    moment = from_datetime(aware)
    if to_datetime(moment).astimezone(zone).replace(tzinfo=None, fold=0) == wanted:
        return moment
    before, after = from_datetime(aware.replace(fold=1)), moment  # the gap lies between the two readings
    while before < after:
        middle = (before + after) // 2
        if to_datetime(middle).astimezone(zone).replace(tzinfo=None, fold=0) > wanted:
            after = middle
        else:
            before = middle + 1
    return after


@lru_cache(maxsize=65_536)
def latest(first: int, last: int, duration: Duration, zone: tzinfo) -> int:
    """Give the latest moment at which a duration is over that began from first to last.

    On a calendar that is not always the one that began last: a month from 30 January at noon ends after one
    from 31 January at ten.
    """
    if not duration.is_calendar or first >= last or last + duration.longest > _EDGE:
        return add(last, duration, zone)
    first, last = (
        max(first, last - 5 * DAY, _FIRST),
        max(last, _FIRST),
    )  # no calendar overtakes more than the three days that February lacks
    return max(add(end, duration, zone) for end in _ends(first, last, zone))


def _ends(first: int, last: int, zone: tzinfo) -> Iterator[int]:
    """Cut a time at each midnight and each change of clocks; give the last moment of each piece."""
    day = (
        to_datetime(first)
        .astimezone(zone)
        .replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
    )
    while (midnight := _settled(day := day + timedelta(days=1), zone)) <= last:
        yield from _ends_of_day(first, midnight - 1, zone)
        first = midnight
    yield from _ends_of_day(first, last, zone)


def _ends_of_day(first: int, last: int, zone: tzinfo) -> Iterator[int]:
    offset = _offset(last, zone)
    if _offset(first, zone) != offset:
        before, after = first, last
        while before < after:  # look for the first moment after the change
            middle = (before + after) // 2
            before, after = (before, middle) if _offset(middle, zone) == offset else (middle + 1, after)
        yield before - 1
    yield last


def _offset(moment: int, zone: tzinfo) -> timedelta | None:
    return to_datetime(moment).astimezone(zone).utcoffset()
