"""Markdown tables, CSV and TSV: each cell is a piece that its column's header names."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vault.redaction.segments.labels import names_a_field, says_only_fields
from vault.redaction.segments.pieces import Check, Piece, Taken, unhurried, value

_RULE = re.compile(r"^[ \t|:+=-]++(?=\r?$)", re.MULTILINE)
_RULE_CELL = re.compile(r":?(?:-+|=+):?")
_RULE_ENDS = re.compile(r"[|+]")
_BAR_OR_RULE = re.compile(r"\||\+[-=+]++(?<=\+)[ \t]*+\r?\Z")
_BAR = re.compile(r"(?<!\\)\|")
_DELIMITED = re.compile(r"^(?=[^\n\w]*+\w)[^\n\t;,|]*+[\t;,|]", re.MULTILINE)  # and says something
_LONGEST_HEADER = 10_000
_SURE_COLUMNS, _SURE_ROWS = 3, 3  # from which lines without a header are a table
_IDENTIFIER = re.compile(r"[A-Za-z]+(?:_[A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+|[Ii][Dd]|#")
_STAMPED = re.compile(r"\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d,\d{3}\b(?!,)")
"""Begins a line of a log: the comma stands before thousandths."""

_STATEMENT = re.compile(r"[ \t]*+(?:(?:insert|replace)\s++into\b|\(\s*+(?:['\"\d-]|null\b))", re.IGNORECASE)
"""Begins a statement of SQL or one of its rows, which the statement's columns name."""

_NO_HEADER = re.compile(r"[@:!?]|\d{3}|\w{7}\.$| \w+\.$|^\W*\d")  # "Geb." is one, a sentence is not
_WORDS_IN_HEADER = 5
_LONG_AGO = re.compile(
    r"\d{1,2}[-./]\d{1,2}[-./]Y|Y[-./]\d{1,2}[-./]\d{1,2}|Y(?:0[1-9]|1[0-2])[0-3]\d"
    r"|\d{1,2}\.? [^\W\d]{3,9}\.?,? Y|[^\W\d]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? Y".replace(
        "Y", r"(?:19\d\d|200[0-7])"
    )
)
_BIRTHS = "date of birth"


def line_end(text: str, at: int, end: int) -> int:
    """Give where the line at `at` ends, within the stretch."""
    found = text.find("\n", at, end)
    return end if found < 0 else found


def markdown_tables(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find the tables: a line of |, one of --- and | or +, and all that follow and hold a |."""
    for rule in _RULE.finditer(text, start, end):
        if rule.start() <= start or not _RULE_ENDS.search(rule[0]):
            continue
        head = text.rfind("\n", start, rule.start() - 1) + 1 or start
        header = _cells(text, head, rule.start() - 1)
        marks = _RULE_ENDS.split(rule[0].strip().strip("|+"))
        if len(header) != len(marks) or not all(_RULE_CELL.fullmatch(mark.strip()) for mark in marks):
            continue
        pieces = [piece for first, last in header for piece in _in_bars(text, first, last, "")]
        names = [text[first:last] for first, last in header]
        field = functools.cache(names_a_field)  # a table's own, so that it keeps no words
        at = line_end(text, rule.end(), end) + 1
        while at < end and _BAR_OR_RULE.search(text, at, last_of := line_end(text, at, end)):
            pieces += _row(text, _cells(text, at, last_of), names, field)
            at = last_of + 1
        yield Taken(head, min(at, end), pieces)
        start = min(at, end)


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    bars = [found.start() for found in _BAR.finditer(text, start, end)]
    if not bars:
        return []
    edges = [start - 1, *bars, end]
    cells = []
    for before, after in itertools.pairwise(edges):
        inside = text[before + 1 : after]
        first = before + 1 + len(inside) - len(inside.lstrip())
        cells.append((first, max(first, first + len(inside.strip()))))
    if cells[0][0] >= cells[0][1]:
        del cells[0]
    if cells and cells[-1][0] >= cells[-1][1]:
        del cells[-1]
    return cells


def _row(
    text: str, cells: list[tuple[int, int]], names: list[str], is_field: Callable[[str], bool]
) -> Iterator[Piece]:
    """Name each cell by its column; in a table of two columns that list fields, by the cell before it."""
    for column, (first, last) in enumerate(cells):
        label = names[column] if column < len(names) else ""
        if column == 1 and len(names) == 2 and not is_field(label):  # noqa: PLR2004 (field and value)
            field = text[cells[0][0] : cells[0][1]].strip("*_ ")
            label = field if is_field(field) else label
        yield from _in_bars(text, first, last, label.strip("*_ "))


def _in_bars(text: str, first: int, last: int, label: str) -> list[Piece]:
    return value(first, last, text[first:last].replace("\\|", "|"), label, _between_bars)


def _between_bars(text: str) -> str:
    cell = " ".join(text.splitlines()).replace("|", "\\|")
    return cell + " " if cell.endswith("\\") else cell


class _Cell(NamedTuple):
    start: int
    end: int
    text: str
    quoted: bool


@functools.lru_cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    delimiter = re.escape(delimiter)
    quoted, bare = r'"([^"]*+(?:""[^"]*+)*+)"', rf'([^"\r\n{delimiter}][^\r\n{delimiter}]*+)'
    return re.compile(rf"(?:{quoted}|{bare})?({delimiter}|\r?\n|\r?\Z)")


def _read(text: str, at: int, end: int, delimiter: str) -> tuple[list[_Cell], int]:
    """Give the cells of the row at `at` and where the next begins; no cells where it is no row.

    Linear over all rows: a quote that stays open to the end has only even runs of quotes behind it.
    """
    cells: list[_Cell] = []
    pattern = _cell_pattern(delimiter)
    while at <= end and (found := pattern.match(text, at, end)):
        inside, bare, after = found.groups()
        said = inside.replace('""', '"') if inside is not None else bare or ""
        cells.append(_Cell(at, found.start(3), said, inside is not None))
        at = found.end()
        if after != delimiter:
            return cells, max(at, found.start(3) + 1)
    return [], end


def separated_values(text: str, start: int, end: int, check: Check = unhurried) -> Iterator[Taken]:
    """Find CSV and TSV: lines of as many cells, below a header, or so many that nothing else is likely."""
    if text.find("\n", start, end) < 0:
        return
    at = start if not start or text[start - 1] == "\n" else line_end(text, start, end) + 1
    while found := _DELIMITED.search(text, at, end):
        check()  # lines that are no table may be many
        at, last = found.start(), line_end(text, found.start(), end)
        following = last + 1
        for delimiter in "\t;,|":
            if text.find(delimiter, at, last) < 0 or last - at > _LONGEST_HEADER:
                continue
            header, below = _read(text, at, end, delimiter)
            if len(header) < 2 or _STAMPED.match(text, at, last) or _STATEMENT.match(text, at, last):  # noqa: PLR2004
                continue  # one cell is a line
            if len(header) < _SURE_COLUMNS and not _is_header([cell.text.strip() for cell in header]):
                continue
            rows = []
            row, after = _read(text, below, end, delimiter) if below < end else ([], below)
            while len(row) == len(header):
                rows.append(row)
                below = after
                row, after = _read(text, below, end, delimiter) if below < end else ([], below)
            if rows and (taken := _table(header, rows, delimiter)) is not None:
                yield Taken(at, min(below, end), taken)
                following = below
                break
            if rows:
                following = max(following, below)
        at = following


def _table(header: list[_Cell], rows: list[list[_Cell]], delimiter: str) -> list[Piece] | None:
    """Make the pieces of the cells, or none where the lines may as well be prose."""
    names = [cell.text.strip() for cell in header]
    spaced = sum(cell.text[:1] == " " for row in rows for cell in row[1:])
    in_sentences = spaced > len(rows) * (len(header) - 1) / 2
    headed = _is_header(names)
    if in_sentences and delimiter == "," and not (headed and sum(map(names_a_field, names)) > 1):
        return None
    if not headed:
        if len(header) < _SURE_COLUMNS or len(rows) + 1 < _SURE_ROWS or in_sentences:
            return None
        names = [_BIRTHS if _are_births(column) else "" for column in zip(header, *rows, strict=True)]
    if headed and _are_fields([header, *rows]):
        named = [(row[0].text.strip(), row[1]) for row in (header, *rows)]
        return [piece for one in named for piece in _pieces(*one, delimiter)]
    unknown = [cell for cell in header if not (headed and _is_only_a_name(cell.text.strip()))]
    cells = [("", cell) for cell in unknown] if headed else list(zip(names, header, strict=True))
    cells += [named for row in rows for named in zip(names, row, strict=True)]
    return [piece for name, cell in cells for piece in _pieces(name, cell, delimiter)]


def _pieces(name: str, cell: _Cell, delimiter: str) -> list[Piece]:
    write = _quoted if cell.quoted else functools.partial(_as_cell, delimiter)
    return value(cell.start, cell.end, cell.text, name, write)


def _are_fields(rows: list[list[_Cell]]) -> bool:
    """Say whether each of the rows is a field and its value: there is no header then."""
    return (
        len(rows[0]) == 2  # noqa: PLR2004 (field and value)
        and not names_a_field(rows[0][1].text)
        and all(says_only_fields(row[0].text.strip()) for row in rows)
    )


def _are_births(column: Sequence[_Cell]) -> bool:
    """Say whether a column without a name holds days, all of them a generation ago: what else would it be?"""
    return all(_LONG_AGO.fullmatch(cell.text.strip()) for cell in column)


def _is_header(names: list[str]) -> bool:
    if len(set(names)) < len(names) or any(
        not name or _NO_HEADER.search(name) or len(name.split()) > _WORDS_IN_HEADER for name in names
    ):
        return False
    return any(_is_name(name) for name in names)


def _is_name(name: str) -> bool:
    return names_a_field(name) or _IDENTIFIER.fullmatch(name) is not None


def _is_only_a_name(name: str) -> bool:
    """Say whether nothing in a header's cell needs to be searched: "customer Zoe" may be a row's own."""
    return says_only_fields(name) or _IDENTIFIER.fullmatch(name) is not None


def _as_cell(delimiter: str, text: str) -> str:
    is_safe = not any(sign in text for sign in (delimiter, '"', "\n", "\r"))
    return text if is_safe else _quoted(text)


def _quoted(text: str) -> str:
    """Write a cell in quotes: one that had them keeps them, as what is put back may need them."""
    return '"' + text.replace('"', '""') + '"'
