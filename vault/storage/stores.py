"""The three stores together, as every part above them receives them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from vault.clock import Clock, system_clock
from vault.roots import Root
from vault.storage.engine import Store
from vault.storage.runs import database_clock
from vault.storage.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Stores:
    """Transcripts, keyring, root; the vault they belong to; the clock; how to wait."""

    vault: bytes
    transcripts: Store
    keyring: Store
    root: Root
    clock: Clock
    runtime: Runtime
    limit: int
    horizon: int

    def server_clock(self, connection: Connection) -> int | None:
        """Give the time by a server's own clock; None where there is none, or where a clock was passed in."""
        return database_clock(connection) if self.clock is system_clock else None

    def earlier_clock(self, connection: Connection) -> int:
        """Give the earlier of this machine's time and the server's: none that is ahead ends what is kept."""
        now, server = self.clock(), self.server_clock(connection)
        return now if server is None else min(now, server)

    def close(self) -> None:
        """Close both databases."""
        self.transcripts.close()
        self.keyring.close()
