"""The statements of a purge for chapters that go as a whole: many sessions at once, no message alone.

A session's revision is raised with every message that is removed, and nothing is added to an epoch that is
closed. So who knows how many messages a chapter had at a revision knows which, as long as both are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    union,
    update,
)

from vault.storage.engine import chunks
from vault.storage.schema import State, chapters, epochs, idempotency, messages, records, sessions, users

SessionRow = tuple[int, int, bytes, bytes, str]
SumRow = tuple[int, int, str, int, int, int, int, int, int, int]

_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_epochs: BindParameter[Any] = bindparam("epochs", expanding=True)

_living = (
    select(sessions.c.id, sessions.c.rev, users.c.node, sessions.c.node, sessions.c.namespace)
    .join(users, users.c.id == sessions.c.user_id)
    .where(sessions.c.id.in_(_ids), sessions.c.state == State.LIVE, users.c.state == State.LIVE)
    .order_by(sessions.c.id)
)


def living(connection: Connection, ids: Sequence[int]) -> list[SessionRow]:
    """Give those of some sessions that nobody is erasing: id, revision, user's node, own node, namespace."""
    found = (row for part in chunks(ids) for row in connection.execute(_living, {"ids": part}).all())
    return [(row[0], row[1], row[2], row[3], row[4]) for row in found]


_odd = union(
    select(chapters.c.session_id)
    .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
    .where(
        chapters.c.session_id.in_(_ids),
        or_(chapters.c.node.is_not(None), chapters.c.state != State.LIVE, epochs.c.state == State.GONE),
    ),
    select(records.c.session_id).where(records.c.session_id.in_(_ids)),
)


def odd(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Give the sessions that have more than open epochs with messages: records, keys of their own."""
    return {session for part in chunks(ids) for session in connection.execute(_odd, {"ids": part}).scalars()}


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


def _summed(dialect: str, *, by_role: bool) -> Select[Any]:
    """SQLite walks the chapters' index and sums without sorting; servers sum first, by hashing."""
    role: ColumnElement[Any] = messages.c.role if by_role else literal("").label("role")
    roles = (messages.c.role,) if by_role else ()
    here = messages.c.session_id == chapters.c.session_id, messages.c.chapter_id == chapters.c.id
    if dialect == "sqlite":
        return (
            select(chapters.c.session_id, chapters.c.epoch_id, role, *_sums)
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
    return (
        select(chapters.c.session_id, chapters.c.epoch_id, *columns)
        .outerjoin(summed, and_(*there))
        .where(_chapters)
    )


_SUMMED: dict[tuple[str, bool], Select[Any]] = {}


def sums(
    connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int], *, by_role: bool
) -> Iterator[SumRow]:
    """Sum up what some sessions have in some epochs, by session, epoch and, if that is asked for, role.

    session, epoch, role, messages, bytes, oldest, newest, first seq, last seq, messages with originals
    """
    dialect = connection.dialect.name
    query = _SUMMED.get((dialect, by_role))
    if query is None:
        query = _SUMMED[dialect, by_role] = _summed(dialect, by_role=by_role)
    for part in chunks(ids):
        for some in chunks(epoch_ids):
            for row in connection.execute(query, {"ids": part, "epochs": some}).all():
                yield tuple(row)


_in_chapters = and_(
    messages.c.session_id.in_(_ids), messages.c.chapter_id.in_(select(chapters.c.id).where(_chapters))
)
_seqs = (
    select(messages.c.session_id, messages.c.seq)
    .where(_in_chapters)
    .order_by(messages.c.session_id, messages.c.seq)
)


def seqs(connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give session and seq of each message that some sessions have in some epochs."""
    for part in chunks(ids):
        for some in chunks(epoch_ids):
            for row in connection.execute(_seqs, {"ids": part, "epochs": some}):
                yield row[0], row[1]


_write_profile = (
    update(sessions)
    .where(
        sessions.c.id == bindparam("session"),
        sessions.c.rev == bindparam("at"),
        sessions.c.state == State.LIVE,
    )
    .values(profile=bindparam("sealed"), rev=bindparam("next"))
    .execution_options(preserve_rowcount=True)
)


def write_profiles(connection: Connection, written: Sequence[Mapping[str, object]]) -> int:
    """Replace sessions' sealed profiles, which locks the sessions; count those of the given revisions."""
    return connection.execute(_write_profile, list(written)).rowcount


_delete = delete(messages).where(_in_chapters)
_close = update(chapters).where(_chapters).values(state=int(State.CLOSED))


def delete_messages(connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int]) -> int:
    """Delete what some sessions have in some epochs; count the messages."""
    return sum(
        connection.execute(_delete, {"ids": part, "epochs": some}).rowcount
        for part in chunks(ids)
        for some in chunks(epoch_ids)
    )


def close_chapters(connection: Connection, ids: Sequence[int], epoch_ids: Sequence[int]) -> None:
    """Let the chapters of some sessions in some epochs take no more messages."""
    for part in chunks(ids):
        for some in chunks(epoch_ids):
            connection.execute(_close, {"ids": part, "epochs": some})


_having_keys = select(idempotency.c.session_id).where(idempotency.c.session_id.in_(_ids)).distinct()


def having_keys(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Give the sessions in which idempotency keys were used."""
    found = (connection.execute(_having_keys, {"ids": part}).scalars() for part in chunks(ids))
    return {session for part in found for session in part}
