"""What of a text a session is to know again, and what it knows already: names, values, placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from vault.redaction.findings import Finding, Ground
from vault.redaction.memory import Memory
from vault.redaction.recalling import tells
from vault.redaction.settings import Redaction

# What the operators write, whoever found it. More digits would be a hiding place.
_MARK: Final = r"[A-Z][A-Z_]{1,39}(?:_\d{1,6}|:(?=\d*[a-f])[0-9a-f]{12})"
PLACEHOLDER: Final = re.compile(rf"<{_MARK}>|&(?P<more>(?:amp;){{0,3}})lt;{_MARK}&(?P=more)gt;")
_SURE: Final = 0.5  # how probable a name must be to be looked for in all later messages


def placeholders(text: str) -> list[Finding]:
    """Find what was redacted before: nobody's finding, which is cut out of every other."""
    if "<" not in text and "lt;" not in text:
        return []
    return [Finding("", *one.span(), 1.0, "", Ground.DENIED) for one in PLACEHOLDER.finditer(text)]


def remember(memory: Memory, text: str, found: Iterable[Finding]) -> None:
    """Let a session know again what was found: the words of names, and values that can be nothing else."""
    for finding in found:
        value = text[finding.start : finding.end]
        if finding.entity != "PERSON":
            is_sure = finding.ground is not Ground.MODEL or finding.score >= _SURE
            if tells(finding.entity, value, is_sure=is_sure):
                memory.keep_value(finding.entity, value)
        elif finding.score >= _SURE:
            from vault.redaction.names import worth_remembering

            words = value.split()
            for word in words:
                if worth_remembering(word):
                    memory.keep(word)
            if len(words) > 1:
                memory.keep_whole(value)  # Grace Kelly may be this one, though not every grace is


def known_as(found: list[Finding], text: str, memory: Memory, settings: Redaction) -> list[Finding]:
    """Let a value be what it was found as first: it has one placeholder in a session."""
    named = [(one, memory.known_as(text[one.start : one.end])) for one in found]
    return [
        replace(one, entity=first)
        if first and one.entity != first and settings.operator_for(one.entity) == settings.operator_for(first)
        else one
        for one, first in named
    ]
