"""A vault to attack, a thief's hand on its rows, and what the vault then answers (P2, P7).

An attack is judged by what two vaults say afterwards: one that was open before, with its keys in memory, and
one opened after. Each answer is the truth, or an error that says what is wrong; there is no third.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from databases import Databases, connected
from sqlalchemy import Column, Connection, Table, text
from sqlalchemy.exc import DBAPIError

from vault.chat.sessions import Session
from vault.chat.writing import Entry
from vault.client import Vault
from vault.clock import DAY, from_datetime
from vault.core import Core
from vault.crypto.envelope import HEAD
from vault.crypto.tree import Kind, slot
from vault.errors import VaultError
from vault.keys.ring import Seedling, chapter_slot, fresh
from vault.listing import SessionSummary
from vault.messages import Message, encode, pack
from vault.storage import schema
from vault.storage import transcripts as sql

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]
Answers: TypeAlias = dict[str, object]

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TABLES: dict[str, Table] = {**schema.transcripts.tables, **schema.keyring.tables}
KEYRING = frozenset(schema.keyring.tables)
NAMES = ("alice", "bobby", "carol", "doris", "finno", "s-work", "s-home", "s-bare", "s-gone", "s-lost")
WORDS = ("spoken", "k-one", "k-two", "support/eu", "billing/us")


# -- the scene -------------------------------------------------------------------------------------------


def said(number: int, days: int = 0, role: str = "user") -> Message:
    """A message whose text is nowhere else."""
    return Message(role, f"spoken {number}", {"n": number}, {}, NOON - timedelta(days=days))


def shown(message: Message, seq: int | None = None) -> object:
    """What must come back of a message."""
    at = message.seq if seq is None else seq
    return (at, message.role, message.content, message.metadata, message.extra, message.created_at)


WORK = {0: said(0, 2), 1: said(1, 2, "assistant"), 2: said(2, 1, "tool"), 3: said(3), 5: said(5), 6: said(6)}
HOME = {0: said(10, 1)}
OTHER = {0: said(20, 2), 1: said(21, 1, "system"), 2: said(22, 1), 3: said(23)}
DORIS = {0: said(40)}


def _play(stage: Stage) -> None:
    """Let a vault live for a while, so that every table has rows of every kind, and older values of them."""
    with stage.open() as vault:
        work, other = (
            vault.transcript("alice", "s-work", namespace="support/eu"),
            vault.transcript("bobby", "s-work", namespace="billing/us"),
        )
        work.extend([WORK[0], WORK[1], WORK[2]])
        vault.transcript("alice", "s-home").append(HOME[0])
        vault.transcript("alice", "s-gone").append(said(60))
        vault.transcript("bobby", "s-lost").append(said(61))
        other.append(OTHER[0])
        _append_elsewhere(vault, OTHER[1])
        _append_alone(vault, OTHER[2])
        _keep_first_chapter(vault)
        other.append(OTHER[3])
        for name in ("carol", "doris"):
            vault.transcript(name, "s-work").append(said(62))
        vault.enroll("finno")
        bare = vault.transcript("alice", "s-bare")
        bare.append(said(63))
        work.append(WORK[3], key="k-one")
        work.append(said(4))
        stage.past.append(stage.rows())
        bare.pop()
        work.pop()
        work.append(WORK[5], key="k-two")
        work.append(WORK[6])
        vault.forget_user("carol", reason="asked", now=True)
        vault.forget_user("doris", reason="asked")
        stage.past.append(stage.rows())
        vault.enroll("doris")
        vault.transcript("doris", "s-work").append(DORIS[0])
        vault.forget_session("bobby", "s-lost")
        vault.transcript("alice", "s-gone").delete()


def opened(vault: Vault, user: str, session: str) -> tuple[Core, Session]:
    """Reach behind the face."""
    core = vault._core
    found = core.sessions.find(user, session)
    assert found
    return core, found


def _append_elsewhere(vault: Vault, message: Message) -> None:
    """Add to a chapter of another class, as retention rules will."""
    place = ("kept", 7)
    core = vault._core
    _write(core, core.sessions.ready("bobby", "s-work", "", [place]), message, place)


def _append_alone(vault: Vault, message: Message) -> None:
    """Add to a chapter in no epoch, with a key of its own."""
    core, session = opened(vault, "bobby", "s-work")
    own = fresh()
    seedling = Seedling(own, Kind.CHAPTER, chapter_slot(session.key, own.id), session.slot)
    assert core.keyring.plant([*session.user.path, session.slot], [seedling])
    row = core.stores.transcripts.write(lambda c: sql.add_chapter(c, session.row, node=own.id))
    core.sessions.load_chapters(session)
    session.by_place["alone", 0] = session.by_id[row]
    _write(core, session, message, ("alone", 0))


def _keep_first_chapter(vault: Vault) -> None:
    """Give a chapter a key of its own, so that it outlives its epoch."""
    core, session = opened(vault, "bobby", "s-work")
    core.sessions.keep_chapter(session, ("default", from_datetime(OTHER[0].created_at or NOON) // DAY))
    core.sessions.drop(session)


def _write(core: Core, session: Session, message: Message, place: tuple[str, int]) -> None:
    at = from_datetime(message.created_at or NOON)
    core.writer.add(session, [Entry(pack(encode(message)), message.role, at, place)], None)


def _slots(vault: Vault) -> dict[bytes, str]:
    """Where the nodes are looked up that are attacked: one of each kind."""
    core, session = opened(vault, "alice", "s-work")
    _, other = opened(vault, "bobby", "s-work")
    core.sessions.load_chapters(other)
    user, keyring = session.user, core.keyring
    return {
        **dict(zip(user.path, ("users", "radix 1", "radix 2", "radix 3", "radix 4", "user"), strict=True)),
        slot(Kind.SECRET, user.index): "secret",
        session.slot: "session",
        **{chapter_slot(other.key, one.place): f"chapter {one.id}" for one in other.by_id.values()},
        slot(Kind.EPOCHS): "epochs",
        keyring.epoch_slot("default", from_datetime(NOON) // DAY): "epoch",
        slot(Kind.SERVICE): "service",
    }


@dataclass
class Stage:
    """A vault that can be attacked and put back, again and again. `past` holds older states of its rows."""

    databases: Databases
    root: Path
    past: list[Rows] = field(default_factory=list)
    now: Rows = field(default_factory=dict)
    certificates: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    _files: dict[Path, bytes] = field(default_factory=dict)
    _slots: dict[bytes, str] = field(default_factory=dict)

    def play(self) -> None:
        _play(self)
        self.now = self.rows()
        with self.open() as vault:
            self.certificates = sorted(map(repr, vault.certificates()))
            self._slots = _slots(vault)
        for table, rows in self.now.items():
            for row in rows:
                for name, value in row.items():
                    if isinstance(value, bytes) and len(value) >= 16:
                        self.secrets[f"{table}.{name}"] = value.hex()
                        self.secrets[f"{table}.{name} as bytes"] = repr(value)[2:-1]
        paths = [self.root]
        if self.databases.dialect == "sqlite":
            paths += [
                Path(url.removeprefix("sqlite:///"))
                for url in (self.databases.transcripts, self.databases.keyring)
            ]
        self._files = {path: path.read_bytes() for path in paths}

    def open(self, **changes: Any) -> Vault:
        return Vault.open(
            self.databases.transcripts,
            keyring=self.databases.keyring,
            root=f"file:{self.root}",
            redactor=None,
            clock=lambda: from_datetime(NOON),
            **changes,
        )

    @contextmanager
    def thief(self, table: str) -> Iterator[Thief]:
        """The hand of someone who may write to the database that holds a table, past its foreign keys."""
        url = self.databases.keyring if table in KEYRING else self.databases.transcripts
        with connected(url) as connection:
            if self.databases.dialect == "postgresql":
                connection.exec_driver_sql("SET session_replication_role = replica")
            if self.databases.dialect == "mariadb":
                connection.exec_driver_sql("SET foreign_key_checks = 0")
            yield Thief(connection, self)

    def rows(self) -> Rows:
        """All rows, as the databases give them."""
        found: Rows = {}
        for label in (schema.transcripts, schema.keyring):
            with self.thief(next(iter(label.tables))) as thief:
                for table in label.tables:
                    found[table] = thief.rows(table)
        return found

    def victims(self, table: str) -> dict[str, Row]:
        """Give the rows of a table that are attacked: one of each kind, most of them of alice's `s-work`."""
        rows = self.now[table]
        match table:
            case "transcripts_meta" | "keyring_meta" | "classes":
                return {row["name"]: row for row in rows}
            case "chapters":
                kept, alone = [row for row in rows if row["node"] is not None]
                return {"first": rows[0], "kept": kept, "alone": alone}
            case "messages":
                return {
                    f"{row['seq']}": row for row in rows if row["session_id"] == 1 and row["seq"] in {0, 2, 6}
                }
            case "nodes":
                return {name: row for row in rows if (name := self._slots.get(row["slot"]))}
            case "intents":
                return {f"{row['kind']} {row['phase']}": row for row in rows}
            case "users" | "sessions" | "epochs" | "idempotency" | "tombstones" | "erased":
                return {f"{number}": row for number, row in enumerate(rows)}
        raise NotImplementedError(table)

    def reset(self) -> None:
        """Undo all attacks. Nobody may have the vault open."""
        for path, data in self._files.items():
            with path.open("r+b") as file:  # in place: a keyring on another inode would be a copy
                file.truncate()
                file.write(data)
            for beside in ("-wal", "-shm"):
                path.with_name(path.name + beside).unlink(missing_ok=True)
        if self.databases.dialect != "sqlite":
            for label in (schema.transcripts, schema.keyring):
                with self.thief(next(iter(label.tables))) as thief:
                    for table in label.tables:
                        if thief.rows(table) != self.now[table]:
                            thief.run(f"DELETE FROM {table}")
                            for row in self.now[table]:
                                thief.insert(table, row)


class RefusedError(Exception):
    """The database itself did not let the thief do it."""


@dataclass
class Thief:
    """Writes rows with no regard for the vault."""

    connection: Connection
    stage: Stage

    def run(self, statement: str, values: Mapping[str, object] = {}) -> int:
        try:
            return self.connection.execute(text(statement), dict(values)).rowcount
        except DBAPIError as error:
            raise RefusedError(str(error.orig)) from None

    def rows(self, table: str) -> list[Row]:
        keys = ", ".join(column.name for column in TABLES[table].primary_key)
        # A %, : or quote is nowhere in our names.
        found = self.connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY {keys}")
        return [dict(row) for row in found.mappings()]

    def insert(self, table: str, row: Row) -> None:
        names = ", ".join(f"{self._quote(name)}" for name in row)
        places = ", ".join(f":{name}" for name in row)
        self.run(f"INSERT INTO {table} ({names}) VALUES ({places})", row)

    def change(self, table: str, row: Row, values: Mapping[str, object]) -> None:
        """Write other values into the row that is now `row`."""
        sets = ", ".join(f"{self._quote(name)} = :new_{name}" for name in values)
        where, keys = self._where(table, row)
        given = {f"new_{name}": value for name, value in values.items()}
        changed = self.run(f"UPDATE {table} SET {sets} WHERE {where}", {**given, **keys})
        assert changed == 1, "the thief missed"

    def delete(self, table: str, row: Row) -> None:
        where, keys = self._where(table, row)
        assert self.run(f"DELETE FROM {table} WHERE {where}", keys) == 1, "the thief missed"

    def garble(self, table: str, row: Row, column: str) -> None:
        """Write text that is no UTF-8, as only SQLite lets it be stored."""
        where, keys = self._where(table, row)
        self.run(
            f"UPDATE {table} SET {column} = CAST(:new AS TEXT) WHERE {where}", {"new": _NOT_UTF8, **keys}
        )

    def swap(self, table: str, rows: tuple[Row, Row], column: str) -> None:
        """Give two rows each other's value; a unique one goes by way of a third."""
        one, two = rows
        passing = {bytes: os.urandom(15), int: 2**30, str: "passing"}[type(one[column])]
        self.change(table, one, {column: passing})
        between = {**one, column: passing}
        self.change(table, two, {column: one[column]})
        self.change(table, between, {column: two[column]})

    def _where(self, table: str, row: Row) -> tuple[str, Row]:
        names = [column.name for column in TABLES[table].primary_key]
        where = " AND ".join(f"{self._quote(name)} = :old_{name}" for name in names)
        return where, {f"old_{name}": row[name] for name in names}

    def _quote(self, name: str) -> str:
        return self.connection.dialect.identifier_preparer.quote(name)


# -- what the vault says ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raised:
    """An error in place of an answer; two are equal when they are of one class."""

    name: str
    text: str = field(default="", compare=False)


Question: TypeAlias = Callable[[Vault], object]


def _messages(user: str, session: str, **window: int) -> Question:
    def ask(vault: Vault) -> object:
        found = vault.transcript(user, session).messages(**window)
        return [shown(message) for message in found], found.purged

    return ask


def _sessions(user: str) -> Question:
    return lambda vault: sorted(map(repr, vault.sessions(user)))


def _append(user: str, message: Message, key: str | None = None) -> Question:
    return lambda vault: shown(vault.transcript(user, "s-work").append(message, key=key))


READING: dict[str, Question] = {
    "messages": _messages("alice", "s-work"),
    "messages, last": _messages("alice", "s-work", last=3),
    "messages, before": _messages("alice", "s-work", before=3, last=2),
    "messages, home": _messages("alice", "s-home"),
    "messages, bare": _messages("alice", "s-bare"),
    "messages, other user": _messages("bobby", "s-work"),
    "messages, enrolled again": _messages("doris", "s-work"),
    "messages, forgotten": _messages("carol", "s-work"),
    "messages, forgotten session": _messages("bobby", "s-lost"),
    "messages, deleted": _messages("alice", "s-gone"),
    "sessions": _sessions("alice"),
    "sessions, other user": _sessions("bobby"),
    "sessions, none": _sessions("finno"),
    "sessions, forgotten": _sessions("carol"),
    "users": lambda vault: sorted(vault.users()),
    "certificates": lambda vault: sorted(map(repr, vault.certificates())),
    "append again": _append("alice", said(98), "k-one"),
    "append again, other key": _append("alice", said(98), "k-two"),
}
NEW = said(99)
WRITING: dict[str, Question] = {
    "append": _append("alice", NEW),
    "append, other user": _append("bobby", NEW),
    "append, forgotten": _append("carol", NEW),
}


def truth(stage: Stage, added: Mapping[str, int]) -> Answers:
    """What must be said when so many messages were added since."""
    work, other = [
        {**base, **{max(base) + 1 + n: NEW for n in range(added[question])}}
        for base, question in ((WORK, "append"), (OTHER, "append, other user"))
    ]
    forgotten = Raised("UserForgottenError")
    return {
        "messages": _all(work),
        "messages, last": (_all(work)[0][-3:], 0),
        "messages, before": (_all(work)[0][1:3], 0),
        "messages, home": _all(HOME),
        "messages, bare": ([], 0),
        "messages, other user": _all(other),
        "messages, enrolled again": _all(DORIS),
        "messages, forgotten": forgotten,
        "messages, forgotten session": Raised("SessionForgottenError"),
        "messages, deleted": ([], 0),
        "sessions": sorted(
            [
                _summary("s-work", "support/eu", work),
                _summary("s-home", "", HOME),
                _summary("s-bare", "", {}),
            ]
        ),
        "sessions, other user": [_summary("s-work", "billing/us", other)],
        "sessions, none": [],
        "sessions, forgotten": forgotten,
        "users": ["alice", "bobby", "doris", "finno"],
        "certificates": stage.certificates,
        "append again": shown(WORK[3], 3),
        "append again, other key": shown(WORK[5], 5),
        "append": shown(NEW, max(work) + 1),
        "append, other user": shown(NEW, max(other) + 1),
        "append, forgotten": forgotten,
    }


def _all(messages: Mapping[int, Message]) -> tuple[list[object], int]:
    return [shown(message, seq) for seq, message in messages.items()], 0


def _summary(session: str, namespace: str, messages: Mapping[int, Message]) -> str:
    times = [message.created_at for message in messages.values() if message.created_at]
    return repr(
        SessionSummary(
            session_id=session,
            namespace=namespace,
            messages=len(messages),
            first_at=min(times, default=None),
            last_at=max(times, default=None),
        )
    )


@dataclass
class Verdict:
    """What was answered that is not the truth."""

    noticed: dict[str, Raised] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Court:
    """Asks every question, and compares with the truth."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.added = {"append": 0, "append, other user": 0}
        self.verdict = Verdict()

    def hear(self, vault: Vault, who: str) -> None:
        """Read, add, and read again what was added."""
        for name, question in READING.items():
            self._compare(who, name, self._ask(question, vault))
        for name, question in WRITING.items():
            answer = self._ask(question, vault)
            self._compare(who, name, answer)
            if name in self.added and not isinstance(answer, Raised):
                self.added[name] += 1
        for name in ("messages", "messages, other user"):
            self._compare(f"{who}, then", name, self._ask(READING[name], vault))

    def hear_fresh(self) -> None:
        """Open the vault anew, and ask."""
        try:
            vault = self.stage.open(create=False)
        except VaultError as error:
            self._note("fresh: open", error)
            return
        except Exception as error:  # noqa: BLE001 (that is the fault that is looked for)
            self.verdict.faults.append(f"fresh: open: {error!r}")
            return
        with vault:
            self.hear(vault, "fresh")

    def _ask(self, question: Question, vault: Vault) -> object:
        try:
            return question(vault)
        except VaultError as error:
            self.verdict.faults += leaks(error, self.stage)
            return Raised(type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 (that is the fault that is looked for)
            return error

    def _compare(self, who: str, name: str, answer: object) -> None:
        expected = truth(self.stage, self.added)[name]
        if isinstance(answer, Raised) and answer != expected:
            self.verdict.noticed[f"{who}: {name}"] = answer
        elif answer != expected:
            self.verdict.faults.append(f"{who}: {name}: {answer!r}")

    def _note(self, where: str, error: VaultError) -> None:
        self.verdict.faults += leaks(error, self.stage)
        self.verdict.noticed[where] = Raised(type(error).__name__, str(error))


def chain(error: BaseException) -> list[BaseException]:
    """An error with all that it came from."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def leaks(error: BaseException, stage: Stage) -> list[str]:
    """Find what a log that shows this error would give away (P1)."""
    told = " ".join(" ".join((str(one), repr(one), str(getattr(one, "hint", "")))) for one in chain(error))
    found = [word for word in (*NAMES, *WORDS) if word in told]
    found += [name for name, value in stage.secrets.items() if value in told]
    return [f"{type(error).__name__} tells {name}: {told[:300]}" for name in found]


# -- attacks ---------------------------------------------------------------------------------------------

_PLAIN = b"\0" + msgspec.msgpack.encode(["plain text"])
_NOT_UTF8 = b"\xff\xfe"


@dataclass(frozen=True)
class Attack:
    """One thing that a thief does to one row."""

    name: str
    do: Callable[[Thief], object]
    is_quick: bool = False


def edits(stage: Stage, table: str, row: Row, column: str) -> Iterator[Attack]:
    """Write something else into one column of one row."""
    value = row[column]
    seen: list[object] = [value]
    kind = kind_of(TABLES[table].c[column])
    others = [other[column] for other in stage.now[table] if other[column] is not None]
    older = [old[column] for past in stage.past for old in same(past[table], table, row)]
    for name, new in [
        *_edited(kind, value),
        *(("older", one) for one in older),
        *(("another row's", one) for one in others),
        *([("nothing", None)] if TABLES[table].c[column].nullable else []),
        *(_malformed(kind) if stage.databases.dialect == "sqlite" else []),
    ]:
        if not any(new == one and type(new) is type(one) for one in seen):
            seen.append(new)
            quick = name in {"changed", "older", "another row's", "of another type"}
            yield Attack(name, partial(Thief.change, table=table, row=row, values={column: new}), quick)
    if stage.databases.dialect == "sqlite":
        yield Attack("no UTF-8", partial(Thief.garble, table=table, row=row, column=column))
    other = next((one for one in stage.now[table] if one[column] not in {None, value}), None)
    if other is not None and value is not None:
        yield Attack("swapped", partial(Thief.swap, table=table, rows=(row, other), column=column), True)


def _edited(kind: type, value: Any) -> list[tuple[str, object]]:
    if kind is bytes:
        value = value or b""
        return [
            ("changed", bytes([value[0] ^ 1]) + value[1:] if value else b"\1"),
            ("changed at the end", value[:-1] + bytes([value[-1] ^ 128]) if value else b"\2"),
            ("shorter", value[:-1]),
            ("longer", value + b"\0"),
            ("empty", b""),
            ("random", os.urandom(len(value) or 16)),
            ("forged", HEAD + os.urandom(max(len(value) - 2, 28))),
            ("plain", _PLAIN),
        ]
    if kind is int:
        value = value or 0
        return [
            ("changed", value + 1),
            ("one less", value - 1),
            ("0", 0),
            ("1", 1),
            ("7", 7),
            ("negative", -value - 2),
            ("31 bits", 2**31 - 1),
            ("62 bits", 2**62),
            ("63 bits", 2**63 - 1),
            ("lowest", -(2**63)),
        ]
    assert kind is str, kind
    return [
        ("changed", value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"),
        ("shorter", value[:-1]),
        ("empty", ""),
        ("longer", value + "x"),
        ("in capitals", value.upper()),
    ]


def _malformed(kind: type) -> list[tuple[str, object]]:
    """What only SQLite lets a column hold."""
    every: list[object] = ["text", b"blob", 7, 1.5, 2**40]
    return [("of another type", value) for value in every if not isinstance(value, kind)]


def row_attacks(stage: Stage, table: str, row: Row) -> Iterator[Attack]:
    """Take a row away, put an older one in its place, or a second one beside it."""
    yield Attack("deleted", partial(Thief.delete, table=table, row=row), True)
    for old in (old for past in stage.past for old in same(past[table], table, row)):
        if old != row:
            yield Attack("older row", partial(Thief.change, table=table, row=row, values=old), True)
    for column in TABLES[table].primary_key:
        kind = kind_of(column)
        for free in {bytes: [os.urandom(16)], str: ["another"], int: [len(stage.now[table]) + 7, -1, 2**62]}[
            kind
        ]:
            copied = {**row, column.name: free}
            yield Attack(
                f"copied to another {column.name}", partial(Thief.insert, table=table, row=copied), True
            )


def removed_rows(stage: Stage, table: str) -> Iterator[Attack]:
    """Put back what was removed."""
    known: list[Row] = []
    for past in stage.past:
        for old in past[table]:
            if not same(stage.now[table], table, old) and old not in known:
                known.append(old)
                yield Attack("put back", partial(Thief.insert, table=table, row=old), True)


def same(rows: Sequence[Row], table: str, row: Row) -> list[Row]:
    """Find the row in the same place."""
    keys = [column.name for column in TABLES[table].primary_key]
    return [one for one in rows if all(one[key] == row[key] for key in keys)]


def kind_of(column: Column[Any]) -> type:
    """What is stored in a column."""
    return column.type.kind if isinstance(column.type, schema.Checked) else column.type.python_type
