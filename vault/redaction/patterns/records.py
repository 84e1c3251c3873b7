"""Records of one form: a passport's machine-readable lines, HL7, vCard, GEDCOM, passenger lists, rows of SQL."""

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
_ROW = re.compile(
    r"\binsert into [\"`\[]?\w{0,30}(?:user|member|patient|customer|client|person|people|employee|staff|contact|guest|student|account|profile)\w{0,20}[^\n;]{0,2000}"
)
_DATE = re.compile(rf"'({FULL})\s?'")
_PHONE = re.compile(r"'(\+?\d[\d ()./-]{5,18}\d)'")
_SAID = re.compile(r"'((?:[^\W\d_]|[ .-]|''){2,40})'")
# Never tried twice: quotes may be read in two ways.
_VALUES = re.compile(r"\((?:[^()']++|'(?:[^']++|'')*+')*+\)")
_VALUE = re.compile(r"'(?:[^']++|'')*+'|[^,()\s'][^,()']*+")
_NAMED = re.compile(
    r"name|nombre|apellido|nom|nome|vorname|surname|employee|member|contact|person|patient|customer|guest"
)
_NO_NAME = re.compile(r"user|file|company|firm|display|product|plan|role|table")
_PLACED = re.compile(r"city|town|ort$|ciudad|ville|cidade|place|location|address|adresse")


_COLUMNS = re.compile(r"[\w\"`\]]\s?\(([^()]{1,400})\)\s{0,3}values", re.IGNORECASE)
_OF_BIRTH = re.compile(r"dob|birth|born|geb|nac|nasc|naiss|dogum|lahir|urodz|fodsel|narozen")
_RECENT = re.compile(r"201[3-9]|20[2-9]\d")


def _is_birth(row: str, date: str) -> bool:
    """Say whether a date in a row is one of birth: as its columns say, and without them by its year."""
    columns = _COLUMNS.search(row)
    return bool(_OF_BIRTH.search(columns[1]) if columns else not _RECENT.search(date))


def _names(row: str) -> Iterator[tuple[str, int, int]]:
    """Give the names in a row of SQL, as its columns say; where none are named, what is written like names."""
    columns = _COLUMNS.search(row)
    listed = [one.strip(' \n"`[]').lower() for one in columns[1].split(",")] if columns else []
    for values in _VALUES.finditer(row, columns.end() if columns else max(row.lower().find("values"), 0)):
        start = values.start()
        for number, value in enumerate(_VALUE.finditer(values[0])):
            said = _SAID.fullmatch(value[0])
            if said is None:
                continue
            column = listed[number] if number < len(listed) else ""
            if listed:
                is_name = _NAMED.search(column) is not None and not _NO_NAME.search(column)
                entity = "PERSON" if is_name else "LOCATION" if _PLACED.search(column) else ""
            else:
                entity = "PERSON" if said[1][0].isupper() and said[1] != said[1].upper() else ""
            if entity:
                yield entity, start + value.start() + 1, start + value.end() - 1


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
            at = match.start(2) + len(match[2]) - len(match[2].lstrip(";"))
            yield Hit(entity, at, match.end(2) - len(match[2]) + len(match[2].rstrip("; \r")), 0.7)
    for match in _BIRTH.finditer(low):
        yield Hit("DATE_OF_BIRTH", *match.span(1), 0.8)
    for match in _PASSENGER.finditer(low):
        yield Hit("DATE_OF_BIRTH", *match.span(1), 0.7)
        yield Hit("PASSPORT", *match.span(2), 0.7)
    for row in _ROW.finditer(low):
        for pattern, entity in ((_DATE, "DATE_OF_BIRTH"), (_PHONE, "PHONE_NUMBER")):
            for match in pattern.finditer(row[0]):
                if entity == "PHONE_NUMBER" and (
                    _DATE.match(match[0]) or sum(map(str.isdigit, match[1])) < 7
                ):
                    continue
                if entity == "DATE_OF_BIRTH" and not _is_birth(row[0], match[1]):
                    continue
                yield Hit(entity, row.start() + match.start(1), row.start() + match.end(1), 0.6)
        for entity, start, end in _names(folded.text[row.start() : row.end()]):
            yield Hit(entity, row.start() + start, row.start() + end, 0.5)


RECOGNIZERS = (
    Recognizer(
        "records",
        (
            r"[a-z0-9<]\d[a-z]{3}\d{7}[mfx<]\d{7}|[a-z]{2}<{1,2}[a-z]{2,30}<",
            r"^pid\|",
            r"\b(?:adr|bday)[;:]",
            r"\b1 birt\n",
            r"\b[mfx] ?[/|,; ] ?\d{1,4}[a-z./-]",
            r"\binsert into ",
        ),
        _find,
        code=True,
    ),
)
