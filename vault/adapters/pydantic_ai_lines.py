"""Which entries lead to which, also where retention has taken some from between them.

An entry of pydantic-ai's names the one before it, and who follows those names ends where one is gone. So each
has its line, too: the runs of entries that lead to it, each by its first entry and how far it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vault.messages import Message

OURS = "pydantic_ai"  # the field of `extra` with what an entry does not say, and the collection of records
Line = list[dict[str, Any]]  # of {"id": of a run's first entry, "index": of its last}, the oldest first


class Lines:
    """The lines of a conversation's entries, and of those that its record names, be they there or gone."""

    def __init__(self, entries: Iterable[Message], kept: Mapping[str, Line]) -> None:
        self._lines = dict(kept)
        self._ends: dict[str, int] = {}
        for line in kept.values():
            self._learn(line)
        for message in entries:
            ours = message.extra[OURS]
            # What an older release has stored has no line of its own.
            line = ours.get("line") or self.after(ours["parent_id"], ours["id"])
            self._lines[ours["id"]] = line
            self._learn(line)

    def __contains__(self, entry: str) -> bool:
        return entry in self._lines

    def of(self, entries: Iterable[str]) -> dict[str, Line]:
        """Give the lines of some entries, as far as they are known."""
        return {entry: self._lines[entry] for entry in entries if entry in self._lines}

    def add(self, parent: str | None, entry: str) -> Line:
        """Give the line of a new entry, and know it from now on."""
        line = self._lines[entry] = self.after(parent, entry)
        self._learn(line)
        return line

    def after(self, parent: str | None, entry: str) -> Line:
        """Give the line of an entry behind its parent: it goes on with a run, or leaves it for a new one."""
        before = self._lines.get(parent or "", [])
        if not before:
            return [{"id": entry, "index": 1}]
        last = before[-1]
        if self._ends[last["id"]] == last["index"]:
            return [*before[:-1], {**last, "index": last["index"] + 1}]
        return [*before, {"id": entry, "index": last["index"] + 1}]

    def up_to(self, head: str, messages: Sequence[Message]) -> list[Message]:
        """Give the messages on the line of an entry, in order."""
        ends = {run["id"]: run["index"] for run in self._lines[head]}
        found = []
        for message in messages:
            own = self._lines[message.extra[OURS]["id"]][-1]
            if own["index"] <= ends.get(own["id"], 0):
                found.append(message)
        return found

    def _learn(self, line: Line) -> None:
        for run in line:
            self._ends[run["id"]] = max(self._ends.get(run["id"], 0), run["index"])
