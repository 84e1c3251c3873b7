"""The user's own lists: what is named is found whatever its form, and what is allowed stays."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import ConfigError
from vault.messages import Message
from vault.redaction.engine import Engine
from vault.redaction.findings import Finding, Ground
from vault.redaction.memory import Memory
from vault.redaction.settings import Redaction
from vault.redaction.terms import Terms
from vault.redaction.traces import trace

WORDS = st.text("abcdeé", min_size=1, max_size=4)
TERMS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
GAPS = st.sampled_from([" ", "  ", "\n", ", ", "; ", "-"])


def found(terms: Terms, text: str) -> list[str]:
    return [text[one.start : one.end] for one in terms.denied(text)]


@given(st.lists(TERMS, max_size=5), st.lists(st.tuples(WORDS, GAPS), max_size=12))
def test_what_is_denied_is_what_a_search_for_each_term_in_whole_words_finds(
    denied: list[str], pieces: list[tuple[str, str]]
) -> None:
    text = "".join(word + gap for word, gap in pieces)
    covered: set[int] = set()
    for term in denied:
        pattern = r"\b" + r"\s+".join(map(re.escape, term.split())) + r"\b"
        for start in range(len(text)):
            match = re.compile(pattern).match(text, start)
            if match:
                covered.update(range(*match.span()))
    terms = Terms.of(deny=denied)
    got = {at for one in terms.denied(text) for at in range(one.start, one.end)}
    assert got == covered


@pytest.mark.parametrize(
    ("term", "text", "what"),
    [
        ("Project Falcon", "ask project   FALCON.", "project   FALCON"),
        ("Project Falcon", "Project\nFalcon", "Project\nFalcon"),
        ("Straße 5", "in der STRASSE 5, links", "STRASSE 5"),
        ("Zoë", unicodedata.normalize("NFD", "frag Zoë!"), unicodedata.normalize("NFD", "Zoë")),
        ("Falcon", "Fal\u200bcon", "Fal\u200bcon"),
        ("O'Neil", "Mrs O\u2019Neil", "O\u2019Neil"),
        ("山田", "私は山田です", "山田"),
        ("/F-[0-9]{3}/", "see F-104", "F-104"),
    ],
)
def test_a_term_is_found_whatever_its_form(term: str, text: str, what: str) -> None:
    assert found(Terms.of(deny=[term]), text) == [what]


@pytest.mark.parametrize("text", ["falconry", "a xfalcon", "falcon9", ""])
def test_a_term_is_found_in_whole_words_only(text: str) -> None:
    assert found(Terms.of(deny=["falcon"]), text) == []


def test_what_is_allowed_stays_and_what_is_denied_too_goes() -> None:
    text = "Ada Lovelace met Ada Smith"
    model = [
        Finding("PERSON", 0, 12, 0.9, "names", Ground.MODEL),
        Finding("PERSON", 17, 26, 0.9, "names", Ground.MODEL),
    ]
    assert Terms.of(allow=["ada lovelace"]).kept(text, model) == model[1:]
    assert Terms.of(allow=["ada lovelace"], deny=["lovelace"]).kept(text, model) == model
    assert Terms.of(allow=["/Ada .+/"]).kept(text, model) == []


@pytest.mark.parametrize("term", ["", "  ", "/(/", "/(a+)+$/", "\u200b"])
def test_a_term_that_says_nothing_or_could_take_for_ever_is_refused(term: str) -> None:
    with pytest.raises(ConfigError):
        Terms.of(deny=[term])


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ('{"customer": 4711, "count": 47}', '{"customer": "<DENIED_1>", "count": 47}'),
        ("[4711, -4711.0, 47110]", '["<DENIED_1>", "-<DENIED_1>.0", 47110]'),
        ('Here: {"customer": 4711} it is', 'Here: {"customer": "<DENIED_1>"} it is'),
        ('{"said": "{\\"customer\\": 4711}"}', '{"said": "{\\"customer\\": \\"<DENIED_1>\\"}"}'),
        ("```json\n{'customer': 4711}\n```", "```json\n{'customer': \"<DENIED_1>\"}\n```"),
    ],
)
def test_p1_a_bare_number_of_json_that_is_denied_goes_and_leaves_it_valid(text: str, stored: str) -> None:
    assert Engine(Redaction.of({"deny": ["4711"]})).redact_text(text).text == stored
    assert Engine(Redaction.of({"deny": ["Falcon"]})).redact_text(text).text == text


def test_p1_so_does_one_in_the_parts_of_a_message_also_where_another_process_looked() -> None:
    engine = Engine(Redaction.of({"deny": ["4711"]}))
    message = Message("tool", [{"customer": 4711, "counts": [47, 4711, 0.5]}, {"text": '{"c": [4711, 5]}'}])
    shards = engine.search(message, "")
    assert shards is not None
    there = engine.searched(message, [trace(one) for one in shards], "")
    for examined in (there, engine.examine([message], "")):
        assert examined.finish(Memory(bytes(32), {}))[0].message.content == [
            {"customer": "<DENIED_1>", "counts": [47, "<DENIED_1>", 0.5]},
            {"text": '{"c": ["<DENIED_1>", 5]}'},
        ]
