"""A message that is nothing but a name loses it, unless all the world knows whose it is."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine
from vault.redaction.names import Mode
from vault.redaction.settings import Redaction


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Zoe Papadopoulos", "<PERSON_1>"),
        ("zoe papadopoulos", "<PERSON_1>"),
        ("it's Zoe Papadopoulos", "it's <PERSON_1>"),
        ("Mary Johnson.", "<PERSON_1>."),
        ("David Brown, James Miller", "<PERSON_1>, <PERSON_2>"),
        ("hi, Emily Clark here", "hi, <PERSON_1> here"),
        ("me llamo Marisol Etxeberria", "me llamo <PERSON_1>"),
        ("Anna Müller", "<PERSON_1>"),
        ("it's Sinead O'Brien", "it's <PERSON_1>"),
    ],
)
@pytest.mark.parametrize("mode", ["balanced", "high-recall", "every-name"])
def test_p1_who_is_named_and_nothing_else_is_said_goes(text: str, left: str, mode: Mode) -> None:
    assert Engine(Redaction(mode=mode)).redact_text(text).text == left


@pytest.mark.parametrize("text", ["in Calgary, Canada", "from Barcelona", "I'm from Paris", "Yeovil"])
def test_p1_where_somebody_is_goes(engine: Engine, text: str) -> None:
    assert "<LOCATION_1>" in engine.redact_text(text).text


@pytest.mark.parametrize("text", ["Lionel Messi", "Taylor Swift", "Harry Potter"])
def test_who_is_famous_stays_but_where_nobody_is_too_famous(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text
    for mode in ("high-recall", "every-name"):
        assert Engine(Redaction.of({"mode": mode})).redact_text(text).text == "<PERSON_1>"


@pytest.mark.parametrize(
    "text",
    [
        "New Zealand",
        "Toyota Corolla",
        "Visual Studio Code",
        "thanks mate",
        "sounds good",
        "paris hotels cheap",
        "yes, the blue one",
        "Good Morning",
        "Chicken Tikka",
        "Monday or Tuesday",
    ],
)
def test_what_is_nobodys_name_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text
