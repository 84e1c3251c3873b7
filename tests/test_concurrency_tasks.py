"""P8: many tasks of one event loop. What is awaited is durable, and who is cancelled takes nobody along."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from databases import Databases, fresh_databases
from sqlalchemy import Connection

from vault import AsyncVault, Message
from vault.errors import UserForgottenError

PATIENCE = 60  # seconds after which a test has hung; nothing waits for it otherwise


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await test()

    asyncio.run(bounded())


async def opened(databases: Databases, root: Path) -> AsyncVault:
    return await AsyncVault.open(
        databases.transcripts, keyring=databases.keyring, root=f"file:{root}", redactor=None
    )


async def said(vault: AsyncVault, user: str, session: str) -> list[object]:
    return [message.content for message in await vault.transcript(user, session).messages()]


@pytest.mark.wide
def test_p8_what_fifty_tasks_append_at_once_to_one_session_is_all_there(
    database: Databases, tmp_path: Path
) -> None:
    async def test() -> None:
        async with await opened(database, tmp_path / "root.key") as vault:
            chat = vault.transcript("u", "s")
            stored = await asyncio.gather(*(chat.append("user", f"{number}") for number in range(50)))
            messages = await chat.messages()
            assert [message.seq for message in messages] == list(range(50))
            assert sorted(stored, key=lambda message: message.seq or 0) == messages
            assert {message.content for message in messages} == {f"{number}" for number in range(50)}

    run(test)


@pytest.mark.wide
def test_p8_what_fifty_tasks_append_at_once_to_many_sessions_is_all_there(
    database: Databases, tmp_path: Path
) -> None:
    async def test() -> None:
        async with await opened(database, tmp_path / "root.key") as vault:

            async def talk(number: int) -> None:
                chat = vault.transcript(f"u-{number % 10}", f"s-{number % 25}")
                for word in ("a", "b", "c"):
                    await chat.append("user", f"{number}{word}")

            await asyncio.gather(*(talk(number) for number in range(50)))
            for number in range(25):
                texts = await said(vault, f"u-{number % 10}", f"s-{number}")
                for writer in (number, number + 25):
                    own = [text for text in texts if str(text)[:-1] == str(writer)]
                    expected = [f"{writer}{word}" for word in ("a", "b", "c")]
                    assert own == (expected if writer % 10 == number % 10 else [])

    run(test)


@pytest.mark.wide
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_p8_tasks_cancelled_during_a_commit_lose_and_double_nothing(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: int
) -> None:
    """The leader of a group is among the cancelled, and so is who would lead the next."""

    async def test() -> None:
        async with await opened(database, tmp_path / "root.key") as vault:
            chat = vault.transcript("u", "s")
            await chat.append("user", "first")
            tasks = [asyncio.create_task(chat.append("user", f"{number}")) for number in range(20)]
            commits = cancel_at_a_commit(monkeypatch, commit, tasks)
            later = [
                asyncio.create_task(append_after(commits[0], chat.append, f"{n}")) for n in range(20, 40)
            ]
            await asyncio.wait([*tasks, *later])
            done = [task for task in (*tasks, *later) if not task.cancelled()]
            assert len(done) >= 30
            await check(vault, {message.content for message in map(asyncio.Task.result, done)})

    run(test)


def cancel_at_a_commit(
    monkeypatch: pytest.MonkeyPatch, chosen: int, tasks: list["asyncio.Task[Message]"]
) -> list[asyncio.Event]:
    """Cancel every second task while the chosen commit is on its way; give an event for each commit."""
    commits = [asyncio.Event() for _ in range(1000)]
    really_commit = Connection.commit
    passed = Counter[str]()

    def committing(connection: Connection) -> None:
        if connection.get_execution_options().get("transcript_vault_mode") == "write":
            commits[passed["commits"]].set()
            passed["commits"] += 1
            if passed["commits"] == chosen:
                for task in tasks[::2]:
                    task.cancel()
        really_commit(connection)

    monkeypatch.setattr(Connection, "commit", committing)
    return commits


async def append_after(
    event: asyncio.Event, append: Callable[[str, str], Awaitable[Message]], text: str
) -> Message:
    await event.wait()
    return await append("user", text)


async def check(vault: AsyncVault, acknowledged: set[object]) -> None:
    """All that was acknowledged is there, nothing is there twice, and the vault goes on."""
    texts = await said(vault, "u", "s")
    assert acknowledged <= set(texts)
    assert max(Counter(texts).values()) == 1
    last = await vault.transcript("u", "s").append("user", "last")
    assert await said(vault, "u", "s") == [*texts, "last"]
    assert last.seq == len(texts)


@pytest.mark.wide
@pytest.mark.parametrize("yields", range(0, 60, 4))
def test_p8_tasks_cancelled_at_any_moment_lose_and_double_nothing(
    database: Databases, tmp_path: Path, yields: int
) -> None:
    async def test() -> None:
        async with await opened(database, tmp_path / "root.key") as vault:
            chat = vault.transcript("u", "s")
            await chat.append("user", "first")
            tasks = [asyncio.create_task(chat.append("user", f"{number}")) for number in range(50)]
            for _ in range(yields):
                await asyncio.sleep(0)
            for task in tasks[::3]:
                task.cancel()
            await asyncio.wait(tasks)
            await check(vault, {task.result().content for task in tasks if not task.cancelled()})
            assert not any(task.cancelled() for number, task in enumerate(tasks) if number % 3)

    run(test)


@pytest.mark.wide
def test_p8_a_vault_that_is_closed_waits_for_what_cancelled_tasks_began(
    database: Databases, tmp_path: Path
) -> None:
    async def test() -> None:
        async with await opened(database, tmp_path / "root.key") as vault:
            await vault.transcript("u", "s").append("user", "one")
            task = asyncio.create_task(vault.forget_user("u", now=True))
            await asyncio.sleep(0)
            task.cancel()
        async with await opened(database, tmp_path / "root.key") as vault:
            assert [one.status for one in await vault.certificates()] == ["final"]
            with pytest.raises(UserForgottenError):
                await said(vault, "u", "s")

    run(test)


def test_p8_a_vault_whose_closing_is_cancelled_is_closed_all_the_same(
    database: Databases, tmp_path: Path
) -> None:
    """As within a scope of anyio's that was cancelled: there whatever is awaited is cancelled, too."""

    async def test() -> None:
        vault = await opened(database, tmp_path / "root.key")
        await vault.transcript("u", "s").append("user", "one")
        late = asyncio.create_task(vault.transcript("u", "s").append("user", "late"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(vault.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await late
        stores = vault._core.stores.transcripts, vault._core.stores.keyring
        await asyncio.wait(vault._runtime._last)
        assert all(store._closed for store in stores)
        async with await opened(database, tmp_path / "root.key") as again:
            assert await said(again, "u", "s") == ["one", "late"]

    run(test)


@pytest.mark.wide
def test_p8_two_vaults_on_one_loop_that_forget_at_once_do_not_wait_for_each_other(
    database: Databases, tmp_path: Path
) -> None:
    async def test() -> None:
        with fresh_databases(database._server) as others:
            async with (
                await opened(database, tmp_path / "one.key") as one,
                await opened(database, tmp_path / "one.key") as same,
                await opened(others, tmp_path / "other.key") as other,
            ):
                vaults = {"one": one, "same": same, "other": other}
                for name, vault in vaults.items():
                    for number in range(3):
                        await vault.transcript(f"{name}-{number}", "s").append("user", "hello")
                    await vault.transcript(f"{name} stays", "s").append("user", "hello")
                certificates = await asyncio.gather(
                    *(
                        vault.forget_user(f"{name}-{number}", now=True)
                        for number in range(3)
                        for name, vault in vaults.items()
                    )
                )
                assert {certificate.status for certificate in certificates} == {"final"}
                for name, vault in vaults.items():
                    assert await said(vault, f"{name} stays", "s") == ["hello"]
                    assert (await vault.keys_status()).retired == []

    run(test)
