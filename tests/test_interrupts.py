"""P8: callers that an exception takes away while they wait: Ctrl-C, a soft time limit, a worker's timeout.

Such an exception comes out of a signal handler at any place of the main thread: here at a chosen one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from databases import Databases, connected
from processes import PATIENCE
from sqlalchemy import Connection, event
from sqlalchemy.pool.base import _ConnectionFairy

from vault import Vault
from vault.chat.inserting import Job
from vault.chat.writing import Writer
from vault.errors import OutcomeUnknownError
from vault.storage.runtime import Blocking


class LimitError(Exception):
    """As Celery's SoftTimeLimitExceeded."""


KINDS = pytest.mark.parametrize("kind", [LimitError, KeyboardInterrupt])


@pytest.fixture
def vault(database: Databases, tmp_path: Path) -> Iterator[Vault]:
    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None) as opened:
        yield opened


class Thread(threading.Thread):
    """Says something, and remembers what it was told."""

    def __init__(self, vault: Vault, text: str) -> None:
        super().__init__(daemon=True)
        self._vault, self.text = vault, text
        self.told: BaseException | str = "nothing yet"

    def run(self) -> None:
        try:
            self._vault.transcript("u", "s").append("user", self.text)
        except BaseException as error:  # noqa: BLE001 (compared by the test)
            self.told = error
        else:
            self.told = "said"

    def end(self) -> BaseException | str:
        self.join(PATIENCE)
        assert not self.is_alive(), "a thread hangs"
        return self.told


def queue(vault: Vault, monkeypatch: pytest.MonkeyPatch, text: str) -> Thread:
    """Let a thread say something; come back when it is in the queue."""
    offered = threading.Event()
    really_offer = Writer.offer

    def offer(writer: Writer, job: Job) -> Job:
        try:
            return really_offer(writer, job)
        finally:
            offered.set()

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "offer", offer)
        thread = Thread(vault, text)
        thread.start()
        assert offered.wait(PATIENCE)
    return thread


def at_write(vault: Vault, act: Callable[[], None], when: str) -> None:
    """Do something once, when the next transaction has its lock (`begin`) or before or after its commit."""
    engine = vault._core.stores.transcripts.engine
    done = threading.Event()

    def once(connection: Connection) -> None:
        if connection.get_execution_options().get("transcript_vault_mode") == "write" and not done.is_set():
            done.set()
            act()

    event.listen(engine, when, once)


def check(vault: Vault, said: set[str]) -> None:
    """All that was acknowledged is there, nothing twice, and the vault goes on."""
    assert queue_and_end(vault, "last") == "said"
    texts = [str(message.content) for message in vault.transcript("u", "s").messages()]
    assert said | {"last"} <= set(texts)
    assert max(Counter(texts).values()) == 1


def queue_and_end(vault: Vault, text: str) -> BaseException | str:
    thread = Thread(vault, text)
    thread.start()
    return thread.end()


@KINDS
def test_p8_who_is_interrupted_while_waiting_stops_nobody_else(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    vault.transcript("u", "s").append("user", "first")
    is_writing, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        is_writing.set()
        assert may_end.wait(PATIENCE)

    at_write(vault, hold, "commit")
    leader = queue(vault, monkeypatch, "by the leader")
    assert is_writing.wait(PATIENCE)

    def interrupted(*_: object) -> None:
        raise kind

    with monkeypatch.context() as patched:
        patched.setattr(Blocking, "wait", interrupted)
        with pytest.raises(kind):
            vault.transcript("u", "s").append("user", "by who is interrupted")
    after = queue(vault, monkeypatch, "after it")
    may_end.set()
    assert (leader.end(), after.end()) == ("said", "said")
    check(vault, {"first", "by the leader", "after it"})


@KINDS
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("place", ["offer", "settle", "_lead"])
def test_p8_who_is_interrupted_between_two_steps_stops_nobody_else(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException], place: str
) -> None:
    vault.transcript("u", "s").append("user", "first")
    really = getattr(Writer, place)

    def interrupted(*given: object) -> None:
        if place == "offer":  # what it does is done, and nobody was told
            really(*given)
        raise kind

    with monkeypatch.context() as patched:
        patched.setattr(Writer, place, interrupted)
        with pytest.raises(kind):
            vault.transcript("u", "s").append("user", "by who is interrupted")
    check(vault, {"first"})


@KINDS
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p8_who_is_interrupted_before_the_answer_to_a_question_leaves_nothing_locked(
    vault: Vault, database: Databases, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    """Whoever catches it still holds its traceback, and with it the cursor."""
    vault.transcript("u", "s").append("user", "first")
    really = _ConnectionFairy.cursor
    asked: list[object] = []

    class Cursor:
        def __init__(self, cursor: sqlite3.Cursor) -> None:
            self._cursor = cursor

        def __getattr__(self, name: str) -> object:
            return getattr(self._cursor, name)

        def fetchall(self) -> object:
            if not asked and self._cursor.connection.in_transaction:
                asked.append(self._cursor)
                raise kind
            return self._cursor.fetchall()

    monkeypatch.setattr(_ConnectionFairy, "cursor", lambda fairy: Cursor(cast(sqlite3.Cursor, really(fairy))))
    with pytest.raises(kind):
        vault.transcript("u-2", "s").append("user", "by who is interrupted")
    assert asked
    for url in (database.transcripts, database.keyring):
        with connected(f"{url}?timeout=0") as other:
            other.exec_driver_sql("BEGIN IMMEDIATE")
    check(vault, {"first"})


@KINDS
def test_p8_a_leader_interrupted_before_it_commits_lets_the_others_write(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    def interrupt() -> None:
        raise kind

    blocker, leader, *others = write_for_others(
        vault, monkeypatch, lambda: at_write(vault, interrupt, "begin")
    )
    assert (blocker, type(leader), others) == ("said", kind, ["said", "said"])
    check(vault, {"first", "by the blocker", "0", "1"})


@KINDS
@pytest.mark.parametrize("is_group", [True, False])
def test_p8_what_an_interrupted_leader_may_have_committed_is_not_written_again(
    vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[BaseException],
    is_group: bool,  # noqa: FBT001 (a parameter of a test)
) -> None:
    really_commit = Connection.commit
    countdown = [0] if is_group else [0, 0]  # alone, the first of them is the leader's own

    def commit(connection: Connection) -> None:
        really_commit(connection)
        if armed.is_set() and connection.get_execution_options().get("transcript_vault_mode") == "write":
            countdown.pop()
            if not countdown:
                armed.clear()
                raise kind

    armed = threading.Event()
    monkeypatch.setattr(Connection, "commit", commit)
    if not is_group:
        monkeypatch.setattr(Writer, "_write", lambda writer, group: list(map(writer._write_alone, group)))
    blocker, leader, *others = write_for_others(vault, monkeypatch, armed.set)
    assert (blocker, type(leader)) == ("said", kind)
    unknown = [type(one) for one in others if one != "said"]
    assert unknown == [OutcomeUnknownError] * (2 if is_group else 1)
    check(vault, {"first", "by the blocker", "by the leader", "0", "1"})


def write_for_others(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, arm: Callable[[], None]
) -> list[BaseException | str]:
    """Let a leader write for itself and two others, after somebody else; give what each was told."""
    vault.transcript("u", "s").append("user", "first")
    threads: list[Thread] = []
    is_first = threading.Event()
    really_lead = Writer._lead

    def lead(writer: Writer) -> None:
        if is_first.is_set():
            is_first.clear()
            arm()
        really_lead(writer)

    def gather() -> None:
        threads.extend(queue(vault, monkeypatch, text) for text in ("by the leader", "0", "1"))
        monkeypatch.setattr(Writer, "_lead", lead)
        is_first.set()

    at_write(vault, gather, "commit")
    blocker = Thread(vault, "by the blocker")
    blocker.start()
    return [blocker.end(), *(thread.end() for thread in threads)]
