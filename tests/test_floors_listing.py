"""P5, P7: what only a floor keeps is forgotten to everybody who lists, exports, drills or restores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from faces import DAY
from retained import Retained
from test_floors_parting import LAW

from vault import Vault
from vault.errors import SessionForgottenError, UserForgottenError


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    made.follow(LAW)
    yield made
    made.vault.close()


@pytest.fixture
def backup(world: Retained, tmp_path: Path) -> Path:
    """Say something that a floor keeps as a whole, in part, and not at all; back it up, then forget."""
    for user in ("anna", "ben"):
        world.say(user, "whole", "tool")
        world.say(user, "part", "tool")
        world.say(user, "part")
        world.say(user, "free")
    world.vault.backup(tmp_path / "before")
    world.vault.forget_user("ben", except_floors=True)
    world.vault.forget_session("anna", "whole", except_floors=True)
    return tmp_path / "before"


def names(vault: Vault, user: str) -> list[str]:
    return [one.session_id for one in vault.sessions(user)]


@pytest.mark.wide
@pytest.mark.usefixtures("backup")
def test_p7_what_only_a_floor_keeps_is_on_no_list(world: Retained) -> None:
    with world.open() as other:
        for vault in (world.vault, other):
            assert list(vault.users()) == ["anna"]
            assert names(vault, "anna") == ["part", "free"]
            with pytest.raises(UserForgottenError):
                vault.sessions("ben")


@pytest.mark.wide
@pytest.mark.usefixtures("backup")
def test_p7_who_has_a_session_that_only_a_floor_keeps_can_have_their_data(
    world: Retained, tmp_path: Path
) -> None:
    done = world.vault.export("anna", to=tmp_path / "anna.jsonl")
    assert (done.sessions, done.messages) == (2, 3)
    done = world.vault.export(to=tmp_path / "all.jsonl")
    assert (done.users, done.sessions, done.messages, done.left) == (1, 2, 3, 0)
    lines = (tmp_path / "all.jsonl").read_text().splitlines()
    said = {(one["user_id"], one["session_id"]) for one in map(json.loads, lines)}
    assert said == {("anna", "part"), ("anna", "free")}


@pytest.mark.wide
@pytest.mark.usefixtures("backup")
def test_p5_a_drill_reads_what_lives_where_floors_keep_other_things(world: Retained, tmp_path: Path) -> None:
    world.vault.backup(tmp_path / "since")
    for backup in ("before", "since"):
        found = Vault.drill(tmp_path / backup, root=f"file:{world.root}", sample=None, clock=world.clock)
        assert (found.sessions_read, found.messages_read) == (2, 3)


@pytest.mark.wide
def test_p5_older_transcripts_open_nothing_to_the_app_that_only_a_floor_keeps(
    world: Retained, backup: Path
) -> None:
    world.vault.close()
    url, root = world.databases.transcripts, f"file:{world.root}"
    Vault.restore(
        backup,
        url,
        keyring=world.databases.keyring,
        root=root,
        replace=["transcripts"],
        clock=world.clock,
    )
    world.vault = world.open()
    for user, error in (("anna", SessionForgottenError), ("ben", UserForgottenError)):
        with pytest.raises(error):
            world.vault.transcript(user, "whole").messages()
    assert names(world.vault, "anna") == ["part", "free"]
    world.clock.now += 40 * DAY
    assert {one.kind for one in world.vault.carry_out_due()} == {"forget-user", "forget-session"}
    assert world.vault.queued() == []


@pytest.mark.wide
@pytest.mark.usefixtures("backup")
def test_p7_a_session_that_only_a_floor_keeps_can_not_start_anew(world: Retained) -> None:
    with pytest.raises(SessionForgottenError):
        world.vault.enroll("anna", "whole")
    world.clock.now += 40 * DAY
    world.vault.carry_out_due()
    world.vault.enroll("anna", "whole")
    world.vault.transcript("anna", "whole").append("user", "anew")
