"""A session knows again what was found in it: names where they are written as names, values anywhere."""

from __future__ import annotations

import pytest
from told import told

from vault.redaction.engine import Engine
from vault.redaction.everyday import EVERYDAY, is_written_as_a_name
from vault.redaction.settings import Redaction


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            "Hi, my name is Hope Miller. I hope you can help me with my order.",
            "Hi, my name is <PERSON_1>. I hope you can help me with my order.",
        ),
        (
            "Dear Mark, please mark the parcel as delivered. Thanks, Joy",
            "Dear <PERSON_1>, please mark the parcel as delivered. Thanks, <PERSON_2>",
        ),
        ("Drew said that he drew it.", "<PERSON_1> said that he drew it."),
    ],
)
def test_a_name_that_is_an_everyday_word_is_not_taken_for_every_such_word(text: str, redacted: str) -> None:
    assert told(text) == [redacted]


def test_the_word_stays_an_everyday_one_for_the_rest_of_the_session() -> None:
    first, code, said, signed = told(
        "My name is Grant Hunter.",
        "We applied for a grant. It was a grant, and the bounty hunter came.",
        "Please tell Grant about it.",
        "See you soon,\nGrant",
    )
    assert first == "My name is <PERSON_1>."
    assert code == "We applied for a grant. It was a grant, and the bounty hunter came."
    assert said.startswith("Please tell <PERSON_")
    assert signed.startswith("See you soon,\n<PERSON_")


def test_other_names_are_known_however_they_are_written() -> None:
    assert (
        told("Anjali Rao came.", "anjali was late, said ANJALI")[1] == "<PERSON_2> was late, said <PERSON_2>"
    )


@pytest.mark.parametrize(
    ("text", "word", "is_name"),
    [
        ("I asked Wolf about it", "Wolf", True),
        ("Der Wolf lebt im Wald", "Wolf", False),
        ("the wolf", "wolf", False),
        ("Rose, come here", "Rose", True),
        ("Rose bushes need water", "Rose", False),
        ("it ends with Rose", "Rose", True),
        ("WOLF", "WOLF", False),
        ("anjali", "anjali", True),
    ],
)
def test_an_everyday_word_is_a_name_where_it_is_written_as_one(
    text: str, word: str, *, is_name: bool
) -> None:
    start = text.index(word)
    assert is_written_as_a_name(text, start, start + len(word)) is is_name


@pytest.mark.parametrize(
    "name", ["Maria", "Julia", "Sam", "Tom", "Simon", "Marie", "Bruno", "Martin", "Diego"]
)
def test_a_name_that_is_no_word_besides_is_known_in_small_letters_too(name: str) -> None:
    assert name.casefold() not in EVERYDAY


def test_everyday_words_are_told_apart_whatever_their_case() -> None:
    assert all(word == word.casefold() for word in EVERYDAY)


@pytest.mark.parametrize(
    ("first", "again", "shown"),
    [
        ("my passport number is 533380006", "Is 533380006 correct?", "Is <PASSPORT_1> correct?"),
        ("MRN: 00482913", "I tried 00482913 twice", "I tried <MEDICAL_ID_1> twice"),
        ("My PESEL is 44051401359.", "Yes, 44051401359 is right.", "Yes, <PL_PESEL_1> is right."),
        ("my password is correcthorse9", "is it correcthorse9?", "is it <SECRET_1>?"),
        ("my username is blue_fox77", "blue_fox77 is taken", "<USERNAME_1> is taken"),
        ("my SSN is 078-05-1120", "so 078-05-1120.", "so <US_SSN_1>."),
    ],
)
def test_a_value_is_known_where_nothing_says_what_it_is(first: str, again: str, shown: str) -> None:
    assert told(first, again)[1] == shown


def test_a_value_has_one_placeholder_whatever_it_is_called_later() -> None:
    said = told("my passport number is 533380006", "MRN: 533380006", "account number 533380006")
    assert said[1:] == ["MRN: <PASSPORT_1>", "account number <PASSPORT_1>"]


def test_a_mere_word_is_not_known_again_nor_what_is_kept() -> None:
    assert told("my username is fridge", "the fridge broke")[1] == "the fridge broke"
    kept = Engine(Redaction(entities={"PASSPORT": "keep"}))
    assert told("my passport number is 533380006", "Is 533380006 ok?", engine=kept)[1] == "Is 533380006 ok?"


@pytest.mark.parametrize("name", ["PL_PESEL", "IT_FISCAL_CODE", "CUSTOMER_NO", "KR_RRN"])
def test_a_placeholder_is_left_alone_whoever_found_what_it_stands_for(name: str) -> None:
    for text in (
        f"I have noted <{name}_1> for you.",
        f"codice fiscale: <{name}_2>",
        f"id <{name}:0123456789ab>",
    ):
        assert told(text) == [text]
