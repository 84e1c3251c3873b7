"""The mode for letters, news and archives: every name goes, whoever bears it."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Redaction.of({"mode": "every-name"}))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Angela Merkel met Emmanuel Macron in Berlin on Tuesday.", ("Merkel", "Macron", "Berlin")),
        ("Who won more races, Lewis Hamilton or Ayrton Senna?", ("Hamilton", "Senna")),
        ('{"winner": "Max Verstappen", "second": "Charles Leclerc"}', ("Verstappen", "Leclerc")),
    ],
)
def test_p1_who_stays_in_a_question_about_the_world_goes_where_every_name_is_asked_for(
    engine: Engine, text: str, names: tuple[str, ...]
) -> None:
    assert Engine().redact_text(text).text == text
    redacted = engine.redact_text(text).text
    assert not [name for name in names if name in redacted]


@pytest.mark.parametrize(
    ("text", "name"),
    [("who is Marek Zielinski?", "Zielinski"), ("What is the telephone number of Adaeze Obi?", "Adaeze")],
)
def test_p1_who_is_asked_about_as_about_the_world_goes(engine: Engine, text: str, name: str) -> None:
    assert name not in engine.redact_text(text).text


def test_p1_values_go_as_in_the_other_modes(engine: Engine) -> None:
    text = "my sister Anjali, born on 3 May 1991, is reached on +91 98765 43210, her plate is KA01 AB 1234"
    found = [one.entity for one in engine.find(text)]
    assert found == [one.entity for one in Engine().find(text)]
    assert {"PERSON", "DATE_OF_BIRTH", "PHONE_NUMBER"} <= set(found)
