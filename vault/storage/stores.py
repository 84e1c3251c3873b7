"""The three stores together, as every part above them receives them."""

from __future__ import annotations

from dataclasses import dataclass

from vault.clock import Clock
from vault.roots import Root
from vault.storage.engine import Runtime, Store


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

    def close(self) -> None:
        """Close both databases."""
        self.transcripts.close()
        self.keyring.close()
