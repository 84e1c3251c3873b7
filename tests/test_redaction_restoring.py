"""What is put back into HTML and JSON: escaped as it has to be there, and nothing else is changed."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from timing import quickest

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.result import put_back
from vault.redaction.settings import Redaction

ADDRESS = "12 Rose Gardens\nLeeds LS1 4AP"
VALUES = {
    "<PERSON_1>": "Anna Kowalski",
    "<PERSON_2>": 'Bill "Boots" O\'Hara & <Sons>',
    "<ADDRESS_1>": ADDRESS,
    "<SECRET:00ff00ff00ff>": "a\\b",
    "Ada Beck": 'Zoe "Z" Quill',
}
PAGES = [
    "<p>Dear <b>Anna Kowalski</b></p>",
    '<form><input name="fullname" value="Anna Kowalski &amp; Tom Bauer"></form>',
    "<ul><li>Anna Kowalski</li><li>020 7946 0018</li></ul>",
    '<div data-note="&lt;p&gt;my friend Anna Kowalski called&lt;/p&gt;">x</div>',
]


@pytest.mark.wide
@pytest.mark.parametrize("said", PAGES)
def test_html_is_restored_to_what_was_said(tmp_path: Path, said: str) -> None:
    engine = Engine(Redaction(originals=True))
    redacted = engine.redact_text(said)
    assert "Kowalski" not in redacted.text
    assert redacted.restore(redacted.text) == said
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        chat = vault.transcript("u", "s")
        chat.append("user", said)
        stored = str(chat.messages()[-1].content)
        assert chat.restore(stored, purpose="to read") == said


def test_a_value_is_escaped_where_its_placeholder_is() -> None:
    assert put_back('<i title="&lt;PERSON_2&gt;">', VALUES) == (
        '<i title="Bill &quot;Boots&quot; O&#x27;Hara &amp; &lt;Sons&gt;">'
    )
    assert put_back("&amp;lt;PERSON_2&amp;gt;", VALUES).endswith("&amp;amp; &amp;lt;Sons&amp;gt;")
    assert put_back("&lt;PERSON_1&amp;gt; &lt;PERSON_9&gt; &lt;", VALUES) == (
        "&lt;PERSON_1&amp;gt; &lt;PERSON_9&gt; &lt;"
    )
    assert put_back("<PERSON_2> at <ADDRESS_1>", VALUES) == f"{VALUES['<PERSON_2>']} at {ADDRESS}"


def test_a_placeholder_that_html_came_with_stands_for_nobody_else() -> None:
    redacted = Engine().redact_text("<p>&lt;PERSON_1&gt; is a word of <b>Anna Kowalski</b></p>")
    assert redacted.restore(redacted.text) == "<p>&lt;PERSON_1&gt; is a word of <b>Anna Kowalski</b></p>"


def test_json_is_valid_afterwards_and_says_the_values_at_every_depth() -> None:
    inner = {"who": "<PERSON_2> and <PERSON_1>", "by": ["Ada Beck"], "at": "<ADDRESS_1>", "n": 1}
    middle = {"inner": json.dumps(inner), "page": "<p>&lt;PERSON_2&gt;</p>", "none": "<PERSON_9>"}
    text = json.dumps({"middle": json.dumps(middle), "<PERSON_1>": "<SECRET:00ff00ff00ff>"}, indent=2)
    said = json.loads(put_back(text, VALUES))
    assert said["Anna Kowalski"] == "a\\b"
    middle_said = json.loads(said["middle"])
    assert middle_said["none"] == "<PERSON_9>"
    assert middle_said["page"] == "<p>Bill &quot;Boots&quot; O&#x27;Hara &amp; &lt;Sons&gt;</p>"
    assert json.loads(middle_said["inner"]) == {
        "who": f"{VALUES['<PERSON_2>']} and Anna Kowalski",
        "by": ['Zoe "Z" Quill'],
        "at": ADDRESS,
        "n": 1,
    }


def test_json_in_a_script_is_restored_as_json_and_the_page_around_it_as_html() -> None:
    page = (
        "<p>&lt;PERSON_2&gt;</p><script type='application/ld+json'>{}</script>"
        "<SCRIPT>var at = '<PERSON_1>'</SCRIPT><i>&lt;PERSON_1&gt;</i>"
    )
    body = json.dumps({"name": "<PERSON_2>", "tag": "<SECRET:00ff00ff0000>", "n": [1]})
    restored = put_back(page.format(body), {**VALUES, "<SECRET:00ff00ff0000>": "</script>"})
    before, _, rest = restored.partition("ld+json'>")
    inside, _, after = rest.partition("</script>")
    assert json.loads(inside) == {"name": VALUES["<PERSON_2>"], "tag": "</script>", "n": [1]}
    assert before.startswith("<p>Bill &quot;Boots&quot;")
    assert after == "<SCRIPT>var at = 'Anna Kowalski'</SCRIPT><i>Anna Kowalski</i>"


@pytest.mark.wide
@pytest.mark.timeout(20)
def test_scripts_without_an_end_are_read_in_linear_time() -> None:
    for said in ("<script json>" * 100_000, "<script json " * 100_000, "<script json>{" * 100_000):
        assert put_back(said, VALUES) == said


def test_json_that_holds_no_placeholder_stays_as_it_is_sign_by_sign() -> None:
    text = '{ "a":"caf\\u00e9 \\/", "b" : [1.0, 2e3, ' + "9" * 5_000 + '], "c":"\\u003cPERSON_1\\u003e" }\n'
    assert put_back(text, VALUES) == text.replace("\\u003cPERSON_1\\u003e", "Anna Kowalski")


def test_what_is_no_json_is_restored_as_text() -> None:
    for said in ['{"address": <ADDRESS_1>}', '{"address": "<ADDRESS_1>"', '["<ADDRESS_1>"] <ADDRESS_1>']:
        assert put_back(said, VALUES) == said.replace("<ADDRESS_1>", ADDRESS)
    assert put_back("[" * 100_000 + "<PERSON_1>", VALUES).endswith("[Anna Kowalski")
    deep = "[" * 100_000 + '"<PERSON_1>"' + "]" * 100_000
    assert '["Anna Kowalski"]' in put_back(deep, VALUES)


@pytest.mark.wide
@pytest.mark.timeout(30)
def test_many_marks_are_put_back_into_many_strings_in_one_go() -> None:
    values = {f"Ada{number} Beck": f'Zoe "{number}"' for number in range(1_000)}
    text = json.dumps([[mark, "&lt;" * 20] for mark in values for _ in range(10)])
    assert json.loads(put_back(text, values))[-1][0] == 'Zoe "999"'


@pytest.mark.parametrize(
    "table",
    [
        'name,address\nAnna,"12 Larch St, Apt 4, Oakland, CA 94607"\n',
        'name;note\nAnna;"call ""Annie"" Webb; 020 7946 0018"\r\n',
        'name\tphone\n"Anna Webb"\t"020 7946 0018"\n',
    ],
)
def test_cells_in_quotes_keep_them_and_are_put_back_as_they_were(table: str) -> None:
    redacted = Engine().redact_text(table)
    assert redacted.text != table
    assert redacted.restore(redacted.text) == table
    assert redacted.text.count('"') >= 2


@pytest.mark.parametrize(
    ("said", "restored"),
    [
        ('x,"<PERSON_2>",1', 'x,"Bill ""Boots"" O\'Hara & <Sons>",1'),
        ('name = "<PERSON_2>"', 'name = "Bill \\"Boots\\" O\'Hara & <Sons>"'),
        ("- name: '<PERSON_2>'", "- name: 'Bill \"Boots\" O''Hara & <Sons>'"),
        ('I met "<PERSON_2>"', 'I met "Bill "Boots" O\'Hara & <Sons>"'),
    ],
)
def test_a_value_is_written_for_the_quotes_it_is_put_back_into(said: str, restored: str) -> None:
    assert put_back(said, VALUES) == restored


@pytest.mark.parametrize(
    "setting",
    [
        '[user]\nphone = "José \\"Pepe\\" Núñez"\n',
        "user:\n  name: 'Siobhan O''Connell'\n",
        'notes:\n  first: "met Ottoline\\nBrand"\n',
        "```yaml\nusers:\n- 'name': 'Siobhan O''Connell'\n```",
        '```yaml\nuser:\n  "full name": "Anna \\"W\\" Webb"\n  ssn: 616-41-7328\n```',
    ],
)
def test_settings_are_put_back_with_their_escapes(setting: str) -> None:
    redacted = Engine().redact_text(setting)
    assert redacted.text != setting
    assert redacted.restore(redacted.text) == setting


@pytest.mark.parametrize(
    "around",
    [
        "{0}\n{0}",
        "2026-03-04T10:11:12Z web[71]: {0}",
        "Here you are:\n\n```json\n{0}\n```\nAnything else?",
        "the body was {0} and it failed",
        "cat > u.json <<'EOF'\n{0}\nEOF",
    ],
)
@pytest.mark.parametrize("value", ['Dwayne "Dee" Oyelaran', "CORP\\9sean", "12 Rose Gardens\nLeeds LS1 4AP"])
def test_json_among_other_words_stays_json(around: str, value: str) -> None:
    body = json.dumps({"id": 7, "who": "<PERSON_1>", "more": ["<PERSON_1>", json.dumps({"a": "<PERSON_1>"})]})
    found = put_back(around.format(body), {"<PERSON_1>": value})
    said = json.loads(found[found.index("{") : found.rindex("]}") + 2].split("\n")[0])
    assert said["who"] == said["more"][0] == json.loads(said["more"][1])["a"] == value


@pytest.mark.parametrize("around", ["{0}\n{0}", "2026-03-04T10:11:12Z web[71]: {0}", "```json\n{0}\n```"])
@pytest.mark.parametrize("said", ["kept\\nas it is, ana@example.org", "C:\\new\\bin \ufdd0 ana@example.org"])
def test_backslashes_of_json_among_other_words_stay(around: str, said: str) -> None:
    text = around.format(json.dumps({"id": 7, "said": said}))
    redacted = Engine().redact_text(text)
    assert "ana@" not in redacted.text
    body = redacted.restore(redacted.text).split("\n")[-2 if "```" in around else -1]
    assert json.loads(body[body.index("{") :]) == {"id": 7, "said": said}


def test_what_was_found_in_code_is_put_back_as_it_was_written() -> None:
    said = 'login = {"user": "x", "password": "<SECRET_1>"}\nstart(login)'
    assert put_back(said, {"<SECRET_1>": 'a\\"b'}) == said.replace("<SECRET_1>", 'a\\"b')


def test_a_setting_of_the_shell_is_put_back_as_it_was_written() -> None:
    said = 'PORT=1\nDB_PASSWORD="rook42\\$HOME`x"\nMODE=a\n'
    redacted = Engine().redact_text(said)
    assert "rook42" not in redacted.text
    assert redacted.restore(redacted.text) == said


@pytest.mark.parametrize(
    "said",
    [
        'PORT=1\nexport MAIL_PASSWORD="kite\\"42 w0rd!q"\nMODE=a\n',
        "login(\n    user='x',\n    password='ki\\'te\"42w0',\n)\n",
        "[user]\nplan = basic\nssn = 157-26-6930\nphone = 06 39 98 41 22\n",
        "[user]\nplan = basic\ncard_number = 5169 3849 3739 6400\n",
        'curl -s https://api.shop.test/v1 -d \'{"name": "Ailbhe O\'\\\'\'Hanlon", "plan": "a"}\' | jq .\n',
    ],
)
def test_what_was_redacted_is_put_back_as_it_was(said: str) -> None:
    redacted = Engine().redact_text(said)
    assert redacted.text != said
    assert redacted.restore(redacted.text) == said
    assert redacted.text.count("'") == said.replace("'\\''", "").replace("\\'", "").count("'")


def _cell(said: str) -> str:
    return '"' + said.replace('"', '""') + '"'


NUMBERS = '{"pin": 4711, "account_number": 12345678, "age": 34, "note": "x"}'


@pytest.mark.parametrize(
    "said",
    [
        NUMBERS,
        f"the answer is {NUMBERS} as you asked",
        json.dumps({"arguments": NUMBERS}),
        f"id,payload,day\n1,{_cell(NUMBERS)},today\n2,{_cell(NUMBERS)},today\n",
        f"<m><payload>{NUMBERS}</payload></m>",
        f'<m payload="{html.escape(NUMBERS)}"/>',
        "[user]\npin = 4711\nborn = 1987-05-03\n",
        "```toml\n[user]\npin = 4711\nborn = 1987-05-03\n```\n",
        "INSERT INTO users (id, pin, age) VALUES (1, 4711, 34);\nUPDATE users SET pin = 4711 WHERE id = 1;\n",
        "```sql\nSELECT * FROM users WHERE pin = 4711 AND age = 34;\n```\n",
    ],
    ids=["json", "amid", "deep", "csv", "xml", "attribute", "toml", "fence", "sql", "select"],
)
def test_what_had_no_quotes_is_put_back_without_them(tmp_path: Path, said: str) -> None:
    engine = Engine(Redaction(originals=True))
    redacted = engine.redact_text(said)
    assert "4711" not in redacted.text
    assert redacted.restore(redacted.text).replace("&quot;", '"') == said.replace("&quot;", '"')
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        chat = vault.transcript("u", "s")
        chat.append("user", said)
        stored = str(chat.messages()[-1].content)
        assert chat.restore(stored, purpose="to read").replace("&quot;", '"') == said.replace("&quot;", '"')


def test_a_value_that_is_written_with_quotes_and_without_keeps_its_quotes() -> None:
    redacted = Engine().redact_text('{"pin": 4711, "old_pin": "4711", "password": "4712"}')
    assert json.loads(redacted.restore(redacted.text)) == {
        "pin": "4711",
        "old_pin": "4711",
        "password": "4712",
    }


def test_marks_in_quotes_are_put_back_once_each_however_many_there_are() -> None:
    values = {f"<SECRET_{at}>": str(at) for at in range(20_000)}
    values |= {f'"{mark}"': value for mark, value in values.items()}
    said = " ".join(f'x = "{mark}"' for mark in values if mark[0] == "<")
    restored = put_back(said, values)
    assert restored == " ".join(f"x = {at}" for at in range(20_000))
    assert quickest(lambda: put_back(said, values), 1.5) < 1.5
