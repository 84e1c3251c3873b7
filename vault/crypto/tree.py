"""The key tree, whose every erasure re-keys the way to the root (P3).

    root                          outside every database; generations
     ├─ users ─ 16 ─ 16 ─ 16 ─ 16   radix levels: four nibbles of the user's blind index
     │            └─ user
     │                ├─ secret
     │                └─ session
     │                    └─ chapter
     ├─ epochs
     │    └─ epoch
     └─ service

A key is stored only wrapped by its parent. Inner nodes get a new key and version when something
below them is erased; leaves that live never change.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from vault.crypto.envelope import Cipher, bind, random_id, random_key
from vault.errors import TamperedError

RADIX_LEVELS = 4


class Kind(enum.IntEnum):
    """What a node is; the numbers are stored and never change."""

    USERS = 1
    RADIX = 2
    USER = 3
    SECRET = 4
    SESSION = 5
    CHAPTER = 6
    EPOCHS = 7
    EPOCH = 8
    SERVICE = 9


TOPS = (Kind.USERS, Kind.EPOCHS, Kind.SERVICE)


@dataclass(frozen=True, slots=True)
class Node:
    """A key as it is stored: wrapped by its parent. `slot` is where it is looked up, once in a keyring."""

    id: bytes
    parent: bytes
    kind: Kind
    version: int
    slot: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A key in the clear, with what its children are bound to."""

    id: bytes
    version: int
    key: bytes


def slot(kind: Kind, name: bytes = b"") -> bytes:
    """Where a node is looked up."""
    return bytes([kind]) + name


def radix_slots(user_index: bytes) -> list[bytes]:
    """Give the slots from `users` down to the last radix level above a user."""
    nibbles = [half for byte in user_index[:2] for half in (byte >> 4, byte & 15)]
    prefixes = [bytes(nibbles[: level + 1]) for level in range(RADIX_LEVELS)]
    return [slot(Kind.USERS), *(slot(Kind.RADIX, prefix) for prefix in prefixes)]


def node_aad(vault: bytes, node: Node, parent_version: int) -> bytes:
    """Give what a wrapped key is bound to: its own identity and the version of its parent."""
    return bind(
        b"node",
        vault,
        node.id,
        bytes([node.kind]),
        node.slot,
        node.parent,
        parent_version.to_bytes(8, "big"),
    )


def grow(vault: bytes, parent: Opened, kind: Kind, where: bytes) -> tuple[Node, Opened]:
    """Make a node with a fresh key below `parent`."""
    return wrap_below(vault, parent, Opened(random_id(), 0, random_key()), kind, where)


def wrap_below(vault: bytes, parent: Opened, child: Opened, kind: Kind, where: bytes) -> tuple[Node, Opened]:
    """Store a known key below `parent`: a chapter that outlives its epoch."""
    node = Node(child.id, parent.id, kind, child.version, where, b"")
    sealed = Cipher(parent.key).seal(child.key, node_aad(vault, node, parent.version))
    return replace(node, wrapped=sealed), child


def unlock(vault: bytes, parent: Opened, node: Node) -> Opened:
    """Open a node with its parent's key."""
    if node.parent != parent.id:
        raise TamperedError("a key stands below another parent")
    key = Cipher(parent.key).open(node.wrapped, node_aad(vault, node, parent.version))
    return Opened(node.id, node.version, key)


def ancestors(nodes: Mapping[bytes, Node], gone: Iterable[bytes]) -> set[bytes]:
    """Give the ids of all nodes above those that go."""
    above: set[bytes] = set()
    for target in gone:
        parent = nodes[target].parent
        while parent in nodes and parent not in above:
            above.add(parent)
            parent = nodes[parent].parent
    return above


def prune(  # noqa: PLR0913, PLR0917 (the tree, what goes, and the two roots)
    vault: bytes,
    nodes: Mapping[bytes, Node],
    gone: AbstractSet[bytes],
    old_root: Callable[[Node], bytes],
    new_root: Callable[[Node, bytes], Node],
    above: Iterable[bytes] = (),
) -> list[Node]:
    """Re-key the way from `gone` to the root; give the nodes that changed.

    `nodes` holds the targets, all their ancestors and all children of those. `old_root` opens a top node
    under the generation that is left, `new_root` wraps one under the generation that comes. `above` are
    ancestors of what is gone from here already: they are re-keyed too, as far as they are here.
    """
    stale = ancestors(nodes, gone) | (set(above) & nodes.keys())
    children: dict[bytes, list[Node]] = defaultdict(list)
    for node in nodes.values():
        children[node.parent].append(node)
    changed: list[Node] = []
    reached: set[bytes] = set()

    def renew(node: Node, key: bytes) -> tuple[Opened, Opened]:
        old = Opened(node.id, node.version, key)
        return old, Opened(node.id, node.version + 1, random_key()) if node.id in stale else old

    def descend(old: Opened, new: Opened | None) -> None:
        for child in children[old.id]:
            # What goes is opened too: moved below another parent, it would leave its true one as it is (P3).
            old_child, new_child = renew(child, unlock(vault, old, child).key)
            reached.add(child.id)
            over = None if child.id in gone else new
            if over is not None:
                changed.append(wrap_below(vault, over, new_child, child.kind, child.slot)[0])
            if child.id in stale:
                descend(old_child, new_child if over else None)

    for top in nodes.values():
        if top.kind in TOPS:
            old_top, new_top = renew(top, old_root(top))
            changed.append(new_root(replace(top, version=new_top.version), new_top.key))
            if top.id in stale:
                descend(old_top, new_top)
    if not reached >= gone:
        raise TamperedError("a key that is to be erased does not hang from the root")
    return changed
