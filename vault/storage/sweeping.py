"""The statements of an erasure in the transcripts: close the fence, delete what is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Table,
    bindparam,
    delete,
    func,
    select,
    union_all,
    update,
)

from vault.storage.engine import chunks
from vault.storage.prepared import Prepared
from vault.storage.schema import (
    State,
    chapters,
    epochs,
    idempotency,
    messages,
    pointers,
    records,
    sessions,
    users,
)

BATCH = 1000  # rows that one transaction deletes

_nodes: BindParameter[Any] = bindparam("nodes", expanding=True)
_FENCED = (users, sessions, epochs, chapters)
_close = {
    table: Prepared(update(table).where(table.c.node.in_(_nodes)).values(state=int(State.GONE)), many="nodes")
    for table in _FENCED
}
_lock_users = Prepared(
    select(users.c.id).where(users.c.node.in_(_nodes)).order_by(users.c.id).with_for_update(), many="nodes"
)
_users: BindParameter[Any] = bindparam("users", expanding=True)
_close_below = Prepared(
    update(sessions)
    .where(sessions.c.user_id.in_(_users), sessions.c.state == int(State.LIVE))
    .values(state=int(State.GONE)),
    many="users",
)
_below = Prepared(
    union_all(
        *(
            select(sessions.c.id)
            .join(users, users.c.id == sessions.c.user_id)
            .where(table.c.node.in_(_nodes))
            for table in (users, sessions)
        )
    ),
    many="nodes",
)


def close_fence(connection: Connection, nodes: Sequence[bytes], tables: Sequence[Table] = _FENCED) -> None:
    """Mark users, sessions, epochs and chapters as gone: from here every process refuses.

    Whoever adds holds the session's row: where a user goes, their sessions are marked too, so that what is
    being added is waited for, and what saw the user a moment too early looks again. Sessions that are being
    made refer to the user's row, which is locked first. So what is counted next is all there will ever be.
    """
    for part in chunks(nodes):
        going = [row.id for row in _lock_users.rows(connection, nodes=part)] if users in tables else []
        for table in tables:
            _close[table].run(connection, nodes=part)
        for some in chunks(going):
            _close_below.run(connection, users=some)


def sessions_below(connection: Connection, nodes: Sequence[bytes]) -> list[int]:
    """Give the sessions that go with some users' or sessions' nodes."""
    found = {row.id for part in chunks(nodes) for row in _below.rows(connection, nodes=part)}
    return sorted(found)


def delete_batch(connection: Connection, session: int) -> bool:
    """Delete the oldest rows of a session; True while there are more."""
    for table, order in ((messages, messages.c.seq), (records, records.c.id)):
        mine = table.c.session_id == session
        bound: Select[tuple[int]] = select(order).where(mine).order_by(order)
        last = connection.execute(bound.limit(1).offset(BATCH - 1)).scalar_one_or_none()
        if last is not None:
            connection.execute(delete(table).where(mine, order <= last))
            return True
        connection.execute(delete(table).where(mine))
    return False


def delete_session(connection: Connection, session: int) -> None:
    """Delete an emptied session. IntegrityError: a late row slipped in; sweep again."""
    for table in (idempotency, pointers, chapters):
        connection.execute(delete(table).where(table.c.session_id == session))
    connection.execute(delete(sessions).where(sessions.c.id == session))


def withdraw(connection: Connection, nodes: Sequence[bytes]) -> None:
    """Take back rows whose keys another process planted first. They never had a message."""
    for table in (sessions, users):
        connection.execute(delete(table).where(table.c.node.in_(nodes)))


_delete_users = Prepared(delete(users).where(users.c.node.in_(_nodes)), many="nodes")


def delete_users(connection: Connection, nodes: Sequence[bytes]) -> None:
    """Delete emptied users."""
    for part in chunks(nodes):
        _delete_users.run(connection, nodes=part)


def count_messages(connection: Connection, session_ids: Sequence[int]) -> int:
    """Count the messages of some sessions."""
    count = select(func.count()).select_from(messages)
    return sum(
        connection.execute(count.where(messages.c.session_id.in_(part))).scalar_one()
        for part in chunks(session_ids)
    )
