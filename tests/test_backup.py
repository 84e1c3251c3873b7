"""Backups, restores and drills: what comes back, what must not, and what nobody may touch."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import resource
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from attacker import Attacker, Dump, root_keys
from databases import Databases, Server, Sqlite, connected, fresh_databases
from sqlalchemy import delete, func, select, update

from vault import AsyncVault, Vault
from vault.errors import (
    ConfigError,
    GuardedError,
    KeyringCopyError,
    KeyringOutdatedError,
    RootUnavailableError,
    SchemaError,
    SessionForgottenError,
    StoreUnavailableError,
    TamperedError,
    UserForgottenError,
    WrongKeyError,
)
from vault.storage import schema
from vault.transfer import manifest as manifests
from vault.transfer.drill import Drill
from vault.transfer.manifest import Manifest
from vault.transfer.restore import Restored

DAY = 86_400_000_000
DIALECTS = ["sqlite", "postgresql", "mariadb"]


@dataclass
class Clock:
    now: int = 1_790_000_000_000_000

    def __call__(self) -> int:
        self.now += 1000
        return self.now


@dataclass(frozen=True)
class Place:
    """Where a vault lives: two databases and a root."""

    databases: Databases
    root: Path
    clock: Callable[[], int] = field(default_factory=Clock)

    @property
    def uris(self) -> dict[str, Any]:
        return {"keyring": self.databases.keyring, "root": f"file:{self.root}", "clock": self.clock}

    def open(self, **changes: Any) -> Vault:
        return Vault.open(self.databases.transcripts, **{**self.uris, "redactor": None, **changes})

    def restore(self, backup: Path, **changes: Any) -> Restored:
        return Vault.restore(backup, self.databases.transcripts, **{**self.uris, **changes})

    def drill(self, backup: Path, **changes: Any) -> Drill:
        return Vault.drill(backup, **{"root": f"file:{self.root}", "clock": self.clock, **changes})

    def dumps(self) -> tuple[Dump, Dump]:
        return self.databases.dump(self.databases.transcripts), self.databases.dump(self.databases.keyring)

    def attacker(self) -> Attacker:
        with self.open() as vault:
            return Attacker(bytes.fromhex(vault.keys_status().vault), root_keys(self.root))


@pytest.fixture
def home(database: Databases, tmp_path: Path) -> Place:
    return Place(database, tmp_path / "root.key")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@contextmanager
def moved(
    home: Place, dialect: str | None, request: pytest.FixtureRequest, directory: Path
) -> Iterator[Place]:
    """Give new databases, of another dialect if one is named, for the same root."""
    server: Server
    if dialect is None:
        server = home.databases._server
    elif dialect == "sqlite":
        server = Sqlite(directory)
    else:
        server = request.getfixturevalue(dialect)
    with fresh_databases(server) as databases:
        yield replace(home, databases=databases)


@pytest.fixture
def elsewhere(home: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """New databases of the same dialect for the same root."""
    with moved(home, None, request, tmp_path) as place:
        yield place


def say(vault: Vault, user: str, session: str, *texts: str) -> None:
    for one in texts:
        vault.transcript(user, session).append("user", one)


def read(vault: Vault, user: str, session: str) -> list[object]:
    return [message.content for message in vault.transcript(user, session).messages()]


def everything(vault: Vault) -> dict[tuple[str, str], list[object]]:
    return {
        (user, one.session_id): read(vault, user, one.session_id)
        for user in vault.users()
        for one in vault.sessions(user)
    }


def file_sums(directory: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.iterdir()
        if path.is_file()
    }


# -- a backup --------------------------------------------------------------------------------------------


def test_a_backup_says_what_it_holds_and_nothing_of_who_said_what(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "the-user", "the-session", "the-text", "another")
        made = vault.backup(backup)
        status = vault.keys_status()
    assert sorted(path.name for path in backup.iterdir()) == ["keyring.db", "manifest.json", "transcripts.db"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir()} == {0o600}
    assert manifests.read_manifest(backup) == made
    assert (made.vault, made.generation, made.ordinal) == (status.vault, status.generation, status.ordinal)
    assert made.transcripts.rows["messages"] == 2
    assert made.keyring.rows["nodes"] == sum(status.nodes.values())
    assert made.keyring.sha256 == file_sums(backup)["keyring.db"]
    for path in backup.iterdir():
        stored = path.read_bytes()
        assert not any(word in stored for word in (b"the-user", b"the-session", b"the-text"))
        assert not any(key in stored for key in root_keys(home.root).values())


def test_a_backup_holds_the_very_rows(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a", "b")
        say(vault, "u-2", "s-1", "c")
        vault.forget_user("u-2")
        vault.transcript("u-1", "s-1").append("user", "d", key="once")
        vault.backup(backup)
        for label, live in zip(("transcripts", "keyring"), home.dumps(), strict=True):
            copy = home.databases.dump(f"sqlite:///{backup / label}.db")
            assert {name: rows for name, rows in copy.items() if name != "sqlite_sequence"} == live


def test_a_backup_goes_only_to_a_new_or_an_empty_directory(home: Place, backup: Path) -> None:
    with home.open() as vault:
        backup.mkdir()
        vault.backup(backup)
        before = file_sums(backup)
        with pytest.raises(ConfigError):
            vault.backup(backup)
        with pytest.raises(ConfigError):
            vault.backup(home.root)
    assert file_sums(backup) == before


def test_p8_a_backup_that_a_full_disk_broke_off_leaves_nothing(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", *(token_hex(10_000) for _ in range(40)))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(StoreUnavailableError):
                vault.backup(backup)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not backup.exists()
        assert vault.backup(backup).transcripts.rows["messages"] == 40


@dataclass
class Chatter:
    """Begins users and sessions, and forgets them, until it is stopped."""

    vault: Vault
    stop: threading.Event = field(default_factory=threading.Event)
    begun: set[tuple[str, str]] = field(default_factory=set)
    faults: list[BaseException] = field(default_factory=list)

    def __call__(self, number: int) -> None:
        try:
            for count in itertools.count():
                if self.stop.is_set():
                    return
                user, session = f"u-{number}-{count // 12}", f"s-{count // 4 % 3}"
                self.begun.add((user, session))
                say(self.vault, user, session, str(count % 4))
                if count % 12 == 11:
                    self.vault.forget_user(user)
        except BaseException as error:
            self.faults.append(error)
            raise


def test_p2_a_backup_made_while_others_write_and_forget_is_consistent(
    home: Place, elsewhere: Place, backup: Path
) -> None:
    with home.open() as vault:
        chatter = Chatter(vault)
        threads = [threading.Thread(target=chatter, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for number in range(4):
            vault.backup(backup / str(number))
        chatter.stop.set()
        for thread in threads:
            thread.join()
    assert chatter.faults == []
    for number in range(4):
        found = home.drill(backup / str(number), sample=None)
        assert (found.unreadable, found.missing) == (0, 0)
        assert (found.sessions_read, found.messages_read) == (found.sessions, found.messages)
    restored = elsewhere.restore(backup / "3")
    assert (restored.unreadable, restored.missing) == (0, 0)
    with elsewhere.open() as vault:
        for user, session in chatter.begun:
            with suppress(UserForgottenError):
                texts = read(vault, user, session)
                assert texts == [str(count) for count in range(len(texts))]
                say(vault, user, session, "goes on")


# -- restoring -------------------------------------------------------------------------------------------


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


# -- nobody comes back -----------------------------------------------------------------------------------


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

    thief = elsewhere.attacker()
    thief.take_keyrings(keyring for _, keyring in copies)
    assert set().union(*(thief.read(transcripts) for transcripts, _ in copies)) == {"kept"}


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

    thief = place.attacker()
    thief.take_keyrings(keyring for _, keyring in copies)
    assert set().union(*(thief.read(transcripts) for transcripts, _ in copies)) == {"kept", "other"}


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


def test_p7_a_keyring_beyond_the_horizon_is_refused_before_anything_is_changed(
    home: Place, elsewhere: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "a")
        say(vault, "u-2", "s-1", "b")
        vault.backup(backup)
        vault.forget_user("u-1")
        assert isinstance(home.clock, Clock)
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


# -- what began since, and what was stolen ---------------------------------------------------------------


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
    thief = home.attacker()
    thief.take_keyrings(keyring for _, keyring in copies)
    assert set().union(*(thief.read(transcripts) for transcripts, _ in copies)) == {"a"}


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


# -- crashes ---------------------------------------------------------------------------------------------


class CrashError(BaseException):
    """The process ends here."""


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


# -- drills ----------------------------------------------------------------------------------------------


def test_p3_a_drill_touches_neither_root_nor_vault_nor_backup(home: Place, backup: Path) -> None:
    with home.open() as vault:
        for user in range(3):
            for session in range(3):
                say(vault, f"u-{user}", f"s-{session}", *("text" * (number + 1) for number in range(4)))
        made = vault.backup(backup)
        fresh = home.drill(backup)
        assert (fresh.users, fresh.sessions, fresh.messages) == (3, 9, 36)
        assert (fresh.sessions_read, fresh.messages_read) == (9, 36)
        assert (fresh.erased_again, fresh.within_horizon, fresh.restorable_until) == (0, True, None)
        assert (fresh.generation, fresh.ordinal, fresh.created_at) == (made.generation, 1, made.created_at)

        vault.forget_user("u-0")
        vault.forget_session("u-1", "s-0")
        [first, _] = vault.certificates()
        before = home.dumps(), home.root.read_bytes(), home.root.stat().st_mtime_ns, file_sums(backup)
        inside = sorted(home.root.parent.iterdir())
        found = home.drill(backup, sample=None)
        assert (
            home.dumps(),
            home.root.read_bytes(),
            home.root.stat().st_mtime_ns,
            file_sums(backup),
        ) == before
        assert sorted(home.root.parent.iterdir()) == inside
        assert (found.users, found.sessions, found.messages) == (2, 5, 20)
        assert (found.sessions_read, found.messages_read, found.erased_again) == (5, 20, 2)
        assert (found.within_horizon, found.restorable_until) == (True, first.due_at)
        assert isinstance(home.clock, Clock)
        home.clock.now += 8 * DAY
        assert not home.drill(backup, sample=1).within_horizon
        say(vault, "u-1", "s-1", "goes on")


def test_a_drill_reads_no_more_than_it_is_asked_to(home: Place, backup: Path) -> None:
    with home.open() as vault:
        for number in range(5):
            say(vault, f"u-{number}", "s-1", "a", "b", "c")
        vault.backup(backup)
    found = home.drill(backup, sample=2)
    assert (found.sessions_read, found.messages_read) == (2, 4)
    assert home.drill(backup, sample=0).sessions_read == 0


def test_a_drill_finds_the_root_by_the_directory_of_the_vault(backup: Path, tmp_path: Path) -> None:
    with Vault.open(tmp_path / "vault", redactor=None, horizon="1d") as vault:
        say(vault, "u-1", "s-1", "a")
        vault.backup(backup)
    assert Vault.drill(backup, tmp_path / "vault").messages_read == 1
    with pytest.raises(ConfigError):
        Vault.drill(backup)
    with pytest.raises(RootUnavailableError):
        Vault.drill(backup, root=f"file:{tmp_path}/nowhere.key")
    with Vault.open(tmp_path / "other", redactor=None):
        pass
    with pytest.raises(WrongKeyError):
        Vault.drill(backup, tmp_path / "other")


# -- the other face --------------------------------------------------------------------------------------


def test_the_async_face_backs_up_drills_and_restores(home: Place, elsewhere: Place, backup: Path) -> None:
    async def go() -> tuple[Manifest, Drill, Restored]:
        there = elsewhere.uris
        async with await AsyncVault.open(home.databases.transcripts, redactor=None, **home.uris) as vault:
            for number in range(250):
                await vault.transcript("u-1", f"s-{number % 3}").append("user", str(number))
            await vault.transcript("u-2", "s-1").append("user", "gone")
            manifest = await vault.backup(backup)
            await vault.forget_user("u-2")
            drilled = await AsyncVault.drill(backup, root=there["root"], clock=home.clock)
        restored = await AsyncVault.restore(backup, elsewhere.databases.transcripts, **there)
        async with await AsyncVault.open(elsewhere.databases.transcripts, redactor=None, **there) as vault:
            texts = [message.content for message in await vault.transcript("u-1", "s-1").messages()]
            assert texts == [str(number) for number in range(1, 250, 3)]
            with pytest.raises(UserForgottenError):
                await vault.transcript("u-2", "s-1").messages()
        return manifest, drilled, restored

    manifest, drilled, restored = asyncio.run(go())
    assert manifest.transcripts.rows["messages"] == 251
    assert (drilled.messages, drilled.messages_read, drilled.erased_again) == (250, 60, 1)
    assert (restored.messages, restored.erased_again, restored.filled) == (250, 1, ["transcripts", "keyring"])
