"""A JSON file that is one long list, read element by element: nothing else of it is in memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from vault.transfer.sources import Unreadable, open_file

_CHUNK = 256 * 1024  # characters at first; as much again for an element that is longer
MOST = 64 * 1024 * 1024  # characters of one element
_SPACE = " \t\r\n"
_decoder = json.JSONDecoder()


def elements(path: Path) -> Iterator[Any]:
    """Give the elements, and in the end `Unreadable` where the file breaks off or holds something else."""
    with open_file(path) as file:
        yield from _Reader(file).elements()


class _Reader:
    """Holds the part of the file that is being read."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 (a binary file)
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._before = 0  # characters that were dropped
        self._ended = False
        self._broken = ""

    def elements(self) -> Iterator[Any]:
        if self._next() != "[":
            yield self._unreadable("it is no JSON list")
            return
        self._at += 1
        if self._next() == "]":
            yield from self._rest()
            return
        while True:
            self._next()
            found = self._element()
            yield found
            if isinstance(found, Unreadable):
                return
            mark = self._next()
            self._at += 1
            if mark == "]":
                yield from self._rest()
                return
            if mark != ",":
                yield self._unreadable("the list breaks off")
                return

    def _rest(self) -> Iterator[Unreadable]:
        self._at += self._text[self._at : self._at + 1] == "]"
        if self._next():
            yield self._unreadable("something follows the list")

    def _element(self) -> Any:  # noqa: ANN401 (any JSON)
        """Read an element; where it is not whole yet, twice as much, so that no part is read often."""
        while True:
            with suppress(ValueError, RecursionError):  # a number may be too long, too
                found, end = _decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended:
                    self._at = end
                    return found
            if self._ended or self._broken:
                return self._unreadable(self._broken or "it is no JSON")
            if len(self._text) - self._at > MOST:
                return self._unreadable(f"it is no JSON, or longer than {MOST} characters")
            self._read(max(_CHUNK, len(self._text) - self._at))

    def _next(self) -> str:
        """Go to the next character that is no space, and give it; nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if self._ended or self._broken:
                return ""
            self._read(_CHUNK)

    def _read(self, size: int) -> None:
        self._before += self._at
        piece = self._file.read(size)
        self._ended = not piece
        try:
            more = self._decode.decode(piece, final=self._ended)
        except UnicodeDecodeError:
            self._broken, more = "it is not UTF-8", ""
        self._text, self._at = self._text[self._at :] + more, 0

    def _unreadable(self, why: str) -> Unreadable:
        return Unreadable(place=f"character {self._before + self._at}", why=self._broken or why)
