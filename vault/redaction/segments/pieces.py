"""A piece of a text: where it stands, what it says, and how other words are written in its place."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

_DATA = r"data:[\w.+-]{0,99}/[\w.+-]{0,99}(?:;[\w.+=-]{1,99}){0,9};base64,[A-Za-z0-9+/_-]*+={0,2}"
_RUN = r"(?<![A-Za-z0-9+/_-])(?<![A-Za-z0-9_-]\.)[A-Za-z0-9+/_-]{513,}+={0,2}+(?!\.[A-Za-z0-9_-])"
_LONG_RUN = re.compile(_RUN)
_BLOB = re.compile(rf"\b{_DATA}|{_RUN}")
_RUN_LENGTH = 512
_WORD = re.compile(r"\w")
_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_SECRET = re.compile(
    r"(?:token|secret|key|bearer|authorization|auth|passwor[dt]|passwd|credentials?|session|cookie|signature)"
    r"[\w ]{0,16}[\"'`:=> ]{0,6}\Z",
    re.IGNORECASE,
)
_NAME = r"(?:[\w.\[\]-]|%5[BbDd]){1,60}+"
_FIELD = rf"{_NAME}=[\w%+.~@:/,;!*=-]*+"
FORM = rf"(?![A-Z\d_]++=){_FIELD}(?:&{_FIELD})++"
"""The fields of a form as it is sent. What has signs of another address, a shell or settings is none."""

_FORM = re.compile(FORM)
LONGEST_LABEL = 100  # characters that are read again with each of the values that they name
_BEFORE = 64  # characters in which a word may say that a long run is a secret


class Form(enum.Enum):
    """How a piece is to be searched: in code, only what proves itself counts; no model reads a link.

    Of a number that nothing names, only what the user denies.
    """

    PROSE = "prose"
    CODE = "code"
    LINK = "link"
    NUMBER = "number"


Check = Callable[[], None]  # raises when the time is over
Writer = Callable[[str], str]  # takes the new text, gives what stands for it at that place


def unhurried() -> None:
    """Let a text take the time that it takes."""


def as_it_is(text: str) -> str:
    """Write a text where it needs no escaping."""
    return text


class Piece(Struct, frozen=True, gc=False):
    """The value at text[start:end]: `text` is what it says once decoded, `label` is what names it.

    A piece may hold structure of its own, as a JSON string may hold JSON: it is one piece, with that JSON
    as its text. Where `nested` is true, split its text again and write `join`'s answer back through it. One
    that `is_whole` is not split again.
    """

    start: int
    end: int
    text: str
    form: Form
    label: str = ""
    write: Writer = as_it_is
    is_whole: bool = False

    @property
    def nested(self) -> bool:
        """Whether the text, which stood inside something, may be worth splitting again."""
        if self.write is as_it_is or self.is_whole or self.form is not Form.PROSE:
            return False
        if len(self.text) > _RUN_LENGTH and not _LONG_RUN.fullmatch(self.text):  # it may hold a blob
            return True
        if self.text.lstrip()[:1] in {"{", "[", "<"} or "\n" in self.text:
            return True
        return "&" in self.text and _FORM.fullmatch(self.text) is not None


class Taken(NamedTuple):
    """A stretch that one kind of structure claims; what its pieces leave out is not searched."""

    start: int
    end: int
    pieces: list[Piece]


def blobs(text: str) -> list[tuple[int, int]]:
    """Name the stretches of encoded data: data: URLs, and over 512 base64 characters in a row.

    The parts of a JSON web token are none, however long, nor is what is named as a token or a key: secrets
    have to be found. Nor is what is mostly digits: a list without spaces.
    """
    if not may_hold_blob(text):
        return []
    pattern = _BLOB if ";base64," in text else _LONG_RUN  # four times as fast
    return [found.span() for found in pattern.finditer(text) if _is_encoded(text, *found.span())]


def _is_encoded(text: str, start: int, end: int) -> bool:
    run = text[start:end]
    if run.startswith("data:"):
        return True
    is_named = _SECRET.search(text[max(0, start - _BEFORE) : start]) is not None
    return 2 * len(run.translate(_DIGITS)) > len(run) and not is_named


def may_hold_blob(text: str) -> bool:
    """Tell cheaply whether to look: a long run fills one window of half its length without a space."""
    if ";base64," in text:
        return True
    if len(text) <= _RUN_LENGTH:
        return False
    half = _RUN_LENGTH // 2
    return any(text.find(" ", at, at + half) < 0 for at in range(0, len(text) - _RUN_LENGTH + half, half))


def value(  # noqa: PLR0913, PLR0917 (what a piece is made of)
    start: int, end: int, text: str, label: str, write: Writer, form: Form = Form.PROSE
) -> list[Piece]:
    """Make the piece of a value; one that says nothing, or is a blob as a whole, makes none."""
    label = label[-LONGEST_LABEL:]
    if not _WORD.search(text):
        return []
    if (len(text) > _RUN_LENGTH or text.startswith("data:")) and _BLOB.fullmatch(text):
        named = f"{label}: "
        if _is_encoded(named + text, len(named), len(named) + len(text)):
            return []
    return [Piece(start, end, text, form, label, write)]


def plain(text: str, start: int, end: int, form: Form = Form.PROSE) -> Iterator[Piece]:
    """Make pieces of a stretch that is written as it is, around the blobs in it."""
    at = start
    for first, last in [*blobs(text[start:end]), (end - start, end - start)]:
        if _WORD.search(text, at, start + first):
            yield Piece(at, start + first, text[at : start + first], form)
        at = start + last


def join(text: str, pieces: Sequence[Piece], texts: Sequence[str]) -> str:
    """Put the pieces' new texts into the text; whatever is unchanged stays as it was, byte for byte."""
    parts: list[str] = []
    at = 0
    for piece, new in zip(pieces, texts, strict=True):
        if new != piece.text:
            parts += (text[at : piece.start], piece.write(new))
            at = piece.end
    return "".join([*parts, text[at:]])
