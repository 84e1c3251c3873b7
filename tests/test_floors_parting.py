"""P3, P5: of one session a floor's part stays until its day, and the rest is erased at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault import Vault
from vault.chat.records import plain
from vault.errors import SessionForgottenError, UserForgottenError
from vault.evidence.checking import check_certificate
from vault.evidence.notes import Verifier
from vault.keys.noting import Said

LAW = """\
version: 1
policy: law
limits: {max_fraction: 100%}
classes:
  - name: receipts
    match: {role: tool}
    keep: {at_least: 30d, at_most: 60d}
  - name: default
    keep: {at_most: 1y}
"""
BY_LAST = LAW.replace("at_most: 60d}", "at_most: 60d, count_from: last-message}")


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    made.follow(LAW)
    yield made
    made.vault.close()


def talk(world: Retained, user: str = "anna") -> dict[str, str]:
    """Say a receipt and something beside it in two epochs; give the texts by name."""
    said = {}
    for day in ("old", "new"):
        said[f"{day} receipt"] = world.say(user, "s-1", "tool").text
        said[f"{day} word"] = world.say(user, "s-1").text
        world.clock.now += 5 * DAY
    said["alone"] = world.say(user, "s-3").text
    return said


def shown(vault: Vault, user: str = "anna", session: str = "s-1") -> list[object]:
    found = vault.transcript(user, session).messages(include_hidden=True, purpose="an audit")
    return [one.content for one in found]


def rows(world: Retained) -> int:
    return len(world.databases.dump(world.databases.transcripts)["messages"])


def lose(world: Retained, *texts: str) -> None:
    """Note that these are erased."""
    world.erased |= set(texts)
    world.said = [one for one in world.said if one.text not in texts]


def read_by_thief(world: Retained) -> set[str]:
    """Give what opens to somebody with every copy ever taken of both databases, and the present root."""
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    copies = [*world.transcripts, world.databases.dump(world.databases.transcripts)]
    return set().union(*(thief.read(copy) for copy in copies))


@pytest.mark.wide
def test_p3_p5_what_no_floor_keeps_is_erased_at_once_though_it_lies_beside_what_one_keeps(
    world: Retained,
) -> None:
    said, beside = talk(world), talk(world, "ben")
    world.snapshot()
    footprint = world.vault.footprint("anna")
    assert (footprint.messages, footprint.kept) == (5, 2)
    asked = world.vault.forget_user("anna", reason="request 881", except_floors=True, now=True)
    assert asked.status == "requested"
    receipts = {said["old receipt"], said["new receipt"]}
    done = world.vault.certificates()
    assert sum(one.messages for one in done) == footprint.messages - footprint.kept
    assert {(str(one.kind), str(one.status), one.reason) for one in done} == {
        ("forget-session", "final", "request 881")
    }
    key = Verifier.parse(world.vault.log.public_key())
    for one in done:
        check_certificate(one.to_json(), key)
    world.snapshot()
    assert read_by_thief(world) == receipts | set(beside.values())  # old copies included
    assert rows(world) == 2 + 5
    with world.open() as other:
        for vault in (world.vault, other):
            assert shown(vault) == [said["old receipt"], said["new receipt"]]
            with pytest.raises(UserForgottenError):
                vault.transcript("anna", "s-1").messages()
            assert vault.transcript("ben", "s-1").messages().purged == 0


@pytest.mark.wide
def test_p5_what_is_kept_goes_by_parts_each_on_its_day(world: Retained) -> None:
    said = talk(world)
    asked = world.vault.forget_user("anna", except_floors=True, now=True)
    world.clock.now += 16 * DAY  # 26 days after the first words
    assert world.vault.carry_out_due() == []
    world.clock.now += 6 * DAY
    [part] = world.vault.carry_out_due()
    assert (part.messages, part.status) == (1, "final")
    assert shown(world.vault) == [said["new receipt"]]
    world.snapshot()
    assert read_by_thief(world) == {said["new receipt"]}
    world.clock.now += 5 * DAY
    [end] = world.vault.carry_out_due()
    assert (end.id, end.messages, end.status) == (asked.id, 1, "final")
    assert (rows(world), world.vault.queued(), read_by_thief(world)) == (0, [], set())
    assert world.vault.log.verify().unfinished == 0


@pytest.mark.wide
def test_p5_a_session_alone_is_taken_apart_too_and_its_name_can_be_used_again(world: Retained) -> None:
    said = talk(world)
    asked = world.vault.forget_session("anna", "s-1", except_floors=True, now=True)
    assert asked.status == "requested"
    assert world.vault.forget_session("anna", "s-1", except_floors=True).id == asked.id
    assert shown(world.vault) == [said["old receipt"], said["new receipt"]]
    assert read_by_thief(world) == {said["old receipt"], said["new receipt"], said["alone"]}
    chat = world.vault.transcript("anna", "s-1")
    with pytest.raises(SessionForgottenError):
        chat.append("user", "once more")
    assert [one.session_id for one in world.vault.sessions("anna")] == ["s-3"]
    [waits] = world.vault.queued()
    assert (waits.user_id, waits.session_id) == ("anna", "s-1")
    world.vault.enroll("anna", "s-1")
    chat.append("user", "anew")
    assert [one.content for one in chat.messages()] == ["anew"]
    assert shown(world.vault)[:2] == [said["old receipt"], said["new receipt"]]
    world.clock.now += 40 * DAY
    [end] = world.vault.carry_out_due()
    assert end.id == asked.id
    assert (rows(world), world.vault.queued()) == (2, [])
    world.vault.enroll("anna", "s-1")


@pytest.mark.wide
def test_p5_a_floor_that_counts_from_the_last_message_counts_it_though_it_is_erased(world: Retained) -> None:
    world.vault.close()
    world.file.write_text(BY_LAST)
    world.vault = world.open()
    receipt = world.say("anna", "s-1", "tool").text
    world.clock.now += 20 * DAY
    world.say("anna", "s-1")
    world.vault.forget_user("anna", except_floors=True, now=True)
    assert shown(world.vault) == [receipt]
    world.clock.now += 25 * DAY
    with world.open() as again:
        assert again.carry_out_due() == []
        assert shown(again) == [receipt]
    world.clock.now += 6 * DAY
    assert len(world.vault.carry_out_due()) == 1


@pytest.mark.wide
def test_p5_a_purge_goes_on_in_what_was_taken_apart(world: Retained) -> None:
    talk(world)
    world.vault.forget_user("anna", except_floors=True, now=True)
    world.clock.now += 51 * DAY
    planned = world.vault.purge(dry_run=True, yes=True)
    ran = world.vault.purge(yes=True)
    assert planned.messages == ran.messages == 1
    assert read_by_thief(world) == set() or len(read_by_thief(world)) == 1
    assert len(world.vault.carry_out_due()) == 1
    assert (rows(world), read_by_thief(world)) == (0, set())


@pytest.mark.wide
def test_p5_a_hold_keeps_all_of_it_and_its_end_takes_it_apart(world: Retained) -> None:
    said = talk(world)
    world.vault.forget_user("anna", except_floors=True, now=True)
    hold = world.vault.hold("anna", reason="case 7")
    world.clock.now += 22 * DAY
    assert world.vault.carry_out_due() == []
    assert shown(world.vault) == [said["old receipt"], said["new receipt"]]
    world.vault.release(hold.id, reason="closed")
    world.vault.carry_out_due()
    assert shown(world.vault) == [said["new receipt"]]


@pytest.mark.wide
def test_p5_a_hold_on_a_session_that_was_looked_up_before_the_request_is_refused_loudly(
    world: Retained,
) -> None:
    world.say("anna", "s-1", "tool")
    holding = world.vault._core.holding
    said = Said(placed_at=world.clock(), reason="case 7", actor="")
    row = holding._row("anna", "s-1", None, said)
    world.vault.forget_user("anna", except_floors=True)
    with pytest.raises(UserForgottenError):
        world.vault._core.keyring.holds.add(row)
    assert world.vault.holds() == []
    world.vault.hold("anna", reason="case 7")


@pytest.mark.wide
def test_p5_what_the_app_deleted_under_a_hold_goes_with_its_end_whatever_floors_say(world: Retained) -> None:
    said = talk(world)
    receipt = world.say("anna", "s-5", "tool").text
    hold = world.vault.hold("anna", reason="case 7")
    world.vault.transcript("anna", "s-1").delete()
    assert shown(world.vault)  # the hold keeps all of it
    world.vault.release(hold.id, reason="closed")
    footprint = world.vault.footprint("anna")
    assert (footprint.messages, footprint.kept) == (6, 1)
    world.vault.forget_user("anna", except_floors=True, now=True)
    assert (rows(world), shown(world.vault, session="s-5")) == (1, [receipt])
    assert sum(one.messages for one in world.vault.certificates()) == 5
    world.snapshot()
    assert read_by_thief(world) & set(said.values()) == set()
    assert world.vault.carry_out_due() == []


@pytest.mark.wide
def test_p5_records_and_originals_beside_a_receipt_go_and_a_receipts_record_stays(world: Retained) -> None:
    world.vault.close()
    world.file.write_text(LAW + "originals: {keep: 90d}\n")
    with Vault.open(
        world.databases.transcripts,
        keyring=world.databases.keyring,
        root=f"file:{world.root}",
        clock=world.clock,
        horizon="0d",
        policies=world.file,
    ) as vault:
        chat = vault.transcript("anna", "s-1")
        chat.append("tool", "Paid by anna.smith@example.org")
        chat.append("user", "Write to ben.jones@example.org")
        chat.records("state").put("one", "beside it")
        vault._core.keep("anna", "s-1", "", [replace(plain("state", "two", "a receipt's"), role="tool")])
        texts = {one.content for one in chat.messages(reveal=True, purpose="a test")}
        assert "Paid by anna.smith@example.org" in texts
        world.snapshot()
        vault.forget_user("anna", except_floors=True, now=True)
        found = chat.messages(include_hidden=True, reveal=True, purpose="an audit")
        assert [one.role for one in found] == ["tool"]
        assert "anna.smith" not in str(found[0].content)
    dumped = world.databases.dump(world.databases.transcripts)
    assert (len(dumped["messages"]), len(dumped["records"])) == (1, 1)
    world.vault = world.open()
    left = read_by_thief(world)
    assert "a receipt's" in left
    assert not [text for text in left if "smith" in text or "jones" in text or "beside" in text]
