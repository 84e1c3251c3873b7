"""The transcripts' statements: users, sessions, epochs, chapters, messages. All text arrives sealed.

The fence: whoever adds or reads messages names the random nodes of the session, the user and the chapter in
the very statement, and their states must be live. An erasure changes the states first, so every process
refuses at its next statement, without asking the keyring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from vault.crypto.envelope import ID_BYTES
from vault.crypto.tree import Opened
from vault.storage.engine import chunks, whole
from vault.storage.schema import (
    State,
    chapters,
    classes,
    epochs,
    idempotency,
    messages,
    sessions,
    transcripts_meta,
    users,
)

AnyRow = Row[*tuple[Any, ...]]

_FACTS = {"vault": ID_BYTES, "erased": 8}
BATCH = 1000  # rows that one transaction deletes


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user."""

    id: int
    slot: bytes
    node: bytes
    name: bytes
    state: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with its user, as one statement saw them."""

    id: int
    user_id: int
    user_slot: bytes
    user_node: bytes
    user_state: int
    slot: bytes
    node: bytes
    name: bytes
    namespace: str
    profile: bytes
    rev: int
    state: int


@dataclass(frozen=True, slots=True)
class ChapterRow:
    """A chapter with its epoch. `node` is its own key; without one it is derived from the epoch's."""

    id: int
    node: bytes | None
    state: int
    epoch_node: bytes | None
    epoch_state: int
    class_name: str
    anchor: int

    @property
    def place(self) -> bytes:
        """Give the node that the chapter's bodies are bound to."""
        return self.epoch_node or self.node or b""

    def lives_by(self, epoch: Opened | None) -> bool:
        """Say whether the epoch, as the keyring has it, still gives this chapter its key."""
        closed = self.state != State.LIVE or self.epoch_state != State.LIVE
        return not closed and epoch is not None and epoch.id == self.epoch_node


@dataclass(frozen=True, slots=True)
class EpochRow:
    """A class on a day."""

    id: int
    class_name: str
    anchor: int
    node: bytes
    state: int


@dataclass(frozen=True, slots=True)
class Activity:
    """What is stored of a session, without opening it."""

    id: int
    slot: bytes
    node: bytes
    name: bytes
    namespace: str
    profile: bytes
    rev: int
    state: int
    messages: int
    newest: int | None
    first_at: int | None
    last_at: int | None


# -- meta ------------------------------------------------------------------------------------------------


def read_meta(connection: Connection) -> dict[str, bytes]:
    """Give all of the transcripts' own facts."""
    found = {name: bytes(value) for name, value in connection.execute(select(transcripts_meta))}
    return whole(found, _FACTS)


def add_meta(connection: Connection, facts: Mapping[str, bytes]) -> None:
    """Set the facts of a new database."""
    connection.execute(insert(transcripts_meta), [{"name": name, "value": facts[name]} for name in facts])


def raise_mark(connection: Connection, ordinal: int) -> None:
    """Note that the rows of all erasures up to this ordinal are gone from here."""
    value = ordinal.to_bytes(8, "big")
    mark = transcripts_meta.c
    connection.execute(
        update(transcripts_meta).where(mark.name == "erased", mark.value < value).values(value=value)
    )


# -- users and sessions ----------------------------------------------------------------------------------


def add_user(connection: Connection, slot: bytes, node: bytes, name: bytes) -> int:
    """Add a user's row."""
    row = {"slot": slot, "node": node, "name": name, "state": int(State.LIVE)}
    return _new_id(connection.execute(insert(users).values(row)))


def add_session(  # noqa: PLR0913 (the columns)
    connection: Connection,
    *,
    user_id: int,
    slot: bytes,
    node: bytes,
    name: bytes,
    namespace: str,
    profile: bytes,
) -> int:
    """Add a session's row."""
    row = {
        "user_id": user_id,
        "slot": slot,
        "node": node,
        "name": name,
        "namespace": namespace,
        "profile": profile,
        "rev": 0,
        "state": int(State.LIVE),
    }
    return _new_id(connection.execute(insert(sessions).values(row)))


def _new_id(result: Any) -> int:  # noqa: ANN401 (CursorResult of any row)
    return int(result.inserted_primary_key[0])


_find_user = select(users).where(users.c.node == bindparam("node"))


def find_user(connection: Connection, node: bytes) -> UserRow | None:
    """Give a user's row."""
    row = connection.execute(_find_user, {"node": node}).one_or_none()
    return None if row is None else UserRow(**row._mapping)  # noqa: SLF001 (its public name)


_find_session = (
    select(
        sessions.c.id,
        sessions.c.user_id,
        users.c.slot.label("user_slot"),
        users.c.node.label("user_node"),
        users.c.state.label("user_state"),
        sessions.c.slot,
        sessions.c.node,
        sessions.c.name,
        sessions.c.namespace,
        sessions.c.profile,
        sessions.c.rev,
        sessions.c.state,
    )
    .join(users, users.c.id == sessions.c.user_id)
    .where(sessions.c.node == bindparam("node"))
)


def find_session(connection: Connection, node: bytes) -> SessionRow | None:
    """Give a session's row with its user's."""
    row = connection.execute(_find_session, {"node": node}).one_or_none()
    return None if row is None else SessionRow(**row._mapping)  # noqa: SLF001 (its public name)


def holds_messages_of(connection: Connection, *, user_slot: bytes = b"", session_slot: bytes = b"") -> bool:
    """Say whether messages lie here under an index whose key the keyring lacks."""
    where = users.c.slot == user_slot if user_slot else sessions.c.slot == session_slot
    query = (
        select(literal(1))
        .select_from(users)
        .join(sessions, sessions.c.user_id == users.c.id)
        .join(messages, messages.c.session_id == sessions.c.id)
        .where(where, users.c.state == State.LIVE, sessions.c.state == State.LIVE)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def users_after(connection: Connection, after: int, limit: int) -> list[UserRow]:
    """Give a page of users, those that are marked as gone too."""
    query = select(users).where(users.c.id > after).order_by(users.c.id).limit(limit)
    return [UserRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 (its public name)


def activity_of(connection: Connection, user_node: bytes) -> list[Activity]:
    """Give a user's sessions with their counts, in order of their beginning; those marked as gone too."""
    query = (
        select(
            sessions.c.id,
            sessions.c.slot,
            sessions.c.node,
            sessions.c.name,
            sessions.c.namespace,
            sessions.c.profile,
            sessions.c.rev,
            sessions.c.state,
            func.count(messages.c.seq),
            func.max(messages.c.seq),
            func.min(messages.c.created_at),
            func.max(messages.c.created_at),
        )
        .join(users, users.c.id == sessions.c.user_id)
        .outerjoin(messages, messages.c.session_id == sessions.c.id)
        .where(users.c.node == user_node)
        .group_by(sessions.c.id)
        .order_by(sessions.c.id)
    )
    return [Activity(*row) for row in connection.execute(query)]


def count_messages(connection: Connection, session_ids: Sequence[int]) -> int:
    """Count the messages of some sessions."""
    count = select(func.count()).select_from(messages)
    return sum(
        connection.execute(count.where(messages.c.session_id.in_(part))).scalar_one()
        for part in chunks(session_ids)
    )


# -- epochs and chapters ---------------------------------------------------------------------------------


def class_id(connection: Connection, name: str) -> int:
    """Give a class's row id, adding it when it is new."""
    query = select(classes.c.id).where(classes.c.name == name)
    found = connection.execute(query).scalar_one_or_none()
    if found is not None:
        return int(found)
    return _new_id(connection.execute(insert(classes).values(name=name)))


_epochs = select(
    epochs.c.id, classes.c.name.label("class_name"), epochs.c.anchor, epochs.c.node, epochs.c.state
).join(classes, classes.c.id == epochs.c.class_id)


def find_epoch(connection: Connection, node: bytes) -> EpochRow | None:
    """Give an epoch's row."""
    row = connection.execute(_epochs.where(epochs.c.node == node)).one_or_none()
    return None if row is None else EpochRow(*row)


def add_epoch(connection: Connection, class_name: str, anchor: int, node: bytes) -> int:
    """Add an epoch's row."""
    row = {
        "class_id": class_id(connection, class_name),
        "anchor": anchor,
        "node": node,
        "state": int(State.LIVE),
    }
    return _new_id(connection.execute(insert(epochs).values(row)))


_chapter_columns = (
    select(
        chapters.c.id,
        chapters.c.node,
        chapters.c.state,
        epochs.c.node.label("epoch_node"),
        func.coalesce(epochs.c.state, int(State.LIVE)).label("epoch_state"),
        func.coalesce(classes.c.name, "").label("class_name"),
        func.coalesce(epochs.c.anchor, 0).label("anchor"),
    )
    .select_from(chapters)
    .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
    .outerjoin(classes, classes.c.id == epochs.c.class_id)
    .where(chapters.c.session_id == bindparam("session"))
)


def chapters_of(connection: Connection, session: int) -> list[ChapterRow]:
    """Give all chapters of a session."""
    return [ChapterRow(*row) for row in connection.execute(_chapter_columns, {"session": session})]


def add_chapter(
    connection: Connection, session: int, *, epoch_id: int | None = None, node: bytes | None = None
) -> int:
    """Add a chapter: in an epoch, or with a key of its own."""
    row = {"session_id": session, "epoch_id": epoch_id, "node": node, "state": int(State.LIVE)}
    return _new_id(connection.execute(insert(chapters).values(row)))


def keep_chapter(connection: Connection, chapter: int, node: bytes) -> None:
    """Give a chapter its own key, so that it outlives its epoch. Its bodies stay bound to the epoch."""
    connection.execute(update(chapters).where(chapters.c.id == chapter).values(node=node))


# -- messages --------------------------------------------------------------------------------------------

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


# -- erasing ---------------------------------------------------------------------------------------------


_nodes: BindParameter[Any] = bindparam("nodes", expanding=True)
_close = [
    update(table).where(table.c.node.in_(_nodes)).values(state=int(State.GONE))
    for table in (users, sessions, epochs, chapters)
]
_below = [
    select(sessions.c.id).join(users, users.c.id == sessions.c.user_id).where(table.c.node.in_(_nodes))
    for table in (users, sessions)
]


def close_fence(connection: Connection, nodes: Sequence[bytes]) -> None:
    """Mark users, sessions, epochs and chapters as gone: from here every process refuses."""
    for part in chunks(nodes):
        for statement in _close:
            connection.execute(statement, {"nodes": part})


def sessions_below(connection: Connection, nodes: Sequence[bytes]) -> list[int]:
    """Give the sessions that go with some users' or sessions' nodes."""
    found = {
        session
        for part in chunks(nodes)
        for statement in _below
        for session in connection.execute(statement, {"nodes": part}).scalars()
    }
    return sorted(found)


def delete_batch(connection: Connection, session: int) -> bool:
    """Delete the oldest rows of a session; True while there are more."""
    mine = messages.c.session_id == session
    bound: Select[tuple[int]] = select(messages.c.seq).where(mine).order_by(messages.c.seq)
    last = connection.execute(bound.limit(1).offset(BATCH - 1)).scalar_one_or_none()
    if last is None:
        connection.execute(delete(messages).where(mine))
        return False
    connection.execute(delete(messages).where(mine, messages.c.seq <= last))
    return True


def delete_session(connection: Connection, session: int) -> None:
    """Delete an emptied session. IntegrityError: a late row slipped in; sweep again."""
    for table in (idempotency, chapters):
        connection.execute(delete(table).where(table.c.session_id == session))
    connection.execute(delete(sessions).where(sessions.c.id == session))


def withdraw(connection: Connection, nodes: Sequence[bytes]) -> None:
    """Take back rows whose keys another process planted first. They never had a message."""
    for table in (sessions, users):
        connection.execute(delete(table).where(table.c.node.in_(nodes)))


def delete_users(connection: Connection, nodes: Sequence[bytes]) -> None:
    """Delete emptied users."""
    for part in chunks(nodes):
        connection.execute(delete(users).where(users.c.node.in_(part)))


def count_all(connection: Connection) -> Iterator[tuple[str, int]]:
    """Count users, sessions and messages."""
    for table in (users, sessions, messages):
        yield table.name, connection.execute(select(func.count()).select_from(table)).scalar_one()
