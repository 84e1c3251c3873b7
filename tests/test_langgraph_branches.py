"""A thread that is taken back and goes two ways: each branch keeps the values that were put into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import pytest
from databases import Databases
from langgraph.graph import START, StateGraph

from vault import Vault
from vault.adapters.langgraph import VaultSaver

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
CONFIG: Any = {"configurable": {"thread_id": "t-1"}}
LONG = "x" * 1100  # a value of its own, beside its checkpoint


class State(TypedDict, total=False):
    draft: str
    liked: bool


class OldSaver(VaultSaver):
    """Gives versions as earlier releases gave them: two branches have the same ones."""

    def get_next_version(self, current: str | None, channel: None) -> str:
        return super().get_next_version(current, channel).partition(".")[0] + ".0"


def graph_over(saver: VaultSaver) -> Any:
    drafts = iter(range(1, 9))
    graph: Any = StateGraph(State)
    graph.add_node("write", lambda _: {"draft": f"draft {next(drafts)} {LONG}"})
    graph.add_node("check", lambda _: {"liked": False})
    graph.add_edge(START, "write")
    graph.add_edge("write", "check")
    return graph.compile(checkpointer=saver)


@pytest.fixture
def places(database: Databases, tmp_path: Path) -> dict[str, Any]:
    return {
        "where": database.transcripts,
        "keyring": database.keyring,
        "root": f"file:{tmp_path / 'root.key'}",
        "redactor": None,
    }


def draft(state: Any) -> str:
    return str(state.values["draft"].removesuffix(f" {LONG}"))


@pytest.mark.parametrize("kind", [VaultSaver, OldSaver])
@pytest.mark.parametrize("reopened", [False, True])
def test_who_goes_on_from_a_branch_goes_on_with_its_values(
    places: dict[str, Any], kind: type[VaultSaver], *, reopened: bool
) -> None:
    with Vault.open(**places) as vault:
        graph = graph_over(kind(vault, user_id="u-1"))
        graph.invoke({"liked": False}, CONFIG)
        first = graph.get_state(CONFIG)
        [before] = [one for one in graph.get_state_history(CONFIG) if one.next == ("write",)]
        graph.invoke(None, before.config)
        second = graph.get_state(CONFIG)
        assert (draft(first), draft(second)) == ("draft 1", "draft 2")
        if not reopened:
            _go_on(graph, first, second)
    with Vault.open(**places) as vault:  # what another process writes, and finds
        graph = graph_over(kind(vault, user_id="u-1"))
        _go_on(graph, graph.get_state(second.config), graph.get_state(first.config))
        drafts = [draft(one) for one in graph.get_state_history(CONFIG) if one.values.get("liked")]
        assert drafts == ["draft 1", "draft 2", "draft 2", "draft 1"][: 4 - 2 * reopened]


def _go_on(graph: Any, *states: Any) -> None:
    for state in states:
        graph.update_state(state.config, {"liked": True}, as_node="check")
        assert draft(graph.get_state(CONFIG)) == draft(state)


def test_versions_differ_between_branches(places: dict[str, Any]) -> None:
    with Vault.open(**places) as vault:
        saver = VaultSaver(vault, user_id="u-1")
        old = f"{7:032}.0"
        versions = {saver.get_next_version(old, None) for _ in range(9)}
        assert len(versions) == 9
        assert all(old < one < saver.get_next_version(one, None) for one in versions)


def test_a_long_value_that_stays_is_stored_once_on_each_branch(places: dict[str, Any]) -> None:
    with Vault.open(**places) as vault:
        saver = VaultSaver(vault, user_id="u-1")
        graph = graph_over(saver)
        graph.invoke({"liked": False}, CONFIG)
        for liked in (True, False, True):
            graph.update_state(CONFIG, {"liked": liked}, as_node="check")
        assert len(saver._face.core.records.read("u-1", "t-1", "langgraph values")) == 1
    with Vault.open(**places) as vault:
        saver = VaultSaver(vault, user_id="u-1")
        graph = graph_over(saver)
        for liked in (True, False):
            graph.update_state(CONFIG, {"liked": liked}, as_node="check")
        assert len(saver._face.core.records.read("u-1", "t-1", "langgraph values")) <= 2
