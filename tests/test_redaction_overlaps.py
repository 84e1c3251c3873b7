"""Overlaps are resolved once: each character has one finding, and none that had one is left without."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from vault.redaction.findings import Finding, Ground
from vault.redaction.overlaps import resolve

TEXT = "abcde fghij, klmno pqrst; uvwxy z1234"


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    start = draw(st.integers(0, len(TEXT) - 1))
    end = draw(st.integers(start + 1, len(TEXT)))
    ground = draw(st.sampled_from(Ground))
    score = draw(st.sampled_from([0.1, 0.5, 0.9]))
    return Finding(draw(st.sampled_from("ABC")), start, end, score, "test", ground)


def _covered(found: list[Finding]) -> set[int]:
    return {at for one in found for at in range(one.start, one.end)}


@given(st.lists(findings(), max_size=12))
def test_findings_are_disjoint_and_sorted(found: list[Finding]) -> None:
    resolved = resolve(found, TEXT)
    for first, second in itertools.pairwise(resolved):
        assert first.end <= second.start


@given(st.lists(findings(), max_size=12))
def test_no_letter_or_digit_that_was_found_is_left_in_clear(found: list[Finding]) -> None:
    lost = _covered(found) - _covered(resolve(found, TEXT))
    assert not any(TEXT[at].isalnum() for at in lost)


@given(st.lists(findings(), max_size=12))
def test_nothing_is_redacted_that_nobody_found(found: list[Finding]) -> None:
    assert _covered(resolve(found, TEXT)) <= _covered(found)


@given(st.lists(findings(), max_size=12))
def test_each_character_has_the_best_ground_that_is_over_it(found: list[Finding]) -> None:
    for one in resolve(found, TEXT):
        for at in range(one.start, one.end):
            assert one.ground == max(f.ground for f in found if f.start <= at < f.end)


@given(st.lists(findings(), max_size=12), st.randoms())
def test_the_order_of_the_findings_does_not_matter(found: list[Finding], random: object) -> None:
    shuffled = sorted(found, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert resolve(shuffled, TEXT) == resolve(found, TEXT)


@given(st.lists(findings(), max_size=12))
def test_what_is_resolved_stays_as_it_is(found: list[Finding]) -> None:
    once = resolve(found, TEXT)
    assert resolve(once, TEXT) == once


def test_of_equal_grounds_the_longer_wins() -> None:
    text = "call 555 0134 99"
    short, long = Finding("A", 5, 13, 0.9, "a"), Finding("B", 5, 16, 0.2, "b")
    assert resolve([short, long], text) == [long]


def test_of_equal_lengths_the_higher_score_wins() -> None:
    low, high = Finding("A", 0, 4, 0.2, "a"), Finding("B", 0, 4, 0.9, "b")
    assert resolve([low, high], "abcd") == [high]


def test_an_address_around_a_proven_number_stays_an_address_on_both_sides() -> None:
    text = "Flat 4111111111111111, Hill Road"
    address = Finding("ADDRESS", 0, len(text), 0.8, "addresses")
    card = Finding("CREDIT_CARD", 5, 21, 1.0, "cards", Ground.CHECKSUM)
    resolved = resolve([address, card], text)
    assert [(one.entity, text[one.start : one.end]) for one in resolved] == [
        ("ADDRESS", "Flat"),
        ("CREDIT_CARD", "4111111111111111"),
        ("ADDRESS", "Hill Road"),
    ]


def test_a_denied_term_wins_over_everything() -> None:
    denied = Finding("TERM", 2, 4, 1.0, "list", Ground.DENIED)
    proven = Finding("CARD", 0, 6, 1.0, "cards", Ground.CHECKSUM)
    assert [one.entity for one in resolve([proven, denied], "abcdef")] == ["CARD", "TERM", "CARD"]


def test_many_findings_are_resolved_in_no_time() -> None:
    text = "x" * 300_000
    many = [Finding("A", at, at + 30, 0.5, "a") for at in range(0, 299_000, 10)]
    resolved = resolve(many, text)
    assert _covered(resolved) == _covered(many)
