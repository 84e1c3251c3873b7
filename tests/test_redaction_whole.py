"""What stands in cells, or in strings of JSON, is read and judged by the whole of the text."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine


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
def test_a_table_of_private_people_loses_them(engine: Engine, text: str, gone: tuple[str, ...]) -> None:
    redacted = engine.redact_text(text).text
    assert not [one for one in gone if one in redacted]


def test_one_proven_value_lets_all_stand(engine: Engine) -> None:
    table = "a,b\nWanda Sykes,x\nTadu Abate,y\n"
    assert "Tadu" not in engine.redact_text(table + "Kim Noor,kim.noor@pine-mail.org\n").text


def test_what_is_read_as_a_whole_is_found_where_it_stands(engine: Engine) -> None:
    text = "my rota\nwho;day\nAnjali Deshpande;Mon\nZsófia Horváth;Tue\nAnjali Deshpande;Wed\n"
    for one in engine.find(text):
        assert text[one.start : one.end].strip() == text[one.start : one.end]
    assert engine.redact_text(text).text.count("<PERSON_1>") == 2


def test_a_blob_hides_nobody(engine: Engine) -> None:
    text = f"![x](data:image/png;base64,{'QUJD' * 300}) my sister Anna Kowalski lives in Leeds"
    assert "Anna" not in engine.redact_text(text).text
