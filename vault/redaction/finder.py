"""Finds personal data by patterns: the gate, Presidio's recognizers, the project's own, and a user's."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vault.forks import renew_locks
from vault.redaction.findings import Finding
from vault.redaction.folding import fold
from vault.redaction.gate import Build, Gate, Sign, cache_directory
from vault.redaction.patterns import Recognizer, all_recognizers
from vault.redaction.presidio import Presidio
from vault.redaction.search import moved

_PRESIDIO = 1000  # owners in the gate: the own recognizers count from 0, Presidio's from here
_PART = 200_000
_AROUND = 5_000
_LOCK = threading.Lock()
renew_locks(sys.modules[__name__], "_LOCK")
_SHARED: dict[str, _Machinery] = {}


class _Machinery:
    """What is built once and used by every thread of a process."""

    def __init__(self, own: Sequence[Any], cache: Path | None, build: Build) -> None:
        self.recognizers: tuple[Recognizer, ...] = all_recognizers()
        self.presidio = Presidio(own, cache=cache, first=_PRESIDIO)
        signs = [
            Sign(at, pattern, every=one.every)
            for at, one in enumerate(self.recognizers)
            for pattern in one.signs
        ]
        self.gate = Gate(signs + self.presidio.signs(), cache=cache, build=build)


class Patterns:
    """Finds personal data by patterns. One is enough for a process; it is safe for threads.

    `recognizers` are a user's own of Presidio's kind: they run where their patterns fire, or always if
    they have none.
    """

    def __init__(
        self, recognizers: Sequence[Any] = (), *, cache: Path | None = None, build: Build = "background"
    ) -> None:
        self._own = tuple(recognizers)
        self._cache = cache_directory() if cache is None else cache
        self._build = build
        self._machinery: _Machinery | None = None

    def find(
        self, text: str, *, code: bool = False, check: Callable[[], None] = lambda: None
    ) -> list[Finding]:
        """Give all candidates, which may overlap.

        In source code only ids that prove themselves, e-mail addresses and secrets count. `check` is called
        before each recognizer: it raises when the time is over. So a long text is read in parts, each with
        what stands around it: of a text of megabytes one recognizer alone takes seconds.
        """
        if len(text) <= _PART:
            return self._find(text, code=code, check=check)
        found: list[Finding] = []
        for start in range(0, len(text), _PART):
            low, stop = max(0, start - _AROUND), start + _PART
            some = moved(self._find(text[low : stop + _AROUND], code=code, check=check), low)
            found += [one for one in some if one.start < stop and one.end > start]
        return found

    def _find(self, text: str, *, code: bool, check: Callable[[], None]) -> list[Finding]:
        machinery = self._machinery or self._built()
        folded = fold(text)
        fired = machinery.gate.fired(folded.low)
        found: list[Finding] = []
        if not fired and folded.text is text:
            return found
        for owner, ends in fired.items():
            if owner < _PRESIDIO:
                recognizer = machinery.recognizers[owner]
                if recognizer.code or not code:
                    check()
                    found.extend(recognizer.findings(folded, ends, check))
        if folded.text is not text:
            if folded.is_disguised and fired:
                found += folded.led_back(machinery.presidio.find(folded.text, fired, code=code, check=check))
            fired = machinery.gate.fired(text)
        if fired:
            found += machinery.presidio.find(text, fired, code=code, check=check)
        return found

    def warm_up(self) -> None:
        """Build all that `find` needs, and wait for it."""
        self._built()

    def _built(self) -> _Machinery:
        with _LOCK:
            if self._machinery is None:
                if self._own:
                    self._machinery = _Machinery(self._own, self._cache, self._build)
                else:
                    key = f"{self._cache} {self._build}"
                    if key not in _SHARED:
                        _SHARED[key] = _Machinery((), self._cache, self._build)
                    self._machinery = _SHARED[key]
            return self._machinery
