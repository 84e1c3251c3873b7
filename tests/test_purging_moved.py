"""P2: a living message that somebody moves to where a purge takes everything is noticed, and stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases, connected
from faces import DAY
from retained import Retained
from sqlalchemy import select, update

from vault.errors import TamperedError
from vault.retention import purging, whole
from vault.storage.schema import messages

ROLES = ("user", "assistant", "user", "assistant", "user")


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    for _ in range(2):
        for user in ("anna", "ben"):
            for role in ROLES:
                made.say(user, "s-1", role)
        made.clock.now += 8 * DAY
    yield made
    made.vault.close()


def move(world: Retained, *seqs: int) -> None:
    """Put rows of the second day beside the last one of the first, dates and all."""
    old = messages.c.session_id == 1, messages.c.seq == len(ROLES) - 1
    with connected(world.databases.transcripts) as connection:
        [there] = connection.execute(select(messages.c.chapter_id, messages.c.created_at).where(*old))
        for seq in seqs:
            where = messages.c.session_id == 1, messages.c.seq == seq
            values = {"chapter_id": there.chapter_id, "created_at": there.created_at}
            assert connection.execute(update(messages).where(*where).values(values)).rowcount == 1
        connection.commit()


def is_noticed(world: Retained) -> bool:
    """Purge; say whether nothing of the session went."""
    before = world.databases.dump(world.databases.transcripts)["messages"]
    with pytest.raises(TamperedError, match=r"sessions\.id 1 of the transcripts"):
        world.vault.purge()
    left = world.databases.dump(world.databases.transcripts)["messages"]
    return [row for row in left if row[0] == 1] == [row for row in before if row[0] == 1]


@pytest.mark.parametrize("seqs", [[5], [9], [6, 7, 8]], ids=["first", "last", "some"])
def test_p2_what_is_moved_to_a_chapter_that_goes_as_a_whole_is_noticed(
    world: Retained, seqs: list[int]
) -> None:
    move(world, *seqs)
    assert is_noticed(world)


@pytest.mark.parametrize("how", ["a record", "a hold beside", "bit by bit", "a part stays"])
def test_p2_what_is_moved_to_a_chapter_that_is_looked_at_closely_is_noticed(
    world: Retained, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "a record":
        world.vault.transcript("anna", "s-1").records("notes").put("n", 1)
    elif how == "a hold beside":
        world.say("anna", "s-2")
        world.hold("anna", "s-2")
    elif how == "bit by bit":
        for module in (purging, whole):
            monkeypatch.setattr(module, "ROWS", 3)
    else:
        world.edit("by session")
    move(world, 6)
    assert is_noticed(world)


def test_control_what_nobody_moved_goes(world: Retained) -> None:
    assert world.purge().messages == 2 * len(ROLES)
