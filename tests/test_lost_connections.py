"""A connection that the server cut is one more error of the database: what only reads is tried again (P7)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import run
from sqlalchemy import create_engine

from vault import Vault
from vault.storage.engine import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from databases import Databases
    from sqlalchemy import Engine

    from vault.storage.engine import Work


def cut(url: str) -> None:
    """Let the server cut all connections to a database but the one that asks for it."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).all()
        else:
            others = connection.exec_driver_sql(
                "SELECT id FROM information_schema.processlist"
                " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            )
            for (number,) in others.all():
                connection.exec_driver_sql(f"KILL {number}")
    engine.dispose()


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    "ask",
    [
        lambda vault: list(vault.users()),
        lambda vault: list(vault.certificates()),
        lambda vault: vault.log.verify(),
        lambda vault: vault.transcript("anna", "s").messages(),
    ],
    ids=["users", "certificates", "log", "messages"],
)
def test_what_reads_is_tried_again_when_its_connection_was_cut(
    database: Databases, tmp_path: Path, ask: Callable[[Vault], object]
) -> None:
    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None) as vault:
        vault.transcript("anna", "s").append("user", "hello")
        ask(vault)
        for url in (database.transcripts, database.keyring):
            cut(url)
        ask(vault)


@pytest.mark.wide
def test_releasing_a_hold_asks_for_one_connection_at_a_time(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those who wait for what it has locked may have all others, and wait for it."""
    run, running, inside = Store._run, list[Store](), list[str]()

    def watched(store: Store, engine: Engine, work: Work[object], *patience: float | None) -> object:
        inside.extend(store.label for one in running if one is store)
        running.append(store)
        try:
            return run(store, engine, work, *patience)
        finally:
            running.pop()

    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None) as vault:
        vault.transcript("anna", "s").append("user", "hello")
        held = vault.hold("anna", "s", reason="case 7")
        monkeypatch.setattr(Store, "_run", watched)
        released = vault.release(held.id, reason="case 7 of anna is over")
    assert released.release_reason != "case 7 of anna is over"
    assert inside == []


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_command_shows_nothing_of_what_a_library_logs_of_a_connection_that_was_cut(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, real = f"file:{tmp_path / 'root.key'}", Vault.holds
    place = ("--vault", database.transcripts, "--keyring", database.keyring, "--root", root)
    Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None).close()

    def cutting(vault: Vault) -> object:
        connection = vault._core.stores.transcripts.engine.raw_connection()
        cut(database.transcripts)
        connection.close()
        return real(vault)

    monkeypatch.setattr(Vault, "holds", cutting)
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.getLogger("sqlalchemy"), "handlers", [])
    said = run(*place, "hold", "list")
    assert (said.code, said.err) == (0, "nothing was ever held\n")
