"""How the root and the keyring stand: what `vault keys status` and `vault doctor` tell."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from vault.clock import to_datetime
from vault.keys.home import is_home
from vault.keys.swap import locate, superseded
from vault.storage import erasures
from vault.storage import keyring as sql
from vault.storage.stores import Stores


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """An old root generation that is still kept."""

    id: str
    ordinal: int
    retired_at: datetime
    due_at: datetime


class KeysStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The root, its generations, and what hangs on them."""

    vault: str
    root: str
    generation: str
    ordinal: int
    is_home: bool
    retired: list[Retired]
    nodes: dict[str, int]
    unfinished: int
    provisional: int
    warnings: list[str]


def read_status(stores: Stores) -> KeysStatus:
    """Read how the keys stand; change nothing."""

    def work(connection: Connection) -> KeysStatus:
        generation, ordinal = sql.split_root(sql.read_meta(connection)["root"])
        state = stores.root.load()
        old = superseded(state, locate(state, generation, ordinal))
        waiting = erasures.intents_before(connection, erasures.Phase.FINAL)
        return KeysStatus(
            vault=stores.vault.hex(),
            root=stores.root.name,
            generation=generation.hex(),
            ordinal=ordinal,
            is_home=is_home(stores, connection),
            retired=[
                Retired(
                    id=one.id.hex(),
                    ordinal=one.ordinal,
                    retired_at=to_datetime(old[one.id]),
                    due_at=to_datetime(old[one.id] + stores.horizon),
                )
                for one in state.generations
                if one.id in old
            ],
            nodes={kind.name.lower(): count for kind, count in sql.count_nodes(connection).items()},
            unfinished=sum(row.phase < erasures.Phase.SWEPT for row in waiting),
            provisional=sum(row.phase >= erasures.Phase.CUT for row in waiting),
            warnings=stores.root.warnings(),
        )

    return stores.keyring.read(work)
