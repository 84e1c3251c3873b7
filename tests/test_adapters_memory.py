"""The memory that an app wrote by hand, with a vault in place of its table."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memories import MAIL, SAID, STORED, bytes_at_rest, json_values, opened, opened_async, tamper, told_by
from strategies import FEW, texts

from vault import Vault
from vault.adapters import facing
from vault.adapters.memory import VaultChatMemory
from vault.errors import InputError, SessionForgottenError, TamperedError, UsageError, UserForgottenError


def test_a_conversation_goes_on_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        memory = VaultChatMemory("u-1", "s-1", vault)
        assert memory.load_conversation() == []
        memory.save_message("user", "Hello")
        memory.save_message("assistant", None, tool_calls=[{"id": "c-1", "name": "dial"}])
    with opened(tmp_path) as vault:
        memory = VaultChatMemory("u-1", "s-1", vault)
        memory.save_message("tool", "busy", tool_call_id="c-1")
        assert memory.load_conversation() == [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c-1", "name": "dial"}]},
            {"role": "tool", "content": "busy", "tool_call_id": "c-1"},
        ]
        assert memory.load_conversation(last=1) == [
            {"role": "tool", "content": "busy", "tool_call_id": "c-1"}
        ]
        memory.clear()
        assert memory.load_conversation() == []


def test_p1_what_is_saved_is_redacted(tmp_path: Path) -> None:
    with opened(tmp_path, redacts=True) as vault:
        memory = VaultChatMemory("u-1", "s-1", vault)
        assert memory.save_message("user", SAID).content == STORED
        memory.save_message(
            "assistant", None, tool_calls=[{"id": "c-1", "name": "send", "args": {"to": MAIL}}]
        )
        assert memory.load_conversation() == [
            {"role": "user", "content": STORED},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c-1", "name": "send", "args": {"to": "<EMAIL_ADDRESS_1>"}}],
            },
        ]
    assert MAIL.encode() not in bytes_at_rest(tmp_path)


def test_a_directory_is_enough_and_is_opened_once(tmp_path: Path) -> None:
    place = tmp_path / "vault"
    try:
        for number in range(3):
            VaultChatMemory("u-1", "s-1", place).save_message("user", str(number))
        assert [name for _, name in facing._opened].count(str(place.resolve())) == 1
    finally:
        facing._close()
    assert facing._opened == {}
    with opened(tmp_path) as vault:
        assert len(VaultChatMemory("u-1", "s-1", vault).load_conversation()) == 3


def test_two_users_with_one_session_id_see_nothing_of_each_other(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        one, other = VaultChatMemory("u-1", "s-1", vault), VaultChatMemory("u-2", "s-1", vault)
        one.save_message("user", "mine")
        assert other.load_conversation() == []
        other.clear()
        assert one.load_conversation() == [{"role": "user", "content": "mine"}]


def test_p7_what_is_gone_or_spoilt_raises(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        mine, theirs, third = (VaultChatMemory(user, "s-1", vault) for user in "abc")
        for memory in (mine, theirs, third):
            memory.save_message("user", "secret")
        vault.forget_session("a", "s-1")
        vault.forget_user("b")
        for memory, error in ((mine, SessionForgottenError), (theirs, UserForgottenError)):
            with pytest.raises(error):
                memory.load_conversation()
            with pytest.raises(error):
                memory.save_message("user", "more")
    tamper(tmp_path)
    with opened(tmp_path) as vault, pytest.raises(TamperedError):
        VaultChatMemory("c", "s-1", vault).load_conversation()


def test_what_can_not_be_right_is_refused_at_once(tmp_path: Path) -> None:
    async def awaited() -> None:
        async with await opened_async(tmp_path) as vault:
            with pytest.raises(UsageError, match="not awaited"):
                VaultChatMemory("u-1", "s-1", cast("Any", vault))

    asyncio.run(awaited())
    with opened(tmp_path) as vault, pytest.raises(InputError):
        VaultChatMemory("", "s-1", vault)


PROGRAM = """
import json, sys
from vault.adapters.memory import VaultChatMemory
memory = VaultChatMemory("u-1", "s-1", sys.argv[1])
memory.save_message("assistant", "from the other process")
print(json.dumps(memory.load_conversation()))
"""


def test_another_process_goes_on_with_the_conversation(tmp_path: Path) -> None:
    with opened(tmp_path) as vault:
        memory = VaultChatMemory("u-1", "s-1", vault)
        memory.save_message("user", "Hello")
        assert told_by(PROGRAM, str(tmp_path / "vault")) == memory.load_conversation()
        assert len(memory.load_conversation()) == 2


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("shared")) as vault:
        yield vault


@FEW
@given(
    content=texts(20) | st.lists(json_values(5)) | st.dictionaries(texts(8), json_values(5)) | st.none(),
    fields=st.dictionaries(
        texts(8).filter(lambda name: name not in {"role", "content", "metadata", "created_at"}),
        json_values(5),
    ),
)
def test_any_message_comes_back_as_it_was(content: Any, fields: dict[str, Any], shared: Vault) -> None:
    memory = VaultChatMemory("u-1", "s-1", shared)
    memory.clear()
    memory.save_message("user", content, **{key: part for key, part in fields.items() if key != "self"})
    fields.pop("self", None)
    assert memory.load_conversation() == [{"role": "user", "content": content, **fields}]
