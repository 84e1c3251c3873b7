"""The statements of the log: its entries, the hashes over many of them, and its head."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from vault.errors import TamperedError
from vault.storage.engine import chunks
from vault.storage.prepared import Prepared
from vault.storage.schema import log_entries, log_head, log_nodes

_ONE = 1  # the head's only row
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class HeadRow:
    """How far the log has come, under a seal."""

    size: int
    frontier: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as it is stored."""

    id: int
    act: bytes
    entry: str


_read_head = select(log_head.c.size, log_head.c.frontier, log_head.c.seal).where(log_head.c.id == _ONE)
_head, _locked_head = Prepared(_read_head), Prepared(_read_head.with_for_update())
_insert_entry = Prepared(insert(log_entries), columns=log_entries.columns.keys())
_insert_node = insert(log_nodes)
_move_head = Prepared(
    update(log_head)
    .where(log_head.c.id == _ONE)
    .values(size=bindparam("now"), frontier=bindparam("hashes"), seal=bindparam("sealed"))
)
_acts: BindParameter[Any] = bindparam("acts", expanding=True)
_by_acts = select(log_entries).where(log_entries.c.act.in_(_acts)).order_by(log_entries.c.id)
_first: BindParameter[Any] = bindparam("first")
_last: BindParameter[Any] = bindparam("last")
_entries = Prepared(
    select(log_entries).where(log_entries.c.id.between(_first, _last)).order_by(log_entries.c.id)
)
_nodes = (
    select(log_nodes.c.place, log_nodes.c.hash)
    .where(log_nodes.c.level == bindparam("at"), log_nodes.c.place.between(_first, _last))
    .order_by(log_nodes.c.place)
)


def begin_head(connection: Connection, head: HeadRow) -> None:
    """Begin the log of a new vault."""
    connection.execute(
        insert(log_head).values(id=_ONE, size=head.size, frontier=head.frontier, seal=head.seal)
    )


def read_head(connection: Connection, *, lock: bool = False) -> HeadRow:
    """Give the head; with `lock` no other transaction adds to the log before this one ends."""
    row = (_locked_head if lock else _head).one_or_none(connection)
    if row is None:
        raise TamperedError("the log of the keyring has lost its head")
    return HeadRow(*row)


def append(
    connection: Connection, rows: Sequence[EntryRow], nodes: Sequence[tuple[int, int, bytes]], head: HeadRow
) -> None:
    """Add entries, the hashes that became complete, and move the head. The caller has locked it."""
    entries = [{"id": row.id, "act": row.act, "entry": row.entry} for row in rows]
    try:
        _insert_entry.run_each(connection, entries)
        if nodes:
            complete = [{"level": level, "place": place, "hash": one} for level, place, one in nodes]
            connection.execute(_insert_node, complete)
    except IntegrityError:  # nobody else adds: they were there before, and the head did not know of them
        raise TamperedError("the log of the keyring was set back to an older state") from None
    _move_head.run(connection, now=head.size, hashes=head.frontier, sealed=head.seal)


def _row(row: Any) -> EntryRow:  # noqa: ANN401 (a row of the table)
    return EntryRow(row.id, bytes(row.act), row.entry)


def entries_between(connection: Connection, first: int, last: int) -> list[EntryRow]:
    """Give the entries from one index to another, both included."""
    return [EntryRow(*row) for row in _entries.rows(connection, first=first, last=last)]


def nodes_between(connection: Connection, level: int, first: int, last: int) -> dict[int, bytes]:
    """Give the hashes over many entries, by place."""
    found = connection.execute(_nodes, {"at": level, "first": first, "last": last})
    return {place: bytes(one) for place, one in found}


def entries_of(connection: Connection, acts: Collection[bytes]) -> Iterator[EntryRow]:
    """Give the entries of some acts, oldest first."""
    for part in chunks(acts):
        for row in connection.execute(_by_acts, {"acts": part}):
            yield _row(row)


def all_entries(connection: Connection) -> Iterator[EntryRow]:
    """Give every row that is there, in order, without holding all in memory."""
    query = select(log_entries).order_by(log_entries.c.id).execution_options(yield_per=_PAGE)
    with connection.execute(query) as rows:
        for row in rows:
            yield _row(row)


def all_nodes(connection: Connection) -> list[tuple[int, int, bytes]]:
    """Give every hash over many entries that is there."""
    query = select(log_nodes).order_by(log_nodes.c.level, log_nodes.c.place)
    return [(level, place, bytes(one)) for level, place, one in connection.execute(query)]
