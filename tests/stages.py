"""A vault to attack, put back again and again, and a thief's hand on its rows (P2, P7).

A test module takes the fixtures by their names: `stage, scene = stages.stage, stages.scene`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

import pytest
from databases import Databases, Server, Sqlite, connected, fresh_databases
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

from vault.chat.chapter import chapter_seal
from vault.chat.entries import Entry
from vault.chat.records import plain
from vault.chat.session import Place, Session
from vault.client import Vault
from vault.clock import DAY, from_datetime
from vault.core import Core
from vault.crypto.tree import Kind, slot
from vault.evidence.certificate import Why
from vault.evidence.entries import Kind as Event
from vault.keys.slots import Seedling, chapter_slot, fresh, kept_slot
from vault.messages import Message, encode, pack
from vault.placing import DEFAULT_CLASS
from vault.retention.report import RunRecords, RunResult
from vault.storage import schema
from vault.storage import transcripts as sql
from vault.storage.runs import add_run

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TABLES: dict[str, Table] = {**schema.transcripts.tables, **schema.keyring.tables}
KEYRING = frozenset(schema.keyring.tables)
USERS = ("alice", "bobby", "carol", "doris", "finno")
SESSIONS = ("s-work", "s-home", "s-bare", "s-gone", "s-lost", "s-kept")
WORDS = ("spoken", "k-one", "k-two", "support/eu", "billing/us")


# -- what is said ----------------------------------------------------------------------------------------


def said(number: int, days: int = 0, role: str = "user") -> Message:
    """A message whose text is nowhere else."""
    return Message(role, f"spoken {number}", {"n": number}, {}, NOON - timedelta(days=days))


def place_of(message: Message) -> tuple[str, int]:
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
KEPT = {0: said(75), 1: said(76)}
NEW = said(99)
NOTES = {"one": {"said": "spoken 70", "n": 2}, "two": "spoken 71", "three": ["spoken 72"]}
OTHER_NOTES = {"one": "spoken 80"}


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
        notes = work.records("notes")
        notes.put("one", {"said": "spoken 70", "n": 1}, created_at=NOON - timedelta(days=1))
        notes.put("gone", "spoken 70")
        work.append(WORK[3], key="k-one")
        work.append(said(4))
        log = vault._core.keyring.log
        log._store.write(lambda c: log.add(c, [log.draft(Event.POLICY, number=n) for n in range(300)]))
        stage.past.append(stage.rows())
        bare.pop()
        work.pop()
        work.append(WORK[5], key="k-two")
        work.append(WORK[6])
        notes.put("one", NOTES["one"], created_at=NOON - timedelta(days=1))
        notes.delete("gone")
        notes.put("two", NOTES["two"])
        notes.put("three", NOTES["three"])
        _let_names_lead(vault)
        other.records("notes").put("one", OTHER_NOTES["one"])
        released = vault.hold("alice", "s-home", reason="case 1", actor="office")
        vault.forget_user("carol", reason="asked", now=True)
        vault.forget_user("doris", reason="asked")
        stage.past.append(stage.rows())
        vault.enroll("doris")
        vault.transcript("doris", "s-work").append(DORIS[0])
        vault.forget_session("bobby", "s-lost")
        vault.transcript("alice", "s-gone").delete()
        vault.release(released.id, reason="closed")
        _hide(vault)
        _purge(vault, place_of(PURGED))
        _run(vault)


def _hide(vault: Vault) -> None:
    """Hold somebody, and let the app remove what was said; let their forgetting wait."""
    kept = vault.transcript("finno", "s-kept")
    kept.extend(list(KEPT.values()))
    vault.hold("finno", reason="case 2")
    vault.forget_user("finno", when_released=True)
    kept.pop()
    kept.delete()


def _let_names_lead(vault: Vault) -> None:
    """Let one name lead to two users, and one to alice alone."""
    for user in ("alice", "bobby"):
        names = [("kind", "shared"), ("kind", user)]
        vault._core.keep(user, "s-work", "", [plain("others", "two", "")], found_by=names)
    vault.transcript("alice", "s-work").records("others").put("one", "spoken 73")


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
    seal = chapter_seal(session.key, session.node, own.id)
    row = core.stores.transcripts.write(lambda c: sql.add_chapter(c, session.row, seal=seal, node=own.id))
    core.sessions.load_chapters(session)
    session.by_place["alone", 0] = session.by_id[row]
    _write(core, session, message, ("alone", 0))


def _write(core: Core, session: Session, message: Message, place: Place) -> None:
    at = from_datetime(message.created_at or NOON)
    core.writer.add(session, [Entry(pack(encode(message)), message.role, at, place)], None)


def _purge(vault: Vault, place: tuple[str, int]) -> None:
    """Erase an epoch, as retention rules will."""
    core = vault._core
    epoch, where = core.keyring.find_epochs([place])[place], core.keyring.epoch_slot(*place)
    intent = core.eraser.begin(Why.PURGE, [epoch.id], where, reason="", actor="", now=False)
    core.eraser.carry_out([intent])


def _run(vault: Vault) -> None:
    """Note a run of retention rules."""
    core, now = vault._core, from_datetime(NOON)
    result = RunResult(id=token_hex(16), policies=["default"], dry_run=False, now=NOON, started_at=NOON)
    row = RunRecords(lambda: core.keyring.service).row(result, now, 7)
    core.stores.keyring.write(lambda connection: add_run(connection, row))


# -- the stage -------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A vault that can be attacked and put back, again and again. `past` holds older states of its rows."""

    databases: Databases
    root: Path
    past: list[Rows] = field(default_factory=list)
    now: Rows = field(default_factory=dict)
    certificates: list[str] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    slots: dict[bytes, str] = field(default_factory=dict)
    _files: dict[Path, bytes] = field(default_factory=dict)

    def play(self) -> None:
        """Fill the vault, and remember everything about it."""
        _play(self)
        with self.open() as vault:
            self.certificates = sorted(map(repr, vault.certificates()))
            self.holds = sorted(map(repr, vault.holds()))
            self.queued = sorted(map(repr, vault.queued()))
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
            case "holds":
                by_kind = {(row["kind"], row["ended_at"] is None): row for row in rows}
                names = {
                    "in-force": ("hold", True),
                    "released": ("hold", False),
                    "waits": ("forget-user", True),
                }
                return {name: by_kind[key] for name, key in names.items()}
            case "log_entries":
                erasure = next(row for row in rows if "forget-user" in row["entry"])
                return {"middle": rows[100], "first": rows[0], "erasure": erasure, "last": rows[-1]}
            case (
                "users"
                | "sessions"
                | "epochs"
                | "idempotency"
                | "erased"
                | "records"
                | "runs"
                | "pointers"
                | "log_nodes"
                | "log_head"
            ):
                return {f"{number}": row for number, row in enumerate(rows)}
            case "leases" | "turns":
                return {}  # no daemon ran here, and no answer comes from them: see test_daemon_turns.py
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


def played(request: pytest.FixtureRequest, directory: Path) -> Iterator[Stage]:
    """Give a stage in databases of the dialect that `request` names."""
    server: Server = Sqlite(directory)
    if request.param != "sqlite":
        server = request.getfixturevalue(request.param)
    with fresh_databases(server) as databases:
        stage = Stage(databases, directory / "root.key")
        stage.play()
        yield stage


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.slow),
        pytest.param("mariadb", marks=pytest.mark.slow),
    ],
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from played(request, tmp_path_factory.mktemp("stage"))


@pytest.fixture
def scene(stage: Stage) -> Stage:
    stage.reset()
    return stage
