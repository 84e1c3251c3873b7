"""The keyring's statements: its facts and its nodes. Keys arrive and leave wrapped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from vault.crypto.envelope import ID_BYTES
from vault.crypto.tree import LEAVES, TOPS, Kind, Node
from vault.errors import TamperedError
from vault.storage.engine import chunks, whole
from vault.storage.prepared import Prepared
from vault.storage.schema import Phase, erased, intents, keyring_meta, nodes

_ORDINAL_BYTES = 8
_FACTS = {"vault": ID_BYTES, "holder": ID_BYTES, "home": 32, "root": ID_BYTES + _ORDINAL_BYTES}


# -- meta and root ---------------------------------------------------------------------------------------


_read_meta = Prepared(select(keyring_meta))


def read_meta(connection: Connection) -> dict[str, bytes]:
    """Give all of the keyring's own facts."""
    return whole(dict(_read_meta.rows(connection)), _FACTS)


_insert_meta = Prepared(insert(keyring_meta), columns=keyring_meta.columns.keys())
_write_meta = Prepared(
    update(keyring_meta).where(keyring_meta.c.name == bindparam("fact")).values(value=bindparam("now"))
)


def write_meta(connection: Connection, name: str, value: bytes) -> None:
    """Set one fact."""
    changed = _write_meta.run(connection, fact=name, now=value)
    if not changed and name not in dict(_read_meta.rows(connection)):
        _insert_meta.run(connection, name=name, value=value)


def drop_meta(connection: Connection, name: str) -> None:
    """Take one fact away."""
    connection.execute(delete(keyring_meta).where(keyring_meta.c.name == name))


_lock_meta = Prepared(select(keyring_meta).with_for_update())


def lock_meta(connection: Connection) -> dict[str, bytes]:
    """Take the swap lock for this transaction; give the keyring's own facts."""
    return whole(dict(_lock_meta.rows(connection)), _FACTS)


def split_root(value: bytes) -> tuple[bytes, int]:
    """Read the fact `root`: a generation and its ordinal."""
    return value[:-_ORDINAL_BYTES], int.from_bytes(value[-_ORDINAL_BYTES:], "big")


def set_root(connection: Connection, generation: bytes, ordinal: int) -> None:
    """Point the keyring at a root generation. The caller holds the swap lock."""
    write_meta(connection, "root", generation + ordinal.to_bytes(_ORDINAL_BYTES, "big"))


# -- nodes -----------------------------------------------------------------------------------------------


_KINDS = {int(kind): kind for kind in Kind}


def _node(row: Sequence[Any]) -> Node:
    node_id, parent, number, version, slot, wrapped, *_ = row
    kind = _KINDS.get(number)
    if kind is None:
        raise TamperedError("the keyring holds a node of no known kind")
    return Node(node_id, parent, kind, version, slot, wrapped)


_root = select(keyring_meta.c.value).where(keyring_meta.c.name == "root").scalar_subquery()
_is_erased = (
    select(erased.c.node)
    .join(intents, intents.c.id == erased.c.intent)
    .where(erased.c.node == nodes.c.id, intents.c.phase >= int(Phase.CUT))
    .exists()
)
_by_slots = Prepared(
    select(nodes, _root.label("root"), _is_erased.label("is_erased")).where(
        nodes.c.slot.in_(bindparam("slots", expanding=True))
    ),
    many="slots",
)
_by_ids = Prepared(select(nodes).where(nodes.c.id.in_(bindparam("ids", expanding=True))), many="ids")
_by_parents = Prepared(
    select(nodes).where(nodes.c.parent.in_(bindparam("parents", expanding=True))), many="parents"
)


def nodes_at(connection: Connection, slots: Sequence[bytes]) -> dict[bytes, Node]:
    """Look up nodes by slot, all as of one moment; refuse those that a thief took from an older keyring."""
    found = {}
    for row in _by_slots.rows(connection, slots=slots):
        node = _node(row)
        *_, root, is_erased = row
        if is_erased:
            raise TamperedError("a key that was erased is back")
        if node.kind in TOPS and (root is None or node.parent != split_root(root)[0]):
            raise TamperedError("the keyring's tree hangs from another root than the keyring names")
        found[node.slot] = node
    return found


def nodes_at_all(connection: Connection, slots: Collection[bytes]) -> dict[bytes, Node]:
    """Look up many nodes by slot."""
    found: dict[bytes, Node] = {}
    for part in chunks(slots):
        found |= nodes_at(connection, part)
    return found


def nodes_by_id(connection: Connection, ids: Collection[bytes]) -> dict[bytes, Node]:
    """Look up nodes by id."""
    found = (row for part in chunks(ids) for row in _by_ids.rows(connection, ids=part))
    return {node.id: node for node in map(_node, found)}


def children_of(connection: Connection, parents: Collection[bytes]) -> dict[bytes, Node]:
    """Give all nodes directly below some parents."""
    found = (row for part in chunks(parents) for row in _by_parents.rows(connection, parents=part))
    return {node.id: node for node in map(_node, found)}


def ids_below(connection: Connection, parent: bytes, kind: Kind) -> set[bytes]:
    """Give the ids of all nodes of a kind directly below one."""
    query = select(nodes.c.id).where(nodes.c.parent == parent, nodes.c.kind == int(kind))
    return set(connection.execute(query).scalars())


_lock = Prepared(select(nodes.c.version).where(nodes.c.id == bindparam("node")).with_for_update())


def lock_version(connection: Connection, node: bytes) -> int | None:
    """Lock a node that gets a child, and give its version now; None where it is gone."""
    row = _lock.one_or_none(connection, node=node)
    return None if row is None else int(row.version)


_insert_node = Prepared(insert(nodes), columns=nodes.columns.keys())


def insert_nodes(connection: Connection, new: Sequence[Node]) -> None:
    """Add nodes. The caller has locked the one existing parent."""
    _insert_node.run_each(connection, [_values(node) for node in new])


def move_node(connection: Connection, node: Node, where: bytes) -> bool:
    """Store a node under another slot; False where it is not at its old one. Its parent is locked."""
    here = nodes.c.id == node.id, nodes.c.slot == where
    values = {"slot": node.slot, "wrapped": node.wrapped}
    return connection.execute(update(nodes).where(*here).values(**values)).rowcount == 1


def _values(node: Node) -> dict[str, object]:
    return {
        "id": node.id,
        "parent": node.parent,
        "kind": int(node.kind),
        "version": node.version,
        "slot": node.slot,
        "wrapped": node.wrapped,
    }


_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_start = select(nodes).where(nodes.c.id.in_(_ids)).cte("way", recursive=True)
_way = Prepared(select(_start.union(select(nodes).join(_start, nodes.c.id == _start.c.parent))), many="ids")
_lock_nodes = Prepared(
    select(nodes).where(nodes.c.id.in_(_ids)).order_by(nodes.c.id).with_for_update(), many="ids"
)


def family(
    connection: Connection, root: bytes, targets: Collection[bytes], ancestors: Collection[bytes] = ()
) -> dict[bytes, Node]:
    """Give the targets, their ancestors (locked), the children of those, and the tops: what `prune` takes.

    `root` is the generation that the tops hang from. `ancestors` are further ones, of targets that are gone
    already. The locks come before the children are read, so that no insert slips in between (READ COMMITTED).
    """
    rows = (row for part in chunks(targets) for row in _way.rows(connection, ids=part))
    found = {node.id: node for node in map(_node, rows)}
    above = sorted({node.parent for node in found.values()}.union(ancestors))
    locked: dict[bytes, Node] = {}
    if connection.dialect.name != "sqlite" or ancestors:  # there the transaction locks everything
        for part in chunks(above):
            locked |= {node.id: node for node in map(_node, _lock_nodes.rows(connection, ids=part))}
    children = children_of(connection, {root, *above})
    # A top that hangs from elsewhere would not be wrapped again, and lost with the old generation (P2).
    if {node.kind for node in children.values() if node.parent == root} != set(TOPS):
        raise TamperedError("the keyring's tree hangs from another root than the keyring names")
    return found | children | locked


_wrap = (
    update(nodes)
    .where(nodes.c.slot == bindparam("where"))
    .values(version=bindparam("next"), wrapped=bindparam("sealed"))
)
_re_wrap = Prepared(_wrap.where(nodes.c.parent == bindparam("above")))  # where it is found with its siblings
_hang = Prepared(_wrap.values(parent=bindparam("above")))


def update_nodes(connection: Connection, changed: Sequence[Node]) -> None:
    """Store re-keyed and re-wrapped nodes. Only tops get another parent: a new generation of the root."""
    tops = [node for node in changed if node.kind in TOPS]
    below = [node for node in changed if node.kind not in TOPS]
    _hang.run_each(connection, [_wrapping(node) for node in tops])
    if below:
        _re_wrap.run_each(connection, [_wrapping(node) for node in below])


def _wrapping(node: Node) -> dict[str, object]:
    return {"where": node.slot, "above": node.parent, "next": node.version, "sealed": node.wrapped}


_delete_nodes = Prepared(delete(nodes).where(nodes.c.id.in_(_ids)), many="ids")


def delete_subtrees(connection: Connection, targets: Collection[Node]) -> None:
    """Delete nodes and all below them.

    A level goes before the next is read: who inserts below it holds its lock, and is waited for.
    """
    level = list(targets)
    while level:
        for part in chunks([node.id for node in level]):
            _delete_nodes.run(connection, ids=part)
        parents = [node.id for node in level if node.kind not in LEAVES]
        level = list(children_of(connection, parents).values()) if parents else []


def count_nodes(connection: Connection) -> dict[Kind, int]:
    """Count nodes by kind."""
    query = select(nodes.c.kind, func.count()).group_by(nodes.c.kind)
    return {Kind(kind): count for kind, count in connection.execute(query)}
