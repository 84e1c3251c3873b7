"""Users and passwords that code hands over or types, and the fields that are only named so."""

from __future__ import annotations

import pytest
from timing import quickest

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    "code",
    [
        'u = authenticate(username="m.oduya", password="Blau-Wal-77")',
        'conn = psycopg2.connect(host="db", user="m.oduya", password="Blau-Wal-77")',
        "const c = { username: 'm.oduya', password: 'Blau-Wal-77', host: 'db' }",
        'USERNAME = "m.oduya"\nPASSWORD = "Blau-Wal-77"',
        'props.setProperty("user", "m.oduya");\nprops.setProperty("password", "Blau-Wal-77");',
        'd.find(By.ID, "user").send_keys("m.oduya")\nd.find(By.ID, "pass").send_keys("Blau-Wal-77")',
        "page.fill('#username', 'm.oduya')\npage.fill('#password', 'Blau-Wal-77')",
        "cy.get('#login').type('m.oduya')\ncy.get('input[name=password]').type('Blau-Wal-77')",
        "await page.locator('#pwd-field').fill('Blau-Wal-77')\nawait page.fill('#user', 'm.oduya')",
    ],
)
def test_who_logs_in_and_with_what_is_found_in_code(engine: Engine, code: str) -> None:
    redacted = engine.redact_text(f"```\nimport x\n{code}\nprint(1)\n```").text
    assert "m.oduya" not in redacted
    assert "Blau-Wal" not in redacted


@pytest.mark.parametrize(
    "code",
    [
        'validate("password", "required|min:8")',
        'form.add("username", "Your name")\nform.add("password", "Your password")',
        'user = "alice_w"\nprint(user)',
        'cy.get("#password").should("have.value", "")',
        "page.fill('#password', process.env.PASSWORD)",
        'getattr(args, "user", "nobody")\nsetattr(args, "password", None)',
        'labels = {"user": "users_total", "password": "password"}',
    ],
)
def test_fields_of_logins_that_hold_nothing_stay(engine: Engine, code: str) -> None:
    text = f"```\nimport x\n{code}\nprint(1)\n```"
    assert engine.redact_text(text).text == text


@pytest.mark.wide
@pytest.mark.parametrize("said", ['user="ab" ', 'pass"', "password'].", 'user="a', "pwd-field')   .  "])
def test_logins_without_an_end_take_linear_time(said: str) -> None:
    patterns = Patterns()
    patterns.find("user='x'", code=True)
    assert quickest(lambda: patterns.find(said * 10_000, code=True), 2) < 2
