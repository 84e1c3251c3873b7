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
    "text",
    [
        "Zoe Papadopoulos",
        "zoe papadopoulos",
        "it's Zoe Papadopoulos",
        "Mary Johnson.",
        "David Brown, James Miller",
        "hi, Emily Clark here",
        "me llamo Marisol Etxeberria",
    ],
)
@pytest.mark.parametrize("mode", ["balanced", "high-recall", "every-name"])
def test_p1_who_is_named_and_nothing_else_is_said_goes(text: str, mode: Mode) -> None:
    engine = Engine(Redaction(mode=mode))
    names = [one for one in engine.find(text) if one.entity == "PERSON"]
    assert names
    left = engine.redact_text(text).text
    words = {
        "Zoe",
        "zoe",
        "Papadopoulos",
        "papadopoulos",
        "Mary",
        "Johnson",
        "Brown",
        "Miller",
        "Emily",
        "Clark",
    }
    assert not [word for word in words | {"Marisol", "Etxeberria"} if word in left]


@pytest.mark.parametrize("text", ["in Calgary, Canada", "from Barcelona", "I'm from Paris", "Yeovil"])
def test_p1_where_somebody_is_goes(engine: Engine, text: str) -> None:
    assert "<LOCATION_1>" in engine.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        "Lionel Messi",
        "Taylor Swift",
        "Harry Potter",
        "New Zealand",
        "Toyota Corolla",
        "Visual Studio Code",
        "thanks mate",
        "sounds good",
        "paris hotels cheap",
        "yes, the blue one",
    ],
)
def test_what_all_the_world_knows_or_is_no_name_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "my teacher says that Rudolf Virchow was wrong about cells",
        "my favourite song by Cesária Évora is Sodade",
    ],
)
def test_who_is_famous_stays_where_the_model_sees_but_a_part_of_the_name(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


def test_p1_a_heading_of_persons_is_believed_whatever_the_whole_is_about(engine: Engine) -> None:
    text = '{"customer": "Bilal Haddad", "genus": "Lewisia", "common": "bitterroot", "petals": 9}'
    assert "Haddad" not in engine.redact_text(text).text


def test_who_is_asked_about_as_about_the_world_goes_where_every_name_is_asked_for() -> None:
    engine = Engine(Redaction(mode="every-name"))
    for text in ("who is Marek Zielinski?", "What is the telephone number of Adaeze Obi?"):
        assert [one for one in engine.find(text) if one.entity == "PERSON"]
