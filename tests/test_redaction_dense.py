"""Bad input: thousands of tiny pieces, a candidate every few characters, a budget that runs out."""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from types import ModuleType

import pytest
from redaction_texts import Texts
from scoring import read_marked
from timing import quickest

from vault.errors import RedactionError
from vault.messages import Message
from vault.redaction import engine, finder
from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns
from vault.redaction.findings import Finding
from vault.redaction.overlaps import resolve
from vault.redaction.patterns import addresses, handles, plates, secrets
from vault.redaction.search import beside
from vault.redaction.segments import split
from vault.redaction.settings import Redaction


class Reader:
    """Finds what it is told to, and keeps what it read."""

    def __init__(self, pattern: str = "(?!)", entity: str = "PERSON") -> None:
        self.pattern, self.entity = re.compile(pattern), entity
        self.read: list[str] = []

    def find(self, text: str) -> list[Finding]:
        self.read.append(text)
        return [Finding(self.entity, *one.span(), 1.0, "reader") for one in self.pattern.finditer(text)]


# -- equal pieces ----------------------------------------------------------------------------------------


def test_equal_cells_are_looked_at_once() -> None:
    reader = Reader()
    table = "name,town,c\n" + "a1,b,c\n" * 500
    Engine(recognizers=[reader]).redact_text(table)
    assert len(reader.read) == len(set(reader.read)) <= 5


def test_equal_values_under_other_names_are_looked_at_apart() -> None:
    reader = Reader("code: qqv", "SECRET")
    text = json.dumps([{"shade": "qqv", "code": "qqv"}, {"shade": "qqv", "code": "qqv"}])
    assert json.loads(Engine(recognizers=[reader]).redact_text(text).text) == [
        {"shade": "qqv", "code": "<SECRET_1>"},
        {"shade": "qqv", "code": "<SECRET_1>"},
    ]


def test_equal_pieces_as_prose_and_as_code_are_looked_at_apart() -> None:
    reader = Reader("zzyx", "CUSTOMER")
    found = Engine(recognizers=[reader]).redact_text("<p>zzyx</p><code>zzyx</code><p>zzyx</p>")
    assert found.text == "<p>&lt;CUSTOMER_1&gt;</p><code>zzyx</code><p>&lt;CUSTOMER_1&gt;</p>"


@pytest.mark.wide
def test_pieces_that_are_read_together_have_the_findings_of_each_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages = read_marked(Path(__file__).parent / "data" / "chat" / "development.txt")
    words = [word for one in messages[:60] for word in one.text.split()]
    rows = [
        {"name": one, "note": two, "city": three} for one, two, three in zip(*[iter(words)] * 3, strict=False)
    ]
    text = json.dumps(rows)
    together = Engine().find(text)
    monkeypatch.setattr(engine, "_MANY", len(text))
    assert [(one.entity, one.start, one.end) for one in Engine().find(text)] == [
        (one.entity, one.start, one.end) for one in together
    ]
    assert len(together) > 50


def test_json_within_json_is_read_again_each_time() -> None:
    reader = Reader("zzyx", "CUSTOMER")
    inner = json.dumps({"note": "zzyx"})
    found = Engine(recognizers=[reader]).redact_text(json.dumps([inner, inner]))
    assert [json.loads(one) for one in json.loads(found.text)] == [{"note": "<CUSTOMER_1>"}] * 2


def test_a_name_is_known_in_the_pieces_behind_the_one_that_told_it() -> None:
    reader = Reader("Zyxa Brackish")
    text = json.dumps(["brackish", "Zyxa Brackish", "brackish", "brackish"])
    first, *others = json.loads(Engine(recognizers=[reader]).redact_text(text).text)
    assert first == "brackish"
    assert others == ["<PERSON_1>", "<PERSON_2>", "<PERSON_2>"]


# -- what spares a pattern -------------------------------------------------------------------------------

SPARED = [
    *((pattern, words) for pattern, _, words in addresses._BY_WORD[2:3]),
    (addresses._SAID, addresses._SAYING),
    (secrets._ASSIGNED, secrets._PASSWORDS),
    *secrets._ANSWERS,
]


@pytest.mark.wide
@pytest.mark.parametrize(("pattern", "words"), SPARED, ids=[words[0] for _, words in SPARED])
def test_the_words_that_a_pattern_waits_for_stand_in_all_that_it_finds(
    pattern: re.Pattern[str], words: tuple[str, ...]
) -> None:
    texts = Texts([pattern.pattern], seed=3)
    [tree] = texts.trees
    found = 0
    for _ in range(1000):
        text = f" {texts._some(tree)} "
        if pattern.search(text):
            found += 1
            assert any(word in text.lower() for word in words), text
    assert found > 100


# -- time ------------------------------------------------------------------------------------------------


class Clock:
    """Goes on by a second each time that it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def test_p1_the_budget_is_looked_at_within_one_long_piece() -> None:
    clock, reader = Clock(), Reader()
    text = "mail a@b.de, call +49 171 2345678, card 4111 1111 1111 1111, 12 High Street " * 5000
    with pytest.raises(RedactionError, match="budget"):
        Engine(Redaction(budget=5), recognizers=[reader], clock=clock).redact_text(text)
    assert clock.seconds < 10  # it did not go on
    assert not reader.read


@pytest.mark.wide
def test_p1_the_budget_is_looked_at_while_names_are_read() -> None:
    clock, reader = Clock(), Reader()
    with pytest.raises(RedactionError, match="budget"):
        Engine(Redaction(budget=20), recognizers=[reader], clock=clock).redact_text("sea " * 1_000_000)
    assert clock.seconds < 25
    assert not reader.read


def test_p1_the_budget_is_looked_at_while_a_page_is_split() -> None:
    clock = Clock()
    with pytest.raises(RedactionError, match="budget"):
        Engine(Redaction(budget=5), clock=clock).redact_text("<p>a1</p>" * 20_000)
    assert clock.seconds < 10


@pytest.mark.wide
@pytest.mark.parametrize(
    "text",
    [
        "```\n" * 40_000,
        "```\na b\n```\n" * 5_000,
        "```html\n" + "<p>a</p>" * 20_000 + "\n```",
        "```csv\n" + "a,\n" * 200_000 + "```",
        "a|\n" * 100_000,
    ],
)
def test_p1_the_budget_is_looked_at_while_fences_and_tables_are_split(text: str) -> None:
    calls: list[int] = []
    split(text, lambda: calls.append(1))
    assert len(calls) >= 20


@pytest.mark.wide
@pytest.mark.parametrize("line", ["```\n", "|\n", ",,\n", "~~~~\n"])
def test_lines_of_signs_alone_are_split_at_once(line: str) -> None:
    engine = Engine(Redaction(budget=5))
    assert engine.redact_text(line * 300_000).findings == ()


def test_p1_what_is_written_is_within_the_budget_too() -> None:
    text = "<p>ana@example.org</p>" * 1_000
    clock = Clock()
    Engine(Redaction(budget=1_000_000), clock=clock).redact_text(text)
    with pytest.raises(RedactionError, match="budget"):
        Engine(Redaction(budget=clock.seconds - 1.5), clock=Clock()).redact_text(text)


@pytest.mark.wide
def test_p1_the_budget_is_looked_at_where_recognizers_read_much_and_find_nothing() -> None:
    calls: list[int] = []
    assert not Patterns().find("12 " * 500_000, check=lambda: calls.append(1))
    assert len(calls) >= 20


@pytest.mark.wide
def test_a_long_text_has_the_findings_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = read_marked(Path(__file__).parent / "data" / "chat" / "development.txt")
    text = "\n\n".join(one.text for one in messages)[:40_000]
    patterns = Patterns()
    whole = resolve(patterns.find(text), text)
    monkeypatch.setattr(finder, "_PART", 3_000)
    monkeypatch.setattr(finder, "_AROUND", 4_200)
    parted = patterns.find(text)
    assert len(whole) > 100
    assert [(one.entity, one.start, one.end) for one in resolve(parted, text)] == [
        (one.entity, one.start, one.end) for one in whole
    ]


@pytest.mark.wide
def test_p1_the_budget_is_looked_at_between_the_hits_of_one_recognizer() -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1

    list(Patterns().find("ana@example.org " * 20_000, check=check))
    assert calls >= 20


def test_what_was_redacted_before_is_left_out_as_by_comparing_each_with_each() -> None:
    draw = random.Random(5)
    for _ in range(300):
        edges = sorted(draw.sample(range(60), 8))
        taken = list(zip(edges[::2], edges[1::2], strict=True))
        found = [Finding("X", at, at + draw.randint(1, 9), 1.0, "x") for at in range(0, 60, 3)]
        slow = [one for one in found if not any(one.start < end and at < one.end for at, end in taken)]
        assert beside(found, taken) == slow


def _seconds(engine: Engine, text: str) -> float:
    began = time.process_time()
    engine.redact_text(text)
    return time.process_time() - began


@pytest.mark.wide
@pytest.mark.parametrize(
    "shape",
    [
        "<p>Ana</p>",
        "<tr><td>1</td><td>b2</td></tr>",
        "a@b.de ",
        "name: x1\n",
        "81.2.69.160 ",
        "<EMAIL_ADDRESS_1> a@b.de ",
        "\u202e12\u202c ab ",
        "data:a/b;base64,QUJD ",
    ],
)
def test_dense_bad_input_takes_linear_time(shape: str) -> None:
    engine = Engine(Redaction(budget=600, blobs="drop"))
    engine.redact_text(shape * 50)
    short, long = (
        min(_seconds(engine, shape * (length // len(shape))) for _ in range(2)) for length in (3_000, 18_000)
    )
    assert long < 18 * short + 0.05  # six times the text; were it quadratic, 36 times


class Counted:
    """A pattern that counts how often it is asked."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.asked = 0

    def search(self, text: str) -> re.Match[str] | None:
        self.asked += 1
        return self.pattern.search(text)


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [(plates, "_FLYING", "car AB 123, " * 300), (handles, "_TALK", "user: bob_lind\n" * 300)],
)
def test_the_whole_text_is_asked_once_and_not_for_each_hit(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, text: str
) -> None:
    counted = Counted(getattr(module, name))
    monkeypatch.setattr(module, name, counted)
    assert len(Patterns().find(text)) >= 300
    assert counted.asked == 1


RUNS = {
    "digits": "wohne am no. 8257-" + "3" * 150_000,
    "passwords": "password=" * 20_000,
    "ones": "member AB1234567 " + "1-" * 75_000,
    "blanks": "prior auth 1234567 " + " " * 150_000 + "9",
}


@pytest.mark.wide
@pytest.mark.parametrize("text", RUNS.values(), ids=RUNS.keys())
def test_one_long_run_takes_linear_time(text: str) -> None:
    engine = Engine()
    engine.redact_text(text[:1_000])
    assert quickest(lambda: engine.redact_text(text), 2) < 2


@pytest.mark.wide
def test_each_of_many_days_is_judged_in_no_time() -> None:
    engine = Engine()
    text = " 1 fev." * 5_000
    assert quickest(lambda: engine.redact_text(text), 0.7) < 0.7


LABEL = "some key of it " * 1_500


@pytest.mark.wide
@pytest.mark.parametrize(
    "text",
    [
        json.dumps({LABEL: [f"v {number} q" for number in range(1_500)]}),
        f"|{LABEL}|b|\n|---|---|\n" + "".join(f"|v {number} q|2|\n" for number in range(1_500)),
    ],
    ids=["key", "head"],
)
def test_a_long_name_of_many_values_is_not_read_with_each(text: str) -> None:
    engine = Engine()
    assert quickest(lambda: engine.redact_text(text), 1.5) < 1.5
    message = Message(role="user", content={"x": {LABEL: [f"v {number} q" for number in range(1_500)]}})
    assert quickest(lambda: engine.redact(message), 1.5) < 1.5


def test_thousands_of_fences_are_split_in_linear_time() -> None:
    assert quickest(lambda: split("```  \nx\n" * 20_000), 2) < 2
