"""The statements of erasures: their intents, what they take, the tombstones that they leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from vault.storage.engine import chunks
from vault.storage.keyring import read_meta, split_root
from vault.storage.prepared import Prepared
from vault.storage.schema import Phase as Phase  # noqa: PLC0414 (passed on: `erasures.Phase`)
from vault.storage.schema import erased, intents, keyring_meta, tombstones


@dataclass(frozen=True, slots=True)
class IntentRow:
    """An erasure as it is stored, with the nodes that it takes; `record` is JSON of the evidence package."""

    id: bytes
    kind: str
    phase: Phase
    ordinal: int | None
    slot: bytes
    record: str
    nodes: tuple[bytes, ...]
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Somebody was here and was forgotten, until `enrolled_at` is set."""

    intent: bytes
    slot: bytes
    pseudonym: str
    erased_at: int
    enrolled_at: int | None
    seal: bytes


_insert_stone = Prepared(insert(tombstones), columns=Tombstone.__dataclass_fields__)


def add_tombstone(connection: Connection, stone: Tombstone) -> None:
    """Remember that somebody was forgotten."""
    _insert_stone.run(connection, **asdict(stone))


_stones_at = Prepared(
    select(tombstones).where(tombstones.c.slot == bindparam("where")).order_by(tombstones.c.id)
)


def tombstones_at(connection: Connection, slot: bytes) -> list[Tombstone]:
    """Give all tombstones of a slot, oldest first."""
    return [Tombstone(*row[1:]) for row in _stones_at.rows(connection, where=slot)]


def lift_tombstone(connection: Connection, intent: bytes, at: int, seal: bytes) -> None:
    """End a tombstone: its owner enrolled again."""
    connection.execute(
        update(tombstones).where(tombstones.c.intent == intent).values(enrolled_at=at, seal=seal)
    )


_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_insert_intent = Prepared(insert(intents), columns=intents.columns.keys())
_insert_erased = Prepared(insert(erased), columns=erased.columns.keys())
_update_intent = Prepared(
    update(intents)
    .where(intents.c.id == bindparam("intent"), intents.c.phase <= bindparam("reached"))
    .values(
        phase=bindparam("reached"),
        ordinal=bindparam("at"),
        record=bindparam("told"),
        seal=bindparam("sealed"),
    )
)
_target = erased.alias("target")
_rows = select(intents, _target.c.node).outerjoin(_target, _target.c.intent == intents.c.id)
_find_intents = Prepared(_rows.where(intents.c.id.in_(_ids)), many="ids")
_reached = Prepared(_rows.where(intents.c.phase < int(Phase.FINAL), intents.c.ordinal <= bindparam("at")))
_intents_at = Prepared(_rows.where(intents.c.slot == bindparam("where")))
_in_order = _rows.order_by(intents.c.ordinal, intents.c.id)
_intents_before = Prepared(_in_order.where(intents.c.phase < bindparam("reached")))
_intents_after = Prepared(_in_order.where(intents.c.ordinal > bindparam("at")))
_intents_of = Prepared(
    _rows.join(erased, erased.c.intent == intents.c.id).where(erased.c.node == bindparam("target"))
)
_root = select(keyring_meta.c.value).where(keyring_meta.c.name == "root").scalar_subquery()
_oldest_unswept = Prepared(
    select(
        _root.label("root"),
        func.count().label("waiting"),
        func.min(intents.c.ordinal).label("oldest"),
        func.count(intents.c.ordinal).label("cut"),
    ).where(intents.c.phase < int(Phase.SWEPT))
)


def add_intent(connection: Connection, row: IntentRow) -> None:
    """Record an erasure before it happens, with the nodes that it takes."""
    _insert_intent.run(
        connection,
        id=row.id,
        kind=row.kind,
        phase=int(row.phase),
        ordinal=row.ordinal,
        slot=row.slot,
        record=row.record,
        seal=row.seal,
    )
    _insert_erased.run_each(connection, [{"node": node, "intent": row.id} for node in row.nodes])


def update_intents(connection: Connection, rows: Sequence[IntentRow]) -> None:
    """Store how far erasures have come; a phase never goes back."""
    values = [
        {
            "intent": row.id,
            "reached": int(row.phase),
            "at": row.ordinal,
            "told": row.record,
            "sealed": row.seal,
        }
        for row in rows
    ]
    if values:
        _update_intent.run_each(connection, values)


def _with_nodes(rows: Iterable[Any]) -> list[IntentRow]:
    """Give erasures with what they take; there is a row for each target."""
    found: dict[bytes, Any] = {}
    nodes: dict[bytes, list[bytes]] = defaultdict(list)
    for row in rows:
        found.setdefault(row.id, row)
        if row.node is not None:
            nodes[row.id].append(row.node)
    return [
        IntentRow(
            row.id,
            row.kind,
            Phase(row.phase),
            row.ordinal,
            row.slot,
            row.record,
            tuple(sorted(nodes[row.id])),
            row.seal,
        )
        for row in found.values()
    ]


def find_intents(connection: Connection, ids: Sequence[bytes]) -> list[IntentRow]:
    """Give those of some erasures that are recorded here."""
    return [row for part in chunks(ids) for row in _with_nodes(_find_intents.rows(connection, ids=part))]


def knows_intent(connection: Connection, intent: bytes) -> bool:
    """Say whether an erasure is recorded here."""
    query = select(intents.c.id).where(intents.c.id == intent)
    return connection.execute(query).one_or_none() is not None


def intents_before(connection: Connection, phase: Phase) -> list[IntentRow]:
    """Give the erasures that have not come as far as `phase`, oldest first."""
    return _with_nodes(_intents_before.rows(connection, reached=int(phase)))


def intents_reached(connection: Connection, ordinal: int) -> list[IntentRow]:
    """Give the erasures that no root generation before `ordinal` is needed to undo, and are not final yet."""
    return _with_nodes(_reached.rows(connection, at=ordinal))


def intents_after(connection: Connection, ordinal: int) -> list[IntentRow]:
    """Give the erasures by swaps after the one with this ordinal."""
    return _with_nodes(_intents_after.rows(connection, at=ordinal))


def all_intents(connection: Connection) -> list[IntentRow]:
    """Give every erasure there was, oldest first; those that are not cut yet come last."""
    query = _rows.order_by(intents.c.ordinal.is_(None), intents.c.ordinal, intents.c.id)
    return _with_nodes(connection.execute(query))


def intents_at(connection: Connection, slot: bytes) -> list[IntentRow]:
    """Give the erasures of whoever had this slot."""
    return _with_nodes(_intents_at.rows(connection, where=slot))


def intents_of(connection: Connection, node: bytes) -> list[IntentRow]:
    """Give the erasure that takes, or took, a node."""
    return _with_nodes(_intents_of.rows(connection, target=node))


def erased_among(connection: Connection, nodes: Sequence[bytes]) -> set[bytes]:
    """Give those of some nodes that an erasure takes, or took."""
    return {
        bytes(node)
        for part in chunks(nodes)
        for node in connection.execute(select(erased.c.node).where(erased.c.node.in_(part))).scalars()
    }


def has_lost_intents(connection: Connection) -> bool:
    """Say whether anything is left of an erasure whose record is gone."""
    return any(
        connection.execute(
            select(part.c.intent).where(part.c.intent.not_in(select(intents.c.id))).limit(1)
        ).first()
        for part in (erased, tombstones)
    )


def erased_after(connection: Connection, ordinal: int) -> list[bytes]:
    """Give the nodes erased by swaps after the one with this ordinal."""
    return sorted(node for row in intents_after(connection, ordinal) for node in row.nodes)


def progress(connection: Connection) -> tuple[bytes, frozenset[tuple[bytes, int]]]:
    """Give what every erasure changes: the root, and the erasures that have not come to their end."""
    open_ones = select(intents.c.id, intents.c.phase).where(intents.c.phase < int(Phase.SWEPT))
    waiting = frozenset((bytes(row.id), row.phase) for row in connection.execute(open_ones))
    return read_meta(connection)["root"], waiting


def swept_through(connection: Connection) -> int:
    """Give the highest ordinal up to which the rows of every erasure are deleted."""
    [(root, waiting, oldest, cut)] = _oldest_unswept.rows(connection)
    _, current = split_root(root)
    return current if waiting == 0 or cut == 0 else min(current, oldest - 1)
