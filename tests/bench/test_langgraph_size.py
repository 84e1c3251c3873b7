"""What a thread of 1,000 turns takes: in a vault, and in LangGraph's own tables, in one PostgreSQL."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from databases import Databases, connected
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from sqlalchemy import make_url, text

from vault import Vault
from vault.adapters.langgraph import VaultSaver

pytestmark = [pytest.mark.bench, pytest.mark.parametrize("database", ["postgresql"], indirect=True)]
TURNS = int(os.environ.get("TRANSCRIPT_VAULT_BENCH_TURNS", "1000"))


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def _answer(state: State) -> State:
    number = len(state["messages"])
    words = " ".join(f"word-{number * 31 + n * 7}" for n in range(40))
    metadata = {"model_name": "some-model", "finish_reason": "stop"}
    return {
        "messages": [AIMessage(f"Answer {number}: {words}", id=f"a-{number}", response_metadata=metadata)]
    }


def _talk(saver: Any, config: Any) -> float:
    builder: Any = StateGraph(State)
    builder.add_node("answer", _answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    graph = builder.compile(checkpointer=saver)
    start = time.perf_counter()
    for turn in range(TURNS):
        words = " ".join(f"ask-{turn * 17 + n * 3}" for n in range(20))
        graph.invoke({"messages": [HumanMessage(f"Question {turn}: {words}", id=f"h-{turn}")]}, config)
    assert len(graph.get_state(config).values["messages"]) == 2 * TURNS
    return time.perf_counter() - start


def _size(url: str, *tables: str) -> int:
    with connected(url) as connection:
        connection.execute(text("CHECKPOINT"))
        return sum(
            connection.execute(text("SELECT pg_total_relation_size(:name)"), {"name": name}).scalar_one()
            for name in tables
        )


def test_a_thread_takes_a_twentieth_of_what_langgraphs_own_saver_takes(
    database: Databases, tmp_path: Path
) -> None:
    config: Any = {"configurable": {"thread_id": "t-1", "user_id": "u-1"}}
    with Vault.open(
        database.transcripts, keyring=database.keyring, root=f"file:{tmp_path / 'root.key'}", redactor=None
    ) as vault:
        took = _talk(VaultSaver(vault), config)
    ours = _size(database.transcripts, "records", "pointers", "sessions", "chapters")
    other = database.another()
    address = make_url(other).set(drivername="postgresql").render_as_string(hide_password=False)
    with PostgresSaver.from_conn_string(address) as saver:
        saver.setup()
        theirs_took = _talk(saver, config)
    theirs = _size(other, "checkpoints", "checkpoint_blobs", "checkpoint_writes")
    print(f"\nvault: {ours / 1e6:.1f} MB in {took:.0f} s")
    print(f"PostgresSaver: {theirs / 1e6:.1f} MB in {theirs_took:.0f} s")
    print(f"1/{theirs / ours:.1f}")
    assert ours * 20 <= theirs
