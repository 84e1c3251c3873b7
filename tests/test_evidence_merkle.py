"""The Merkle tree is that of RFC 6962: the known trees and proofs of certificate transparency, and others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.evidence import merkle
from vault.evidence.merkle import Frontier, Node, leaf_hash, node_hash

# The inputs, roots and proofs with which implementations of certificate transparency are tested.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
LEAVES = [leaf_hash(bytes.fromhex(one)) for one in INPUTS]


class Tree:
    """A tree with all that is in it."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.frontier, nodes = Frontier().grow(leaves)
        self._nodes = {(node.level, node.place): node.hash for node in nodes}
        self._nodes |= {(0, place): leaf for place, leaf in enumerate(leaves)}

    def hash(self, wanted: merkle.Range) -> bytes:
        return merkle.range_hash(wanted, lambda level, place: self._nodes[level, place])

    def root(self, size: int) -> bytes:
        return self.hash((0, size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return [self.hash(one) for one in merkle.inclusion_path(index, size)]

    def consistency(self, old: int, new: int) -> list[bytes]:
        return [self.hash(one) for one in merkle.consistency_path(old, new)]


def by_the_book(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 defines it, word by word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else merkle.EMPTY
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_the_book(leaves[:split]), by_the_book(leaves[split:]))


def hexed(hashes: list[bytes]) -> list[str]:
    return [one.hex() for one in hashes]


@pytest.mark.parametrize("size", range(9))
def test_p6_known_trees_have_their_known_roots(size: int) -> None:
    assert Frontier().grow(LEAVES[:size])[0].root.hex() == ROOTS[size]
    assert Tree(LEAVES).root(size).hex() == ROOTS[size]
    assert by_the_book(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_p6_known_entries_have_their_known_proofs(index: int, size: int) -> None:
    proof = Tree(LEAVES).inclusion(index, size)
    assert hexed(proof) == INCLUSION[index, size]
    assert merkle.includes(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_p6_known_growth_has_its_known_proof(old: int, new: int) -> None:
    proof = Tree(LEAVES).consistency(old, new)
    assert hexed(proof) == CONSISTENCY[old, new]
    roots = [bytes.fromhex(ROOTS[size]) for size in (old, new)]
    assert merkle.grew(old, new, roots[0], roots[1], proof)


SIZES = st.integers(1, 300)


@pytest.mark.wide
@given(SIZES, st.data())
def test_p6_every_entry_of_any_tree_is_proven_and_nothing_else_is(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
    tree = Tree(leaves)
    root = tree.root(size)
    assert root == tree.frontier.root == by_the_book(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(index, size)
    assert merkle.includes(leaves[index], index, size, proof, root)
    other = data.draw(st.integers(-1, size).filter(lambda one: one != index))
    assert not merkle.includes(leaves[index], other, size, proof, root)
    assert not merkle.includes(leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.includes(leaves[index], index, size, [*proof, root], root)
    assert not merkle.includes(leaves[index], index, size, proof, leaf_hash(b"root"))
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.includes(leaves[index], index, size, proof[:at] + proof[at + 1 :], root)
        assert not merkle.includes(
            leaves[index], index, size, [*proof[:at], leaf_hash(b"x"), *proof[at + 1 :]], root
        )


@pytest.mark.wide
@given(st.integers(0, 300), st.integers(0, 300), st.data())
def test_p6_every_growth_is_proven_and_no_rewriting_is(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    tree = Tree([leaf_hash(number.to_bytes(2, "big")) for number in range(new)])
    proof, before, after = tree.consistency(old, new), tree.root(old), tree.root(new)
    assert merkle.grew(old, new, before, after, proof)
    assert not merkle.grew(old, new, leaf_hash(b"x"), after, proof)
    assert not merkle.grew(old, new, before, after, [*proof, before])
    assert not merkle.grew(new + 1, new, before, after, proof)
    if old:
        assert not merkle.grew(old, new, before, leaf_hash(b"x"), proof)
        edited = data.draw(st.integers(0, old - 1))
        forged = Tree([leaf_hash(bytes(9) if at == edited else at.to_bytes(2, "big")) for at in range(new)])
        assert not merkle.grew(old, new, before, forged.root(new), forged.consistency(old, new))
    for at in range(len(proof)):
        assert not merkle.grew(old, new, before, after, [*proof[:at], leaf_hash(b"x"), *proof[at + 1 :]])


@given(st.lists(st.integers(0, 40), max_size=6))
def test_p6_a_tree_that_grows_in_steps_is_the_one_that_grew_at_once(steps: list[int]) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(sum(steps))]
    frontier, nodes, done = Frontier(), list[Node](), 0
    for step in steps:
        frontier, more = frontier.grow(leaves[done : done + step])
        nodes += more
        done += step
        assert frontier.is_whole
    assert (frontier, nodes) == Frontier().grow(leaves)
    assert not Frontier(frontier.size + 1, frontier.hashes).is_whole or (
        frontier.size + 1
    ).bit_count() == len(frontier.hashes)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_p6_a_proof_of_what_is_not_there_is_refused(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such entry"):
        merkle.inclusion_path(index, size)
    with pytest.raises(ValueError, match="shrink"):
        merkle.consistency_path(size + 1, size)


@given(st.integers(0, 6))
def test_p6_a_complete_subtree_is_the_fold_of_its_leaves(level: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(1 << level)]
    assert merkle.fold(leaves) == by_the_book(leaves)
