"""What other parts of the vault have to say to a transfer."""

from __future__ import annotations

from vault.clock import to_datetime
from vault.core import Core
from vault.messages import Message


def sign(core: Core, said: bytes) -> str | None:
    """Sign what a third party may have to check."""
    return core.keyring.log.sign(said)


def is_past(core: Core, namespace: str, message: Message, created_at: int) -> bool:
    """Say whether retention would erase a message at its next run, whatever else its session holds."""
    dated = Message(message.role, None, message.metadata, {}, to_datetime(created_at))
    now = core.stores.clock()
    return core.is_past(dated, namespace, session_start=created_at, last_activity=max(now, created_at))
