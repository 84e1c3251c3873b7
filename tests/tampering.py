"""A vault to attack, a thief's hand on its rows, and what the vault then answers (P2, P7).

An attack is judged by what two vaults say afterwards: one that was open before, with its keys in memory, and
one opened after. Each answer is the truth, or an error that says what is wrong; there is no third.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from databases import Databases, Server, Sqlite, connected, fresh_databases
from sqlalchemy import Column, Connection, Table, text
from sqlalchemy.exc import DBAPIError

from vault.chat.sessions import Place, Session
from vault.chat.writing import Entry
from vault.client import Vault
from vault.clock import DAY, from_datetime
from vault.core import DEFAULT_CLASS, Core
from vault.crypto.envelope import HEAD
from vault.crypto.tree import Kind, slot
from vault.errors import VaultError
from vault.evidence.certificate import Why
from vault.keys.ring import Seedling, chapter_slot, fresh, kept_slot
from vault.listing import SessionSummary
from vault.messages import Message, encode, pack
from vault.storage import schema
from vault.storage import transcripts as sql

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TABLES: dict[str, Table] = {**schema.transcripts.tables, **schema.keyring.tables}
KEYRING = frozenset(schema.keyring.tables)
USERS = ("alice", "bobby", "carol", "doris", "finno")
SESSIONS = ("s-work", "s-home", "s-bare", "s-gone", "s-lost")
WORDS = ("spoken", "k-one", "k-two", "support/eu", "billing/us")


# -- what is said ----------------------------------------------------------------------------------------


def said(number: int, days: int = 0, role: str = "user") -> Message:
    """A message whose text is nowhere else."""
    return Message(role, f"spoken {number}", {"n": number}, {}, NOON - timedelta(days=days))


def place_of(message: Message) -> Place:
    """The epoch that a message goes to."""
    return DEFAULT_CLASS, from_datetime(message.created_at or NOON) // DAY


def shown(message: Message, seq: int | None = None) -> tuple[object, ...]:
    """What must come back of a message."""
    at = message.seq if seq is None else seq
    return (at, message.role, message.content, message.metadata, message.extra, message.created_at)


WORK = {0: said(0, 2), 1: said(1, 2, "assistant"), 2: said(2, 1, "tool"), 3: said(3), 5: said(5), 6: said(6)}
HOME = {0: said(10, 1)}
OTHER = {0: said(20, 2), 1: said(21, 1, "system"), 2: said(22, 1), 4: said(24)}
PURGED = said(23, 9)
DORIS = {0: said(40)}
NEW = said(99)


def _play(stage: Stage) -> None:
    """Let a vault live for a while, so that every table has rows of every kind, and older values of them."""
    with stage.open() as vault:
        work = vault.transcript("alice", "s-work", namespace="support/eu")
        other = vault.transcript("bobby", "s-work", namespace="billing/us")
        work.extend([WORK[0], WORK[1], WORK[2]])
        vault.transcript("alice", "s-home").append(HOME[0])
        vault.transcript("alice", "s-gone").append(said(60))
        vault.transcript("bobby", "s-lost").append(said(61))
        other.append(OTHER[0])
        _append_elsewhere(vault, OTHER[1])
        _append_alone(vault, OTHER[2])
        core, session = opened(vault, "bobby", "s-work")
        core.sessions.keep_chapter(session, place_of(OTHER[0]))
        core.sessions.drop(session)
        other.append(PURGED)
        other.append(OTHER[4])
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
        _purge(vault, place_of(PURGED))


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
    kept = kept_slot(session.key)
    path = [*session.user.path, kept]
    core.keyring.plant(path, [Seedling(fresh(), Kind.KEPT, kept, session.user.slot)])
    assert core.keyring.plant(path, [Seedling(own, Kind.CHAPTER, chapter_slot(session.key, own.id), kept)])
    row = core.stores.transcripts.write(lambda c: sql.add_chapter(c, session.row, node=own.id))
    core.sessions.load_chapters(session)
    session.by_place["alone", 0] = session.by_id[row]
    _write(core, session, message, ("alone", 0))


def _write(core: Core, session: Session, message: Message, place: Place) -> None:
    at = from_datetime(message.created_at or NOON)
    core.writer.add(session, [Entry(pack(encode(message)), message.role, at, place)], None)


def _purge(vault: Vault, place: Place) -> None:
    """Erase an epoch, as retention rules will."""
    core = vault._core
    epoch, where = core.keyring.find_epochs([place])[place], core.keyring.epoch_slot(*place)
    intent = core.eraser.begin(Why.PURGE, [epoch.id], where, reason="", actor="", now=False)
    core.eraser.carry_out([intent])


# -- the stage -------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A vault that can be attacked and put back, again and again. `past` holds older states of its rows."""

    databases: Databases
    root: Path
    past: list[Rows] = field(default_factory=list)
    now: Rows = field(default_factory=dict)
    certificates: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    slots: dict[bytes, str] = field(default_factory=dict)
    _files: dict[Path, bytes] = field(default_factory=dict)

    def play(self) -> None:
        """Fill the vault, and remember everything about it."""
        _play(self)
        with self.open() as vault:
            self.certificates = sorted(map(repr, vault.certificates()))
            self.slots = _slots(vault)
        self.now = self.rows()
        for table, rows in self.now.items():
            for row in rows:
                for name, value in row.items():
                    if isinstance(value, bytes) and len(value) >= 16:
                        self.secrets[value.hex()] = f"{table}.{name}"
                        self.secrets[repr(value)[2:-1]] = f"{table}.{name}"
        urls = (self.databases.transcripts, self.databases.keyring)
        files = [Path(url.removeprefix("sqlite:///")) for url in urls if url.startswith("sqlite")]
        self._files = {path: path.read_bytes() for path in (self.root, *files)}

    def open(self, **changes: Any) -> Vault:
        """Open the vault; its clock stands still."""
        settings = {"keyring": self.databases.keyring, "root": f"file:{self.root}", **changes}
        return Vault.open(
            self.databases.transcripts, redactor=None, clock=lambda: from_datetime(NOON), **settings
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
            yield Thief(connection)

    def rows(self) -> Rows:
        """All rows, as the databases give them."""
        found: Rows = {}
        for label in (schema.transcripts, schema.keyring):
            with self.thief(next(iter(label.tables))) as thief:
                for table in label.tables:
                    found[table] = thief.rows(table)
        return found

    def victims(self, table: str) -> dict[str, Row]:
        """Give the rows of a table that are attacked: one of each kind, and first the one that tells most."""
        rows = self.now[table]
        match table:
            case "transcripts_meta" | "keyring_meta" | "classes":
                return {row["name"]: row for row in rows}
            case "chapters":
                kept, alone = [row for row in rows if row["node"] is not None]
                return {"first": rows[0], "kept": kept, "alone": alone}
            case "messages":
                work = {row["seq"]: row for row in rows if row["session_id"] == rows[0]["session_id"]}
                return {"middle": work[2], "first": work[0], "last": work[6]}
            case "nodes":
                named = {name: row for row in rows if (name := self.slots.get(row["slot"]))}
                return {"user": named.pop("user"), **named}
            case "intents":
                return {row["kind"]: row for row in sorted(rows, key=lambda row: row["kind"])}
            case "tombstones":
                stones = [("lifted" if row["enrolled_at"] else "standing", row) for row in rows]
                return {f"{name}-{row['slot'][0]}": row for name, row in stones}
            case "users" | "sessions" | "epochs" | "idempotency" | "erased":
                return {f"{number}": row for number, row in enumerate(rows)}
        raise NotImplementedError(table)

    @property
    def root_bytes(self) -> bytes:
        """What the root file held when the vault was left."""
        return self._files[self.root]

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
                        thief.replace(table, self.now[table])


def _slots(vault: Vault) -> dict[bytes, str]:
    """Name the nodes that are attacked by where they are looked up: one of each kind."""
    core, session = opened(vault, "alice", "s-work")
    _, other = opened(vault, "bobby", "s-work")
    user, keyring = session.user, core.keyring
    chapters = core.stores.transcripts.read(lambda connection: sql.chapters_of(connection, other.row))
    return {
        **dict(zip(user.path, ("users", "radix-1", "radix-2", "radix-3", "radix-4", "user"), strict=True)),
        slot(Kind.SECRET, user.index): "secret",
        session.slot: "session",
        kept_slot(other.key): "kept",
        **{
            chapter_slot(other.key, row.place): "chapter-kept" if row.epoch_node else "chapter-alone"
            for row in chapters
        },
        slot(Kind.EPOCHS): "epochs",
        keyring.epoch_slot(*place_of(NEW)): "epoch",
        slot(Kind.SERVICE): "service",
    }


class RefusedError(Exception):
    """The database itself did not let the thief do it."""


@dataclass
class Thief:
    """Writes rows with no regard for the vault."""

    connection: Connection

    def run(self, statement: str, values: Mapping[str, object] = {}) -> int:
        """Do anything."""
        try:
            return self.connection.execute(text(statement), dict(values)).rowcount
        except (DBAPIError, OverflowError) as error:
            raise RefusedError(type(error).__name__) from None

    def rows(self, table: str) -> list[Row]:
        """Read a table."""
        keys = ", ".join(self._quote(column.name) for column in TABLES[table].primary_key)
        found = self.connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY {keys}")
        return [dict(row) for row in found.mappings()]

    def replace(self, table: str, rows: Sequence[Row]) -> None:
        """Make a table what it was."""
        if self.rows(table) != rows:
            self.run(f"DELETE FROM {table}")
            for row in rows:
                self.insert(table, row)

    def insert(self, table: str, row: Row) -> None:
        """Add a row."""
        names = ", ".join(map(self._quote, row))
        self.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})", row)

    def change(self, table: str, row: Row, values: Mapping[str, object]) -> None:
        """Write other values into a row."""
        sets = ", ".join(f"{self._quote(name)} = :new_{name}" for name in values)
        where, keys = self._where(table, row)
        given = {f"new_{name}": value for name, value in values.items()}
        assert self.run(f"UPDATE {table} SET {sets} WHERE {where}", {**given, **keys}) == 1

    def delete(self, table: str, row: Row) -> None:
        """Take a row away."""
        where, keys = self._where(table, row)
        assert self.run(f"DELETE FROM {table} WHERE {where}", keys) == 1

    def garble(self, table: str, row: Row, column: str) -> None:
        """Write text that is no UTF-8, as only SQLite lets it be stored."""
        where, keys = self._where(table, row)
        values = {"new": b"\xff\xfe", **keys}
        assert self.run(f"UPDATE {table} SET {column} = CAST(:new AS TEXT) WHERE {where}", values) == 1

    def swap(self, table: str, rows: tuple[Row, Row], columns: Sequence[str]) -> None:
        """Give two rows each other's values; unique ones go by way of a third."""
        one, two = rows
        passing = {name: _PASSING[type(one[name])] for name in columns}
        self.change(table, one, passing)
        self.change(table, two, {name: one[name] for name in columns})
        self.change(table, {**one, **passing}, {name: two[name] for name in columns})

    def _where(self, table: str, row: Row) -> tuple[str, Row]:
        names = [column.name for column in TABLES[table].primary_key]
        where = " AND ".join(f"{self._quote(name)} = :old_{name}" for name in names)
        return where, {f"old_{name}": row[name] for name in names}

    def _quote(self, name: str) -> str:
        return self.connection.dialect.identifier_preparer.quote(name)


_PASSING: dict[type, object] = {bytes: b"passing", int: 99, str: "passing"}


# -- what the vault says ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raised:
    """An error in place of an answer; two are equal when they are of one class."""

    name: str


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
WRITING: dict[str, Question] = {
    "append": _append("alice", NEW),
    "append, other user": _append("bobby", NEW),
    "append, forgotten": _append("carol", NEW),
}
READ_BY = {"append": "messages", "append, other user": "messages, other user"}


def truth(stage: Stage, added: Mapping[str, int]) -> dict[str, object]:
    """What must be said when so many messages were added since."""
    work = {**WORK, **{7 + n: NEW for n in range(added["append"])}}
    other = {**OTHER, **{5 + n: NEW for n in range(added["append, other user"])}}
    forgotten = Raised("UserForgottenError")
    return {
        "messages": _all(work),
        "messages, last": (_all(work)[0][-3:], 0),
        "messages, before": (_all(work)[0][1:3], 0),
        "messages, home": _all(HOME),
        "messages, bare": ([], 0),
        "messages, other user": (_all(other)[0], 1),
        "messages, enrolled again": _all(DORIS),
        "messages, forgotten": forgotten,
        "messages, forgotten session": Raised("SessionForgottenError"),
        "messages, deleted": ([], 0),
        "sessions": sorted(
            (
                _summary("s-work", "support/eu", work),
                _summary("s-home", "", HOME),
                _summary("s-bare", "", {}),
            )
        ),
        "sessions, other user": [_summary("s-work", "billing/us", {3: PURGED, **other})],
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


def _all(messages: Mapping[int, Message]) -> tuple[list[tuple[object, ...]], int]:
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


# -- judgement -------------------------------------------------------------------------------------------


@dataclass
class Court:
    """Hears every answer, and compares it with the truth."""

    stage: Stage
    added: dict[str, int] = field(default_factory=lambda: dict.fromkeys(READ_BY, 0))
    noticed: dict[str, str] = field(default_factory=dict)
    untrue: dict[str, object] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    @property
    def is_content(self) -> bool:
        """Whether everything was the truth."""
        return not (self.noticed or self.untrue or self.raw or self.leaks)

    def warm(self, vault: Vault) -> None:
        """Let a vault have everything in memory."""
        for question in READING.values():
            self.ask(question, vault)
        self.leaks.clear()

    def hear(self, vault: Vault, who: str) -> None:
        """Read, add, and read again what was added."""
        for name, question in READING.items():
            self.compare(who, name, self.ask(question, vault))
        for name, question in WRITING.items():
            answer = self.ask(question, vault)
            self.compare(who, name, answer)
            if name in self.added and not isinstance(answer, Raised | Exception):
                self.added[name] += 1
        for name in READ_BY.values():
            self.compare(f"{who} then", name, self.ask(READING[name], vault))

    def hear_fresh(self) -> None:
        """Open the vault anew, and ask."""

        def ask(_: object) -> object:
            with self.stage.open(create=False) as vault:
                self.hear(vault, "fresh")
            return "opened"

        answer = self.ask(ask, None)
        if answer != "opened":
            self.compare("fresh", "open", answer)

    def ask(self, question: Callable[[Any], object], vault: Vault | None) -> object:
        try:
            return question(vault)
        except VaultError as error:
            self.leaks += told(error, self.stage)
            return Raised(type(error).__name__)
        except Exception as error:  # noqa: BLE001 (that is the fault that is looked for)
            return error

    def compare(self, who: str, name: str, answer: object) -> None:
        expected = truth(self.stage, self.added).get(name)
        place = f"{who}: {name}"
        if answer == expected:
            return
        if isinstance(answer, Raised):
            self.noticed[place] = answer.name
        elif isinstance(answer, Exception):
            self.raw[place] = repr(answer)
        elif not self._is_added_behind(who, name, answer, expected):
            self.untrue[place] = answer

    def _is_added_behind(self, who: str, name: str, answer: object, expected: object) -> bool:
        """Accept a message added behind a row that is out of place: the transcript can't be read then."""
        return (
            name in READ_BY
            and f"{who}: {READ_BY[name]}" in self.noticed
            and isinstance(answer, tuple)
            and isinstance(expected, tuple)
            and answer[1:] == expected[1:]
        )


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


def told(error: BaseException, stage: Stage) -> list[str]:
    """Find what a log that shows this error would give away (P1)."""
    words = " ".join(f"{one!s} {one!r} {getattr(one, 'hint', '')}" for one in chain(error))
    found = [word for word in (*USERS, *SESSIONS, *WORDS) if word in words]
    found += [name for value, name in stage.secrets.items() if value in words]
    return [f"{type(error).__name__} tells {name}" for name in found]


# -- attacks ---------------------------------------------------------------------------------------------

_PLAIN = b"\0" + msgspec.msgpack.encode(["plain text"])


@dataclass(frozen=True)
class Attack:
    """One thing that a thief does to one row."""

    name: str
    do: Callable[[Thief], object]


def kind_of(column: Column[Any]) -> type:
    """What is stored in a column."""
    return column.type.kind if isinstance(column.type, schema.Checked) else column.type.python_type


def edits(stage: Stage, table: str, row: Row, column: str) -> Iterator[Attack]:
    """Write something else into one column of one row."""
    value, kind = row[column], kind_of(TABLES[table].c[column])
    others = [other[column] for other in stage.now[table] if other[column] not in {None, value}][:2]
    older = [old[column] for past in stage.past for old in same(past[table], table, row)]
    is_loose = stage.databases.dialect == "sqlite"
    candidates = [
        *_edited(kind, value),
        *(("older", one) for one in older),
        *(("of another row", one) for one in others),
        *([("nothing", None)] if TABLES[table].c[column].nullable else []),
        *(_malformed(kind) if is_loose else []),
    ]
    seen: list[object] = [value]
    for name, new in candidates:
        if not any(new == one and type(new) is type(one) for one in seen):
            seen.append(new)
            yield Attack(name, partial(Thief.change, table=table, row=row, values={column: new}))
    if is_loose:
        yield Attack("not UTF-8", partial(Thief.garble, table=table, row=row, column=column))
    other = next((one for one in stage.now[table] if one[column] not in {None, value}), None)
    if other is not None and value is not None:
        yield Attack("swapped", partial(Thief.swap, table=table, rows=(row, other), columns=[column]))


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
        numbers = (0, 1, 7, -value - 2, 2**31 - 1, 2**31, 2**62, 2**62 + 1, 2**63 - 1, -(2**63))
        return [
            ("changed", value + 1),
            ("one less", value - 1),
            *((f"{number}", number) for number in numbers),
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
    yield Attack("deleted", partial(Thief.delete, table=table, row=row))
    for old in (old for past in stage.past for old in same(past[table], table, row)):
        if old != row:
            yield Attack("older row", partial(Thief.change, table=table, row=row, values=old))
    for column in TABLES[table].primary_key:
        free: dict[type, list[object]] = {
            bytes: [os.urandom(16)],
            str: ["another"],
            int: [len(stage.now[table]) + 7, -1, 2**62],
        }
        for value in free[kind_of(column)]:
            insert = partial(Thief.insert, table=table, row={**row, column.name: value})
            yield Attack(f"copied to another {column.name}", insert)


def removed_rows(stage: Stage, table: str) -> Iterator[Attack]:
    """Put back what was removed."""
    known: list[Row] = []
    for past in stage.past:
        for old in past[table]:
            if not same(stage.now[table], table, old) and old not in known:
                known.append(old)
                yield Attack("put back", partial(Thief.insert, table=table, row=old))


def is_rows(rows: Sequence[Row], table: str, row: Row) -> bool:
    """Say whether a table has a row in this place."""
    return bool(same(rows, table, row))


def same(rows: Sequence[Row], table: str, row: Row) -> list[Row]:
    """Find the row in the same place."""
    keys = [column.name for column in TABLES[table].primary_key]
    return [one for one in rows if all(one[key] == row[key] for key in keys)]


# -- the matrix ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """What holds for some attacks beside the common rule: that a TamperedError, or nothing, answers them.

    `where` is table/victim/column/attack with wildcards. `errors` are right there, too, for the reason `why`.
    `is_harmless`: nobody has to notice. `untrue`: questions whose answers are not promised there.
    """

    where: str
    why: str
    errors: frozenset[str] = frozenset()
    is_harmless: bool = False
    untrue: tuple[str, ...] = ()


def places(stage: Stage, target: str) -> Iterator[tuple[str, Attack]]:
    """Give all attacks on a target, a table's column or its rows as such, each with its place."""
    table, _, column = target.partition(".")
    for victim, row in stage.victims(table).items():
        attacks = row_attacks(stage, table, row) if column == "row" else edits(stage, table, row, column)
        for attack in attacks:
            yield f"{table}/{victim}/{column}/{attack.name}", attack
    if column == "row":
        for attack in removed_rows(stage, table):
            yield f"{table}/removed/row/{attack.name}", attack


def targets(tables: Iterable[str]) -> list[str]:
    """Give every column of some tables, and their rows: from the schema, so that none is forgotten."""
    return [
        f"{table}.{name}"
        for table in tables
        for name in (*(column.name for column in TABLES[table].columns), "row")
    ]


class Depth(enum.Enum):
    """How many of the attacks are made."""

    FEW = ("changed", "swapped", "deleted")  # on the first victim of a table
    MANY = ("changed", "swapped", "deleted", "older*", "of another row", "forged", "put back")
    ALL = ("*",)

    def takes(self, stage: Stage, where: str) -> bool:
        """Say whether an attack is made."""
        table, victim, _, name = where.split("/")
        is_first = victim == next(iter(stage.victims(table)))
        return (is_first or self is not Depth.FEW) and any(fnmatchcase(name, one) for one in self.value)


def verdict(stage: Stage, target: str, depth: Depth, rules: Sequence[Rule]) -> list[str]:
    """Attack one target in many ways; give what must not have been answered."""
    table, found, heard = target.partition(".")[0], [], 0
    for where, attack in places(stage, target):
        if depth.takes(stage, where):
            court = attacked(stage, table, attack)
            if court is not None:
                heard += 1
                found += faults(court, where, rules)
    assert heard or depth is Depth.FEW, "the database refused everything"
    return found


def attacked(stage: Stage, table: str, attack: Attack) -> Court | None:
    """Attack under a vault that has all in memory; hear it and a fresh one. None: the database refused."""
    stage.reset()
    court = Court(stage)
    with stage.open() as vault:
        court.warm(vault)
        try:
            with stage.thief(table) as thief:
                attack.do(thief)
        except RefusedError:
            return None
        court.hear(vault, "warm")
    court.hear_fresh()
    return court


def _owner(question: str) -> str:
    return next((who for who in ("other user", "enrolled again") if who in question), "alice")


def _texts(answer: object) -> set[str]:
    return set(re.findall(r"spoken \d+", repr(answer)))


def heard_by_two(stage: Stage) -> Court:
    """Ask a fresh process only for what two users have."""
    court = Court(stage)
    with stage.open() as vault:
        for name in ("messages", "messages, other user", "sessions", "sessions, other user", "users"):
            court.compare("fresh", name, court.ask(READING[name], vault))
    return court


def faults(court: Court, where: str, rules: Sequence[Rule]) -> list[str]:
    """Say what must not have been answered."""
    mine = [rule for rule in rules if fnmatchcase(where, rule.where)]
    errors = {"TamperedError"}.union(*(rule.errors for rule in mine))
    found = [f"{place}: {error}" for place, error in court.noticed.items() if error not in errors]
    found += [f"{place}: {error}" for place, error in court.raw.items()]
    found += court.leaks
    untrue = [pattern for rule in mine for pattern in rule.untrue]
    for place, answer in court.untrue.items():
        question = place.partition(": ")[2]
        own = _texts(
            [
                true
                for name, true in truth(court.stage, court.added).items()
                if _owner(name) == _owner(question)
            ]
        )
        own |= _texts((said(98), NEW))
        if not any(fnmatchcase(question, pattern) for pattern in untrue) or not _texts(answer) <= own:
            found.append(f"{place}: {answer!r}")
    is_quiet = not any(place.startswith("fresh") for place in court.noticed)
    if is_quiet and not any(rule.is_harmless for rule in mine):
        found.append("a fresh process noticed nothing")
    return [f"{where}: {fault}" for fault in found]


def played(request: pytest.FixtureRequest, directory: Path) -> Iterator[Stage]:
    """Give a stage in databases of the dialect that `request` names."""
    server: Server = Sqlite(directory)
    if request.param != "sqlite":
        server = request.getfixturevalue(request.param)
    with fresh_databases(server) as databases:
        stage = Stage(databases, directory / "root.key")
        stage.play()
        yield stage
