"""P2, P7, P8: a vault that is open when the process forks: `gunicorn --preload`, multiprocessing."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crash_child import Place
from databases import Databases
from processes import PATIENCE

from vault import AsyncVault, Vault
from vault.errors import UsageError
from vault.redaction import finder
from vault.redaction.engine import Engine
from vault.storage import forking
from vault.wrapping import turns

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

NUMBER = 12


@pytest.fixture
def place(database: Databases, tmp_path: Path) -> Place:
    return Place(database.transcripts, database.keyring, f"file:{tmp_path / 'root.key'}")


def forked(work: Callable[[], object]) -> int:
    """Do something in a child, which is killed when it hangs; give its process id."""
    child = os.fork()
    if child:
        return child
    signal.alarm(PATIENCE // 2)
    try:
        work()
    except BaseException:  # noqa: BLE001 (nothing of pytest's may go on in the child)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def check_ended(children: list[int]) -> None:
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)


def say(vault: Vault, user: str, name: str) -> list[str]:
    chat = vault.transcript(user, "s")
    return [str(chat.append("user", f"{name}-{count}").content) for count in range(NUMBER)]


def check_all_there(place: Place, user: str, names: list[str]) -> None:
    with place.open() as vault:
        texts = Counter(str(message.content) for message in vault.transcript(user, "s").messages())
        assert texts == Counter(["first", *(f"{name}-{count}" for name in names for count in range(NUMBER))])


@pytest.mark.wide
def test_p8_what_forked_children_and_their_parent_append_is_all_there_once(place: Place) -> None:
    with place.open() as vault:
        vault.transcript("u", "s").append("user", "first")
        children = [forked(lambda name=name: say(vault, "u", name)) for name in ("one", "two")]  # type: ignore[misc]
        say(vault, "u", "parent")
        check_ended(children)
        say(vault, "u", "parent again")
    check_all_there(place, "u", ["one", "two", "parent", "parent again"])


@pytest.mark.wide
def test_p8_children_forked_while_threads_append_go_on_as_their_parent_does(place: Place) -> None:
    threads = [f"thread-{number}" for number in range(3)]
    stop = threading.Event()
    said: dict[str, int] = dict.fromkeys(threads, 0)

    def talk(name: str) -> None:
        while not stop.is_set():
            vault.transcript("u", "s").append("user", f"{name}-{said[name]}")
            said[name] += 1

    with place.open() as vault:
        vault.transcript("u", "s").append("user", "first")
        running = [threading.Thread(target=talk, args=(name,)) for name in threads]
        for thread in running:
            thread.start()
        children = [forked(lambda name=name: say(vault, "u", name)) for name in ("one", "two", "three")]  # type: ignore[misc]
        check_ended(children)
        stop.set()
        for thread in running:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread hangs"
    with place.open() as vault:
        texts = [str(message.content) for message in vault.transcript("u", "s").messages()]
    expected = [f"{name}-{count}" for name in ("one", "two", "three") for count in range(NUMBER)]
    expected += [f"{name}-{count}" for name in threads for count in range(said[name])]
    assert sorted(texts) == sorted(["first", *expected])


@pytest.mark.wide
def test_p8_a_child_goes_on_when_its_parent_has_closed_the_vault(place: Place) -> None:
    """Were SQLite's locks shared, the parent would take the child's log for its own and remove it."""
    heard, tell = os.pipe()

    def wait_and_say(vault: Vault) -> None:
        os.close(tell)
        vault.transcript("u", "s").messages()
        os.read(heard, 1)
        say(vault, "u", "child")

    with place.open() as vault:
        vault.transcript("u", "s").append("user", "first")
        child = forked(lambda: wait_and_say(vault))
    os.close(heard)
    os.close(tell)
    check_ended([child])
    check_all_there(place, "u", ["child"])


@pytest.mark.wide
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p8_a_child_forked_within_a_transaction_is_refused_a_file_of_sqlite(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a word about why; its parent goes on."""
    monkeypatch.setattr(forking, "PATIENCE", 0.0)
    is_inside, may_leave = threading.Event(), threading.Event()

    def stay(_: object) -> None:
        is_inside.set()
        assert may_leave.wait(PATIENCE)

    def refused() -> None:
        for attempt in (lambda: say(vault, "u", "child"), place.open):
            with pytest.raises(UsageError, match="was forked while the"):
                attempt()

    with place.open() as vault:
        vault.transcript("u", "s").append("user", "first")
        thread = threading.Thread(target=vault._core.stores.transcripts.read, args=(stay,))
        thread.start()
        assert is_inside.wait(PATIENCE)
        child = forked(refused)
        may_leave.set()
        thread.join(PATIENCE)
        check_ended([child])
        say(vault, "u", "parent")
    check_all_there(place, "u", ["parent"])


@pytest.mark.wide
def test_a_child_forked_while_the_first_message_is_redacted_redacts_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, parent, real = Engine(), os.getpid(), finder.Patterns
    begun, ended = threading.Event(), threading.Event()

    def built(*given: Any, **how: Any) -> finder.Patterns:
        if os.getpid() == parent:
            begun.set()
            assert ended.wait(PATIENCE)
        return real(*given, **how)

    monkeypatch.setattr(finder, "Patterns", built)
    thread = threading.Thread(target=engine.redact_text, args=("Hello",))
    thread.start()
    assert begun.wait(PATIENCE)
    try:
        check_ended([forked(lambda: engine.redact_text("Call me on 020 7946 0018"))])
    finally:
        ended.set()
        thread.join(PATIENCE)


def test_a_child_forked_while_a_thread_looks_for_the_turn_of_a_memory_finds_one() -> None:
    with turns._looking:
        children = [forked(lambda: turns.turn_of(b"vault", "u", "s"))]
    check_ended(children)


@pytest.mark.wide
def test_p7_an_async_vault_is_refused_in_a_child_and_goes_on_in_its_parent(place: Place) -> None:
    async def append(vault: AsyncVault, text: str) -> None:
        await vault.transcript("u", "s").append("user", text)

    def refused(vault: AsyncVault) -> None:
        with pytest.raises(UsageError, match="forked after the AsyncVault was opened"):
            asyncio.run(append(vault, "by the child"))
        asyncio.run(vault.close())

    async def begin() -> AsyncVault:
        vault = await place.open_async()
        await append(vault, "first")
        return vault

    async def go_on(vault: AsyncVault) -> None:
        for count in range(NUMBER):
            await append(vault, f"parent-{count}")
        await vault.close()

    with asyncio.Runner() as runner:
        vault = runner.run(begin())
        check_ended([forked(lambda: refused(vault))])
        runner.run(go_on(vault))
    check_all_there(place, "u", ["parent"])
