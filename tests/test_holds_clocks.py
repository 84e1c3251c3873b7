"""A clock ahead of the database's ends nothing early: no hold, no floor (P5), no root generation (P3)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from databases import Databases

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
