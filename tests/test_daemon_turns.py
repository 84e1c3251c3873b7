"""Schedules and leases: each run once, by one of many daemons, whatever dies and whatever the clocks say."""

import logging
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import test_daemon
from apscheduler.triggers.cron import CronTrigger
from databases import Databases
from hours import Hours, leader_of
from hypothesis import given
from hypothesis import strategies as st

from vault import Vault
from vault.clock import DAY, from_datetime, to_datetime
from vault.core import Core
from vault.daemon.leading import Duty
from vault.daemon.lease import TERM, Lease
from vault.daemon.steady import steady_trigger
from vault.daemon.turns import LEADING, Outcome, Turns, latest_due
from vault.errors import TamperedError
from vault.storage.engine import Store
from vault.storage.schema import leases as leases_table
from vault.storage.schema import turns as turns_table

open_core = test_daemon.open_core

HOUR = DAY // 24
START = 1_800_000_000_000_000

SCHEDULES = ["* * * * *", "0 3 * * *", "30 2 * * *", "15 */6 * * 1-5", "0 0 1 * *", "0 4 29 2 *"]
ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe"]


def trigger(schedule: str, zone: str = "UTC") -> CronTrigger:
    made: CronTrigger = steady_trigger().from_crontab(schedule, timezone=ZoneInfo(zone))
    return made


# -- what is due ---------------------------------------------------------------------------------------------


def fires(one: CronTrigger, after: int, now: int) -> list[int]:
    """Every moment that a schedule names, one by one."""
    found, fire = [], one.get_next_fire_time(None, to_datetime(after + 1))
    while fire is not None and from_datetime(fire) <= now:
        found.append(from_datetime(fire))
        fire = one.get_next_fire_time(fire, to_datetime(from_datetime(fire) + 1_000_000))
    return found


@given(
    st.sampled_from(SCHEDULES[1:]),
    st.sampled_from(ZONES),
    st.integers(0, 3000 * HOUR),
    st.integers(0, 400 * HOUR),
)
def test_what_is_due_is_the_last_moment_that_the_schedule_names(
    schedule: str, zone: str, after: int, span: int
) -> None:
    one = trigger(schedule, zone)
    begin, end = START + after, START + after + span
    named = fires(one, begin, end)
    assert latest_due([one], begin, end) == (named[-1] if named else None)


NIGHTS = {  # noon before the clocks go back
    "Europe/Berlin": 1_792_836_000,
    "Europe/London": 1_792_839_600,
    "America/New_York": 1_793_462_400,
    "Australia/Lord_Howe": 1_775_264_400,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("zone", NIGHTS)
@pytest.mark.parametrize(
    "schedule", ["0 1 * * *", "30 1 * * *", "0 2 * * *", "30 2 * * *", "0 * * * *", "*/30 * * * *"]
)
def test_p4_what_is_due_on_the_night_the_clocks_go_back_goes_on(schedule: str, zone: str) -> None:
    one, begin = trigger(schedule, zone), NIGHTS[zone] * 1_000_000
    named = fires(one, begin, begin + 3 * DAY)
    assert all(after > before for before, after in pairwise(named))
    assert len({to_datetime(at).astimezone(ZoneInfo(zone)).date() for at in named}) >= 3
    for now in range(begin, begin + 3 * DAY, HOUR // 2):
        due = latest_due([one], begin, now)
        assert due is None or begin < due <= now
        assert due is not None or now < begin + DAY + 2 * HOUR
    after = to_datetime(begin + DAY + HOUR)
    fire = one.get_next_fire_time(None, after)
    assert fire is not None
    assert from_datetime(fire) >= from_datetime(after)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_ten_years_without_a_daemon_are_looked_back_at_in_no_time(schedule: str) -> None:
    one, now = trigger(schedule), START + 3650 * DAY
    due = latest_due([one], START, now)
    assert due is not None
    assert due > now - 4 * 366 * DAY
    assert not fires(one, due, now)


def test_of_several_schedules_the_last_one_counts_and_none_gives_none() -> None:
    both = [trigger("0 3 * * *"), trigger("0 5 * * *")]
    due = latest_due(both, START, START + DAY)
    assert due == max(filter(None, (latest_due([one], START, START + DAY) for one in both)))
    assert latest_due([], START, START + DAY) is None


# -- turns ---------------------------------------------------------------------------------------------------


@pytest.fixture
def store(database: Databases, tmp_path: Path) -> Iterator[Store]:
    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None) as vault:
        yield vault._core.stores.keyring


@pytest.fixture
def turns(store: Store) -> Turns:
    return Turns(store, lambda: bytes(32))


NIGHTLY = [trigger("0 3 * * *")]


def test_what_was_due_before_the_first_daemon_is_not_made_up_for(turns: Turns) -> None:
    assert turns.claim("purge", NIGHTLY, 1, START) is None
    assert turns.claim("purge", NIGHTLY, 1, START + HOUR // 60) is None
    assert [row.outcome for row in turns.last("purge", 9)] == [Outcome.SEEN]


def test_what_was_missed_is_run_once_and_late(turns: Turns) -> None:
    turns.claim("purge", NIGHTLY, 1, START)
    turn = turns.claim("purge", NIGHTLY, 1, START + 5 * DAY)
    assert turn is not None
    assert START + 4 * DAY < turn.due <= START + 5 * DAY
    assert turns.end(turn, Outcome.DONE, START + 5 * DAY + HOUR)
    assert turns.claim("purge", NIGHTLY, 1, START + 5 * DAY + 2 * HOUR) is None


def test_p8_a_run_that_its_leader_broke_off_is_taken_up_by_the_next_one_only(turns: Turns) -> None:
    turns.claim("purge", NIGHTLY, 1, START)
    first = turns.claim("purge", NIGHTLY, 1, START + DAY)
    assert first is not None
    assert not first.is_resumed
    second = turns.claim("purge", NIGHTLY, 2, START + DAY + HOUR)
    assert second is not None
    assert (second.is_resumed, second.due) == (True, first.due)
    assert turns.claim("purge", NIGHTLY, 1, START + DAY + HOUR) is None  # leads no more
    assert not turns.end(first, Outcome.DONE, START + DAY + 2 * HOUR)  # nor does its word count
    assert turns.end(second, Outcome.DONE, START + DAY + 2 * HOUR)
    assert [row.outcome for row in turns.last("purge", 9)] == [Outcome.SEEN, Outcome.DONE]


def test_a_clock_that_ran_ahead_for_a_while_keeps_nothing_from_being_run(turns: Turns) -> None:
    turns.claim("purge", NIGHTLY, 1, START)
    ahead = turns.claim("purge", NIGHTLY, 1, START + 3000 * DAY)
    assert ahead is not None
    turns.end(ahead, Outcome.REFUSED, START + 3000 * DAY)
    due = turns.claim("purge", NIGHTLY, 1, START + DAY)
    assert due is not None
    assert due.due <= START + DAY


def test_only_the_latest_runs_are_kept(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.daemon.turns._KEPT", 3)
    turns.claim("purge", NIGHTLY, 1, START)
    dues = []
    for day in range(1, 7):
        turn = turns.claim("purge", NIGHTLY, 1, START + day * DAY)
        assert turn is not None
        turns.end(turn, Outcome.DONE, START + day * DAY)
        dues.append(turn.due)
    assert [row.due for row in turns.last("purge", 99)] == dues[-3:]


def test_p4_a_run_that_somebody_else_wrote_into_the_keyring_is_not_believed(
    turns: Turns, store: Store
) -> None:
    turns.claim("purge", NIGHTLY, 1, START)
    store.write(lambda c: c.execute(turns_table.update().values(due=START + HOUR)))
    with pytest.raises(TamperedError):
        turns.claim("purge", NIGHTLY, 1, START + DAY)


def test_p4_runs_that_somebody_takes_out_of_the_keyring_put_nothing_off(turns: Turns, store: Store) -> None:
    turns.claim("purge", NIGHTLY, 1, START)
    for day in range(1, 4):
        store.write(lambda c: c.execute(turns_table.delete()))
        turn = turns.claim("purge", NIGHTLY, 1, START + day * DAY)
        assert turn is not None
        assert START + (day - 1) * DAY < turn.due <= START + day * DAY
        assert turns.end(turn, Outcome.DONE, START + day * DAY)
    store.write(lambda c: c.execute(turns_table.delete()))
    assert turns.claim("purge", NIGHTLY, 1, START + 3 * DAY + 1) is None


def test_p4_a_run_that_is_not_believed_is_told_and_ends_no_other_duty(
    open_core: Callable[[Hours], Core], caplog: pytest.LogCaptureFixture
) -> None:
    clock, others = Hours(), []

    def other(_: object) -> dict[str, object]:
        others.append(clock.at)
        return {}

    core = open_core(clock)
    purge = Duty("purge", lambda _: {}, triggers=lambda: NIGHTLY)
    leader = leader_of(core, clock, purge, Duty("other", other, every=HOUR))
    leader.beat()
    leader.tick()
    core.stores.keyring.write(lambda c: c.execute(turns_table.update().values(due=START + 1)))
    clock.at += DAY
    leader.beat()
    assert leader.tick() == ["other"]
    assert len(others) == 2
    assert isinstance(leader.trouble, TamperedError)
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "purge" in str(vars(told))


def test_a_lease_that_nobody_can_have_written_is_told_and_nobody_leads_by_it(
    open_core: Callable[[Hours], Core],
) -> None:
    clock = Hours()
    core = open_core(clock)
    leader = leader_of(core, clock)
    assert leader.beat()

    def set_fence(fence: int) -> None:
        core.stores.keyring.write(lambda c: c.execute(leases_table.update().values(fence=fence)))

    set_fence(2**62 + 1)
    assert not leader.beat()
    assert isinstance(leader.trouble, TamperedError)
    assert b"leader 0.0" in leader._metrics.text()
    clock.at += TERM
    assert not leader.beat()
    assert leader.is_silent()
    assert leader.tick() == []
    set_fence(7)
    assert leader.beat()
    assert not leader.is_silent()


@pytest.mark.parametrize("how", ["set back", "taken away"])
def test_p4_a_lease_that_somebody_sets_back_puts_off_no_run_that_was_broken_off(
    turns: Turns, store: Store, how: str
) -> None:
    lease = Lease(store, LEADING, Ticking())
    for _ in range(3):
        assert lease.keep()
        lease.release()
    assert lease.keep()
    assert lease.fence == 4
    turns.claim("purge", NIGHTLY, 4, START)
    broken_off = turns.claim("purge", NIGHTLY, 4, START + DAY)
    assert broken_off is not None
    edit = leases_table.update().values(fence=0) if how == "set back" else leases_table.delete()
    store.write(lambda c: c.execute(edit))
    assert not lease.is_mine()
    assert lease.keep()
    again = turns.claim("purge", NIGHTLY, lease.fence, START + DAY + HOUR)
    assert again is not None
    assert (again.is_resumed, again.due) == (True, broken_off.due)
    assert not turns.end(broken_off, Outcome.DONE, START + DAY + 2 * HOUR)
    assert turns.end(again, Outcome.DONE, START + DAY + 2 * HOUR)


# -- the lease -----------------------------------------------------------------------------------------------


class Ticking:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


def test_one_leads_until_it_falls_silent_for_a_whole_term_of_the_other(store: Store) -> None:
    mine, theirs = Ticking(), Ticking()
    theirs.at -= 900 * DAY  # the hosts don't agree on the time
    first, second = Lease(store, "daemon", mine), Lease(store, "daemon", theirs)
    assert (first.keep(), second.keep()) == (True, False)
    for _ in range(5):
        mine.at += TERM // 2
        theirs.at += TERM // 2
        assert (first.keep(), second.keep()) == (True, False)
    theirs.at += TERM - 1
    assert not second.keep()
    theirs.at += 1
    assert second.keep()
    assert (second.fence, second.is_mine(), first.is_mine()) == (2, True, False)
    assert not first.keep()
    assert first.fence is None


def test_who_could_not_reach_the_keyring_for_a_term_does_not_lead(store: Store) -> None:
    clock = Ticking()
    lease = Lease(store, "daemon", clock)
    lease.keep()
    assert lease.is_mine()
    clock.at += TERM
    assert not lease.is_mine()
    assert lease.keep()
    assert lease.is_mine()


def test_who_stops_lets_another_lead_at_once(store: Store) -> None:
    first, second = Lease(store, "daemon", Ticking()), Lease(store, "daemon", Ticking())
    first.keep()
    second.keep()
    first.release()
    assert second.keep()
    assert (second.fence, first.is_mine()) == (2, False)
    first.release()  # has nothing to give any more
    assert second.is_mine()


def test_fences_only_grow_whoever_takes_the_lease(store: Store) -> None:
    clocks = [Ticking() for _ in range(3)]
    leases = [Lease(store, "daemon", clock) for clock in clocks]
    fences = []
    for step in range(12):
        leader = leases[step % 3]
        for lease in leases:
            if lease.fence is None:  # the last leader is silent from here on
                lease.keep()
        for clock in clocks:
            clock.at += TERM + 1
        assert leader.keep()
        leases[step % 3 - 1].fence = None
        fences.append(leader.fence or 0)
    assert all(one < other for one, other in pairwise(fences))
