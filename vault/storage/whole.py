"""The statements of a purge for chapters that go as a whole: many sessions at once, no message alone.

A session's revision is raised with every message that is removed, and nothing is added to an epoch that is
closed. So who knows how many messages a chapter had at a revision knows which, as long as both are the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, product
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    String,
    Update,
    and_,
    bindparam,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.types import TypeEngine

from vault.storage.engine import chunks
from vault.storage.prepared import Prepared
from vault.storage.schema import State, chapters, epochs, idempotency, messages, records, sessions

SumRow = tuple[int, int, int, str, int, int, int, int, int, int, int]
LedgerRow = tuple[int, int, bytes]

_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_epochs: BindParameter[Any] = bindparam("epochs", expanding=True)
_within: BindParameter[Any] = bindparam("chapters", expanding=True)


def plan_afresh(connection: Connection) -> None:
    """Let PostgreSQL plan each statement of this transaction for the lists that it is given.

    After a few times it would make one plan for lists of any length, and expects short ones: it then compares
    each message with each chapter.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


_odd = Prepared(
    union(
        select(chapters.c.session_id)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(
            chapters.c.session_id.in_(_ids),
            or_(chapters.c.node.is_not(None), chapters.c.state != State.LIVE, epochs.c.state == State.GONE),
        ),
        select(records.c.session_id).where(records.c.session_id.in_(_ids)),
    ),
    many="ids",
)


def odd(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Give the sessions that have more than open epochs with messages: records, keys of their own."""
    return {row.session_id for part in chunks(ids) for row in _odd.rows(connection, ids=part)}


# An epoch that is over, in a session: what goes as a whole, or not at all.
_chapters = and_(
    chapters.c.session_id.in_(_ids),
    chapters.c.epoch_id.in_(_epochs),
    chapters.c.node.is_(None),
    chapters.c.state == State.LIVE,
)
_sums: tuple[ColumnElement[Any], ...] = (
    func.count(messages.c.seq).label("messages"),
    func.coalesce(func.sum(func.length(messages.c.body)), 0).label("bytes"),
    func.min(messages.c.created_at).label("oldest"),
    func.max(messages.c.created_at).label("newest"),
    func.min(messages.c.seq).label("first"),
    func.max(messages.c.seq).label("last"),
    func.count(messages.c.originals_chapter_id).label("originals"),
)


_FEW = 8  # epochs


def _summed(*, by_role: bool, by_chapter: bool) -> Select[Any]:
    """Sum by chapter, which sorts nothing and walks the session for each; or walk a session once."""
    role: ColumnElement[Any] = messages.c.role if by_role else literal("").label("role")
    roles = (messages.c.role,) if by_role else ()
    here = messages.c.session_id == chapters.c.session_id, messages.c.chapter_id == chapters.c.id
    named = chapters.c.session_id, chapters.c.epoch_id, chapters.c.id
    if by_chapter:
        return (
            select(*named, role, *_sums)
            .outerjoin(messages, and_(*here))
            .where(_chapters)
            .group_by(chapters.c.session_id, chapters.c.epoch_id, *roles)
        )
    summed = (
        select(messages.c.session_id, messages.c.chapter_id, role, *_sums)
        .where(messages.c.session_id.in_(_ids))
        .group_by(messages.c.session_id, messages.c.chapter_id, *roles)
        .subquery()
    )
    there = summed.c.session_id == chapters.c.session_id, summed.c.chapter_id == chapters.c.id
    columns = (summed.c[one.name] for one in (role, *_sums))
    return select(*named, *columns).outerjoin(summed, and_(*there)).where(_chapters)


_SUMMED = {
    kind: Prepared(_summed(by_role=kind[0], by_chapter=kind[1]), many=("ids", "epochs"))
    for kind in product((False, True), repeat=2)
}


def sums(
    connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int], *, by_role: bool
) -> Iterator[SumRow]:
    """Sum up what some sessions have in some epochs, by session, epoch and, if that is asked for, role.

    session, epoch, chapter, role, messages, bytes, oldest, newest, first seq, last seq, with originals
    """
    # Servers sum by hashing; SQLite would sort.
    by_chapter = connection.dialect.name == "sqlite" and len(epoch_ids) <= _FEW
    query = _SUMMED[by_role, by_chapter]
    for part in chunks(ids):
        for some in chunks(epoch_ids):
            yield from query.rows(connection, ids=part, epochs=some)


_seqs = (
    select(messages.c.session_id, messages.c.seq)
    .where(
        messages.c.session_id.in_(_ids),
        messages.c.chapter_id.in_(select(chapters.c.id).where(_chapters)),
    )
    .order_by(messages.c.session_id, messages.c.seq)
)


def seqs(connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give session and seq of each message that some sessions have in some epochs."""
    for part in chunks(ids):
        for some in chunks(epoch_ids):
            for row in connection.execute(_seqs, {"ids": part, "epochs": some}):
                yield row[0], row[1]


_end = (
    messages.c.session_id,
    messages.c.seq,
    messages.c.chapter_id,
    messages.c.role,
    messages.c.created_at,
    messages.c.body,
)


def _ends_listed() -> Select[Any]:
    """PostgreSQL takes the lists as arrays."""
    lists = [bindparam(name, type_=ARRAY(BigInteger())) for name in ("ids", "seqs")]
    given = func.unnest(*lists).table_valued(column("ids", BigInteger()), column("seqs", BigInteger()))
    told = given.render_derived("given")
    return _at(told, told.c.ids, told.c.seqs)


def _ends_in_json() -> Select[Any]:
    """SQLite finds a row for each pair only where the pairs are a table."""
    told = func.json_each(bindparam("pairs", type_=String())).table_valued("value", name="given")
    return _at(told, *(func.json_extract(told.c.value, at, type_=BigInteger()) for at in ("$[0]", "$[1]")))


def _at(told: FromClause, session: ColumnElement[Any], seq: ColumnElement[Any]) -> Select[Any]:
    here = messages.c.session_id == session, messages.c.seq == seq
    return select(*_end).select_from(told).join(messages, and_(*here))


_ends_of = {"postgresql": Prepared(_ends_listed()), "sqlite": Prepared(_ends_in_json())}
_ends_else = select(*_end).where(
    tuple_(messages.c.session_id, messages.c.seq).in_(bindparam("pairs", expanding=True))
)


def ends(connection: Connection, at: Sequence[tuple[int, int]]) -> Sequence[Any]:
    """Give some messages, by session and seq."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        ids, seqs = map(list, zip(*at, strict=True))
        return _ends_of[dialect].rows(connection, ids=ids, seqs=seqs)
    if dialect == "sqlite":
        return _ends_of[dialect].rows(connection, pairs=json.dumps(at))
    return connection.execute(_ends_else, {"pairs": at}).all()


_revisions = Prepared(
    select(sessions.c.id, sessions.c.rev).where(sessions.c.id.in_(_ids), sessions.c.state == State.LIVE),
    many="ids",
)


def revisions(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Give the revisions of those of some sessions that nobody is erasing."""
    return {row.id: row.rev for part in chunks(ids) for row in _revisions.rows(connection, ids=part)}


def _write(here: ColumnElement[int], at: ColumnElement[int], sealed: ColumnElement[bytes]) -> Update:
    mine = sessions.c.id == here, sessions.c.rev == at, sessions.c.state == State.LIVE
    return update(sessions).where(*mine).values(profile=sealed, rev=at + 1)


def _write_at_once() -> Update:
    kinds: dict[str, TypeEngine[Any]] = {"ids": BigInteger(), "revs": Integer(), "sealed": LargeBinary()}
    lists = [bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items()]
    given = func.unnest(*lists).table_valued(*(column(name, kind) for name, kind in kinds.items()))
    told = given.render_derived("given")
    return _write(told.c.ids, told.c.revs, told.c.sealed)


_write_each = Prepared(
    _write(
        bindparam("session", type_=BigInteger()),
        bindparam("at", type_=Integer()),
        bindparam("sealed", type_=LargeBinary()),
    )
)
_write_all = Prepared(_write_at_once())
# One statement on SQLite too: after each, who has locked it needs Python for a moment, and may wait for it.
_WRITE_GIVEN = (
    "UPDATE sessions SET profile = given.column3, rev = given.column2 + 1 FROM (VALUES {}) AS given"
    " WHERE sessions.id = given.column1 AND sessions.rev = given.column2 AND sessions.state = 0"
)


def write_profiles(connection: Connection, written: Sequence[LedgerRow]) -> int:
    """Replace sessions' sealed profiles, which locks the sessions; count those of the given revisions.

    session, revision, sealed profile
    """
    if connection.dialect.name == "postgresql":
        ids, revs, sealed = map(list, zip(*written, strict=True))
        return _write_all.run(connection, ids=ids, revs=revs, sealed=sealed)
    if connection.dialect.name == "sqlite":
        given = ", ".join(["(?, ?, ?)"] * len(written))
        return connection.exec_driver_sql(_WRITE_GIVEN.format(given), tuple(chain(*written))).rowcount
    return _write_each.run_each(
        connection, [{"session": number, "at": rev, "sealed": sealed} for number, rev, sealed in written]
    )


_close = Prepared(update(chapters).where(_chapters).values(state=int(State.CLOSED)), many=("ids", "epochs"))


def close_chapters(connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int]) -> int:
    """Let the chapters of some sessions in some epochs take no more messages; count them."""
    return sum(
        _close.run(connection, ids=part, epochs=some) for part in chunks(ids) for some in chunks(epoch_ids)
    )


_delete = Prepared(
    delete(messages).where(messages.c.session_id.in_(_ids), messages.c.chapter_id.in_(_within)),
    many=("ids", "chapters"),
)


def delete_messages(connection: Connection, gone: Collection[tuple[int, int]]) -> int:
    """Delete all that is in some chapters, each given after its session; count the messages."""
    return sum(
        _delete.run(
            connection,
            ids=list(dict.fromkeys(session for session, _ in part)),
            chapters=[chapter for _, chapter in part],
        )
        for part in chunks(gone)
    )


_having_keys = Prepared(
    select(idempotency.c.session_id).where(idempotency.c.session_id.in_(_ids)).distinct(), many="ids"
)


def having_keys(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Give the sessions in which idempotency keys were used."""
    return {row.session_id for part in chunks(ids) for row in _having_keys.rows(connection, ids=part)}
