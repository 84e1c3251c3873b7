"""What has the look of personal data and is none: wares, records, illnesses, verbs; and the other way."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def _kinds(engine: Engine, said: str) -> set[str]:
    return {one.entity for one in engine.find(said)}


@pytest.mark.parametrize(
    "said",
    [
        '{"items": [{"sku": "QF-118-RD", "qty": 2}]}',
        "| sku | qty |\n|---|---|\n| MR-340-BL | 4 |",
        "article no. RS-420-GN, colour green",
        "the part number is DK-771-MS and it is sold out",
        "Artikelnummer KB-330-WS, gibt es die noch?",
        "référence LV-204-NR, en rupture de stock",
    ],
)
def test_the_number_of_a_ware_is_no_plate(engine: Engine, said: str) -> None:
    assert engine.redact_text(said).text == said


@pytest.mark.parametrize(
    "said", ["immat GB-482-LK", "she drove off in DX-317-PT, please note it", "EF-551-TN"]
)
def test_a_plate_of_that_form_still_goes(engine: Engine, said: str) -> None:
    assert _kinds(engine, said) == {"LICENSE_PLATE"}


@pytest.mark.parametrize("name", ["data-id", "data-row-id", "data-item-id", "data-product-id"])
def test_a_page_keeps_the_numbers_of_its_parts(engine: Engine, name: str) -> None:
    said = f'<div class="card" {name}="90417"><h2>Sefa Tuilagi</h2></div>'
    assert engine.redact_text(said).text == said.replace("Sefa Tuilagi", "&lt;PERSON_1&gt;")


def test_a_page_does_not_keep_what_is_somebodys(engine: Engine) -> None:
    said = (
        '<div data-national-id="AB123456C" data-id="sefa@tuilagi-mail.org" data-phone="07700 900123">x</div>'
    )
    now = engine.redact_text(said).text
    assert not [one for one in ("AB123456C", "tuilagi", "900123") if one in now]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ('{"ua":"Mozilla/5.0 (X11; Linux x86_64)","dob":"1987-09-14"}', "Mozilla/5.0 (X11; Linux x86_64)"),
        ("| dob | shell |\n|---|---|\n| 1979-11-21 | on X11, too |", "on X11, too"),
        ("geboren am 7.8.1966, 1.310 Wochen gearbeitet", "1.310 Wochen"),
    ],
)
def test_no_number_beside_a_birth_is_another(engine: Engine, said: str, left: str) -> None:
    now = engine.redact_text(said).text
    assert left in now
    assert "<DATE_OF_BIRTH_1>" in now


@pytest.mark.parametrize(
    "said",
    [
        "My uncle has COPD and MRSA.",
        "my nephew has ADHD",
        "meine Tante hat COPD",
        "she was diagnosed with IBS",
    ],
)
def test_an_illness_in_capitals_is_nobody(engine: Engine, said: str) -> None:
    assert "PERSON" not in _kinds(engine, said)


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("guests: ANNA, PETER and TOM, all my cousins", 3),
        ("i invited MARY and JOHN and my boss PETER", 3),
        ("ask who has EMMA this weekend, her dad or me", 1),
        ("my sister has LARS and ERNST over for lunch", 2),
    ],
)
def test_names_in_capitals_are_no_illnesses(engine: Engine, said: str, count: int) -> None:
    assert [one.entity for one in engine.find(said)] == ["PERSON"] * count


@pytest.mark.parametrize(
    "said",
    [
        "mi tía murió el lunes",
        "mi papá nació el 9 de junio de 1963",
        "meu primo fica me enganando, o que eu faço",
    ],
)
def test_a_verb_behind_a_relative_is_nobody(engine: Engine, said: str) -> None:
    assert "PERSON" not in _kinds(engine, said)


@pytest.mark.parametrize(
    "said", ["mi hermano fernando no llama", "o armando fica em casa", "mon fils léo a faim"]
)
def test_a_name_behind_a_relative_is_somebody(engine: Engine, said: str) -> None:
    assert "PERSON" in _kinds(engine, said)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Could I take your postcode?\nCustomer: leo marsh, bs3 4tq", "bs3 4tq"),
        ("name and postcode please\nana ruiz, m14 6wd", "m14 6wd"),
        ("what's your post code - its cf24 3qs", "cf24 3qs"),
    ],
)
def test_a_postcode_that_was_asked_for_needs_no_capitals(engine: Engine, said: str, code: str) -> None:
    now = engine.redact_text(said).text
    assert code not in now
    assert "<AGE" not in now


@pytest.mark.parametrize(
    "said",
    [
        "my order number is 206-4417283-9910572, my phone is 07700 900123",
        "este es el número de mi pedido, 404-5510982-3367104 y mi móvil es 612 34 55 09",
    ],
)
def test_the_number_of_an_order_is_longer_than_any_telephones(engine: Engine, said: str) -> None:
    now = engine.redact_text(said).text
    assert said.split("-")[2][:7] in now
    assert now.count("<") == 1


def test_who_welcomes_a_customer_is_a_company(engine: Engine) -> None:
    said = (
        "Agent: Thanks for contacting Velmora, how can I help?\n"
        "Customer: parcel QTX-55120934-DE is late\nCustomer: rhys bevan"
    )
    now = engine.redact_text(said).text
    assert now == said.replace("rhys bevan", "<PERSON_1>")


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ("ma carte bleue, les 4 derniers chiffres : 3310", "3310"),
        ("carte perdue, quatre derniers chiffres sont 7754", "7754"),
        ("mi tarjeta, los últimos cuatro dígitos son 6120", "6120"),
        ("meu cartão de crédito, os 4 últimos dígitos são 4471", "4471"),
        ("meine karte, die letzten 4 ziffern sind 9083", "9083"),
    ],
)
def test_the_last_digits_of_a_card_go_in_any_language(engine: Engine, said: str, ending: str) -> None:
    now = engine.redact_text(said).text
    assert now.startswith(said.removesuffix(ending) + "<")
    assert ending not in now


def test_the_last_digits_of_other_things_stay(engine: Engine) -> None:
    for said in ("les 4 derniers chiffres de pi ne sont pas 3310", "los últimos 4 dígitos del año 2024"):
        assert engine.redact_text(said).text == said
