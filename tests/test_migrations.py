"""The schema's history: both ways to the present schema end alike, and no crash on the way is final."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from databases import Databases, connected, fresh_databases
from faces import Home
from sqlalchemy import Connection, Engine, MetaData, Table, event, inspect, text

from vault import AsyncVault, Vault
from vault.errors import ConfigError, SchemaError, VaultError
from vault.roots.file import FileRoot
from vault.storage import migrations, schema
from vault.storage.engine import open_store
from vault.storage.runtime import Blocking

LABELS = ["transcripts", "keyring"]
METADATA: dict[str, MetaData] = {"transcripts": schema.transcripts, "keyring": schema.keyring}
MIGRATIONS = Path(migrations.__file__).parent

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def changed(url: str, work: Callable[[Connection], object]) -> None:
    """Do something to a database as the vault would."""
    store = open_store(url, "transcripts", Blocking())
    try:
        store.write(work)
    finally:
        store.close()


def definitions(url: str, label: str) -> dict[str, object]:
    """Give the tables as exactly as the database can tell them."""
    with connected(url) as connection:
        match connection.dialect.name:
            case "sqlite":
                rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
                found = {name: _parts(sql) for name, sql in rows if not name.startswith("sqlite_")}
            case "postgresql":
                found = {table.name: _in_catalogue(connection, table) for table in migrations.tables(label)}
            case _:
                found = {
                    name: _parts(connection.execute(text(f"SHOW CREATE TABLE `{name}`")).one()[1])
                    for name in inspect(connection).get_table_names()
                }
        inspector = inspect(connection)
        order = {
            table: [column["name"] for column in inspector.get_columns(table)]
            for table in inspector.get_table_names()
        }
        return {**found, "order of columns": order}


def _parts(definition: str) -> object:
    """Constraints and indexes have no order."""
    return sorted(line.strip().rstrip(",") for line in definition.splitlines())


def _in_catalogue(connection: Connection, table: Table) -> object:
    columns = text(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity,"
        " pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef"
        " ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 ORDER BY attnum"
    )
    constraints = text(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = CAST(:name AS regclass) ORDER BY conname"
    )
    indexes = text("SELECT indexdef FROM pg_indexes WHERE tablename = :name ORDER BY indexdef")
    return [
        [tuple(row) for row in connection.execute(query, {"name": table.name})]
        for query in (columns, constraints, indexes)
    ]


@pytest.mark.wide
@pytest.mark.parametrize("label", LABELS)
def test_the_revisions_lead_to_exactly_the_schema(database: Databases, label: str) -> None:
    changed(database.transcripts, lambda connection: migrations.migrate(connection, label))
    options = {"compare_type": True, "version_table": migrations.version_table(label)}
    with connected(database.transcripts) as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA[label]) == []
        assert migrations.version(connection, label) == migrations.HEADS[label]


@pytest.mark.parametrize("label", LABELS)
def test_a_new_database_and_one_that_went_through_all_revisions_have_the_same_tables(
    database: Databases, label: str
) -> None:
    changed(database.transcripts, lambda connection: migrations.upgrade(connection, label))
    changed(database.keyring, lambda connection: migrations.migrate(connection, label))
    new = definitions(database.transcripts, label)
    assert len(new) >= len(METADATA[label].tables)
    assert new == definitions(database.keyring, label)


@on_sqlite
def test_a_column_too_much_would_be_noticed(database: Databases) -> None:
    """The test of the tests above."""
    for url in (database.transcripts, database.keyring):
        changed(url, lambda connection: migrations.upgrade(connection, "transcripts"))
    with connected(database.transcripts) as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN colour INTEGER"))
        context = MigrationContext.configure(connection, opts={"version_table": "transcripts_version"})
        assert [one[0] for one in compare_metadata(context, schema.transcripts)] == ["remove_column"]
    assert definitions(database.transcripts, "transcripts") != definitions(database.keyring, "transcripts")


@pytest.mark.parametrize("label", LABELS)
def test_the_heads_are_those_of_the_scripts(label: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / label))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEADS[label]]


@pytest.mark.wide
def test_upgrading_twice_is_upgrading_once(database: Databases) -> None:
    for _ in range(2):
        changed(database.transcripts, lambda connection: migrations.upgrade(connection, "transcripts"))
        changed(database.transcripts, lambda connection: migrations.migrate(connection, "transcripts"))
        once = database.dump(database.transcripts), definitions(database.transcripts, "transcripts")
    changed(database.transcripts, lambda connection: migrations.upgrade(connection, "transcripts"))
    assert (database.dump(database.transcripts), definitions(database.transcripts, "transcripts")) == once


@pytest.fixture
def home(database: Databases, tmp_path: Path) -> Home:
    return Home(database, tmp_path / "root.key", None)


def set_version(home: Home, label: str, version: str) -> None:
    with connected(getattr(home.databases, label)) as connection:
        connection.execute(text(f"UPDATE {migrations.version_table(label)} SET version_num = '{version}'"))


@pytest.mark.wide
def test_a_database_of_another_version_is_refused_and_the_error_names_the_command(home: Home) -> None:
    with home.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "Hello")
    for label, head in migrations.HEADS.items():
        for number, command in (("0000", "vault db upgrade"), ("9999", "pip install --upgrade")):
            set_version(home, label, head[0] + number)
            for create in (True, False):
                with pytest.raises(SchemaError, match=f"{label} .*{number}") as caught:
                    home.open(create=create)
                assert command in caught.value.hint
        set_version(home, label, head)
    with home.open(create=False) as vault:
        assert len(vault.transcript("u-1", "s-1").messages()) == 1


def test_a_database_with_tables_of_something_else_is_left_alone(home: Home) -> None:
    with connected(home.databases.transcripts) as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(99))"))
        connection.execute(text("INSERT INTO users VALUES (1, 'anna@example.com')"))
    before = home.databases.dump(home.databases.transcripts)
    with pytest.raises(ConfigError, match="users"):
        home.open()
    after = home.databases.dump(home.databases.transcripts)
    if home.databases.dialect == "mariadb":  # commits each statement for itself
        after.pop("classes")
        after.pop("transcripts_meta")
    assert after == before
    assert not home.root.exists()


# -- several at once -------------------------------------------------------------------------------------


@pytest.mark.wide
def test_several_processes_may_make_one_vault_at_once(home: Home) -> None:
    together = threading.Barrier(4)

    def open_together(_: int) -> str:
        together.wait()
        with home.open() as vault:
            vault.transcript("u-1", "s-1").append("user", "Hello")
            return vault.keys_status().vault

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(open_together, range(4)))) == 1
    with home.open(create=False) as vault:
        assert [message.content for message in vault.transcript("u-1", "s-1").messages()] == ["Hello"] * 4
        assert list(vault.users()) == ["u-1"]
        assert vault.keys_status().is_home
        assert vault.forget_user("u-1", now=True).status == "final"


@pytest.mark.wide
def test_many_vaults_may_be_made_at_once_in_one_process(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def make(number: int) -> list[str]:
        together.wait()
        with Vault.open(tmp_path / str(number), redactor=None) as vault:
            vault.transcript(f"u-{number}", "s-1").append("user", "Hello")
            return list(vault.users())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(4))) == [["u-0"], ["u-1"], ["u-2"], ["u-3"]]

    async def make_too(number: int) -> list[str]:
        async with await AsyncVault.open(tmp_path / f"async {number}", redactor=None) as vault:
            await vault.transcript(f"u-{number}", "s-1").append("user", "Hello")
            return [user async for user in vault.users()]

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(make_too(number) for number in range(4)))

    assert asyncio.run(all_at_once()) == [["u-0"], ["u-1"], ["u-2"], ["u-3"]]


# -- interrupted -----------------------------------------------------------------------------------------


class CrashError(BaseException):
    """The process is gone: nothing catches this."""


@contextmanager
def crash_at(step: int, kinds: tuple[str, ...]) -> Iterator[list[int]]:
    """Break off at the n-th change; give the number of changes so far."""
    count = [0]

    def look(_: Connection, __: object, statement: str, *___: object) -> None:
        if statement.lstrip().startswith(kinds):
            count[0] += 1
            if count[0] == step:
                raise CrashError

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield count
    finally:
        event.remove(Engine, "before_cursor_execute", look)


CHANGES = ("CREATE", "INSERT", "UPDATE", "DELETE", "ALTER")


def changes_of_making(home: Home) -> int:
    with crash_at(0, CHANGES) as count, home.open():
        return count[0]


def survives(home: Home, step: int) -> None:
    with crash_at(step, CHANGES), pytest.raises(CrashError):
        home.open()
    with home.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "Hello")
    with home.open(create=False) as vault:
        assert len(vault.transcript("u-1", "s-1").messages()) == 1
        assert vault.keys_status().is_home
        assert vault.forget_user("u-1", now=True).status == "final"
    for label in LABELS:
        with connected(getattr(home.databases, label)) as connection:
            options = {"version_table": migrations.version_table(label)}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, METADATA[label]) == []


def at_steps(database: Databases, directory: Path, choose: Callable[[int], Iterable[int]]) -> None:
    number = changes_of_making(Home(database, directory / "root.key", None))
    assert number > 20
    for step in choose(number):
        with fresh_databases(database._server) as databases:
            survives(Home(databases, directory / f"root-{step}.key", None), step)


@pytest.mark.wide
def test_p8_the_making_of_a_vault_goes_on_after_a_crash(database: Databases, tmp_path: Path) -> None:
    at_steps(database, tmp_path, lambda number: [number // 3, number - 7])


@pytest.mark.slow
def test_p8_the_making_of_a_vault_goes_on_after_a_crash_at_any_change(
    database: Databases, tmp_path: Path
) -> None:
    at_steps(database, tmp_path, lambda number: range(1, number + 1))


@pytest.mark.wide
@pytest.mark.parametrize("step", ["create", "claim"])
@pytest.mark.parametrize("when", ["before", "after"])
@on_sqlite
def test_p8_the_making_of_a_vault_goes_on_after_a_crash_around_its_root(
    home: Home, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(FileRoot, step)

    def crash(*given: object) -> None:
        if when == "after":
            real(*given)
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(FileRoot, step, crash)
        with pytest.raises(CrashError):
            home.open()
    with home.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "Hello")
        assert vault.keys_status().is_home


@pytest.mark.wide
@pytest.mark.parametrize("left", [[], ["vault.toml"]], ids=repr)
def test_p8_the_making_of_a_directory_goes_on_after_a_crash(tmp_path: Path, left: list[str]) -> None:
    for name in left:
        (tmp_path / name).touch()
    for _ in range(2):
        with Vault.open(tmp_path, redactor=None) as vault:
            vault.transcript("u-1", "s-1").append("user", "Hello")
    with Vault.open(tmp_path, redactor=None, create=False) as vault:
        assert len(vault.transcript("u-1", "s-1").messages()) == 2


@pytest.mark.wide
@on_sqlite
def test_p8_a_root_that_was_claimed_is_not_given_to_another_vault(home: Home, tmp_path: Path) -> None:
    with home.open() as vault:
        assert vault.keys_status().ordinal == 1
    with pytest.raises(ConfigError, match="belongs to a vault that is not here"):
        Vault.open(tmp_path / "other", root=f"file:{home.root}", redactor=None)
    away = home.root.rename(tmp_path / "away.key")
    with pytest.raises(VaultError):
        home.open()
    assert not home.root.exists()
    away.rename(home.root)
    home.open().close()
