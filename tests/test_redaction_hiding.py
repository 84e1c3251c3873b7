"""Values that are written so that a reader sees them and a pattern does not."""

from collections.abc import Callable

import pytest

from vault.messages import Message
from vault.redaction.engine import Engine
from vault.redaction.folding import fold, unbroken
from vault.redaction.memory import Memory
from vault.redaction.recalling import recall

HIDDEN = "\u200b\u00ad\u2060\ufeff\u034f\u180b\u115f\u3164\ufe0f\U000e0041\U000e0101"
VALUES = {
    "card": "4111 1111 1111 1111",
    "mail": "anna.kowalski@petrova-mail.org",
    "phone": "+44 20 7946 0018",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ssn": "521-44-9921",
    "ip": "203.0.113.9",
    "key": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "nino": "AB123456C",
    "tax code": "RSSMRA85T10A562S",
    "name": "Anna Kowalski",
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def is_gone(engine: Engine, written: str) -> bool:
    said = engine.redact_text(f"Please note {written} for later, ok?").text
    return written not in said and said.startswith("Please note <") and said.endswith("> for later, ok?")


@pytest.mark.parametrize("sign", HIDDEN)
def test_p1_signs_that_nobody_sees_hide_nothing(engine: Engine, sign: str) -> None:
    kept = {kind for kind, value in VALUES.items() if not is_gone(engine, sign.join(value))}
    assert kept == set()


def disguised(change: Callable[[str], str], *kinds: str) -> list[str]:
    return [change(VALUES[kind]) for kind in kinds]


@pytest.mark.parametrize(
    "written",
    [
        *disguised(lambda value: value.replace("-", "\u2011"), "ssn"),
        *disguised(lambda value: value.replace("-", "\u2013"), "ssn"),
        *disguised(
            lambda value: "".join(chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in value),
            "card", "phone", "ssn", "ip", "nino",
        ),
        *disguised(lambda value: value.replace(" ", "&nbsp;"), "card", "phone", "iban"),
        *disguised(lambda value: value.replace("@", "%40"), "mail"),
        *disguised(lambda value: value.replace("@", "&#64;"), "mail"),
        *disguised(lambda value: "".join(f"&#x{ord(one):x};" for one in value), "mail", "ssn"),
    ],
)  # fmt: skip
def test_p1_other_ways_to_write_a_sign_hide_nothing(engine: Engine, written: str) -> None:
    assert is_gone(engine, written)


def test_p1_what_stands_in_the_query_of_an_address_is_read(engine: Engine) -> None:
    said = "GET /reset?mail=anna.kowalski%40petrova-mail.org&phone=%2B442079460018&page=3 HTTP/1.1"
    assert engine.redact_text(said).text == (
        "GET /reset?mail=<EMAIL_ADDRESS_1>&phone=<PHONE_NUMBER_1>&page=3 HTTP/1.1"
    )


def test_an_address_goes_on_behind_its_escapes(engine: Engine) -> None:
    assert (
        engine.redact_text("see https://petrova-site.org/a%20b%22c%3Fd?x=%41%3d1 now").text
        == "see <URL_1> now"
    )


def test_what_only_looks_like_an_escape_stays_as_it_is() -> None:
    for text in ("50% of 100%", "%d of %20s", "R&D & co.", "a=1&b=2", "%zz &#; &#x;"):
        assert fold(text).text is text


def test_a_name_with_signs_in_it_is_known_again() -> None:
    memory = Memory(bytes(32), {})
    memory.keep("Kow\u200balski")
    (found,) = recall(memory, "ask Ko\u00adwalski now", [])
    assert (found.start, found.end) == (4, 13)
    assert memory.number("PERSON", "An\u2060na") == memory.number("PERSON", "Anna")


def test_places_lead_back_to_the_whole_of_an_escape() -> None:
    folded = fold("a%40b&#64;")
    assert folded.text == "a@b@"
    assert [folded.span(at, at + 1) for at in range(4)] == [(0, 1), (1, 4), (4, 5), (5, 10)]
    assert unbroken("a\u200bb \u200bc").span(0, 5) == (0, 6)


@pytest.mark.parametrize("place", range(2, 70, 4))
def test_p1_a_placeholder_that_somebody_typed_hides_nothing_around_it(engine: Engine, place: int) -> None:
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEpAIBAAKCAQEA7bq8Zk3f' * 3}\n-----END RSA PRIVATE KEY-----"
    body = key.index("MII")
    said = f"{key[: body + place]}<AGE_1>{key[body + place :]}"
    assert engine.redact_text(said).text.strip("-") == "<SECRET_1><AGE_1><SECRET_2>"


def test_p1_digits_are_no_hash(engine: Engine) -> None:
    assert engine.redact_text("call <PHONE_NUMBER:442079460018>").text != "call <PHONE_NUMBER:442079460018>"
    kept = "call <PHONE_NUMBER:44207946001a> or <PHONE_NUMBER_12>"
    assert engine.redact_text(kept).text == kept


def test_a_name_that_is_a_word_of_placeholders_leaves_them_alone(engine: Engine) -> None:
    memory = Memory(bytes(32), {})
    memory.keep("Mr. Person")
    (done,) = engine.examine([Message("user", "<PERSON_7>, it was Person")], "").finish(memory)
    assert done.message.content == "<PERSON_7>, it was <PERSON_8>"


@pytest.mark.parametrize(
    "said",
    [
        "<row><name>&lt;PERSON_1&gt;</name><ssn>&lt;US_SSN_1&gt;</ssn></rows>",
        "<kennitala>&lt;NATIONAL_ID_1&gt;</kennitala> <home>&lt;ADDRESS_1&gt;",
        "the page says &lt;USERNAME_1&gt; and &amp;lt;SECRET:0a1b2c3d4e5f&amp;gt;",
    ],
)
def test_what_html_that_is_broken_says_was_redacted_is_not_redacted_again(said: str) -> None:
    assert Engine().redact_text(said).text == said
