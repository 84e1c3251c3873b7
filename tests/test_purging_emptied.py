"""P4: chapters that the app itself has emptied die in their time, and keep nobody else's key alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault.storage import messages


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def pop(world: Retained, user: str, session: str) -> str:
    """Take the last message out; give what an old copy still holds."""
    world.vault.transcript(user, session).pop()
    return world.said.pop().text


def opened(world: Retained) -> set[str]:
    """Give what opens of all copies under all keys there ever were and the present root."""
    world.vault.destroy_due(now=True)
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    return set().union(*(thief.read(copy) for copy in world.transcripts))


@pytest.mark.wide
@pytest.mark.parametrize("on_session", [False, True])
def test_p4_a_hold_on_who_has_emptied_their_chapter_keeps_no_key_of_others(
    world: Retained, *, on_session: bool
) -> None:
    world.say("ben", "s-1")
    world.say("anna", "s-1")
    world.snapshot()
    popped = pop(world, "anna", "s-1")
    world.clock.now += 5 * DAY
    kept = world.say("anna", "s-1")
    world.snapshot()
    world.hold("anna", "s-1" if on_session else None)
    world.clock.now += 6 * DAY
    ran = world.purge()
    assert (ran.messages, ran.epochs) == (1, 1)
    world.check_copies()
    assert opened(world) == {popped, kept.text}  # the hold keeps of hers what is kept anywhere
    world.release()
    world.purge()
    assert opened(world) == {kept.text}


@pytest.mark.wide
@pytest.mark.parametrize("session", ["s-1", "s-2"])  # of a class with epochs, and of one without
def test_p4_what_was_popped_opens_from_no_old_copy_once_it_would_be_past_its_date(
    world: Retained, session: str
) -> None:
    world.edit("by session")
    world.say("anna", session)
    world.snapshot()
    assert opened(world) == {pop(world, "anna", session)}
    world.clock.now += 30 * DAY
    world.purge()
    assert opened(world) == set()
    world.say("anna", session)
    world.check()


@pytest.mark.wide
def test_p4_what_was_hidden_under_a_hold_opens_from_no_old_copy_once_it_is_removed(world: Retained) -> None:
    world.say("ben", "s-1")
    world.say("anna", "s-1")
    world.snapshot()
    world.hold("anna")
    popped = pop(world, "anna", "s-1")
    world.clock.now += 20 * DAY
    world.purge()
    assert opened(world) == {popped}
    world.release()
    world.vault.carry_out_due()
    world.purge()
    assert opened(world) == set()


def test_p8_an_append_that_is_under_way_while_its_emptied_chapter_is_closed_is_not_lost(
    world: Retained,
) -> None:
    if world.databases.dialect == "sqlite":
        pytest.skip("SQLite lets one write at a time")
    world.edit("by session")
    world.say("anna", "s-2")
    pop(world, "anna", "s-2")
    other = world.open()
    chat = other.transcript("anna", "s-2")
    chat.messages()
    purged, entered = threading.Event(), threading.Event()
    really_append = messages.append

    def appending(*given: Any) -> int:
        added = really_append(*given)
        entered.set()  # the row is written and not committed: the purge begins now
        purged.wait(1.0)
        return added

    said = threading.Thread(target=lambda: chat.append("user", "meanwhile"))
    with mock.patch.object(messages, "append", appending):
        said.start()
        assert entered.wait(20)
        world.vault.purge()
        purged.set()
        said.join()
    for vault in (world.vault, other):
        assert [one.content for one in vault.transcript("anna", "s-2").messages()] == ["meanwhile"]
    other.close()
