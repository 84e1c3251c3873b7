"""What a report says, as values. They name no person: holds and erasures stand under their own ids."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vault.retention.report import RunResult


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages are at least `since` days old, and less than `until`."""

    since: int
    until: int
    messages: int


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of one class, and its rule; `policy` is None where no rule of today made it."""

    name: str
    policy: str | None
    part: str
    at_least: str | None
    at_most: str | None
    least_days: float | None
    most_days: float | None
    count_from: str
    messages: int
    bytes: int
    oldest: datetime | None
    bars: list[Bar]


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """Of one class, what the next run would erase, and what past its ceiling is kept back."""

    name: str
    goes: int
    held: int
    floored: int
    oldest: datetime | None


class HeldBy(msgspec.Struct, frozen=True, kw_only=True):
    """A hold, without whom it is on."""

    id: str
    on: str
    in_force: bool
    reason: str
    placed_at: datetime
    until: datetime | None
    released_at: datetime | None
    release_reason: str


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A request to forget somebody that waits for a hold to end; `id` is that of its certificate."""

    id: str
    reason: str
    requested_at: datetime


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure; `id` is that of its certificate."""

    id: str
    kind: str
    status: str
    sessions: int
    messages: int
    reason: str
    requested_at: datetime
    cut_at: datetime | None
    due_at: datetime | None
    final_at: datetime | None


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a schedule asked for."""

    job: str
    due_at: datetime
    begun_at: datetime
    ended_at: datetime | None
    outcome: str


class LogState(msgspec.Struct, frozen=True, kw_only=True):
    """What the check of the log found; `failure` is None where it is whole."""

    failure: str | None
    entries: int
    root: str
    key: str
    checkpoint: str
    anchors: int
    unfinished: int


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A root generation that is retired, and when it is due to be destroyed."""

    ordinal: int
    retired_at: datetime
    due_at: datetime
    is_overdue: bool


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """The root, and what hangs on it."""

    root: str
    ordinal: int
    is_home: bool
    retired: list[Retired]
    nodes: dict[str, int]
    warnings: list[str]


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report says. Lists of what is past are cut to the latest; the counts beside them are whole.

    `overdue` is None where the vault has no policies.
    """

    vault: str
    at: datetime
    version: str
    policies: list[str]
    users: int
    sessions: int
    messages: int
    bytes: int
    records: int
    stored: list[Stored]
    overdue: list[Overdue] | None
    holds: list[HeldBy]
    holds_ended: int
    waiting: list[Queued]
    erasures: list[Erasure]
    erasures_by: dict[str, int]
    runs: list[RunResult]
    runs_in_all: int
    turns: list[Turned]
    log: LogState
    keys: Keys

    @property
    def due(self) -> int:
        """Count what the next run would erase: messages past their ceiling that nothing keeps."""
        return sum(one.goes for one in self.overdue or ())

    @property
    def held(self) -> list[HeldBy]:
        """Give the holds in force."""
        return [one for one in self.holds if one.in_force]
