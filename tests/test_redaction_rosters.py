"""Lists of people in data, where no word says who they are; and lists of what all the world knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product

import pytest

from vault.redaction.engine import Engine
from vault.redaction.names import Mode
from vault.redaction.settings import Redaction

FIRST = ["Elena", "Omar", "Petra", "Jane", "Ravi", "Fatima", "Ingrid", "Pablo"]
LAST = ["Okafor", "Hoffmann", "Nakamura", "Webb", "Bauer", "Kowalski", "Patel", "Rossi"]
SHAPES: dict[str, Callable[[list[str]], object]] = {
    "under a key": lambda names: {"customers": names, "total": len(names)},
    "results": lambda names: {"results": names},
    "alone": lambda names: names,
    "rows": lambda names: [[name, f"2024-03-0{at}"] for at, name in enumerate(names, 1)],
    "objects": lambda names: {"data": [{"who": name, "n": at} for at, name in enumerate(names)]},
}


@pytest.mark.wide
@pytest.mark.parametrize("mode", ["balanced", "high-recall"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nearly_all_people_of_a_list_are_found(shape: str, mode: Mode) -> None:
    engine, left, told = Engine(Redaction(mode=mode)), 0, 0
    for (first, second), last in product(zip(FIRST, FIRST[1:] + FIRST[:1], strict=True), range(len(LAST))):
        names = [f"{first} {LAST[last]}", f"{second} {LAST[last - 1]}", f"{first} {LAST[last - 2]}"]
        text = engine.redact_text(json.dumps(SHAPES[shape](names))).text
        json.loads(text)
        told += len(names)
        left += sum(name.split()[1] in text for name in names)
    assert left <= told / 10


@pytest.mark.parametrize(
    "text",
    [
        "name,city\nAnna Kowalski,Graz\nBob Fenwick,Wien\nIngrid Solheim,Oslo\nChidi Okafor,Lagos\n",
        '[{"name": "Anna Kowalski", "city": "Graz"}, {"name": "Bob Fenwick", "city": "Wien"}]',
        "| Full name | Town |\n|---|---|\n| Anna Kowalski | Graz |\n| Bob Fenwick | Wien |",
    ],
)
def test_p1_people_under_a_name_go_though_nothing_but_a_city_stands_beside_them(text: str) -> None:
    found = Engine().redact_text(text).text
    assert not any(one in found for one in ("Kowalski", "Fenwick", "Solheim", "Okafor"))


@pytest.mark.parametrize(
    "text",
    [
        "name,city\nEiffel Tower,Paris\nBig Ben,London\n",
        "name,team,goals\nLionel Messi,Inter Miami,12\nErling Haaland,Manchester City,30\n",
        '["New York", "Los Angeles", "San Diego"]',
        '["Santa Clara", "San Jose", "Santa Cruz"]',
        '{"drivers": ["Max Verstappen", "Lewis Hamilton", "Charles Leclerc"]}',
        '{"cast": ["Tom Hanks", "Meg Ryan"], "title": "Sleepless in Seattle"}',
        '["Grace Hopper", "Ada Lovelace", "Alan Turing"]',
        '{"tags": ["Machine Learning", "Deep Learning"]}',
        '{"fonts": ["Georgia Pro", "Franklin Gothic", "Lucida Sans"]}',
        '["Mercury", "Venus", "Earth", "Mars"]',
    ],
)
def test_a_list_of_what_all_the_world_knows_stays(text: str) -> None:
    assert Engine().redact_text(text).text == text


@pytest.mark.parametrize("mode", ["high-recall", "every-name"])
def test_nobody_is_too_famous_where_nothing_may_be_missed(mode: Mode) -> None:
    text = '["Grace Hopper", "Ada Lovelace", "Alan Turing"]'
    assert Engine(Redaction(mode=mode)).redact_text(text).text == '["<PERSON_1>", "<PERSON_2>", "<PERSON_3>"]'


def test_a_list_obeys_the_settings() -> None:
    text = '["Elena Webb", "Omar Bauer"]'
    assert Engine().redact_text(text).text == '["<PERSON_1>", "<PERSON_2>"]'
    assert Engine(Redaction(entities={"PERSON": "keep"})).redact_text(text).text == text
    assert Engine(Redaction(allow=("Elena Webb",))).redact_text(text).text == '["Elena Webb", "<PERSON_1>"]'
    assert Engine(Redaction(thresholds={"PERSON": 0.95})).redact_text(text).text == text


def test_a_name_in_a_list_is_not_cut_in_half() -> None:
    assert Engine().redact_text('["Anna Hoffmann", "Hiro Oyelaran", "Petra Webb"]').text == (
        '["<PERSON_1>", "<PERSON_2>", "<PERSON_3>"]'
    )


@pytest.mark.parametrize("key", ["people", "attendees", "users", "pessoas", "teilnehmer"])
def test_under_a_key_of_persons_one_name_of_the_lists_is_enough(key: str) -> None:
    text = f'{{"{key}": ["Tamsin Hargreaves", "Gianluca Ferrante"]}}'
    assert Engine().redact_text(text).text == f'{{"{key}": ["<PERSON_1>", "<PERSON_2>"]}}'
