"""P6, P8: the root is changed without an erasure: all opens, the old generation goes, the log says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacker import Attacker, root_keys
from databases import Databases, connected
from faces import DAY, Clock
from soundness import check_sound, generations

from vault import Vault
from vault.errors import InputError, KeyringCopyError, KeyringOutdatedError, TamperedError
from vault.keys.swap import Swapper
from vault.logs import LogEntry
from vault.roots.file import FileRoot


class World:
    """A vault in which one user said something."""

    def __init__(self, databases: Databases, root: Path) -> None:
        self.databases, self.root, self.clock = databases, root, Clock()
        self.vault = self.open()
        self.vault.transcript("anna", "s-1").append("user", "hello")

    def open(self, keyring: str = "") -> Vault:
        return Vault.open(
            self.databases.transcripts,
            keyring=keyring or self.databases.keyring,
            root=f"file:{self.root}",
            redactor=None,
            clock=self.clock,
        )

    def reopen(self) -> None:
        self.vault.close()
        self.vault = self.open()

    def texts(self) -> list[object]:
        return [one.content for one in self.vault.transcript("anna", "s-1").messages()]

    def entries(self, *kinds: str) -> list[LogEntry]:
        return [one for one in self.vault.log.entries() if one.kind in kinds]

    def phases(self) -> list[str]:
        return [phase for phase, _ in generations(self.root)]


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[World]:
    one = World(database, tmp_path / "root.key")
    yield one
    one.vault.close()


@pytest.mark.wide
def test_p6_a_rotation_changes_the_root_and_stands_in_the_log(world: World) -> None:
    before = world.vault.keys_status()
    assert world.vault.rotate(actor="the officer", reason="yearly") == []
    after = world.vault.keys_status()
    assert (after.ordinal, [one.ordinal for one in after.retired]) == (before.ordinal + 1, [before.ordinal])
    assert after.generation != before.generation
    [told] = world.entries("rotate")
    assert (told.actor, told.reason) == ("the officer", "yearly")
    assert told.facts == {
        "generation": after.generation, "ordinal": after.ordinal, "retired": before.generation
    }  # fmt: skip
    assert world.texts() == ["hello"]
    world.reopen()
    assert world.texts() == ["hello"]
    check_sound(world.databases, world.root)
    assert world.vault.log.verify().unfinished == 0


@pytest.mark.wide
def test_p6_what_a_rotation_retired_goes_after_the_horizon_and_the_log_says_so_once(world: World) -> None:
    old = world.vault.keys_status().generation
    world.vault.rotate()
    world.clock.now += 6 * DAY
    world.reopen()
    assert world.phases() == ["current", "staged"]
    world.clock.now += 2 * DAY
    world.reopen()
    assert world.phases() == ["current"]
    world.reopen()
    [told] = world.entries("destroy")
    assert told.facts["generations"] == [old]
    assert told.facts["receipt"]


@pytest.mark.wide
def test_p3_after_a_rotation_the_root_that_is_left_opens_no_keyring_of_before(world: World) -> None:
    earlier = world.databases.dump(world.databases.keyring)
    vault = bytes.fromhex(world.vault.keys_status().vault)
    world.vault.rotate(now=True)
    thief = Attacker(vault, root_keys(world.root))
    thief.take_keyrings([earlier])
    assert thief.keys == {}
    assert world.phases() == ["current"]
    assert world.texts() == ["hello"]


@pytest.mark.wide
def test_p3_a_rotation_now_makes_erasures_final(world: World) -> None:
    erased = world.vault.forget_user("anna")
    [final] = world.vault.rotate(now=True)
    assert (final.id, final.status) == (erased.id, "final")
    assert len(world.vault.keys_status().retired) == 0


@pytest.mark.wide
def test_an_older_keyring_within_the_horizon_opens_after_a_rotation(world: World) -> None:
    older = world.databases.copy_of(world.databases.keyring)
    world.vault.rotate()
    world.vault.close()
    world.databases.restore(older, world.databases.keyring)
    world.vault = world.open()
    assert world.texts() == ["hello"]
    world.vault.adopt()
    world.vault.rotate(now=True)
    assert world.texts() == ["hello"]
    check_sound(world.databases, world.root)


@pytest.mark.wide
def test_an_older_keyring_from_before_a_rotation_now_is_refused(world: World) -> None:
    older = world.databases.copy_of(world.databases.keyring)
    world.vault.rotate(now=True)
    world.vault.close()
    world.databases.restore(older, world.databases.keyring)
    with pytest.raises(KeyringOutdatedError):
        world.open()


@pytest.mark.wide
def test_p3_a_copy_of_the_keyring_rotates_nothing(world: World) -> None:
    before = world.root.read_bytes()
    copied = world.databases.copy_of(world.databases.keyring)
    with world.open(copied) as copy, pytest.raises(KeyringCopyError):
        copy.rotate()
    assert world.root.read_bytes() == before


@pytest.mark.wide
def test_words_that_can_not_be_stored_rotate_nothing(world: World) -> None:
    with pytest.raises(InputError):
        world.vault.rotate(reason="a\ud800b")
    assert world.phases() == ["current"]


# -- what a crash leaves ---------------------------------------------------------------------------------


class Crash(BaseException):
    """A process that dies."""


def crash(*_args: object, **_kwargs: object) -> None:
    raise Crash


@pytest.mark.wide
def test_p8_a_rotation_now_that_a_crash_cut_short_destroys_at_the_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Swapper, "destroy_due", crash)
        with pytest.raises(Crash):
            world.vault.rotate(now=True)
    assert world.phases() == ["current", "staged"]
    world.reopen()
    assert world.phases() == ["current"]
    assert len(world.entries("destroy")) == 1


@pytest.mark.wide
def test_p8_a_destruction_whose_entry_a_crash_swallowed_is_told_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.vault.keys_status().generation
    destroy = FileRoot.destroy

    def destroy_and_crash(*args: object, **kwargs: object) -> None:
        destroy(*args, **kwargs)  # type: ignore[arg-type]
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(FileRoot, "destroy", destroy_and_crash)
        with pytest.raises(Crash):
            world.vault.rotate(now=True)
    assert world.phases() == ["current"]
    assert world.entries("destroy") == []
    world.reopen()
    [told] = world.entries("destroy")
    assert told.facts["generations"] == [old]
    assert told.facts["receipt"]
    world.reopen()
    assert len(world.entries("destroy")) == 1


# -- what a thief writes ---------------------------------------------------------------------------------


@pytest.mark.wide
def test_p2_a_thief_has_no_generation_destroyed_before_its_time(world: World) -> None:
    world.vault.rotate()
    with connected(world.databases.keyring) as keyring:
        [(name, value)] = keyring.exec_driver_sql(
            "SELECT name, value FROM keyring_meta WHERE name LIKE 'rotated %%'"
            if world.databases.dialect != "sqlite"
            else "SELECT name, value FROM keyring_meta WHERE name LIKE 'rotated %'"
        )
        hasty = bytearray(value)
        hasty[16] ^= 1
        mark = "?" if world.databases.dialect == "sqlite" else "%s"
        keyring.exec_driver_sql(
            f"UPDATE keyring_meta SET value = {mark} WHERE name = {mark}", (bytes(hasty), name)
        )
    world.vault.close()
    with pytest.raises(TamperedError):
        world.open()
    assert world.phases() == ["current", "staged"]
