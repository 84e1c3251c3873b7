"""What is pure: envelope, indexes, ledger and the one encoding, and their known answers."""

from __future__ import annotations

import json
import unicodedata
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, ids, keys, leaves, texts

from vault.chat.chapter import ORIGINALS, chapter_key, make_chapter
from vault.chat.outside import open_body, read_envelope
from vault.chat.profile import Profile, add_to, count_in, open_name, open_profile, seal_name, seal_profile
from vault.chat.records import Index
from vault.chat.records import aad as record_aad
from vault.crypto.blind import blind_index
from vault.crypto.envelope import HEAD, OVERHEAD, Cipher, bind, derive, random_key
from vault.crypto.tree import Kind, Node, Opened, unlock
from vault.errors import InputError, TamperedError, TooLargeError
from vault.evidence.notes import Signer
from vault.messages import Body, Message, encode, pack, unpack, unpack_originals
from vault.roots.file_lines import understand

VAULT = b"v" * 16


# -- the envelope ----------------------------------------------------------------------------------------


@pytest.mark.wide
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
@given(keys, st.lists(texts(), max_size=3), st.lists(texts(), max_size=3))
def test_different_values_have_different_indexes(key: bytes, one: list[str], other: list[str]) -> None:
    same = [unicodedata.normalize("NFC", text) for text in one] == [
        unicodedata.normalize("NFC", text) for text in other
    ]
    assert (blind_index(key, "user", *one) == blind_index(key, "user", *other)) == same
    assert blind_index(key, "user", *one) != blind_index(key, "session", *one)
    assert blind_index(key, "user", *one) != blind_index(derive(key), "user", *one)


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
@given(seqs, seqs, seqs)
def test_a_ledger_tells_what_retention_took_from_what_the_app_had_taken_before(
    before: list[int], hidden: list[int], taken: list[int]
) -> None:
    new = set(taken) - set(before)  # a seq is removed once
    ledger = Profile("", purged=add_to((), before), hidden=add_to((), hidden)).purging(add_to((), new))
    assert ledger.purged == add_to((), {*before, *new} - (new & set(hidden)))
    assert ledger.popped == add_to((), new & set(hidden))


@FEW
@given(
    st.builds(Profile, texts(), seqs.map(lambda removed: add_to((), removed))),
    keys,
    ids,
    st.integers(0, 2**40),
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
@given(texts(), keys, ids, ids)
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

values = st.recursive(
    leaves(),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(texts(), some, max_size=4),
    max_leaves=10,
)
objects = st.dictionaries(texts(), values, max_size=3)
extras = objects.filter({"role", "content", "metadata", "created_at"}.isdisjoint)


@pytest.mark.wide
@FEW
@given(texts() | st.lists(values) | objects | st.none(), objects, extras, st.none() | st.binary(max_size=20))
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
@given(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=2), texts())
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
    "id", "slot", "key", "wrapped", "node", "above", "index", "secret", "user", "place", "service",
    "added_key",
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


def test_every_release_opens_what_lies_beside_the_bodies_of_every_format(
    vectors: dict[str, list[dict[str, Any]]],
) -> None:
    for one in [*vectors["originals"], *vectors["outside"], *vectors["records"]]:
        chapter = make_chapter(1, one["vault"], one["session"], one["epoch"], one["chapter_key"])
        at = one["role"], one["created_at"]
        if "originals" in one:
            opened = unpack_originals(
                chapter.cipher.open(one["sealed"], chapter.aad(one["seq"], *at, ORIGINALS))
            )
            assert [opened.content, opened.extra, opened.metadata, opened.values] == one["originals"]
        elif "envelope" in one:
            envelope = read_envelope(one["envelope"])
            assert (envelope.user, envelope.session) == (one["user"], one["session"])
            known, packed = open_body(chapter, envelope.seq, *at, envelope.sealed)
            assert (list(known), unpack(packed).content) == (one["known"], one["content"])
        else:
            names = Index(derive(one["session_key"], b"records")).name(one["collection"], one["name"])
            assert names == (one["place"], one["key"])
            packed = chapter.cipher.open(one["sealed"], record_aad(chapter, names, *at))
            assert unpack(packed).content == [one["name"], one["value"]]


def test_every_release_reads_the_roots_and_has_the_signing_keys_of_every_format(
    vectors: dict[str, list[dict[str, Any]]],
) -> None:
    for one in [*vectors["roots"], *vectors["continued_roots"]]:
        phrase = one["passphrase"]
        found = understand(one["document"].encode(), "here", lambda kdf, phrase=phrase: kdf.derive(phrase))  # type: ignore[misc]
        keys = {one["generation"]: one["key"]}
        if "added" in one:
            keys[one["added"]] = one["added_key"]
        assert {held.id: held.key for held in found.document.generations} == keys
    for one in vectors["signing"]:
        signer = Signer(f"transcript-vault/{one['vault'].hex()}", derive(one["service"], b"signing"))
        assert str(signer.verifier) == one["public"]
