"""The envelope of a body that lies outside the vault: byte for byte, and what its order says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.chat.chapter import make_chapter
from vault.chat.outside import (
    NOTHING,
    Envelope,
    check_order,
    open_body,
    read_envelope,
    seal_body,
    write_envelope,
)
from vault.crypto.envelope import bind
from vault.errors import TamperedError

NODES = st.binary(min_size=16, max_size=16)
SEQS = st.integers(0, 2**64 - 1)
CHAPTER = make_chapter(1, b"v" * 16, b"s" * 16, b"e" * 16, b"k" * 32)


@given(NODES, NODES, SEQS, st.binary(min_size=30, max_size=200))
def test_an_envelope_is_read_as_it_was_written(user: bytes, session: bytes, seq: int, sealed: bytes) -> None:
    envelope = Envelope(user, session, seq, sealed)
    text = write_envelope(envelope)
    assert read_envelope(text) == envelope
    assert text.isascii()
    assert set(text.removeprefix("tv1.")).isdisjoint("=+/\n ")


@given(SEQS, st.sampled_from(["user", "tool"]), st.integers(0, 2**60), st.binary(max_size=99), SEQS, SEQS)
def test_a_body_opens_in_its_own_place_alone(
    seq: int, role: str, at: int, packed: bytes, first: int, last: int
) -> None:
    sealed = seal_body(CHAPTER, seq, role, at, packed, (first, last))
    assert open_body(CHAPTER, seq, role, at, sealed) == ((first, last), packed)
    elsewhere = make_chapter(1, b"v" * 16, b"S" * 16, b"e" * 16, b"k" * 32)
    for chapter, place in (
        (CHAPTER, (seq ^ 1, role, at)),
        (CHAPTER, (seq, "system", at)),
        (CHAPTER, (seq, role, at + 1)),
        (elsewhere, (seq, role, at)),
    ):
        with pytest.raises(TamperedError):
            open_body(chapter, *place, sealed)
    with pytest.raises(TamperedError):  # nor as a body of the vault's own
        CHAPTER.cipher.open(sealed, CHAPTER.aad(seq, role, at))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: text[:30] + "é" + text[31:],
        lambda text: text[:30] + "+" + text[31:],
        lambda _: "tv1.",
        lambda text: text[:60],
        lambda text: text[:-1] + chr(ord(text[-1]) + 1),
    ],
)
def test_p2_there_is_one_way_only_to_write_an_envelope(change: object) -> None:
    assert callable(change)
    text = write_envelope(Envelope(b"u" * 16, b"s" * 16, 7, b"x" * 31))
    assert read_envelope(text).seq == 7
    with pytest.raises(TamperedError):
        read_envelope(change(text))


def test_p2_two_versions_are_told_apart() -> None:
    text = write_envelope(Envelope(b"u" * 16, b"s" * 16, 7, b"x" * 31))
    with pytest.raises(TamperedError):
        read_envelope(text.replace("tv1.", "tv2."))


ORDERS = st.lists(st.tuples(st.integers(0, 9), st.tuples(st.integers(0, 9), st.integers(0, 9))), max_size=9)


@pytest.mark.wide
@given(ORDERS)
def test_p2_an_order_is_refused_where_one_stands_before_what_was_there(
    order: list[tuple[int, tuple[int, int]]],
) -> None:
    order = [(seq, known if known[1] < seq else NOTHING) for seq, known in order]
    wrong = any(
        first <= later <= last
        for index, (_, (first, last)) in enumerate(order)
        for later, _ in order[index + 1 :]
    )
    if wrong:
        with pytest.raises(TamperedError):
            check_order(order)
    else:
        check_order(order)


def test_what_a_body_outside_is_bound_to_is_written_down() -> None:
    number = (7).to_bytes(8, "big")
    aad = bind(b"\1\1", b"v" * 16, b"s" * 16, b"e" * 16, number, (9).to_bytes(8, "big"), b"user", b"outside")
    sealed = CHAPTER.cipher.seal((1).to_bytes(8, "big") + bytes(8) + b"said", aad)
    assert open_body(CHAPTER, 7, "user", 9, sealed) == (NOTHING, b"said")
    text = write_envelope(Envelope(b"u" * 16, b"s" * 16, 7, sealed))
    assert text.startswith("tv1.dXV1dXV1dXV1dXV1dXV1dXNzc3Nzc3Nzc3Nzc3Nzc3MAAAAAAAAABwEB")
