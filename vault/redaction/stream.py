"""Redaction of a text that is still being written: tokens in, safe text out.

Text goes out when what follows can't change what is found in it. Held back are, from the end of the text:

* the last `hold` words; in scripts without spaces, four signs are a word; a word of more than 1,024
  characters is several;
* from there on the rest of a run of capitalised words (8 at most) or of numbers (200 characters): names,
  cards, IBANs, addresses. Particles ("de la", "van der") and lone punctuation do not end a run;
* a finding that begins before and ends behind that point, however long it is;
* a row of a table, a line of a section of settings and a tag with attributes, of up to ROW characters: they
  are read by what names their columns, by the section, and by another attribute;
* a private key, or JSON that begins a line or an element of XML, of up to BLOCK characters, until that point
  is past its end, and the element's;
* the words that may be a wallet's, behind "recovery phrase" and its like.

This is the reach. Within it, nothing goes out that a scan of the whole would redact. What a scan of the
whole finds beyond it, across what went out, is in `late` after `finish`: it can't be called back, but what is
stored can be redacted, and the reader told.

Each scan sees the held text, some CONTEXT characters before it, the line that opened the code fence, and what
names the columns of the table, the section of settings or the keys around it, if it stands in one. It is made
every other word; less often, as the held text grows, so that all scans together stay linear in the text.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Final

from msgspec.structs import replace as changed

from vault.errors import InputError, UsageError
from vault.redaction.columns import Tables
from vault.redaction.findings import Finding
from vault.redaction.segments.code import FENCE

CONTEXT: Final = 200  # characters before the held text that a scan sees
HOLD: Final = 5  # words
ROW: Final = 4_096  # characters of an open row of a table
BLOCK: Final = 16_384  # characters of an open block; a private key of 16,384 bits has 12,700
_NAME: Final = 8  # words of a run of names
_NUMBER: Final = 200  # characters of a run
_WEAK: Final = 3  # particles and lone signs in a row, inside a run
_EVERY: Final = 2  # words between two scans
_UNBROKEN: Final = 128  # characters after which a scan is due even without a word's end

_SIGNS: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_sign: Final = re.compile(f"[{_SIGNS}]")
_unit: Final = re.compile(rf"[{_SIGNS}]{{1,4}}|[^\s{_SIGNS}]{{1,1024}}")
_digit: Final = re.compile(r"\d")
_particles: Final = frozenset(
    re.findall(
        r"\w+",
        "a al and bin bint d da dal de del della den der di do dos du e el et i ibn la las le los of st"
        " ten ter the und van von y zu zum zur",
    )
)
_key_begin: Final = re.compile(r"-----BEGIN ")
_key_end: Final = re.compile(r"-----END [^\n-]*-----")
_json: Final = re.compile(r"(?:^[ \t]*|(?<=>))[\[{](?=\s*+(?:[\"\[{\]}]|&quot;|\Z))", re.MULTILINE)
_json_signs: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|["\[\]{}]', re.DOTALL)
_tag: Final = re.compile(
    r"<[A-Za-z][\w:.-]{0,60}+\s++[A-Za-z_:@*#][\w:.@*#-]{0,60}+\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^<>\"'])*+"
)
_phrase: Final = re.compile(
    r"\b(?:seed|recovery phrase|mnemonic|secret phrase|frase semilla|wiederherstellungsphrase)\b",
    re.IGNORECASE,
)
_phrase_words: Final = re.compile(r"(?:\s*+\S{1,40}+){32}")  # 24 of a phrase, and those before it


class Stream:
    """One message on its way out.

    `find` gives sorted, disjoint findings; `replace` puts others in their places. If either raises, so does
    `feed` or `finish`, and nothing goes out that was held. After `finish`, `findings` are those of the whole
    text, and `late` those of them that reach into text which went out before they were found.
    """

    def __init__(
        self,
        find: Callable[[str], list[Finding]],
        replace: Callable[[str, list[Finding]], str],
        *,
        hold: int = HOLD,
    ) -> None:
        self._find = find
        self._replace = replace
        self._hold = max(hold, 1)
        self._parts: list[str] = []  # all that was fed
        self._fresh: list[str] = []  # fed since the last scan
        self._fresh_size = 0
        self._fresh_words = 0
        self._window = ""  # context and held text, as of the last scan
        self._context = 0  # how much of the window went out
        self._out = 0  # how much of the text went out
        self._fence = ""  # the line that opened the code fence in which the window begins
        self._marks = ""  # of that line: only as many of them end it
        self._head = ""  # what names the columns, or the keys, among whose values the window begins
        self._tables = Tables()
        self._until = ""  # what ends the row of a table that is open at the window's end
        self._line_begins = True  # the window begins with a line
        self._redacted: list[tuple[int, int]] = []  # of what went out
        self._done = False
        self.findings: list[Finding] = []
        self.late: list[Finding] = []
        self.shown: dict[tuple[str, str], int] = {}  # the numbers of what went out, for who stores it

    @property
    def text(self) -> str:
        """All that was fed."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def feed(self, token: str) -> str:
        """Take in the next token; give what may go out now, which is often nothing."""
        if self._done:
            raise UsageError("this stream is finished", hint="one stream is for one message")
        if not isinstance(token, str):
            raise InputError("a token is a text", hint="models say None where there is no text: leave it out")
        self._parts.append(token)
        self._fresh.append(token)
        self._fresh_size += len(token)
        self._fresh_words += token.count(" ") + token.count("\n")
        if not token.isascii() and _sign.search(token):
            self._fresh_words += 1
        if self._until and self._until not in token and self._fresh_size < ROW:
            return ""
        self._until = ""
        if self._fresh_words < _EVERY and self._fresh_size < _UNBROKEN:
            return ""
        if self._fresh_size * 8 < len(self._window) - self._context:
            return ""
        return self._scan()

    def finish(self) -> str:
        """Scan the whole, and give the rest."""
        if self._done:
            return ""
        text, out = self.text, self._out
        found = self._find(text)
        safe = self._replaced(text[out:], [finding for finding in found if finding.end > out], -out)
        self.findings = found
        self.late = [finding for finding in found if finding.start < out and self._showed(finding)]
        self._done = True
        self._window, self._fresh = "", []
        return safe

    @property
    def _opening(self) -> str:
        return (f"{self._fence}\n" if self._fence else "") + self._head

    def _scan(self) -> str:
        window = self._window + "".join(self._fresh)
        opening = self._opening
        found = _moved(self._find(opening + window), -len(opening))
        self._window = window
        self._fresh, self._fresh_size, self._fresh_words = [], 0, 0
        start, out = self._context, self._out
        firm = _joined([(f.start, f.end) for f in found], _blocks(window, start) + self._row(opening, window))
        cut, _ = _around(firm, _decided(window, start, self._hold))
        if cut <= start:
            return ""
        going = [finding for finding in found if start < finding.end <= cut]
        safe = self._replaced(window[start:cut], going, -start)
        self._redacted.extend((max(f.start, start) - start + out, f.end - start + out) for f in going)
        self._out += cut - start
        self._context = cut
        if cut > 2 * CONTEXT:
            before, behind = _around(firm, _line_near(window, cut - CONTEXT))
            self._forget(before if behind - before <= CONTEXT else min(behind, cut))
        return safe

    def _row(self, opening: str, window: str) -> list[tuple[int, int]]:
        """The last row of a table, while it is open; nothing of it goes out before its end comes."""
        table = self._tables.open_at_end(opening + window)
        begin = len(window) if table is None else max(table.row - len(opening), 0)
        self._until = table.until if table is not None and len(window) - begin <= ROW else ""
        return [(begin, len(window) + 1)] if self._until else []

    def _replaced(self, text: str, found: list[Finding], by: int) -> str:
        return self._replace(text, _moved(found, by)) if found else text

    def _forget(self, end: int) -> None:
        """Let the window begin later, and remember the code fence and the table that are open there."""
        window, opening = self._window, self._opening
        table = self._tables.open_at_end(opening + window[:end])
        if table is not None and end + len(opening) - table.row > BLOCK:
            table = None
        if table is not None:
            end = max(table.row - len(opening), 0)  # of half a row no cell is in its column
        self._head = table.head if table is not None else ""
        line = window.rfind("\n", 0, end) + 1
        if FENCE.match(window, line) and (line or self._line_begins):
            end = line  # half a fence is none
        for match in FENCE.finditer(window, 0, end):
            if match.start() == 0 and not self._line_begins:
                continue
            if not self._fence:
                self._fence, self._marks = match[0], match[1]
            elif match[1].startswith(self._marks) and not match[2].strip():
                self._fence = ""
        if end:
            self._line_begins = window[end - 1] == "\n"
        self._window = window[end:]
        self._context -= end

    def _showed(self, finding: Finding) -> bool:
        """Whether a letter or digit of it went out."""
        text = self.text
        place, end = finding.start, min(finding.end, self._out)
        index = bisect.bisect_right(self._redacted, place, key=lambda span: span[1])
        while place < end:
            begin, after = self._redacted[index] if index < len(self._redacted) else (end, end)
            if any(sign.isalnum() for sign in text[place : min(begin, end)]):
                return True
            place, index = after, index + 1
        return False


def _moved(found: list[Finding], by: int) -> list[Finding]:
    """The findings in a text whose beginning is elsewhere; of one that is cut there, what is left."""
    if not by:
        return found
    return [
        changed(finding, start=max(finding.start + by, 0), end=finding.end + by)
        for finding in found
        if finding.end + by > 0
    ]


def _joined(found: list[tuple[int, int]], blocks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Both, sorted, what overlaps as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found + blocks):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _around(firm: list[tuple[int, int]], place: int) -> tuple[int, int]:
    """The span that would be cut at this place; or the place itself, twice."""
    index = bisect.bisect_left(firm, (place,)) - 1
    return firm[index] if index >= 0 and firm[index][1] > place else (place, place)


def _line_near(window: str, place: int) -> int:
    """Where a line begins, or at least a word."""
    if line := window.rfind("\n", max(place - CONTEXT // 2, 0), place + CONTEXT // 2) + 1:
        return line
    return window.rfind(" ", max(place - CONTEXT // 2, 0), place) + 1 or place


def _decided(window: str, start: int, hold: int) -> int:
    """How far the text is out of reach of what may follow, findings and blocks apart."""
    units = list(_unit.finditer(window, start))
    last = len(units) - hold
    if last <= 0:
        return start
    first, place, names, weak = last, last, 0, 0
    while place >= 0 and units[last].start() - units[place].start() <= _NUMBER:
        word = units[place].group()
        initial = next((sign for sign in word if sign.isalnum()), "")
        if _digit.search(word):
            first, weak = place, 0
        elif initial.isupper():
            names += 1
            if names > _NAME:
                break
            first, weak = place, 0
        elif not initial or word in _particles:
            weak += 1
            if weak > _WEAK:
                break
        else:
            break
        place -= 1
    return units[first].start()


def _blocks(window: str, start: int) -> list[tuple[int, int]]:
    """Private keys and JSON of up to BLOCK characters; one that is open reaches behind the window's end."""
    return _keys(window, start) + _values(window, start) + _phrases(window, start) + _tags(window, start)


def _tags(window: str, start: int) -> list[tuple[int, int]]:
    """Tags with attributes; one that is open reaches behind the window's end."""
    tags = []
    for match in _tag.finditer(window, start) if "<" in window else ():
        end = match.end()
        if window[end : end + 1] in {"", '"', "'"}:
            end = len(window) + 1
        if end - match.start() <= ROW:
            tags.append((match.start(), end))
    return tags


def _phrases(window: str, start: int) -> list[tuple[int, int]]:
    found = []
    for match in _phrase.finditer(window, start):
        words = _phrase_words.match(window, match.end())
        found.append((match.start(), words.end() if words else len(window) + 1))
    return found


def _keys(window: str, start: int) -> list[tuple[int, int]]:
    begins = [match.start() for match in _key_begin.finditer(window, start)]
    if not begins:
        return []
    ends = [match.end() for match in _key_end.finditer(window, start)]
    keys = []
    for begin in begins:
        index = bisect.bisect_right(ends, begin)
        end = ends[index] if index < len(ends) else len(window) + 1
        if end - begin <= BLOCK:
            keys.append((begin, end))
    return keys


def _values(window: str, start: int) -> list[tuple[int, int]]:
    values = []
    while match := _json.search(window, start):
        begin = match.end() - 1
        end = _json_end(window, begin) or (len(window) + 1)
        if window[begin - 1 : begin] == ">":  # its element says how it is written
            end = window.find("</", end, begin + BLOCK) + 1 or len(window) + 1
        start = end
        if end - begin <= BLOCK:
            values.append((begin, end))
        else:
            start = begin + BLOCK
    return values


def _json_end(window: str, begin: int) -> int:
    """Where the value ends that begins here; 0 if it does not within BLOCK."""
    depth = 0
    for match in _json_signs.finditer(window, begin, begin + BLOCK):
        sign = match.group()
        if sign == '"':
            return 0  # a string that is open
        depth += (sign in "[{") - (sign in "]}")
        if depth <= 0 and sign in "]}":
            return match.end()
    return 0


def redacted(tokens: Iterable[str], stream: Stream) -> Iterator[str]:
    """Safe text, as it becomes safe. If the tokens end with an error, what is held does not go out."""
    for token in tokens:
        if safe := stream.feed(token):
            yield safe
    if safe := stream.finish():
        yield safe


async def redacted_async(tokens: AsyncIterable[str], stream: Stream) -> AsyncIterator[str]:
    """The same, for tokens that are waited for."""
    async for token in tokens:
        if safe := stream.feed(token):
            yield safe
    if safe := stream.finish():
        yield safe
