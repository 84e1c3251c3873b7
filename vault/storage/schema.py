"""The tables of the two databases. The root, the third store, is no database.

Transcripts are big and may be restored at any age; the keyring is small and must be at its latest state.
"""

from __future__ import annotations

import enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql, sqlite

from vault.crypto.envelope import ID_BYTES

Id = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Token = LargeBinary(ID_BYTES).with_variant(mysql.VARBINARY(ID_BYTES), "mysql", "mariadb")
Slot = LargeBinary(ID_BYTES + 1).with_variant(mysql.VARBINARY(ID_BYTES + 1), "mysql", "mariadb")
Key = LargeBinary(512).with_variant(mysql.VARBINARY(512), "mysql", "mariadb")
Sealed = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
Words = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")

_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
_NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True, **_MYSQL}
_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False, **_MYSQL}

transcripts = MetaData(naming_convention=_NAMES)
keyring = MetaData(naming_convention=_NAMES)


class State(enum.IntEnum):
    """Of users, sessions, epochs and chapters. Whatever is not live is being erased, or is erased."""

    LIVE = 0
    GONE = 1


transcripts_meta = Table(
    "transcripts_meta",
    transcripts,
    Column("name", String(32), primary_key=True),
    Column("value", Key, nullable=False),
    **_MYSQL,
)

users = Table(
    "users",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("slot", Token, nullable=False, index=True),
    Column("node", Token, nullable=False, unique=True),
    Column("name", Sealed, nullable=False),
    Column("state", SmallInteger, nullable=False),
    **_NEVER_REUSED,
)

sessions = Table(
    "sessions",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey(users.c.id), nullable=False, index=True),
    Column("slot", Token, nullable=False, index=True),
    Column("node", Token, nullable=False, unique=True),
    Column("name", Sealed, nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("profile", Sealed, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    **_NEVER_REUSED,
)

classes = Table(
    "classes",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    **_NEVER_REUSED,
)

epochs = Table(
    "epochs",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("class_id", Id, ForeignKey(classes.c.id), nullable=False),
    Column("anchor", BigInteger, nullable=False),
    Column("node", Token, nullable=False, unique=True),
    Column("state", SmallInteger, nullable=False),
    Index("ix_epochs_class_id_anchor", "class_id", "anchor"),
    **_NEVER_REUSED,
)

chapters = Table(
    "chapters",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey(sessions.c.id), nullable=False),
    Column("epoch_id", Id, ForeignKey(epochs.c.id), nullable=True, index=True),
    Column("node", Token, nullable=True, unique=True),
    Column("state", SmallInteger, nullable=False),
    UniqueConstraint("session_id", "epoch_id"),
    **_NEVER_REUSED,
)

messages = Table(
    "messages",
    transcripts,
    Column("session_id", Id, ForeignKey(sessions.c.id), primary_key=True, autoincrement=False),
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("chapter_id", Id, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("body", Sealed, nullable=False),
    Column("originals", Sealed, nullable=True),
    Column("originals_chapter_id", Id, nullable=True),
    **_CLUSTERED,
)

idempotency = Table(
    "idempotency",
    transcripts,
    Column("session_id", Id, ForeignKey(sessions.c.id), primary_key=True, autoincrement=False),
    Column("key", Token, primary_key=True),
    Column("seq", Id, nullable=False),
    **_CLUSTERED,
)

keyring_meta = Table(
    "keyring_meta",
    keyring,
    Column("name", String(32), primary_key=True),
    Column("value", Key, nullable=False),
    **_MYSQL,
)

nodes = Table(
    "nodes",
    keyring,
    Column("id", Token, primary_key=True),
    Column("parent", Token, nullable=False, index=True),
    Column("kind", SmallInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("slot", Slot, nullable=False, unique=True),
    Column("wrapped", Key, nullable=False),
    **_CLUSTERED,
)

tombstones = Table(
    "tombstones",
    keyring,
    Column("id", Id, primary_key=True),
    Column("intent", Token, nullable=False, unique=True),
    Column("slot", Slot, nullable=False, index=True),
    Column("pseudonym", String(32), nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("enrolled_at", BigInteger, nullable=True),
    Column("seal", Token, nullable=False),
    **_NEVER_REUSED,
)

intents = Table(
    "intents",
    keyring,
    Column("id", Token, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("phase", SmallInteger, nullable=False, index=True),
    Column("ordinal", BigInteger, nullable=True, index=True),
    Column("slot", Slot, nullable=False, index=True),
    Column("record", Words, nullable=False),
    **_MYSQL,
)

erased = Table(
    "erased",
    keyring,
    Column("node", Token, primary_key=True),
    Column("intent", Token, ForeignKey(intents.c.id), nullable=False, index=True),
    **_CLUSTERED,
)
