"""P5: a floor of the policies in force keeps what somebody asks to erase, until the day that it is over."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import run
from databases import Databases
from faces import DAY
from retained import Retained

from vault import AsyncVault, Vault
from vault.errors import FlooredError, HeldError, SessionForgottenError, UserForgottenError
from vault.evidence.certificate import Certificate

BILLING = """\
version: 1
policy: law
limits: {max_fraction: 100%}
classes:
  - name: billing
    match: {namespace: "support/*"}
    keep: {at_least: 30d, at_most: 60d}
  - name: default
    keep: {at_most: 1y}
"""


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    made.follow(BILLING)
    for user in ("anna", "ben"):
        for session in ("s-1", "s-2"):  # s-2 is billing
            made.say(user, session)
    yield made
    made.vault.close()


def rows(world: Retained) -> int:
    return len(world.databases.dump(world.databases.transcripts)["messages"])


def read(vault: Vault, user: str, session: str) -> list[str]:
    return [str(one.content) for one in vault.transcript(user, session).messages()]


@pytest.mark.wide
def test_p5_forgetting_against_a_floor_names_the_rule_and_its_date_and_changes_nothing(
    world: Retained,
) -> None:
    before = world.databases.dump(world.databases.keyring)
    for forget in (
        lambda: world.vault.forget_user("anna"),
        lambda: world.vault.forget_users(["ben", "anna"]),
        lambda: world.vault.forget_session("anna", "s-2"),
    ):
        with pytest.raises(FlooredError) as refused:
            forget()
        assert refused.value.exit_code == 5
        assert f"(law/billing, {world.file}:5:" in str(refused.value)
        assert "at least 30d, until 2026-10-22 00:00 UTC" in str(refused.value)
        assert "anna" not in str(refused.value)
    assert world.databases.dump(world.databases.keyring) == before
    world.check()
    world.vault.forget_session("anna", "s-1")  # no floor is on it
    world.clock.now += 40 * DAY
    world.vault.forget_user("anna")
    assert rows(world) == 2


@pytest.mark.wide
def test_p5_a_hold_is_told_before_a_floor(world: Retained) -> None:
    world.vault.hold("anna", reason="case 7")
    asked: list[Callable[[], object]] = [
        lambda: world.vault.forget_user("anna", except_floors=True),
        lambda: world.vault.forget_session("anna", "s-2", except_floors=True),
        lambda: world.vault.forget_user("anna"),
    ]
    for forget in asked:
        with pytest.raises(HeldError):
            forget()
    world.check()


def forget(vault: Vault, session: str, *, when_released: bool, except_floors: bool) -> Certificate:
    """Ask to forget anna, or one session of hers."""
    if not session:
        return vault.forget_user("anna", when_released=when_released, except_floors=except_floors)
    return vault.forget_session("anna", session, when_released=when_released, except_floors=except_floors)


@pytest.mark.wide
@pytest.mark.parametrize("session", ["", "s-2"])
def test_p5_who_is_held_and_kept_by_a_floor_loses_the_rest_when_the_hold_ends(
    world: Retained, session: str
) -> None:
    before = rows(world)
    hold = world.vault.hold("anna", reason="case 7")
    with pytest.raises(FlooredError):
        forget(world.vault, session, when_released=True, except_floors=False)
    with pytest.raises(HeldError):
        forget(world.vault, session, when_released=False, except_floors=True)
    certificate = forget(world.vault, session, when_released=True, except_floors=True)
    asked = certificate.id
    assert certificate.status == "requested"
    assert world.vault.carry_out_due() == []
    assert rows(world) == before
    world.vault.release(hold.id, reason="closed")
    world.vault.carry_out_due()
    assert rows(world) == (before if session else before - 1)  # s-1 is kept by no floor
    assert [one.id for one in world.vault.queued()] == [asked]
    world.clock.now += 31 * DAY
    assert [one.id for one in world.vault.carry_out_due()] == [asked]
    assert (rows(world), world.vault.queued()) == (before - (1 if session else 2), [])


@pytest.mark.wide
def test_p5_except_floors_erases_the_rest_now_and_what_is_kept_on_its_day(world: Retained) -> None:
    world.snapshot()
    with world.open() as other:
        known = other.transcript("anna", "s-2")
        known.append("user", "from elsewhere")
        asked = world.vault.forget_user("anna", reason="for anna", except_floors=True, now=True)
        assert asked.status == "requested"
        assert world.vault.forget_user("anna", except_floors=True).id == asked.id
        assert rows(world) == 4  # the billing of anna, and all of ben's
        [done] = world.vault.certificates()
        assert (done.kind, done.status, done.messages) == ("forget-session", "final", 1)
        for vault in (world.vault, other):
            for session in ("s-2", "s-3"):
                chat = vault.transcript("anna", session)
                with pytest.raises(UserForgottenError):
                    chat.append("user", "once more")
                with pytest.raises(UserForgottenError):
                    chat.messages()
                with pytest.raises(UserForgottenError):
                    chat.clear()
            with pytest.raises(UserForgottenError):
                vault.enroll("anna")
    kept = world.vault.transcript("anna", "s-2")
    shown = kept.messages(include_hidden=True, purpose="an audit")
    assert "from elsewhere" in [one.content for one in shown]
    [waits] = world.vault.queued()
    assert (waits.id, waits.user_id, waits.reason) == (asked.id, "anna", f"for {asked.pseudonym}")
    assert waits.until is not None
    assert waits.until.date().isoformat() == "2026-10-22"
    world.clock.now += 20 * DAY
    assert world.vault.carry_out_due() == []
    world.vault.purge()
    assert rows(world) == 4
    world.clock.now += 20 * DAY
    [end] = world.vault.carry_out_due()
    assert (end.id, end.status) == (asked.id, "final")
    assert rows(world) == 2
    assert world.vault.queued() == []
    told = [(one.kind, one.act) for one in world.vault.log.entries()]
    assert ("request", told[-1][1]) not in told
    assert [kind for kind, _ in told].count("request") == 1
    assert world.vault.log.verify().unfinished == 0
    world.lose("anna")
    world.check_copies()  # P3


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, "s-2"], ids=["user", "session"])
@pytest.mark.parametrize(
    ("floor", "ends"), [("", True), ("at_least: 2d, ", True), ("at_least: 50d, ", False)]
)
def test_p5_who_waits_for_a_floor_goes_by_the_rules_of_today(
    world: Retained, session: str | None, floor: str, *, ends: bool
) -> None:
    if session is None:
        asked = world.vault.forget_user("anna", except_floors=True)
    else:
        asked = world.vault.forget_session("anna", session, except_floors=True)
    world.clock.now += 5 * DAY
    assert world.vault.carry_out_due() == []
    world.file.write_text(BILLING.replace("at_least: 30d, ", floor))
    world.vault.close()
    world.vault = world.open()
    done = [(one.id, one.status) for one in world.vault.carry_out_due()]
    assert done == ([(asked.id, "final")] if ends else [])
    assert [one.id for one in world.vault.queued()] == ([] if ends else [asked.id])
    world.clock.now += 30 * DAY  # past the floor that was asked against
    assert world.vault.carry_out_due() == []
    world.clock.now += 30 * DAY
    assert len(world.vault.carry_out_due()) == (not ends)


@pytest.mark.wide
def test_p5_a_session_is_closed_until_its_floor_ends(world: Retained) -> None:
    asked = world.vault.forget_session("anna", "s-2", except_floors=True)
    assert asked.status == "requested"
    with pytest.raises(SessionForgottenError):
        world.vault.transcript("anna", "s-2").append("user", "once more")
    with pytest.raises(SessionForgottenError):
        world.vault.transcript("anna", "s-2").delete()
    world.vault.transcript("anna", "s-1").append("user", "goes on")
    assert rows(world) == 5
    with world.open() as other, pytest.raises(SessionForgottenError):
        other.transcript("anna", "s-2").messages()
    world.clock.now += 40 * DAY
    [done] = world.vault.carry_out_due()
    assert done.id == asked.id
    assert rows(world) == 4
    with pytest.raises(SessionForgottenError):
        world.vault.transcript("anna", "s-2").messages()


@pytest.mark.wide
def test_p5_without_policies_the_noted_date_counts_and_a_longer_floor_counts_longer(world: Retained) -> None:
    world.vault.forget_user("anna", except_floors=True)
    world.vault.close()
    world.file.rename(world.file.with_suffix(".off"))

    def open_bare() -> Vault:
        return Vault.open(
            world.databases.transcripts,
            keyring=world.databases.keyring,
            root=f"file:{world.root}",
            redactor=None,
            clock=world.clock,
            horizon=world.horizon,
        )

    with open_bare() as bare:
        assert bare.carry_out_due() == []
    assert rows(world) == 3
    world.clock.now += 40 * DAY
    world.file.write_text(BILLING.replace("30d", "50d"))
    world.vault = world.open()
    assert world.vault.carry_out_due() == []
    world.vault.close()
    with open_bare() as bare:
        assert len(bare.carry_out_due()) == 1
    assert rows(world) == 2
    world.vault = world.open()


@pytest.mark.wide
def test_p5_a_hold_placed_while_a_floor_is_waited_for_keeps_it_longer(world: Retained) -> None:
    world.vault.forget_user("anna", except_floors=True)
    hold = world.vault.hold("anna", reason="case 7")
    world.clock.now += 40 * DAY
    assert world.vault.carry_out_due() == []
    assert rows(world) == 3
    world.vault.release(hold.id, reason="closed")
    assert len(world.vault.carry_out_due()) == 1
    assert rows(world) == 2


@pytest.mark.wide
def test_p5_a_purge_goes_on_in_what_a_floor_keeps(world: Retained) -> None:
    world.vault.forget_user("anna", except_floors=True)
    world.clock.now += 61 * DAY
    assert world.vault.purge(yes=True).messages == 2  # the billing of both
    assert len(world.vault.carry_out_due()) == 1
    assert rows(world) == 1


@pytest.mark.wide
def test_p5_awaited_it_is_the_same(world: Retained) -> None:
    async def ask() -> None:
        async with await AsyncVault.open(
            world.databases.transcripts,
            keyring=world.databases.keyring,
            root=f"file:{world.root}",
            redactor=None,
            clock=world.clock,
            horizon=world.horizon,
            policies=world.file,
        ) as vault:
            with pytest.raises(FlooredError):
                await vault.forget_user("anna")
            with pytest.raises(FlooredError):
                await vault.forget_session("anna", "s-2")
            asked = await vault.forget_user("anna", except_floors=True)
            assert asked.status == "requested"
            with pytest.raises(UserForgottenError):
                await vault.transcript("anna", "s-2").messages()
            assert (await vault.footprint("ben")).kept == 1
            world.clock.now += 40 * DAY
            assert [one.id for one in await vault.carry_out_due()] == [asked.id]

    asyncio.run(ask())


@pytest.mark.wide
def test_p5_the_command_line_tells_what_floors_keep(tmp_path: Path) -> None:
    place, rules = tmp_path / "v", tmp_path / "law.yaml"
    rules.write_text(BILLING)
    Vault.open(place, redactor=None).close()
    toml = place / "vault.toml"
    toml.write_text(f'{toml.read_text()}\npolicies = "{rules}"\n')
    with Vault.open(place, redactor=None) as vault:
        vault.transcript("cleo", "s-2", namespace="support/eu").append("user", "a receipt")
    where = ["--vault", place]
    told = run(*where, "forget-user", "cleo", "--dry-run")
    assert told.code == 0
    assert "a rule keeps 1 message (law/billing, " in told.out
    told = run(*where, "forget-user", "cleo", "--dry-run", "--json")
    assert json.loads(told.out)["kept"] == 1
    refused = run(*where, "forget-user", "cleo", "--confirm", "cleo")
    assert (refused.code, f"law/billing, {rules}:5:" in refused.err) == (5, True)
    refused = run(*where, "forget-session", "cleo", "s-2", "--confirm", "s-2")
    assert refused.code == 5
    done = run(*where, "forget-user", "cleo", "--confirm", "cleo", "--except-floors", "--json")
    assert (done.code, json.loads(done.out)["status"]) == (0, "requested")
    queued = run(*where, "hold", "queued", "--json")
    assert json.loads(queued.out)[0]["until"]


@pytest.mark.wide
def test_p5_the_command_line_lets_a_session_wait_for_a_hold_and_a_floor(tmp_path: Path) -> None:
    place, rules = tmp_path / "v", tmp_path / "law.yaml"
    rules.write_text(BILLING)
    Vault.open(place, redactor=None).close()
    toml = place / "vault.toml"
    toml.write_text(f'{toml.read_text()}\npolicies = "{rules}"\n')
    with Vault.open(place, redactor=None) as vault:
        vault.transcript("cleo", "s-1").append("user", "hello")
        vault.transcript("cleo", "s-2", namespace="support/eu").append("user", "a receipt")
        vault.hold("cleo", reason="case 7")
    words = ["--vault", place, "forget-session", "cleo"]
    waits = run(*words, "s-1", "--confirm", "s-1", "--when-released")
    assert waits.out.splitlines()[0] == "session s-1 of user cleo is held: forgotten when that ends"
    both = run(*words, "s-2", "--confirm", "s-2", "--when-released", "--except-floors")
    assert both.out.splitlines()[0] == (
        "session s-2 of user cleo is held or kept by a retention rule: forgotten when that ends"
    )
    assert "requested, it waits: nothing is erased yet" in both.out
    queued = run("--vault", place, "hold", "queued", "--json")
    assert [one["session_id"] for one in json.loads(queued.out)] == ["s-1", "s-2"]
