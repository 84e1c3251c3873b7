"""P4: retention reaches what adapters store beside messages; what it keeps stays readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import HEAD, HOUR, Retained

from vault.chat.records import Put
from vault.errors import GuardedError
from vault.messages import STATE, Message
from vault.retention import purging

STATES = """
  - name: state
    match: {role: state}
    keep: {at_most: 12d}
  - name: default
    keep: {at_most: 9d}
"""
BRIEF = """
  - name: state
    match: {role: state}
    keep: {at_most: 3d}
  - name: default
    keep: {at_most: 9d}
"""
LASTING = """
  - name: default
    keep: {at_most: 8d, count_from: last-message}
"""
BEGUN = """
  - name: default
    keep: {at_most: 8d, count_from: session-start}
"""


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def rule(world: Retained, rules: str) -> None:
    """Let a world go by other rules from here on."""
    world.file.write_text(HEAD.format(name="test") + rules.lstrip("\n"))
    world.vault.close()
    world.vault = world.open()


def put(world: Retained, key: str, user: str = "u-1", session: str = "s-1", role: str = STATE) -> str:
    """Store a record; give its value, which is unlike all others."""
    text = next(world.texts)
    value = Put("notes", key, [Message(role, text)], lambda done: done[0].content, role=role)
    if role == STATE:
        world.vault.transcript(user, session).records("notes").put(key, text)
    else:
        world.vault._core.keep(user, session, "", [value])
    return text


def notes(world: Retained, user: str = "u-1", session: str = "s-1") -> dict[str, object]:
    return {one.key: one.value for one in world.vault.transcript(user, session).records("notes").list()}


def opened(world: Retained) -> set[str]:
    """Give all that an attacker opens who has every copy and the present root."""
    world.vault.destroy_due(now=True)
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    present = world.databases.dump(world.databases.transcripts)
    return set().union(*(thief.read(copy) for copy in (*world.transcripts, present)))


def rows(world: Retained, name: str) -> int:
    return len(world.databases.dump(world.databases.transcripts)[name])


@pytest.mark.wide
def test_p4_p3_records_go_with_the_messages_of_their_epoch_and_open_from_no_old_copy(world: Retained) -> None:
    said = world.say("u-1", "s-1")
    gone = {put(world, "a"), put(world, "b"), put(world, "alone", "u-2"), said.text}
    world.snapshot()
    world.clock.now += 5 * DAY
    kept = {put(world, "c"), put(world, "b")}
    world.snapshot()
    world.clock.now += 6 * DAY
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert (ran.messages, ran.records) == (planned.messages, planned.records) == (1, 2)
    assert [one.goes.records for one in ran.classes if one.name == "test/default"] == [2]
    assert set(notes(world).values()) == kept
    assert notes(world, "u-2") == {}
    found = opened(world)
    assert found & gone == set()
    assert kept <= found
    world.clock.now += 6 * DAY
    assert world.vault.purge().records == 2
    assert [rows(world, name) for name in ("records", "messages", "chapters", "epochs")] == [0, 0, 0, 0]
    assert opened(world) & (gone | kept) == set()


@pytest.mark.wide
def test_p4_a_rule_for_state_keeps_records_longer_and_they_open_from_old_copies_too(world: Retained) -> None:
    """The rule comes after both were sealed in one chapter: it is split, and what stays is sealed anew."""
    said = world.say("u-1", "s-1")
    kept = put(world, "a")
    alone = put(world, "b", "u-2")
    world.snapshot()
    old = world.databases.copy_of(world.databases.transcripts)
    rule(world, STATES)
    before = world.vault.transcript("u-1", "s-1").records("notes").list()
    world.clock.now += 10 * DAY
    ran = world.vault.purge()
    assert (ran.messages, ran.records, ran.kept, ran.resealed) == (1, 0, 1, 1)
    assert world.vault.transcript("u-1", "s-1").records("notes").list() == before
    assert notes(world, "u-2") == {"b": alone}
    found = opened(world)
    assert said.text not in found
    assert {kept, alone} <= found
    present = world.databases.copy_of(world.databases.transcripts)
    world.vault.close()
    world.databases.restore(old, world.databases.transcripts)
    world.vault = world.open()
    assert notes(world, "u-2") == {"b": alone}
    world.vault.close()
    world.databases.restore(present, world.databases.transcripts)
    world.vault = world.open()
    world.clock.now += 3 * DAY
    assert world.vault.purge().records == 2
    assert opened(world) == set()
    assert rows(world, "records") == rows(world, "chapters") == 0


@pytest.mark.wide
def test_p4_a_rule_for_state_takes_records_and_leaves_the_messages_of_their_chapter(world: Retained) -> None:
    world.say("u-1", "s-1")
    gone = put(world, "a")
    world.snapshot()
    rule(world, BRIEF)
    world.clock.now += 5 * DAY
    ran = world.vault.purge()
    assert (ran.messages, ran.records, ran.resealed) == (0, 1, 1)
    assert notes(world) == {}
    world.check()
    assert gone not in opened(world)
    world.check_copies()


def test_p4_a_record_goes_by_the_role_that_it_was_stored_under(world: Retained) -> None:
    gone, kept = put(world, "call", role="tool"), put(world, "a")
    world.say("u-1", "s-1")
    world.snapshot()
    world.clock.now += 8 * HOUR
    ran = world.vault.purge()
    assert (ran.messages, ran.records, ran.resealed, ran.epochs) == (0, 1, 0, 1)
    assert notes(world) == {"a": kept}
    assert gone not in opened(world)


def test_p5_held_records_stay_and_go_once_released(world: Retained) -> None:
    held, gone = put(world, "a"), put(world, "a", "u-2")
    world.snapshot()
    world.hold("u-1", "s-1")
    world.clock.now += 11 * DAY
    ran = world.vault.purge()
    assert (ran.records, ran.kept) == (1, 1)
    assert [one.held.all.records for one in ran.classes if one.name == "test/default"] == [1]
    assert notes(world) == {"a": held}
    found = opened(world)
    assert held in found
    assert gone not in found
    world.release()
    assert world.vault.purge().records == 1
    assert opened(world) & {held, gone} == set()


@pytest.mark.parametrize(("rules", "after"), [(LASTING, 12), (BEGUN, 8)])
def test_p4_records_alone_count_from_the_last_or_the_first_of_them(
    world: Retained, rules: str, after: int
) -> None:
    rule(world, rules)
    every = {put(world, "a")}
    world.clock.now += 4 * DAY
    every.add(put(world, "b"))
    world.snapshot()
    world.clock.now += (after - 4) * DAY - HOUR
    assert world.vault.purge().records == 0
    assert set(notes(world).values()) == every
    world.clock.now += 2 * HOUR
    assert world.vault.purge().records == 2
    assert opened(world) & every == set()


def test_p8_more_records_than_one_transaction_takes_all_go(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "ROWS", 3)
    gone = {put(world, f"n-{number}") for number in range(8)}
    gone |= {world.say("u-1", "s-1").text for _ in range(4)}
    world.snapshot()
    world.clock.now += 11 * DAY
    ran = world.vault.purge()
    assert (ran.messages, ran.records) == (4, 8)
    assert rows(world, "records") == rows(world, "messages") == 0
    assert opened(world) & gone == set()


@pytest.mark.wide
def test_records_count_for_the_share_that_a_run_may_take(world: Retained) -> None:
    rule(world, STATES)
    world.file.write_text(world.file.read_text().replace("100%", "20%"))
    world.vault.close()
    world.vault = world.open()
    many = world.vault.transcript("u-1", "s-1").records("notes")
    many.put_many({f"n-{number}": number for number in range(1001)})
    world.clock.now += 14 * DAY
    with pytest.raises(GuardedError):
        world.vault.purge()
    many.put_many({f"m-{number}": number for number in range(4004)})
    assert world.vault.purge().records == 1001


def test_explaining_tells_of_records(world: Retained) -> None:
    put(world, "a")
    found = world.vault.explain("u-1", "s-1")
    assert [(one.role, one.messages, one.records, one.goes) for one in found] == [(STATE, 0, 1, False)]
