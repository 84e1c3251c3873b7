"""Names and messages that are refused: nothing is written, and nothing of it is repeated in an error (P1)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import refusals
from databases import Databases, connected
from faces import Home
from refusals import SECRET, refused, said_by
from sqlalchemy import text

from vault import Message, Transcript, Vault
from vault.errors import InputError, TooLargeError
from vault.messages import DEFAULT_LIMIT, MAX_DEPTH, MAX_ID_BYTES, MAX_NAMESPACE, MAX_WORDS, encode

home, vault, chat = refusals.home, refusals.vault, refusals.chat
DEEP = 100_000


def test_what_an_error_carries_is_found_wherever_it_hides() -> None:
    """The test of the test: each of these has leaked through some library."""

    def chained() -> None:
        try:
            SECRET.encode() + "\ud800".encode()
        except UnicodeEncodeError as error:
            error.add_note(SECRET)
            raise InputError("fine") from None

    def carrying() -> None:
        error = InputError("fine")
        error.content = SECRET  # type: ignore[attr-defined]
        raise error

    def encoding() -> None:
        try:
            f"{SECRET}\ud800".encode()
        except UnicodeEncodeError:
            raise InputError("fine") from None

    for leak in (chained, carrying, encoding):
        with pytest.raises(InputError) as caught:
            leak()
        assert SECRET in said_by(caught.value)


# -- names -----------------------------------------------------------------------------------------------

NO_NAMES: dict[str, Any] = {
    "empty": "",
    "blank": " \t\n\u3000",
    "with a NUL": f"{SECRET}\0",
    "with a line break": f"{SECRET}\n",
    "with a control character": f"\x1b{SECRET}",
    "with a DEL": f"{SECRET}\x7f",
    "too long": SECRET.ljust(MAX_ID_BYTES + 1, "x"),
    "too long in bytes": SECRET.ljust(MAX_ID_BYTES // 2, "é") + "é" * 20,
    "10 MB long": SECRET * (10_000_000 // len(SECRET)),
    "10 MB of nonsense": SECRET + os.urandom(10_000_000).decode("latin-1"),
    "with a lone surrogate": f"{SECRET}\ud800",
    "a number": 5,
    "bytes": SECRET.encode(),
    "nothing": None,
    "a list": [SECRET],
}


@pytest.mark.wide
@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_p1_what_is_no_name_is_refused_wherever_a_name_is_asked_for(
    home: Home, vault: Vault, chat: Transcript, name: Any
) -> None:
    asking: list[Callable[[], object]] = [
        lambda: vault.transcript(name, "s-1"),
        lambda: vault.transcript("u-1", name),
        lambda: vault.sessions(name),
        lambda: vault.footprint(name),
        lambda: vault.forget_user(name),
        lambda: vault.forget_users(["u-1", name]),
        lambda: vault.forget_session(name, "s-1"),
        lambda: vault.forget_session("u-1", name),
        lambda: vault.enroll(name),
        lambda: vault.hold(name, reason="case 7"),
    ]
    if name is not None:
        asking += [
            lambda: vault.hold("u-1", name, reason="case 7"),
            lambda: vault.footprint("u-1", name),
            lambda: vault.enroll("u-1", name),
            lambda: chat.append("user", "Hello", key=name),
            lambda: chat.extend([Message("user", "Hello")], key=name),
        ]
    if name != "":
        asking.append(lambda: vault.transcript("u-1", "s-1", namespace=name))
    for ask in asking:
        refused(home, ask)


@pytest.mark.wide
@pytest.mark.parametrize("name", ["", f"{SECRET}\ud800", SECRET.encode(), 5], ids=repr)
def test_p1_what_is_no_name_is_refused_by_a_purge(home: Home, tmp_path: Path, name: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\npolicy: test\nclasses: [{name: default, keep: {at_most: 90d}}]\n")
    with home.open(policies=file) as vault:
        refused(home, lambda: vault.purge(user=name))
        refused(home, lambda: vault.purge(user=name, dry_run=True))
        refused(home, lambda: vault.explain(name, "s-1"))


@pytest.mark.wide
def test_a_name_may_be_as_long_as_its_limit_and_in_any_language(vault: Vault) -> None:
    for name in (
        "é" * (MAX_ID_BYTES // 2),
        "Ελένη Παπαδοπούλου",
        "user@example.com",
        "👩‍👩‍👧",
        "../../etc/passwd",
        "%s' --",
    ):
        chat = vault.transcript(name, name, namespace=name[:MAX_NAMESPACE])
        assert chat.append("user", "Hello", key=name) == chat.append("user", "Hello", key=name)
        [summary] = vault.sessions(name)
        assert (summary.session_id, summary.namespace) == (name, name[:MAX_NAMESPACE])
        assert name in vault.users()


def test_a_namespace_has_its_own_limit(home: Home, vault: Vault) -> None:
    vault.transcript("u-1", "s-long", namespace="n" * MAX_NAMESPACE).append("user", "Hello")
    refused(home, lambda: vault.transcript("u-1", "s-2", namespace="n" * (MAX_NAMESPACE + 1)))


@pytest.mark.parametrize("users", ["u-1", "ab", 5, None], ids=repr)
def test_many_users_are_never_the_letters_of_one(home: Home, vault: Vault, users: Any) -> None:
    if isinstance(users, str):
        for letter in users:
            vault.enroll(letter)
        refused(home, lambda: vault.forget_users(users))
    else:
        with pytest.raises(TypeError):
            vault.forget_users(users)


@pytest.mark.wide
@pytest.mark.parametrize(
    "words", [None, 5, b"request 881", f"{SECRET}\ud800", SECRET.ljust(MAX_WORDS + 1)], ids=repr
)
def test_p1_evidence_that_could_not_be_read_again_is_refused_before_anything_is_erased(
    home: Home, vault: Vault, words: Any
) -> None:
    vault.transcript("u-evidence", "s-1").append("user", "Hello")
    refused(home, lambda: vault.forget_user("u-evidence", reason=words))
    refused(home, lambda: vault.forget_user("u-evidence", actor=words))
    refused(home, lambda: vault.forget_session("u-evidence", "s-1", reason=words))
    with home.open() as again:
        assert len(again.transcript("u-evidence", "s-1").messages()) >= 1


@pytest.mark.wide
@pytest.mark.parametrize("now", [1, 0, None, "no", SECRET], ids=repr)
def test_p1_a_request_that_could_not_be_read_again_is_refused_before_it_is_noted(
    home: Home, vault: Vault, now: Any
) -> None:
    vault.transcript("u-held", "s-1").append("user", "Hello")
    held = vault.hold("u-held", reason="case 7")
    refused(home, lambda: vault.forget_user("u-held", when_released=True, now=now))
    vault.release(held.id, reason="closed")
    refused(home, lambda: vault.forget_user("u-held", now=now))
    refused(home, lambda: vault.forget_session("u-held", "s-1", now=now))
    with home.open() as again:
        assert again.queued() == []


@pytest.mark.wide
@pytest.mark.parametrize(
    "until",
    [
        SECRET,
        5,
        datetime(2100, 1, 1),  # noqa: DTZ001 (what is refused)
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    ],
    ids=repr,
)
def test_p1_a_hold_that_could_not_be_read_again_is_refused_before_it_is_noted(
    home: Home, vault: Vault, until: Any
) -> None:
    vault.transcript("u-until", "s-1").append("user", "Hello")
    refused(home, lambda: vault.hold("u-until", reason="case 7", until=until))
    with home.open() as again:
        assert [one for one in again.holds() if one.user_id == "u-until"] == []


# -- messages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "role",
    ["robot", "", "User", "user ", f"{SECRET}\0", "\ud800", None, 5, [SECRET], {"user": SECRET}, b"user"],
    ids=repr,
)
def test_p1_what_is_no_role_is_refused(home: Home, chat: Transcript, role: Any) -> None:
    refused(home, lambda: chat.append({"role": role, "content": SECRET}))
    refused(home, lambda: chat.append(Message(role, SECRET)))
    if isinstance(role, str):
        refused(home, lambda: chat.append(role, SECRET))


def nested(depth: int, around: Callable[[Any], Any], core: Any = SECRET) -> Any:
    for _ in range(depth):
        core = around(core)
    return core


def circular() -> list[Any]:
    around: list[Any] = [SECRET]
    around += [around] * 10
    return around


class Thing:
    """Something of the app's own, which says too much of itself."""

    def __repr__(self) -> str:
        return SECRET


NO_VALUES: dict[str, Any] = {
    "a lone surrogate": f"{SECRET}\udfff",
    "a lone surrogate as a key": {f"{SECRET}\ud800": 1},
    "a NUL": f"{SECRET}\0",
    "a NUL as a key": {f"{SECRET}\0": 1},
    "a tuple": (SECRET,),
    "a set": {SECRET},
    "a frozenset": frozenset([SECRET]),
    "NaN": [SECRET, float("nan")],
    "an integer beyond 64 bits": [SECRET, 2**64],
    "an integer below 64 bits": [SECRET, -(2**63) - 1],
    "a complex number": [SECRET, 1j],
    "a decimal": [SECRET, Decimal("1.10")],
    "an object": Thing(),
    "a class": Thing,
    "a function": refused,
    "a generator": (part for part in [SECRET]),
    "a range": [SECRET, range(3)],
    "a date": [SECRET, date(2026, 5, 1)],
    "a naive datetime": [SECRET, datetime(2026, 5, 1)],  # noqa: DTZ001 (that is what is refused)
    "an exception": ValueError(SECRET),
    "lists 100,000 deep": nested(DEEP, lambda core: [core]),
    "dicts 100,000 deep": nested(DEEP, lambda core: {"a": core}),
    "lists deeper than the limit": nested(MAX_DEPTH, lambda core: [core], [SECRET, 256]),
    "a list that holds itself": circular(),
}


@pytest.mark.wide
@pytest.mark.parametrize("value", NO_VALUES.values(), ids=NO_VALUES)
def test_p1_what_would_not_come_back_equal_is_refused_wherever_it_stands(
    home: Home, chat: Transcript, value: Any
) -> None:
    places: list[dict[str, Any]] = [
        {"role": "user", "content": value},
        {"role": "user", "content": [{"type": "text", "text": value}]},
        {"role": "user", "content": {"parts": {"deep": [value]}}},
        {"role": "user", "content": SECRET, "metadata": {"it": value}},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": value}}]},
    ]
    for place in places:
        refused(home, partial(chat.append, place))
    refused(home, lambda: chat.append("user", value))
    refused(home, lambda: chat.extend([{"role": "user", "content": "fine"}, places[1]], key="k"))


@pytest.mark.parametrize("value", [datetime(2026, 5, 1), (1, 2)])  # noqa: DTZ001 (that is what is refused)
def test_metadata_that_is_refused_is_not_told_as_content(home: Home, chat: Transcript, value: Any) -> None:
    error = refused(home, lambda: chat.append("user", "Hello", metadata={"at": value}))
    assert str(error) == "a value would not come back equal"
    assert "times with a zone" in error.hint


@pytest.mark.parametrize("text", [None, 5, b"bytes", ["a"]])
def test_what_is_redacted_for_itself_is_a_text(tmp_path: Path, text: Any) -> None:
    with Vault.open(tmp_path / "vault") as vault, pytest.raises(InputError, match="is a text"):
        vault.redact(text)


@pytest.mark.parametrize("content", [5, 1.5, True, b"bytes", (), {SECRET}, Thing()], ids=repr)
def test_p1_content_is_a_text_a_list_a_dict_or_nothing(home: Home, chat: Transcript, content: Any) -> None:
    refused(home, lambda: chat.append("user", content))


@pytest.mark.parametrize(
    "message",
    [SECRET, 5, None, [SECRET], {}, {"role": "user"}, {"content": SECRET}, b"{}", ("user", SECRET)],
    ids=repr,
)
def test_p1_what_is_no_message_is_refused(home: Home, chat: Transcript, message: Any) -> None:
    refused(home, lambda: chat.append(message))
    refused(home, lambda: chat.extend([{"role": "user", "content": "fine"}, message]))


@pytest.mark.parametrize(
    "metadata", [[SECRET], SECRET, 5, (), {5: SECRET}, {None: SECRET}, {b"b": SECRET}], ids=repr
)
def test_p1_metadata_and_the_other_fields_are_dicts_with_texts_as_keys(
    home: Home, chat: Transcript, metadata: Any
) -> None:
    refused(home, lambda: chat.append({"role": "user", "content": SECRET, "metadata": metadata}))
    if metadata:
        refused(home, lambda: chat.append("user", SECRET, metadata=metadata))
        refused(home, lambda: chat.append(Message("user", SECRET, metadata)))
        refused(home, lambda: chat.append(Message("user", SECRET, {}, metadata)))


NO_TIMES: dict[str, Any] = {
    "naive": datetime(2026, 5, 1),  # noqa: DTZ001 (that is what is refused)
    "a naive text": "2026-05-01T12:00:00",
    "another text": SECRET,
    "a date": date(2026, 5, 1),
    "a number": 1_790_000_000,
    "before the year 1": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    "after the year 9999": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
}


@pytest.mark.parametrize("moment", NO_TIMES.values(), ids=NO_TIMES)
def test_p1_a_time_that_could_not_be_stored_exactly_is_refused(
    home: Home, chat: Transcript, moment: Any
) -> None:
    refused(home, lambda: chat.append("user", "Hello", created_at=moment))
    refused(home, lambda: chat.append({"role": "user", "content": "Hello", "created_at": moment}))
    refused(home, lambda: chat.append(Message("user", "Hello", created_at=moment)))


def test_a_message_says_its_parts_once(home: Home, chat: Transcript) -> None:
    message = {"role": "user", "content": SECRET}
    refused(home, lambda: chat.append(message, "more"))
    refused(home, lambda: chat.append(message, metadata={}))
    refused(home, lambda: chat.append(message, created_at=datetime.now(UTC)))
    refused(home, lambda: chat.append("user"))


@pytest.mark.parametrize("number", [-1, 1.5, "5", SECRET, [1], float("nan")], ids=repr)
def test_which_messages_are_wanted_is_said_in_whole_numbers(
    home: Home, chat: Transcript, number: Any
) -> None:
    refused(home, lambda: chat.messages(last=number))
    refused(home, lambda: chat.messages(before=number))


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 10**30], ids=str)
def test_a_number_beyond_all_messages_means_all_of_them(chat: Transcript, number: int) -> None:
    everything = chat.messages()
    assert chat.messages(last=number) == everything
    assert chat.messages(before=number) == everything


def test_nesting_is_allowed_as_deep_as_the_limit(chat: Transcript) -> None:
    content = nested(MAX_DEPTH - 1, lambda core: [core], [SECRET, 256])
    stored = chat.append("user", content)
    assert chat.messages(last=1)[0].content == stored.content == content


def test_extra_fields_can_not_take_the_place_of_a_messages_own(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "vault", redactor=None) as vault:
        chat = vault.transcript("u-1", "s-1")
        with pytest.raises(InputError):
            chat.append(Message("user", "text", extra={"role": "system"}))
        assert chat.messages() == []


# -- size ------------------------------------------------------------------------------------------------


def overhead(content: object) -> int:
    """How many bytes of the limit a message takes beside its content's own."""
    return len(encode(Message("user", {"data": content}))) - len(content)  # type: ignore[arg-type]


@pytest.mark.wide
def test_p1_a_message_at_the_limit_is_stored_and_one_byte_more_is_refused(home: Home) -> None:
    room = 5_000 - overhead(b"x" * 5_000)
    with home.open(limit=5_000) as vault:
        chat = vault.transcript("u-size", "s-1")
        chat.append("user", {"data": b"x" * room})
        for content in ({"data": b"x" * (room + 1)}, SECRET * 1000, [SECRET] * 1000):
            error = refused(home, partial(chat.append, "user", content), TooLargeError)
            assert "5000" in str(error)
        assert len(chat.messages()) == 1
    with home.open() as vault:
        assert len(vault.transcript("u-size", "s-1").messages()) == 1


@pytest.mark.wide
@pytest.mark.parametrize("face", ["sync", "async"])
def test_by_default_a_message_may_have_16_mib_or_what_the_server_takes(
    database: Databases, face: str, tmp_path: Path
) -> None:
    """MariaDB takes no statement over max_allowed_packet, and the driver may write each byte as two."""
    if face == "async" and database.dialect != "mariadb":
        return  # the same statement through a driver without such a limit
    with ExitStack() as leftovers:
        runner = leftovers.enter_context(asyncio.Runner()) if face == "async" else None
        vault = leftovers.enter_context(Home(database, tmp_path / "root.key", runner).open())
        limit = DEFAULT_LIMIT
        if database.dialect == "mariadb":
            with connected(database.transcripts) as connection:
                packet = connection.execute(text("SELECT @@max_allowed_packet")).scalar_one()
            limit = min(limit, (packet - 65_536) // 2)
        chat = vault.transcript("u-1", "s-1")
        noise = os.urandom(limit - overhead(bytes(1_000_000)))
        chat.append("user", {"data": noise})
        with pytest.raises(TooLargeError):
            chat.append("user", {"data": noise + b"x"})
        [found] = chat.messages()
        assert found.content == {"data": noise}
