"""The statements of messages, behind the fence. Bodies arrive sealed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from vault.storage.engine import chunks
from vault.storage.fence import adding, is_open, reading, taking
from vault.storage.prepared import Prepared
from vault.storage.schema import State, idempotency, messages, sessions, users

AnyRow = Row[*tuple[Any, ...]]

_append = Prepared(
    adding(
        messages,
        seq="at_seq",
        role="the_role",
        created_at="at_time",
        body="the_body",
        originals="the_originals",
        originals_chapter_id="their_chapter",
    )
)


def append(connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
    """Add messages behind the fence; give how many got through. IntegrityError: another took the seq."""
    return _append.run(connection, **rows[0]) if len(rows) == 1 else _append.run_each(connection, rows)


_taking = Prepared(taking(bindparam("ids", expanding=True)), many="ids")


def takes_originals(connection: Connection, session: int, places: Mapping[int, bytes]) -> bool:
    """Say whether chapters, each with its place, take more originals: the fence asks for bodies only."""
    found = _taking.rows(connection, the_session=session, ids=list(places))
    return {row.id: row.place for row in found} == places


_every = messages.alias("every")
_newest = select(func.max(_every.c.seq)).where(_every.c.session_id == bindparam("the_session"))


_state: BindParameter[int] = bindparam("session_state")


def _reading(*bounds: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    """Say how messages are read behind the fence, within some bounds."""
    shown = messages.c.seq, messages.c.role, messages.c.created_at, messages.c.body, messages.c.chapter_id
    found = reading(*shown, chapter=messages.c.chapter_id, which=and_(*bounds), state=_state)
    return found.add_columns(_newest.scalar_subquery().label("newest"), sessions.c.rev)


_before = messages.c.seq < bindparam("before")
_read = _reading(_before)
_read_all = Prepared(_read.order_by(messages.c.seq))
_read_last = Prepared(_read.order_by(messages.c.seq.desc()).limit(bindparam("last")))
_read_on = (
    _reading(_before, messages.c.seq >= bindparam("first")).order_by(messages.c.seq).limit(bindparam("count"))
)
_sizes = (
    select(func.length(messages.c.body) + func.coalesce(func.length(messages.c.originals), 0))
    .where(messages.c.session_id == bindparam("the_session"), messages.c.seq >= bindparam("first"))
    .order_by(messages.c.seq)
    .limit(bindparam("count"))
)


def read(
    connection: Connection,
    fence: Mapping[str, object],
    before: int,
    last: int | None,
    state: State = State.LIVE,
) -> Sequence[AnyRow]:
    """Give messages in order. No row at all: the fence is closed. One row without a seq: no message."""
    values = {**fence, "before": before, "session_state": int(state)}
    if last is None:
        return _read_all.rows(connection, **values)
    return _read_last.rows(connection, **values, last=last)[::-1]


def read_on(
    connection: Connection,
    fence: Mapping[str, object],
    first: int,
    count: int,
    state: State = State.LIVE,
) -> Sequence[AnyRow]:
    """Give messages from `first` on, in order, as `read` does."""
    values = {**fence, "first": first, "before": ENDLESS, "count": count, "session_state": int(state)}
    return connection.execute(_read_on, values).all()


def sizes_from(connection: Connection, session: int, first: int, count: int) -> list[int]:
    """Give the sizes of the next messages, which the database knows without reading them."""
    values = {"the_session": session, "first": first, "count": count}
    return [int(size) for size in connection.execute(_sizes, values).scalars()]


ENDLESS = 2**62  # after every seq

_originals = reading(
    messages.c.seq,
    messages.c.role,
    messages.c.created_at,
    messages.c.originals,
    messages.c.originals_chapter_id.label("chapter"),
    chapter=messages.c.originals_chapter_id,
    which=and_(
        messages.c.seq.between(bindparam("first"), bindparam("last")),
        messages.c.originals_chapter_id.is_not(None),
    ),
    state=_state,
).order_by(messages.c.seq)


def read_originals(
    connection: Connection, fence: Mapping[str, object], first: int, last: int, state: State = State.LIVE
) -> Sequence[AnyRow]:
    """Give the sealed originals of the messages from `first` to `last`; nothing where the fence is closed."""
    values = {**fence, "first": first, "last": last, "session_state": int(state)}
    return connection.execute(_originals, values).all()


def lock_session(connection: Connection, session: int) -> int:
    """Let the writers that lost a race go one by one; give the seq after the last row."""
    connection.execute(
        select(sessions.c.id).where(sessions.c.id == session).with_for_update(key_share=True)
    ).all()
    return last_seq(connection, session) + 1


_last_seq = Prepared(
    select(func.max(messages.c.seq).label("seq")).where(messages.c.session_id == bindparam("session"))
)


def last_seq(connection: Connection, session: int) -> int:
    """Give the seq of the last row, or -1."""
    [(found,)] = _last_seq.rows(connection, session=session)
    return -1 if found is None else int(found)


_span = select(func.min(messages.c.created_at), func.max(messages.c.created_at)).where(
    messages.c.session_id == bindparam("session")
)


def count_of(connection: Connection, session: int) -> int:
    """Count a session's messages."""
    query = select(func.count()).select_from(messages).where(messages.c.session_id == session)
    return connection.execute(query).scalar_one()


def span_of(connection: Connection, session: int) -> tuple[int, int] | None:
    """Give the earliest and the latest time of a session's messages; None where it has none."""
    first, last = connection.execute(_span, {"session": session}).one()
    return None if first is None else (first, last)


def find_key(connection: Connection, session: int, key: bytes) -> tuple[int, bytes] | None:
    """Give the seq that an idempotency key was used for, and the seal of that."""
    query = select(idempotency.c.seq, idempotency.c.seal).where(
        idempotency.c.session_id == session, idempotency.c.key == key
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.seq, row.seal)


def find_keys(
    connection: Connection, session: int, keys: Collection[bytes]
) -> list[tuple[bytes, int, bytes]]:
    """Give those of many idempotency keys that were used, with their seqs and the seals of that."""
    found: list[tuple[bytes, int, bytes]] = []
    for some in chunks(keys):
        query = select(idempotency.c.key, idempotency.c.seq, idempotency.c.seal).where(
            idempotency.c.session_id == session, idempotency.c.key.in_(some)
        )
        found += [(row.key, row.seq, row.seal) for row in connection.execute(query)]
    return found


def add_keys(connection: Connection, session: int, keys: Sequence[tuple[bytes, int, bytes]]) -> None:
    """Remember idempotency keys. IntegrityError: another used one."""
    rows = [{"session_id": session, "key": key, "seq": seq, "seal": seal} for key, seq, seal in keys]
    connection.execute(insert(idempotency), rows)


def stamps(connection: Connection, session: int, first: int, last: int) -> dict[int, tuple[str, int]]:
    """Give role and time of the messages from `first` to `last`, by seq."""
    query = select(messages.c.seq, messages.c.role, messages.c.created_at).where(
        messages.c.session_id == session, messages.c.seq.between(first, last)
    )
    return {row.seq: (row.role, row.created_at) for row in connection.execute(query)}


def remove_messages(connection: Connection, session: int, seqs: Sequence[int]) -> int:
    """Delete rows by seq. The caller writes the ledger in the same transaction."""
    mine = messages.c.session_id == session
    return connection.execute(delete(messages).where(mine, messages.c.seq.in_(seqs))).rowcount


_rewrite = (
    update(messages)
    .where(
        messages.c.session_id == bindparam("the_session"),
        messages.c.seq == bindparam("at_seq"),
        exists().where(users.c.id == sessions.c.user_id, is_open()).correlate(messages),
    )
    .values(body=bindparam("the_body"))
)


def rewrite(connection: Connection, fence: Mapping[str, object], seq: int, body: bytes) -> bool:
    """Replace the body of one message behind the fence; False where it is gone."""
    return connection.execute(_rewrite, {**fence, "at_seq": seq, "the_body": body}).rowcount == 1


def write_profile(
    connection: Connection, session: int, profile: bytes, rev: int, state: State = State.LIVE
) -> bool:
    """Replace a session's sealed profile if its revision is still `rev`; False where another was first."""
    changed = connection.execute(
        update(sessions)
        .where(sessions.c.id == session, sessions.c.rev == rev, sessions.c.state == State.LIVE)
        .values(profile=profile, rev=rev + 1, state=int(state))
    )
    return changed.rowcount == 1
