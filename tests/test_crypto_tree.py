"""The tree of keys: what an erasure cuts off, what stays, and where a key opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FEW, ids

from vault.crypto.envelope import Cipher, random_id, random_key
from vault.crypto.tree import (
    TOPS,
    Kind,
    Node,
    Opened,
    ancestors,
    grow,
    node_aad,
    prune,
    radix_slots,
    slot,
    unlock,
    wrap_below,
)
from vault.errors import TamperedError

VAULT = b"v" * 16
MANY = settings(FEW, max_examples=1500)


@dataclass
class Tree:
    """A whole tree, with the root keys that it has had."""

    root: bytes = field(default_factory=random_key)
    nodes: dict[bytes, Node] = field(default_factory=dict)
    keys: dict[bytes, Opened] = field(default_factory=dict)

    def top(self, kind: Kind) -> Opened:
        bare = Node(random_id(), b"root", kind, 0, slot(kind), b"")
        opened = Opened(bare.id, 0, random_key())
        self.nodes[bare.id] = self.wrapped(bare, opened.key)
        self.keys[bare.id] = opened
        return opened

    def wrapped(self, node: Node, key: bytes) -> Node:
        return node._replace(wrapped=Cipher(self.root).seal(key, node_aad(VAULT, node, 0)))

    def below(self, parent: Opened, kind: Kind, where: bytes) -> Opened:
        """Give the node at a slot, grown when it is new."""
        for node in self.nodes.values():
            if node.slot == where:
                return self.keys[node.id]
        node, opened = grow(VAULT, parent, kind, where)
        self.nodes[node.id], self.keys[node.id] = node, opened
        return opened

    def children(self, parents: set[bytes]) -> set[bytes]:
        return {node.id for node in self.nodes.values() if node.parent in parents}

    def subtree(self, roots: set[bytes]) -> set[bytes]:
        found = set(roots)
        while more := self.children(found) - found:
            found |= more
        return found

    def opened(self) -> dict[bytes, Opened]:
        """Open all that opens from the root down."""
        found = {}
        for node in self.nodes.values():
            if node.kind in TOPS:
                key = Cipher(self.root).open(node.wrapped, node_aad(VAULT, node, 0))
                found[node.id] = Opened(node.id, node.version, key)
        while len(found) < len(self.nodes):
            for node in self.nodes.values():
                if node.id not in found and node.parent in found:
                    found[node.id] = unlock(VAULT, found[node.parent], node)
        return found

    def family(self, gone: set[bytes]) -> dict[bytes, Node]:
        """Give what `prune` asks for, and not more."""
        above = ancestors(self.nodes, gone)
        tops = {node.id for node in self.nodes.values() if node.kind in TOPS}
        return {one: self.nodes[one] for one in gone | above | self.children(above) | tops}

    def without(self, gone: set[bytes]) -> tuple[Tree, list[Node]]:
        """Give the tree after an erasure, and what that changed."""
        after = Tree()
        changed = prune(
            VAULT,
            self.family(gone),
            gone,
            lambda node: Cipher(self.root).open(node.wrapped, node_aad(VAULT, node, 0)),
            after.wrapped,
        )
        kept = self.nodes.keys() - self.subtree(gone)
        after.nodes = {one: self.nodes[one] for one in kept} | {node.id: node for node in changed}
        after.keys = after.opened()
        return after, changed


@st.composite
def trees(draw: st.DrawFn) -> tuple[Tree, set[bytes]]:
    """A tree in the shape of a keyring, and nodes of it that are to go."""
    tree = Tree()
    users, epochs, _ = (tree.top(kind) for kind in TOPS)
    for number in range(draw(st.integers(0, 3))):
        tree.below(epochs, Kind.EPOCH, slot(Kind.EPOCH, bytes([number])))
    # Few first bytes, so that some users share a part of their way.
    starts = st.sampled_from([b"\0\0", b"\0\1", b"\0\x11", b"\x10\0", b"\xff\xff"])
    for index in draw(st.lists(starts, max_size=5)):
        parent = users
        for where in radix_slots(index)[1:]:
            parent = tree.below(parent, Kind.RADIX, where)
        user = tree.below(parent, Kind.USER, slot(Kind.USER, random_id()))
        tree.below(user, Kind.SECRET, slot(Kind.SECRET, random_id()))
        for _ in range(draw(st.integers(0, 2))):
            session = tree.below(user, Kind.SESSION, slot(Kind.SESSION, random_id()))
            for _ in range(draw(st.integers(0, 2))):
                tree.below(session, Kind.CHAPTER, slot(Kind.CHAPTER, random_id()))
    mortal = [
        node.id
        for node in tree.nodes.values()
        if node.kind in {Kind.USER, Kind.SESSION, Kind.CHAPTER, Kind.EPOCH}
    ]
    return tree, draw(st.sets(st.sampled_from(mortal))) if mortal else set()


def holds_after_pruning(tree: Tree, gone: set[bytes]) -> None:
    stale = ancestors(tree.nodes, gone)
    erased = tree.subtree(gone)
    after, changed = tree.without(gone)

    # What survives opens under the new root. What has lost nothing keeps its key, so that caches stay warm.
    assert after.keys.keys() == tree.nodes.keys() - erased
    for one, opened in after.keys.items():
        if one in stale:
            assert opened.key != tree.keys[one].key
            assert opened.version == tree.keys[one].version + 1
        else:
            assert opened == tree.keys[one]

    # Each child of a re-keyed node is wrapped once more, and the tops; nothing else is touched.
    tops = {node.id for node in tree.nodes.values() if node.kind in TOPS}
    rewrapped = (tree.children(stale) - gone) | tops
    assert sorted(node.id for node in changed) == sorted(rewrapped - erased)

    # Nothing that was erased opens with anything there is now, from any old copy (P3).
    there = [*after.keys.values(), Opened(b"root", 0, after.root)]
    for one in erased:
        node = tree.nodes[one]
        before = tree.keys[node.parent].version if node.parent in tree.keys else 0
        for opened in there:
            for version in {opened.version, before}:
                with pytest.raises(TamperedError):
                    Cipher(opened.key).open(node.wrapped, node_aad(VAULT, node, version))


@pytest.mark.wide
@FEW
@given(trees())
def test_p3_pruning_cuts_off_what_goes_and_nothing_else(given_tree: tuple[Tree, set[bytes]]) -> None:
    holds_after_pruning(*given_tree)


@pytest.mark.slow
@MANY
@given(trees())
def test_p3_pruning_very_many_trees_cuts_off_what_goes_and_nothing_else(
    given_tree: tuple[Tree, set[bytes]],
) -> None:
    holds_after_pruning(*given_tree)


def small_tree() -> tuple[Tree, Opened, Opened, Opened]:
    """One user with two sessions."""
    tree = Tree()
    users = tree.top(Kind.USERS)
    user = tree.below(users, Kind.USER, slot(Kind.USER, b"u"))
    one, other = (tree.below(user, Kind.SESSION, slot(Kind.SESSION, name)) for name in (b"1", b"2"))
    return tree, user, one, other


def test_p3_what_is_repeated_in_an_older_keyring_re_keys_the_ancestors_of_what_is_gone_already() -> None:
    tree, user, session, other = small_tree()
    above = ancestors(tree.nodes, [session.id]) | {random_id()}
    del tree.nodes[session.id]
    after = Tree()
    changed = prune(VAULT, tree.nodes, set(), lambda node: tree.keys[node.id].key, after.wrapped, above)
    after.nodes = tree.nodes | {node.id: node for node in changed}
    assert after.opened()[user.id].key != user.key
    assert after.opened()[other.id] == other


def test_p3_what_does_not_hang_from_the_root_is_not_taken_for_erased() -> None:
    tree, user, session, _ = small_tree()
    elsewhere = tree.nodes[session.id]._replace(parent=random_id())
    nodes = tree.nodes | {session.id: elsewhere}
    with pytest.raises(TamperedError):
        prune(VAULT, nodes, {session.id}, lambda node: tree.keys[node.id].key, Tree().wrapped, [user.id])


def test_p2_a_key_below_another_parent_opens_nowhere() -> None:
    tree, user, one, other = small_tree()
    moved = tree.nodes[one.id]._replace(parent=other.id)
    with pytest.raises(TamperedError):
        unlock(VAULT, other, moved)
    with pytest.raises(TamperedError):
        unlock(VAULT, user, moved)


@pytest.mark.parametrize(
    "change",
    [
        {"id": b"x" * 16},
        {"kind": Kind.CHAPTER},
        {"slot": slot(Kind.SESSION, b"2")},
        {"wrapped": b"\1\1" + bytes(58)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_p2_a_key_whose_row_was_edited_opens_nowhere(change: Mapping[str, Any]) -> None:
    tree, user, one, _ = small_tree()
    assert unlock(VAULT, user, tree.nodes[one.id]) == one
    with pytest.raises(TamperedError):
        unlock(VAULT, user, tree.nodes[one.id]._replace(**change))
    with pytest.raises(TamperedError):
        unlock(b"w" * 16, user, tree.nodes[one.id])
    with pytest.raises(TamperedError):
        unlock(VAULT, replace(user, version=1), tree.nodes[one.id])


def test_a_known_key_can_be_stored_below_a_parent() -> None:
    _, user, *_ = small_tree()
    own = Opened(random_id(), 0, random_key())
    node, kept = wrap_below(VAULT, user, own, Kind.CHAPTER, slot(Kind.CHAPTER, b"c"))
    assert kept == own == unlock(VAULT, user, node)


@FEW
@given(ids)
def test_the_way_to_a_user_is_the_first_four_nibbles_of_the_index(index: bytes) -> None:
    nibbles = [int(digit, 16) for digit in index.hex()[:4]]
    assert radix_slots(index) == [
        bytes([Kind.USERS]),
        *(bytes([Kind.RADIX, *nibbles[:level]]) for level in (1, 2, 3, 4)),
    ]
