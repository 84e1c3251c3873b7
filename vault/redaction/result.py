"""A text that was redacted outside of any transcript."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from vault.redaction.findings import Finding
from vault.redaction.memory import normal

_BRACKETED: Final = re.compile(r"<[^<>]{1,80}>")  # what most placeholders look like


class RedactedText(Struct, frozen=True):
    """`text` is safe to pass on; `findings` say where in the given text what was found, and by whom."""

    text: str
    findings: tuple[Finding, ...]
    _values: Mapping[str, str]

    def __repr__(self) -> str:
        """Show no values: a repr ends up in logs (P1)."""
        return f"RedactedText(text={self.text!r}, findings={self.findings!r})"

    def restore(self, reply: str) -> str:
        """Put the values back where their placeholders stand, in a model's reply for one."""
        return put_back(reply, self._values)


def tell(values: dict[str, str], more: Mapping[str, str]) -> None:
    """Add what stands behind some placeholders; what stands for two values is put back for neither."""
    for mark, value in more.items():
        known = values.setdefault(mark, value)
        if known != value and normal(known) != normal(value):
            values[mark] = ""


def put_back(text: str, values: Mapping[str, str]) -> str:
    """Put values back where their placeholders stand; nothing of a value is taken for a placeholder."""
    told = {mark: value for mark, value in values.items() if mark and value}
    found = [(one.start(), -len(one[0]), one[0]) for one in _BRACKETED.finditer(text) if one[0] in told]
    for mark in told:
        if not _BRACKETED.fullmatch(mark):
            found += [(at, -len(mark), mark) for at in _places(text, mark)]
    pieces: list[str] = []
    at = 0
    for start, _, mark in sorted(found):
        if start >= at:
            pieces += [text[at:start], told[mark]]
            at = start + len(mark)
    return "".join([*pieces, text[at:]])


def _places(text: str, mark: str) -> Iterator[int]:
    """Find where a mark stands as a whole: an invented name is not the beginning of a longer word."""
    at = text.find(mark)
    while at >= 0:
        end = at + len(mark)
        is_cut = mark[0].isalnum() and at and text[at - 1].isalnum()
        if not is_cut and not (mark[-1].isalnum() and text[end : end + 1].isalnum()):
            yield at
        at = text.find(mark, at + 1)
