"""P3, P4: a key that was planted to keep a chapter dies with it where the chapter is not kept after all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault.retention.purging import Purger


class Killed(BaseException):
    """What stands for a crash of this process."""


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    made.edit("short")
    for user in ("anna", "ben"):
        made.say(user, "s-1")
    yield made
    made.vault.close()


def change_is(patched: pytest.MonkeyPatch, event: object) -> None:
    """Let something happen when the keys are planted, and no row names them yet."""
    change = Purger._change

    def changing(self: Purger, ids: object, prepared: object) -> object:
        if not prepared.is_plain:  # type: ignore[attr-defined]
            event()  # type: ignore[operator]
        return change(self, ids, prepared)  # type: ignore[arg-type]

    patched.setattr(Purger, "_change", changing)


def purge_and_die(world: Retained, monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise Killed

    with monkeypatch.context() as patched:
        change_is(patched, die)
        with pytest.raises(Killed):
            world.vault.purge()


def test_p3_a_crash_between_a_kept_chapters_key_and_its_row_leaves_no_second_key(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hold("anna")
    world.snapshot()
    world.clock.now += 4 * DAY

    purge_and_die(world, monkeypatch)
    world.release()
    world.snapshot()
    world.vault.purge()
    world.purged, world.said = world.said, []
    world.check()
    world.check_copies()


def test_p3_a_hold_that_ends_between_a_kept_chapters_key_and_its_row_leaves_no_second_key(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hold("anna")
    world.snapshot()
    world.clock.now += 4 * DAY
    with monkeypatch.context() as patched:
        change_is(patched, world.release)
        ran = world.vault.purge()
    assert ran.messages == 2
    world.purged, world.said = world.said, []
    world.check()
    world.check_copies()


def test_p5_what_is_still_held_after_a_crash_keeps_the_key_that_was_planted(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hold("anna")
    world.clock.now += 4 * DAY

    purge_and_die(world, monkeypatch)
    world.vault.purge()
    world.purged = [one for one in world.said if one.user == "ben"]
    world.said = [one for one in world.said if one.user == "anna"]
    world.check()
    world.check_copies()
