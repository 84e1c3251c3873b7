"""The contract of a vault over three databases and two faces: one set of tests, whoever keeps it."""

from __future__ import annotations

import asyncio
import itertools
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from databases import Server, connected
from faces import DAY, Awaited, Home, moved_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, func, select, update
from sqlalchemy.util.concurrency import greenlet_spawn

from vault import Message, Transcript, Vault
from vault.clock import to_datetime
from vault.core import UNSAID
from vault.errors import (
    ConfigError,
    InputError,
    KeyringOutdatedError,
    RedactionError,
    SessionForgottenError,
    StoreUnavailableError,
    TamperedError,
    UnknownError,
    UserForgottenError,
    VaultError,
    WrongKeyError,
)
from vault.messages import ROLES
from vault.requests import Footprint
from vault.storage import schema

FACES = ["sync", "async"]
PLACES = list(itertools.product(["sqlite", "postgresql", "mariadb"], FACES))

# For what takes databases of its own and does not depend on how the two go together.
each_once = pytest.mark.parametrize("home", [PLACES[1], PLACES[2], PLACES[5]], indirect=True, ids="-".join)
on_postgresql = pytest.mark.parametrize("home", PLACES[2:4], indirect=True, ids="-".join)
on_sqlite = pytest.mark.parametrize("home", PLACES[:2], indirect=True, ids="-".join)

# -- where the contract holds ----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=PLACES, ids="-".join)
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    """A place for one vault that many tests share, each with users of its own."""
    dialect, face = request.param
    server: Server | None = None if dialect == "sqlite" else request.getfixturevalue(dialect)
    with ExitStack() as leftovers:
        runner = leftovers.enter_context(asyncio.Runner()) if face == "async" else None
        yield leftovers.enter_context(moved_in(server, runner))


@pytest.fixture(scope="module")
def vault(home: Home) -> Iterator[Vault]:
    with home.open() as opened:
        yield opened


@pytest.fixture(scope="module")
def beside(home: Home) -> Iterator[Vault]:
    """The same vault, opened by somebody else: what a second process sees."""
    with home.open() as opened:
        yield opened


@pytest.fixture
def apart(home: Home) -> Iterator[Home]:
    """A place of its own, for a test that breaks something."""
    with another(home) as place:
        yield place


def another(home: Home) -> AbstractContextManager[Home]:
    server = None if home.databases.dialect == "sqlite" else home.databases._server
    return moved_in(server, home.runner)


@pytest.fixture
def user() -> str:
    return f"u-{token_hex(8)}"


@pytest.fixture
def chat(vault: Vault, user: str) -> Transcript:
    return vault.transcript(user, "s-1")


def contents(chat: Transcript, **which: Any) -> list[object]:
    return [message.content for message in chat.messages(**which)]


def stored_messages(home: Home) -> int:
    with connected(home.databases.transcripts) as connection:
        return connection.execute(select(func.count()).select_from(schema.messages)).scalar_one()


def newest_session(home: Home) -> int:
    """Give the row id of the session that was made last: ids are never reused."""
    with connected(home.databases.transcripts) as connection:
        return int(connection.execute(select(func.max(schema.sessions.c.id))).scalar_one())


def edit(home: Home, statement: Any) -> None:
    """Do what somebody with write access to the transcripts can do."""
    with connected(home.databases.transcripts) as connection:
        assert connection.execute(statement).rowcount > 0


# -- opening ---------------------------------------------------------------------------------------------


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


# -- idempotency keys ------------------------------------------------------------------------------------


def test_saying_the_same_under_one_key_adds_one_message(
    home: Home, vault: Vault, beside: Vault, user: str
) -> None:
    chat = vault.transcript(user, "s-1")
    first = chat.append("user", "Hello", key="k-1", metadata={"try": 1})
    home.clock.now += 1_000_000
    assert chat.append("user", "Hello", key="k-1", metadata={"try": 2}) == first
    second = chat.append("user", "Hello", key="k-2")
    assert beside.transcript(user, "s-1").append("user", "Hello", key="k-1") == first
    assert beside.transcript(user, "s-1").messages() == [first, second]
    elsewhere = vault.transcript(user, "s-2").append("user", "Other", key="k-1")
    assert (elsewhere.content, elsewhere.seq) == ("Other", 0)


def test_saying_many_again_under_one_key_adds_them_once(chat: Transcript) -> None:
    batch = [Message("user", "Hello"), Message("assistant", "Good day")]
    first = chat.extend(batch, key="k-1")
    assert chat.extend(batch, key="k-1") == first
    third = chat.append("user", "And?", key="k-2")
    assert chat.extend(batch, key="k-1") == first
    assert chat.append(batch[0], key="k-1") == first[0]
    assert chat.messages() == [*first, third]


def test_a_key_that_stood_for_fewer_messages_is_refused_and_breaks_nothing(chat: Transcript) -> None:
    first = chat.append("user", "one", key="k-1")
    many = [Message("user", "one"), Message("user", "two"), Message("user", "three")]
    with pytest.raises(InputError, match="idempotency key"):
        chat.extend(many, key="k-1")
    second = chat.append("user", "next")
    assert chat.messages() == [first, second]
    with pytest.raises(InputError, match="idempotency key"):
        chat.extend(many, key="k-1")
    assert chat.messages() == [first, second]


def test_a_key_adds_nothing_again_after_its_message_was_popped(chat: Transcript) -> None:
    first = chat.append("user", "Hello", key="k-1")
    chat.pop()
    assert chat.append("user", "Hello", key="k-1").seq == first.seq
    assert chat.messages() == []
    second = chat.append("user", "Hello", key="k-2")
    assert chat.messages() == [second]


def test_a_key_is_free_again_in_a_session_that_was_cleared(chat: Transcript) -> None:
    chat.append("user", "Hello", key="k-1")
    chat.clear()
    again = chat.append("user", "Hello", key="k-1")
    assert chat.messages() == [again]


# -- pop, clear, delete ----------------------------------------------------------------------------------


def test_pop_gives_and_removes_the_last_message_and_its_seq_is_not_used_again(chat: Transcript) -> None:
    said = chat.extend([Message("user", "one"), Message("user", "two"), Message("user", "three")])
    assert [chat.pop(), chat.pop()] == [said[2], said[1]]
    assert chat.messages() == [said[0]]
    assert chat.append("user", "four").seq == 3
    assert contents(chat) == ["one", "four"]
    assert [message and message.content for message in (chat.pop(), chat.pop(), chat.pop())] == [
        "four",
        "one",
        None,
    ]
    assert chat.messages() == []


def test_pop_from_a_session_that_never_was_gives_nothing(chat: Transcript) -> None:
    assert chat.pop() is None


def test_a_cleared_session_is_empty_and_stays_listed(vault: Vault, user: str) -> None:
    chat = vault.transcript(user, "s-1", namespace="support/eu")
    chat.append("user", "Hello")
    chat.clear()
    assert chat.messages() == []
    [summary] = vault.sessions(user)
    assert (summary.session_id, summary.messages, summary.namespace) == ("s-1", 0, "support/eu")
    assert (summary.first_at, summary.last_at) == (None, None)
    again = chat.append("user", "Hello again")
    assert again.seq == 0
    assert chat.messages() == [again]


def test_a_session_keeps_its_namespace_when_it_is_cleared_by_somebody_who_does_not_name_it(
    vault: Vault, user: str
) -> None:
    vault.transcript(user, "s-1", namespace="support/eu").append("user", "Hello")
    vault.transcript(user, "s-1").clear()
    assert [summary.namespace for summary in vault.sessions(user)] == ["support/eu"]


def test_a_session_that_was_tampered_with_can_be_cleared(home: Home, chat: Transcript) -> None:
    chat.append("user", "Hello")
    with home.open() as opened:
        edit(home, update(schema.sessions).where(schema.sessions.c.id == newest_session(home)).values(rev=9))
        again = opened.transcript(chat.user_id, chat.session_id)
        with pytest.raises(TamperedError):
            again.messages()
        again.clear()
        assert again.messages() == []
        again.append("user", "Hello again")
        assert contents(chat) == ["Hello again"]


def test_a_deleted_session_is_no_longer_listed_and_its_id_is_free(vault: Vault, user: str) -> None:
    chat = vault.transcript(user, "s-1")
    chat.append("user", "Hello")
    vault.transcript(user, "s-2").append("user", "Other")
    chat.delete()
    assert [summary.session_id for summary in vault.sessions(user)] == ["s-2"]
    assert chat.messages() == []
    again = chat.append("user", "Hello again")
    assert chat.messages() == [again]
    assert [summary.session_id for summary in vault.sessions(user)] == ["s-2", "s-1"]


def test_clearing_and_deleting_what_never_was_does_nothing(vault: Vault, user: str) -> None:
    vault.transcript(user, "s-1").clear()
    vault.transcript(user, "s-1").delete()
    assert vault.sessions(user) == []
    assert user not in vault.users()


# -- listing ---------------------------------------------------------------------------------------------


@each_once
def test_users_and_their_sessions_are_listed_in_the_order_of_their_beginning(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with apart.open() as vault:
        assert list(vault.users()) == []
        vault.transcript("Zoë", "b").append("user", "1")
        vault.transcript("anna", "c").append("user", "2")
        apart.clock.now += 5 * DAY
        vault.transcript("Zoë", "a", namespace="billing").extend([Message("user", "3"), Message("user", "4")])
        first, second = vault.sessions("Zoë")
        assert (first.session_id, first.namespace, first.messages) == ("b", "", 1)
        assert (second.session_id, second.namespace, second.messages) == ("a", "billing", 2)
        assert second.first_at == second.last_at == to_datetime(apart.clock.now)
        assert vault.sessions("nobody") == []

        names = ["Zoë", "anna"]
        monkeypatch.setattr("vault.listing._PAGE", 2)
        for number in range(3):
            assert list(vault.users()) == names
            vault.enroll(f"u-{number}")
            names.append(f"u-{number}")

        edit(apart, update(schema.users).where(schema.users.c.id == 2).values(state=1))
        with pytest.raises(TamperedError):
            list(vault.users())
        with pytest.raises(TamperedError):
            vault.sessions("anna")


def test_a_footprint_counts_what_forgetting_would_take_and_changes_nothing(vault: Vault, user: str) -> None:
    vault.transcript(user, "s-1").extend([Message("user", "1"), Message("user", "2")])
    vault.transcript(user, "s-2").append("user", "3")
    assert vault.footprint(user) == Footprint(sessions=2, messages=3)
    assert vault.footprint(user, "s-1") == Footprint(sessions=1, messages=2)
    assert contents(vault.transcript(user, "s-1")) == ["1", "2"]


def test_one_session_id_of_two_users_names_two_sessions(vault: Vault, user: str) -> None:
    one, other = vault.transcript(user, "s-1"), vault.transcript(f"{user}x", "s-1")
    one.append("user", "of one", key="k")
    other.append("user", "of the other", key="k")
    assert (contents(one), contents(other)) == (["of one"], ["of the other"])
    one.clear()
    assert contents(other) == ["of the other"]
    vault.forget_user(user)
    assert contents(other) == ["of the other"]
    assert [summary.session_id for summary in vault.sessions(f"{user}x")] == ["s-1"]


def test_ids_that_join_to_the_same_text_stay_apart(vault: Vault, user: str) -> None:
    pairs = [(user, "a:b"), (f"{user}:a", "b"), (f"{user}:", "a:b"), (user, "A:b"), (user, " a:b")]
    for number, (user_id, session_id) in enumerate(pairs):
        vault.transcript(user_id, session_id).append("user", str(number))
    assert [contents(vault.transcript(*pair)) for pair in pairs] == [["0"], ["1"], ["2"], ["3"], ["4"]]


def test_one_text_in_two_unicode_forms_is_one_user(vault: Vault, user: str) -> None:
    composed, decomposed = f"{user}-Zoë", f"{user}-Zoe\u0308"
    vault.transcript(composed, "café").append("user", "1")
    vault.transcript(decomposed, "cafe\u0301").append("user", "2")
    vault.transcript(composed, "café").append("user", "3")
    assert contents(vault.transcript(decomposed, "cafe\u0301")) == ["1", "2", "3"]
    vault.forget_user(decomposed)
    with pytest.raises(UserForgottenError):
        vault.transcript(composed, "café").messages()


def test_a_session_keeps_the_namespace_that_it_began_with(vault: Vault, user: str) -> None:
    vault.transcript(user, "s-1", namespace="support/eu").append("user", "1")
    vault.transcript(user, "s-1", namespace="billing/us").append("user", "2")
    vault.transcript(user, "s-2").append("user", "3")
    assert contents(vault.transcript(user, "s-1")) == ["1", "2"]
    assert [(one.session_id, one.namespace) for one in vault.sessions(user)] == [
        ("s-1", "support/eu"),
        ("s-2", ""),
    ]


# -- forgetting ------------------------------------------------------------------------------------------


def test_p6_a_forgotten_user_leaves_a_provisional_certificate_that_becomes_final_when_it_is_due(
    home: Home, vault: Vault, user: str
) -> None:
    vault.transcript(user, "s-1").extend([Message("user", "1"), Message("user", "2")])
    vault.transcript(user, "s-2").append("user", "3")
    asked = to_datetime(home.clock.now)
    certificate = vault.forget_user(user, reason="request 881", actor="privacy@example.com")
    assert certificate.status == "provisional"
    assert (certificate.sessions, certificate.messages) == (2, 3)
    assert (certificate.reason, certificate.actor) == ("request 881", "privacy@example.com")
    assert certificate.requested_at == certificate.cut_at == asked
    assert certificate.due_at == asked + timedelta(days=7)
    assert certificate.final_at is None
    assert user not in certificate.to_json()
    assert certificate in vault.certificates()

    home.clock.now += 7 * DAY - 1
    assert vault.destroy_due() == []
    home.clock.now += 1
    final = {one.id: one for one in vault.destroy_due()}[certificate.id]
    assert (final.status, final.final_at) == ("final", certificate.due_at)
    assert final in vault.certificates()
    assert vault.destroy_due() == []


def test_p6_forgetting_again_gives_the_same_certificate_as_far_as_it_has_come(
    vault: Vault, beside: Vault, user: str
) -> None:
    vault.transcript(user, "s-1").append("user", "1")
    first = vault.forget_user(user, reason="request 881")
    assert vault.forget_user(user, reason="another") == first
    final = vault.forget_user(user, now=True)
    assert (final.id, final.status, final.reason) == (first.id, "final", "request 881")
    assert beside.forget_user(user) == final


def test_p6_with_now_or_without_a_horizon_a_certificate_is_final_at_once(home: Home, user: str) -> None:
    with home.open(horizon="0") as vault:
        vault.transcript(user, "s-1").append("user", "1")
        certificate = vault.forget_user(user)
        assert (certificate.status, certificate.due_at) == ("final", certificate.cut_at)
    with home.open(horizon="30d") as vault:
        vault.transcript(f"{user}x", "s-1").append("user", "1")
        certificate = vault.forget_user(f"{user}x", now=True)
        assert (certificate.status, certificate.final_at) == ("final", to_datetime(home.clock.now))
        assert vault.keys_status().retired == []


def test_many_users_are_forgotten_with_one_change_of_the_root(vault: Vault, user: str) -> None:
    users = [f"{user}-{number}" for number in range(5)]
    for name in users:
        vault.transcript(name, "s-1").append("user", name)
    before = vault.keys_status().ordinal
    certificates = vault.forget_users(iter(users[:4]), reason="leaver")
    assert vault.keys_status().ordinal == before + 1
    assert len({one.id for one in certificates}) == len({one.pseudonym for one in certificates}) == 4
    for name in users[:4]:
        with pytest.raises(UserForgottenError):
            vault.transcript(name, "s-1").messages()
    assert contents(vault.transcript(users[4], "s-1")) == [users[4]]
    assert vault.forget_users([]) == []


def test_a_user_who_is_named_twice_is_forgotten_once(vault: Vault, user: str) -> None:
    name = f"{user}-é"
    vault.transcript(name, "s-1").append("user", "1")
    certificates = vault.forget_users([name, name, f"{user}-e\u0301"])
    assert len(certificates) == 3
    assert len({one.id for one in certificates}) == 1


def test_of_many_users_none_is_forgotten_when_one_is_unknown(
    vault: Vault, chat: Transcript, user: str
) -> None:
    chat.append("user", "1")
    with pytest.raises(UnknownError):
        vault.forget_users([user, f"{user}-unknown"])
    assert contents(chat) == ["1"]


def test_what_is_unknown_can_be_neither_counted_nor_forgotten(
    vault: Vault, chat: Transcript, user: str
) -> None:
    before = vault.certificates()
    asked: list[Callable[[], object]] = [
        lambda: vault.forget_user(user),
        lambda: vault.forget_session(user, "s-1"),
        lambda: vault.footprint(user),
        lambda: vault.footprint(user, "s-1"),
    ]
    for ask in asked:
        with pytest.raises(UnknownError):
            ask()
    chat.append("user", "1")
    for ask in (lambda: vault.forget_session(user, "s-2"), lambda: vault.footprint(user, "s-2")):
        with pytest.raises(UnknownError):
            ask()
    assert vault.certificates() == before


def test_p7_a_forgotten_session_is_gone_and_the_others_of_its_user_stay(
    vault: Vault, beside: Vault, user: str
) -> None:
    forgotten, kept = vault.transcript(user, "s-1"), vault.transcript(user, "s-2")
    for chat in (forgotten, kept):
        chat.append("user", chat.session_id)
    certificate = vault.forget_session(user, "s-1", reason="request 882", now=True)
    assert (certificate.kind, certificate.status, certificate.messages) == ("forget-session", "final", 1)
    assert vault.forget_session(user, "s-1") == certificate
    for opened in (vault, beside):
        with pytest.raises(SessionForgottenError):
            opened.transcript(user, "s-1").messages()
        with pytest.raises(SessionForgottenError):
            opened.transcript(user, "s-1").append("user", "again")
        assert contents(opened.transcript(user, "s-2")) == ["s-2"]
        assert [one.session_id for one in opened.sessions(user)] == ["s-2"]


def test_who_was_forgotten_stays_forgotten_until_enrolled_and_starts_anew(
    vault: Vault, beside: Vault, user: str
) -> None:
    chat = vault.transcript(user, "s-1")
    chat.append("user", "before")
    first = vault.forget_user(user)
    with pytest.raises(UserForgottenError):
        vault.enroll(user, "s-1")
    vault.enroll(user)
    assert user in vault.users()
    assert (chat.messages(), vault.sessions(user)) == ([], [])
    chat.append("user", "after")
    assert contents(chat) == ["after"]
    assert contents(beside.transcript(user, "s-1")) == ["after"]
    second = vault.forget_user(user)
    assert second.id != first.id
    assert second.pseudonym != first.pseudonym
    assert {first.id, second.id} <= {one.id for one in vault.certificates()}


def test_a_session_that_was_forgotten_can_be_enrolled_anew(vault: Vault, chat: Transcript, user: str) -> None:
    chat.append("user", "before")
    vault.forget_session(user, "s-1")
    vault.enroll(user, "s-1")
    assert chat.messages() == []
    chat.append("user", "after")
    assert contents(chat) == ["after"]


def test_erasures_that_the_app_asks_for_leave_certificates_too(vault: Vault, chat: Transcript) -> None:
    before = {one.id for one in vault.certificates()}
    chat.append("user", "1")
    chat.clear()
    chat.delete()
    new = [one for one in vault.certificates() if one.id not in before]
    assert sorted((one.kind, one.messages, one.actor) for one in new) == [
        ("delete", 0, "the app"),
        ("delete", 1, "the app"),
    ]


# -- redaction -------------------------------------------------------------------------------------------


class Hiding:
    """A redactor of the test: it hides one word wherever it stands, and fails on another."""

    def __init__(self, word: str, poison: str) -> None:
        self.word, self.poison = word, poison

    def redact(self, message: Message) -> Message:
        if self.poison in str(message.content):
            raise ValueError(f"can't read {message.content}")
        content = str(message.content).replace(self.word, "[hidden]")
        return Message(message.role, content, message.metadata, message.extra, message.created_at)


def test_p1_what_is_stored_was_redacted_before(home: Home, beside: Vault, user: str) -> None:
    secret = token_hex(8)
    with home.open(redactor=Hiding(secret, "-")) as vault:
        stored = vault.transcript(user, "s-1").append("user", f"It is {secret}.", key="k-1")
        assert stored.content == "It is [hidden]."
        assert vault.transcript(user, "s-1").extend([{"role": "user", "content": secret}], key="k-2") == [
            Message("user", "[hidden]", created_at=to_datetime(home.clock.now), seq=1)
        ]
    assert contents(beside.transcript(user, "s-1")) == ["It is [hidden].", "[hidden]"]


@pytest.mark.usefixtures("beside")
def test_p1_when_a_redactor_fails_nothing_is_written_and_its_words_are_not_repeated(
    home: Home, user: str
) -> None:
    poison = token_hex(8)
    before = home.rows()
    with home.open(redactor=Hiding("-", poison)) as vault:
        chat = vault.transcript(user, "s-1")
        for attempt in (
            lambda: chat.append("user", f"It is {poison}."),
            lambda: chat.extend([Message("user", "fine"), Message("user", poison)], key="k-1"),
        ):
            with pytest.raises(RedactionError, match="ValueError") as caught:
                attempt()
            assert poison not in "".join(traceback.format_exception(caught.value))
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert home.rows() == before


@pytest.mark.usefixtures("beside")
def test_p1_a_redactor_that_gives_no_message_has_failed(home: Home, user: str) -> None:
    class Careless:
        def redact(self, message: Message) -> Message:
            return message.content  # type: ignore[return-value]

    before = home.rows()
    with home.open(redactor=Careless()) as vault, pytest.raises(RedactionError):
        vault.transcript(user, "s-1").append("user", "Hello")
    assert home.rows() == before


@on_sqlite
def test_p1_a_vault_does_not_open_until_it_is_said_how_messages_are_redacted(apart: Home) -> None:
    with pytest.raises(ConfigError, match="redacted"):
        apart.open(redactor=UNSAID)
    assert apart.rows() == {}


# -- P7: different errors, never an empty list in place of one ---------------------------------------------


def asked(vault: Vault, user: str) -> list[object]:
    """Ask for messages, to append, and for sessions; give what each gives, or its error."""
    asking: list[Callable[[], object]] = [
        lambda: vault.transcript(user, "s-1").messages(),
        lambda: vault.transcript(user, "s-1").messages(last=1, before=9),
        lambda: vault.transcript(user, "s-1").append("user", "again"),
        lambda: vault.sessions(user),
    ]
    found: list[object] = []
    for ask in asking:
        try:
            found.append(ask())
        except VaultError as error:
            found.append(type(error))
    return found


def test_p7_a_user_who_was_forgotten_is_refused_in_every_process(
    vault: Vault, beside: Vault, user: str
) -> None:
    asking: list[Callable[[Vault], object]] = [
        lambda opened: opened.transcript(user, "s-1").messages(last=0),
        lambda opened: opened.footprint(user),
        lambda opened: opened.forget_session(user, "s-1"),
        lambda opened: opened.transcript(user, "s-1").pop(),
        lambda opened: opened.transcript(user, "s-1").clear(),
        lambda opened: opened.transcript(user, "s-1").delete(),
    ]
    vault.transcript(user, "s-1").append("user", "1")
    assert contents(beside.transcript(user, "s-1")) == ["1"]
    vault.forget_user(user)
    for opened in (vault, beside):
        assert asked(opened, user) == [UserForgottenError] * 4
        for ask in asking:
            with pytest.raises(UserForgottenError):
                ask(opened)
    assert user not in vault.users()


def test_p7_what_never_was_or_was_cleared_or_deleted_by_the_app_reads_as_empty(
    vault: Vault, beside: Vault, user: str
) -> None:
    chat = vault.transcript(user, "s-1")
    assert (chat.messages(), chat.messages(last=1), vault.sessions(user)) == ([], [], [])
    twin = beside.transcript(user, "s-1")
    for end in (chat.clear, chat.delete):
        chat.append("user", "1")
        assert contents(twin) == ["1"]
        end()
        assert (twin.messages(), twin.messages(last=1)) == ([], [])
        assert chat.messages() == []
    twin.append("user", "2")
    assert contents(chat) == ["2"]


_message, _session = update(schema.messages), update(schema.sessions)
EDITS = {  # what is edited, and which of messages(), messages(last=1), append() and sessions() must notice
    "body": (_message.values(body=b"\1\1" + b"x" * 60), {0, 1}),
    "plain text": (_message.values(body=b"\x92\xa1a\xa1b"), {0, 1}),
    "role": (_message.values(role="system"), {0, 1}),
    "place": (_message.values(seq=7), {0, 1}),
    "namespace": (_session.values(namespace="other"), {0, 1, 2, 3}),
    "state": (_session.values(state=1), {0, 1, 2, 3}),
}


@each_once
def test_p2_an_edited_row_is_neither_skipped_nor_believed(home: Home, user: str) -> None:
    with home.open() as vault:
        for name, (statement, _) in EDITS.items():
            vault.transcript(f"{user} {name}", "s-1").append("user", "1")
            key = "session_id" if statement.table is schema.messages else "id"
            edit(home, statement.where(statement.table.c[key] == newest_session(home)))
    with home.open() as vault:
        for name, (_, noticing) in EDITS.items():
            found = asked(vault, f"{user} {name}")
            assert noticing <= {number for number in range(4) if found[number] is TamperedError}, name


@each_once
def test_p7_the_wrong_root_or_keyring_opens_nothing(home: Home, apart: Home) -> None:
    with apart.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "of another vault")
    with pytest.raises(WrongKeyError):
        home.open(root=f"file:{apart.root}")
    with pytest.raises(WrongKeyError):
        home.open(keyring=apart.databases.keyring)


@each_once
def test_p7_a_keyring_that_is_older_than_messages_is_never_taken_for_an_empty_vault(apart: Home) -> None:
    with apart.open() as vault:
        vault.transcript("u-0", "s-0").append("user", "0")
        old = apart.databases.copy_of(apart.databases.keyring)
        vault.transcript("u-1", "s-1").append("user", "1")
        vault.transcript("u-0", "s-1").append("user", "1")
    apart.databases.restore(old, apart.databases.keyring)
    with apart.open() as vault:
        assert asked(vault, "u-1") == [KeyringOutdatedError] * 4
        assert asked(vault, "u-0") == [KeyringOutdatedError] * 4
        assert contents(vault.transcript("u-0", "s-0")) == ["0"]
        with pytest.raises(KeyringOutdatedError):
            list(vault.users())
        with pytest.raises(KeyringOutdatedError):
            vault.forget_user("u-1")
        with pytest.raises(KeyringOutdatedError):
            vault.footprint("u-1")


@each_once
def test_p7_a_keyring_from_before_the_horizon_opens_nothing(apart: Home) -> None:
    with apart.open() as vault:
        for name in ("u-1", "u-2"):
            vault.transcript(name, "s-1").append("user", "1")
        old = apart.databases.copy_of(apart.databases.keyring)
        vault.forget_user("u-1", now=True)
    apart.databases.restore(old, apart.databases.keyring)
    with pytest.raises(KeyringOutdatedError):
        apart.open()


def drop_connections(vault: Any) -> None:
    stores = vault._core.stores
    for store in (stores.transcripts, stores.keyring):
        if isinstance(vault, Awaited):
            vault._runner.run(greenlet_spawn(store.engine.dispose))
        else:
            store.engine.dispose()


def test_p7_a_database_that_is_gone_is_unavailable_not_empty(apart: Home) -> None:
    with ExitStack() as leftovers, apart.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "1")
        for label in ("keyring", "transcripts"):
            drop_connections(vault)  # so that the next question needs a new one
            url = getattr(apart.databases, label)
            apart.databases._server.drop(url)
            if apart.databases.dialect == "sqlite":
                in_the_way = Path(url.removeprefix("sqlite:///"))
                in_the_way.mkdir()
                leftovers.callback(in_the_way.rmdir)
            found = asked(vault, "u-1")
            if label == "keyring":  # who is open needs no key that is not held already
                assert [found.index(one) for one in found if one is StoreUnavailableError] == [3]
            else:
                assert found == [StoreUnavailableError] * 4
            with pytest.raises(StoreUnavailableError):
                vault.transcript("u-2", "s-1").messages()
            with pytest.raises(StoreUnavailableError):
                apart.open()


# -- failures on the way ---------------------------------------------------------------------------------


class CutOffError(BaseException):
    """The process ends here: nothing catches this."""


@on_sqlite
def test_p8_a_writer_that_was_cut_off_before_its_keys_were_planted_is_in_nobodys_way(apart: Home) -> None:
    def cut_off(_: object, __: object, statement: str, *___: object) -> None:
        if "INTO nodes" in statement:
            raise CutOffError

    with apart.open() as vault:
        vault.transcript("u-0", "s-1").append("user", "0")
        event.listen(Engine, "before_cursor_execute", cut_off)
        try:
            for user, session in (("u-0", "s-2"), ("u-1", "s-1")):
                with pytest.raises(CutOffError):
                    vault.transcript(user, session).append("user", "1")
        finally:
            event.remove(Engine, "before_cursor_execute", cut_off)
    with apart.open() as vault:
        assert list(vault.users()) == ["u-0"]
        assert [one.session_id for one in vault.sessions("u-0")] == ["s-1"]
        assert vault.sessions("u-1") == []
        for user, session in (("u-0", "s-2"), ("u-1", "s-1")):
            assert vault.transcript(user, session).messages() == []
            vault.transcript(user, session).append("user", "1")
        assert list(vault.users()) == ["u-0", "u-1"]
        assert [one.session_id for one in vault.sessions("u-0")] == ["s-1", "s-2"]


@on_postgresql
def test_p8_an_append_that_fails_when_it_is_committed_leaves_no_gap(home: Home, chat: Transcript) -> None:
    said = [chat.append("user", "before")]
    with connected(home.databases.transcripts) as connection:
        for statement in (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'",
            """
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse()
            """,
        ):
            connection.exec_driver_sql(statement)
        with pytest.raises(StoreUnavailableError):
            chat.append("user", "refused")
        connection.exec_driver_sql("DROP FUNCTION refuse CASCADE")
    said.append(chat.append("user", "after"))
    assert chat.messages() == said


@pytest.mark.parametrize("home", PLACES[:1], indirect=True, ids="-".join)
def test_p7_a_database_that_is_asked_too_much_is_unavailable(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with apart.open() as vault, ExitStack() as others:
        vault.transcript("u-1", "s-1").append("user", "1")
        engine = vault._core.stores.transcripts.engine
        for _ in range(15):
            others.enter_context(engine.connect())
        monkeypatch.setattr(engine.pool, "_timeout", 0.01)  # half a minute otherwise
        with pytest.raises(StoreUnavailableError, match="became free"):
            vault.transcript("u-1", "s-1").messages()


# -- what comes back is what was said --------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=40)
)
values: st.SearchStrategy[object] = st.deferred(
    lambda: leaves | st.lists(values, max_size=2) | st.dictionaries(texts, values, max_size=2)
)
objects = st.dictionaries(texts, values, max_size=3)
parts = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": texts})
    | st.fixed_dictionaries({"type": st.just("image"), "data": st.binary(max_size=2000)}),
    max_size=4,
)
calls = st.lists(st.fixed_dictionaries({"id": texts, "type": st.just("function"), "function": objects}))
extras = st.fixed_dictionaries({}, optional={"name": texts, "tool_calls": calls, "tool_call_id": texts})
minutes = st.integers(-720, 840).map(lambda east: timezone(timedelta(minutes=east)))
times = st.datetimes(datetime(2026, 5, 1), datetime(2026, 5, 2), timezones=minutes)  # noqa: DTZ001 (see timezones)
messages = st.builds(
    Message,
    st.sampled_from(sorted(ROLES)),
    texts | parts | objects | st.none(),
    objects,
    extras,
    st.none() | times,
)
FEW = settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=300)


def comes_back(vault: Vault, given: list[Message]) -> None:
    chat = vault.transcript("round", "trip")
    stored = chat.extend(given)
    found = chat.messages(last=len(given))
    assert found == stored
    for message, back in zip(given, found, strict=True):
        assert (back.role, back.content) == (message.role, message.content)
        assert (back.metadata, back.extra) == (message.metadata, message.extra)
        assert back.created_at == (message.created_at or back.created_at)


@FEW
@given(st.lists(messages, min_size=1, max_size=4))
def test_every_message_comes_back_equal(vault: Vault, given: list[Message]) -> None:
    comes_back(vault, given)


@pytest.mark.slow
@MANY
@given(st.lists(messages, min_size=1, max_size=4))
def test_very_many_messages_come_back_equal(vault: Vault, given: list[Message]) -> None:
    comes_back(vault, given)


def test_contents_of_every_size_come_back_whether_they_compress_or_not(chat: Transcript) -> None:
    for size in (0, 1, 511, 512, 513, 100_000):
        said = [chat.append("user", text) for text in ("x" * size, token_hex(size)[:size], "𝄞" * size)]
        assert chat.messages(last=3) == said


strange: st.SearchStrategy[object] = st.deferred(
    lambda: (
        leaves
        | st.text(max_size=5)
        | st.integers()
        | st.just(float("nan"))
        | st.complex_numbers()
        | st.just(Decimal("1.5"))
        | st.datetimes()
        | st.builds(object)
        | st.lists(strange, max_size=2)
        | st.lists(strange, max_size=2).map(tuple)
        | st.dictionaries(texts | st.integers() | st.binary() | st.none(), strange, max_size=2)
        | st.frozensets(st.integers(), max_size=3)
    )
)


def comes_back_or_is_refused(vault: Vault, content: Any, metadata: Any) -> None:
    chat = vault.transcript("strange", "things")
    before = chat.messages(last=1)
    try:
        stored = chat.append({"role": "user", "content": content, "metadata": {"it": metadata}})
    except InputError:
        assert chat.messages(last=1) == before
    else:
        assert chat.messages(last=1) == [stored]
        assert (stored.content, stored.metadata) == (content, {"it": metadata})


@on_sqlite
@FEW
@given(strange, strange)
def test_whatever_is_said_comes_back_equal_or_is_refused(vault: Vault, content: Any, metadata: Any) -> None:
    comes_back_or_is_refused(vault, content, metadata)


@pytest.mark.slow
@on_sqlite
@MANY
@given(strange, strange)
def test_whatever_else_is_said_comes_back_equal_or_is_refused(
    vault: Vault, content: Any, metadata: Any
) -> None:
    comes_back_or_is_refused(vault, content, metadata)


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
