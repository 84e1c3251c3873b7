"""Runs of the policies: originals, settings, the command line, and others who are at it meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from commands import run
from databases import Databases
from faces import DAY, Home, TickingClock
from originals import open_with, revealed
from retained import HOUR, Retained, policy

from vault import Vault
from vault.clock import system_clock, to_datetime
from vault.errors import ConfigError, PolicyError, UsageError, UserForgottenError
from vault.storage import messages


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


# -- originals -------------------------------------------------------------------------------------------


def test_p4_keep_redacted_erases_the_originals_alone(world: Retained, tmp_path: Path) -> None:
    with open_with(world, policy("redacted"), tmp_path) as vault:
        vault.transcript("u-1", "s-1").append("user", "a secret")
        world.clock.now += DAY
        vault.transcript("u-1", "s-1").append("user", "another")
        world.snapshot()
        assert revealed(vault) == ["a secret", "another"]
        world.clock.now += 7 * DAY + HOUR
        planned, ran = vault.purge(dry_run=True), vault.purge()
        assert (planned.messages, planned.originals) == (ran.messages, ran.originals) == (0, 1)
        found = vault.transcript("u-1", "s-1").messages()
        assert ([one.content for one in found], found.purged) == (["[all]", "[all]"], 0)
        assert revealed(vault) == ["[all]", "another"]
        vault.destroy_due(now=True)
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert thief.read(world.transcripts[0]) == {"[all]", "another"}


def test_p4_a_message_takes_its_originals_along(world: Retained, tmp_path: Path) -> None:
    rules = policy("short") + "originals: {keep: 1y}\n"
    with open_with(world, rules, tmp_path) as vault:
        vault.transcript("u-1", "s-1").append("user", "a secret")
        world.snapshot()
        world.clock.now += 4 * DAY
        ran = vault.purge()
        assert (ran.messages, ran.originals) == (1, 1)
        vault.destroy_due(now=True)
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    assert thief.read(world.transcripts[0]) == set()


def test_p1_originals_that_are_kept_for_no_time_are_never_stored(world: Retained, tmp_path: Path) -> None:
    with open_with(world, policy("short"), tmp_path) as vault:
        vault.transcript("u-1", "s-1").append("user", "a secret")
        assert revealed(vault) == ["[all]"]
    [row] = world.databases.dump(world.databases.transcripts)["messages"]
    assert row[-2:] == (None, None)


# -- others who are at it --------------------------------------------------------------------------------


@pytest.mark.wide
def test_p8_two_purges_at_once_come_to_one_end(world: Retained) -> None:
    for user in range(6):
        for role in ("user", "tool", "tool"):
            world.say(f"u-{user}", "s-1", role)
    world.snapshot()
    world.clock.now += DAY
    other = world.open()
    found: list[int] = []
    works = [
        threading.Thread(target=lambda v=v: found.append(v.purge().messages)) for v in (world.vault, other)
    ]
    for work in works:
        work.start()
    for work in works:
        work.join()
    other.close()
    assert sum(found) == 12
    gone = [one for one in world.said if one.role == "tool"]
    world.said = [one for one in world.said if one not in gone]
    world.purged = gone
    world.check()
    assert world.vault.purge().messages == 0
    world.check_copies()


@pytest.mark.wide
def test_p8_no_message_that_is_said_into_a_dying_epoch_is_lost(world: Retained) -> None:
    """Between any two batches of a purge somebody writes into the very epochs whose keys are about to die."""
    world.edit("long")
    old = world.clock.now
    for user in range(4):
        world.say(f"u-{user}", "s-1", "user", "brief")
    other = world.open()  # goes on by the old rules
    world.edit("labels")
    chats = [other.transcript(f"u-{user}", "s-1") for user in range(5)]
    for chat in chats[:4]:
        chat.messages()
    late: list[tuple[int, str]] = []

    def say(number: int) -> None:
        user = number % 5
        late.append((user, f"late-{number}"))
        world.clock.now = old
        chats[user].append("user", late[-1][1])
        world.clock.now = old + 5 * DAY

    world.clock.now += 5 * DAY
    runs = world.vault._core.runs()
    numbers = iter(range(1000))

    def stop() -> bool:
        say(next(numbers))
        return False

    cutter = runs._cutter.cut

    def cut(*given: Any, **how: Any) -> Any:
        for _ in range(5):
            say(next(numbers))
        return cutter(*given, **how)

    runs._cutter.cut = cut  # type: ignore[method-assign]
    assert runs.run(should_stop=stop).epochs == 1
    for vault in (world.vault, other):
        texts = [
            (user, one.content)
            for user in range(5)
            for one in vault.transcript(f"u-{user}", "s-1").messages()
        ]
        assert {one for one in texts if str(one[1]).startswith("late-")} == set(late)
    other.close()


def test_p8_an_append_that_is_under_way_while_its_chapter_is_closed_is_not_lost(world: Retained) -> None:
    """It saw the epoch alive, and commits after the purge has looked: one of the two has to wait."""
    if world.databases.dialect == "sqlite":
        pytest.skip("SQLite lets one write at a time")
    world.edit("long")
    for user in range(3):
        world.say(f"u-{user}", "s-1", "user", "brief")
    other = world.open()  # goes on by the old rules
    world.edit("labels")
    chat = other.transcript("u-1", "s-1")
    chat.messages()
    purging, entered = threading.Event(), threading.Event()

    really_append = messages.append

    def appending(*given: Any) -> int:
        added = really_append(*given)
        entered.set()  # the row is written and not committed: the purge begins now
        purging.wait(1.0)
        return added

    at = to_datetime(world.clock.now)
    world.clock.now += 5 * DAY
    said = threading.Thread(
        target=lambda: chat.append({"role": "user", "content": "meanwhile", "created_at": at})
    )
    with mock.patch.object(messages, "append", appending):
        said.start()
        assert entered.wait(20)
        assert world.vault.purge().epochs == 1
        purging.set()
        said.join()
    found = other.transcript("u-1", "s-1").messages()
    assert [one.content for one in found] == ["meanwhile"]
    other.close()


@pytest.mark.wide
@pytest.mark.parametrize("when", range(1, 6))
def test_a_user_who_is_forgotten_while_a_purge_runs_lets_neither_fail(world: Retained, when: int) -> None:
    if world.databases.dialect == "sqlite" and when > 1:
        pytest.skip("SQLite lets one write at a time")
    for user in range(3):
        world.say(f"u-{user}", "s-1", "tool")
        world.say(f"u-{user}", "s-1")
    world.clock.now += DAY
    other = world.open()
    runs = world.vault._core.runs()
    count = [0]

    def stop() -> bool:
        count[0] += 1
        if count[0] == 1:
            other.forget_user("u-1")
        return False

    runs.run(should_stop=stop)
    other.close()
    with pytest.raises(UserForgottenError):
        world.vault.transcript("u-1", "s-1").messages()
    found = world.vault.transcript("u-2", "s-1").messages()
    assert (len(found), found.purged) == (1, 1)


@pytest.mark.wide
def test_a_run_that_is_asked_to_stop_is_ended_by_the_next_one(world: Retained) -> None:
    world.say("u-1", "s-1", "tool")
    world.clock.now += DAY
    runs = world.vault._core.runs()
    stopped = runs.run(should_stop=lambda: True)
    assert (stopped.stopped, stopped.messages, stopped.epochs) == (True, 0, 0)
    assert len(world.vault.transcript("u-1", "s-1").messages()) == 1
    assert world.vault.purge().messages == 1
    ended, first = runs.last_runs()
    assert (ended.messages, ended.epochs, first.stopped) == (1, 1, True)
    assert ended.certificate in {one.id for one in world.vault.certificates()}


@pytest.mark.wide
def test_only_one_user_is_purged_and_what_shares_an_epoch(world: Retained) -> None:
    world.edit("by session")
    world.say("u-1", "s-2")
    world.say("u-2", "s-2")
    world.clock.now += 10 * DAY
    assert world.vault.purge(dry_run=True, user="u-1").messages == 1
    assert world.vault.purge(user="u-1").messages == 1
    assert len(world.vault.transcript("u-2", "s-2").messages()) == 1
    assert world.vault.purge(user="u-2").messages == 1


# -- settings and faces ----------------------------------------------------------------------------------


@pytest.mark.wide
def test_policies_come_from_arguments_variables_and_vault_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, file = tmp_path / "vault", tmp_path / "vault" / "rules" / "mine.yaml"
    Vault.open(where, redactor=None).close()
    with pytest.raises(UsageError, match="no retention policies"), Vault.open(where, redactor=None) as vault:
        vault.purge()
    file.parent.mkdir()
    file.write_text(policy("plain"))
    toml = where / "vault.toml"
    toml.write_text(toml.read_text() + '\npolicies = "rules"\n')
    with Vault.open(where, redactor=None) as vault:
        assert vault.purge().policies == ["test"]
        assert vault.purge(policies=["gdpr", file]).policies == ["gdpr", "test"]
    monkeypatch.setenv("TRANSCRIPT_VAULT_POLICIES", "hipaa:pci")
    with Vault.open(where) as vault:
        assert vault.purge().policies == ["hipaa", "pci"]
    file.write_text(policy("plain").replace("9d", "9m"))
    with pytest.raises(PolicyError, match=r"mine.yaml:9:21: m may be minutes or months"):
        Vault.open(where, policies=file)
    for wrong in (7, [b"a"], tmp_path):
        with pytest.raises(ConfigError):
            Vault.open(where, policies=wrong)  # type: ignore[arg-type]


@pytest.mark.wide
def test_doctor_says_whether_the_policies_fit_together(tmp_path: Path) -> None:
    where = tmp_path / "vault"
    Vault.open(where, redactor=None).close()
    said = run("--vault", where, "doctor", TRANSCRIPT_VAULT_POLICIES="gdpr:hipaa")
    assert "policies     fit together: gdpr, hipaa, with 7 rules" in said.out
    (tmp_path / "bad.yaml").write_text("version: 2\n")
    said = run("--vault", where, "doctor", TRANSCRIPT_VAULT_POLICIES=str(tmp_path / "bad.yaml"))
    assert said.code == 2
    assert run("--vault", where, "keys", "status", TRANSCRIPT_VAULT_POLICIES="none.yaml").code == 0


@pytest.mark.wide
def test_a_run_looks_only_where_something_may_be_due(world: Retained) -> None:
    world.say("u-1", "s-1")
    world.say("u-2", "s-1", "tool")
    world.say("u-3", "s-2")
    facts = world.vault._core.runs()._facts
    names = {world.node(f"u-{user}"): f"u-{user}" for user in (1, 2, 3)}

    def looked_at() -> set[str]:
        ids, *_ = facts.candidates(world.clock.now)
        return {names[seen.session.user_node] for page in facts.pages(ids) for seen in page}

    assert looked_at() == {"u-2"}  # a day is allowed for changes of clocks
    world.clock.now += 10 * DAY
    assert looked_at() == {"u-1", "u-2", "u-3"}
    world.clock.now -= 10 * DAY
    world.edit("long")
    facts = world.vault._core.runs()._facts
    assert looked_at() == {"u-1", "u-2", "u-3"}  # other rules put it there: nothing is known of its dates
    world.edit("by session")
    world.say("u-4", "s-2")
    facts = world.vault._core.runs()._facts
    names[world.node("u-4")] = "u-4"
    assert "u-4" not in looked_at()


@pytest.mark.wide
def test_a_policys_redaction_is_applied_where_its_classes_are(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(policy("short") + "redaction: {language: en, entities: {EMAIL_ADDRESS: drop}}\n")
    with Vault.open(tmp_path / "vault", policies=file) as vault:
        said = vault.transcript("u-1", "s-1").append("user", "Write to anna.smith@example.org now")
        assert said.content == "Write to  now"
    with Vault.open(tmp_path / "vault", policies=file, redactor=None) as vault:
        assert len(vault.transcript("u-1", "s-1").messages()) == 1
        with pytest.raises(PolicyError, match="asks for redaction"):
            vault.transcript("u-1", "s-1").append("user", "anna.smith@example.org")
    file.write_text(policy("short") + "redaction: {language: de}\n")
    with pytest.raises(PolicyError, match="needs a model"):
        Vault.open(tmp_path / "vault", policies=file)
    file.write_text(policy("short") + "redaction: {entities: {EMAIL_ADDRESS: dorp}}\n")
    with pytest.raises(PolicyError, match=r"p.yaml:7:23: redaction.entities"):
        Vault.open(tmp_path / "vault", policies=file)


@pytest.mark.wide
def test_the_command_line_purges_and_explains(tmp_path: Path) -> None:
    where, file, clock = tmp_path / "vault", tmp_path / "p.yaml", TickingClock()
    file.write_text(policy("plain"))
    clock.now = system_clock() - DAY
    with Vault.open(where, redactor=None, policies=file, clock=clock) as vault:
        for role in ("user", "tool"):
            vault.transcript("u-1", "s-1").append(role, "x")
    asked = ("--vault", where, "purge", "--policy", file)
    assert run("--vault", where, "purge").code == 2
    planned = run(*asked, "--dry-run", "--json").json
    assert (planned["messages"], planned["dry_run"]) == (1, True)
    explained = run(
        "--vault", where, "policy", "explain", "--user", "u-1", "--session", "s-1", "--policy", file
    )
    assert explained.code == 0
    assert "test/tool\tbody\ttool\t1\tnow\tceiling\ttest/tool\tat most 6h from message\t" in explained.out
    said = run(*asked)
    assert said.code == 0
    assert said.out.splitlines()[0].startswith("test/tool\t1\t0\t1\t1\t")
    assert said.out.splitlines()[-1].startswith("erased 1 message of 1 user; 1 epoch; certificate ")
    assert run(*asked, "--json").json["messages"] == 0


@pytest.mark.wide
@pytest.mark.parametrize("rules", ["plain", "labels", "by session"])
def test_the_awaited_face_purges_the_same(database: Databases, tmp_path: Path, rules: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(policy(rules))
    with asyncio.Runner() as runner:
        home = Home(database, tmp_path / "root.key", runner)
        with home.open(policies=file) as vault:
            for user in ("u-1", "u-2"):
                chat = vault.transcript(user, "s-2", namespace="support/eu")
                chat.append("tool", "x", metadata={"kind": "brief"})
                chat.append("user", "y")
            home.clock.now += 9 * DAY
            planned = vault.purge(dry_run=True)
            ran = vault.purge()
            assert planned.messages == ran.messages > 0
            found = vault.transcript("u-1", "s-2").messages()
            assert len(found) + found.purged == 2
            assert [one.role for one in vault.explain("u-1", "s-2")] == [one.role for one in found]
