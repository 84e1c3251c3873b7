"""What names the values that come in a stream: the columns of a table, a section, the keys of a literal."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vault.redaction.segments.literals import open_at_end
from vault.redaction.segments.sections import section_at_end
from vault.redaction.segments.statements import copies
from vault.redaction.segments.tables import line_end, markdown_tables, separated_values

_DELIMITERS: Final = ("\t", ";", ",", "|")
_INSERT: Final = re.compile(
    r"\b(?:insert|replace) into [^;()]{1,200}\([^;()]{1,1000}\)\s{0,3}values\b", re.IGNORECASE
)
_VALUES: Final = re.compile(r"\((?:[^()']++|'(?:[^']++|'')*+')*+\)")
_GOES_ON: Final = re.compile(  # whatever stands in quotes, it ends no statement
    r"(?:[^';\n]++|'[^']*+(?:'|\Z)|;(?![ \t]*+(?:\r?\n|\Z))|\n(?![ \t]*+(?:\r?\n|`{3})))*+\Z"
)

_HEAD: Final = re.compile(
    r"<table\b[^<>]{0,500}>(?:[^<]++|<(?!/?table\b|td\b|/tr\b))*+</tr\s{0,3}>", re.IGNORECASE
)
_TABLE_ENDS: Final = re.compile(r"</table\b", re.IGNORECASE)
_ROW: Final = re.compile(r"<(/?)tr\b[^<>]{0,500}>", re.IGNORECASE)


class Columns(NamedTuple):
    """What names the columns of a table, and where the row begins to which what follows belongs.

    A section of settings is one of single lines, and a literal one of keys with their values.
    """

    head: str
    row: int
    until: str  # what ends the row, half of which tells no columns; nothing, where none has begun


class Tables:
    """Reads which table is open at the end of a text that grows; the same lines are read once."""

    def __init__(self) -> None:
        self._lines = ""
        self._found: Columns | None = None

    def open_at_end(self, text: str) -> Columns | None:
        """Give the table that may go on behind the text."""
        lines = text[: text.rfind("\n") + 1]
        if lines != self._lines:
            self._lines, self._found = lines, _of_lines(lines)
        return self._found or _inserted(text) or _headed(text) or _literal(text)


def _of_lines(lines: str) -> Columns | None:
    return (
        (_markdown(lines) if "|" in lines else None)
        or _section(lines)
        or _copied(lines)
        or (None if open_at_end(lines) else _separated(lines))
    )


def _literal(text: str) -> Columns | None:
    opened = open_at_end(text) if "{" in text or "[" in text else None
    return Columns(*opened, "") if opened else None


def _headed(text: str) -> Columns | None:
    """Give the head of the table of HTML that is open at the end, if its first row names its columns."""
    begin = max(text.rfind("<table"), text.rfind("<TABLE")) if "<" in text else -1
    head = _HEAD.match(text, begin) if begin >= 0 else None
    if head is None or _TABLE_ENDS.search(text, head.end()):
        return None
    rows = list(_ROW.finditer(text, head.end()))
    row = rows[-1].start() if rows and not rows[-1][1] else rows[-1].end() if rows else head.end()
    return Columns(head[0], row, ">")


def _section(text: str) -> Columns | None:
    name = section_at_end(text) if "[" in text else ""
    return Columns(name, len(text), "\n") if name else None


def _copied(text: str) -> Columns | None:
    for found in copies(text, 0, len(text)):
        if found.end == len(text):
            return Columns(text[found.start : line_end(text, found.start, len(text)) + 1], found.end, "\n")
    return None


def _markdown(text: str) -> Columns | None:
    for found in markdown_tables(text, 0, len(text)):
        if found.end == len(text):
            rule = line_end(text, found.start, len(text)) + 1
            return Columns(text[found.start : line_end(text, rule, len(text)) + 1], found.end, "\n")
    return None


def _separated(text: str) -> Columns | None:
    line = len(text)
    quotes = text.count('"', 0, line)
    while line and quotes % 2:  # no row begins within quotes
        before = text.rfind("\n", 0, line - 1) + 1
        quotes -= text.count('"', before, line)
        line = before
    last = text[text.rfind("\n", 0, max(line - 1, 0)) + 1 : line]
    if not any(sign in last for sign in _DELIMITERS):
        return None
    for found in separated_values(text[:line], 0, line):
        if found.end >= line:
            return Columns(text[found.start : line_end(text, found.start, line) + 1], line, "\n")
    if next(separated_values(last + last, 0, 2 * len(last)), None):  # a header, without a row
        return Columns(last, line, "\n")
    return None


def _inserted(text: str) -> Columns | None:
    inserts = list(_INSERT.finditer(text)) if "(" in text else []
    if not inserts or not _GOES_ON.match(text, inserts[-1].end()):
        return None
    row = text.rfind("(", inserts[-1].end())
    is_open = row >= 0 and not _VALUES.match(text, row)
    return Columns(f"{inserts[-1][0]} ", max(row, inserts[-1].end()), ")" if is_open else "")
