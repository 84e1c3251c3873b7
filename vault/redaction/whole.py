"""Judges what was found in the pieces of a text by the whole of it.

A cell says nothing of what its table is about: "Max Verstappen" may win a race or owe a rent. The model
judges a message as a whole; of a text that is read in pieces, each with its own few words, only the whole
can be judged. Where that is about nobody's life, what it doubts in a piece goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vault.redaction.findings import Finding, Ground
from vault.redaction.search import Shard

if TYPE_CHECKING:
    from vault.redaction.names import Names


def judge_whole(shard: Shard, names: Names) -> None:
    """Leave out of a text in pieces what does not stand by the whole; proven data anywhere lets all stand."""
    found = list(_found(shard))
    if not found or any(one.ground is not Ground.MODEL for one in found):
        return
    _sift(shard, names, names.verdict(shard.text))


def _found(shard: Shard) -> Iterator[Finding]:
    for found, inner in zip(shard.found, shard.inner, strict=True):
        yield from found if inner is None else _found(inner)


def _sift(shard: Shard, names: Names, verdict: float) -> None:
    for at, (piece, inner) in enumerate(zip(shard.pieces, shard.inner, strict=True)):
        if inner is not None:
            _sift(inner, names, verdict)
        else:
            shard.found[at] = [
                one for one in shard.found[at] if names.stands(one, piece.text[one.start : one.end], verdict)
            ]
