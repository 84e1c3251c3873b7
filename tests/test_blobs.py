"""What frameworks write in base64 comes back equal, however small it is: nothing of it is redacted."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memories import opened
from strategies import FEW
from wrapped import skip_without

from vault import Vault
from vault.blobs import decoded, encoded

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_random = random.Random(5)
SOME = [PNG, *(_random.randbytes(size) for size in (24, 24, 60, 60, 60, 100, 100, 200, 400, 2000))]
TEXTS = [base64.b64encode(one).decode() for one in SOME]
CALL = {"type": "image_generation_call", "id": "ig_1", "status": "completed"}


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with opened(tmp_path_factory.mktemp("blobs"), redacts=True) as redacting:
        yield redacting


def parts(text: str) -> list[Any]:
    """Give parts of a message with the same bytes: LangChain's own, and what it passes on to providers."""
    return [
        {"type": "text", "text": "Look"},
        {"type": "image", "base64": text, "mime_type": "image/png"},
        {"type": "audio", "source_type": "base64", "data": text, "mime_type": "audio/wav"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": text}},
        {"type": "input_audio", "input_audio": {"data": text, "format": "wav"}},
        {"type": "file", "file": {"file_data": text, "filename": "a.pdf"}},
        {"type": "media", "mime_type": "image/png", "data": text},
        {"type": "redacted_thinking", "data": text},
        {**CALL, "result": text},
    ]


def langchain_messages(text: str) -> list[Any]:
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    signed = {"__gemini_function_call_thought_signatures__": {"call-1": text}}
    spoken = {"audio": {"id": "audio_1", "data": text, "transcript": "Hello"}}
    return [
        HumanMessage(content=parts(text), id="m-1"),
        ToolMessage(content=parts(text), tool_call_id="call-1", id="m-2"),
        AIMessage(content="x", additional_kwargs={**signed, **spoken}, id="m-3"),
    ]


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_small_blobs_of_langchain_come_back_equal(text: str, vault: Vault) -> None:
    pytest.importorskip("langchain_core", reason="langchain-core is not installed")
    from vault.adapters.langchain import VaultChatMessageHistory

    history = VaultChatMessageHistory(f"lc-{hash(text)}", vault, "u-1")
    history.add_messages(langchain_messages(text))
    assert history.messages == langchain_messages(text)


def test_bytes_that_a_langchain_message_has_itself_stay_bytes(vault: Vault) -> None:
    pytest.importorskip("langchain_core", reason="langchain-core is not installed")
    from langchain_core.messages import HumanMessage

    from vault.adapters.langchain import VaultChatMessageHistory

    history = VaultChatMessageHistory("lc-bytes", vault, "u-1")
    said = HumanMessage(content=[{"type": "media", "mime_type": "image/png", "data": PNG}])
    history.add_messages([said])
    assert history.messages == [said]


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_small_blobs_of_a_graph_come_back_equal(text: str, vault: Vault) -> None:
    pytest.importorskip("langgraph", reason="langgraph is not installed")
    from langgraph.graph import START, MessagesState, StateGraph

    from vault.adapters.langgraph import VaultSaver

    builder = StateGraph(MessagesState)
    builder.add_node("a", lambda _: {})
    builder.add_edge(START, "a")
    graph = builder.compile(checkpointer=VaultSaver(vault, user_id="u-1"))
    config: Any = {"configurable": {"thread_id": f"lg-{hash(text)}"}}
    graph.invoke({"messages": langchain_messages(text)}, config)
    assert graph.get_state(config).values["messages"] == langchain_messages(text)


def llamaindex_message(data: bytes) -> Any:
    from llama_index.core.base.llms.types import AudioBlock, ChatMessage, DocumentBlock, ImageBlock, TextBlock

    return ChatMessage(
        role="user",
        blocks=[
            TextBlock(text="Look"),
            ImageBlock(image=data, image_mimetype="image/png"),
            AudioBlock(audio=data, format="wav"),
            DocumentBlock(data=data, title="t"),
        ],
    )


@pytest.mark.parametrize("data", SOME, ids=len)
def test_small_blobs_of_llamaindex_come_back_equal(data: bytes, vault: Vault) -> None:
    pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")
    from vault.adapters.llamaindex import VaultChatStore

    async def main() -> None:
        store, key = VaultChatStore(vault, "u-1"), f"li-{hash(data)}"
        await store.add_message(key, llamaindex_message(data))
        assert await store.get_messages(key) == [llamaindex_message(data)]

    asyncio.run(main())


def items(text: str) -> list[dict[str, Any]]:
    file = {"type": "input_file", "file_data": text, "filename": "a.pdf"}
    return [
        {**CALL, "result": text},
        {"role": "user", "content": [{"type": "input_text", "text": "Look"}, file]},
        {"role": "user", "content": parts(text)},
        {"type": "function_call_output", "call_id": "c-1", "output": [file]},
    ]


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_small_blobs_of_the_agents_sdk_come_back_equal(text: str, vault: Vault) -> None:
    pytest.importorskip("agents", reason="openai-agents is not installed")
    from vault.adapters.openai_agents import VaultSession

    async def main() -> None:
        session = VaultSession(f"oa-{hash(text)}", vault, "u-1")
        await session.add_items(items(text))  # type: ignore[arg-type, unused-ignore]
        assert await session.get_items() == items(text)

    asyncio.run(main())


def _wrapped_langchain(vault: Vault, session: str, text: str) -> tuple[Any, Any]:
    from langchain_core.chat_history import InMemoryChatMessageHistory

    memory = vault.wrap(InMemoryChatMessageHistory(), user_id="u-1", session_id=session)
    memory.add_messages(langchain_messages(text))
    return memory.messages, langchain_messages(text)


def _wrapped_llamaindex(vault: Vault, session: str, text: str) -> tuple[Any, Any]:
    [stores] = skip_without("llama_index.core.storage.chat_store")
    memory = vault.wrap(stores.SimpleChatStore(), user_id="u-1")
    said = llamaindex_message(base64.b64decode(text))
    memory.add_message(session, said)
    return memory.get_messages(session), [said]


def _wrapped_session(vault: Vault, session: str, text: str) -> tuple[Any, Any]:
    [agents] = skip_without("agents")

    async def main() -> Any:
        memory = vault.wrap(agents.SQLiteSession(session), user_id="u-1")
        await memory.add_items(items(text))
        return await memory.get_items()

    return asyncio.run(main()), items(text)


@pytest.mark.parametrize("text", TEXTS[:4], ids=len)
@pytest.mark.parametrize("wrapped", [_wrapped_langchain, _wrapped_llamaindex, _wrapped_session])
def test_small_blobs_in_a_wrapped_memory_come_back_equal(
    wrapped: Callable[[Vault, str, str], tuple[Any, Any]], text: str, vault: Vault
) -> None:
    found, given = wrapped(vault, f"{wrapped.__name__}-{hash(text)}", text)
    assert list(found) == given


def test_what_was_stored_as_text_before_still_reads(tmp_path: Path) -> None:
    pytest.importorskip("langchain_core", reason="langchain-core is not installed")
    from vault.adapters.langchain import VaultChatMessageHistory

    [said, *_] = langchain_messages(TEXTS[-1])
    fields = said.model_dump(exclude_defaults=True, exclude={"content"}) | {"type": "human"}
    with opened(tmp_path) as plain:
        plain.transcript("u-1", "s-1").append({"role": "user", "content": said.content, "langchain": fields})
        assert VaultChatMessageHistory("s-1", plain, "u-1").messages == [said]


def test_p1_what_only_looks_like_a_blob_is_none() -> None:
    for said in (
        {"type": "text", "text": "4111111111111111"},
        {"type": "image", "base64": "call me"},
        {"type": "image", "base64": "Anna Smith=="},
        {"type": "image", "url": "4111111111111111"},
        {"type": "tool_use", "input": {"type": "image", "base64": "4111111111111111"}},
        {"type": "tool_call", "args": {"type": "media", "data": "4111111111111111"}},
        {"type": "document", "source": {"type": "text", "data": "4111111111111111"}},
    ):
        assert decoded(said) == said


@FEW
@given(st.binary(max_size=40), st.text(max_size=20))
def test_any_blob_and_any_text_come_back_equal(data: bytes, text: str) -> None:
    for said in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(), text):
        assert encoded(decoded(parts(said))) == parts(said)
