"""What was found in a text, as another process tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from vault.redaction.findings import Finding
from vault.redaction.search import Shard
from vault.redaction.segments import split


class Trace(NamedTuple):
    """What was found in a text, without the text: it crosses to another process."""

    whole: str | None
    found: list[list[Finding]]
    inner: list[Trace | None]


def trace(shard: Shard) -> Trace:
    """Give what was found in a text."""
    return Trace(shard.whole, shard.found, [None if one is None else trace(one) for one in shard.inner])


def traced(text: str, found: Trace, *, numbers: bool) -> Shard:
    """Give a text with what was found in it."""
    pieces = [] if found.whole is not None else split(text, numbers=numbers)
    inner = [
        None if one is None else traced(piece.text, one, numbers=numbers)
        for piece, one in zip(pieces, found.inner, strict=True)
    ]
    return Shard(text, pieces, found.found, inner, found.whole)


def count(traces: Iterable[Trace]) -> Counter[str]:
    """Count what was found, by entity."""
    counted: Counter[str] = Counter()
    for one in traces:
        if one.whole is not None:
            counted["a whole text"] += 1
        counted.update(finding.entity for found in one.found for finding in found)
        counted.update(count(inner for inner in one.inner if inner is not None))
    return counted
