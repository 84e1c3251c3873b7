"""The tables of the two databases. The root, the third store, is no database.

Transcripts are big and may be restored at any age; the keyring is small and must be at its latest state.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
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
    text,
)
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from vault.crypto.envelope import ID_BYTES
from vault.crypto.tree import Kind
from vault.errors import TamperedError


class State(enum.IntEnum):
    """Of users, sessions, epochs and chapters. Whatever is gone is being erased, or is erased."""

    LIVE = 0
    GONE = 1
    HIDDEN = 2  # a session that the app cleared or deleted while it was held
    CLOSED = 3  # an epoch or chapter that takes no more messages, and whose key is about to be erased


class Checked(TypeDecorator[Any]):
    """A column whose values are looked at as they arrive: SQLite keeps anything anywhere (P2)."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = LargeBinary
    cache_ok = True

    def __init__(self, impl: TypeEngine[Any], kind: type, least: int, most: int) -> None:
        super().__init__()
        self.impl = impl
        self.kind = kind
        self.least = least
        self.most = most

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        """Give what every value passes: a number or a length has its bounds."""
        kind, least, most = self.kind, self.least, self.most
        measure: Callable[[Any], int] = index if kind is int else len

        def check(value: Any) -> Any:  # noqa: ANN401 (whatever a thief left there)
            if value is not None and (type(value) is not kind or not least <= measure(value) <= most):
                raise TamperedError("a column holds what the vault never wrote there")
            return value

        return check

    def check_all(self, values: Sequence[Any]) -> None:
        """Look at a column of many rows at once."""
        kinds = set(map(type, values))
        if type(None) in kinds:
            kinds.discard(type(None))
            values = [one for one in values if one is not None]
        if not values:
            return
        if kinds == {self.kind}:
            sizes = values if self.kind is int else list(map(len, values))
            if self.least <= min(sizes) and max(sizes) <= self.most:
                return
        raise TamperedError("a column holds what the vault never wrote there")


def _bytes(size: int, *, least: int) -> Checked:
    stored = LargeBinary(size).with_variant(mysql.VARBINARY(size), "mysql", "mariadb")
    return Checked(stored, bytes, least, size)


def _text(size: int) -> Checked:
    return Checked(String(size), str, 0, size)


_MOST = 2**62  # leaves room to count on
_BIG = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")

Id = Checked(_BIG, int, 1, _MOST)
Count = Checked(_BIG, int, 0, _MOST)
Day = Checked(BigInteger(), int, -_MOST, _MOST)
Moment = Checked(BigInteger(), int, -62_135_596_800_000_000, 253_402_300_799_999_999)  # what a datetime holds
Rev = Checked(Integer(), int, 0, 2**31 - 1)
Small = Checked(SmallInteger(), int, 0, 99)
Mark = Checked(SmallInteger(), int, min(State), max(State))
Token = _bytes(ID_BYTES, least=ID_BYTES)
Slot = _bytes(ID_BYTES + 1, least=1)
Key = _bytes(512, least=1)
Sealed = Checked(LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb"), bytes, 0, _MOST)
Words = Checked(Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"), str, 0, _MOST)

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


class Phase(enum.IntEnum):
    """How far an erasure has come. Each step can be repeated."""

    BEGUN = 0  # recorded; nothing is erased yet
    CUT = 1  # the keys are cut off
    SWEPT = 2  # the rows are deleted too
    FINAL = 3  # the last root generation that led to the keys is gone


transcripts_meta = Table(
    "transcripts_meta",
    transcripts,
    Column("name", _text(32), primary_key=True),
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
    Column("state", Mark, nullable=False),
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
    Column("namespace", _text(255), nullable=False),
    Column("profile", Sealed, nullable=False),
    Column("rev", Rev, nullable=False),
    Column("state", Mark, nullable=False),
    **_NEVER_REUSED,
)

classes = Table(
    "classes",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("name", _text(255), nullable=False, unique=True),
    **_NEVER_REUSED,
)

epochs = Table(
    "epochs",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("class_id", Id, ForeignKey(classes.c.id), nullable=False),
    Column("anchor", Day, nullable=False),
    Column("node", Token, nullable=False, unique=True),
    Column("state", Mark, nullable=False),
    Index("ix_epochs_class_id_anchor", "class_id", "anchor"),
    **_NEVER_REUSED,
)

_owned = text("node IS NOT NULL")  # nearly no chapter: an index of all would be taken to find the others

chapters = Table(
    "chapters",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey(sessions.c.id), nullable=False),
    Column("epoch_id", Id, ForeignKey(epochs.c.id), nullable=True, index=True),
    Column("class_id", Id, ForeignKey(classes.c.id), nullable=True),  # where the class has no epochs
    Column("node", Token, nullable=True),
    Column("seal", Token, nullable=False),  # what shows that the session had it, when its key is dead
    Column("state", Mark, nullable=False),
    UniqueConstraint("session_id", "epoch_id"),
    Index("uq_chapters_node", "node", unique=True, sqlite_where=_owned, postgresql_where=_owned),
    **_NEVER_REUSED,
)

messages = Table(
    "messages",
    transcripts,
    Column("session_id", Id, ForeignKey(sessions.c.id), primary_key=True, autoincrement=False),
    Column("seq", Count, primary_key=True, autoincrement=False),
    Column("chapter_id", Id, nullable=False),
    Column("role", _text(16), nullable=False),
    Column("created_at", Moment, nullable=False),
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
    Column("seq", Count, nullable=False),
    Column("seal", Token, nullable=False),
    **_CLUSTERED,
)

# Sealed values of adapters, by a name of the app's: state that lives beside the messages of a session.
records = Table(
    "records",
    transcripts,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey(sessions.c.id), nullable=False),
    Column("place", Token, nullable=False),
    Column("key", Token, nullable=False),
    Column("chapter_id", Id, nullable=False),
    Column("role", _text(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("body", Sealed, nullable=False),
    UniqueConstraint("session_id", "place", "key"),
    Index("ix_records_session_id_place_created_at", "session_id", "place", "created_at"),
    **_NEVER_REUSED,
)

# Where a session is found by a name without its user: a thread or a run of a framework that forgets whose.
pointers = Table(
    "pointers",
    transcripts,
    Column("place", Token, primary_key=True),
    Column("session_id", Id, ForeignKey(sessions.c.id), primary_key=True, autoincrement=False, index=True),
    Column("seal", Token, nullable=False),
    **_CLUSTERED,
)

keyring_meta = Table(
    "keyring_meta",
    keyring,
    Column("name", _text(32), primary_key=True),
    Column("value", Key, nullable=False),
    **_MYSQL,
)

# Clustered by parent: the sixteen children of every node on the way to a user lie on one page or two, so that
# what an erasure wraps again is not scattered over the whole file.
nodes = Table(
    "nodes",
    keyring,
    Column("id", Token, nullable=False, unique=True),
    Column("parent", Token, primary_key=True),
    Column("kind", Checked(SmallInteger(), int, min(Kind), max(Kind)), nullable=False),
    Column("version", Count, nullable=False),
    Column("slot", Slot, primary_key=True, unique=True),
    Column("wrapped", Key, nullable=False),
    **_CLUSTERED,
)

tombstones = Table(
    "tombstones",
    keyring,
    Column("id", Id, primary_key=True),
    Column("intent", Token, nullable=False, unique=True),
    Column("slot", Slot, nullable=False, index=True),
    Column("pseudonym", _text(32), nullable=False),
    Column("erased_at", Moment, nullable=False),
    Column("enrolled_at", Moment, nullable=True),
    Column("seal", Token, nullable=False),
    **_NEVER_REUSED,
)

intents = Table(
    "intents",
    keyring,
    Column("id", Token, primary_key=True),
    Column("kind", _text(32), nullable=False),
    Column("phase", Checked(SmallInteger(), int, min(Phase), max(Phase)), nullable=False, index=True),
    Column("ordinal", Count, nullable=True, index=True),
    Column("slot", Slot, nullable=False, index=True),
    Column("record", Words, nullable=False),
    Column("seal", Token, nullable=False),
    **_MYSQL,
)

erased = Table(
    "erased",
    keyring,
    Column("node", Token, primary_key=True),
    Column("intent", Token, ForeignKey(intents.c.id), nullable=False, index=True),
    **_CLUSTERED,
)

# The daemon: who leads, and what was run on schedule.

leases = Table(
    "leases",
    keyring,
    Column("name", _text(32), primary_key=True),
    Column("holder", Token, nullable=False),
    Column("fence", Count, nullable=False),
    Column("beat", Count, nullable=False),
    **_MYSQL,
)

turns = Table(
    "turns",
    keyring,
    Column("job", _text(32), primary_key=True),
    Column("due", Moment, primary_key=True, autoincrement=False),
    Column("fence", Count, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    Column("outcome", _text(32), nullable=False),
    Column("seal", Token, nullable=False),
    **_CLUSTERED,
)

# Holds, and the requests that wait for holds to end. `ended_at`: released; `settled_at`: nothing is left to
# be done that waited for the end.
holds = Table(
    "holds",
    keyring,
    Column("id", Token, primary_key=True),
    Column("kind", _text(32), nullable=False),
    Column("slot", Slot, nullable=False),
    Column("user_node", Token, nullable=False, index=True),
    Column("session_node", Token, nullable=True),
    Column("until", Moment, nullable=True),
    Column("ended_at", Moment, nullable=True),
    Column("settled_at", Moment, nullable=True, index=True),
    Column("record", Words, nullable=False),
    Column("seal", Token, nullable=False),
    **_MYSQL,
)

# -- retention -------------------------------------------------------------------------------------------

runs = Table(
    "runs",
    keyring,
    Column("id", Token, primary_key=True),
    Column("started_at", Moment, nullable=False, index=True),
    Column("cursor", Count, nullable=False),
    Column("record", Words, nullable=False),
    Column("seal", Token, nullable=False),
    **_MYSQL,
)

# -- evidence: the log, which only grows -----------------------------------------------------------------

log_entries = Table(
    "log_entries",
    keyring,
    Column("id", Count, primary_key=True, autoincrement=False),
    Column("act", Token, nullable=False, index=True),
    Column("entry", Words, nullable=False),
    **_CLUSTERED,
)

# What stands for each 256 entries, each 65,536 and so on: with them a root or a proof reads a few rows.
log_nodes = Table(
    "log_nodes",
    keyring,
    Column("level", Small, primary_key=True, autoincrement=False),
    Column("place", Count, primary_key=True, autoincrement=False),
    Column("hash", _bytes(32, least=32), nullable=False),
    **_CLUSTERED,
)

log_head = Table(
    "log_head",
    keyring,
    Column("id", Small, primary_key=True, autoincrement=False),
    Column("size", Count, nullable=False),
    Column("frontier", Sealed, nullable=False),
    Column("seal", Token, nullable=False),
    **_CLUSTERED,
)
