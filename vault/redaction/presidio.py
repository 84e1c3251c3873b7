"""Presidio's own recognizers, run only where the gate let them through.

What they find is what Presidio finds: the same patterns, validations, context words and removal of duplicates
(tests/test_redaction_gate.py holds the two against each other). What is left out is what takes the time:
an explanation, a timer
and a result object for every match of every pattern. Nothing here opens a socket or looks for a model.

`strict` is Presidio as it comes. Otherwise a number that only looks like an id counts only where its own
words stand
before it: nine digits pass one country's checksum or another far too often.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from vault.forks import renew_locks
from vault.redaction.catalogue import REPLACED, entries, entry, recognizers, same
from vault.redaction.findings import Finding, Ground
from vault.redaction.gate import Ends, Sign, mapped
from vault.redaction.nearby import Nearby
from vault.redaction.own import asked, within
from vault.redaction.wares import is_an_amount

# What needs no word before it: a shape of letters and digits, a written form, or a date and a checksum in
# one.
BARE = {
    "DeSocialSecurityRecognizer": 0.9,
    "EsNieRecognizer": 0.9,
    "EsNifRecognizer": 0.9,
    "FiPersonalIdentityCodeRecognizer": 0.9,
    "InGstinRecognizer": 0.9,
    "ItFiscalCodeRecognizer": 0.9,
    "KrRrnRecognizer": 0.9,
    "MedicalLicenseRecognizer": 0.9,
    "SePersonnummerRecognizer": 0.9,
    "SgFinRecognizer": 0.5,
    "UkDrivingLicenceRecognizer": 0.9,
    "UkNinoRecognizer": 0.5,
    "UsItinRecognizer": 0.5,
    "UsMbiRecognizer": 0.5,
    "UsSsnRecognizer": 0.5,
    "ZaIdNumberRecognizer": 0.9,
}
# They call it a validation, but it reads the form and proves nothing.
_FORM_ONLY = frozenset(
    {
        "DeBsnrRecognizer",
        "InVehicleRegistrationRecognizer",
        "KrDriverLicenseRecognizer",
        "TrLicensePlateRecognizer",
        "UkDrivingLicenceRecognizer",
        "UkVehicleRegistrationRecognizer",
        "ZaCompanyRegistrationRecognizer",
        "ZaDriverLicenseRecognizer",
        "ZaIncomeTaxNumberRecognizer",
        "ZaLicensePlateRecognizer",
        "ZaPassportRecognizer",
        "ZaTrafficRegisterNumberRecognizer",
        "ZaVatNumberRecognizer",
    }
)
_BOOST, _LEAST = 0.35, 0.4  # of Presidio's LemmaContextAwareEnhancer
_BLANKS, _SIGNS = re.compile(r"\\s([*+])"), re.compile(r"(\[A-Z0-9-\])\*")
_WEAK = 0.05  # patterns below never reach `_LEAST`, and some of them are quadratic
Match = tuple[int, int, float, bool, str]  # its score, whether a sum proves it, the entity


class Presidio:
    """Presidio's recognizers, with those of a user's own. Safe for threads once it is made."""

    def __init__(
        self, own: Sequence[Any] = (), *, strict: bool = False, cache: Path | None = None, first: int = 0
    ) -> None:
        self._strict = strict
        self._first = first
        self._known = entries(cache)
        self._own = tuple(own)
        self._entries = [*self._known, *(entry(recognizer) for recognizer in self._own)]
        self._loaded: list[Any] | None = None
        self._lock = threading.Lock()
        renew_locks(self, "_lock")

    def signs(self) -> list[Sign]:
        """What the gate looks for: two owners for each recognizer, its patterns and its context words."""
        found = []
        for at, one in enumerate(self._entries):
            if not self._wanted(at):
                continue
            least = 0.0 if self._strict or at >= len(self._known) else _WEAK
            owner = self._first + 2 * at
            found += [
                Sign(owner, form, _flags(flags)) for form, flags, score in one.patterns if score >= least
            ]
            words = [mapped(word.lower()).decode() for word in one.context if " " not in word]
            if words and self._needs_words(at):
                escaped = "|".join(sorted({_escaped(word) for word in words}))
                found.append(Sign(self._first + 2 * at + 1, f"(?:{escaped})"))
        return found

    def find(
        self,
        text: str,
        fired: Mapping[int, Ends],
        *,
        code: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> list[Finding]:
        """What the recognizers that were let through find; in code only what proves itself."""
        owners = {(owner - self._first) >> 1 for owner in fired if owner >= self._first}
        through = [at for at in owners if self._through(at, fired)]
        if not through:
            return []
        loaded = self._load()
        words: Nearby | None = None
        found: dict[str, list[Finding]] = {}
        for at in sorted(through):
            check()
            recognizer, own = loaded[at], at >= len(self._known)
            read = partial(self._read, at, recognizer, text, fired)
            matches = asked(read) if own else read()
            if not matches:
                continue
            proves = _validates(recognizer) and type(recognizer).__name__ not in _FORM_ONLY
            for start, end, score, valid, entity in matches:
                if not own and not self._strict and _is_nothing(entity, text, start, end):
                    continue
                if recognizer.context and (words is None):
                    words = Nearby(text)
                near = bool(
                    recognizer.context
                    and words is not None
                    and words.has(recognizer.context, start, whole=not self._strict)
                )
                if not self._counts(at, score, near=near):
                    continue
                ground = Ground.CHECKSUM if valid and proves else Ground.PATTERN
                if code and ground is not Ground.CHECKSUM:
                    continue
                better = min(max(score + _BOOST, _LEAST), 1.0) if near else score
                one = Finding(entity, start, end, better, recognizer.name, ground)
                found.setdefault(entity, []).extend(within(text, [one]) if own else [one])
        return [one for same_entity in found.values() for one in _without_contained(same_entity)]

    def _read(self, at: int, recognizer: Any, text: str, fired: Mapping[int, Ends]) -> list[Match]:
        if not _runs_as_patterns(recognizer):
            return _analyzed(recognizer, text)
        patterns = self._patterns(at, recognizer, fired[self._first + 2 * at].signs)
        own = at >= len(self._known)
        return _matches(
            recognizer, text, patterns, own=own, compiled=_whole if own or self._strict else _bounded
        )

    def _wanted(self, at: int) -> bool:
        return self._strict or at >= len(self._known) or self._entries[at].name not in REPLACED

    def _needs_words(self, at: int) -> bool:
        return not self._strict and at < len(self._known) and self._entries[at].name not in BARE

    def _patterns(self, at: int, recognizer: Any, seen: int) -> list[Any]:
        """The patterns of a recognizer that the gate let through, each by its own sign."""
        least = 0.0 if self._strict or at >= len(self._known) else _WEAK
        wanted = [pattern for pattern in recognizer.patterns if pattern.score >= least]
        signs = [form for form, _, score in self._entries[at].patterns if score >= least]
        if signs != [pattern.regex for pattern in wanted]:
            return wanted  # one sign stands for them all
        return [pattern for number, pattern in enumerate(wanted) if seen >> number & 1]

    def _through(self, at: int, fired: Mapping[int, Ends]) -> bool:
        owner = self._first + 2 * at
        return owner in fired and self._wanted(at) and (not self._needs_words(at) or owner + 1 in fired)

    def _counts(self, at: int, score: float, *, near: bool) -> bool:
        if self._strict or at >= len(self._known):
            return True
        return near or score >= BARE.get(self._entries[at].name, 2.0)

    def _load(self) -> list[Any]:
        """Import Presidio, once."""
        with self._lock:
            if self._loaded is None:
                fresh: list[Any] = list(recognizers())
                if not same([entry(recognizer) for recognizer in fresh], self._known):
                    raise RuntimeError("Presidio was changed while it was in use")
                self._loaded = [*fresh, *self._own]
            return self._loaded


def _flags(bits: int) -> re.RegexFlag:
    return re.RegexFlag(bits)


def _escaped(word: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\x{ord(letter):02x}" for letter in word)


def _runs_as_patterns(recognizer: Any) -> bool:
    from presidio_analyzer import PatternRecognizer

    return isinstance(recognizer, PatternRecognizer) and type(recognizer).analyze is PatternRecognizer.analyze


def _validates(recognizer: Any) -> bool:
    from presidio_analyzer import PatternRecognizer

    return (
        isinstance(recognizer, PatternRecognizer)
        and type(recognizer).validate_result is not PatternRecognizer.validate_result
    )


def _analyzed(recognizer: Any, text: str) -> list[Match]:
    """A recognizer with a way of its own goes that way."""
    results = recognizer.analyze(text, recognizer.supported_entities, None) or []
    valid = _validates(recognizer)
    return [(r.start, r.end, r.score, valid and r.score == 1.0, r.entity_type) for r in results]


@cache
def _bounded(form: str, flags: int) -> Any:
    """Compile a pattern of Presidio's so that no part of it reads on and on: two took quadratic time."""
    ended = _BLANKS.sub(lambda one: f"\\s{{{int(one[1] == '+')},8}}", form)
    return _whole(_SIGNS.sub(r"\1{0,64}", ended), flags)


@cache
def _whole(form: str, flags: int) -> Any:
    import regex

    return regex.compile(form, flags=flags)


def _matches(
    recognizer: Any, text: str, patterns: Sequence[Any], *, own: bool, compiled: Callable[[str, int], Any]
) -> list[Match]:
    """What PatternRecognizer.analyze finds, without its bookkeeping."""
    flags = recognizer.global_regex_flags
    validate, invalidate = recognizer.validate_result, recognizer.invalidate_result
    entity = recognizer.supported_entities[0]
    found: set[Match] = set()
    for pattern in patterns:
        for match in compiled(pattern.regex, flags).finditer(text):
            start, end = match.span()
            if start == end:
                continue
            value = text[start:end]
            try:
                verdict = validate(value)
            except (LookupError, TypeError, ValueError):
                if own:
                    raise
                # Digits of another script, which Presidio's sums don't know: better taken than let go.
                found.add((start, end, 1.0, False, entity))
                continue
            score = pattern.score if verdict is None else float(bool(verdict))
            if score and not invalidate(value):
                found.add((start, end, score, bool(verdict), entity))
    return _distinct(found)


def _is_nothing(entity: str, text: str, start: int, end: int) -> bool:
    """Say whether it is a part of a longer number, or no plate but so many volts."""
    is_amount = entity == "UK_VEHICLE_REGISTRATION" and is_an_amount(text[start:end])
    return is_amount or _cut_from_a_word(text, start, end)


def _cut_from_a_word(text: str, start: int, end: int) -> bool:
    """Say whether digits go on before it or behind it: it is the middle of a longer number."""
    return (text[start - 1 : start].isdigit() and text[start].isdigit()) or (
        text[end - 1].isdigit() and text[end : end + 1].isdigit()
    )


def _distinct(found: set[Match]) -> list[Match]:
    """Leave out what lies inside another of at least its score."""
    kept: list[Match] = []
    active: list[Match] = []
    for one in sorted(found, key=lambda m: (m[0], -m[1], -m[2])):
        active = [other for other in active if other[1] >= one[0]]
        if not any(other[1] >= one[1] and other[2] >= one[2] for other in active):
            kept.append(one)
            active.append(one)
    return kept


def _without_contained(found: list[Finding]) -> Iterator[Finding]:
    """The same for findings of one entity."""
    active: list[Finding] = []
    for one in sorted(set(found), key=lambda f: (f.start, -f.end, -f.score, -f.ground, f.by)):
        active = [other for other in active if other.end >= one.start]
        if not any(other.end >= one.end and other.score >= one.score for other in active):
            active.append(one)
            yield one
