"""What was valid stays valid, by the parser of each format, whatever operator writes there."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import tomllib
from xml.etree import ElementTree as ET

import pytest
import yaml

from vault.redaction.engine import Engine
from vault.redaction.operators import OPERATORS
from vault.redaction.settings import Redaction

KINDS = (
    "PERSON EMAIL_ADDRESS PHONE_NUMBER SECRET CREDIT_CARD IP_ADDRESS DATE_OF_BIRTH USERNAME BANK_ACCOUNT AGE"
)
PYTHON = """
def find():
    user = User(first_name="Anna", email="anna.kowalski@web.de", phone='+44 20 7946 0018', pin=4711)
    login = {'password': "mango-42-tree", 'pin': 4712, "card": "4539578763621486"}  # pin: 4711
    return connect(user, account_number=31926819), ["pin: 4711, pin=4712"]
"""
SCRIPT = """
const user = { email: 'anna.kowalski@web.de', phone: "+44 20 7946 0018", pin: 4711, password: `mango-42` };
function find() {
  return login(user, { pin: 4712 });
}
"""
SETTINGS = """name = "Anna Kowalski"
email = "anna.kowalski@web.de"
pin = 4711
date_of_birth = 1987-05-03
password = "mango-42-tree"
"""
KEYS = """name: Anna Kowalski
email: anna.kowalski@web.de
phone: +44 20 7946 0018
password: mango-42-tree
"""


def redacted(operator: str, text: str) -> str:
    engine = Engine(Redaction(entities=dict.fromkeys(KINDS.split(), operator)))
    return engine.redact_text(text).text


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("around", ["{}", "look:\n```python\n{}```\n"])
def test_numbers_in_code_become_strings_and_it_stays_code(operator: str, around: str) -> None:
    said = redacted(operator, around.format(PYTHON)).removeprefix("look:\n```python\n").removesuffix("```\n")
    assert (said == PYTHON) is (operator == "keep")
    ast.parse(said)


@pytest.mark.skipif(not shutil.which("node"), reason="no node to read it with")
@pytest.mark.parametrize("operator", OPERATORS)
def test_a_script_stays_a_script(operator: str) -> None:
    said = redacted(operator, SCRIPT)
    assert (said == SCRIPT) is (operator == "keep")
    subprocess.run(["node", "--check", "-"], input=said, text=True, check=True, timeout=30)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("section", ["", "[user]\n"])
def test_toml_stays_toml_with_a_section_and_without(operator: str, section: str) -> None:
    said = redacted(operator, section + SETTINGS)
    assert (said == section + SETTINGS) is (operator == "keep")
    tomllib.loads(said)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("around", ["{}", "---\n{}", "```yaml\n{}```\n"])
def test_yaml_stays_yaml(operator: str, around: str) -> None:
    said = redacted(operator, around.format(KEYS))
    assert (said == around.format(KEYS)) is (operator == "keep")
    assert [*yaml.safe_load(said.strip("`\n").removeprefix("yaml"))] == ["name", "email", "phone", "password"]


def test_an_invented_day_is_a_day() -> None:
    for said in ("1987-05-03", "31.12.1960", "7/9/1991"):
        found = redacted("surrogate", f"my date of birth is {said}").removeprefix("my date of birth is ")
        assert found != said
        assert len(found) == len(said)
        parts = sorted(map(int, re.findall(r"\d+", found)))
        assert parts[0] in range(1, 13)
        assert parts[1] in range(1, 13)
        assert parts[2] in range(1930, 2000)


def test_what_code_is_restored_to_has_its_numbers() -> None:
    once = Engine().redact_text("```python\nuser = User(pin=4711, account_number=31926819)\n```\n")
    assert "4711" not in once.text
    assert once.restore(once.text) == "```python\nuser = User(pin=4711, account_number=31926819)\n```\n"


SAID = json.dumps({"name": "Anna Kowalski", "pin": 4711, "mail": "anna.kowalski@web.de"})
LINES = json.dumps(json.loads(SAID), indent=2)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    "element",
    [
        f"<m><payload>{SAID}</payload></m>",
        f'<m><payload kind="a">\n{LINES}\n</payload></m>',
        f"<m><payload x='{SAID}'>a</payload></m>",
        f"<m><payload><![CDATA[{SAID}]]></payload></m>",
    ],
    ids=["raw", "lines", "attribute", "cdata"],
)
def test_json_in_an_element_among_words_is_written_as_xml_has_it(element: str, operator: str) -> None:
    around = "That is what came:\n\n{}\n\nPlease look at it.\n"
    said = redacted(operator, around.format(element)).removeprefix("That is what came:\n\n")
    assert (said in around.format(element)) is (operator == "keep")
    [payload] = ET.fromstring(said.removesuffix("\n\nPlease look at it.\n"))
    assert [*json.loads(payload.get("x") or payload.text or "")] == ["name", "pin", "mail"]
