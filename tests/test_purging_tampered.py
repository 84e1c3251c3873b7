"""P4, P2: whoever may write into the transcripts can't keep a key from dying without a purge saying so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import Column, delete, select, update

from vault.errors import KeyringOutdatedError, TamperedError
from vault.storage.schema import State, chapters, epochs, nodes, sessions, users

SUPPORT = "s-2"  # a class without epochs, where the rules are by session


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", rules="by session")
    for user in ("anna", "ben"):
        for session in ("s-1", SUPPORT):
            made.say(user, session)
    made.snapshot()
    yield made
    made.vault.close()


def forge(world: Retained, column: Column[object], to: object, *, is_last: bool = False) -> None:
    """Edit one row of a table: the first or the last one that has a key of its own to lose."""
    table = column.table
    with connected(world.databases.transcripts) as connection:
        found = connection.execute(select(table.c.id).where(table.c.node.is_not(None)).order_by(table.c.id))
        ids = found.scalars().all()
        at = ids[-1] if is_last else ids[0]
        connection.execute(update(table).where(table.c.id == at).values({column: to}))
        connection.commit()


GONE, HIDDEN, CLOSED = int(State.GONE), int(State.HIDDEN), int(State.CLOSED)
NOWHERE = bytes(range(16))


@pytest.mark.parametrize(
    ("column", "to"),
    [
        (users.c.state, GONE),
        (users.c.state, HIDDEN),
        (users.c.state, CLOSED),
        (users.c.slot, NOWHERE),
        (sessions.c.state, GONE),
        (sessions.c.state, CLOSED),
        (sessions.c.slot, NOWHERE),
        (epochs.c.state, GONE),
        (epochs.c.state, HIDDEN),
        (epochs.c.anchor, 99_999),
        (chapters.c.state, GONE),
        (chapters.c.state, HIDDEN),
        (chapters.c.node, None),
    ],
    ids=lambda value: str(value).replace(".", "-"),
)
@pytest.mark.parametrize(
    "is_last", [pytest.param(False, id="first"), pytest.param(True, id="last", marks=pytest.mark.wide)]
)
def test_p4_p2_a_row_that_keeps_a_key_alive_is_noticed_by_the_purge(
    world: Retained, column: Column[object], to: object, *, is_last: bool
) -> None:
    world.clock.now += 30 * DAY
    forge(world, column, to, is_last=is_last)
    if is_last:
        world.vault.close()
        world.vault = world.open()
    with pytest.raises(TamperedError):
        world.vault.purge()


@pytest.mark.wide
@pytest.mark.parametrize("session", ["s-1", SUPPORT])
@pytest.mark.parametrize("held", [None, "ben"])
@pytest.mark.parametrize("how", ["moved", "taken", "user's moved"])
def test_p4_p2_a_session_whose_key_is_not_in_its_place_is_noticed_by_the_purge(
    world: Retained, session: str, held: str | None, how: str
) -> None:
    if held is not None:
        world.hold(held)
    node = world.node("anna") if how == "user's moved" else world.node("anna", session)
    with connected(world.databases.keyring) as connection:
        here = nodes.c.id == node
        [old] = connection.execute(select(nodes.c.slot).where(here)).scalars()
        to = delete(nodes) if how == "taken" else update(nodes).values(slot=old[:1] + NOWHERE)
        assert connection.execute(to.where(here)).rowcount == 1
        connection.commit()
    world.clock.now += 30 * DAY
    with pytest.raises(KeyringOutdatedError if how == "taken" else TamperedError):
        world.vault.purge()


UNTIED = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET session_replication_role = replica",
    "mariadb": "SET foreign_key_checks = 0",
}


@pytest.mark.parametrize("which", ["first", "last"])
def test_p4_p2_an_epoch_whose_row_is_taken_from_under_its_chapters_is_noticed_by_the_purge(
    world: Retained, which: str
) -> None:
    world.clock.now += DAY
    world.say("anna", "s-1")
    world.clock.now += 29 * DAY
    with connected(world.databases.transcripts) as connection:
        connection.exec_driver_sql(UNTIED[world.databases.dialect])
        ids = connection.execute(select(epochs.c.id).order_by(epochs.c.id)).scalars().all()
        connection.execute(delete(epochs).where(epochs.c.id == ids[0 if which == "first" else -1]))
        connection.commit()
    with pytest.raises(TamperedError):
        world.vault.purge()


def test_p4_what_nobody_touched_is_erased_all_the_same(world: Retained) -> None:
    world.clock.now += 30 * DAY
    forge(world, chapters.c.state, GONE)
    with pytest.raises(TamperedError):
        world.vault.purge()
    [kept] = [one for one in world.said if (one.user, one.session) == ("anna", SUPPORT)]
    world.purged = [one for one in world.said if one != kept]
    world.said = []
    world.check_copies()


def test_p4_a_keyring_from_before_a_session_began_does_not_pass_for_one_that_erased_its_day(
    world: Retained,
) -> None:
    older = world.databases.copy_of(world.databases.keyring)
    world.say("carl", "s-1")
    world.vault.close()
    world.databases.restore(older, world.databases.keyring)
    world.vault = world.open()
    world.vault.adopt()
    world.clock.now += 30 * DAY
    for _ in range(2):
        with pytest.raises(KeyringOutdatedError, match="sessions: 1"):
            world.vault.purge()


def test_control_an_untouched_vault_is_purged(world: Retained) -> None:
    world.clock.now += 30 * DAY
    assert world.purge().messages == len(world.purged) == 4
    world.check_copies()
