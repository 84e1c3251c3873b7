"""What is pure: envelope, tree, indexes, ledger and the one encoding, and their known answers."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.chat.chapter import chapter_key, make_chapter
from vault.chat.profile import Profile, add_to, count_in, open_name, open_profile, seal_name, seal_profile
from vault.crypto.blind import blind_index
from vault.crypto.envelope import HEAD, OVERHEAD, Cipher, bind, derive, random_id, random_key
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
from vault.errors import InputError, TamperedError, TooLargeError
from vault.messages import Body, Message, encode, pack, unpack

FEW = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(FEW, max_examples=1500)
keys = st.binary(min_size=32, max_size=32)
ids = st.binary(min_size=16, max_size=16)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))

# -- the envelope ----------------------------------------------------------------------------------------


@FEW
@given(keys, st.binary(max_size=300), st.binary(max_size=60), st.data())
def test_p2_an_envelope_opens_with_its_key_in_its_place_unchanged_and_not_otherwise(
    key: bytes, plain: bytes, aad: bytes, data: st.DataObject
) -> None:
    cipher = Cipher(key)
    sealed = cipher.seal(plain, aad)
    assert cipher.open(sealed, aad) == plain
    assert len(sealed) == len(plain) + OVERHEAD
    at, bit = data.draw(st.integers(0, len(sealed) - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(sealed)
    changed[at] ^= 1 << bit
    shorter = data.draw(st.integers(0, len(sealed) - 1))
    for other, its_aad in (
        (bytes(changed), aad),
        (sealed[:shorter], aad),
        (sealed + b"\0", aad),
        (sealed, aad + b"\0"),
        (plain, aad),
    ):
        with pytest.raises(TamperedError):
            cipher.open(other, its_aad)
    with pytest.raises(TamperedError):
        Cipher(bytes(byte ^ 1 for byte in key)).open(sealed, aad)


@FEW
@given(st.binary(max_size=200), st.binary(max_size=10))
def test_p2_what_was_never_sealed_opens_nowhere(noise: bytes, aad: bytes) -> None:
    for forged in (noise, HEAD + noise):
        with pytest.raises(TamperedError):
            Cipher(bytes(32)).open(forged, aad)


def test_sealing_twice_gives_two_envelopes() -> None:
    cipher = Cipher(random_key())
    assert len({cipher.seal(b"same", b"place") for _ in range(100)}) == 100


parts = st.lists(st.binary(max_size=6), max_size=4)


@FEW
@given(parts, parts)
def test_p2_two_lists_of_parts_are_bound_to_the_same_bytes_only_when_they_are_the_same(
    one: list[bytes], other: list[bytes]
) -> None:
    assert (bind(*one) == bind(*other)) == (one == other)
    # The likeliest mistake: one list whose parts, joined, look like the other.
    assert (bind(b"".join(one)) == bind(*one)) == (one == [b"".join(one)])


@FEW
@given(keys, parts, parts)
def test_keys_for_different_purposes_differ(secret: bytes, one: list[bytes], other: list[bytes]) -> None:
    assert (derive(secret, *one) == derive(secret, *other)) == (one == other)


# -- indexes ---------------------------------------------------------------------------------------------


@FEW
@given(keys, st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_has_one_index_in_all_its_unicode_forms(key: bytes, text: str) -> None:
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    assert len({blind_index(key, "user", form) for form in forms}) == 1
    assert len(blind_index(key, "user", text)) == 16


@FEW
@given(keys, st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_different_values_have_different_indexes(key: bytes, one: list[str], other: list[str]) -> None:
    same = [unicodedata.normalize("NFC", text) for text in one] == [
        unicodedata.normalize("NFC", text) for text in other
    ]
    assert (blind_index(key, "user", *one) == blind_index(key, "user", *other)) == same
    assert blind_index(key, "user", *one) != blind_index(key, "session", *one)
    assert blind_index(key, "user", *one) != blind_index(derive(key), "user", *one)


# -- the tree --------------------------------------------------------------------------------------------

VAULT = b"v" * 16


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
        return replace(node, wrapped=Cipher(self.root).seal(key, node_aad(VAULT, node, 0)))

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
    elsewhere = replace(tree.nodes[session.id], parent=random_id())
    nodes = tree.nodes | {session.id: elsewhere}
    with pytest.raises(TamperedError):
        prune(VAULT, nodes, {session.id}, lambda node: tree.keys[node.id].key, Tree().wrapped, [user.id])


def test_p2_a_key_below_another_parent_opens_nowhere() -> None:
    tree, user, one, other = small_tree()
    moved = replace(tree.nodes[one.id], parent=other.id)
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
        unlock(VAULT, user, replace(tree.nodes[one.id], **change))
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


# -- the ledger ------------------------------------------------------------------------------------------

seqs = st.lists(st.integers(0, 40), max_size=25)


@FEW
@given(seqs, seqs, st.integers(0, 45), st.integers(0, 45))
def test_p2_a_ledger_explains_exactly_the_seqs_that_were_removed(
    popped: list[int], more: list[int], start: int, stop: int
) -> None:
    ranges = add_to(add_to((), popped), more)
    assert {seq for first, last in ranges for seq in range(first, last + 1)} == {*popped, *more}
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))
    removed = {*popped, *more}
    assert count_in(ranges, start, stop) == len(removed & set(range(start, stop)))
    ledger = Profile("", popped=ranges)
    assert ledger.next_seq == max(removed, default=-1) + 1
    if start <= stop:
        assert ledger.explains(start, stop) == (set(range(start, stop)) <= removed)


@FEW
@given(seqs, seqs, st.integers(0, 45), st.integers(0, 45))
def test_p2_popped_and_purged_explain_a_gap_together(
    popped: list[int], purged: list[int], start: int, length: int
) -> None:
    gone = set(purged) - set(popped)  # a seq is removed once
    ledger = Profile("", popped=add_to((), popped), purged=add_to((), gone))
    wanted = set(range(start, start + length))
    assert ledger.explains(start, start + length) == (wanted <= {*popped, *purged})


@FEW
@given(
    st.builds(Profile, texts, seqs.map(lambda removed: add_to((), removed))), keys, ids, st.integers(0, 2**40)
)
def test_p2_a_profile_opens_at_its_own_revision_only(
    profile: Profile, key: bytes, node: bytes, rev: int
) -> None:
    sealed = seal_profile(profile, VAULT, node, key, rev)
    assert open_profile(sealed, VAULT, node, key, rev) == profile
    for other in (
        (VAULT, node, key, rev + 1),
        (VAULT, node + b"x", key, rev),
        (VAULT, node, derive(key), rev),
    ):
        with pytest.raises(TamperedError):
            open_profile(sealed, *other)


@FEW
@given(texts, keys, ids, ids)
def test_p2_a_name_opens_in_its_own_row_only(name: str, key: bytes, node: bytes, above: bytes) -> None:
    sealed = seal_name(name, VAULT, node, above, key)
    assert open_name(sealed, VAULT, node, above, key) == name
    with pytest.raises(TamperedError):
        open_name(sealed, VAULT, node, above + b"x", key)
    with pytest.raises(TamperedError):
        open_profile(sealed, VAULT, node, key, 0)


@FEW
@given(keys, keys, ids, ids)
def test_p3_a_chapter_has_another_key_with_another_session_or_epoch(
    session_key: bytes, epoch_key: bytes, session: bytes, epoch: bytes
) -> None:
    chapter = chapter_key(session_key, epoch_key, session, epoch)
    others = {
        chapter_key(derive(session_key), epoch_key, session, epoch),
        chapter_key(session_key, derive(epoch_key), session, epoch),
        chapter_key(session_key, epoch_key, session + b"x", epoch),
        chapter_key(session_key, epoch_key, session, epoch + b"x"),
    }
    assert len(others) == 4
    assert chapter not in others


# -- the one encoding ------------------------------------------------------------------------------------

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary()
)
values = st.recursive(
    leaves, lambda some: st.lists(some, max_size=4) | st.dictionaries(texts, some, max_size=4), max_leaves=10
)
objects = st.dictionaries(texts, values, max_size=3)


@FEW
@given(texts | st.lists(values) | objects | st.none(), objects, objects, st.none() | st.binary(max_size=20))
def test_a_message_that_was_encoded_is_decoded_equal(
    content: Any, metadata: dict[str, Any], extra: dict[str, Any], key: bytes | None
) -> None:
    message = Message("user", content, metadata, extra)
    encoded = encode(message, key=key)
    assert unpack(pack(encoded)) == Body(content, extra or None, metadata or None, key)
    assert encode(message, limit=len(encoded), key=key) == encoded
    with pytest.raises(TooLargeError):
        encode(message, limit=len(encoded) - 1, key=key)


@FEW
@given(st.binary(max_size=3000), st.integers(1, 40))
def test_packing_never_makes_a_body_longer_than_by_one_byte(noise: bytes, times: int) -> None:
    encoded = encode(Message("user", [noise] * times))
    packed = pack(encoded)
    assert len(packed) <= len(encoded) + 1
    assert unpack(packed).content == [noise] * times


def test_long_texts_are_packed_shorter() -> None:
    encoded = encode(Message("user", "What does it cost? " * 100))
    assert len(pack(encoded)) < len(encoded) / 10


@FEW
@given(st.binary(max_size=200))
def test_p2_what_is_no_body_is_refused(noise: bytes) -> None:
    cut_off = pack(encode(Message("user", "x" * 600)))[:-1]
    for packed in (noise, b"\0" + noise, b"\1" + noise, cut_off):
        with suppress(TamperedError):
            assert isinstance(unpack(packed), Body)


@FEW
@given(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=2), texts)
def test_a_lone_surrogate_is_refused(surrogate: str, text: str) -> None:
    with pytest.raises(InputError):
        encode(Message("user", text + surrogate))


# -- known answers ---------------------------------------------------------------------------------------

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))


@pytest.fixture(params=VECTORS, ids=lambda path: path.stem)
def vectors(request: pytest.FixtureRequest) -> dict[str, list[dict[str, Any]]]:
    """What some release wrote, or would have written. Every later release must open it."""
    found: dict[str, list[dict[str, Any]]] = json.loads(request.param.read_text(encoding="utf-8"))
    return {
        kind: [{name: _unhex(name, value) for name, value in one.items()} for one in given]
        for kind, given in found.items()
    }


BYTES = {
    "vault", "session", "epoch", "session_key", "epoch_key", "chapter_key", "sealed", "parent", "parent_key",
    "id", "slot", "key", "wrapped", "node", "above", "index", "secret",
}  # fmt: skip


def _unhex(name: str, value: Any) -> Any:
    if name == "info":
        return [bytes.fromhex(part) for part in value]
    return bytes.fromhex(value) if name in BYTES and value is not None else value


def test_there_are_vectors() -> None:
    assert [path.name for path in VECTORS] == ["format-1.json"]


def test_every_release_opens_the_bodies_of_every_format(vectors: dict[str, list[dict[str, Any]]]) -> None:
    assert len(vectors["bodies"]) >= 3
    for one in vectors["bodies"]:
        key = chapter_key(one["session_key"], one["epoch_key"], one["session"], one["epoch"])
        assert key == one["chapter_key"]
        chapter = make_chapter(1, one["vault"], one["session"], one["epoch"], key)
        aad = chapter.aad(one["seq"], one["role"], one["created_at"])
        said = unpack(chapter.cipher.open(one["sealed"], aad))
        assert said == Body(one["content"], one["extra"], one["metadata"], one["key"])
        with pytest.raises(TamperedError):
            chapter.cipher.open(one["sealed"], chapter.aad(one["seq"] + 1, one["role"], one["created_at"]))
        with pytest.raises(TamperedError):
            chapter.cipher.open(
                one["sealed"], chapter.aad(one["seq"], one["role"], one["created_at"], b"originals")
            )


def test_every_release_opens_the_keys_names_and_profiles_of_every_format(
    vectors: dict[str, list[dict[str, Any]]],
) -> None:
    for one in vectors["nodes"]:
        parent = Opened(one["parent"], one["parent_version"], one["parent_key"])
        node = Node(one["id"], one["parent"], Kind(one["kind"]), one["version"], one["slot"], one["wrapped"])
        assert unlock(one["vault"], parent, node) == Opened(one["id"], one["version"], one["key"])
    for one in vectors["names"]:
        assert open_name(one["sealed"], one["vault"], one["node"], one["above"], one["key"]) == one["name"]
    for one in vectors["profiles"]:
        namespace, popped, purged = one["profile"]
        opened = open_profile(one["sealed"], one["vault"], one["node"], one["key"], one["rev"])
        assert opened == Profile(namespace, tuple(map(tuple, popped)), tuple(map(tuple, purged)))


def test_every_release_finds_by_the_indexes_of_every_format(vectors: dict[str, list[dict[str, Any]]]) -> None:
    for one in vectors["indexes"]:
        assert blind_index(one["key"], one["field"], *one["values"]) == one["index"]
        decomposed = [unicodedata.normalize("NFD", value) for value in one["values"]]
        assert blind_index(one["key"], one["field"], *decomposed) == one["index"]
    for one in vectors["derived"]:
        assert derive(one["secret"], *one["info"]) == one["key"]
