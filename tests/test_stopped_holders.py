"""P7: a process that was stopped while it had something locked makes others wait, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import contract
import pytest
from faces import Home
from sqlalchemy import Connection, create_engine

from vault.daemon import lease
from vault.errors import StoreUnavailableError
from vault.storage import engine
from vault.storage.runtime import Blocking

home, apart = contract.home, contract.apart


@contextmanager
def stopped(url: str, change: str) -> Iterator[None]:
    """Be another process that went to sleep within a transaction that writes."""
    other = create_engine(url)
    with other.connect() as connection:
        connection.exec_driver_sql(change)
        yield
    other.dispose()


@pytest.mark.wide
@pytest.mark.parametrize("home", contract.PLACES[:4], indirect=True, ids="-".join)
def test_p7_who_waits_for_what_a_stopped_process_has_locked_is_told_in_the_end(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 0.05)
    monkeypatch.setattr(engine, "_ATTEMPTS", 2)
    with apart.open() as vault:
        chat = vault.transcript("anna", "s-1")
        chat.append("user", "hello")
        with stopped(apart.databases.transcripts, "UPDATE sessions SET state = state"):
            with pytest.raises(StoreUnavailableError, match="transcripts"):
                chat.clear()
            assert [one.content for one in chat.messages()] == ["hello"]  # who reads does not wait
        with (
            stopped(apart.databases.keyring, "UPDATE keyring_meta SET name = name"),
            pytest.raises(StoreUnavailableError, match="keyring"),
        ):
            vault.forget_user("anna")
        assert vault.forget_user("anna").sessions == 1


@pytest.mark.parametrize("home", contract.PLACES[:4:2], indirect=True, ids="-".join)
def test_p7_a_daemon_that_waits_for_what_a_stopped_process_has_locked_is_told_after_one_wait(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[float]()
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 0.05)
    monkeypatch.setattr(lease, "_PATIENCE", 0.01)
    monkeypatch.setattr(Blocking, "pause", lambda _, seconds: waits.append(seconds))
    with apart.open() as vault:
        mine = lease.Lease(vault._core.stores.keyring, "daemon", apart.clock)
        assert mine.keep()
        with stopped(apart.databases.keyring, "UPDATE leases SET beat = beat"):
            for act in (mine.keep, mine.release):
                with pytest.raises(StoreUnavailableError, match="keyring"):
                    act()
        assert waits == []  # nothing was tried again: whoever watches takes a daemon that waits on for dead
        assert mine.keep()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("home", contract.PLACES[4:], indirect=True, ids="-".join)
def test_p7_who_waits_for_a_table_that_somebody_has_locked_is_told_in_the_end(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 1)
    monkeypatch.setattr(engine, "_ATTEMPTS", 1)
    with apart.open() as vault:
        chat = vault.transcript("anna", "s-1")
        chat.append("user", "hello")
        with (
            stopped(apart.databases.transcripts, "LOCK TABLES messages WRITE"),  # a backup's, left behind
            pytest.raises(StoreUnavailableError, match="Lock wait timeout"),
        ):
            chat.append("user", "again")
        assert [one.content for one in chat.messages()] == ["hello"]


@pytest.mark.parametrize("home", contract.PLACES[4:5], indirect=True, ids="-".join)
def test_what_a_url_says_of_waiting_for_locks_counts(apart: Home) -> None:
    def waits(connection: Connection) -> tuple[object, ...]:
        said = "SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout"
        return tuple(connection.exec_driver_sql(said).one())

    url = apart.databases.transcripts
    for said, expected in (("", (30, 30)), ("?init_command=SET lock_wait_timeout = 7", (7, 30))):
        with closing(engine.open_store(url + said, "transcripts", Blocking())) as store:
            assert store.read(waits) == expected
