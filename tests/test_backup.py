"""Backups and drills: what they hold and tell, and what they leave untouched."""

from __future__ import annotations

import asyncio
import itertools
import resource
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import backups
import pytest
from attacker import root_keys
from backups import Place, file_sums, read, say
from faces import DAY, TickingClock

from vault import AsyncVault, Vault
from vault.errors import (
    ConfigError,
    RootUnavailableError,
    StoreUnavailableError,
    UserForgottenError,
    WrongKeyError,
)
from vault.transfer import backup as backup_module
from vault.transfer import manifest as manifests
from vault.transfer.drill import Drill
from vault.transfer.manifest import Manifest
from vault.transfer.restore import Restored

home, backup, elsewhere = backups.home, backups.backup, backups.elsewhere


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
            with pytest.raises(StoreUnavailableError, match="the backup's transcripts database"):
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


@pytest.mark.wide
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
        assert found.messages_read == found.messages
        assert found.sessions_read <= found.sessions  # some had begun, and no message of theirs was there
    restored = elsewhere.restore(backup / "3")
    assert (restored.unreadable, restored.missing) == (0, 0)
    with elsewhere.open() as vault:
        for user, session in chatter.begun:
            with suppress(UserForgottenError):
                texts = read(vault, user, session)
                assert texts == [str(count) for count in range(len(texts))]
                say(vault, user, session, "goes on")


# -- drills ----------------------------------------------------------------------------------------------


@pytest.mark.wide
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
        assert isinstance(home.clock, TickingClock)
        home.clock.now += 8 * DAY
        assert not home.drill(backup, sample=1).within_horizon
        say(vault, "u-1", "s-1", "goes on")


@pytest.mark.wide
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


@pytest.mark.wide
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


# -- a backup that was killed --------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["_copy", "_add_late_rows", "_finish", "_write", "_write, its end"])
def test_p8_a_backup_that_was_killed_is_said_again_with_the_same_name(
    home: Place, backup: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.open() as vault:
        say(vault, "the-user", "the-session", "the-text")
        with monkeypatch.context() as patched:
            left = killed(patched, at)
            with pytest.raises(KilledError):
                vault.backup(backup)
        assert left(backup)
        assert vault.backup(backup).transcripts.rows["messages"] == 1
    assert sorted(path.name for path in backup.iterdir()) == ["keyring.db", "manifest.json", "transcripts.db"]


class KilledError(Exception):
    """What stands for a kill here."""


def killed(patched: pytest.MonkeyPatch, at: str) -> Callable[[Path], list[Path]]:
    """End a backup behind one step, with nothing cleared away."""
    at, _, behind = at.partition(", ")
    real = getattr(backup_module, at)

    def step(*given: Any, **named: Any) -> None:
        if at != "_write" or behind:  # it ends with the manifest, beside which only the mark is left then
            real(*given, **named)
        raise KilledError

    patched.setattr(backup_module, at, step)
    patched.setattr(backup_module, "_clear", lambda *_given, **_named: None)
    return lambda directory: list(directory.iterdir())


def test_two_backups_to_one_place_do_not_take_each_others_files(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "the-user", "the-session", "the-text")
        with backup_module._new_directory(backup), pytest.raises(ConfigError, match="another backup"):
            vault.backup(backup)
        assert vault.backup(backup).transcripts.rows["messages"] == 1
        with pytest.raises(ConfigError, match="not empty"):
            vault.backup(backup)


@pytest.mark.wide
def test_a_backup_that_ended_as_another_began_there_is_not_cleared(
    home: Place, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backup_module._open_mark

    def late(path: Path) -> tuple[int, bool]:
        with monkeypatch.context() as patched:
            patched.setattr(backup_module, "_open_mark", real)
            vault.backup(backup)
        return real(path)

    monkeypatch.setattr(backup_module, "_open_mark", late)
    with home.open() as vault:
        say(vault, "the-user", "the-session", "the-text")
        with pytest.raises(ConfigError, match="not empty"):
            vault.backup(backup)
    assert home.drill(backup).messages == 1
    assert sorted(path.name for path in backup.iterdir()) == ["keyring.db", "manifest.json", "transcripts.db"]


def test_a_directory_of_databases_that_no_backup_left_is_not_cleared(home: Place, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "transcripts.db").write_bytes(b"of a vault whose vault.toml is lost")
    with home.open() as vault, pytest.raises(ConfigError, match="not empty"):
        vault.backup(tmp_path / "place")
    assert (tmp_path / "place" / "transcripts.db").read_bytes() == b"of a vault whose vault.toml is lost"
