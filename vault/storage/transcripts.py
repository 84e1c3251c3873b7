"""The statements of users, sessions, epochs and chapters. All text arrives sealed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from vault.crypto.envelope import ID_BYTES
from vault.crypto.tree import Opened
from vault.errors import TamperedError
from vault.storage.engine import whole
from vault.storage.prepared import Prepared
from vault.storage.schema import (
    State,
    chapters,
    classes,
    epochs,
    messages,
    records,
    sessions,
    transcripts_meta,
    users,
)

_FACTS = {"vault": ID_BYTES, "erased": 8}


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
    seal: bytes
    state: int
    epoch_node: bytes | None
    epoch_state: int
    class_name: str
    anchor: int | None

    @property
    def place(self) -> bytes:
        """Give the node that the chapter's bodies are bound to."""
        return self.epoch_node or self.node or b""

    def lives_by(self, epoch: Opened | None) -> bool:
        """Say whether the epoch, as the keyring has it, still gives this chapter its key."""
        gone = State.GONE in {self.state, self.epoch_state}
        return not gone and epoch is not None and epoch.id == self.epoch_node

    @property
    def takes_more(self) -> bool:
        """Say whether messages may be added."""
        return self.state == State.LIVE and (self.node is not None or self.epoch_state == State.LIVE)


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
    records: int

    @property
    def is_used(self) -> bool:
        """Say whether anything was ever written to it that is still there."""
        return self.messages > 0 or self.records > 0


# -- meta ------------------------------------------------------------------------------------------------


_read_meta = Prepared(select(transcripts_meta))
_add_meta = Prepared(insert(transcripts_meta), columns=transcripts_meta.columns.keys())


def read_meta(connection: Connection) -> dict[str, bytes]:
    """Give all of the transcripts' own facts."""
    return whole(dict(_read_meta.rows(connection)), _FACTS)


def add_meta(connection: Connection, facts: Mapping[str, bytes]) -> None:
    """Set the facts of a new database."""
    _add_meta.run_each(connection, [{"name": name, "value": facts[name]} for name in facts])


_raise_mark = Prepared(
    update(transcripts_meta)
    .where(transcripts_meta.c.name == "erased", transcripts_meta.c.value < bindparam("now"))
    .values(value=bindparam("now"))
)


def raise_mark(connection: Connection, ordinal: int) -> None:
    """Note that the rows of all erasures up to this ordinal are gone from here."""
    _raise_mark.run(connection, now=ordinal.to_bytes(8, "big"))


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


_find_user = Prepared(select(users).where(users.c.node == bindparam("user")))


def find_user(connection: Connection, node: bytes) -> UserRow | None:
    """Give a user's row."""
    row = _find_user.one_or_none(connection, user=node)
    return None if row is None else UserRow(**row._asdict())


_sessions = select(
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
).join(users, users.c.id == sessions.c.user_id)
_find_session = Prepared(_sessions.where(sessions.c.node == bindparam("session")))
_sessions_of = Prepared(_sessions.where(users.c.node == bindparam("user")).order_by(sessions.c.id))


def find_session(connection: Connection, node: bytes) -> SessionRow | None:
    """Give a session's row with its user's."""
    row = _find_session.one_or_none(connection, session=node)
    return None if row is None else SessionRow(**row._asdict())


def sessions_of(connection: Connection, user_node: bytes) -> list[SessionRow]:
    """Give all of a user's sessions, in the order of their beginning; those marked as gone or hidden too."""
    return [SessionRow(**row._asdict()) for row in _sessions_of.rows(connection, user=user_node)]


is_used = or_(*(exists().where(table.c.session_id == sessions.c.id) for table in (messages, records)))


_user_of_messages, _session_of_messages = (
    Prepared(
        select(holder.c.node)
        .select_from(users)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(holder.c.slot == bindparam("where"))
        .where(users.c.state == State.LIVE, sessions.c.state == State.LIVE, is_used)
        .limit(1)
    )
    for holder in (users, sessions)
)


def holder_of_messages(
    connection: Connection, *, user_slot: bytes = b"", session_slot: bytes = b""
) -> bytes | None:
    """Give the node of a user or a session whose messages or records lie here under some index."""
    query = _user_of_messages if user_slot else _session_of_messages
    row = query.one_or_none(connection, where=user_slot or session_slot)
    return None if row is None else bytes(row.node)


def users_after(connection: Connection, after: int, limit: int) -> list[UserRow]:
    """Give a page of users, those that are marked as gone too."""
    query = select(users).where(users.c.id > after).order_by(users.c.id).limit(limit)
    return [UserRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 (its public name)


def newest_user(connection: Connection) -> int:
    """Give the highest id of a user's row, or 0."""
    return connection.execute(select(func.max(users.c.id))).scalar_one() or 0


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
            select(func.count())
            .select_from(records)
            .where(records.c.session_id == sessions.c.id)
            .correlate(sessions)
            .scalar_subquery(),
        )
        .join(users, users.c.id == sessions.c.user_id)
        .outerjoin(messages, messages.c.session_id == sessions.c.id)
        .where(users.c.node == user_node)
        .group_by(sessions.c.id)
        .order_by(sessions.c.id)
    )
    return [Activity(*row) for row in connection.execute(query)]


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
).outerjoin(classes, classes.c.id == epochs.c.class_id)


def _epoch(row: Sequence[Any]) -> EpochRow:
    found = EpochRow(*row)
    if found.class_name is None:  # passed over, it would never be erased (P4)
        raise TamperedError("an epoch has lost its class")
    return found


_find_epoch = Prepared(_epochs.where(epochs.c.node == bindparam("epoch")))


def find_epoch(connection: Connection, node: bytes) -> EpochRow | None:
    """Give an epoch's row."""
    row = _find_epoch.one_or_none(connection, epoch=node)
    return None if row is None else _epoch(row)


def all_epochs(connection: Connection) -> list[EpochRow]:
    """Give every epoch: a class has one a day, or one an hour."""
    return [_epoch(row) for row in connection.execute(_epochs)]


def add_epoch(connection: Connection, class_name: str, anchor: int, node: bytes) -> int:
    """Add an epoch's row."""
    row = {
        "class_id": class_id(connection, class_name),
        "anchor": anchor,
        "node": node,
        "state": int(State.LIVE),
    }
    return _new_id(connection.execute(insert(epochs).values(row)))


_chapters = Prepared(
    select(
        chapters.c.id,
        chapters.c.node,
        chapters.c.seal,
        chapters.c.state,
        epochs.c.node.label("epoch_node"),
        func.coalesce(epochs.c.state, int(State.LIVE)).label("epoch_state"),
        func.coalesce(classes.c.name, "").label("class_name"),
        epochs.c.anchor,
    )
    .select_from(chapters)
    .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
    .outerjoin(classes, classes.c.id == func.coalesce(epochs.c.class_id, chapters.c.class_id))
    .where(chapters.c.session_id == bindparam("session"))
)


def chapters_of(connection: Connection, session: int) -> list[ChapterRow]:
    """Give all chapters of a session."""
    return [ChapterRow(*row) for row in _chapters.rows(connection, session=session)]


def add_chapter(  # noqa: PLR0913 (the columns)
    connection: Connection,
    session: int,
    *,
    seal: bytes,
    epoch_id: int | None = None,
    node: bytes | None = None,
    class_name: str = "",
) -> int:
    """Add a chapter: in an epoch, or with a key of its own."""
    row = {
        "session_id": session,
        "epoch_id": epoch_id,
        "class_id": class_id(connection, class_name) if class_name else None,
        "node": node,
        "seal": seal,
        "state": int(State.LIVE),
    }
    return _new_id(connection.execute(insert(chapters).values(row)))


def keep_chapter(connection: Connection, chapter: int, node: bytes) -> None:
    """Give a chapter its own key, so that it outlives its epoch. Its bodies stay bound to the epoch."""
    connection.execute(update(chapters).where(chapters.c.id == chapter).values(node=node))


def count_all(connection: Connection) -> Iterator[tuple[str, int]]:
    """Count users, sessions, messages and records."""
    for table in (users, sessions, messages, records):
        yield table.name, connection.execute(select(func.count()).select_from(table)).scalar_one()
