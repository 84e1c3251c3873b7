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
