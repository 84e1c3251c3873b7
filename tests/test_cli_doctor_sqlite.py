"""`doctor` and files of SQLite: a full disk is not taken for a broken database, which a mend would lose."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import test_cli_doctor
from commands import make, run
from shells import Shell
from test_cli_doctor import ONE_DEVICE, reads, sound

from vault.cli import places
from vault.errors import StoreUnavailableError
from vault.storage import engine

shell = test_cli_doctor.shell


@pytest.fixture
def fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[dict[str, Any]]]:
    """Ask doctor where SQLite opens no database, and says why; give the failures."""
    where = make(tmp_path / "v", anna=["hello"])

    def ask(said: str) -> list[dict[str, Any]]:
        def refuse(*_: object) -> None:
            raise sqlite3.OperationalError(said)

        with monkeypatch.context() as broken:
            broken.setattr(engine, "_prepare_sqlite", refuse)
            told = run("--vault", where, "doctor", "--json")
        assert told.code == 4
        return [one for one in told.json["checks"] if one["state"] == "FAILED"]

    return ask


@pytest.mark.wide
@pytest.mark.parametrize("said", ["disk I/O error", "unable to open database file"])
def test_where_the_disk_is_full_nothing_is_moved_away_and_nothing_restored(
    fails: Callable[[str], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(places, "FULL", 2**62)
    told = fails(said)
    assert [one["check"] for one in told] == ["transcripts", "keyring"]
    for one in told:
        assert "the disk is full" in one["why"]
        assert one["do"].startswith("du -xh ")
        assert "restore" not in one["do"]


@pytest.mark.wide
def test_what_sqlite_itself_calls_full_is_full(fails: Callable[[str], list[dict[str, Any]]]) -> None:
    for one in fails("database or disk is full"):
        assert "the disk is full" in one["why"]
        assert one["do"].startswith("du -xh ")


@pytest.mark.wide
@pytest.mark.parametrize(
    "said",
    [
        "disk I/O error",
        "unable to open database file",
        "attempt to write a readonly database",
        "database table is in use",
    ],
)
def test_what_says_nothing_of_its_content_condemns_no_database(
    fails: Callable[[str], list[dict[str, Any]]], said: str
) -> None:
    for one in fails(said):
        assert "restore" not in one["do"]
        assert "mv " not in one["do"]
        assert shlex.split(one["do"])[0] == "ls"


@pytest.mark.wide
@pytest.mark.parametrize("said", ["file is not a database", "database disk image is malformed"])
def test_what_is_no_database_any_more_is_replaced_from_a_backup(
    fails: Callable[[str], list[dict[str, Any]]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "FULL", 2**62)
    for one in fails(said):
        assert "no database any more" in one["why"]
        assert "restore /BACKUP" in one["do"]


@pytest.mark.wide
@pytest.mark.parametrize("check", ["erasures", "sample"])
def test_a_full_disk_that_a_later_step_meets_condemns_no_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    where = make(tmp_path / "v", anna=["hello"])
    name = {"erasures": "vault.cli.checks.read_status", "sample": "vault.cli.checks.Keyring"}[check]

    def refuse(*_: object) -> None:
        said = sqlite3.OperationalError("database or disk is full")
        raise StoreUnavailableError(f"the keyring database does not do its work: {said}")

    monkeypatch.setattr(name, refuse)
    told = run("--vault", where, "doctor", "--json").json["checks"]
    [one] = [one for one in told if one["state"] == "FAILED"]
    assert one["check"] == check
    assert one["do"].startswith("du -xh ")


@pytest.mark.wide
def test_p8_what_lies_beside_a_broken_database_goes_with_it(shell: Shell) -> None:
    where = sound(shell)
    beside = where / "transcripts.db-wal"
    with closing(sqlite3.connect(where / "transcripts.db")) as writing:  # killed in the midst of it
        writing.execute("UPDATE messages SET role = 'system'")
        writing.commit()
        shutil.copy2(beside, kept := where / "kept")
    kept.rename(beside)
    left = beside.read_bytes()
    (where / "transcripts.db").write_bytes(b"\0garbage" * 1000)
    [done] = shell.follow(f"vault --vault {where}", bears=ONE_DEVICE)
    assert "restore" in done
    assert reads(where)
    assert (where / "transcripts.db.broken-wal").read_bytes() == left
