"""LangGraph's long-term memory in a vault: over both faces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict
from uuid import UUID

import pytest
from databases import Databases
from faces import Clock
from langgraph.config import get_store
from langgraph.graph import START, StateGraph
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, Op, PutOp, SearchOp

from vault import AsyncVault, Vault
from vault.adapters.langgraph import VaultStore
from vault.errors import InputError, UserForgottenError

MINUTE = 60_000_000
pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def opened(database: Databases, tmp_path: Path) -> Callable[..., Any]:
    def open_(**changes: Any) -> Any:
        places: dict[str, Any] = {"keyring": database.keyring, "root": f"file:{tmp_path / 'root.key'}"}
        return Vault.open(database.transcripts, **places, **changes)

    return open_


class State(TypedDict):
    found: list[str]


def test_items_are_kept_found_and_deleted(opened: Callable[..., Any]) -> None:
    with opened(redactor=None) as vault:
        store = VaultStore(vault, user_id="u-1")
        store.put(("users", "profile"), "a", {"name": "A", "score": 3, "tags": ["x"], "in": {"deep": None}})
        store.put(("users", "notes"), "b", {"name": "B", "score": 5})
        store.put(("other",), "c", {"score": "none"})
    with opened(redactor=None) as vault:
        store = VaultStore(vault, user_id="u-1")
        found = store.get(("users", "profile"), "a")
        assert found is not None
        assert found.value == {"name": "A", "score": 3, "tags": ["x"], "in": {"deep": None}}
        assert (found.namespace, found.key) == (("users", "profile"), "a")
        assert store.get(("users",), "a") is None

        def keys(*prefix: str, **which: Any) -> list[str]:
            return sorted(item.key for item in store.search(prefix, **which))

        assert keys() == ["a", "b", "c"]
        assert keys("users") == ["a", "b"]
        assert keys(filter={"score": {"$gt": 3}}) == ["b"]
        assert keys(filter={"score": {"$gte": 3, "$lt": 5}}) == ["a"]
        assert keys(filter={"name": {"$ne": "A"}}) == ["b", "c"]
        assert keys(filter={"in": {"deep": None}, "tags": ["x"]}) == ["a"]
        assert len(store.search((), limit=2)) == 2
        assert len(store.search((), limit=2, offset=2)) == 1
        assert store.list_namespaces() == [("other",), ("users", "notes"), ("users", "profile")]
        assert store.list_namespaces(prefix=("users",), max_depth=1) == [("users",)]
        assert store.list_namespaces(suffix=("*", "notes")) == [("users", "notes")]
        every = [MatchCondition(match_type=kind, path=()) for kind in ("prefix", "suffix")]
        for one in every:
            [listed] = store.batch([ListNamespacesOp(match_conditions=(one,))])
            assert listed == store.list_namespaces()
        first = found.created_at
        store.put(("users", "profile"), "a", {"name": "Again"})
        again = store.get(("users", "profile"), "a")
        assert again is not None
        assert (again.value, again.created_at) == ({"name": "Again"}, first)
        assert again.updated_at > first
        store.delete(("users", "profile"), "a")
        assert keys("users") == ["b"]
        with pytest.raises(InputError):
            store.put(("users",), "a", {"what": object()})


REFUSED: list[object] = [
    float("nan"),
    float("-inf"),
    2**70,
    b"bytes",
    {1: 2},
    (1, 2),
    {"a set"},
    datetime(2026, 3, 4, tzinfo=UTC),
    UUID(int=1),
    object(),
    "\ud800",
]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_would_come_back_as_something_else_is_refused(opened: Callable[..., Any], value: object) -> None:
    with opened(redactor=None) as vault:
        store = VaultStore(vault, user_id="u-1")
        with pytest.raises(InputError) as caught:
            store.put(("a",), "k", {"x": [value]})
        assert caught.value.__cause__ is None
        assert store.get(("a",), "k") is None
        kept: dict[str, Any] = {"x": [None, True, 1.5, -(2**63), 2**64 - 1, "", {"y": []}]}
        store.put(("a",), "k", kept)
        found = store.get(("a",), "k")
        assert found is not None
        assert found.value == kept


@pytest.mark.parametrize("key", ["a\ud800", 7, None, b"k"])
def test_a_key_that_is_no_text_is_refused(opened: Callable[..., Any], key: Any) -> None:
    with opened(redactor=None) as vault:
        store = VaultStore(vault, user_id="u-1")
        ops: list[Op] = [
            PutOp(("a",), key, {"n": 1}),
            PutOp(("a",), key, None),
            GetOp(("a",), key),
            PutOp(("a", key), "k", {"n": 1}),
            GetOp(("a", key), "k"),
        ]
        for op in ops:
            with pytest.raises(InputError):
                store.batch([op])
        odd = "odd \n" * 999
        store.put((odd,), odd, {"n": 1})
        assert [one.key for one in store.search(())] == [odd]


@pytest.mark.parametrize("ttl", [float("inf"), float("nan"), 1e300])
def test_an_end_that_never_comes_is_refused(opened: Callable[..., Any], ttl: float) -> None:
    with opened(redactor=None) as vault:
        store = VaultStore(vault, user_id="u-1")
        with pytest.raises(InputError):
            store.put(("a",), "k", {"n": 1}, ttl=ttl)
        assert store.get(("a",), "k") is None


def test_a_batch_reads_what_was_there_before_it_writes(opened: Callable[..., Any]) -> None:
    with opened(redactor=None) as vault:
        store = VaultStore(vault, user_id="u-1")
        ops: list[Op] = [
            PutOp(("a",), "k", {"n": 1}),
            GetOp(("a",), "k"),
            PutOp(("a",), "k", {"n": 2}),
            SearchOp(("a",)),
            ListNamespacesOp(),
            PutOp(("b",), "k", {"n": 1}),
            PutOp(("b",), "k", None),
        ]
        assert store.batch(ops) == [None, None, None, [], [], None, None]
        found = store.batch([GetOp(("a",), "k"), GetOp(("b",), "k")])
        assert [item and item.value for item in found] == [{"n": 2}, None]  # type: ignore[union-attr]


def test_what_has_expired_is_never_given(opened: Callable[..., Any]) -> None:
    clock = Clock()
    with opened(redactor=None, clock=clock) as vault:
        store = VaultStore(vault, user_id="u-1", ttl={"default_ttl": 10, "refresh_on_read": True})
        store.put(("a",), "kept", {"n": 1}, ttl=None)
        store.put(("a",), "short", {"n": 2}, ttl=1)
        store.put(("a",), "usual", {"n": 3})
        clock.now += MINUTE // 2
        assert store.get(("a",), "short") is not None  # reading puts its end off
        clock.now += MINUTE * 3 // 4
        assert store.get(("a",), "short", refresh_ttl=False) is not None
        clock.now += MINUTE // 2
        assert store.get(("a",), "short") is None
        assert {item.key for item in store.search(("a",), refresh_ttl=False)} == {"usual", "kept"}
        assert store.sweep_ttl() == 1
        clock.now += 9 * MINUTE
        assert [item.key for item in store.search(("a",))] == ["kept"]
        assert store.list_namespaces() == [("a",)]
        assert store.sweep_ttl() == 1
        assert len(vault.transcript("u-1", "langgraph store").records("langgraph items").list()) == 1


@pytest.mark.parametrize("read", ["get", "search"])
@pytest.mark.parametrize("now", [{"n": 2}, None])
def test_p8_a_read_that_puts_an_end_off_undoes_no_write_of_another(
    opened: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    read: str,
    now: dict[str, Any] | None,
) -> None:
    clock = Clock()
    with opened(redactor=None, clock=clock) as vault, opened(redactor=None, clock=clock) as beside:
        store, other = VaultStore(vault, user_id="u-1"), VaultStore(beside, user_id="u-1")
        store.put(("a",), "k", {"n": 1}, ttl=1)
        store.put(("a",), "steady", {"n": 7}, ttl=1)
        clock.now += MINUTE // 2
        keep = vault._core.keep

        def later(*args: Any, **more: Any) -> Any:
            monkeypatch.setattr(vault._core, "keep", keep)
            other.delete(("a",), "k") if now is None else other.put(("a",), "k", now, ttl=9)
            return keep(*args, **more)

        monkeypatch.setattr(vault._core, "keep", later)
        if read == "get":
            store.get(("a",), "k")
        else:
            assert "steady" in {one.key for one in store.search(("a",))}
        for reader in (store, other):
            found = reader.get(("a",), "k", refresh_ttl=False)
            assert (None if found is None else found.value) == now
        clock.now += MINUTE * 3 // 4
        steady = other.get(("a",), "steady", refresh_ttl=False)
        assert (steady is not None) == (read == "search")  # what nobody changed is put off all the same


def test_a_sweep_leaves_what_another_puts_meanwhile(
    opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with opened(redactor=None, clock=clock) as vault, opened(redactor=None, clock=clock) as beside:
        store, other = VaultStore(vault, user_id="u-1"), VaultStore(beside, user_id="u-1")
        for key in ("a", "b"):
            store.put(("a",), key, {"n": 1}, ttl=1)
        clock.now += 2 * MINUTE
        keep = vault._core.keep

        def later(*args: Any, **more: Any) -> Any:
            monkeypatch.setattr(vault._core, "keep", keep)
            other.put(("a",), "a", {"n": 2})
            return keep(*args, **more)

        monkeypatch.setattr(vault._core, "keep", later)
        assert store.sweep_ttl() == 1
        assert [(one.key, one.value) for one in other.search(("a",))] == [("a", {"n": 2})]


def test_p1_values_are_redacted_and_nothing_is_stored_in_clear(
    opened: Callable[..., Any], database: Databases
) -> None:
    with opened() as vault:
        store = VaultStore(vault, user_id="u-1")
        store.put(("secret-place",), "secret-key", {"mail": "anna@example.com", "phone": 2079460018})
        found = store.get(("secret-place",), "secret-key")
        assert found is not None
        assert found.value["mail"] == "<EMAIL_ADDRESS_1>"
        assert found.value["phone"] != 2079460018
    dump = repr([database.dump(url) for url in (database.transcripts, database.keyring)])
    assert not any(word in dump for word in ("secret-place", "secret-key", "anna", "2079460018"))


def test_p7_each_user_has_a_memory_of_their_own_which_is_forgotten_with_them(
    opened: Callable[..., Any],
) -> None:
    def remember(_: State) -> State:
        store = get_store()
        store.put(("notes",), "n", {"text": "mine"})
        return {"found": [item.key for item in store.search(("notes",))]}

    with opened(redactor=None) as vault:
        store = VaultStore(vault)
        with pytest.raises(InputError):
            store.get(("a",), "k")
        builder: Any = StateGraph(State)
        builder.add_node("remember", remember)
        builder.add_edge(START, "remember")
        graph = builder.compile(store=store)
        for user in ("u-1", "u-2"):
            config: Any = {"configurable": {"user_id": user}}
            assert graph.invoke({"found": []}, config) == {"found": ["n"]}
        vault.forget_user("u-1", now=True)
        with pytest.raises(UserForgottenError):
            VaultStore(vault, user_id="u-1").search(("notes",))
        assert [item.key for item in VaultStore(vault, user_id="u-2").search(("notes",))] == ["n"]


def test_the_async_face_keeps_the_same_memory(database: Databases, tmp_path: Path) -> None:
    async def run() -> None:
        places: dict[str, Any] = {"keyring": database.keyring, "root": f"file:{tmp_path / 'root.key'}"}
        async with await AsyncVault.open(database.transcripts, redactor=None, **places) as vault:
            store = VaultStore(vault, user_id="u-1")
            await asyncio.gather(*(store.aput(("a",), f"{n}", {"n": n}) for n in range(10)))
            assert len(await store.asearch(("a",), limit=99)) == 10
            found = await asyncio.to_thread(store.get, ("a",), "3")
            assert found is not None
            assert found.value == {"n": 3}

    asyncio.run(run())
