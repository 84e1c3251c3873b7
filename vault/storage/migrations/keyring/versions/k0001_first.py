"""The first schema of the keyring."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "k0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
TOKEN = sa.LargeBinary(16).with_variant(mysql.VARBINARY(16), "mysql", "mariadb")
SLOT = sa.LargeBinary(17).with_variant(mysql.VARBINARY(17), "mysql", "mariadb")
HASH = sa.LargeBinary(32).with_variant(mysql.VARBINARY(32), "mysql", "mariadb")
SEALED = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
KEY = sa.LargeBinary(512).with_variant(mysql.VARBINARY(512), "mysql", "mariadb")
WORDS = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True, **MYSQL}
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False, **MYSQL}


def upgrade() -> None:
    op.create_table(
        "intents",
        sa.Column("id", TOKEN, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("phase", sa.SmallInteger(), nullable=False),
        sa.Column("ordinal", ID, nullable=True),
        sa.Column("slot", SLOT, nullable=False),
        sa.Column("record", WORDS, nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
        **MYSQL,
    )
    op.create_index("ix_intents_ordinal", "intents", ["ordinal"], unique=False)
    op.create_index("ix_intents_phase", "intents", ["phase"], unique=False)
    op.create_index("ix_intents_slot", "intents", ["slot"], unique=False)
    op.create_table(
        "keyring_meta",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_keyring_meta"),
        **MYSQL,
    )
    op.create_table(
        "nodes",
        sa.Column("id", TOKEN, nullable=False),
        sa.Column("parent", TOKEN, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("slot", SLOT, nullable=False),
        sa.Column("wrapped", KEY, nullable=False),
        sa.PrimaryKeyConstraint("parent", "slot", name="pk_nodes"),
        sa.UniqueConstraint("id", name="uq_nodes_id"),
        sa.UniqueConstraint("slot", name="uq_nodes_slot"),
        **CLUSTERED,
    )
    op.create_table(
        "tombstones",
        sa.Column("id", ID, nullable=False),
        sa.Column("intent", TOKEN, nullable=False),
        sa.Column("slot", SLOT, nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", TOKEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tombstones"),
        sa.UniqueConstraint("intent", name="uq_tombstones_intent"),
        **NEVER_REUSED,
    )
    op.create_index("ix_tombstones_slot", "tombstones", ["slot"], unique=False)
    op.create_table(
        "erased",
        sa.Column("node", TOKEN, nullable=False),
        sa.Column("intent", TOKEN, nullable=False),
        sa.ForeignKeyConstraint(["intent"], ["intents.id"], name="fk_erased_intent"),
        sa.PrimaryKeyConstraint("node", name="pk_erased"),
        **CLUSTERED,
    )
    op.create_index("ix_erased_intent", "erased", ["intent"], unique=False)

    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", TOKEN, nullable=False),
        sa.Column("fence", ID, nullable=False),
        sa.Column("beat", ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
        **MYSQL,
    )
    op.create_table(
        "turns",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("fence", ID, nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.PrimaryKeyConstraint("job", "due", name="pk_turns"),
        **CLUSTERED,
    )
    op.create_table(
        "holds",
        sa.Column("id", TOKEN, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("slot", SLOT, nullable=False),
        sa.Column("user_node", TOKEN, nullable=False),
        sa.Column("session_node", TOKEN, nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("record", WORDS, nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        **MYSQL,
    )
    op.create_index("ix_holds_user_node", "holds", ["user_node"], unique=False)
    op.create_index("ix_holds_settled_at", "holds", ["settled_at"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", TOKEN, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("cursor", ID, nullable=False),
        sa.Column("record", WORDS, nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        **MYSQL,
    )
    op.create_index("ix_runs_started_at", "runs", ["started_at"], unique=False)
    # -- evidence
    op.create_table(
        "log_entries",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("act", TOKEN, nullable=False),
        sa.Column("entry", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log_entries"),
        **CLUSTERED,
    )
    op.create_index("ix_log_entries_act", "log_entries", ["act"], unique=False)
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("place", ID, nullable=False, autoincrement=False),
        sa.Column("hash", HASH, nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name="pk_log_nodes"),
        **CLUSTERED,
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("frontier", SEALED, nullable=False),
        sa.Column("seal", TOKEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
        **CLUSTERED,
    )
