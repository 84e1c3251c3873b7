"""What was erased since a backup does not come back with it (P3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import backups
import pytest
from backups import Place, everything, moved, read, say
from faces import DAY, TickingClock

from vault.errors import KeyringOutdatedError, SessionForgottenError, UserForgottenError

home, backup, elsewhere = backups.home, backups.backup, backups.elsewhere


# -- nobody comes back -----------------------------------------------------------------------------------


@pytest.mark.wide
def test_p3_who_was_forgotten_since_stays_so_when_transcripts_are_restored(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "secret")
        say(vault, "u-2", "s-1", "also", "secret")
        say(vault, "u-2", "s-2", "kept")
        vault.backup(backup)
        vault.forget_user("u-1")
        vault.forget_session("u-2", "s-1", now=True)
    restored = home.restore(backup, replace=["transcripts"])
    assert (restored.erased_again, restored.users, restored.sessions, restored.messages) == (2, 1, 1, 1)
    stored = home.databases.dump(home.databases.transcripts)
    assert [len(stored[name]) for name in ("users", "sessions", "chapters", "messages")] == [1, 1, 1, 1]
    with home.open() as vault:
        with pytest.raises(UserForgottenError):
            read(vault, "u-1", "s-1")
        with pytest.raises(SessionForgottenError):
            read(vault, "u-2", "s-1")
        assert everything(vault) == {("u-2", "s-2"): ["kept"]}


@pytest.mark.wide
def test_p3_a_keyring_within_the_horizon_repeats_what_was_erased_since(
    home: Place, elsewhere: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "secret")
        say(vault, "u-2", "s-1", "kept")
        vault.backup(backup)
        copies = [home.dumps()]
        vault.forget_user("u-1")
        copies.append(home.dumps())
    restored = elsewhere.restore(backup)
    assert (restored.erased_again, restored.users, restored.messages) == (1, 1, 1)
    copies.append(elsewhere.dumps())
    with elsewhere.open() as vault:
        for _ in range(2):
            with pytest.raises(UserForgottenError):
                read(vault, "u-1", "s-1")
        assert everything(vault) == {("u-2", "s-1"): ["kept"]}
        vault.destroy_due(now=True)
        assert {certificate.status for certificate in vault.certificates()} == {"final"}
    copies.append(elsewhere.dumps())

    assert elsewhere.stolen(copies) == {"kept"}


@pytest.mark.wide
@pytest.mark.parametrize("erased", ["user", "session"])
@pytest.mark.parametrize("came", ["before the backup", "after the backup"])
@pytest.mark.parametrize("adopted", ["by the restore", "after it was read as a copy"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p3_no_copy_from_between_backup_and_erasure_opens_under_the_restored_keys(
    home: Place, elsewhere: Place, backup: Path, erased: str, came: str, adopted: str
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-0", "other")
        say(vault, "u-2", "s-1", "kept")
        if came == "before the backup":
            say(vault, "u-3" if erased == "user" else "u-1", "s-1", "secret 0")
        vault.backup(backup)
        clone = home.databases.copy_of(home.databases.keyring)
        say(vault, "u-3" if erased == "user" else "u-1", "s-1", "secret 1")
        copies = [home.dumps()]
        if erased == "user":
            vault.forget_user("u-3")
        else:
            vault.forget_session("u-1", "s-1")
        copies.append(home.dumps())
    place = elsewhere
    if adopted == "by the restore":
        elsewhere.restore(backup)
    else:
        place = replace(home, databases=replace(home.databases, keyring=clone))
        with place.open() as vault:
            assert not vault.keys_status().is_home
            copies.append(place.dumps())
            vault.adopt()
    copies.append(place.dumps())
    with place.open() as vault:
        vault.destroy_due(now=True)
    copies.append(place.dumps())

    assert place.stolen(copies) == {"kept", "other"}


@pytest.mark.wide
def test_p3_a_journal_outlives_the_restore_that_repeated_it(
    home: Place, elsewhere: Place, request: pytest.FixtureRequest, backup: Path, tmp_path: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "secret")
        vault.backup(backup)
        vault.forget_user("u-1")
    elsewhere.restore(backup)
    with moved(home, None, request, tmp_path) as third:
        assert third.restore(backup).erased_again == 1
        with third.open() as vault, pytest.raises(UserForgottenError):
            read(vault, "u-1", "s-1")


@pytest.mark.wide
def test_p7_a_keyring_beyond_the_horizon_is_refused_before_anything_is_changed(
    home: Place, elsewhere: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        say(vault, "u-2", "s-1", "b")
        vault.backup(backup)
        vault.forget_user("u-1")
        assert isinstance(home.clock, TickingClock)
        home.clock.now += 8 * DAY
        assert len(vault.destroy_due()) == 1
    before, root = home.dumps(), home.root.read_bytes()
    for replaced in (["keyring"], ["transcripts", "keyring"]):
        with pytest.raises(KeyringOutdatedError):
            home.restore(backup, replace=replaced)
    with pytest.raises(KeyringOutdatedError):
        elsewhere.restore(backup)
    with pytest.raises(KeyringOutdatedError):
        home.drill(backup)
    assert (home.dumps(), home.root.read_bytes()) == (before, root)
    assert elsewhere.databases.dump(elsewhere.databases.transcripts) == {}
    # Its transcripts can be restored at any age, for the present keyring opens them.
    assert home.restore(backup, replace=["transcripts"]).messages == 1
    with home.open() as vault:
        assert everything(vault) == {("u-2", "s-1"): ["b"]}


@pytest.mark.wide
def test_p3_a_copy_gets_its_transcripts_back_without_the_root_being_touched(
    home: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "secret")
        say(vault, "u-2", "s-1", "kept")
        vault.backup(backup)
        vault.forget_user("u-1")
        keyring = home.databases.copy_of(home.databases.keyring)
        there = replace(home.databases, transcripts=home.databases.another(), keyring=keyring)
        copy, root = replace(home, databases=there), home.root.read_bytes()
        assert copy.restore(backup).filled == ["transcripts"]
        assert home.root.read_bytes() == root
        assert len(copy.dumps()[0]["users"]) == 1
        with copy.open() as clone:
            assert not clone.keys_status().is_home
            assert everything(clone) == {("u-2", "s-1"): ["kept"]}
        vault.forget_user("u-2")
