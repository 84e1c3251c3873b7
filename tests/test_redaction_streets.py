"""Ranks, seats and chapters that have the form of a street, and streets that have the form of a sentence."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    "text",
    [
        "Wer landete 2022 bei der WM auf Platz 3?",
        "Kroatien belegte Platz 3, Marokko Platz 4.",
        "Platz 1: Bayern, Platz 2: Dortmund",
        "| Platz 1 | Bayern |\n| Platz 2 | Dortmund |",
        "Wagen 21, Platz 45",
        "Ich sitze in Reihe 7, Platz 12",
        "Er kam auf den Platz 5.",
        "Auf dem Markt 5 Äpfel gekauft",
        "Im Spiel 3 war er besser",
        "Im Kapitel 4 stirbt er",
        "In der Klasse 5 lernt man das",
        "Auf der Seite 17 steht das",
        "In der Version 3 geht es",
        "Zum Beispiel 3 Eier",
        "Neue Folge 8 ist da",
        "On page 12, passage of the text is unclear.",
        "In 1815, place of the battle was a hill.",
        "In 2019, route to the summit was closed, 3 square metres remain",
    ],
)
def test_a_rank_a_seat_and_a_chapter_are_no_address(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("Ich wohne am Platz 3", "Platz 3"),
        ("Adresse: Platz 3, 94256 Drachselsried", "Platz 3"),
        ("Neu: neue Adresse Am Kirschberg 3, Weimar", "Kirschberg 3"),
        ("Berliner Platz 4, 2. OG", "Berliner Platz 4"),
        ("Rechnung bitte an Am Anger 11, 99084 Erfurt", "Anger 11"),
        ("An Herrn Weber, Lange Reihe 63. Sehr geehrter Herr Weber", "Reihe 63"),
        ("sie wohnt Im Weg 2 bei uns", "Weg 2"),
        ("Oma wohnt Am Deich 7 seit 1980", "Deich 7"),
    ],
)
def test_a_street_of_german_is_found(engine: Engine, text: str, street: str) -> None:
    assert street not in engine.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        "seat 21E and 21F please",
        "we are in 21E and 21F",
        "I sit in 21F, 21E is free",
    ],
)
def test_a_seat_is_no_age(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


def test_an_age_and_a_sex_are_found(engine: Engine) -> None:
    assert engine.redact_text("me (21F) and my bf (24M)").text.count("<AGE") == 2


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("The flat is Kopli 61-14, 10412 Tallinn", "Kopli 61-14, 10412 Tallinn"),
        ("Sie wohnt Kirkegata 41, 3616 Kongsberg", "Kirkegata 41, 3616 Kongsberg"),
        ("her mama house on 2914 Wabash Ave", "2914 Wabash Ave"),
        ("she left me her house at 740 Sycamore Lane", "740 Sycamore Lane"),
        ("my house is 31 Wombat Crescent", "31 Wombat Crescent"),
    ],
)
def test_an_address_takes_no_words_of_the_sentence(engine: Engine, text: str, street: str) -> None:
    found = [one for one in engine.find(text) if one.entity == "ADDRESS"]
    assert [text[one.start : one.end] for one in found] == [street]


@pytest.mark.parametrize(
    "street",
    [
        "14 St. Anne's Terrace",
        "9 St John's Wood Road",
        "14 st. mary's road",
        "Flat 2, 61 St. Olave Street",
        "21 St Giles High Street",
    ],
)
def test_a_street_may_be_called_after_a_saint(engine: Engine, street: str) -> None:
    text = f"When will my package to {street} arrive?"
    assert [text[one.start : one.end] for one in engine.find(text)] == [street]


def test_an_ordinal_is_no_saint(engine: Engine) -> None:
    text = "take the 1 st road or the 21 st and then the hard shoulder street"
    assert engine.redact_text(text).text == text


def test_a_value_does_not_begin_with_the_end_of_a_word(engine: Engine) -> None:
    text = "his CHI's 031 236 2153 if that tells"
    assert [text[one.start : one.end] for one in engine.find(text)] == ["031 236 2153"]
    text = "my plate's KL 07 BX 4411 and the challan"
    assert [text[one.start : one.end] for one in engine.find(text)] == ["KL 07 BX 4411"]
