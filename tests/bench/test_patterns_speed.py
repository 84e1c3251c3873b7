"""The pattern stage against stock Presidio (blank spaCy, patterns only): alternating rounds, medians."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vault.redaction.finder import Patterns
from vault.redaction.overlaps import resolve

pytestmark = [
    pytest.mark.bench,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

CLEAN = (
    "The moon pulls on the sea and raises it a little on the side that faces it, and on the far side the "
    "sea is left behind while the earth itself is drawn away from under it, so that there are two high "
    "waters and not only one. People who live near the coast know when to go out for shells and when to "
    "keep their boats in the harbour. "
)
LONG = " ".join([CLEAN] * 6)
SHORT = " ".join(CLEAN.split()[:20])
MIXED = (
    "hi please write to maria.lopez@gmail.com or call me on +49 171 2345678 "
    "about the broken heating in my flat"
)
ENTITIES = " ".join(
    [
        CLEAN,
        "You can mail me at jonas.weber@posteo.de any time.",
        CLEAN,
        "My card 4539 1488 0343 6467 was charged twice, from 81.44.203.17 as it seems.",
        CLEAN,
        "Call +44 7911 204518 or see https://keramik-lindenhof.ch/shop for the rest.",
        CLEAN,
        "The IBAN is DE89 3704 0044 0532 0130 00 and my SSN is 227-90-4416, if you need it.",
        CLEAN,
        " ".join(CLEAN.split()[:20]),
    ]
)
ROUNDS = 25


def _stock() -> Callable[[str], object]:
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("SpacyRecognizer")
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])

    def analyze(text: str) -> Any:
        return engine.analyze(text, language="en")

    return analyze


def in_turn(runs: Sequence[Callable[[str], object]], text: str) -> list[float]:
    """Give for each the microseconds that a text takes: the median of rounds that are done in turn.

    A round is as many texts as take a hundredth of a second: what a processor has to fetch again after the
    other's round is part of it, and does not make up most of it.
    """

    def took(run: Callable[[str], object], times: int) -> float:
        began = time.perf_counter()
        for _ in range(times):
            run(text)
        return (time.perf_counter() - began) / times * 1e6

    for run in runs:
        took(run, 3)  # what is read or built once
    often = [max(1, int(10_000 / took(run, 3))) for run in runs]
    rounds: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, times, into in zip(runs, often, rounds, strict=True):
            into.append(took(run, times))
    return [statistics.median(each) for each in rounds]


def test_the_pattern_stage_is_faster_than_presidio_alone() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "transcript-vault-tests"
    patterns = Patterns(cache=cache, build="now")
    stock = _stock()

    def stage(text: str) -> object:
        return resolve(patterns.find(text), text)

    print()
    print(f"{'message':38} {'stock':>9} {'stage':>9} {'ratio':>7}")
    rows = {}
    for name, text in {
        "clean": SHORT,
        "clean, long": LONG,
        "e-mail, phone": MIXED,
        "7 entities": ENTITIES,
    }.items():
        slow, fast = in_turn((stock, stage), text)
        rows[name] = (slow, fast)
        print(f"{name + f' ({len(text.split())} words)':38} {slow:7.0f}us {fast:7.0f}us {slow / fast:6.1f}x")
    assert rows["clean"][0] > 10 * rows["clean"][1]
    assert rows["clean, long"][0] > 5 * rows["clean, long"][1]
    assert rows["e-mail, phone"][0] > 2.5 * rows["e-mail, phone"][1]
    assert rows["7 entities"][0] > 2 * rows["7 entities"][1]


BAD = {
    "digits": "1234567890",
    "at signs": "@",
    "a.a.a.": "a.",
    "quotes": "\"'",
    "card groups": "4111 1111 ",
    "nine digits": "123456789 ",
    "full-width digits": "１２３４５",
    "zero-width in numbers": "4\u200b1\u200b1\u200b",
    "surrogates": "\ud800\udfff",
    "letters": "x",
}


def test_bad_input_costs_about_the_same_for_each_character() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "transcript-vault-tests"
    patterns = Patterns(cache=cache, build="now")
    patterns.find("warm up 12345678Z")
    print()
    for name, piece in BAD.items():
        costs = []
        for length in (20_000, 200_000):
            text = (piece * length)[:length]
            began = time.perf_counter()
            resolve(patterns.find(text), text)
            costs.append((time.perf_counter() - began) / length * 1e6)
        print(f"{name:24} {costs[0]:6.2f} {costs[1]:6.2f} us per character")
        assert costs[1] < 3 * costs[0] + 0.3
