"""Tables of people: what a column is called, or is where it is not called anything."""

from __future__ import annotations

import re

import pytest

from vault.redaction.engine import Engine

PEOPLE = (("Zainab Abubakar", "1959-07-22"), ("Bo Lindqvist", "1944-01-30"), ("Sina Tuilagi", "2001-12-05"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def rows(delimiter: str, header: str = "") -> str:
    lines = [
        delimiter.join((str(at), name, born, f"C{at}")) for at, (name, born) in enumerate(PEOPLE, start=7)
    ]
    return "\n".join([header, *lines] if header else lines)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header", ["Geb.", "d.o.b.", "Geb.-Dat.", "Geburt", "nacimiento", "Fødselsdato", "dob", "Born"]
)
def test_a_header_may_end_with_a_dot(engine: Engine, delimiter: str, header: str) -> None:
    text = engine.redact_text(rows(delimiter, delimiter.join(("id", "name", header, "ward")))).text
    assert not [born for _, born in PEOPLE if born in text]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_days_of_a_generation_ago_in_a_column_without_a_name_are_births(
    engine: Engine, delimiter: str
) -> None:
    text = engine.redact_text(rows(delimiter)).text
    assert not [born for _, born in PEOPLE if born in text]


def test_days_of_today_in_a_column_without_a_name_are_not(engine: Engine) -> None:
    text = "7;blue kettle;2025-07-22;C4\n8;toaster;2025-01-30;C4\n9;lamp;2024-12-05;A1"
    assert engine.redact_text(text).text == text


def test_a_line_that_ends_a_sentence_is_no_header(engine: Engine) -> None:
    text = "first we went to the market, then home again.\nafter that we slept, and all was well.\n"
    assert engine.redact_text(text).text == text


def test_a_fragment_is_not_judged_public(engine: Engine) -> None:
    for said in ("of Maria Lopez", "Zoe Papadopoulos", "photo: Marta Nowak"):
        assert engine.redact_text(said).findings


FENCED = """```sql
INSERT INTO customers (id, first_name, last_name, phone) VALUES
(1, 'Beatrix', 'Lowell', '+1-503-555-0142'),
(2, 'Gian', 'O''Hara; Ferrante', '+39 347 123');
```"""
KUNDEN = """INSERT INTO kunden (id, vorname, nachname, telefon) VALUES
(1, 'Beatrix', 'Lowell', '0301234567'),
(2, 'Gianluca', 'Ferrante', '0307654321');
SELECT * FROM kunden;"""
UPDATES = """UPDATE users SET phone = '07700 900123' WHERE name = 'Tamsin Hargreaves';
UPDATE usuarios
SET nacimiento = '1977-01-30', address = '14 Rose Lane, Leeds'
WHERE id = 7;"""


@pytest.mark.parametrize(
    ("row", "gone", "kept"),
    [
        (
            "INSERT INTO staff VALUES (7,'Kamalei','Pukahi','+1 808 555 0142','1993-06-11','Hilo');",
            ("Kamalei", "Pukahi", "808", "1993", "Hilo"),
            "INSERT INTO staff VALUES (7,",
        ),
        (
            "```sql\nINSERT INTO guests (id, name, city, plan) VALUES (1, 'Ana', 'Porto', 'Gold');\n```",
            ("Ana", "Porto"),
            "'Gold'",
        ),
        (FENCED, ("Beatrix", "Lowell", "503", "Gian", "347"), "(2, '"),
        (
            KUNDEN,
            ("Beatrix", "Lowell", "0301234567", "Gianluca", "Ferrante", "0307654321"),
            "'<PERSON_3>', '<PERSON_4>', '<",
        ),
        (UPDATES, ("07700", "Tamsin", "Hargreaves", "1977", "Rose"), "' WHERE name = '<PERSON_1>';\nUPDATE "),
        ("SELECT * FROM users WHERE name = 'John';\nSELECT 1;", (), "'John'"),
        ("SELECT * FROM products WHERE name = 'Rex Chair';\nSELECT 1;", (), "'Rex Chair'"),
        ("```sql\nINSERT INTO products (id, name) VALUES (1, 'Rex Chair');\n```", (), "'Rex Chair'"),
        ("```sql\nINSERT INTO user_roles VALUES (1, 'admin');\n```", (), "'admin'"),
    ],
)
def test_p1_rows_of_sql_lose_the_names_of_persons(
    engine: Engine, row: str, gone: tuple[str, ...], kept: str
) -> None:
    redacted = engine.redact_text(row).text
    assert not any(one in redacted for one in gone)
    assert kept in redacted


def test_p1_columns_of_accounts_plates_ages_postcodes_pins_and_records_lose_what_is_in_them(
    engine: Engine,
) -> None:
    columns = ("account_number", "license_plate", "age", "zip", "pin", "mrn")
    people = [
        ("38472910", "BA 12 XYT", "34", "60311", "4821", "1237217"),
        ("8472910155", "1KLM234", "44", "90210", "7733", "5256985"),
        ("28472910", "YQJ-4821", "71", "10117", "1904", "8812340"),
    ]
    values = [", ".join(f"'{one}'" for one in person) for person in people]
    rows = ",\n".join(f"({at}, {row}, 'ok')" for at, row in enumerate(values, start=1))
    redacted = engine.redact_text(f"INSERT INTO users (id, {', '.join(columns)}, note) VALUES\n{rows};").text
    kinds = "'<BANK_ACCOUNT_>', '<LICENSE_PLATE_>', '<AGE_>', '<ADDRESS_>', '<SECRET_>', '<MEDICAL_ID_>'"
    assert [re.sub(r"\d", "", row) for row in redacted.splitlines()[1:]] == [
        f"(, {kinds}, 'ok'){end}" for end in ",,;"
    ]


def test_columns_that_are_called_much_like_those_keep_what_is_in_them(engine: Engine) -> None:
    columns = "usage, page, spin, account_type, zipfile"
    row = f"INSERT INTO accounts ({columns}) VALUES ('34', '12', '4821', 'savings', 'a1.zip');"
    assert engine.redact_text(row).text == row


def test_the_number_of_a_row_of_sql_is_no_day_of_birth(engine: Engine) -> None:
    first = "(1, '38472910', 'BA 12 XYT', '34', '60311', '4821', '1237217')"
    second = "(2, '28472910', 'KB 12 XYT', '44', '60312', '4822', '1237218')"
    columns = "id, account_number, license_plate, age, zip, pin, mrn"
    said = f"INSERT INTO users ({columns}) VALUES {first}, {second};"
    redacted = engine.redact_text(said).text
    assert "VALUES (1, '" in redacted
    assert "), (2, '" in redacted


@pytest.mark.parametrize("quotes", [61, 1900])
def test_quotes_without_an_end_cost_no_time(engine: Engine, quotes: int) -> None:
    row = "INSERT INTO users VALUES (" + "'" * quotes
    assert engine.redact_text(row).text == row


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("Company,Contact,Phone\nAcme,陈晓东,13800138000", "陈晓东"),
        ("姓名,电话\n陈晓东,13800138000", "陈晓东"),
        ("担当者\t電話\n山田 花子\t0312345678", "山田 花子"),
        ("이름,전화\n김민수,01012345678", "김민수"),
        ("имя,телефон\nДмитрий Смирнов,79161234567", "Дмитрий Смирнов"),
        ("id,first_name,last_name,email\n1,Anna,Webb,a@web.de\n2,Babajide,Okonkwo,j@oko.ng", "Webb Okonkwo"),
        ("id,vorname,nachname\n1,Anke,Wurst\n2,Uwe,Kessel", "Wurst Kessel"),
        ("nombre;apellidos\nInés;Del Río\nPaz;Cuesta", "Inés Río Paz Cuesta"),
        ("prenom;nom de famille\nRose;Blanc", "Rose Blanc"),
        ("nome;sobrenome\nLua;Ramos", "Lua Ramos"),
        ('<list><person firstName="Paz" lastName="Cuesta"/></list>', "Paz Cuesta"),
    ],
)  # fmt: skip
def test_a_name_is_one_by_its_column_in_any_script(engine: Engine, table: str, names: str) -> None:
    now = engine.redact_text(table)
    assert not [name for name in names.split() if name in now.text]
    assert now.text.splitlines()[0] == table.splitlines()[0] or "<" in table


@pytest.mark.parametrize("value", ["none", "string", "N/A", "VARCHAR(80)", "first_name", "4"])
def test_what_is_no_name_stays_in_a_column_of_names(engine: Engine, value: str) -> None:
    table = f"id,last_name\n1,{value}"
    assert engine.redact_text(table).text == table


def test_a_log_whose_times_have_commas_is_no_table() -> None:
    said = (
        '2026-02-03 09:14:02,431 INFO signup card_number="5169 3849 3739 6400" at="Hull, UK" ms=12\n'
        '2026-02-03 09:14:07,002 INFO signup name="Ewa Lis" at="Opole, PL" ms=9\n'
        '2026-02-03 09:15:11,817 WARN signup ssn=249-42-1121 at="Reno, NV" ms=31\n'
    )
    redacted = Engine().redact_text(said)
    assert redacted.text.count('"') == said.count('"')
    assert "CREDIT_CARD_1" in redacted.text
    assert redacted.restore(redacted.text) == said


def test_the_number_of_a_row_is_no_part_of_the_address_behind_it() -> None:
    said = (
        "id|address|phone|plan\n"
        "1|Lindenstr. 12, 50674 Köln|+44 7700 900 514|basic\n"
        "2|Lindenstr. 12, 50674 Köln|(415) 555-0132|basic\n"
        "3|9 Birch Close, Leeds LS7 2QT|06 39 98 41 22|basic\n"
    )
    rows = Engine().redact_text(said).text.splitlines()[1:]
    assert [row.split("|")[0] for row in rows] == ["1", "2", "3"]
    assert "Leeds" not in rows[2]


@pytest.mark.parametrize(
    "rows",
    [
        "name Zoe Papadopoulos,city Leeds\nname Jan Kowalski,city York\n",
        "customer Zoe Papadopoulos; city Leeds\ncustomer Jan Kowalski; city York\n",
        "patient Zoe Papadopoulos,doctor Quigley\npatient Jan Kowalski,doctor Imre\n",
        "employee Zoe Papadopoulos | age 41\nemployee Jan Kowalski | age 32\n",
    ],
)
def test_p1_a_first_row_that_says_more_than_its_columns_is_searched(rows: str) -> None:
    assert "Papadopoulos" not in Engine().redact_text(rows).text


def test_columns_of_words_that_no_field_is_named_by_keep_their_names() -> None:
    said = "Customer Segment,Phone Number,E-mail Opt-in\nretail,+44 7700 900 514,yes\n"
    assert Engine().redact_text(said).text.startswith("Customer Segment,Phone Number,E-mail Opt-in\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_p1_in_rows_of_a_field_and_its_value_each_is_named_by_its_own(delimiter: str) -> None:
    fields = [("user", "ostrich_pilot"), ("last_name", "Lam"), ("city", "Leeds"), ("mail", "lam@lamtour.vn")]
    said = "\n".join(delimiter.join(field) for field in fields)
    redacted = [line.split(delimiter) for line in Engine().redact_text(said).text.splitlines()]
    assert [name for name, _ in redacted] == [name for name, _ in fields]
    assert all(value.startswith("<") for _, value in redacted)


@pytest.mark.parametrize("language", ["csv", "tsv"])
@pytest.mark.parametrize("beside", ["...\n", "# the others\n", "4\n"])
def test_p1_a_fence_of_a_table_is_no_code_where_a_line_in_it_is_no_row(
    engine: Engine, language: str, beside: str
) -> None:
    table = rows(
        "\t" if language == "tsv" else ",",
        "id,name,born,code".replace(",", "\t" if language == "tsv" else ","),
    )
    for said in (f"{table}\n{beside}", table.replace("\n", f"\n{beside}\n", 1)):
        now = engine.redact_text(f"```{language}\n{said}```\n").text
        assert not [one for person in PEOPLE for one in person if one in now]


LINE = "+------------------+-----+----+\n"
TWO = ["| Anna Kowalski    | 41  | 12 |\n", "| Ben Papadopoulos | 35  | 40 |\n"]
NAMED = "| name             | age | n  |\n"
GRIDS = [
    "".join([NAMED, f"|{LINE[1:-2]}|\n", *TWO]),
    "".join([LINE, NAMED, LINE, *TWO, LINE]),
    "".join([LINE, NAMED, LINE.replace("-", "="), TWO[0], LINE, TWO[1], LINE]),
    "".join([NAMED, LINE, *TWO]).replace("|\n", "\n").replace("\n| ", "\n  ") + "(2 rows)\n",
]


@pytest.mark.parametrize("around", ["{}", "mysql> select * from people;\n{}\nwhy?", "```\n{}```"])
@pytest.mark.parametrize("table", GRIDS)
def test_p1_columns_of_a_grid_are_named_by_their_header(engine: Engine, table: str, around: str) -> None:
    redacted = engine.redact_text(around.format(table))
    assert not re.search(r"Anna|Kowalski|Ben|Papa|41|35", redacted.text)
    assert "12" in redacted.text
    assert "40" in redacted.text
    assert redacted.text.count("|") == around.format(table).count("|")
    assert redacted.restore(redacted.text) == around.format(table)


@pytest.mark.parametrize(
    "said",
    [
        "<users><user><name>Anna O&#x27;Brien</name></user></users>",
        "name: Anna O'Brien",
        '<call>\n{"ssn": "166-60-9726", "name": "Anna Gallagher"}\n</call>',
    ],
)
def test_p1_of_a_name_under_its_label_no_part_is_left(said: str) -> None:
    assert not re.search("Anna|Brien|Gallagher", Engine().redact_text(said).text)


ROWS = [("Zofia Lis", "mango7", "4711"), ("Jan Lis", "thistle", "4713")]
ROW = "<tr><td>{}</td><td>{}</td><td><b>{}</b></td><td>17</td></tr>"
PAGE = f"<table><tr><th>Name</th><th>Username</th><th>PIN</th><th>Size</th></tr>{ROW}{ROW}</table>"


@pytest.mark.parametrize(
    "page",
    [
        PAGE.format(*ROWS[0], *ROWS[1]),
        "<p>x</p><table><tr><th>PIN</th><td>4711</td></tr><tr><th>Username</th><td>mango7</td></tr></table>",
        "<table><tr><td>PIN:</td><td>4711</td></tr><tr><td>Username</td><td>mango7</td></tr></table>",
        "<dl><dt>Username</dt><dd>mango7</dd><dt>Version</dt><dd>17</dd><dt>PIN</dt><dd>4711</dd></dl>",
        '<table><tr><th colspan="2">A</th><th>PIN</th></tr><tr><td>a</td><td/><td>4711</td></tr></table>',
    ],
    ids=["columns", "rows", "pairs", "list", "spans"],
)
def test_p1_a_cell_of_html_is_named_by_the_head_of_its_column_or_row(engine: Engine, page: str) -> None:
    redacted = engine.redact_text(page)
    assert not re.findall(r"Lis|mango7|thistle|4711|4713", redacted.text)
    assert re.findall(r">17<", redacted.text) == re.findall(r">17<", page)
    assert redacted.restore(redacted.text) == page


def test_cells_of_html_that_name_no_field_and_what_follows_a_table_stay(engine: Engine) -> None:
    for page in (
        "<table><tr><th>PIN</th><th>Wire</th></tr><tr><td>vcc</td><td>4711</td></tr></table><p>4711</p>",
        "<table><tr><th>Module</th><th>Lines</th></tr><tr><td>json.py</td><td>4711</td></tr></table>",
        "<dl><dt>Version</dt><dd>4711</dd><dt>Build</dt><dd>4711</dd></dl>",
    ):
        assert engine.redact_text(page).text == page
