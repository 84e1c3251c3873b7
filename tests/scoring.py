"""Scores redaction on marked text: what of the personal data it covers, and what else it takes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vault.redaction.findings import Finding

_MARK = re.compile(r"\[\[([A-Z_]+) ((?:(?!\]\]).)+)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Marked:
    """A text, and what is personal in it: kind, start, end."""

    text: str
    spans: tuple[tuple[str, int, int], ...]


def read_marked(path: Path) -> list[Marked]:
    """Read a file of messages, apart by lines of `----`, with their marks."""
    return [parse(part) for part in re.split(r"(?m)^----\n", path.read_text()) if part.strip()]


def parse(marked: str) -> Marked:
    """Take the marks out of a text."""
    marked = marked.removesuffix("\n")
    pieces: list[str] = []
    spans: list[tuple[str, int, int]] = []
    at = length = 0
    for found in _MARK.finditer(marked):
        pieces += [marked[at : found.start()], found[2]]
        start = length + found.start() - at
        length = start + len(found[2])
        spans.append((found[1], start, length))
        at = found.end()
    return Marked("".join([*pieces, marked[at:]]), tuple(spans))


@dataclass
class Score:
    """What was counted."""

    characters: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)
    others: int = 0
    taken: int = 0
    clean: int = 0
    untouched: int = 0

    def add(self, marked: Marked, findings: Sequence[Finding]) -> None:
        """Count one message. Characters that are no letter or digit count for nothing."""
        hidden = set[int]()
        for one in findings:
            hidden.update(range(one.start, one.end))
        personal = set[int]()
        for kind, start, end in marked.spans:
            mine = [at for at in range(start, end) if marked.text[at].isalnum()]
            personal.update(mine)
            hit = sum(at in hidden for at in mine)
            self.characters[kind] += len(mine)
            self.covered[kind] += hit
            self.spans[kind] += 1
            self.touched[kind] += hit > 0
        rest = [at for at, one in enumerate(marked.text) if one.isalnum() and at not in personal]
        self.others += len(rest)
        self.taken += sum(at in hidden for at in rest)
        if not marked.spans:
            self.clean += 1
            self.untouched += not findings

    @property
    def recall(self) -> float:
        """The share of personal characters that is covered."""
        return sum(self.covered.values()) / max(1, sum(self.characters.values()))

    def table(self) -> str:
        """Give all that was counted, to read."""
        lines = [
            f"personal characters covered {self.recall:6.1%}",
            f"other characters taken {self.taken / max(1, self.others):5.1%}",
            f"clean messages untouched {self.untouched}/{self.clean}",
        ]
        lines += [
            f"  {kind:15} {self.covered[kind] / self.characters[kind]:6.1%} of characters,"
            f" {self.touched[kind]}/{self.spans[kind]} touched"
            for kind in sorted(self.characters)
        ]
        return "\n".join(lines)


def score(messages: Iterable[Marked], find: Callable[[str], Sequence[Finding]]) -> Score:
    """Score one way to find personal data."""
    total = Score()
    for marked in messages:
        total.add(marked, find(marked.text))
    return total
