"""Keys without rows, and rows without keys: what a backup and a restore have to account for.

A nameless row stands for a user or a session that began after the transcripts were taken which are there now.
Its sealed name is the empty one, which no living user or session has and which nobody can seal without its
key, so that a thief's work is told apart (P2). Whoever comes again by the true name takes the row over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, Table, select, update

from vault.crypto.tree import Kind, Node
from vault.storage import keyring as keyring_sql
from vault.storage.copying import add_batch
from vault.storage.engine import CHUNK, Store, chunks
from vault.storage.schema import State, nodes, sessions, users
from vault.storage.transcripts import SessionRow, UserRow, add_session, find_user, is_used

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
    """Give the nodes of all live sessions that have messages or records, in pages."""
    page = (
        select(sessions.c.id, sessions.c.node)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.state == State.LIVE, users.c.state == State.LIVE)
        .where(is_used)
        .order_by(sessions.c.id)
        .limit(CHUNK)
    )
    after = 0

    def work(connection: Connection) -> list[tuple[int, bytes]]:
        return [(row.id, bytes(row.node)) for row in connection.execute(page.where(sessions.c.id > after))]

    while found := transcripts.read(work):
        yield [node for _, node in found]
        after = found[-1][0]


def without_row(connection: Connection, kind: Kind, ids: Collection[bytes]) -> list[bytes]:
    """Say which of some nodes have no row in the transcripts."""
    table = ROWS[kind]
    there = {
        bytes(node)
        for part in chunks(ids)
        for node in connection.execute(
            select(table.c.node).where(table.c.node.in_(part), table.c.id > 0)
        ).scalars()
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


def add_nameless_session(  # noqa: PLR0913 (the columns)
    connection: Connection, user_node: bytes, *, slot: bytes, node: bytes, name: bytes, profile: bytes
) -> bool:
    """Note that a session began after these transcripts were taken; False where its user's row is gone."""
    user = find_user(connection, user_node)
    if user is None:
        return False
    add_session(connection, user_id=user.id, slot=slot, node=node, name=name, namespace="", profile=profile)
    return True


def name_user(connection: Connection, nameless: UserRow, name: bytes) -> None:
    """A user came again, by the true name."""
    here = users.c.id == nameless.id, users.c.name == nameless.name
    connection.execute(update(users).where(*here).values(name=name))


def name_session(
    connection: Connection, nameless: SessionRow, *, name: bytes, namespace: str, profile: bytes
) -> None:
    """A session came again, by the true name: it goes on from its beginning."""
    here = sessions.c.id == nameless.id, sessions.c.name == nameless.name
    values = {"name": name, "namespace": namespace, "profile": profile}
    connection.execute(update(sessions).where(*here).values(**values))
