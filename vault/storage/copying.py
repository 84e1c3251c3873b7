"""Copying all rows of a store from one database to another, whatever the two dialects.

Rows are streamed in batches. Ids come along as they are, and with them how far each table has counted, so
that the copy gives no id again that the original gave, not even one whose row is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, column, delete, func, insert, select, table, text, update

from vault.storage import migrations

Rows = list[dict[str, Any]]

RESTORING = "restoring"  # the name of a fact
BATCH = 100  # rows in memory at once: a body may have megabytes

_sqlite_counters = table("sqlite_sequence", column("name"), column("seq"))
_SEQUENCE = "CAST(pg_get_serial_sequence(:counting, 'id') AS regclass)"
_counted = re.compile(r"\bAUTO_INCREMENT=(\d+)")


def tables_of(label: str) -> list[Table]:
    """Give a store's tables as they are filled: parents first, last the one that makes it a vault."""
    meta = f"{label}_meta"
    return sorted(migrations.tables(label), key=lambda one: one.name == meta)


def pour(connection: Connection, source: Table, take: Callable[[Rows], object]) -> None:
    """Hand over all rows of a table, batch by batch, as they stream in."""
    with connection.execute(select(source).execution_options(yield_per=BATCH)) as rows:
        for part in rows.mappings().partitions():
            take([dict(row) for row in part])


def add_batch(connection: Connection, target: Table, rows: Rows) -> None:
    """Add rows as they were, ids included."""
    connection.execute(insert(target), rows)


def empty(connection: Connection, label: str) -> None:
    """Delete every row of a store."""
    for one in reversed(tables_of(label)):
        connection.execute(delete(one))


def copy_all(source: Connection, target: Connection, label: str) -> dict[str, int]:
    """Replace what the target holds by what the source holds, within the target's transaction; count rows."""
    empty(target, label)
    for one in tables_of(label):
        pour(source, one, lambda rows, one=one: add_batch(target, one, rows))  # type: ignore[misc]
    return count_rows(target, label)


def count_rows(connection: Connection, label: str) -> dict[str, int]:
    """Count the rows of every table."""
    return {
        one.name: connection.execute(select(func.count()).select_from(one)).scalar_one()
        for one in migrations.tables(label)
    }


# -- ids that were given ---------------------------------------------------------------------------------


def last_ids(connection: Connection, label: str) -> dict[str, int]:
    """Give the last id that each counting table gave, whether its row is still there or not."""
    return {one.name: _last_id(connection, one) for one in _counting(label)}


def raise_ids(connection: Connection, label: str, last: Mapping[str, int]) -> None:
    """Make every counting table go on after `last`; never back.

    On MariaDB this is DDL and ends the transaction, so it comes before the rows. On PostgreSQL it outlives a
    rollback. Both leave at worst some ids unused.
    """
    for one in _counting(label):
        if last.get(one.name, 0) > _last_id(connection, one):
            _set_last_id(connection, one, last[one.name])


def _counting(label: str) -> list[Table]:
    return [one for one in migrations.tables(label) if one.autoincrement_column is not None]


def _last_id(connection: Connection, one: Table) -> int:
    match connection.dialect.name:
        case "sqlite":
            names = _sqlite_counters.c
            known = select(names.seq).where(names.name == one.name)
            return connection.execute(known).scalar_one_or_none() or 0
        case "postgresql":
            asked = text(f"SELECT pg_sequence_last_value({_SEQUENCE})")
            return connection.execute(asked, {"counting": one.name}).scalar_one() or 0
        case _:
            # What information_schema says of it may be a day old on MySQL.
            definition = connection.execute(text(f"SHOW CREATE TABLE {one.name}")).one()[1]
            found = _counted.search(definition.rpartition("\n)")[2])
            return int(found[1]) - 1 if found else 0


def _set_last_id(connection: Connection, one: Table, last: int) -> None:
    match connection.dialect.name:
        case "sqlite":
            names = _sqlite_counters.c
            known = update(_sqlite_counters).where(names.name == one.name).values(seq=last)
            if not connection.execute(known).rowcount:
                connection.execute(insert(_sqlite_counters).values(name=one.name, seq=last))
        case "postgresql":
            connection.execute(
                text(f"SELECT setval({_SEQUENCE}, :last)"), {"counting": one.name, "last": last}
            )
        case _:
            connection.execute(text(f"ALTER TABLE {one.name} AUTO_INCREMENT = {last + 1:d}"))


# -- a restore that is under way -------------------------------------------------------------------------


def begin_restoring(connection: Connection, label: str, mark: bytes) -> None:
    """Mark a store, in the transaction that fills it: a vault with a mark is not served."""
    connection.execute(insert(_meta(label)).values(name=RESTORING, value=mark))


def end_restoring(connection: Connection, label: str) -> None:
    """Take the mark away."""
    meta = _meta(label)
    connection.execute(delete(meta).where(meta.c.name == RESTORING))


def _meta(label: str) -> Table:
    return tables_of(label)[-1]
