"""The life of a wrapped memory: what it held before, what breaks off, who writes beside, what it trims."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import wrapped
from databases import Databases
from faces import Home
from test_strings import search
from wrapped import NAMES, SAID, Bench, Notebook, bench_of, skip_without

from vault import AsyncVault, Vault
from vault.errors import HeldError, InputError, RedactionError, TamperedError, UsageError, UserForgottenError
from vault.messages import Message

bench, home, vault = wrapped.bench, wrapped.home, wrapped.vault


# -- what was there before -------------------------------------------------------------------------------


def test_p2_a_plain_memory_is_refused_unless_it_is_adopted(bench: Bench, vault: Vault) -> None:
    bench.add(bench.open("s-1"), SAID)
    with pytest.raises(TamperedError, match="did not seal"):
        bench.read(bench.wrap(vault, "u-1", "s-1"))
    assert search({"memory": "\n".join(bench.raw("s-1")).encode()}, {"Monday"}) != set()
    adopting = bench.wrap(vault, "u-1", "s-1", adopt=True)
    assert bench.read(adopting) == SAID
    assert search({"memory": "\n".join(bench.raw("s-1")).encode()}, {text for _, text in SAID}) == set()
    assert len(bench.raw("s-1")) == len(SAID)
    assert bench.read(bench.wrap(vault, "u-1", "s-1")) == SAID


def test_p1_a_file_that_is_adopted_is_sealed_where_a_link_leads_to(vault: Vault, tmp_path: Path) -> None:
    [histories] = skip_without("langchain_community.chat_message_histories")
    (tmp_path / "data").mkdir()
    file, link = tmp_path / "data" / "chat.json", tmp_path / "chat.json"
    histories.FileChatMessageHistory(str(file)).add_user_message("a secret")
    link.symlink_to(file)
    history = histories.FileChatMessageHistory(str(link))
    memory = vault.wrap(history, user_id="u-1", session_id="s-1", adopt=True)
    assert [message.content for message in memory.messages] == ["a secret"]
    assert "secret" not in file.read_text()
    assert link.is_symlink()


def test_what_was_written_beside_the_vault_is_adopted_where_it_stands(bench: Bench, vault: Vault) -> None:
    memory = bench.wrap(vault, "u-1", "s-1", adopt=True)
    bench.add(memory, SAID[:1])
    bench.add(bench.open("s-1"), SAID[1:2])
    bench.add(memory, SAID[2:])
    assert bench.read(memory) == SAID
    bench.add(memory, SAID[:1])
    assert bench.read(bench.wrap(vault, "u-1", "s-1")) == [*SAID, *SAID[:1]]
    stored = bench.raw("s-1")
    bench.write("s-1", [*stored[:2], *stored[3:]])
    with pytest.raises(TamperedError):
        bench.read(memory)


def test_a_memory_that_can_not_be_sealed_in_place_says_so(vault: Vault) -> None:
    held = {"s-1": [{"role": "user", "content": "plain"}]}
    names = {name: method for name, method in NAMES.items() if name != "replace"}
    memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", adopt=True, **names)
    with pytest.raises(UsageError, match="can't be sealed in place"):
        memory.load_conversation()
    assert held == {"s-1": [{"role": "user", "content": "plain"}]}


# -- what breaks off -------------------------------------------------------------------------------------


class _CrashError(Exception):
    pass


class Fragile(Notebook):
    """A memory that breaks off before or after it has written."""

    crash = ""

    def save_message(self, role: str, content: str) -> None:
        if self.crash == "before":
            raise _CrashError
        super().save_message(role, content)
        if self.crash == "after":
            raise _CrashError


@pytest.mark.parametrize("crash", ["before", "after"])
def test_p8_a_crash_while_the_memory_is_written_accuses_nobody(home: Home, crash: str) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    with home.open() as vault:
        inner = Fragile(held, "s-1")
        memory = vault.wrap(inner, user_id="u-1", session_id="s-1", **NAMES)
        memory.save_message("user", "one")
        inner.crash = crash
        with pytest.raises(_CrashError):
            memory.save_message("user", "two")
    with home.open() as vault:
        memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
        memory.save_message("user", "three")
        said = [one["content"] for one in memory.load_conversation()]
        assert said == (["one", "three"] if crash == "before" else ["one", "two", "three"])
        held["s-1"].pop()  # what was acknowledged is missed all the same
        with pytest.raises(TamperedError):
            memory.load_conversation()


def test_p1_where_redaction_fails_nothing_is_written_anywhere(home: Home) -> None:
    class Failing:
        def redact(self, message: Message) -> Message:
            raise ValueError(message.content)

    held: dict[str, list[dict[str, Any]]] = {}
    with home.open(redactor=Failing()) as vault:
        memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
        with pytest.raises(RedactionError):
            memory.save_message("user", "Hello")
        assert held == {}
        assert list(vault.users()) == []


def test_p1_redaction_comes_first_and_its_numbers_are_those_of_the_session(bench: Bench, home: Home) -> None:
    said = [("user", "I am anna@example.org, not zoe@example.org"), ("assistant", "Hello anna@example.org!")]
    with Vault.open(home.root.parent / "redacting") as vault:
        vault.transcript("u-1", "s-1").append("user", "zoe@example.org wrote")
        memory = bench.wrap(vault, "u-1", "s-1")
        bench.add(memory, said)
        assert bench.read(memory) == [
            ("user", "I am <EMAIL_ADDRESS_2>, not <EMAIL_ADDRESS_1>"),
            ("assistant", "Hello <EMAIL_ADDRESS_2>!"),
        ]


def test_after_a_forget_what_is_left_can_be_cleared_away(bench: Bench, vault: Vault) -> None:
    if bench.name == "llamaindex":
        pytest.skip("its delete gives what it deletes, and so reads it first")
    memory = bench.wrap(vault, "u-1", "s-1")
    bench.add(memory, SAID)
    vault.forget_user("u-1", now=True)
    bench.clear(memory)
    assert bench.raw("s-1") == []
    with pytest.raises(UserForgottenError):
        bench.read(memory)


# -- many at once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sql", "redis", "mongodb", "named"])
def test_two_wrappers_of_one_session_lose_nothing_and_accuse_nobody(
    kind: str, home: Home, tmp_path: Path
) -> None:
    with bench_of(kind, tmp_path) as bench, home.open() as one, home.open() as other:
        start = threading.Barrier(2, timeout=30)
        # Before they start: two that make the table at once fail in LangChain's own storage.
        memories = [bench.wrap(vault, "u-1", "s-1") for vault in (one, other)]

        def talk(memory: Any, name: str) -> None:
            start.wait()
            for number in range(12):
                bench.add(memory, [("user", f"{name} {number}")])
                assert [text for _, text in bench.read(memory) if text.startswith(name)] == [
                    f"{name} {n}" for n in range(number + 1)
                ]

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(talk, *each) for each in zip(memories, "ab", strict=True)]:
                done.result()
        assert len(bench.read(bench.wrap(one, "u-1", "s-1"))) == 24


def test_the_order_is_that_of_the_vault_where_writers_overtake_each_other(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    arrived, go_on = threading.Event(), threading.Event()

    class Slow(Notebook):
        def save_message(self, role: str, content: str) -> None:
            arrived.set()
            assert go_on.wait(30)
            super().save_message(role, content)

    slow = vault.wrap(Slow(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    quick = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    quick.save_message("user", "one")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slow.save_message, "user", "two")
        assert arrived.wait(30)
        quick.save_message("user", "three")
        assert [one["content"] for one in quick.load_conversation()] == ["one", "three"]
        quick.save_message("user", "four")
        go_on.set()
        waiting.result()
    assert [one["content"] for one in quick.load_conversation()] == ["one", "two", "three", "four"]


class Busy(Notebook):
    """A memory that others write to, just before it is read or just after."""

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None

    def load_conversation(self) -> list[dict[str, Any]]:
        first, self.before, then, self.after = self.before, None, self.after, None
        if first is not None:
            first()
        found = super().load_conversation()
        if then is not None:
            then()
        return found


@pytest.mark.parametrize(
    ("moment", "what", "expected"),
    [
        ("before", "add", ["one", "two"]),
        ("after", "add", ["one"]),
        ("before", "wipe", []),
        ("after", "wipe", ["one"]),
        ("before", "forget", UserForgottenError),
        ("after", "forget", ["one"]),
    ],
)
def test_what_others_do_while_the_memory_is_read_is_no_theft(
    vault: Vault, moment: str, what: str, expected: Any
) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    busy = Busy(held, "s-1")
    memory = vault.wrap(busy, user_id="u-1", session_id="s-1", **NAMES)
    other = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    other.save_message("user", "one")

    def act() -> None:
        match what:
            case "add":
                other.save_message("user", "two")
            case "wipe":
                other.wipe()
            case _:
                vault.forget_user("u-1", now=True)
                held["s-1"].append(held["s-1"][0])  # so that the first look accuses

    setattr(busy, moment, act)
    if isinstance(expected, list):
        assert [one["content"] for one in memory.load_conversation()] == expected
    else:
        with pytest.raises(expected):
            memory.load_conversation()


def test_a_session_that_is_started_anew_while_the_memory_is_read_is_no_theft(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    busy = Busy(held, "s-1")
    memory = vault.wrap(busy, user_id="u-1", session_id="s-1", **NAMES)
    other = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    other.save_message("user", "one")
    busy.before, busy.after = other.wipe, lambda: other.save_message("user", "again")
    assert memory.load_conversation() == []
    assert [one["content"] for one in memory.load_conversation()] == ["again"]


# -- holds -----------------------------------------------------------------------------------------------


def test_p5_under_a_hold_clearing_leaves_the_memory_as_it_is(bench: Bench, vault: Vault) -> None:
    memory = bench.wrap(vault, "u-1", "s-1")
    bench.add(memory, SAID[:2])
    hold = vault.hold("u-1", reason="case 7")
    stored = bench.raw("s-1")
    bench.clear(memory)
    assert bench.raw("s-1") == stored
    assert bench.read(memory) == []
    bench.add(memory, SAID[2:])
    assert bench.read(memory) == SAID[2:]
    with pytest.raises(HeldError):
        vault.forget_user("u-1", now=True)
    vault.release(hold.id, reason="closed")
    vault.carry_out_due()
    assert bench.read(memory) == SAID[2:]
    bench.clear(memory)
    assert bench.raw("s-1") == []
    assert bench.read(memory) == []


def test_p5_under_a_hold_what_is_popped_stays_in_the_memory(vault: Vault, tmp_path: Path) -> None:
    with bench_of("agents", tmp_path) as bench, asyncio.Runner() as runner:
        memory = bench.wrap(vault, "u-1", "s-1")
        bench.add(memory, SAID)
        hold = vault.hold("u-1", "s-1", reason="case 7")
        stored = bench.raw("s-1")
        assert runner.run(memory.pop_item())["content"] == SAID[2][1]
        assert runner.run(memory.pop_item())["content"] == SAID[1][1]
        assert bench.raw("s-1") == stored
        assert bench.read(memory) == SAID[:1]
        bench.add(memory, SAID[1:2])
        assert bench.read(memory) == SAID[:2]
        vault.release(hold.id, reason="closed")
        vault.carry_out_due()
        assert bench.read(memory) == SAID[:2]
        assert runner.run(memory.pop_item())["content"] == SAID[1][1]
        assert bench.read(memory) == SAID[:1]


def test_p5_under_a_hold_what_is_replaced_stays_in_the_memory(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    for role, text in SAID:
        memory.save_message(role, text)
    vault.hold("u-1", reason="case 7")
    stored = list(held["s-1"])
    new = [{"role": "user", "content": SAID[0][1]}, {"role": "user", "content": "A summary."}]
    memory.store_conversation(new)
    assert memory.load_conversation() == new
    assert held["s-1"][:3] == stored
    assert len(held["s-1"]) == 4


# -- what the memory trims -------------------------------------------------------------------------------


def test_a_memory_that_keeps_the_last_messages_only_is_read_as_far_as_it_goes(
    vault: Vault, tmp_path: Path
) -> None:
    with bench_of("dynamodb", tmp_path) as bench:
        inner = bench.open("s-1")
        inner.history_size = 2
        memory = vault.wrap(inner, user_id="u-1", session_id="s-1")
        for one in SAID:
            bench.add(memory, [one])
        assert bench.read(memory) == SAID[1:]
        assert memory.messages.trimmed == 1
        rows = bench.raw("s-1")
        bench.write("s-1", rows[:1])
        with pytest.raises(TamperedError):
            bench.read(memory)
        bench.write("s-1", rows)
        with pytest.raises(TamperedError):
            bench.read(bench.wrap(vault, "u-1", "s-1", trims=False))


# -- recording -------------------------------------------------------------------------------------------


def test_recording_leaves_the_memory_as_it_is_and_keeps_the_whole_transcript(
    bench: Bench, vault: Vault
) -> None:
    memory = bench.wrap(vault, "u-1", "s-1", mode="record")
    bench.add(memory, SAID[:2])
    assert bench.read(memory) == SAID[:2] == bench.read(bench.open("s-1"))
    bench.clear(memory)
    bench.add(memory, SAID[2:])
    assert bench.read(memory) == SAID[2:]
    kept = vault.transcript("u-1", "s-1").messages()
    assert [(one.role, text_of(one)) for one in kept] == SAID
    vault.forget_user("u-1", now=True)
    stored = bench.raw("s-1")
    with pytest.raises(UserForgottenError):
        bench.read(memory)
    with pytest.raises(UserForgottenError):
        bench.add(memory, SAID)
    assert bench.raw("s-1") == stored


def text_of(message: Message) -> str:
    match message.content:
        case [{"text": str(text)}]:
            return text
        case _:
            return str(message.content)


# -- objects of no framework -----------------------------------------------------------------------------


class Archive:
    """An async memory of many conversations, with arguments of its own."""

    def __init__(self) -> None:
        self.held: dict[str, list[dict[str, Any]]] = {}

    async def put(self, conversation: str, message: dict[str, Any], note: str = "") -> None:
        at = len(self.held.setdefault(conversation, []))
        self.held[conversation].append({**message, "id": at, "note": note})

    async def get(self, conversation: str) -> list[dict[str, Any]]:
        return [dict(one) for one in self.held[conversation]]


def test_p2_not_promised_fields_that_a_memory_adds_itself_but_none_that_were_sealed(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    memory.save_message("user", "Hello")
    [stored] = held["s-1"]
    stored["name"] = "Anna"
    assert memory.load_conversation() == [{"role": "user", "content": "Hello", "name": "Anna"}]
    stored["role"] = "assistant"
    with pytest.raises(TamperedError):
        memory.load_conversation()


def test_an_async_object_is_awaited_and_its_own_arguments_are_passed_on(home: Home) -> None:
    async def live() -> None:
        where = home.databases.transcripts
        async with await AsyncVault.open(
            where, keyring=home.databases.keyring, root=f"file:{home.root}", redactor=None
        ) as vault:
            archive = Archive()
            memory = vault.wrap(
                archive, user_id="u-1", session_id="c-1", add="put", read="get", keep=["conversation"]
            )
            said = {"role": "user", "content": "Hello", "tags": ["greeting"], "metadata": {"a": 1}}
            await memory.put("c-1", said)
            assert await memory.get("c-1") == [{**said, "id": 0, "note": ""}]
            [stored] = archive.held["c-1"]
            assert stored.keys() == {"role", "content", "id", "note"}
            with pytest.raises(InputError, match="unsealed"):
                await memory.put("c-1", said, note="about Anna")
            assert len(archive.held["c-1"]) == 1
            assert not hasattr(memory, "held")

    asyncio.run(live())


def test_a_sync_memory_of_an_async_vault_says_how_it_is_used(home: Home, tmp_path: Path) -> None:
    async def live() -> None:
        async with await AsyncVault.open(
            home.databases.transcripts,
            keyring=home.databases.keyring,
            root=f"file:{home.root}",
            redactor=None,
        ) as vault:
            with bench_of("sql", tmp_path) as bench:
                memory = vault.wrap(bench.open("s-1"), user_id="u-1")
                with pytest.raises(UsageError, match="AsyncVault"):
                    bench.add(memory, SAID)
                assert bench.raw("s-1") == []

    asyncio.run(live())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no framework"),
        ({"add": "save_message"}, "a method to add and one to read"),
        ({**NAMES, "mode": "mirror"}, "no mode"),
        ({**NAMES, "session_id": None}, "which session"),
        ({**NAMES, "user_id": " "}, "user id"),
    ],
)
def test_what_can_not_be_wrapped_is_refused(vault: Vault, options: dict[str, Any], words: str) -> None:
    settings = {"user_id": "u-1", "session_id": "s-1", **options}
    with pytest.raises(UsageError, match=words):
        vault.wrap(Notebook({}, "s-1"), **settings)


def test_a_wrapped_memory_works_on_every_database(database: Databases, tmp_path: Path) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    with Home(database, tmp_path / "root.key", None).open() as vault:
        memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
        for role, text in SAID:
            memory.save_message(role, text)
        assert [(one["role"], one["content"]) for one in memory.load_conversation()] == SAID
        memory.wipe()
        memory.save_message(*SAID[0])
        held["s-1"].clear()
        with pytest.raises(TamperedError):
            memory.load_conversation()
        vault.forget_user("u-1", now=True)
        with pytest.raises(UserForgottenError):
            memory.load_conversation()


def test_p7_a_wrapped_session_reads_without_content_in_the_vault_and_says_so(vault: Vault) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    memory = vault.wrap(Notebook(held, "s-1"), user_id="u-1", session_id="s-1", **NAMES)
    chat = vault.transcript("u-1", "s-1")
    chat.append("user", "here")
    memory.save_message("user", "outside")
    found = chat.messages()
    assert [(one.content, one.seq in found.outside) for one in found] == [("here", False), (None, True)]
    assert json.loads(json.dumps(memory.load_conversation())) == [{"role": "user", "content": "outside"}]
