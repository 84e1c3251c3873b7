"""A memory as the flows see it: a shelf of items, what it holds, and what it gives."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, Protocol

from vault.messages import Message


class Mode(enum.StrEnum):
    """What a wrapped memory holds: sealed bodies, or what its owner makes of it, with the vault beside it."""

    SEAL = "seal"
    RECORD = "record"


class Shelf(Protocol):
    """A memory as the flows see it: items in order, of whatever kind its framework has."""

    awaits: bool  # its methods give something to await

    def read(self) -> Any:
        """Give all items."""

    def add(self, items: list[Any]) -> Any:
        """Add items at the end."""

    def clear(self) -> Any:
        """Remove all items."""

    def rewrite(self, old: list[Any], new: list[Any]) -> Any:
        """Put `new` in the place of all items, which are `old`; raise UsageError where it can't be done."""

    def text(self, item: Any) -> object:
        """Give the text of an item, where an envelope would be."""

    def stand_in(self, item: Any, text: str) -> Any:
        """Give an item of the same role and type that holds nothing but an envelope."""

    def message(self, item: Any) -> Message:
        """Give an item as a message of the vault's."""

    def item(self, message: Message, stored: Any) -> Any:
        """Give back the item that a message was made of."""


class Remembered(list[Any]):
    """What a wrapped memory gives: a list, with the counts of what is not in it.

    `purged` were taken by retention; `erased` still lie there, and were removed, or are of a time before the
    session was cleared or its user enrolled again; `trimmed` the memory itself has dropped, where it may.
    """

    def __init__(
        self, items: Iterable[Any] = (), *, purged: int = 0, erased: int = 0, trimmed: int = 0
    ) -> None:
        super().__init__(items)
        self.purged = purged
        self.erased = erased
        self.trimmed = trimmed
