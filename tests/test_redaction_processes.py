"""What a session remembers of redaction, where a message is said twice or several processes are at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from databases import Databases

from vault import AsyncVault, Transcript, Vault
from vault.errors import UserForgottenError
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction
from vault.storage import messages as sql


def opened(database: Databases, root: Path) -> dict[str, Any]:
    return {
        "where": database.transcripts,
        "keyring": database.keyring,
        "root": f"file:{root / 'root.key'}",
        "redactor": Engine(),
    }


def findings(vault: Vault) -> list[str]:
    return [entry.kind for entry in vault.log.entries() if entry.kind == "integrity"]


# -- the same key again ----------------------------------------------------------------------------------


@pytest.mark.wide
def test_p7_another_text_under_a_key_that_was_used_accuses_nobody(
    database: Databases, tmp_path: Path
) -> None:
    with Vault.open(**opened(database, tmp_path)) as vault:
        chat = vault.transcript("u", "s")
        first = chat.append("user", "I am Anna Kowalski", key="k")
        assert chat.append("user", "I am Pedro Martinez, 020 7946 0018", key="k") == first
        assert chat.extend([{"role": "user", "content": "I am Maria Lindqvist"}], key="k") == [first]
        assert chat.messages() == [first]
        assert chat.append("user", "Anna Kowalski again, and I am Karl Weber").content == (
            "<PERSON_1> again, and I am <PERSON_2>"
        )
        assert len(chat.messages()) == 2
        assert findings(vault) == []


@pytest.mark.wide
def test_p7_so_it_does_in_a_group_with_others(tmp_path: Path) -> None:
    async def test() -> None:
        async with await AsyncVault.open(tmp_path / "v") as vault:
            chat = vault.transcript("u", "s")
            first = await chat.append("user", "I am Anna Kowalski", key="k")
            many = [chat.append("user", f"number {number}") for number in range(3)]
            again = [
                chat.append("user", name, key="k") for name in ("I am Pedro Martinez", "I am Karl Weber")
            ]
            said = await asyncio.gather(*many[:2], *again, many[2])
            assert said[2:4] == [first, first]
            assert len(await chat.messages()) == 4

    asyncio.run(test())


# -- a session that another process ends -----------------------------------------------------------------


def cleared(vault: Vault) -> None:
    vault.transcript("u", "s").clear()


def enrolled_anew(vault: Vault) -> None:
    vault.forget_user("u", now=True)
    vault.enroll("u")


@pytest.mark.wide
@pytest.mark.parametrize("ended", [cleared, enrolled_anew])
def test_two_people_never_have_one_number_in_a_session_that_was_begun_anew(
    database: Databases, tmp_path: Path, ended: Callable[[Vault], None]
) -> None:
    given = opened(database, tmp_path)
    with Vault.open(**given) as vault, Vault.open(**given) as other:
        chat = vault.transcript("u", "s")
        chat.append("user", "He is Pedro Martinez, and I am Anna Kowalski")
        ended(other)
        again = [chat.append("user", said).content for said in ("Anna Kowalski again", "I am Karl Weber")]
        assert again == ["<PERSON_1> again", "I am <PERSON_2>"]
        assert [message.content for message in chat.messages()] == again


@pytest.mark.wide
def test_what_is_said_without_values_goes_on_in_the_session_that_was_begun_anew(
    database: Databases, tmp_path: Path
) -> None:
    given = {**opened(database, tmp_path), "redactor": None}
    with Vault.open(**given) as vault, Vault.open(**given) as other:
        chat = vault.transcript("u", "s")
        chat.append("user", "one")
        cleared(other)
        chat.append("user", "two")
        assert [message.content for message in chat.messages()] == ["two"]


# -- originals -------------------------------------------------------------------------------------------


def keeping(database: Databases, root: Path) -> dict[str, Any]:
    return {**opened(database, root), "redactor": Engine(Redaction.of({"originals": True}))}


def reveals(vault: Vault) -> int:
    return sum(entry.kind == "reveal" for entry in vault.log.entries())


@pytest.mark.wide
def test_p7_p6_nothing_is_put_back_or_logged_for_a_user_who_was_forgotten_elsewhere(
    database: Databases, tmp_path: Path
) -> None:
    given = keeping(database, tmp_path)
    with Vault.open(**given) as vault, Vault.open(**given) as other:
        chat = vault.transcript("u", "s")
        chat.append("user", "I am Anna Kowalski")
        assert chat.restore("Dear <PERSON_1>", purpose="reply") == "Dear Anna Kowalski"
        other.forget_user("u", now=True)
        with pytest.raises(UserForgottenError):
            chat.restore("Dear <PERSON_1>", purpose="reply")
        assert reveals(vault) == 1


@pytest.mark.wide
@pytest.mark.parametrize("ended", [cleared, enrolled_anew])
def test_what_is_put_back_is_of_the_session_that_was_begun_anew(
    database: Databases, tmp_path: Path, ended: Callable[[Vault], None]
) -> None:
    given = keeping(database, tmp_path)
    with Vault.open(**given) as vault, Vault.open(**given) as other:
        chat = vault.transcript("u", "s")
        chat.append("user", "I am Anna Kowalski")
        ended(other)
        other.transcript("u", "s").append("user", "I am Pedro Martinez")
        assert chat.restore("Dear <PERSON_1>", purpose="reply") == "Dear Pedro Martinez"


@pytest.mark.wide
@pytest.mark.parametrize(
    "ask",
    [
        lambda chat: chat.restore("Dear <PERSON_1>", purpose="reply"),
        lambda chat: chat.messages(reveal=True, purpose="look"),
        lambda chat: chat.messages(include_hidden=True, reveal=True, purpose="look"),
    ],
    ids=["restore", "messages", "hidden"],
)
def test_p7_a_user_who_is_forgotten_while_originals_are_read_is_no_theft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Transcript], object]
) -> None:
    given: dict[str, Any] = {"where": tmp_path / "v", "redactor": Engine(Redaction.of({"originals": True}))}
    with Vault.open(**given) as vault, Vault.open(**given) as other:
        chat = vault.transcript("u", "s")
        chat.append("user", "I am Anna Kowalski")
        read, is_first = sql.read_originals, iter([True])

        def read_later(*asking: Any) -> Any:
            if next(is_first, False):
                other.forget_user("u", now=True)
            return read(*asking)

        monkeypatch.setattr(sql, "read_originals", read_later)
        with pytest.raises(UserForgottenError):
            ask(chat)
        assert findings(vault) == []
