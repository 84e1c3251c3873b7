"""P8: a crash while a user is forgotten except for floors leaves nothing half done, nor while that ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from crash_child import Act, Place
from databases import Databases, Sqlite
from soundness import check_sound
from test_crash import Scene, Script, Story, play, scene

from vault import Vault
from vault.errors import FlooredError, UserForgottenError
from vault.keys.ring import Keyring

RULES = """\
version: 1
policy: law
limits: {max_fraction: 100%}
classes:
  - name: receipts
    match: {role: tool}
    keep: {at_least: 30d}
  - name: default
    keep: {at_most: 1y}
"""
PEOPLE: tuple[Act, ...] = (
    ("say", "anna", "s-1", "tool", "a receipt"),
    ("say", "anna", "s-1", "user", "beside it"),
    ("say", "anna", "s-2", "user", "elsewhere"),
    ("say", "ben", "s-1", "tool", "I stay"),
)
ASK: tuple[Act, ...] = (("forget-except", "anna"),)
DUE: tuple[Act, ...] = (("due", ""),)


def read(vault: Vault, user: str, session: str) -> list[str] | None:
    try:
        return [str(one.content) for one in vault.transcript(user, session).messages()]
    except UserForgottenError:
        return None


def check(at: Scene, story: Story, *, later: bool) -> None:
    with at.place.open() as vault:
        vault.carry_out_due()
        asked = vault.queued()
        found = {name: read(vault, "anna", name) for name in ("s-1", "s-2")}
        rows = len(at.databases.dump(at.databases.transcripts)["messages"])
        if later:
            assert (asked, rows) == ([], 1)
            assert set(found.values()) == {None}
            assert [str(one.kind) for one in vault.certificates()].count("forget-user") == 1
        elif asked:
            assert found == {"s-1": None, "s-2": None}
            assert (len(asked), rows) == (1, 2)
            assert {str(one.kind) for one in vault.certificates()} == {"forget-session"}
            shown = vault.transcript("anna", "s-1").messages(include_hidden=True, purpose="an audit")
            assert [one.content for one in shown] == ["a receipt"]
        else:
            assert not {*ASK} & {*story.done}
            assert found == {"s-1": ["a receipt", "beside it"], "s-2": ["elsewhere"]}
        assert read(vault, "ben", "s-1") == ["I stay"]
        assert vault.log.verify().unfinished == 0
        assert [one.kind for one in vault.log.entries()].count("request") == (1 if later else len(asked))
        check_sound(at.databases, *at.mirrors)
        vault.transcript("late", "s-1").append("user", "I came after")


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.wide
def test_p8_the_row_of_a_session_whose_making_was_killed_accuses_nobody(
    database: Databases, tmp_path: Path
) -> None:
    file = tmp_path / "law.yaml"
    file.write_text(RULES)
    root = f"file:{tmp_path / 'root.key'}"
    place = Place(database.transcripts, database.keyring, root, policies=str(file))
    with place.open() as vault:
        vault.transcript("anna", "s-1").append("tool", "a receipt")
        with mock.patch.object(Keyring, "plant", side_effect=Killed), pytest.raises(Killed):
            vault.transcript("anna", "s-2").append("user", "nobody was told that this is there")
    with place.open() as vault:
        vault.transcript("anna", "s-2").append("user", "elsewhere")
        assert vault.footprint("anna").kept == 1
        with pytest.raises(FlooredError):
            vault.forget_user("anna")
        assert vault.forget_user("anna", except_floors=True).status == "requested"
        assert vault.carry_out_due() == []
        assert read(vault, "anna", "s-2") is None


@pytest.mark.slow
@pytest.mark.parametrize("later", [False, True])
def test_p8_a_kill_at_any_step_of_forgetting_except_floors_is_completed(
    tmp_path: Path, *, later: bool
) -> None:
    file = tmp_path / "law.yaml"
    file.write_text(RULES)
    script, number, killed = Script(PEOPLE, ASK), 0, True
    (tmp_path / "kills").mkdir()
    while killed:
        number += 1
        with scene(Sqlite(tmp_path), tmp_path / "kills" / f"{number}", script) as at:
            at = replace(at, place=replace(at.place, policies=str(file)))  # noqa: PLW2901 (the same scene)
            if later:
                assert not play(at.place, script, None).killed
                at = replace(at, place=replace(at.place, ahead=40))  # noqa: PLW2901 (the same scene)
            story = play(at.place, Script((), DUE) if later else script, number)
            killed = story.killed
            try:
                check(at, story, later=later)
            except BaseException as error:
                error.add_note(f"killed at step {number}")
                raise
    assert number > 10
