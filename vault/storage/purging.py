"""The statements of a purge that change the transcripts: what is closed, what goes, which keys die."""

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
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from vault.storage.engine import chunks
from vault.storage.schema import State, chapters, epochs, idempotency, messages, records, sessions, users
from vault.storage.transcripts import EpochRow, all_epochs

_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_more: BindParameter[Any] = bindparam("more", expanding=True)


# -- what is closed --------------------------------------------------------------------------------------


def close_epochs(connection: Connection, ids: Sequence[int]) -> None:
    """Let epochs take no more messages. Who is adding a chapter to one is waited for."""
    for part in chunks(ids):
        connection.execute(
            select(epochs.c.id).where(epochs.c.id.in_(part)).order_by(epochs.c.id).with_for_update()
        ).all()
        connection.execute(
            update(epochs)
            .where(epochs.c.id.in_(part), epochs.c.state == State.LIVE)
            .values(state=int(State.CLOSED))
        )


def closed_epochs(connection: Connection) -> list[EpochRow]:
    """Give the epochs that are about to be erased."""
    return [one for one in all_epochs(connection) if one.state == State.CLOSED]


_closed = (
    select(chapters.c.session_id)
    .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
    .where(
        or_(
            and_(epochs.c.state == State.CLOSED, chapters.c.node.is_(None)),
            and_(chapters.c.node.is_not(None), chapters.c.state == State.CLOSED),
        )
    )
    .distinct()
)


def sessions_closing(connection: Connection) -> Iterator[int]:
    """Give the sessions that have a chapter whose key is about to be erased."""
    yield from connection.execute(_closed.execution_options(yield_per=1000)).scalars()


def close_chapters(connection: Connection, ids: Sequence[int]) -> None:
    """Let chapters take no more messages."""
    for part in chunks(ids):
        connection.execute(
            update(chapters)
            .where(chapters.c.id.in_(part), chapters.c.state == State.LIVE)
            .values(state=int(State.CLOSED))
        )


def keep_chapters(connection: Connection, kept: Mapping[int, bytes]) -> None:
    """Give chapters their own keys. Their bodies stay bound to the epoch."""
    values = [{"chapter": chapter, "own": node} for chapter, node in kept.items()]
    if values:
        connection.execute(
            update(chapters).where(chapters.c.id == bindparam("chapter")).values(node=bindparam("own")),
            values,
        )


# -- what goes -------------------------------------------------------------------------------------------

_delete_chapters = delete(messages).where(messages.c.session_id.in_(_ids), messages.c.chapter_id.in_(_more))
_delete_records = delete(records).where(records.c.session_id.in_(_ids), records.c.chapter_id.in_(_more))
_bare = (
    update(messages)
    .where(messages.c.session_id.in_(_ids), messages.c.originals_chapter_id.in_(_more))
    .values(originals=None, originals_chapter_id=None)
)


def delete_whole(connection: Connection, session_ids: Sequence[int], chapter_ids: Sequence[int]) -> int:
    """Delete all messages of some chapters of some sessions; count them."""
    return sum(
        connection.execute(_delete_chapters, {"ids": list(session_ids), "more": part}).rowcount
        for part in chunks(chapter_ids)
    )


def delete_whole_records(
    connection: Connection, session_ids: Sequence[int], chapter_ids: Sequence[int]
) -> None:
    """Delete all records of some chapters of some sessions. The app may have deleted some meanwhile."""
    for part in chunks(chapter_ids):
        connection.execute(_delete_records, {"ids": list(session_ids), "more": part})


def delete_seqs(connection: Connection, session: int, seqs: Sequence[int]) -> int:
    """Delete some messages of a session; count them."""
    mine = messages.c.session_id == session
    return sum(
        connection.execute(delete(messages).where(mine, messages.c.seq.in_(part))).rowcount
        for part in chunks(seqs)
    )


_forget_keys = delete(idempotency).where(
    idempotency.c.session_id == bindparam("session"),
    idempotency.c.seq.between(bindparam("first"), bindparam("last")),
)


def delete_keys(connection: Connection, ranges: Sequence[tuple[int, int, int]]) -> None:
    """Forget the idempotency keys of messages that go: (session, first seq, last seq)."""
    if ranges:
        values = [{"session": one, "first": first, "last": last} for one, first, last in ranges]
        connection.execute(_forget_keys, values)


def bare_whole(connection: Connection, session_ids: Sequence[int], chapter_ids: Sequence[int]) -> None:
    """Take away all originals that are in some chapters of some sessions."""
    for part in chunks(chapter_ids):
        connection.execute(_bare, {"ids": list(session_ids), "more": part})


def bare_seqs(connection: Connection, session: int, seqs: Sequence[int]) -> None:
    """Take the originals away from some messages of a session."""
    mine = messages.c.session_id == session
    for part in chunks(seqs):
        connection.execute(
            update(messages)
            .where(mine, messages.c.seq.in_(part))
            .values(originals=None, originals_chapter_id=None)
        )


_move_body = (
    update(messages)
    .where(messages.c.session_id == bindparam("session"), messages.c.seq == bindparam("at"))
    .values(body=bindparam("sealed"), chapter_id=bindparam("to"))
)
_move_originals = (
    update(messages)
    .where(messages.c.session_id == bindparam("session"), messages.c.seq == bindparam("at"))
    .values(originals=bindparam("sealed"), originals_chapter_id=bindparam("to"))
)


def move_bodies(connection: Connection, moved: Sequence[Mapping[str, object]]) -> None:
    """Put bodies, sealed anew, into other chapters."""
    if moved:
        connection.execute(_move_body, list(moved))


def move_originals(connection: Connection, moved: Sequence[Mapping[str, object]]) -> None:
    """Put originals, sealed anew, into other chapters."""
    if moved:
        connection.execute(_move_originals, list(moved))


_write_profile = (
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.rev == bindparam("at"))
    .values(profile=bindparam("sealed"), rev=bindparam("next"))
)


_move_record = (
    update(records)
    .where(records.c.id == bindparam("at"))
    .values(body=bindparam("sealed"), chapter_id=bindparam("to"))
)


def move_records(connection: Connection, moved: Sequence[Mapping[str, object]]) -> None:
    """Put records, sealed anew, into other chapters. Their revisions stay."""
    if moved:
        connection.execute(_move_record, list(moved))


def write_profiles(connection: Connection, written: Sequence[Mapping[str, object]]) -> None:
    """Replace sessions' sealed profiles. The caller has locked the sessions."""
    if written:
        connection.execute(_write_profile, list(written))


# -- which keys die --------------------------------------------------------------------------------------


def unready_epochs(connection: Connection) -> set[int]:
    """Give the closed epochs in which a chapter is left that nobody has looked at."""
    query = (
        select(chapters.c.epoch_id)
        .join(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(epochs.c.state == State.CLOSED, chapters.c.node.is_(None), chapters.c.state == State.LIVE)
        .distinct()
    )
    return set(connection.execute(query).scalars())


def _owners(*which: ColumnElement[bool]) -> Select[Any]:
    """Find those of some chapters whose session or user is not alive: a purge doesn't look at them."""
    alive = sessions.c.state.in_((State.LIVE, State.HIDDEN)), users.c.state == State.LIVE
    return (
        select(sessions.c.node, case((alive[0], 1), else_=0), users.c.node, case((alive[1], 1), else_=0))
        .select_from(chapters)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .outerjoin(sessions, sessions.c.id == chapters.c.session_id)
        .outerjoin(users, users.c.id == sessions.c.user_id)
        .where(*which, case((and_(*alive), 1), else_=0) == 0)
    )


_keeping = (
    _owners(epochs.c.state == State.CLOSED, chapters.c.node.is_(None), chapters.c.state == State.LIVE),
    _owners(chapters.c.node.is_not(None)),
)
_keyless = select(exists().where(chapters.c.epoch_id.is_(None), chapters.c.node.is_(None)))


def gone_that_keep(connection: Connection) -> set[bytes] | None:
    """Give the users and sessions, marked as gone, of which a chapter keeps a key alive that may be due.

    None where such a chapter has lost its session or its user, or where one has lost its own key.
    """
    if connection.execute(_keyless).scalar_one():
        return None
    found: set[bytes] = set()
    for session, session_lives, user, user_lives in (
        row for query in _keeping for row in connection.execute(query)
    ):
        if session is None or user is None:
            return None
        found |= ({session} if not session_lives else set()) | ({user} if not user_lives else set())
    return found


_first = select(func.min(chapters.c.epoch_id).label("epoch")).cte("named", recursive=True)
_named = _first.union_all(
    select(
        select(func.min(chapters.c.epoch_id)).where(chapters.c.epoch_id > _first.c.epoch).scalar_subquery()
    ).where(_first.c.epoch.is_not(None))
)


def epochs_named(connection: Connection) -> set[int]:
    """Give the epochs that chapters name: by the index, from each to the next, past all chapters between."""
    return {one for one in connection.execute(select(_named.c.epoch)).scalars() if one is not None}


def sessions_that_keep(connection: Connection) -> dict[bytes, bytes]:
    """Give the nodes of the sessions that keep a closed epoch's key alive, with those of their users."""
    query = (
        select(sessions.c.node, users.c.node)
        .join(chapters, chapters.c.session_id == sessions.c.id)
        .outerjoin(users, users.c.id == sessions.c.user_id)
        .join(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(epochs.c.state == State.CLOSED, chapters.c.node.is_(None), chapters.c.state == State.LIVE)
    )
    return {session: user or b"" for session, user in connection.execute(query)}


def chapters_closing(connection: Connection, states: Sequence[State]) -> list[tuple[int, int, bytes]]:
    """Give the emptied chapters that go with their epochs, of some states: each with session and place."""
    query = (
        select(chapters.c.id, chapters.c.session_id, epochs.c.node)
        .join(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(epochs.c.state.in_(states), chapters.c.node.is_(None), chapters.c.state == State.CLOSED)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _is_filled() -> ColumnElement[bool]:
    return or_(
        exists().where(
            messages.c.session_id == chapters.c.session_id,
            or_(messages.c.chapter_id == chapters.c.id, messages.c.originals_chapter_id == chapters.c.id),
        ),
        exists().where(records.c.session_id == chapters.c.session_id, records.c.chapter_id == chapters.c.id),
    )


def chapters_alone_to_erase(connection: Connection) -> list[tuple[bytes, bytes, int, int | None, bytes]]:
    """Give the closed chapters with keys of their own that hold no message and no record any more.

    Each with its place, session, epoch and session's node.
    """
    query = (
        select(
            chapters.c.node,
            func.coalesce(epochs.c.node, chapters.c.node),
            chapters.c.session_id,
            chapters.c.epoch_id,
            sessions.c.node,
        )
        .join(sessions, sessions.c.id == chapters.c.session_id)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(chapters.c.node.is_not(None), chapters.c.state == State.CLOSED, ~_is_filled())
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(query)]


def epochs_emptied(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Give those of some epochs whose chapters hold no message and no record."""
    empty = set(ids)
    for part in chunks(ids):
        filled = select(chapters.c.epoch_id).where(chapters.c.epoch_id.in_(part), _is_filled()).distinct()
        empty.difference_update(connection.execute(filled).scalars())
    return empty


def closing_of(connection: Connection, user: bytes, session: bytes | None) -> tuple[set[int], set[bytes]]:
    """Give the closed epochs, and own nodes of closed chapters, that hold or held something of somebody."""
    query = (
        select(chapters.c.epoch_id, chapters.c.node)
        .join(sessions, sessions.c.id == chapters.c.session_id)
        .join(users, users.c.id == sessions.c.user_id)
        .where(users.c.node == user, chapters.c.state == State.CLOSED)
    )
    if session is not None:
        query = query.where(sessions.c.node == session)
    found = connection.execute(query).all()
    return (
        {row.epoch_id for row in found if row.epoch_id is not None and row.node is None},
        {row.node for row in found if row.node is not None},
    )


def sweep_closed(connection: Connection, epoch_ids: Sequence[int], own: Sequence[bytes]) -> None:
    """Delete emptied chapters whose keys are gone.

    One with a key of its own may be full, where an older copy brought it back: it waits until that is taken.
    """
    for part in chunks(epoch_ids):
        connection.execute(
            delete(chapters).where(
                chapters.c.epoch_id.in_(part), chapters.c.node.is_(None), chapters.c.state != State.LIVE
            )
        )
    for nodes in chunks(own):
        gone = chapters.c.node.in_(nodes), chapters.c.state != State.LIVE
        connection.execute(delete(chapters).where(*gone, ~_is_filled()))


def sweep_epoch(connection: Connection, epoch: int) -> None:
    """Delete an epoch that is gone, once no chapter is left in it. IntegrityError: one is being added."""
    left = exists().where(chapters.c.epoch_id == epoch)
    connection.execute(delete(epochs).where(epochs.c.id == epoch, epochs.c.state == State.GONE, ~left))


def gone_alone(connection: Connection) -> list[bytes]:
    """Give the own nodes of chapters whose keys are erased, or are said to be."""
    alive = State.LIVE, State.CLOSED
    query = select(chapters.c.node).where(chapters.c.node.is_not(None), chapters.c.state.not_in(alive))
    return list(connection.execute(query).scalars())
