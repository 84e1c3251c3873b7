"""P5, P2: what somebody wrote into the transcripts makes no floor appear or vanish."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import Table, update
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


def test_p5_an_edited_record_decides_about_no_floor(world: Retained) -> None:
    world.vault.transcript("anna", FREE).records("notes").put("n", 1)
    forge(world, records, role="assistant")
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


@pytest.mark.parametrize("state", [State.GONE, State.HIDDEN, State.CLOSED])
@pytest.mark.parametrize("table", [sessions, users], ids=str)
def test_p5_a_session_that_is_marked_as_gone_is_asked_about_floors(
    world: Retained, table: Table, state: State
) -> None:
    say(world, BILLING, "user")
    forge(world, table, state=int(state))
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


def test_p5_a_session_that_was_given_to_another_user_is_asked_about_floors(world: Retained) -> None:
    say(world, BILLING, "user")
    world.say("ben", FREE)
    with connected(world.databases.transcripts) as connection:
        [ben] = connection.execute(sessions.select().where(sessions.c.id == 2)).all()
        connection.execute(update(sessions).where(sessions.c.id == 1).values(user_id=ben.user_id))
        connection.commit()
    with pytest.raises(TamperedError, match=NAMED):
        world.vault.forget_user("anna")


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


def test_control_what_is_hidden_keeps_nobody_from_asking(world: Retained) -> None:
    say(world, FREE, "user")
    world.hold("anna", FREE)
    world.vault.transcript("anna", FREE).delete()
    say(world, BILLING, "user")
    with pytest.raises(FlooredError, match="billing"):
        world.vault.forget_session("anna", BILLING)


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
