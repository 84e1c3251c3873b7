"""The fence: what every statement that adds or reads a session's content has to get through.

Whoever does so names the random nodes of the session, the user and the chapter in the very statement, and
their states must be live. An erasure changes the states first, so every process refuses at its next
statement, without asking the keyring. Whoever adds shares a lock on the session's row: without it the
statement could wait for a row that is just being removed, and then take its seq by a ledger of before
(reproduced on PostgreSQL and MariaDB).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Insert,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
)

from vault.storage.schema import State, chapters, epochs, sessions, users

# A chapter takes more while it has a key of its own, or its epoch lives; a closed one is still read.
_takes_more = and_(
    chapters.c.state == State.LIVE,
    or_(chapters.c.node.is_not(None), epochs.c.state == State.LIVE),
)
_lives = and_(
    chapters.c.state != State.GONE,
    or_(chapters.c.node.is_not(None), epochs.c.state != State.GONE),
)
_place = func.coalesce(epochs.c.node, chapters.c.node)


def is_open(state: State | BindParameter[int] = State.LIVE) -> ColumnElement[bool]:
    """Say that session and user are those that are named, and in a state that lets through."""
    return and_(
        sessions.c.id == bindparam("the_session"),
        sessions.c.node == bindparam("session_node"),
        sessions.c.state == state,
        users.c.node == bindparam("user_node"),
        users.c.state == State.LIVE,
    )


def adding(table: Table, **told: str) -> Insert:
    """Give the INSERT of one row of a session; `told` are its columns, and what their values are named."""
    columns: dict[str, ColumnElement[Any]] = {
        "session_id": sessions.c.id,
        "chapter_id": chapters.c.id,
        **{column: bindparam(name, type_=table.c[column].type) for column, name in told.items()},
    }
    return insert(table).from_select(
        list(columns),
        select(*columns.values())
        .select_from(sessions)
        .join(users, users.c.id == sessions.c.user_id)
        .join(chapters, chapters.c.session_id == sessions.c.id)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(
            is_open(),
            sessions.c.rev == bindparam("at_rev"),
            chapters.c.id == bindparam("the_chapter"),
            _takes_more,
            _place == bindparam("place"),
        )
        # A purge locks the session, then closes its chapters: what is being added is waited for, and what
        # saw the chapter open a moment too early looks at it again (P8).
        .with_for_update(read=True, of=[sessions, chapters]),
        include_defaults=False,
    )


def taking(ids: BindParameter[Any]) -> Select[Any]:
    """Give the SELECT of those of a session's chapters that take more, with their places.

    Who adds asks it once the session's row is locked: a purge locks that first, too.
    """
    return (
        select(chapters.c.id, _place.label("place"))
        .select_from(chapters)
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(chapters.c.session_id == bindparam("the_session"), chapters.c.id.in_(ids), _takes_more)
        .with_for_update(read=True, of=[chapters])
    )


def reading(
    *columns: ColumnElement[Any],
    chapter: Column[Any],
    which: ColumnElement[bool],
    state: State | BindParameter[int] = State.LIVE,
) -> Select[Any]:
    """Give the SELECT of a session's rows: their columns, their chapter's place, and whether it is alive.

    No row at all: the fence is closed. One row in which all is NULL: the session has none of these.
    """
    rows = chapter.table
    return (
        select(*columns, _place.label("place"), case((_lives, 1), else_=0).label("alive"))
        .select_from(sessions)
        .join(users, users.c.id == sessions.c.user_id)
        .outerjoin(rows, and_(rows.c.session_id == sessions.c.id, which))
        .outerjoin(chapters, and_(chapters.c.id == chapter, chapters.c.session_id == sessions.c.id))
        .outerjoin(epochs, epochs.c.id == chapters.c.epoch_id)
        .where(is_open(state))
    )
