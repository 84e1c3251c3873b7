"""Conversations of pydantic-ai's of which retention has taken a part: what is left is given, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faces import DAY

from vault import Vault
from vault.clock import system_clock

pytest.importorskip("pydantic_ai", reason="pydantic-ai-slim is not installed")

from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolReturnPart

from vault.adapters.pydantic_ai import VaultConversationStore

RULES = """\
version: 1
policy: test
limits: {max_fraction: 100%}
classes:
  - name: tool-output
    match: {role: tool}
    keep: {at_most: 7d}
  - name: default
    keep: {at_most: 90d}
"""


class Aging:
    """A vault whose days go by."""

    def __init__(self, at: Path) -> None:
        (at / "policy.yaml").write_text(RULES)
        self._now = system_clock() - 30 * DAY
        self.vault = Vault.open(
            at / "vault", redactor=None, policies=at / "policy.yaml", clock=lambda: self._now
        )
        self.store = VaultConversationStore(self.vault, user_id="u-1")

    def purge(self) -> None:
        self._now += 10 * DAY
        self.vault.purge()


@pytest.fixture
def aging(tmp_path: Path) -> Iterator[Aging]:
    made = Aging(tmp_path)
    with made.vault:
        yield made


def said(text: str) -> ModelMessage:
    return ModelResponse(parts=[TextPart(text)])


def returned(text: str) -> ModelMessage:
    return ModelRequest(parts=[ToolReturnPart("look", text, "call-1")])


def heard(conversation: Conversation | None) -> list[Any]:
    assert conversation is not None
    return [part.content for message in conversation.messages for part in message.parts]  # type: ignore[union-attr]


@pytest.mark.wide
def test_what_was_said_before_a_purged_message_is_still_given(aging: Aging) -> None:
    async def begin() -> None:
        talk = [said("a"), returned("busy"), said("b"), returned("busy again")]
        await aging.store.save(Conversation(conversation_id="c-1", messages=talk))

    async def go_on() -> None:
        found = await aging.store.load("c-1")
        assert heard(found) == ["a", "b"]
        assert found is not None
        found.messages.append(said("c"))
        await aging.store.save(found)
        assert heard(await aging.store.load("c-1")) == ["a", "b", "c"]
        assert heard(await aging.store.load("c-1", limit=2)) == ["b", "c"]

    asyncio.run(begin())
    aging.purge()
    asyncio.run(go_on())


@pytest.mark.wide
def test_what_led_to_a_purged_message_is_not_taken_for_what_led_away_from_it(aging: Aging) -> None:
    async def begin() -> list[str]:
        first = Conversation(conversation_id="c-1", messages=[said("a"), returned("busy"), said("left")])
        ids = [entry.id for entry in await aging.store.save(first)]
        other = await aging.store.branch("c-1", at=2, expected_revision=first.revision)
        other.messages += [returned("busy again"), said("b"), returned("and again")]
        return ids + [entry.id for entry in await aging.store.save(other)]

    async def go_on(ids: list[str]) -> None:
        found = await aging.store.load("c-1")
        assert heard(found) == ["a", "b"]
        fork = await aging.store.fork("c-1", new_conversation_id="c-2")
        fork.messages.append(said("forked"))
        await aging.store.save(fork)
        assert heard(await aging.store.load("c-2")) == ["a", "b", "forked"]
        assert found is not None
        back = await aging.store.branch("c-1", from_entry=ids[2], expected_revision=found.revision)
        assert heard(back) == ["a", "left"]
        assert (await aging.store.read_entry(ids[2])).id == ids[2]
        with pytest.raises(LookupError):
            await aging.store.read_entry(ids[1])

    ids = asyncio.run(begin())
    aging.purge()
    asyncio.run(go_on(ids))


@pytest.mark.wide
def test_a_conversation_of_which_nothing_is_left_goes_on(aging: Aging) -> None:
    async def begin() -> None:
        await aging.store.save(Conversation(conversation_id="c-1", messages=[returned("busy")]))

    async def go_on() -> None:
        found = await aging.store.load("c-1")
        assert found is not None
        assert found.messages == []
        fork = await aging.store.fork("c-1", new_conversation_id="c-2")
        for one in (found, fork):
            one.messages.append(said("a"))
            await aging.store.save(one)
            assert heard(await aging.store.load(one.conversation_id)) == ["a"]

    asyncio.run(begin())
    aging.purge()
    asyncio.run(go_on())
