"""What a vault stores of a message: redacted before (P1), and otherwise as it was said."""

from __future__ import annotations

import traceback
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Any

import contract
import pytest
import strategies
from contract import contents, on_sqlite
from faces import Home
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault import Message, Transcript, Vault
from vault.clock import to_datetime
from vault.errors import InputError, RedactionError
from vault.messages import ROLES
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

home, vault, beside = contract.home, contract.vault, contract.beside
apart, user, chat = contract.apart, contract.user, contract.chat


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


# -- what comes back is what was said --------------------------------------------------------------------

texts, leaves = strategies.texts(40), strategies.leaves(40)
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


@pytest.mark.wide
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


class Text(str):
    """A text of a framework's own, as LangChain's AIMessage.text is one."""

    __slots__ = ()


class Count(int):
    """A number of a library's own."""


class Share(float):
    """A number of a library's own."""

    __slots__ = ()


class Blob(bytes):
    """Bytes of a library's own, which would say something else if they were asked."""

    def __bytes__(self) -> bytes:
        return b"else"


class Mood(StrEnum):
    """What an app knows by names."""

    GLAD = "glad"


class Level(IntEnum):
    """What an app knows by names."""

    HIGH = 2


class Parts(list[Any]):
    """A list of a framework's own."""


OWN: list[tuple[object, object]] = [
    (Text("Hello"), "Hello"),
    (Count(3), 3),
    (Share(0.5), 0.5),
    (Blob(b"x"), b"x"),
    (Mood.GLAD, "glad"),
    (Level.HIGH, 2),
    (OrderedDict(a=Text("b")), {"a": "b"}),
    (Parts([Text("b")]), ["b"]),
    ({Text("a"): Text("b")}, {"a": "b"}),
]


@pytest.mark.parametrize(("given", "kept"), OWN, ids=[type(one).__name__ for one, _ in OWN])
def test_what_is_a_text_or_a_number_by_another_name_is_stored_as_what_it_is(
    chat: Transcript, given: Any, kept: Any
) -> None:
    chat.append(Message("user", [given], {"it": given}, {"name": given}))
    [found] = chat.messages(last=1)
    assert (found.content, found.metadata, found.extra) == ([kept], {"it": kept}, {"name": kept})
    assert type(found.content[0]) is type(kept)  # type: ignore[index]


def test_a_text_of_a_frameworks_own_may_be_all_of_a_message(home: Home, user: str) -> None:
    with home.open() as vault:
        chat = vault.transcript(Text(user), Text("s-1"), namespace=Text("support"))
        assert chat.append(Text("assistant"), Text("Hello"), key=Text("k")).content == "Hello"
        assert chat.append(Text("assistant"), Text("Hello"), key=Text("k")).seq == 0
        [found] = vault.transcript(user, "s-1").messages()
        assert (type(found.role), type(found.content)) == (str, str)
        [summary] = vault.sessions(user)
        assert summary.namespace == "support"


@pytest.mark.wide
def test_a_text_of_a_frameworks_own_is_redacted_and_its_original_kept(tmp_path: Path) -> None:
    said = Text("I am Anna Kowalski.")
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction.of({"originals": True}))) as vault:
        chat = vault.transcript("u-1", "s-1")
        chat.append("user", said, metadata={"to": Text("nobody")})
        assert [one.content for one in chat.messages()] == ["I am <PERSON_1>."]
        assert [one.content for one in chat.messages(reveal=True, purpose="request 881")] == [said]


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
