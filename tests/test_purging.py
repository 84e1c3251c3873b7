"""P4: what a retention rule purges is erased, at the first run after its epoch has ended."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from faces import DAY
from retained import HOUR, Retained

from vault.clock import to_datetime
from vault.errors import PastError


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_p4_p3_all_old_copies_and_the_present_root_open_nothing_purged_and_everything_alive(
    world: Retained, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(90):
        world.step(dice)
        world.snapshot()
    world.purge()
    assert world.went >= 10
    world.check_copies()


@pytest.mark.wide
def test_p4_a_message_goes_at_the_first_run_after_its_epoch_and_is_counted(world: Retained) -> None:
    world.say("u-1", "s-1", "tool")
    world.say("u-1", "s-1")
    world.snapshot()
    world.clock.now += 7 * HOUR
    assert world.purge().messages == 1
    world.clock.now += 10 * DAY
    assert world.purge().messages == 1
    assert [world.databases.dump(world.databases.transcripts)[name] for name in ("epochs", "chapters")] == [
        [],
        [],
    ]
    world.check_copies()


@pytest.mark.wide
@pytest.mark.parametrize(
    ("before", "after"), [("long", "short"), ("plain", "by session"), ("by session", "short")]
)
def test_p4_after_an_edit_the_next_run_goes_by_the_new_rules(
    world: Retained, before: str, after: str
) -> None:
    world.edit(before)
    for day in range(6):
        for role in ("user", "assistant", "tool"):
            world.say("u-1", "s-1", role)
            world.say("u-2", "s-2", role)
        world.snapshot()
        world.clock.now += DAY + day
    world.edit(after)
    world.purge()
    world.snapshot()
    world.edit(before)
    world.clock.now += 3 * DAY
    world.purge()
    world.say("u-1", "s-1")
    world.edit("long")
    world.clock.now += 40 * DAY
    world.purge()
    assert world.said == []
    world.check_copies()


@pytest.mark.wide
def test_p5_what_is_on_hold_outlives_its_epoch_in_old_copies_too_and_goes_once_released(
    world: Retained,
) -> None:
    for user in ("u-1", "u-2"):
        world.say(user, "s-1")
        world.say(user, "s-2")
    old = world.databases.copy_of(world.databases.transcripts)
    world.snapshot()
    hold = world.hold("u-1", "s-1")
    world.clock.now += 11 * DAY
    ran = world.purge()
    assert (ran.messages, ran.kept) == (3, 1)
    assert next(one.held.by for one in ran.classes if one.name == "test/default").keys() == {hold}
    world.snapshot()

    world.vault.close()
    world.databases.restore(old, world.databases.transcripts)
    world.vault = world.open()
    world.check()
    world.release()
    ran = world.vault.purge()
    world.purged += world.said
    world.said = []
    world.vault.close()
    world.vault = world.open()
    world.check()
    world.check_copies()


def test_p5_a_hold_that_comes_before_the_keys_die_keeps_them(world: Retained) -> None:
    """Between the rows and the keys: what is in a copy can still be put back."""
    world.say("u-1", "s-1")
    world.say("u-1", "s-1", "tool")
    world.say("u-2", "s-1", "tool")
    world.snapshot()
    world.clock.now += 8 * HOUR

    def place() -> bool:
        return False

    runs = world.vault._core.runs()
    cut = runs._cutter.cut

    def late(*given: Any, **how: Any) -> object:
        world.hold("u-1")
        return cut(*given, **how)

    runs._cutter.cut = late  # type: ignore[assignment, method-assign]
    assert runs.run(should_stop=place).epochs == 0
    thief = world.attacker()
    thief.take_keyrings([world.databases.dump(world.databases.keyring)])
    assert len(thief.read(world.transcripts[0])) == 3
    world.release()
    world.purged = [one for one in world.said if one.role == "tool"]
    world.said = [one for one in world.said if one.role != "tool"]
    assert world.vault.purge().epochs == 1
    world.check()
    world.check_copies()


def test_p4_a_message_that_is_past_its_date_is_refused_and_not_written(world: Retained) -> None:
    chat = world.vault.transcript("u-1", "s-1")
    with pytest.raises(PastError):
        chat.append("user", "old", created_at=to_datetime(world.clock.now - 11 * DAY))
    assert list(world.vault.users()) == []
    chat.append("user", "young enough", created_at=to_datetime(world.clock.now - 8 * DAY))
    assert len(chat.messages()) == 1


@pytest.mark.wide
def test_p4_a_dry_run_counts_the_keys_of_both_rules_of_one_name(world: Retained) -> None:
    world.say("u-1", "s-1")
    world.edit("long")
    world.say("u-1", "s-1")
    world.clock.now += 40 * DAY
    assert world.vault.purge(dry_run=True).epochs == world.purge().epochs == 2
    world.check_copies()


@pytest.mark.wide
def test_p4_a_dry_run_counts_no_keys_of_what_older_transcripts_brought_back(world: Retained) -> None:
    world.edit("short")
    world.say("anna", "s-1")
    older = world.databases.copy_of(world.databases.transcripts)
    world.clock.now += 4 * DAY
    assert world.purge().epochs == 1
    world.vault.close()
    world.databases.restore(older, world.databases.transcripts)
    world.vault = world.open()
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert planned.messages == ran.messages == 1
    assert planned.epochs == ran.epochs == 0


@pytest.mark.wide
@pytest.mark.parametrize("is_held", [False, True])
def test_p4_a_dry_run_counts_the_keys_that_a_broken_run_left(world: Retained, *, is_held: bool) -> None:
    def break_off(_done: int, _of: int) -> None:
        raise InterruptedError

    world.purged.append(world.say("u-1", "s-1"))
    world.said.clear()
    world.snapshot()
    world.clock.now += 20 * DAY
    with pytest.raises(InterruptedError):
        world.vault._core.runs().run(progress=break_off)
    if is_held:  # too late for the rows, in time for the key
        world.hold("u-1")
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert (planned.messages, planned.epochs) == (ran.messages, ran.epochs) == (0, 1)
    assert ran.kept == is_held
    world.release()
    world.vault.purge()
    world.check_copies()


@pytest.mark.wide
def test_p4_a_part_of_a_chapter_goes_though_this_process_has_the_session_open(world: Retained) -> None:
    world.edit("by session")
    for days in (9, 2):
        world.say("u-1", "s-1", "assistant")
        world.snapshot()
        world.clock.now += days * DAY
    assert (world.purge().messages, len(world.said)) == (1, 1)
    world.say("u-1", "s-1", "assistant")
    world.check()
    world.check_copies()


@pytest.mark.wide
@pytest.mark.parametrize("rules", ["long", "labels", "plain"])
@pytest.mark.parametrize("is_held", [False, True])
def test_p4_a_dry_run_counts_what_older_transcripts_brought_back_whatever_keeps_it_now(
    world: Retained, rules: str, *, is_held: bool
) -> None:
    world.edit("short")
    for user in ("anna", "ben"):
        world.say(user, "s-1")
    older = world.databases.copy_of(world.databases.transcripts)
    hold = world.hold("ben")
    world.clock.now += 4 * DAY
    assert world.purge().messages == 1
    world.vault.close()
    world.databases.restore(older, world.databases.transcripts)
    world.edit(rules)
    if is_held:
        world.hold("anna")
    world.vault.release(hold, reason="closed")
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert (planned.messages, planned.sessions, planned.bytes) == (ran.messages, ran.sessions, ran.bytes)
    assert ran.messages == 1
    assert planned.epochs == ran.epochs == 0
    assert [one.goes for one in planned.classes] == [one.goes for one in ran.classes]
    world.check()


@pytest.mark.wide
def test_p4_a_dry_run_counts_what_older_transcripts_brought_back_of_chapters_with_keys_of_their_own(
    world: Retained,
) -> None:
    world.edit("by session")
    world.say("anna", "s-2", "user")
    older = world.databases.copy_of(world.databases.transcripts)
    world.clock.now += 9 * DAY
    assert world.purge().chapters == 1
    world.vault.close()
    world.databases.restore(older, world.databases.transcripts)
    world.edit("long")
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert planned.messages == ran.messages == 1
    world.check()
