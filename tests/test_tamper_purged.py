"""P2: nobody passes a living message off as purged, by standing it in what was lawfully erased before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from vault.crypto.tree import Kind
from vault.errors import TamperedError
from vault.storage.schema import State, chapters, epochs, messages, nodes

BACK = {"state": int(State.CLOSED)}
NAMED = r": sessions\.id \d+ of the transcripts$"


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    made.say("anna", "s-1")
    made.say("anna", "s-1", "assistant")
    made.say("carl", "s-1")
    made.snapshot()
    yield made
    made.vault.close()


def pass_time(world: Retained) -> dict[str, list[dict[str, Any]]]:
    """Let the first day be purged and another begin; give what a thief has copied before."""
    with connected(world.databases.transcripts) as connection:
        old = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in (epochs, chapters, messages)
        }
    world.clock.now += 10 * DAY
    world.purge()
    for _ in range(3):
        for user in ("anna", "ben"):
            world.say(user, "s-1")
    return old


def put_back(connection: Connection, table: Table, row: dict[str, Any], **others: object) -> None:
    """Insert an old row anew, unless nobody has swept it away."""
    values = {**row, **others}
    if not connection.execute(update(table).where(table.c.id == values["id"]).values(values)).rowcount:
        connection.execute(insert(table).values(values))


def move(connection: Connection, session: int, seq: int, chapter: int, at: int) -> None:
    """Stand a message in another chapter."""
    where = messages.c.session_id == session, messages.c.seq == seq
    values = {"chapter_id": chapter, "created_at": at}
    assert connection.execute(update(messages).where(*where).values(values)).rowcount == 1


def is_noticed(world: Retained, user: str, *, is_due: bool = True) -> None:
    """Who reads hears of it; who purges, too, or has nothing to take; the message and its ledger stay."""
    before = world.databases.dump(world.databases.transcripts)
    for _ in range(2):
        chat = world.vault.transcript(user, "s-1")
        for last in (None, 2):
            with pytest.raises(TamperedError):
                chat.messages(last=last)
        with pytest.raises(TamperedError, match=NAMED) if is_due else suppress(TamperedError):
            world.vault.purge()
        world.vault.close()
        world.vault = world.open()
    after = world.databases.dump(world.databases.transcripts)
    assert (after["messages"], after["sessions"]) == (before["messages"], before["sessions"])


def session_of(connection: Connection, seqs: int) -> int:
    """Give the session's row that has so many messages: ben's has all of his three from the first on."""
    query = select(messages.c.session_id).where(messages.c.seq == seqs)
    return int(connection.execute(query).scalars().one())


@pytest.mark.wide
@pytest.mark.parametrize("is_held", [False, True], ids=["free", "held"])
@pytest.mark.parametrize("seal", ["of another's", "of the living one"])
def test_p2_p5_a_message_in_an_invented_chapter_of_a_purged_day_is_stolen(
    world: Retained, seal: str, *, is_held: bool
) -> None:
    old = pass_time(world)
    if is_held:
        world.hold("ben")
    with connected(world.databases.transcripts) as thief:
        ben = session_of(thief, 0)
        [living] = thief.execute(select(chapters).where(chapters.c.session_id == ben)).mappings()
        put_back(thief, epochs, old["epochs"][0], **BACK)
        near = old["chapters"][0] if seal == "of another's" else living
        invented = {**near, "id": 99, "session_id": ben, "epoch_id": old["epochs"][0]["id"], **BACK}
        thief.execute(insert(chapters).values(invented))
        move(thief, ben, 1, 99, old["messages"][0]["created_at"])
    is_noticed(world, "ben")


@pytest.mark.wide
@pytest.mark.parametrize("state", [State.LIVE, State.CLOSED, State.GONE])
def test_p2_a_session_that_is_stood_in_a_purged_day_is_stolen(world: Retained, state: State) -> None:
    old = pass_time(world)
    with connected(world.databases.transcripts) as thief:
        ben = session_of(thief, 0)
        put_back(thief, epochs, old["epochs"][0], state=int(state))
        at = old["messages"][0]["created_at"]
        thief.execute(update(messages).where(messages.c.session_id == ben).values(created_at=at))
        moved = {"epoch_id": old["epochs"][0]["id"]}
        thief.execute(update(chapters).where(chapters.c.session_id == ben).values(moved))
    is_noticed(world, "ben")


@pytest.mark.wide
@pytest.mark.parametrize("is_held", [False, True], ids=["free", "held"])
@pytest.mark.parametrize("state", [State.LIVE, State.CLOSED, State.GONE])
def test_p2_p5_a_message_in_a_true_chapter_that_the_ledger_says_is_emptied_is_stolen(
    world: Retained, state: State, *, is_held: bool
) -> None:
    old = pass_time(world)
    if is_held:
        world.hold("anna")
    with connected(world.databases.transcripts) as thief:
        anna = session_of(thief, 4)
        put_back(thief, epochs, old["epochs"][0], state=int(state))
        mine = next(row for row in old["chapters"] if row["session_id"] == anna)
        put_back(thief, chapters, mine, state=int(state))
        move(thief, anna, 3, mine["id"], old["messages"][0]["created_at"])
    is_noticed(world, "anna", is_due=not (is_held and state == State.LIVE))


@pytest.mark.wide
def test_an_older_copy_with_its_older_ledger_reads_as_purged_and_is_purged_again(world: Retained) -> None:
    older = world.databases.copy_of(world.databases.transcripts)
    pass_time(world)
    world.vault.close()
    world.databases.restore(older, world.databases.transcripts)
    world.vault = world.open()
    said = world.vault.transcript("anna", "s-1")
    for left in (2, 0):
        found = said.messages()
        assert ([*found], found.purged) == ([], 2)
        with connected(world.databases.transcripts) as connection:
            count = select(func.count()).select_from(messages).where(messages.c.session_id == 1)
            assert connection.execute(count).scalar_one() == left
        world.vault.purge()
    said.append("user", "once more")
    assert [one.seq for one in said.messages()] == [2]


@pytest.mark.wide
def test_p2_p5_a_key_that_is_taken_from_what_outlived_its_day_is_a_theft_and_no_purge(
    world: Retained,
) -> None:
    kept = world.say("ben", "s-1")
    world.hold("ben")
    world.clock.now += 30 * DAY
    world.vault.purge()
    assert kept.text in [one.content for one in world.vault.transcript("ben", "s-1").messages()]
    with connected(world.databases.keyring) as connection:
        assert connection.execute(delete(nodes).where(nodes.c.kind == int(Kind.CHAPTER))).rowcount
        connection.commit()
    with world.open() as fresh, pytest.raises(TamperedError):
        fresh.transcript("ben", "s-1").messages()
