"""The schema's history, one line of Alembic revisions for each of the two databases.

Opening a vault only compares a version; Alembic itself loads when there is something to change.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, MetaData, String, Table, column, inspect, select, table

from vault.errors import SchemaError
from vault.storage import schema

HEADS = {"transcripts": "t0001", "keyring": "k0001"}
_METADATA = {"transcripts": schema.transcripts, "keyring": schema.keyring}


def version_table(label: str) -> str:
    """Name the table that holds the version: both stores may share a server, even a database."""
    return f"{label}_version"


def version(connection: Connection, label: str) -> str | None:
    """Give the version of a database; None where it is empty."""
    if not inspect(connection).has_table(version_table(label)):
        return None
    number = column("version_num", String)
    query = select(number).select_from(table(version_table(label)))
    return connection.execute(query).scalar_one_or_none()


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
