"""Keys of known providers: found wherever they stand, whole; what only looks like them stays."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path

import pytest

from vault.redaction.engine import Engine

_LETTERS = string.ascii_letters + string.digits
_SETS = {
    "A": _LETTERS,
    "U": string.ascii_uppercase + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "h": "0123456789abcdef",
    "s": _LETTERS + "_-",
    "b": _LETTERS + "+/",
    "d": "123456789",
}
_FORMS = (Path(__file__).parent / "data" / "keys.txt").read_text().split()
_PLACES = (
    "my script still fails, I used {} as shown there, what is wrong?",
    '```python\nclient = Client("{}")\n```',
    "SERVICE_URL=https://api.example.org\nSERVICE_API_KEY={}\nDEBUG=1",
    '{{"name": "prod", "api_key": "{}"}}',
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def key(form: str, chance: random.Random) -> str:
    """Make a key of a form, in which `{A20}` stands for twenty letters or digits, `{u}` for a UUID."""

    def made(kind: str, count: int) -> str:
        if kind == "u":
            return "-".join(made("h", size) for size in (8, 4, 4, 4, 12))
        some = "".join(chance.choice(_SETS[kind]) for _ in range(count - 1))
        return some[:2] + "7" + some[2:]  # few have no digit among their first

    return re.sub(r"\{(\w)(\d*)\}", lambda found: made(found[1], int(found[2] or 1)), form)


@pytest.mark.wide
@pytest.mark.parametrize("form", _FORMS)
def test_a_key_is_found_wherever_it_stands(engine: Engine, form: str) -> None:
    chance = random.Random(form)
    for place in _PLACES:
        value = key(form, chance)
        text = place.format(value)
        start = text.index(value)
        hidden = {at for one in engine.find(text) for at in range(one.start, one.end)}
        left = [text[at] for at in range(start, start + len(value)) if at not in hidden]
        assert not any(map(str.isalnum, left)), (form, place)


@pytest.mark.parametrize(
    "text",
    [
        "test_that_nothing_is_lost_when_two_write_at_once failed, live_reload_of_templates_works",
        "git show 3f786850e387550fdab836ed7e6dc881de23001b and 89e6c98d92887913cadf06b2adb97f26cde4849b",
        "the digest is sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "job 550e8400-e29b-41d4-a716-446655440000 ran for 3 s",
        "sdk-core-2 and api-gateway-v2 were updated, mob-programming is fun, pat-testing too",
        "import re_exports from './fw_helpers'; const fc-row = 'key_value_store'",
        "arn:aws:s3:::reports-2024 and s3://reports/2024/01/02/part-0001.parquet",
        "see section v1.0-beta3 of API-REFERENCE-GUIDE and API-2024-03",
        '"integrity": "sha512-Iq8QVVwEFLrLXCCZQYhmuAGnp0QMzhf0ug=="',
        "ratio 1/1234 of 2/3, cf_image_resizing, re_compile_pattern, aio_read and aio_write",
    ],
)
def test_what_only_looks_like_a_key_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text
