"""What a user's own recognizers give, put right or refused: a wrong place would let a value go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec.structs import replace

from vault.errors import RedactionError, VaultError
from vault.redaction.findings import Finding, Recognizer

T = TypeVar("T")


class Own:
    """A recognizer of a user's own."""

    def __init__(self, given: Recognizer) -> None:
        self._given = given

    def find(self, text: str) -> list[Finding]:
        """Give what it finds, as far as that lies in the text."""
        return within(text, asked(lambda: self._given.find(text)))


def asked(find: Callable[[], Iterable[T]]) -> list[T]:
    """Ask a recognizer. Where it fails, its words are not told: they may hold content (P1)."""
    try:
        return list(find())
    except VaultError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever somebody else's code raises)
        failure = type(error).__name__
    raise RedactionError(f"a recognizer of the app's own failed with {failure}")


def within(text: str, found: Iterable[object]) -> list[Finding]:
    """Cut findings at the edges of the text; refuse what is none, or lies nowhere in it."""
    kept: list[Finding] = []
    for one in found:
        if not (isinstance(one, Finding) and one.entity and {type(one.start), type(one.end)} == {int}):
            raise RedactionError("a recognizer of the app's own gave something that is no finding")
        if one.start == one.end:
            continue
        start, end = max(one.start, 0), min(one.end, len(text))
        if start >= end or not one.score >= 0:  # NaN compares with nothing
            raise RedactionError("a recognizer of the app's own gave a finding with no place in the text")
        kept.append(one if (start, end) == (one.start, one.end) else replace(one, start=start, end=end))
    return kept
