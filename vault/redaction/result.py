"""A text that was redacted outside of any transcript."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from vault.redaction.findings import Finding


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


def put_back(text: str, values: Mapping[str, str]) -> str:
    """Put values back where their placeholders stand; nothing of a value is taken for a placeholder."""
    found = [(text.find(mark), mark) for mark in values if mark and mark in text]
    pieces: list[str] = []
    at = 0
    while found:
        start, mark = min(found, key=lambda one: (one[0], -len(one[1])))
        pieces += [text[at:start], values[mark]]
        at = start + len(mark)
        found = [(text.find(one, at), one) for _, one in found]
        found = [(where, one) for where, one in found if where >= 0]
    return "".join([*pieces, text[at:]])
