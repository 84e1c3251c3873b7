"""Restored transcripts without some rows, lost or stolen, and backups that are not what they say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import backups
import pytest
from backups import Place, everything, file_sums, read, say
from databases import connected
from sqlalchemy import delete, func, select, update

from vault.errors import ConfigError, KeyringOutdatedError, SchemaError, TamperedError, UserForgottenError
from vault.storage import schema

home, backup, elsewhere = backups.home, backups.backup, backups.elsewhere


# -- what began since, and what was stolen ---------------------------------------------------------------


@pytest.mark.wide
def test_p7_what_began_after_restored_transcripts_is_empty_and_goes_on(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup / "old")
        say(vault, "u-1", "s-1", "b")
        say(vault, "u-1", "s-2", "c")
        vault.transcript("u-2", "s-1", namespace="support").append("user", "d")
        vault.backup(backup / "young")
    assert home.restore(backup / "old", replace=["transcripts"]).lost == 2
    with home.open() as vault:
        assert everything(vault) == {("u-1", "s-1"): ["a"]}
        assert (read(vault, "u-1", "s-2"), read(vault, "u-2", "s-1"), vault.sessions("u-2")) == ([], [], [])
        say(vault, "u-2", "s-9", "e")
        vault.transcript("u-1", "s-2", namespace="sales").append("user", "f")
        assert everything(vault) == {
            ("u-1", "s-1"): ["a"],
            ("u-1", "s-2"): ["f"],
            ("u-2", "s-9"): ["e"],
        }
        assert {one.session_id: one.namespace for one in vault.sessions("u-1")} == {"s-1": "", "s-2": "sales"}
        say(vault, "u-2", "s-1", "g")
        vault.forget_session("u-2", "s-9")
        assert read(vault, "u-2", "s-1") == ["g"]
    # No key was destroyed for it, so what a younger backup has can still be read.
    assert home.restore(backup / "young", replace=["transcripts"]).lost == 0
    with home.open() as vault:
        assert read(vault, "u-1", "s-1") == ["a", "b"]
        assert read(vault, "u-1", "s-2") == ["c"]
        assert vault.sessions("u-2")[0].namespace == "support"


@pytest.mark.wide
def test_p3_a_lost_session_can_be_forgotten(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
        say(vault, "u-1", "s-2", "secret")
        say(vault, "u-2", "s-1", "secret too")
        copies = [home.dumps()]
    home.restore(backup, replace=["transcripts"])
    with home.open() as vault:
        vault.forget_session("u-1", "s-2")
        vault.forget_user("u-2", now=True)
        assert everything(vault) == {("u-1", "s-1"): ["a"]}
        with pytest.raises(UserForgottenError):
            say(vault, "u-2", "s-1", "back")
    copies.append(home.dumps())
    assert home.stolen(copies) == {"a"}


@pytest.mark.wide
def test_p2_a_row_that_was_stolen_before_the_backup_is_not_taken_for_a_lost_one(
    home: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        say(vault, "u-1", "s-2", "b")
    with connected(home.databases.transcripts) as connection:
        stolen = connection.execute(select(func.max(schema.sessions.c.id))).scalar_one()
        for table in (schema.messages, schema.chapters):
            connection.execute(delete(table).where(table.c.session_id == stolen))
        connection.execute(delete(schema.sessions).where(schema.sessions.c.id == stolen))
    with home.open() as vault:
        vault.backup(backup)
    for replaced in (["transcripts"], ["transcripts", "keyring"]):
        restored = home.restore(backup, replace=replaced)
        assert (restored.lost, restored.missing) == (0, 1)
        with home.open() as vault, pytest.raises(TamperedError):
            read(vault, "u-1", "s-2")


@pytest.mark.wide
def test_p2_nobody_without_the_key_can_make_a_session_look_lost(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        say(vault, "u-2", "s-1", "b")
        vault.backup(backup)
        say(vault, "u-3", "s-1", "c")
    home.restore(backup, replace=["transcripts"])
    sessions = schema.sessions.c
    with connected(home.databases.transcripts) as connection:
        living, _, nameless = connection.execute(select(schema.sessions).order_by(sessions.id)).all()
        forged = update(schema.sessions).values(name=nameless.name, profile=nameless.profile)
        connection.execute(forged.where(sessions.id == living.id))
    with home.open() as vault, pytest.raises(TamperedError):
        read(vault, "u-1", "s-1")


@pytest.mark.wide
def test_p2_a_session_that_came_back_can_not_be_made_to_look_lost_again(home: Place, backup: Path) -> None:
    def rows() -> list[Any]:
        with connected(home.databases.transcripts) as connection:
            found: list[Any] = []
            for table in (schema.users, schema.sessions):
                found += [(table, row) for row in connection.execute(select(table).order_by(table.c.id))]
            return found

    with home.open() as vault:
        vault.backup(backup)
        say(vault, "u-1", "s-1", "a")
    home.restore(backup, replace=["transcripts"])
    nameless = rows()
    with home.open() as vault:
        assert list(vault.users()) == []
        say(vault, "u-1", "s-1", "b")
        assert list(vault.users()) == ["u-1"]
    for table, row in nameless:
        [named] = [one for of, one in rows() if of is table]
        with connected(home.databases.transcripts) as connection:
            connection.execute(update(table).values(row._asdict()))
        with home.open() as vault, pytest.raises(TamperedError):
            list(vault.users()) if table is schema.users else read(vault, "u-1", "s-1")
        with connected(home.databases.transcripts) as connection:
            connection.execute(update(table).values(named._asdict()))
    with home.open() as vault:
        assert everything(vault) == {("u-1", "s-1"): ["b"]}


@pytest.mark.wide
def test_p7_what_a_restored_keyring_does_not_open_is_counted_and_refused(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
        say(vault, "u-1", "s-2", "b")
        say(vault, "u-2", "s-1", "c")
    assert home.restore(backup, replace=["keyring"]).unreadable == 2
    with home.open() as vault:
        assert read(vault, "u-1", "s-1") == ["a"]
        for user, session in (("u-1", "s-2"), ("u-2", "s-1")):
            with pytest.raises(KeyringOutdatedError):
                read(vault, user, session)


# -- backups that are not what they say ------------------------------------------------------------------


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def forge(backup: Path) -> None:
    """Leave a user out, and make the sums anew: what a thief can do who has no key."""
    with connected(f"sqlite:///{backup}/keyring.db") as connection:
        connection.execute(delete(schema.tombstones))
    said = json.loads((backup / "manifest.json").read_bytes())
    said["keyring"]["sha256"] = file_sums(backup)["keyring.db"]
    said["keyring"]["size"] = (backup / "keyring.db").stat().st_size
    said["keyring"]["rows"]["tombstones"] = 0
    (backup / "manifest.json").write_text(json.dumps(said))


DAMAGES: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "a bit of the transcripts": (lambda backup: flip(backup / "transcripts.db"), TamperedError),
    "a bit of the keyring": (lambda backup: flip(backup / "keyring.db"), TamperedError),
    "no keyring": (lambda backup: (backup / "keyring.db").unlink(), TamperedError),
    "a manifest that is cut off": (lambda backup: (backup / "manifest.json").write_text("{"), TamperedError),
    "a manifest of another kind": (lambda backup: (backup / "manifest.json").write_text("{}"), TamperedError),
    "a forged keyring": (forge, TamperedError),
    "a pipe for a manifest": (lambda backup: pipe(backup / "manifest.json"), TamperedError),
    "a pipe for a database": (lambda backup: pipe(backup / "transcripts.db"), TamperedError),
    "no manifest": (lambda backup: (backup / "manifest.json").unlink(), ConfigError),
    "a newer form": (
        lambda backup: (backup / "manifest.json").write_text('{"format": "transcript-vault backup 9"}'),
        SchemaError,
    ),
    "an older schema": (
        lambda backup: (backup / "manifest.json").write_text(
            (backup / "manifest.json").read_text().replace('"k0001"', '"k0000"')
        ),
        SchemaError,
    ),
    "a newer schema": (
        lambda backup: (backup / "manifest.json").write_text(
            (backup / "manifest.json").read_text().replace('"t0001"', '"t9999"')
        ),
        SchemaError,
    ),
}


@pytest.mark.wide
@pytest.mark.timeout(30)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p2_a_backup_that_was_changed_is_refused_before_anything_is(
    home: Place, elsewhere: Place, backup: Path, damage: str
) -> None:
    act, expected = DAMAGES[damage]
    with home.open() as vault:
        say(vault, "u-1", "s-1", "the-text")
        say(vault, "u-2", "s-1", "a")
        vault.forget_user("u-2")
        vault.backup(backup)
    act(backup)
    before, root = home.dumps(), home.root.read_bytes()
    for attempt in (
        lambda: home.restore(backup, replace=["transcripts"]),
        lambda: home.restore(backup, replace=["transcripts", "keyring"]),
        lambda: elsewhere.restore(backup),
        lambda: home.drill(backup),
    ):
        with pytest.raises(expected) as caught:
            attempt()
        assert "u-1" not in str(caught.value)
        assert "the-text" not in str(caught.value)
    assert (home.dumps(), home.root.read_bytes()) == (before, root)
    assert elsewhere.databases.dump(elsewhere.databases.transcripts) == {}
