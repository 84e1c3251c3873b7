"""The one place where a purge asks what is on hold (P5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from vault.retention.deciding import Hold


class HoldRow(Protocol):
    """A hold as the keyring has it: nodes of a user and of a session, and when it ends."""

    @property
    def id(self) -> bytes:
        """Its own id."""

    @property
    def user(self) -> bytes:
        """The user's node."""

    @property
    def session(self) -> bytes | None:
        """The session's node; None for all of the user's."""

    @property
    def until(self) -> int | None:
        """When it ends by itself."""


class Holds(Protocol):
    """Whoever knows the holds."""

    def in_force(self, connection: Connection, now: int) -> Sequence[HoldRow]:
        """Give the holds in force, from the keyring's connection."""


class NoHolds:
    """A vault without holds."""

    def in_force(self, connection: Connection, now: int) -> Sequence[HoldRow]:  # noqa: ARG002 (the protocol's)
        """Give none."""
        return ()


def as_holds(rows: Sequence[HoldRow]) -> list[Hold]:
    """Give holds as deciding takes them."""
    return [Hold(row.id.hex(), row.user, row.session, row.until) for row in rows]
