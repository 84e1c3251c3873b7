"""A vault as an app meets it: opening it, adding messages and reading them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import contract
import pytest
from contract import contents, edit, newest_session, on_sqlite
from faces import Home
from sqlalchemy import delete

from vault import Message, Transcript, Vault
from vault.clock import to_datetime
from vault.errors import ConfigError, InputError, TamperedError
from vault.messages import ROLES
from vault.storage import schema

home, vault, beside = contract.home, contract.vault, contract.beside
apart, user, chat = contract.apart, contract.user, contract.chat


# -- opening ---------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_vault_is_made_when_it_is_first_opened_and_keeps_what_it_holds(apart: Home) -> None:
    with apart.open() as vault:
        first = vault.transcript("u-1", "s-1").append("user", "Hello")
        stores = vault._core.stores
        pools = [stores.transcripts.engine.pool, stores.keyring.engine.pool]
        assert all(pool.checkedin() for pool in pools)  # type: ignore[attr-defined]
    assert [pool.checkedin() for pool in pools] == [0, 0]  # type: ignore[attr-defined]
    with apart.open(create=False) as vault:
        assert vault.transcript("u-1", "s-1").messages() == [first]
        assert list(vault.users()) == ["u-1"]
        second = vault.transcript("u-1", "s-1").append("assistant", "Good day")
    with apart.open() as vault:
        assert vault.transcript("u-1", "s-1").messages() == [first, second]


def test_without_create_nothing_is_made(apart: Home) -> None:
    with pytest.raises(ConfigError, match="no vault here"):
        apart.open(create=False)
    assert apart.rows() == {}
    assert not apart.root.exists()


@pytest.mark.wide
@on_sqlite
def test_a_directory_can_be_a_vault(home: Home, tmp_path: Path) -> None:
    directory = tmp_path / "of the app" / "chat-vault"
    with home.open(str(directory)) as vault:
        first = vault.transcript("u-1", "s-1").append("user", "Hello")
    names = {entry.name for entry in directory.iterdir()}
    assert {"transcripts.db", "keyring.db", "root.key", "vault.toml"} <= names
    assert directory.stat().st_mode & 0o777 == 0o700
    with home.open(str(directory), create=False) as vault:
        assert vault.transcript("u-1", "s-1").messages() == [first]


# -- appending and reading -------------------------------------------------------------------------------

CALL = {"id": "c-1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
PICTURE = [{"type": "text", "text": "and here?"}, {"type": "image", "data": b"\x89PNG\0\xff"}]


@pytest.mark.wide
def test_a_message_is_said_as_role_and_content_as_a_dict_or_as_a_message(chat: Transcript) -> None:
    said = [
        chat.append("user", "Hello"),
        chat.append("user", "Hello", metadata={"channel": "web"}),
        chat.append({"role": "assistant", "content": None, "tool_calls": [CALL]}),
        chat.append({"role": "tool", "content": "9 °C", "tool_call_id": "c-1", "metadata": {"ms": 12}}),
        chat.append(Message("assistant", "It is cold.", {"model": "x"}, {"name": "Ann"})),
        chat.append("user", PICTURE),
        chat.append("developer", ""),
    ]
    found = chat.messages()
    assert found == said
    assert [message.seq for message in found] == list(range(7))
    assert [message.to_dict() for message in found] == [
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "9 °C", "tool_call_id": "c-1"},
        {"role": "assistant", "content": "It is cold.", "name": "Ann"},
        {"role": "user", "content": PICTURE},
        {"role": "developer", "content": ""},
    ]
    metadata: list[dict[str, Any]] = [{}, {"channel": "web"}, {}, {"ms": 12}, {"model": "x"}, {}, {}]
    assert [message.metadata for message in found] == metadata


def test_many_messages_are_added_at_once_in_their_order(chat: Transcript) -> None:
    chat.append("system", "Be kind.")
    said = chat.extend({"role": "user", "content": str(number)} for number in range(300))
    assert [message.seq for message in said] == list(range(1, 301))
    assert chat.extend([]) == []
    [last] = chat.extend([Message("assistant", "Done.")])
    assert chat.messages()[1:] == [*said, last]


def test_of_many_messages_none_is_added_when_one_is_bad(chat: Transcript) -> None:
    first = chat.append("user", "Hello")
    with pytest.raises(InputError):
        chat.extend([{"role": "user", "content": "good"}, {"role": "user", "content": {1, 2}}])
    assert chat.messages() == [first]


def test_every_role_comes_back_in_the_order_in_which_it_was_said(chat: Transcript) -> None:
    said = [(role, f"{role} {number}") for number in range(3) for role in sorted(ROLES)]
    for number, (role, content) in enumerate(said):
        chat.append(role, content, metadata={"number": number})
    found = chat.messages()
    assert [(message.role, message.content) for message in found] == said
    assert [message.metadata["number"] for message in found] == list(range(len(said)))


def test_the_last_messages_and_those_before_one_can_be_asked_for(chat: Transcript) -> None:
    assert chat.messages() == []
    assert chat.messages(last=3) == []
    chat.extend({"role": "user", "content": number} for number in map(str, range(10)))
    assert contents(chat, last=3) == ["7", "8", "9"]
    assert contents(chat, last=100) == list("0123456789")
    assert contents(chat, last=0) == []
    assert contents(chat, before=4) == ["0", "1", "2", "3"]
    assert contents(chat, before=4, last=2) == ["2", "3"]
    assert contents(chat, before=0) == []
    assert contents(chat, before=1000, last=2) == ["8", "9"]


def test_a_long_session_is_paged_through_backwards(chat: Transcript) -> None:
    said = chat.extend({"role": "user", "content": str(number)} for number in range(250))
    for _ in range(3):
        chat.pop()
    pages = []
    before = None
    while page := chat.messages(last=20, before=before):
        pages.append(page)
        before = page[0].seq
    assert [len(page) for page in pages] == [20] * 12 + [7]
    assert [message for page in reversed(pages) for message in page] == said[:-3]


def test_p2_a_message_that_is_missing_between_two_pages_is_noticed(home: Home, chat: Transcript) -> None:
    chat.extend({"role": "user", "content": str(number)} for number in range(10))
    mine = schema.messages.c.session_id == newest_session(home)
    edit(home, delete(schema.messages).where(mine, schema.messages.c.seq == 4))
    assert contents(chat, last=5) == ["5", "6", "7", "8", "9"]
    with pytest.raises(TamperedError, match="missing"):
        chat.messages(last=5, before=5)
    edit(home, delete(schema.messages).where(mine, schema.messages.c.seq < 5))
    with pytest.raises(TamperedError, match="missing"):
        chat.messages(last=5, before=5)


# -- the time of a message -------------------------------------------------------------------------------


def test_a_message_has_the_time_at_which_it_was_appended(home: Home, chat: Transcript) -> None:
    said = chat.append("user", "Hello")
    assert said.created_at == to_datetime(home.clock.now)
    assert chat.messages() == [said]


MOMENTS = [
    datetime(2019, 3, 31, 1, 30, 0, 1, tzinfo=UTC),
    datetime(2026, 9, 21, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=14))),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1901, 1, 1, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


def test_an_imported_message_keeps_its_own_time_to_the_microsecond(chat: Transcript) -> None:
    for moment in MOMENTS:
        said = [
            chat.append("user", "Hello", created_at=moment),
            chat.append({"role": "user", "content": "Hello", "created_at": moment}),
            chat.append({"role": "user", "content": "Hello", "created_at": moment.isoformat()}),
            chat.append(Message("user", "Hello", created_at=moment)),
        ]
        assert chat.messages(last=4) == said
        assert [message.created_at for message in said] == [moment] * 4
        assert {message.created_at.tzinfo for message in said if message.created_at} == {UTC}


def test_messages_stay_in_the_order_of_appending_whatever_their_times(
    vault: Vault, chat: Transcript, user: str
) -> None:
    times = [datetime(year, 5, 1, tzinfo=UTC) for year in (2026, 2019, 2031, 1969, 2019)]
    said = chat.extend([Message("user", str(at.year), created_at=at) for at in times])
    assert chat.messages() == said
    [summary] = vault.sessions(user)
    assert (summary.first_at, summary.last_at) == (times[3], times[2])


# -- the seed --------------------------------------------------------------------------------------------


class ChatMessages:
    """What an app had before: a class over its chat_messages table. This is all that changes in it."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript

    def save_message(self, role: str, content: str) -> None:
        self.transcript.append(role, content)

    def load_conversation(self) -> list[dict[str, Any]]:
        return [message.to_dict() for message in self.transcript.messages()]


def test_a_chat_memory_is_wrapped_in_six_lines(vault: Vault, beside: Vault, user: str) -> None:
    memory = ChatMessages(vault.transcript(user, "s-1"))
    assert memory.load_conversation() == []
    memory.save_message("system", "You are a helpful assistant.")
    memory.save_message("user", "What is the capital of France?")
    memory.save_message("assistant", "Paris.")
    assert ChatMessages(beside.transcript(user, "s-1")).load_conversation() == [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "Paris."},
    ]
