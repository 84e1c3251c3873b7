"""The statements of erasures: their intents, what they take, the tombstones that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, insert, select, update

from vault.errors import TamperedError
from vault.storage.engine import chunks
from vault.storage.keyring import read_meta, split_root
from vault.storage.schema import Phase as Phase  # noqa: PLC0414 (passed on: `erasures.Phase`)
from vault.storage.schema import erased, intents, tombstones


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
