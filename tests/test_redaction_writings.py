"""One value has one number, however it is written; and what sessions numbered before keeps its number."""

from __future__ import annotations

import hashlib

import pytest
from told import KEY, told

from vault.redaction.engine import Engine
from vault.redaction.memory import Memory
from vault.redaction.recalling import recall
from vault.redaction.writings import dialled, unified


@pytest.mark.parametrize(
    ("entity", "writings"),
    [
        ("PHONE_NUMBER", ["020 7946 0018", "020-7946-0018", "+44 20 7946 0018", "0044 (0)20 79460018"]),
        ("PHONE_NUMBER", ["0171 2345678", "+49 171 2345678", "0171/2345678"]),
        ("PHONE_NUMBER", ["(503) 555-0142", "+1 503.555.0142", "1-503-555-0142"]),
        ("PHONE_NUMBER", ["612 345 678", "+34 612345678"]),
        ("PHONE_NUMBER", ["06 12 34 56 79", "+33 6 12 34 56 79"]),
        ("PHONE_NUMBER", ["(11) 91234-5678", "+55 11 91234-5678"]),
        ("CREDIT_CARD", ["4539 5787 6362 1486", "4539578763621486", "4539-5787-6362-1486"]),
        ("IBAN_CODE", ["DE44 5001 0517 5407 3249 31", "de44500105175407324931"]),
        ("US_SSN", ["536-22-8871", "536228871", "536 22 8871"]),
        ("PL_PESEL", ["44051401359", "440514 01359"]),
        ("LICENSE_PLATE", ["AB12 CDE", "ab12cde"]),
        ("USERNAME", ["fridge_magnet", "@fridge_magnet", "u/Fridge_Magnet"]),
    ],
)
def test_all_writings_of_a_value_have_one_number(entity: str, writings: list[str]) -> None:
    memory = Memory(KEY, {})
    assert {memory.number(entity, value) for value in writings} == {1}
    later = Memory(KEY, memory.known)
    assert {later.number(entity, value) for value in writings} == {1}
    assert not later.has_grown


def test_what_differs_by_more_than_its_signs_has_a_number_of_its_own() -> None:
    memory = Memory(KEY, {})
    assert memory.number("PHONE_NUMBER", "212 555 0142") != memory.number("PHONE_NUMBER", "312 555 0142")
    assert memory.number("IP_ADDRESS", "1.11.1.1") != memory.number("IP_ADDRESS", "11.1.1.1")
    assert memory.number("DATE_OF_BIRTH", "1/11/1990") != memory.number("DATE_OF_BIRTH", "11/1/1990")
    assert memory.number("SECRET", "a-b-9921") != memory.number("SECRET", "ab9921")
    assert memory.number("EMAIL_ADDRESS", "a.b@c.org") != memory.number("EMAIL_ADDRESS", "ab@c.org")
    assert dialled("4711") == dialled("1-800-FLOWERS") == ""
    assert unified("MAC_ADDRESS", "AA:bb:0c:1d:2e:3f") == "aabb0c1d2e3f"


def test_sessions_that_were_written_before_keep_their_numbers() -> None:
    def as_before(value: str) -> bytes:
        said = f"PHONE_NUMBER\0{value}".encode()
        return hashlib.blake2b(said, key=KEY, digest_size=16).digest()

    known = {as_before("020 7946 0018"): ("PHONE_NUMBER", 1), as_before("02079460018"): ("PHONE_NUMBER", 2)}
    memory = Memory(KEY, known)
    assert memory.number("PHONE_NUMBER", "02079460018") == 2
    assert memory.number("PHONE_NUMBER", "020 7946 0018") == 1
    assert memory.number("PHONE_NUMBER", "020-7946-0018") in {1, 2}
    assert memory.number("PHONE_NUMBER", "0171 2345678") == 3


def test_what_a_stream_showed_has_its_number_in_every_writing() -> None:
    memory = Memory(KEY, {})
    memory.take({("PHONE_NUMBER", "020 7946 0018"): 1})
    assert memory.number("PHONE_NUMBER", "+44 20 7946 0018") == 1
    assert memory.number("PHONE_NUMBER", "0171 2345678") == 2


def test_two_writings_in_one_message_are_put_back() -> None:
    redacted = Engine().redact_text("call 020 7946 0018, that is +44 20 7946 0018, or mail a.kowalski@web.de")
    assert redacted.text == "call <PHONE_NUMBER_1>, that is <PHONE_NUMBER_1>, or mail <EMAIL_ADDRESS_1>"
    assert redacted.restore("<PHONE_NUMBER_1>") == "020 7946 0018"


@pytest.mark.parametrize(
    ("first", "again", "shown"),
    [
        ("my passport is 925100617", "see #925100617.", "see #<PASSPORT_1>."),
        ("my passport is 925100617", "ref=925100617&x=1", "ref=<PASSPORT_1>&x=1"),
        ("my passport is 925100617", "925100617/2", "<PASSPORT_1>/2"),
        ("my passport is 925100617", "it says 925 100 617 there", "it says <PASSPORT_1> there"),
        ("plate AB12 CDE", "AB12CDE was fined", "<LICENSE_PLATE_1> was fined"),
        ("plate AB12CDE", "AB12 CDE was fined", "<LICENSE_PLATE_1> was fined"),
        ("my pin is 4821", "typed 4821 twice", "typed <SECRET_1> twice"),
        ("my pin is 4821", "4821 doesn't work", "<SECRET_1> doesn't work"),
        ("my password is Kestrel-Wombat9921", "pw=Kestrel-Wombat9921;", "pw=<SECRET_1>;"),
        ("user name: fridge_magnet", "fridge_magnet logged in", "<USERNAME_1> logged in"),
        ("user name: fridge_magnet", "ask @fridge_magnet", "ask <USERNAME_1>"),
        ("my username is mvandenberg", "mvandenberg can't log in", "<USERNAME_1> can't log in"),
        ("my username is jsmith84", "so JSMITH84 is locked", "so <USERNAME_1> is locked"),
        ("handle @fuzzy_lantern92", "fuzzy_lantern92 was banned", "<USERNAME_1> was banned"),
    ],
)
def test_p1_a_value_is_known_again_with_signs_on_it_and_in_other_groups(
    first: str, again: str, shown: str
) -> None:
    assert told(first, again)[1] == shown


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("my pin is 4821", "it costs $4821 or 4821 km, at 12:4821, 48210, 4821-22"),
        ("my pin is 4821", "```python\nx = 4821\n```"),
        ("my username is fridge", "the fridge broke"),
        ("user name: fridge_magnet", "a fridge magnet"),
    ],
)
def test_what_only_looks_like_a_value_is_left(first: str, again: str) -> None:
    assert told(first, again)[1] == again


def test_a_number_is_known_as_a_whole_alone() -> None:
    memory = Memory(KEY, {})
    memory.keep_value("PASSPORT", "925100617")
    assert recall(memory, "925100618, 92510061, 9251006170, 925 1006 170, 9 25100618", []) == []
    [found] = recall(memory, "(925-100-617)", [])
    assert (found.entity, found.start, found.end) == ("PASSPORT", 1, 12)
