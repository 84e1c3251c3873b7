"""What README says of others, tried on them: what their files show, and what an old copy still opens."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from databases import Databases, connected
from sqlalchemy import make_url

from vault import Vault
from vault.errors import KeyringOutdatedError

pytestmark = pytest.mark.wide
SAID = "My card is in the blue drawer"


def sql(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
def test_langchains_sql_history_keeps_plain_text_also_in_a_copy_from_before_it_was_cleared(
    tmp_path: Path,
) -> None:
    histories = pytest.importorskip(
        "langchain_community.chat_message_histories", reason="langchain-community is not installed"
    )
    history = histories.SQLChatMessageHistory("s-1", connection=f"sqlite:///{tmp_path / 'live.db'}")
    history.add_user_message(SAID)
    shutil.copy(tmp_path / "live.db", tmp_path / "copy.db")
    history.clear()
    assert SAID.encode() in (tmp_path / "copy.db").read_bytes()


def test_an_encrypted_session_of_the_agents_sdk_opens_from_a_copy_and_skips_what_was_changed(
    tmp_path: Path,
) -> None:
    memory = pytest.importorskip("agents.memory", reason="openai-agents is not installed")
    encrypted = pytest.importorskip("agents.extensions.memory.encrypt_session").EncryptedSession

    def session(path: Path) -> Any:
        return encrypted("s-1", memory.SQLiteSession("s-1", path), "the key of all sessions", ttl=600)

    async def talk() -> None:
        live, copy = tmp_path / "live.db", tmp_path / "copy.db"
        await session(live).add_items([{"role": "user", "content": SAID}])
        with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        await session(live).clear_session()
        assert [item["content"] for item in await session(copy).get_items()] == [SAID]
        [(row,)] = sql(copy, "SELECT message_data FROM agent_messages")
        changed = json.loads(row)
        changed["payload"] = changed["payload"][:-4] + "AAA="
        sql(copy, "UPDATE agent_messages SET message_data = ?", json.dumps(changed))
        assert await session(copy).get_items() == []  # and no error

    asyncio.run(talk())


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_encrypted_serializer_leaves_texts_in_the_clear_and_opens_rows_that_were_moved(
    database: Databases,
) -> None:
    saver = pytest.importorskip(
        "langgraph.checkpoint.postgres", reason="langgraph-checkpoint-postgres is not installed"
    ).PostgresSaver
    serializer = pytest.importorskip("langgraph.checkpoint.serde.encrypted").EncryptedSerializer
    graphs = pytest.importorskip("langgraph.graph")
    key = AESGCM(bytes(32))

    class Cipher:
        def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
            nonce = os.urandom(12)
            return "aes", nonce + key.encrypt(nonce, plaintext, None)

        def decrypt(self, _name: str, sealed: bytes) -> bytes:
            return key.decrypt(sealed[:12], sealed[12:], None)

    builder = graphs.StateGraph(_state())
    builder.add_node("answer", lambda _: {"messages": [{"role": "assistant", "content": "Noted"}]})
    builder.add_edge(graphs.START, "answer")
    address = make_url(database.transcripts).set(drivername="postgresql")
    with saver.from_conn_string(address.render_as_string(hide_password=False)) as checkpointer:
        checkpointer.setup()
        checkpointer.serde = serializer(Cipher())
        graph = builder.compile(checkpointer=checkpointer)

        def config(thread: str) -> Any:
            return {"configurable": {"thread_id": thread}}

        for thread, said in (("t-1", SAID), ("t-2", "Hello")):
            graph.invoke({"topic": said, "messages": [{"role": "user", "content": said}]}, config(thread))
        with connected(database.transcripts) as connection:
            shown = connection.exec_driver_sql("SELECT checkpoint::text FROM checkpoints").scalars().all()
            assert any(SAID in one for one in shown)
            connection.exec_driver_sql(
                "UPDATE checkpoint_blobs AS mine SET blob = other.blob FROM checkpoint_blobs AS other"
                " WHERE mine.thread_id = 't-2' AND other.thread_id = 't-1' AND mine.channel = 'messages'"
                " AND other.channel = 'messages' AND split_part(mine.version, '.', 1) ="
                " split_part(other.version, '.', 1)"
            )
        moved = graph.get_state(config("t-2")).values["messages"]
        assert moved[0].content == SAID


def _state() -> Any:
    graphs = pytest.importorskip("langgraph.graph")
    return type("State", (graphs.MessagesState,), {"__annotations__": {"topic": str}})


def test_a_users_wrapped_key_that_was_deleted_comes_back_with_a_copy_and_todays_master_key(
    tmp_path: Path,
) -> None:
    """Envelope encryption as it is usually done: a key for each user, wrapped by a master key elsewhere."""
    master, nonce = AESGCM(AESGCM.generate_key(256)), bytes(12)
    user_key = AESGCM.generate_key(256)
    live, copy = tmp_path / "live.db", tmp_path / "copy.db"
    sql(live, "CREATE TABLE keys (user TEXT, wrapped BLOB)")
    sql(live, "CREATE TABLE messages (user TEXT, body BLOB)")
    sql(live, "INSERT INTO keys VALUES ('anna', ?)", master.encrypt(nonce, user_key, None))
    sql(live, "INSERT INTO messages VALUES ('anna', ?)", AESGCM(user_key).encrypt(nonce, SAID.encode(), None))
    shutil.copy(live, copy)
    sql(live, "DELETE FROM keys")  # "crypto-shredding"
    [(wrapped,)], [(body,)] = sql(copy, "SELECT wrapped FROM keys"), sql(copy, "SELECT body FROM messages")
    opened = AESGCM(master.decrypt(nonce, wrapped, None)).decrypt(nonce, body, None)
    assert opened.decode() == SAID


def test_p3_the_same_copy_of_a_vault_and_its_present_root_open_nothing(tmp_path: Path) -> None:
    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(tmp_path / "v", root=root, redactor=None) as vault:
        vault.transcript("anna", "s-1").append("user", SAID)
        vault.backup(tmp_path / "copy")
        vault.forget_user("anna", now=True)
    for path in (tmp_path / "copy").iterdir():
        assert SAID.encode() not in path.read_bytes()
    with pytest.raises(KeyringOutdatedError):
        Vault.drill(tmp_path / "copy", root=root)
