"""What proves itself, or has an unmistakable shape, is redacted wherever data is written down."""

import itertools

import pytest

from vault.messages import Message
from vault.redaction import nearby
from vault.redaction.engine import Engine

VALUES = {
    "card": ("4111111111111111", "5500000000000004", "378282246310005"),
    "card in groups": ("4111 1111 1111 1111", "5500-0000-0000-0004", "3782 822463 10005"),
    "iban": ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"),
    "ssn": ("521-44-9921", "219-09-9999", "457-55-5462"),
    "ipv4": ("10.4.7.31", "192.168.17.44", "203.0.113.9"),
    "ipv6": ("2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a", "2a02:8108:1:2::3"),
    "mac": ("00:1B:44:11:3A:B7", "de:ad:be:ef:00:01", "00-14-22-01-23-45"),
    "e-mail": ("a@b.com", "john.smith@example.org", "x_y+z@mail.co.uk"),
    "phone": ("+442079460018", "+1 415 555 0132", "+49 30 901820"),
    "key": (
        "AKIAIOSFODNN7EXAMPLE",
        "sk-proj-abc123def456ghi789jkl012mno345pq",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ),
}
PLACES = (
    "{} {} {}",
    "{},{},{}",
    "{}, {}, {}",
    "{};{};{}",
    "{}|{}|{}",
    "{}\t{}\t{}",
    "{}\n{}\n{}",
    "{} / {} / {}",
    '["{}","{}","{}"]',
    '"{}","{}","{}"',
    "id,word,count\n1,{},2\n2,{},3\n3,{},4",
    "7,{},12\n8,{},13\n9,{},14",
    "({}) ({}) ({})",
    "a={} b={} c={}",
    "a: {}\nb: {}\nc: {}",
    '{{"a":"{}","b":"{}","c":"{}"}}',
    "2024-01-02T03:04:05Z INFO x={} y={} z={} ok",
    "| {} | {} | {} |",
    "<td>{}</td><td>{}</td><td>{}</td>",
    "'{}' '{}' '{}'",
    "{} and {} or {}.",
    "{}. {}. {}.",
    "* {}\n* {}\n* {}",
    "q(w, 521, '{}', '{}', '{}', 12)",
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def _redacted(engine: Engine, text: str) -> str:
    return str(engine.redact(Message("user", text)).content)


@pytest.mark.wide
@pytest.mark.parametrize("kind", VALUES)
def test_p1_it_is_redacted_in_every_place(engine: Engine, kind: str) -> None:
    for place, values in itertools.product(PLACES, itertools.permutations(VALUES[kind])):
        text = place.format(*values)
        redacted = _redacted(engine, text)
        assert [value for value in values if value in redacted] == [], text


@pytest.mark.parametrize(
    "text",
    [
        "Anna,4111111111111111,0427,123",
        "4111-1111-1111-1111,04/27,123",
        "1,2,4111111111111111,5",
        "12 4111111111111111 34 5500000000000004 56",
        "078-05-1120,4111111111111111",
        "4111 1111 1111 1111 " * 40,
        '{"a":[4111111111111111,12,3.5]}',
        '<order card="4111111111111111"/>',
        "x:192.168.17.44,ip:192.168.17.44,mac:00:1B:44:11:3A:B7->",
        "a@b.com,12,+442079460018,4",
        '<customer phone="+442079460018" ssn="521-44-9921">',
    ],
)
def test_p1_neighbours_hide_nothing(engine: Engine, text: str) -> None:
    redacted = _redacted(engine, text)
    for value in ("4111", "5500", "192.168", "1B:44", "4420", "521-44"):
        assert value not in redacted


@pytest.mark.parametrize(
    "place",
    [
        "``` {}\nx = 1\n```",
        "```{}\nx = 1\n```",
        "~~~ python {}\nx = 1\n~~~",
        "> ``` {}\n> x",
        "<p>Hello Anna <{}></p>",
        "<p>Hello</p> Anna <{}>",
        "<p>Hello</p {}>",
        "<div {}>Hello</div>",
        "<!DOCTYPE {}><p>Hello</p>",
        "<?xml version='1.0' by='{}'?><p>Hello</p>",
    ],
)
def test_p1_what_is_no_language_and_no_tag_is_read(engine: Engine, place: str) -> None:
    for value in ("anna@petrova-mail.org", "4111-1111-1111-1111"):
        assert value not in _redacted(engine, place.format(value))


@pytest.mark.parametrize(
    "place",
    [
        "```\nDear Anna Kowalski, please call me on +44 20 7946 0018.\n```",
        "``` here is what they wrote\nplease call Anna Kowalski on +44 20 7946 0018.\n```",
        "~~~\nthe call of Anna Kowalski came from +44 20 7946 0018",
        '<order buyer="Anna Kowalski"><note text="call +44 20 7946 0018"/></order>',
        '<customer author="Anna Kowalski" comment="+44 20 7946 0018">new</customer>',
    ],
)
def test_p1_what_is_no_code_is_read_as_prose(engine: Engine, place: str) -> None:
    redacted = _redacted(engine, place)
    assert "Kowalski" not in redacted
    assert "7946" not in redacted


@pytest.mark.parametrize(
    "value", ["4111 1111 1111 1111", "4111-1111-1111-1111", "203.0.113.9", "521-44-9921"]
)
@pytest.mark.parametrize(
    "place", ["{{x: {}}}", '{{"name": {}, "n": 1}}', "[{}, 2]", "[[{}], {{x: 1}}]", "{{n: 3, x: {}"]
)
def test_p1_what_stands_without_quotes_in_brackets_is_no_number(
    engine: Engine, place: str, value: str
) -> None:
    assert value not in _redacted(engine, place.format(value))


def test_a_number_at_which_json_was_cut_off_keeps_its_label(engine: Engine) -> None:
    assert _redacted(engine, '{"a": 1, "phone": 442079460018') == '{"a": 1, "phone": "<PHONE_NUMBER_1>"'


def test_languages_and_tags_stay_as_they_are(engine: Engine) -> None:
    for text in (
        "```python\nx = 1\n```",
        "~~~ C++\nx = 1;\n~~~",
        "```\nx = 4415550132\nfor name in names:\n    print(name)\n```",
        '```python title="Kowalski.py"\nclass Kowalski:\n    calls = "+44 20 7946 0018"\n```',
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><p>Hello</p>',
        '<form><input disabled v-on:click.stop @change="go" #slot></form>',
    ):
        assert _redacted(engine, text) == text


@pytest.mark.parametrize(
    "text",
    [
        "the counts were 12, 45, 78, 4096, 1024 and 77",
        "3.14159265358979, 2.71828182845904",
        '{"at": 1700000000000, "id": 123456789012345}',
        "127.0.0.1 0.0.0.0 255.255.255.0",
        "version 1.2.3.4",
        "{'a': 1_000_000, 'b': 1e5, 'c': 0xFF, 'd': -3.5E-7, 'e': 12., 'f': 7L, 'g': 1.2.3}",
        "[[1 2 3 4] [5 6 7 8]]",
        '{"at": 2024-01-02, "n": 12 "m": 3}',
    ],
)
def test_numbers_that_are_none_stay(engine: Engine, text: str) -> None:
    assert _redacted(engine, text) == text


@pytest.mark.wide
def test_words_that_were_read_are_not_remembered_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "_REMEMBERED", 2_000)
    nearby._TOKENIZER.clear()
    for number in range(2_500):
        nearby._tokens(f"ssn of{number} is unusual{number}")
    assert len(nearby._tokenizer().vocab.strings) < 2_100
