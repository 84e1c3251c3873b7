"""Statements of SQL: numbers in columns of persons, in whose place strings stand, and rows to be copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from operator import itemgetter

from vault.redaction.segments.labels import may_number_a_person
from vault.redaction.segments.pieces import Form, Piece, Taken, plain, value

_NAME = r"[\"`\[\]\w.]{1,60}+"
_SAID = r"'(?:[^']++|'')*+'"
_STATEMENT = re.compile(
    rf"^[ \t]*+(?:(?:insert|replace)\s{{1,3}}into\s{{1,3}}{_NAME}\s{{0,3}}"
    r"\((?P<columns>[^()]{1,1000})\)\s{0,3}values\b"
    rf"(?P<rows>(?:\s*+,?\s*+\((?:[^()']++|{_SAID}|\([^()']*+\))*+\))++)"
    rf"|update\s{{1,3}}{_NAME}\s{{1,3}}set\s(?P<set>(?:[^;'\n]++|{_SAID}|\n(?!\s*+\n))++))",
    re.MULTILINE | re.IGNORECASE,
)
_COPY = re.compile(
    rf"^copy\s{{1,3}}{_NAME}\s{{0,3}}\(([^()]{{1,1000}})\)"
    r"\s{1,3}from\s{1,3}stdin\b[^\n;]{0,100};[ \t]*+\r?\n",
    re.MULTILINE | re.IGNORECASE,
)
_ROW = re.compile(r"(?!\\\.\s)[^\n\t]*+(?:\t[^\n\t]*+)++(?:\n|\Z)")
_CELL = re.compile(r"([^\t\r\n]*+)(?:\t|\r?\n|\Z)")
_NUMBER = re.compile(r"[(,]\s{0,3}\d{2,19}\s{0,3}[,)]")
_SET = re.compile(r"([\"`\[\]\w.]{1,60}+)\s{0,3}=\s{0,3}\d{2,19}(?![\w.])")
_TOKEN = re.compile(rf"({_SAID}|[(),=;\s])")
_DIGITS = re.compile(r"\d++")
_TYPE = r"(?:(?:big|small)?int(?:eger)?|serial|text|(?:var)?char|date|bool(?:ean)?|numeric|real|uuid)"
_COLUMNS = re.compile(
    rf"\b(?:into\s{{1,3}}{_NAME}\s{{0,3}}\((?P<names>[\w\s,.\"`\[\]]{{1,1000}}+)\)\s{{0,3}}(?:values|select)\b"
    rf"|create\s{{1,3}}(?:temp(?:orary)?\s{{1,3}})?table\s{{1,3}}(?:if\s{{1,3}}not\s{{1,3}}exists\s{{1,3}})?{_NAME}\s{{0,3}}"
    rf"\((?=[^';]{{1,99}}?\b{_TYPE}\b)(?:[^()';-]++|-(?!-)|\([^()';]{{0,200}}+\))++)",
    re.IGNORECASE,
)
_SIGNS = re.compile(rf"{_SAID}|[(),;]|[^\s'(),;][^'(),;\n]*+")


def statements(text: str, start: int, end: int, form: Form = Form.PROSE) -> Iterator[Taken]:
    """Find statements that put a number into a column whose name tells of somebody."""
    for found in _STATEMENT.finditer(text, start, end):
        if _tells(found):
            said = found[0]
            piece = Piece(*found.span(), said, form, write=partial(_as_statement, said), is_whole=True)
            yield Taken(*found.span(), [piece])


def copies(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find the rows that COPY puts into columns, which it names."""
    for found in _COPY.finditer(text, start, end):
        names = [one.strip(' \r\n\t"') for one in found[1].split(",")]
        pieces: list[Piece] = []
        at = found.end()
        while row := _ROW.match(text, at, end):
            for number, cell in enumerate(_CELL.finditer(text, *row.span())):
                if cell[1] != "\\N" and number < len(names):
                    pieces += value(*cell.span(1), cell[1], names[number], _as_cell)
            at = row.end()
        yield Taken(found.start(), at, pieces)


def _tells(found: re.Match[str]) -> bool:
    if found["columns"] is None:
        return any(may_number_a_person(one[1].strip('"`[]')) for one in _SET.finditer(found["set"]))
    names = [one.strip(' \r\n\t"`[]') for one in found["columns"].split(",")]
    return any(map(may_number_a_person, filter(None, names))) and _NUMBER.search(found["rows"]) is not None


def code_and_statements(text: str, start: int, end: int) -> Iterator[Piece]:
    """Make the pieces of code, each such statement in it one of its own."""
    at = start
    found = [*copies(text, start, end), *statements(text, start, end, Form.CODE)]
    for part in sorted(found, key=itemgetter(0)):
        if part.start < at:
            continue  # in a row
        yield from plain(text, at, part.start, Form.CODE)
        yield from part.pieces
        at = part.end
    yield from plain(text, at, end, Form.CODE)


def _as_cell(text: str) -> str:
    return " ".join(text.split("\t")).replace("\n", " ")


def _as_statement(before: str, text: str) -> str:
    """Write what stands where a number stood as a string."""
    old, new = _TOKEN.split(before), _TOKEN.split(text)
    if len(old) != len(new):
        return text
    return "".join(
        f"'{now}'" if now != was and _DIGITS.fullmatch(was) and not _DIGITS.fullmatch(now) else now
        for was, now in zip(old, new, strict=True)
    )


def nobodys(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Name the columns that statements list, and the bare values of those that tell of nobody."""
    columns: list[tuple[int, int]] = []
    values: list[tuple[int, int]] = []
    every = list(_COLUMNS.finditer(text))
    for number, found in enumerate(every, 1):
        columns.append(found.span())
        if found["names"] and found[0][-1] in "sS":
            names = [one.strip(' \r\n\t"`[]') for one in found["names"].split(",")]
            end = every[number].start() if number < len(every) else len(text)
            values += _bare(text, found.end(), end, [not (one and may_number_a_person(one)) for one in names])
    return columns, values


def _bare(text: str, start: int, end: int, are_nobodys: list[bool]) -> Iterator[tuple[int, int]]:
    """Give where the rows in a stretch have values of some columns without quotes."""
    depth = column = 0
    before = start  # where the value before ended: a model takes a comma with what stands behind it
    for sign in _SIGNS.finditer(text, start, end):
        match sign[0]:
            case "(":
                depth, column = depth + 1, column if depth else 0
            case ")":
                depth -= 1
            case ",":
                column += depth == 1
                continue
            case ";":
                return
            case _ if not depth:
                return
            case said if said[0] != "'" and depth == 1 and column < len(are_nobodys) and are_nobodys[column]:
                yield before, sign.end() + 1
        before = sign.end()
