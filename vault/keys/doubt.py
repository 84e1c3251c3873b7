"""Looking again before anybody is accused.

An erasure changes two databases and the root, one after the other. Who looks at one before it and at another
after it finds what else only a thief leaves behind (P2). So a finding counts when a second look, in which
nothing was erased, comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vault.errors import KeyringOutdatedError, TamperedError
from vault.storage import erasures
from vault.storage.stores import Stores

T = TypeVar("T")


def beyond_doubt(stores: Stores, look: Callable[[], T]) -> T:
    """Look; where the look accuses, look again, for as long as erasures pass between the looks."""
    before: object = None
    while True:
        try:
            return look()
        except (TamperedError, KeyringOutdatedError):
            now = stores.keyring.read(erasures.progress)
            if now == before:
                raise
            before = now
