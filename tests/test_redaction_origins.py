"""Where somebody was born or lives, as a form asks it, and forms that only ask."""

from __future__ import annotations

import pytest
from timing import quickest

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("my place of birth: Bamenda, nationality cameroonian", "Bamenda"),
        ("Name: Olaf Meerbusch\nWohnort: kleinmachnow\nTelefon: folgt", "kleinmachnow"),
        ("Ich heiße Olaf, Wohnort Kleinmachnow, ledig", "Kleinmachnow"),
        ("Halter Detlef Schimmelpfennig, Wohnort Hückeswagen.", "Hückeswagen"),
        ("Me llamo Nélida, lugar de nacimiento Chimbote, soltera", "Chimbote"),
        ("nombre: Nélida\nciudad de residencia: Chillán", "Chillán"),
        ("je m'appelle Adjoua, lieu de naissance Ouagadougou et je cherche un emploi", "Ouagadougou"),
        ("sou a Nair, naturalidade São João del Rei, solteira", "São João del Rei"),
        ("mi chiamo Ivo, luogo di nascita Roccaraso", "Roccaraso"),
        ("ben Tuğba, doğum yeri: Şereflikoçhisar", "Şereflikoçhisar"),
        ('{"name": "Bih Ngwa", "place_of_birth": "Bamenda"}', "Bamenda"),
    ],
)
def test_the_place_that_a_form_asks_for_is_found(engine: Engine, text: str, place: str) -> None:
    assert place in {text[one.start : one.end] for one in engine.find(text)}


@pytest.mark.parametrize(
    "text",
    [
        "place of birth: required",
        "Geburtsort Pflichtfeld, Wohnort optional",
        "Was ist der Geburtsort Beethovens?",
        "Adele's song Hometown Glory, what is it about",
        "What is the birthplace of jazz?",
        "Make a form with the fields name, place of birth, nationality, hometown.",
        '{"place_of_birth": "string", "hometown": null}',
        "Wolfgang Amadeus Mozart\nGeburtsort: Salzburg\nGestorben: 1791 in Wien",
    ],
)
def test_a_form_that_asks_and_the_birthplace_of_the_famous_stay(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("said", ["geburtsort: ", "wohnort A ", "birthplace Bad Bad ", "pob: aa-"])
def test_places_without_an_end_take_linear_time(said: str) -> None:
    patterns = Patterns()
    patterns.find("geburtsort: x")
    assert quickest(lambda: patterns.find(said * 10_000), 2) < 4
