"""Fields of persons in code: what they are set to goes, and what only looks like one stays."""

from __future__ import annotations

import ast
import re

import pytest
from timing import quickest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


PYTHON = (
    "people = [\n    {'name': 'Itzel Barrientos', 'phone': '+52 55 4821 9036'},\n]\n\n"
    "def load(path):\n    return Customer(id=17, first_name='Itzel', last_name='Barrientos',\n"
    "        dob='1996-07-29',\n"
    "        address='48 Larkspur Crescent, Leeds', ssn='601-48-2219', passport_no='G28174630')\n"
)
SCRIPT = (
    "const user = { firstName: \"Itzel\", lastName: 'Barrientos', phoneNumber: `212-555-0148`, "
    'birthDate: "1996-07-29" };\n'
    "await createUser(user);\n"
)
QUERY = (
    'mutation {\n  createUser(input: {name: "Itzel Barrientos", phone: "+52 55 4821 9036", limit: 10}) '
    "{\n    id\n  }\n}\n"
)
TRACE = (
    'Traceback (most recent call last):\n  File "/srv/app/billing.py", line 88, in charge\n'
    "    gateway.charge(one)\n"
    "    customer = Customer(id=17, name='Itzel Barrientos', phone='+52 55 4821 9036')\n"
    "ValueError: no account\n"
)


@pytest.mark.parametrize("said", [PYTHON, SCRIPT, QUERY, TRACE])
@pytest.mark.parametrize("fence", ["{}", "```\n{}```", "```python\n{}```"])
def test_p1_fields_of_persons_in_code_lose_what_they_are_set_to(
    engine: Engine, said: str, fence: str
) -> None:
    redacted = engine.redact_text(fence.replace("{}", said)).text
    assert not re.search(r"Itzel|Barrientos|4821|0148|1996|Larkspur|2219|2817", redacted)
    if said is PYTHON:
        ast.parse(redacted.strip("`\n").removeprefix("python"))


@pytest.mark.parametrize("name", ['"Niamh O\'Brien"', "'Niamh O\\'Brien'", "`Niamh O'Brien`"])
def test_p1_a_name_holds_quotes_that_are_not_its_own(engine: Engine, name: str) -> None:
    said = f"user = User(\n    name={name},\n    phone='+44 7700 900123',\n)\nuser.save()\n"
    redacted = engine.redact_text(said)
    assert not re.search(r"Niamh|Brien", redacted.text)
    assert redacted.restore(redacted.text) == said


@pytest.mark.parametrize(
    "beside",
    ["card='4111111111111111'", "iban='DE89370400440532013000'", "license_plate='MA53 WSF'"],
)
def test_p1_a_card_an_account_or_a_plate_tells_of_the_person_beside_it(engine: Engine, beside: str) -> None:
    said = f"user = User(\n    name='Declan Dubois',\n    {beside},\n)\nuser.save()\n"
    redacted = engine.redact_text(said).text
    assert re.fullmatch(
        r"user = User\(\n    name='<PERSON_1>',\n    \w+='<[A-Z_]+_1>',\n\)\nuser.save\(\)\n", redacted
    )


@pytest.mark.parametrize("beside", ['username: "lindqvist_891"', 'password: "Tr0ub448!y"'])
def test_p1_who_logs_in_has_a_name(engine: Engine, beside: str) -> None:
    said = f'const users = [\n  {{ name: "Ingrid Lindqvist", {beside}, count: 42 }},\n];\nload(users);\n'
    assert "Ingrid" not in engine.redact_text(said).text


@pytest.mark.parametrize(
    "said",
    [
        'user = User(first_name="First name", last_name="Surname", phone="Phone number")\nsave(user)\n',
        'item = Item(name="Rex Chair", address="127.0.0.1:8000", street="Street 1")\nsave(item)\n',
        'page = Page(name="Anna Karenina", headphone="1234567", tel="on", birth="date")\nsave(page)\n',
        'call(address="0x1f2e3d4c", passport="required", phone=phone, ssn=f"{ssn}")\nsave(page)\n',
        'Source(name="Main Store", username="", password="")\nsave(page)\n',
        'show(name="Anna Karenina", card="card-2", license_plate="required", number_plate="rear")\nsave()\n',
        'listen(host_address="localhost 8080", address="node 3")\nsave(page)\n',
    ],
)
def test_other_fields_keep_what_they_are_set_to(engine: Engine, said: str) -> None:
    assert engine.redact_text(f"```python\n{said}```").text == f"```python\n{said}```"


@pytest.mark.wide
@pytest.mark.parametrize("said", ["name='", 'phone = "1 ', 'a_phone_name: "', "first_name=' Anna Anna "])
def test_fields_without_an_end_take_linear_time(engine: Engine, said: str) -> None:
    text = f"```python\n{said * 10_000}\n```"
    engine.redact_text("```python\nname = 'x'\n```")
    assert quickest(lambda: engine.redact_text(text), 2) < 2
