"""The statements of messages, behind the fence. Bodies arrive sealed.

The fence: whoever adds or reads messages names the random nodes of the session, the user and the chapter in
the very statement, and their states must be live. An erasure changes the states first, so every process
refuses at its next statement, without asking the keyring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from vault.storage.schema import State, chapters, epochs, idempotency, messages, sessions, users

AnyRow = Row[*tuple[Any, ...]]

# A chapter is alive when it has a key of its own, or when its epoch lives.
_chapter_lives = and_(
    chapters.c.state == State.LIVE,
    or_(chapters.c.node.is_not(None), epochs.c.state == State.LIVE),
)
_place = func.coalesce(epochs.c.node, chapters.c.node)

_append = (
    insert(messages)
    .from_select(
        ["session_id", "seq", "chapter_id", "role", "created_at", "body"],
        select(
            sessions.c.id,
            bindparam("at_seq", type_=messages.c.seq.type),
            chapters.c.id,
            bindparam("the_role", type_=messages.c.role.type),
            bindparam("at_time", type_=messages.c.created_at.type),
            bindparam("the_body", type_=messages.c.body.type),
        )
        .select_from(sessions)
        .join(users, users.c.id == sessions.c.user_id)
        .join(chapters, chapters.c.session_id == sessions.c.id)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(
            sessions.c.id == bindparam("the_session"),
            sessions.c.node == bindparam("session_node"),
            sessions.c.state == State.LIVE,
            sessions.c.rev == bindparam("at_rev"),
            users.c.node == bindparam("user_node"),
            users.c.state == State.LIVE,
            chapters.c.id == bindparam("the_chapter"),
            _chapter_lives,
            _place == bindparam("place"),
        ),
        include_defaults=False,
    )
    .execution_options(preserve_rowcount=True)
)


def append(connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
    """Add messages behind the fence; give how many got through. IntegrityError: another took the seq."""
    return connection.execute(_append, rows[0] if len(rows) == 1 else rows).rowcount


_every = messages.alias("every")
_newest = select(func.max(_every.c.seq)).where(_every.c.session_id == bindparam("the_session"))

_read = (
    select(
        messages.c.seq,
        messages.c.role,
        messages.c.created_at,
        messages.c.body,
        messages.c.chapter_id,
        _place.label("place"),
        case((_chapter_lives, 1), else_=0).label("alive"),
        _newest.scalar_subquery().label("newest"),
        sessions.c.rev,
    )
    .select_from(sessions)
    .join(users, users.c.id == sessions.c.user_id)
    .outerjoin(
        messages,
        and_(messages.c.session_id == sessions.c.id, messages.c.seq < bindparam("before")),
    )
    .outerjoin(chapters, and_(chapters.c.id == messages.c.chapter_id, chapters.c.session_id == sessions.c.id))
    .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
    .where(
        sessions.c.id == bindparam("the_session"),
        sessions.c.node == bindparam("session_node"),
        sessions.c.state == State.LIVE,
        users.c.node == bindparam("user_node"),
        users.c.state == State.LIVE,
    )
)
_read_all = _read.order_by(messages.c.seq)
_read_last = _read.order_by(messages.c.seq.desc()).limit(bindparam("last"))


def read(
    connection: Connection, fence: Mapping[str, object], before: int, last: int | None
) -> Sequence[AnyRow]:
    """Give messages in order. No row at all: the fence is closed. One row without a seq: no message."""
    values = {**fence, "before": before}
    if last is None:
        return connection.execute(_read_all, values).all()
    return connection.execute(_read_last, {**values, "last": last}).all()[::-1]


def lock_session(connection: Connection, session: int) -> int:
    """Let the writers that lost a race go one by one; give the seq after the last row."""
    connection.execute(
        select(sessions.c.id).where(sessions.c.id == session).with_for_update(key_share=True)
    ).all()
    return last_seq(connection, session) + 1


_last_seq = select(func.max(messages.c.seq)).where(messages.c.session_id == bindparam("session"))


def last_seq(connection: Connection, session: int) -> int:
    """Give the seq of the last row, or -1."""
    found = connection.execute(_last_seq, {"session": session}).scalar_one()
    return -1 if found is None else found


def find_key(connection: Connection, session: int, key: bytes) -> tuple[int, bytes] | None:
    """Give the seq that an idempotency key was used for, and the seal of that."""
    query = select(idempotency.c.seq, idempotency.c.seal).where(
        idempotency.c.session_id == session, idempotency.c.key == key
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.seq, row.seal)


def add_key(connection: Connection, session: int, key: bytes, seq: int, seal: bytes) -> None:
    """Remember an idempotency key. IntegrityError: another used it."""
    connection.execute(insert(idempotency).values(session_id=session, key=key, seq=seq, seal=seal))


def remove_messages(connection: Connection, session: int, seqs: Sequence[int]) -> int:
    """Delete rows by seq. The caller writes the ledger in the same transaction."""
    mine = messages.c.session_id == session
    return connection.execute(delete(messages).where(mine, messages.c.seq.in_(seqs))).rowcount


def write_profile(connection: Connection, session: int, profile: bytes, rev: int) -> bool:
    """Replace a session's sealed profile if its revision is still `rev`; False where another was first."""
    changed = connection.execute(
        update(sessions)
        .where(sessions.c.id == session, sessions.c.rev == rev, sessions.c.state == State.LIVE)
        .values(profile=profile, rev=rev + 1)
    )
    return changed.rowcount == 1
