"""A text that was redacted outside of any transcript."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from vault.redaction.findings import Finding
from vault.redaction.memory import normal


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
    found = [(_place(text, mark, 0), mark) for mark, value in values.items() if mark and value]
    pieces: list[str] = []
    at = 0
    while found := [(where, mark) for where, mark in found if where >= 0]:
        start, mark = min(found, key=lambda one: (one[0], -len(one[1])))
        pieces += [text[at:start], values[mark]]
        at = start + len(mark)
        found = [(_place(text, one, at), one) for _, one in found]
    return "".join([*pieces, text[at:]])


def _place(text: str, mark: str, at: int) -> int:
    """Find where a mark stands as a whole: an invented name is not the beginning of a longer word."""
    while (start := text.find(mark, at)) >= 0:
        end = start + len(mark)
        is_cut = mark[0].isalnum() and start and text[start - 1].isalnum()
        if not is_cut and not (mark[-1].isalnum() and text[end : end + 1].isalnum()):
            return start
        at = start + 1
    return -1
