"""Real graphs over a vault: interrupts, time travel, subgraphs, streaming, another process, forgetting."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from databases import Databases, connected
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from vault import AsyncVault, Vault
from vault.adapters.langgraph import VaultSaver
from vault.errors import InputError, TamperedError, UsageError, UserForgottenError
from vault.storage import schema

MAIL, PHONE = "anna.schmidt@example.com", "020 7946 0018"


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    steps: Annotated[list[str], operator.add]
    phone: int
    contact: dict[str, Any]


@dataclass
class Home:
    """A vault in databases of its own."""

    databases: Databases
    root: Path

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {"keyring": self.databases.keyring, "root": f"file:{self.root}", **changes}

    @contextmanager
    def saver(self, **given: Any) -> Iterator[tuple[Vault, VaultSaver]]:
        with Vault.open(self.databases.transcripts, **self.settings()) as vault:
            yield vault, VaultSaver(vault, **given)

    def dump(self) -> str:
        return repr(
            [self.databases.dump(url) for url in (self.databases.transcripts, self.databases.keyring)]
        )


@pytest.fixture
def home(database: Databases, tmp_path: Path) -> Home:
    return Home(database, tmp_path / "root.key")


on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


def config(thread: str = "t-1", user: str = "u-1", **more: Any) -> Any:
    return {"configurable": {"thread_id": thread, "user_id": user, **more}}


def _model(state: State) -> State:
    """A model that says what it heard."""
    heard = state["messages"][-1].content
    return {
        "messages": [AIMessage(f"You said: {heard}", id=f"ai-{len(state['messages'])}")],
        "steps": ["model"],
    }


def chat_graph(saver: Any) -> Any:
    graph: Any = StateGraph(State)
    graph.add_node("model", _model)
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile(checkpointer=saver)


def said(state: Any) -> list[object]:
    return [message.content for message in state.values["messages"]]


def human(text: str) -> State:
    return {"messages": [HumanMessage(text, id=f"h-{text}")]}


# -- what graphs do --------------------------------------------------------------------------------------


@on_both
def test_a_thread_goes_on_in_another_process(home: Home) -> None:
    for turn in range(3):
        with home.saver() as (_, saver):
            chat_graph(saver).invoke(human(f"hello {turn}"), config())
    with home.saver() as (_, saver):
        state = chat_graph(saver).get_state(config())
        assert said(state) == [
            text for turn in range(3) for text in (f"hello {turn}", f"You said: hello {turn}")
        ]
        assert state.values["steps"] == ["model"] * 3
        assert chat_graph(saver).get_state(config("t-2")).values == {}


@on_both
def test_an_interrupted_graph_is_resumed_by_another_process(home: Home) -> None:
    def ask(_: State) -> State:
        answer = interrupt({"question": "Shall I?"})
        return {"steps": [f"answered {answer}"]}

    def graph(saver: Any) -> Any:
        made: Any = StateGraph(State)
        made.add_node("model", _model)
        made.add_node("ask", ask)
        made.add_edge(START, "model")
        made.add_edge("model", "ask")
        made.add_edge("ask", END)
        return made.compile(checkpointer=saver)

    with home.saver() as (_, saver):
        found = graph(saver).invoke(human("hello"), config())
        assert found["__interrupt__"][0].value == {"question": "Shall I?"}
        asked = found["__interrupt__"][0].id
    with home.saver() as (_, saver):
        state = graph(saver).get_state(config())
        assert state.next == ("ask",)
        assert state.tasks[0].interrupts[0].id == asked
        done = graph(saver).invoke(Command(resume={asked: "yes"}), config())
        assert done["steps"] == ["model", "answered yes"]
    with home.saver() as (_, saver):
        assert graph(saver).get_state(config()).next == ()


@on_both
def test_a_thread_is_taken_back_and_goes_another_way(home: Home) -> None:
    with home.saver() as (_, saver):
        graph = chat_graph(saver)
        graph.invoke(human("hello one"), config())
        graph.invoke(human("hello two"), config())
        history = list(graph.get_state_history(config()))
        assert [len(state.values.get("messages", [])) for state in history] == [4, 3, 2, 2, 1, 0]
        before = history[2]
        graph.invoke(human("hello three"), before.config)
        assert said(graph.get_state(config())) == [
            "hello one",
            "You said: hello one",
            "hello three",
            "You said: hello three",
        ]
        forked = graph.update_state(history[0].config, {"steps": ["by hand"]})
        assert graph.get_state(forked).values["steps"] == ["model", "model", "by hand"]
        assert said(graph.get_state(forked))[2] == "hello two"
        assert [state.config for state in graph.get_state_history(config(), filter={"source": "update"})] == [
            graph.get_state(forked).config
        ]


@on_both
def test_subgraphs_keep_states_of_their_own(home: Home) -> None:
    def within(_: State) -> State:
        return {"steps": [f"inner {interrupt('go on?')}"]}

    inner: Any = StateGraph(State)
    inner.add_node("within", within)
    inner.add_edge(START, "within")
    outer: Any = StateGraph(State)
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "inner")
    with home.saver() as (_, saver):
        graph = outer.compile(checkpointer=saver)
        graph.invoke(human("hello"), config())
        state = graph.get_state(config(), subgraphs=True)
        assert state.tasks[0].state.next == ("within",)
    with home.saver() as (_, saver):
        graph = outer.compile(checkpointer=saver)
        assert graph.invoke(Command(resume="now"), config())["steps"] == ["inner now"]
        spaces = {
            one.config["configurable"]["checkpoint_ns"]
            for one in saver.list({"configurable": {"thread_id": "t-1", "user_id": "u-1"}})
        }
        assert "" in spaces
        assert any(space.startswith("inner:") for space in spaces)


@on_sqlite
def test_streaming_and_awaiting_work_over_the_async_face(home: Home) -> None:
    async def run() -> None:
        async with await AsyncVault.open(home.databases.transcripts, **home.settings()) as vault:
            graph = chat_graph(VaultSaver(vault))
            parts = [part async for part in graph.astream(human("hello"), config(), stream_mode="updates")]
            assert [list(part) for part in parts] == [["model"]]
            many = [graph.ainvoke(human(f"hello {n}"), config(f"t-{n}")) for n in range(8)]
            assert len(await asyncio.gather(*many)) == 8
            state = await graph.aget_state(config())
            assert said(state) == ["hello", "You said: hello", "hello 1", "You said: hello 1"]
            # A node that is not async asks from a thread.
            assert said(await asyncio.to_thread(graph.get_state, config("t-3"))) == [
                "hello 3",
                "You said: hello 3",
            ]
            with pytest.raises(UsageError):
                graph.get_state(config())

    asyncio.run(run())
    with home.saver() as (_, saver):
        parts = list(chat_graph(saver).stream(human("bye"), config(), stream_mode="values"))
        assert len(parts) == 2


# -- redaction -------------------------------------------------------------------------------------------


@dataclass
class Contact:
    """A class of the app's own."""

    mail: str
    ways: set[str] = field(default_factory=set)


@on_both
def test_p1_no_address_and_no_number_that_passes_through_a_graph_reaches_a_disk(home: Home) -> None:
    def contact(_: State) -> State:
        asked = interrupt({"is this right?": f"{MAIL} or {PHONE}"})
        said = AIMessage(
            f"I wrote to {MAIL}.",
            id="ai-1",
            tool_calls=[{"name": "send", "args": {"to": [MAIL], "text": asked}, "id": "call-1"}],
        )
        return {
            "messages": [said],
            "phone": 2079460018,
            "contact": {"object": Contact(MAIL, {PHONE}), "nested": [{"deep": (MAIL, PHONE)}]},
        }

    def broken(_: State) -> State:
        raise ValueError(f"no such person: {MAIL}")

    graph: Any = StateGraph(State)
    graph.add_node("contact", contact)
    graph.add_node("broken", broken)
    graph.add_edge(START, "contact")
    graph.add_edge("contact", "broken")
    with home.saver() as (vault, saver):
        running = graph.compile(checkpointer=saver)
        settings = {**config(), "metadata": {"asked by": MAIL}}
        running.invoke({"messages": [HumanMessage(f"My address is {MAIL}", id="h-1")]}, settings)
        with pytest.raises(ValueError, match="no such person"):
            running.invoke(Command(resume=f"call {PHONE}"), settings)
        everything = repr(list(saver.list(config()))) + repr(list(running.get_state_history(config())))
        rows = [
            repr(one)
            for collection in _collections(saver)
            for one in vault._core.records.read("u-1", "t-1", collection)
        ]
        assert rows
    for what in (everything, "".join(rows), home.dump()):
        for word in (MAIL, PHONE, "2079460018", "anna.schmidt", "7946 0018"):
            assert word not in what
    assert "<EMAIL_ADDRESS_1>" in everything
    assert "<EMAIL_ADDRESS_2>" not in everything
    assert "<PHONE_NUMBER_1>" in everything


def _collections(saver: VaultSaver) -> list[str]:
    from vault.adapters import langgraph_forms as threads

    where = threads.Where("u-1", "t-1")
    spaces = saver._threads.spaces(where)
    found = [threads.SPACES, threads.VALUES, threads.MESSAGES, threads.PRUNES]
    for space in spaces:
        found.append(threads.collection_of("checkpoints", space))
        found += [
            threads.collection_of("writes", space, one.id) for one in saver._threads.every(where, space)
        ]
    return found


@on_sqlite
def test_messages_are_stored_once_whoever_brings_them_again(home: Home) -> None:
    def count() -> int:
        return len(found(saver))

    def found(saver: VaultSaver) -> list[object]:
        return list(saver._face.core.records.read("u-1", "t-1", "langgraph messages"))

    for turn in range(4):
        with home.saver() as (_, saver):
            graph = chat_graph(saver)
            graph.invoke(human(f"I am {MAIL}, {turn}"), config())
            graph.invoke(human(f"I am {MAIL}, {turn}"), config())  # the same id: it takes its place
            assert said(graph.get_state(config()))[0] == "I am <EMAIL_ADDRESS_1>, 0"
            # Each time one message of a person's and one of the model's are new; the model answers twice.
            assert count() == 3 * (turn + 1)


# -- whose -----------------------------------------------------------------------------------------------


@on_both
def test_p7_after_forgetting_a_user_their_threads_raise(home: Home) -> None:
    with home.saver() as (vault, saver):
        graph = chat_graph(saver)
        for user in ("u-1", "u-2"):
            graph.invoke(human(f"I am {user}"), config(user=user))
        saved = graph.get_state(config()).config
        vault.forget_user("u-1", now=True)
        asked: list[Callable[[], object]] = [
            lambda: graph.get_state(config()),
            lambda: graph.invoke(human("again"), config()),
            lambda: list(graph.get_state_history(config())),
            lambda: saver.get_tuple(saved),
            lambda: saver.put_writes(saved, [("x", 1)], "task"),
        ]
        for ask in asked:
            with pytest.raises(UserForgottenError):
                ask()
        assert said(graph.get_state(config(user="u-2")))[0] == "I am u-2"
        vault.forget_user("u-2", now=True)
    with connected(home.databases.transcripts) as connection:
        for table in (schema.records, schema.pointers, schema.sessions):
            assert connection.execute(table.select()).all() == []


@on_both
def test_two_users_with_one_thread_id_never_see_each_other(home: Home) -> None:
    with home.saver() as (_, saver):
        graph = chat_graph(saver)
        for user in ("u-1", "u-2"):
            graph.invoke(human(f"I am {user}"), config(user=user))
            assert said(graph.get_state(config(user=user))) == [f"I am {user}", f"You said: I am {user}"]
        asked: list[Callable[[], object]] = [
            lambda: saver.delete_thread("t-1"),
            lambda: saver.prune(["t-1"]),
            lambda: saver.copy_thread("t-1", "t-2"),
        ]
        for ask in asked:
            with pytest.raises(UsageError, match="several users"):
                ask()
        VaultSaver(saver._face._vault, user_id="u-1").delete_thread("t-1")
        assert graph.get_state(config()).values == {}
        assert said(graph.get_state(config(user="u-2")))[0] == "I am u-2"
        saver.delete_thread("t-1")
        assert graph.get_state(config(user="u-2")).values == {}


@on_sqlite
def test_no_user_id_is_ever_invented(home: Home) -> None:
    with home.saver() as (vault, saver):
        bare = {"configurable": {"thread_id": "t-1"}}
        with pytest.raises(InputError):
            chat_graph(saver).invoke(human("hello"), bare)
        with pytest.raises(InputError):
            list(saver.list(None))
        assert list(vault.users()) == []
        chat_graph(VaultSaver(vault, user_from_session=True)).invoke(human("hello"), bare)
        assert list(vault.users()) == ["t-1"]
        chat_graph(VaultSaver(vault, user_id="u-9")).invoke(human("hello"), bare)
        assert {one.metadata["step"] for one in VaultSaver(vault, user_id="u-9").list(None)} == {-1, 0, 1}


@on_sqlite
def test_p2_what_is_taken_out_of_a_thread_is_noticed(home: Home) -> None:
    with home.saver() as (_, saver):
        graph = chat_graph(saver)
        graph.invoke({**human("hello"), "contact": {"long": "x" * 3000}}, config())
        assert graph.get_state(config()).values["contact"] == {"long": "x" * 3000}
        from vault.adapters.langgraph_forms import MESSAGES, VALUES

        core = saver._face.core
        session = core.sessions.find("u-1", "t-1")
        assert session
        from vault.chat.records import Index

        for collection in (MESSAGES, VALUES):
            place = Index.of(session).place(collection)
            table = schema.records
            with connected(home.databases.transcripts) as connection:
                rows = [
                    dict(row)
                    for row in connection.execute(table.select().where(table.c.place == place)).mappings()
                ]
                connection.execute(table.delete().where(table.c.place == place))
            with pytest.raises(TamperedError):
                graph.get_state(config())
            with connected(home.databases.transcripts) as connection:
                connection.execute(table.insert(), rows)
            assert said(graph.get_state(config()))[0] == "hello"
