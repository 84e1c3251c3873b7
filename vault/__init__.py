"""An encrypted transcript vault for AI chat, whose erasures reach the backups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.version import __version__

if TYPE_CHECKING:
    from vault.aio import AsyncVault
    from vault.aio_transcript import AsyncTranscript
    from vault.client import Vault
    from vault.errors import VaultError
    from vault.messages import Message, Messages
    from vault.transcript import Transcript

__all__ = [
    "AsyncTranscript",
    "AsyncVault",
    "Message",
    "Messages",
    "Transcript",
    "Vault",
    "VaultError",
    "__version__",
]

_WHERE = {
    "AsyncTranscript": "vault.aio_transcript",
    "AsyncVault": "vault.aio",
    "Message": "vault.messages",
    "Messages": "vault.messages",
    "Transcript": "vault.transcript",
    "Vault": "vault.client",
    "VaultError": "vault.errors",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `vault --help` needs none of them."""
    if name not in _WHERE:
        raise AttributeError(f"module 'vault' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WHERE[name]), name)
