"""P4, P5: what a hold hides from the app outlives its epoch alone, and keeps nobody else's key alive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained, Said
from sqlalchemy import update

from vault.storage.schema import State, chapters


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def hide(world: Retained, one: Said) -> None:
    """Let the app delete a session that is on hold."""
    world.hold(one.user, one.session)
    world.vault.transcript(one.user, one.session).delete()
    world.said.remove(one)


def shown(world: Retained, one: Said) -> list[object]:
    found = world.vault.transcript(one.user, one.session).messages(include_hidden=True, purpose="a case")
    return [message.content for message in found]


@pytest.mark.wide
@pytest.mark.parametrize("rules", ["short", "plain", "labels"])
def test_p4_p5_what_a_hold_hides_lives_on_alone_where_its_epoch_dies(world: Retained, rules: str) -> None:
    world.edit(rules)
    held, other = world.say("anna", "s-1"), world.say("ben", "s-1")
    world.snapshot()
    hide(world, held)
    world.snapshot()
    world.clock.now += 20 * DAY
    assert world.vault.purge().messages == 1
    world.said, world.purged = [], [other]
    world.check()
    world.check_copies()
    assert shown(world, held) == [held.text]

    world.snapshot()
    world.release()
    world.vault.carry_out_due()
    world.vault.purge()
    world.erased.add(held.text)
    world.check_copies()


def test_p4_what_was_hidden_and_is_held_no_more_goes_with_its_epoch(world: Retained) -> None:
    held, again = world.say("anna", "s-1"), world.say("anna", "s-2")
    hide(world, held)
    world.say("anna", "s-1")
    world.snapshot()
    world.clock.now += 20 * DAY
    world.release()
    world.vault.purge()
    world.purged = [again, *(one for one in world.said if one != again)]
    world.said = []
    world.check()
    world.erased.add(held.text)
    world.check_copies()
    world.vault.carry_out_due()
    assert world.databases.dump(world.databases.transcripts)["epochs"] == []


@pytest.mark.wide
@pytest.mark.parametrize("rules", ["short", "plain", "by session", "labels"])
@pytest.mark.parametrize("beside", [0, 1])
def test_p4_a_dry_run_counts_what_is_hidden_and_held_no_more_as_the_run_does(
    world: Retained, rules: str, beside: int
) -> None:
    world.edit(rules)
    held = world.say("anna", "s-1")
    for _ in range(beside):
        world.say("ben", "s-1")
    hide(world, held)
    world.snapshot()
    world.clock.now += 30 * DAY
    planned = world.vault.purge(dry_run=True)
    assert planned.messages == beside
    assert [one.held.all.messages for one in planned.classes] == [1]
    world.release()
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert planned.messages == ran.messages == 1 + beside
    assert [one.goes for one in planned.classes] == [one.goes for one in ran.classes]
    world.purged, world.said = world.said, []
    world.erased.add(held.text)
    world.check_copies()


@pytest.mark.wide
def test_p4_what_is_hidden_and_would_be_parted_keeps_nobody_elses_key_until_it_is_removed(
    world: Retained,
) -> None:
    world.edit("short")
    kept, hidden, other = (
        world.say(user, "s-1", role) for user, role in (("anna", "user"), ("anna", "tool"), ("ben", "tool"))
    )
    world.snapshot()
    hide(world, kept)
    world.edit("plain")  # the tool's message goes before the user's
    world.clock.now += 3 * DAY
    world.release()
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert (planned.messages, planned.epochs) == (ran.messages, ran.epochs) == (1, 1)
    assert [one.goes for one in planned.classes] == [one.goes for one in ran.classes]
    world.purged, world.said = [other], []
    world.check()
    world.check_copies()
    assert world.vault.purge(dry_run=True).messages == 0
    world.vault.carry_out_due()
    world.erased |= {kept.text, hidden.text}
    world.check_copies()


@pytest.mark.wide
@pytest.mark.parametrize("rules", ["short", "labels"])  # by which sessions go as a whole, and are looked at
def test_what_the_app_took_under_a_hold_is_not_counted_as_purged_when_retention_takes_it(
    world: Retained, rules: str
) -> None:
    world.edit(rules)
    every = [world.say("anna", "s-1") for _ in range(4)]
    world.hold("anna")
    for _ in range(2):
        world.vault.transcript("anna", "s-1").pop()
    world.purged, popped = every[:2], every[2:]
    world.snapshot()
    world.clock.now += 20 * DAY
    world.release()
    stays = world.say("anna", "s-1")
    world.said = [stays]
    assert world.vault.purge().messages == 4  # that many rows go
    world.check()
    world.vault.carry_out_due()
    world.check()
    world.vault.close()
    world.vault = world.open()
    world.check()
    world.erased |= {one.text for one in popped}
    world.check_copies()


@pytest.mark.wide
@pytest.mark.parametrize("begun_anew", [False, True])
def test_p4_p5_what_older_transcripts_show_again_though_it_was_hidden_keeps_nobody_elses_key(
    world: Retained, *, begun_anew: bool
) -> None:
    world.edit("short")
    held, other = world.say("anna", "s-1"), world.say("ben", "s-1")
    world.snapshot()
    older = world.databases.copy_of(world.databases.transcripts)
    hide(world, held)
    if begun_anew:
        world.say("anna", "s-1")
    world.vault.close()
    world.databases.restore(older, world.databases.transcripts)
    world.vault = world.open()
    world.clock.now += 20 * DAY
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert (planned.messages, planned.epochs) == (ran.messages, ran.epochs) == (1, 1)
    world.purged, world.said = [other], []
    world.vault.destroy_due(now=True)
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert thief.read(world.databases.dump(world.databases.transcripts)) == {held.text}
    assert other.text not in thief.read(world.transcripts[0])


@pytest.mark.wide
def test_p4_a_key_of_its_own_that_was_to_die_when_a_hold_hid_its_session_keeps_nobody_elses_key(
    world: Retained,
) -> None:
    world.edit("plain")
    held, gone = [world.say("anna", "s-1")], world.say("ben", "s-1")
    world.hold("anna", "s-1")
    world.clock.now += 20 * DAY
    world.vault.purge()
    held.append(world.say("anna", "s-1"))
    other = world.say("ben", "s-1")
    world.vault.transcript("anna", "s-1").delete()
    with connected(
        world.databases.transcripts
    ) as connection:  # as a run that was broken off leaves it, or a thief
        mine = update(chapters).where(chapters.c.node.is_not(None)).values(state=int(State.CLOSED))
        assert connection.execute(mine).rowcount == 1
        connection.commit()
    world.snapshot()
    world.clock.now += 20 * DAY
    assert world.vault.purge().messages == 1
    world.said, world.purged = [], [gone, other]
    world.check()
    world.check_copies()
    assert shown(world, held[0]) == [one.text for one in held]
    world.release()
    world.vault.carry_out_due()
    world.vault.purge()
    world.erased |= {one.text for one in held}
    world.check_copies()
