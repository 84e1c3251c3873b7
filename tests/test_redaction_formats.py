"""Formats that say what a value is: XML of one's own, vCards, TOML, the query of an address; still valid."""

from __future__ import annotations

import html
import json
import re
import tomllib

import pytest
import yaml
from timing import quickest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (
            '<user><address street="14 Rosebank Avenue" city="Leeds" postcode="LS6 2BQ"/></user>',
            "Rosebank Leeds LS6",
        ),
        ('<order><name first="Paz" last="Hargreaves"/></order>', "Paz Hargreaves"),
        ('<orders><contact given="Lua" family="Ramos" phone="07700 900123"/></orders>', "Lua Ramos"),
        ('<hosts><host mac="dd:d0:d7:3e:be:5b" n="4"/></hosts>', "dd:d0 be:5b"),
        ('<log><time by="Anna Webb">10:31</time><tel>07700 900123</tel></log>', "Anna Webb"),
    ],
)
def test_p1_attributes_are_read_where_a_document_is_none_of_html(
    engine: Engine, text: str, gone: str
) -> None:
    now = engine.redact_text(text).text
    assert not [word for word in gone.split() if word in now]
    assert now.count("<") == text.count("<")


@pytest.mark.parametrize(
    "text",
    [
        '<p>x</p><address class="first last" title="ok">y</address>',
        '<page first="1" last="10" name="index"/>',
        '<div first="Paz">ok</div>',
    ],
)
def test_attributes_that_name_nobody_stay(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "script", ["call('{}')", "window.open('tel:{}')", "location.href = &quot;tel:{}&quot;"]
)
def test_p1_a_number_that_a_page_calls_in_a_script_goes(engine: Engine, script: str) -> None:
    page = f'<p>x</p><a href="#" onclick="{script.format("+442079460018")}">call us</a>'
    now = engine.redact_text(page)
    assert "7946" not in now.text
    assert html.unescape(now.restore(now.text)) == html.unescape(page)
    other = "<p>x</p><button onclick=\"openPage('userForm', 4711, 'Anna')\">go</button>"
    assert engine.redact_text(other).text == other


def test_a_comment_keeps_its_spaces(engine: Engine) -> None:
    text = "<div><!-- entered by Tamsin Hargreaves --><p>Call me on 07700 900123</p></div>"
    redacted = engine.redact_text(text)
    assert "<!-- entered by <PERSON_1> -->" in redacted.text
    assert redacted.restore(redacted.text) == text


@pytest.mark.parametrize("born", ["1977-01-30", "1977-01-30T07:32:00-08:00"])
def test_what_stands_for_a_day_or_a_number_of_toml_is_a_string(engine: Engine, born: str) -> None:
    now = engine.redact_text(f'[user]\nname = "Anna Webb"\ndob = {born}\npin = 4821\nlevel = 3\n').text
    assert tomllib.loads(now)["user"] == {
        "name": "<PERSON_1>",
        "dob": "<DATE_OF_BIRTH_1>",
        "pin": "<SECRET_1>",
        "level": 3,
    }


@pytest.mark.parametrize(
    ("said", "now"),
    [
        (
            '{ tel = ["020 7946 0018", "06 39 98 41 22"], age = 34 } # theirs',
            '{ tel = ["<PHONE_NUMBER_1>", "<PHONE_NUMBER_2>"], age = "<AGE_1>" } # theirs',
        ),
        (
            '[{ tier = "basic", pins = [4821, 7733] }, { tags = [], ssn = ["157-26-6930"] }]',
            '[{ tier = "basic", pins = ["<SECRET_1>", "<SECRET_2>"] }, { tags = [], ssn = ["<US_SSN_1>"] }]',
        ),
    ],
)
@pytest.mark.parametrize("around", ["[team]\nuser = {}\nlevel = 3\n", "```toml\nuser = {}\n```"])
def test_numbers_beside_a_list_in_a_table_of_toml_are_strings(
    engine: Engine, around: str, said: str, now: str
) -> None:
    assert engine.redact_text(around.format(said)).text == around.format(now)


def test_a_vcard_keeps_its_properties_and_parts(engine: Engine) -> None:
    card = (
        "BEGIN:VCARD\nVERSION:3.0\nN;CHARSET=UTF-8:Hargreaves;Tamsin;;;\nFN:Tamsin Hargreaves\n"
        "BDAY:1977-01-30\nitem1.TEL;TYPE=CELL:+447700900123\nUID:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\nEND:VCARD"
    )
    assert engine.redact_text(card).text == (
        "BEGIN:VCARD\nVERSION:3.0\nN;CHARSET=UTF-8:<PERSON_1>;<PERSON_2>;;;\nFN:<PERSON_3>\n"
        "BDAY:<DATE_OF_BIRTH_1>\nitem1.TEL;TYPE=CELL:<PHONE_NUMBER_1>\n"
        "UID:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\nEND:VCARD"
    )


@pytest.mark.parametrize(
    ("query", "gone"),
    [
        (
            "name=Cordelia+Vance&email=c.vance%40web.de&address=7+Mill+Close%2C+Bath&card=4539578763621486",
            "Cordelia Vance Mill Close",
        ),
        ("nombre=Juan%20P%C3%A9rez&direccion=Calle+Mayor+12", "Juan rez Mayor"),
        ("strasse=Musterweg+3&name=Anke+Wurst", "Musterweg Anke Wurst"),
        ("q=1&name=Andr%C3%A9+%C3%85kesson", "Andr kesson"),
        ("q=1&name=Андрей+Åkesson", "Андрей kesson"),
        ("license_plate=NB37+YSH&q=1", "NB37 YSH"),
        ("license_plate=ysh%2037a", "ysh 37a"),
        ("order=88121&phone=%2B44+7911+123846&dob=1984-03-17", "7911 123846 1984"),
        ("mobile_number=%28415%29%20555-0172&birth_date=17%2F03%2F1984&n=2", "415 0172 1984"),
    ],
)
@pytest.mark.parametrize("host", ["https://shop.example.com/pay", "GET http://localhost:8080/u", "see /find"])
def test_p1_a_name_in_the_query_of_anybodys_host_is_found(
    engine: Engine, host: str, query: str, gone: str
) -> None:
    now = engine.redact_text(f"{host}?{query}").text
    assert not [word for word in gone.split() if word in now]


@pytest.mark.parametrize(
    "query",
    ["name=foo&sort=asc", "hostname=db1", "filename=a+b.txt", "page=2", "headphone=1234567", "tel=on"],
)
def test_a_query_for_no_person_stays(engine: Engine, query: str) -> None:
    text = f'curl "http://localhost:3000/items?{query}"'
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "said",
    [
        "```yaml\n{{plan: basic,\n  phone: {0}, email: '{1}',\n  tier: gold}}\n```",
        "```yaml\nusers: [{{plan: a,\n  phone: {0}}}, {{plan: b,\n  email: '{1}'}}]\n```",
    ],
)
def test_yaml_in_braces_stays_yaml(engine: Engine, said: str) -> None:
    text = said.format("020 7946 0018", "anna@webb-mail.org")
    assert engine.redact_text(text).text == said.format("<PHONE_NUMBER_1>", "<EMAIL_ADDRESS_1>")


@pytest.mark.parametrize("fence", ["{}", "```yaml\n{}```"])
def test_aliases_of_yaml_stay_and_what_only_looks_like_one_does_not(engine: Engine, fence: str) -> None:
    text = fence.replace(
        "{}",
        "- license_plate: NB59 WTG\n  tags: &id001 [blue, large]\n- license_plate: LA16 YTG\n  tags: *id001\n"
        "  password: *id001\n  ssn: 166-60-9726\n  near: {a: *id001, b: [*id001]}\n",
    )
    now = engine.redact_text(text).text
    assert not re.search("NB59|YTG|9726", now)
    read = yaml.safe_load(now.strip("`").removeprefix("yaml"))[1]
    assert read["tags"] == read["password"] == read["near"]["a"] == ["blue", "large"]
    assert "7001x" not in engine.redact_text(text.replace("word: *id001", "word: *Id7001x")).text


def test_what_toml_would_not_take_for_a_number_needs_no_quotes(engine: Engine) -> None:
    said = "[user]\nplan = basic\nssn = 157-26-6930\nphone = 06 39 98 41 22\npin = 4821\n"
    now = '[user]\nplan = basic\nssn = <US_SSN_1>\nphone = <PHONE_NUMBER_1>\npin = "<SECRET_1>"\n'
    assert engine.redact_text(said).text == now


@pytest.mark.parametrize(
    "before",
    [
        "Here's my config: ",
        "the answer was ",
        "POST /users ",
        "2026-11-23 10:00:00 INFO response ",
        "curl -X POST https://api.example.com/users -d '",
        "Here it is:\n",
    ],
)
@pytest.mark.parametrize("broken", ["", "    // the others\n", "    ...\n"])
def test_p1_json_of_several_lines_is_no_code_whatever_stands_before_it(
    engine: Engine, before: str, broken: str
) -> None:
    users = [{"phone": "415-867-5309", "of": {"ip": "81.216.13.84"}}, {"ssn": "459-75-7175", "count": 3}]
    first, rest = json.dumps({"users": users, "owner": {"ssn": "162-34-8935"}}, indent=4).split("\n", 1)
    now = engine.redact_text(f"{before}{first}\n{broken}{rest}\n").text
    assert not [one for one in ("867", "81.", "459", "162") if one in now]
    assert '"count": 3' in now
    assert now.startswith(before)


def test_what_opens_a_bracket_in_code_is_code_still(engine: Engine) -> None:
    text = (
        "function total(orders) {\n    if (orders.length) {\n        run({\n            ip: '81.216.13.84',\n"
        "        },\n        );\n    }\n}\n"
    )
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("table", ["users", "logins"])
def test_p1_rows_of_a_statement_are_read_by_its_columns_and_not_as_lines_of_csv(
    engine: Engine, table: str
) -> None:
    words = ["p@ssW0rd#7a", "hunter2!Xa", "Tr0ub4dor&3f", "q8&Zr<1kb"]
    rows = ",\n".join(f"('{word}', {number})" for number, word in enumerate(words))
    now = engine.redact_text(f"INSERT INTO {table} (password, level) VALUES\n{rows};\n").text
    expected = ",\n".join(f"('<SECRET_{number + 1}>', {number})" for number in range(len(words)))
    assert now == f"INSERT INTO {table} (password, level) VALUES\n{expected};\n"


def test_numbers_in_a_table_of_toml_on_one_line_become_strings(engine: Engine) -> None:
    text = (
        '[team]\nlead = { name = "Anna Webb", age = 34, level = 3 }\n'
        'all = [{ name = "Jan Kowalski", tel = "415-867-5309" }, { name = \'Bo Lindqvist\', age = 35 }]\n'
    )
    found = tomllib.loads(engine.redact_text(text).text)["team"]
    assert found["lead"] == {"name": "<PERSON_1>", "age": "<AGE_1>", "level": 3}
    assert found["all"][0] == {"name": "<PERSON_2>", "tel": "<PHONE_NUMBER_1>"}
    assert found["all"][1]["age"] == "<AGE_2>"


FORM = "pin=1420&ssn=249-42-1121&user[mail]=anna%40webb-mail.org&name=Zoe+Papadopoulos&q=shipped+on+time&n=5"
WITHOUT = "pin=<SECRET_1>&ssn=<US_SSN_1>&user[mail]=<EMAIL_ADDRESS_1>&name=<PERSON_1>&q=shipped+on+time&n=5"


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "POST /users HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\n{}\n",
        "```http\nPOST /users HTTP/1.1\n\n{}\n```",
        "```\n{}\n```",
        "curl -d '{}' http://localhost:8080/users",
        'Then run curl --data-raw "{}" http://localhost:8080/users and look.',
        '{{"method": "POST", "body": "{}"}}',
    ],
)
def test_each_field_of_a_form_as_it_is_sent_is_a_value_of_its_own(engine: Engine, around: str) -> None:
    redacted = engine.redact_text(around.format(FORM))
    assert redacted.text == around.format(WITHOUT)
    assert redacted.restore(redacted.text) == around.format(FORM)


@pytest.mark.parametrize("said", ["host=db1\npassword={}\n", "DB_PASSWORD={}"])
def test_a_secret_with_an_ampersand_is_one_among_settings(engine: Engine, said: str) -> None:
    assert engine.redact_text(said.format("xK9vw3Lq&Tz8=pR2m")).text == said.format("<SECRET_1>")


def test_what_was_found_in_a_form_that_is_not_encoded_is_put_back_as_it_was(engine: Engine) -> None:
    said = "user=some body&pin=4821&q=5"
    redacted = engine.redact_text(said)
    assert redacted.text == "user=some body&pin=<SECRET_1>"
    assert redacted.restore(redacted.text) == said


def test_fields_that_tell_nothing_stay_in_a_form(engine: Engine) -> None:
    said = "grant_type=password&password=hunter22&scope=read+write&client_id=web"
    assert engine.redact_text(said).text == said.replace("hunter22", "<SECRET_1>")


def test_p1_each_part_of_a_form_is_named_by_its_head(engine: Engine) -> None:
    fields = {
        "pin": "7391",
        "user[age]": "41",
        "note": "see below",
        "n": "12",
        "data": '{"pin": 5504, "n": 3}',
    }
    sign = "------WebKitFormBoundary7MA4YWxkTrZu0gW"
    parts = [
        f'{sign}\nContent-Disposition: form-data; name="{key}"\n\n{said}\n' for key, said in fields.items()
    ]
    head = f"POST /u HTTP/1.1\nContent-Type: multipart/form-data; boundary={sign[2:]}\n\n"
    form = f"{head}{''.join(parts)}{sign}--\n"
    for around in ("{}", "```http\n{}```", "```\n{}```"):
        redacted = engine.redact_text(around.format(form))
        assert re.findall(r"\n\n(.*)\n--", redacted.text)[-5:] == [
            "<SECRET_1>", "<AGE_1>", "see below", "12", '{"pin": "<SECRET_2>", "n": 3}',
        ]  # fmt: skip
        assert redacted.restore(redacted.text).replace('"5504"', "5504") == around.format(form)


@pytest.mark.parametrize(
    "said",
    [
        '{{"x": [{{"name": "password", "value": "{0}"}}, {{"name": "pin", "value": {1}}}, {{"value": 12}}]}}',
        '{{"x": [{{"key": "user_password", "of": "a", "value": "{0}"}}, {{"key": "pin", "value": {1}}}]}}',
        "env:\n- name: ADMIN_PASSWORD\n  value: {0}\n- name: PIN\n  value: {1}\n- name: LEVEL\n  value: 3\n",
        "```yaml\nenv:\n  - name: 'ADMIN_PASSWORD'\n    value: {0}\n  - name: PIN\n    value: {1}\n```",
    ],
)
def test_p1_a_pair_of_a_name_and_a_value_is_a_field(engine: Engine, said: str) -> None:
    redacted = engine.redact_text(said.format("hunterforest", 7391)).text.replace(
        '"<SECRET_2>"', "<SECRET_2>"
    )
    assert redacted == said.format("<SECRET_1>", "<SECRET_2>")


def test_what_a_name_does_not_tell_of_stays_in_a_pair(engine: Engine) -> None:
    said = (
        '[{"name": "Blue", "value": 7391}, {"name": "level", "value": "debug"}, {"value": 3, "name": "pin"}]'
    )
    assert engine.redact_text(said).text == said
    nested = '[{"name": "pin", "of": {"value": 7391}}, {"name": "x", "value": 4821}]'
    assert engine.redact_text(nested).text == nested


def test_an_attribute_of_one_long_word_takes_linear_time(engine: Engine) -> None:
    text = f'<foo n="1"><bar baz="{"a" * 50_000}"/></foo>'
    assert quickest(lambda: engine.redact_text(text), 2) < 2
