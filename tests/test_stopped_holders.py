"""P7: a process that was stopped while it had something locked makes others wait, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import contract
import pytest
from faces import Home
from sqlalchemy import create_engine

from vault.errors import StoreUnavailableError
from vault.storage import engine

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
