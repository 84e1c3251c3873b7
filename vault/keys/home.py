"""Where a keyring lives. A copy that wakes up elsewhere must not swap its original's root.

Two facts must agree: the place, in the database server's own words, and the holder's random name, which the
root repeats. Adopting a copy gives it a new name in both, and so disowns the original.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from vault.crypto.envelope import random_id
from vault.errors import KeyringCopyError
from vault.roots import RootState
from vault.storage import keyring as sql
from vault.storage.engine import identity
from vault.storage.stores import Stores


def place(connection: Connection) -> bytes:
    """Give the mark of the place where this keyring lives now."""
    return hashlib.sha256(identity(connection).encode()).digest()


def is_home(
    stores: Stores,
    connection: Connection,
    known: dict[str, bytes] | None = None,
    state: RootState | None = None,
) -> bool:
    """Say whether this keyring may swap the root; its facts and the root may have just been read."""
    facts = known or sql.read_meta(connection)
    return facts["home"] == place(connection) and facts["holder"] == (state or stores.root.load()).holder


def require_home(
    stores: Stores,
    connection: Connection,
    known: dict[str, bytes] | None = None,
    state: RootState | None = None,
) -> None:
    """Raise KeyringCopyError where the root belongs to another keyring."""
    if not is_home(stores, connection, known, state):
        raise KeyringCopyError(
            "this keyring is a copy, or was moved; it must not change the root of its original",
            hint="vault keys adopt makes this one the holder of the root, and the original a copy",
        )


def adopt(stores: Stores) -> None:
    """Make this keyring the one that swaps the root."""
    holder = random_id()

    def work(connection: Connection) -> None:
        sql.lock_meta(connection)
        sql.write_meta(connection, "home", place(connection))
        sql.write_meta(connection, "holder", holder)

    stores.keyring.write(work)
    stores.root.claim(holder)
