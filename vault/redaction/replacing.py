"""Putting something else in the place of what was found, and of what a session knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vault.redaction.findings import Finding
from vault.redaction.memory import Memory
from vault.redaction.operators import OPERATORS, TELLING
from vault.redaction.recalling import recall
from vault.redaction.remembering import known_as, placeholders, remember
from vault.redaction.result import tell
from vault.redaction.search import Shard, beside
from vault.redaction.segments import Form, Piece, attachments, blobs, join
from vault.redaction.settings import Redaction
from vault.redaction.terms import Terms

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
        self._bare: dict[str, str] = {}  # what stood without quotes where what stands for it has some
        self._quoted: set[str] = set()  # what stands for what had quotes before

    def write(self, shard: Shard) -> Written:
        """Give a text with everything replaced, and without its blobs where they are dropped."""
        self._bare, self._quoted = {}, set()
        text, values = self._shard(shard)
        for mark in self._bare.keys() - self._quoted:
            tell(values, {f'"{mark}"': self._bare[mark]})
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
            self._bare.setdefault(mark, piece.text)
        elif whole[piece.start - 1 : piece.start] == '"':
            self._quoted.add(mark)

    def _piece(self, piece: Piece, found: list[Finding]) -> Written:
        every = self.known(piece, found, found)
        return self._replaced(piece.text, every) if every else (piece.text, {})

    def _replaced(self, text: str, findings: Sequence[Finding]) -> Written:
        values, written, at = dict[str, str](), [], 0
        for finding in sorted(findings, key=lambda one: one.start):
            value = text[finding.start : finding.end]
            operator = self._settings.operator_for(finding.entity)
            now = OPERATORS[operator](finding, value, self._memory)
            written += [text[at : finding.start], now]
            at = finding.end
            if now != value and operator in TELLING:
                tell(values, {now: value})
        return "".join([*written, text[at:]]), values
