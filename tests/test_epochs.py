"""Chapters and epochs: destroying either key erases, and what is kept needs no second sealing (P3, P4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacker import Attacker, root_keys
from databases import Databases
from faces import DAY
from world import World

from vault.clock import from_datetime, to_datetime
from vault.crypto.tree import Kind, slot
from vault.evidence.certificate import Why
from vault.keys.slots import chapter_slot, standing_for
from vault.messages import Message
from vault.placing import DEFAULT_CLASS


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[World]:
    made = World(database, tmp_path / "root.key", horizon="0")
    yield made
    made.vault.close()


def purge_day(world: World, message: Message) -> None:
    """Erase the epoch of a message, as the purge of a retention rule will."""
    assert message.created_at is not None
    anchor = from_datetime(message.created_at) // DAY
    core = world.vault._core
    keyring, eraser = core.keyring, core.eraser
    place = (DEFAULT_CLASS, anchor)
    epoch = keyring.find_epochs([place])[place]
    where = keyring.epoch_slot(*place)
    intent = eraser.begin(Why.PURGE, [epoch.id], where, reason="", actor="", now=True)
    eraser.carry_out([intent], now=True)


def three_days(world: World) -> list[Message]:
    chat = world.vault.transcript("u-1", "s-1")
    stored = []
    for text in ("monday", "tuesday", "wednesday"):
        world.clock.now += DAY
        stored.append(chat.append("user", text))
    return stored


def test_p4_an_erased_epoch_is_left_out_counted_and_opens_nowhere(world: World) -> None:
    days = three_days(world)
    world.vault.transcript("u-2", "s-1").append("user", "also wednesday")
    world.snapshot()
    purge_day(world, days[1])
    for vault in (world.vault, world.open()):
        found = vault.transcript("u-1", "s-1").messages()
        assert [message.content for message in found] == ["monday", "wednesday"]
        assert found.purged == 1
        if vault is not world.vault:
            vault.close()
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert thief.read(world.transcripts[0]) == {"monday", "wednesday", "also wednesday"}


def test_p4_a_writer_that_still_holds_a_dead_epochs_key_goes_on_in_a_new_one(world: World) -> None:
    days = three_days(world)
    other = world.open()
    chat = other.transcript("u-1", "s-1")
    assert len(chat.messages()) == 3
    purge_day(world, days[2])
    late = chat.append("user", "late", created_at=days[2].created_at)
    other.close()
    found = world.vault.transcript("u-1", "s-1").messages()
    assert [message.content for message in found] == ["monday", "tuesday", "late"]
    assert late.seq == 3
    assert found.purged == 1


def test_p3_a_chapter_that_is_kept_outlives_its_epoch_in_old_copies_too(world: World) -> None:
    days = three_days(world)
    world.vault.transcript("u-2", "s-1").append("user", "also wednesday")
    old = world.databases.copy_of(world.databases.transcripts)
    assert days[2].created_at is not None
    place = (DEFAULT_CLASS, from_datetime(days[2].created_at) // DAY)
    core = world.vault._core
    session = core.sessions.find("u-1", "s-1")
    assert session is not None
    core.sessions.keep_chapter(session, place)
    purge_day(world, days[2])
    assert world.vault.transcript("u-2", "s-1").messages() == []
    texts = ["monday", "tuesday", "wednesday"]
    assert [message.content for message in world.vault.transcript("u-1", "s-1").messages()] == texts

    world.vault.close()
    world.databases.restore(old, world.databases.transcripts)
    world.vault = world.open()
    assert [message.content for message in world.vault.transcript("u-1", "s-1").messages()] == texts
    assert world.vault.transcript("u-2", "s-1").messages().purged == 1


def test_p3_a_kept_chapter_goes_with_its_session(world: World) -> None:
    days = three_days(world)
    world.snapshot()
    assert days[0].created_at is not None
    core = world.vault._core
    session = core.sessions.find("u-1", "s-1")
    assert session is not None
    core.sessions.keep_chapter(session, (DEFAULT_CLASS, from_datetime(days[0].created_at) // DAY))
    world.snapshot()
    world.vault.forget_session("u-1", "s-1", now=True)
    thief = Attacker(world.vault_id(), root_keys(world.root))
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert [thief.read(copy) for copy in world.transcripts] == [set(), set()]


def test_messages_of_old_days_keep_their_days(world: World) -> None:
    chat = world.vault.transcript("u-1", "s-1")
    old = to_datetime(world.clock.now - 400 * DAY)
    chat.append("user", "long ago", created_at=old)
    chat.append("user", "now")
    assert chat.messages()[0].created_at == old
    dump = world.databases.dump(world.databases.transcripts)
    assert len(dump["epochs"]) == 2


def test_p3_a_kept_chapter_that_is_released_opens_nowhere_and_its_neighbours_do(world: World) -> None:
    days = three_days(world)
    places = []
    core = world.vault._core
    for message in days:
        assert message.created_at is not None
        places.append((DEFAULT_CLASS, from_datetime(message.created_at) // DAY))
    session = core.sessions.find("u-1", "s-1")
    assert session is not None
    for place in places[:2]:
        core.sessions.keep_chapter(session, place)
    world.snapshot()
    released = session.by_place[places[0]]
    [own] = core.keyring.find_chapters(session.user, session.key, [released.place]).values()
    purge_day(world, days[0])
    where = chapter_slot(session.key, released.place)
    gone = [own.id, standing_for(own.id, where)]
    intent = core.eraser.begin(Why.PURGE, gone, slot(Kind.EPOCH), reason="", actor="", now=True)
    core.eraser.carry_out([intent], now=True)
    found = world.vault.transcript("u-1", "s-1").messages()
    assert [message.content for message in found] == ["tuesday", "wednesday"]
    assert found.purged == 1
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert thief.read(world.transcripts[0]) == {"tuesday", "wednesday"}
