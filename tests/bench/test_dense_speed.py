"""Bad input with something to look at every few characters: what each shape costs a character.

VAULT_DENSE=100000,10000000 measures messages of these lengths instead.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from vault.errors import RedactionError
from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns
from vault.redaction.names import Names
from vault.redaction.settings import Redaction

pytestmark = [
    pytest.mark.bench,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

SHAPES = {
    "HTML of tiny elements": "<p>Ana</p>",
    "HTML table of tiny cells": "<tr><td>1</td><td>b2</td></tr>",
    "Markdown table of tiny cells": "| x1 | y |\n",
    "CSV of tiny cells": "a,1,b\n",
    "key=value": "k=v1\n",
    "key: value": "name: x1\n",
    "pairs in a line": "k=v; ",
    "quotes": '"a" ',
    "backticks": "`a` ",
    "e-mail addresses": "a@b.de ",
    "list of digits": "123456789, ",
    "short numbers": "12 ",
    "IPs": "81.2.69.160 ",
    "dates": "12.03.1984, ",
    "cards": "4111 1111 1111 1111 ",
    "telephone numbers": "+49 171 2345678 ",
    "URLs": "http://a.de/b ",
    "names": "Anna Kowalski, ",
    "ages": "I am 34, ",
    "passwords": "password: x1y2z3! ",
    "street addresses": "12 High Street, ",
    "numbers in words": "four five six ",
    "bidirectional marks": "\u202e12\u202c ab ",
    "zero-width marks": "4\u200b1\u200b1\u200b",
    "full-width digits": "１２３４５ ",
    "mixed scripts": "Анна мария 北京 عمر ",
    "lone surrogates": "\ud800\udfff",
    "brackets": "[",
    "one number": "1234567890",
}
HEADS = {"Markdown table of tiny cells": "| a | b |\n|---|---|\n", "CSV of tiny cells": "name,b,c\n"}


def _made(name: str, length: int) -> str:
    shape = SHAPES[name]
    return HEADS.get(name, "") + shape * (length // len(shape))


def _addresses() -> Iterator[str]:
    """Give addresses of 15 letters of which no two are alike."""
    dice = random.Random(5)
    while True:
        letters = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=10))
        yield f"{letters[:3]}.{letters[3:6]}@{letters[6:]}.de "


def _cost(engine: Engine, text: str) -> float:
    began = time.process_time()
    engine.redact_text(text)
    return (time.process_time() - began) / len(text) * 1e6


def test_dense_bad_input_costs_about_the_same_for_each_character() -> None:
    Patterns(build="now").warm_up()
    engine, patterns, names = Engine(Redaction(budget=3600)), Patterns(), Names()
    engine.redact_text("warm up 12345678Z, 4111 1111 1111 1111, a@b.de, call +49 171 2345678")
    lengths = [int(one) for one in os.environ.get("VAULT_DENSE", "20000,100000").split(",")]
    texts = {name: [_made(name, length) for length in lengths] for name in SHAPES}
    texts["JSON of tiny strings"] = [json.dumps([f"a{at % 90}" for at in range(n // 7)]) for n in lengths]
    texts["other e-mail addresses"] = ["".join(islice(_addresses(), n // 16)) for n in lengths]
    texts["JSON of other tiny strings"] = [json.dumps([f"a{at}" for at in range(n // 9)]) for n in lengths]
    print(
        f"\n{'us per character':30}" + "".join(f"{length:>12,}" for length in lengths) + "  patterns    names"
    )
    for name, made in texts.items():
        costs = [_cost(engine, text) for text in made]
        parts = []
        for find in (patterns.find, names.find):
            began = time.process_time()
            find(made[0])
            parts.append((time.process_time() - began) / len(made[0]) * 1e6)
        print(f"{name:30}" + "".join(f"{cost:12.2f}" for cost in costs) + "".join(f"{p:9.2f}" for p in parts))
        assert costs[-1] < 3 * costs[0] + 0.3


@pytest.mark.parametrize("budget", [0.5, 2.0])
def test_what_runs_over_its_budget_is_refused_soon_after(budget: float) -> None:
    """At most a stage of one recognizer later: 10 MB of anything."""
    engine = Engine(Redaction(budget=budget))
    engine.redact_text("warm up 12345678Z, 4111 1111 1111 1111, a@b.de, call +49 171 2345678")
    print()
    for name in ("HTML of tiny elements", "e-mail addresses", "short numbers", "names", "ages"):
        text = _made(name, 10_000_000)
        began = time.perf_counter()
        with pytest.raises(RedactionError, match="budget"):
            engine.redact_text(text)
        print(f"{name:30} refused after {time.perf_counter() - began:6.1f} s of a budget of {budget} s")
