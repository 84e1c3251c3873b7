"""The schema's history, one line of Alembic revisions for each of the two databases.

A new database gets its tables as they are now, an older one by Alembic. Opening only compares a version.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    column,
    func,
    insert,
    inspect,
    literal,
    select,
    table,
)
from sqlalchemy.schema import CreateIndex, CreateTable

from vault.errors import ConfigError, SchemaError
from vault.storage import schema
from vault.storage.prepared import Prepared

HEADS = {"transcripts": "t0001", "keyring": "k0001"}
_LOCK = "transcript-vault"
_PATIENCE = 60
_METADATA = {"transcripts": schema.transcripts, "keyring": schema.keyring}


def version_table(label: str) -> str:
    """Name the table that holds the version: both stores may share a server, even a database."""
    return f"{label}_version"


_versions = {
    label: Prepared(select(column("version_num", String)).select_from(table(version_table(label))))
    for label in HEADS
}


def version(connection: Connection, label: str) -> str | None:
    """Give the version of a database; None where it is empty."""
    if not connection.dialect.has_table(connection, version_table(label)):
        return None
    row = _versions[label].one_or_none(connection)
    return None if row is None else str(row.version_num)


def check(connection: Connection, label: str) -> None:
    """Raise SchemaError unless the database has the version of this release."""
    found = version(connection, label)
    if found == HEADS[label]:
        return
    if found is None:
        raise SchemaError(f"the {label} database holds no vault", hint="vault init makes one")
    if found < HEADS[label]:
        raise SchemaError(
            f"the {label} database has the older version {found}; this release needs {HEADS[label]}",
            hint="make a backup, then: vault db upgrade",
        )
    raise SchemaError(
        f"the {label} database has the version {found}, made by a newer release than this one",
        hint="pip install --upgrade transcript-vault",
    )


def upgrade(connection: Connection, label: str) -> None:
    """Bring a database, empty or older, to the version of this release."""
    found = version(connection, label)
    if found is None:
        with _alone(connection):
            _create(connection, label)
    elif found != HEADS[label]:
        migrate(connection, label)


def _create(connection: Connection, label: str) -> None:
    """Make the tables as they are now; the version comes last, and says that all are there.

    MariaDB commits every statement for itself: some may be there already, from before a crash. Alembic is no
    help then, and its state is global: two vaults that are made in one process would be mixed up.
    """
    if version(connection, label) is not None:
        return  # another process was faster
    there = set(inspect(connection).get_table_names())
    for one in tables(label):
        if one.name not in there:
            for text in _making(one, connection.dialect):
                connection.exec_driver_sql(text)
            continue
        _refuse_foreign(connection, one)
        for index in sorted(one.indexes, key=lambda each: str(each.name)):
            index.create(connection, checkfirst=True)
    name = version_table(label)
    number = Column("version_num", String(32), nullable=False)
    versions = Table(name, MetaData(), number, PrimaryKeyConstraint("version_num", name=f"{name}_pkc"))
    versions.create(connection, checkfirst=True)
    connection.execute(insert(versions).values(version_num=HEADS[label]))


_texts: dict[tuple[Table, str], list[str]] = {}


def _making(one: Table, dialect: Dialect) -> list[str]:
    """Give what makes a table with its indexes: written once, for a process may make many vaults."""
    key = one, dialect.name
    if key not in _texts:
        indexes = sorted(one.indexes, key=lambda each: str(each.name))
        parts: list[CreateTable | CreateIndex] = [CreateTable(one), *map(CreateIndex, indexes)]
        _texts[key] = [str(part.compile(dialect=dialect)) for part in parts]
    return _texts[key]


def _refuse_foreign(connection: Connection, one: Table) -> None:
    found = {column["name"] for column in inspect(connection).get_columns(one.name)}
    is_ours = found == {column.name for column in one.columns}
    if not is_ours or connection.execute(select(literal(1)).select_from(one).limit(1)).first():
        raise ConfigError(
            f"the database has a table {one.name} that is not of a new vault",
            hint="give the vault a database of its own",
        )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Let nobody else make tables meanwhile. SQLite's transaction does that already."""
    match connection.dialect.name:
        case "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(_LOCK))))
            yield
        case "mysql" | "mariadb":
            name = func.concat(_LOCK, func.md5(func.database()))
            connection.execute(select(func.get_lock(name, _PATIENCE)))
            try:
                yield
                connection.commit()  # before anybody else looks
            finally:
                if not connection.invalidated:  # who is cut off has no lock any more
                    connection.execute(select(func.release_lock(name)))
        case _:
            yield


def migrate(connection: Connection, label: str) -> None:
    """Run the revisions that a database has not seen; in one thread of a process at a time."""
    from alembic import command  # noqa: PLC0415 (slow to import, seldom needed)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / label))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version_table(label)
    config.attributes["metadata"] = _METADATA[label]
    command.upgrade(config, "head")


def tables(label: str) -> list[Table]:
    """Give a store's tables, parents before children."""
    metadata: MetaData = _METADATA[label]
    return metadata.sorted_tables
