"""Numbers printed as examples are nobody's where a text speaks of them so, and are taken elsewhere."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine
from vault.redaction.findings import Finding


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    "text",
    [
        "Does the sandbox still decline 4000 0000 0000 9995, or was that changed?",
        "is 4111-1111-1111-1111 a real visa",
        "Which test card is 3782 822463 10005?",
        "the docs use GB29 NWBK 6016 1331 9268 19, why does the validator say the length is wrong",
        "Can 203.0.113.7 ever be routed, or is it only for documentation?",
        "what is 2001:db8::17 in that RFC an example of",
        "Does ssh git@github.com need a key of its own?",
        "nobody reads admin@example.com, so what is it for in the template",
        "```python\nassert luhn('4242424242424242')  # a test card\n```",
    ],
)
def test_examples_stay(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my card is 4111 1111 1111 1111, please charge it", "4111"),
        ("Please refund to GB29 NWBK 6016 1331 9268 19.", "6016"),
        ("the login came from 203.0.113.7 at night", "203.0.113.7"),
        ("for a test I paid with my own 4539 2018 7364 1209", "4539"),
        ("the docs of my bank want DE68 2105 0170 0012 3456 78", "2105"),
        ("this example is my own laptop: 84.17.52.9", "84.17.52.9"),
        ('198.51.100.14 - - [08/Aug/2024:06:31:01 +0200] "GET /sample HTTP/1.1" 200', "198.51.100.14"),
        ("charge 5555 5555 5555 4444, and send the receipt to lea@pinemail.example", "5555"),
        ("this test mail went to dana@example.com", "dana@"),
        ("MEMBER ID: XJH918274650", "918274650"),
        ("my member id is XJH918274650, group 71184", "918274650"),
    ],
)
def test_p1_others_go(engine: Engine, text: str, value: str) -> None:
    assert value not in engine.redact_text(text).text


class Cards:
    def find(self, text: str) -> list[Finding]:
        at = text.find("4111")
        return [Finding("CREDIT_CARD", at, at + 19, 1.0, "mine")]


def test_what_a_recognizer_of_ones_own_finds_goes() -> None:
    text = "is 4111 1111 1111 1111 a real visa"
    assert "4111" not in Engine(recognizers=[Cards()]).redact_text(text).text
