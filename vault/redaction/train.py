"""Trains the bundled name model again and compares it with its card.

python -m vault.redaction.train CORPORA [--out FOLDER] [--chat FOLDER] [--card]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: sums in one order make the same bytes

from vault.redaction.learning import corpora, course, scores
from vault.redaction.names import model, table
from vault.redaction.names.network import NETS

CARD: Final = table.MODEL / "CARD.md"
NEAR: Final = 0.005
"""Scores that differ by less agree: another processor may round another way."""

_SCORES: Final = "| measure | score |\n|---|---|\n"
_ROW: Final = re.compile(r"^\| (\w+, \w+, [\w ]+) \| ([0-9.]+) \|$", re.MULTILINE)


def measured(model_in: Path, folder: Path, chats: Path | None) -> Iterator[tuple[str, float]]:
    """Score a model on the development parts of the corpora, and on chat where there is some.

    Corpora mark every name, the world's too: they are read in the mode that looks for them.
    """
    names = model.Names("every-name", folder=model_in)
    for part in ("ewt_dev", "wnut_dev", "btc_dev"):
        path = folder / f"{part}.jsonl"
        if path.exists():
            for kind, score in scores.exact(corpora.corpus(path), names.find).items():
                yield f"{part}, {kind}, precision", score.precision
                yield f"{part}, {kind}, recall", score.recall
                yield f"{part}, {kind}, F1", score.f1
    names = model.Names(folder=model_in)
    for path in [chats / f"{name}.txt" for name in ("development", "languages")] if chats else ():
        messages = corpora.chat(path)
        for kind, score in scores.exact(messages, names.find).items():
            yield f"{path.stem}, {kind}, precision", score.precision
            yield f"{path.stem}, {kind}, recall", score.recall
        found = scores.chat(messages, names.find)
        for kind in corpora.NAMED:
            yield f"{path.stem}, {kind}, characters", found.characters[kind]
            yield f"{path.stem}, {kind}, spans touched", found.touched[kind]
        yield f"{path.stem}, all, other characters touched", found.others
        yield f"{path.stem}, all, clean messages left", found.clean


def compared(rows: Sequence[tuple[str, float]], card: str) -> tuple[str, bool]:
    """Lay scores beside the card's, and say whether they agree."""
    held = {name: float(value) for name, value in _ROW.findall(card)}
    lines, agree = [], True
    for name, value in rows:
        told = held.get(name)
        near = told is not None and abs(told - value) < NEAR
        agree = agree and near
        shown = "-" if told is None else f"{told:.3f}"
        lines.append(f"{name:45} {value:.3f}  card {shown}{'' if near else '  differs'}")
    return "\n".join(lines), agree


def written(rows: Sequence[tuple[str, float]], card: str) -> str:
    """Put the scores into the card's text, in place of those it had."""
    head, _, tail = card.partition(_SCORES)
    lines = "".join(f"| {name} | {value:.3f} |\n" for name, value in rows)
    return f"{_ROW.sub('', head)}{_SCORES}{lines}\n{_ROW.sub('', tail).lstrip()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write, score, compare."""
    parser = argparse.ArgumentParser(prog="python -m vault.redaction.train", description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of the corpora's .jsonl files")
    parser.add_argument("--out", type=Path, default=Path("names-model"), help="where the model is written")
    parser.add_argument("--texts", type=Path, default=course.TEXTS, help="folder of hand-written messages")
    parser.add_argument("--chat", type=Path, help="folder with development.txt and languages.txt")
    parser.add_argument("--epochs", type=int, default=course.EPOCHS)
    parser.add_argument("--card", action="store_true", help="write the scores into the card")
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.out.resolve() != table.MODEL.resolve():
        shutil.copyfile(table.MODEL / table.WORDS, given.out / table.WORDS)
    held = course.gathered(given.corpora, given.texts)
    taught = [
        course.teach(held, epochs=given.epochs, seed=course.SEED + net, texts=given.texts)
        for net in range(NETS)
    ]
    course.write(taught, given.out)
    digest = hashlib.sha256((given.out / table.NAMES).read_bytes()).hexdigest()
    print(f"trained in {time.perf_counter() - began:.0f} s; {given.out / table.NAMES}: sha256 {digest}")  # noqa: T201
    rows = list(measured(given.out, given.corpora, given.chat))
    card = CARD.read_text("utf-8")
    if given.card:
        card = written(rows, card)
        CARD.write_text(card, "utf-8")
    lines, agree = compared(rows, card)
    print(lines)  # noqa: T201
    print("The scores agree with the card's." if agree else "The scores differ from the card's.")  # noqa: T201
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
