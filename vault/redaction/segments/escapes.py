"""Where the signs of a decoded value stand in the text that it was decoded from."""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import unquote, unquote_plus

from vault.redaction.segments.literals import ESCAPE, decoded

_PAIR: Final = r"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}"  # one character of JSON
_REFERENCE: Final = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")
_WRITINGS: Final[tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]] = (
    (re.compile(f"{_PAIR}|{ESCAPE.pattern}", re.DOTALL), decoded),
    (_REFERENCE, html.unescape),
    (re.compile("(?:%[0-9A-Fa-f]{2})+"), unquote),
    (re.compile(r"(?:%[0-9A-Fa-f]{2})+|\+"), unquote_plus),
    (re.compile('""'), lambda raw: raw.replace('""', '"')),
    (re.compile(r"\\\|"), lambda raw: raw.replace("\\|", "|")),
    (re.compile("''"), lambda raw: raw.replace("''", "'")),
    (re.compile(r"'\\''"), lambda raw: raw.replace("'\\''", "'")),
)


class Origin(NamedTuple):
    """How a text leads back to its raw form: what each escape says, and where it stands."""

    first: int  # where the raw form begins, behind a quote
    begins: list[int]
    ends: list[int]
    escapes: list[tuple[int, int]]
    read: Callable[[str], str]  # gives what a part of the raw form says

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give where text[start:end] stands in the raw form; no escape is cut."""
        return self._sign(start)[0], self._sign(end - 1)[1]

    def _sign(self, at: int) -> tuple[int, int]:
        before = bisect.bisect_right(self.begins, at) - 1
        if before < 0:
            return self.first + at, self.first + at + 1
        if at < self.ends[before]:
            return self.escapes[before]
        place = self.escapes[before][1] + at - self.ends[before]
        return place, place + 1


def origin(raw: str, text: str) -> Origin | None:
    """Find the way of writing in which the raw form says just this text; None where there is none."""
    for first, inside in ((0, raw), (1, raw[1:-1])):
        if inside == text:
            return Origin(first, [], [], [], str)
        for escape, read in _WRITINGS:
            if (found := _led_back(first, inside, text, escape, read)) is not None:
                return found
    return None


def _led_back(
    first: int, raw: str, text: str, escape: re.Pattern[str], read: Callable[[str], str]
) -> Origin | None:
    led = Origin(first, [], [], [], read)
    parts: list[str] = []
    at = size = 0
    for one in escape.finditer(raw):
        said = read(one[0])
        parts += [raw[at : one.start()], said]
        led.begins.append(size := size + one.start() - at)
        led.ends.append(size := size + len(said))
        led.escapes.append((first + one.start(), first + one.end()))
        at = one.end()
    return led if "".join([*parts, raw[at:]]) == text else None
