"""The log's tree as the keyring stores it: entries, and the hashes over each 256 of them, level upon level.

A root or a proof reads at most 256 rows a level, whatever the number of entries; what was added last is
proven with the rows that came since.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from vault.errors import TamperedError
from vault.evidence.merkle import (
    Frontier,
    consistency_path,
    grew,
    inclusion_path,
    leaf_hash,
    node_hash,
    range_hash,
)
from vault.storage import log as sql

STRIDE = 8  # one level in so many is stored
TILE = 1 << STRIDE


class Tree:
    """Reads subtrees, each row once, in the transaction of one connection."""

    def __init__(self, connection: Connection, head: Frontier) -> None:
        self._connection = connection
        self._head = head
        self._known: dict[tuple[int, int], bytes] = {}

    def subtree(self, level: int, place: int) -> bytes:
        """Give what stands for a complete subtree."""
        if (place + 1) << level > self._head.size:
            raise TamperedError("the log was set back: it knows of entries that its head does not")
        if (level, place) not in self._known:
            if level % STRIDE == 0:
                self._load(level, place // TILE)
            else:
                pair = (self.subtree(level - 1, 2 * place), self.subtree(level - 1, 2 * place + 1))
                self._known[level, place] = node_hash(*pair)
        return self._known[level, place]

    def _load(self, level: int, tile: int) -> None:
        first = tile * TILE
        last = min(first + TILE, self._head.size >> level) - 1
        if level == 0:
            rows = sql.entries_between(self._connection, first, last)
            found = {row.id: leaf_hash(row.entry.encode()) for row in rows}
        else:
            found = sql.nodes_between(self._connection, level, first, last)
        if found.keys() != set(range(first, last + 1)):
            raise TamperedError("the log has a hole")
        self._known |= {(level, place): one for place, one in found.items()}

    def root(self, size: int) -> bytes:
        """Give the root that the log had at a size; raise TamperedError where it did not grow from there."""
        found = range_hash((0, size), self.subtree)
        if not grew(size, self._head.size, found, self._head.root, self.consistency(size, self._head.size)):
            raise TamperedError("the entries of the log are not those that were added")
        return found

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove that an entry stands in the log as it was at a size."""
        return [range_hash(one, self.subtree) for one in inclusion_path(index, size)]

    def newest(self, index: int) -> tuple[list[bytes], bytes]:
        """Prove an entry in the log as it was when it was the newest; give the root of that, too."""
        return self.inclusion(index, index + 1), self.root(index + 1)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the log as it was at one size grew from what it was at another."""
        return [range_hash(one, self.subtree) for one in consistency_path(old, new)]


class Tail:
    """The newest entries, in a log that is grown again from what it was before them.

    What was known of the log then need not be trusted: grown by the rows, it comes to the sealed head or not.
    """

    def __init__(self, known: Frontier, rows: Iterable[sql.EntryRow]) -> None:
        self.head = known
        self.entries: dict[bytes, list[sql.EntryRow]] = {}
        self._before: dict[int, Frontier] = {}
        self._leaves: dict[int, bytes] = {}
        for row in rows:
            leaf = leaf_hash(row.entry.encode())
            self._before[row.id], self._leaves[row.id] = self.head, leaf
            self.entries.setdefault(row.act, []).append(row)
            self.head, _ = self.head.grow([leaf])

    def newest(self, index: int) -> tuple[list[bytes], bytes]:
        """Prove an entry in the log as it was when it was the newest; give the root of that, too."""
        before = self._before[index]
        return before.path, before.grow([self._leaves[index]])[0].root
