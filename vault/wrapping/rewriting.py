"""Sealing in place what a memory held before it was wrapped: where its interface has no way, by its storage.

Each of these compares what is there with what was read, so that nothing which came in between is lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from vault.errors import StoreUnavailableError, UsageError

_CANNOT = "this memory can't be sealed in place"
_HINT = "add what it holds to a new memory that is wrapped, and clear this one"


def rewrite(memory: Any, old: Sequence[Any], new: Sequence[Any]) -> None:
    """Put new items in the place of old ones, which are all that a memory holds."""
    _way(memory)(memory, list(old), list(new))


async def arewrite(memory: Any, old: Sequence[Any], new: Sequence[Any]) -> None:
    """Do the same and let others go on."""
    if getattr(memory, "async_mode", False):
        await _rewrite_sql_async(memory, list(old), list(new))
    else:
        await asyncio.to_thread(rewrite, memory, old, new)


def _way(memory: Any) -> Callable[[Any, list[Any], list[Any]], None]:
    for kind in type(memory).__mro__:
        if kind.__name__ in _WAYS:
            return _WAYS[kind.__name__]
    raise UsageError(_CANNOT, hint=_HINT)


def _refuse_changes(found: object, old: object) -> None:
    if found != old:
        raise StoreUnavailableError("a memory was written to while it was to be sealed", hint="try again")


def _stored(message: Any) -> dict[str, Any]:
    from langchain_core.messages import message_to_dict  # noqa: PLC0415 (its histories are only here with it)

    said: dict[str, Any] = message_to_dict(message)
    return said


def _rewrite_list(history: Any, old: list[Any], new: list[Any]) -> None:
    _refuse_changes(history.messages, old)
    history.messages = new


def _rewrite_file(history: Any, old: list[Any], new: list[Any]) -> None:
    path = Path(history.file_path).resolve()  # a link stays, and what it leads to is no longer plain (P1)
    _refuse_changes(history.messages, old)
    text = json.dumps([_stored(one) for one in new], ensure_ascii=history.ensure_ascii)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding=history.encoding) as beside:
        beside.write(text)
        beside.flush()
        os.fsync(beside.fileno())
    Path(name).chmod(path.stat().st_mode)
    Path(name).replace(path)


def _query_sql(history: Any) -> Any:
    from sqlalchemy import select  # noqa: PLC0415 (beside the history's own use of it)

    model = history.sql_model_class
    mine = getattr(model, history.session_id_field_name) == history.session_id
    return select(model).where(mine).order_by(model.id.asc()).with_for_update()


def _change_sql(history: Any, rows: list[Any], old: list[Any], new: list[Any]) -> list[Any]:
    """Write new messages into rows; give those that are left over."""
    _refuse_changes([history.converter.from_sql_model(row) for row in rows], old)
    for row, message in zip(rows, new, strict=False):
        fresh = history.converter.to_sql_model(message, history.session_id)
        for column in history.sql_model_class.__table__.columns:
            if not column.primary_key and getattr(fresh, column.key) is not None:
                setattr(row, column.key, getattr(fresh, column.key))
    return rows[len(new) :]


def _rewrite_sql(history: Any, old: list[Any], new: list[Any]) -> None:
    with history.session_maker() as session:
        rows = list(session.execute(_query_sql(history)).scalars())
        for row in _change_sql(history, rows, old, new):
            session.delete(row)
        session.commit()


async def _rewrite_sql_async(history: Any, old: list[Any], new: list[Any]) -> None:
    async with history.session_maker() as session:
        rows = list((await session.execute(_query_sql(history))).scalars())
        for row in _change_sql(history, rows, old, new):
            await session.delete(row)
        await session.commit()


def _rewrite_redis(history: Any, old: list[Any], new: list[Any]) -> None:
    from redis import WatchError  # noqa: PLC0415 (its history is only here with it)

    with history.redis_client.pipeline() as pipe:
        pipe.watch(history.key)
        _refuse_changes(history.messages, old)
        left = pipe.pttl(history.key)
        pipe.multi()
        pipe.delete(history.key)
        pipe.lpush(history.key, *(json.dumps(_stored(one)) for one in new))
        if left > 0:
            pipe.pexpire(history.key, left)
        try:
            pipe.execute()
        except WatchError:
            changed = True
        else:
            changed = False
    _refuse_changes(changed, old=False)


def _rewrite_dynamodb(history: Any, old: list[Any], new: list[Any]) -> None:
    _refuse_changes(history.messages, old)
    name = history.history_messages_key
    held = history.table.get_item(Key=history.key, ConsistentRead=True)["Item"][name]
    _refuse_changes([one["data"]["content"] for one in held], [one.content for one in old])
    history.table.update_item(
        Key=history.key,
        UpdateExpression="set #h = :new",
        ConditionExpression="#h = :old",
        ExpressionAttributeNames={"#h": name},
        ExpressionAttributeValues={":new": [_stored(one) for one in new], ":old": held},
    )


def _rewrite_mongodb(history: Any, old: list[Any], new: list[Any]) -> None:
    from langchain_core.messages import messages_from_dict  # noqa: PLC0415 (its history needs it)

    key = history.history_key
    held = list(history.collection.find({history.session_id_key: history.session_id}))
    _refuse_changes(messages_from_dict([json.loads(one[key]) for one in held]), old)
    for one, message in zip(held, new, strict=False):
        change = {"$set": {key: json.dumps(_stored(message))}}
        done = history.collection.update_one({"_id": one["_id"], key: one[key]}, change)
        _refuse_changes(done.matched_count, 1)
    for one in held[len(new) :]:
        history.collection.delete_one({"_id": one["_id"]})


def _rewrite_sqlite_session(session: Any, old: list[Any], new: list[Any]) -> None:
    if str(session.db_path) == ":memory:":
        raise UsageError(_CANNOT, hint=_HINT)
    table = str(session.messages_table).replace('"', '""')
    select = f'SELECT id, message_data FROM "{table}" WHERE session_id = ? ORDER BY id'  # noqa: S608 (quoted)
    update = f'UPDATE "{table}" SET message_data = ? WHERE id = ?'  # noqa: S608 (quoted)
    delete = f'DELETE FROM "{table}" WHERE id = ?'  # noqa: S608 (quoted)
    with closing(sqlite3.connect(session.db_path, isolation_level=None, timeout=30)) as connection:
        connection.execute("PRAGMA secure_delete=ON")  # what was plain is overwritten
        connection.execute("BEGIN IMMEDIATE")
        rows = connection.execute(select, (session.session_id,)).fetchall()
        _refuse_changes([json.loads(held) for _, held in rows], old)
        for (row, _), item in zip(rows, new, strict=False):
            connection.execute(update, (json.dumps(item), row))
        for row, _ in rows[len(new) :]:
            connection.execute(delete, (row,))
        connection.execute("COMMIT")


_WAYS: dict[str, Callable[[Any, list[Any], list[Any]], None]] = {
    "InMemoryChatMessageHistory": _rewrite_list,
    "FileChatMessageHistory": _rewrite_file,
    "SQLChatMessageHistory": _rewrite_sql,
    "RedisChatMessageHistory": _rewrite_redis,
    "DynamoDBChatMessageHistory": _rewrite_dynamodb,
    "MongoDBChatMessageHistory": _rewrite_mongodb,
    "SQLiteSession": _rewrite_sqlite_session,
}
