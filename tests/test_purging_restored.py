"""P2, P3, P5: transcripts that are restored from before a purge read as they should, and go on doing so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from originals import open_with, revealed
from retained import HEAD, Retained, policy

from vault import Vault
from vault.retention.purging import Purger, _Prepared

ALL = "  - name: all\n    keep: {at_most: 40d, count_from: last-message}\n"
TOOLS = "  - name: tools\n    match: {role: tool}\n    keep: {at_most: 1d}\n" + ALL


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def restore(world: Retained, backup: Path, stores: Collection[str] = ("transcripts",)) -> None:
    world.vault.close()
    Vault.restore(
        backup,
        world.databases.transcripts,
        keyring=world.databases.keyring,
        root=f"file:{world.root}",
        clock=world.clock,
        replace=stores,
    )
    world.vault = world.open()


@pytest.mark.wide
def test_p2_a_purge_for_one_user_leaves_what_a_restore_brought_back_of_others(
    world: Retained, tmp_path: Path
) -> None:
    world.begin(ALL)
    world.vault.backup(tmp_path / "backup")
    world.clock.now += 41 * DAY
    assert world.purge().messages == 10
    restore(world, tmp_path / "backup")
    world.vault.purge(user="ben")
    world.check()
    world.vault.purge()
    world.check()


@pytest.mark.wide
def test_p3_what_stays_of_a_chapter_is_sealed_anew_once(world: Retained, tmp_path: Path) -> None:
    world.begin(ALL)
    world.say("anna", "s-1", role="tool")
    world.under(TOOLS)
    world.clock.now += 3 * DAY
    assert world.purge().resealed == 5
    world.say("anna", "s-1")
    world.vault.backup(tmp_path / "backup")
    assert world.purge().resealed == 0
    restore(world, tmp_path / "backup")
    world.check()


@pytest.mark.wide
def test_p5_originals_that_a_hold_kept_are_read_where_a_restore_brought_them_back(
    world: Retained, tmp_path: Path
) -> None:
    rules = policy("redacted")
    with open_with(world, rules, tmp_path) as vault:
        vault.transcript("u-1", "s-1").append("user", "a secret")
        vault.transcript("u-2", "s-1").append("user", "another")
        vault.hold("u-1", reason="a case")
        vault.backup(tmp_path / "backup")
        world.clock.now += 9 * DAY
        assert (vault.purge().originals, revealed(vault)) == (1, ["a secret"])
    restore(world, tmp_path / "backup")
    with open_with(world, rules, tmp_path) as vault:
        assert revealed(vault) == ["a secret"]


@pytest.mark.wide
def test_p8_a_run_that_slept_moves_nothing_to_where_another_has_erased_the_key(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = "  - name: all\n    keep: {at_most: 10d}\n"
    world.begin(before)
    world.say("anna", "s-1", role="tool")
    first = world.vault
    world.file.write_text(HEAD.format(name="own") + TOOLS)
    first._core.reload_policies()
    world.file.write_text(HEAD.format(name="own") + before)
    world.clock.now += 3 * DAY
    change = Purger._change
    slept: list[Sequence[int]] = []

    def sleep(self: Purger, ids: Sequence[int], prepared: _Prepared) -> list[int]:
        if prepared.rooms.new and not slept:
            slept.append(ids)
            with world.open() as second:
                second.purge()
        return change(self, ids, prepared)

    monkeypatch.setattr(Purger, "_change", sleep)
    assert first.purge().messages == 1
    world.purged, world.said = world.said[-1:], world.said[:-1]
    first.close()
    world.vault = world.open()
    assert slept
    world.check()


@pytest.mark.wide
@pytest.mark.parametrize("since", ["message", "session-start"])
def test_p4_what_a_restore_brought_back_of_another_keeps_no_key_that_a_purge_for_one_user_is_to_erase(
    world: Retained, tmp_path: Path, since: str
) -> None:
    rules = "  - name: all\n    keep: {at_most: 10d, count_from: %s}\n"
    world.under(rules % since)
    world.say("ben", "s-1")
    world.clock.now += 5 * DAY
    world.under(rules % "message")
    world.say("ben", "s-1")
    world.say("anna", "s-1")
    world.vault.backup(tmp_path / "backup")
    world.clock.now += 7 * DAY
    assert world.purge().messages == 1
    restore(world, tmp_path / "backup")
    world.clock.now += 5 * DAY
    planned, ran = (world.vault.purge(user="anna", dry_run=dry) for dry in (True, False))
    assert (planned.messages, planned.epochs) == (ran.messages, ran.epochs) == (2, 1)
