"""What a vault forgets, and the certificates that it gives (P6)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import contract
import pytest
from contract import contents
from faces import DAY, Home
from sqlalchemy import Connection

from vault import Message, Transcript, Vault
from vault.clock import to_datetime
from vault.errors import SessionForgottenError, UnknownError, UserForgottenError
from vault.storage.engine import Store

home, vault, beside, user, chat = contract.home, contract.vault, contract.beside, contract.user, contract.chat


# -- forgetting ------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p6_a_forgotten_user_leaves_a_provisional_certificate_that_becomes_final_when_it_is_due(
    home: Home, vault: Vault, user: str
) -> None:
    vault.transcript(user, "s-1").extend([Message("user", "1"), Message("user", "2")])
    vault.transcript(user, "s-2").append("user", "3")
    asked = to_datetime(home.clock.now)
    certificate = vault.forget_user(user, reason="request 881", actor="privacy@example.com")
    assert certificate.status == "provisional"
    assert (certificate.sessions, certificate.messages) == (2, 3)
    assert (certificate.reason, certificate.actor) == ("request 881", "privacy@example.com")
    assert certificate.requested_at == certificate.cut_at == asked
    assert certificate.due_at == asked + timedelta(days=7)
    assert certificate.final_at is None
    assert user not in certificate.to_json()
    assert certificate in vault.certificates()

    home.clock.now += 7 * DAY - 1
    assert vault.destroy_due() == []
    home.clock.now += 1
    final = {one.id: one for one in vault.destroy_due()}[certificate.id]
    assert (final.status, final.final_at) == ("final", certificate.due_at)
    assert final in vault.certificates()
    assert vault.destroy_due() == []


@pytest.mark.wide
def test_p6_forgetting_again_gives_the_same_certificate_as_far_as_it_has_come(
    vault: Vault, beside: Vault, user: str
) -> None:
    vault.transcript(user, "s-1").append("user", "1")
    first = vault.forget_user(user, reason="request 881")
    assert vault.forget_user(user, reason="another") == first
    final = vault.forget_user(user, now=True)
    assert (final.id, final.status, final.reason) == (first.id, "final", "request 881")
    assert beside.forget_user(user) == final


@pytest.mark.wide
def test_p6_with_now_or_without_a_horizon_a_certificate_is_final_at_once(home: Home, user: str) -> None:
    with home.open(horizon="0") as vault:
        vault.transcript(user, "s-1").append("user", "1")
        certificate = vault.forget_user(user)
        assert (certificate.status, certificate.due_at) == ("final", certificate.cut_at)
    with home.open(horizon="30d") as vault:
        vault.transcript(f"{user}x", "s-1").append("user", "1")
        certificate = vault.forget_user(f"{user}x", now=True)
        assert (certificate.status, certificate.final_at) == ("final", to_datetime(home.clock.now))
        assert vault.keys_status().retired == []


@pytest.mark.wide
def test_many_users_are_forgotten_with_one_change_of_the_root(vault: Vault, user: str) -> None:
    users = [f"{user}-{number}" for number in range(5)]
    for name in users:
        vault.transcript(name, "s-1").append("user", name)
    before = vault.keys_status().ordinal
    certificates = vault.forget_users(iter(users[:4]), reason="leaver")
    assert vault.keys_status().ordinal == before + 1
    assert len({one.id for one in certificates}) == len({one.pseudonym for one in certificates}) == 4
    for name in users[:4]:
        with pytest.raises(UserForgottenError):
            vault.transcript(name, "s-1").messages()
    assert contents(vault.transcript(users[4], "s-1")) == [users[4]]
    assert vault.forget_users([]) == []


@pytest.mark.wide
def test_a_user_who_is_named_twice_is_forgotten_once(vault: Vault, user: str) -> None:
    name = f"{user}-é"
    vault.transcript(name, "s-1").append("user", "1")
    certificates = vault.forget_users([name, name, f"{user}-e\u0301"])
    assert len(certificates) == 3
    assert len({one.id for one in certificates}) == 1


def test_of_many_users_none_is_forgotten_when_one_is_unknown(
    vault: Vault, chat: Transcript, user: str
) -> None:
    chat.append("user", "1")
    with pytest.raises(UnknownError):
        vault.forget_users([user, f"{user}-unknown"])
    assert contents(chat) == ["1"]


@pytest.mark.wide
def test_what_is_unknown_can_be_neither_counted_nor_forgotten(
    vault: Vault, chat: Transcript, user: str
) -> None:
    before = vault.certificates()
    asked: list[Callable[[], object]] = [
        lambda: vault.forget_user(user),
        lambda: vault.forget_session(user, "s-1"),
        lambda: vault.footprint(user),
        lambda: vault.footprint(user, "s-1"),
    ]
    for ask in asked:
        with pytest.raises(UnknownError):
            ask()
    chat.append("user", "1")
    for ask in (lambda: vault.forget_session(user, "s-2"), lambda: vault.footprint(user, "s-2")):
        with pytest.raises(UnknownError):
            ask()
    assert vault.certificates() == before


@pytest.mark.wide
def test_p7_a_forgotten_session_is_gone_and_the_others_of_its_user_stay(
    vault: Vault, beside: Vault, user: str
) -> None:
    forgotten, kept = vault.transcript(user, "s-1"), vault.transcript(user, "s-2")
    for chat in (forgotten, kept):
        chat.append("user", chat.session_id)
    certificate = vault.forget_session(user, "s-1", reason="request 882", now=True)
    assert (certificate.kind, certificate.status, certificate.messages) == ("forget-session", "final", 1)
    assert vault.forget_session(user, "s-1") == certificate
    for opened in (vault, beside):
        with pytest.raises(SessionForgottenError):
            opened.transcript(user, "s-1").messages()
        with pytest.raises(SessionForgottenError):
            opened.transcript(user, "s-1").append("user", "again")
        assert contents(opened.transcript(user, "s-2")) == ["s-2"]
        assert [one.session_id for one in opened.sessions(user)] == ["s-2"]


@pytest.mark.wide
def test_who_was_forgotten_stays_forgotten_until_enrolled_and_starts_anew(
    vault: Vault, beside: Vault, user: str
) -> None:
    chat = vault.transcript(user, "s-1")
    chat.append("user", "before")
    first = vault.forget_user(user)
    with pytest.raises(UserForgottenError):
        vault.enroll(user, "s-1")
    vault.enroll(user)
    assert user in vault.users()
    assert (chat.messages(), vault.sessions(user)) == ([], [])
    chat.append("user", "after")
    assert contents(chat) == ["after"]
    assert contents(beside.transcript(user, "s-1")) == ["after"]
    second = vault.forget_user(user)
    assert second.id != first.id
    assert second.pseudonym != first.pseudonym
    assert {first.id, second.id} <= {one.id for one in vault.certificates()}


@pytest.mark.wide
def test_a_session_that_was_forgotten_can_be_enrolled_anew(vault: Vault, chat: Transcript, user: str) -> None:
    chat.append("user", "before")
    vault.forget_session(user, "s-1")
    vault.enroll(user, "s-1")
    assert chat.messages() == []
    chat.append("user", "after")
    assert contents(chat) == ["after"]


@pytest.mark.wide
def test_erasures_that_the_app_asks_for_leave_certificates_too(vault: Vault, chat: Transcript) -> None:
    before = {one.id for one in vault.certificates()}
    chat.append("user", "1")
    chat.clear()
    chat.delete()
    new = [one for one in vault.certificates() if one.id not in before]
    assert sorted((one.kind, one.messages, one.actor) for one in new) == [
        ("delete", 0, "the app"),
        ("delete", 1, "the app"),
    ]


# -- what the power takes --------------------------------------------------------------------------------


@pytest.mark.wide
def test_p8_what_the_disk_lost_of_an_erasure_in_the_transcripts_is_done_again(tmp_path: Path) -> None:
    place = tmp_path / "v"
    with Vault.open(place, redactor=None) as vault:
        for user in ("anna", "ben", "carl"):
            vault.transcript(user, "s-1").append("user", "hello")
    before = (place / "transcripts.db").read_bytes()
    with Vault.open(place, redactor=None) as vault:
        vault.forget_user("anna")
        vault.forget_user("ben")
    for left in place.glob("transcripts.db-*"):
        left.unlink()
    (place / "transcripts.db").write_bytes(before)
    with Vault.open(place, redactor=None) as vault:
        assert list(vault.users()) == ["carl"]
        for user in ("anna", "ben"):
            with pytest.raises(UserForgottenError):
                vault.transcript(user, "s-1").messages()
    with closing(sqlite3.connect(place / "transcripts.db")) as rows:
        assert rows.execute("SELECT count(*) FROM messages").fetchone() == (1,)


@pytest.mark.wide
@pytest.mark.parametrize(("now", "waits"), [(False, ["keyring", "keyring"]), (True, None)])
def test_p8_an_intent_and_its_cut_wait_for_the_disk_and_what_is_final_waits_with_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[str] | None, *, now: bool
) -> None:
    waited, written, write = list[str](), list[str](), Store.write

    def watched(store: Store, work: Callable[[Connection], Any], *, lazily: bool = False) -> Any:
        written.append(store.label)
        waited.extend([] if lazily else [store.label])
        return write(store, work, lazily=lazily)

    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.transcript("anna", "s-1").append("user", "hello")
        monkeypatch.setattr(Store, "write", watched)
        vault.forget_user("anna", now=now)
    assert {"keyring", "transcripts"} == set(written)
    assert waited == (written if waits is None else waits)
