"""The key tree, whose every erasure re-keys the way to the root (P3).

    root                          outside every database; generations
     ├─ users ─ 16 ─ 16 ─ 16 ─ 16   radix levels: four nibbles of the user's blind index
     │            └─ user
     │                ├─ secret
     │                ├─ session
     │                └─ kept      of a session, where chapters have outlived their epochs
     │                    └─ chapter
     ├─ epochs
     │    └─ epoch
     └─ service

A key is stored only wrapped by its parent. Inner nodes get a new key and version when something
below them is erased; leaves that live never change.
"""

from __future__ import annotations

import enum
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from vault.crypto.envelope import Cipher, bind, random_id, random_key
from vault.errors import TamperedError

RADIX_LEVELS = 4
_VERSION_BYTES = 8
_version = struct.Struct(">IQ").pack
_NUMBERS = [bytes((number,)) for number in range(256)]  # of kinds, as bytes


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
    KEPT = 10


TOPS = (Kind.USERS, Kind.EPOCHS, Kind.SERVICE)
LEAVES = (Kind.SECRET, Kind.SESSION, Kind.CHAPTER, Kind.EPOCH, Kind.SERVICE)


class Node(NamedTuple):
    """A key as it is stored: wrapped by its parent. `slot` is where it is looked up, once in a keyring."""

    id: bytes
    parent: bytes
    kind: Kind
    version: int
    slot: bytes
    wrapped: bytes


@dataclass(slots=True, repr=False)
class Opened:
    """A key in the clear, with what its children are bound to."""

    id: bytes
    version: int
    key: bytes
    _cipher: Cipher | None = field(default=None, init=False, compare=False)

    @property
    def cipher(self) -> Cipher:
        """The key, ready to wrap its children: made once for the sixteen of them."""
        if self._cipher is None:
            self._cipher = Cipher(self.key)
        return self._cipher


def slot(kind: Kind, name: bytes = b"") -> bytes:
    """Where a node is looked up."""
    return _NUMBERS[kind] + name


_USERS = slot(Kind.USERS)


def radix_slots(user_index: bytes) -> list[bytes]:
    """Give the slots from `users` down to the last radix level above a user."""
    first, second = user_index[:2]
    last = bytes((Kind.RADIX, first >> 4, first & 15, second >> 4, second & 15))
    return [_USERS, *(last[: level + 2] for level in range(RADIX_LEVELS))]


def node_aad(vault: bytes, node: Node, parent_version: int) -> bytes:
    """Give what a wrapped key is bound to: its own identity and the version of its parent."""
    return _bound(_place(vault, node.id, node.kind, node.slot, node.parent), parent_version)


def _place(vault: bytes, node: bytes, kind: int, where: bytes, parent: bytes) -> bytes:
    return bind(b"node", vault, node, _NUMBERS[kind], where, parent)


def _bound(place: bytes, parent_version: int) -> bytes:
    """Add the parent's version, as `bind` would: a re-wrap changes nothing else."""
    return place + _version(_VERSION_BYTES, parent_version)


def grow(vault: bytes, parent: Opened, kind: Kind, where: bytes) -> tuple[Node, Opened]:
    """Make a node with a fresh key below `parent`."""
    return wrap_below(vault, parent, Opened(random_id(), 0, random_key()), kind, where)


def wrap_below(vault: bytes, parent: Opened, child: Opened, kind: Kind, where: bytes) -> tuple[Node, Opened]:
    """Store a known key below `parent`: a chapter that outlives its epoch."""
    place = _place(vault, child.id, kind, where, parent.id)
    sealed = parent.cipher.seal(child.key, _bound(place, parent.version))
    return Node(child.id, parent.id, kind, child.version, where, sealed), child


def unlock(vault: bytes, parent: Opened, node: Node) -> Opened:
    """Open a node with its parent's key."""
    if node.parent != parent.id:
        raise TamperedError("a key stands below another parent")
    key = parent.cipher.open(node.wrapped, node_aad(vault, node, parent.version))
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


@dataclass(slots=True)
class _Pruning:
    """One walk down the tree: what goes, what gets a new key, and what was changed and reached so far."""

    vault: bytes
    children: Mapping[bytes, Sequence[Node]]
    gone: AbstractSet[bytes]
    stale: AbstractSet[bytes]
    changed: list[Node] = field(default_factory=list)
    reached: set[bytes] = field(default_factory=set)

    def renew(self, node: Node) -> Opened:
        """Give a node as it will be."""
        return Opened(node.id, node.version + 1, random_key())

    def descend(self, old: Opened, new: Opened | None) -> None:
        """Wrap again what hangs below a renewed node; below one that goes there is no new key."""
        for child in self.children.get(old.id, ()):
            place = _place(self.vault, child.id, child.kind, child.slot, child.parent)
            # What goes is opened too: moved below another parent, it would leave its true one as it is (P3).
            key = old.cipher.open(child.wrapped, _bound(place, old.version))
            self.reached.add(child.id)
            over = None if child.id in self.gone else new
            # A leaf and a sibling of the way keep their key: most of what is wrapped again.
            renewed = self.renew(child) if child.id in self.stale else None
            if over is not None:
                version, kept = (renewed.version, renewed.key) if renewed else (child.version, key)
                sealed = over.cipher.seal(kept, _bound(place, over.version))
                self.changed.append(Node(child.id, child.parent, child.kind, version, child.slot, sealed))
            if renewed:
                self.descend(Opened(child.id, child.version, key), renewed if over else None)


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
    children: dict[bytes, list[Node]] = defaultdict(list)
    for node in nodes.values():
        children[node.parent].append(node)
    walk = _Pruning(vault, children, gone, ancestors(nodes, gone) | (set(above) & nodes.keys()))
    for top in nodes.values():
        if top.kind in TOPS:
            old = Opened(top.id, top.version, old_root(top))
            new = walk.renew(top) if top.id in walk.stale else old
            walk.changed.append(new_root(top._replace(version=new.version), new.key))
            if new is not old:
                walk.descend(old, new)
    if not walk.reached >= gone:
        raise TamperedError("a key that is to be erased does not hang from the root")
    return walk.changed
