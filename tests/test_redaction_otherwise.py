"""What has the form of a card, a social security number or a key, and is said to be another thing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from lookalikes import KINDS, lookalikes, positives

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

ENGINE = Engine()


def _kinds(text: str, engine: Engine = ENGINE) -> set[str]:
    return {one.entity for one in engine.find(text)} & set(KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "order no. 4385083841675179 has not arrived",
        "Sendungsnummer 5349041327467992 seit Tagen in Leipzig",
        "numéro de suivi 6011489598380441",
        '{"order_id": 4342592737230081, "state": "paid"}',
        "guild_id=606800225911660628",
        "order 327-5000486-6549844 says preparing",
        "barcode 6994447668219 not in the till",
        "token expires at 1678188513693 ms",
        "booking 7361789365351994 for two nights",
        "0.4496421698818888 is the mean",
        "open /files/4139326679806872.pdf",
    ],
)
def test_a_number_that_passes_luhn_is_no_card_where_the_word_before_it_says_what_it_numbers(
    text: str,
) -> None:
    assert _kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "order 4385083841675179 is my visa, sorry, wrong field",
        "order no. 77120, card 4385083841675179",
        "i paid for the order with 4385083841675179",
        "booking for two nights, 4385083841675179",
        "ticket: my card #4385083841675179 was refused",
        "cc 4385083841675179 ref 99",
        "please note 4385083841675179",
        "quote 4385083841675179 when you call",
    ],
)
def test_a_card_goes_where_an_order_is_spoken_of_as_well(text: str) -> None:
    assert _kinds(text) == {"CREDIT_CARD"}


@pytest.mark.parametrize(
    "text", ["part no. 468-37-5163 fits which audi", "SKU 490-63-4340", "ticket 579-99-2142 was closed"]
)
def test_a_part_in_the_groups_of_a_social_security_number_is_none(text: str) -> None:
    assert _kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "case 77: her ssn 468-37-5163",
        "468-37-5163",
        "ticket 579-99-2142 is my social",
        "please note 521-44-9921 for later",
        "name,no\nBo,468-37-5163",
    ],
)
def test_a_social_security_number_goes_with_its_word_and_alone(text: str) -> None:
    assert _kinds(text) == {"US_SSN"}


def test_whoever_asks_for_all_of_it_gets_the_numbers_of_orders_too() -> None:
    engine = Engine(Redaction(mode="high-recall"))
    assert _kinds("order no. 4385083841675179 has not arrived", engine) == {"CREDIT_CARD"}
    assert _kinds("part no. 468-37-5163 fits which audi", engine) == {"US_SSN"}


@pytest.mark.parametrize(
    "text",
    ["chrome/20.29.34.10 on windows", "Mozilla/5.0 Chrome/68.115.189.182 Safari/537.36", "§ 7.6.4.5 says"],
)
def test_the_version_of_a_browser_and_a_paragraph_are_no_addresses(text: str) -> None:
    assert _kinds(text) == set()


@pytest.mark.parametrize("text", ["https://81.2.69.160/admin", "connected to db/81.2.69.160:5432"])
def test_an_address_behind_a_slash_goes(text: str) -> None:
    assert "81.2.69.160" not in ENGINE.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        "region: us-central1-a",
        "region = af-south-1",
        "api_key = REPLACE_ME",
        "token: YOUR_API_KEY",
        "token: $GITHUB_TOKEN",
        "password={{ api_key }}",
        "secret: settings.API_KEY",
        'client = Client(api_key="insert-key-here")',
        "set the api key to %API_KEY%",
        'integrity="sha384-5cbJkOLyOIIRe/TifaSWQX9VVIv7hEizbMh+YpNig8bv51TOTNYynfJYGCJD/LEE"',
        "nonce-RwZz0om4MMgvVFSrqlGWjHEbSDZ7zkwiN2bzP/RGsRc= in the csp",
        "WARN bounce code=550",
        "what is logo@2x.png",
    ],
)
def test_settings_sums_and_what_is_to_be_filled_in_are_no_secrets(text: str) -> None:
    assert _kinds(text) == set()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: Sommer_2024!", "Sommer_2024!"),
        ("token: qW8xTz41LmPq99", "qW8xTz41LmPq99"),
        ("my password is CORRECT_HORSE_77", "CORRECT_HORSE_77"),
        ("code=550182 came by sms", "550182"),
        ("the door code is 550", "550"),
    ],
)
def test_a_secret_that_looks_a_little_like_one_of_these_goes(text: str, secret: str) -> None:
    assert secret not in ENGINE.redact_text(text).text


def test_the_six_kinds_are_found_and_what_looks_like_them_is_left() -> None:
    for kind, text, start, end in positives(24):
        hidden = {at for one in ENGINE.find(text) for at in range(one.start, one.end)}
        assert all(at in hidden for at in range(start, end) if text[at].isalnum()), (kind, text)
    wrong = [text for text in lookalikes(1) if _kinds(text)]
    assert len(wrong) <= 5, wrong


@pytest.mark.parametrize(
    "text",
    [
        "order 4385083841675179 is my own visa, sorry for the mix-up and thanks a lot for all of it",
        "order 4385083841675179 has still not come to us here in town, it says, and the visa was charged",
        "part 468-37-5163 was a mistake: ssn goes here and the part goes into the other field of it",
    ],
)
def test_a_stream_decides_as_the_whole_does(tmp_path: Path, text: str) -> None:
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        shown = "".join(chat.stream("assistant", re.findall(r"\S+\s*", text)))
        assert shown == chat.messages()[-1].content == ENGINE.redact_text(text).text


def test_many_numbers_of_orders_take_no_longer_than_as_many_cards() -> None:
    cards, orders = (f"{word} 4385083841675179 " * 1500 for word in ("card", "order"))
    ENGINE.find(cards)
    times = []
    for text in (cards, orders):
        began = time.process_time()
        ENGINE.find(text)
        times.append(time.process_time() - began)
    assert times[1] < 5 * times[0] + 0.5


@pytest.mark.parametrize(
    "text",
    [
        "cargo 1860404758415222 left on monday",
        "the deposit slip says 7310477582595841",
        "conversation 9281635784245400 closed",
        "java 17.50.28.42 or 21",
        "photoshop 24.7.2.31 won't open",
        "rollback to 36.42.54.49",
        "cursor=3gqDZoBVQQkAkmhCRrLW9jSluS7CERbW6Z34o9FYN20tknWwg4FgtelJDXBnz6Sv",
        "API_KEY: arn:aws:iam::123456789012:role/x",
        "valve 588-31-1762 leaks",
        "cost centre 626-34-7437",
    ],
)
def test_what_proves_nothing_and_is_named_otherwise_stays(text: str) -> None:
    assert _kinds(text) == set()


@pytest.mark.parametrize(
    "text", ["java 10.20.30.44 or the other host", "installed on 192.168.7.31", "edge 172.20.4.9 is down"]
)
def test_a_machine_of_a_net_goes_behind_the_name_of_a_program(text: str) -> None:
    assert _kinds(text) == {"IP_ADDRESS"}


def test_a_card_with_a_wrong_digit_goes_beside_its_word() -> None:
    assert "7310477582595841" not in ENGINE.redact_text("my card 7310477582595841 exp 04/28").text
