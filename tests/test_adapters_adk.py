"""Google ADK's session service, under its own runner and agent, with a model that needs no network."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
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

from vault.errors import InputError, SessionForgottenError, TamperedError, UsageError, UserForgottenError

pytest.importorskip("google.adk", reason="google-adk is not installed")

from google.adk.agents import LlmAgent
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai import types
from pydantic import Field

from vault.adapters.adk import VaultSessionService, _Stored

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
ONE: dict[str, Any] = {"app_name": "shop", "user_id": "u-1"}


class Script(BaseLlm):
    """A model that says what the test wrote, and remembers what it was given."""

    model: str = "script"
    turns: list[types.Part]
    given: list[Any] = Field(default_factory=list)

    async def generate_content_async(
        self,
        llm_request: Any,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 (ADK's)
    ) -> AsyncGenerator[Any, None]:
        self.given.append([part for content in llm_request.contents for part in content.parts])
        yield LlmResponse(content=types.Content(role="model", parts=[self.turns.pop(0)]))


def send(to: str) -> dict[str, str]:
    """Send something."""
    return {"done": f"sent to {to}"}


def words(text: str) -> types.Part:
    return types.Part(text=text)


def said(text: str, author: str = "user", **more: Any) -> Event:
    content = types.Content(role="user" if author == "user" else "model", parts=[words(text)])
    return Event(author=author, invocation_id="i-1", content=content, **more)


def changes(**delta: Any) -> Event:
    named = {key.replace("__", ":"): value for key, value in delta.items()}
    return Event(author="agent", invocation_id="i-1", actions=EventActions(state_delta=named))


def heard(events: list[Any]) -> list[str]:
    return [part.text for event in events for part in event.content.parts if part.text]


async def talk(service: Any, model: Script, session_id: str, text: str) -> None:
    agent = LlmAgent(name="helper", model=model, tools=[send])
    runner = Runner(app_name="shop", agent=agent, session_service=service)
    message = types.Content(role="user", parts=[words(text)])
    async for _ in runner.run_async(user_id="u-1", session_id=session_id, new_message=message):
        pass


@pytest.fixture(params=FACES)
def open_vault(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Either face."""
    return either(str(request.param), tmp_path)


def test_an_agent_goes_on_after_a_restart(open_vault: Opened) -> None:
    call = types.Part(function_call=types.FunctionCall(name="send", args={"to": "the office"}))

    async def first() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            await service.create_session(**ONE, session_id="s-1")
            await talk(service, Script(turns=[call, words("Done.")]), "s-1", "Send it")

    async def second() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            before = await service.get_session(**ONE, session_id="s-1")
            assert before is not None
            parts = [part for event in before.events for part in cast("Any", event.content).parts]
            roles = [[*part.model_dump(exclude_none=True)] for part in parts]
            assert roles == [["text"], ["function_call"], ["function_response"], ["text"]]
            assert [event.author for event in before.events] == ["user", "helper", "helper", "helper"]
            model = Script(turns=[words("You asked me to send it.")])
            await talk(service, model, "s-1", "What was it?")
            [seen] = model.given
            assert [part.text for part in seen if part.text] == ["Send it", "Done.", "What was it?"]
            assert any(
                part.function_call and part.function_call.args == {"to": "the office"} for part in seen
            )

    asyncio.run(first())
    asyncio.run(second())


def test_state_is_the_sessions_the_users_or_the_apps(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            first = await service.create_session(
                **ONE, session_id="s-1", state={"a": 1, "user:b": 2, "app:c": [3], "temp:d": 4}
            )
            assert first.state == {"a": 1, "user:b": 2, "app:c": [3]}
            await service.append_event(first, changes(a=5, user__b=6, app__c=[7], temp__d=8, e=None))
            assert first.state == {"a": 5, "user:b": 6, "app:c": [7], "temp:d": 8, "e": None}
            again = await service.get_session(**ONE, session_id="s-1")
            assert again is not None
            assert again.state == {"a": 5, "user:b": 6, "app:c": [7], "e": None}
            assert again.events[0].actions.state_delta == {"a": 5, "user:b": 6, "app:c": [7], "e": None}
            beside = await service.create_session(**ONE, session_id="s-2")
            assert beside.state == {"user:b": 6, "app:c": [7]}
            other = await service.create_session(app_name="shop", user_id="u-2", session_id="s-1")
            assert other.state == {"app:c": [7]}
            elsewhere = await service.create_session(app_name="bank", user_id="u-1", session_id="s-1")
            assert elsewhere.state == {}
            await service.delete_session(**ONE, session_id="s-1")
            assert await service.get_session(**ONE, session_id="s-1") is None
            assert await service.get_user_state(**ONE) == {"b": 6}
            assert await service.get_user_state(app_name="shop", user_id="nobody") == {}

    asyncio.run(main())


def test_sessions_are_made_once_listed_and_limited(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            assert await service.get_session(**ONE, session_id="s-1") is None
            one = await service.create_session(**ONE, session_id=" s-1 ")
            two = await service.create_session(**ONE)
            await service.create_session(app_name="shop", user_id="u-2", session_id="s-1")
            await service.create_session(app_name="bank", user_id="u-1", session_id="s-9")
            with pytest.raises(AlreadyExistsError):
                await service.create_session(**ONE, session_id="s-1")
            for number in range(4):
                await service.append_event(one, said(str(number), timestamp=1_800_000_000.5 + number))
            listed = (await service.list_sessions(**ONE)).sessions
            assert [session.id for session in listed] == [two.id, "s-1"]
            assert [session.events for session in listed] == [[], []]
            everyone = (await service.list_sessions(app_name="shop")).sessions
            assert {(session.user_id, session.id) for session in everyone} == {
                ("u-1", "s-1"), ("u-1", two.id), ("u-2", "s-1"),
            }  # fmt: skip
            for config, left in (
                (GetSessionConfig(num_recent_events=2), ["2", "3"]),
                (GetSessionConfig(num_recent_events=0), []),
                (GetSessionConfig(num_recent_events=9), ["0", "1", "2", "3"]),
                (GetSessionConfig(after_timestamp=1_800_000_001.5), ["1", "2", "3"]),
            ):
                found = await service.get_session(**ONE, session_id="s-1", config=config)
                assert found is not None
                assert heard(found.events) == left
            assert (await service.list_sessions(app_name="shop", user_id="nobody")).sessions == []

    asyncio.run(main())


def test_only_a_session_that_has_gone_on_is_stale(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            service, beside = VaultSessionService(vault), VaultSessionService(vault)
            mine = await service.create_session(**ONE, session_id="s-1")
            theirs = await beside.get_session(**ONE, session_id="s-1")
            assert theirs is not None
            await asyncio.gather(*(service.append_event(mine, said(str(number))) for number in range(6)))
            assert sorted(heard(mine.events)) == list("012345")
            with pytest.raises(StaleSessionError):
                await beside.append_event(theirs, said("too late"))
            again = await beside.get_session(**ONE, session_id="s-1")
            assert again is not None
            assert heard(again.events) == heard(mine.events)
            assert again.last_update_time == mine.last_update_time
            await beside.append_event(again, said("in time"))
            with pytest.raises(StaleSessionError):
                await service.append_event(mine, said("too late"))
            copied = type(again).model_validate(again.model_dump())  # without ADK's marker
            await service.append_event(copied, said("by its events"))
            with pytest.raises(StaleSessionError):
                await service.append_event(
                    type(again).model_validate(again.model_dump()), said("by its events")
                )
            await service.delete_session(**ONE, session_id="s-1")
            with pytest.raises(SessionNotFoundError):
                await service.append_event(copied, said("gone"))

    asyncio.run(main())


def test_an_event_that_is_stored_is_not_stored_again(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault(redacts=True) as vault:
            service = VaultSessionService(vault)
            untold = await service.create_session(**ONE, session_id="s-1", state={"n": 0})
            given = said(SAID, actions=EventActions(state_delta={"n": 1, "user:m": 1}))
            await service.append_event(untold.model_copy(deep=True), given.model_copy(deep=True))
            older = untold.model_copy(deep=True)
            for session in (untold, await service.get_session(**ONE, session_id="s-1")):
                assert session is not None
                again = await service.append_event(session, given.model_copy(deep=True))
                assert again.id == given.id
                assert [event.id for event in session.events] == [given.id]
                assert session.state == {"n": 1, "user:m": 1}
            await service.append_event(untold, said("next"))
            await service.append_event(older, given.model_copy(deep=True))
            assert older.events == []  # more has been said, of which it knows nothing
            with pytest.raises(StaleSessionError):
                await service.append_event(older, said("too late"))
            other = said("another", id=given.id, timestamp=given.timestamp + 1)
            await service.append_event(untold, other)  # it only shares an id
            found = await service.get_session(**ONE, session_id="s-1")
            assert found is not None
            assert heard(found.events) == [STORED, "next", "another"]

    asyncio.run(main())


def test_an_event_given_again_while_a_cancelled_call_still_stores_it_is_not_stale(
    open_vault: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = _Stored.read
    has_read, may_go = threading.Event(), threading.Event()

    def read(stored: _Stored, *names: str) -> object:
        """Whoever comes first looks, and is held up until somebody else has stored the event."""
        found = really(stored, *names)
        if not has_read.is_set():
            has_read.set()
            while not may_go.is_set():
                stored._core.stores.runtime.pause(0)
        return found

    async def chat() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            session = await service.create_session(**ONE, session_id="s-1")
            event = said("once")
            monkeypatch.setattr(_Stored, "read", read)
            late = asyncio.create_task(service.append_event(session.model_copy(deep=True), event))
            await asyncio.to_thread(has_read.wait)
            await VaultSessionService(vault).append_event(session, event)
            may_go.set()
            await late
            await service.append_event(session, said("twice"))
            again = await service.get_session(**ONE, session_id="s-1")
            assert again is not None
            assert heard(again.events) == ["once", "twice"]

    asyncio.run(chat())


def test_p1_mail_in_text_arguments_and_state_is_redacted_and_ids_are_not(
    open_vault: Opened, tmp_path: Path
) -> None:
    call = types.Part(function_call=types.FunctionCall(id=TELLING_IDS[0], name="send", args={"to": MAIL}))

    async def main() -> None:
        async with open_vault(redacts=True) as vault:
            service = VaultSessionService(vault)
            session = await service.create_session(**ONE, session_id="s-1", state={"user:mail": MAIL, "n": 7})
            await talk(service, Script(turns=[call, words(f"I wrote to {MAIL}")]), "s-1", SAID)
            found = await service.get_session(**ONE, session_id="s-1")
            assert found is not None
            assert found.state == {"user:mail": "<EMAIL_ADDRESS_1>", "n": 7}
            parts = [part for event in found.events for part in cast("Any", event.content).parts]
            assert (parts[0].text, parts[3].text) == (STORED, "I wrote to <EMAIL_ADDRESS_1>")
            assert parts[1].function_call.args == {"to": "<EMAIL_ADDRESS_1>"}
            assert parts[2].function_response.response == {"done": "sent to <EMAIL_ADDRESS_1>"}
            assert parts[1].function_call.id == parts[2].function_response.id == TELLING_IDS[0]
            ids = [event.id for event in found.events]
            assert len(set(ids)) == 4
            tied = Event(
                id=TELLING_IDS[1], author=TELLING_IDS[2], invocation_id=TELLING_IDS[3], branch=TELLING_IDS[1],
                long_running_tool_ids=set(TELLING_IDS),
                actions=EventActions(transfer_to_agent=TELLING_IDS[1]),
                content=types.Content(role="model", parts=[
                    types.Part(inline_data=types.Blob(data=MAIL.encode(), mime_type="image/png")),
                    types.Part(text="ok", thought_signature=b"\xff\x00" * 9),
                ]),
            )  # fmt: skip
            session = found
            await service.append_event(session, tied.model_copy(deep=True))
            again = await service.get_session(**ONE, session_id="s-1")
            assert again is not None
            assert again.events[-1] == tied

    asyncio.run(main())
    assert MAIL.encode() not in bytes_at_rest(tmp_path)


def test_p3_forgetting_a_user_takes_their_sessions_and_their_state(open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            session = await service.create_session(**ONE, session_id="s-1", state={"user:b": 2, "app:c": 3})
            await service.append_event(session, said("secret"))
            forgotten = vault.forget_user("u-1", now=True)
            if asyncio.iscoroutine(forgotten):
                await forgotten
            for call in (
                service.get_session(**ONE, session_id="s-1"),
                service.get_user_state(**ONE),
                service.list_sessions(**ONE),
                service.create_session(**ONE, session_id="s-2"),
                service.append_event(session, said("more")),
            ):
                with pytest.raises(UserForgottenError):
                    await call
            other = await service.create_session(app_name="shop", user_id="u-2")
            assert other.state == {"app:c": 3}
            assert len((await service.list_sessions(app_name="shop")).sessions) == 1

    asyncio.run(main())


def test_p7_a_forgotten_session_and_a_tampered_row_raise(tmp_path: Path) -> None:
    async def prepare(service: VaultSessionService, user: str) -> None:
        session = await service.create_session(app_name="shop", user_id=user, session_id="s-1")
        await service.append_event(session, said("secret"))

    with opened(tmp_path) as vault:
        service = VaultSessionService(vault)
        for user in ("u-1", "u-2"):
            asyncio.run(prepare(service, user))
        vault.forget_session("u-1", "shop:s-1")
        with pytest.raises(SessionForgottenError):
            asyncio.run(service.get_session(**ONE, session_id="s-1"))
    tamper(tmp_path)
    with opened(tmp_path) as vault, pytest.raises(TamperedError):
        asyncio.run(VaultSessionService(vault).get_session(app_name="shop", user_id="u-2", session_id="s-1"))


def test_what_can_not_be_right_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        service = VaultSessionService(vault)
        asyncio.run(service.create_session(**ONE, session_id="s-1", state={"user:b": 2}))
        for wrong in (
            service.create_session(app_name="a:b", user_id="u-1"),
            service.create_session(app_name="shop", user_id="app:shop"),
            service.create_session(app_name="shop", user_id=" "),
            service.create_session(**ONE, state={"x": object()}),
            service.create_session(**ONE, state={"user:\ud800": 1}),
            service.delete_session(**ONE, session_id=" "),
            service.get_session(**ONE, session_id=""),
        ):
            with pytest.raises(InputError):
                asyncio.run(wrong)
        assert asyncio.run(service.get_user_state(**ONE)) == {"b": 2}
        with pytest.raises(UsageError, match="a Vault or an AsyncVault"):
            VaultSessionService(cast("Any", "chat-vault"))


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301"
    "0100c9fe92ef0000000049454e44ae426082"
)
BLOB = types.FunctionResponseBlob(data=PNG, mime_type="image/png")
BINARY = {
    "inline_data": types.Part(inline_data=types.Blob(data=PNG, mime_type="image/png")),
    "thought_signature": types.Part(text="x", thought_signature=PNG),
    "function_response": types.Part(
        function_response=types.FunctionResponse(
            id="c-1", name="shot", response={"n": 1}, parts=[types.FunctionResponsePart(inline_data=BLOB)]
        )
    ),
}


@pytest.mark.parametrize("kind", BINARY)
def test_bytes_come_back_equal_wherever_an_event_has_them(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        with opened(tmp_path, redacts=True) as vault:
            service = VaultSessionService(vault)
            session = await service.create_session(**ONE, session_id="s-1")
            event = Event(author="agent", content=types.Content(role="user", parts=[BINARY[kind]]))
            await service.append_event(session, event.model_copy(deep=True))
            found = await service.get_session(**ONE, session_id="s-1")
            assert found is not None
            assert found.events == [event]

    asyncio.run(main())


PROGRAM = """
import asyncio, json, sys, warnings
warnings.simplefilter("ignore")
from google.adk.events.event import Event
from vault import Vault
from vault.adapters.adk import VaultSessionService
async def main(vault):
    service = VaultSessionService(vault)
    session = await service.get_session(app_name="shop", user_id="u-1", session_id="s-1")
    await service.append_event(session, Event(author="other", invocation_id="i-2"))
    return [event.author for event in session.events]
with Vault.open(sys.argv[1], redactor=None) as vault:
    print(json.dumps(asyncio.run(main(vault))))
"""


def test_another_process_goes_on_with_the_session(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        service = VaultSessionService(vault)
        session = asyncio.run(service.create_session(**ONE, session_id="s-1"))
        asyncio.run(service.append_event(session, said("Hello")))
        assert told_by(PROGRAM, str(tmp_path / "vault")) == ["user", "other"]
        with pytest.raises(StaleSessionError):
            asyncio.run(service.append_event(session, said("too late")))


PARTS = st.one_of(
    texts(20).map(lambda text: types.Part(text=text)),
    st.binary(max_size=20).map(lambda data: types.Part(inline_data=types.Blob(data=data, mime_type="a/b"))),
    st.builds(
        lambda one, name, args: types.Part(
            function_call=types.FunctionCall(id=one, name=name, args=args), thought_signature=b"\xff"
        ),
        texts(8), texts(8), st.dictionaries(texts(5), json_values(4), max_size=2),
    ),
    st.builds(
        lambda name, response: types.Part(
            function_response=types.FunctionResponse(name=name, response=response)
        ),
        texts(8), st.dictionaries(texts(5), json_values(4), max_size=2),
    ),
)  # fmt: skip
EVENTS = st.builds(
    lambda author, parts, delta, tools: Event(
        author=author,
        invocation_id="i-1",
        content=None if parts is None else types.Content(role="model", parts=parts),
        actions=EventActions(state_delta=delta),
        long_running_tool_ids=tools or None,
    ),
    texts(8),
    st.none() | st.lists(PARTS, max_size=3),
    st.dictionaries(texts(5).map(lambda key: f"k{key}"), json_values(4), max_size=2),
    st.sets(texts(5), max_size=2),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("shared")) as vault:
        yield VaultSessionService(vault)


@FEW
@given(events=st.lists(EVENTS, max_size=3))
def test_any_event_comes_back_as_it_was(events: list[Event], shared: VaultSessionService) -> None:
    async def main() -> None:
        session = await shared.create_session(**ONE)
        for event in events:
            await shared.append_event(session, event)
        again = await shared.get_session(**ONE, session_id=session.id)
        assert again is not None
        assert json.loads(again.model_dump_json()) == json.loads(session.model_dump_json())

    asyncio.run(main())
