"""P4, P2: what stays when its day is over was proven to stay: no edited row keeps a key alive unnoticed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import insert, select, update

from vault.errors import TamperedError
from vault.storage.schema import chapters, messages, records, sessions

RULES = """\
  - name: contract
    match: {namespace: "contract/*"}
    keep: {at_least: 3y, at_most: 4y}
  - name: answers
    match: {role: assistant}
    keep: {at_most: 2y}
  - name: default
    keep: {at_most: 10d}
"""
LAST = "  - name: d\n    keep: {at_most: 10d, count_from: last-message}\n"
START = "  - name: d\n    keep: {at_most: 10d, count_from: session-start}\n"
LAW = """\
  - name: d
    match: {role: user}
    keep: {at_most: 10d}
  - name: law
    match: {role: [user, tool]}
    keep: {at_least: 12d, count_from: last-message}
  - name: rest
    keep: {at_most: 9y}
"""
FAR, LATER = 40_000 * DAY, 5 * DAY
MINE = messages.c.session_id == 1


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def write(world: Retained, *statements: object) -> None:
    with connected(world.databases.transcripts) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount  # type: ignore[call-overload]
        connection.commit()


def is_noticed(world: Retained, days: int = 20) -> bool:
    """Purge day by day until it accuses; say whether it did before what it accuses got a key of its own."""
    for _ in range(days):
        world.clock.now += DAY
        try:
            world.vault.purge()
        except TamperedError as error:
            is_named = re.search(r": sessions\.id [12] of the transcripts$", str(error))
            with connected(world.databases.transcripts) as connection:
                own = select(chapters).where(chapters.c.node.is_not(None), chapters.c.epoch_id.is_not(None))
                return bool(is_named) and not connection.execute(own).all()
    return False


@pytest.mark.wide
@pytest.mark.parametrize(
    "forged",
    [
        update(sessions).where(sessions.c.id == 1).values(namespace="contract/x"),
        update(sessions).values(namespace="contract/x"),
        update(messages).where(MINE).values(role="assistant"),
        update(messages).where(MINE, messages.c.seq == 2).values(role="assistant"),
        update(messages).where(MINE, messages.c.seq != 2).values(role="assistant"),
        update(messages).values(role="assistant"),
    ],
    ids=["namespace", "all namespaces", "roles", "a role", "all but one role", "all roles"],
)
def test_p4_what_a_row_says_of_itself_keeps_no_key_alive(world: Retained, forged: object) -> None:
    world.begin(RULES)
    write(world, forged)
    assert is_noticed(world)


def later(by: int) -> Callable[[Retained], object]:
    return lambda _: (
        update(messages).where(MINE, messages.c.seq == 2).values(created_at=messages.c.created_at + by)
    )


def last_is_later(by: int) -> Callable[[Retained], object]:
    return lambda _: (
        update(messages).where(MINE, messages.c.seq == 4).values(created_at=messages.c.created_at + by)
    )


def one_more(by: int) -> Callable[[Retained], object]:
    def forged(world: Retained) -> object:
        with connected(world.databases.transcripts) as connection:
            [row] = connection.execute(select(messages).where(MINE, messages.c.seq == 4)).mappings()
        return insert(messages).values({**row, "seq": 99, "created_at": row["created_at"] + by})

    return forged


@pytest.mark.parametrize("by", [FAR, LATER])
@pytest.mark.parametrize("forge", [later, last_is_later, one_more])
def test_p4_a_later_date_keeps_no_session_in_use(
    world: Retained, forge: Callable[[int], Callable[[Retained], object]], by: int
) -> None:
    world.begin(LAST)
    world.clock.now += 6 * DAY
    write(world, forge(by)(world))
    assert is_noticed(world)


def test_p4_a_later_date_of_all_messages_makes_no_session_young(world: Retained) -> None:
    world.begin(START)
    write(world, update(messages).where(MINE).values(created_at=messages.c.created_at + FAR))
    assert is_noticed(world)


@pytest.mark.wide
def test_p4_a_later_date_of_a_record_keeps_no_records(world: Retained) -> None:
    world.begin(LAST)
    for user in ("anna", "ben"):
        world.vault.transcript(user, "s-1").records("notes").put("n", 1)
    forged = update(records).where(records.c.session_id == 1)
    write(world, forged.values(created_at=records.c.created_at + FAR))
    assert is_noticed(world)


def test_p4_what_a_floor_from_the_last_message_keeps_was_proven_to_be_kept(world: Retained) -> None:
    world.begin(LAW)
    world.say("anna", "s-1", "tool")
    write(world, update(messages).where(MINE, messages.c.seq == 5).values(created_at=world.clock.now + FAR))
    assert is_noticed(world)


@pytest.mark.wide
def test_control_what_is_kept_by_right_gets_a_key_of_its_own(world: Retained) -> None:
    world.begin(RULES)
    world.say("anna", "s-1", "assistant")
    world.vault.transcript("anna", "s-3", namespace="contract/x").append("user", "signed")
    world.hold("ben")
    world.clock.now += 20 * DAY
    assert world.vault.purge().messages == 5
    assert [one.content for one in world.vault.transcript("anna", "s-3").messages()] == ["signed"]
    assert len(world.vault.transcript("anna", "s-1").messages()) == 1
    assert len(world.vault.transcript("ben", "s-1").messages()) == 5


@pytest.mark.wide
def test_control_what_goes_on_is_in_use(world: Retained) -> None:
    world.begin(LAST)
    for _ in range(30):
        world.clock.now += DAY
        world.say("anna", "s-1")
        world.vault.purge()
    assert len(world.vault.transcript("anna", "s-1").messages()) == 35
    assert world.vault.transcript("ben", "s-1").messages() == []
