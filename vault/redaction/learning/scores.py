"""Scores: exact spans on corpora; characters, touched names and untouched clean messages on chat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vault.redaction.findings import Finding
from vault.redaction.learning.corpora import NAMED, Message

Find = Callable[[str], list[Finding]]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


@dataclass(slots=True)
class Exact:
    """Exact spans of one kind: how many were right, found, marked."""

    right: int = 0
    found: int = 0
    marked: int = 0

    @property
    def precision(self) -> float:
        """How many of the found are right."""
        return _ratio(self.right, self.found)

    @property
    def recall(self) -> float:
        """How many of the marked were found."""
        return _ratio(self.right, self.marked)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return _ratio(2 * self.right, self.found + self.marked)


def _kind(finding: Finding) -> str:
    return "ORG" if finding.entity == "ORGANIZATION" else finding.entity


def exact(messages: Sequence[Message], find: Find) -> dict[str, Exact]:
    """Compare spans and their kinds."""
    out = {kind: Exact() for kind in NAMED}
    for message in messages:
        marked = {span for span in message.spans if span[2] in NAMED}
        found = {(f.start, f.end, _kind(f)) for f in find(message.text) if _kind(f) in NAMED}
        for _, _, kind in marked & found:
            out[kind].right += 1
        for _, _, kind in marked:
            out[kind].marked += 1
        for _, _, kind in found:
            out[kind].found += 1
    return out


@dataclass(slots=True)
class Chat:
    """What was covered in chat messages, by any finding."""

    characters: dict[str, float] = field(default_factory=dict)
    touched: dict[str, float] = field(default_factory=dict)
    others: float = 0.0
    clean: float = 0.0
    disturbed: list[str] = field(default_factory=list)


def chat(messages: Sequence[Message], find: Find) -> Chat:
    """Count covered characters and touched spans by kind, and clean messages left as they are."""
    whole: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    spans: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    others = hit = clean = left = 0
    out = Chat()
    for message in messages:
        cover = bytearray(len(message.text))
        for one in find(message.text):
            cover[one.start : one.end] = b"\x01" * (one.end - one.start)
        if not message.spans:
            clean += 1
            left += not any(cover)
            if any(cover):
                out.disturbed.append(message.text)
        free = bytearray(b"\x01" * len(message.text))
        for start, end, kind in message.spans:
            whole[kind] += end - start
            covered[kind] += sum(cover[start:end])
            spans[kind] += 1
            touched[kind] += any(cover[start:end])
            free[start:end] = bytes(end - start)
        others += sum(free)
        hit += sum(a & b for a, b in zip(cover, free, strict=True))
    out.characters = {kind: _ratio(covered[kind], whole[kind]) for kind in NAMED}
    out.touched = {kind: _ratio(touched[kind], spans[kind]) for kind in NAMED}
    out.others = _ratio(hit, others)
    out.clean = _ratio(left, clean)
    return out
