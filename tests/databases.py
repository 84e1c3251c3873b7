"""Databases for contract tests: made empty, copied as a backup or a thief would, dropped afterwards."""

import os
import pwd
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import Literal, Protocol, TypeAlias

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, inspect, make_url

Dialect: TypeAlias = Literal["sqlite", "postgresql", "mariadb"]
Rows: TypeAlias = list[tuple[object, ...]]


class Server(Protocol):
    """Where databases of one dialect are made."""

    @property
    def dialect(self) -> Dialect: ...

    def unused(self) -> str:
        """The URL of a database that does not exist yet."""

    def create(self, url: str) -> None: ...

    def drop(self, url: str) -> None: ...

    def copy(self, source: str, target: str) -> None:
        """Make `target`, which must not exist, with all that `source` holds."""


@dataclass(frozen=True, slots=True)
class Databases:
    """Two empty databases, and the means to have more of their kind. All go when the test ends."""

    dialect: Dialect
    transcripts: str
    keyring: str
    _server: Server = field(repr=False)
    _leftovers: ExitStack = field(repr=False)

    def another(self) -> str:
        """A further empty database."""
        return _created(self._server, self._leftovers)

    def copy_of(self, url: str) -> str:
        """A database elsewhere that holds what `url` holds now: a backup, a replica, a clone.

        Connections to `url` may stay open and are not disturbed.
        """
        copy = self._server.unused()
        self._leftovers.callback(self._server.drop, copy)
        self._server.copy(url, copy)
        return copy

    def restore(self, copy: str, url: str) -> None:
        """Put what `copy` holds in the place of `url`: what an operator does with an old backup.

        Whoever has `url` open must close it first.
        """
        self._server.drop(url)
        self._server.copy(copy, url)

    def dump(self, url: str) -> dict[str, Rows]:
        """Every table with all its rows, in an order that depends on nothing but the rows."""
        with connected(url) as connection:
            quote = connection.dialect.identifier_preparer.quote
            tables = inspect(connection).get_table_names()
            return {
                table: sorted(_rows(connection, f"SELECT * FROM {quote(table)}"), key=repr)
                for table in tables
            }


@contextmanager
def fresh_databases(server: Server) -> Iterator[Databases]:
    with ExitStack() as leftovers:
        transcripts, keyring = _created(server, leftovers), _created(server, leftovers)
        yield Databases(server.dialect, transcripts, keyring, server, leftovers)


def _created(server: Server, leftovers: ExitStack) -> str:
    url = server.unused()
    leftovers.callback(server.drop, url)
    server.create(url)
    return url


@dataclass(frozen=True, slots=True)
class Sqlite:
    """Files in a directory."""

    directory: Path
    dialect: Dialect = "sqlite"

    def unused(self) -> str:
        return f"sqlite:///{self.directory / _name()}.db"

    def create(self, url: str) -> None:
        _file(url).touch(mode=0o600, exist_ok=False)

    def drop(self, url: str) -> None:
        path = _file(url)
        for beside in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + beside).unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        # Read only, so that looking at a database does not checkpoint its WAL.
        reading = f"{_file(source).as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(reading, uri=True)) as original,
            closing(sqlite3.connect(_file(target))) as copy,
        ):
            original.backup(copy)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL server; `tools` is where pg_dump and psql are, by default in the PATH."""

    admin: str
    tools: Path = Path()
    dialect: Dialect = "postgresql"

    def unused(self) -> str:
        return _at(self.admin, _name())

    def create(self, url: str) -> None:
        self._run(f"CREATE DATABASE {_database(url)} STRATEGY file_copy")

    def drop(self, url: str) -> None:
        # FORCE: a client that a test has killed may still count as connected.
        self._run(f"DROP DATABASE IF EXISTS {_database(url)} WITH (FORCE)")

    def copy(self, source: str, target: str) -> None:
        # As a template a database must have no connections, and the server would wait 5 s for that.
        if self._connections(source) == 0:
            self._run(
                f"CREATE DATABASE {_database(target)} TEMPLATE {_database(source)} STRATEGY file_copy",
            )
            return
        self.create(target)
        script = subprocess.run(
            [self.tools / "pg_dump", _libpq(source)], check=True, capture_output=True
        ).stdout
        load = (
            "--no-psqlrc",
            "--quiet",
            "--output=/dev/null",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
        )
        subprocess.run(
            (self.tools / "psql", *load, _libpq(target)),
            # Servers before 17 do not know the setting that pg_dump 17 and later write down.
            input=script.replace(b"SET transaction_timeout = 0;\n", b""),
            check=True,
        )

    def _run(self, statement: str) -> None:
        with connected(self.admin) as connection:
            connection.exec_driver_sql(statement)

    def _connections(self, url: str) -> int:
        with connected(self.admin) as connection:
            query = "SELECT 1 FROM pg_stat_activity WHERE datname = %s"
            return len(connection.exec_driver_sql(query, (_database(url),)).all())


@dataclass(frozen=True, slots=True)
class MariaDB:
    """A MariaDB or MySQL server."""

    admin: str
    dialect: Dialect = "mariadb"

    def unused(self) -> str:
        return _at(self.admin, _name())

    def create(self, url: str) -> None:
        with connected(self.admin) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {_database(url)} CHARACTER SET utf8mb4")

    def drop(self, url: str) -> None:
        with connected(self.admin) as connection:
            # A transaction that a test left open would block for a day by default; better an error.
            connection.exec_driver_sql("SET lock_wait_timeout = 20")
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_database(url)}")

    def copy(self, source: str, target: str) -> None:
        """Copy the tables: definitions, foreign keys, rows of one instant and the next AUTO_INCREMENT."""
        self.create(target)
        with connected(source) as original, connected(target) as copy:
            copy.exec_driver_sql("SET foreign_key_checks = 0")
            # Otherwise a 0 in an AUTO_INCREMENT column would become the next number.
            copy.exec_driver_sql("SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
            original.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            original.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            for table in inspect(original).get_table_names():
                [(_, definition)] = _rows(original, f"SHOW CREATE TABLE `{table}`")
                # no_parameters: a % in it is a %, not the driver's placeholder.
                copy.exec_driver_sql(str(definition), execution_options={"no_parameters": True})
                if rows := _rows(original, f"SELECT * FROM `{table}`"):
                    values = ", ".join(["%s"] * len(rows[0]))
                    copy.exec_driver_sql(f"INSERT INTO `{table}` VALUES ({values})", rows)


# $1 programs, $2 the socket's directory, $3 the data's. The supervisor waits on its standard input, so the
# server ends with the process that started it, whether that says so or is killed. Nothing is synced: the
# tests kill processes, never the machine's power, and what the system was given survives any process.
_SUPERVISOR = """
set -eu
trap 'rm -rf "$2" "$3"' EXIT
"$1/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync --pgdata="$3/data" >"$2/log"
cat >>"$3/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$2'
max_connections = 200
shared_buffers = 32MB
fsync = off
full_page_writes = off
autovacuum = off
wal_level = minimal
max_wal_senders = 0
END
"$1/pg_ctl" start --wait --silent --pgdata="$3/data" --log="$2/log" || { cat "$2/log" >&2; exit 1; }
echo ready
read -r line || true
"$1/pg_ctl" stop --wait --silent --mode=immediate --pgdata="$3/data"
"""


@contextmanager
def running_postgres(tools: Path) -> Iterator[Postgres]:
    """Start a server of our own, in under a second. `tools` is where its programs are."""
    # Not in TMPDIR, which may be too long for the path of a socket, or closed to another user.
    directory = Path(tempfile.mkdtemp(prefix="vault-test-", dir="/tmp"))
    data = Path(tempfile.mkdtemp(prefix="vault-test-", dir=quick_directory()))
    programs, user, group = tools, None, None
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and nobody else may be able to reach root's site-packages.
        nobody = pwd.getpwnam("nobody")
        user, group = nobody.pw_uid, nobody.pw_gid
        if not all(
            path.stat().st_mode & stat.S_IXOTH for path in (tools / "postgres", tools, *tools.parents)
        ):
            programs = _copied(tools, directory / "programs")
        subprocess.run(["chown", "-R", f"{user}:{group}", directory, data], check=True)
    with subprocess.Popen(
        ["sh", "-c", _SUPERVISOR, "supervisor", programs, directory, data],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
        # Ctrl-C is for the tests, which then still have databases to drop.
        start_new_session=True,
    ) as supervisor:
        assert supervisor.stdout
        try:
            if supervisor.stdout.readline() == "ready\n":
                url = URL.create(
                    "postgresql+psycopg", "postgres", database="postgres", query={"host": str(directory)}
                )
                yield Postgres(url.render_as_string(), tools)
        finally:
            _, complaints = supervisor.communicate("stop\n")
    if supervisor.returncode != 0:
        raise RuntimeError(f"the PostgreSQL server of the tests failed:\n{complaints}")


def quick_directory() -> Path:
    """Memory where there is plenty, for a new database is 300 small files; otherwise a disk."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30 else Path("/tmp")


def _copied(tools: Path, directory: Path) -> Path:
    """Copy an installed PostgreSQL, and the libraries that a Linux wheel keeps beside its package."""
    installed, package = tools.parent, tools.parents[1]
    unneeded = shutil.ignore_patterns("include", "pkgconfig", "*.a")
    copy = Path(shutil.copytree(installed, directory / package.name / installed.name, ignore=unneeded))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name)
    return copy / tools.name


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection past the vault, where every statement is a transaction: the hand of a thief or a test."""
    with _engine(url).connect() as connection:
        yield connection


@lru_cache
def _engine(url: str) -> Engine:
    # With no pool it holds nothing open; kept because a new one first asks the server who it is.
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def _rows(connection: Connection, query: str) -> Rows:
    return [tuple(row) for row in connection.exec_driver_sql(query)]


def _name() -> str:
    return f"vault_test_{token_hex(8)}"


def _at(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


def _database(url: str) -> str:
    database = make_url(url).database
    assert database
    return database


def _file(url: str) -> Path:
    return Path(_database(url))


def _libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
