"""Numbers that hold, names that are known again, and nothing of a value in what is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import ConfigError
from vault.redaction.findings import Finding
from vault.redaction.memory import Memory
from vault.redaction.operators import OPERATORS
from vault.redaction.recalling import recall
from vault.redaction.result import put_back, tell
from vault.redaction.settings import Redaction

KEY = bytes(range(32))


def found(value: str, entity: str = "PERSON") -> Finding:
    return Finding(entity, 0, len(value), 0.9, "test")


def test_a_value_keeps_its_number_and_another_gets_the_next() -> None:
    first = Memory(KEY, {})
    assert [first.number("PERSON", name) for name in ("Anna", "Ben", "anna ", "Anna")] == [1, 2, 1, 1]
    again = Memory(KEY, first.known)
    assert [again.number("PERSON", name) for name in ("Ben", "Cleo")] == [2, 3]
    assert again.number("LOCATION", "Anna") == 1


def test_what_is_remembered_holds_no_value_and_opens_to_no_other_key() -> None:
    memory = Memory(KEY, {})
    memory.number("PERSON", "Anastasia Petrova")
    memory.keep("Anastasia Petrova")
    assert "nastasia" not in repr(memory.known)
    other = Memory(bytes(32), memory.known)
    assert other.number("PERSON", "Anastasia Petrova") == 2
    assert recall(other, "Anastasia is here", []) == []


def test_a_name_that_was_found_once_is_found_wherever_it_stands() -> None:
    memory = Memory(KEY, {})
    memory.keep("Anna Kowalski")
    later = Memory(KEY, memory.known)
    text = "so ANNA said that kowalski, Anna Kowalski and savannah were there; anna's too"
    assert [text[one.start : one.end] for one in recall(later, text, [])] == [
        "ANNA", "kowalski", "Anna Kowalski", "anna",
    ]  # fmt: skip
    taken = [Finding("EMAIL_ADDRESS", 3, 7, 1.0, "test")]
    first = recall(later, text, taken)[0]
    assert text[first.start : first.end] == "kowalski"


@pytest.mark.parametrize(
    "said", ["Kowalski's idea", "KOWALSKI’S idea", "O'Brien's dog", "Kowalskis", "Kowalski"]
)
def test_p1_a_name_is_known_again_with_what_is_its_own(said: str) -> None:
    memory = Memory(KEY, {})
    memory.keep("Kowalski")
    memory.keep("Nadia O'Brien")
    found = [said[one.start : one.end] for one in recall(memory, said, [])]
    assert found == ([] if said == "Kowalskis" else [said.partition("'s")[0].partition("’S")[0]])


def test_a_memory_without_names_finds_nothing_and_looks_at_nothing() -> None:
    memory = Memory(KEY, {})
    memory.number("EMAIL_ADDRESS", "a@b.org")
    assert recall(Memory(KEY, memory.known), "anna " * 1000, []) == []


@pytest.mark.parametrize(
    ("name", "entity", "value", "expected"),
    [
        ("placeholder", "PERSON", "Anna", "<PERSON_1>"),
        ("mask", "CREDIT_CARD", "4111 1111 1111 1111", "**** **** **** 1111"),
        ("mask", "PERSON", "Anna-Lena B.", "****-**** *."),
        ("mask", "US_SSN", "078-05-1120", "***-**-****"),
        ("mask", "SECRET", "!@#$%^ &*()_+", "****** ******"),
        ("mask", "SECRET", "pw-123456789012", "***************"),
        ("mask", "PERSON", "\u0905\u0928\u0940\u0924\u093e", "*****"),
        ("mask", "PERSON", "Jose\u0301", "*****"),
        ("drop", "PERSON", "Anna", ""),
        ("keep", "PERSON", "Anna", "Anna"),
    ],
)
def test_an_operator_gives_what_it_says(name: str, entity: str, value: str, expected: str) -> None:
    assert OPERATORS[name](found(value, entity), value, Memory(KEY, {})) == expected


@pytest.mark.parametrize("name", ["hash", "surrogate"])
@pytest.mark.parametrize("value", ["Anna Kowalski", "DE89 3704 0044 0532 0130 00", "a.b@c.org"])
def test_a_hash_and_a_surrogate_are_the_same_for_the_same_value_under_one_key_only(
    name: str, value: str
) -> None:
    entity = "EMAIL_ADDRESS" if "@" in value else "PERSON" if "Anna" in value else "IBAN_CODE"
    once = OPERATORS[name](found(value, entity), value, Memory(KEY, {}))
    assert once == OPERATORS[name](found(value, entity), value, Memory(KEY, {})) != value
    assert value not in once
    keys = (bytes([number]) * 32 for number in range(8))
    assert len({OPERATORS[name](found(value, entity), value, Memory(key, {})) for key in keys}) > 1


def test_a_surrogate_keeps_the_shape_of_a_number() -> None:
    given = "DE89 3704 0044 0532 0130 00"
    made = OPERATORS["surrogate"](found(given, "IBAN_CODE"), given, Memory(KEY, {}))
    assert [one.isdigit() for one in made] == [one.isdigit() for one in given]


@pytest.mark.parametrize(
    ("entity", "value"),
    [("SECRET", "!@#$%^&*()_+"), ("ADDRESS", "\u0905\u0928\u0940\u0924\u093e"), ("AGE", "½Ⅷ")],
)
def test_p1_a_surrogate_leaves_no_sign_of_the_value(entity: str, value: str) -> None:
    made = OPERATORS["surrogate"](found(value, entity), value, Memory(KEY, {}))
    assert not set(made) & set(value)


@given(
    st.dictionaries(st.sampled_from(["<A_1>", "<A_12>", "<B_1>"]), st.text(min_size=1, max_size=8)),
    st.text(st.characters(exclude_characters="\"'`<&\\")),  # what opens no string in which a value is escaped
)
def test_putting_values_back_takes_no_value_for_a_placeholder(values: dict[str, str], text: str) -> None:
    marks = "".join(f"|{mark}|" for mark in values)
    expected = text + "".join(f"|{value}|" for value in values.values())
    if not any(mark in text for mark in values):
        assert put_back(text + marks, values) == expected


def test_p1_what_could_be_anybodys_is_put_back_for_nobody() -> None:
    values = {"Ida": "Anna", "71": "34"}
    assert put_back("Ida, Idaho, 1971, 71", values) == "Anna, Idaho, 1971, 34"
    tell(values, {"Ida": "ANNA", "<A_1>": "x"})
    assert put_back("Ida <A_1>", values) == "Anna x"
    tell(values, {"Ida": "Karl"})
    tell(values, {"Ida": "Anna"})
    assert put_back("Ida <A_1>", values) == "Ida x"


def test_the_numbers_that_a_text_came_with_are_nobodys() -> None:
    memory = Memory(KEY, {})
    memory.leave("said <PERSON_2>, <CUSTOMER_NO_7> and <US_SSN_999999>, <person_9>")
    assert [memory.number("PERSON", name) for name in ("Anna", "Ben")] == [3, 4]
    assert memory.number("CUSTOMER_NO", "KD-1") == 8
    assert memory.number("US_SSN", "521-44-9921") == 1
    later = Memory(KEY, memory.known)
    later.leave("<PERSON_1>")
    assert later.number("PERSON", "Cleo") == 5


def test_a_longer_placeholder_is_not_taken_for_a_shorter_one() -> None:
    assert put_back("<A_12> <A_1>", {"<A_1>": "<A_12>", "<A_12>": "x"}) == "x <A_12>"


# -- settings --------------------------------------------------------------------------------------------


def test_settings_are_read_and_one_namespace_may_differ() -> None:
    settings = Redaction.of(
        {
            "entities": {"PERSON": "mask", "CUSTOMER_NO": "drop"},
            "thresholds": {"PERSON": "0.5"},
            "deny": ["Project Falcon"],
            "roles": {"system": "keep"},
            "namespaces": {"support/*": {"entities": {"PERSON": "keep"}, "originals": True}},
        }
    )
    assert settings.operator_for("PERSON") == "mask"
    assert settings.operator_for("URL") == "placeholder"
    assert settings.thresholds == {"PERSON": 0.5}
    assert settings.deny == {"DENIED": ("Project Falcon",)}
    assert settings.keeps("system")
    assert not settings.keeps("user")
    there = settings.at("support/eu")
    assert (there.operator_for("PERSON"), there.operator_for("CUSTOMER_NO")) == ("keep", "drop")
    assert there.originals
    assert settings.at("sales") is settings


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        ({"entitys": {}}, "entitys", "entities"),
        ({"entities": {"PERSN": "mask"}}, "PERSN", "PERSON"),
        ({"entities": {"PERSON": "maks"}}, "maks", "mask"),
        ({"mode": "balance"}, "balance", "balanced"),
        ({"roles": {"sytem": "keep"}}, "sytem", "system"),
        ({"thresholds": {"PERSON": 2}}, "from 0 to 1", ""),
        ({"thresholds": {"PERSON": "much"}}, "from 0 to 1", ""),
        ({"allow": "Anna"}, "list of texts", ""),
        ({"allow": [""]}, "list of texts", ""),
        ({"originals": "yes"}, "true or false", ""),
        ({"namespaces": {"a": {"mode": "x"}}}, "namespaces.mode", ""),
        ({"entities": ["PERSON"]}, "a table", ""),
        ({"entities": {"EMAIL": "keep"}}, "EMAIL", "EMAIL_ADDRESS"),
        ({"thresholds": {"SSN": 0.9}}, "SSN", "US_SSN"),
        ({"deny": ["x"], "entities": {"DENIED": "keep"}}, "DENIED is kept", "another operator"),
        ({"deny": ["x"], "operator": "keep"}, "DENIED is kept", "another operator"),
        (
            {"deny": {"PERSON": ["x"]}, "namespaces": {"a": {"entities": {"PERSON": "keep"}}}},
            "PERSON is kept",
            "",
        ),
        ({"namespaces": {"a/*": {"namespaces": {"b": {}}}}}, "holds no others", "beside"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place_and_the_nearest_known(
    given: dict[str, object], said: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Redaction.of(given)
    assert said in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        ("PL_PESEL", "NATIONAL_ID"),
        ("IT_FISCAL_CODE", "NATIONAL_ID"),
        ("UK_NHS", "MEDICAL_ID"),
        ("UK_DRIVING_LICENCE", "DRIVER_LICENSE"),
        ("DE_PASSPORT", "PASSPORT"),
        ("IN_VEHICLE_REGISTRATION", "LICENSE_PLATE"),
    ],
)
def test_what_a_country_has_its_own_name_for_goes_by_its_kind_where_it_is_not_named(
    entity: str, kind: str
) -> None:
    assert Redaction(entities={kind: "mask"}).operator_for(entity) == "mask"
    assert Redaction(entities={kind: "mask", entity: "drop"}).operator_for(entity) == "drop"
    assert Redaction(entities={"US_SSN": "mask"}).operator_for(entity) == "placeholder"
    assert Redaction(entities={kind: "mask"}).operator_for("US_SSN") == "placeholder"
    assert Redaction(entities={kind: "mask"}).operator_for("CUSTOMER_NO") == "placeholder"
