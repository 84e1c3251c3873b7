"""Lines that end as Windows ends them say what they say elsewhere: tables, sections, code, fences."""

from __future__ import annotations

import inspect
import json
import shutil

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


TEXTS = {
    "toml": '[server]\n# of Anna Webb\nusername = "mango7"\nip = "10.4.7.22"\nips = [\n  "10.4.7.23",\n]\n',
    "ini": "[server]\nusername = mango7\nip = 10.4.7.22\nusers =\n    mango8\n    mango9\n",
    "markdown": "| Name | PIN |\n|---|---|\n| Anna Kowalski | 4711 |\n| Piotr Nowak | 4712 |\n\nBye.\n",
    "csv": "id,username,pin\n1,mango7,4711\n2,mango8,4712\n",
    "yaml": "user:\n  name: Anna Kowalski\n  pin: 4711\n  username: mango7\n",
    "fence": "look\n```yaml\nname: Anna Kowalski\npin: 4711\n```\nfrom Piotr Nowak\n",
    "json": json.dumps({"name": "Anna Kowalski", "pin": 4711}, indent=2) + "\nand Piotr Nowak said so\n",
    "sql": "INSERT INTO users (id, login, password) VALUES\n(1, 'mango7', 'x9!41'),\n(2, 'kiwi', 'x9!4');\n",
    "code": inspect.getsource(shutil)[:20_000],
}


@pytest.mark.parametrize("said", TEXTS.values(), ids=TEXTS)
def test_the_ends_of_lines_change_nothing_of_what_is_found(engine: Engine, said: str) -> None:
    on_windows = engine.redact_text(said.replace("\n", "\r\n"))
    assert on_windows.text.replace("\r\n", "\n") == engine.redact_text(said).text
    assert on_windows.text.count("\r\n") == said.count("\n")
    assert on_windows.restore(on_windows.text) == said.replace("\n", "\r\n")
