"""What stands between quotes, in CDATA and in the columns of a statement: it ends where they do."""

from __future__ import annotations

import re

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            "SELECT id FROM shops WHERE addr = 'Lindenstr. 12, 50674 Köln' OR state = 'open';",
            "SELECT id FROM shops WHERE addr = '' OR state = 'open';",
        ),
        (
            "UPDATE people SET address = 'Hauptstraße 9, 8010 Graz' WHERE id = 4;",
            "UPDATE people SET address = '' WHERE id = 4;",
        ),
        ("the label says 'Rosenweg 3, 04109 Leipzig' AND nothing else", None),
    ],
)
def test_an_address_ends_with_the_quote_that_it_stands_in(
    engine: Engine, said: str, left: str | None
) -> None:
    found = re.sub(r"<[A-Z_]+_\d+>", "", engine.redact_text(said).text)
    assert found == (left or re.sub("Ros.*Leipzig", "", said))


@pytest.mark.parametrize(
    ("name", "said", "entity"),
    [
        ("birthDate", "1978-04-02", "DATE_OF_BIRTH"),
        ("password", "kestrel<&9Wq", "SECRET"),
        ("lastName", "Winter", "PERSON"),
        ("userName", "plumtree", "USERNAME"),
    ],
)
def test_what_stands_in_cdata_is_named_by_its_element(
    engine: Engine, name: str, said: str, entity: str
) -> None:
    for around in ("<r><{0}><![CDATA[{1}]]></{0}></r>", "<r>\n <{0}>\n  <![CDATA[{1}]]>\n </{0}>\n</r>"):
        redacted = engine.redact_text(around.format(name, said))
        assert redacted.text == around.format(name, f"<{entity}_1>")
        assert redacted.restore(redacted.text) == around.format(name, said)
        assert engine.redact_text(redacted.text).text == redacted.text
