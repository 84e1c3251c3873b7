"""Wrapped memories inside their frameworks: every field comes back, every method of theirs works."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import wrapped
from faces import Home
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wrapped import SAID, bench_of, skip_without

from vault import AsyncVault, Vault
from vault.errors import InputError, TamperedError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


home, vault = wrapped.home, wrapped.vault


# -- LangChain -------------------------------------------------------------------------------------------


def langchain_messages() -> st.SearchStrategy[Any]:
    [messages] = skip_without("langchain_core.messages")
    fields = {
        "content": TEXT
        | st.lists(TEXT | st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), max_size=3),
        "id": st.none() | TEXT,
        "name": st.none() | TEXT,
        "additional_kwargs": st.dictionaries(TEXT, JSON, max_size=2),
        "response_metadata": st.dictionaries(TEXT, JSON, max_size=2),
    }
    call = st.fixed_dictionaries(
        {
            "name": TEXT,
            "args": st.dictionaries(TEXT, JSON, max_size=2),
            "id": TEXT,
            "type": st.just("tool_call"),
        }
    )
    status = st.sampled_from(["success", "error"])
    return st.one_of(
        st.builds(messages.HumanMessage, **fields),
        st.builds(messages.SystemMessage, **fields),
        st.builds(messages.AIMessage, **fields, tool_calls=st.lists(call, max_size=2)),
        st.builds(messages.AIMessageChunk, content=TEXT, id=TEXT),
        st.builds(messages.ToolMessage, **fields, tool_call_id=TEXT, status=status),
        st.builds(messages.ChatMessage, **fields, role=TEXT),
        st.builds(messages.FunctionMessage, content=TEXT, name=TEXT),
    )


def test_every_langchain_message_comes_back_equal(vault: Vault, tmp_path: Path) -> None:
    with bench_of("sql", tmp_path) as bench:
        memory = bench.wrap(vault, "u-1", "s-1")

        @QUICK
        @given(st.lists(langchain_messages(), max_size=3))
        def add(added: list[Any]) -> None:
            before = memory.messages
            memory.add_messages(added)
            found = memory.messages
            assert found == [*before, *added]
            assert [type(one) for one in found[len(before) :]] == [type(one) for one in added]

        add()


def test_p2_the_type_of_a_stored_message_can_not_be_changed(vault: Vault, tmp_path: Path) -> None:
    with bench_of("sql", tmp_path) as bench:
        memory = bench.wrap(vault, "u-1", "s-1")
        bench.add(memory, SAID[:1])
        [row] = bench.raw("s-1")
        bench.write("s-1", [row.replace('"human"', '"ai"')])
        with pytest.raises(TamperedError):
            bench.read(memory)


@pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")
def test_a_runnable_with_message_history_works_over_it(vault: Vault, tmp_path: Path) -> None:
    runnables, history = skip_without("langchain_core.runnables", "langchain_core.runnables.history")
    from langchain_core.chat_history import BaseChatMessageHistory
    from langchain_core.messages import AIMessage, HumanMessage

    def answer(given: dict[str, Any]) -> AIMessage:
        return AIMessage(f"{len(given['history'])} messages before: {given['question']}")

    with bench_of("file", tmp_path) as bench:

        def history_of(session: str) -> BaseChatMessageHistory:
            found = bench.wrap(vault, "u-1", session)
            assert isinstance(found, BaseChatMessageHistory)
            return found

        chat = history.RunnableWithMessageHistory(
            runnables.RunnableLambda(answer),
            history_of,
            input_messages_key="question",
            history_messages_key="history",
        )
        config = {"configurable": {"session_id": "s-1"}}
        assert chat.invoke({"question": "Where is it?"}, config).content == "0 messages before: Where is it?"
        assert chat.invoke({"question": "And now?"}, config).content == "2 messages before: And now?"
        assert asyncio.run(chat.ainvoke({"question": "Now?"}, config)).content == "4 messages before: Now?"
        assert [type(one) for one in history_of("s-1").messages] == [HumanMessage, AIMessage] * 3
        assert "Where is it" not in str(bench.raw("s-1"))


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_a_buffer_memory_works_over_it(vault: Vault, tmp_path: Path) -> None:
    [memory] = skip_without("langchain_classic.memory")
    with bench_of("sql", tmp_path) as bench:
        buffer = memory.ConversationBufferMemory(chat_memory=bench.wrap(vault, "u-1", "s-1"))
        buffer.save_context({"input": "Where is it?"}, {"output": "On its way."})
        assert buffer.load_memory_variables({}) == {"history": "Human: Where is it?\nAI: On its way."}
        buffer.clear()
        assert bench.raw("s-1") == []


def test_an_async_history_is_awaited(home: Home, tmp_path: Path) -> None:
    [histories] = skip_without("langchain_community.chat_message_histories")
    from langchain_core.messages import HumanMessage
    from sqlalchemy.ext.asyncio import create_async_engine

    async def live() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'history.db'}")
        async with await AsyncVault.open(
            home.databases.transcripts,
            keyring=home.databases.keyring,
            root=f"file:{home.root}",
            redactor=None,
        ) as vault:
            plain = histories.SQLChatMessageHistory("s-1", connection=engine)
            await plain.aadd_messages([HumanMessage("before")])
            memory = vault.wrap(plain, user_id="u-1", adopt=True)
            await memory.aadd_messages([HumanMessage("after")])
            assert [one.content for one in await memory.aget_messages()] == ["before", "after"]
            assert all(one.content.startswith("tv1.") for one in await plain.aget_messages())
            await memory.aclear()
            assert await plain.aget_messages() == []
        await engine.dispose()

    asyncio.run(live())


# -- the OpenAI Agents SDK -------------------------------------------------------------------------------


ITEMS = st.dictionaries(TEXT, JSON, max_size=3).flatmap(
    lambda rest: st.fixed_dictionaries(
        {},
        optional={
            "role": st.sampled_from(["user", "assistant", "system", "developer"]),
            "type": st.sampled_from(
                ["message", "function_call", "function_call_output", "reasoning", "other"]
            ),
            "content": JSON,
            "metadata": JSON,
            "~": JSON,
        },
    ).map(lambda named: {**rest, **named})
)


def test_every_item_of_a_session_comes_back_equal(vault: Vault, tmp_path: Path) -> None:
    with bench_of("agents", tmp_path) as bench, asyncio.Runner() as runner:
        memory = bench.wrap(vault, "u-1", "s-1")

        @QUICK
        @given(st.lists(ITEMS, max_size=3))
        def add(added: list[dict[str, Any]]) -> None:
            before = runner.run(memory.get_items())
            runner.run(memory.add_items(added))
            assert runner.run(memory.get_items()) == [*before, *added]

        add()


def test_a_wrapped_session_has_the_whole_protocol(vault: Vault, tmp_path: Path) -> None:
    with bench_of("agents", tmp_path) as bench, asyncio.Runner() as runner:
        from agents.memory.session import Session

        memory = bench.wrap(vault, "u-1", "s-1")
        is_one = isinstance(memory, Session)
        assert is_one
        call = {"type": "function_call", "call_id": "c-1", "name": "look", "arguments": '{"at": "Anna"}'}
        bench.add(memory, SAID)
        runner.run(memory.add_items([call]))
        assert "look" not in str(bench.raw("s-1"))
        assert [one["role"] for one in runner.run(memory.get_items(2))[:1]] == ["user"]
        assert runner.run(memory.get_items(0)) == []
        assert runner.run(memory.pop_item()) == call
        assert bench.read(memory) == SAID
        popped = bench.raw("s-1")[-1]
        assert runner.run(memory.pop_item()) == {"role": "user", "content": SAID[2][1]}
        assert len(bench.raw("s-1")) == 2
        bench.write("s-1", [*bench.raw("s-1"), popped])
        assert bench.read(memory) == SAID[:2]  # what was removed is not given again
        assert runner.run(memory.get_items()).erased == 1
        bench.clear(memory)
        assert runner.run(memory.pop_item()) is None
        assert bench.read(memory) == []


def test_p8_a_pop_that_breaks_off_accuses_nobody(vault: Vault, tmp_path: Path) -> None:
    class _CrashError(Exception):
        pass

    with bench_of("agents", tmp_path) as bench, asyncio.Runner() as runner:
        for moment in ("before", "after"):
            session = f"s-{moment}"
            inner = bench.open(session)
            memory = vault.wrap(inner, user_id="u-1", session_id=session)
            bench.add(memory, SAID)
            take = inner.pop_item

            async def pop_item(moment: str = moment, take: Any = take) -> None:
                if moment == "after":
                    await take()
                raise _CrashError

            inner.pop_item = pop_item
            memory = vault.wrap(inner, user_id="u-1", session_id=session)
            with pytest.raises(_CrashError):
                runner.run(memory.pop_item())
            assert bench.read(bench.wrap(vault, "u-1", session)) == SAID[:2]


# -- LlamaIndex ------------------------------------------------------------------------------------------


def test_a_wrapped_chat_store_has_every_method(vault: Vault, tmp_path: Path) -> None:
    with bench_of("llamaindex", tmp_path) as bench:
        from llama_index.core.llms import ChatMessage
        from llama_index.core.storage.chat_store.base import BaseChatStore

        inner = bench.open("s-1").store
        store = vault.wrap(inner, user_id="u-1")
        is_one = isinstance(store, BaseChatStore)
        assert is_one

        def said(*texts: str) -> list[ChatMessage]:
            return [ChatMessage(role="user", content=text, additional_kwargs={"n": 1}) for text in texts]

        store.set_messages("s-1", said("one", "two", "three"))
        assert store.get_messages("s-1") == said("one", "two", "three")
        kept = bench.raw("s-1")[:2]
        store.set_messages("s-1", said("one", "two", "four"))
        assert bench.raw("s-1")[:2] == kept
        assert store.get_messages("s-1") == said("one", "two", "four")
        store.add_message("s-1", *said("zero"), idx=0)
        assert store.get_messages("s-1") == said("zero", "one", "two", "four")
        assert store.delete_message("s-1", 1) == said("one")[0]
        assert store.delete_message("s-1", 9) is None
        assert store.delete_last_message("s-1") == said("four")[0]
        assert store.get_messages("s-1") == said("zero", "two")
        asyncio.run(store.async_add_message("s-2", *said("other")))
        assert asyncio.run(store.aget_messages("s-2")) == said("other")
        assert sorted(store.get_keys()) == ["s-1", "s-2"]
        assert store.delete_messages("s-1") == said("zero", "two")
        assert store.get_messages("s-1") == []
        assert store.delete_messages("s-1") is None
        with pytest.raises(InputError, match="another session"):
            vault.wrap(inner, user_id="u-1", session_id="s-1").get_messages("s-2")


def test_a_chat_memory_buffer_works_over_it(vault: Vault, tmp_path: Path) -> None:
    [memory] = skip_without("llama_index.core.memory")
    with bench_of("llamaindex", tmp_path) as bench:
        from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock

        inner = bench.open("s-1").store
        buffer = memory.ChatMemoryBuffer.from_defaults(
            chat_store=vault.wrap(inner, user_id="u-1"), chat_store_key="s-1", tokenizer_fn=str.split
        )
        picture = ChatMessage(
            role="user", blocks=[TextBlock(text="Look"), ImageBlock(url="https://a.example/b.png")]
        )
        buffer.put(picture)
        buffer.put(ChatMessage(role="assistant", content="A cat."))
        assert buffer.get_all()[0] == picture
        assert [one.content for one in buffer.get()] == ["Look", "A cat."]
        assert "A cat" not in str(bench.raw("s-1"))
        buffer.reset()
        assert buffer.get_all() == []
