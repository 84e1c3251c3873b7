"""pydantic-ai's conversation store, under its own agent with a model that needs no network."""

from __future__ import annotations

import asyncio
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

from vault.errors import SessionForgottenError, TamperedError, UsageError, UserForgottenError

pytest.importorskip("pydantic_ai", reason="pydantic-ai-slim is not installed")

from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, ConversationRecord
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from vault.adapters.pydantic_ai import VaultConversationStore

ME: dict[str, Any] = {"scope": "u-1"}


def agent(*turns: Any, output: Any = str) -> tuple[Agent[None, Any], list[list[ModelMessage]]]:
    """Give an agent whose model says what the test wrote, and what it is given."""
    left, seen = list(turns), list[list[ModelMessage]]()

    def answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        seen.append(messages)
        return ModelResponse(parts=[left.pop(0)])

    made: Agent[None, Any] = Agent(FunctionModel(answer), output_type=output)

    @made.tool_plain
    def send(to: str) -> str:
        return f"sent to {to}"

    return made, seen


def talk(*texts: str, conversation_id: str = "c-1") -> Conversation:
    return Conversation(messages=asked(*texts), conversation_id=conversation_id)


def asked(*texts: str) -> list[ModelMessage]:
    return [ModelRequest(parts=[UserPromptPart(text)]) for text in texts]


def heard(conversation: Conversation | None) -> list[Any]:
    assert conversation is not None
    return [part.content for message in conversation.messages for part in cast("Any", message).parts]


@pytest.fixture(params=FACES)
def open_vault(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Either face."""
    return either(str(request.param), tmp_path)


def test_an_agent_goes_on_after_a_restart(open_vault: Opened) -> None:
    async def first() -> None:
        async with open_vault() as vault:
            store = VaultConversationStore(vault)
            assert await store.load("c-1", **ME) is None
            mine, _ = agent(ToolCallPart("send", {"to": "the office"}, "call_1"), TextPart("Done."))
            result = await mine.run("Send it", conversation=Conversation(conversation_id="c-1"))
            assert len(await store.save(result, **ME)) == 4

    async def second() -> None:
        async with open_vault() as vault:
            store = VaultConversationStore(vault)
            before = await store.load("c-1", **ME)
            assert before is not None
            parts = [type(part) for message in before.messages for part in message.parts]
            assert parts == [UserPromptPart, ToolCallPart, ToolReturnPart, TextPart]
            assert before.usage.requests == 2
            mine, seen = agent(TextPart("You asked me to send it."))
            result = await mine.run("What was it?", conversation=before)
            assert seen[0][:4] == before.messages[:4]
            assert len(await store.save(result, **ME)) == 2
            again = await store.load("c-1", **ME)
            assert again is not None
            assert again.messages == result.all_messages()
            assert again.revision == result.conversation.revision
            recent = await store.load("c-1", limit=1, **ME)
            assert heard(recent) == ["You asked me to send it."]
            roles = [message.role for message in await _said(vault)]
            assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant"]

    async def _said(vault: Any) -> Any:
        found = vault.transcript("u-1", "c-1").messages()
        return await found if asyncio.iscoroutine(found) else found

    asyncio.run(first())
    asyncio.run(second())


def test_who_saves_what_another_has_changed_is_told(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            store = VaultConversationStore(vault)
            mine = talk("a")
            await store.save(mine, **ME)
            with pytest.raises(ConversationConflict):
                await store.save(talk("b"), **ME)
            theirs = await store.load("c-1", **ME)
            assert theirs is not None
            mine.messages.extend(asked("b"))
            await store.save(mine, **ME)
            theirs.messages.extend(asked("lost"))
            with pytest.raises(ConversationConflict):
                await store.save(theirs, **ME)
            loaded = [await store.load("c-1", **ME) for _ in range(4)]
            for number, one in enumerate(loaded):
                cast("Conversation", one).messages.extend(asked(f"race-{number}"))
            done = await asyncio.gather(
                *(store.save(cast("Conversation", one), **ME) for one in loaded), return_exceptions=True
            )
            assert sum(isinstance(one, list) for one in done) == 1
            assert sum(isinstance(one, ConversationConflict) for one in done) == 3
            assert len(heard(await store.load("c-1", **ME))) == 3
            stale = await store.load("c-1", **ME)
            await store.delete("c-1", **ME)
            assert await store.load("c-1", **ME) is None
            cast("Conversation", stale).messages.extend(asked("late"))
            with pytest.raises(ConversationConflict):
                await store.save(cast("Conversation", stale), **ME)
            await store.save(talk("anew"), **ME)
            assert heard(await store.load("c-1", **ME)) == ["anew"]

    asyncio.run(main())


def test_branches_and_forks_keep_what_they_left(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            store = VaultConversationStore(vault)
            first = talk("a", "b", "c")
            entries = await store.save(first, **ME)
            branched = await store.branch("c-1", at=1, expected_revision=first.revision, **ME)
            branched.messages.extend(asked("d"))
            await store.save(branched, **ME)
            assert heard(await store.load("c-1", **ME)) == ["a", "d"]
            [record] = await store.list_conversations(**ME)
            assert record.branches == [entries[-1].id]
            back = await store.branch(
                "c-1", from_entry=entries[-1].id, expected_revision=branched.revision, **ME
            )
            assert heard(back) == ["a", "b", "c"]
            fork = await store.fork("c-1", at=2, new_conversation_id="c-2", scope="u-1", source_scope="u-1")
            fork.messages.extend(asked("e"))
            await store.save(fork, **ME)
            assert heard(await store.load("c-2", **ME)) == ["a", "b", "e"]
            shared = await store.load_entries("c-2", **ME)
            assert shared is not None
            assert [one.id for one in shared[:2]] == [one.id for one in entries[:2]]
            listed = await store.list_conversations(**ME)
            assert [one.conversation_id for one in listed] == ["c-2", "c-1"]
            assert [one.conversation_id for one in await store.list_conversations(limit=1, **ME)] == ["c-2"]
            assert (listed[0].forked_from, listed[0].forked_at) == ("c-1", entries[1].id)
            await store.delete("c-1", **ME)
            assert heard(await store.load("c-2", **ME)) == ["a", "b", "e"]
            with pytest.raises(ConversationConflict):
                await store.write_record(
                    ConversationRecord(conversation_id="c-3", head_id="nowhere", scope="u-1"),
                    expected_revision=None,
                )
            with pytest.raises(UsageError, match="forked for another"):
                await store.fork("c-2", scope="u-2", source_scope="u-1")

    asyncio.run(main())


def test_two_users_with_one_conversation_id_see_nothing_of_each_other(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            store = VaultConversationStore(vault)
            await store.save(talk("mine"), scope="u-1")
            assert await store.load("c-1", scope="u-2") is None
            await store.save(talk("theirs"), scope="u-2")
            await store.delete("c-1", scope="u-2")
            assert heard(await store.load("c-1", scope="u-1")) == ["mine"]
            assert await store.list_conversations(scope="u-2") == []
            bound = VaultConversationStore(vault, user_id="u-1")
            assert heard(await bound.load("c-1")) == ["mine"]
            labelled = talk("labelled", conversation_id="c-2")
            await bound.save(labelled, scope="channel-7")
            assert await bound.load("c-2", scope="channel-8") is None
            [one] = await bound.list_conversations(scope="channel-7")
            assert one.conversation_id == "c-2"

    asyncio.run(main())


def test_no_user_is_invented(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        store = VaultConversationStore(vault)
        for call in (
            store.load("c-1"),
            store.save(talk("a")),
            store.list_conversations(),
            store.delete("c-1"),
        ):
            with pytest.raises(UsageError, match="whose conversation"):
                asyncio.run(call)
        assert list(vault.users()) == []
        with pytest.raises(UsageError, match="a Vault or an AsyncVault"):
            VaultConversationStore(cast("Any", "chat-vault"))


def test_p1_mail_in_text_and_in_arguments_is_redacted_and_ids_are_not(
    open_vault: Opened, tmp_path: Path
) -> None:
    tie = TELLING_IDS[0]

    async def main() -> None:
        async with open_vault(redacts=True) as vault:
            store = VaultConversationStore(vault)
            mine, _ = agent(ToolCallPart("send", {"to": MAIL}, tie), TextPart(f"I wrote to {MAIL}"))
            result = await mine.run(SAID, conversation=Conversation(conversation_id="c-1"))
            await store.save(result, **ME)
            found = await store.load("c-1", **ME)
            assert found is not None
            said, call, done, answer = (cast("Any", message).parts[0] for message in found.messages)
            assert (said.content, answer.content) == (STORED, "I wrote to <EMAIL_ADDRESS_1>")
            assert (call.args, done.content) == ({"to": "<EMAIL_ADDRESS_1>"}, "sent to <EMAIL_ADDRESS_1>")
            assert call.tool_call_id == done.tool_call_id == tie
            given = result.all_messages()
            assert [message.timestamp for message in found.messages] == [one.timestamp for one in given]
            assert cast("Any", found.messages[1]).usage == cast("Any", given[1]).usage
            waiting = Conversation(
                messages=asked("Ask first"),
                conversation_id="c-2",
                deferred_tool_requests=DeferredToolRequests(calls=[ToolCallPart("send", {"to": MAIL}, tie)]),
            )
            await store.save(waiting, **ME)
            again = await store.load("c-2", **ME)
            assert again is not None
            assert again.deferred_tool_requests is not None
            assert again.deferred_tool_requests.calls == [
                ToolCallPart("send", {"to": "<EMAIL_ADDRESS_1>"}, tie)
            ]
            binary = BinaryContent(data=MAIL.encode(), media_type="application/pdf", identifier="i-1")
            await store.save(
                Conversation(
                    messages=[ModelRequest(parts=[UserPromptPart(["See", binary])])], conversation_id="c-3"
                ),
                **ME,
            )
            assert heard(await store.load("c-3", **ME)) == [["See", binary]]

    asyncio.run(main())
    assert MAIL.encode() not in bytes_at_rest(tmp_path)


def test_a_conversation_that_is_forgotten_while_others_are_looked_at_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        with opened(tmp_path) as vault:
            store = VaultConversationStore(vault)
            for one in ("c-1", "c-2", "c-3"):
                await store.save(talk("a", conversation_id=one), **ME)
            newest = (await store.read_records(**ME))[0].head_id
            look = vault._core.lister.sessions

            def forget_after(user: str) -> Any:
                found = look(user)
                vault.forget_session(user, found[0].session_id)
                return found

            monkeypatch.setattr(vault._core.lister, "sessions", forget_after)
            records = await store.read_records(**ME)
            assert [one.conversation_id for one in records] == ["c-3", "c-2"]
            with store._about("none", "u-1"):
                assert len(await store.read_history(newest)) == 1

    asyncio.run(main())


def test_p7_what_is_gone_or_spoilt_raises(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        store = VaultConversationStore(vault)
        saved = {}
        for user in ("u-1", "u-2", "u-3"):
            saved[user] = talk("secret")
            asyncio.run(store.save(saved[user], scope=user))
        vault.forget_session("u-1", "c-1")
        vault.forget_user("u-2", now=True)
        for user, error in (("u-1", SessionForgottenError), ("u-2", UserForgottenError)):
            for call in (
                store.load("c-1", scope=user),
                store.load_entries("c-1", scope=user),
                store.save(saved[user], scope=user),
                store.delete("c-1", scope=user),
            ):
                with pytest.raises(error):
                    asyncio.run(call)
        with pytest.raises(UserForgottenError):
            asyncio.run(store.list_conversations(scope="u-2"))
    tamper(tmp_path)
    with opened(tmp_path) as vault, pytest.raises(TamperedError):
        asyncio.run(VaultConversationStore(vault).load("c-1", scope="u-3"))


LIKE_BINARY: list[Any] = [
    {"kind": "binary", "data": "hi there"},
    {"kind": "binary", "data": "hello"},
    {"kind": "binary", "data": "é"},
    {"kind": "binary", "data": "ab cd"},
    {"kind": "binary", "data": "4111111111111111"},
]


@pytest.mark.parametrize("given", LIKE_BINARY, ids=lambda one: one["data"])
def test_what_a_tool_writes_is_no_binary_content_for_its_looks(given: Any, tmp_path: Path) -> None:
    messages: list[ModelMessage] = [
        ModelResponse(parts=[ToolCallPart("draw", given, "c-1")]),
        ModelRequest(parts=[ToolReturnPart("draw", {"made": given, "of": [given]}, "c-1")]),
    ]
    paper = BinaryContent(data=b"%PDF\xff\xfe", media_type="application/pdf")
    messages += [
        ModelRequest(parts=[UserPromptPart(["Look", paper]), ToolReturnPart("draw", [paper], "c-2")])
    ]

    async def main() -> None:
        with opened(tmp_path) as vault:
            store = VaultConversationStore(vault)
            await store.save(Conversation(conversation_id="c-1", messages=list(messages)), **ME)
            found = await store.load("c-1", **ME)
            assert found is not None
            assert found.messages == messages

    asyncio.run(main())


def test_p1_a_card_number_in_what_looks_like_binary_content_is_redacted(tmp_path: Path) -> None:
    given = {"kind": "binary", "data": "4111111111111111"}

    async def main() -> None:
        with opened(tmp_path, redacts=True) as vault:
            store = VaultConversationStore(vault)
            said = ModelRequest(parts=[ToolReturnPart("draw", given, "c-1")])
            await store.save(Conversation(conversation_id="c-1", messages=[said]), **ME)
            found = await store.load("c-1", **ME)
            assert found is not None
            assert "4111111111111111" not in str(found.messages)

    asyncio.run(main())


PROGRAM = """
import asyncio, json, sys
from pydantic_ai.messages import ModelRequest, UserPromptPart
from vault import Vault
from vault.adapters.pydantic_ai import VaultConversationStore
async def main(vault):
    store = VaultConversationStore(vault, user_id="u-1")
    found = await store.load("c-1")
    found.messages.append(ModelRequest(parts=[UserPromptPart("from the other process")]))
    await store.save(found)
    return [part.content for message in (await store.load("c-1")).messages for part in message.parts]
with Vault.open(sys.argv[1], redactor=None) as vault:
    print(json.dumps(asyncio.run(main(vault))))
"""


def test_another_process_goes_on_with_the_conversation(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        store, mine = VaultConversationStore(vault), talk("Hello")
        asyncio.run(store.save(mine, **ME))
        assert told_by(PROGRAM, str(tmp_path / "vault")) == ["Hello", "from the other process"]
        mine.messages.extend(asked("too late"))
        with pytest.raises(ConversationConflict):
            asyncio.run(store.save(mine, **ME))


MESSAGES: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda parts, more: ModelRequest(parts=parts, metadata=more),
        st.lists(
            texts(10).map(UserPromptPart)
            | texts(10).map(SystemPromptPart)
            | st.builds(ToolReturnPart, texts(8), json_values(4), texts(8)),
            max_size=3,
        ),
        st.none() | st.dictionaries(texts(5), json_values(4), max_size=2),
    ),
    st.builds(
        lambda parts: ModelResponse(parts=parts, model_name="script"),
        st.lists(
            texts(10).map(TextPart)
            | texts(10).map(ThinkingPart)
            | st.builds(
                ToolCallPart,
                texts(8),
                st.dictionaries(texts(5), json_values(4), max_size=2) | texts(8),
                texts(8),
            ),
            max_size=3,
        ),
    ),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("shared")) as vault:
        yield VaultConversationStore(vault)


@FEW
@given(messages=st.lists(MESSAGES, max_size=4))
def test_any_message_comes_back_as_it_was(messages: list[Any], shared: VaultConversationStore) -> None:
    conversation = Conversation(messages=list(messages))
    asyncio.run(shared.save(conversation, **ME))
    found = asyncio.run(shared.load(conversation.conversation_id, **ME))
    assert found is not None
    assert found.messages == messages
    dumped = [ModelMessagesTypeAdapter.dump_json(every) for every in (found.messages, messages)]
    assert dumped[0] == dumped[1]
