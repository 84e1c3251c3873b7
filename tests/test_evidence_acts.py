"""P6, P8: an act that a crash ended is told as that by whoever comes next; one under way is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained
from test_evidence_of_acts import Killed, entries

from vault.daemon.duties import erasing
from vault.errors import StoreUnavailableError
from vault.evidence.acts import BEAT, SILENCE
from vault.evidence.entries import Kind as Event


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    yield made
    made.vault.close()


def unfinished(world: Retained) -> int:
    return world.vault.log.verify().unfinished


def open_again(world: Retained) -> None:
    world.vault.close()
    world.vault = world.open()


def test_p6_an_export_that_was_killed_is_told_by_the_next_opening_once_it_is_silent(world: Retained) -> None:
    act = world.vault._core.keyring.log.intent(Event.EXPORT, actor="an officer", format="jsonl")
    world.clock.now += SILENCE - BEAT
    open_again(world)
    assert unfinished(world) == 1  # somebody may be at it
    world.clock.now += BEAT
    with world.open():
        assert unfinished(world) == 0
    open_again(world)
    began, ended = entries(world.vault, "export")
    assert began.act == ended.act == act.id.hex()
    assert (str(ended.step), ended.facts, ended.actor) == (
        "completed",
        {"ended": "interrupted"},
        "an officer",
    )


def test_p6_who_is_at_an_act_keeps_it_and_tells_its_end(world: Retained) -> None:
    log = world.vault._core.keyring.log
    with log.telling(Event.IMPORT, source="jsonl") as told:
        for _ in range(3):
            world.clock.now += SILENCE - BEAT
            log.acts.beat()
            with world.open():
                assert unfinished(world) == 1
        told["messages"] = 3
    assert unfinished(world) == 0
    world.clock.now += SILENCE
    with world.open():
        _, ended = entries(world.vault, "import")
    assert ended.facts == {"ended": "done", "messages": 3}


def test_p6_who_is_taken_for_dead_tells_the_true_end_all_the_same(world: Retained) -> None:
    log = world.vault._core.keyring.log
    with log.telling(Event.IMPORT, source="jsonl"):
        world.clock.now += SILENCE
        with world.open():
            pass
    _, closed, ended = entries(world.vault, "import")
    assert [one.facts["ended"] for one in (closed, ended)] == ["interrupted", "done"]
    assert unfinished(world) == 0


def test_p6_an_act_whose_end_could_not_be_written_is_told_later(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = world.vault._core

    def fail(_: object) -> None:
        raise StoreUnavailableError("gone")

    with (
        monkeypatch.context() as patched,
        pytest.raises(StoreUnavailableError),
        core.keyring.log.telling(Event.IMPORT, source="jsonl"),
    ):
        patched.setattr(core.stores.keyring, "write", fail)
    world.clock.now += SILENCE
    core.keyring.log.acts.beat()  # of this process' other acts
    with world.open():
        assert unfinished(world) == 0


def test_an_act_writes_a_sign_of_life_no_more_than_once_in_a_while(world: Retained) -> None:
    core = world.vault._core
    with core.keyring.log.telling(Event.IMPORT, source="jsonl"):
        before = world.databases.dump(world.databases.keyring)["leases"]
        world.clock.now += BEAT // 2
        core.keyring.log.acts.beat()
        assert world.databases.dump(world.databases.keyring)["leases"] == before
        world.clock.now += BEAT
        core.keyring.log.acts.beat()
        assert world.databases.dump(world.databases.keyring)["leases"] != before
    assert world.databases.dump(world.databases.keyring)["leases"] == []


@pytest.mark.wide
def test_p6_a_run_that_was_killed_is_told_by_the_daemon_and_not_twice(world: Retained) -> None:
    world.say("user-1", "s-1")
    world.clock.now += 400 * DAY

    def die(_done: int, _of: int) -> None:
        raise Killed

    core = world.vault._core
    with pytest.raises(Killed):
        core.runs().run(yes=True, progress=die)
    assert unfinished(world) == 1
    world.clock.now += SILENCE
    facts = erasing(core).act(lambda: True)
    assert facts is not None
    assert facts["interrupted_acts"] == 1
    assert unfinished(world) == 0
    assert [one.interrupted for one in core.runs().last_runs()] == [True]
    world.vault.purge(yes=True)
    told = [(str(one.step), one.facts.get("ended")) for one in entries(world.vault, "purge-run")]
    assert told == [("intent", None), ("completed", "interrupted"), ("intent", None), ("completed", "done")]
    assert unfinished(world) == 0


def test_p6_an_edited_lease_completes_nothing_that_is_complete(world: Retained) -> None:
    from sqlalchemy import text

    from vault.evidence.acts import _name

    core = world.vault._core
    with core.keyring.log.telling(Event.IMPORT, source="jsonl"):
        pass
    done = bytes.fromhex(entries(world.vault, "import")[0].act)
    forged = {"holder": done, "fence": 1, "beat": 0}
    for name in (_name(done), _name(bytes(16))):
        core.stores.keyring.write(
            lambda c, name=name: c.execute(  # type: ignore[misc]
                text("INSERT INTO leases (name, holder, fence, beat) VALUES (:name, :holder, :fence, :beat)"),
                {"name": name, **forged},
            )
        )
    open_again(world)
    assert len(entries(world.vault, "import")) == 2
    assert world.databases.dump(world.databases.keyring)["leases"] == []
