"""Reads marked text: the corpora's JSON lines and the hand-written messages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.redaction.names import features
from vault.redaction.names.network import LABELS, VALUES

_MARK: Final = re.compile(r"\[\[([A-Z_]+) (.*?)\]\]", re.DOTALL)
NAMED: Final = ("PERSON", "LOCATION", "ORG")
ALIKE: Final = {"SSN": "NATIONAL_ID", "IBAN": "BANK_ACCOUNT"}
"""Kinds that are learned as another."""

ROLES: Final = {
    "borrower",
    "lender",
    "executive",
    "employee",
    "bank",
    "company",
    "director",
    "landlord",
    "tenant",
}
"""Words that one corpus marks as persons, though they name nobody."""


@dataclass(frozen=True, slots=True)
class Message:
    """A text with its marked spans: start, end and kind."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    chat: bool


def marked(source: str) -> Message:
    """Take the marks out of a message, and keep where they stood."""
    text, spans, at = "", [], 0
    for mark in _MARK.finditer(source):
        text += source[at : mark.start()]
        spans.append((len(text), len(text) + len(mark[2]), mark[1]))
        text += mark[2]
        at = mark.end()
    return Message(text + source[at:], tuple(spans), chat=True)


def chat(path: Path) -> list[Message]:
    """Read a file of hand-written messages."""
    parts = re.split(r"^----\n?", path.read_text("utf-8"), flags=re.MULTILINE)
    return [marked(part.strip("\n")) for part in parts if part.strip()]


def corpus(path: Path) -> list[Message]:
    """Read one corpus; what it marks wrongly by design is left out."""
    read = []
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        text = record["text"]
        spans = tuple(
            (start, end, kind)
            for start, end, kind in record["spans"]
            if not (kind == "PERSON" and text[start:end].lower().strip() in ROLES)
        )
        read.append(Message(text, spans, chat=False))
    return read


def labels(message: Message, words: Sequence[str]) -> NDArray[np.int64]:
    """Give each token its label."""
    gold = np.zeros(len(words), np.int64)
    stops = features.ends(words)
    spans = sorted(message.spans)
    here, other = 0, LABELS.index("X")
    for index, (word, stop) in enumerate(zip(words, stops, strict=True)):
        start = stop - len(word.lstrip())
        while here < len(spans) and spans[here][1] <= start:
            here += 1
        if here == len(spans) or stop <= spans[here][0] or start >= stop:
            continue
        first, _, kind = spans[here]
        if kind not in NAMED:
            gold[index] = LABELS.index(ALIKE.get(kind, kind)) if ALIKE.get(kind, kind) in VALUES else other
        else:
            before = stops[index - 1] if index else 0
            begins = index == 0 or before <= first
            gold[index] = LABELS.index(("B-" if begins else "I-") + kind)
    return gold
