"""Restoring a backup: into every database, over what is there, and after a crash on the way."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import backups
import pytest
from backups import Place, everything, moved, read, say
from databases import connected
from faces import DAY
from sqlalchemy import delete, func, select

from vault import Vault
from vault.errors import (
    ConfigError,
    GuardedError,
    KeyringCopyError,
    RootUnavailableError,
    StoreUnavailableError,
    TamperedError,
    UserForgottenError,
    WrongKeyError,
)
from vault.storage import copying, schema
from vault.transfer.restore import Restored

home, backup, elsewhere = backups.home, backups.backup, backups.elsewhere
DIALECTS = ["sqlite", "postgresql", "mariadb"]


# -- restoring -------------------------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_backup_of_any_database_is_restored_into_any_other(
    home: Place, backup: Path, dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a", "b", "c")
        vault.transcript("u-1", "s-1").append(
            "assistant", "é \N{SNOWMAN}", metadata={"k": [1, None]}, key="once"
        )
        vault.transcript("u-1", "s-1").pop()
        vault.transcript("u-1", "s-1").append("user", "e")
        vault.transcript("u-2", "s-1", namespace="support/eu").append("user", "z" * 300_000)
        say(vault, "u-3", "s-1", "gone")
        vault.forget_user("u-3")
        before, certificates = everything(vault), vault.certificates()
        made = vault.backup(backup)
    with moved(home, dialect, request, tmp_path) as there:
        restored = there.restore(backup)
        assert restored == Restored(
            created_at=made.created_at,
            filled=["transcripts", "keyring"],
            users=2,
            sessions=2,
            messages=5,
            records=0,
            erased_again=0,
            lost=0,
            unreadable=0,
            missing=0,
        )
        with there.open(create=False) as vault:
            assert everything(vault) == before
            assert vault.certificates() == certificates
            assert vault.keys_status().is_home
            assert vault.sessions("u-2")[0].namespace == "support/eu"
            with pytest.raises(UserForgottenError):
                say(vault, "u-3", "s-1", "back")
            say(vault, "u-1", "s-1", "f")
            assert [message.seq for message in vault.transcript("u-1", "s-1").messages()] == [0, 1, 2, 4, 5]
            say(vault, "u-4", "s-1", "new")
            vault.forget_user("u-1", now=True)
            assert list(vault.users()) == ["u-2", "u-4"]


@pytest.mark.wide
def test_the_original_of_a_restored_keyring_is_a_copy_from_then_on(
    home: Place, elsewhere: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
    elsewhere.restore(backup)
    with home.open() as original:
        assert read(original, "u-1", "s-1") == ["a"]
        with pytest.raises(KeyringCopyError):
            original.forget_user("u-1")
    with elsewhere.open() as vault:
        vault.forget_user("u-1")


@pytest.mark.wide
def test_a_store_with_content_is_kept_unless_it_is_named(home: Place, elsewhere: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
        say(vault, "u-1", "s-1", "b")
    before = home.dumps()
    with pytest.raises(GuardedError):
        home.restore(backup)
    with pytest.raises(ConfigError):
        home.restore(backup, replace=["root"])
    with elsewhere.open(root=f"file:{home.root}.other") as other:
        say(other, "u-1", "s-1", "of another vault")
    with pytest.raises(GuardedError):
        elsewhere.restore(backup, replace=["transcripts", "keyring"])
    assert home.dumps() == before
    assert home.restore(backup, replace=["transcripts"]).filled == ["transcripts"]
    with home.open() as vault:
        assert read(vault, "u-1", "s-1") == ["a"]
        assert vault.keys_status().is_home


@pytest.mark.wide
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_directory_is_made_again_once_its_root_is_there(home: Place, backup: Path, tmp_path: Path) -> None:
    original, there = tmp_path / "original", tmp_path / "there"
    with Vault.open(original, redactor=None) as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
    with pytest.raises(RootUnavailableError):
        Vault.restore(backup, there)
    assert not there.exists()
    with home.open() as other:
        other.users()
    with pytest.raises(WrongKeyError):
        Vault.restore(backup, there, root=f"file:{home.root}")
    assert not there.exists()
    there.mkdir()
    shutil.copy(original / "root.key", there)
    assert Vault.restore(backup, there).messages == 1
    with Vault.open(there, redactor=None, create=False) as vault:
        assert read(vault, "u-1", "s-1") == ["a"]
    with pytest.raises(ConfigError):
        Vault.restore(tmp_path, there)


@pytest.mark.wide
def test_ids_are_never_given_again_by_a_restored_vault(home: Place, elsewhere: Place, backup: Path) -> None:
    def newest(place: Place) -> list[int]:
        ids = (schema.users.c.id, schema.sessions.c.id, schema.chapters.c.id)
        with connected(place.databases.transcripts) as connection:
            return [connection.execute(select(func.max(column))).scalar_one() for column in ids]

    with home.open() as vault:
        for number in range(5):
            say(vault, f"u-{number}", "s-1", "a")
        given = newest(home)
        for number in (3, 4):
            vault.forget_user(f"u-{number}")
        vault.backup(backup)
    elsewhere.restore(backup)
    with elsewhere.open() as vault:
        say(vault, "u-9", "s-1", "a")
    assert all(new > old for new, old in zip(newest(elsewhere), given, strict=True))

    with elsewhere.open() as vault:
        for number in range(10, 14):
            say(vault, f"u-{number}", "s-1", "a")
    given = newest(elsewhere)
    elsewhere.restore(backup, replace=["transcripts"])
    with elsewhere.open() as vault:
        say(vault, "u-20", "s-1", "a")
    assert all(new > old for new, old in zip(newest(elsewhere), given, strict=True))


# -- crashes ---------------------------------------------------------------------------------------------


class CrashError(BaseException):
    """The process ends here."""


@pytest.mark.wide
def test_p8_an_interrupted_restore_serves_nobody_and_is_completed_by_repeating_it(
    home: Place, elsewhere: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "secret")
        say(vault, "u-2", "s-1", "kept")
        vault.backup(backup)
        vault.forget_user("u-1")
    for survived in itertools.count():
        left = iter(range(survived))

        def dying(left: Iterator[int] = left) -> int:
            if next(left, None) is None:
                raise CrashError
            return home.clock()

        try:
            restored = elsewhere.restore(backup, clock=dying)
        except CrashError:
            with pytest.raises(StoreUnavailableError, match="interrupted"):
                elsewhere.open()
            # Not even a process that had it open could have read what was erased.
            stored = elsewhere.databases.dump(elsewhere.databases.transcripts)
            assert {row[4] for row in stored["users"] if row[0] == 1} <= {1}
        else:
            break
    assert survived >= 2
    assert (restored.erased_again, restored.messages) == (1, 1)
    with elsewhere.open() as vault:
        assert everything(vault) == {("u-2", "s-1"): ["kept"]}
        assert vault.keys_status().is_home
        with pytest.raises(UserForgottenError):
            read(vault, "u-1", "s-1")


@pytest.mark.wide
@pytest.mark.parametrize("steps", [0, 1])
def test_p8_an_interrupted_restore_is_completed_though_it_has_destroyed_the_backups_generation(
    home: Place, backup: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "secret")
        say(vault, "u-2", "s-1", "kept")
        vault.backup(backup)
        vault.forget_user("u-1")
    now = home.clock() + 8 * DAY  # what is due goes with the next opening: here, that of the restore
    real, left = copying.end_restoring, iter(range(steps))

    def dying(*given: Any) -> None:
        if next(left, None) is None:
            raise CrashError
        real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(copying, "end_restoring", dying)
        with pytest.raises(CrashError):
            home.restore(backup, replace=["transcripts", "keyring"], clock=lambda: now)
    with pytest.raises(StoreUnavailableError, match="interrupted"):
        home.open()
    restored = home.restore(backup, replace=["transcripts", "keyring"], clock=lambda: now)
    assert (restored.filled, restored.erased_again) == (["transcripts", "keyring"], 1)
    with home.open() as vault:
        assert everything(vault) == {("u-2", "s-1"): ["kept"]}
        assert vault.log.verify().unfinished == 0
        with pytest.raises(UserForgottenError):
            read(vault, "u-1", "s-1")


@pytest.mark.wide
def test_p8_a_store_that_was_half_filled_counts_as_empty(home: Place, elsewhere: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
    # What a crash between the schema and the rows leaves on a database whose DDL ends a transaction.
    elsewhere.restore(backup)
    for url, table in (
        (elsewhere.databases.transcripts, schema.transcripts_meta),
        (elsewhere.databases.keyring, schema.keyring_meta),
    ):
        with connected(url) as connection:
            connection.execute(delete(table))
    assert elsewhere.restore(backup).filled == ["transcripts", "keyring"]
    with elsewhere.open() as vault:
        assert read(vault, "u-1", "s-1") == ["a"]


REFUSALS = {  # a database that stops taking messages
    "sqlite": "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END",
    "postgresql": "ALTER TABLE messages ADD CONSTRAINT full_disk CHECK (seq < 0) NOT VALID",
    "mariadb": "CREATE TRIGGER full_disk BEFORE INSERT ON messages FOR EACH ROW SIGNAL SQLSTATE '45000'",
}


@pytest.mark.wide
def test_p8_a_restore_that_fails_within_a_store_leaves_what_was_there(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
        say(vault, "u-1", "s-1", "b")
    before = home.dumps()
    with connected(home.databases.transcripts) as connection:
        connection.exec_driver_sql(REFUSALS[home.databases.dialect])
    with pytest.raises((StoreUnavailableError, TamperedError)):
        home.restore(backup, replace=["transcripts", "keyring"])
    assert home.dumps() == before
    with home.open() as vault:
        assert read(vault, "u-1", "s-1") == ["a", "b"]
