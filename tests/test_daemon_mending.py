"""What a daemon mends by itself that others left: it runs on, where they open the vault anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import test_daemon
from databases import Databases
from hours import Hours, leader_of

from vault import Vault
from vault.core import Core
from vault.daemon.duties import erasing
from vault.errors import StoreUnavailableError, UserForgottenError
from vault.storage import keyring as keyring_sql

open_core = test_daemon.open_core


@pytest.mark.wide
def test_p8_a_daemon_goes_on_where_a_full_disk_left_the_keyring_behind_its_root(
    database: Databases,
    open_core: Callable[[Hours], Core],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, root = Hours(), f"file:{tmp_path / 'root.key'}"

    def opening() -> Vault:
        return Vault.open(
            database.transcripts, keyring=database.keyring, root=root, redactor=None, clock=clock
        )

    def full(*_: object) -> None:
        raise StoreUnavailableError("the keyring database does not do its work: database or disk is full")

    leader = leader_of(core := open_core(clock), clock, erasing(core))
    leader.beat()
    with opening() as vault:
        vault.transcript("anna", "s-1").append("user", "gone")
        vault.transcript("ben", "s-1").append("user", "here")
        with monkeypatch.context() as disk:
            disk.setattr(keyring_sql, "set_root", full)
            with pytest.raises(StoreUnavailableError):
                vault.forget_user("anna")
            with pytest.raises(StoreUnavailableError):  # it repeats what the root remembers, in vain
                opening()
        leader.tick()
        assert leader.trouble is None
        assert leader.kept_from() == []
        [certificate] = vault.certificates()
        assert certificate.cut_at is not None
        with pytest.raises(UserForgottenError):
            vault.transcript("anna", "s-1").messages()
        vault.forget_user("ben")
