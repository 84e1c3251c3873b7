"""The first schema of the transcripts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "t0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
TOKEN = sa.LargeBinary(16).with_variant(mysql.VARBINARY(16), "mysql", "mariadb")
KEY = sa.LargeBinary(512).with_variant(mysql.VARBINARY(512), "mysql", "mariadb")
SEALED = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True, **MYSQL}
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False, **MYSQL}


def upgrade() -> None:
    op.create_table(
        "classes",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_classes"),
        sa.UniqueConstraint("name", name="uq_classes_name"),
        **NEVER_REUSED,
    )
    op.create_table(
        "transcripts_meta",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_transcripts_meta"),
        **MYSQL,
    )
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("slot", TOKEN, nullable=False),
        sa.Column("node", TOKEN, nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("node", name="uq_users_node"),
        **NEVER_REUSED,
    )
    op.create_index("ix_users_slot", "users", ["slot"], unique=False)
    op.create_table(
        "epochs",
        sa.Column("id", ID, nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("anchor", sa.BigInteger(), nullable=False),
        sa.Column("node", TOKEN, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_epochs_class_id"),
        sa.PrimaryKeyConstraint("id", name="pk_epochs"),
        sa.UniqueConstraint("node", name="uq_epochs_node"),
        **NEVER_REUSED,
    )
    op.create_index("ix_epochs_class_id_anchor", "epochs", ["class_id", "anchor"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("slot", TOKEN, nullable=False),
        sa.Column("node", TOKEN, nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("namespace", sa.String(length=255), nullable=False),
        sa.Column("profile", SEALED, nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("node", name="uq_sessions_node"),
        **NEVER_REUSED,
    )
    op.create_index("ix_sessions_slot", "sessions", ["slot"], unique=False)
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_table(
        "chapters",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("epoch_id", ID, nullable=True),
        sa.Column("class_id", ID, nullable=True),
        sa.Column("node", TOKEN, nullable=True),
        sa.Column("seal", TOKEN, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_chapters_class_id"),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.id"], name="fk_chapters_epoch_id"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_chapters_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_chapters"),
        sa.UniqueConstraint("session_id", "epoch_id", name="uq_chapters_session_id_epoch_id"),
        **NEVER_REUSED,
    )
    op.create_index("ix_chapters_epoch_id", "chapters", ["epoch_id"], unique=False)
    owned = sa.text("node IS NOT NULL")
    op.create_index(
        "uq_chapters_node", "chapters", ["node"], unique=True, sqlite_where=owned, postgresql_where=owned
    )
    op.create_table(
        "idempotency",
        sa.Column("session_id", ID, autoincrement=False, nullable=False),
        sa.Column("key", TOKEN, nullable=False),
        sa.Column("seq", ID, nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_idempotency_session_id"),
        sa.PrimaryKeyConstraint("session_id", "key", name="pk_idempotency"),
        **CLUSTERED,
    )
    op.create_table(
        "messages",
        sa.Column("session_id", ID, autoincrement=False, nullable=False),
        sa.Column("seq", ID, autoincrement=False, nullable=False),
        sa.Column("chapter_id", ID, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("body", SEALED, nullable=False),
        sa.Column("originals", SEALED, nullable=True),
        sa.Column("originals_chapter_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_messages_session_id"),
        sa.PrimaryKeyConstraint("session_id", "seq", name="pk_messages"),
        **CLUSTERED,
    )
    op.create_table(
        "records",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("place", TOKEN, nullable=False),
        sa.Column("key", TOKEN, nullable=False),
        sa.Column("chapter_id", ID, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("body", SEALED, nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_records_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
        sa.UniqueConstraint("session_id", "place", "key", name="uq_records_session_id_place_key"),
        **NEVER_REUSED,
    )
    op.create_index(
        "ix_records_session_id_place_created_at",
        "records",
        ["session_id", "place", "created_at"],
        unique=False,
    )
    op.create_table(
        "pointers",
        sa.Column("place", TOKEN, nullable=False),
        sa.Column("session_id", ID, autoincrement=False, nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_pointers_session_id"),
        sa.PrimaryKeyConstraint("place", "session_id", name="pk_pointers"),
        **CLUSTERED,
    )
    op.create_index("ix_pointers_session_id", "pointers", ["session_id"], unique=False)
