"""What a stream shows, and what is stored of it: the same numbers, and no half of a wallet's phrase."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vault import AsyncVault, Vault
from vault.redaction.engine import Engine
from vault.redaction.findings import Finding
from vault.redaction.memory import Memory
from vault.redaction.result import put_back
from vault.redaction.settings import Redaction
from vault.redaction.stream import redacted
from vault.redaction.streaming import numbered
from vault.redaction.writings import normal

KEY = bytes(32)
REPLY = (
    "I asked Boris Petrenko and Zoe Papadopoulos about it, and Boris Petrenko said that it is fine by him."
)
PHRASE = (
    "witch collapse practice feed shame open despair creek road again ice least and here it ends for good"
)


def words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


@pytest.mark.wide
@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_shown_keeps_its_number_in_the_store(tmp_path: Path, *, is_new: bool) -> None:
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction(originals=True))) as vault:
        chat = vault.transcript("u", "s")
        if not is_new:
            chat.append("user", "I am Anna Kowalski")
        shown = "".join(chat.stream("assistant", words(REPLY)))
        assert shown == chat.messages()[-1].content
        assert chat.restore(shown, purpose="to read") == REPLY
        chat.append("user", "my neighbour Carla Jimenez asked for Boris Petrenko, too")
        [number] = re.findall(r"<PERSON_\d+>", shown.partition(" and ")[0])
        assert str(chat.messages()[-1].content).endswith(f"asked for {number}, too")


@pytest.mark.wide
def test_what_was_shown_of_a_value_that_the_whole_shows_otherwise_stands_for_nobody_else(
    tmp_path: Path,
) -> None:
    said = (
        '"hi can you put this in order by surname" Jo March, Anne Shirley, Pippi Longstocking,'
        " Hermione Granger, Nancy Drew, Katniss Everdeen"
    )
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction(originals=True))) as vault:
        chat = vault.transcript("u", "s")
        shown = "".join(chat.stream("assistant", words(said)))
        restored = re.sub(r"<PERSON_\d+>", ".+?", chat.restore(shown, purpose="to read"))
        assert re.fullmatch(restored.replace("(", r"\("), said)


@pytest.mark.wide
def test_the_async_face_keeps_the_numbers_too(tmp_path: Path) -> None:
    async def tokens() -> AsyncIterator[str]:
        for word in words(REPLY):
            yield word

    async def talk() -> None:
        async with await AsyncVault.open(tmp_path / "v") as vault:
            chat = vault.transcript("u", "s")
            shown = [one async for one in chat.stream("assistant", tokens())]
            assert "".join(shown) == (await chat.messages())[-1].content

    asyncio.run(talk())


def test_a_number_that_another_writer_gave_meanwhile_is_not_taken() -> None:
    shown = {("PERSON", normal("Boris Petrenko")): 2, ("PERSON", normal("Zoe")): 3}
    before = Memory(KEY, {})
    before.number("PERSON", "Anna")
    memory = Memory(KEY, before.known)
    memory.take(shown)
    assert [memory.number("PERSON", name) for name in ("Zoe", "Boris Petrenko", "Ben")] == [3, 2, 4]
    before.number("PERSON", "Carla")
    memory = Memory(KEY, before.known)
    memory.take(shown)
    assert [memory.number("PERSON", name) for name in ("Carla", "Zoe", "Boris Petrenko")] == [2, 3, 4]
    memory = Memory(KEY, memory.known)
    memory.take({("PERSON", normal("Zoe")): 9})
    assert memory.number("PERSON", "Zoe") == 3


@pytest.mark.wide
@pytest.mark.parametrize(
    "said",
    [f"your recovery phrase is {PHRASE}", f"Seed: {PHRASE}", f"the mnemonic of my wallet: {PHRASE}"],
)
def test_p1_a_phrase_that_opens_a_wallet_is_not_let_out_by_halves(tmp_path: Path, said: str) -> None:
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        shown = "".join(chat.stream("assistant", words(said)))
        assert shown == chat.messages()[-1].content
        assert "collapse" not in shown


@pytest.mark.wide
@pytest.mark.timeout(30)
def test_thousands_of_placeholders_are_put_back_in_one_go() -> None:
    values = {f"<PERSON_{number}>": f"Zoe {number} <PERSON_1>" for number in range(1, 5001)}
    values |= {f"Ada{number}": f"Ben{number}" for number in range(500)}
    text = " and ".join(values)
    assert put_back(text, values) == " and ".join(values.values())
    assert put_back("<PERSON_9> <<PERSON_1>> Ada12 Ada1234 xAda1", values) == (
        "Zoe 9 <PERSON_1> <Zoe 1 <PERSON_1>> Ben12 Ada1234 xAda1"
    )


PINS = [str(4821 + 37 * at) for at in range(20)]
SEPARATED = "\n".join(["id;note;pin", *(f'{pin[-2:]};"as the\nlist says";{pin}' for pin in PINS)]) + "\n"
MARKDOWN = "\n".join(
    ["| id | pin |", "|---|---|", *(f"| the one of row {at} | {pin} |" for at, pin in enumerate(PINS))]
)
STATEMENT = "INSERT INTO users (note, password) VALUES\n" + ",\n".join(
    f"('as the list of all of them says', 'word{pin}')" for pin in PINS
)


AFTER = "So it goes on in this way for a while, as you can see.\n" * 9
NOTES = STATEMENT.replace("as the list", "as;\n\nthe list")
OPTIONS = "".join(f"option_{at} = {at}\n" for at in range(90))
PROSE = "wide " * 80
SECTION = f'[server]\n{OPTIONS}username = "mango{PINS[0]}"\nip = "10.4.7.22"\n{OPTIONS}ip = "10.4.7.23"\n'
ADDRESSES = "".join(f'  "10.4.7.{at}",\n' for at in range(40, 90))
LIST = f"[server]\nips = [\n{ADDRESSES}]\nip = '10.4.7.22'\n"
WIDE = f"{''.join(f'field_{at},' for at in range(300))}password\n" + "".join(
    f"{'soon,' * 300}word{pin}\n" for pin in PINS[:9]
)
TAG = "".join(f'<input class="{PROSE}" name="username" value="mango{pin}">\n' for pin in PINS[:9])
PAIRS = "".join(f"  'k{at}': 'Ahmed Hassan',\n" for at in range(60))
FIELDS = {
    "note": "it is as it is. " * 9,
    "password": "p@ss'w:rd #1",
    "username": "mango7",
    "more": "so " * 90,
}
PAYLOAD = f"<m>\n<payload>{html.escape(json.dumps(FIELDS))}</payload>\n</m>\n{AFTER}"
ROWS = "".join(f"<tr><td>{at}</td><td>a blue one of them</td><td>thistle{at}</td></tr>\n" for at in range(30))
HEADED = f"<table>\n<tr><th>No</th><th>Colour</th><th>Username</th></tr>\n{ROWS}</table>\n"
LITERAL = f"keys = {{\n{PAIRS}}}\n"


@pytest.mark.wide
@pytest.mark.parametrize("size", [3, 60])
@pytest.mark.parametrize(
    "table", [SEPARATED, f"```csv\n{SEPARATED}```\n", MARKDOWN, f"{STATEMENT};\n", f"{NOTES};\n", WIDE]
)
def test_p1_what_only_its_column_tells_is_not_shown_however_far_below_the_columns_name(
    table: str, size: int
) -> None:
    engine = Engine()
    face = numbered(engine, Memory(bytes(32), {}), engine.settings)
    shown = "".join(redacted((table[at : at + size] for at in range(0, len(table), size)), face))
    assert not [pin for pin in PINS if pin in shown]
    assert face.late == []


@pytest.mark.parametrize("size", [3, 60])
@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        (SECTION, "mango|10[.]4"),
        (SECTION.replace('"', ""), "mango|10[.]4"),
        (f"{LIST}{SECTION}", "mango|10[.]4"),
        (TAG, "mango"),
        (LITERAL, "Hassan"),
        (HEADED, "thistle"),
        (PAYLOAD, "w:rd|mango"),
    ],
    ids=["toml", "ini", "list", "tag", "literal", "html", "payload"],
)
def test_p1_what_only_a_section_a_key_or_an_attribute_tells_is_not_shown_however_far_from_it(
    said: str, hidden: str, size: int
) -> None:
    engine = Engine()
    face = numbered(engine, Memory(bytes(32), {}), engine.settings)
    shown = "".join(redacted((said[at : at + size] for at in range(0, len(said), size)), face))
    assert not re.findall(hidden, engine.redact_text(said).text)
    assert not re.findall(hidden, shown)
    assert face.late == []


@pytest.mark.wide
@pytest.mark.parametrize("table", [SEPARATED, MARKDOWN])
def test_a_cell_is_looked_at_once_though_a_stream_scans_its_row_again_with_those_behind_it(
    table: str,
) -> None:
    looked = Counter[str]()

    class Watch:
        def find(self, text: str) -> list[Finding]:
            looked[text] += 1
            return []

    engine = Engine(recognizers=[Watch()])
    face = numbered(engine, Memory(bytes(32), {}), engine.settings)
    list(redacted((table[at : at + 4] for at in range(0, len(table), 4)), face))
    assert [looked[f"pin: {pin}"] for pin in PINS[3:]] == [1] * len(PINS[3:])


@pytest.mark.wide
def test_what_follows_a_table_flows_on() -> None:
    engine = Engine()
    for table in (SEPARATED, f"{MARKDOWN}\n", f"{STATEMENT}\n"):
        face = numbered(engine, Memory(bytes(32), {}), engine.settings)
        said = f"{table}\n{'and so it goes on, as it has to, ' * 20}"
        out = "".join(face.feed(said[at : at + 5]) for at in range(0, len(said), 5))
        assert "on, as it" in out


CODE = "x = compute(1)\n" * 60
TOLD = "Then her brother Piotr Nowak called, who lives at 12 Rose Lane, and he is 34 years old.\n"


@pytest.mark.parametrize("size", [5, 60])
@pytest.mark.parametrize(
    ("opens", "closes", "ends"),
    [
        ("```python", "```", "\r\n"),
        ("```python", "```  ", "\n"),
        ("- look:\n  ```", "     ```", "\n"),
        ("> ~~~", "> ~~~", "\n"),
        ("````md\n```", "`````", "\n"),
    ],
    ids=["windows", "spaces", "list", "quoted", "longer"],
)
def test_p1_a_code_fence_is_closed_for_a_stream_where_it_is_for_the_whole(
    opens: str, closes: str, ends: str, size: int
) -> None:
    said = f"{opens}\n{CODE}{closes}\n{AFTER}{TOLD}{AFTER}".replace("\n", ends)
    engine = Engine()
    face = numbered(engine, Memory(bytes(32), {}), engine.settings)
    shown = "".join(redacted((said[at : at + size] for at in range(0, len(said), size)), face))
    assert not re.findall("Nowak|Rose|34", engine.redact_text(said).text)
    assert not re.findall("Nowak|Rose|34", shown)
    assert face.late == []
