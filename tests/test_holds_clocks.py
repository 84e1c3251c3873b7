"""A clock ahead of the database's ends nothing early: no hold, no floor (P5), no root generation (P3)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from databases import Databases
from retained import Retained

from vault import Vault
from vault.clock import DAY
from vault.errors import GuardedError


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p5_what_waits_for_a_date_does_not_happen_by_a_clock_that_ran_ahead(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None) as vault:
        chat = vault.transcript("anna", "s-1")
        chat.append("user", "kept")
        vault.hold("anna", reason="case 7", until=datetime.now(UTC) + timedelta(days=1))
        chat.delete()
        with monkeypatch.context() as jumped:
            jumped.setattr(
                "vault.clock.time", SimpleNamespace(time_ns=lambda: time.time_ns() + 3 * DAY * 1000)
            )
            with pytest.raises(GuardedError, match="ahead"):
                vault.carry_out_due()
        assert vault.carry_out_due() == []
        shown = chat.messages(include_hidden=True, purpose="case 7")
        assert [message.content for message in shown] == ["kept"]


@pytest.mark.wide
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p5_where_the_database_has_no_clock_the_last_run_tells_that_this_one_leapt(
    database: Databases, tmp_path: Path
) -> None:
    world = Retained(database, tmp_path / "root.key", horizon="0d")
    try:
        world.under("  - name: default\n    keep: {at_least: 6y, at_most: 7y}\n")
        world.say("anna", "s-1")
        world.vault.purge()
        world.vault.forget_user("anna", except_floors=True)
        right = world.clock.now
        world.clock.now += 8 * 365 * DAY
        with pytest.raises(GuardedError, match="long after the last run"):
            world.vault.carry_out_due()
        world.clock.now = right + DAY
        assert world.vault.carry_out_due() == []
        kept = world.vault.transcript("anna", "s-1").messages(include_hidden=True, purpose="an audit")
        assert [message.content for message in kept] == [world.said[0].text]

        world.clock.now += 8 * 365 * DAY  # so it is, somebody says
        world.vault.purge(yes=True)
        world.vault.carry_out_due()
        assert world.vault.queued() == []
    finally:
        world.vault.close()


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p3_no_generation_is_destroyed_before_its_horizon_by_a_clock_that_ran_ahead(
    database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"file:{tmp_path / 'root.key'}"
    place = {"keyring": database.keyring, "root": root, "redactor": None}
    with Vault.open(database.transcripts, **place) as vault:  # type: ignore[arg-type]
        vault.transcript("anna", "s-1").append("user", "gone")
        vault.forget_user("anna")
        before = len(vault._core.stores.root.load().generations)
        with monkeypatch.context() as jumped:
            jumped.setattr(
                "vault.clock.time", SimpleNamespace(time_ns=lambda: time.time_ns() + 8 * DAY * 1000)
            )
            with Vault.open(database.transcripts, **place) as another:  # type: ignore[arg-type]
                assert another.destroy_due() == []
        assert len(vault._core.stores.root.load().generations) == before > 1
        assert len(vault.destroy_due(now=True)) == 1
