"""The project's own recognizers, one file each: what Presidio has not, misses, or finds too much of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import Struct

from vault.redaction.findings import Finding, Ground
from vault.redaction.folding import Folded
from vault.redaction.gate import Ends

_OFTEN = 1_000  # hits, and the time is looked at


class Hit(Struct, frozen=True, gc=False):
    """A finding by its place in the folded text."""

    entity: str
    start: int
    end: int
    score: float = 0.8
    ground: Ground = Ground.PATTERN


@dataclass(frozen=True, slots=True)
class Recognizer:
    """One recognizer: `find` reads a folded text, and the places where one of its `signs` ends in the lower case of it.

    `every` says that it looks only around those places; otherwise a sign only says that it is worth a look.
    `ends.signs` says which of the signs those are: bit 0 the first one.
    `code` says that it counts in source code too.
    """

    name: str
    signs: tuple[str, ...]
    find: Callable[[Folded, Ends], Iterator[Hit]]
    code: bool = False
    every: bool = False

    def findings(
        self, folded: Folded, ends: Ends, check: Callable[[], None] = lambda: None
    ) -> Iterator[Finding]:
        """What it finds, by places in the original text; `check` raises when the time is over."""
        by, span, moved = self.name, folded.span, folded.places is not None
        for number, hit in enumerate(self.find(folded, ends)):
            if not number % _OFTEN:
                check()
            start, end = span(hit.start, hit.end) if moved else (hit.start, hit.end)
            yield Finding(hit.entity, start, end, hit.score, by, hit.ground)


def windows(ends: Sequence[int], before: int, after: int) -> list[tuple[int, int]]:
    """The stretches of a text around some places in it, joined where they touch."""
    if len(ends) == 1:
        return [(max(0, ends[0] - before), ends[0] + after)]
    found: list[tuple[int, int]] = []
    low = high = -1
    for end in sorted(set(ends)):
        if end - before <= high:
            high = end + after
        else:
            if high >= 0:
                found.append((max(0, low), high))
            low, high = end - before, end + after
    if high >= 0:
        found.append((max(0, low), high))
    return found


def around(
    pattern: re.Pattern[str], text: str, ends: Sequence[int], before: int, after: int
) -> Iterator[re.Match[str]]:
    """The matches of a pattern around some places."""
    for low, high in windows(ends, before, after):
        for match in pattern.finditer(text, low, high):
            if match.end() < high:
                yield match
            elif whole := pattern.match(text, match.start()):  # what the window may have cut
                yield whole


def all_recognizers() -> tuple[Recognizer, ...]:
    """Every recognizer of this package."""
    from vault.redaction.patterns import (
        accounts,
        addresses,
        ages,
        assigned,
        births,
        cards,
        commands,
        context,
        crypto,
        dwellings,
        emails,
        handles,
        iban,
        keypads,
        logins,
        net,
        origins,
        pairs,
        papers,
        passwords,
        phones,
        phrases,
        plates,
        records,
        roles,
        schools,
        secrets,
        spoken,
        sql,
        stages,
        urls,
    )

    modules = (
        cards,
        iban,
        emails,
        phones,
        urls,
        net,
        crypto,
        secrets,
        commands,
        logins,
        addresses,
        dwellings,
        origins,
        context,
        plates,
        handles,
        accounts,
        keypads,
        pairs,
        papers,
        passwords,
        phrases,
        births,
        ages,
        schools,
        stages,
        spoken,
        sql,
        records,
        roles,
        assigned,
    )
    return tuple(one for module in modules for one in module.RECOGNIZERS)
