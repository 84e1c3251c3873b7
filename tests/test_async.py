"""The two faces are one: what one has, the other has, and nobody waits for another's database."""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, connected
from faces import Home

from vault import AsyncTranscript, AsyncVault, Message, Transcript, Vault
from vault.aio import AsyncLog
from vault.client import Log
from vault.errors import MissingExtraError, UsageError

TWINS: list[tuple[type, type]] = [(Vault, AsyncVault), (Transcript, AsyncTranscript), (Log, AsyncLog)]
NOT_AWAITED = {"records", "redact", "transcript", "wrap"}  # it only names something

# -- parity ----------------------------------------------------------------------------------------------


def public(face: type) -> dict[str, Any]:
    return {name: getattr(face, name) for name in vars(face) if not name.startswith("_")}


def twin(annotation: object) -> str:
    """Give what a sync annotation is called on the async face."""
    return re.sub(r"^(Transcript|TranscriptRecords|Log|Iterator\[.*\])$", r"Async\1", str(annotation))


@pytest.mark.parametrize(("sync", "awaited"), TWINS)
def test_both_faces_have_the_same_nouns_and_verbs(sync: type, awaited: type) -> None:
    assert public(sync).keys() == public(awaited).keys()
    assert len(public(sync)) >= 5


@pytest.mark.parametrize(
    ("sync", "awaited", "name"),
    [
        (sync, awaited, name)
        for sync, awaited in TWINS
        for name in public(sync)
        if callable(public(sync)[name])
    ],
)
def test_each_verb_takes_the_same_and_means_the_same(sync: type, awaited: type, name: str) -> None:
    one, other = getattr(sync, name), getattr(awaited, name)
    here, there = inspect.signature(one), inspect.signature(other)
    assert [str(one) for one in here.parameters.values()] == [
        str(one).replace("AsyncIterable", "Iterable") for one in there.parameters.values()
    ]
    assert twin(here.return_annotation) == there.return_annotation
    assert inspect.getdoc(one) == inspect.getdoc(other)
    is_awaited = inspect.iscoroutinefunction(other) or inspect.isasyncgenfunction(other)
    assert is_awaited == (name not in NOT_AWAITED)


@pytest.mark.wide
def test_both_vaults_are_context_managers_and_both_transcripts_name_their_session(tmp_path: Path) -> None:
    with Vault.open(tmp_path, redactor=None) as vault:
        chat = vault.transcript("u-1", "s-1")
        assert (chat.user_id, chat.session_id) == ("u-1", "s-1")

    async def ask() -> None:
        async with await AsyncVault.open(tmp_path, redactor=None) as vault:
            chat = vault.transcript("u-1", "s-1")
            assert (chat.user_id, chat.session_id) == ("u-1", "s-1")

    asyncio.run(ask())


@pytest.mark.wide
def test_what_one_face_writes_the_other_reads(database: Databases, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        homes = [Home(database, tmp_path / "root.key", one) for one in (None, runner)]
        for number, home in enumerate(homes):
            with home.open() as vault:
                vault.transcript("u-1", "s-1").append("user", str(number), key=f"k-{number}")
        found = []
        for home in homes:
            with home.open() as vault:
                found.append(vault.transcript("u-1", "s-1").messages())
        assert [message.content for message in found[0]] == ["0", "1"]
        assert found[0] == found[1]


# -- waiting ---------------------------------------------------------------------------------------------

HOLD = {  # somebody else keeps messages from being added; they can still be read
    "sqlite": (["BEGIN IMMEDIATE"], "ROLLBACK"),
    "postgresql": (["BEGIN", "LOCK TABLE messages IN EXCLUSIVE MODE"], "ROLLBACK"),
    "mariadb": (["LOCK TABLES messages READ"], "UNLOCK TABLES"),
}
TICKS = 50


@pytest.mark.wide
def test_the_loop_goes_on_while_a_database_keeps_a_task_waiting(database: Databases, tmp_path: Path) -> None:
    async def ask() -> tuple[int, list[Message]]:
        hold, release = HOLD[database.dialect]
        async with await AsyncVault.open(
            database.transcripts, keyring=database.keyring, root=f"file:{tmp_path}/root.key", redactor=None
        ) as vault:
            chat = vault.transcript("u-1", "s-1")
            first = await chat.append("user", "before")
            with connected(database.transcripts) as other:
                for statement in hold:
                    other.exec_driver_sql(statement)
                waiting = [asyncio.create_task(chat.append("user", str(number))) for number in range(3)]
                ticks = 0
                # A loop that stood still would never come to let go, and the appends would fail in the end.
                while ticks < TICKS and not any(task.done() for task in waiting):
                    await asyncio.sleep(0.001)
                    ticks += 1
                assert await chat.messages() == [first]
                other.exec_driver_sql(release)
            await asyncio.gather(*waiting)
            return ticks, await chat.messages()

    ticks, messages = asyncio.run(ask())
    assert ticks == TICKS
    assert sorted(str(message.content) for message in messages) == ["0", "1", "2", "before"]


@pytest.mark.wide
def test_another_loop_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    async def speak(vault: AsyncVault, text: str) -> list[object]:
        chat = vault.transcript("u-1", "s-1")
        await chat.append("user", text)
        return [message.content for message in await chat.messages()]

    with asyncio.Runner() as mine:
        vault = mine.run(AsyncVault.open(tmp_path, redactor=None))
        with (
            asyncio.Runner() as other,
            pytest.raises(UsageError, match="belongs to another event loop") as caught,
        ):
            other.run(speak(vault, "from there"))
        assert caught.value.hint == "open one in each loop, or use Vault, which any thread may use"
        assert mine.run(speak(vault, "from here")) == ["from here"]
        mine.run(vault.close())


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("sqlite:////tmp/chat.db", "aiosqlite", "async"),
        ("postgresql://localhost/chat", "psycopg", "postgres"),
        ("mysql://localhost/chat", "aiomysql", "async-mysql"),
        ("mariadb://localhost/chat", "aiomysql", "async-mysql"),
    ],
)
def test_a_missing_driver_is_named_with_the_command_that_installs_it(
    url: str, driver: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, driver, None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=driver) as caught:
        asyncio.run(AsyncVault.open(url, keyring=url, root=f"file:{tmp_path}/root.key", redactor=None))
    assert caught.value.hint == f"pip install 'transcript-vault[{extra}]'"


@pytest.mark.wide
def test_p6_the_awaited_log_says_what_the_other_says(tmp_path: Path) -> None:
    async def ask() -> tuple[object, ...]:
        async with await AsyncVault.open(tmp_path / "v", redactor=None) as vault:
            await vault.transcript("u-1", "s-1").append("user", "Hello")
            await vault.forget_user("u-1", actor="me")
            entries = [entry async for entry in vault.log.entries()]
            note = await vault.log.checkpoint(anchor=tmp_path / "outside")
            found = await vault.log.verify(anchor=tmp_path / "outside", key=await vault.log.public_key())
            return entries, note, await vault.log.consistency(note), found, await vault.certificates()

    awaited = asyncio.run(ask())
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        note = vault.log.checkpoint()
        found = vault.log.verify(anchor=tmp_path / "outside")
        assert awaited == (
            list(vault.log.entries()),
            note,
            vault.log.consistency(note),
            found,
            vault.certificates(),
        )
