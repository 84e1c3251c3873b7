"""What looks like code, or like encoded data, and is what somebody says: lists, JSON, settings, columns."""

from __future__ import annotations

import json

import pytest

from vault.redaction.segments import Form, blobs, split

ROWS = json.dumps(
    [{"name": "Zoe Papadopoulos", "mail": "zo\u00e99@mail.org", "street": "12 High Street"}] * 3, indent=2
)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("please sort these:\n", ""),
        ("here is the payload: ", "\n"),
        ("", "\nsort these by name please"),
        ("HTTP/1.1 200 OK\nContent-Type: application/json\n\n", ""),
        ("// users\n", ""),
        ("```\n// users\n", "\n```"),
    ],
)
def test_p1_json_of_many_lines_beside_words_is_no_code(before: str, behind: str) -> None:
    pieces = split(before + ROWS + behind)
    told = [(piece.label, piece.text) for piece in pieces if piece.label in {"name", "mail", "street"}]
    assert told == [("name", "Zoe Papadopoulos"), ("mail", "zoé9@mail.org"), ("street", "12 High Street")] * 3
    assert not [piece for piece in pieces if piece.form is Form.CODE]


def test_p1_json_of_many_lines_that_is_cut_off_is_no_code() -> None:
    pieces = split("please sort these:\n" + ROWS[:-30])
    assert [piece.text for piece in pieces if piece.label == "name"] == ["Zoe Papadopoulos"] * 3


@pytest.mark.parametrize(
    "code",
    [
        'rows = [\n    {\n        "a": 1,\n    },\n    {\n        "a": 2,\n    },\n]\nprint(rows)\n',
        "const a = {\n  b: 1,\n};\nfoo(a);\n",
        "const f = (a) => {\n  return a;\n};\nf(2);\n",
        "a.map(x => x + 1);\nb.filter(y => y);\n",
    ],
)
def test_brackets_that_code_opens_are_code(code: str) -> None:
    assert {piece.form for piece in split(code)} == {Form.CODE}


@pytest.mark.parametrize(
    "text",
    [
        "Anna Kowalski => 020 7946 0018\nJan Kowalski => 020 7946 0019\n",
        "guests:\nAnna Kowalski (mother), 020 7946 0018;\nJan Kowalski (father), 020 7946 0019;\n",
        "call these:\nZoe(020 7946 0018)\nMark(020 7946 0019)\n",
    ],
)
def test_p1_a_list_of_people_is_no_code(text: str) -> None:
    assert {piece.form for piece in split(text)} == {Form.PROSE}


def test_p1_what_attributes_of_data_say_is_searched() -> None:
    text = (
        '<calls><call number="+4917112345678" caller="Zoe Papadopoulos" duration="5"/>'
        '<sms topic="ask Zoe Papadopoulos" d="M0 0 L1 1" className="btn primary"/></calls>'
    )
    said = {piece.text: piece.form for piece in split(text)}
    assert said["+4917112345678"] == said["Zoe Papadopoulos"] == said["ask Zoe Papadopoulos"] == Form.PROSE
    assert said["btn primary"] == Form.CODE


@pytest.mark.parametrize(
    "named",
    ["export AWS_SESSION_TOKEN={}", "Authorization: Bearer {}", '{{"refresh_token": "{}"}}', "my key is {}"],
)
def test_p1_a_long_run_that_is_named_as_a_secret_is_no_blob(named: str) -> None:
    text = named.format("IQoJb3JpZ2luX2VjE" * 60)
    assert blobs(text) == []
    assert [piece for piece in split(text) if "IQoJb3JpZ2luX2VjE" in piece.text]


@pytest.mark.parametrize("joint", ["/", "-"])
def test_p1_a_long_run_of_numbers_is_no_blob(joint: str) -> None:
    assert blobs(f"cards: {joint.join(['4539201873641209'] * 60)}") == []


@pytest.mark.parametrize(
    "text",
    [
        '# contacts\n[plumber]\nname = "Zoe Papadopoulos"\ntel = "694 555 3021"\n',
        "please check:\n[[owners]]  ; the first\n\nname = 'Zoe Papadopoulos'\ntel='694 555 3021'\n\nthanks",
        "[a.b]\nname = Zoe Papadopoulos\n[c]\ntel = 694 555 3021",
    ],
)
def test_p1_settings_in_sections_are_no_code(text: str) -> None:
    named = {piece.label: piece.text for piece in split(text)}
    assert named["name"] == "Zoe Papadopoulos"
    assert named["tel"] == "694 555 3021"


def test_a_bracket_amid_code_opens_no_section() -> None:
    assert {piece.form for piece in split("a = [\n[b]\n]\nprint(a)\nc = f(a)\n")} != {Form.PROSE}


def test_p1_columns_between_bars_are_named_by_their_header() -> None:
    text = "name | belt | age\nShirin | orange | 9\nKian | yellow | 8\nmean age?"
    ages = [piece.text.strip() for piece in split(text) if piece.label == "age"]
    assert ages == ["9", "8"]
    assert all(not piece.label for piece in split("red | green | blue\nI like | it | a lot\n"))
