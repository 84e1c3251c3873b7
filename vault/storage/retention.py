"""The statements of a purge in the transcripts: what there is, what is closed, what goes."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from vault.storage.engine import chunks
from vault.storage.prepared import Prepared
from vault.storage.schema import State, chapters, classes, epochs, messages, records, sessions, users

_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_more: BindParameter[Any] = bindparam("more", expanding=True)


class SessionAt(msgspec.Struct, frozen=True, gc=False):
    """A session with its user, as far as a purge needs them: thousands, which the garbage collector skips."""

    id: int
    user_slot: bytes
    user_node: bytes
    user_name: bytes
    slot: bytes
    node: bytes
    name: bytes
    namespace: str
    profile: bytes
    rev: int
    state: int

    @property
    def is_remainder(self) -> bool:
        """Say whether it holds what a floor keeps of another session: no name leads to it."""
        return self.slot == self.node


@dataclass(frozen=True, slots=True)
class ChapterAt:
    """A chapter with its epoch, if it is in one."""

    id: int
    session: int
    epoch: int | None
    epoch_node: bytes | None
    epoch_state: int
    class_name: str
    anchor: int | None
    node: bytes | None
    state: int
    seal: bytes

    @property
    def place(self) -> bytes:
        """Give the node that the chapter's bodies are bound to."""
        return self.epoch_node or self.node or b""

    @property
    def depends(self) -> bool:
        """Say whether its key is derived from its epoch's, and goes with it."""
        return self.node is None


@dataclass(frozen=True, slots=True)
class Group:
    """Messages of one chapter that no rule tells apart: of one role, and of one day or hour.

    Or records, which have no seqs, and are counted for themselves.
    """

    session: int
    chapter: int
    originals_chapter: int | None
    role: str
    messages: int
    bytes: int
    originals_bytes: int
    oldest: int
    newest: int
    first: int
    last: int
    labels: tuple[tuple[str, str], ...] = ()
    records: int = 0

    @property
    def rows(self) -> int:
        """Count its rows, of either kind."""
        return self.messages + self.records


@dataclass(frozen=True, slots=True)
class RowAt:
    """One message, sealed."""

    session: int
    seq: int
    chapter: int
    role: str
    created_at: int
    body: bytes
    originals: bytes | None
    originals_chapter: int | None


@dataclass(frozen=True, slots=True)
class RecordAt:
    """One record, sealed."""

    id: int
    place: bytes
    key: bytes
    chapter: int
    role: str
    created_at: int
    body: bytes


# -- what there is ---------------------------------------------------------------------------------------


_in_epochs = select(chapters.c.session_id).where(chapters.c.epoch_id.in_(_ids)).distinct()


def sessions_in(connection: Connection, epoch_ids: Sequence[int]) -> Iterator[int]:
    """Give the sessions that have a chapter in some epochs; some of them twice."""
    for part in chunks(epoch_ids):
        yield from connection.execute(_in_epochs, {"ids": part}).scalars()


def epochs_back(connection: Connection, gone: Sequence[int]) -> set[int]:
    """Give those of some erased epochs from which chapters hang that have no key of their own by their rows.

    An older copy of the transcripts has brought them back.
    """
    query = select(chapters.c.epoch_id).where(chapters.c.epoch_id.in_(_ids), chapters.c.node.is_(None))
    return {
        epoch
        for part in chunks(gone)
        for epoch in connection.execute(query.distinct(), {"ids": part}).scalars()
    }


_said_last = (
    select(messages.c.created_at)
    .where(messages.c.session_id == chapters.c.session_id)
    .order_by(messages.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_said_first = (
    select(messages.c.created_at)
    .where(messages.c.session_id == chapters.c.session_id)
    .order_by(messages.c.seq)
    .limit(1)
    .scalar_subquery()
)
_put_first = (
    select(func.min(records.c.created_at))
    .where(records.c.session_id == chapters.c.session_id)
    .scalar_subquery()
)
_latest = func.coalesce(_said_last, _put_first)  # no later than what a rule may count from
_alone = (
    select(
        chapters.c.session_id,
        chapters.c.state,
        func.coalesce(classes.c.name, ""),
        _said_first,
        _put_first,
        _latest,
    )
    .outerjoin(classes, classes.c.id == chapters.c.class_id)
    .where(chapters.c.epoch_id.is_(None))
)


def sessions_alone(connection: Connection) -> Iterator[tuple[int, int, str, int | None, int | None]]:
    """Give the sessions that have a chapter without an epoch: state, class, first and last time."""
    for row in connection.execute(_alone.execution_options(yield_per=1000)):
        first = min((at for at in row[3:5] if at is not None), default=None)
        yield row[0], row[1], row[2], first, row[5]


def sessions_of_user(connection: Connection, user: bytes) -> list[int]:
    """Give the sessions of a user, by the user's node."""
    query = select(sessions.c.id).join(users, users.c.id == sessions.c.user_id).where(users.c.node == user)
    return sorted(connection.execute(query).scalars())


def owner_of_session(connection: Connection, node: bytes) -> tuple[int, bytes | None] | None:
    """Give the row of a session by its node, and the node of its user, where that has a row."""
    query = select(sessions.c.id, users.c.node).outerjoin(users, users.c.id == sessions.c.user_id)
    found = connection.execute(query.where(sessions.c.node == node)).one_or_none()
    return None if found is None else (found[0], found[1])


_sessions = (
    select(
        sessions.c.id,
        users.c.slot.label("user_slot"),
        users.c.node.label("user_node"),
        users.c.name.label("user_name"),
        sessions.c.slot,
        sessions.c.node,
        sessions.c.name,
        sessions.c.namespace,
        sessions.c.profile,
        sessions.c.rev,
        sessions.c.state,
    )
    .join(users, users.c.id == sessions.c.user_id)
    .where(sessions.c.id.in_(_ids), users.c.state == State.LIVE)
    .order_by(sessions.c.id)
)
_seen = sessions.c.state == State.LIVE
_kept = or_(_seen, sessions.c.state == State.HIDDEN)
_living = {
    (hidden, lock): Prepared(query.with_for_update(of=sessions) if lock else query, many="ids")
    for hidden, query in ((False, _sessions.where(_seen)), (True, _sessions.where(_kept)))
    for lock in (False, True)
}


def living_sessions(
    connection: Connection, ids: Sequence[int], *, lock: bool = False, hidden: bool = False
) -> dict[int, SessionAt]:
    """Give those of some sessions that nobody is erasing; locked, so that nothing is added to them.

    `hidden`: also those that the app sees no more, and a hold keeps.
    """
    query = _living[hidden, lock]
    found = (row for part in chunks(ids) for row in query.rows(connection, ids=part))
    return {row[0]: SessionAt(*row) for row in found}


_chapters: Select[Any] = (
    select(
        chapters.c.id,
        chapters.c.session_id,
        chapters.c.epoch_id,
        epochs.c.node,
        func.coalesce(epochs.c.state, int(State.LIVE)),
        func.coalesce(classes.c.name, ""),
        epochs.c.anchor,
        chapters.c.node,
        chapters.c.state,
        chapters.c.seal,
    )
    .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
    .outerjoin(classes, classes.c.id == func.coalesce(epochs.c.class_id, chapters.c.class_id))
    .where(chapters.c.session_id.in_(_ids))
)


def chapters_in(connection: Connection, ids: Sequence[int]) -> list[ChapterAt]:
    """Give all chapters of some sessions."""
    found = (row for part in chunks(ids) for row in connection.execute(_chapters, {"ids": part}).all())
    return [ChapterAt(*row) for row in found]


_row_columns = (
    messages.c.session_id,
    messages.c.seq,
    messages.c.chapter_id,
    messages.c.role,
    messages.c.created_at,
    messages.c.body,
    messages.c.originals,
    messages.c.originals_chapter_id,
)
_record_columns = (
    records.c.id,
    records.c.place,
    records.c.key,
    records.c.chapter_id,
    records.c.role,
    records.c.created_at,
    records.c.body,
)


def rows_in(
    connection: Connection, session: int, chapter_ids: Collection[int] | None = None
) -> Generator[RowAt]:
    """Give the messages of a session, in order, as they stream in; or those with a part in some chapters."""
    query = select(*_row_columns).where(messages.c.session_id == session).order_by(messages.c.seq)
    if chapter_ids is not None:
        inside = (messages.c.chapter_id, messages.c.originals_chapter_id)
        query = query.where(or_(*(one.in_(chapter_ids) for one in inside)))
    with connection.execute(query.execution_options(yield_per=100)) as rows:
        for row in rows:
            yield RowAt(*row)


def records_in(connection: Connection, session: int) -> Generator[RecordAt]:
    """Give the records of a session as they stream in."""
    query = select(*_record_columns).where(records.c.session_id == session).order_by(records.c.id)
    with connection.execute(query.execution_options(yield_per=20)) as rows:
        for row in rows:
            yield RecordAt(*row)


_seqs_at = (
    select(messages.c.session_id, func.min(messages.c.seq), messages.c.chapter_id)
    .where(messages.c.session_id.in_(_ids), messages.c.created_at.in_(_more))
    .group_by(messages.c.session_id, messages.c.chapter_id, messages.c.created_at)
)
_first_at = (
    select(func.min(records.c.id))
    .where(records.c.session_id.in_(_ids), records.c.created_at.in_(_more))
    .group_by(records.c.session_id, records.c.chapter_id, records.c.created_at)
)
_records_at = select(*_record_columns).where(records.c.id.in_(_first_at))


_last = (
    select(messages.c.session_id, func.max(messages.c.seq))
    .where(messages.c.session_id.in_(_ids))
    .group_by(messages.c.session_id)
)


def last_seqs(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Give the seq of the last message of each of some sessions that has one."""
    return {row[0]: row[1] for part in chunks(ids) for row in connection.execute(_last, {"ids": part})}


def seqs_at(connection: Connection, moments: Mapping[int, Collection[int]]) -> Iterator[tuple[int, int, int]]:
    """Give session, seq and chapter of the first message that each chapter has of some moments."""
    for row in _at(connection, _seqs_at, moments):
        yield row[0], row[1], row[2]


def records_at(connection: Connection, moments: Mapping[int, Collection[int]]) -> Iterator[RecordAt]:
    """Give a record that each chapter has of some moments, by session."""
    for row in _at(connection, _records_at, moments):
        yield RecordAt(*row)


def _at(connection: Connection, query: Select[Any], moments: Mapping[int, Collection[int]]) -> Iterator[Any]:
    for part in chunks(moments):
        for some in chunks({at for session in part for at in moments[session]}):
            yield from connection.execute(query, {"ids": part, "more": some})


def seqs_in(
    connection: Connection, session: int, chapter_ids: Sequence[int], limit: int, *, originals: bool = False
) -> list[int]:
    """Give the seqs of the first messages whose bodies, or originals, are in some chapters."""
    mine = messages.c.session_id == session
    chapter = messages.c.originals_chapter_id if originals else messages.c.chapter_id
    query = select(messages.c.seq).where(mine, chapter.in_(chapter_ids))
    return list(connection.execute(query.order_by(messages.c.seq).limit(limit)).scalars())


def record_ids_in(connection: Connection, session: int, chapter_ids: Sequence[int], limit: int) -> list[int]:
    """Give the ids of the first records that are in some chapters."""
    mine = records.c.session_id == session, records.c.chapter_id.in_(chapter_ids)
    return list(
        connection.execute(select(records.c.id).where(*mine).order_by(records.c.id).limit(limit)).scalars()
    )


def count_rest(connection: Connection, epoch_ids: Sequence[int], limit: int) -> int:
    """Count the messages and records in some epochs, up to a limit: a share needs no more."""
    counted = 0
    for table in (messages, records):
        for part in chunks(epoch_ids):
            if counted >= limit:
                return counted
            rows = (
                select(table.c.chapter_id)
                .join(
                    chapters,
                    and_(chapters.c.session_id == table.c.session_id, chapters.c.id == table.c.chapter_id),
                )
                .where(chapters.c.epoch_id.in_(part))
                .limit(limit - counted)
            )
            counted += connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
    return counted
