"""P5, P2: no date that somebody wrote into the transcripts decides what a purge takes, or leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import Table, select, update

from vault.errors import TamperedError
from vault.storage.schema import messages, records

NAMED = r": sessions\.id 1 of the transcripts$"
YEARS = 3650 * DAY
START = "  - name: d\n    keep: {at_least: 300d, at_most: 365d, count_from: session-start}\n"
OLD = """\
  - name: old
    match: {session: {older_than: 1y}}
    keep: {at_most: 3d}
  - name: d
    keep: {at_most: 5y}
"""
LAST = "  - name: d\n    keep: {at_most: 10d, count_from: last-message}\n"


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def forge(world: Retained, table: Table, *, by: int, at: int = 0) -> None:
    """Date a row of the first session otherwise, and leave all else of it."""
    key = table.c.seq if table is messages else table.c.id
    with connected(world.databases.transcripts) as connection:
        found = connection.execute(
            select(key, table.c.created_at).where(table.c.session_id == 1).order_by(key)
        )
        row = found.all()[at]
        forged = update(table).where(table.c.session_id == 1, key == row[0])
        assert connection.execute(forged.values(created_at=row.created_at + by)).rowcount == 1
        connection.commit()


def is_noticed(world: Retained) -> bool:
    """Purge; say whether nothing of the first session went."""

    def left() -> list[object]:
        dumped = world.databases.dump(world.databases.transcripts)
        return [row for row in dumped["messages"] if row[0] == 1] + [dumped["records"]]

    before = left()
    with pytest.raises(TamperedError, match=NAMED) as caught:
        world.vault.purge()
    assert "from a backup, or forget or delete it" in caught.value.hint
    return left() == before


@pytest.mark.parametrize("rules", [START, OLD], ids=["start", "age"])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_p5_an_old_date_on_a_row_makes_no_session_old(world: Retained, rules: str, at: int) -> None:
    world.begin(rules, DAY // 10)
    world.clock.now += 5 * DAY
    forge(world, messages, by=-YEARS, at=at)
    assert is_noticed(world)


def test_p5_an_old_date_on_a_record_makes_no_records_old(world: Retained) -> None:
    world.begin(START, DAY // 10)
    for user in ("anna", "ben"):
        notes = world.vault.transcript(user, "s-1").records("notes")
        for name in ("a", "b", "c"):
            notes.put(name, name)
    world.clock.now += DAY
    forge(world, records, by=-YEARS, at=1)
    assert is_noticed(world)


def test_p5_no_forged_date_gets_into_the_ledger_of_what_stays(world: Retained) -> None:
    first = "  - name: t\n    match: {role: user}\n    keep: {at_most: 3d}\n"
    world.begin(first + START.replace("d\n", "e\n"), DAY // 10)
    world.say("anna", "s-1", "assistant")
    world.say("anna", "s-1", "assistant")
    world.say("anna", "s-1", "assistant")
    world.clock.now += 5 * DAY
    forge(world, messages, by=-340 * DAY, at=6)
    assert is_noticed(world)


@pytest.mark.parametrize("closely", [False, True])
@pytest.mark.parametrize("by", [-DAY, DAY])
def test_p2_a_row_that_stops_all_runs_is_named_and_whoever_is_rid_of_it_goes_on(
    world: Retained, by: int, *, closely: bool
) -> None:
    world.begin("  - name: d\n    keep: {at_most: 3d}\n", DAY // 10)
    if closely:
        world.vault.transcript("anna", "s-1").records("notes").put("n", 1)
    world.clock.now += 5 * DAY
    forge(world, messages, by=by, at=2)
    assert is_noticed(world)
    world.vault.forget_session("anna", "s-1")
    assert world.vault.purge().messages == 5


@pytest.mark.wide
@pytest.mark.parametrize("rules", [START, OLD, LAST])
def test_control_what_nobody_dated_goes_on_its_day(world: Retained, rules: str) -> None:
    world.begin(rules, DAY // 10)
    world.clock.now += 6 * DAY
    world.purge()
    assert world.purged == []
    world.clock.now += 500 * DAY
    world.vault.purge(yes=True)
    assert world.vault.transcript("anna", "s-1").messages() == []
