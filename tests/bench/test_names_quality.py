"""How good and how fast the bundled name model is: pytest -m bench tests/bench/test_names_quality.py -s."""

import os
import statistics
import time
from pathlib import Path

import pytest

from vault.redaction.learning import corpora, scores
from vault.redaction.names import Names
from vault.redaction.names.model import Mode

pytestmark = pytest.mark.bench

CHAT = Path(__file__).parent.parent / "data" / "chat"
CLEAN = (
    "can you explain how the water cycle works and why it rains more often near the hills than in the valley"
)
LONG = """
It is hard to say what makes a good garden, but most who have one agree that it takes time and patience.
Start with the soil: dig it over, take out the stones, and mix in some compost before you plant anything.
Then think about light, since most vegetables want at least six hours of sun each day, while herbs such as
mint or parsley can do with less.
"""


@pytest.mark.parametrize("mode", ["balanced", "high-recall", "every-name"])
@pytest.mark.parametrize("name", ["development", "languages"])
def test_chat(name: str, mode: Mode) -> None:
    messages = corpora.chat(CHAT / f"{name}.txt")
    names = Names(mode)
    whole = scores.chat(messages, names.find)
    print(f"\n{name}, {mode}: clean left {whole.clean:.3f}, other characters touched {whole.others:.4f}")
    for kind, score in scores.exact(messages, names.find).items():
        print(
            f"  {kind:8}  P {score.precision:.3f}  R {score.recall:.3f}  F1 {score.f1:.3f}"
            f"  characters {whole.characters[kind]:.3f}  touched {whole.touched[kind]:.3f}"
        )


@pytest.mark.parametrize("mode", ["balanced", "high-recall", "every-name"])
def test_corpora(mode: Mode) -> None:
    folder = os.environ.get("TRANSCRIPT_VAULT_CORPORA")
    if not folder:
        pytest.skip("TRANSCRIPT_VAULT_CORPORA names no folder")
    for part in ("ewt_dev", "wnut_dev", "btc_dev"):
        messages = corpora.corpus(Path(folder) / f"{part}.jsonl")
        print(f"\n{part}, {mode}")
        for kind, score in scores.exact(messages, Names(mode).find).items():
            print(f"  {kind:8}  P {score.precision:.3f}  R {score.recall:.3f}  F1 {score.f1:.3f}")


@pytest.mark.parametrize(("text", "budget"), [(CLEAN, 45e-6), (" ".join((LONG * 9).split()[:340]), 900e-6)])
def test_clean_text_is_read_fast(text: str, budget: float) -> None:
    names = Names()
    took = []
    for _ in range(500):
        began = time.perf_counter()
        names.find(text)
        took.append(time.perf_counter() - began)
    median = statistics.median(took[50:])
    print(f"\n{len(text.split())} clean words: {median * 1e6:.0f} us (budget {budget * 1e6:.0f})")
