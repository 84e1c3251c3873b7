"""Resolves findings that overlap, once and for all recognizers: each character has one finding at most.

Every character goes to the best finding over it: the better ground, then the longer, then the higher
score. So a card number inside a street address stays a card number, and what is left of the address on either
side of it stays an address. What any recognizer took for personal is in clear afterwards only where it is
space and punctuation at a cut edge, or words that a model had taken with a number. Pure; n log n in the
number of findings.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from operator import attrgetter
from typing import Final

from msgspec.structs import replace

from vault.redaction.findings import Finding, Ground
from vault.redaction.names.plausible import plausible

_start: Final = attrgetter("start")


def _rank(finding: Finding) -> tuple[int, int, float, int, str, str]:
    """The best comes first."""
    length = finding.end - finding.start
    return (-finding.ground, -length, -finding.score, finding.start, finding.entity, finding.by)


def resolve(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Give disjoint findings, in the order of the text, over the same characters of it."""
    wanted = sorted((one for one in findings if one.start < one.end), key=_start)
    if all(one.end <= next_one.start for one, next_one in pairwise(wanted)):
        return wanted
    resolved: list[Finding] = []
    for piece, whole in _pieces(wanted):
        if piece is whole:
            resolved.append(piece)
        elif (trimmed := _trimmed(piece, text)) is not None:
            resolved.append(trimmed)
    return resolved


def without_kept(found: list[Finding], is_kept: Callable[[str], bool], text: str) -> list[Finding]:
    """Leave out what is to be kept, before it takes anything from the others: an address may hold a password.

    A model's opinion on what is proven to be of a kind that is kept goes with it; not where it is a secret.
    """
    kept = [one for one in found if is_kept(one.entity)]
    if not kept:
        return found
    proven = resolve([one for one in kept if one.ground is not Ground.MODEL], text)
    starts = [one.start for one in proven]

    def is_doubt(one: Finding) -> bool:
        if one.ground is not Ground.MODEL or one.entity == "SECRET":
            return False
        before = bisect.bisect_right(starts, one.start) - 1
        return before >= 0 and one.end <= proven[before].end

    return [one for one in found if not is_kept(one.entity) and not is_doubt(one)]


def _pieces(wanted: list[Finding]) -> Iterator[tuple[Finding, Finding]]:
    """Sweep over the text: the best open finding owns what lies up to the next edge."""
    open_ones: list[tuple[tuple[int, int, float, int, str, str], int]] = []
    owner: Finding | None = None
    since = at = coming = 0
    while coming < len(wanted) or open_ones:
        while open_ones and wanted[open_ones[0][1]].end <= at:
            heapq.heappop(open_ones)
        if not open_ones and coming < len(wanted):
            at = max(at, wanted[coming].start)
        while coming < len(wanted) and wanted[coming].start <= at:
            heapq.heappush(open_ones, (_rank(wanted[coming]), coming))
            coming += 1
        best = wanted[open_ones[0][1]] if open_ones else None
        if best is not owner:
            if owner is not None:
                yield _part(owner, since, min(at, owner.end)), owner
            owner, since = best, at
        if best is None:
            continue
        at = best.end
        if coming < len(wanted):
            at = min(at, max(wanted[coming].start, since))
    if owner is not None:
        yield _part(owner, since, owner.end), owner


def _part(whole: Finding, start: int, end: int) -> Finding:
    return whole if start == whole.start and end == whole.end else replace(whole, start=start, end=end)


def _trimmed(piece: Finding, text: str) -> Finding | None:
    """A piece without the spaces and punctuation at its edges; nothing if there is nothing else in it.

    Nor where what is left of a model's opinion can't be that any more: the words around a number.
    """
    start, end = piece.start, piece.end
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    if start >= end or (piece.ground is Ground.MODEL and not plausible(piece.entity, text[start:end])):
        return None
    return replace(piece, start=start, end=end)
