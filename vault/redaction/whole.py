"""Reads the pieces of a text in their places, and judges what was found in them by the whole of it.

The model was taught whole messages, with what stands beside a cell and below it. A cell says nothing of what
its table is about: "Max Verstappen" may win a race or owe a rent. Where the whole is about nobody's life,
what is doubted in a piece goes; not under "customer".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from vault.redaction.findings import Finding, Ground
from vault.redaction.folding import unbroken
from vault.redaction.names.plausible import plausible
from vault.redaction.search import Shard
from vault.redaction.segments import Form, Piece, blobs
from vault.redaction.segments.labels import counts_things, names_a_field, names_a_person

if TYPE_CHECKING:
    from vault.redaction.names import Names


_NAMES: Final = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
_STATE: Final = re.compile(r"true|false|yes|no|on|off|null|none|nan|n/a", re.IGNORECASE)
_COUNT: Final = re.compile(r"[-+]?\d{1,8}(?:[.,]\d{1,8}){0,4}%?")
_LONGEST_COUNT: Final = 32
_LONGEST_ROW: Final = 4  # digits of the number of a row


def read_whole(text: str, pieces: Sequence[Piece], names: Names) -> dict[int, list[Finding]]:
    """Read a text as it stands; give what lies in each piece that is written as it is, by where that begins.

    It is read as neither public nor private: that is judged when it is known what is proven.
    """
    plain = unbroken(_as_said(text, pieces))
    found = sorted(plain.led_back(names.find(plain.text, settled=True)), key=lambda one: one.start)
    read: dict[int, list[Finding]] = {}
    first = 0
    for piece in pieces:
        if piece.form is not Form.PROSE or text[piece.start : piece.end] != piece.text or piece.nested:
            continue
        if _tells_nothing(piece):
            read[piece.start] = []
            continue
        while first < len(found) and found[first].end <= piece.start:
            first += 1
        mine, at = [], first
        while at < len(found) and found[at].start < piece.end:
            start, end = max(found[at].start, piece.start), min(found[at].end, piece.end)
            is_part = (start, end) != (found[at].start, found[at].end)
            if any(map(str.isalnum, text[start:end])) and not (
                is_part and not plausible(found[at].entity, text[start:end])
            ):
                mine.append(replace(found[at], start=start - piece.start, end=end - piece.start))
            at += 1
        read[piece.start] = mine
    return read


def _tells_nothing(piece: Piece) -> bool:
    """Say whether a value is a state, or an amount by its label, whatever stands beside it."""
    said = piece.text.strip()
    if not piece.label or len(said) > _LONGEST_COUNT:
        return False
    if _STATE.fullmatch(said):
        return not names_a_field(piece.label)
    is_row = piece.label.lower() == "id" and len(said) <= _LONGEST_ROW
    return (is_row or counts_things(piece.label)) and _COUNT.fullmatch(said) is not None


def _as_said(text: str, pieces: Sequence[Piece]) -> str:
    """Blank out what tells nothing: encoded data, and the backticks around words that are no code."""
    said = _unblobbed(text)
    if "`" not in said:
        return said
    letters = list(said)
    for piece in pieces:
        before, behind = max(0, piece.start - 1), piece.end
        if piece.form is Form.PROSE and said[before : before + 1] == said[behind : behind + 1] == "`":
            letters[before] = letters[behind] = " "
    return "".join(letters)


def _unblobbed(text: str) -> str:
    """Blank encoded data out: it tells nothing, and hides what a text is about."""
    for start, end in blobs(text):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def reads_apart(read: object, mode: str) -> bool:
    """Say whether pieces are read for themselves: nothing has `read` the whole, or nothing may be missed."""
    return read is None or mode != "balanced"


def told(found: list[Finding], label: str, *, apart: bool) -> list[Finding]:
    """Give what a piece tells by itself; of names in a whole, which tells them better, only labelled ones."""
    if apart or names_a_person(label):
        return found
    return [one for one in found if one.entity not in _NAMES]


def judge_whole(shard: Shard, names: Names) -> None:
    """Leave out of a text in pieces what does not stand by the whole; proven data anywhere lets all stand."""
    found = list(_found(shard))
    if not found or any(one.ground is not Ground.MODEL for one in found):
        return
    _sift(shard, names, verdict_on(shard, names))


def verdict_on(shard: Shard, names: Names) -> float:
    """Judge a text in pieces: how much it is about somebody's life."""
    return names.verdict(_as_said(shard.text, shard.pieces))


def _found(shard: Shard) -> Iterator[Finding]:
    for piece, found, inner in zip(shard.pieces, shard.found, shard.inner, strict=True):
        if piece.form is not Form.LINK:  # a page about anything has links
            yield from found if inner is None else _found(inner)


def _sift(shard: Shard, names: Names, verdict: float) -> None:
    for at, (piece, inner) in enumerate(zip(shard.pieces, shard.inner, strict=True)):
        if inner is not None:
            _sift(inner, names, verdict)
        elif not names_a_person(piece.label):
            shard.found[at] = [
                one for one in shard.found[at] if names.stands(one, piece.text[one.start : one.end], verdict)
            ]
