"""Older transcripts beside a younger keyring, and the other way round: what either lacks."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from vault.chat.profile import Profile, seal_name, seal_profile
from vault.crypto.tree import Kind, Node
from vault.keys.ring import Keyring
from vault.roots import Root
from vault.storage import erasures, lost
from vault.storage import keyring as sql
from vault.storage.engine import Store
from vault.storage.stores import Stores
from vault.storage.transcripts import add_user


def erased_nodes(keyring: Store, root: Root) -> list[bytes]:
    """Give all that was ever erased, as the keyring and its root remember it."""
    journal = [node for one in root.load().generations for erased in one.erased for node in erased.nodes]
    return sorted({*journal, *keyring.read(lambda connection: erasures.erased_after(connection, 0))})


def mark_lost(stores: Stores, keyring: Keyring, keyring_then: Store) -> int:
    """Add nameless rows for users and sessions that began after the backup; count the sessions.

    Only for those whose keys are younger than the backup: a key that it has too, without a row, was robbed of
    it before, and that shall go on to show (P2). No key is destroyed: a younger backup can still be restored.
    """
    for page in lost.keys_of(stores.keyring, Kind.USER):
        _mark_users(stores, keyring, _younger(stores, keyring_then, Kind.USER, page))
    return sum(
        _mark_sessions(stores, keyring, _younger(stores, keyring_then, Kind.SESSION, page))
        for page in lost.keys_of(stores.keyring, Kind.SESSION)
    )


def _younger(stores: Stores, keyring_then: Store, kind: Kind, page: dict[bytes, Node]) -> list[Node]:
    known = keyring_then.read(lambda connection: sql.nodes_by_id(connection, page))
    younger = page.keys() - known.keys()
    rowless = stores.transcripts.read(lambda connection: lost.without_row(connection, kind, younger))
    return [page[one] for one in rowless]


def _mark_users(stores: Stores, keyring: Keyring, nodes: Collection[Node]) -> None:
    alive = keyring.find_users([node.slot[1:] for node in nodes])

    def work(connection: Connection) -> None:
        for user in alive.values():
            name = seal_name("", stores.vault, user.node, b"", user.secret)
            add_user(connection, user.index, user.node, name)

    if alive:
        stores.transcripts.write(work)


def _mark_sessions(stores: Stores, keyring: Keyring, nodes: Collection[Node]) -> int:
    parents = stores.keyring.read(
        lambda connection: sql.nodes_by_id(connection, {node.parent for node in nodes})
    )
    users = keyring.find_users([parent.slot[1:] for parent in parents.values()])
    alive = {
        user.node: keyring.find_sessions(user, [node.slot for node in nodes if node.parent == user.node])
        for user in users.values()
    }

    def work(connection: Connection) -> int:
        return sum(
            lost.add_nameless_session(
                connection,
                user,
                slot=where[1:],
                node=opened.id,
                name=seal_name("", stores.vault, opened.id, user, opened.key),
                profile=seal_profile(Profile(""), stores.vault, opened.id, opened.key, 0),
            )
            for user, sessions in alive.items()
            for where, opened in sessions.items()
        )

    return stores.transcripts.write(work) if alive else 0


def count_unreadable(stores: Stores) -> int:
    """Count the sessions whose messages are here and whose keys are not: the keyring is older."""
    return sum(
        len(set(page) - stores.keyring.read(lambda c, page=page: sql.nodes_by_id(c, page)).keys())  # type: ignore[misc]
        for page in lost.session_nodes(stores.transcripts)
    )


def count_missing(stores: Stores) -> int:
    """Count the users and sessions whose keys are here and whose rows are not: a thief took them (P2)."""
    return sum(
        len(stores.transcripts.read(lambda c, kind=kind, page=page: lost.without_row(c, kind, page)))  # type: ignore[misc]
        for kind in lost.ROWS
        for page in lost.keys_of(stores.keyring, kind)
    )
