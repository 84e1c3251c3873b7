"""Fields of a form as it is sent, `name=Anna+Webb&age=34`: each value is a piece that its name labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote_plus, unquote_plus

from vault.redaction.segments.pieces import FORM, Piece, Taken, value

_FIELD = re.compile(r"([^=&]++)=([^&]*+)")
_OPTION = r"(?<![\w-])(?:-d|--(?:post-|body-)?data(?:-[a-z]++)?)(?:[ \t]++|=)?"
_BRACKETS = re.compile(r"[\[\]]++")
_PLACE = re.compile(
    rf"^(?P<line>{FORM})[ \t]*+\r?$|{_OPTION}(?P<sign>['\"])(?P<said>{FORM})(?P=sign)",
    re.MULTILINE,
)
_SETTING = re.compile(r"(?:export[ \t]++)?[\w.-]++[ \t]*+=[^&\n]*+$", re.MULTILINE)


def bodies(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find bodies: a line that is one from its first sign to its last, or what a command sends.

    Among settings the & is of a value.
    """
    if text.find("&", start, end) < 0:
        return
    for found in _PLACE.finditer(text, start, end):
        name = "said" if found["line"] is None else "line"
        first, last = found.span(name)
        if name == "said" or not _is_among_settings(text, first, last):
            yield Taken(
                first, last, [piece for one in _FIELD.finditer(text, first, last) for piece in _piece(one)]
            )


def _is_among_settings(text: str, first: int, last: int) -> bool:
    before = text.rfind("\n", 0, max(first - 1, 0)) + 1
    after = text.find("\n", last) + 1
    is_setting = first > 0 and _SETTING.match(text, before) is not None
    return is_setting or (after > 0 and _SETTING.match(text, after) is not None)


def _piece(field: re.Match[str]) -> list[Piece]:
    label = _BRACKETS.sub(" ", unquote_plus(field[1])).strip()
    return value(*field.span(2), unquote_plus(field[2]), label, in_body)


def in_body(text: str) -> str:
    """Write a value; a placeholder is known by its brackets."""
    return quote_plus(text, safe="<>")
