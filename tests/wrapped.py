"""Memories of all kinds, each with a real store, for what `vault.wrap` promises of every one.

A test module takes the fixtures by their names: `home, vault = wrapped.home, wrapped.vault`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any
from unittest.mock import patch

import pytest
from faces import Home, moved_in

from vault import Vault

SAID = [("user", "Where is my parcel?"), ("assistant", "It left on Monday."), ("user", "Thank you, Zoë.")]
REDIS = "redis://127.0.0.1:6379/0"


@dataclass
class Bench:
    """One kind of memory: how one is opened, what is done with it, and what lies in its store."""

    name: str
    open: Callable[[str], Any]  # of a session id; opened twice it is the same store
    raw: Callable[[str], list[str]]  # everything stored for a session, in the order of the memory
    write: Callable[[str, list[str]], None]  # the same, put back by a thief
    add: Callable[[Any, list[tuple[str, str]]], None]
    read: Callable[[Any], list[tuple[str, str]]]
    clear: Callable[[Any], None]
    options: dict[str, Any] = field(default_factory=dict)

    def wrap(self, vault: Vault, user_id: str, session_id: str, **options: Any) -> Any:
        """Wrap a memory of a session, opened anew."""
        memory = self.open(session_id)
        settings = {"user_id": user_id, "session_id": session_id, **self.options, **options}
        if isinstance(memory, _Keyed):
            return _Keyed(vault.wrap(memory.store, **settings), session_id)
        return vault.wrap(memory, **settings)


def skip_without(*modules: str) -> list[Any]:
    """Import what a kind of memory needs, or skip, saying what is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some say at import that they are old
        return [pytest.importorskip(module) for module in modules]


# -- LangChain -------------------------------------------------------------------------------------------


def _lc_add(history: Any, said: list[tuple[str, str]]) -> None:
    from langchain_core.messages import AIMessage, HumanMessage

    history.add_messages([(HumanMessage if role == "user" else AIMessage)(text) for role, text in said])


def _lc_read(history: Any) -> list[tuple[str, str]]:
    roles = {"human": "user", "ai": "assistant"}
    return [(roles[message.type], message.content) for message in history.messages]


def _langchain(name: str, open_: Any, raw: Any, write: Any) -> Bench:
    return Bench(name, open_, raw, write, _lc_add, _lc_read, lambda history: history.clear())


def _file(directory: Path) -> Bench:
    [histories] = skip_without("langchain_community.chat_message_histories")

    def path(session: str) -> Path:
        return directory / f"{session}.json"

    def raw(session: str) -> list[str]:
        return [json.dumps(one) for one in json.loads(path(session).read_text())]

    def write(session: str, rows: list[str]) -> None:
        path(session).write_text(f"[{','.join(rows)}]")

    return _langchain(
        "file", lambda session: histories.FileChatMessageHistory(str(path(session))), raw, write
    )


def _sql(directory: Path, undone: ExitStack) -> Bench:
    [histories] = skip_without("langchain_community.chat_message_histories")
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{directory / 'history.db'}")
    undone.callback(engine.dispose)

    def run(sql: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(directory / "history.db", isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    def raw(session: str) -> list[str]:
        return [
            row[0] for row in run("SELECT message FROM message_store WHERE session_id=? ORDER BY id", session)
        ]

    def write(session: str, rows: list[str]) -> None:
        run("DELETE FROM message_store WHERE session_id=?", session)
        for row in rows:
            run("INSERT INTO message_store (session_id, message) VALUES (?, ?)", session, row)

    return _langchain(
        "sql", lambda session: histories.SQLChatMessageHistory(session, connection=engine), raw, write
    )


def _redis(undone: ExitStack) -> Bench:
    redis, histories = skip_without("redis", "langchain_community.chat_message_histories")
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=2)
    undone.callback(client.close)
    try:
        client.ping()
    except redis.exceptions.RedisError as error:
        pytest.skip(f"no Redis at 127.0.0.1:6379: {type(error).__name__}")
    prefix = f"vault-test-{token_hex(8)}:"
    undone.callback(lambda: [client.delete(key) for key in client.scan_iter(f"{prefix}*")])

    def open_(session: str) -> Any:
        history = histories.RedisChatMessageHistory(session, url=REDIS, key_prefix=prefix)
        undone.callback(history.redis_client.close)
        return history

    def raw(session: str) -> list[str]:
        return [row.decode() for row in client.lrange(prefix + session, 0, -1)[::-1]]

    def write(session: str, rows: list[str]) -> None:
        client.delete(prefix + session)
        for row in rows:
            client.lpush(prefix + session, row)

    return _langchain("redis", open_, raw, write)


def _dynamodb(undone: ExitStack) -> Bench:
    moto, boto3, histories = skip_without("moto", "boto3", "langchain_community.chat_message_histories")
    names = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}
    undone.enter_context(patch.dict("os.environ", names))
    undone.enter_context(moto.mock_aws())
    session = boto3.Session(region_name="eu-west-1")
    table = session.resource("dynamodb").create_table(
        TableName="chats",
        KeySchema=[{"AttributeName": "SessionId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "SessionId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def raw(name: str) -> list[str]:
        found = table.get_item(Key={"SessionId": name}).get("Item", {"History": []})
        return [json.dumps(one) for one in found["History"]]

    def write(name: str, rows: list[str]) -> None:
        table.put_item(Item={"SessionId": name, "History": [json.loads(row) for row in rows]})

    def open_(name: str) -> Any:
        return histories.DynamoDBChatMessageHistory("chats", name, boto3_session=session)

    return _langchain("dynamodb", open_, raw, write)


def _mongodb() -> Bench:
    mongomock, histories = skip_without("mongomock", "langchain_mongodb.chat_message_histories")

    class Client(mongomock.MongoClient):  # type: ignore[misc, name-defined]
        def append_metadata(self, *_: object) -> None:
            """Be told who drives it, as a real client is."""

    client: Any = Client()
    stored = client["chat_history"]["message_store"]

    def open_(session: str) -> Any:
        return histories.MongoDBChatMessageHistory(None, session, client=client)

    def raw(session: str) -> list[str]:
        return [
            one["History"] for one in client["chat_history"]["message_store"].find({"SessionId": session})
        ]

    def write(session: str, rows: list[str]) -> None:
        stored.delete_many({"SessionId": session})
        for row in rows:
            stored.insert_one({"SessionId": session, "History": row})

    return _langchain("mongodb", open_, raw, write)


# -- the OpenAI Agents SDK -------------------------------------------------------------------------------


def _agents(directory: Path, undone: ExitStack) -> Bench:
    [memory] = skip_without("agents.memory.sqlite_session")
    path = directory / "sessions.db"
    runner = undone.enter_context(asyncio.Runner())

    def run(sql: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    def open_(session: str) -> Any:
        opened = memory.SQLiteSession(session, path)
        undone.callback(opened.close)
        return opened

    def raw(session: str) -> list[str]:
        select = "SELECT message_data FROM agent_messages WHERE session_id=? ORDER BY id"
        return [row[0] for row in run(select, session)]

    def write(session: str, rows: list[str]) -> None:
        run("DELETE FROM agent_messages WHERE session_id=?", session)
        run("INSERT OR IGNORE INTO agent_sessions (session_id) VALUES (?)", session)
        for row in rows:
            run("INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)", session, row)

    def add(session: Any, said: list[tuple[str, str]]) -> None:
        runner.run(session.add_items([{"role": role, "content": text} for role, text in said]))

    def read(session: Any) -> list[tuple[str, str]]:
        return [(item["role"], item["content"]) for item in runner.run(session.get_items())]

    return Bench("agents", open_, raw, write, add, read, lambda session: runner.run(session.clear_session()))


# -- LlamaIndex ------------------------------------------------------------------------------------------


@dataclass
class _Keyed:
    """A chat store and the key that a test uses of it."""

    store: Any
    key: str


def _llamaindex() -> Bench:
    llms, stores = skip_without("llama_index.core.llms", "llama_index.core.storage.chat_store")
    store = stores.SimpleChatStore()

    def raw(session: str) -> list[str]:
        return [one.model_dump_json() for one in store.store.get(session, [])]

    def write(session: str, rows: list[str]) -> None:
        store.store[session] = [llms.ChatMessage.model_validate_json(row) for row in rows]

    def add(keyed: Any, said: list[tuple[str, str]]) -> None:
        for role, text in said:
            keyed.store.add_message(keyed.key, llms.ChatMessage(role=role, content=text))

    def read(keyed: Any) -> list[tuple[str, str]]:
        return [(one.role.value, one.content) for one in keyed.store.get_messages(keyed.key)]

    return Bench(
        "llamaindex",
        lambda session: _Keyed(store, session),
        raw,
        write,
        add,
        read,
        lambda keyed: keyed.store.delete_messages(keyed.key),
    )


# -- an object of no framework ---------------------------------------------------------------------------


class Notebook:
    """A memory as somebody writes it for their own app."""

    def __init__(self, held: dict[str, list[dict[str, Any]]], session: str) -> None:
        self._held = held
        self._session = session

    def save_message(self, role: str, content: str) -> None:
        self._held.setdefault(self._session, []).append({"role": role, "content": content})

    def load_conversation(self) -> list[dict[str, Any]]:
        return list(self._held.get(self._session, []))

    def store_conversation(self, messages: list[dict[str, Any]]) -> None:
        self._held[self._session] = messages

    def wipe(self) -> None:
        self._held.pop(self._session, None)


NAMES: dict[str, Any] = {
    "add": "save_message",
    "read": "load_conversation",
    "clear": "wipe",
    "replace": "store_conversation",
}


def _named() -> Bench:
    held: dict[str, list[dict[str, Any]]] = {}

    def write(session: str, rows: list[str]) -> None:
        held[session] = [json.loads(row) for row in rows]

    def add(notebook: Any, said: list[tuple[str, str]]) -> None:
        for role, text in said:
            notebook.save_message(role, text)

    return Bench(
        "named",
        lambda session: Notebook(held, session),
        lambda session: [json.dumps(one) for one in held.get(session, [])],
        write,
        add,
        lambda notebook: [(one["role"], one["content"]) for one in notebook.load_conversation()],
        lambda notebook: notebook.wipe(),
        options=dict(NAMES),
    )


KINDS = ["file", "sql", "redis", "dynamodb", "mongodb", "agents", "llamaindex", "named"]


@contextmanager
def bench_of(kind: str, directory: Path) -> Iterator[Bench]:
    """Make a memory of some kind, with its store."""
    with ExitStack() as undone:
        match kind:
            case "file":
                yield _file(directory)
            case "sql":
                yield _sql(directory, undone)
            case "redis":
                yield _redis(undone)
            case "dynamodb":
                yield _dynamodb(undone)
            case "mongodb":
                yield _mongodb()
            case "agents":
                yield _agents(directory, undone)
            case "llamaindex":
                yield _llamaindex()
            case _:
                yield _named()


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path) as bench:
        yield bench


@pytest.fixture
def home() -> Iterator[Home]:
    with moved_in(None, None) as place:
        yield place


@pytest.fixture
def vault(home: Home) -> Iterator[Vault]:
    with home.open() as opened:
        yield opened
