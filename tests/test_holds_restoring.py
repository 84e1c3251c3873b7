"""P5: a hold comes back into an older keyring, and nobody takes it out of the keyring's rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import backups
import msgspec
import pytest
from backups import Place, read, say
from databases import Sqlite, connected, fresh_databases
from faces import DAY
from sqlalchemy import delete, insert, select, update

from vault import Vault
from vault.clock import to_datetime
from vault.errors import (
    HeldError,
    KeyringCopyError,
    StoreUnavailableError,
    TamperedError,
    UserForgottenError,
)
from vault.storage import schema

home, backup = backups.home, backups.backup

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def noted(place: Place) -> list[dict[str, object]]:
    held: list[dict[str, object]] = msgspec.json.decode(place.root.read_bytes().splitlines()[0]).get(
        "holds", []
    )
    return held


# -- an older keyring ------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p5_a_hold_that_was_placed_since_comes_back_into_an_older_keyring(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "kept")
        say(vault, "u-2", "s-1", "also kept")
        released = vault.hold("u-2", reason="case 6")
        vault.backup(backup)
        placed = vault.hold("u-1", reason="case 7", actor="office")
        asked = vault.forget_user("u-1", reason="request 881", when_released=True)
        vault.release(released.id, reason="closed", actor="court")
        before = vault.holds(), vault.queued()
    home.restore(backup, replace=["keyring"])
    with home.open() as vault:
        assert (vault.holds(), vault.queued()) == before
        with pytest.raises(HeldError, match=f"{placed.id}: case 7"):
            vault.forget_user("u-1")
        assert vault.carry_out_due() == []
        assert vault.forget_user("u-2").status == "provisional"
        vault.release(placed.id, reason="closed")
        assert [one.id for one in vault.carry_out_due()] == [asked.id]
        with pytest.raises(UserForgottenError):
            read(vault, "u-1", "s-1")


@pytest.mark.wide
def test_p5_what_was_hidden_since_stays_hidden_under_an_older_keyring(home: Place, backup: Path) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "one", "two")
        say(vault, "u-1", "s-2", "three")
        vault.backup(backup)
        placed = vault.hold("u-1", reason="case 7")
        vault.transcript("u-1", "s-1").clear()
        vault.transcript("u-1", "s-2").pop()
    home.restore(backup, replace=["keyring"])
    with home.open() as vault:
        for session, kept in (("s-1", ["one", "two"]), ("s-2", ["three"])):
            assert read(vault, "u-1", session) == []
            found = vault.transcript("u-1", session).messages(include_hidden=True, purpose="case 7")
            assert [message.content for message in found] == kept
        vault.release(placed.id, reason="closed")
        vault.carry_out_due()
        assert vault.footprint("u-1").messages == 0


@pytest.mark.wide
@pytest.mark.parametrize("known", [True, False])
def test_p3_what_was_hidden_is_removed_under_the_latest_keyring_though_an_older_one_saw_the_hold_end(
    home: Place, backup: Path, *, known: bool
) -> None:
    with home.open() as vault:
        if known:
            say(vault, "u-1", "s-0", "zero")
        vault.backup(backup)
        say(vault, "u-1", "s-1", "one", "two")
        placed = vault.hold("u-1", reason="case 7")
        vault.transcript("u-1", "s-1").delete()
        vault.backup(backup.with_name("latest"))
        vault.release(placed.id, reason="closed")
    home.restore(backup, replace=["keyring"])
    with home.open() as vault:
        vault.carry_out_due()
    home.restore(backup.with_name("latest"), replace=["keyring"])
    with home.open() as vault:
        vault.carry_out_due()
        assert vault.footprint("u-1").messages == int(known)


@pytest.mark.wide
def test_p5_older_transcripts_show_again_what_was_hidden_only_to_an_officer(
    home: Place, backup: Path
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "one", "two")
        vault.backup(backup)
        vault.hold("u-1", reason="case 7")
        vault.transcript("u-1", "s-1").delete()
    home.restore(backup, replace=["transcripts"])
    with home.open() as vault:
        assert read(vault, "u-1", "s-1") == []
        assert vault.sessions("u-1") == []
        found = vault.transcript("u-1", "s-1").messages(include_hidden=True, purpose="case 7")
        assert [message.content for message in found] == ["one", "two"]
        with pytest.raises(HeldError):
            vault.forget_session("u-1", "s-1")


@pytest.mark.wide
@pytest.mark.parametrize("verb", ["clear", "delete"])
def test_p5_what_older_transcripts_have_lost_and_a_hold_keeps_has_nothing_for_the_app_to_remove(
    home: Place, backup: Path, verb: str
) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "one")
        vault.backup(backup)
        say(vault, "u-1", "s-2", "lost")
        later = backup.with_name("later")
        vault.backup(later)
        vault.hold("u-1", "s-2", reason="case 7")
    home.restore(backup, replace=["transcripts"])
    with home.open() as vault:
        assert read(vault, "u-1", "s-2") == []
        getattr(vault.transcript("u-1", "s-2"), verb)()
        assert read(vault, "u-1", "s-2") == []
    home.restore(later, replace=["transcripts"])
    with home.open() as vault:
        assert read(vault, "u-1", "s-2") == ["lost"]


@pytest.mark.wide
@on_sqlite
def test_p5_a_copy_of_the_keyring_knows_the_holds_and_places_none(home: Place) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "kept")
        copy = home.databases.copy_of(home.databases.keyring)
        placed = vault.hold("u-1", reason="case 7")
    with home.open(keyring=copy) as vault:
        assert [one.id for one in vault.holds()] == [placed.id]
        with pytest.raises(KeyringCopyError):
            vault.hold("u-1", reason="case 8")
        with pytest.raises(KeyringCopyError):
            vault.release(placed.id, reason="closed")
    with home.open() as vault:
        assert [one.in_force for one in vault.holds()] == [True]


@pytest.mark.wide
@on_sqlite
def test_p5_the_root_remembers_a_hold_until_the_horizon_after_its_end(home: Place) -> None:
    clock = home.clock
    with home.open(horizon="1d") as vault:
        say(vault, "u-1", "s-1", "kept")
        placed = vault.hold("u-1", reason="case 7")
        clock.now += 900 * DAY  # type: ignore[attr-defined]
        vault.hold("u-1", reason="case 8", until=to_datetime(clock() + DAY))
        assert len(noted(home)) == 2
        vault.release(placed.id, reason="closed")
        clock.now += DAY  # type: ignore[attr-defined]
        vault.carry_out_due()
        assert len(noted(home)) == 2
        clock.now += 2 * DAY  # type: ignore[attr-defined]
        vault.hold("u-1", reason="case 9")
        assert len(noted(home)) == 1
        assert len(vault.holds()) == 3
    assert {one["kind"] for one in noted(home)} == {"hold"}


# -- a thief in the keyring ------------------------------------------------------------------------------


@pytest.mark.wide
@on_sqlite
def test_p5_a_hold_whose_row_is_taken_out_of_the_keyring_holds_on(home: Place) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "kept")
        placed = vault.hold("u-1", reason="case 7")
        with connected(home.databases.keyring) as connection:
            connection.execute(delete(schema.holds))
        with pytest.raises(HeldError, match=placed.id):
            vault.forget_user("u-1")
        with pytest.raises(HeldError, match=placed.id):
            vault.forget_session("u-1", "s-1")
        vault.transcript("u-1", "s-1").pop()
        found = vault.transcript("u-1", "s-1").messages(include_hidden=True, purpose="case 7")
        assert [message.content for message in found] == ["kept"]
    with home.open() as vault, connected(home.databases.keyring) as connection:
        assert connection.execute(select(schema.holds.c.id)).scalars().all() == [bytes.fromhex(placed.id)]
        assert vault.holds() == [placed]


@pytest.mark.wide
@on_sqlite
@pytest.mark.parametrize(
    "column", ["user_node", "session_node", "until", "ended_at", "kind", "record", "slot"]
)
def test_p2_an_edited_hold_stops_every_erasure_and_the_next_opening(home: Place, column: str) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "kept")
        vault.hold("u-1", reason="case 7")
        values: dict[str, object] = {"until": 1, "ended_at": 1, "kind": "forget-user", "record": "{}"}
        with connected(home.databases.keyring) as connection:
            connection.execute(update(schema.holds).values({column: values.get(column, bytes(16))}))
        forget: list[Callable[[], object]] = [
            lambda: vault.forget_user("u-1"),
            lambda: vault.forget_session("u-1", "s-1"),
            lambda: vault.transcript("u-1", "s-1").clear(),
            vault.holds,
        ]
        if column != "user_node":  # a pop reads the user's own rows, and holds by what the root remembers
            forget.append(vault.transcript("u-1", "s-1").pop)
        for work in forget:
            with pytest.raises(TamperedError):
                work()
        assert read(vault, "u-1", "s-1") == ["kept"]
    with pytest.raises(TamperedError):
        home.open()


@pytest.mark.wide
@on_sqlite
def test_p2_nobody_without_the_keys_places_a_hold_or_a_request(home: Place) -> None:
    with home.open() as vault:
        say(vault, "u-1", "s-1", "kept")
        vault.hold("u-1", reason="case 7")
        with connected(home.databases.keyring) as connection:
            [row] = connection.execute(select(schema.holds)).mappings()
            connection.execute(insert(schema.holds).values({**row, "id": bytes(16), "kind": "forget-user"}))
        with pytest.raises(TamperedError):
            vault.carry_out_due()
    with pytest.raises(TamperedError):
        home.open()


@pytest.mark.wide
def test_p5_a_hold_that_the_keyring_refuses_comes_into_force_nowhere(tmp_path: Path) -> None:
    with fresh_databases(Sqlite(tmp_path)) as databases, connected(databases.keyring) as connection:
        root = tmp_path / "root.key"

        def opened() -> Vault:
            where, uri = databases.transcripts, f"file:{root}"
            return Vault.open(where, keyring=databases.keyring, root=uri, redactor=None)

        with opened() as vault:
            vault.transcript("anna", "s").append("user", "hello")
            before = root.read_bytes()
            refuse = "BEFORE INSERT ON holds BEGIN INSERT INTO nowhere VALUES (1); END"
            connection.exec_driver_sql(f"CREATE TRIGGER refuses {refuse}")
            with pytest.raises(StoreUnavailableError):
                vault.hold("anna", reason="case 1")
            assert root.read_bytes() == before
        with opened() as vault:  # nothing is to be repeated, which the keyring would refuse again
            assert vault.holds() == []
            assert len(vault.transcript("anna", "s").messages()) == 1
