"""Which of Presidio's recognizers are used, and what the gate must know of each.

Importing Presidio takes a second and a hundred megabytes, so what the gate needs is kept beside its
database, by Presidio's
version; Presidio itself is imported when one of its recognizers is let through for the first time.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vault.redaction.gate import read_cached, write_cached

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

# Own recognizers do these better (REDACTION: cards, phones, hosts), or they name what is no personal data.
REPLACED = frozenset(
    {
        "CaPostalCodeRecognizer",
        "CreditCardRecognizer",
        "CryptoRecognizer",
        "DateRecognizer",
        "DeHandelsregisterRecognizer",
        "DePlzRecognizer",
        "EmailRecognizer",
        "IbanRecognizer",
        "IpRecognizer",
        "MacAddressRecognizer",
        "PhoneRecognizer",
        "UkPostcodeRecognizer",
        "UrlRecognizer",
        "UsBankRecognizer",
        "UsLicenseRecognizer",
        "UsPassportRecognizer",
        "UuidRecognizer",
        "ZaMobileNumberRecognizer",
        "ZaTelephoneNumberRecognizer",
    }
)
_PATTERNLESS = {"PhoneRecognizer", "ZaMobileNumberRecognizer", "ZaTelephoneNumberRecognizer"}


@dataclass(frozen=True, slots=True)
class Listing:
    """One recognizer as the gate sees it: its patterns with their flags and scores, and its context words."""

    name: str
    patterns: tuple[tuple[str, int, float], ...]
    context: tuple[str, ...]


def recognizers() -> list[EntityRecognizer]:
    """All of Presidio's recognizers that work by patterns, of every country. Imports Presidio."""
    from presidio_analyzer import EntityRecognizer, PatternRecognizer
    from presidio_analyzer import predefined_recognizers as all_of_them

    found: list[EntityRecognizer] = []
    for name in sorted(all_of_them.__all__):
        kind = getattr(all_of_them, name)
        if inspect.isclass(kind) and (issubclass(kind, PatternRecognizer) or name in _PATTERNLESS):
            made: Any = kind()
            if isinstance(made, EntityRecognizer):
                found.append(made)
    _keep_off_the_network()
    return found


def _keep_off_the_network() -> None:
    """Presidio's e-mail recognizer asks tldextract, which would fetch the list of suffixes.

    Let it use its own copy.
    """
    import tldextract
    from presidio_analyzer.predefined_recognizers.generic import email_recognizer

    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class _Offline:
        """Stands for the module `tldextract` inside that one module of Presidio's."""

        def extract(self, text: str) -> object:
            return extract(text)

    email_recognizer.tldextract = _Offline()


def entry(recognizer: Any) -> Listing:
    """What the gate must know of a recognizer.

    One whose patterns can't be told is let through by any digit or letter.
    """
    flags = getattr(recognizer, "global_regex_flags", None)
    patterns = getattr(recognizer, "patterns", None)
    context = tuple(str(word) for word in recognizer.context or ())
    if patterns is None or flags is None:
        digits_only = type(recognizer).__name__ in _PATTERNLESS
        return Listing(recognizer.name, ((r"\d" if digits_only else "", 0, 1.0),), context)
    if recognizer.name == "UrlRecognizer":
        # Its patterns list all top-level domains four times over and take a minute to compile: a dot
        # stands for them.
        return Listing(recognizer.name, ((r"[.]", 0, 1.0),), context)
    bits = int(flags) & int(re.IGNORECASE | re.DOTALL | re.MULTILINE)
    return Listing(recognizer.name, tuple((str(p.regex), bits, float(p.score)) for p in patterns), context)


def entries(cache: Path | None) -> list[Listing]:
    """All of Presidio's recognizers, from the cache if this version of Presidio is in it."""
    path = None if cache is None else cache / f"presidio-{_version()}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        body = None if path is None else read_cached(path)
        if body is not None:
            return [
                Listing(row[0], tuple((str(p), int(f), float(c)) for p, f, c in row[1]), tuple(row[2]))
                for row in json.loads(body)
            ]
    made = [entry(recognizer) for recognizer in recognizers()]
    if path is not None:
        with contextlib.suppress(OSError):
            write_cached(path, json.dumps([(e.name, e.patterns, e.context) for e in made]).encode())
    return made


def _version() -> str:
    """Names what is installed down to the last changed file: the hash of the package's own list of hashes."""
    package = importlib.metadata.distribution("presidio-analyzer")
    listed = package.read_text("RECORD") or ""
    return hashlib.sha256(f"4 {package.version} {listed}".encode()).hexdigest()[:40]


def same(first: Sequence[Listing], second: Sequence[Listing]) -> bool:
    """Whether two catalogues would give the same gate."""
    return list(first) == list(second)
