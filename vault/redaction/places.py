"""Leads what was found in the pieces of a text back to its places in the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import replace

from vault.redaction.findings import Finding
from vault.redaction.search import Shard
from vault.redaction.segments import Piece, Writer, as_it_is, origin

Every = Callable[[Piece, list[Finding], bool], list[Finding]]
_EDGE: Final = "x"  # a letter that every writer leaves as it is


class Placed(Finding, frozen=True, gc=False, kw_only=True):
    """A finding in an encoded value: how its raw form is read, and what takes its place written."""

    read: Callable[[str], str]
    write: Writer


def located(shard: Shard) -> list[Finding]:
    """Give what was found by its place in the whole text, disjoint."""
    return [
        Finding(one.entity, one.start, one.end, one.score, one.by, one.ground)
        for one in placed(shard, lambda _piece, found, _may_go_on: found)
    ]


def placed(shard: Shard, every: Every, *, is_open: bool = False) -> Iterator[Finding]:
    """Give all that is in the pieces, by its place in the whole text.

    `every` tells it of a piece, from what was found in it and whether it may go on: where the text `is_open`,
    its end may.
    """
    for piece, found, inner in zip(shard.pieces, shard.found, shard.inner, strict=True):
        may_go_on = is_open and piece.end == len(shard.text)
        if inner is None:
            mine = every(piece, found, may_go_on)
        else:
            mine = list(placed(inner, every, is_open=may_go_on))
        if mine:
            yield from _led_back(piece, shard.text[piece.start : piece.end], mine)


def _led_back(piece: Piece, raw: str, found: list[Finding]) -> Iterator[Finding]:
    found = sorted(found, key=lambda one: one.start)
    led = origin(raw, piece.text)
    if led is None:  # the value as a whole, and once
        yield replace(found[0], start=piece.start, end=piece.end)
        return
    last = 0
    for one in found:
        start, end = led.span(one.start, one.end)
        start = max(start, last)  # two may share an escape
        if start >= end:
            continue
        last = end
        at, to = piece.start + start, piece.start + end
        if raw == piece.text and piece.write is as_it_is:
            yield replace(one, start=at, end=to)
            continue
        read, write = led.read, piece.write if end - start == len(raw) else _within(piece.write)
        if isinstance(one, Placed):
            read, write = _then(read, one.read), _then(one.write, write)
        yield Placed(one.entity, at, to, one.score, one.by, one.ground, read=read, write=write)


def _then(first: Callable[[str], str], second: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: second(first(text))


def _within(write: Writer) -> Writer:
    """Write for the middle of a value: without what a writer puts around the whole of it, as quotes."""

    def written(text: str) -> str:
        said = write(f"{_EDGE}{text}{_EDGE}")
        return said[said.index(_EDGE) + 1 : said.rindex(_EDGE)]

    return written
