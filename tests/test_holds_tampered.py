"""P5: what somebody wrote into the transcripts takes no held message's key with a day that ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import Connection, func, select, update
from test_purging_tampered import UNTIED

from vault.errors import TamperedError
from vault.storage.schema import chapters, epochs, messages, sessions

LAW = """\
  - name: default
    keep: {at_most: 3d}
"""


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", horizon="0d")
    made.under(LAW)
    for user in ("anna", "ben", "carl"):
        made.say(user, "s-1")
    made.snapshot()
    made.clock.now += 10 * DAY
    made.say("dora", "s-1")
    made.hold("anna", "s-1")
    made.hold("ben")
    yield made
    made.vault.close()


def move_to_a_day_that_is_not_over(connection: Connection) -> None:
    later = connection.execute(select(func.max(epochs.c.id))).scalar_one()
    connection.execute(update(chapters).where(chapters.c.session_id == 1).values(epoch_id=later))


def give_to_another(connection: Connection) -> None:
    connection.execute(update(chapters).where(chapters.c.session_id == 1).values(session_id=4))


def take_its_chapter(connection: Connection) -> None:
    connection.execute(chapters.delete().where(chapters.c.session_id == 1))


def exchange(one: int, other: int) -> Callable[[Connection], None]:
    def edit(connection: Connection) -> None:
        for number, to in ((one, 99), (other, one), (99, other)):
            connection.execute(update(sessions).where(sessions.c.id == number).values(id=to))

    return edit


def edit_row(**values: object) -> Callable[[Connection], None]:
    def edit(connection: Connection) -> None:
        connection.execute(update(sessions).where(sessions.c.id == 1).values(values))

    return edit


EDITS: dict[str, Callable[[Connection], None]] = {
    "another day": move_to_a_day_that_is_not_over,
    "another's chapter": give_to_another,
    "no chapter": take_its_chapter,
    "two that are held": exchange(1, 2),
    "one that is not held": exchange(1, 3),
    "one that is not due": exchange(1, 4),
    "gone": edit_row(state=1),
    "another's": edit_row(user_id=4),
}


NOTICED_ANYWAY = {"one that is not held", "one that is not due", "gone", "another's"}


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(edit, id=name, marks=[pytest.mark.wide] if name in NOTICED_ANYWAY else [])
        for name, edit in EDITS.items()
    ],
)
def test_p5_who_edits_the_rows_of_what_is_held_ends_no_hold(
    world: Retained, edit: Callable[[Connection], None]
) -> None:
    held = {one.text for one in world.said if one.user in {"anna", "ben"}}
    before = world.databases.copy_of(world.databases.transcripts)
    with connected(world.databases.transcripts) as connection:
        connection.exec_driver_sql(UNTIED[world.databases.dialect])
        edit(connection)
        connection.commit()
    for _ in range(2):
        with pytest.raises(TamperedError), world.open() as later:
            later.purge()
    thief = world.attacker()
    thief.take_keyrings([world.databases.dump(world.databases.keyring)])
    assert held <= thief.read(world.transcripts[0])
    world.vault.close()
    world.databases.restore(before, world.databases.transcripts)
    world.vault = world.open()
    world.purge()
    world.check_copies()


@pytest.mark.wide
def test_p4_who_gives_what_is_due_to_a_session_that_is_held_is_found_out(world: Retained) -> None:
    with connected(world.databases.transcripts) as connection:
        connection.exec_driver_sql(UNTIED[world.databases.dialect])
        exchange(2, 3)(connection)
        connection.commit()
    with pytest.raises(TamperedError):
        world.vault.purge()


@pytest.mark.wide
def test_control_what_nobody_edited_is_kept_while_it_is_held(world: Retained) -> None:
    world.vault.transcript("ben", "s-1").clear()  # hidden
    assert world.vault.purge().messages == 1
    assert len(world.databases.dump(world.databases.transcripts)["messages"]) == 3
    world.release()
    world.vault.carry_out_due()
    world.vault.purge()
    with connected(world.databases.transcripts) as connection:
        assert connection.execute(select(func.count()).select_from(messages)).scalar_one() == 1
