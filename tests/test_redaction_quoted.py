"""What stands between quotes, in CDATA and in the columns of a statement: it ends where they do."""

from __future__ import annotations

import re

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            "SELECT id FROM shops WHERE addr = 'Lindenstr. 12, 50674 Köln' OR state = 'open';",
            "SELECT id FROM shops WHERE addr = '' OR state = 'open';",
        ),
        (
            "UPDATE people SET address = 'Hauptstraße 9, 8010 Graz' WHERE id = 4;",
            "UPDATE people SET address = '' WHERE id = 4;",
        ),
        ("the label says 'Rosenweg 3, 04109 Leipzig' AND nothing else", None),
    ],
)
def test_an_address_ends_with_the_quote_that_it_stands_in(
    engine: Engine, said: str, left: str | None
) -> None:
    found = re.sub(r"<[A-Z_]+_\d+>", "", engine.redact_text(said).text)
    assert found == (left or re.sub("Ros.*Leipzig", "", said))


@pytest.mark.parametrize(
    ("name", "said", "entity"),
    [
        ("birthDate", "1978-04-02", "DATE_OF_BIRTH"),
        ("password", "kestrel<&9Wq", "SECRET"),
        ("lastName", "Winter", "PERSON"),
        ("userName", "plumtree", "USERNAME"),
    ],
)
def test_what_stands_in_cdata_is_named_by_its_element(
    engine: Engine, name: str, said: str, entity: str
) -> None:
    for around in ("<r><{0}><![CDATA[{1}]]></{0}></r>", "<r>\n <{0}>\n  <![CDATA[{1}]]>\n </{0}>\n</r>"):
        redacted = engine.redact_text(around.format(name, said))
        assert redacted.text == around.format(name, f"<{entity}_1>")
        assert redacted.restore(redacted.text) == around.format(name, said)
        assert engine.redact_text(redacted.text).text == redacted.text


@pytest.mark.parametrize(
    "said",
    [
        "we ask for a username, phone and address",
        "INSERT INTO tickets (id, username, queue, score) VALUES (1, 'n/a', 'b2', 3);",
        "def invite(username, team, seats): pass",
        "it has the columns id, username, tenant, created_at",
        "benutzername, passwort und ort werden abgefragt",
        "usuario, contraseña e idioma son los campos",
        "INSERT INTO people (id, username, card_number, grade) VALUES (1, 'n/a', '-', 3);",
    ],
)
def test_the_next_field_of_a_list_is_no_user(engine: Engine, said: str) -> None:
    assert not [one for one in engine.find(said) if one.by == "user names"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("my username, nectarine, is not accepted", ["nectarine"]),
        ("the account (username, juniper) is locked", ["juniper"]),
        ("email, username, brook_t88 and nothing else", ["brook_t88"]),
    ],
)
def test_a_user_behind_a_comma_is_found(engine: Engine, said: str, found: list[str]) -> None:
    assert [said[one.start : one.end] for one in engine.find(said) if one.entity == "USERNAME"] == found


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (
            (
                "INSERT INTO players (id, username, phone) VALUES\n"
                " (1, 'orchard77', '+49 151 55508811'),\n (2, 'foxglove', '+49 151 55508822');"
            ),
            (
                "INSERT INTO players (id, username, phone) VALUES\n"
                " (1, '<USERNAME_1>', '<PHONE_NUMBER_1>'),\n (2, '<USERNAME_2>', '<PHONE_NUMBER_2>');"
            ),
        ),
        (
            (
                "INSERT INTO members (id, full_name, nick, born, city) VALUES\n"
                " (1, 'Mele Tonga', 'pancake', '1983-03-09', 'Apia'),\n"
                " (2, 'Ewa Lis', 'ewa.l', '1991-12-01', 'Opole');"
            ),
            (
                "INSERT INTO members (id, full_name, nick, born, city) VALUES\n"
                " (1, '<PERSON_1>', '<USERNAME_1>', '<DATE_OF_BIRTH_1>', '<LOCATION_1>'),\n"
                " (2, '<PERSON_2>', '<USERNAME_2>', '<DATE_OF_BIRTH_2>', '<LOCATION_2>');"
            ),
        ),
        (
            "INSERT INTO clientes (usuario, correo, plan) VALUES ('golondrina', 'x@postal.example', 3);",
            "INSERT INTO clientes (usuario, correo, plan) VALUES ('<USERNAME_1>', '<EMAIL_ADDRESS_1>', 3);",
        ),
        (
            "INSERT INTO customers (ruby, mark, login) VALUES ('a1', 'b1', 'admin');",
            "INSERT INTO customers (ruby, mark, login) VALUES ('a1', 'b1', 'admin');",
        ),
    ],
)
def test_columns_keep_their_names_and_what_stands_under_a_user_goes(
    engine: Engine, said: str, stored: str
) -> None:
    redacted = engine.redact_text(said)
    assert redacted.text == stored
    assert redacted.restore(stored) == said


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("PORT=1\nexport DB_PASSWORD='x<7>Qr!m2'\nMODE=a", "PORT=1\nexport DB_PASSWORD='<SECRET_1>'\nMODE=a"),
        (
            'PORT=1\nMAIL_PASSWORD="Qk{9}v<zz4"\nMODE=a',
            'PORT=1\nMAIL_PASSWORD="<SECRET_1>"\nMODE=a',
        ),
        ("connect(user='x', password='mV<4`w}8q')", "connect(user='x', password='<SECRET_1>')"),
    ],
)
def test_a_secret_in_quotes_goes_as_a_whole(engine: Engine, said: str, stored: str) -> None:
    redacted = engine.redact_text(said)
    assert redacted.text == stored
    assert redacted.restore(stored) == said


@pytest.mark.parametrize(
    "said",
    [
        "token='<your token>'",
        'password="{password}"',
        'secret="${SECRET}"',
        "password = '<PASSWORD>'",
        'api_key="{{ vault.api_key }}"',
        'password="<SECRET_1>"',
    ],
)
def test_what_will_be_filled_in_stays(engine: Engine, said: str) -> None:
    assert engine.redact_text(said).text == said
    assert engine.redact_text(f"```python\n{said}\n```").text == f"```python\n{said}\n```"


@pytest.mark.parametrize("name", ["card_number", "api_key", "user_phone", "tempPassword"])
def test_the_next_field_of_a_list_is_no_secret(engine: Engine, name: str) -> None:
    said = f"INSERT INTO users (id, password, email, {name}, plan) VALUES (1, 'Vm4%Lq9x', NULL, NULL, NULL);"
    assert engine.redact_text(said).text == said.replace("Vm4%Lq9x", "<SECRET_1>")


@pytest.mark.parametrize(
    "said",
    [
        "UPDATE t SET x = 1; -- the phone number columns hold NULL, NULL, 3, NULL, NULL, NULL, NULL",
        "phone,fax,mobile are null, null, null, null, null, null, null",
        "the pin columns: (NULL, NULL, NULL)",
    ],
)
def test_nothing_is_no_spoken_zero(engine: Engine, said: str) -> None:
    assert engine.redact_text(said).text == said


def test_a_spoken_zero_is_one(engine: Engine) -> None:
    said = "meine handynummer ist null eins sieben null fünf fünf fünf null eins zwei"
    assert engine.redact_text(said).text == "meine handynummer ist <PHONE_NUMBER_1>"


@pytest.mark.parametrize(
    "said",
    [
        "services:\n  db:\n    environment:\n      MYSQL_PASSWORD: fig<Tree>81\n",
        "[client]\nuser=root\npassword=kelp<9{reef\nport=3306\n",
    ],
)
def test_a_password_without_quotes_goes_as_a_whole(engine: Engine, said: str) -> None:
    now = engine.redact_text(said).text
    assert now == re.sub(r"fig\S+|kelp\S+", "<SECRET_1>", said)


@pytest.mark.parametrize(
    "said",
    [
        "Cookie: session=9f8a7b6c5d4e3f2a1b0c; theme=dark",
        "Set-Cookie: laravel_session=eyJpdiI6Ik9tZ3A5; Path=/; HttpOnly",
        "cookie: theme=dark; remember_token=77ab41ce0d9f35",
    ],
)
def test_a_session_in_a_cookie_is_a_secret(engine: Engine, said: str) -> None:
    found = [said[one.start : one.end] for one in engine.find(said)]
    assert found == [re.search(r"(?:session|token)=([^;]+)", said)[1]]  # type: ignore[index]


def test_what_a_user_name_stands_in_keeps_its_signs(engine: Engine) -> None:
    said = '192.0.2.44 - mole88 [03/Nov/2026:08:12:44 +0100] "GET /users/mara.voss?tab=2 HTTP/1.1" 200 512'
    assert "?tab=2 HTTP" in engine.redact_text(said).text


@pytest.mark.parametrize("column", ["card_number", "shoe_size", "user_level"])
def test_what_is_set_to_a_value_is_a_column(engine: Engine, column: str) -> None:
    said = f"UPDATE users SET username = 'mole_88', {column} = '77', plan = 'b' WHERE id = 7;"
    assert f"', {column} = '" in engine.redact_text(said).text
    said = f"UPDATE users SET born = '1999-11-03', password = 'S3cret#Tag', {column} = '4983690060267730';"
    assert f"', {column} = '" in engine.redact_text(said).text


@pytest.mark.parametrize(
    "said",
    [
        "User(id=42, name='{}', made=datetime(2024, 5, 1), address=Address(street='{}', city='{}'))",
        "Kunde(nummer=42, vorname='{}', strasse='{}', ort='{}')",
    ],
)
def test_a_repr_keeps_its_quotes(engine: Engine, said: str) -> None:
    redacted = engine.redact_text(said.format("Itzel Barrientos", "48 Larkspur Crescent", "Leeds")).text
    assert re.sub(r"<\w+>", "{}", redacted) == said
