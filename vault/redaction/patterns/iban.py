"""International bank account numbers, by their own checksum; also in groups, in lower case, with dashes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.findings import Ground
from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer

_SHAPE = re.compile(r"(?<![a-z0-9])[a-z]{2}[ -]?\d{2}(?:[ -]{0,2}[a-z0-9]){11,34}", re.IGNORECASE)
_VALUES = {ord(letter): str(number) for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 10)}
_LENGTHS = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22, "bi": 27, "br": 29,
    "by": 28, "ch": 21, "cr": 22, "cy": 28, "cz": 24, "de": 22, "dj": 27, "dk": 18, "do": 28, "ee": 20, "eg": 29,
    "es": 24, "fi": 18, "fk": 18, "fo": 18, "fr": 27, "gb": 22, "ge": 22, "gi": 23, "gl": 18, "gr": 27, "gt": 28,
    "hn": 28, "hr": 21, "hu": 28, "ie": 22, "il": 23, "iq": 23, "is": 26, "it": 27, "jo": 30, "kw": 30, "kz": 20,
    "lb": 28, "lc": 32, "li": 21, "lt": 20, "lu": 20, "lv": 21, "ly": 25, "mc": 27, "md": 24, "me": 22, "mk": 19,
    "mn": 20, "mr": 27, "mt": 31, "mu": 30, "ni": 28, "nl": 18, "no": 15, "om": 23, "pk": 24, "pl": 28, "ps": 29,
    "pt": 25, "qa": 29, "ro": 24, "rs": 22, "ru": 33, "sa": 24, "sc": 31, "sd": 18, "se": 24, "si": 19, "sk": 24,
    "sm": 27, "so": 23, "st": 25, "sv": 28, "tl": 23, "tn": 24, "tr": 26, "ua": 29, "va": 22, "vg": 24, "xk": 20,
    "ye": 30,
}  # fmt: skip


_GROUPS = re.compile(r"[a-z]{2}\d\d(?: [a-z0-9]{4}){2,7}(?: [a-z0-9]{1,4})?")
_SAID = re.compile(
    r"\b(?:iban|bank|account|acct|wire|transfer\w*|konto\w*|uberwei\w*|cuenta|transferenc\w*|conta|compte|virement|rib"
    r"|conto|bonifico|rekening|rachunek|hesap)\b"
)
_DIGITS = 8  # of an account's number, at least


def valid(iban: str) -> bool:
    """The checksum of ISO 13616, on an IBAN in lower case without spaces."""
    return int((iban[4:] + iban[:4]).translate(_VALUES)) % 97 == 1


def _shaped(low: str) -> Iterator[tuple[int, int, bool]]:
    """Give what has the length of its country's, and whether it proves itself."""
    at = 0
    while match := _SHAPE.search(low, at):
        at = match.start() + 2
        length = _LENGTHS.get(match[0][:2])
        if length is None:
            continue
        places = [match.start() + n for n, letter in enumerate(match[0]) if letter not in " -"]
        if len(places) < length:
            continue
        end = places[length - 1] + 1
        if low[end : end + 1].isalnum():
            continue
        is_valid = valid("".join(low[place] for place in places[:length]))
        yield match.start(), end, is_valid
        if is_valid:
            at = end


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    for start, end, is_valid in _shaped(folded.low):
        if is_valid:
            yield Hit("IBAN_CODE", start, end, 1.0, Ground.CHECKSUM)


def _find_mistyped(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    """Find what was meant for an IBAN, and has a wrong digit: by its groups, or by what it is called."""
    low = folded.low
    for start, end, is_valid in _shaped(low):
        if is_valid or sum(map(str.isdigit, low[start + 4 : end])) < _DIGITS:
            continue
        if _GROUPS.fullmatch(low, start, end) or _SAID.search(low, max(0, start - 60), start):
            yield Hit("IBAN_CODE", start, end, 0.6)


_SIGN = r"[a-z]{2}[ -]?\d{2}(?:[ -]{0,2}[a-z0-9]){11}"
RECOGNIZERS = (
    Recognizer("iban", (_SIGN,), _find, code=True),
    Recognizer("mistyped iban", (_SIGN,), _find_mistyped),
)
