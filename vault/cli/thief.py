"""The thief of `vault demo`: has copied databases and a root file, and does not ask the vault.

It tries every key it has on every wrapped key it finds, until nothing new opens, and then on every body.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from vault.chat.chapter import chapter_key, make_chapter
from vault.crypto.envelope import Cipher
from vault.crypto.tree import Kind, Node, Opened, node_aad
from vault.errors import TamperedError
from vault.messages import unpack
from vault.roots.file_lines import understand

_NODES = "SELECT id, parent, kind, version, slot, wrapped FROM nodes"
_BODIES = """
    SELECT s.node, e.node, m.seq, m.role, m.created_at, m.body
    FROM messages m
    JOIN sessions s ON s.id = m.session_id
    JOIN chapters c ON c.id = m.chapter_id
    JOIN epochs e ON e.id = c.epoch_id
    ORDER BY m.session_id, m.seq
"""


class Thief:
    """What has been taken, and what it opened so far."""

    def __init__(self, root: Path) -> None:
        taken = understand(root.read_bytes(), str(root)).document
        self._vault = bytes.fromhex(taken.vault)
        self.root_keys = len(taken.generations)
        self._keys = [Opened(bytes.fromhex(one.id), 0, one.key) for one in taken.generations]

    def open_keyring(self, path: Path) -> tuple[int, int]:
        """Try all keys on all nodes of a keyring; give how many opened, and how many there are."""
        closed = _nodes(path)
        count = len(closed)
        before = -1
        while len(closed) != before:
            before = len(closed)
            opened = {node.id: key for node in closed if (key := self._try(node)) is not None}
            self._keys += opened.values()
            closed = [node for node in closed if node.id not in opened]
        return count - len(closed), count

    def _try(self, node: Node) -> Opened | None:
        for known in self._keys:
            key = _open(known.key, node.wrapped, node_aad(self._vault, node, known.version))
            if key is not None:
                return Opened(node.id, node.version, key)
        return None

    def read(self, path: Path) -> tuple[list[object], int]:
        """Try all pairs of keys on all bodies of transcripts; give what opened, and how many there are."""
        rows = _rows(path, _BODIES)
        texts = []
        for session, epoch, seq, role, created_at, body in rows:
            for key in self._chapter_keys(session, epoch):
                aad = make_chapter(0, self._vault, session, epoch, key).aad(seq, role, created_at)
                plain = _open(key, body, aad)
                if plain is not None:
                    texts.append(unpack(plain).content)
                    break
        return texts, len(rows)

    def _chapter_keys(self, session: bytes, epoch: bytes) -> Iterator[bytes]:
        for one in self._keys:
            for other in self._keys:
                yield chapter_key(one.key, other.key, session, epoch)


def first_body(path: Path) -> bytes:
    """Give the first sealed body as it lies in the database."""
    return bytes(_rows(path, _BODIES)[0][-1])


def _nodes(path: Path) -> list[Node]:
    return [
        Node(id_, parent, Kind(kind), version, slot, wrapped)
        for id_, parent, kind, version, slot, wrapped in _rows(path, _NODES)
    ]


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def _open(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    try:
        return Cipher(key).open(sealed, aad)
    except TamperedError:
        return None
