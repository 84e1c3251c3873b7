"""`doctor`: whoever types what it says, and nothing else, comes from a broken vault to a sound one."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commands import make, run
from databases import Databases, connected
from shells import Shell
from sqlalchemy import Connection, make_url, text

from vault.cli import places
from vault.storage import migrations

pytestmark = pytest.mark.wide  # each is a shell in which the command is run again and again

# Two disks beside that of the data are more than most machines that run tests have.
ONE_DEVICE = ("lie on one device", "on one device with a database")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    for name in ("elsewhere", "mirror", "copy", "home"):
        (tmp_path / name).mkdir(mode=0o700)
    knows = {
        "/ELSEWHERE": str(tmp_path / "elsewhere"),
        "/MIRROR": str(tmp_path / "mirror"),
        "/COPY": str(tmp_path / "copy"),
        "/BACKUP": str(tmp_path / "backup"),
    }
    shell = Shell(tmp_path / "home", knows)
    yield shell
    shell.close()


def sound(shell: Shell) -> Path:
    """A vault that doctor has nothing to say against, with a backup and a copy of its root."""
    where = make(shell.home / "v", anna=["hello"])
    roots = f"file:{shell.knows['/ELSEWHERE']}/root.key,{shell.knows['/MIRROR']}/root.key"
    assert run("--vault", where, "keys", "move", roots).code == 0
    assert run("--vault", where, "backup", shell.knows["/BACKUP"]).code == 0
    shutil.copy2(f"{shell.knows['/ELSEWHERE']}/root.key", shell.knows["/COPY"])
    return where


def first_root(where: Path) -> Path:
    return where.parents[1] / "elsewhere" / "root.key"


def reads(where: Path) -> bool:
    return "hello" in run("--vault", where, "show", "anna", "s-1").out


def directory_open_to_others(where: Path) -> None:
    where.chmod(0o777)


def directory_that_others_look_into(where: Path) -> None:
    where.chmod(0o755)


def directory_closed_to_its_owner(where: Path) -> None:
    where.chmod(0o500)


def roots_open_to_others(where: Path) -> None:
    for name in ("elsewhere", "mirror"):
        (where.parents[1] / name / "root.key").chmod(0o644)


def one_root_open_to_others(where: Path) -> None:
    first_root(where).chmod(0o640)


def roots_replaceable_by_others(where: Path) -> None:
    first_root(where).parent.chmod(0o777)


def no_root_at_all(where: Path) -> None:
    for name in ("elsewhere", "mirror"):
        (where.parents[1] / name / "root.key").unlink()


def no_second_root(where: Path) -> None:
    shutil.rmtree(where.parents[1] / "mirror")


def a_second_root_that_is_behind(where: Path) -> None:
    before = first_root(where).read_bytes()
    assert run("--vault", where, "keys", "rotate").code == 0
    first_root(where).write_bytes(before)


def a_second_root_of_garbage(where: Path) -> None:
    (where.parents[1] / "mirror" / "root.key").write_bytes(b"\x00garbage")


def a_second_name_for_the_root(where: Path) -> None:
    (where.parents[1] / "elsewhere" / "again.key").hardlink_to(first_root(where))


def roots_of_another_vault(where: Path) -> None:
    other = make(where.parent / "other")
    for name in ("elsewhere", "mirror"):
        shutil.copy2(other / "root.key", where.parents[1] / name / "root.key")


def no_vault_toml(where: Path) -> None:
    roots = f"file:root.key,{where.parents[1]}/mirror/root.key"
    assert run("--vault", where, "keys", "move", roots).code == 0
    (where / "vault.toml").unlink()


def no_transcripts(where: Path) -> None:
    for path in where.glob("transcripts.db*"):
        path.unlink()


def no_keyring(where: Path) -> None:
    for path in where.glob("keyring.db*"):
        path.unlink()


def transcripts_of_garbage(where: Path) -> None:
    no_transcripts(where)
    (where / "transcripts.db").write_bytes(os.urandom(5000))


def an_edited_message(where: Path) -> None:
    with closing(sqlite3.connect(where / "transcripts.db")) as connection:
        connection.execute("UPDATE messages SET role = 'assistant'")
        connection.commit()


def keyring_put_elsewhere(where: Path) -> None:
    (where / "moved").mkdir(mode=0o700)
    with closing(sqlite3.connect(where / "keyring.db")) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy2(where / "keyring.db", where / "moved")
    no_keyring(where)
    settings = (where / "vault.toml").read_text()
    (where / "vault.toml").write_text(settings.replace('keyring = "', 'keyring = "moved/'))


def an_older_keyring(where: Path) -> None:
    with closing(sqlite3.connect(where / "keyring.db")) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = (where / "keyring.db").read_bytes()
    assert run("--vault", where, "forget-user", "ben", "--confirm", "ben").code == 1  # nobody is called so
    assert run("--vault", where, "keys", "rotate").code == 0
    for path in where.glob("keyring.db-*"):
        path.unlink()
    (where / "keyring.db").write_bytes(before)


def a_generation_that_is_due(where: Path) -> None:
    assert run("--vault", where, "keys", "rotate").code == 0
    settings = (where / "vault.toml").read_text()
    (where / "vault.toml").write_text(settings.replace('horizon = "7d"', 'horizon = "0"'))


def a_keyring_of_another_vault(where: Path) -> None:
    other = make(where.parent / "other")
    no_keyring(where)
    shutil.copy2(other / "keyring.db", where)


BROKEN: list[Callable[[Path], None]] = [
    directory_open_to_others,
    directory_that_others_look_into,
    directory_closed_to_its_owner,
    roots_open_to_others,
    one_root_open_to_others,
    roots_replaceable_by_others,
    no_root_at_all,
    no_second_root,
    a_second_root_that_is_behind,
    a_second_root_of_garbage,
    a_second_name_for_the_root,
    roots_of_another_vault,
    no_vault_toml,
    no_transcripts,
    no_keyring,
    transcripts_of_garbage,
    an_edited_message,
    keyring_put_elsewhere,
    a_keyring_of_another_vault,
    an_older_keyring,
    a_generation_that_is_due,
]


@pytest.mark.parametrize("breaking", BROKEN)
def test_from_broken_to_sound_by_what_doctor_says(shell: Shell, breaking: Callable[[Path], None]) -> None:
    where = sound(shell)
    breaking(where)
    assert shell.follow(f"vault --vault {where}", bears=ONE_DEVICE)
    assert reads(where)
    assert run("--vault", where, "doctor").code == 0


def test_a_sound_vault_is_told_to_do_nothing(shell: Shell) -> None:
    assert shell.follow(f"vault --vault {sound(shell)}", bears=ONE_DEVICE) == []


def test_from_no_vault_at_all_to_a_sound_one(shell: Shell) -> None:
    done = shell.follow("vault", bears=ONE_DEVICE)
    assert done[0] == "vault init chat-vault && cd chat-vault"
    assert "keys move" in done[1]
    assert not (shell.home / "chat-vault" / "root.key").exists()
    assert shell.type("vault sessions")[0] == 0


def test_a_named_directory_that_is_not_there_becomes_a_vault(shell: Shell) -> None:
    assert (
        shell.follow(f"vault --vault {shell.home}/new", bears=ONE_DEVICE)[0] == f"vault init {shell.home}/new"
    )


def test_a_vault_that_was_begun_and_never_made_is_made(shell: Shell) -> None:
    (shell.home / "v").mkdir(mode=0o700)
    (shell.home / "v" / "vault.toml").touch()
    assert shell.follow(f"vault --vault {shell.home}/v", bears=ONE_DEVICE)[0] == f"vault init {shell.home}/v"


def test_an_older_schema_is_brought_to_this_release(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def upgrade(connection: Connection, label: str) -> None:
        table = migrations.version_table(label)
        connection.execute(text(f"UPDATE {table} SET version_num = '{migrations.HEADS[label]}'"))

    where = sound(shell)
    monkeypatch.setitem(migrations.HEADS, "keyring", "k9998")
    monkeypatch.setattr(migrations, "upgrade", upgrade)
    told = run("--vault", where, "doctor", "--json").json["checks"]
    [older] = [one for one in told if one["state"] == "FAILED"]
    program, *words = shlex.split(older["do"])
    assert (program, words[-2:]) == ("vault", ["db", "upgrade"])
    assert run(*words).code == 0
    assert run("--vault", where, "doctor").code == 0


def test_a_newer_schema_asks_for_a_newer_release(shell: Shell) -> None:
    where = sound(shell)
    with closing(sqlite3.connect(where / "keyring.db")) as connection:
        connection.execute("UPDATE keyring_version SET version_num = 'k9999'")
        connection.commit()
    told = [one["do"] for one in shell.doctor(f"vault --vault {where}") if one["state"] == "FAILED"]
    assert told == ["pip install --upgrade transcript-vault"]


# -- what takes an editor: here one that knows what to write -----------------------------------------------


def test_a_wrong_line_of_vault_toml_is_opened_where_it_stands(shell: Shell) -> None:
    where = sound(shell)
    right = (where / "vault.toml").read_text()
    (where / "right").write_text(right)
    (where / "vault.toml").write_text(right.replace('horizon = "7d"', "horizon = 7d"))
    line = 1 + right[: right.index("horizon =")].count("\n")
    shell.program("ed", f'test "$1" = +{line} && cat {where}/right >"$2"')
    assert shell.type("export EDITOR=ed")[0] == 0
    assert shell.follow(f"vault --vault {where}", bears=ONE_DEVICE) == [
        f'"${{EDITOR:-vi}}" +{line} {where}/vault.toml'
    ]


def test_a_wrong_policy_is_opened_where_it_is_wrong(shell: Shell) -> None:
    where = sound(shell)
    policy = where / "gdpr.yaml"
    run("--vault", where, "sessions")
    right = (Path(__file__).parents[1] / "policies" / "gdpr.yaml").read_text()
    (where / "right").write_text(right)
    policy.write_text(f"colour: red\n{right}")
    settings = (where / "vault.toml").read_text()
    (where / "vault.toml").write_text(settings + 'policies = "gdpr.yaml"\n')
    shell.program("ed", f'test "$1" = +1 && cat {where}/right >"$2"')
    assert shell.type("export EDITOR=ed")[0] == 0
    assert shell.follow(f"vault --vault {where}", bears=ONE_DEVICE) == [f'"${{EDITOR:-vi}}" +1 {policy}']


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_does_not_answer_is_corrected_in_vault_toml(database: Databases, shell: Shell) -> None:
    where = shell.home / "v"
    roots = f"file:{shell.knows['/ELSEWHERE']}/root.key,{shell.knows['/MIRROR']}/root.key"
    url = database.transcripts.replace("postgresql+psycopg", "postgresql")
    made = run("init", where, "--postgres", url, "--keyring", database.keyring, "--root", roots)
    assert made.code == 0, made
    right = (where / "vault.toml").read_text()
    (where / "right").write_text(right)
    (where / "vault.toml").write_text(right.replace(url, "postgresql://127.0.0.1:1/chat"))
    shell.program("ed", f'cat {where}/right >"$2"')
    assert shell.type("export EDITOR=ed")[0] == 0
    off = ("fsync is off", "full_page_writes is off")  # so that tests are quick
    [done] = shell.follow(f"vault --vault {where}", bears=ONE_DEVICE + off)
    line = 1 + right[: right.index("transcripts =")].count("\n")
    assert done == f'"${{EDITOR:-vi}}" +{line} {where}/vault.toml'


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("label", ["transcripts", "keyring"])
def test_a_server_that_lets_nothing_be_written_does_not_work(
    database: Databases, shell: Shell, label: str
) -> None:
    where = shell.home / "v"
    url = database.transcripts.replace("postgresql+psycopg", "postgresql")
    assert run("init", where, "--postgres", url, "--keyring", database.keyring).code == 0
    here: str = getattr(database, label)
    with connected(here) as connection:  # as a replica is, and to whoever may only look
        name = make_url(here).database
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    asked = f"vault --vault {where}"
    [told] = [one for one in shell.doctor(asked) if one["state"] == "FAILED" and "is off" not in one["says"]]
    assert told["check"] == label
    assert "read-only" in told["says"]
    assert f"{where}/vault.toml" in told["do"]
    assert shell.type(f"{asked} doctor >doctor.txt 2>&1")[0] == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_driver_that_is_missing_is_installed(database: Databases, shell: Shell) -> None:
    where = shell.home / "v"
    roots = f"file:{shell.knows['/ELSEWHERE']}/root.key,{shell.knows['/MIRROR']}/root.key"
    url = database.transcripts.replace("postgresql+psycopg", "postgresql")
    run("init", where, "--postgres", url, "--keyring", database.keyring, "--root", roots)
    hidden = shell.home / "hidden"
    hidden.mkdir()
    (hidden / "psycopg.py").write_text("raise ModuleNotFoundError('no psycopg', name='psycopg')\n")
    assert shell.type(f"export PYTHONPATH={hidden}:$PYTHONPATH")[0] == 0
    shell.program("pip", f'test "$*" = "install transcript-vault[postgres]" && rm -r {hidden}')
    off = ("fsync is off", "full_page_writes is off")
    done = shell.follow(f"vault --vault {where}", bears=ONE_DEVICE + off)
    assert done == ["pip install 'transcript-vault[postgres]'"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_p8_a_server_that_loses_commits_is_told_by_its_own_client(database: Databases, shell: Shell) -> None:
    where = shell.home / "v"
    url = database.transcripts.replace("postgresql+psycopg", "postgresql")
    run("init", where, "--postgres", url, "--keyring", database.keyring)
    told = [one["do"] for one in shell.doctor(f"vault --vault {where}") if "fsync" in one["says"]]
    if told:  # the server that the tests bring has it off
        assert told[0].startswith("psql postgresql://") or told[0].startswith("psql 'postgresql://")
        assert told[0].endswith("-c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()'")


# -- whose files, how much room ------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_another_user_made_is_given_back(shell: Shell) -> None:
    where = sound(shell)
    os.chown(where / "keyring.db", 65534, 65534)
    assert shell.follow(f"vault --vault {where}", bears=ONE_DEVICE) == [f"chown -R root: {where}"]
    assert (where / "keyring.db").stat().st_uid == 0


def test_a_place_that_can_not_be_reached_names_its_owner(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = sound(shell)

    def refused(*_words: object) -> None:
        raise PermissionError(13, "Permission denied", str(where / "keyring.db"))

    monkeypatch.setattr("vault.cli.checks.look_at_directories", refused)
    said = run("--vault", where, "doctor", "--json")
    [told] = [one for one in said.json["checks"] if one["state"] == "FAILED"]
    assert (said.code, told["says"]) == (4, f"Permission denied: {where}/keyring.db")
    assert told["do"] == f"sudo -u {where.owner()} vault --vault {where} doctor"


def test_a_disk_that_is_nearly_full_is_a_warning(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    where = sound(shell)
    monkeypatch.setattr(places, "ROOM", 2**62)
    [full] = [one for one in run("--vault", where, "doctor", "--json").json["checks"] if "MiB" in one["says"]]
    assert (full["state"], full["do"].partition(" ")[0]) == ("warning", "du")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_p1_a_password_that_others_may_read_is_a_failure(database: Databases, shell: Shell) -> None:
    where = shell.home / "v"
    url = database.transcripts.replace("postgresql+psycopg://postgres@", "postgresql://postgres:hunter2@")
    assert "hunter2" in url
    run("init", where, "--postgres", url, "--keyring", database.keyring)
    (where / "vault.toml").chmod(0o644)
    bad = shell.doctor(f"vault --vault {where}")
    [told] = [one for one in bad if "password" in one["says"]]
    assert (told["state"], told["do"]) == ("FAILED", f"chmod 600 {where}/vault.toml")
    assert "hunter2" not in str(bad)


def test_whoever_says_the_long_name_is_answered_with_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = make(shell.home / "v", anna=["hello"])
    monkeypatch.setattr(sys, "argv", ["/usr/bin/transcript-vault"])
    told = [one["do"] for one in run("--vault", where, "doctor", "--json").json["checks"] if "do" in one]
    assert any(one.startswith(f"transcript-vault --vault {where} keys move ") for one in told)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_is_named_alone_becomes_a_vault_with_a_vault_toml(
    database: Databases, shell: Shell
) -> None:
    url = database.transcripts.replace("postgresql+psycopg", "postgresql")
    database._leftovers.callback(database._server.drop, database.transcripts.replace("?", "_keyring?"))
    [told] = shell.doctor(f"vault --vault '{url}'")
    assert told["do"] == f"vault init /ELSEWHERE/chat-vault --postgres '{url}' && cd /ELSEWHERE/chat-vault"
    assert shell.type(told["do"])[0] == 0
    assert shell.type("vault sessions")[0] == 0


def test_p1_what_doctor_says_to_type_holds_no_password(shell: Shell) -> None:
    for url in ("postgresql://anna:hunter2@127.0.0.1:1/x", "mysql://anna:hu%40nter2@127.0.0.1:1/x"):
        words = ("--vault", url, "--keyring", url)
        for more in ((), ("--root", f"file:{shell.home}/root.key")):
            for said in (run(*words, *more, "doctor"), run(*words, *more, "doctor", "--json")):
                assert "hunter2" not in said.out + said.err
                assert "nter2" not in said.out + said.err
