"""P5, P2: what somebody wrote into the transcripts makes no floor appear or vanish."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import Connection, Table, delete, update
from test_purging_tampered import UNTIED

from vault.errors import FlooredError, TamperedError
from vault.storage.schema import State, messages, records, sessions, users

LAW = """\
  - name: billing
    match: {namespace: "support/*"}
    keep: {at_least: 30d, at_most: 60d}
  - name: answers
    match: {role: assistant}
    keep: {at_least: 40d, at_most: 80d}
  - name: begun
    match: {role: tool}
    keep: {at_least: 50d, at_most: 1y, count_from: session-start}
  - name: default
    keep: {at_most: 1y}
"""
NAMED = r": sessions\.id 1 of the transcripts$"
FREE, BILLING = "s-1", "s-2"


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    made.under(LAW)
    yield made
    made.vault.close()


def say(world: Retained, session: str, *roles: str) -> None:
    for role in roles:
        world.say("anna", session, role)


def forge(world: Retained, table: Table, **values: object) -> None:
    with connected(world.databases.transcripts) as connection:
        assert connection.execute(update(table).values(values)).rowcount
        connection.commit()


FORGETTING: list[Callable[[Retained, str], object]] = [
    lambda world, _: world.vault.forget_user("anna"),
    lambda world, _: world.vault.forget_users(["anna"]),
    lambda world, session: world.vault.forget_session("anna", session),
    lambda world, _: world.vault.forget_user("anna", except_floors=True),
    lambda world, session: world.vault.forget_session("anna", session, except_floors=True),
]
ways = pytest.mark.parametrize(
    "forget", FORGETTING, ids=["user", "users", "session", "rest", "session's rest"]
)


@pytest.mark.wide
@ways
@pytest.mark.parametrize("session", [FREE, BILLING])
def test_p5_an_edited_namespace_decides_about_no_floor(
    world: Retained, session: str, forget: Callable[[Retained, str], object]
) -> None:
    say(world, session, "user", "user")
    forge(world, sessions, namespace="" if session == BILLING else "support/eu")
    with pytest.raises(TamperedError, match=NAMED):
        forget(world, session)
    assert len(world.databases.dump(world.databases.transcripts)["messages"]) == 2


@pytest.mark.wide
@ways
@pytest.mark.parametrize("roles", [("user", "assistant"), ("assistant", "user")])
def test_p5_an_edited_role_decides_about_no_floor(
    world: Retained, roles: tuple[str, str], forget: Callable[[Retained, str], object]
) -> None:
    was, to = roles
    say(world, FREE, was, was, was)
    forge(world, messages, role=to)
    with pytest.raises(TamperedError, match=NAMED):
        forget(world, FREE)


@pytest.mark.parametrize("days", [-100, 0])
def test_p5_an_edited_date_decides_about_no_floor(world: Retained, days: int) -> None:
    say(world, FREE, "tool", "tool")
    world.clock.now += 70 * DAY if days == 0 else DAY  # the floor is over, or is not
    forge(world, messages, created_at=world.clock.now + days * DAY)
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


@pytest.mark.wide
def test_p5_an_edited_record_decides_about_no_floor(world: Retained) -> None:
    world.vault.transcript("anna", FREE).records("notes").put("n", 1)
    forge(world, records, role="assistant")
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


@pytest.mark.wide
@pytest.mark.parametrize("state", [State.GONE, State.HIDDEN, State.CLOSED])
@pytest.mark.parametrize("table", [sessions, users], ids=str)
def test_p5_a_session_that_is_marked_as_gone_is_asked_about_floors(
    world: Retained, table: Table, state: State
) -> None:
    say(world, BILLING, "user")
    forge(world, table, state=int(state))
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


@pytest.mark.wide
def test_p5_a_session_that_was_given_to_another_user_is_asked_about_floors(world: Retained) -> None:
    say(world, BILLING, "user")
    world.say("ben", FREE)
    with connected(world.databases.transcripts) as connection:
        [ben] = connection.execute(sessions.select().where(sessions.c.id == 2)).all()
        connection.execute(update(sessions).where(sessions.c.id == 1).values(user_id=ben.user_id))
        connection.commit()
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


@pytest.mark.wide
@pytest.mark.parametrize("column", ["id", "node"])
def test_p5_sessions_whose_user_has_another_row_are_asked_about_floors(world: Retained, column: str) -> None:
    say(world, BILLING, "user")
    with connected(world.databases.transcripts) as connection:
        connection.exec_driver_sql(UNTIED[world.databases.dialect])
        to = 7 if column == "id" else os.urandom(16)
        connection.execute(update(users).values({column: to}))
        connection.commit()
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna", now=True)


@pytest.mark.wide
def test_control_what_nobody_edited_is_kept_or_goes(world: Retained) -> None:
    say(world, FREE, "user", "user")
    world.vault.transcript("anna", FREE).records("notes").put("n", 1)
    world.hold("anna")
    world.vault.transcript("anna", FREE).delete()  # hidden: a floor is not for it
    world.release()
    say(world, BILLING, "user")
    with pytest.raises(FlooredError, match="billing"):
        world.vault.forget_user("anna")
    world.clock.now += 40 * DAY
    world.vault.forget_user("anna", now=True)
    assert not world.databases.dump(world.databases.transcripts)["messages"]


@pytest.mark.wide
def test_control_what_is_hidden_keeps_nobody_from_asking(world: Retained) -> None:
    say(world, FREE, "user")
    world.hold("anna", FREE)
    world.vault.transcript("anna", FREE).delete()
    say(world, BILLING, "user")
    with pytest.raises(FlooredError, match="billing"):
        world.vault.forget_session("anna", BILLING)


GONE: list[Callable[[Connection], object]] = [
    lambda connection: connection.execute(delete(messages)),
    lambda connection: connection.execute(delete(messages).where(messages.c.role == "assistant")),
    lambda connection: connection.execute(update(messages).values(session_id=messages.c.session_id + 100)),
]


@pytest.mark.wide
@pytest.mark.parametrize("edit", GONE, ids=["all", "what is kept longest", "elsewhere"])
@pytest.mark.parametrize("session", [None, BILLING])
def test_p5_who_deletes_what_a_floor_keeps_ends_no_floor(
    world: Retained, session: str | None, edit: Callable[[Connection], object]
) -> None:
    for one in (FREE, BILLING):
        say(world, one, "user", "assistant", "user", "assistant")
    forget = (
        world.vault.forget_user
        if session is None
        else partial(world.vault.forget_session, session_id=BILLING)
    )
    asked = forget("anna", except_floors=True)
    before = world.databases.dump(world.databases.transcripts)["messages"]
    with connected(world.databases.transcripts) as connection:
        connection.exec_driver_sql(UNTIED[world.databases.dialect])
        edit(connection)
        connection.commit()
    assert world.databases.dump(world.databases.transcripts)["messages"] != before
    world.clock.now += 35 * DAY
    with world.open() as later:
        assert later.carry_out_due() == []
        assert len(later.queued()) == 1
    world.clock.now += 6 * DAY
    with world.open() as later:
        assert [one.id for one in later.carry_out_due()] == [asked.id]


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, BILLING])
def test_control_what_retention_took_keeps_no_request_waiting(world: Retained, session: str | None) -> None:
    say(world, FREE, "assistant")
    say(world, BILLING, "user", "user")
    forget = (
        world.vault.forget_user
        if session is None
        else partial(world.vault.forget_session, session_id=BILLING)
    )
    asked = forget("anna", except_floors=True)
    world.under(LAW.replace("at_least: 30d, at_most: 60d", "at_most: 1d").replace("at_least: 40d, ", ""))
    world.clock.now += 5 * DAY
    assert world.vault.purge().messages == 2
    assert [one.id for one in world.vault.carry_out_due()] == [asked.id]


@pytest.mark.wide
def test_p5_a_request_that_meets_an_edited_row_stops_no_other(world: Retained) -> None:
    for user in ("anna", "ben"):
        world.say(user, BILLING)
        world.vault.forget_user(user, except_floors=True)
    forge(world, sessions, namespace="")
    [at] = [one.until for one in world.vault.queued() if one.user_id == "anna"]
    assert at is not None
    with connected(world.databases.transcripts) as connection:
        connection.execute(update(sessions).where(sessions.c.id == 2).values(namespace="support/eu"))
        connection.commit()
    world.clock.now += 90 * DAY
    with world.open() as later:
        with pytest.raises(TamperedError, match=NAMED):
            later.carry_out_due()
        assert [one.user_id for one in later.queued()] == ["anna"]


@pytest.mark.wide
@pytest.mark.parametrize("is_restored", [False, True], ids=["deleted", "restored"])
@pytest.mark.parametrize("is_more", [False, True], ids=["less", "more"])
def test_p5_who_asks_for_more_or_less_than_a_request_that_waits_takes_nothing_that_it_waits_for(
    world: Retained, *, is_restored: bool, is_more: bool
) -> None:
    def forget(*, is_first: bool, **how: Any) -> object:
        if is_first != is_more:
            return world.vault.forget_user("anna", **how)
        return world.vault.forget_session("anna", BILLING, **how)

    say(world, FREE, "user")
    older = world.databases.copy_of(world.databases.transcripts)
    say(world, BILLING, "user")
    world.snapshot()
    forget(is_first=True, except_floors=True)
    if is_restored:
        world.vault.close()
        world.databases.restore(older, world.databases.transcripts)
        world.vault = world.open()
    else:
        with connected(world.databases.transcripts) as connection:
            connection.execute(delete(messages).where(messages.c.session_id == 2))
            connection.commit()
    with pytest.raises(FlooredError, match="until 2026-10-22 00:00 UTC, and that are not here"):
        forget(is_first=False)
    forget(is_first=False, except_floors=True, now=True)
    assert world.vault.carry_out_due() == []
    kept = world.said[1].text
    assert kept in opened(world)
    world.clock.now += 31 * DAY
    assert world.vault.carry_out_due()
    world.vault.destroy_due(now=True)
    assert world.vault.queued() == []
    assert kept not in opened(world)


def opened(world: Retained) -> set[str]:
    thief = world.attacker()
    thief.take_keyrings([world.databases.dump(world.databases.keyring)])
    return thief.read(world.transcripts[0])
