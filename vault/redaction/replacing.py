"""Putting something else in the place of what was found, and of what a session knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from vault.redaction.findings import Finding
from vault.redaction.memory import Memory
from vault.redaction.operators import OPERATORS, TELLING
from vault.redaction.recalling import recall
from vault.redaction.remembering import known_as, placeholders, remember
from vault.redaction.result import tell
from vault.redaction.search import Shard, beside
from vault.redaction.segments import Form, Piece, as_it_is, attachments, blobs, join
from vault.redaction.settings import Redaction
from vault.redaction.terms import Terms

_NUMBER: Final = re.compile(r"\d[\d._-]*+")
_VALID: Final = re.compile(r"(?!0\d)\d[\d._-]*+")
_BEFORE: Final = re.compile(r"[=:(,\[][ \t]{0,3}\Z")
_BEHIND: Final = re.compile(
    r"[ \t]*+(?:[,;)\]}\r\n]|\Z|(?:where|and|or|order|limit|returning)\b)", re.IGNORECASE
)
_STRING: Final = re.compile(r"""\"(?:[^"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|`[^`]*+`""")
_STATEMENT: Final = re.compile(
    r"^[ \t]*+(?:select|insert|update|delete|replace|with)\b|\bwhere\b", re.IGNORECASE | re.MULTILINE
)
_SAID: Final = re.compile(r"[\"'`#]|//|--")
_QUOTES: Final = ('"', "'")
_LINE: Final = 400  # characters of a line that tell whether a number stands in a string

Written = tuple[str, dict[str, str]]  # a text, and what stood where in it something else stands now


class Replacer:
    """Replaces what was found in the texts of a session, by its settings and in its numbers."""

    def __init__(
        self,
        memory: Memory,
        settings: Redaction,
        terms: Terms | None,
        judge: Callable[[str], float] | None,
    ) -> None:
        self._memory = memory
        self._settings = settings
        self._terms = terms
        self._judge = judge
        self._bare: dict[str, str] = {}  # what stood without quotes, by what stands for it in some
        self._quoted: set[str] = set()  # what stands for what had its quotes before

    def write(self, shard: Shard) -> Written:
        """Give a text with everything replaced, and without its blobs where they are dropped."""
        self._bare, self._quoted = {}, set()
        text, values = self._shard(shard)
        for mark in self._bare.keys() - self._quoted:
            tell(values, {mark: self._bare[mark]})
        if self._settings.blobs == "drop":
            kept, at = [], 0
            for start, end in sorted([*blobs(text), *attachments(text)]):  # one may hold others
                kept.append(text[at:start])
                at = max(at, end)
            text = "".join([*kept, text[at:]])
        return text, values

    def known(self, piece: Piece, found: list[Finding], sure: list[Finding]) -> list[Finding]:
        """Remember what is `sure` of a piece; give all that was found, and what the session knows."""
        text, is_code = piece.text, piece.form in {Form.CODE, Form.NUMBER}
        if not is_code:
            remember(self._memory, text, sure)
        if not self._memory.knows:
            return found
        known = known_as(found, text, self._memory, self._settings)
        recalled = recall(self._memory, text, known, code=is_code, judge=self._judge)
        if recalled:
            recalled = [one for one in recalled if not self._settings.leaves(one.entity)]
            recalled = beside(recalled, [(one.start, one.end) for one in placeholders(text)])
        return [*known, *(self._terms.kept(text, recalled) if self._terms and recalled else recalled)]

    def _shard(self, shard: Shard) -> Written:
        if shard.whole is not None:
            return shard.whole, {}
        if shard.is_clean and not self._memory.knows:
            return shard.text, {}
        texts, values = [], dict[str, str]()
        again: dict[tuple[str, int], tuple[int, str, dict[str, str]]] = {}
        for piece, found, inner in zip(shard.pieces, shard.found, shard.inner, strict=True):
            key, size = (piece.text, id(found)), self._memory.size
            if inner is not None:
                text, more = self._shard(inner)
            elif (before := again.get(key)) and before[0] == size:  # no name is known that was not then
                _, text, more = before
            else:
                text, more = self._piece(piece, found)
                again[key] = self._memory.size, text, more
            texts.append(text)
            if more:
                tell(values, more)
                if text in more:
                    self._note_quotes(shard.text, piece, text)
        return join(shard.text, shard.pieces, texts), values

    def _note_quotes(self, whole: str, piece: Piece, mark: str) -> None:
        """Note whether a mark has quotes only because it is one: what is put back there has none."""
        is_as_said = whole[piece.start : piece.end] == piece.text
        if is_as_said and piece.write(mark) == f'"{mark}"':
            self._bare.setdefault(f'"{mark}"', piece.text)
        elif whole[piece.start - 1 : piece.start] == '"':
            self._quoted.add(f'"{mark}"')

    def _piece(self, piece: Piece, found: list[Finding]) -> Written:
        every = self.known(piece, found, found)
        return self._replaced(piece, every) if every else (piece.text, {})

    def _replaced(self, piece: Piece, findings: Sequence[Finding]) -> Written:
        text, is_statement = piece.text, piece.is_whole  # which writes the quotes itself
        is_code = is_statement or (piece.form is Form.CODE and piece.write is as_it_is)
        quotes = "'" if is_code and _STATEMENT.search(text) else '"'
        values, written, at = dict[str, str](), [], 0
        for finding in sorted(findings, key=lambda one: one.start):
            value = text[finding.start : finding.end]
            operator = self._settings.operator_for(finding.entity)
            now = OPERATORS[operator](finding, value, self._memory)
            is_bare = is_code and now != value and _is_bare_number(text, finding.start, finding.end)
            quote = quotes if is_bare and not _VALID.fullmatch(now) else ""
            written += [text[at : finding.start], now if is_statement else f"{quote}{now}{quote}"]
            at = finding.end
            if now != value and operator in TELLING:
                tell(values, {now: value})
                if quote:
                    self._bare.setdefault(f"{quote}{now}{quote}", value)
                elif is_code and (sign := text[finding.start - 1 : finding.start]) in _QUOTES:
                    self._quoted.add(f"{sign}{now}{sign}")
        return "".join([*written, text[at:]]), values


def _is_bare_number(text: str, start: int, end: int) -> bool:
    """Say whether a number stands where code reads one, and no word: what stands for it there is a string."""
    if not _NUMBER.fullmatch(text, start, end) or not _BEHIND.match(text, end):
        return False
    line = text[max(text.rfind("\n", 0, start) + 1, start - _LINE) : start]
    return _BEFORE.search(line) is not None and not _SAID.search(_STRING.sub("", line))
