"""Two processes at one thread: what one takes out while the other writes is never referred to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.graph import START, MessagesState, StateGraph

from vault import Vault
from vault.adapters.langgraph import VaultSaver
from vault.errors import SessionForgottenError, UsageError

CONFIG: Any = {"configurable": {"thread_id": "t-1", "user_id": "u-1"}}


class State(MessagesState, total=False):
    settings: str


@dataclass
class Home:
    places: dict[str, Any]

    @contextmanager
    def savers(self) -> Iterator[tuple[VaultSaver, VaultSaver]]:
        with Vault.open(**self.places) as one, Vault.open(**self.places) as other:
            yield VaultSaver(one), VaultSaver(other)

    def said(self) -> list[object]:
        """What somebody reads who was not there."""
        with Vault.open(**self.places) as vault:
            return said(talk(VaultSaver(vault)))


@pytest.fixture
def home(database: Databases, tmp_path: Path) -> Home:
    root = f"file:{tmp_path / 'root.key'}"
    return Home({"where": database.transcripts, "keyring": database.keyring, "root": root, "redactor": None})


def talk(saver: VaultSaver, *texts: str) -> Any:
    graph: Any = StateGraph(State)
    graph.add_node("answer", lambda state: {"messages": [AIMessage("yes", id=f"a-{len(state['messages'])}")]})
    graph.add_edge(START, "answer")
    compiled = graph.compile(checkpointer=saver)
    for text in texts:
        compiled.invoke({"messages": [HumanMessage(text, id=text)]}, CONFIG)
    return compiled


def said(graph: Any) -> list[object]:
    return [message.content for message in graph.get_state(CONFIG).values["messages"]]


def before(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, act: Callable[..., object]) -> None:
    """Let somebody act once between two steps of another: before a method, until the act says it was done."""
    method = getattr(owner, name)

    def acted(*args: Any, **kwargs: Any) -> Any:
        if act(*args, **kwargs):
            monkeypatch.setattr(owner, name, method)
        return method(*args, **kwargs)

    monkeypatch.setattr(owner, name, acted)


# -- who writes beside a prune ---------------------------------------------------------------------------


def test_p8_a_message_that_was_pruned_elsewhere_is_stored_again(home: Home) -> None:
    first = HumanMessage("one", id="m-1")
    with home.savers() as (saver, other):

        def bring_again(_: MessagesState) -> MessagesState:
            other.prune(["t-1"])
            return {"messages": [first]}

        graph: Any = StateGraph(MessagesState)
        graph.add_node("remove", lambda _: {"messages": [RemoveMessage(id="m-1")]})
        graph.add_node("answer", lambda _: {"messages": [AIMessage("yes", id="a-1")]})
        graph.add_node("bring", bring_again)
        graph.add_edge(START, "remove")
        graph.add_edge("remove", "answer")
        graph.add_edge("answer", "bring")
        given = {"messages": [HumanMessage("zero", id="m-0"), first]}
        running = graph.compile(checkpointer=saver)
        running.invoke(given, CONFIG, durability="sync")
        assert said(running) == ["zero", "yes", "one"]
    assert home.said() == ["zero", "yes", "one"]


@pytest.mark.parametrize("act", ["prune", "delete_thread"])
@pytest.mark.parametrize("what", ["checkpoints", "writes"])
def test_p8_what_was_drawn_up_before_a_prune_or_a_delete_is_drawn_up_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch, act: str, what: str
) -> None:
    with home.savers() as (saver, other):
        graph = talk(saver, "one", "two")
        graph.update_state(CONFIG, {"messages": [RemoveMessage(id="one")]})

        def between(*args: Any, **_: Any) -> bool:
            if not any(put.collection.startswith(f"langgraph {what}") for put in args[3]):
                return False
            other.prune(["t-1"]) if act == "prune" else other.delete_thread("t-1")
            return True

        before(monkeypatch, saver._face.core, "keep", between)
        graph.update_state(CONFIG, {"messages": [HumanMessage("one", id="one")]})
        assert said(graph) == ["yes", "two", "yes", "one"]
    assert home.said() == ["yes", "two", "yes", "one"]


def test_p8_a_long_value_that_went_with_a_prune_is_stored_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who goes on from an old checkpoint that is pruned in that moment."""
    long = "x" * 3000
    with home.savers() as (saver, other):
        graph: Any = StateGraph(dict)
        graph.add_node("write", lambda state: {"long": state["long"]})
        graph.add_edge(START, "write")
        running = graph.compile(checkpointer=saver)
        running.invoke({"long": long}, CONFIG)
        saved = saver.get_tuple(CONFIG)
        assert saved is not None
        running.invoke({"long": "short"}, CONFIG)
        again = {**saved.checkpoint, "id": "1fffffff-ffff-6fff-bfff-ffffffffffff"}

        def between(*_: Any, **__: Any) -> bool:
            other.prune(["t-1"])
            return True

        before(monkeypatch, saver._face.core, "keep", between)
        assert saver.get_tuple(saved.config) is not None
        saver.put(saved.config, again, saved.metadata, {})  # type: ignore[arg-type]
        found = saver.get_tuple(CONFIG)
        assert found is not None
        assert found.checkpoint["channel_values"] == saved.checkpoint["channel_values"]


# -- who prunes, copies or reads beside a writer ---------------------------------------------------------


READ = ["spaces", "checkpoints", "writes", "values", "messages", "early"]


def between_readings(
    monkeypatch: pytest.MonkeyPatch, saver: VaultSaver, what: str, act: Callable[[], object]
) -> list[object]:
    """Let somebody act once, before a collection is read; give what came of it."""
    done: list[object] = []

    def acted(_: object, collection: str, **__: object) -> bool:
        if not collection.startswith(f"langgraph {what}"):
            return False
        done.append(act())
        return True

    before(monkeypatch, saver._threads, "read", acted)
    return done


@pytest.mark.parametrize("what", READ)
@pytest.mark.parametrize("by", ["prune", "runs"])
def test_p8_what_is_written_beside_a_prune_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch, what: str, by: str
) -> None:
    with home.savers() as (saver, other):
        talk(other, "one")
        graph = talk(other)
        graph.invoke({"messages": [HumanMessage("two", id="two")]}, {**CONFIG, "metadata": {"run_id": "r-2"}})
        done = between_readings(monkeypatch, saver, what, lambda: talk(other, "three"))
        saver.prune(["t-1"]) if by == "prune" else saver.delete_for_runs(["r-2"])
        assert done
        assert said(graph) == ["one", "yes", "two", "yes", "three", "yes"]
        assert said(talk(saver)) == said(graph)
        list(graph.get_state_history(CONFIG))
    assert home.said() == ["one", "yes", "two", "yes", "three", "yes"]


@pytest.mark.parametrize("what", [None, *READ])
def test_p8_writes_that_come_before_their_checkpoint_are_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch, what: str | None
) -> None:
    """A graph stores its checkpoints in the background, and what its tasks write meanwhile."""
    with home.savers() as (saver, other):
        talk(other, "one", "two").update_state(CONFIG, {"messages": [RemoveMessage(id="one")]})
        saved = other.get_tuple(CONFIG)
        assert saved is not None
        later = {**saved.checkpoint, "id": "1fffffff-ffff-6fff-bfff-ffffffffffff"}
        at: Any = {**CONFIG["configurable"], "checkpoint_ns": "", "checkpoint_id": later["id"]}
        brought = [HumanMessage("one", id="one"), HumanMessage("three", id="three")]

        def write() -> None:
            other.put_writes({"configurable": at}, [("messages", brought)], "task-1")

        if what is None:
            write()
        done = [] if what is None else between_readings(monkeypatch, saver, what, write)
        saver.prune(["t-1"])
        assert done or what is None
        other.put(saved.config, later, saved.metadata, {})  # type: ignore[arg-type]
        for reader in (other, saver):
            found = reader.get_tuple({"configurable": at})
            assert found is not None
            assert found.pending_writes == [("task-1", "messages", brought)]
        saver.prune(["t-1"])  # now they are those of a checkpoint like others
        assert saver._threads.early(saver._where(CONFIG)) == []
        found = other.get_tuple({"configurable": at})
        assert found is not None
        assert found.pending_writes == [("task-1", "messages", brought)]


@pytest.mark.parametrize("what", ["writes", "values", "messages"])
def test_p7_who_reads_beside_a_prune_accuses_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with home.savers() as (saver, other):
        graph = talk(saver, "one")
        graph.update_state(CONFIG, {"settings": "x" * 3000})
        old = graph.get_state(CONFIG).config

        def act() -> None:
            removed = {"messages": [RemoveMessage(id="one")], "settings": "y" * 3000}
            talk(other).update_state(CONFIG, removed)
            other.prune(["t-1"])

        done = between_readings(monkeypatch, saver, what, act)
        assert said(graph) == ["yes"]
        assert done
        assert graph.get_state(CONFIG).values["settings"] == "y" * 3000
        assert saver.get_tuple(old) is None
        assert len(list(graph.get_state_history(CONFIG))) == 1


@pytest.mark.parametrize("what", READ[:-1])
def test_p8_a_thread_is_copied_as_it_was_at_one_moment(
    home: Home, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    there: Any = {"configurable": {"thread_id": "t-2", "user_id": "u-1"}}
    with home.savers() as (saver, other):
        graph = talk(other, "one")
        done = between_readings(monkeypatch, saver, what, lambda: talk(other, "two"))
        saver.copy_thread("t-1", "t-2")
        assert done
        assert [one.content for one in graph.get_state(there).values["messages"]] == [
            "one",
            "yes",
            "two",
            "yes",
        ]
        list(graph.get_state_history(there))


def test_p8_a_thread_that_is_begun_while_another_is_copied_there_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.savers() as (saver, other):
        talk(other, "one")
        there: Any = {"configurable": {"thread_id": "t-2", "user_id": "u-1"}}

        def begin(*_: Any, **__: Any) -> bool:
            talk(other).invoke({"messages": [HumanMessage("mine", id="mine")]}, there)
            return True

        before(monkeypatch, saver._face.core, "keep", begin)
        with pytest.raises(UsageError):
            saver.copy_thread("t-1", "t-2")
        found = talk(saver).get_state(there).values["messages"]
        assert [one.content for one in found] == ["mine", "yes"]


@pytest.mark.parametrize("moment", ["spaces", "open"])
def test_a_thread_that_is_forgotten_while_all_are_listed_is_left_out(
    moment: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Vault.open(**home.places) as vault:
        saver = VaultSaver(vault)
        talk(saver, "one")
        other: Any = {"configurable": {"thread_id": "t-2", "user_id": "u-1"}}
        talk(saver).invoke({"messages": ["two"]}, other)
        kept = [one.checkpoint["id"] for one in saver.list(other)]

        def forget(*_: Any) -> bool:
            vault.forget_session("u-1", "t-1")
            return True

        before(monkeypatch, saver._threads, moment, forget)
        every: Any = {"configurable": {"user_id": "u-1"}}
        assert [one.checkpoint["id"] for one in saver.list(every)] == kept
        with pytest.raises(SessionForgottenError):
            list(saver.list(CONFIG))


def test_a_prune_waits_for_its_turn_in_the_thread(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with home.savers() as (saver, _):
        talk(saver, "one", "two").invoke(
            {"messages": [HumanMessage("three", id="three")]}, {**CONFIG, "metadata": {"run_id": "r-1"}}
        )
        turn = saver._face._locks[hash(saver._where(CONFIG)) % len(saver._face._locks)]
        acts: list[Callable[[], object]] = [
            lambda: saver.delete_for_runs(["r-1"]),
            lambda: saver.prune(["t-1"]),
            lambda: asyncio.run(saver.aprune(["t-1"])),
            lambda: asyncio.run(saver.adelete_for_runs(["r-1"])),
            lambda: saver.prune(["t-1"], strategy="delete"),
        ]
        for act in acts:
            seen: list[bool] = []

            def look(*_: object, **__: object) -> bool:
                seen.append(turn.locked())  # noqa: B023 (this round's)
                return False

            with monkeypatch.context() as patched:
                before(patched, saver._face.core.records, "basis", look)
                before(patched, saver._face.core.requests, "delete", look)
                act()
            assert seen
            assert all(seen)
