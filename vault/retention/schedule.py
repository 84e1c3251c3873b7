"""When a policy is run: the five fields of cron, checked and made unmistakable."""

from __future__ import annotations

import calendar
import itertools
import re
from dataclasses import dataclass

_MONTH = 31  # days
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = {  # least, most, the numbers as a pattern, the names
    "minute": (0, 59, "[0-5]?[0-9]", ()),
    "hour": (0, 23, "(?:[01]?[0-9]|2[0-3])", ()),
    "day": (1, 31, "(?:0?[1-9]|[12][0-9]|3[01])", ()),
    "month": (1, 12, "(?:0?[1-9]|1[0-2])", _MONTHS),
    "weekday": (0, 7, "[0-7]", _DAYS),
}
EXPECTED = 'five fields, minute hour day month weekday, such as "0 3 * * *"'


def _pattern(numbers: str, names: tuple[str, ...]) -> str:
    one = f"(?:{'|'.join((numbers, *names))})"
    part = rf"(?:\*(?:/[1-9][0-9]?)?|{one}(?:-{one}(?:/[1-9][0-9]?)?)?)"
    return f"{part}(?:,{part})*"


PATTERN = " +".join(_pattern(numbers, names) for _, _, numbers, names in _FIELDS.values())


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of which each field is a star or a list: steps and names mean other things elsewhere.

    Weekdays are names: cron counts them from Sunday, others from Monday.
    """

    minute: str = "0"
    hour: str = "3"
    day: str = "*"
    month: str = "*"
    weekday: str = "*"
    text: str = "0 3 * * *"

    def __str__(self) -> str:
        return self.text

    @property
    def longest_gap(self) -> int:
        """Give the days that may lie between two runs, and a month more."""
        if self.month == "*":
            return 2 * _MONTH
        months = [int(one) for one in self.month.split(",")]
        if months == [2] and self.day == "29":
            return 8 * 366 + _MONTH  # 2096 is followed by 2104
        gaps = [later - month for month, later in itertools.pairwise([*months, months[0] + 12])]
        return (max(gaps) + 1) * _MONTH


def parse(text: str) -> Schedule:
    """Read five fields; raise ValueError that says what is wrong with them."""
    if re.fullmatch(PATTERN, text) is None:
        raise ValueError(f"expected {EXPECTED}")
    fields = dict(zip(_FIELDS, text.split(), strict=True))
    values = {name: _values(name, said) for name, said in fields.items()}
    if fields["day"] != "*" and fields["weekday"] != "*":
        raise ValueError("a day and a weekday at once mean either to one cron and both to another: give one")
    lengths = [calendar.monthrange(2000, month)[1] for month in values["month"]]
    if min(values["day"]) > max(lengths):
        raise ValueError("this day is in none of these months: it would never run")
    listed = {name: _listed(name, values[name]) for name, said in fields.items() if said != "*"}
    return Schedule(**{**fields, **listed}, text=" ".join(fields.values()))


def _listed(name: str, values: set[int]) -> str:
    """Write a field as a list of its values."""
    if name == "weekday":
        return ",".join(_DAYS[day] for day in sorted({value % 7 for value in values}))
    return ",".join(map(str, sorted(values)))


def _values(name: str, said: str) -> set[int]:
    """Give the numbers that a field stands for."""
    least, most, _, names = _FIELDS[name]
    found: set[int] = set()
    for part in said.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, stop = least, min(most, 6) if name == "weekday" else most
        else:
            start = _number(first, names, least)
            stop = _number(last, names, least) if last else start
        if start > stop:
            raise ValueError(f"in the {name}, {span} runs backwards")
        found |= set(range(start, stop + 1, int(step or 1)))
    return found


def _number(said: str, names: tuple[str, ...], least: int) -> int:
    return names.index(said) + least if said in names else int(said)
