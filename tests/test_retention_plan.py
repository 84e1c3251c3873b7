"""Plans as pure functions: nothing goes before its floor or under a hold, all that is due is in the plan."""

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_retention_deciding import FACT, START, rule, together

from vault.clock import DAY, from_datetime
from vault.retention.deciding import Fact, Hold, decide, epoch_of, span_of
from vault.retention.durations import HOUR, Duration, add, parse
from vault.retention.plan import ClassPlan, DyingEpoch, Kept, Plan, Planner, Tally, plan
from vault.retention.policy import From, Keep, Match, Part, Policies, Policy, Rule, Then

# -- what a plan says ------------------------------------------------------------------------------------

TOOL = Match(roles=frozenset({"tool"}))
POLICIES = together(
    rule("p/tool", at_most="7d", match=TOOL),
    rule("p/billing", "30d", "60d", match=Match(namespaces=("billing/*",))),
    rule("p/all", at_most="20d"),
)


def facts(*given: Fact) -> list[Fact]:
    """Seal each under the class and the epoch that it belongs to."""
    sealed = []
    for fact in given:
        found = decide(POLICIES, fact, (), fact.oldest).bounds
        anchor = epoch_of(found.rule, fact.oldest, fact.part)
        sealed.append(replace(fact, class_name=found.class_name, anchor=anchor))
    return sealed


CHAT = FACT
OTHER = replace(FACT, user="u-2", session="s-2", messages=2, bytes=50, oldest=START)
CALL = replace(FACT, role="tool", messages=5, bytes=1000)
BILL = replace(FACT, user="u-3", session="s-3", role="tool", namespace="billing/eu", messages=3)


def by_class(found: Plan) -> dict[str, ClassPlan]:
    return {one.name: one for one in found.classes}


def test_a_plan_says_by_class_what_goes_and_what_stays_and_why() -> None:
    hold = Hold("h-1", "u-2")
    found = plan(POLICIES, START + 25 * DAY, facts(CHAT, OTHER, CALL, BILL), [hold])
    assert list(by_class(found)) == ["p/all", "p/tool"]
    chats, calls = found.classes
    assert chats.all == Tally(messages=3, sessions=2, users=2, bytes=150, oldest=START)
    assert chats.goes == Tally(1, 1, 1, 100, CHAT.oldest)
    assert chats.held == Kept(Tally(2, 1, 1, 50, START), {"h-1": Tally(2, 1, 1, 50, START)})
    assert calls.all.messages == 8
    assert calls.goes == Tally(5, 1, 1, 1000, CALL.oldest)
    assert calls.floored.by == {"p/billing": Tally(3, 1, 1, 100, BILL.oldest)}
    assert found.goes == 6
    assert len(found.facts) == 2
    assert found.excesses == ()


def test_before_its_date_nothing_is_held_floored_or_gone() -> None:
    found = plan(POLICIES, START + DAY, facts(CHAT, OTHER, CALL, BILL), [Hold("h-1", "u-2")])
    assert found.goes == 0
    assert {one.held.all for one in found.classes} | {one.floored.all for one in found.classes} == {Tally()}
    assert found.epochs == ()


def test_held_and_floored_at_once_is_held_under_each_of_its_holds() -> None:
    holds = [Hold("h-2", "u-3", "s-3"), Hold("h-1", "u-3"), Hold("h-0", "u-3", until=START)]
    [calls] = plan(POLICIES, START + 10 * DAY, facts(BILL), holds).classes
    assert list(calls.held.by) == ["h-1", "h-2"]
    assert calls.held.all.messages == 3
    assert calls.floored == Kept(Tally(), {})


def test_an_epoch_dies_when_some_of_it_goes_and_tells_how_much_stays() -> None:
    found = plan(POLICIES, START + 10 * DAY, facts(CALL, BILL, CHAT))
    assert found.epochs == (DyingEpoch("p/tool", START // DAY, goes=5, stays=3),)


def test_messages_that_are_sealed_under_another_class_count_as_moved() -> None:
    old = replace(CHAT, class_name="default", anchor=START // DAY)
    found = plan(POLICIES, START + 25 * DAY, [old, *facts(OTHER)])
    assert by_class(found)["p/all"].moved == 1
    assert [one.class_name for one in found.epochs] == ["default", "p/all"]


def test_originals_are_counted_on_their_own_and_not_as_messages_that_go() -> None:
    found = plan(POLICIES, START + 3 * DAY, facts(CHAT, replace(CHAT, part=Part.ORIGINALS)))
    assert by_class(found)["p/all:originals"].goes.messages == 1
    assert by_class(found)["p/all"].goes.messages == 0
    assert found.goes == 0


def test_one_message_of_the_future_stops_nothing() -> None:
    late = START + 10_000 * DAY
    future = replace(CHAT, session="s-9", oldest=late, newest=late, last_activity=late)
    assert plan(POLICIES, START + 25 * DAY, facts(CHAT, future)).facts == tuple(facts(CHAT))


@pytest.mark.parametrize(
    ("goes", "of", "limit", "stops"),
    [
        (1001, 2000, "20%", True),
        (1001, 5004, "20%", True),
        (1001, 5005, "20%", False),  # exactly the limit
        (1000, 1000, "20%", False),  # a small run
        (1001, 1001, "100%", False),
        (1001, 100_000, "0%", True),
    ],
)
def test_max_fraction_counts_for_plans_over_1000_messages(
    goes: int, of: int, limit: str, *, stops: bool
) -> None:
    share = Fraction(limit.rstrip("%")) / 100
    policies = Policies(tuple(replace(one, max_fraction=share) for one in POLICIES.policies))
    young = replace(CHAT, oldest=START + 20 * DAY, newest=START + 20 * DAY, messages=of - goes)
    found = plan(policies, START + 25 * DAY, facts(replace(CHAT, messages=goes), young))
    assert found.goes == goes
    assert [(one.policy, one.goes, one.of) for one in found.excesses] == ([("p", goes, of)] if stops else [])


def test_each_policy_has_its_own_limit() -> None:
    mine = replace(rule("q/mine", at_most="1d", match=Match(namespaces=("q",))), policy="q")
    policies = Policies((*POLICIES.policies, Policy("q", (mine,), max_fraction=Fraction(1))))
    gone = replace(CHAT, namespace="q", messages=5000)
    assert plan(policies, START + 5 * DAY, [gone]).excesses == ()
    assert [
        one.policy for one in plan(policies, START + 25 * DAY, [CHAT, replace(CHAT, messages=1500)]).excesses
    ] == ["p"]


# -- for any policies, clocks and order ------------------------------------------------------------------

ZONES: list[tzinfo] = [
    UTC,
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Pacific/Auckland"),
]
LENGTHS = ["1h", "30min", "12h", "1d", "6d", "7d", "2w", "30d", "1mo", "P1M3D", "3mo", "1y", "P1Y6MT12H"]
lengths = st.sampled_from(LENGTHS).map(parse)
YEAR = from_datetime(datetime(2024, 1, 1, tzinfo=UTC))
moments = st.integers(YEAR, YEAR + 500 * DAY)
roles = st.sampled_from(["user", "assistant", "tool"])
namespaces = st.sampled_from(["", "a", "a/b", "c"])
labels = st.lists(st.tuples(st.just("k"), st.sampled_from(["x", "y"])), max_size=1).map(tuple)


@st.composite
def matches(draw: st.DrawFn) -> Match:
    return Match(
        roles=draw(st.none() | st.frozensets(roles, min_size=1)),
        namespaces=tuple(draw(st.lists(st.sampled_from(["a*", "a/*", "c", "*"]), max_size=2))),
        labels=tuple((name, frozenset({value})) for name, value in draw(labels)),
        older_than=draw(st.none() | lengths),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policies:
    """Any policies, also such as the loader refuses: floors above their own ceilings, shadowed classes."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        name = f"p{number}"
        zone = draw(st.sampled_from(ZONES))
        originals = draw(lengths)
        count = draw(st.integers(0, 3)) + (number == 0)
        rules = tuple(
            Rule(
                name=f"{name}/c{place}",
                policy=name,
                keep=Keep(draw(st.none() | lengths), draw(st.none() | lengths), draw(st.sampled_from(From))),
                match=Match() if number == 0 and place == count - 1 else draw(matches()),
                then=draw(st.sampled_from(Then)),
                originals=originals,
                zone=zone,
            )
            for place in range(count)
        )
        made.append(Policy(name, rules, zone=zone))
    return Policies(tuple(draw(st.permutations(made))))


@st.composite
def groups(draw: st.DrawFn) -> Fact:
    session = draw(st.integers(0, 5))
    start = draw(moments)
    oldest = start + draw(st.integers(0, 40 * DAY))
    newest = min(oldest + draw(st.integers(0, DAY)), (oldest // DAY + 1) * DAY - 1)
    return Fact(
        user=session // 2,
        session=session,
        namespace=draw(namespaces),
        role=draw(roles),
        messages=draw(st.integers(1, 2000)),
        bytes=draw(st.integers(0, 10**6)),
        oldest=oldest,
        newest=newest,
        session_start=start,
        last_activity=newest + draw(st.integers(0, 40 * DAY)),
        labels=draw(labels),
        part=draw(st.sampled_from(Part)),
        class_name="some",
        anchor=oldest // DAY,
    )


@st.composite
def placed(draw: st.DrawFn) -> tuple[Policies, list[Fact], list[Hold], int]:
    holds = [
        Hold(
            f"h{number}",
            draw(st.integers(0, 2)),
            draw(st.none() | st.integers(0, 5)),
            draw(st.none() | moments),
        )
        for number in range(draw(st.integers(0, 2)))
    ]
    now = draw(moments) + draw(st.integers(0, 500 * DAY))
    return draw(policies()), draw(st.lists(groups(), min_size=1, max_size=6)), holds, now


def started(fact: Fact, moment: int, start: From) -> int:
    """From when a rule counts, said a second time and plainly."""
    return {
        From.MESSAGE: moment,
        From.LAST_MESSAGE: fact.last_activity,
        From.SESSION_START: fact.session_start,
    }[start]


def over(one: Rule, length: Duration, fact: Fact, moment: int, start: From) -> int:
    return add(started(fact, moment, start), length, one.zone)


def matching(rules: Policies, fact: Fact, now: int) -> list[Rule]:
    return [
        one
        for one in rules.rules
        if one.match.fits(fact.role, fact.namespace, dict(fact.labels))
        and (one.match.older_than is None or add(fact.session_start, one.match.older_than, one.zone) <= now)
    ]


def some_of(fact: Fact) -> list[int]:
    """Moments at which messages of a group may have been written."""
    return [fact.oldest, fact.newest, (fact.oldest + fact.newest) // 2]


def is_held(fact: Fact, holds: list[Hold], now: int) -> bool:
    return any(
        hold.user == fact.user
        and (hold.session is None or hold.session == fact.session)
        and (hold.until is None or now < hold.until)
        for hold in holds
    )


@pytest.mark.wide
@given(placed())
@settings(max_examples=25, deadline=None)
def test_p5_nothing_goes_before_its_floor_or_ceiling_or_under_a_hold(
    given: tuple[Policies, list[Fact], list[Hold], int],
) -> None:
    rules, groups, holds, now = given
    for fact in plan(rules, now, groups, holds).facts:
        assert not is_held(fact, holds, now)
        ours = matching(rules, fact, now)
        for moment in some_of(fact):
            past_floors = all(
                over(one, one.keep.at_least, fact, moment, one.keep.count_from) <= now
                for one in ours
                if one.keep.at_least is not None
            )
            if fact.part is Part.BODY:
                assert past_floors
                assert any(
                    over(one, one.keep.at_most, fact, moment, one.keep.count_from) <= now
                    for one in ours
                    if one.keep.at_most is not None and one.then is Then.ERASE
                )
            elif not past_floors:
                assert any(over(one, one.originals, fact, moment, From.MESSAGE) <= now for one in ours)


@pytest.mark.wide
@given(placed())
@settings(max_examples=25, deadline=None)
def test_p4_all_that_is_past_its_ceiling_unheld_and_unfloored_is_in_the_plan(
    given: tuple[Policies, list[Fact], list[Hold], int],
) -> None:
    """Past it is a message when its epoch is: when the last message that the epoch could hold would be."""
    rules, groups, holds, now = given
    going = plan(rules, now, groups, holds).facts
    for fact in groups:
        ours = matching(rules, fact, now)
        first = {one.policy: one for one in reversed(ours)}.values()
        ends = [fact.newest // DAY * DAY + DAY - 1 - back * HOUR for back in range(24)] + some_of(fact)
        ends += [fact.oldest // DAY * DAY + hour * HOUR - 1 for hour in range(1, 25)]

        def all_over(one: Rule, length: Duration, start: From) -> bool:
            return max(over(one, length, fact, end, start) for end in ends) < now  # noqa: B023 (used at once)

        floors = [one for one in ours if one.keep.at_least is not None]
        free = all(all_over(one, one.keep.at_least or Duration(), one.keep.count_from) for one in floors)
        erases = [
            one
            for one in first
            if one.keep.at_most and (one.then is Then.ERASE or fact.part is Part.ORIGINALS)
        ]
        due = (
            any(all_over(one, one.keep.at_most or Duration(), one.keep.count_from) for one in erases) and free
        )
        if fact.part is Part.ORIGINALS:
            due = due or any(all_over(one, one.originals, From.MESSAGE) for one in first)
        if due and not is_held(fact, holds, now):
            assert fact in going


@pytest.mark.wide
@given(placed(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_equal_facts_give_equal_plans_in_any_order(
    given: tuple[Policies, list[Fact], list[Hold], int], random: st.DataObject
) -> None:
    rules, groups, holds, now = given
    found = plan(rules, now, groups, holds)
    random.shuffle(groups)  # type: ignore[attr-defined]
    again = plan(rules, now, iter(groups), reversed(holds))
    assert replace(again, facts=()) == replace(found, facts=())
    assert sorted(map(repr, again.facts)) == sorted(map(repr, found.facts))
    planner = Planner(rules, now, holds)
    for fact in groups:
        planner.take(fact)
    assert planner.plan() == replace(found, facts=())


@pytest.mark.wide
@given(placed())
@settings(max_examples=25, deadline=None)
def test_a_decision_and_the_plan_agree_and_sums_add_up(
    given: tuple[Policies, list[Fact], list[Hold], int],
) -> None:
    rules, groups, holds, now = given
    found = plan(rules, now, groups, holds)
    for fact in groups:
        decision = decide(rules, fact, holds, now)
        assert decision.goes == (fact in found.facts)
        if decision.goes_at is not None and decision.goes_at > now:
            assert decide(rules, fact, holds, decision.goes_at).goes
            assert not decide(rules, fact, holds, decision.goes_at - 1).goes
    assert sum(one.all.messages for one in found.classes) == sum(fact.messages for fact in groups)
    assert sum(one.goes.messages for one in found.classes) == sum(fact.messages for fact in found.facts)
    for epoch in found.epochs:
        first, after = span_of(epoch.anchor)
        inside = [fact for fact in groups if first <= fact.oldest < after]
        assert epoch.goes + epoch.stays == sum(fact.messages for fact in inside)


@pytest.mark.wide
@given(placed(), st.lists(st.integers(0, 400 * DAY), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_runs_in_any_order_of_clocks_never_take_what_the_last_clock_would_not(
    given: tuple[Policies, list[Fact], list[Hold], int], steps: list[int]
) -> None:
    """Without classes by age, and with the same holds, later clocks only take more."""
    rules, groups, _, now = given
    ageless = Policies(
        tuple(
            replace(
                one,
                rules=tuple(replace(each, match=replace(each.match, older_than=None)) for each in one.rules),
            )
            for one in rules.policies
        )
    )
    clocks = [now + step for step in steps]
    gone = [fact for clock in clocks for fact in plan(ageless, clock, groups).facts]
    last = plan(ageless, max(clocks), groups).facts
    assert set(map(id, gone)) <= set(map(id, last))
