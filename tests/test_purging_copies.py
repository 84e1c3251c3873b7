"""A keyring that is not at home erases nothing, rows included: its original still opens what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault.errors import KeyringCopyError


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    made.say("anna", "s-1")
    made.say("ben", "s-1")
    yield made
    made.vault.close()


def wake_up_elsewhere(world: Retained) -> None:
    """Open what a clone of the keyring is, beside the transcripts and the root of its original."""
    world.vault.close()
    copy = world.databases.copy_of(world.databases.keyring)
    world.databases = replace(world.databases, keyring=copy)
    world.vault = world.open()


def test_p8_a_copy_of_the_keyring_says_what_is_due_and_takes_nothing(world: Retained) -> None:
    world.clock.now += 30 * DAY
    original = world.databases
    wake_up_elsewhere(world)
    before = world.databases.dump(world.databases.transcripts)
    assert world.vault.purge(dry_run=True).messages == 2
    with pytest.raises(KeyringCopyError):
        world.vault.purge(yes=True)
    assert world.databases.dump(world.databases.transcripts) == before
    assert world.vault._core.runs().last_runs() == []
    world.vault.close()

    world.databases = original
    world.vault = world.open()
    assert world.purge().messages == 2


@pytest.mark.parametrize("removed", ["a message", "a session"])
def test_p5_a_copy_of_the_keyring_removes_nothing_that_was_hidden(world: Retained, removed: str) -> None:
    world.hold("anna", "s-1")
    chat = world.vault.transcript("anna", "s-1")
    chat.append("user", "another")
    if removed == "a message":
        chat.pop()
    else:
        chat.delete()
    world.release()
    wake_up_elsewhere(world)
    before = world.databases.dump(world.databases.transcripts)
    with pytest.raises(KeyringCopyError):
        world.vault.carry_out_due()
    assert world.databases.dump(world.databases.transcripts) == before


def test_p5_a_copy_of_the_keyring_moves_nothing_that_a_floor_keeps(world: Retained) -> None:
    world.edit("by session")
    world.clock.now += 2 * DAY
    world.say("ben", "s-1")
    world.vault.forget_user("ben", except_floors=True)
    world.clock.now += 2 * DAY
    wake_up_elsewhere(world)
    before = world.databases.dump(world.databases.transcripts)
    with pytest.raises(KeyringCopyError):
        world.vault.carry_out_due()
    assert world.databases.dump(world.databases.transcripts) == before
