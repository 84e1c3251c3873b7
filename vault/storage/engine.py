"""The one place that opens a database, runs a transaction and tries one again.

Work is a function of a sync `Connection`. The async face runs the same functions in a greenlet, where the
engine's driver is an async one.
"""

from __future__ import annotations

import math
import os
import random
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    MultipleResultsFound,
    NoResultFound,
    NoSuchModuleError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from vault.errors import (
    ConfigError,
    MissingExtraError,
    OutcomeUnknownError,
    StoreUnavailableError,
    TamperedError,
    UsageError,
)
from vault.forks import in_child
from vault.storage import forking
from vault.storage.prepared import drive
from vault.storage.runtime import Runtime

T = TypeVar("T")
Work = Callable[[Connection], T]

DRIVERS = {
    "sqlite": ("sqlite+pysqlite", "sqlite+aiosqlite"),
    "postgresql": ("postgresql+psycopg", "postgresql+psycopg_async"),
    "mysql": ("mysql+pymysql", "mysql+aiomysql"),
    "mariadb": ("mariadb+pymysql", "mariadb+aiomysql"),
}
_EXTRAS = {"psycopg": "postgres", "pymysql": "mysql", "aiosqlite": "async", "greenlet": "async"}
CHUNK = 500  # values in one IN: below the limit of every database
_BUSY_SECONDS = 30
_USUAL_WAITS = {
    "lock_wait_timeout": "86400, 31536000",
    "innodb_lock_wait_timeout": "50",
}  # MariaDB's, MySQL's
_ATTEMPTS = 12
_RETRY_POSTGRES = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_RETRY_MYSQL = {1213, 1205, 1020}  # deadlock, lock wait timeout, record changed since last read
_MODE = "transcript_vault_mode"
_LAZILY = "transcript_vault_lazily"
_FILE = "transcript_vault_file"
_UNTIED = "transcript_vault_untied"
_LIVE = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "cache_size=-4096")
_NEW_FILE = ("journal_mode=MEMORY", "synchronous=OFF")  # synced by its maker, once
_READ_ONLY = ("query_only=ON",)


def whole(facts: dict[str, bytes], sizes: Mapping[str, int]) -> dict[str, bytes]:
    """Give a database's facts about itself: none when it is new, otherwise each that belongs to it."""
    if facts and any(len(facts.get(name, b"")) != size for name, size in sizes.items()):
        raise TamperedError("a database has lost a fact about itself")
    return facts


def chunks(values: Collection[T]) -> Iterator[list[T]]:
    """Split into lists that fit one statement."""
    listed = list(values)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


class Store:
    """One database: runs work in transactions, each retry a new one."""

    def __init__(self, engine: Engine, label: str, runtime: Runtime) -> None:
        self.label = label
        self.dialect = engine.dialect.name
        self.engine = engine
        self._runtime = runtime
        self._closed = False
        self._is_inherited = False
        self._file = forking.file_of(engine)
        self._gate = None if self._file is None or engine.dialect.is_async else forking.gate
        forking.watch(engine)
        in_child(self, Store._inherit)
        alone = {"isolation_level": "AUTOCOMMIT"} if self.dialect == "postgresql" else {}
        steady = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        self._reader = engine.execution_options(**{_MODE: "read"}, **alone)
        self._writer = engine.execution_options(**{_MODE: "write"})
        self._remover = engine.execution_options(**{_MODE: "remove"})
        self._lazy_writer = engine.execution_options(**{_MODE: "write", _LAZILY: True})
        self._snapshot = engine.execution_options(**{_MODE: "snapshot"}, **steady)

    @property
    def absent(self) -> str | None:
        """Name its file where there is none: to connect would make an empty one."""
        if self._file is None or "uri" in self.engine.url.query:
            return None
        try:
            Path(self._file).stat()
        except (FileNotFoundError, NotADirectoryError):
            return self._file
        except OSError:  # it may be there: connecting says what is wrong
            return None
        return None

    def read(self, work: Work[T]) -> T:
        """Run one SELECT, or several that need not agree with each other."""
        return self._run(self._reader, work)

    def write(self, work: Work[T], *, lazily: bool = False, patience: float | None = None) -> T:
        """Run work in one transaction. IntegrityError passes: the caller knows what it raced for.

        What is written `lazily` may be lost with the machine's power, where the database knows a difference,
        as long as nothing is written after it in another way; a crash of the process loses nothing.
        After `patience`, in seconds, nothing is tried again: for who is told soon and comes again anyway.
        """
        return self._run(self._lazy_writer if lazily else self._writer, work, patience)

    def remove(self, work: Work[T]) -> T:
        """Run work in one transaction that adds no row and deletes none to which others refer.

        SQLite looks at no foreign key then, which for each row that goes takes as long as deleting it.
        """
        return self._run(self._remover, work)

    def snapshot(self, work: Work[T]) -> T:
        """Run several SELECTs that see one state of the database."""
        return self._run(self._snapshot, work)

    def close(self) -> None:
        """Close all connections; nothing opens one again."""
        self._closed = True
        self.engine.dispose()

    def _run(self, engine: Engine, work: Work[T], patience: float | None = None) -> T:
        if self._closed:
            raise UsageError("this vault is closed", hint="open it again")
        self._refuse_inherited()
        until = math.inf if patience is None else time.monotonic() + patience
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._run_once(engine, work)
            except IntegrityError:
                raise
            except PoolTimeoutError:
                raise StoreUnavailableError(
                    f"no connection to the {self.label} database became free",
                    hint="try again: too much is asked of it at once",
                ) from None
            except (NoResultFound, MultipleResultsFound):
                raise TamperedError(f"a row of the {self.label} database is gone, or there twice") from None
            except DBAPIError as error:
                if self.dialect == "sqlite" and "decode to UTF-8" in str(error.orig):
                    break  # its words repeat what is stored (P1)
                lost = error.connection_invalidated and attempt == 1
                is_last = attempt == _ATTEMPTS or time.monotonic() > until
                if is_last or not (lost or _worth_a_retry(self.dialect, error)):
                    raise self._unavailable(error) from error
                self._runtime.pause(random.uniform(0, 0.002 * 2 ** min(attempt, 7)))  # noqa: S311 (no secret)
        raise TamperedError("a column holds what the vault never wrote there")

    def _run_once(self, engine: Engine, work: Work[T]) -> T:
        try:
            if self._gate is not None:
                self._gate.enter()
            with engine.connect() as connection:
                if engine is self._snapshot and self.dialect in {"mysql", "mariadb"}:
                    # As a statement like others: a connection that was lost is one of their errors then.
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                result = work(connection)
                with self._outcome_unknown():
                    connection.commit()
                return result
        finally:
            if self._gate is not None:
                self._gate.leave()

    def _inherit(self) -> None:
        self._is_inherited = True

    def _refuse_inherited(self) -> None:
        """Refuse in a forked child what only its parent can go on with."""
        if self._is_inherited and self.engine.dialect.is_async:
            raise UsageError(
                "this process was forked after the AsyncVault was opened",
                hint="open one in each process, or start processes with spawn",
            )
        if self._file is not None and forking.is_torn(self._file):
            raise UsageError(
                f"this process was forked while the {self.label} database was in use: SQLite can't bear it",
                hint="close the vault before the fork, or start processes with spawn or forkserver",
            )

    @contextmanager
    def _outcome_unknown(self) -> Iterator[None]:
        """A connection lost during COMMIT must not be tried again: the work may have been done."""
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated:
                raise OutcomeUnknownError(
                    f"the {self.label} database fell silent during a commit",
                    hint="look whether the work was done before it is tried again; an idempotency key helps",
                ) from error
            raise

    def _unavailable(self, error: DBAPIError) -> StoreUnavailableError:
        said = str(error.orig).strip().partition("\n")[0][:200]
        return StoreUnavailableError(
            f"the {self.label} database does not do its work: {said}",
            hint="vault doctor says what it finds",
        )


def _worth_a_retry(dialect: str, error: DBAPIError) -> bool:
    cause = error.orig
    if dialect == "postgresql":
        return getattr(cause, "sqlstate", None) in _RETRY_POSTGRES
    if dialect == "sqlite":
        return "locked" in str(cause)
    return bool(cause and cause.args and cause.args[0] in _RETRY_MYSQL)


def parse_url(url: str | URL) -> URL:
    """Read a database URL and choose its driver; refuse what is not one of the three databases."""
    parsed = None
    with suppress(ArgumentError, ValueError):
        parsed = make_url(url)
    if parsed is None:  # raised out here, as an error of parsing holds pieces of the URL
        raise ConfigError(
            "this is not a database URL",
            hint="sqlite:///path, postgresql+psycopg://user@host/name, mysql+pymysql://user@host/name",
        )
    family = parsed.get_backend_name()
    if family not in DRIVERS:
        raise ConfigError(
            f"no database is known for the scheme {family!r}", hint="sqlite, postgresql, mysql or mariadb"
        )
    if parsed.password is not None and "@" in f"{parsed.host}{parsed.database}":
        # The rest of the password would be taken for a host, and be repeated in errors.
        raise ConfigError("an @ in the password of a database URL is written %40")
    in_memory = ":memory:" in (parsed.database or ":memory:") or parsed.query.get("mode") == "memory"
    if family == "sqlite" and in_memory:
        raise ConfigError("a vault in memory would forget its keys", hint="name a file: sqlite:///path")
    return parsed


def open_store(url: str | URL, label: str, runtime: Runtime, *, is_async: bool = False) -> Store:
    """Open a database, without connecting yet."""
    return _open(url, label, runtime, _LIVE, is_async=is_async)


def open_file(path: Path, label: str, runtime: Runtime, *, is_async: bool, new: bool = False) -> Store:
    """Open a SQLite file of a backup: a new one to be filled, or a whole one only to be read."""
    query = {} if new else {"mode": "ro", "uri": "true"}
    url = URL.create("sqlite", database=str(path) if new else path.absolute().as_uri(), query=query)
    return _open(url, label, runtime, _NEW_FILE if new else _READ_ONLY, is_async=is_async)


def _open(url: str | URL, label: str, runtime: Runtime, pragmas: Sequence[str], *, is_async: bool) -> Store:
    parsed = parse_url(url)
    family = parsed.get_backend_name()
    parsed = parsed.set(drivername=DRIVERS[family][is_async])
    options: dict[str, Any] = {"hide_parameters": True, "pool_use_lifo": True}
    if family == "sqlite":
        options["connect_args"] = {"timeout": _BUSY_SECONDS}
    else:
        options |= {"isolation_level": "READ COMMITTED", "pool_recycle": 1800}
    if family in {"mysql", "mariadb"}:
        parsed = parsed.update_query_dict({"charset": "utf8mb4"})
    try:
        if is_async:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 (needs greenlet)

            engine = create_async_engine(parsed, **options).sync_engine
        else:
            engine = create_engine(parsed, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as missing:
        package = getattr(missing, "name", None) or parsed.get_driver_name()
        raise MissingExtraError(package, _EXTRAS.get(package, "async-mysql")) from None
    if family == "sqlite":
        event.listen(
            engine, "connect", lambda connection, record: _prepare_sqlite(connection, record, pragmas)
        )
        event.listen(engine, "begin", _begin_sqlite)
        if not is_async:
            event.listen(engine, "invalidate", _let_go)
    else:
        event.listen(engine, "connect", _prepare_postgresql if family == "postgresql" else _prepare_mysql)
    return Store(engine, label, runtime)


def _prepare_sqlite(connection: Any, record: ConnectionPoolEntry, pragmas: Sequence[str]) -> None:  # noqa: ANN401 (two drivers)
    connection.isolation_level = None  # the driver leaves BEGIN to us
    if pragmas is _LIVE:
        record.info[_LAZILY] = False
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _let_go(
    connection: sqlite3.Connection, _record: ConnectionPoolEntry, _error: BaseException | None
) -> None:
    """End the transaction of a connection that an interrupt ends: what it was asked may not be answered yet.

    Until such a cursor is gone, and a traceback keeps it, SQLite has the file locked though it was closed.
    """
    with suppress(sqlite3.Error):
        connection.rollback()


def _prepare_postgresql(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401 (two drivers)
    """Wait for a lock as long as with SQLite, unless the server or the URL says how long.

    The server's own default is for ever, and who has the lock may be a process that was stopped.
    """
    cursor = connection.cursor()
    cursor.execute(
        "SELECT set_config('lock_timeout', %s, false) WHERE current_setting('lock_timeout') = '0'",
        (f"{_BUSY_SECONDS * 1000:.0f}ms",),
    )
    cursor.close()
    connection.commit()  # what is set in a transaction that is rolled back is not set


def _prepare_mysql(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401 (two drivers)
    """Wait for a lock as long as with the others, unless the server or the URL says how long.

    For a table that somebody has locked, as backups do, the server's own default is a day, or a year.
    """
    seconds = max(1, _BUSY_SECONDS)
    settings = (
        f"{name} = IF(@@{name} IN ({usual}), {seconds}, @@{name})" for name, usual in _USUAL_WAITS.items()
    )
    cursor = connection.cursor()
    cursor.execute(f"SET SESSION {', '.join(settings)}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    mode = options.get(_MODE)
    # The pragmas belong to the connection, which others get from the pool, and do nothing in a transaction.
    if (mode == "remove") != connection.info.get(_UNTIED, False):
        drive(connection, f"PRAGMA foreign_keys={'OFF' if mode == 'remove' else 'ON'}")
        connection.info[_UNTIED] = mode == "remove"
    match mode:
        case "write" | "remove":
            is_lazy, lazily = connection.info.get(_LAZILY), options.get(_LAZILY, False)
            if is_lazy is not None and is_lazy != lazily:
                drive(connection, f"PRAGMA synchronous={'NORMAL' if lazily else 'FULL'}")
                connection.info[_LAZILY] = lazily
            drive(connection, "BEGIN IMMEDIATE")
        case "snapshot":
            drive(connection, "BEGIN")
        case _:
            pass  # one SELECT is its own snapshot


def identity(connection: Connection) -> str:
    """Say where this database lives, in the server's own words: a copy elsewhere gives another answer."""
    match connection.dialect.name:
        case "sqlite":
            path = connection.info.get(_FILE)
            if path is None:  # asked once: a connection stays with its file
                asked = text("SELECT file FROM pragma_database_list WHERE name = 'main'")
                path = connection.info[_FILE] = os.path.realpath(connection.execute(asked).scalar_one())
            return f"sqlite {path} {Path(path).stat().st_ino}"
        case "postgresql":
            row = connection.execute(
                text(
                    "SELECT c.system_identifier, d.oid FROM pg_control_system() c, pg_database d"
                    " WHERE d.datname = current_database()"
                )
            ).one()
            return f"postgresql {row[0]} {row[1]}"
        case _:
            row = connection.execute(text("SELECT @@hostname, @@port, @@datadir, database()")).one()
            return "mysql " + " ".join(map(str, row))


def packet_limit(connection: Connection) -> int | None:
    """Give the largest statement a server takes, where there is such a limit."""
    if connection.dialect.name in {"mysql", "mariadb"}:
        return int(connection.execute(text("SELECT @@max_allowed_packet")).scalar_one())
    return None
