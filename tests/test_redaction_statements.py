"""Statements of SQL with bare numbers of persons: they go, and a database takes what is left."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from timing import quickest

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

TABLE = (
    "CREATE TABLE customers (\n  id INT,\n"
    "  name TEXT,\n  age INT,\n  pin INT,\n  plan INT,\n  made TEXT\n);\n"
)
ROWS = (
    "INSERT INTO customers (id, name, age, `pin`, plan, made) VALUES\n"
    "(1, 'Marguerite Oyelaran', 41, 7391, 20, '2024-05-01 10:00:00'),\n"
    "(2, 'Seamus O''Hara; Kortmann', NULL, 8264, 30, '2024-05-02 11:30:00');\n"
)
UPDATE = "UPDATE customers SET age = 42, pin=5504, plan = 30 WHERE id = 12;\n"
GONE = ("Oyelaran", "41", "7391", "8264", "42", "5504")
KEPT = ("(1, '", " 20, '2024-05-01", "NULL", " 30, '2024-05-02 11:30:00'", "plan = 30 WHERE id = 12")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Redaction(originals=True))


@pytest.mark.parametrize("fence", ["{}", "```sql\n{}```", "```\n{}```", "Why does this fail?\n\n{}"])
@pytest.mark.parametrize("said", [TABLE + ROWS + UPDATE, ROWS + UPDATE])
def test_p1_bare_numbers_of_persons_become_strings(engine: Engine, said: str, fence: str) -> None:
    redacted = engine.redact_text(fence.format(said))
    assert not any(re.search(rf"(?<!\d){one}(?!\d)", redacted.text) for one in GONE)
    assert all(one in redacted.text for one in KEPT)
    before, _, behind = fence.partition("{}")
    script = redacted.text.removeprefix(before).removesuffix(behind)
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(script if script.startswith("CREATE") else TABLE + script)
        assert database.execute("SELECT count(*), sum(plan) FROM customers").fetchone() == (2, 50)
    restored = redacted.restore(redacted.text)
    assert re.sub(r"'(\d+)'", r"\1", restored) == fence.format(said)


@pytest.mark.parametrize(
    "settings", [Redaction(), Redaction.of({"entities": {"AGE": "mask", "SECRET": "drop"}})]
)
def test_what_takes_the_place_of_a_number_is_a_value_whatever_it_is(settings: Redaction) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(Engine(settings).redact_text(TABLE + ROWS + UPDATE).text)


@pytest.mark.parametrize(
    "said",
    [
        "INSERT INTO wines (id, age, pin_count) VALUES (1, 12, 4821);",
        "INSERT INTO customers (id, plan, total) VALUES (1, 12, 4821);",
        "UPDATE customers SET plan = 12, total = 4821 WHERE id = 17;",
        "DELETE FROM sessions WHERE user_ip = '127.0.0.1';",
    ],
)
def test_other_numbers_stay(engine: Engine, said: str) -> None:
    assert engine.redact_text(said).text == said
    assert engine.redact_text(f"```sql\n{said}\n```").text == f"```sql\n{said}\n```"


COLUMNS = "(id, dob, password, username, name, address, ssn, count)"
MADE = (
    "CREATE TABLE users (id INTEGER, dob TEXT, password TEXT, username TEXT, name VARCHAR(80), address TEXT,"
    " ssn TEXT DEFAULT '', count INT);\n"
)
ROW = "(0, '1954-09-06', 'Tr0ub197!x', 'haddad_732', 'Yuki Haddad', '61 Maple Street', '213-87-5139', 42)"


@pytest.mark.parametrize("fence", ["{}", "```\n{}```", "Why does this fail?\n\n{}"])
def test_columns_are_nobody_and_a_bare_value_is_what_its_column_says(engine: Engine, fence: str) -> None:
    said = fence.format(
        f"{MADE}INSERT INTO users {COLUMNS} VALUES\n{ROW},\n{ROW.replace('0, ', '1, ', 1)};\n"
    )
    now = engine.redact_text(said).text
    assert MADE in now
    assert COLUMNS in now
    assert now.count(", 42)") == 2
    assert not re.search(r"1954|Tr0ub|haddad|Yuki|Maple|5139", now)


def test_a_bare_value_stays_a_value_where_more_is_taken_for_an_age() -> None:
    said = (
        "INSERT INTO users (id, password, dob, passport, iban, ssn, count) VALUES\n(0, 'Tr0ub372!z',"
        " '1979-09-12', 'B14289844', 'DE05370400449990686078', '334-66-4244', 42);"
    )
    now = Engine(Redaction(mode="high-recall")).redact_text(said).text
    assert now.endswith("', 42);")


def test_p1_whose_address_of_the_net_a_statement_asks_for_goes(engine: Engine) -> None:
    said = "```sql\nDELETE FROM sessions WHERE user_ip = '81.174.202.33';\n```"
    assert engine.redact_text(said).text == said.replace("81.174.202.33", "<IP_ADDRESS_1>")


@pytest.mark.wide
def test_p1_a_stream_shows_no_number_that_is_not_stored(tmp_path: Path, engine: Engine) -> None:
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        for number, text in enumerate([TABLE + ROWS + UPDATE, f"```sql\n{TABLE + ROWS + UPDATE}```"]):
            chat = vault.transcript("u", f"s{number}")
            shown = "".join(chat.stream("assistant", re.findall(r"\S+\s*", text)))
            assert not any(re.search(rf"(?<!\d){one}(?!\d)", shown) for one in GONE)


@pytest.mark.wide
@pytest.mark.parametrize("fence", ["{}", "```sql\n{}\n```"])
def test_p1_the_address_of_a_persons_machine_goes(engine: Engine, fence: str) -> None:
    said = fence.format("INSERT INTO users (id, email, mac) VALUES (0, 'a@b.org', '5b:f6:de:e0:3c:71');")
    now = engine.redact_text(said).text
    assert "'<MAC_ADDRESS_1>'" in now
    assert engine.redact_text(now).text == now


@pytest.mark.wide
@pytest.mark.parametrize(
    "said",
    [
        "insert into t (pin) values ",
        "update t set a='",
        "insert into t (age) values (1,'\n",
        "insert into t (n) values (age 34, ",
        "create table t (age int (34 ",
    ],
)
def test_statements_without_an_end_take_linear_time(engine: Engine, said: str) -> None:
    text = said * 4_000
    assert quickest(lambda: engine.redact_text(text), 2) < 2


COPY = (
    "COPY public.patients (id, full_name, date_of_birth, phone, age, visits) FROM stdin;\n"
    "1\tMarguerite Oyelaran\t1984-03-17\t+44 7911 123846\t41\t12\n"
    "2\tSeamus Kortmann\t\\N\t\t35\t33\n"
    "\\.\n"
)


@pytest.mark.parametrize("around", ["{}", "```sql\n{}```", "SET x = 1;\n\n{}\nSELECT 1;\n"])
def test_p1_rows_that_are_copied_are_named_by_the_columns_of_the_statement(
    engine: Engine, around: str
) -> None:
    redacted = engine.redact_text(around.format(COPY))
    rows = redacted.text[redacted.text.index("COPY") :].splitlines()
    assert rows[0] == COPY.splitlines()[0]
    assert re.sub(r"\d>", ">", rows[1]) == ("1\t<PERSON_>\t<DATE_OF_BIRTH_>\t<PHONE_NUMBER_>\t<AGE_>\t12")
    assert re.sub(r"\d>", ">", rows[2]) == "2\t<PERSON_>\t\\N\t\t<AGE_>\t33"
    assert rows[3] == "\\."
    assert redacted.restore(redacted.text) == around.format(COPY)


def test_p1_a_stream_names_rows_that_are_copied_too(tmp_path: Path, engine: Engine) -> None:
    rows = "".join(f"{at}\tSeamus Kortmann\t1984-03-17\t+44 7911 12384{at}\t4{at}\t12\n" for at in range(10))
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        chat = vault.transcript("u", "s")
        shown = "".join(
            chat.stream("assistant", re.findall(r"\S+\s*", COPY.replace("\\.\n", rows + "\\.\n")))
        )
        assert shown == chat.messages()[-1].content
        assert not re.search(r"\t4\d\t", shown)
