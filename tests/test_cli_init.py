"""`init` on a server: two databases, a vault.toml, and then no options any more."""

import stat
from pathlib import Path

import pytest
from commands import make, names_in, run
from databases import Databases, connected
from sqlalchemy import make_url


def option(database: Databases) -> str:
    return {"postgresql": "--postgres", "mariadb": "--mariadb"}[database.dialect]


def plain(url: str) -> str:
    """The URL as a person would write it, without a driver."""
    family, _, rest = url.partition("://")
    return f"{family.partition('+')[0]}://{rest}"


on_servers = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)


@on_servers
def test_init_on_a_server_writes_what_all_other_commands_go_by(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    root = f"file:{tmp_path}/elsewhere/root.key"
    words = (
        option(database),
        plain(database.transcripts),
        "--keyring",
        plain(database.keyring),
        "--root",
        root,
    )
    said = run("init", tmp_path / "v", *words)
    assert said.code == 0, said
    assert said.out.startswith(f"made a vault:\n  settings     {tmp_path}/v/vault.toml\n")
    assert f"root         {root}\n" in said.out
    assert "Back up the root apart" in said.out
    assert names_in(tmp_path / "v") == {"vault.toml"}
    assert stat.S_IMODE((tmp_path / "v" / "vault.toml").stat().st_mode) == 0o600
    monkeypatch.chdir(tmp_path / "v")
    make(tmp_path / "v", anna=["hello"])
    assert run("sessions").out == "anna\t1\t1\n"
    assert run("forget-user", "anna", "--confirm", "anna").code == 0
    assert run("backup", tmp_path / "backup").code == 0
    assert run("db", "upgrade", "--check").code == 0
    assert run("init", *words[:2]).out.startswith("there is a vault already; nothing was changed:\n")
    again = run("init", *words, "--json").json
    assert (again["made"], again["made_databases"]) == (False, [])
    other = run("init", *words[:-1], f"file:{tmp_path}/root.key")
    assert (other.code, "says something else" in other.err) == (2, True)


@on_servers
def test_init_makes_the_databases_that_are_missing(database: Databases, tmp_path: Path) -> None:
    url = database.another()
    name = make_url(url).database
    database._server.drop(url)
    keyring = make_url(url).set(database=f"{name}_keyring").render_as_string(hide_password=False)
    database._leftovers.callback(database._server.drop, keyring)
    made = run("init", tmp_path / "v", option(database), plain(url), "--json")
    assert made.code == 0, made
    assert made.json["made_databases"] == [name, f"{name}_keyring"]
    assert run("--vault", tmp_path / "v", "sessions", "--json").json == []
    with connected(keyring) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM nodes").scalar_one() > 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_may_not_make_a_database_is_told_what_to_have_said(database: Databases, tmp_path: Path) -> None:
    with connected(database.transcripts) as connection:
        connection.exec_driver_sql("CREATE ROLE vault_test_clerk LOGIN")
    try:
        url = make_url(database.transcripts).set(username="vault_test_clerk").render_as_string()
        said = run("init", tmp_path / "v", "--postgres", plain(url))
        name = make_url(url).database
        assert said.code == 4
        assert f'hint: let somebody who may do so say: CREATE DATABASE "{name}_keyring"' in said.err
        assert not (tmp_path / "v").exists()
    finally:
        with connected(database.transcripts) as connection:
            connection.exec_driver_sql("DROP ROLE vault_test_clerk")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_project_that_holds_other_things_may_have_the_vault_toml(
    database: Databases, tmp_path: Path
) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / "elsewhere").mkdir()
    words = ("--postgres", plain(database.transcripts), "--keyring", plain(database.keyring))
    assert run("init", tmp_path, *words, "--root", f"file:{tmp_path}/elsewhere/root.key").code == 0
    assert names_in(tmp_path) == {"app.py", "elsewhere", "vault.toml"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_p1_a_password_is_shown_nowhere_and_its_place_is_named(database: Databases, tmp_path: Path) -> None:
    with_password = make_url(database.transcripts).set(password="hunter2", drivername="postgresql")
    said = run("init", tmp_path / "v", "--postgres", with_password.render_as_string(hide_password=False),
               "--keyring", database.keyring)  # fmt: skip
    assert said.code == 0, said
    assert "hunter2" not in said.out + said.err
    assert f"warning: a password stands in {tmp_path}/v/vault.toml" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("--postgres", "chat"),
        ("--postgres", "mysql://localhost/chat"),
        ("--postgres", "postgresql://localhost"),
        ("--mariadb", "postgresql://localhost/chat"),
        ("--postgres", "postgresql://localhost/a", "--mariadb", "mysql://localhost/a"),
        ("--postgres", "postgresql://localhost/a", "--root", "ftp:x"),
    ],
)
def test_a_server_that_is_named_wrongly_leaves_nothing_behind(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = run("init", tmp_path / "v", *words)
    assert said.code == 2
    assert "\nhint: " in said.err
    assert names_in(tmp_path) == set()


def test_a_server_that_does_not_answer_leaves_nothing_behind(tmp_path: Path) -> None:
    said = run("init", tmp_path / "v", "--postgres", "postgres://user:hunter2@127.0.0.1:1/chat")
    assert said.code == 4
    assert "hunter2" not in said.out + said.err
    assert names_in(tmp_path) == set()
