"""How long checkpoints are kept: retention, holds, pruning, copying, channels that keep only changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from databases import Databases, connected
from faces import DAY, Clock
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from sqlalchemy import func, select

from vault import Vault
from vault.adapters.langgraph import VaultSaver, VaultStore
from vault.errors import HeldError, InputError, UsageError
from vault.storage import schema

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
POLICY = "version: 1\npolicy: short\nclasses:\n  - name: default\n    keep: {at_most: 2d}\n"
LONG = "long " * 500
CONFIG: Any = {"configurable": {"thread_id": "t-1", "user_id": "u-1"}}


def _gather(known: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*known, *(one for write in writes for one in write)]


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    settings: str
    seen: Annotated[list[str], DeltaChannel(_gather, snapshot_frequency=2)]


@dataclass
class Home:
    databases: Databases
    directory: Path
    clock: Clock

    def open(self, **changes: Any) -> Vault:
        policies = self.directory / "policy.yaml"
        policies.write_text(POLICY)
        places: dict[str, Any] = {
            "keyring": self.databases.keyring,
            "root": f"file:{self.directory / 'root.key'}",
            "clock": self.clock,
            "policies": str(policies),
            "redactor": None,
        }
        return Vault.open(self.databases.transcripts, **places, **changes)

    def records(self) -> int:
        with connected(self.databases.transcripts) as connection:
            return int(connection.execute(select(func.count()).select_from(schema.records)).scalar_one())


@pytest.fixture
def home(database: Databases, tmp_path: Path) -> Home:
    return Home(database, tmp_path, Clock())


def graph_over(saver: VaultSaver) -> Any:
    def answer(state: State) -> State:
        number = len(state["messages"])
        return {
            "messages": [AIMessage(f"answer {number}", id=f"a-{state['messages'][-1].id}")],
            "seen": [f"seen {number}"],
        }

    builder: Any = StateGraph(State)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


def talk(vault: Vault, *texts: str, **more: Any) -> Any:
    graph = graph_over(VaultSaver(vault))
    for text in texts:
        graph.invoke({"messages": [HumanMessage(text, id=text)], **more}, CONFIG)
    return graph


def contents(state: Any) -> list[object]:
    return [message.content for message in state.values["messages"]]


def test_p4_old_messages_age_out_of_a_thread_that_lives_on(home: Home) -> None:
    with home.open() as vault:
        talk(vault, "one", settings=LONG)
        home.clock.now += DAY * 3 // 2
        talk(vault, "two")
        home.clock.now += DAY
        vault.purge(yes=True)
    with home.open() as vault:
        graph = talk(vault)
        state = graph.get_state(CONFIG)
        assert contents(state) == ["two", "answer 3"]
        assert state.values["settings"] == LONG  # sealed anew on each day of use
        assert len(list(graph.get_state_history(CONFIG))) == 3
        talk(vault, "three")
        assert contents(graph.get_state(CONFIG)) == ["two", "answer 3", "three", "answer 3"]
        home.clock.now += 9 * DAY
        vault.purge(yes=True)
        assert graph.get_state(CONFIG).values == {}
    assert home.records() == 0


def test_p2_a_message_never_stands_in_the_place_of_one_that_aged_out(home: Home) -> None:
    with home.open() as vault:
        talk(vault, "one", "two")
        home.clock.now += DAY * 3 // 2
        graph = talk(vault)
        graph.update_state(CONFIG, {"settings": "brief"})
        later = graph.get_state(CONFIG)
        assert contents(later) == ["one", "answer 1", "two", "answer 3"]
        home.clock.now += DAY
        vault.purge(yes=True)
    with home.open() as vault:  # which knows of no message, and counts anew
        graph = talk(vault)
        assert contents(graph.get_state(later.config)) == []
        talk(vault, "three")
        assert contents(graph.get_state(CONFIG)) == ["three", "answer 1"]
        assert contents(graph.get_state(later.config)) == []


def test_p5_a_hold_keeps_a_thread_and_a_memory_loudly(home: Home) -> None:
    with home.open() as vault:
        graph = talk(vault, "one", "two", "three", settings=LONG)
        store = VaultStore(vault, user_id="u-1")
        store.put(("a",), "k", {"n": 1})
        hold = vault.hold("u-1", reason="case 7")
        before = contents(graph.get_state(CONFIG))
        many = home.records()
        VaultSaver(vault).prune(["t-1"])
        store.delete(("a",), "k")
        with pytest.raises(HeldError):
            vault.forget_user("u-1")
        home.clock.now += 9 * DAY
        vault.purge(yes=True)
        assert contents(graph.get_state(CONFIG)) == before
        assert store.search(("a",)) == []
        assert home.records() >= many  # what was pruned and deleted is hidden
        vault.release(hold.id, reason="over")
        vault.carry_out_due()
        assert home.records() < many
        home.clock.now += DAY
        vault.purge(yes=True)
        assert graph.get_state(CONFIG).values == {}
        assert store.search(("a",)) == []


def test_pruning_keeps_what_the_latest_checkpoint_needs(home: Home) -> None:
    with home.open() as vault:
        graph = talk(vault, "one", "two", "three", settings=LONG)
        seen = graph.get_state(CONFIG).values["seen"]
        assert seen == ["seen 1", "seen 3", "seen 5"]
        graph.update_state(CONFIG, {"messages": [AIMessage("put in by hand", id="x")]})
        before, many = graph.get_state(CONFIG).values, home.records()
        VaultSaver(vault).prune(["t-1", "t-none"])
        assert home.records() < many
    with home.open() as vault:
        graph = talk(vault)
        assert graph.get_state(CONFIG).values == before
        talk(vault, "four")
        assert graph.get_state(CONFIG).values["seen"] == [*seen, "seen 8"]
        saver = VaultSaver(vault)
        for wrong in ("t-1", ["t-1"]):
            with pytest.raises(InputError):
                saver.prune(wrong, strategy="keep_latest" if wrong == "t-1" else "some")
        saver.prune(["t-1"], strategy="delete")
        assert graph.get_state(CONFIG).values == {}
    assert home.records() == 0


def test_a_copied_thread_goes_its_own_way(home: Home) -> None:
    there: Any = {"configurable": {"thread_id": "t-2", "user_id": "u-1"}}
    with home.open() as vault:
        graph = talk(vault, "one", "two", settings=LONG)
        saver = VaultSaver(vault)
        saver.copy_thread("t-1", "t-2")
        with pytest.raises(UsageError):
            saver.copy_thread("t-1", "t-2")
    with home.open() as vault:
        graph, saver = talk(vault, "three"), VaultSaver(vault)
        assert contents(graph.get_state(there)) == ["one", "answer 1", "two", "answer 3"]
        graph.invoke({"messages": [HumanMessage("other", id="other")]}, there)
        saver.delete_thread("t-1")
        assert contents(graph.get_state(there))[-2:] == ["other", "answer 5"]
        assert graph.get_state(there).values["seen"] == ["seen 1", "seen 3", "seen 5"]
        assert graph.get_state(CONFIG).values == {}


def test_p1_a_copy_gives_no_placeholder_to_somebody_else(home: Home) -> None:
    there: Any = {"configurable": {"thread_id": "t-2", "user_id": "u-1"}}
    with home.open() as vault:
        vault.close()
    with Vault.open(
        home.databases.transcripts,
        keyring=home.databases.keyring,
        root=f"file:{home.directory / 'root.key'}",
        clock=home.clock,
    ) as vault:
        graph = talk(vault, "I am anna@example.com")
        VaultSaver(vault).copy_thread("t-1", "t-2")
        graph.invoke({"messages": [HumanMessage("I am bert@example.com", id="b")]}, there)
        assert contents(graph.get_state(there))[::2] == ["I am <EMAIL_ADDRESS_1>", "I am <EMAIL_ADDRESS_2>"]
