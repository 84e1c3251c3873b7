"""What stands in escapes, in JSON, HTML or tables: found by its place, and shown as it is stored."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

LETTER = r'{"body": "Dear Anna Kowalski,\nyour order 88213 has shipped.\nThe Shop"}'
NESTED = r'{"a": "{\"name\": \"Anna Kowalski\", \"note\": \"he said \\\"hi\\\" to Tom Bauer\"}"}'
QUOTED = 'id,note\n1,"she said ""hello"" to Tom Bauer yesterday"\n2,"call ""Ann Lee"" on 020 7946 0018"\n'
BARS = "| name | note |\n|---|---|\n| Tom Bauer | he or she \\| Anna Kowalski called |\n"
PAGE = "<p>It&#39;s done &amp; sent, Anna Kowalski has called &amp; left Tom&#39;s number 020 7946 0018.</p>"
NUMBER = '{"phone": 442079460018, "rooms": [1, 2]}'


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Redaction(originals=True))


def words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


@pytest.mark.wide
@pytest.mark.parametrize("said", [LETTER, NESTED, QUOTED, BARS, NUMBER])
def test_a_stream_shows_an_escaped_value_as_it_is_stored(tmp_path: Path, engine: Engine, said: str) -> None:
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        chat = vault.transcript("u", "s")
        shown = "".join(chat.stream("assistant", words(said)))
        assert shown == chat.messages()[-1].content
        assert shown != said


@pytest.mark.wide
def test_a_stream_of_html_loses_no_clean_text_and_numbers_as_the_store_does(
    tmp_path: Path, engine: Engine
) -> None:
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        chat = vault.transcript("u", "s")
        shown = "".join(chat.stream("assistant", words(PAGE)))
        plain = shown.replace("&lt;", "<").replace("&gt;", ">")
        assert re.sub(r"<([A-Z_]+)_\d+>", r"<\1>", plain) == (
            "<p>It&#39;s done &amp; sent, <PERSON> has called &amp; left <PERSON>&#39;s number"
            " <PHONE_NUMBER>.</p>"
        )
        stored = str(chat.messages()[-1].content)
        assert re.findall(r"&lt;(\w+_\d+)&gt;", stored) == re.findall(r"<(\w+_\d+)>", plain)


@pytest.mark.parametrize(
    ("said", "values"),
    [
        (LETTER, ["Anna Kowalski"]),
        (NESTED, ["Anna Kowalski", "Tom Bauer"]),
        (QUOTED, ["Tom Bauer", "Ann Lee", "020 7946 0018"]),
        (BARS, ["Tom Bauer", "Anna Kowalski"]),
        (PAGE, ["Anna Kowalski", "Tom", "020 7946 0018"]),
        ("<p>my friends Ann O&#39;Hara &amp; Zoe Papadopoulos</p>", ["Ann O&#39;Hara", "Zoe Papadopoulos"]),
        (NUMBER, ["442079460018"]),
        (r'{"name": "Ren\u00e9e O\"Hara \ud83d\ude00", "age": "x"}', [r"Ren\u00e9e O\"Hara"]),
        ("'owner': 'Anna Kowalski'", ["Anna Kowalski"]),
    ],
)
def test_what_is_found_in_an_escaped_value_has_its_own_place(
    engine: Engine, said: str, values: list[str]
) -> None:
    found = engine.find(said)
    assert [said[one.start : one.end] for one in found] == values
    assert all(one.end <= following.start for one, following in itertools.pairwise(found))


def test_a_value_that_leads_back_nowhere_is_one_finding() -> None:
    """A surrogate alone is no character: JSON that holds one can't be read sign by sign."""
    said = '{"a": "my phone is 020 7946 0018 \ud83d\\ude00 and my friend is Tom Bauer"}'
    [one] = Engine().find(said)
    assert said[one.start : one.end] == said[7:-2]


@pytest.mark.wide
def test_a_masked_address_keeps_json_valid_while_it_streams(tmp_path: Path) -> None:
    engine = Engine(Redaction.of({"entities": {"ADDRESS": "mask", "PERSON": "mask"}}))
    said = r'{"to": "Anna Kowalski, 12 Rose Gardens\nLeeds LS1 4AP", "n": 1}'
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        chat = vault.transcript("u", "s")
        assert "".join(chat.stream("assistant", words(said))) == chat.messages()[-1].content


def test_the_number_of_a_sign_in_html_is_nobodys_age(engine: Engine) -> None:
    said = "She said &#39;hello&#39; to me, and it&#39;s fine"
    assert engine.redact_text(said).text == said
    assert engine.redact_text("I&#39;m 39 years old").text == "I&#39;m <AGE_1>"
