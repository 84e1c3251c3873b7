"""P3, P5: what a floor keeps goes on its day, and not before, where older transcripts know nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained
from test_floors_parting import LAW, read_by_thief, shown, talk
from test_purging_restored import restore

from vault.errors import UserForgottenError
from vault.evidence.certificate import Certificate


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    made.follow(LAW)
    yield made
    made.vault.close()


def forget(world: Retained, session: str | None) -> Certificate:
    if session is None:
        return world.vault.forget_user("anna", except_floors=True)
    return world.vault.forget_session("anna", session, except_floors=True)


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, "s-1"])
def test_p3_p5_what_was_taken_apart_goes_on_its_day_though_restored_transcripts_were_not(
    world: Retained, tmp_path: Path, session: str | None
) -> None:
    said = talk(world)
    alone = set() if session is None else {said["alone"]}
    world.vault.backup(tmp_path / "before")
    asked = forget(world, session)
    kept = {said["old receipt"], said["new receipt"]} | alone
    world.transcripts.append(world.databases.dump(world.databases.transcripts))
    restore(world, tmp_path / "before")
    assert forget(world, session).id == asked.id
    assert (world.vault.carry_out_due(), len(world.vault.queued())) == ([], 1)
    assert read_by_thief(world) == kept  # transcripts that are newer than those would bring it back
    world.clock.now += 31 * DAY
    assert [one.id for one in world.vault.carry_out_due()] == [asked.id]
    assert (world.vault.queued(), read_by_thief(world)) == ([], alone)


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, "s-1"])
def test_p5_what_a_floor_keeps_whole_waits_for_its_day_though_restored_transcripts_are_older(
    world: Retained, tmp_path: Path, session: str | None
) -> None:
    world.say("anna", "s-3")
    world.vault.backup(tmp_path / "before")
    receipt = world.say("anna", "s-1", "tool").text
    world.vault.backup(tmp_path / "after")
    asked = forget(world, session)
    restore(world, tmp_path / "before")
    assert forget(world, session).id == asked.id
    assert (world.vault.carry_out_due(), len(world.vault.queued())) == ([], 1)
    restore(world, tmp_path / "after")
    assert (world.vault.carry_out_due(), shown(world.vault)) == ([], [receipt])
    world.clock.now += 31 * DAY
    assert [one.id for one in world.vault.carry_out_due()] == [asked.id]
    assert world.vault.queued() == []


@pytest.mark.wide
@pytest.mark.parametrize("stores", [{"keyring"}, {"keyring", "transcripts"}])
def test_p3_p5_who_is_younger_than_a_restored_keyring_stays_forgotten_and_goes_on_their_day(
    world: Retained, tmp_path: Path, stores: set[str]
) -> None:
    stays = world.say("ben", "s-1").text
    world.vault.backup(tmp_path / "before")
    receipt = world.say("anna", "s-1", "tool").text
    world.snapshot()
    asked = forget(world, None)
    restore(world, tmp_path / "before", stores)
    assert (world.vault.carry_out_due(), len(world.vault.queued())) == ([], 1)
    with pytest.raises(UserForgottenError):
        world.vault.transcript("anna", "s-1").append("user", "again")
    with pytest.raises(UserForgottenError):
        world.vault.enroll("anna")
    assert forget(world, None).id == asked.id
    assert read_by_thief(world) == {stays, receipt}
    world.clock.now += 31 * DAY
    assert [one.id for one in world.vault.carry_out_due()] == [asked.id]
    assert (world.vault.queued(), read_by_thief(world)) == ([], {stays})
    world.vault.enroll("anna")
    assert world.say("anna", "s-1").text in shown(world.vault)


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, "s-1"])
def test_p3_p5_what_an_older_keyring_knows_nothing_of_waits_for_the_latest_one(
    world: Retained, tmp_path: Path, session: str | None
) -> None:
    stays = set() if session is None else {world.say("anna", "s-3").text}
    world.vault.backup(tmp_path / "before")
    receipt = world.say("anna", "s-1", "tool").text
    asked = forget(world, session)
    world.vault.backup(tmp_path / "latest")
    restore(world, tmp_path / "before", {"keyring"})
    assert (world.vault.carry_out_due(), len(world.vault.queued())) == ([], 1)
    restore(world, tmp_path / "latest", {"keyring"})
    assert (world.vault.carry_out_due(), shown(world.vault)) == ([], [receipt])
    world.snapshot()
    world.clock.now += 31 * DAY
    assert [one.id for one in world.vault.carry_out_due()] == [asked.id]
    assert (world.vault.queued(), read_by_thief(world)) == ([], stays)


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, "s-1"])
def test_p5_what_was_taken_apart_waits_for_the_latest_keyring_where_an_older_one_does_not_have_its_keys(
    database: Databases, tmp_path: Path, session: str | None
) -> None:
    world = Retained(database, tmp_path / "root.key", horizon="60d")
    world.follow(LAW)
    said = talk(world)
    world.vault.backup(tmp_path / "before")
    asked = forget(world, session)
    world.vault.backup(tmp_path / "latest")
    restore(world, tmp_path / "before", {"keyring"})
    assert (world.vault.carry_out_due(), len(world.vault.queued())) == ([], 1)
    restore(world, tmp_path / "latest", {"keyring"})
    assert world.vault.carry_out_due() == []
    assert shown(world.vault) == [said["old receipt"], said["new receipt"]]
    world.clock.now += 31 * DAY
    assert [one.id for one in world.vault.carry_out_due()] == [asked.id]
    assert world.vault.queued() == []
    world.vault.close()
