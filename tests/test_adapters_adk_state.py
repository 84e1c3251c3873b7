"""The state that ADK's sessions share: any key, and a crash before it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from memories import FACES, Opened, either, opened

from vault.core import Core
from vault.errors import UserForgottenError

pytest.importorskip("google.adk", reason="google-adk is not installed")

from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions

from vault.adapters.adk import VaultSessionService

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
ONE: dict[str, Any] = {"app_name": "shop", "user_id": "u-1"}


@pytest.fixture(params=FACES)
def open_vault(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Either face."""
    return either(str(request.param), tmp_path)


def changes(**delta: Any) -> Event:
    named = {key.replace("__", ":"): value for key, value in delta.items()}
    return Event(author="agent", invocation_id="i-1", actions=EventActions(state_delta=named))


ODD_KEYS = ["", "k" * 600, "a\tb", "ä\nö", " "]


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: repr(key)[:9])
def test_shared_state_has_any_key(key: str, open_vault: Opened) -> None:
    async def main() -> None:
        async with open_vault() as vault:
            service = VaultSessionService(vault)
            begun = {f"user:{key}": [0], f"app:{key}": "x"}
            session = await service.create_session(**ONE, session_id="s-1", state=begun)
            assert session.state == begun
            delta = {f"user:{key}": {key: 1}, f"app:{key}": None, "own": key, "user:plain": 2}
            await service.append_event(session, Event(author="a", actions=EventActions(state_delta=delta)))
            found = await service.get_session(**ONE, session_id="s-1")
            assert found is not None
            assert found.state == session.state == delta
            assert await service.get_user_state(**ONE) == {key: {key: 1}, "plain": 2}

    asyncio.run(main())


class _CrashError(Exception):
    """The process ended here."""


@pytest.mark.parametrize("verb", ["create", "append"])
def test_p8_a_crash_before_shared_state_is_written_is_completed_by_whoever_comes_next(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = {"user:a": 1, "app:b": [2], "own": 3}
    event = Event(author="agent", actions=EventActions(state_delta=delta))

    async def crash(service: VaultSessionService) -> None:
        if verb == "append":
            session = await service.create_session(**ONE, session_id="s-1", state={"user:a": 0})
            act: Awaitable[object] = service.append_event(session, event)
        else:
            act = service.create_session(**ONE, session_id="s-1", state=delta)
        with monkeypatch.context() as patched:
            keep, written = Core.keep, list[str]()

            def crashing(self: Core, user: str, place: str, *args: Any, **kwargs: Any) -> list[int]:
                if written:
                    raise _CrashError
                written.append(place)
                return keep(self, user, place, *args, **kwargs)

            patched.setattr(Core, "keep", crashing)
            with pytest.raises(_CrashError):
                await act
            assert written == ["shop:s-1"]

    async def look(service: VaultSessionService) -> None:
        found = await service.get_session(**ONE, session_id="s-1")
        assert found is not None
        assert found.state == delta
        other = await service.create_session(**ONE, session_id="s-2")
        assert other.state == {"user:a": 1, "app:b": [2]}
        await service.append_event(other, changes(user__a=5))
        again = await service.get_session(**ONE, session_id="s-1")
        assert again is not None
        assert again.state == {**delta, "user:a": 5}  # what came later stays

    with opened(tmp_path) as vault:
        asyncio.run(crash(VaultSessionService(vault)))
    with opened(tmp_path) as vault:
        asyncio.run(look(VaultSessionService(vault)))


def test_where_the_state_of_the_app_was_forgotten_no_event_is_stored(tmp_path: Path) -> None:
    async def main() -> None:
        with opened(tmp_path) as vault:
            service = VaultSessionService(vault)
            session = await service.create_session(**ONE, session_id="s-1", state={"app:a": 1})
            vault.forget_user("app:shop", now=True)
            with pytest.raises(UserForgottenError):
                await service.append_event(session, changes(app__a=2))
            assert vault.transcript("u-1", "shop:s-1").messages() == []

    asyncio.run(main())


@pytest.mark.parametrize("moment", ["users_page", "sessions"])
def test_who_is_forgotten_while_all_sessions_are_listed_is_left_out(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        with opened(tmp_path) as vault:
            service = VaultSessionService(vault)
            for user in ("u-1", "u-2"):
                begun = {"app:a": 1}
                await service.create_session(app_name="shop", user_id=user, session_id="s-1", state=begun)
            lister = vault._core.lister
            look = getattr(lister, moment)

            def forget_after(asked: Any) -> Any:
                found = look(asked)
                monkeypatch.undo()
                vault.forget_user("u-1")
                return found

            monkeypatch.setattr(lister, moment, forget_after)
            listed = await service.list_sessions(app_name="shop")
            assert [session.user_id for session in listed.sessions] == ["u-2"]
            with pytest.raises(UserForgottenError):
                await service.list_sessions(app_name="shop", user_id="u-1")
            vault.forget_user("app:shop")
            with pytest.raises(UserForgottenError):
                await service.list_sessions(app_name="shop")

    asyncio.run(main())
