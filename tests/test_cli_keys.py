"""`keys`, `db`, `doctor`: how the root, the keyring and the databases stand."""

import getpass
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commands import make, names_in, on_terminal, run
from databases import Databases, connected
from sqlalchemy import Connection, text

from vault import Vault
from vault.storage import migrations

FILES = ("transcripts.db", "keyring.db")


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return make(tmp_path / "v", anna=["a", "b"], ben=["c"])


def status(where: Path) -> dict[str, Any]:
    found: dict[str, Any] = run("--vault", where, "keys", "status", "--json").json
    return found


def forget(where: Path, user: str) -> None:
    assert run("--vault", where, "forget-user", user, "--confirm", user).code == 0


def copied(where: Path) -> Path:
    """A copy of both databases, under the root of the original."""
    there = where.parent / "copy"
    there.mkdir(mode=0o700)
    for name in FILES:
        shutil.copy2(where / name, there)
    (there / "vault.toml").write_text(f"root = 'file:{where}/root.key'\n")
    return there


# -- keys ------------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_keys_status_counts_what_there_is(where: Path) -> None:
    found = status(where)
    assert (found["ordinal"], found["is_home"], found["retired"]) == (1, True, [])
    assert (found["nodes"]["user"], found["nodes"]["session"]) == (2, 2)
    forget(where, "anna")
    found = status(where)
    assert (found["ordinal"], found["provisional"], found["unfinished"]) == (2, 1, 0)
    [retired] = found["retired"]
    assert retired["ordinal"] == 1
    assert retired["due_at"] > retired["retired_at"]
    told = run("--vault", where, "keys", "status")
    assert "at home      yes\n" in told.out
    assert "provisional  1 erasure\n" in told.out
    assert "warning: the root has no mirror" in told.err


@pytest.mark.wide
def test_looking_at_the_keys_destroys_nothing_that_is_due(where: Path) -> None:
    forget(where, "anna")
    for words in (["keys", "status"], ["doctor"], ["keys", "destroy-due", "--dry-run"]):
        assert run("--vault", where, "--horizon", "0", *words).code == 0
    assert len(status(where)["retired"]) == 1


@pytest.mark.wide
def test_destroy_due_leaves_what_is_not_due(where: Path) -> None:
    forget(where, "anna")
    assert run("--vault", where, "keys", "destroy-due").out == "destroyed 0 retired generations\n"
    dry = run("--vault", where, "--horizon", "0", "keys", "destroy-due", "--dry-run")
    assert dry.out == "would destroy 1 retired generation: 1\n"
    due = run("--vault", where, "--horizon", "0", "keys", "destroy-due", "--json").json
    assert due["generations"] == [1]
    assert [one["status"] for one in due["certificates"]] == ["final"]


def test_destroy_due_with_now_wants_the_name_of_the_root(where: Path) -> None:
    forget(where, "anna")
    words = ("--vault", where, "keys", "destroy-due", "--now")
    assert run(*words).code == 2
    assert run(*words, "--confirm", "root").code == 2
    assert run(*words, "--dry-run").out == "would destroy 1 retired generation: 1\n"
    assert len(status(where)["retired"]) == 1
    done = run(*words, "--confirm", f"file:{where}/root.key")
    assert done.out.startswith("destroyed 1 retired generation: 1\nfinal by it: 1 erasure\n")
    assert status(where)["retired"] == []


def test_rotate_changes_the_root_and_says_so_in_the_log(where: Path) -> None:
    root = f"file:{where}/root.key"
    words = ("--vault", where, "keys", "rotate")
    assert run(*words, "--dry-run").out == f"would rotate {root}: generation 2\n"
    assert status(where)["ordinal"] == 1
    assert run(*words, "--reason", "yearly").out == f"rotated {root}: generation 2\n"
    assert [one["ordinal"] for one in status(where)["retired"]] == [1]
    *_, told = (json.loads(line) for line in run("--vault", where, "log", "show", "--json").out.splitlines())
    assert (told["kind"], told["reason"], told["actor"]) == ("rotate", "yearly", getpass.getuser())
    assert run("--vault", where, "show", "anna", "s-1").code == 0


def test_rotate_with_now_wants_the_name_of_the_root(where: Path) -> None:
    forget(where, "anna")
    root = f"file:{where}/root.key"
    words = ("--vault", where, "keys", "rotate", "--now")
    for refused in ((), ("--confirm", "root")):
        assert run(*words, *refused).code == 2
    told = run(*words, "--dry-run").out
    assert told == f"would rotate {root}: generation 3\nwould destroy 2 retired generations: 1, 2\n"
    assert status(where)["ordinal"] == 2
    done = run(*words, "--confirm", root, "--json").json
    assert (done["generation"], done["destroyed"]) == (3, [1, 2])
    assert [one["status"] for one in done["certificates"]] == ["final"]
    assert status(where)["retired"] == []


def test_a_copy_does_not_rotate_the_root_of_its_original(where: Path) -> None:
    refused = run("--vault", copied(where), "keys", "rotate")
    assert (refused.code, status(where)["ordinal"]) == (5, 1)
    assert "vault keys adopt" in refused.err


@pytest.mark.wide
def test_a_copy_reads_and_refuses_to_erase_until_it_is_adopted(where: Path) -> None:
    there = copied(where)
    assert run("--vault", there, "sessions").out == "anna\t1\t2\nben\t1\t1\n"
    assert "at home      no: this is a copy" in run("--vault", there, "keys", "status").out
    refused = run("--vault", there, "forget-user", "anna", "--confirm", "anna")
    assert refused.code == 5
    assert "vault keys adopt" in refused.err
    assert status(there)["unfinished"] == 0
    assert run("--vault", there, "sessions").out == "anna\t1\t2\nben\t1\t1\n"

    root = f"file:{where}/root.key"
    assert run("--vault", there, "keys", "adopt").code == 2
    assert run("--vault", there, "keys", "adopt", "--confirm", "copy").code == 2
    assert run("--vault", there, "keys", "adopt", "--dry-run").out == f"would take over {root}\n"
    assert not status(there)["is_home"]
    assert run("--vault", there, "keys", "adopt", "--confirm", root).out == f"took over {root}\n"
    assert (status(there)["is_home"], status(where)["is_home"]) == (True, False)
    again = run("--vault", there, "keys", "adopt", "--json").json
    assert (again["adopted"], again["would_adopt"]) == (False, False)


@pytest.mark.wide
def test_on_a_terminal_adopt_asks_for_the_root(where: Path) -> None:
    there = copied(where)
    words = ("--vault", there, "keys", "adopt")
    assert on_terminal(*words, typed="yes\n").code == 2
    assert not status(there)["is_home"]
    assert on_terminal(*words, typed=f"file:{where}/root.key\n").code == 0
    assert status(there)["is_home"]


# -- db --------------------------------------------------------------------------------------------------


def test_db_upgrade_of_what_fits_changes_nothing(where: Path) -> None:
    heads = migrations.HEADS
    expected = [
        {"store": name, "from": heads[name], "to": heads[name]} for name in ("transcripts", "keyring")
    ]
    assert run("--vault", where, "db", "upgrade", "--json").json == expected
    assert run("--vault", where, "db", "upgrade", "--check", "--json").json == expected
    told = run("--vault", where, "db", "upgrade").out
    assert told == f"transcripts is at {heads['transcripts']}\nkeyring is at {heads['keyring']}\n"


def test_db_upgrade_brings_older_databases_to_this_release(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade(connection: Connection, label: str) -> None:
        table = migrations.version_table(label)
        connection.execute(text(f"UPDATE {table} SET version_num = '{migrations.HEADS[label]}'"))

    monkeypatch.setitem(migrations.HEADS, "keyring", "k0002")
    monkeypatch.setattr(migrations, "upgrade", upgrade)
    for words in (["sessions"], ["db", "upgrade", "--check"]):
        refused = run("--vault", where, *words)
        assert refused.code == 4
        assert "vault db upgrade" in refused.err
    told = run("--vault", where, "db", "upgrade").out
    assert told == f"transcripts is at {migrations.HEADS['transcripts']}\nkeyring went from k0001 to k0002\n"
    assert run("--vault", where, "sessions").code == 0


def test_db_upgrade_makes_no_vault_where_none_is(tmp_path: Path) -> None:
    (tmp_path / "vault.toml").touch()
    said = run("--vault", tmp_path, "db", "upgrade")
    assert said.code == 4
    assert "there is no transcripts database at" in said.err
    assert names_in(tmp_path) == {"vault.toml"}
    for name in FILES:
        (tmp_path / name).touch()
    said = run("--vault", tmp_path, "db", "upgrade")
    assert said.code == 4
    assert "holds no vault" in said.err


def test_db_upgrade_refuses_a_newer_database_and_touches_neither(where: Path) -> None:
    with closing(sqlite3.connect(where / "keyring.db")) as connection:
        connection.execute("UPDATE keyring_version SET version_num = 'k9999'")
        connection.commit()
    for words in (["db", "upgrade"], ["db", "upgrade", "--check"]):
        said = run("--vault", where, *words)
        assert (said.code, said.out) == (4, "")
        assert "made by a newer release" in said.err


# -- doctor ----------------------------------------------------------------------------------------------


def checks(where: Path, *words: str) -> dict[str, list[str]]:
    """What doctor says, by state."""
    said: dict[str, list[str]] = {"ok": [], "warning": [], "FAILED": []}
    for one in run(*words, "--vault", where, "doctor", "--json").json["checks"]:
        said[one["state"]].append(f"{one['check']}: {one['says']}")
    return said


@pytest.mark.wide
def test_doctor_finds_a_new_vault_well_but_its_root_beside_the_data(where: Path) -> None:
    said = run("--vault", where, "doctor")
    assert said.code == 0
    assert all(line.startswith(("ok ", "warning ", " ")) for line in said.out.splitlines())
    found = checks(where)
    assert found["FAILED"] == []
    [beside] = found["warning"]
    assert "lies in one directory with a database" in beside
    assert "sample: 2 sessions and 3 messages open" in found["ok"]


@pytest.mark.wide
def test_doctor_fits_a_terminal_of_80_columns(where: Path) -> None:
    shown = on_terminal("--vault", where, "doctor", NO_COLOR="1").out
    paths = str(where)
    assert all(len(line) <= 80 for line in shown.splitlines() if paths not in line)


def test_doctor_goes_on_after_a_failure_and_ends_with_the_worst(where: Path) -> None:
    with closing(sqlite3.connect(where / "transcripts.db")) as connection:
        connection.execute("UPDATE messages SET role = 'assistant'")
        connection.commit()
    said = run("--vault", where, "doctor")
    assert said.code == 3
    assert "FAILED   sample" in said.out

    where.chmod(0o777)
    (where / "transcripts.db").unlink()
    said = run("--vault", where, "doctor")
    assert said.code == 4
    assert f"do:  chmod go-w {where}\n" in said.out
    assert "FAILED   transcripts  there is no transcripts database" in said.out
    assert "ok       keyring" in said.out
    assert not (where / "transcripts.db").exists()


def test_doctor_sees_a_directory_that_others_may_look_into(where: Path) -> None:
    where.chmod(0o750)
    assert f"directory: others may look into {where}" in checks(where)["warning"]


def test_doctor_sees_a_root_on_the_device_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    run("init", tmp_path / "v", "--root", f"file:{tmp_path}/elsewhere/root.key")
    assert any("lies on one device with a database" in one for one in checks(tmp_path / "v")["warning"])


def test_doctor_sees_stores_of_different_vaults(where: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    shutil.copy2(other / "keyring.db", where / "keyring.db")
    assert any("these belong to different vaults" in one for one in checks(where)["FAILED"])
    assert run("--vault", where, "doctor").code == 4


@pytest.mark.wide
def test_doctor_sees_that_a_keyring_is_a_copy(where: Path) -> None:
    there = copied(where)
    assert any("this keyring is a copy, or was moved" in one for one in checks(there)["FAILED"])
    assert run("--vault", there, "doctor").code == 5


@pytest.mark.wide
def test_doctor_sees_an_older_keyring(where: Path) -> None:
    older = where.parent / "older.db"
    shutil.copy2(where / "keyring.db", older)
    forget(where, "anna")
    shutil.copyfile(older, where / "keyring.db")
    assert "generation: the keyring stands at 1, the root at 2" in checks(where)["warning"]
    assert status(where)["ordinal"] == 1
    assert run("--vault", where, "sessions").out == "ben\t1\t1\n"
    run("--vault", where, "keys", "destroy-due", "--now", "--confirm", f"file:{where}/root.key")
    shutil.copyfile(older, where / "keyring.db")
    assert any(one.startswith("generation: this keyring needs") for one in checks(where)["FAILED"])
    assert run("--vault", where, "doctor").code == 4


@pytest.mark.wide
def test_doctor_sees_an_erasure_that_was_interrupted(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_words: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("vault.keys.swap.Swapper.cut", crash)
        assert run("--vault", where, "forget-user", "anna", "--confirm", "anna").code == 130
    assert "erasures: 1 unfinished" in checks(where)["warning"]
    assert status(where)["unfinished"] == 1
    assert run("--vault", where, "sessions").out == "ben\t1\t1\n"
    assert status(where)["unfinished"] == 0


def test_doctor_sees_what_is_due(where: Path) -> None:
    forget(where, "anna")
    assert "erasures: 1 retired generation due" in checks(where, "--horizon", "0")["warning"]


def test_doctor_on_a_server_sees_the_durable_settings(database: Databases, tmp_path: Path) -> None:
    places = ("--keyring", database.keyring, "--root", f"file:{tmp_path}/root.key")
    options = ("--vault", database.transcripts, *places)
    with Vault.open(
        database.transcripts, keyring=database.keyring, root=f"file:{tmp_path}/root.key", redactor=None
    ) as vault:
        vault.transcript("anna", "s-1").append("user", "x")
    said = run(*options, "doctor", "--json")
    found = {(one["check"], one["says"].partition(" ")[0]): one for one in said.json["checks"]}
    expected = {
        "sqlite": {"journal_mode", "synchronous", "secure_delete"},
        "postgresql": {"fsync", "full_page_writes", "synchronous_commit"},
        "mariadb": {"innodb_flush_log_at_trx_commit", "innodb_doublewrite"},
    }[database.dialect]
    for label in ("transcripts", "keyring"):
        assert expected <= {name for check, name in found if check == label}
    if database.dialect == "postgresql":
        with connected(database.transcripts) as connection:
            is_on = connection.exec_driver_sql("SHOW fsync").scalar_one() == "on"
        fsync = found["transcripts", "fsync"]
        assert fsync["state"] == ("ok" if is_on else "FAILED")
        assert "ALTER SYSTEM SET fsync = on" in fsync["do"] or is_on
        assert said.code == (0 if is_on else 1)
    assert any(one["says"] == "1 session and 1 message open" for one in said.json["checks"])
