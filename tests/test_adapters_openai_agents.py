"""The OpenAI Agents SDK's Session, under the SDK's own runner with a model that needs no network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
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

from vault.errors import (
    InputError,
    MissingExtraError,
    SessionForgottenError,
    TamperedError,
    UsageError,
    UserForgottenError,
)

agents = pytest.importorskip("agents", reason="openai-agents is not installed")

from agents import (  # noqa: E402 (skipped above where it is not there)
    Agent,
    ModelResponse,
    RunConfig,
    RunContextWrapper,
    Runner,
    SessionSettings,
    Usage,
    function_tool,
)
from agents.memory import Session  # noqa: E402
from agents.models.interface import Model  # noqa: E402
from openai.types.responses import (  # noqa: E402
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
)

from vault.adapters.openai_agents import VaultSession  # noqa: E402

QUIET = RunConfig(tracing_disabled=True)


def said(text: str, number: int = 1) -> ResponseOutputMessage:
    part = ResponseOutputText(type="output_text", text=text, annotations=[], logprobs=[])
    return ResponseOutputMessage(
        id=f"msg_{number}", type="message", role="assistant", status="completed", content=[part]
    )


def called(name: str, call_id: str, **arguments: object) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=f"fc_{call_id}", type="function_call", name=name, call_id=call_id, arguments=json.dumps(arguments)
    )


class Script(Model):
    """A model that says what the test wrote, and remembers what it was given."""

    def __init__(self, *turns: list[Any] | Exception) -> None:
        self.turns = list(turns)
        self.given: list[list[Any]] = []

    async def get_response(self, system_instructions: Any, input: Any, *_args: Any, **_kwargs: Any) -> Any:  # noqa: A002, ARG002 (the SDK's)
        self.given.append(list(input))
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return ModelResponse(output=turn, usage=Usage(), response_id=None)

    async def stream_response(
        self,
        system_instructions: Any,
        input: Any,  # noqa: A002 (the SDK's name)
        *_args: Any,
        **_kwargs: Any,
    ) -> AsyncIterator[Any]:
        answer = await self.get_response(system_instructions, input)
        response = Response(
            id="resp_1", created_at=0, model="script", object="response", output=answer.output,
            parallel_tool_calls=False, tool_choice="auto", tools=[],
        )  # fmt: skip
        yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=0)


@function_tool
def send(to: str) -> str:
    """Send something."""
    return f"sent to {to}"


@pytest.fixture(params=FACES)
def open_vault(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Either face."""
    return either(str(request.param), tmp_path)


def test_it_is_a_session_and_every_method_takes_the_run(tmp_path: Path) -> None:
    from agents.memory.session import _session_accepts_wrapper

    with opened(tmp_path) as vault:
        session = VaultSession("s-1", vault, user_id="u-1")
        assert isinstance(session, Session)
        assert _session_accepts_wrapper(session)


def test_an_agent_goes_on_after_a_restart(open_vault: Opened) -> None:
    reasoning = ResponseReasoningItem(id="rs_1", type="reasoning", summary=[], encrypted_content="gAAA==")
    call = called("send", "call_1", to="the office")

    async def first() -> None:
        model = Script([reasoning, call], [said("Done.")])
        agent = Agent(name="a", model=model, tools=[send])
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            result = await Runner.run(agent, "Send it", session=session, run_config=QUIET)
            assert result.final_output == "Done."
            assert await session.get_items() == result.to_input_list()

    async def second() -> None:
        model = Script([said("You asked me to send it.", 2)])
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            before = await session.get_items()
            await Runner.run(Agent(name="a", model=model), "What was it?", session=session, run_config=QUIET)
            [seen] = model.given
            assert seen == [*before, {"role": "user", "content": "What was it?"}]
            kinds = [one.get("type", one.get("role")) for one in before]
            assert kinds == ["user", "reasoning", "function_call", "function_call_output", "message"]
            assert before[1] == reasoning.model_dump(exclude_unset=True)
            assert before[2] == call.model_dump(exclude_unset=True)
            assert len(await session.get_items()) == len(before) + 2

    asyncio.run(first())
    asyncio.run(second())


def test_a_streamed_run_is_kept_too(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            agent = Agent(name="a", model=Script([said("Hello.")]))
            streamed = Runner.run_streamed(agent, "Hi", session=session, run_config=QUIET)
            async for _ in streamed.stream_events():
                pass
            items: list[Any] = await session.get_items()
            assert [item.get("role") for item in items] == ["user", "assistant"]

    asyncio.run(main())


def test_run_sync_works_with_the_sync_face(tmp_path: Path) -> None:
    with asyncio.Runner() as runner, opened(tmp_path) as vault:
        asyncio.set_event_loop(runner.get_loop())  # run_sync would make one, and leave it open
        session = VaultSession("s-1", vault, user_id="u-1")
        for number in (1, 2):
            agent = Agent(name="a", model=Script([said("Hello.", number)]))
            Runner.run_sync(agent, "Hi", session=session, run_config=QUIET)
        assert len(vault.transcript("u-1", "s-1").messages()) == 4
        asyncio.set_event_loop(None)


def test_a_run_that_fails_midway_leaves_what_was_said_and_goes_on(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            model = Script([called("send", "call_1", to="x")], ValueError("the model is down"))
            with pytest.raises(ValueError, match="the model is down"):
                await Runner.run(
                    Agent(name="a", model=model, tools=[send]), "Send it", session=session, run_config=QUIET
                )
            left: list[Any] = await session.get_items()
            calls = {item["call_id"] for item in left if item.get("type") == "function_call"}
            results = {item["call_id"] for item in left if item.get("type") == "function_call_output"}
            assert left[0] == {"role": "user", "content": "Send it"}
            assert calls == results == {"call_1"}
            again = Script([said("Here I am.")])
            await Runner.run(Agent(name="a", model=again), "Still there?", session=session, run_config=QUIET)
            assert again.given[0][: len(left)] == left

    asyncio.run(main())


def test_p1_mail_in_text_and_in_arguments_is_redacted_and_ids_are_not(
    open_vault: Opened, tmp_path: Path
) -> None:
    call_id = TELLING_IDS[0]

    async def main() -> None:
        async with open_vault(redacts=True) as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            model = Script([called("send", call_id, to=MAIL)], [said(f"I wrote to {MAIL}")])
            agent = Agent(name="a", model=model, tools=[send])
            await Runner.run(agent, SAID, session=session, run_config=QUIET)
            user, call, output, answer = await session.get_items()
            assert user == {"role": "user", "content": STORED}
            assert call == {
                "id": f"fc_{call_id}", "type": "function_call", "name": "send", "call_id": call_id,
                "arguments": '{"to": "<EMAIL_ADDRESS_1>"}',
            }  # fmt: skip
            assert output == {
                "type": "function_call_output", "call_id": call_id, "output": "sent to <EMAIL_ADDRESS_1>",
            }  # fmt: skip
            assert answer == said("I wrote to <EMAIL_ADDRESS_1>").model_dump(exclude_unset=True)

    asyncio.run(main())
    assert MAIL.encode() not in bytes_at_rest(tmp_path)


def kinds(tie: str) -> dict[str, dict[str, Any]]:
    return {
        "function_call": {"name": "f", "arguments": "{}"},
        "function_call_output": {"output": "done"},
        "mcp_approval_response": {"approval_request_id": tie, "approve": True},
        "message": {"role": "user", "content": [{"type": "input_file", "file_id": tie}]},
        "reasoning": {"summary": [], "encrypted_content": tie * 9},
    }


def test_p1_what_only_ties_items_together_is_never_altered(tmp_path: Path) -> None:
    with opened(tmp_path, redacts=True) as vault:
        items: list[Any] = [
            {"type": kind, "id": one, "call_id": one, "status": "completed", **rest}
            for one in TELLING_IDS
            for kind, rest in kinds(one).items()
        ]
        session = VaultSession("s-1", vault, user_id="u-1")
        asyncio.run(session.add_items(items))
        assert asyncio.run(session.get_items()) == items


def test_two_users_with_one_session_id_see_nothing_of_each_other(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            one, other = (VaultSession("s-1", vault, user_id=user) for user in ("u-1", "u-2"))
            await one.add_items([{"role": "user", "content": "mine"}])
            assert await other.get_items() == []
            assert await other.pop_item() is None
            await other.clear_session()
            assert await one.get_items() == [{"role": "user", "content": "mine"}]

    asyncio.run(main())


def test_limits_are_those_of_the_call_the_session_or_the_run(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            items: list[Any] = [{"role": "user", "content": str(number)} for number in range(5)]
            session = VaultSession("s-1", vault, user_id="u-1", session_settings={"limit": 2})
            assert session.session_settings == SessionSettings(limit=2)
            await session.add_items(items)
            assert await session.get_items() == items[3:]
            assert await session.get_items(limit=4) == items[1:]
            assert await session.get_items(limit=0) == []
            model = Script([said("Hello.")])
            config = RunConfig(tracing_disabled=True, session_settings=SessionSettings(limit=1))
            await Runner.run(Agent(name="a", model=model), "Hi", session=session, run_config=config)
            assert model.given == [[items[4], {"role": "user", "content": "Hi"}]]

    asyncio.run(main())


@dataclass
class Request:
    user: str


def test_the_user_comes_from_the_run(open_vault: Opened) -> None:
    def user_of(run: RunContextWrapper[Any]) -> str:
        name: str = run.context.user
        return name

    async def main() -> None:
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_from=user_of)
            for user in ("u-1", "u-2"):
                agent = Agent(name="a", model=Script([said("Hello.")]))
                await Runner.run(agent, user, session=session, run_config=QUIET, context=Request(user))
                [mine, _] = await VaultSession("s-1", vault, user_id=user).get_items()
                assert mine == {"role": "user", "content": user}
            with pytest.raises(UsageError, match="no context"):
                await session.get_items()
            bound = VaultSession("s-1", vault, user_id="u-1", user_from=user_of)
            agent = Agent(name="a", model=Script([said("Hello.")]))
            with pytest.raises(UsageError, match="another user"):
                await Runner.run(agent, "Hi", session=bound, run_config=QUIET, context=Request("u-2"))

    asyncio.run(main())


def test_no_user_is_invented(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        with pytest.raises(UsageError, match="whose messages"):
            VaultSession("s-1", vault)
        with pytest.raises(InputError):
            VaultSession("s-1", vault, user_id=" ")
        with pytest.raises(UsageError, match="a Vault or an AsyncVault"):
            VaultSession("s-1", cast("Any", "chat-vault"), user_id="u-1")
        asyncio.run(
            VaultSession("s-1", vault, user_from_session=True).add_items([{"role": "user", "content": "x"}])
        )
        assert list(vault.users()) == ["s-1"]


def test_p7_a_forgotten_user_or_session_and_a_tampered_row_raise_in_every_method(tmp_path: Path) -> None:
    def every(session: VaultSession, error: type[Exception]) -> None:
        for call in (
            session.get_items,
            lambda: session.get_items(limit=0),
            session.pop_item,
            lambda: Runner.run(
                Agent(name="a", model=Script([said("Hello.")])), "Hi", session=session, run_config=QUIET
            ),
        ):
            with pytest.raises(error):
                asyncio.run(_awaited(call))

    with opened(tmp_path) as vault:
        mine, theirs, third = (VaultSession(f"s-{user}", vault, user_id=user) for user in "abc")
        for session in (mine, theirs, third):
            asyncio.run(session.add_items([{"role": "user", "content": "secret"}]))
        vault.forget_session("a", "s-a")
        every(mine, SessionForgottenError)
        vault.forget_user("b", now=True)
        every(theirs, UserForgottenError)
        with pytest.raises(UserForgottenError):
            asyncio.run(theirs.add_items([{"role": "user", "content": "more"}]))
        with pytest.raises(UserForgottenError):
            asyncio.run(theirs.clear_session())
    with opened(tmp_path) as vault:
        before = vault.footprint("c")
        tamper(tmp_path)
        every(VaultSession("s-c", vault, user_id="c"), TamperedError)
        assert vault.footprint("c") == before  # what can't be read is not taken away either


async def _awaited(call: Callable[[], Any]) -> Any:
    return await call()


def test_items_are_added_all_or_none(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            with pytest.raises(InputError):
                await session.add_items(
                    [{"role": "user", "content": "fine"}, {"role": "user", "content": "\ud800"}]
                )
            with pytest.raises(InputError, match="an item is a dict"):
                await session.add_items([{"role": "user", "content": "fine"}, cast("Any", "a text")])
            assert await session.get_items() == []
            await session.add_items([])

    asyncio.run(main())


def test_many_who_pop_at_once_get_each_item_once(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            session = VaultSession("s-1", vault, user_id="u-1")
            await session.add_items([{"role": "user", "content": str(number)} for number in range(4)])
            popped: list[Any] = await asyncio.gather(*(session.pop_item() for _ in range(6)))
            found = [item["content"] for item in popped if item]
            assert sorted(found) == ["0", "1", "2", "3"]
            await session.add_items([{"role": "user", "content": "after"}])
            await session.clear_session()
            assert await session.get_items() == []

    asyncio.run(main())


PROGRAM = """
import asyncio, json, sys
from vault import Vault
from vault.adapters.openai_agents import VaultSession
with Vault.open(sys.argv[1], redactor=None) as vault:
    session = VaultSession("s-1", vault, user_id="u-1")
    asyncio.run(session.add_items([{"role": "user", "content": "from the other process"}]))
    print(json.dumps(asyncio.run(session.get_items())))
"""


def test_another_process_goes_on_with_the_session(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        session = VaultSession("s-1", vault, user_id="u-1")
        call: Any = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
        asyncio.run(session.add_items([call]))
        seen = told_by(PROGRAM, str(tmp_path / "vault"))
        assert seen == [call, {"role": "user", "content": "from the other process"}]
        assert asyncio.run(session.get_items()) == seen


OWN = st.sampled_from(
    ["role", "content", "type", "metadata", "created_at", "id", "seq", "extra", "user", "tool"]
)
ITEMS = st.dictionaries(OWN | texts(8), json_values() | OWN, max_size=6) | st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system", "developer"]),
        "content": texts(30)
        | st.lists(st.fixed_dictionaries({"type": st.just("input_text"), "text": texts()})),
    },
    optional={
        "id": texts(20),
        "type": st.just("message"),
        "metadata": json_values(),
        "unknown": json_values(),
    },
)


@FEW
@given(items=st.lists(ITEMS, max_size=5))
def test_any_item_comes_back_field_for_field(items: list[Any], shared: VaultSession) -> None:
    asyncio.run(shared.clear_session())
    asyncio.run(shared.add_items(items))
    found = asyncio.run(shared.get_items())
    assert found == items
    assert json.dumps(found, sort_keys=True) == json.dumps(items, sort_keys=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("shared")) as vault:
        yield VaultSession("s-1", vault, user_id="u-1")


def test_what_an_app_said_without_the_sdk_reads_as_items(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        vault.transcript("u-1", "s-1").append("user", "Hello")
        session = VaultSession("s-1", vault, user_id="u-1")
        assert asyncio.run(session.get_items()) == [{"role": "user", "content": "Hello"}]


def test_a_missing_framework_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vault.adapters import framework

    assert framework("json.decoder", "some-extra").JSONDecoder
    with pytest.raises(MissingExtraError, match="not_installed") as caught:
        framework("not_installed.at_all", "some-extra")
    assert "transcript-vault[some-extra]" in caught.value.hint
    (tmp_path / "half_installed.py").write_text("import its_own_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_own_dependency"):
        framework("half_installed", "some-extra")
