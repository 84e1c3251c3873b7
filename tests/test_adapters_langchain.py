"""LangChain's chat message history, under its own runnable, memory and chain; the model needs no network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memories import (
    MAIL,
    SAID,
    STORED,
    TELLING_IDS,
    bytes_at_rest,
    engine,
    json_values,
    opened,
    opened_async,
    tamper,
    told_by,
)
from strategies import FEW, texts

from vault import Vault
from vault.adapters.memory import VaultChatMemory
from vault.errors import InputError, SessionForgottenError, TamperedError, UsageError, UserForgottenError

pytest.importorskip("langchain_core", reason="langchain-core is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning"),
]

from langchain_core.language_models import GenericFakeChatModel  # noqa: E402 (skipped where it is not there)
from langchain_core.messages import (  # noqa: E402
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
)
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder  # noqa: E402
from langchain_core.runnables.history import RunnableWithMessageHistory  # noqa: E402

from vault.adapters import facing  # noqa: E402
from vault.adapters.langchain import VaultChatMessageHistory  # noqa: E402

CALL: Any = {"name": "send", "args": {"to": "x", "n": 1}, "id": "call_1", "type": "tool_call"}
EVERY: list[BaseMessage] = [
    HumanMessage("Hello", id="h-1", name="planner", additional_kwargs={"a": {"b": [1, None]}}),
    HumanMessage(
        [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "https://x.org"}}]
    ),
    SystemMessage("Be patient.", response_metadata={"k": 1.5}),
    AIMessage(
        "",
        id="run-1",
        tool_calls=[CALL],
        invalid_tool_calls=[
            {"name": "f", "args": "{", "id": "c", "error": "no JSON", "type": "invalid_tool_call"}
        ],
        usage_metadata={
            "input_tokens": 1234567,
            "output_tokens": 2,
            "total_tokens": 1234569,
            "input_token_details": {"cache_read": 3},
        },
        response_metadata={
            "model_name": "gpt-x",
            "token_usage": {"prompt_tokens": 1},
            "finish_reason": "stop",
        },
        additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}},
        of_an_app="kept",
    ),
    AIMessage(["a text", {"type": "reasoning", "reasoning": "because", "extras": {"signature": "Eq=="}}]),
    ToolMessage("busy", tool_call_id="call_1", artifact={"raw": b"\x00\x01", "rows": [1, 2]}, status="error"),
    FunctionMessage(name="f", content="done"),
    ChatMessage(content="Order!", role="moderator", **cast("Any", {"metadata": {"an": "app's own"}})),
    ChatMessage(content="Hi", role="user"),
    RemoveMessage(id="h-1"),
    HumanMessageChunk(content="He"),
    AIMessageChunk(
        content=[{"type": "text", "text": "a", "index": 0}],
        tool_call_chunks=[{"name": "f", "args": '{"a', "id": "c", "index": 0, "type": "tool_call_chunk"}],
        chunk_position="last",
    ),
    SystemMessageChunk(content="Be"),
    ToolMessageChunk(content="bus", tool_call_id="call_1"),
    FunctionMessageChunk(name="f", content="do"),
    ChatMessageChunk(content="Or", role="moderator"),
]


def history_of(vault: Any, user: str = "u-1", session: str = "s-1") -> VaultChatMessageHistory:
    return VaultChatMessageHistory(session, connection=vault, user_id=user)


def model(*answers: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(one) for one in answers]))


def same(found: Sequence[BaseMessage], given: Sequence[BaseMessage]) -> bool:
    """Compare classes and all fields; equality alone takes no account of numbers' types."""
    return list(found) == list(given) and repr(found) == repr(list(given))


def test_every_type_of_message_comes_back_as_it_was(tmp_path: Path) -> None:
    assert len({type(one) for one in EVERY}) == 13
    with opened(tmp_path) as vault:
        history_of(vault).add_messages(EVERY)
    with opened(tmp_path) as vault:
        found = history_of(vault).messages
        assert same(found, EVERY)
        assert [type(one) for one in found] == [type(one) for one in EVERY]
        roles = [message.role for message in vault.transcript("u-1", "s-1").messages()]
        assert roles[:9] == [
            "user", "user", "system", "assistant", "assistant", "tool", "function", "assistant", "user",
        ]  # fmt: skip


CONTENT = texts(20) | st.lists(
    texts(10) | st.fixed_dictionaries({"type": st.just("text"), "text": texts(10)}), max_size=3
)
COMMON: dict[str, Any] = {
    "content": CONTENT,
    "id": st.none() | texts(10),
    "name": st.none() | texts(10),
    "additional_kwargs": st.dictionaries(texts(8), json_values(5), max_size=2),
    "response_metadata": st.dictionaries(texts(8), json_values(5), max_size=2),
    "of_an_app": json_values(5),
    "metadata": json_values(5),
    "role": texts(5),
}
CALLS = st.lists(
    st.builds(
        lambda name, args, one: {"name": name, "args": args, "id": one, "type": "tool_call"},
        texts(8), st.dictionaries(texts(5), json_values(4), max_size=2), st.none() | texts(8),
    ),
    max_size=2,
)  # fmt: skip
MESSAGES = st.one_of(
    st.builds(HumanMessage, **COMMON),
    st.builds(SystemMessage, **COMMON),
    st.builds(AIMessage, tool_calls=CALLS, **COMMON),
    st.builds(ToolMessage, tool_call_id=texts(8), artifact=json_values(5), **COMMON),
    st.builds(FunctionMessage, **{**COMMON, "name": texts(8)}),
    st.builds(ChatMessage, **COMMON),
    st.builds(HumanMessageChunk, **COMMON),
    texts(8).map(lambda one: RemoveMessage(id=one)),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with opened(tmp_path_factory.mktemp("shared")) as vault:
        yield vault


@FEW
@given(messages=st.lists(MESSAGES, max_size=4))
def test_any_message_comes_back_as_it_was(messages: list[BaseMessage], shared: Vault) -> None:
    history = history_of(shared)
    history.clear()
    history.add_messages(messages)
    assert same(history.messages, messages)


def test_a_runnable_remembers_over_a_restart_sync_and_awaited(tmp_path: Path) -> None:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be patient."), MessagesPlaceholder("past"), ("human", "{said}")]
    )
    config: Any = {"configurable": {"session_id": "s-1"}}

    def chain(vault: Any, *answers: str) -> RunnableWithMessageHistory:
        return RunnableWithMessageHistory(
            prompt | model(*answers),
            lambda session_id: history_of(vault, session=session_id),
            input_messages_key="said",
            history_messages_key="past",
        )

    with opened(tmp_path) as vault:
        chain(vault, "Hello.").invoke({"said": "Hi"}, config)

    async def awaited() -> None:
        async with await opened_async(tmp_path) as vault:
            answer = await chain(vault, "Still here.").ainvoke({"said": "Still there?"}, config)
            assert answer.content == "Still here."

    asyncio.run(awaited())
    with opened(tmp_path) as vault:
        assert [one.content for one in history_of(vault).messages] == [
            "Hi", "Hello.", "Still there?", "Still here.",
        ]  # fmt: skip
        streamed = "".join(
            str(part.content) for part in chain(vault, "Good bye.").stream({"said": "Bye"}, config)
        )
        assert streamed == "Good bye."
        assert len(history_of(vault).messages) == 6
        vault.forget_user("u-1", now=True)
        with pytest.raises(UserForgottenError):
            chain(vault, "What?").invoke({"said": "Me again"}, config)


def test_the_memory_and_the_chain_of_old_apps_work(tmp_path: Path) -> None:
    pytest.importorskip("langchain_classic", reason="langchain-classic is not installed")
    from langchain_classic.chains import ConversationChain
    from langchain_classic.memory import ConversationBufferMemory

    with opened(tmp_path, redacts=True) as vault:
        memory = ConversationBufferMemory(chat_memory=history_of(vault), return_messages=True)
        memory.save_context({"input": SAID}, {"output": "Noted."})
        assert [one.content for one in memory.load_memory_variables({})["history"]] == [STORED, "Noted."]
    with opened(tmp_path) as vault:
        memory = ConversationBufferMemory(chat_memory=history_of(vault))
        talk = ConversationChain(llm=model("Welcome back."), memory=memory)
        assert talk.predict(input="Me again") == "Welcome back."
        assert memory.buffer.splitlines()[-2:] == ["Human: Me again", "AI: Welcome back."]
        asyncio.run(memory.asave_context({"input": "And again"}, {"output": "Sure."}))
        assert len(memory.chat_memory.messages) == 6
        memory.clear()
        assert history_of(vault).messages == []


def test_the_call_of_an_sql_history_with_another_class_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    history = VaultChatMessageHistory(session_id="s-1", connection="chat-vault", user_id="u-42")
    try:
        history.add_user_message("Hello")
        history.add_ai_message("Hi")
        again = VaultChatMessageHistory(
            session_id="s-1", connection=tmp_path / "chat-vault", user_id="u-42", async_mode=True
        )
        assert again._vault is history._vault  # a request opens no vault of its own
        assert [one.content for one in asyncio.run(again.aget_messages())] == ["Hello", "Hi"]
    finally:
        facing._close()
    with Vault.open(tmp_path / "chat-vault") as vault:
        assert str(history_of(vault, "u-42")) == "Human: Hello\nAI: Hi"


def test_p1_mail_in_text_and_in_arguments_is_redacted_and_ids_are_not(tmp_path: Path) -> None:
    tie, other, third, fourth = TELLING_IDS
    asked = {"name": "send", "arguments": json.dumps({"to": MAIL})}
    tokens = [{"token": "anast"}, {"token": "asia@petrova-mail"}, {"token": ".org"}]
    given = [
        HumanMessage([{"type": "text", "text": SAID}]),
        AIMessage(
            f"I write to {MAIL}",
            id=other,
            tool_calls=[{"name": "send", "args": {"to": MAIL}, "id": tie, "type": "tool_call"}],
            additional_kwargs={"tool_calls": [
                {"id": tie, "type": "function", "function": asked}
            ]},
            response_metadata={
                "id": third,
                "system_fingerprint": fourth,
                "logprobs": {"content": tokens},
            },
            usage_metadata={"input_tokens": 4111111111111111, "output_tokens": 12345678, "total_tokens": 1},
        ),
        ToolMessage(f"sent to {MAIL}", tool_call_id=tie, artifact={"to": MAIL}),
    ]  # fmt: skip
    with opened(tmp_path, redacts=True) as vault:
        history_of(vault).add_messages(given)
        human, answer, tool = cast("tuple[Any, Any, Any]", tuple(history_of(vault).messages))
        assert human.content == [{"type": "text", "text": STORED}]
        assert answer.content == "I write to <EMAIL_ADDRESS_1>"
        assert answer.tool_calls == [
            {"name": "send", "args": {"to": "<EMAIL_ADDRESS_1>"}, "id": tie, "type": "tool_call"}
        ]
        [call] = answer.additional_kwargs["tool_calls"]
        assert call["id"] == tie
        assert json.loads(call["function"]["arguments"]) == {"to": "<EMAIL_ADDRESS_1>"}
        assert answer.id == other
        assert answer.response_metadata == {"id": third, "system_fingerprint": fourth, "logprobs": None}
        assert answer.usage_metadata == cast("AIMessage", given[1]).usage_metadata
        assert (tool.content, tool.tool_call_id) == ("sent to <EMAIL_ADDRESS_1>", tie)
        assert tool.artifact == {"to": "<EMAIL_ADDRESS_1>"}
        assert "petrova" not in repr(vault.transcript("u-1", "s-1").messages())
    assert MAIL.encode() not in bytes_at_rest(tmp_path)


def test_what_redaction_leaves_alone_is_exact_with_redaction_on(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "vault", redactor=engine()) as vault:
        given = [one for one in EVERY if "https" not in repr(one)]
        history_of(vault).add_messages(given)
        assert same(history_of(vault).messages, given)


def test_two_users_with_one_session_id_see_nothing_of_each_other(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        one, other = history_of(vault, "u-1"), history_of(vault, "u-2")
        one.add_user_message("mine")
        assert other.messages == []
        other.clear()
        assert [message.content for message in one.messages] == ["mine"]


def test_no_user_is_invented(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        with pytest.raises(UsageError, match="whose messages"):
            VaultChatMessageHistory("s-1", vault)
        with pytest.raises(InputError):
            VaultChatMessageHistory(" ", vault, "u-1")
        with pytest.raises(UsageError, match="where one lies"):
            VaultChatMessageHistory("s-1", cast("Any", None), "u-1")
        VaultChatMessageHistory("s-1", vault, user_from_session=True).add_user_message("x")
        assert list(vault.users()) == ["s-1"]


def test_p7_what_is_gone_or_spoilt_raises_in_every_method(tmp_path: Path) -> None:
    def every(history: VaultChatMessageHistory, error: type[Exception]) -> None:
        with pytest.raises(error):
            _ = history.messages
        with pytest.raises(error):
            asyncio.run(history.aget_messages())

    with opened(tmp_path) as vault:
        mine, theirs, third = (history_of(vault, user) for user in "abc")
        for history in (mine, theirs, third):
            history.add_user_message("secret")
        vault.forget_session("a", "s-1")
        every(mine, SessionForgottenError)
        vault.forget_user("b")
        every(theirs, UserForgottenError)
        with pytest.raises(UserForgottenError):
            theirs.add_user_message("x")
        with pytest.raises(UserForgottenError):
            theirs.clear()
        with pytest.raises(UserForgottenError):
            asyncio.run(theirs.aclear())
        with pytest.raises(UserForgottenError):
            asyncio.run(theirs.aadd_messages([HumanMessage("x")]))
    tamper(tmp_path)
    with opened(tmp_path) as vault:
        every(history_of(vault, "c"), TamperedError)


def test_messages_are_added_all_or_none(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        history = history_of(vault)
        with pytest.raises(InputError, match="can't be encoded"):
            history.add_messages(
                [HumanMessage("fine"), ToolMessage("x", tool_call_id="c", artifact=object())]
            )
        with pytest.raises(InputError, match="one of LangChain's"):
            history.add_messages([HumanMessage("fine"), cast("Any", "a text")])
        assert history.messages == []


def test_an_async_vault_says_what_to_call_instead(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened_async(tmp_path) as vault:
            history = history_of(vault)
            await history.aadd_messages(EVERY)
            assert same(await history.aget_messages(), EVERY)
            with pytest.raises(UsageError) as caught:
                _ = history.messages
            assert "aget_messages" in caught.value.hint
            await history.aclear()
            assert await history.aget_messages() == []

    asyncio.run(main())


def test_what_an_app_said_in_other_words_reads_as_messages(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    with opened(tmp_path) as vault:
        vault.transcript("u-1", "s-1").extend(
            [
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "content": "done", "tool_call_id": "c"},
            ]
        )
        found = history_of(vault).messages
        assert [type(one) for one in found] == [HumanMessage, AIMessage, ToolMessage]
        assert cast("AIMessage", found[1]).tool_calls == [
            {"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}
        ]


BAD_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{bad sekrit"}}
NOT_LANGCHAINS: list[tuple[dict[str, Any], type[BaseMessage]]] = [
    ({"role": "assistant", "content": None, "tool_calls": [{"id": "c-1", "name": "dial"}]}, AIMessage),
    ({"role": "assistant", "content": "sekrit", "tool_calls": [BAD_CALL]}, AIMessage),
    ({"role": "assistant", "content": "sekrit", "tool_calls": "sekrit"}, AIMessage),
    ({"role": "tool", "content": "sekrit"}, ToolMessage),
    ({"role": "function", "content": "sekrit"}, FunctionMessage),
    ({"role": "user", "content": {"a": "sekrit"}}, HumanMessage),
    ({"role": "system", "content": {"a": "sekrit"}}, SystemMessage),
    ({"role": "developer", "content": {"a": "sekrit"}}, SystemMessage),
    ({"role": "user", "content": ["sekrit", 7]}, HumanMessage),
]


@pytest.mark.parametrize(("words", "kind"), NOT_LANGCHAINS)
def test_p1_what_langchain_can_not_take_reads_as_a_plain_message_of_its_role(
    words: dict[str, Any], kind: type[BaseMessage], tmp_path: Path
) -> None:
    with opened(tmp_path) as vault:
        vault.transcript("u-1", "s-1").append(words)
        [found] = history_of(vault).messages
        assert type(found) is kind
        content = words["content"] or ""
        assert found.content == ([content] if isinstance(content, dict) else content)
        rest = {key: one for key, one in words.items() if key not in {"role", "content"}}
        assert found.additional_kwargs == rest
        assert found.name == ("" if kind is FunctionMessage else None)
        assert str(found.model_dump(warnings=False))  # every field is there


PROGRAM = """
import json, sys
from vault.adapters.langchain import VaultChatMessageHistory
history = VaultChatMessageHistory("s-1", connection=sys.argv[1], user_id="u-1")
history.add_ai_message("from the other process")
print(json.dumps([message.content for message in history.messages]))
"""


def test_another_process_goes_on_with_the_session(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        history_of(vault).add_user_message("Hello")
        seen = told_by(PROGRAM, str(tmp_path / "vault"))
        assert seen == ["Hello", "from the other process"]
        assert [one.content for one in history_of(vault).messages] == seen


def test_the_text_of_an_answer_is_kept_by_a_memory_of_ones_own(tmp_path: Path) -> None:
    """It is a str subclass of LangChain's, which can be called too."""
    said = AIMessage("Hello").text
    with opened(tmp_path) as vault:
        vault.transcript("u-1", "s-1").append("assistant", said)
        VaultChatMemory("u-1", "s-1", vault).save_message("assistant", said, metadata={"it": said})
        assert [one.content for one in vault.transcript("u-1", "s-1").messages()] == ["Hello", "Hello"]
