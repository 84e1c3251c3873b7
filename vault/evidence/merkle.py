"""The Merkle tree of RFC 6962: what lets a stranger check that a log holds an entry, and that it only grew.

Pure functions. A tree of any size is made of complete subtrees, `(level, place)`: the one over the entries
from `place << level` up to `(place + 1) << level`. Whoever has those of a log has every root and every proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY = hashlib.sha256().digest()

Range = tuple[int, int]  # the entries from the first up to the second
Subtrees = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Give what stands for an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give what stands for two subtrees side by side."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree, and what stands for it."""

    level: int
    place: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees that a tree is made of, the largest first: enough to let it grow."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Say whether there is a hash for each bit of the size."""
        return len(self.hashes) == self.size.bit_count() and all(
            len(one) == HASH_BYTES for one in self.hashes
        )

    @property
    def root(self) -> bytes:
        """Give the root of the tree as it is."""
        return _join(self.hashes)

    @property
    def path(self) -> list[bytes]:
        """Give the proof that the next entry stands in the tree that ends with it, the nearest first."""
        return list(reversed(self.hashes))

    def grow(self, leaves: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
        """Add leaf hashes; give the larger tree, and the subtrees above level 0 that became complete."""
        size, hashes, complete = self.size, list(self.hashes), list[Node]()
        for leaf in leaves:
            one, level, place = leaf, 0, size
            while place & 1:
                one, level, place = node_hash(hashes.pop(), one), level + 1, place >> 1
                complete.append(Node(level, place, one))
            hashes.append(one)
            size += 1
        return Frontier(size, tuple(hashes)), complete


def _join(hashes: Sequence[bytes]) -> bytes:
    """Give the root over subtrees side by side, the largest first."""
    if not hashes:
        return EMPTY
    joined = hashes[-1]
    for left in reversed(hashes[:-1]):
        joined = node_hash(left, joined)
    return joined


def _subtrees(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Give the complete subtrees of a range as it stands in a tree, the largest first."""
    while start < stop:
        level = (stop - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def range_hash(wanted: Range, subtrees: Subtrees) -> bytes:
    """Give what stands for a range: one of a proof's, or the whole tree."""
    return _join([subtrees(level, place) for level, place in _subtrees(*wanted)])


def fold(hashes: Sequence[bytes]) -> bytes:
    """Give the root of a complete subtree from those of a level below it."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _split(start: int, stop: int) -> int:
    """Give where a range falls into two: at the largest power of two below its length."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


def inclusion_path(index: int, size: int) -> list[Range]:
    """Give the ranges whose hashes prove that an entry stands in a tree, the nearest first."""
    if not 0 <= index < size:
        raise ValueError("no such entry in a tree of this size")
    start, stop, path = 0, size, []
    while stop - start > 1:
        middle = _split(start, stop)
        if index < middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int) -> list[Range]:
    """Give the ranges whose hashes prove that a tree of `new` entries began as one of `old`."""
    if not 0 <= old <= new:
        raise ValueError("a tree does not shrink")
    if old in {0, new}:
        return []
    start, stop, path = 0, new, []
    while stop != old:
        middle = _split(start, stop)
        if old <= middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    if start:
        path.append((start, stop))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether a proof shows that an entry stands in the tree with this root."""
    if not 0 <= index < size:
        return False
    ranges = inclusion_path(index, size)
    if len(ranges) != len(path):
        return False
    found = leaf
    for (start, _), other in zip(ranges, path, strict=True):
        found = node_hash(found, other) if index < start else node_hash(other, found)
    return found == root


def grew(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Say whether a proof shows that the tree with the new root began as the one with the old root."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not path and old_root == (EMPTY if old == 0 else new_root)
    ranges, hashes = consistency_path(old, new), list(path)
    if len(ranges) != len(hashes):
        return False
    # Where the old tree is a complete subtree of the new one, its own root is where the proof begins.
    is_left_edge = ranges[0][0] >= old
    before = after = old_root if is_left_edge else hashes[0]
    for (start, _), other in zip(ranges[not is_left_edge :], hashes[not is_left_edge :], strict=True):
        if start < old:
            before, after = node_hash(other, before), node_hash(other, after)
        else:
            after = node_hash(after, other)
    return (before, after) == (old_root, new_root)
