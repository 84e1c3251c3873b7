"""A keyring with very many users, made in bulk with the library's own pure functions."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from vault import Vault
from vault.chat.profile import seal_name
from vault.crypto.tree import Kind, Node, Opened, radix_slots, slot, wrap_below
from vault.keys.slots import fresh

CHUNK = 20_000


def fill(directory: Path, count: int) -> None:
    """Add users `u-0` to `u-<count - 1>` to a new vault on SQLite."""
    with Vault.open(directory, redactor=None) as vault:
        keyring, vault_id = vault._core.keyring, bytes.fromhex(vault.keys_status().vault)
        top = slot(Kind.USERS)
        opened = keyring.trail([top])

        def grow(above: bytes, kind: Kind, where: bytes) -> Node:
            node, opened[where] = wrap_below(vault_id, opened[above], fresh(), kind, where)
            return node

        def nodes_of(index: bytes) -> Iterator[Node]:
            path = radix_slots(index)
            for above, where in itertools.pairwise(path):
                if where not in opened:
                    yield grow(above, Kind.RADIX, where)
            user, secret = slot(Kind.USER, index), slot(Kind.SECRET, index)
            yield grow(path[-1], Kind.USER, user)
            yield grow(user, Kind.SECRET, secret)

        with (
            closing(sqlite3.connect(directory / "keyring.db")) as keys,
            closing(sqlite3.connect(directory / "transcripts.db")) as rows,
        ):
            for start in range(0, count, CHUNK):
                names = [f"u-{number}" for number in range(start, min(start + CHUNK, count))]
                indexes = [keyring.user_index(name) for name in names]
                nodes = [node for index in indexes for node in nodes_of(index)]
                keys.executemany(
                    "INSERT INTO nodes (id, parent, kind, version, slot, wrapped) VALUES (?, ?, ?, ?, ?, ?)",
                    [(n.id, n.parent, int(n.kind), n.version, n.slot, n.wrapped) for n in nodes],
                )
                users = [
                    _row(
                        vault_id,
                        name,
                        index,
                        opened.pop(slot(Kind.USER, index)),
                        opened.pop(slot(Kind.SECRET, index)),
                    )
                    for name, index in zip(names, indexes, strict=True)
                ]
                rows.executemany("INSERT INTO users (slot, node, name, state) VALUES (?, ?, ?, 0)", users)
                keys.commit()
                rows.commit()


def _row(
    vault_id: bytes, name: str, index: bytes, user: Opened, secret: Opened
) -> tuple[bytes, bytes, bytes]:
    return index, user.id, seal_name(name, vault_id, user.id, b"", secret.key)
