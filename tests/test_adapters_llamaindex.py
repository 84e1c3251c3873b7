"""LlamaIndex's chat stores, under its own memories and chat engine, with a model that needs no network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memories import (
    FACES,
    MAIL,
    SAID,
    STORED,
    TELLING_IDS,
    Opened,
    bytes_at_rest,
    either,
    json_values,
    opened,
    tamper,
    told_by,
)
from strategies import FEW, texts

from vault import Vault
from vault.errors import InputError, SessionForgottenError, TamperedError, UsageError, UserForgottenError

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")

from llama_index.core.base.llms.types import (
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms.mock import MockLLM, MockLLMWithChatMemoryOfLastCall
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.storage.chat_store.base_db import MessageStatus

from vault.adapters.llamaindex import VaultChatStore, VaultLegacyChatStore
from vault.adapters.queue import Queue

ACTIVE, ARCHIVED = MessageStatus.ACTIVE, MessageStatus.ARCHIVED
EVERY = [
    ChatMessage("Hello"),
    ChatMessage("", role="assistant"),
    ChatMessage(role="assistant", blocks=[]),
    ChatMessage("Be patient.", role="system", additional_kwargs={"name": "x", "n": {"a": [1, None, 1.5]}}),
    ChatMessage("Hi", role="chatbot"),
    ChatMessage("Hi", role="model"),
    ChatMessage(
        role="assistant",
        blocks=[
            ThinkingBlock(content="hmm", num_tokens=1234567, additional_information={"signature": "Eq=="}),
            TextBlock(text="I call."),
            ToolCallBlock(tool_call_id="c-1", tool_name="send", tool_kwargs={"to": "x", "n": 1}),
            ToolCallBlock(tool_call_id="c-2", tool_name="send", tool_kwargs='{"to": "y"}'),
        ],
    ),
    ChatMessage("busy", role="tool", additional_kwargs={"tool_call_id": "c-1"}),
    ChatMessage(
        blocks=[
            ImageBlock(image=b"\x89PNG\r\n\x1a\n\x00\x01", image_mimetype="image/png"),
            ImageBlock(url="https://example.org/a.png"),
            DocumentBlock(data=b"%PDF-1.7 \x00\x01", title="a.pdf", document_mimetype="application/pdf"),
        ]
    ),
]


def says(*texts: str) -> list[ChatMessage]:
    return [ChatMessage(text) for text in texts]


def heard(messages: list[ChatMessage]) -> list[str | None]:
    return [message.content for message in messages]


@pytest.fixture(params=FACES)
def open_vault(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Either face."""
    return either(str(request.param), tmp_path)


def test_every_kind_of_message_comes_back_as_it_was(open_vault: Opened) -> None:
    async def write() -> None:
        async with open_vault() as vault:
            await VaultChatStore(vault, "u-1").add_messages("s-1", EVERY)

    async def read() -> None:
        async with open_vault() as vault:
            found = await VaultChatStore(vault, "u-1").get_messages("s-1")
            assert found == EVERY
            assert [[type(block) for block in one.blocks] for one in found] == [
                [type(block) for block in one.blocks] for one in EVERY
            ]

    asyncio.run(write())
    asyncio.run(read())


BLOCKS = st.one_of(
    st.builds(lambda text: TextBlock(text=text), texts(20)),
    st.builds(lambda text: ThinkingBlock(content=text), texts(20)),
    st.builds(
        lambda one, name, args: ToolCallBlock(tool_call_id=one, tool_name=name, tool_kwargs=args),
        st.none() | texts(8), texts(8), st.dictionaries(texts(5), json_values(4), max_size=2) | texts(8),
    ),
    st.binary(min_size=1).map(lambda data: DocumentBlock(data=data, title="t", document_mimetype="x/y")),
)  # fmt: skip
MESSAGES = st.builds(
    lambda role, blocks, more: ChatMessage(role=role, blocks=blocks, additional_kwargs=more),
    st.sampled_from(MessageRole),
    st.lists(BLOCKS, max_size=3),
    st.dictionaries(texts(8).filter(lambda name: name != "images"), json_values(5), max_size=2),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with opened(tmp_path_factory.mktemp("shared")) as vault:
        yield vault


@FEW
@given(messages=st.lists(MESSAGES, max_size=4))
def test_any_message_comes_back_as_it_was(messages: list[ChatMessage], shared: Vault) -> None:
    store = VaultLegacyChatStore(shared, "u-1")
    store.set_messages("s-1", messages)
    found = store.get_messages("s-1")
    assert found == messages
    assert repr(found) == repr(messages)


def test_a_queue_archives_deletes_and_replaces(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            store = VaultChatStore(vault, "u-1")
            assert await store.get_messages("s-1") == []
            assert await store.archive_oldest_messages("s-1", 2) == []
            await store.add_messages("s-1", says("0", "1", "2"))
            await store.add_message("s-1", ChatMessage("3"))
            assert heard(await store.archive_oldest_messages("s-1", 2)) == ["0", "1"]
            assert heard(await store.get_messages("s-1")) == ["2", "3"]
            assert heard(await store.get_messages("s-1", ARCHIVED)) == ["0", "1"]
            assert heard(await store.get_messages("s-1", None)) == ["0", "1", "2", "3"]
            assert heard(await store.get_messages("s-1", None, limit=2, offset=1)) == ["1", "2"]
            assert heard(await store.get_messages("s-1", limit=0)) == []
            assert await store.count_messages("s-1") == 2
            assert await store.count_messages("s-1", None) == 4
            await store.add_message("s-1", ChatMessage("old"), ARCHIVED)
            assert heard(await store.get_messages("s-1", ARCHIVED)) == ["0", "1", "old"]
            assert heard(await store.delete_oldest_messages("s-1", 1)) == ["2"]
            assert await store.delete_message("s-1", 7) is None
            taken = await store.delete_message("s-1", 0)
            assert taken is not None
            assert taken.content == "3"
            assert heard(await store.get_messages("s-1", None)) == ["0", "1", "old"]
            await store.set_messages("s-1", says("a", "b"))
            assert heard(await store.get_messages("s-1", None)) == ["a", "b"]
            assert heard(await store.get_messages("s-1")) == ["a", "b"]
            await store.set_messages("s-1", says("c"), ARCHIVED)
            assert await store.get_messages("s-1") == []
            await store.add_messages("s-1", says("d", "e"))
            await store.delete_messages("s-1", ARCHIVED)
            assert heard(await store.get_messages("s-1", None)) == ["d", "e"]
            assert await store.get_keys() == ["s-1"]
            await store.delete_messages("s-1")
            assert await store.get_keys() == []
            await store.add_messages("s-1", says("anew"))
            assert heard(await store.get_messages("s-1")) == ["anew"]

    asyncio.run(main())


def test_what_was_replaced_is_gone_from_the_transcript_too(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        store = VaultLegacyChatStore(vault, "u-1")
        store.set_messages("s-1", says("a", "b"))
        store.set_messages("s-1", says("c"))
        assert [one.content for one in vault.transcript("u-1", "s-1").messages()] == ["c"]


def test_p8_a_crash_amid_a_replacement_leaves_the_new_or_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CrashError(Exception):
        pass

    def crash(*_: object, **__: object) -> None:
        raise CrashError

    with opened(tmp_path) as vault:
        store = VaultLegacyChatStore(vault, "u-1")
        store.set_messages("s-1", says("a", "b"))
        with pytest.raises(InputError):
            store.set_messages("s-1", says("fine", "\ud800"))
        assert heard(store.get_messages("s-1")) == ["a", "b"]
        with monkeypatch.context() as patched:
            patched.setattr(Queue, "_sweep", crash)
            with pytest.raises(CrashError):
                store.set_messages("s-1", says("c"))
    with opened(tmp_path) as vault:
        store = VaultLegacyChatStore(vault, "u-1")
        assert heard(store.get_messages("s-1")) == ["c"]
        store.set_messages("s-1", says("d"))
        assert [one.content for one in vault.transcript("u-1", "s-1").messages()] == ["d"]


def test_the_memory_of_a_chat_goes_on_after_a_restart_and_archives_what_it_flushes(
    open_vault: Opened,
) -> None:
    llm = MockLLM(max_tokens=5)

    async def first() -> None:
        async with open_vault() as vault:
            memory = Memory.from_defaults(session_id="s-1", chat_store=VaultChatStore(vault, "u-1"))
            engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
            answer = await engine.achat("Hello there")
            said = heard(await memory.aget_all())
            assert said == ["Hello there", str(answer)]

    async def second() -> None:
        async with open_vault() as vault:
            store = VaultChatStore(vault, "u-1")
            memory = Memory.from_defaults(
                session_id="s-1",
                chat_store=store,
                token_limit=40,
                chat_history_token_ratio=0.5,
                token_flush_size=10,
            )
            before = heard(await memory.aget_all())
            assert len(before) == 2
            for number in range(8):
                await memory.aput(ChatMessage(f"question number {number}"))
                await memory.aput(ChatMessage(f"answer number {number}", role="assistant"))
            everything = heard(await store.get_messages("s-1", None))
            archived = heard(await store.get_messages("s-1", ARCHIVED))
            assert len(everything) == 18
            assert archived
            assert everything == archived + heard(await store.get_messages("s-1"))
            await memory.areset()
            assert await memory.aget_all() == []

    asyncio.run(first())
    asyncio.run(second())


def test_the_memory_of_old_apps_works(tmp_path: Path) -> None:
    llm = MockLLMWithChatMemoryOfLastCall(max_tokens=5)
    for number in (1, 2):
        with opened(tmp_path) as vault:
            store = VaultLegacyChatStore(vault, user_from_session=True)
            memory = ChatMemoryBuffer.from_defaults(chat_store=store, chat_store_key="u-1", token_limit=3000)
            SimpleChatEngine.from_defaults(llm=llm, memory=memory).chat(f"Hello {number}")
            assert len(store.get_messages("u-1")) == 2 * number
    asked = heard(list(llm.last_chat_messages or []))
    assert asked[::2] == ["Hello 1", "Hello 2"]
    with opened(tmp_path) as vault:
        store = VaultLegacyChatStore(vault, user_from_session=True)
        assert store.get_keys() == ["u-1"]
        last = store.delete_last_message("u-1")
        assert last is not None
        assert last.role == MessageRole.ASSISTANT
        assert asyncio.run(store.adelete_message("u-1", 0)) == ChatMessage("Hello 1")
        assert len(store.delete_messages("u-1") or []) == 2
        assert store.delete_messages("u-1") is None
        assert store.get_keys() == []


def test_p1_mail_in_text_and_in_arguments_is_redacted_and_ids_are_not(
    open_vault: Opened, tmp_path: Path
) -> None:
    tie = TELLING_IDS[0]
    arguments = {"to": MAIL}
    call = {"id": tie, "type": "function", "function": {"name": "send", "arguments": json.dumps(arguments)}}

    async def main() -> None:
        async with open_vault(redacts=True) as vault:
            store = VaultChatStore(vault, "u-1")
            await store.set_messages(
                "s-1",
                [
                    ChatMessage(SAID),
                    ChatMessage(
                        role="assistant",
                        blocks=[ToolCallBlock(tool_call_id=tie, tool_name="send", tool_kwargs=arguments)],
                        additional_kwargs={"tool_calls": [call]},
                    ),
                    ChatMessage(f"to {MAIL}", role="tool", additional_kwargs={"tool_call_id": tie}),
                    ChatMessage(blocks=[ImageBlock(url="https://example.org/anna-kowalski.png")]),
                ],
            )
            said, asked, done, image = await store.get_messages("s-1")
            assert said == ChatMessage(STORED)
            [block] = asked.blocks
            assert block == ToolCallBlock(
                tool_call_id=tie, tool_name="send", tool_kwargs={"to": "<EMAIL_ADDRESS_1>"}
            )
            [other] = asked.additional_kwargs["tool_calls"]
            assert other["id"] == tie
            assert json.loads(other["function"]["arguments"]) == {"to": "<EMAIL_ADDRESS_1>"}
            assert done.content == "to <EMAIL_ADDRESS_1>"
            assert done.additional_kwargs == {"tool_call_id": tie}
            assert "<URL_1>" in str(image.blocks[0])
            assert "anna" not in repr(image)

    asyncio.run(main())
    assert MAIL.encode() not in bytes_at_rest(tmp_path)


def test_two_users_with_one_key_see_nothing_of_each_other(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            one, other = VaultChatStore(vault, "u-1"), VaultChatStore(vault, "u-2")
            await one.add_messages("s-1", says("mine"))
            assert await other.get_messages("s-1") == []
            assert await other.get_keys() == []
            await other.delete_messages("s-1")
            await other.set_messages("s-1", says("theirs"))
            assert heard(await one.get_messages("s-1")) == ["mine"]

    asyncio.run(main())


def test_no_user_is_invented(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        with pytest.raises(UsageError, match="whose messages"):
            VaultChatStore(vault)
        with pytest.raises(InputError):
            VaultChatStore(vault, " ")
        with pytest.raises(UsageError, match="a Vault or an AsyncVault"):
            VaultChatStore(cast("Any", "chat-vault"), "u-1")
        with pytest.raises(UsageError, match="not awaited"):
            VaultLegacyChatStore(cast("Any", "chat-vault"), "u-1")
        with pytest.raises(InputError, match="one of LlamaIndex's"):
            VaultLegacyChatStore(vault, "u-1").add_message("s-1", cast("Any", "a text"))


def test_who_is_forgotten_while_the_keys_of_all_are_listed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as vault:
        store = VaultLegacyChatStore(vault, user_from_session=True)
        for key in ("u-1", "u-2"):
            store.add_message(key, ChatMessage("Hello"))
        look = vault._core.lister.users_page

        def forget_after(asked: int) -> Any:
            found = look(asked)
            vault.forget_user("u-1")
            return found

        monkeypatch.setattr(vault._core.lister, "users_page", forget_after)
        assert store.get_keys() == ["u-2"]


def test_p7_what_is_gone_or_spoilt_raises_in_every_method(tmp_path: Path) -> None:
    def every(store: Any, error: type[Exception], *, writes: bool = True) -> None:
        calls = [
            store.get_messages("s-1"),
            store.count_messages("s-1"),
            store.delete_oldest_messages("s-1", 1),
            store.archive_oldest_messages("s-1", 1),
            store.delete_message("s-1", 0),
            store.set_messages("s-1", says("more")),
        ]
        calls += [store.add_messages("s-1", says("more"))] if writes else []
        for call in calls:
            with pytest.raises(error):
                asyncio.run(call)

    with opened(tmp_path) as vault:
        mine, theirs, third = (VaultChatStore(vault, user) for user in "abc")
        for store in (mine, theirs, third):
            asyncio.run(store.add_messages("s-1", says("secret")))
        vault.forget_session("a", "s-1")
        every(mine, SessionForgottenError)
        vault.forget_user("b")
        every(theirs, UserForgottenError)
        with pytest.raises(UserForgottenError):
            asyncio.run(theirs.get_keys())
    tamper(tmp_path)
    with opened(tmp_path) as vault:
        every(VaultChatStore(vault, "c"), TamperedError, writes=False)


def test_many_who_take_and_archive_at_once_take_each_message_once(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            store = VaultChatStore(vault, "u-1")
            await store.add_messages("s-1", says(*map(str, range(8))))
            taken = await asyncio.gather(*(store.delete_oldest_messages("s-1", 2) for _ in range(3)))
            gone = [one for part in taken for one in heard(part)]
            left = heard(await store.get_messages("s-1"))
            assert len(set(gone)) == len(gone)
            assert sorted([*gone, *left], key=str) == list(map(str, range(8)))
            await asyncio.gather(*(store.archive_oldest_messages("s-1", 1) for _ in range(len(left))))
            assert heard(await store.get_messages("s-1", ARCHIVED)) == left
            await asyncio.gather(*(store.set_messages("s-1", says(f"set-{one}", "end")) for one in range(4)))
            found = heard(await store.get_messages("s-1", None))
            assert found[1:] == ["end"]
            assert str(found[0]).startswith("set-")

    asyncio.run(main())


PROGRAM = """
import asyncio, json, sys
from llama_index.core.base.llms.types import ChatMessage
from vault import Vault
from vault.adapters.llamaindex import VaultChatStore
with Vault.open(sys.argv[1], redactor=None) as vault:
    store = VaultChatStore(vault, "u-1")
    asyncio.run(store.add_messages("s-1", [ChatMessage("from the other process")]))
    print(json.dumps([one.content for one in asyncio.run(store.get_messages("s-1"))]))
"""


def test_another_process_goes_on_with_the_queue(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        store = VaultLegacyChatStore(vault, "u-1")
        store.set_messages("s-1", says("a"))
        store.set_messages("s-1", says("b"))
        assert told_by(PROGRAM, str(tmp_path / "vault")) == ["b", "from the other process"]
        assert heard(store.get_messages("s-1")) == ["b", "from the other process"]


def test_what_an_app_said_in_other_words_reads_as_messages(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        vault.transcript("u-1", "s-1").extend(
            [
                {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
                {"role": "tool", "content": "busy", "tool_call_id": "c"},
                {"role": "assistant", "content": None},
            ]
        )
        assert VaultLegacyChatStore(vault, "u-1").get_messages("s-1") == [
            ChatMessage("Hello"),
            ChatMessage("busy", role="tool", additional_kwargs={"tool_call_id": "c"}),
            ChatMessage(role="assistant", blocks=[]),
        ]
