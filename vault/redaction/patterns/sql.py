"""Statements of SQL: what they put into the columns of persons, and whom they ask for by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer
from vault.redaction.patterns.births import FULL
from vault.redaction.patterns.handles import EVERYBODYS

_PERSONS: Final = (
    r"user|member|patient|customer|client|person|people|employee|staff|contact|guest|student|account|profile"
    r"|usuario|cliente|paciente|empleado|kunde|mitarbeiter|nutzer|utilisateur|funcionario|aluno"
)
# To the semicolon that ends a line, or that another statement follows: quotes may be wrong.
_REST: Final = (
    r"(?:[^;]++|;(?![ \t]*+(?:[\r\n]|\Z|--|(?:insert|replace|update|select|delete|commit|alter|create)\b)))*+"
)
_INSERT: Final = re.compile(rf"\b(?:insert|replace) into ([\"`\[\w.]{{1,60}}+){_REST}")
_TABLE: Final = r"([\"`\[\]\w.]{1,60}+)"
_FROM: Final = r"\b(?:delete|select\b[^;']{1,400}?)\s{1,3}from"
_OTHER: Final = re.compile(rf"(?:\bupdate {_TABLE}\s{{1,3}}set\b|{_FROM} {_TABLE})" + _REST)
_EQUAL: Final = re.compile(
    r"([\"`\[\]\w.]{1,60}+)\s{0,3}(?:=|<>|!=|\blike|\bilike)\s{0,3}'((?:[^'\n]++|''){1,200}+)'"
)
_IS: Final = re.compile(r"([\"`\[\]\w.]{1,60}+)\s{0,3}(?:=|<>|!=)\s{0,3}(\d{2,19})(?![\w.])")
_BARE: Final = re.compile(r"\d{2,19}")
_OF_PERSONS: Final = re.compile(_PERSONS)
_OWN: Final = re.compile(
    r"(?<![a-z])(?:first_?name|last_?name|full_?name|surname|apellido|nachname|vorname|prenom|sobrenome|\bphone|mobile|\bdob\b|birth|ssn|passport|passwor[dt]|passwd|contrasena|kennwort|ip$|ip_?addr)"
)
_DATE: Final = re.compile(rf"'({FULL})\s?'")
_PHONE: Final = re.compile(r"'(\+?\d[\d ()./-]{5,18}\d)'")
_SAID: Final = re.compile(r"'((?:[^\W\d_]|[ .-]|''){2,40})'")
_VALUES: Final = re.compile(r"\((?:[^()']++|'(?:[^']++|'')*+')*+\)")
_VALUE: Final = re.compile(r"'(?:[^']++|'')*+'|[^,()\s'][^,()']*+")
_NAMED: Final = re.compile(
    r"name|nombre|apellido|nom|nome|vorname|surname|employee|member|contact|person|patient|customer|guest"
)
_NO_NAME: Final = re.compile(r"user|file|company|firm|display|product|plan|role|table|_id\b|mail|phone|tel")
_PLACED: Final = re.compile(r"city|town|ort$|ciudad|ville|cidade|place|location|address|adresse")
_COLUMNS: Final = re.compile(r"[\w\"`\]]\s{0,3}\(([^()]{1,1000})\)\s{0,3}values")
_OF_BIRTH: Final = re.compile(r"dob|birth|born|geb|nac|nasc|naiss|dogum|lahir|urodz|fodsel|narozen")
_RECENT: Final = re.compile(r"201[3-9]|20[2-9]\d")
_TELLING: Final = (
    ("PHONE_NUMBER", re.compile(r"phone|mobile|cell|\btel|handy|movil|telefon|telefone"), re.compile(r"\+?\d[\d ()./-]{5,18}")),
    ("DATE_OF_BIRTH", _OF_BIRTH, re.compile(FULL)),
    ("ADDRESS", re.compile(r"address|street|strasse|anschrift|adresse|direccion|endereco|\brue\b|calle"), re.compile(r"(?=[^\d]*\d).{4,}")),
    ("SECRET", re.compile(r"passwor[dt]|passwd|\bpwd|kennwort|contrasena|senha"), re.compile(r"(?!\$|%s|\?).{4,}")),
    ("US_SSN", re.compile(r"\bssn|social_sec"), re.compile(r"[\d -]{9,11}")),
    ("PASSPORT", re.compile(r"passport|pasaporte|reisepass|passaporte"), re.compile(r"(?=.*\d)[\w -]{6,12}")),
    ("BANK_ACCOUNT", re.compile(r"(?<![a-z])acc(?:oun)?t_?(?:no|nr|num|number)$|kontonummer$"), re.compile(r"(?=(?:\D*\d){5})[\w -]{5,34}")),
    ("LICENSE_PLATE", re.compile(r"(?:licen[cs]e|number|registration)_?plate$|(?<![a-z])plate_?(?:no|nr|num|number)$|kennzeichen$"), re.compile(r"(?=.*\d)[\w -]{4,11}")),
    ("AGE", re.compile(r"(?<![a-z])age$"), re.compile(r"\d{1,3}")),
    ("ADDRESS", re.compile(r"(?<![a-z])(?:zip|post|postal)(?:_?code)?$|(?<![a-z])plz$"), re.compile(r"(?=.*\d)[\w -]{3,10}")),
    ("SECRET", re.compile(r"(?<![a-z])pin(?:_?code)?$"), re.compile(r"\d{4,8}")),
    ("SECRET", re.compile(r"(?<![a-z])(?:cvv2?|cvc2?)$"), re.compile(r"\d{3,4}")),
    ("IP_ADDRESS", re.compile(r"(?<![a-z])ip(?:_?addr(?:ess)?)?$"), re.compile(r"(?!0\.|127\.)\d{1,3}(?:\.\d{1,3}){3}")),
    ("MAC_ADDRESS", re.compile(r"(?<![a-z])mac(?:_?addr(?:ess)?)?$"), re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{12}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}")),
    ("MEDICAL_ID", re.compile(r"(?<![a-z])mrn$|medical_record"), re.compile(r"(?=(?:\D*\d){5})[\w-]{5,20}")),
    ("USERNAME", re.compile(r"(?:user|screen|login|nick)_?name|gamer_?tag|\b(?:user|login|nick|handle|usuario|utilisateur|benutzer(?:name)?)$"), re.compile(r"(?=.*[a-z])(?:\w[\w.@#-]{2,39})")),
)  # fmt: skip
"""What a column holds, by its name and by how the value is written."""


def _told(column: str, value: str) -> str:
    """Give what a value is by its column, if that tells."""
    for entity, name, form in _TELLING:
        if name.search(column) and form.fullmatch(value):
            return "" if entity == "USERNAME" and EVERYBODYS.match(value) else entity
    return ""


def _counted(column: str, value: str) -> str:
    """Give what a bare number is by its column."""
    return _told(column, value) if _BARE.fullmatch(value) else ""


def _rows(folded: Folded, start: int, end: int) -> Iterator[Hit]:
    """Read the rows of an INSERT as its columns say; where none are named, what is written like names."""
    low, text = folded.low, folded.text
    columns = _COLUMNS.search(low, start, end)
    listed = [one.strip(' \n\t"`[]') for one in columns[1].split(",")] if columns else []
    first = columns.end() if columns else max(low.find("values", start, end), start)
    for values in _VALUES.finditer(low, first, end):
        for number, value in enumerate(_VALUE.finditer(low, values.start() + 1, values.end() - 1)):
            column = listed[number] if number < len(listed) else ""
            if value[0][0] != "'":
                if entity := _counted(column, value[0].rstrip()):
                    yield Hit(entity, value.start(), value.start() + len(value[0].rstrip()), 0.9)
                continue
            begin, stop = value.start() + 1, value.end() - 1
            told = _told(column, low[begin:stop])
            entity = told or _named(column, text[begin - 1 : stop + 1], is_listed=bool(listed))
            if entity:
                yield Hit(entity, begin, stop, 0.9 if told else 0.6)


def _named(column: str, quoted: str, *, is_listed: bool) -> str:
    said = _SAID.fullmatch(quoted)
    if said is None:
        return ""
    if not is_listed:
        return "PERSON" if said[1][0].isupper() and said[1] != said[1].upper() else ""
    is_name = _NAMED.search(column) is not None and not _NO_NAME.search(column)
    return "PERSON" if is_name else "LOCATION" if _PLACED.search(column) else ""


def _unlisted(low: str, start: int, end: int) -> Iterator[Hit]:
    """Give dates and numbers of rows whose columns are not named."""
    for match in _PHONE.finditer(low, start, end):
        if not _DATE.match(match[0]) and sum(map(str.isdigit, match[1])) >= 7:
            yield Hit("PHONE_NUMBER", *match.span(1), 0.6)
    for match in _DATE.finditer(low, start, end):
        if not _RECENT.search(match[1]):
            yield Hit("DATE_OF_BIRTH", *match.span(1), 0.6)


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for row in _INSERT.finditer(low) if ends.signs & 1 else ():
        columns = _COLUMNS.search(low, *row.span())
        if not (_OF_PERSONS.search(row[1]) or (columns and _OWN.search(columns[1]))):
            continue
        yield from _rows(folded, *row.span())
        if columns is None:
            yield from _unlisted(low, *row.span())
    for statement in _OTHER.finditer(low) if ends.signs & 2 else ():
        is_persons = _OF_PERSONS.search(statement[1] or statement[2]) is not None
        for one in _EQUAL.finditer(low, *statement.span()):
            column = one[1].rpartition(".")[2].strip('"`[]')
            if not (is_persons or _OWN.search(column)):
                continue
            entity = _told(column, one[2])
            if not entity and " " in one[2]:  # one word alone is anybody's example
                entity = _named(column, folded.text[one.start(2) - 1 : one.end(2) + 1], is_listed=True)
            if entity and entity != "LOCATION":
                yield Hit(entity, *one.span(2), 0.6)
        for one in _IS.finditer(low, *statement.span()):
            column = one[1].rpartition(".")[2].strip('"`[]')
            if (is_persons or _OWN.search(column)) and (entity := _counted(column, one[2])):
                yield Hit(entity, *one.span(2), 0.6)


RECOGNIZERS = (
    Recognizer(
        "sql",
        (
            r"\b(?:insert|replace) into ",
            r"\b(?:update|from) [\"`\[\w][\"`\]\w.]{0,60}\s[^;]{0,400}?(?:=|<>|like) {0,3}['\d]",
        ),
        _find,
        code=True,
    ),
)
