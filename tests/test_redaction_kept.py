"""What is to be kept hides nothing else: an address of the web may hold a password."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction


def redacted(text: str, *kept: str) -> str:
    return Engine(Redaction(entities=dict.fromkeys(kept, "keep"))).redact_text(text).text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (
            "git clone https://dora:ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/acme/x.git",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        ),
        ("see https://dora:Kestrel!77@x.io/a", "Kestrel!77"),
        ("https://x.io/?token=9a8b7c6d5e4f3a2b1c0d&q=1", "9a8b7c6d5e4f3a2b1c0d"),
        ("https://x.io/cb?code=1&access_token=ya29.a0AfH6SMBx9a8b7c6d5e4f3a2b1c0d", "a0AfH6SMBx9a8b7c6d5e4f"),
        ("https://x.io/?email=anna.k@web.de&q=1", "anna.k@web.de"),
        ("https://x.io/?card=4539578763621486", "4539578763621486"),
    ],
)
def test_p1_a_kept_address_hides_no_secret(text: str, secret: str) -> None:
    shown = redacted(text, "URL")
    assert secret not in shown
    assert shown.partition("/")[0] == text.partition("/")[0]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("psql postgresql://dora:winter-Sun9@db.internal", "winter-Sun9"),
        ("redis://:s3cr3tpw@cache.internal", "s3cr3tpw"),
    ],
)
def test_p1_a_kept_mail_address_hides_no_password(text: str, secret: str) -> None:
    assert secret not in redacted(text, "EMAIL_ADDRESS")


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Our docs are at https://docs-intern.acme.io/anna-kowalski/intro today", "URL"),
        ("call me on 020 7946 0018 today", "PHONE_NUMBER"),
        ("mail anna.kowalski@web.de please", "EMAIL_ADDRESS"),
        ("my SSN is 536-22-8871, I think", "US_SSN"),
    ],
)
def test_what_is_kept_stays_whole_whatever_a_model_thinks_of_it(text: str, entity: str) -> None:
    assert redacted(text, entity) == text
    assert redacted(text) != text
