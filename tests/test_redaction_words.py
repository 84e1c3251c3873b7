"""What the words around a value say of it: whose it is, or that it is nobody's. One class of error a line."""

from __future__ import annotations

import pytest

from vault.redaction.finder import Patterns
from vault.redaction.overlaps import resolve

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="session")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Patterns:
    """By the gate without Hyperscan: it finds the same, and nothing has to be compiled."""
    found = Patterns(cache=tmp_path_factory.mktemp("cache"), build="never")
    found.warm_up()
    return found


def found(patterns: Patterns, text: str) -> list[str]:
    return [text[one.start : one.end] for one in resolve(patterns.find(text), text)]


NOBODYS = [
    # A plate of metal, a number with its unit, a flight, a reference.
    "side plate 18, steel plate 6 mm, 1200 x 2400",
    "rating plate: 230 V, 50 Hz",
    "a plaque for the old cinema, 30 words, 'rebuilt 1873'",
    "airport pickup by car: LX 1612 at 14:05, seat 14C",
    "the van is booked under ref VR-88204, order KA-0520",
    # Ids of things.
    "Message-ID: <20250204100311.4f9a@mx1>",
    "run id 01HZX3V7Q2M9 failed, container id 1f0c22ab91d7, meter id 21E4188277",
    "EHR||202503041120||ORU",
    "council tax 141.00, tax code 1257L M1, tax 211.20 net 1,772.90",
    "SELECT sum(x) FROM t GROUP BY y HAVING sum(x) > 10000",
    "licence fee is 174.50 now",
    "insurance ref 88-44-JZ, insurance claim 8820-114",
    "passport soon, exp 07/2031",
    "protocolo 2026.0418.7731 da anatel",
    "bring the react@18.2.0-rc.beta and lucia@3.2.0",
    "user@example.com is in the docs, test@example.org too",
    # What follows "username" and is no name.
    "username must be 3 to 20 characters",
    "can i change a username twice in 14 days",
    "my username used to be my mail, usernames like these",
    "which username is cooler, the first?",
    "INFO [auth] user=system method=token, user=nobody size=2048, USER=root ;",
    "Agent: Hello\nUser: human\nBot: I can help with bills",
    "mail me at @gmail or @googlemail, peer react from @material-ui/core@4.12.4",
    "UID:8d0ba0a7f28e0232@cal",
    # Beside a secret.
    "wifi QR: {{secret}}, login since KB5028185, login: TTY=pts/0",
    "the login failed at [12/Mar/2025:09:22:08",
    "*The Secret History of the Mongols*, chapter 2",
    "pickup for locker 0183, 13 pin tow bar fits 2019 duster, a 5-pin deadbolt 1739",
    "who leaves a voicemail in 2026, the old pin fell off (item 4471)",
    # Dates that are no births.
    "hire date 04/18/2016, birth plan: due 14 Sept",
    "Anahera born 03:12, apgar 9/10/10",
    "INSERT INTO users VALUES (1, 'x', '2024-01-01'), (2, 'y', '2024-01-02');",
    "INSERT INTO users (id, created_at) VALUES (1, '1999-01-01');",
]


@pytest.mark.parametrize("text", NOBODYS)
def test_words_around_it_say_that_it_is_nobodys(patterns: Patterns, text: str) -> None:
    assert found(patterns, text) == []


EXACTLY = [
    ("el NIE es Y7672367H pero no", ["Y7672367H"]),
    ("mi nie es 7672367 pero no", ["7672367"]),
    ("my TFN 414 457 276 on the outside", ["414 457 276"]),
    ("tax office wrote my TFN 414 457 276", ["414 457 276"]),
    ("nie/dni 80935482T", ["80935482T"]),
    ("passport AB3922093, exp 07/2031", ["AB3922093"]),
    ("passport 8813992, born 1990/12/02", ["8813992", "1990/12/02"]),
    ("Führerschein B\nBitte Lücke 2016/17", []),
    ("wifi name is FRITZ!Box 7590 and the key is 40771834", ["40771834"]),
    ('WLAN "Duene7" mit Passwort strandkorb-im-wind7', ["strandkorb-im-wind7"]),
    ("wifi at home, key walnut88harbor", ["walnut88harbor"]),
    ("DOD 3/1/24, DOB 7/8/31", ["7/8/31"]),
    ("hire date 04/18/2016, birth date 04/18/1986", ["04/18/1986"]),
    ("INSERT INTO users (id, dob) VALUES (1, '2019-03-05');", ["2019-03-05"]),
    ("INSERT INTO patients VALUES (1, 'x', '1961-03-05');", ["1961-03-05"]),
    ("username mangotree, pass later", ["mangotree"]),
    ("my username is mangotree", ["mangotree"]),
    ("my plate's KL 07 BX 4411 and mine", ["KL 07 BX 4411"]),
]


@pytest.mark.parametrize(("text", "wanted"), EXACTLY)
def test_the_word_beside_a_value_is_no_part_of_it(patterns: Patterns, text: str, wanted: list[str]) -> None:
    assert found(patterns, text) == wanted
