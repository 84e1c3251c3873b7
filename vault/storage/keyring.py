"""The keyring's statements: its facts and its nodes. Keys arrive and leave wrapped."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from vault.crypto.envelope import ID_BYTES
from vault.crypto.tree import TOPS, Kind, Node
from vault.errors import TamperedError
from vault.storage.engine import chunks, whole
from vault.storage.schema import Phase, erased, intents, keyring_meta, nodes

_ORDINAL_BYTES = 8
_FACTS = {"vault": ID_BYTES, "holder": ID_BYTES, "home": 32, "root": ID_BYTES + _ORDINAL_BYTES}


# -- meta and root ---------------------------------------------------------------------------------------


def read_meta(connection: Connection) -> dict[str, bytes]:
    """Give all of the keyring's own facts."""
    found = {name: bytes(value) for name, value in connection.execute(select(keyring_meta))}
    return whole(found, _FACTS)


_write_meta = (
    update(keyring_meta).where(keyring_meta.c.name == bindparam("fact")).values(value=bindparam("now"))
)


def write_meta(connection: Connection, name: str, value: bytes) -> None:
    """Set one fact."""
    changed = connection.execute(_write_meta, {"fact": name, "now": value}).rowcount
    known = select(keyring_meta.c.name).where(keyring_meta.c.name == name)
    if not changed and connection.execute(known).one_or_none() is None:
        connection.execute(insert(keyring_meta).values(name=name, value=value))


_lock_root = select(keyring_meta.c.value).where(keyring_meta.c.name == "root").with_for_update()


def lock_root(connection: Connection) -> tuple[bytes, int]:
    """Take the swap lock for this transaction; give the generation and its ordinal."""
    value = connection.execute(_lock_root).scalar_one()
    return split_root(bytes(value))


def split_root(value: bytes) -> tuple[bytes, int]:
    """Read the fact `root`: a generation and its ordinal."""
    return value[:-_ORDINAL_BYTES], int.from_bytes(value[-_ORDINAL_BYTES:], "big")


def set_root(connection: Connection, generation: bytes, ordinal: int) -> None:
    """Point the keyring at a root generation. The caller holds the swap lock."""
    write_meta(connection, "root", generation + ordinal.to_bytes(_ORDINAL_BYTES, "big"))


# -- nodes -----------------------------------------------------------------------------------------------


def _node(row: Row[tuple[bytes, bytes, int, int, bytes, bytes]]) -> Node:
    try:
        kind = Kind(row.kind)
    except ValueError:
        raise TamperedError("the keyring holds a node of no known kind") from None
    return Node(bytes(row.id), bytes(row.parent), kind, row.version, bytes(row.slot), bytes(row.wrapped))


_root = select(keyring_meta.c.value).where(keyring_meta.c.name == "root").scalar_subquery()
_is_erased = (
    select(erased.c.node)
    .join(intents, intents.c.id == erased.c.intent)
    .where(erased.c.node == nodes.c.id, intents.c.phase >= int(Phase.CUT))
    .exists()
)
_by_slots = select(nodes, _root.label("root"), _is_erased.label("is_erased")).where(
    nodes.c.slot.in_(bindparam("slots", expanding=True))
)
_by_ids = select(nodes).where(nodes.c.id.in_(bindparam("ids", expanding=True)))
_by_parents = select(nodes).where(nodes.c.parent.in_(bindparam("parents", expanding=True)))


def nodes_at(connection: Connection, slots: Sequence[bytes]) -> dict[bytes, Node]:
    """Look up nodes by slot, all as of one moment; refuse those that a thief took from an older keyring."""
    found = {}
    for row in connection.execute(_by_slots, {"slots": slots}):
        node = _node(row)
        if row.is_erased:
            raise TamperedError("a key that was erased is back")
        if node.kind in TOPS and (row.root is None or node.parent != split_root(row.root)[0]):
            raise TamperedError("the keyring's tree hangs from another root than the keyring names")
        found[node.slot] = node
    return found


def nodes_by_id(connection: Connection, ids: Collection[bytes]) -> dict[bytes, Node]:
    """Look up nodes by id."""
    found = (row for part in chunks(ids) for row in connection.execute(_by_ids, {"ids": part}))
    return {node.id: node for node in map(_node, found)}


def children_of(connection: Connection, parents: Collection[bytes]) -> dict[bytes, Node]:
    """Give all nodes directly below some parents."""
    found = (row for part in chunks(parents) for row in connection.execute(_by_parents, {"parents": part}))
    return {node.id: node for node in map(_node, found)}


def ids_below(connection: Connection, parent: bytes, kind: Kind) -> set[bytes]:
    """Give the ids of all nodes of a kind directly below one."""
    query = select(nodes.c.id).where(nodes.c.parent == parent, nodes.c.kind == int(kind))
    return set(connection.execute(query).scalars())


_lock = select(nodes.c.version).where(nodes.c.id == bindparam("node")).with_for_update()


def lock_version(connection: Connection, node: bytes) -> int | None:
    """Lock a node that gets a child, and give its version now; None where it is gone."""
    return connection.execute(_lock, {"node": node}).scalar_one_or_none()


_insert_node = insert(nodes)


def insert_nodes(connection: Connection, new: Sequence[Node]) -> None:
    """Add nodes. The caller has locked the one existing parent."""
    connection.execute(_insert_node, [_values(node) for node in new])


def _values(node: Node) -> dict[str, object]:
    return {
        "id": node.id,
        "parent": node.parent,
        "kind": int(node.kind),
        "version": node.version,
        "slot": node.slot,
        "wrapped": node.wrapped,
    }


def family(
    connection: Connection, targets: Collection[bytes], ancestors: Collection[bytes] = ()
) -> dict[bytes, Node]:
    """Give the targets, their ancestors (locked), the children of those, and the tops: what `prune` takes.

    `ancestors` are further ones, of targets that are gone already. The locks come before the children are
    read, so that no insert slips in between (READ COMMITTED).
    """
    found = nodes_by_id(connection, targets)
    above = sorted(_ancestors(connection, targets) | set(ancestors))
    locked: dict[bytes, Node] = {}
    for part in chunks(above):
        query = select(nodes).where(nodes.c.id.in_(part)).order_by(nodes.c.id).with_for_update()
        locked |= {node.id: node for node in map(_node, connection.execute(query))}
    tops = nodes_at(connection, [bytes([kind]) for kind in TOPS])
    children = children_of(connection, above)
    return {node.id: node for node in tops.values()} | found | children | locked


def _ancestors(connection: Connection, targets: Collection[bytes]) -> set[bytes]:
    """Give the ids above some nodes; the last ones of a way are those of the root's generations."""
    above: set[bytes] = set()
    for part in chunks(targets):
        way = select(nodes.c.parent).where(nodes.c.id.in_(part)).cte("way", recursive=True)
        way = way.union(select(nodes.c.parent).join(way, nodes.c.id == way.c.parent))
        above |= {bytes(parent) for parent in connection.execute(select(way.c.parent)).scalars()}
    return above


_update_node = (
    update(nodes)
    .where(nodes.c.id == bindparam("node"))
    .values(parent=bindparam("above"), version=bindparam("next"), wrapped=bindparam("sealed"))
)


def update_nodes(connection: Connection, changed: Sequence[Node]) -> None:
    """Store re-keyed and re-wrapped nodes."""
    connection.execute(
        _update_node,
        [
            {"node": node.id, "above": node.parent, "next": node.version, "sealed": node.wrapped}
            for node in changed
        ],
    )


def delete_subtrees(connection: Connection, targets: Collection[bytes]) -> None:
    """Delete nodes and all below them.

    A level goes before the next is read: who inserts below it holds its lock, and is waited for.
    """
    level = set(targets)
    while level:
        for part in chunks(level):
            connection.execute(delete(nodes).where(nodes.c.id.in_(part)))
        level = set(children_of(connection, level))


def count_nodes(connection: Connection) -> dict[Kind, int]:
    """Count nodes by kind."""
    query = select(nodes.c.kind, func.count()).group_by(nodes.c.kind)
    return {Kind(kind): count for kind, count in connection.execute(query)}
