"""What becomes of a message, as a table of cases (P5).

The principles are those that Microsoft Purview and Google Vault document: a hold wins over every deletion;
keeping wins over deleting, so a longer floor beats any ceiling; the longest floor wins; the shortest ceiling
wins.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vault.clock import DAY, from_datetime, to_datetime
from vault.retention.deciding import Bounds, Decision, Fact, Ground, Hold, decide, epoch_of, explain, span_of
from vault.retention.durations import HOUR, parse
from vault.retention.policy import From, Keep, Match, Part, Policies, Policy, Rule, Then
from vault.retention.reading import Place

START = from_datetime(datetime(2024, 1, 1, tzinfo=UTC))


def rule(
    name: str,
    at_least: str = "",
    at_most: str = "",
    *,
    start: From = From.MESSAGE,
    match: Match = Match(),  # noqa: B008 (it is frozen)
    then: Then = Then.ERASE,
    originals: str = "0d",
) -> Rule:
    floor, ceiling = (parse(text) if text else None for text in (at_least, at_most))
    return Rule(
        name=name,
        policy=name.partition("/")[0],
        keep=Keep(floor, ceiling, start),
        match=match,
        then=then,
        originals=parse(originals),
        at=Place(f"{name.partition('/')[0]}.yaml", 7, 5),
    )


def together(*rules: Rule) -> Policies:
    """Put rules into their policies, in order."""
    names = dict.fromkeys(one.policy for one in rules)
    return Policies(tuple(Policy(name, tuple(one for one in rules if one.policy == name)) for name in names))


FACT = Fact(
    user="u-1",
    session="s-1",
    namespace="",
    role="user",
    messages=1,
    bytes=100,
    oldest=START + 9 * HOUR,
    newest=START + 9 * HOUR,
    session_start=START + 8 * HOUR,
    last_activity=START + 9 * HOUR,
)


def made(rules: Policies, fact: Fact = FACT, holds: tuple[Hold, ...] = (), days: int = 0) -> Decision:
    return decide(rules, fact, holds, START + days * DAY)


def day(at: int | None) -> float | None:
    """Count days since the fact's own; messages of a day go when it has ended, so a day later."""
    return None if at is None else (at - START) / DAY


USER, TOOL = Match(roles=frozenset({"user"})), Match(roles=frozenset({"tool"}))


@dataclass(frozen=True)
class Case:
    """Rules in order, the class they give, and the day on which the message goes."""

    says: str
    rules: tuple[Rule, ...]
    gives: str
    goes: float | None
    holds: tuple[Hold, ...] = ()


CASES = [
    # One policy.
    Case("a ceiling erases", (rule("p/a", at_most="30d"),), "p/a", 31),
    Case("keys of classes under a week die by the hour", (rule("p/a", at_most="3d"),), "p/a", 3 + 10 / 24),
    Case("a floor alone never erases", (rule("p/a", at_least="30d"),), "p/a", None),
    Case(
        "the first match gives the class",
        (rule("p/a", at_most="30d", match=USER), rule("p/b", at_most="10d")),
        "p/a",
        31,
    ),
    Case(
        "what does not match gives none",
        (rule("p/a", at_most="30d", match=TOOL), rule("p/b", at_most="10d")),
        "p/b",
        11,
    ),
    Case(
        "the floor of a later match counts, though it gives no class",
        (rule("p/a", at_most="7d", match=USER), rule("p/b", at_least="30d", at_most="90d")),
        "p/a",
        31,
    ),
    Case(
        "the ceiling of a later match does not count",
        (rule("p/a", at_most="90d", match=USER), rule("p/b", at_most="30d")),
        "p/a",
        91,
    ),
    Case(
        "of floors the longest counts",
        (rule("p/a", "20d", "30d", match=USER), rule("p/b", "60d", "90d", match=USER), rule("p/c", "40d")),
        "p/a",
        61,
    ),
    # Several policies: each gives the ceiling of its first match.
    Case(
        "of ceilings the shortest counts", (rule("p/a", at_most="90d"), rule("q/a", at_most="30d")), "q/a", 31
    ),
    Case("in any order", (rule("q/a", at_most="30d"), rule("p/a", at_most="90d")), "q/a", 31),
    Case("keeping beats deleting", (rule("p/a", at_least="90d"), rule("q/a", at_most="30d")), "p/a", 91),
    Case(
        "after the longest floor the shortest ceiling erases, even if another policy would keep longer",
        (rule("p/a", "90d", "10y"), rule("q/a", at_most="30d"), rule("r/a", at_most="1y")),
        "r/a",
        91,
    ),
    Case(
        "the class is that of the shortest ceiling which is below no floor",
        (rule("p/a", "30d", "90d"), rule("q/a", at_most="60d"), rule("r/a", at_most="7d")),
        "q/a",
        31,
    ),
    Case(
        "where all are below, that of the longest",
        (rule("p/a", at_most="7d"), rule("q/a", at_most="9d", match=USER), rule("q/b", at_least="30d")),
        "q/a",
        31,
    ),
    Case(
        "keep-redacted is no ceiling of the message",
        (rule("p/a", at_most="30d", then=Then.KEEP_REDACTED),),
        "p/a",
        None,
    ),
    Case(
        "but the other policy's is",
        (rule("p/a", at_most="30d", then=Then.KEEP_REDACTED), rule("q/a", at_most="60d")),
        "q/a",
        61,
    ),
    # Holds.
    Case("a hold beats a ceiling", (rule("p/a", at_most="30d"),), "p/a", None, (Hold("h", "u-1"),)),
    Case("on a session too", (rule("p/a", at_most="30d"),), "p/a", None, (Hold("h", "u-1", "s-1"),)),
    Case("on another session not", (rule("p/a", at_most="30d"),), "p/a", 31, (Hold("h", "u-1", "s-2"),)),
    Case("on another user not", (rule("p/a", at_most="30d"),), "p/a", 31, (Hold("h", "u-2"),)),
    Case(
        "a hold ends", (rule("p/a", at_most="30d"),), "p/a", 50, (Hold("h", "u-1", until=START + 50 * DAY),)
    ),
    Case(
        "before the ceiling it changes nothing",
        (rule("p/a", at_most="30d"),),
        "p/a",
        31,
        (Hold("h", "u-1", until=START + 9 * DAY),),
    ),
    Case(
        "of holds the last one counts",
        (rule("p/a", at_most="30d"),),
        "p/a",
        60,
        (Hold("h", "u-1", until=START + 50 * DAY), Hold("i", "u-1", "s-1", until=START + 60 * DAY)),
    ),
    # The age of the session.
    Case(
        "a class that a session grows into",
        (rule("p/old", at_most="20d", match=Match(older_than=parse("50d"))), rule("p/a", at_most="90d")),
        "p/a",
        50 + 8 / 24,
    ),
    Case(
        "a floor that a session grows into",
        (
            rule("p/a", at_most="30d", match=USER),
            rule("p/old", at_least="90d", match=Match(older_than=parse("20d"))),
            rule("p/b", at_most="7d"),
        ),
        "p/a",
        91,
    ),
    # From when it counts.
    Case("from the last message", (rule("p/a", at_most="30d", start=From.LAST_MESSAGE),), "p/a", 30 + 9 / 24),
    Case(
        "from the session's start",
        (rule("p/a", at_most="30d", start=From.SESSION_START),),
        "p/a",
        30 + 8 / 24,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_p5_a_case(case: Case) -> None:
    found = made(together(*case.rules), holds=case.holds)
    assert found.bounds.class_name == case.gives
    assert day(found.goes_at) == (None if case.goes is None else pytest.approx(case.goes))
    assert not found.goes
    if found.goes_at is not None:
        assert not decide(together(*case.rules), FACT, case.holds, found.goes_at - 1).goes
        assert decide(together(*case.rules), FACT, case.holds, found.goes_at).goes


def test_a_session_that_goes_on_keeps_what_counts_from_its_last_message() -> None:
    rules = together(rule("p/a", at_most="30d", start=From.LAST_MESSAGE))
    assert made(rules, days=31).goes
    assert not made(rules, replace(FACT, last_activity=START + 20 * DAY), days=31).goes


def test_years_are_counted_in_the_time_zone_of_the_policy() -> None:
    """The day of UTC lies in two days of New York, on both sides of a leap year's 29 February."""
    new_york = replace(rule("p/a", at_most="1y"), zone=ZoneInfo("America/New_York"))
    at = from_datetime(datetime(2024, 3, 1, 12, tzinfo=UTC))
    fact = replace(FACT, oldest=at, newest=at, session_start=at, last_activity=at)
    found = decide(together(new_york), fact, (), at)
    assert to_datetime(found.goes_at or 0) == datetime(2025, 3, 2, tzinfo=UTC)


# -- originals -------------------------------------------------------------------------------------------

ORIGINALS = replace(FACT, part=Part.ORIGINALS)


@pytest.mark.parametrize(
    ("rules", "goes"),
    [
        ((rule("p/a", at_most="90d", originals="30d"),), 31),
        ((rule("p/a", at_most="20d", originals="30d"),), 21),
        ((rule("p/a", at_most="20d", originals="30d", then=Then.KEEP_REDACTED),), 21),
        ((rule("p/a", at_least="90d", originals="30d"),), 31),  # a floor keeps the message as it was redacted
        ((rule("p/a", at_most="8d", originals="60d", match=USER), rule("p/b", at_least="30d")), 31),
        ((rule("p/a", at_most="90d", originals="30d"), rule("q/a", originals="10d", at_most="90d")), 11),
        ((rule("p/a", at_most="30d", start=From.LAST_MESSAGE, originals="9d"),), 10),
    ],
)
def test_originals_go_with_their_own_limit_or_with_the_message(rules: tuple[Rule, ...], goes: float) -> None:
    found = made(together(*rules), ORIGINALS)
    assert day(found.goes_at) == goes
    assert found.bounds.class_name.endswith(":originals")
    assert made(together(*rules), ORIGINALS, (Hold("h", "u-1"),), days=1000).goes is False


# -- epochs ----------------------------------------------------------------------------------------------


def test_an_epoch_is_a_day_or_an_hour_and_its_anchor_says_which() -> None:
    moment = START + 9 * HOUR + 5
    for one, span in (
        (rule("p/a", at_most="7d"), (START, START + DAY)),
        (rule("p/a", at_least="1y"), (START, START + DAY)),
        (rule("p/a", at_most="167h"), (START + 9 * HOUR, START + 10 * HOUR)),
    ):
        anchor = epoch_of(one, moment)
        assert anchor is not None
        assert span_of(anchor) == span
    assert epoch_of(rule("p/a", at_most="7d"), moment) == moment // DAY
    for start in (From.LAST_MESSAGE, From.SESSION_START):
        assert epoch_of(rule("p/a", at_most="7d", start=start), moment) is None


@pytest.mark.parametrize("year", [1, 1969, 1970, 9999])
@pytest.mark.parametrize("at_most", ["1h", "1y"])
def test_every_date_has_its_epoch(year: int, at_most: str) -> None:
    one = rule("p/a", at_most=at_most)
    for at in (
        from_datetime(datetime(year, 1, 1, tzinfo=UTC)),
        from_datetime(datetime(year, 12, 31, 23, tzinfo=UTC)),
    ):
        first, after = span_of(epoch_of(one, at) or 0)
        assert first <= at < after
        fact = replace(FACT, oldest=at, newest=at, session_start=at, last_activity=at)
        assert decide(together(one), fact, (), START).goes == (year < 2000)


def test_all_of_an_epoch_have_one_date() -> None:
    rules = together(rule("p/a", at_most="1mo"))
    dates = {
        made(rules, replace(FACT, oldest=START + at, newest=START + at)).goes_at
        for at in (0, 5 * HOUR, DAY - 1)
    }
    assert len(dates) == 1


# -- explaining ------------------------------------------------------------------------------------------


def test_an_explanation_names_rules_places_and_dates_and_what_counts() -> None:
    rules = together(rule("p/a", at_most="7d", match=USER), rule("p/b", at_least="30d", at_most="90d"))
    hold = Hold("h-1", "u-1", until=START + 50 * DAY)
    reasons = list(explain(made(rules, holds=(hold,), days=8)))
    assert [(one.ground, one.name, one.says, day(one.at), one.counts) for one in reasons] == [
        (Ground.CLASS, "p/a", "gives the class", 50, True),
        (Ground.HOLD, "h-1", "forbids erasure", 50, True),
        (Ground.FLOOR, "p/b", "at least 30d from message", 31, True),
        (Ground.CEILING, "p/a", "at most 7d from message", 8, False),
    ]
    assert [str(one.place) for one in reasons if one.place] == ["p.yaml:7:5"] * 3


def test_the_bounds_say_whether_a_floor_keeps() -> None:
    rules = together(rule("p/a", at_most="7d", match=USER), rule("p/b", at_least="30d", at_most="90d"))
    found: Bounds = made(rules).bounds
    assert not found.is_over(START)
    assert found.is_over(START + 8 * DAY)
    floor = found.floor_at(START + 8 * DAY)
    assert floor is not None
    assert floor.rule.name == "p/b"
    assert found.floor_at(START + 31 * DAY) is None
