"""Passwords that are plain words, and what only says how a password is; ids of records, moments, cursors."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("word", ["dragon", "football", "iloveyou", "princess", "shadow", "banana", "fluffy"])
@pytest.mark.parametrize(
    "text",
    [
        "Password: {}",
        "password = {}",
        "my password is {}",
        "My password is {}, please change it.",
        "the wifi password is {}",
        "mot de passe : {}",
        "Passwort: {}",
        "Username: bob\nPassword: {}\n",
        '{{"user": "jdoe", "password": "{}"}}',
        "user,password\nbob,{}",
        "my password is {} lol",
        "my wifi password is {} btw, come over",
        "minha senha é {}",
        "Mein Passwort lautet {}.",
    ],
)
def test_a_password_is_found_though_it_is_a_plain_word(engine: Engine, text: str, word: str) -> None:
    assert word not in engine.redact_text(text.format(word)).text


@pytest.mark.parametrize(
    "text",
    [
        "Password: required",
        "password: string",
        "my password is wrong",
        "my password is not working",
        "my password is being rejected",
        "The password is incorrect",
        "password is too short",
        "Password: must be 8 characters",
        "my password is case sensitive",
        "my password is wrong lol",
        "minha senha é inválida",
        "is my password secure",
        "the password is stored hashed",
        "what the password is tells nobody",
        "Passwort: falsch",
        '{"field": "password", "label": "Password"}',
        '{"password": "string", "type": "text"}',
        "password reset link",
        '{"next_token": "eyJwYWdlIjoyfQ==", "items": []}',
        'pad_token="[PAD]", eos_token="</s>"',
        '{"id": "10023456", "status": "shipped"}',
        "id,status\n10023456,shipped",
        "k = [1710000000, 1710000060, 1710000120]",
        "[1710000000000, 1710000060000]",
    ],
)
def test_what_is_no_secret_and_nobodys_number_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("text", ["my id is 12345678", "ID: 12345678", '{"national_id": "12345678"}'])
def test_an_id_that_somebody_gives_is_found(engine: Engine, text: str) -> None:
    assert "12345678" not in engine.redact_text(text).text


def test_a_token_has_its_word_before_it_in_one(engine: Engine) -> None:
    text = "//registry.npmjs.org/:_authToken=6f1e4ad0-8b5c-4c3f-9f0a-1a2b3c4d5e6f"
    assert "6f1e4ad0" not in engine.redact_text(text).text


@pytest.mark.parametrize(
    "said",
    [
        'command: ["redis-server", "--requirepass", "{}", "--port", "6379"]',
        '{{"cmd": ["mysqldump", "--user", "app", "--db-password", "{}", "shop"]}}',
        '```yaml\nservices:\n  db:\n    command: ["redis-server", "--requirepass", "{}"]\n```',
        '```hcl\nvariable "db_password" {{\n  type        = string\n  default     = "{}"\n}}\n```',
    ],
)
def test_p1_a_password_is_told_by_the_option_or_the_block_that_it_stands_in(
    engine: Engine, said: str
) -> None:
    assert engine.redact_text(said.format("mondLicht_88x")).text == said.format("<SECRET_1>")


@pytest.mark.parametrize(
    "said",
    [
        '["app", "--pass-through", "yes", "--port", "6379"]',
        '```hcl\nvariable "region" {\n  default = "eu-west-1"\n}\nvariable "password" {\n}\n```',
        '```hcl\nvariable "db_password" {\n  default = "changeme"\n}\n```',
    ],
)
def test_what_other_options_and_blocks_are_set_to_stays(engine: Engine, said: str) -> None:
    assert engine.redact_text(said).text == said
