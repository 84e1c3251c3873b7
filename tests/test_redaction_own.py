"""Recognizers of a user's own that do wrong: what they give is put right, or refused."""

import traceback
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult

from vault.errors import RedactionError
from vault.redaction.engine import Engine
from vault.redaction.findings import Finding
from vault.redaction.settings import Redaction

SAID = "hello there, the word of the day is umbrella"


class Own:
    def __init__(self, find: Callable[[str], Iterable[object]]) -> None:
        self._find = find

    def find(self, text: str) -> list[Finding]:
        return self._find(text)  # type: ignore[return-value]


class Stock(EntityRecognizer):  # type: ignore[misc]
    """One of Presidio's kind, for two entities."""

    def __init__(self, find: Callable[[str], list[RecognizerResult]]) -> None:
        super().__init__(["COLOUR", "WATCHWORD"], name="stock")
        self._find = find

    def load(self) -> None:
        pass

    def analyze(self, text: str, entities: list[str], nlp_artifacts: object) -> list[RecognizerResult]:
        del entities, nlp_artifacts
        return self._find(text)


def one(start: int, end: int, score: float = 1.0) -> Own:
    return Own(lambda _: [Finding("X", start, end, score, "own")])


def stock(start: int, end: int, score: float = 1.0) -> Stock:
    return Stock(lambda _: [RecognizerResult("COLOUR", start, end, score)])


def raising(text: str) -> list[Finding]:
    raise ValueError(text)


def redacted(recognizer: object, **settings: object) -> str:
    return Engine(Redaction.of(settings), recognizers=[recognizer]).redact_text(SAID).text


def test_p1_an_entity_that_stands_second_in_a_recognizers_list_is_not_taken_for_the_first() -> None:
    found = Stock(lambda text: [RecognizerResult("WATCHWORD", text.find("umbrella"), len(text), 0.9)])
    assert redacted(found, entities={"COLOUR": "keep"}) == SAID.replace("umbrella", "<WATCHWORD_1>")


@pytest.mark.wide
@pytest.mark.parametrize("make", [one, stock])
def test_what_reaches_over_an_edge_is_cut_there(make: Callable[[int, int], object]) -> None:
    assert redacted(make(36, 99)) == SAID.replace("umbrella", "<X_1>" if make is one else "<COLOUR_1>")
    assert redacted(make(39, 99), deny=["umbrella"]).endswith(" is <DENIED_1>")
    assert redacted(make(-9, 5)).endswith("_1> there, the word of the day is umbrella")


@pytest.mark.wide
@pytest.mark.parametrize("make", [one, stock])
@pytest.mark.parametrize("place", [(60, 70), (-5, -2), (9, 3), (3, 9, float("nan"))])
def test_p1_what_lies_nowhere_in_the_text_is_refused(
    make: Callable[..., object], place: tuple[float, ...]
) -> None:
    with pytest.raises(RedactionError, match="no place in the text"):
        redacted(make(*place))


TEXTS: Any = ("3", "9")
FLOATS: Any = (3.0, 9.0)


@pytest.mark.parametrize(
    "given",
    [
        None,
        [("X", 3, 9)],
        [None],
        *([Finding("X", start, end, 1.0, "own")] for start, end in (TEXTS, FLOATS)),
    ],
)
def test_what_is_no_finding_is_refused(given: Iterable[object]) -> None:
    with pytest.raises(RedactionError, match="recognizer"):
        redacted(Own(lambda _: given))


def test_an_empty_finding_is_none() -> None:
    assert redacted(one(4, 4)) == SAID


class Doubting(PatternRecognizer):  # type: ignore[misc]
    def validate_result(self, pattern_text: str) -> bool:
        raise RuntimeError(pattern_text)


@pytest.mark.wide
@pytest.mark.parametrize(
    "recognizer",
    [Own(raising), Stock(raising), Doubting("X", patterns=[Pattern("x", "umbrella", 0.5)], name="doubting")],
)
def test_p1_what_a_recognizer_says_as_it_fails_is_not_repeated(recognizer: object) -> None:
    with pytest.raises(RedactionError, match=r"ValueError|RuntimeError") as caught:
        redacted(recognizer)
    assert "umbrella" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
