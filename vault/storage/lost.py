"""Keys without rows, and rows without keys: what a backup and a restore have to account for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, Table, insert, select, update

from vault.crypto.tree import Kind, Node
from vault.storage import keyring as keyring_sql
from vault.storage.copying import add_batch
from vault.storage.engine import CHUNK, Store, chunks
from vault.storage.schema import State, nodes, sessions, users

ROWS = {Kind.USER: users, Kind.SESSION: sessions}  # parents first


def keys_of(keyring: Store, kind: Kind) -> Iterator[dict[bytes, Node]]:
    """Give all nodes of a kind, in pages."""
    page = select(nodes.c.id).where(nodes.c.kind == int(kind)).order_by(nodes.c.id).limit(CHUNK)
    after = b""

    def work(connection: Connection) -> dict[bytes, Node]:
        ids = [bytes(one) for one in connection.execute(page.where(nodes.c.id > after)).scalars()]
        return keyring_sql.nodes_by_id(connection, ids)

    while found := keyring.read(work):
        yield found
        after = max(found)


def session_nodes(transcripts: Store) -> Iterator[list[bytes]]:
    """Give the nodes of all live sessions, in pages."""
    page = (
        select(sessions.c.id, sessions.c.node)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.state == State.LIVE, users.c.state == State.LIVE)
        .order_by(sessions.c.id)
        .limit(CHUNK)
    )
    after = 0
    while found := transcripts.read(lambda c, after=after: c.execute(page.where(sessions.c.id > after)).all()):  # type: ignore[misc]
        yield [bytes(row.node) for row in found]
        after = found[-1].id


def without_row(connection: Connection, kind: Kind, ids: Collection[bytes]) -> list[bytes]:
    """Say which of some nodes have no row in the transcripts."""
    table = ROWS[kind]
    there = {
        bytes(node)
        for part in chunks(ids)
        for node in connection.execute(select(table.c.node).where(table.c.node.in_(part))).scalars()
    }
    return [node for node in ids if node not in there]


def copy_rows(source: Store, target: Store, kind: Kind, ids: Collection[bytes]) -> None:
    """Copy the rows of some users or sessions, as far as the source has them, without their messages."""
    table: Table = ROWS[kind]
    for part in chunks(ids):
        query = select(table).where(table.c.node.in_(part))
        rows = source.read(lambda c, query=query: [dict(row) for row in c.execute(query).mappings()])  # type: ignore[misc]
        if rows:
            target.write(lambda c, rows=rows: add_batch(c, table, rows))  # type: ignore[misc]


def add_lost_user(connection: Connection, index: bytes, node: bytes, name: bytes) -> None:
    """Note that a user came after these transcripts were taken."""
    row = {"slot": index, "node": node, "name": name, "state": int(State.LOST)}
    connection.execute(insert(users).values(row))


def add_lost_session(  # noqa: PLR0913 (the columns)
    connection: Connection, user_node: bytes, *, slot: bytes, node: bytes, name: bytes, profile: bytes
) -> None:
    """Note that a session began after these transcripts were taken."""
    user = connection.execute(select(users.c.id).where(users.c.node == user_node)).scalar_one()
    row = {
        "user_id": user,
        "slot": slot,
        "node": node,
        "name": name,
        "namespace": "",
        "profile": profile,
        "rev": 0,
        "state": int(State.LOST),
    }
    connection.execute(insert(sessions).values(row))


def revive_user(connection: Connection, node: bytes, name: bytes) -> None:
    """A lost user came again, by the true name."""
    here = users.c.node == node, users.c.state == State.LOST
    connection.execute(update(users).where(*here).values(name=name, state=int(State.LIVE)))


def revive_session(
    connection: Connection, node: bytes, *, name: bytes, namespace: str, profile: bytes
) -> None:
    """A lost session goes on, from its beginning."""
    here = sessions.c.node == node, sessions.c.state == State.LOST
    values = {"name": name, "namespace": namespace, "profile": profile, "state": int(State.LIVE)}
    connection.execute(update(sessions).where(*here).values(**values))
