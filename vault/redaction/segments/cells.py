"""Tables and lists of HTML: what stands at the head of a column or of a row names its cells."""

from __future__ import annotations

import re

from vault.redaction.segments.labels import counts_things, says_only_fields

CELLS = frozenset({"table", "tr", "th", "td", "dt", "dd"})
_SPAN = re.compile(r"\bcolspan\s*+=\s*+[\"']?(\d{1,3})", re.IGNORECASE)
_MOST = 1_000  # columns


class Cells:
    """Reads the tags of tables in their order, and which cell they are in."""

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._row = ""  # what heads the row, or the value of a list
        self._at = 0  # the cell's column
        self._next = 0
        self._inside = ""
        self._has_values = False

    def turn(self, tag: str, attributes: str, opens: bool) -> None:  # noqa: FBT001 (a tag as it was read)
        """Take in a tag that opens or closes."""
        self._inside = tag if opens and tag not in {"table", "tr"} else ""
        if tag == "table":
            self._columns, self._row, self._has_values = [], "", False
        elif tag == "tr" and opens:
            self._row, self._at, self._next = "", 0, 0
        elif tag in {"th", "td"} and opens:
            self._at = self._next
            span = _SPAN.search(attributes)
            self._next = min(self._at + (int(span[1]) if span else 1), _MOST)
            self._has_values = self._has_values or tag == "td"
        elif tag == "dt" and opens:
            self._row = ""

    def named(self, said: str) -> str:
        """Give what names a text in the cell where the tags have come to, if that is the name of a field."""
        if not self._inside:
            return ""
        label = self._row
        if self._inside == "td" and not label and self._at < len(self._columns):
            label = self._columns[self._at]
        if self._inside in {"th", "dt"} or (self._inside == "td" and not label):
            self._name(said.strip().rstrip(":"))
            return ""
        return label

    def _name(self, said: str) -> None:
        """Take a text for the name of what follows in its row and, at a table's head, below it."""
        name = said if says_only_fields(said) or counts_things(said) else ""
        self._row = name
        if self._inside == "th" and not self._has_values:
            self._columns += [""] * (self._at + 1 - len(self._columns))
            self._columns[self._at] = name
