"""The keyring's statements: nodes, tombstones, intents. Keys arrive and leave wrapped."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, func, insert, select, update

from vault.crypto.envelope import ID_BYTES
from vault.crypto.tree import TOPS, Kind, Node
from vault.errors import TamperedError
from vault.storage.engine import chunks, whole
from vault.storage.schema import erased, intents, keyring_meta, nodes, tombstones

_ORDINAL_BYTES = 8
_FACTS = {"vault": ID_BYTES, "holder": ID_BYTES, "home": 32, "root": ID_BYTES + _ORDINAL_BYTES}


class Phase(enum.IntEnum):
    """How far an erasure has come. Each step can be repeated."""

    BEGUN = 0  # recorded; nothing is erased yet
    CUT = 1  # the keys are cut off
    SWEPT = 2  # the rows are deleted too
    FINAL = 3  # the last root generation that led to the keys is gone


@dataclass(frozen=True, slots=True)
class IntentRow:
    """An erasure as it is stored; `record` is JSON of the evidence package."""

    id: bytes
    kind: str
    phase: Phase
    ordinal: int | None
    slot: bytes
    record: str


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Somebody was here and was forgotten, until `enrolled_at` is set."""

    intent: bytes
    slot: bytes
    pseudonym: str
    erased_at: int
    enrolled_at: int | None
    seal: bytes


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


# -- tombstones ------------------------------------------------------------------------------------------


def add_tombstone(connection: Connection, stone: Tombstone) -> None:
    """Remember that somebody was forgotten."""
    connection.execute(
        insert(tombstones).values(
            intent=stone.intent,
            slot=stone.slot,
            pseudonym=stone.pseudonym,
            erased_at=stone.erased_at,
            enrolled_at=stone.enrolled_at,
            seal=stone.seal,
        )
    )


def tombstones_at(connection: Connection, slot: bytes) -> list[Tombstone]:
    """Give all tombstones of a slot, oldest first."""
    query = select(tombstones).where(tombstones.c.slot == slot).order_by(tombstones.c.id)
    return [
        Tombstone(
            bytes(row.intent),
            bytes(row.slot),
            row.pseudonym,
            row.erased_at,
            row.enrolled_at,
            bytes(row.seal),
        )
        for row in connection.execute(query)
    ]


def lift_tombstone(connection: Connection, intent: bytes, at: int, seal: bytes) -> None:
    """End a tombstone: its owner enrolled again."""
    connection.execute(
        update(tombstones).where(tombstones.c.intent == intent).values(enrolled_at=at, seal=seal)
    )


# -- intents ---------------------------------------------------------------------------------------------


_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_insert_intent = insert(intents)
_insert_erased = insert(erased)
_update_intent = (
    update(intents)
    .where(intents.c.id == bindparam("intent"), intents.c.phase <= bindparam("reached"))
    .values(phase=bindparam("reached"), ordinal=bindparam("at"), record=bindparam("told"))
)
_advance = (
    update(intents)
    .where(intents.c.id.in_(_ids), intents.c.phase == bindparam("before"))
    .values(phase=bindparam("after"))
)
_find_intents = select(intents).where(intents.c.id.in_(_ids))
_reached = select(intents).where(
    intents.c.phase < int(Phase.FINAL), intents.c.ordinal <= bindparam("ordinal")
)
_targets = select(erased.c.node).where(erased.c.intent.in_(_ids)).order_by(erased.c.node)
_oldest_unswept = select(func.count(), func.min(intents.c.ordinal), func.count(intents.c.ordinal)).where(
    intents.c.phase < int(Phase.SWEPT)
)


def add_intent(connection: Connection, row: IntentRow, targets: Sequence[bytes]) -> None:
    """Record an erasure before it happens, with the nodes that it takes."""
    values = {
        "id": row.id,
        "kind": row.kind,
        "phase": int(row.phase),
        "ordinal": row.ordinal,
        "slot": row.slot,
        "record": row.record,
    }
    connection.execute(_insert_intent, values)
    connection.execute(_insert_erased, [{"node": target, "intent": row.id} for target in targets])


def update_intent(connection: Connection, row: IntentRow) -> None:
    """Store how far an erasure has come; a phase never goes back."""
    connection.execute(
        _update_intent,
        {"intent": row.id, "reached": int(row.phase), "at": row.ordinal, "told": row.record},
    )


def _intent(row: Row[tuple[bytes, str, int, int | None, bytes, str]]) -> IntentRow:
    return IntentRow(bytes(row.id), row.kind, Phase(row.phase), row.ordinal, bytes(row.slot), row.record)


def advance(connection: Connection, ids: Sequence[bytes], before: Phase, after: Phase) -> None:
    """Move erasures from one phase to the next."""
    for part in chunks(ids):
        connection.execute(_advance, {"ids": part, "before": int(before), "after": int(after)})


def find_intents(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, IntentRow]:
    """Give some erasures; raise TamperedError where the record of one is gone."""
    found = {
        row.id: row
        for part in chunks(ids)
        for row in map(_intent, connection.execute(_find_intents, {"ids": part}))
    }
    if len(found) < len(set(ids)):
        raise TamperedError("the record of an erasure is gone from the keyring")
    return found


def knows_intent(connection: Connection, intent: bytes) -> bool:
    """Say whether an erasure is recorded here."""
    query = select(intents.c.id).where(intents.c.id == intent)
    return connection.execute(query).one_or_none() is not None


def intents_before(connection: Connection, phase: Phase) -> list[IntentRow]:
    """Give the erasures that have not come as far as `phase`, oldest first."""
    query = select(intents).where(intents.c.phase < int(phase)).order_by(intents.c.ordinal, intents.c.id)
    return list(map(_intent, connection.execute(query)))


def intents_reached(connection: Connection, ordinal: int) -> list[IntentRow]:
    """Give the erasures that no root generation before `ordinal` is needed to undo, and are not final yet."""
    return list(map(_intent, connection.execute(_reached, {"ordinal": ordinal})))


def all_intents(connection: Connection) -> list[IntentRow]:
    """Give every erasure there was, oldest first; those that are not cut yet come last."""
    query = select(intents).order_by(intents.c.ordinal.is_(None), intents.c.ordinal, intents.c.id)
    return list(map(_intent, connection.execute(query)))


def last_intent_at(connection: Connection, slot: bytes) -> IntentRow | None:
    """Give the latest erasure of whoever has this slot."""
    query = select(intents).where(intents.c.slot == slot)
    found = list(map(_intent, connection.execute(query)))
    unfinished = [row for row in found if row.ordinal is None]
    cut = sorted((row for row in found if row.ordinal is not None), key=lambda row: row.ordinal or 0)
    return next(iter([*unfinished, *reversed(cut)]), None)


def intent_of(connection: Connection, node: bytes) -> IntentRow | None:
    """Give the erasure that takes, or took, a node."""
    query = select(intents).join(erased, erased.c.intent == intents.c.id).where(erased.c.node == node)
    row = connection.execute(query).one_or_none()
    return None if row is None else _intent(row)


def targets_of(connection: Connection, ids: Sequence[bytes]) -> list[bytes]:
    """Give the nodes that some erasures take."""
    return [
        bytes(node) for part in chunks(ids) for node in connection.execute(_targets, {"ids": part}).scalars()
    ]


def progress(connection: Connection) -> tuple[bytes, frozenset[tuple[bytes, int]]]:
    """Give what every erasure changes: the root, and the erasures that have not come to their end."""
    open_ones = select(intents.c.id, intents.c.phase).where(intents.c.phase < int(Phase.SWEPT))
    waiting = frozenset((bytes(row.id), row.phase) for row in connection.execute(open_ones))
    return read_meta(connection)["root"], waiting


def erased_after(connection: Connection, ordinal: int) -> list[bytes]:
    """Give the nodes erased by swaps after the one with this ordinal."""
    query = (
        select(erased.c.node)
        .join(intents, erased.c.intent == intents.c.id)
        .where(intents.c.ordinal > ordinal)
        .order_by(erased.c.node)
    )
    return [bytes(node) for node in connection.execute(query).scalars()]


def swept_through(connection: Connection) -> int:
    """Give the highest ordinal up to which the rows of every erasure are deleted."""
    _, current = split_root(read_meta(connection)["root"])
    waiting, oldest, cut = connection.execute(_oldest_unswept).one()
    return current if waiting == 0 or cut == 0 else min(current, oldest - 1)
