"""Who takes out of a wrapped memory while others do, in this process and in another: each item goes once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import wrapped
from databases import Databases
from faces import Home
from wrapped import NAMES, Notebook, bench_of, skip_without

from vault import Vault
from vault.wrapping import flows, turns
from vault.wrapping.turns import Turn

home, vault = wrapped.home, wrapped.vault


class Between:
    """What others do once, at the n-th time from now that a memory is asked for what it holds."""

    def __init__(self) -> None:
        self._plans: dict[int, Callable[[], object]] = {}
        self._times = 0

    def at(self, time: int, act: Callable[[], object]) -> None:
        self._plans[self._times + time] = act

    def passed(self) -> Callable[[], object]:
        self._times += 1
        return self._plans.pop(self._times, lambda: None)


@pytest.fixture
def other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for anybody, as between processes."""
    monkeypatch.setattr(flows, "turn_of", lambda *_: Turn())


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


class Sessions:
    """Two wrapped sessions over one storage; what others do comes after the first has read."""

    def __init__(self, vault: Vault, directory: Path) -> None:
        [agents] = skip_without("agents")
        self.between = Between()
        between, path = self.between, directory / "sessions.db"

        base: Any = agents.SQLiteSession

        class Busy(base):  # type: ignore[misc]
            async def get_items(self, limit: int | None = None) -> Any:
                found = await super().get_items(limit)
                done = between.passed()()
                if asyncio.iscoroutine(done):
                    await done
                return found

        self.inner = agents.SQLiteSession("s-1", path)
        self.first = vault.wrap(Busy("s-1", path), user_id="u-1")
        self.second = vault.wrap(agents.SQLiteSession("s-1", path), user_id="u-1")

    async def left(self) -> list[str]:
        found = [one["content"] for one in await self.second.get_items()]
        assert [one["content"] for one in await self.second.get_items()] == found
        return found


@pytest.mark.usefixtures("other_process")
def test_p2_an_item_that_another_process_pops_first_is_not_given_twice(vault: Vault, tmp_path: Path) -> None:
    async def main() -> None:
        sessions, popped = Sessions(vault, tmp_path), list[str]()
        await sessions.first.add_items(said("0", "1", "2", "3"))

        async def pop() -> None:
            popped.append((await sessions.second.pop_item())["content"])

        sessions.between.at(1, pop)
        assert (await sessions.first.pop_item())["content"] == "2"
        assert popped == ["3"]
        assert await sessions.left() == ["0", "1"]
        assert len(await sessions.inner.get_items()) == 2

    asyncio.run(main())


@pytest.mark.usefixtures("other_process")
def test_p8_what_another_process_adds_amid_a_pop_stays(vault: Vault, tmp_path: Path) -> None:
    async def main() -> None:
        for moment in (1, 2):
            sessions = Sessions(vault, tmp_path)
            await sessions.first.clear_session()
            await sessions.first.add_items(said("0", "1"))
            sessions.between.at(moment, partial(sessions.second.add_items, said("2")))
            assert (await sessions.first.pop_item())["content"] == "1"
            assert await sessions.left() == ["0", "2"]
            await sessions.second.add_items(said("3"))
            assert await sessions.left() == ["0", "2", "3"]
            assert (await sessions.first.pop_item())["content"] == "3"
            assert await sessions.left() == ["0", "2"]

    asyncio.run(main())


def test_many_pops_at_once_give_each_item_once(vault: Vault, tmp_path: Path) -> None:
    async def main() -> None:
        sessions = Sessions(vault, tmp_path)
        await sessions.first.add_items(said(*"01234567"))
        both = [sessions.first, sessions.second]
        found = await asyncio.gather(*(both[n % 2].pop_item() for n in range(5)))
        assert sorted(one["content"] for one in found) == [*"34567"]
        assert await sessions.left() == [*"012"]
        assert len(await sessions.inner.get_items()) == 3
        calls = [sessions.first.pop_item(), sessions.second.add_items(said("8")), sessions.first.pop_item()]
        await asyncio.gather(*calls)
        assert await sessions.left() in (["0", "1"], ["0", "8"])

    asyncio.run(main())


class Stores:
    """A wrapped LlamaIndex store; what others do comes after the first has read."""

    def __init__(self, vault: Vault) -> None:
        [stores] = skip_without("llama_index.core.storage.chat_store")
        from llama_index.core.llms import ChatMessage

        self.between = Between()
        between = self.between

        base: Any = stores.SimpleChatStore

        class Busy(base):  # type: ignore[misc]
            def get_messages(self, key: str) -> Any:
                found = list(super().get_messages(key))
                between.passed()()
                return found

        self.inner = Busy()
        self.wrapped = vault.wrap(self.inner, user_id="u-1")
        for text in "0123":
            self.wrapped.add_message("s-1", ChatMessage(role="user", content=text))

    def delete(self, place: int) -> str:
        return str(self.wrapped.delete_message("s-1", place).content)

    def left(self) -> str:
        return "".join(one.content for one in self.wrapped.get_messages("s-1"))


@pytest.mark.usefixtures("other_process")
@pytest.mark.parametrize("moment", [1, 2])
def test_p8_a_message_that_another_process_deletes_first_costs_no_other(moment: int, vault: Vault) -> None:
    stores, deleted = Stores(vault), list[str]()
    stores.between.at(moment, lambda: deleted.append(stores.delete(0)))
    deleted.append(stores.delete(0))
    assert sorted(deleted) == ["0", "1"]
    assert stores.left() == "23"
    assert len(stores.inner.get_messages("s-1")) == 2


@pytest.mark.usefixtures("other_process")
def test_p8_what_is_taken_by_mistake_is_put_back_where_it_was(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = Stores(vault)
    take = type(stores.inner).delete_message

    def delete_message(self: Any, key: str, idx: int) -> Any:
        monkeypatch.undo()
        stores.inner.store[key].pop(0)  # another process deletes 0 this very moment
        return take(self, key, idx)

    state = vault.transcript("u-1", "s-1")
    assert len(state.messages()) == 4
    monkeypatch.setattr(type(stores.inner), "delete_message", delete_message)
    monkeypatch.setattr(flows, "turn_of", lambda *_: Turn())
    assert stores.delete(0) == "0"
    assert stores.left() == "123"


class Wiped(Notebook):
    """A memory to which another process adds just before it is wiped, or just after."""

    before: Callable[[], object] = staticmethod(lambda: None)
    after: Callable[[], object] = staticmethod(lambda: None)

    def wipe(self) -> None:
        self.before()
        super().wipe()
        self.after()


@pytest.mark.usefixtures("other_process")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_p2_what_is_added_while_a_memory_is_cleared_is_no_theft(moment: str, vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    wiped = Wiped(held, "s-1")
    first = vault.wrap(wiped, user_id="u-1", session_id="s-1", **NAMES)
    second = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    second.save_message("user", "old")
    setattr(wiped, moment, lambda: second.save_message("user", "amid"))
    first.wipe()
    assert second.load_conversation() == []
    second.save_message("user", "new")
    assert second.load_conversation() == said("new")


@pytest.mark.usefixtures("other_process")
def test_p2_what_is_announced_before_a_memory_is_cleared_and_added_after_is_no_theft(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    first = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)

    class Late(Notebook):
        def save_message(self, role: str, content: str) -> None:
            first.wipe()
            super().save_message(role, content)

    first.save_message("user", "old")
    late = vault.wrap(Late(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    late.save_message("user", "amid")
    assert first.load_conversation() == []
    first.save_message("user", "new")
    assert first.load_conversation() == said("new")


def test_a_wrapped_pop_takes_only_what_it_removed_on_every_database(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "turn_of", lambda *_: Turn())

    async def main(one: Vault, other: Vault) -> None:
        sessions, popped = Sessions(one, tmp_path), list[str]()
        far = other.wrap(sessions.inner, user_id="u-1")
        await sessions.first.add_items(said("0", "1", "2"))
        assert len(await far.get_items()) == 3

        async def pop() -> None:
            popped.append((await far.pop_item())["content"])

        sessions.between.at(1, pop)
        popped.append((await sessions.first.pop_item())["content"])
        assert popped == ["2", "1"]
        assert await sessions.left() == ["0"]

    home = Home(database, tmp_path / "root.key", None)
    with home.open() as one, home.open() as other:
        asyncio.run(main(one, other))


# -- turns -----------------------------------------------------------------------------------------------


def test_who_adds_goes_beside_others_and_who_takes_goes_alone() -> None:
    turn = Turn()
    adding = [turn.ask(alone=False) for _ in range(2)]
    assert [one.has_come for one in adding] == [True, True]
    taking = turn.ask(alone=True)
    later = turn.ask(alone=False)
    assert [taking.has_come, later.has_come] == [False, False]
    turn.leave()
    assert not taking.has_come
    turn.leave()
    assert [taking.has_come, later.has_come] == [True, False]
    turn.leave()
    assert later.has_come


def test_a_session_has_one_turn_in_a_process(vault: Vault) -> None:
    stores = vault._core.stores
    turn = turns.turn_of(stores.vault, "u-1", "s-1")
    assert turns.turn_of(stores.vault, "u-1", "s-1") is turn
    assert turns.turn_of(stores.vault, "u-2", "s-1") is not turn
    assert turns.turn_of(bytes(16), "u-1", "s-1") is not turn


def test_who_is_cancelled_while_waiting_holds_nobody_up() -> None:
    async def main() -> None:
        turn = Turn()
        assert await turn.ask(alone=True).awaited()
        waiting = asyncio.ensure_future(turn.ask(alone=True).awaited())
        given = asyncio.ensure_future(turn.ask(alone=True).awaited())
        await asyncio.sleep(0)
        waiting.cancel()
        turn.leave()
        given.cancel()  # its turn had come, and it was not told yet
        assert isinstance((await asyncio.gather(waiting, given, return_exceptions=True))[1], BaseException)
        assert turn.ask(alone=True).has_come

    asyncio.run(main())


def test_who_would_wait_for_their_own_loop_goes_on_without_a_turn() -> None:
    async def main() -> None:
        turn = Turn()
        assert await turn.ask(alone=True).awaited()
        assert not turn.ask(alone=True).wait()
        turn.leave()
        assert turn.ask(alone=True).wait()

    asyncio.run(main())


def test_a_step_that_fails_gives_the_turn_back(vault: Vault) -> None:
    class _FullError(Exception):
        pass

    class Full(Notebook):
        def save_message(self, role: str, content: str) -> None:  # noqa: ARG002 (the memory's)
            raise _FullError

    held: dict[str, list[dict[str, Any]]] = {}
    full = vault.wrap(Full(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    with pytest.raises(_FullError) as raised:
        full.save_message("user", "one")
    memory.wipe()
    assert raised.traceback  # which holds what was under way
    assert memory.load_conversation() == []


def test_who_adds_while_a_memory_is_cleared_waits_for_it(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    wiped = Wiped(held, "s-1")
    first = vault.wrap(wiped, user_id="u-1", session_id="s-1", **NAMES)
    second = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    second.save_message("user", "old")
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        adding: list[Future[None]] = []

        def add() -> None:
            begun.set()
            second.save_message("user", "new")

        def start() -> None:
            adding.append(pool.submit(add))
            assert begun.wait(30)

        wiped.before = start
        first.wipe()
        adding[0].result(30)
    assert second.load_conversation() == said("new")


def test_p8_who_adds_amid_an_insertion_is_not_replaced_by_it(vault: Vault) -> None:
    stores = Stores(vault)
    from llama_index.core.llms import ChatMessage

    with ThreadPoolExecutor(1) as pool:
        adding: list[Future[None]] = []

        def start() -> None:
            message = ChatMessage(role="user", content="4")
            adding.append(pool.submit(stores.wrapped.add_message, "s-1", message))
            wait(adding, 0.3)  # for its turn, or its end

        stores.between.at(1, start)
        stores.wrapped.add_message("s-1", ChatMessage(role="user", content="9"), 0)
        adding[0].result(30)
    assert stores.left() == "901234"


def twice(vault: Vault, path: Path) -> Any:
    [histories] = skip_without("langchain_community.chat_message_histories")
    sealed = vault.wrap(histories.FileChatMessageHistory(str(path)), user_id="u-1", session_id="s-1")
    return vault.wrap(sealed, user_id="u-1", session_id="s-1", mode="record")


def use(memory: Any) -> list[object]:
    [messages] = skip_without("langchain_core.messages")
    memory.add_messages([messages.HumanMessage("one")])
    memory.clear()
    memory.add_messages([messages.HumanMessage("two")])
    return [one.content for one in memory.messages]


async def await_it(memory: Any) -> list[object]:
    [messages] = skip_without("langchain_core.messages")
    await memory.aadd_messages([messages.HumanMessage("one")])
    await memory.aclear()
    await memory.aadd_messages([messages.HumanMessage("two")])
    return [one.content for one in await memory.aget_messages()]


@pytest.mark.parametrize("way", [use, lambda memory: asyncio.run(await_it(memory))], ids=["sync", "async"])
def test_a_memory_that_is_wrapped_twice_does_not_wait_for_itself(
    vault: Vault, tmp_path: Path, way: Callable[[Any], list[object]]
) -> None:
    told: list[object] = []
    memory = twice(vault, tmp_path / "chat.json")
    thread = threading.Thread(target=lambda: told.append(way(memory)), daemon=True)
    thread.start()
    thread.join(30)
    assert told == [["two"]]
    assert turns.turn_of(vault._core.stores.vault, "u-1", "s-1").ask(alone=True).has_come


def test_a_flow_over_every_kind_of_memory_leaves_its_turn(vault: Vault, tmp_path: Path) -> None:
    for kind in ("file", "agents", "llamaindex", "named"):
        (tmp_path / kind).mkdir()
        with bench_of(kind, tmp_path / kind) as bench:
            memory = bench.wrap(vault, "u-1", kind)
            bench.add(memory, [("user", "one")])
            bench.clear(memory)
            turn = turns.turn_of(vault._core.stores.vault, "u-1", kind)
            assert turn.ask(alone=True).has_come
            turn.leave()
