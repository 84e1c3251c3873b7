"""Payment cards of every brand: 12 to 19 digits that pass Luhn's test, in the groups people write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from vault.redaction.findings import Ground
from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around

_RUN = re.compile(r"\d(?<![\w.]\d)(?:[ -]{0,2}\d){11,}+")
_DOTTED = re.compile(r"(?<![\w.])\d{4}(?:\.\d{4}){3}(?![\w]|\.\d)")
_GROUP = re.compile(r"\d+")
_CUT = re.compile(r"\w|\.\d")  # after a group: more of a word, or of a decimal number
_LENGTHS = range(12, 20)
_CLOCK = re.compile(r"1[4-9]\d{11}(?:\d{6})?$")  # milliseconds or nanoseconds since 1970
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_BRANDS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}$|5[1-5]\d{14}$|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$|3[47]\d{13}$"
    r"|3(?:0[0-5]|095|[689]\d)\d{11,16}$|(?:6011|64[4-9]\d|65\d\d)\d{12,15}$|35(?:2[89]|[3-8]\d)\d{12,15}$"
    r"|(?:2131|1800)\d{11}$|62\d{14,17}$|(?:5[06-9]|6\d)\d{10,17}$|220[0-4]\d{12,15}$|9792\d{12}$|1946\d{12}$"
)
_WORDS = re.compile(
    r"\b(?:cards?|visa|master ?card|amex|american express|maestro|debit|credit|cc|pan|tarjeta|karte\w*|\w+karte|carte"
    r"|cartao|carta|kaart|kort|cvv|cvc|expir\w*|exp|valid thru|discover|diners|jcb|unionpay|rupay|mir|iin)\b"
)
_LAST_DIGITS = (
    r"(?:4|quatre) derniers chiffres|derniers (?:4|quatre) chiffres|ultimos (?:4|cuatro|quatro) digitos"
    r"|(?:4|cuatro|quatro) ultimos digitos|letzten (?:4|vier) (?:ziffern|stellen|zahlen)"
)
_LAST_FOUR = re.compile(
    r"(?:card|visa|amex|master ?card|debit|credit|tarjeta|karte|carte|cartao|last (?:four|4))\b[^\d]{0,60}?"
    r"(?:ends?|ending|last (?:four|4)(?: digits)?|terminad[ao]|termina|endet|endend|finissant|termine|final|finals?|digits|are"
    rf"|{_LAST_DIGITS})\b[^.;!0-9]{{0,24}}?"
    r"\b(\d{4})\b(?![-.,/]?\d)(?:[^.\n\d]{0,30}(?:with|says|not|is|and|or) (\d{4})\b(?![-.,/]?\d))?"
)
_MASKED = re.compile(r"(?<![\w*])(?:(?:[*x#.]{4}[ -]?){1,3}|[*]{2,12}[ -]?)(\d{4})\b(?![-.,/]?\d)")


_HALF = re.compile(r"(?<![\w*])\d{4}[ -]?\d\d[*x]{2}[ -]?[*x]{4}[ -]?\d{4}(?![\w-])")
_FOURS = re.compile(r"(?<![\w.-])[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?(?![\w-]|[ -]\d|\.\d)")
_NEAR = 150  # characters in which a word for a card tells that fours which prove nothing are one, mistyped


def luhn(digits: str) -> bool:
    """Luhn's test."""
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def names_a_card(low: str) -> bool:
    """Say whether a text in small letters speaks of a card."""
    return _WORDS.search(low) is not None


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    for match in _RUN.finditer(folded.text):
        start, end = match.span()
        if _CUT.match(folded.text, end):
            end = max(folded.text.rfind(" ", start, end), folded.text.rfind("-", start, end), start)
        run = folded.text[start:end]
        digits = run.replace(" ", "").replace("-", "")
        if len(digits) in _LENGTHS and luhn(digits) and len(set(digits)) > 1:
            before = folded.low, max(0, start - 50), start
            if _BRANDS.match(digits) or (
                len(set(digits)) > 2 and not _CLOCK.match(digits) and _WORDS.search(*before)
            ):
                yield Hit("CREDIT_CARD", start, end, 1.0, Ground.CHECKSUM)
                continue
        yield from _inside(run, start)


def _find_fours(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    for match in _FOURS.finditer(folded.text):
        digits = match[0].replace(match[1], "")
        if _BRANDS.match(digits) and luhn(digits):  # found already
            continue
        if _WORDS.search(folded.low, max(0, match.start() - _NEAR), match.end() + _NEAR):
            yield Hit("CREDIT_CARD", match.start(), match.end(), 0.6)


def _find_dotted(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    for match in _DOTTED.finditer(folded.text):
        digits = match[0].replace(".", "")
        if _BRANDS.match(digits) and luhn(digits):
            yield Hit("CREDIT_CARD", match.start(), match.end(), 1.0, Ground.CHECKSUM)


def _inside(run: str, offset: int) -> Iterator[Hit]:
    """Cards that stand in groups between other numbers: other cards, a date, a code."""
    groups = [found.span() for found in _GROUP.finditer(run)]
    before = list(accumulate((end - start for start, end in groups), initial=0))
    first = 0
    while first < len(groups):
        if before[min(first + 6, len(groups))] - before[first] < 13:
            first += 1
            continue
        digits = ""
        for last in range(first, min(first + 6, len(groups))):
            digits += run[groups[last][0] : groups[last][1]]
            if len(digits) > _LENGTHS[-1]:
                break
            if len(digits) >= 13 and _BRANDS.match(digits) and luhn(digits):
                yield Hit(
                    "CREDIT_CARD", offset + groups[first][0], offset + groups[last][1], 1.0, Ground.CHECKSUM
                )
                first = last
                break
        first += 1


def _find_parts(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_LAST_FOUR, folded.low, ends, 10, 150):
        for group in (1, 2):
            if match[group]:
                yield Hit("CREDIT_CARD", match.start(group), match.end(group), 0.6)
    for match in around(_MASKED, folded.low, ends, 30, 60):
        yield Hit("CREDIT_CARD", match.start(), match.end(), 0.6)
    for match in around(_HALF, folded.low, ends, 20, 20):
        yield Hit("CREDIT_CARD", match.start(), match.end(), 0.6)


RECOGNIZERS = (
    Recognizer("cards", (r"\d(?:[ -]{0,2}\d){11}",), _find, code=True),
    Recognizer("cards in fours", (r"\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}",), _find_fours),
    Recognizer("cards with dots", (r"\d{4}\.\d{4}\.\d{4}\.\d{4}",), _find_dotted, code=True),
    Recognizer(
        "card endings",
        (
            r"\b(?:card|visa|master ?card|amex|debit|tarjeta|karte|carte|cartao|cc|credit)\b",
            r"\blast (?:four|4)\b",
            r"\d\d[*x]{2}[ -]?[*x]{4}",
        ),
        _find_parts,
        every=True,
    ),
)
