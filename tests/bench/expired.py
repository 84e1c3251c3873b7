"""A vault full of messages that are past their dates, made in bulk with the library's own pure functions."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scoring import read_marked
from sqlalchemy import Connection, Table, insert, text

from vault import Vault
from vault.chat.chapter import BODY, chapter_key, chapter_seal, make_chapter
from vault.chat.profile import Profile, seal_name, seal_profile
from vault.clock import DAY, system_clock
from vault.core import Core
from vault.crypto.tree import Kind, Node, Opened, radix_slots, slot, wrap_below
from vault.keys.slots import UserKeys, fresh
from vault.messages import Message, encode, pack
from vault.retention.policy import Part
from vault.storage import keyring as keyring_sql
from vault.storage import transcripts as transcripts_sql
from vault.storage.schema import chapters, messages, sessions, users

# Letters of what a user and an assistant say. Two sets of real talk tell their means in tokens, of a prompt
# and of an answer: LMSYS-Chat-1M 69.5 and 214.5, WildChat 295.6 and 441.3. Here each is four letters.
LENGTHS = {"short": (172, 172), "as in LMSYS-Chat-1M": (278, 858), "as in WildChat": (1182, 1765)}
AGES = 60, 59, 0  # days: two that are long past their dates, and today
TEXT = "The quick answer is that your invoice of last month was paid on the third, as agreed. " * 2
A_DAY = int(os.environ.get("TRANSCRIPT_VAULT_BENCH_A_DAY", "50"))  # messages of one user
CHUNK = 1000  # users
SAID = Path(__file__).parents[1] / "data" / "chat" / "wide.txt"
_BODIES = 500  # of one length
_COPIED = "session_id", "seq", "chapter_id", "role", "created_at", "body"
Row = tuple[Any, ...]


def fill(vault: Vault, count: int, length: str = "short") -> None:
    """Let users `u-0` to `u-<count - 1>` talk on two days of long ago, and say one thing today."""
    filler = _Filler(vault._core, [_bodies(letters) for letters in LENGTHS[length]])
    for start in range(0, count, CHUNK):
        filler.add(range(start, min(start + CHUNK, count)))


def _bodies(letters: int) -> list[bytes]:
    """Cut messages of one length out of what people say, as it is compressed like that."""
    said = "\n".join(one.text for one in read_marked(SAID))
    starts = range(0, len(said) - letters, len(said) // _BODIES)
    return [pack(encode(Message("user", said[start : start + letters]))) for start in starts]


class _Filler:
    """Makes the rows of both databases, user by user."""

    def __init__(self, core: Core, bodies: Sequence[Sequence[bytes]]) -> None:
        assert core.classes
        self._keyring, self._stores, self._vault = core.keyring, core.stores, core.stores.vault
        self._now = system_clock()
        self._bodies = [itertools.cycle(one) for one in bodies]
        self._opened = self._keyring.trail([slot(Kind.USERS)]) | self._keyring.trail([slot(Kind.EPOCHS)])
        [rule] = core.classes.policies.rules
        places = [core.classes.place(rule, self._now - age * DAY, Part.BODY) for age in AGES]
        self._nodes: list[Node] = []
        self._epochs = [
            self._grow(slot(Kind.EPOCHS), Kind.EPOCH, self._epoch_slot(place)) for place in places
        ]
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._epoch_rows = self._stores.transcripts.write(
            lambda c: [
                transcripts_sql.add_epoch(c, name, anchor or 0, node.id)
                for (name, anchor), node in zip(places, self._epochs, strict=True)
            ]
        )

    def _epoch_slot(self, place: tuple[str, int | None]) -> bytes:
        return self._keyring.epoch_slot(place[0], place[1] or 0)

    def _grow(self, above: bytes, kind: Kind, where: bytes) -> Opened:
        node, self._opened[where] = wrap_below(self._vault, self._opened[above], fresh(), kind, where)
        self._nodes.append(node)
        return self._opened[where]

    def add(self, numbers: range) -> None:
        """Add some users, each with one session."""
        rows: dict[Table, list[dict[str, Any]]] = {users: [], sessions: [], chapters: []}
        said: list[Row] = []
        for number in numbers:
            name = f"u-{number}"
            keys = self._user(name)
            session_slot = keys.session_slot("s")
            session = self._grow(keys.slot, Kind.SESSION, session_slot)
            row = number + 1
            rows[users].append(
                {
                    "id": row,
                    "slot": keys.index,
                    "node": keys.node,
                    "name": seal_name(name, self._vault, keys.node, b"", keys.secret),
                    "state": 0,
                }
            )
            rows[sessions].append(
                {
                    "id": row,
                    "user_id": row,
                    "slot": session_slot[1:],
                    "node": session.id,
                    "name": seal_name("s", self._vault, session.id, keys.node, session.key),
                    "namespace": "",
                    "profile": seal_profile(Profile(""), self._vault, session.id, session.key, 0),
                    "rev": 0,
                    "state": 0,
                }
            )
            for place, epoch in enumerate(self._epoch_rows):
                chapter = number * len(AGES) + place + 1
                rows[chapters].append(
                    {
                        "id": chapter,
                        "session_id": row,
                        "epoch_id": epoch,
                        "class_id": None,
                        "node": None,
                        "seal": chapter_seal(session.key, session.id, self._epochs[place].id),
                        "state": 0,
                    }
                )
                said += self._said(row, session, chapter, place)
        self._stores.keyring.write(lambda c: keyring_sql.insert_nodes(c, self._nodes))
        self._nodes.clear()
        self._stores.transcripts.write(lambda c: _insert(c, rows, said))

    def _user(self, name: str) -> UserKeys:
        index = self._keyring.user_index(name)
        path = radix_slots(index)
        for above, where in itertools.pairwise(path):
            if where not in self._opened:
                self._grow(above, Kind.RADIX, where)
        user, secret = slot(Kind.USER, index), slot(Kind.SECRET, index)
        node = self._grow(path[-1], Kind.USER, user)
        return UserKeys(node.id, user, index, self._grow(user, Kind.SECRET, secret).key)

    def _said(self, row: int, session: Opened, number: int, place: int) -> Iterator[Row]:
        epoch, age, vault = self._epochs[place], AGES[place], self._vault
        key = chapter_key(session.key, epoch.key, session.id, epoch.id)
        chapter, at = make_chapter(number, vault, session.id, epoch.id, key), self._now - age * DAY
        for seq in range(place * A_DAY, (place + 1) * A_DAY if age else place * A_DAY + 1):
            role, body = ("user", "assistant")[seq % 2], next(self._bodies[seq % 2])
            yield (
                row,
                seq,
                number,
                role,
                at,
                chapter.cipher.seal(body, chapter.aad(seq, role, at, BODY)),
            )


def _insert(
    connection: Connection, rows: Mapping[Table, Sequence[Mapping[str, Any]]], said: list[Row]
) -> None:
    for table, values in rows.items():
        connection.execute(insert(table), values)
    add_messages(connection, messages.name, said)
    if connection.dialect.name == "postgresql":  # so that writers get ids after these
        for table in rows:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"
                )
            )


def add_messages(connection: Connection, table: str, said: Sequence[Row]) -> None:
    """Add messages to a table in the quickest way that its database has."""
    columns, cursor = ", ".join(_COPIED), connection.connection.cursor()
    if connection.dialect.name == "postgresql":
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in said:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(_COPIED))
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", said)
