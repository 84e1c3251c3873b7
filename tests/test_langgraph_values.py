"""Values come back as they were given, whatever they are, and no text of them escapes redaction."""

from __future__ import annotations

import ipaddress
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt, Send
from msgspec.structs import replace

from vault import Vault
from vault.adapters.langgraph import VaultSaver, VaultStore
from vault.adapters.langgraph_values import Text, parse, render
from vault.errors import RedactionError, UsageError
from vault.messages import Message

SERDE = JsonPlusSerializer()
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ids = st.one_of(st.none(), st.uuids().map(str))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
blocks = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": words}), min_size=1, max_size=3)
calls = st.lists(
    st.builds(
        lambda name, args, id_: {"name": name, "args": args, "id": id_, "type": "tool_call"},
        words,
        st.dictionaries(words, plain, max_size=2),
        words,
    ),
    max_size=2,
)
extras = st.dictionaries(words, plain, max_size=2)
messages: st.SearchStrategy[AnyMessage] = st.one_of(
    st.builds(HumanMessage, words | blocks, id=ids, name=st.none() | words, additional_kwargs=extras),
    st.builds(AIMessage, words | blocks, id=ids, tool_calls=calls, response_metadata=extras),
    st.builds(SystemMessage, words, id=ids),
    st.builds(ToolMessage, words, tool_call_id=words, id=ids, artifact=plain),
)


@dataclass
class Thing:
    """A class of an app's own."""

    said: str
    inner: Any = None


@pytest.fixture(scope="module")
def saver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultSaver]:
    with Vault.open(tmp_path_factory.mktemp("values") / "vault", redactor=None) as vault:
        yield VaultSaver(vault, user_id="u-1")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(messages, max_size=4), plain)
def test_a_checkpoint_comes_back_as_it_was_put(saver: VaultSaver, said: list[AnyMessage], value: Any) -> None:
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {
        "messages": said,
        "value": value,
        "both": {"said": said, "value": [value]},
    }
    checkpoint["channel_versions"] = {"messages": "1", "value": "1", "both": "1"}
    config: Any = {"configurable": {"thread_id": str(uuid.uuid4()), "checkpoint_ns": ""}}
    config = saver.put(config, checkpoint, {"source": "loop", "step": 1}, checkpoint["channel_versions"])
    saver.put_writes(config, [("messages", said), ("value", value)], "task")
    found = saver.get_tuple(config)
    assert found is not None
    assert found.checkpoint == checkpoint
    assert found.pending_writes == [("task", "messages", said), ("task", "value", value)]


OBJECTS = [
    {"a", "b"},
    frozenset({1}),
    deque([1, "x"]),
    ("a", ("b",)),
    datetime(2026, 3, 4, tzinfo=UTC),
    date(1980, 1, 2),
    uuid.UUID(int=7),
    Decimal("1.50"),
    ipaddress.ip_address("192.0.2.1"),
    Path("/a/b"),
    Send("node", {"said": [HumanMessage("hello", id="h")]}),
    Interrupt({"question": "yes?"}),
    Thing("hello", [Thing("inner")]),
    b"bytes",
    np.array([[1.5, 2.5]]),
    {1: "one", None: "none"},
]


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
def test_an_object_is_taken_apart_and_put_together_again(value: object) -> None:
    typed = SERDE.dumps_typed(value)
    text = Text.of(typed, "channel")
    assert text.sealed(text.said) == typed
    if typed[0] == "msgpack":
        assert render(parse(typed[1])) == typed[1]


def _louder(value: Any) -> Any:
    match value:
        case str():
            return value.upper()
        case list():
            return [_louder(one) for one in value]
        case dict():
            return {key: _louder(one) for key, one in value.items()}
    return value


@pytest.mark.parametrize(
    "value",
    [
        "secret",
        ["secret", {"k": ("secret", {"secret"})}],
        Thing("secret", deque([Thing("secret")])),
        Send("node", {"x": "secret"}),
        Interrupt(["secret"]),
        Path("/home/secret"),
        ValueError("secret"),
        HumanMessage([{"type": "text", "text": "secret"}], additional_kwargs={"deep": ["secret"]}),
        {"said": [AIMessage("secret", tool_calls=[{"name": "f", "args": {"to": "secret"}, "id": "1"}])]},
        [ToolMessage("secret", tool_call_id="1", artifact=Thing("secret"))],
    ],
    ids=repr,
)
def test_p1_redaction_sees_every_text_of_an_object(value: object) -> None:
    text = Text.of(SERDE.dumps_typed(value), "channel")
    louder = [
        replace(one, content=_louder(one.content), extra=_louder(one.extra), metadata=_louder(one.metadata))
        for one in text.said
    ]
    sealed = text.sealed(louder)[1]
    assert b"secret" not in sealed
    assert b"SECRET" in sealed


def test_p1_what_can_not_be_redacted_is_refused() -> None:
    with pytest.raises(RedactionError):
        Text.of(("pickle", b"anything"), "channel")
    with pytest.raises(RedactionError):
        Text.of(SERDE.dumps_typed(np.array(["anna"])), "channel")
    text = Text.of(SERDE.dumps_typed({"a": ["b"]}), "channel")
    for wrong in ([], [Message("state", "b")], [Message("state", {"arguments": [{"a": []}]})]):
        with pytest.raises(RedactionError):
            text.sealed(wrong)


@pytest.mark.parametrize("kind", [VaultSaver, VaultStore])
@pytest.mark.parametrize("vault", [None, "chat-vault"])
def test_what_is_no_vault_is_told_to_be_none(kind: Any, vault: Any) -> None:
    with pytest.raises(UsageError, match="a Vault or an AsyncVault"):
        kind(vault)
