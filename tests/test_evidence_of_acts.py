"""P6: what holds, requests and runs did stands in the log, by pseudonym, and stays closed after a crash."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault import Vault
from vault.clock import to_datetime
from vault.errors import HeldError
from vault.evidence.notes import Verifier, open_checkpoint
from vault.logs import LogEntry


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    one = Retained(database, tmp_path / "root.key")
    yield one
    one.vault.close()


def entries(vault: Vault, *kinds: str) -> list[LogEntry]:
    return [one for one in vault.log.entries() if one.kind in kinds]


def test_p6_a_hold_and_its_release_stand_in_the_log_without_the_name(world: Retained) -> None:
    world.say("user-1", "s-1")
    until = to_datetime(world.clock()) + timedelta(days=30)
    hold = world.vault.hold(
        "user-1", "s-1", reason="case of USER-1, s-1", until=until, actor="officer of user-1"
    )
    world.vault.release(hold.id, reason="user-1 has settled", actor="judge")
    placed, ended = entries(world.vault, "hold", "release")
    assert placed.act == ended.act == hold.id
    user = world.vault._core.keyring.find_user("user-1")
    assert user
    assert placed.subject == ended.subject == user.pseudonym
    assert placed.reason == f"case of {placed.subject}, {placed.subject}"
    assert placed.actor == f"officer of {placed.subject}"
    assert (ended.reason, ended.actor) == (f"{placed.subject} has settled", "judge")
    assert placed.facts == {"on": "session", "until": until.isoformat().replace("+00:00", "Z")}
    assert "user-1" not in json.dumps(world.databases.dump(world.databases.keyring), default=str).lower()
    assert world.vault.log.verify().unfinished == 0


def test_p6_a_hold_that_only_the_root_remembers_is_told_when_it_comes_back(world: Retained) -> None:
    world.say("user-1", "s-1")
    before = world.databases.copy_of(world.databases.keyring)
    hold = world.vault.hold("user-1", reason="case 7")
    world.vault.close()
    world.databases.restore(before, world.databases.keyring)
    world.vault = world.open()
    assert [one.act for one in entries(world.vault, "hold")] == [hold.id]
    world.vault.close()
    world.vault = world.open()
    assert len(entries(world.vault, "hold")) == 1


def test_p6_a_request_that_waits_stands_in_the_log(world: Retained) -> None:
    world.say("user-1", "s-1")
    hold = world.vault.hold("user-1", reason="case 7")
    with pytest.raises(HeldError):
        world.vault.forget_user("user-1")
    asked = world.vault.forget_user("user-1", reason="for user-1", actor="desk", when_released=True)
    [told] = entries(world.vault, "request")
    assert (told.subject, told.actor) == (asked.pseudonym, "desk")
    assert told.reason == f"for {asked.pseudonym}"
    assert told.facts == {"certificate": asked.id, "erasure": "forget-user"}
    assert world.vault.log.verify().unfinished == 0
    world.vault.release(hold.id, reason="closed")
    [done] = world.vault.carry_out_due()
    assert done.id == asked.id
    assert len(entries(world.vault, "request")) == 1
    assert world.vault.log.verify().unfinished == 0


@pytest.mark.parametrize(("name", "said"), [("zo\u00eb", "zoe\u0308"), ("zoe\u0308", "zo\u00eb")])
def test_p6_a_name_in_another_form_of_unicode_stands_in_no_evidence(
    world: Retained, name: str, said: str
) -> None:
    world.say(name, "s-1")
    asked = world.vault.forget_user(name, reason=f"{said} asked", actor=said)
    assert (asked.reason, asked.actor) == (f"{asked.pseudonym} asked", asked.pseudonym)


def test_p6_a_run_says_what_it_intends_and_what_it_did(world: Retained) -> None:
    for number in range(4):
        world.say("user-1", f"s-{number}")
    world.clock.now += 400 * DAY
    ran = world.vault.purge(yes=True)
    assert ran.messages
    intent, done = entries(world.vault, "purge-run")
    assert [str(one.step) for one in (intent, done)] == ["intent", "completed"]
    assert intent.act == done.act == ran.id
    assert intent.facts["messages"] == done.facts["messages"] == ran.messages
    assert done.facts["certificate"] == ran.certificate
    assert done.facts["ended"] == "done"
    assert sum(one["goes"] for one in done.facts["classes"].values()) == ran.messages
    told = [one.kind for one in world.vault.log.entries()]
    assert told.index("purge-run") < told.index("purge")
    assert "user-1" not in intent.text + done.text
    assert world.vault.log.verify().unfinished == 0


@pytest.mark.wide
def test_p6_other_rules_are_told_once_by_the_first_run_that_goes_by_them(world: Retained) -> None:
    world.vault.purge()
    world.vault.purge()
    [first] = entries(world.vault, "policy")
    assert "before" not in first.facts
    world.edit("short")
    assert len(entries(world.vault, "policy")) == 1
    world.vault.purge()
    world.vault.purge()
    _, second = entries(world.vault, "policy")
    assert second.facts["before"] == first.facts["mark"] != second.facts["mark"]


class Killed(BaseException):
    """What stands for a crash of this process."""


@pytest.mark.wide
def test_p6_a_run_that_a_crash_ended_is_closed_by_the_next(world: Retained) -> None:
    world.say("user-1", "s-1")
    world.clock.now += 400 * DAY

    def die(_done: int, _of: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        world.vault._core.runs().run(yes=True, progress=die)
    assert world.vault.log.verify().unfinished == 1
    world.vault.purge(yes=True)
    assert world.vault.log.verify().unfinished == 0
    first, closed, second, done = entries(world.vault, "purge-run")
    assert closed.act == first.act != second.act == done.act
    assert closed.facts == {"ended": "interrupted"}
    assert [one.interrupted for one in world.vault._core.runs().last_runs()] == [False, True]
    world.vault.purge()
    assert len(entries(world.vault, "purge-run")) == 6


def test_p6_the_daemon_signs_a_checkpoint_each_day(world: Retained, tmp_path: Path) -> None:
    from vault.daemon.duties import anchoring

    world.say("user-1", "s-1")
    duty = anchoring(world.vault._core, tmp_path / "anchors")
    facts = duty.act(lambda: True)
    [file] = (tmp_path / "anchors").iterdir()
    assert facts == {"checkpoint": file.read_text()}
    key = Verifier.parse(world.vault.log.public_key())
    assert open_checkpoint(file.read_text(), key).size == sum(1 for _ in world.vault.log.entries())
    assert world.vault.log.verify(anchor=tmp_path / "anchors").checkpoints == 1
    assert duty.every == DAY
