"""What a database must be for the promises to hold: what is acknowledged is durable (P8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, false, insert, select, text, update

_LOSES = "what was acknowledged may be lost when the power fails"
_BREAKS = "the whole database may be broken when the power fails"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is, and what follows where it should be another."""

    name: str
    value: str
    fits: bool
    risk: str
    mend: str


def durable_settings(connection: Connection) -> list[Setting]:
    """Read the settings that decide whether a commit survives the machine."""
    match connection.dialect.name:
        case "sqlite":
            return _sqlite(connection)
        case "postgresql":
            return _postgresql(connection)
        case _:
            return _mysql(connection)


def _sqlite(connection: Connection) -> list[Setting]:
    def ask(pragma: str) -> str:
        return str(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()).lower()

    journal, synchronous, secure_delete = map(ask, ("journal_mode", "synchronous", "secure_delete"))
    local = "keep the file on a local disk: this file system does not support a WAL"
    build = "use an SQLite that was built without a fixed setting"
    return [
        Setting("journal_mode", journal, journal == "wal", "readers and writers wait for each other", local),
        Setting("synchronous", synchronous, int(synchronous) >= 2, _LOSES, build),  # noqa: PLR2004 (FULL)
        Setting("secure_delete", secure_delete, secure_delete == "1", "deleted rows stay in the file", build),
    ]


def _postgresql(connection: Connection) -> list[Setting]:
    risks = {"fsync": _BREAKS, "full_page_writes": _BREAKS, "synchronous_commit": _LOSES}
    query = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names) ORDER BY name")
    return [
        Setting(
            name,
            value,
            value != "off",
            risks[name],
            f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();",
        )
        for name, value in connection.execute(query, {"names": list(risks)})
    ]


def _mysql(connection: Connection) -> list[Setting]:
    names = ("innodb_flush_log_at_trx_commit", "innodb_doublewrite", "log_bin", "sync_binlog")
    query = text("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in names))
    flush, doublewrite, log_bin, sync_binlog = map(str, connection.execute(query).one())
    found = [
        Setting(names[0], flush, flush == "1", _LOSES, f"SET GLOBAL {names[0]} = 1, and in my.cnf"),
        Setting(
            names[1], doublewrite, doublewrite not in {"0", "OFF"}, _BREAKS, f"{names[1]} = ON in my.cnf"
        ),
    ]
    if log_bin != "0":
        found.append(
            Setting(
                names[3],
                sync_binlog,
                sync_binlog == "1",
                "a replica may lack what was acknowledged when the power fails",
                f"SET GLOBAL {names[3]} = 1, and in my.cnf",
            )
        )
    return found


def write_nothing(connection: Connection, tables: Iterable[Table]) -> None:
    """Add, change and delete no row of each table: a server that lets nothing be written refuses it."""
    for table in tables:
        columns, one = list(table.columns), next(iter(table.primary_key))
        connection.execute(insert(table).from_select(columns, select(*columns).where(false())))
        connection.execute(update(table).where(false()).values({one: one}))
        connection.execute(delete(table).where(false()))
