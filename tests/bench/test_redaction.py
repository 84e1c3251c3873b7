"""Redaction as a whole: how fast, how much of the personal data in chat it finds, what else it takes."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from lookalikes import KINDS, lookalikes, positives
from scoring import read_marked, score
from test_patterns_speed import CLEAN, ENTITIES, LONG, MIXED, SHORT, _stock, in_turn

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns
from vault.redaction.names import Mode
from vault.redaction.settings import Redaction

pytestmark = [
    pytest.mark.bench,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

CHAT = Path(__file__).parents[1] / "data" / "chat"


@pytest.fixture(scope="module")
def engine() -> Engine:
    Patterns(build="now").warm_up()  # into the cache, or an engine's first seconds are measured
    made = Engine()
    for text in (CLEAN, MIXED, ENTITIES) * 5:
        made.find(text)
    return made


def test_redaction_is_faster_than_presidios_patterns_alone(engine: Engine) -> None:
    stock = _stock()
    print(f"\n{'message':32} {'stock':>9} {'ours':>9} {'ratio':>7}")
    rows = {}
    for name, text in {
        "clean": SHORT,
        "clean, long": LONG,
        "e-mail, phone": MIXED,
        "7 entities": ENTITIES,
    }.items():
        slow, fast = in_turn((stock, engine.redact_text), text)
        rows[name] = slow, fast
        print(f"{name + f' ({len(text.split())} words)':32} {slow:7.0f}us {fast:7.0f}us {slow / fast:6.1f}x")
    for name, least, most in (("clean", 20, 80), ("clean, long", 5, 1300)):
        slow, fast = rows[name]
        print(f"{name}: {least} x {'met' if slow > least * fast else 'not met'}", end=", ")
        print(f"{most} us {'met' if fast <= most else 'not met'}")
    assert rows["clean"][0] > 20 * rows["clean"][1] or rows["clean"][1] <= 80
    assert rows["clean, long"][0] > 5 * rows["clean, long"][1] or rows["clean, long"][1] <= 1300
    assert rows["e-mail, phone"][0] > 2.5 * rows["e-mail, phone"][1]
    assert rows["7 entities"][0] > 2 * rows["7 entities"][1]


@pytest.mark.parametrize("name", sorted(path.stem for path in CHAT.glob("*.txt")))
@pytest.mark.parametrize("mode", ["balanced", "high-recall", "every-name"])
def test_what_is_found_in_chat(name: str, mode: Mode) -> None:
    engine = Engine(Redaction(mode=mode))
    found = score(read_marked(CHAT / f"{name}.txt"), engine.find)
    print(f"\n{name}, {mode}\n{found.table()}")
    assert found.recall > 0.5


def test_the_kinds_that_prove_themselves_are_found_and_what_looks_like_them_is_left(engine: Engine) -> None:
    texts, covered, right, wrong = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for kind, text, start, end in positives():
        found = engine.find(text)
        hidden = {at for one in found for at in range(one.start, one.end)}
        texts[kind] += 1
        covered[kind] += all(at in hidden for at in range(start, end) if text[at].isalnum())
        here = [one for one in found if one.start < end and start < one.end]
        right[kind] += any(one.entity == kind for one in here)
        wrong.update(one.entity for one in found if one not in here)
    others = list(lookalikes())
    wrong.update(one.entity for text in others for one in engine.find(text))
    print(f"\n{'':14} {'texts':>6} {'recall':>7} {'precision':>10}   beside {len(others):,} lookalikes")
    for kind in KINDS:
        recall, precision = covered[kind] / texts[kind], right[kind] / (right[kind] + wrong[kind])
        print(f"{kind:14} {texts[kind]:6} {recall:7.1%} {precision:10.1%}")
        assert recall >= 0.99
        assert precision >= 0.98


def test_source_code_is_left_alone(engine: Engine) -> None:
    words = wrong = 0
    for name in ("json.decoder", "textwrap", "heapq", "argparse", "shutil", "zipfile", "ast", "csv"):
        code = f"```python\n{inspect.getsource(import_module(name))}\n```"
        words += len(code.split())
        wrong += len(engine.find(code))
    print(f"\n{wrong} finds in {words:,} words of source code")
    assert wrong <= words / 1000


def test_a_process_that_redacts_is_small_and_ready_soon() -> None:
    child = """
        import time
        began = time.perf_counter()
        from vault.redaction.engine import Engine
        engine = Engine()
        engine.redact_text("Call Anna Kowalski on 020 7946 0018, or write to anna@kowalski-mail.org")
        first = time.perf_counter() - began
        for number in range(300):
            engine.redact_text(f"message {number} of Ben to anna{number}@kowalski-mail.org in Leeds " * 20)
        # Not ru_maxrss: that begins with what the parent had when it forked.
        [peak] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")]
        print(first, peak / 1024)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(child)], check=True, capture_output=True, text=True
    )
    first, resident = map(float, done.stdout.split())
    print(f"\nfirst message {first:.2f} s after the import began; {resident:.0f} MB resident")
    assert first <= 1.5
    assert resident <= 200
