"""Durations over leap days, month ends and changes of clocks; exact ones; what is none; schedules."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vault.clock import DAY, from_datetime, to_datetime
from vault.retention import schedule
from vault.retention.durations import HOUR, LAST, MINUTE, WEEK, Duration, add, latest, parse

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
AUCKLAND = ZoneInfo("Pacific/Auckland")
HAVANA = ZoneInfo("America/Havana")  # its clocks change at midnight
ZONES: list[tzinfo] = [UTC, BERLIN, NEW_YORK, AUCKLAND, HAVANA]


def at(text: str, zone: tzinfo = UTC) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone))


def show(moment: int, zone: tzinfo = UTC) -> str:
    return to_datetime(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "months", "days", "exact"),
    [
        ("1y", 12, 0, 0),
        ("6mo", 6, 0, 0),
        ("P1M", 1, 0, 0),
        ("P1Y", 12, 0, 0),
        ("P1Y2M3D", 14, 3, 0),
        ("P1M1WT12H", 1, 7, 12 * HOUR),
        ("2w", 0, 0, 14 * DAY),
        ("P2W", 0, 0, 14 * DAY),
        ("14d", 0, 0, 14 * DAY),
        ("P14D", 0, 0, 14 * DAY),
        ("7d", 0, 0, WEEK),
        ("12h", 0, 0, 12 * HOUR),
        ("90min", 0, 0, 90 * MINUTE),
        ("PT36H", 0, 0, 36 * HOUR),
        ("PT1M", 0, 0, MINUTE),
        ("P1DT1S", 0, 0, DAY + 1_000_000),
        ("0d", 0, 0, 0),
        ("PT0S", 0, 0, 0),
    ],
)
def test_a_duration_is_read(text: str, months: int, days: int, exact: int) -> None:
    assert parse(text) == Duration(months, days, exact, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "d",
        "1.5d",
        "7 d",
        " 7d",
        "7D",
        "P",
        "PT",
        "P1",
        "P1S",
        "PT1D",
        "1y2y",
        "ever",
        "7d\n",
        "\u0667d",
        "1Y",
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-7d", "never negative"),
        ("-P1M", "never negative"),
        ("P-1M", "never negative"),
        ("6m", "min or mo"),
        ("1001y", "longer than 1000 years"),
        ("999999999d", "longer than 1000 years"),
        ("P999999999Y", "longer than 1000 years"),
    ],
)
def test_a_negative_an_absurd_and_an_ambiguous_duration_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("start", "text", "zone", "end"),
    [
        # Leap days and the ends of months.
        ("2024-02-29 10:00", "1y", UTC, "2025-02-28 10:00"),
        ("2024-02-29 10:00", "4y", UTC, "2028-02-29 10:00"),
        ("2023-02-28 10:00", "1y", UTC, "2024-02-28 10:00"),
        ("2023-03-01 00:00", "1y", UTC, "2024-03-01 00:00"),
        ("1900-01-31 00:00", "1mo", UTC, "1900-02-28 00:00"),  # no leap year
        ("2000-01-31 00:00", "1mo", UTC, "2000-02-29 00:00"),
        ("2024-01-31 10:00", "1mo", UTC, "2024-02-29 10:00"),
        ("2024-01-31 10:00", "P2M", UTC, "2024-03-31 10:00"),
        ("2024-01-31 10:00", "P1M1D", UTC, "2024-03-01 10:00"),
        ("2023-12-31 23:59", "2mo", UTC, "2024-02-29 23:59"),
        # Exact: a day is 24 hours, whatever the clocks do.
        ("2024-03-30 12:00", "1d", BERLIN, "2024-03-31 13:00"),
        ("2024-10-26 12:00", "1d", BERLIN, "2024-10-27 11:00"),
        ("2024-03-30 12:00", "P1D", BERLIN, "2024-03-31 13:00"),
        # On the calendar the time of day stays.
        ("2024-02-29 12:00", "P1M2D", BERLIN, "2024-03-31 12:00"),
        ("2024-09-27 12:00", "1mo", BERLIN, "2024-10-27 12:00"),
        ("2024-06-15 09:00", "6mo", NEW_YORK, "2024-12-15 09:00"),
        # A time that the clocks leave out, and one that comes twice.
        ("2024-02-29 02:30", "P1M2D", BERLIN, "2024-03-31 03:00"),
        ("2024-09-27 02:30", "1mo", BERLIN, "2024-10-27 02:30"),
        ("2024-02-10 00:20", "1mo", HAVANA, "2024-03-10 01:00"),
        # The month of the zone, not of UTC: this is January in New York.
        ("2024-01-31 21:00", "1mo", NEW_YORK, "2024-02-29 21:00"),
    ],
)
def test_a_duration_is_added_on_its_calendar(start: str, text: str, zone: tzinfo, end: str) -> None:
    assert show(add(at(start, zone), parse(text), zone), zone) == end


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    end = add(at("2024-09-27 02:30", BERLIN), parse("1mo"), BERLIN)
    assert to_datetime(end) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_at_the_ends_of_all_dates_nothing_overflows(zone: tzinfo) -> None:
    first = from_datetime(datetime.min.replace(tzinfo=UTC))
    for text in ("1y", "1000y", "1d", "0d"):
        assert add(LAST, parse(text), zone) == LAST
        assert latest(LAST - DAY, LAST, parse(text), zone) == LAST
        assert first <= add(first, parse(text), zone) <= LAST
        assert latest(first, first + DAY, parse(text), zone) <= LAST


moments = st.integers(at("1990-01-01"), at("2040-01-01"))
durations = st.one_of(
    st.builds("{}{}".format, st.integers(0, 40), st.sampled_from(["y", "mo", "w", "d", "h", "min", "s"])),
    st.builds("P{}M{}DT{}H".format, st.integers(0, 30), st.integers(0, 40), st.integers(0, 50)),
).map(parse)


@given(moments, durations, st.sampled_from(ZONES))
def test_every_duration_lies_between_its_bounds(moment: int, duration: Duration, zone: tzinfo) -> None:
    took = add(moment, duration, zone) - moment
    change = 2 * HOUR if duration.is_calendar else 0
    assert duration.shortest - change <= took <= duration.longest + change
    assert duration.shortest <= duration.usual <= duration.longest


@pytest.mark.wide
@given(moments, durations, st.sampled_from(ZONES), st.lists(st.floats(0, 1), max_size=20))
@example(at("2024-01-30 20:00"), parse("1mo"), NEW_YORK, [0.1, 0.5])
@example(at("2024-10-27 00:00"), parse("1mo"), BERLIN, [k / 24 for k in range(25)])
@settings(max_examples=60)
def test_none_of_a_day_is_over_later_than_the_latest(
    first: int, duration: Duration, zone: tzinfo, within: list[float]
) -> None:
    last = first + DAY - 1
    bound = latest(first, last, duration, zone)
    among = [first, last, *(first + int(share * (DAY - 1)) for share in within)]
    assert max(add(moment, duration, zone) for moment in among) <= bound
    assert any(add(moment, duration, zone) == bound for moment in _turns(first, last, zone))


def _turns(first: int, last: int, zone: tzinfo) -> set[int]:
    """The ends of all quarters of an hour, for clocks change and days end only there."""
    quarter = 15 * MINUTE
    ends = range(first // quarter * quarter + quarter, last + 1, quarter)
    assert zone is not None
    return {last, *(end - 1 for end in ends)}


@given(
    moments, st.integers(0, 10**13), durations.filter(lambda one: not one.is_calendar), st.sampled_from(ZONES)
)
def test_exact_durations_keep_the_order(moment: int, later: int, duration: Duration, zone: tzinfo) -> None:
    assert add(moment + later, duration, zone) == add(moment, duration, zone) + later


# -- schedules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "weekday"),
    [
        ("0 3 * * *", "*"),
        ("*/15 0-6/2 1,15 jan-mar *", "*"),
        ("0 3 * * 1-5", "mon,tue,wed,thu,fri"),
        ("0 3 * * 0", "sun"),
        ("0 3 * * 7", "sun"),
        ("0 3 * * sat,sun", "sun,sat"),
        ("0 3 * * */2", "sun,tue,thu,sat"),
        ("05   3 29 2 *", "*"),
    ],
)
def test_a_schedule_is_read_and_its_weekdays_get_names(text: str, weekday: str) -> None:
    found = schedule.parse(text)
    assert found.weekday == weekday
    assert str(found) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "five fields"),
        ("0 3 * *", "five fields"),
        ("0 3 * * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 3 * * *", "five fields"),
        ("0 24 * * *", "five fields"),
        ("0 3 0 * *", "five fields"),
        ("0 3 * 13 *", "five fields"),
        ("0 3 * * 8", "five fields"),
        ("0 3 * * mon-", "five fields"),
        ("*/0 * * * *", "five fields"),
        ("30-10 * * * *", "runs backwards"),
        ("0 0 31 2,4 *", "never run"),
        ("0 0 1 * mon", "give one"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        schedule.parse(text)


def test_the_usual_length_of_a_month_is_a_twelfth_of_a_year() -> None:
    assert 12 * parse("1mo").usual == parse("1y").usual
    assert timedelta(microseconds=parse("400y").usual) == timedelta(days=146_097)
    assert (parse("1mo").shortest, parse("1mo").longest) == (28 * DAY, 31 * DAY)
    assert (parse("6y").shortest, parse("6y").longest) == (2190 * DAY, 2192 * DAY)
