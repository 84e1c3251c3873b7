"""Records of one form: a passport's machine-readable lines, HL7, vCard, GEDCOM, passenger lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer
from vault.redaction.patterns.births import FULL

_MACHINE = re.compile(
    r"(?<![\w<])[a-z0-9<]{9}\d[a-z]{3}\d{7}[mfx<]\d{7}[a-z0-9<]{0,16}|(?<![\w<])(?:p[a-z<]|[aci][a-z<])[a-z]{3}[a-z]{2,30}(?:<{1,2}[a-z]{1,30}){1,8}<*"
)
_HL7 = re.compile(r"^pid\|[^\n]{4,2000}", re.MULTILINE)
_FIELDS = ((2, "MEDICAL_ID"), (3, "MEDICAL_ID"), (5, "PERSON"), (7, "DATE_OF_BIRTH"), (11, "ADDRESS"), (13, "PHONE_NUMBER"), (19, "US_SSN"))  # fmt: skip
_CARD = re.compile(r"^(?:item\d{1,2}\.)?(adr|bday)(?:;[^:\n]{0,80})?:([^\n]{4,300})", re.MULTILINE)
_BIRTH = re.compile(r"\b1 birt\n2 date ([^\n]{4,30})")
_PASSENGER = re.compile(
    rf"(?<!\w)[mfx] ?[/|,; ] ?({FULL}|\d{{2}}[a-z]{{3}}(?:19|20)?\d\d)(?: ?[/|,;] ?[a-z]{{2,3}})? ?[/|,; ] ?([a-z]{{0,3}} ?\d{{6,9}}|\d{{2}} \d{{7}})(?!\w)"
)

_AIRLINE = re.compile(
    r"\bp/[a-z]{3}/([a-z0-9]{6,12})(?:/[a-z]{3})?(?:/(\d{2}[a-z]{3}\d{2})/[mfxu]i?/\d{2}[a-z]{3}\d{2}(?:/([a-z-]{2,30}(?:[/ ][a-z-]{2,30}){0,3}))?)?(?![a-z0-9])"
)
"""What an airline is told of a passenger's passport: P/GBR/123456789/GBR/12JUL64/M/14APR29/SMITH/JOHN."""

_DIGITS = 5  # at least, in the number of a passport


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in _MACHINE.finditer(low):
        yield Hit("PASSPORT", *match.span(), 0.9)
    for match in _HL7.finditer(low):
        at = match.start()
        for number, field in enumerate(match[0].split("|")):
            for wanted, entity in _FIELDS:
                if number == wanted and field.strip("^"):
                    yield Hit(entity, at, at + len(field.rstrip("^")), 0.7)
            at += len(field) + 1
    for match in _CARD.finditer(low):
        if any(map(str.isalnum, match[2])):
            entity = "ADDRESS" if match[1] == "adr" else "DATE_OF_BIRTH"
            at = match.start(2) + len(match[2]) - len(match[2].lstrip("; "))
            yield Hit(entity, at, match.end(2) - len(match[2]) + len(match[2].rstrip("; \r")), 0.7)
    for match in _BIRTH.finditer(low):
        yield Hit("DATE_OF_BIRTH", *match.span(1), 0.8)
    for match in _AIRLINE.finditer(low):
        for group, entity in ((1, "PASSPORT"), (2, "DATE_OF_BIRTH"), (3, "PERSON")):
            if match[group] and sum(map(str.isdigit, match[1])) >= _DIGITS:
                yield Hit(entity, *match.span(group), 0.9)
    for match in _PASSENGER.finditer(low):
        yield Hit("DATE_OF_BIRTH", *match.span(1), 0.7)
        yield Hit("PASSPORT", *match.span(2), 0.7)


RECOGNIZERS = (
    Recognizer(
        "records",
        (
            r"[a-z0-9<]\d[a-z]{3}\d{7}[mfx<]\d{7}|[a-z]{2}<{1,2}[a-z]{2,30}<",
            r"^pid\|",
            r"\b(?:adr|bday)[;:]",
            r"\b1 birt\n",
            r"\bp/[a-z]{3}/[a-z0-9]{6}",
            r"\b[mfx] ?[/|,; ] ?\d{1,4}[a-z./-]",
        ),
        _find,
        code=True,
    ),
)
