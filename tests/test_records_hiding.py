"""P5: under a hold a record that is deleted is hidden, and goes when the hold ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault import Vault
from vault.errors import UserForgottenError


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    yield made
    made.vault.close()


def hidden(vault: Vault, collection: str = "state", session: str = "s-1") -> list[tuple[str, object]]:
    found = vault.transcript("anna", session).records(collection).hidden(purpose="a test")
    return [(one.key, one.value) for one in found]


def rows(world: Retained) -> int:
    return len(world.databases.dump(world.databases.transcripts)["records"])


@pytest.mark.wide
def test_p5_a_record_deleted_under_a_hold_is_hidden_and_goes_with_its_end(world: Retained) -> None:
    state = world.vault.transcript("anna", "s-1").records("state")
    other = world.vault.transcript("anna", "s-1").records("other")
    state.put("one", {"n": [1, "two"]})
    state.put("stays", "here")
    other.put("one", "of another")
    hold = world.vault.hold("anna", reason="case 7")
    state.delete("one")
    other.delete("one")
    assert state.get("one") is None
    assert [one.key for one in state.list()] == ["stays"]
    assert hidden(world.vault) == [("one", {"n": [1, "two"]})]
    assert hidden(world.vault, "other") == [("one", "of another")]
    state.put("one", "anew")
    state.delete("one")  # the same name is hidden twice
    with world.open() as other_process:
        assert hidden(other_process) == [("one", {"n": [1, "two"]}), ("one", "anew")]
    assert rows(world) == 4
    assert world.vault.carry_out_due() == []
    assert rows(world) == 4
    world.vault.release(hold.id, reason="closed")
    world.vault.carry_out_due()
    assert (rows(world), hidden(world.vault)) == (1, [])
    state.delete("stays")
    assert rows(world) == 0


def test_p5_a_hold_on_one_session_hides_its_records_alone(world: Retained) -> None:
    for session in ("s-1", "s-2"):
        world.vault.transcript("anna", session).records("state").put("one", session)
    world.vault.hold("anna", "s-1", reason="case 7")
    for session in ("s-1", "s-2"):
        world.vault.transcript("anna", session).records("state").delete("one")
    assert (hidden(world.vault), hidden(world.vault, session="s-2")) == ([("one", "s-1")], [])


def test_p5_records_of_a_session_that_was_deleted_under_a_hold_are_shown_too(world: Retained) -> None:
    chat = world.vault.transcript("anna", "s-1")
    chat.append("user", "said")
    chat.records("state").put("one", "first")
    chat.records("state").put("two", "second")
    world.vault.hold("anna", reason="case 7")
    chat.records("state").delete("one")
    chat.delete()
    assert sorted(hidden(world.vault)) == [("one", "first"), ("two", "second")]


@pytest.mark.wide
def test_p5_what_is_hidden_is_kept_from_a_purge_and_goes_with_its_user(world: Retained) -> None:
    state = world.vault.transcript("anna", "s-1").records("state")
    state.put("one", "kept")
    hold = world.vault.hold("anna", reason="case 7")
    state.delete("one")
    world.clock.now += 30 * DAY
    world.vault.purge(yes=True)
    assert hidden(world.vault) == [("one", "kept")]
    world.snapshot()
    world.vault.release(hold.id, reason="closed")
    world.vault.forget_user("anna", now=True)
    with pytest.raises(UserForgottenError):
        hidden(world.vault)
    assert rows(world) == 0
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert thief.read(world.transcripts[0]) == set()


def test_p6_looking_at_hidden_records_stands_in_the_log(world: Retained) -> None:
    world.vault.transcript("anna", "s-1").records("state").put("one", "kept")
    world.vault.transcript("anna", "s-1").records("state").hidden(purpose="case 7", actor="an officer")
    [told] = [one for one in world.vault.log.entries() if one.kind == "reveal"]
    assert (told.reason, told.actor) == ("case 7", "an officer")
