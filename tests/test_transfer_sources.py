"""Where messages come from: the real shapes of each source, and nonsense in each of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from commands import make, names_in, run

from vault import Message, Vault
from vault.errors import ConfigError, InputError
from vault.transfer.sources import SOURCES, Given, Incoming, SourceError, Unreadable, read, values
from vault.transfer.sources import chat_messages as chat_messages_source
from vault.transfer.sources.arrays import elements

# As langchain-core writes a message down.
HUMAN = {
    "type": "human",
    "data": {
        "content": "Hello", "additional_kwargs": {}, "response_metadata": {}, "type": "human", "name": None,
        "id": None, "example": False,
    },
}  # fmt: skip
CALL = {"name": "look", "args": {"q": "x"}, "id": "c-1", "type": "tool_call"}
AI = {
    "type": "ai",
    "data": {
        "content": "", "additional_kwargs": {}, "response_metadata": {"model": "m-1"}, "type": "ai",
        "name": None, "id": "run-1", "example": False, "tool_calls": [CALL], "invalid_tool_calls": [],
        "usage_metadata": {"input_tokens": 3},
    },
}  # fmt: skip
TOOL = {
    "type": "tool",
    "data": {
        "content": "found",
        "type": "tool",
        "tool_call_id": "c-1",
        "status": "success",
        "artifact": None,
    },
}


def database(path: Path, *statements: str, **rows: list[tuple[Any, ...]]) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        for table, some in rows.items():
            marks = ", ".join("?" * len(some[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", some)
        connection.commit()
    return path


STORE = "CREATE TABLE message_store (id INTEGER NOT NULL PRIMARY KEY, session_id TEXT, message TEXT)"
CHAT = (
    "CREATE TABLE chat_messages (user_id TEXT, session_id TEXT, role TEXT, content TEXT,"
    " timestamp DATETIME DEFAULT CURRENT_TIMESTAMP)"
)
AGENTS = (
    "CREATE TABLE agent_sessions (session_id TEXT PRIMARY KEY, created_at TIMESTAMP, updated_at TIMESTAMP)",
    "CREATE TABLE agent_messages (id INTEGER PRIMARY KEY, session_id, message_data, created_at)",
)
ITEMS: list[dict[str, Any]] = [
    {"role": "user", "content": "Hello"},
    {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "c-1", "id": "f-1"},
    {"type": "function_call_output", "call_id": "c-1", "output": "found"},
    {
        "type": "message", "role": "assistant", "id": "m-1", "status": "completed",
        "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
    },
]  # fmt: skip


def node(name: str, parent: str | None, role: str, *parts: Any, at: float | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": name, "author": {"role": role, "name": None, "metadata": {}}, "create_time": at,
        "content": {"content_type": "text", "parts": list(parts)}, "metadata": {"model_slug": "m"},
        "recipient": "all",
    }  # fmt: skip
    return {"id": name, "message": message, "parent": parent, "children": []}


def conversations() -> list[dict[str, Any]]:
    nodes = [
        {"id": "root", "message": None, "parent": None, "children": ["a"]},
        node("a", "root", "system", ""),
        node("b", "a", "user", "first try", at=1_700_000_000.25),
        node("c", "a", "user", "second try", at=1_700_000_001.5),
        node("d", "c", "assistant", "one", {"content_type": "image_asset_pointer"}, at=1_700_000_002.0),
    ]
    tree = {one["id"]: one for one in nodes}
    return [{"title": "T", "conversation_id": "talk-1", "mapping": tree, "current_node": "d"}]


def langchain_sql(where: Path) -> Path:
    rows = [(1, "s-1", json.dumps(HUMAN)), (2, "s-1", json.dumps(AI)), (3, "s-1", json.dumps(TOOL))]
    return database(where / "m.db", STORE, message_store=rows)


def langchain_file(where: Path) -> Path:
    (where / "s-1.json").write_text(json.dumps([HUMAN, AI, TOOL]))
    return where / "s-1.json"


def chat_messages(where: Path) -> Path:
    rows = [
        ("u-1", "s-1", "user", "Hello", "2026-03-02 09:14:05"),
        ("u-1", "s-1", "assistant", "Hi", "2026-03-02T09:14:06.5+02:00"),
        ("u-2", "s-2", "human", "Other", 1_772_442_845),
    ]
    return database(where / "c.db", CHAT, chat_messages=rows)


def openai_agents(where: Path) -> Path:
    rows = [(n, "s-1", json.dumps(item), "2026-03-02 09:14:05") for n, item in enumerate(ITEMS, 1)]
    return database(where / "a.db", *AGENTS, agent_messages=rows)


def jsonl(where: Path) -> Path:
    lines: list[dict[str, Any]] = [
        {
            "user_id": "u-1",
            "session_id": "s-1",
            "role": "user",
            "content": "Hello",
            "timestamp": 1_772_442_845.5,
        },
        {"user_id": "u-1", "session_id": "s-1", "role": "assistant", "content": None, "tool_calls": [CALL]},
    ]
    (where / "l.jsonl").write_text("\ufeff" + "\n\n".join(map(json.dumps, lines)))
    return where / "l.jsonl"


def chatgpt(where: Path) -> Path:
    (where / "conversations.json").write_text(json.dumps(conversations()))
    return where / "conversations.json"


KINDS: dict[str, Callable[[Path], Path]] = {
    "langchain-sql": langchain_sql,
    "langchain-file": langchain_file,
    "chat-messages": chat_messages,
    "openai-agents-sqlite": openai_agents,
    "jsonl": jsonl,
    "chatgpt": chatgpt,
}


def taken(tmp_path: Path, kind: str, user: str = "u-1", session: str = "s-1", **how: Any) -> list[Message]:
    """Import a source of some kind twice, and give what is there."""
    where = tmp_path / "source"
    where.mkdir()
    source = KINDS[kind](where)
    before = {path.name: sha256(path.read_bytes()).digest() for path in where.iterdir()}
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        first = vault.import_from(source, kind, user_id=user, **how)
        again = vault.import_from(source, kind, user_id=user, **how)
        messages = vault.transcript(user, session).messages()
    assert (again.added, again.known) == (0, first.added)
    assert first.added == len(messages) > 0
    assert {path.name: sha256(path.read_bytes()).digest() for path in where.iterdir()} == before
    return messages


@pytest.mark.parametrize("kind", ["langchain-sql", "langchain-file"])
def test_langchain(tmp_path: Path, kind: str) -> None:
    human, ai, tool = taken(tmp_path, kind)
    assert (human.role, human.content, human.extra) == ("user", "Hello", {})
    assert (ai.role, ai.extra) == ("assistant", {"id": "run-1", "tool_calls": [CALL]})
    assert ai.metadata == {"response_metadata": {"model": "m-1"}, "usage_metadata": {"input_tokens": 3}}
    assert (tool.role, tool.content, tool.extra["tool_call_id"]) == ("tool", "found", "c-1")


@pytest.mark.wide
def test_chat_messages_keep_their_times_and_users(tmp_path: Path) -> None:
    first, second = taken(tmp_path, "chat-messages")
    assert first.created_at == datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)
    assert second.created_at == datetime(2026, 3, 2, 7, 14, 6, 500_000, tzinfo=UTC)
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        done = vault.import_from(tmp_path / "source" / "c.db", "chat-messages")
        assert (done.added, done.known) == (1, 2)
        [other] = vault.transcript("u-2", "s-2").messages()
    assert (other.role, other.created_at) == ("user", datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC))


def test_a_table_by_other_names(tmp_path: Path) -> None:
    path = database(
        tmp_path / "o.db",
        'CREATE TABLE "my talk" (key TEXT, owner INT, thread TEXT, who TEXT, said TEXT)',
        **{'"my talk"': [("x", 7, "t-1", "ai", "Hello")]},
    )
    where = make(tmp_path / "v")
    words = ["import", path, "--from", "chat-messages", "--table", "my talk"]
    refused = run("--vault", where, *words)
    assert refused.code == 2
    assert "it has key, owner, thread, who, said" in refused.err
    named = ["user_id=owner", "session_id=thread", "role=who", "content=said"]
    assert run("--vault", where, *words, *(f"--column={one}" for one in named)).code == 0
    assert run("--vault", where, "sessions", "7").out.startswith("t-1\t1\t")


@pytest.mark.wide
def test_openai_agents(tmp_path: Path) -> None:
    user, call, output, said = taken(tmp_path, "openai-agents-sqlite")
    assert (user.role, user.content) == ("user", "Hello")
    assert (call.role, call.content, call.extra) == ("assistant", None, ITEMS[1])
    assert (output.role, output.content, output.extra["call_id"]) == ("tool", "found", "c-1")
    assert (said.role, said.content) == ("assistant", ITEMS[3]["content"])
    assert said.created_at == datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)


@pytest.mark.wide
def test_jsonl_of_somebody_else(tmp_path: Path) -> None:
    first, second = taken(tmp_path, "jsonl")
    assert first.created_at == datetime(2026, 3, 2, 9, 14, 5, 500_000, tzinfo=UTC)
    assert second.extra == {"tool_calls": [CALL]}


@pytest.mark.wide
def test_chatgpt_follows_the_branch_that_was_shown(tmp_path: Path) -> None:
    user, assistant = taken(tmp_path, "chatgpt", session="talk-1")
    assert (user.content, user.created_at) == ("second try", datetime(2023, 11, 14, 22, 13, 21, 500_000, UTC))
    assert assistant.content == [{"type": "text", "text": "one"}, {"content_type": "image_asset_pointer"}]
    assert assistant.metadata == {"model": "m"}


# -- the real packages, where they are installed: each takes seconds to import -----------------------------


@pytest.mark.wide
def test_what_langchain_community_writes(tmp_path: Path) -> None:
    reason = "langchain-community is not installed"
    histories: Any = pytest.importorskip("langchain_community.chat_message_histories", reason=reason)
    from langchain_core.messages import AIMessage, HumanMessage  # type: ignore[import-not-found,unused-ignore]

    sql = histories.SQLChatMessageHistory("s-1", connection=f"sqlite:///{tmp_path}/m.db")
    file = histories.FileChatMessageHistory(str(tmp_path / "s-2.json"))
    for history in (sql, file):
        history.add_messages([HumanMessage("Hello"), AIMessage("Hi")])
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.import_from(tmp_path / "m.db", "langchain-sql", user_id="u-1")
        vault.import_from(tmp_path / "s-2.json", "langchain-file", user_id="u-1")
        for name in ("s-1", "s-2"):
            messages = vault.transcript("u-1", name).messages()
            assert [(one.role, one.content) for one in messages] == [("user", "Hello"), ("assistant", "Hi")]


@pytest.mark.wide
def test_what_openai_agents_writes(tmp_path: Path) -> None:
    agents: Any = pytest.importorskip("agents.memory", reason="openai-agents is not installed")
    import asyncio

    session = agents.SQLiteSession("s-1", tmp_path / "a.db")
    asyncio.run(session.add_items(ITEMS))
    session.close()
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.import_from(tmp_path / "a.db", "openai-agents-sqlite", user_id="u-1")
        roles = [message.role for message in vault.transcript("u-1", "s-1").messages()]
    assert roles == ["user", "assistant", "tool", "assistant"]


# -- nonsense --------------------------------------------------------------------------------------------

NONSENSE: dict[str, Callable[[], bytes]] = {
    "random": lambda: b"\xf3\x91secret" * 1_300_000,
    "brackets": lambda: b"[" * 10_000_000,
    "a long text": lambda: b'["' + b"secret " * 1_500_000,
    "objects": lambda: b'{"a":' * 2_000_000,
    "zeros": lambda: bytes(10_000_000),
    "a database": lambda: b"SQLite format 3\0" + b"secret" * 1_600_000,
    "nothing": lambda: b"",
}


@pytest.mark.wide
@pytest.mark.parametrize("kind", KINDS)
def test_ten_megabytes_of_nonsense_are_an_error_with_a_place(tmp_path: Path, kind: str) -> None:
    where = make(tmp_path / "v")
    for what, make_it in NONSENSE.items():
        (tmp_path / "source").write_bytes(make_it())
        said = run(
            "--vault", where, "import", tmp_path / "source", "--from", kind, "--user", "u", "--session", "s"
        )
        if kind == "jsonl" and what == "nothing":
            assert said.code == 0
            continue
        assert said.code == 2, (what, said)
        assert said.err.startswith("error: "), (what, said)
        assert "secret" not in said.err
        assert "unexpected" not in said.err
    assert run("--vault", where, "sessions").out == ""


@pytest.mark.wide
def test_nonsense_in_a_row_names_the_row(tmp_path: Path) -> None:
    rows = [
        (1, "s-1", json.dumps(HUMAN)),
        (2, "s-1", "secret " * 1_500_000),
        (3, "s-1", b"\xff\xfe"),
        (4, "s-1", "5"),
    ]
    path = database(tmp_path / "m.db", STORE, message_store=rows)
    where = make(tmp_path / "v")
    words = ("--vault", where, "import", path, "--from", "langchain-sql", "--user", "u-1")
    stopped = run(*words)
    assert stopped.code == 2
    assert stopped.err.startswith("error: row 2 of message_store: it is no JSON; 1 messages were added")
    skipped = run(*words, "--on-error", "skip", "--json")
    assert skipped.code == 0
    assert [one["place"] for one in skipped.json["problems"]] == [
        f"row {n} of message_store" for n in (2, 3, 4)
    ]
    assert (skipped.json["known"], skipped.json["skipped"]) == (1, 3)
    assert "secret" not in stopped.err + skipped.out + skipped.err


def test_a_kind_of_content_that_is_no_text_is_nothing_to_stop_at(tmp_path: Path) -> None:
    for number, odd in enumerate((["text"], {"text": 1}, 5, None)):
        content = {"content_type": odd, "parts": ["Hello"]}
        said = {"author": {"role": "user"}, "content": content, "create_time": 1.0}
        one = {"id": f"c-{number}", "mapping": {"a": {"parent": None, "message": said}}, "current_node": "a"}
        (tmp_path / "conversations.json").write_text(json.dumps([one]))
        [arrival] = read("chatgpt", Given(source=str(tmp_path)))
        assert isinstance(arrival, Incoming)
        assert arrival.message is not None
        assert arrival.message.content == "Hello"


@pytest.mark.wide
def test_a_missing_file_or_table_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    empty = database(tmp_path / "e.db", "CREATE TABLE other (id INT)")
    for kind in KINDS:
        said = run(
            "--vault", where, "import", tmp_path / "none", "--from", kind, "--user", "u", "--session", "s"
        )
        assert said.code == 2
        assert "there is no file" in said.err
    for kind in ("langchain-sql", "chat-messages", "openai-agents-sqlite"):
        said = run("--vault", where, "import", empty, "--from", kind, "--user", "u")
        assert "there is no table" in said.err
    assert names_in(tmp_path) == {"v", "e.db"}


def test_a_list_is_read_whatever_its_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.transfer.sources.arrays._CHUNK", 3)
    said = [{"ä": ["}", '"', "\\", 1.5e3, None]}, [], 12345, "x" * 50, {"a": {"b": [True]}}]
    for indent in (None, 2):
        (tmp_path / "l").write_text(json.dumps(said, indent=indent, ensure_ascii=False))
        assert list(elements(tmp_path / "l")) == said
    for broken in ("", "{}", "[1", "[1,", "[1,]", "[1 2]", "[1] 2", '["a', "[nul]"):
        (tmp_path / "l").write_text(broken)
        assert isinstance(list(elements(tmp_path / "l"))[-1], Unreadable), broken


@pytest.mark.parametrize("value", [1_772_442_845, 1_772_442_845_000, 1_772_442_845_000_000, "1772442845"])
def test_a_number_of_any_unit_is_a_time(value: object) -> None:
    assert values.moment(value) == datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize("value", ["soon", 1e300, float("nan"), True, [], "9999-99-99"])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        values.moment(value)


IDS: dict[str, Callable[[int], object]] = {
    "text": lambda number: f"{sha256(str(number).encode()).hexdigest()[:12]}",
    "none": lambda number: None if number < 600 else number,
    "twice": lambda number: number // 3,
}


@pytest.mark.parametrize("ids", IDS)
def test_a_table_whose_id_is_no_whole_number_of_its_own_gives_every_row(tmp_path: Path, ids: str) -> None:
    """A page that ends within equal ids, or compares text with bytes, would end the table in silence."""
    chat = "CREATE TABLE chat_messages (id, session_id TEXT, role TEXT, content TEXT)"
    rows = [(IDS[ids](number), "s-1", "user", f"text {number}") for number in range(1300)]
    path = database(tmp_path / "c.db", chat, chat_messages=rows)
    found = list(read("chat-messages", Given(source=str(path))))
    said = [one.message.content for one in found if not isinstance(one, Unreadable) and one.message]
    assert said == [f"text {number}" for number in range(1300)]
    assert len({one.name for one in found if not isinstance(one, Unreadable)}) == 1300


def test_a_table_without_row_numbers_gives_every_row_in_the_order_of_its_ids(tmp_path: Path) -> None:
    chat = (
        "CREATE TABLE chat_messages (id TEXT PRIMARY KEY, session_id, role TEXT, content TEXT) WITHOUT ROWID"
    )
    rows = [(f"{number:04}", "s-1", "user", f"text {number}") for number in range(1300)]
    path = database(tmp_path / "c.db", chat, chat_messages=rows)
    found = list(read("chat-messages", Given(source=str(path))))
    said = [one.message.content for one in found if not isinstance(one, Unreadable) and one.message]
    assert said == [f"text {number}" for number in range(1300)]


def test_a_table_in_which_nothing_tells_the_rows_apart_is_refused(tmp_path: Path) -> None:
    columns = "session_id, id, role, content, PRIMARY KEY (session_id, id)"
    chat = f"CREATE TABLE chat_messages ({columns}) WITHOUT ROWID"
    path = database(tmp_path / "c.db", chat, chat_messages=[(1, "x", "user", "Hi"), (2, "x", "user", "Hi")])
    with pytest.raises(SourceError, match="apart"):
        list(read("chat-messages", Given(source=str(path))))


def test_metadata_that_a_server_gives_as_an_object_is_read() -> None:
    cells = {"role": "user", "content": "Hello", "metadata": {"kind": "brief"}}
    found = chat_messages_source._entry("row 1", "row 1", cells).message
    assert found is not None
    assert found.metadata == {"kind": "brief"}


def test_a_number_of_too_many_digits_is_told_and_ends_the_list(tmp_path: Path) -> None:
    path = tmp_path / "s-1.json"
    path.write_text(f'[{json.dumps(HUMAN)}, {{"n": {"7" * 5000}}}]')
    first, second = elements(path)
    assert first == HUMAN
    assert isinstance(second, Unreadable)
    assert "777" not in str(second)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("what", ["a directory", "a loop", "a long name", "a name with a NUL"])
def test_a_source_that_is_no_file_is_refused_with_the_vaults_own_error(
    kind: str, what: str, tmp_path: Path
) -> None:
    place = {
        "a directory": tmp_path,
        "a loop": tmp_path / "loop",
        "a long name": tmp_path / ("x" * 300),
        "a name with a NUL": tmp_path / "a\0b",
    }[what]
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with (
        Vault.open(tmp_path / "v", redactor=None) as vault,
        pytest.raises(SourceError, match=r"there is no file|can't be read"),
    ):
        vault.import_from(place, kind, user_id="u", session_id="s")


def test_a_cursor_that_is_no_file_is_refused_with_the_vaults_own_error(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"user_id": "u", "session_id": "s", "role": "user", "content": "x"}')
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        with pytest.raises(ConfigError, match="cursor"):
            vault.import_from(tmp_path / "one.jsonl", "jsonl", cursor=tmp_path)
        assert list(vault.users()) == []
