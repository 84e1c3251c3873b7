"""What stands in cells, or in strings of JSON, is read and judged by the whole of the text."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine
from vault.redaction.findings import Finding, Ground
from vault.redaction.names import Mode, Names
from vault.redaction.search import Shard
from vault.redaction.segments import Form, Piece
from vault.redaction.settings import Redaction
from vault.redaction.whole import judge_whole


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


RACE = """\
| Pos | Driver | Team | Gap |
|---|---|---|---|
| 1 | Max Verstappen | Red Bull | - |
| 2 | Lando Norris | McLaren | 4.2 |
| 3 | Oscar Piastri | McLaren | 9.9 |

who gained most since qualifying?"""
FILMS = """\
title;director;year
Alien;Ridley Scott;1979
Heat;Michael Mann;1995
Jackie Brown;Quentin Tarantino;1997

sort by year"""
PLANTS = """\
{"plants": [{"genus": "Lewisia", "common": "bitterroot"},
{"genus": "Rudbeckia", "common": "black-eyed Susan"}]}"""
SHARES = """\
lang,share
Python,14.2
Ada,0.9
Pascal,0.8
Haskell,0.5
plot as horizontal bars"""
VANS = """\
| Pos | Driver | Plate | Phone |
|---|---|---|---|
| 1 | Max Lindqvist | KX19 ABC | 07700 900812 |
| 2 | Lando Okafor | BD51 SMR | 07700 900377 |

who has not paid for the van yet?"""
CLUB = """\
name;town;paid
Tilda Brandt;Husum;no
Ruben Achterberg;Leer;yes

my book club, remind those who haven't paid"""
ROTA = """\
shift,who,till
early,Wanjiru,2
late,Ottoline,4
night,Baptiste,1
our cafe's rota, swap early and late"""
ORDER = '{"customer": "Bilal Haddad", "genus": "Lewisia", "common": "bitterroot"}'
PRIVATE = [
    (VANS, ("Lindqvist", "Okafor", "900812", "900377")),
    (CLUB, ("Tilda", "Brandt", "Ruben", "Achterberg")),
    (ORDER, ("Bilal", "Haddad")),
    (ROTA, ("Wanjiru", "Ottoline", "Baptiste")),
]


@pytest.mark.parametrize("text", [RACE, FILMS, PLANTS, SHARES])
def test_a_table_of_what_is_public_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(("text", "gone"), PRIVATE)
def test_p1_a_table_of_private_people_loses_them(engine: Engine, text: str, gone: tuple[str, ...]) -> None:
    redacted = engine.redact_text(text).text
    assert not [one for one in gone if one in redacted]


def test_in_a_public_table_all_go_where_every_name_is_asked_for() -> None:
    redacted = Engine(Redaction(mode="every-name")).redact_text(RACE).text
    assert not [one for one in ("Verstappen", "Lando", "Piastri") if one in redacted]


class Public(Names):
    """Judges every text to be about nobody."""

    def verdict(self, _text: str) -> float:
        return -20.0


def judged(*grounds: Ground, label: str = "") -> int:
    """Count what stands of a table in which each row has a doubted name, found on these grounds."""
    rows = [f"Ada {number}" for number in range(len(grounds))]
    pieces = [Piece(6 * at, 6 * at + 5, row, Form.PROSE, label) for at, row in enumerate(rows)]
    found = [[Finding("PERSON", 0, 3, 0.5, "names", ground)] for ground in grounds]
    shard = Shard("\n".join(rows), pieces, found, [None] * len(rows))
    judge_whole(shard, Public())
    return sum(map(len, shard.found))


def test_what_is_doubted_in_a_public_table_stays() -> None:
    assert judged(Ground.MODEL, Ground.MODEL) == 0


def test_p1_one_proven_value_lets_all_go() -> None:
    assert judged(Ground.MODEL, Ground.PATTERN) == 2
    assert judged(Ground.MODEL, Ground.CHECKSUM) == 2


def test_p1_customers_go_whatever_the_table_is_about() -> None:
    assert judged(Ground.MODEL, Ground.MODEL, label="customer") == 2


def test_what_is_read_as_a_whole_is_found_where_it_stands(engine: Engine) -> None:
    text = "my rota\nwho;day\nAnjali Deshpande;Mon\nZsófia Horváth;Tue\nAnjali Deshpande;Wed\n"
    for one in engine.find(text):
        assert text[one.start : one.end].strip() == text[one.start : one.end]
    assert engine.redact_text(text).text.count("<PERSON_1>") == 2


def test_p1_a_blob_hides_nobody(engine: Engine) -> None:
    text = f"![x](data:image/png;base64,{'QUJD' * 300}) my sister Anna Kowalski lives in Leeds"
    assert "Anna" not in engine.redact_text(text).text


def test_numbers_under_keys_that_are_nobodys_stay(engine: Engine) -> None:
    text = '{"ttl": 3600, "eta": 12, "hp": 45, "ur": 7, "name": "slime"}'
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my name is `Zoe Papadopoulos`", "Zoe Papadopoulos"),
        ("**Customer:** `Zoe Papadopoulos`\n**Plan:** `basic`", "Zoe Papadopoulos"),
        ("I changed the customer to `Zoe Papadopoulos` in `accounts`.", "Zoe Papadopoulos"),
        ("her phone is now `07911 338204`", "07911 338204"),
        ("my passport is `548201937`, plate `KX19 VBD`", "548201937"),
        ("my passport is `548201937`, plate `KX19 VBD`", "KX19 VBD"),
        ("I set it to `3 Mill Lane, Hexham NE46 2DP`", "3 Mill Lane, Hexham NE46 2DP"),
        ("fix this: `my name are Zoe Papadopoulos and i live in hexham`", "Zoe Papadopoulos"),
    ],
)
@pytest.mark.parametrize("mode", ["balanced", "high-recall"])
def test_p1_what_nobody_would_write_in_a_program_is_no_code_between_backticks(
    mode: Mode, text: str, value: str
) -> None:
    assert value not in Engine(Redaction(mode=mode)).redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        "click `Save As`, then `Export Data`, and see `Release History`",
        "`UNION ALL` is faster than `UNION`, and `LIMIT 500` helps; `HTTP 404` is no error of `PEP 8`",
        "run `git commit -m fix` and `pip install numpy`, or `docker run alpine`",
        "the `User-Agent` header, `getUserById(42)`, `user.name` and `x is not None and y`",
    ],
)
def test_labels_and_commands_between_backticks_stay(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


STOCK = [
    (
        "price,count,email,id,enabled,version,ssn,passport,status,dob\n"
        "19.99,42,a.b@example.org,7,True,1.4.2,449-74-2852,A79458755,active,1954-09-06\n"
        "19.99,42,c.d@example.org,7,True,1.4.2,449-74-2853,A79458756,active,1958-01-23\n"
    ),
    (
        "dob|enabled|id|version|status|count|address|phone|username|price|name\n1954-09-06|True|7|1.4.2|"
        "active|42|81 Rosebank Avenue|+44 7700 900323|kowalski_123|19.99|Anna Kowalski\n"
    ),
    (
        "[{'address': '81 Rosebank Avenue', 'tags': ['blue', 'large'], 'count': 42, 'status': 'active',"
        " 'version': '1.4.2', 'dob': '1958-01-23', 'passport': 'A79458755', 'id': 7, 'price': 19.99}]"
    ),
]


@pytest.mark.parametrize("text", STOCK)
def test_states_and_amounts_beside_personal_data_stay(engine: Engine, text: str) -> None:
    now = engine.redact_text(text).text
    for word in ("19.99", "42", "1.4.2", "True", "active"):
        assert now.count(word) == text.count(word)
    assert not any(
        word in now for word in ("1954-", "1958-", "a.b@", "Rosebank", "7945", "Kowalski", "900323")
    )


def test_p1_an_age_or_a_long_number_of_a_record_is_no_amount(engine: Engine) -> None:
    text = "name,age,id,count\nAnna Kowalski,34,7,3\nSeamus Brandt,41,8,4\n"
    assert engine.redact_text(text).text == (
        "name,age,id,count\n<PERSON_1>,<AGE_1>,7,3\n<PERSON_2>,<AGE_2>,8,4\n"
    )
