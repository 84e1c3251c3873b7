"""The engine that ships: segments, patterns, names, the user's terms; overlaps resolved once; operators.

Fails closed: what raises, or runs over its budget, is not written, or is replaced as a whole (P1).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from vault.errors import ConfigError, InputError
from vault.forks import cached, renew_locks
from vault.messages import Message
from vault.redaction.answers import LONGEST as ANSWER
from vault.redaction.answers import answer
from vault.redaction.examined import ExaminedMessages
from vault.redaction.findings import Finding, Recognizer
from vault.redaction.folding import unbroken
from vault.redaction.labelled import by_label
from vault.redaction.memory import Memory
from vault.redaction.models import load
from vault.redaction.otherwise import not_otherwise
from vault.redaction.overlaps import resolve, without_kept
from vault.redaction.own import Own
from vault.redaction.places import located, placed
from vault.redaction.published import unpublished
from vault.redaction.remembering import placeholders
from vault.redaction.replacing import Replacer
from vault.redaction.result import RedactedText, leave_marks
from vault.redaction.rosters import call_roll
from vault.redaction.search import LONG, SHORT, Looked, Search, Shard, beside_signs, kind, moved
from vault.redaction.segments import Form, Piece, split
from vault.redaction.settings import Redaction
from vault.redaction.stream import HOLD
from vault.redaction.structure import Text, texts_of
from vault.redaction.terms import Terms
from vault.redaction.traces import Trace, traced
from vault.redaction.whole import judge_whole, read_whole, reads_apart, told, verdict_on
from vault.redaction.worldly import is_worldly

if TYPE_CHECKING:
    from vault.redaction.finder import Patterns
    from vault.redaction.names import Mode, Names

WHOLE = "<REDACTED>"
_MANY = 8  # pieces that are worth to be read together
_MANY_MORE = 1_000  # texts that are read together at most
_OF_RECORDS = {"id", "_id", "ids"}
_DEPTH = 3  # JSON in a string in JSON in a string


class Engine:
    """Finds and replaces personal data. Safe to use from many threads; everything loads when first used.

    `recognizers` are a user's own, with a method `find`, or any of Presidio's kind.
    """

    def __init__(
        self,
        settings: Redaction | None = None,
        *,
        recognizers: Iterable[Any] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or Redaction()
        given = tuple(recognizers)
        self._presidio = [one for one in given if not isinstance(one, Recognizer)]
        self._own = tuple(Own(one) for one in given if isinstance(one, Recognizer))
        if not all(hasattr(one, "analyze") for one in self._presidio):
            raise ConfigError("a recognizer has a method find(text), or is one of Presidio's")
        self._names: dict[Mode, Names] = {}
        self._models: dict[str, Recognizer] = {}
        self._clock = clock
        self._terms: dict[int, tuple[Redaction, Terms]] = {}
        self._loading = threading.Lock()
        renew_locks(self, "_loading")
        for one in (self.settings, *self.settings.namespaces.values()):
            self._terms_of(one)  # a wrong term is refused now, not with the first message

    @cached
    def _patterns(self) -> Patterns:
        from vault.redaction.finder import Patterns

        return Patterns(self._presidio)

    def _bundled(self, mode: Mode) -> Names:
        """Give the bundled model, which reads prose."""
        names = self._names.get(mode)
        if names is None:
            from vault.redaction.names import Names

            names = self._names[mode] = Names(mode)
        return names

    def _others(self, settings: Redaction) -> Iterator[Recognizer]:
        """Give what else reads prose: the models that are named, the user's own recognizers."""
        for name in settings.models:
            if name not in self._models:
                with self._loading:
                    self._models[name] = self._models.get(name) or load(name)
            yield self._models[name]
        yield from self._own

    # -- finding ----------------------------------------------------------------------------------------

    def find(self, text: str, settings: Redaction | None = None) -> list[Finding]:
        """Find personal data in a text, as it stands in it; disjoint and in order."""
        chosen = settings or self.settings
        return located(self._shard(text, "", chosen, self._search(chosen), _DEPTH))

    def find_known(
        self, text: str, memory: Memory, settings: Redaction, before: Looked | None = None
    ) -> list[Finding]:
        """Find personal data in a text that may go on, and what a session knows."""
        shard = self._shard(text, "", settings, Search(self._clock, settings.budget, before), _DEPTH)
        replacer = self._replacer(memory, settings)

        def every(piece: Piece, found: list[Finding], may_go_on: bool) -> list[Finding]:  # noqa: FBT001
            sure = [one for one in found if not may_go_on or one.end < len(piece.text)]
            return replacer.known(piece, found, sure)

        return list(placed(shard, every, is_open=True))

    def reach(self, settings: Redaction) -> int:
        """Give how many words a stream holds back: as many as the longest denied term has."""
        terms = self._terms_of(settings)
        return max(HOLD, terms.words) if terms else HOLD

    def redact_text(self, text: str, namespace: str = "") -> RedactedText:
        """Redact a text for itself."""
        if not isinstance(text, str):
            raise InputError("what is to be redacted is a text")
        settings = self.settings.at(namespace)
        search = self._search(settings)
        shard = self._shard(text, "", settings, search, _DEPTH)
        if shard.is_clean and settings.blobs == "keep":
            return RedactedText(text, (), {})
        memory = Memory(secrets.token_bytes(32), {})
        leave_marks(memory, text)
        redacted, values = self._replacer(memory, settings).write(shard)
        found = located(shard)
        search.check_within(text)()
        return RedactedText(redacted, tuple(found), values)

    def _shard(self, text: str, label: str, settings: Redaction, search: Search, depth: int) -> Shard:
        pieces = split(text, search.check_within(text), numbers=bool(settings.deny))
        if len(pieces) == 1 and not (label or pieces[0].label or (depth and pieces[0].nested)):
            return Shard(text, pieces, [self._whole(pieces[0], text, settings, search)], [None])
        is_whole = depth == _DEPTH and not label and len(text) <= LONG
        read = read_whole(text, pieces, self._bundled(settings.mode)) if is_whole else None
        if len(pieces) > _MANY:
            some = pieces if reads_apart(read, settings.mode) else [piece for piece in pieces if piece.label]
            if depth == _DEPTH:
                search.go_on()
            self._read_ahead(some, label, settings, search, depth)
        found: list[list[Finding]] = []
        inner: list[Shard | None] = []
        looked = search.looked.pieces
        for piece in pieces:
            search.check()
            name = piece.label or label
            mine = read.get(piece.start) if read is not None else None
            key = piece.text, name, kind(piece, depth, is_read=mine is not None)
            known = None if mine else looked.get(key)
            if known is not None:  # tables and logs repeat themselves
                inner.append(None)
                found.append(known)
            elif depth and piece.nested:
                inner.append(self._inner(piece, settings, search, depth - 1))
                found.append([])
            else:
                inner.append(None)
                found.append(self._look(piece, name, settings, search, mine))
                if len(piece.text) <= SHORT and not mine:
                    looked[key] = found[-1]
        shard = Shard(text, pieces, found, inner)
        names, is_balanced = self._bundled(settings.mode), settings.mode == "balanced"
        if is_whole and is_balanced:
            judge_whole(shard, names)
        if depth == _DEPTH:
            judge = partial(verdict_on, shard, names) if is_balanced and len(text) <= LONG else None
            call_roll(shard, judge, partial(self._is_wanted, settings), spares_famous=is_balanced)
        return shard

    def _is_wanted(self, settings: Redaction, text: str, one: Finding) -> bool:
        """Say whether the settings let a finding stand."""
        terms = self._terms_of(settings)
        if settings.leaves(one.entity) or one.score < settings.thresholds.get(one.entity, 0):
            return False
        return not terms or bool(terms.kept(text, [one]))

    def _whole(self, piece: Piece, text: str, settings: Redaction, search: Search) -> list[Finding]:
        """Find what is in a text that is all of one piece: most messages are."""
        search.check()
        found = self._look(piece, "", settings, search)
        if not found or settings.mode != "balanced":
            return found
        judge = None if self.has_recognizers else self._bundled("balanced").verdict  # what they find goes
        return [] if is_worldly(text, found, judge) else found

    def _read_ahead(
        self, pieces: Sequence[Piece], label: str, settings: Redaction, search: Search, depth: int
    ) -> None:
        """Let the bundled model read all short pieces at once."""
        from vault.redaction.names.batch import find_each

        short = {
            (piece.text, piece.label): piece
            for piece in pieces
            if len(piece.text) <= SHORT and piece.form is Form.PROSE
        }
        names = search.looked.names
        said = (
            _said(piece, piece.label or label) for piece in short.values() if not (depth and piece.nested)
        )
        texts = [text for text in dict.fromkeys(said) if text not in names]
        for start in range(0, len(texts), _MANY_MORE):
            search.check()
            some = texts[start : start + _MANY_MORE]
            names.update(zip(some, find_each(self._bundled(settings.mode), some), strict=True))

    def _inner(self, piece: Piece, settings: Redaction, search: Search, depth: int) -> Shard:
        key = piece.text, piece.label, depth
        known = search.shards.get(key)
        if known is None:
            known = self._shard(piece.text, piece.label, settings, search, depth)
            if len(piece.text) <= SHORT:
                search.shards[key] = known
        return known

    def _look(
        self,
        piece: Piece,
        label: str,
        settings: Redaction,
        search: Search,
        read: list[Finding] | None = None,
    ) -> list[Finding]:
        """Find what is in one piece; its label is read with it, as the words around a value.

        What the model has `read` of it in its place is not asked for again, but what the label may tell.
        """
        text = _said(piece, label)
        shift = len(text) - len(piece.text)
        terms = self._terms_of(settings)
        found = terms.denied(text) if terms else []
        if piece.form is Form.NUMBER:
            return self._settled(found, text, shift, settings, terms)
        is_code = piece.form is Form.CODE
        check = search.check_within(text)
        found += self._patterns.find(text, code=is_code, check=check)
        if piece.form is Form.PROSE:
            plain = unbroken(text)
            # Nothing drops a pattern's finding later, and it beats the model's.
            known = () if terms or settings.thresholds or plain.places else found
            named: Sequence[Finding] = ()
            if (apart := reads_apart(read, settings.mode)) or label:
                named = self._named(plain.text, settings, search, known)
            if named or read:
                found += told(plain.led_back([*named]), label, apart=apart)
            found = beside_signs([*found, *moved(read or [], shift)], text)
            found = by_label(found, piece, label, shift)
        if found:
            found = unpublished(found, text)
            if settings.mode != "high-recall":
                found = not_otherwise(found, text)
        if not is_code and (settings.models or self._own):
            for recognizer in self._others(settings):
                check()
                found += recognizer.find(text)
        return self._settled(found, text, shift, settings, terms) if found else found

    def _settled(
        self, found: list[Finding], text: str, shift: int, settings: Redaction, terms: Terms | None
    ) -> list[Finding]:
        """Choose among what was found in a text what the settings want, disjoint, without its label."""
        if shift:
            found = [one for one in found if one.end > shift]
        if settings.thresholds:
            found = [one for one in found if one.score >= settings.thresholds.get(one.entity, 0)]
        if terms:
            found = terms.kept(text, found)
        found = without_kept(found, settings.leaves, text)
        resolved = resolve([*found, *placeholders(text)], text)
        return moved([one for one in resolved if one.entity], -shift)

    def _named(
        self, text: str, settings: Redaction, search: Search, known: Sequence[Finding]
    ) -> list[Finding]:
        """Give what the bundled model finds beside what is known, unless it has read the text ahead."""
        if (found := search.looked.names.get(text)) is not None:
            return found
        names = self._bundled(settings.mode)
        if len(text) <= LONG:
            found = names.find(text, known)
            return [*found, *answer(text, settings.mode, self._bundled)] if len(text) <= ANSWER else found
        from vault.redaction.names.model import parted

        found = []
        for start, part in parted(text):  # as it does itself, and the time is looked at in between
            search.check()
            found += moved(names.find(part), start)
        return found

    def _terms_of(self, settings: Redaction) -> Terms | None:
        if not settings.allow and not settings.deny:
            return None
        known = self._terms.get(id(settings))
        if known is None or known[0] is not settings:
            known = self._terms[id(settings)] = settings, Terms.of(settings.allow, settings.deny)
        return known[1]

    def _replacer(self, memory: Memory, settings: Redaction) -> Replacer:
        def judge(text: str) -> float:
            return self._bundled("balanced").verdict(text)

        is_balanced = settings.mode == "balanced"
        return Replacer(memory, settings, self._terms_of(settings), judge if is_balanced else None)

    def _search(self, settings: Redaction) -> Search:
        return Search(self._clock, settings.budget)

    # -- messages ---------------------------------------------------------------------------------------

    def redact(self, message: Message) -> Message:
        """Redact one message for itself, its placeholders numbered from 1."""
        return self.examine([message], "").finish(Memory(secrets.token_bytes(32), {}))[0].message

    def examine(self, messages: Sequence[Message], namespace: str) -> ExaminedMessages:
        """Find everything in some messages of a namespace."""
        found = [(message, self.search(message, namespace)) for message in messages]
        return self._examined(found, self.settings.at(namespace))

    def _examined(
        self, found: list[tuple[Message, list[Shard] | None]], settings: Redaction
    ) -> ExaminedMessages:
        return ExaminedMessages(
            found, settings, self._denied(settings), lambda memory: self._replacer(memory, settings)
        )

    def _denied(self, settings: Redaction) -> Callable[[str], list[Finding]] | None:
        """Give what finds the terms that the user denies."""
        return terms.denied if (terms := self._terms_of(settings)) else None

    def search(self, message: Message, namespace: str) -> list[Shard] | None:
        """Find everything in a message; None where it stays as it is. Another process may do this part."""
        settings = self.settings.at(namespace)
        if settings.keeps(message.role):
            return None
        search = self._search(settings)
        texts = texts_of(message, metadata=settings.metadata == "redact", denied=self._denied(settings))
        return [self._guarded(one, settings, search) for one in texts]

    def searched(self, message: Message, traces: Sequence[Trace] | None, namespace: str) -> ExaminedMessages:
        """Go on with what `search` found in a message, perhaps in another process."""
        settings = self.settings.at(namespace)
        if traces is None:
            return self._examined([(message, None)], settings)
        texts = texts_of(message, metadata=settings.metadata == "redact", denied=self._denied(settings))
        numbers = bool(settings.deny)
        shards = [traced(one.text, trace, numbers=numbers) for one, trace in zip(texts, traces, strict=True)]
        return self._examined([(message, shards)], settings)

    @property
    def has_recognizers(self) -> bool:
        """Whether the app brought recognizers, which live in its process alone."""
        return bool(self._own or self._presidio)

    def _guarded(self, one: Text, settings: Redaction, search: Search) -> Shard:
        try:
            return self._shard(one.text, one.label, settings, search, _DEPTH)
        except Exception:  # whatever it was: as the policy says, and never raw
            if settings.failure == "refuse":
                raise
            return Shard(one.text, [], [], [], WHOLE)


def _said(piece: Piece, label: str) -> str:
    """Give what a piece says, behind the label that names it. Mere `id` is what a record calls itself by."""
    return piece.text if not label or label.lower() in _OF_RECORDS else f"{label}: {piece.text}"
