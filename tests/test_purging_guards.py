"""What stops a run of the policies before it erases anything: its share, the clock, an edited record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from originals import open_with
from retained import Retained, policy
from sqlalchemy import text

from vault.clock import system_clock, to_datetime
from vault.errors import GuardedError, TamperedError
from vault.retention.plan import GUARDED_FROM
from vault.retention.run import check_clocks
from vault.storage.runs import FAR, SLACK


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


@pytest.mark.wide
def test_a_run_that_would_erase_more_than_its_share_stops_before_it_starts(
    world: Retained, tmp_path: Path
) -> None:
    rules = policy("plain").replace("100%", "20%")
    with open_with(world, rules, tmp_path, redactor=None) as vault:
        many = [{"role": "tool", "content": "x"}] * (GUARDED_FROM + 1)
        vault.transcript("u-1", "s-1").extend(many)
        world.clock.now += DAY
        before = world.databases.dump(world.databases.transcripts)
        assert [one.limit for one in vault.purge(dry_run=True).excesses] == [0.2]
        with pytest.raises(GuardedError, match="20%"):
            vault.purge()
        assert world.databases.dump(world.databases.transcripts) == before
        # What can't be due counts, although nothing of it is looked at.
        vault.transcript("u-2", "s-1").extend([{"role": "user", "content": "x"}] * 4 * len(many))
        assert vault.purge(dry_run=True).excesses == []
        assert vault.purge().messages == len(many)
        vault.transcript("u-1", "s-1").extend(many)
        world.clock.now += 30 * DAY
        with pytest.raises(GuardedError):
            vault.purge()
        assert vault.purge(yes=True).messages == 5 * len(many)


@pytest.mark.wide
def test_what_is_looked_at_beside_what_is_due_counts_once_for_the_share(
    world: Retained, tmp_path: Path
) -> None:
    with open_with(world, policy("plain").replace("100%", "20%"), tmp_path, redactor=None) as vault:
        chat = vault.transcript("u-1", "s-1")
        for role, number in (("tool", 1100), ("user", 3900)):
            chat.extend([{"role": role, "content": "x"}] * number)
        vault.transcript("u-1", "s-2").append("user", "x")
        vault.hold("u-1", "s-2", reason="a case")  # so that all of the user's is looked at closely
        world.clock.now += DAY
        assert [(one.goes, one.of) for one in vault.purge(dry_run=True).excesses] == [(1100, 5001)]


@pytest.mark.parametrize(
    ("now", "database", "last"),
    [(DAY, DAY + 2 * SLACK, None), (DAY, None, DAY + 2 * SLACK), (FAR + 2, None, 1), (DAY, 0, None)],
)
def test_a_clock_that_can_not_be_right_stops_a_run(now: int, database: int | None, last: int | None) -> None:
    with pytest.raises(GuardedError, match="nothing was erased"):
        check_clocks(now, database, last)


def test_a_clock_that_is_right_stops_nothing() -> None:
    check_clocks(DAY, DAY + SLACK, DAY - 1)
    check_clocks(DAY, None, None)


@pytest.mark.wide
def test_a_run_compares_the_clock_with_the_last_one_and_one_odd_message_stops_nothing(
    world: Retained,
) -> None:
    world.say("u-1", "s-1", "tool")
    world.vault.transcript("u-1", "s-2").append(
        "user", "of the future", created_at=to_datetime(world.clock.now + 9999 * DAY)
    )
    world.vault.purge()
    world.clock.now -= DAY
    with pytest.raises(GuardedError, match="before the last run"):
        world.vault.purge()
    world.clock.now += 200 * DAY
    with pytest.raises(GuardedError, match="long after the last run"):
        world.vault.purge(dry_run=True)
    assert world.vault.purge(yes=True).messages == 1
    assert world.vault.purge().messages == 0


def test_p2_an_edited_record_of_a_run_is_noticed(world: Retained) -> None:
    world.vault.purge()
    with connected(world.databases.keyring) as connection:
        connection.execute(text("UPDATE runs SET started_at = started_at - 1"))
    with pytest.raises(TamperedError):
        world.vault.purge()


def test_the_databases_own_clock_is_near_this_machines(world: Retained) -> None:
    world.vault.close()
    world.clock = system_clock  # type: ignore[assignment]
    world.vault = world.open()
    assert world.vault.purge().messages == 0
