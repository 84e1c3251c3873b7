"""P5: what an app pops, clears or deletes under a hold is hidden from it, and goes when the hold ends."""

from __future__ import annotations

import contract
import pytest
from contract import contents
from faces import DAY, Home
from sqlalchemy import delete

from vault import Transcript, Vault
from vault.clock import to_datetime
from vault.errors import HeldError, SessionForgottenError, TamperedError, UnknownError, UsageError
from vault.storage.schema import messages

home, vault, beside, user = contract.home, contract.vault, contract.beside, contract.user


@pytest.fixture
def chat(vault: Vault, user: str) -> Transcript:
    """A session that three messages were said in, and another beside it."""
    vault.transcript(user, "t").append("user", "beside")
    found = vault.transcript(user, "s", namespace="support/eu")
    found.extend([{"role": "user", "content": text} for text in ("one", "two", "three")])
    return found


def all_of(chat: Transcript) -> list[object]:
    return [message.content for message in chat.messages(include_hidden=True, purpose="case 7")]


def hidden_of(chat: Transcript) -> list[object]:
    found = chat.messages(include_hidden=True, purpose="case 7")
    return [message.content for place, message in enumerate(found) if place in found.hidden]


def stored(home: Home) -> int:
    return home.rows()["transcripts.messages"]


held = pytest.mark.parametrize("session", [None, "s"], ids=["user-held", "session-held"])


# -- pop -------------------------------------------------------------------------------------------------


@pytest.mark.wide
@held
def test_p5_a_pop_under_a_hold_hides_the_message(
    home: Home, vault: Vault, beside: Vault, user: str, chat: Transcript, session: str | None
) -> None:
    placed = vault.hold(user, session, reason="case 7")
    before, other = stored(home), beside.transcript(user, "s")
    assert [getattr(chat.pop(), "content", None) for _ in range(2)] == ["three", "two"]
    for face in (chat, other):
        assert contents(face) == contents(face, last=1) == contents(face, last=5) == ["one"]
        assert contents(face, before=2) == ["one"]
    other.append("user", "four")
    for face in (chat, other):
        assert contents(face) == ["one", "four"]
        assert contents(face, last=2) == ["one", "four"]
        assert contents(face, last=1, before=3) == ["one"]
        assert contents(face, last=1) == ["four"]
        assert all_of(face) == ["one", "two", "three", "four"]
        assert hidden_of(face) == ["two", "three"]
    assert stored(home) == before + 1
    assert {one.session_id: one.messages for one in vault.sessions(user)} == {"s": 2, "t": 1}
    assert getattr(other.pop(), "content", None) == "four"
    assert getattr(chat.pop(), "content", None) == "one"
    assert chat.pop() is None
    assert contents(chat) == []

    assert vault.carry_out_due() == []
    assert stored(home) == before + 1
    vault.release(placed.id, reason="closed")
    assert stored(home) == before + 1
    assert beside.carry_out_due() == []
    assert stored(home) == before - 3
    for face in (chat, other):
        assert contents(face) == all_of(face) == []
    for face in (chat, other):
        face.append("user", "anew")
    assert contents(chat) == contents(other) == ["anew", "anew"]


@pytest.mark.wide
def test_p5_an_idempotency_key_of_a_hidden_message_adds_nothing(
    vault: Vault, user: str, chat: Transcript
) -> None:
    chat.append("user", "once", key="k")
    vault.hold(user, reason="case 7")
    chat.pop()
    chat.append("user", "once", key="k")
    assert contents(chat) == ["one", "two", "three"]
    assert hidden_of(chat) == ["once"]


@pytest.mark.wide
def test_p2_a_hidden_message_that_is_taken_away_is_missed(
    home: Home, vault: Vault, user: str, chat: Transcript
) -> None:
    vault.hold(user, reason="case 7")
    chat.pop()
    chat.append("user", "four")
    row = contract.newest_session(home)
    contract.edit(home, delete(messages).where(messages.c.session_id == row, messages.c.seq == 2))
    for ask in (chat.messages, lambda: vault.sessions(user)):
        with pytest.raises(TamperedError):
            ask()


# -- clear and delete ------------------------------------------------------------------------------------


@pytest.mark.wide
@held
@pytest.mark.parametrize("verb", ["clear", "delete"])
def test_p5_a_clear_or_delete_under_a_hold_hides_the_session(
    home: Home, vault: Vault, beside: Vault, user: str, chat: Transcript, session: str | None, verb: str
) -> None:
    other = beside.transcript(user, "s")
    assert contents(other) == ["one", "two", "three"]
    placed = vault.hold(user, session, reason="case 7")
    before = stored(home)
    chat.pop()
    getattr(chat, verb)()
    assert contents(chat) == contents(other) == []
    listed = {one.session_id: (one.messages, one.namespace) for one in beside.sessions(user)}
    assert listed == {"t": (1, ""), **({"s": (0, "support/eu")} if verb == "clear" else {})}
    other.append("user", "anew")
    assert contents(chat) == contents(other) == ["anew"]
    assert stored(home) == before + 1
    for face in (chat, other):
        assert all_of(face) == ["one", "two", "three", "anew"]
        assert hidden_of(face) == ["one", "two", "three"]
    with pytest.raises(HeldError, match=placed.id):
        beside.forget_user(user)
    with pytest.raises(HeldError, match=placed.id):
        vault.forget_session(user, "s")
    assert vault.carry_out_due() == []
    assert stored(home) == before + 1

    beside.release(placed.id, reason="closed")
    assert all_of(chat) == ["one", "two", "three", "anew"]
    assert beside.carry_out_due() == []
    assert stored(home) == before - 3 + 1
    assert contents(chat) == all_of(other) == ["anew"]
    [erased] = [one for one in vault.certificates() if one.actor == "vault" and one.messages == 3][-1:]
    assert erased.kind == "delete"
    assert vault.footprint(user).messages == 2
    vault.forget_user(user)


@pytest.mark.wide
def test_p5_sessions_that_were_hidden_one_after_the_other_are_all_shown(
    vault: Vault, user: str, chat: Transcript
) -> None:
    vault.hold(user, reason="case 7")
    for text in ("a", "b"):
        chat.clear()
        chat.append("user", text)
    chat.delete()
    assert contents(chat) == []
    assert all_of(chat) == hidden_of(chat) == ["one", "two", "three", "a", "b"]
    assert {one.session_id for one in vault.sessions(user)} == {"t"}


@pytest.mark.wide
def test_p5_a_hold_on_a_session_follows_it_and_leaves_what_comes_after_free(
    home: Home, vault: Vault, user: str, chat: Transcript
) -> None:
    placed = vault.hold(user, "s", reason="case 7")
    chat.clear()
    chat.append("user", "anew")
    before = stored(home)
    chat.clear()
    assert stored(home) == before - 1
    assert all_of(chat) == ["one", "two", "three"]
    assert {one.id: one for one in vault.holds()}[placed.id].session_id == "s"
    with pytest.raises(HeldError, match=placed.id):
        vault.forget_session(user, "s")


@pytest.mark.wide
def test_p5_forgetting_a_session_takes_what_was_hidden_of_it(
    vault: Vault, user: str, chat: Transcript
) -> None:
    placed = vault.hold(user, reason="case 7")
    chat.clear()
    chat.append("user", "anew")
    vault.release(placed.id, reason="closed")
    assert vault.footprint(user, "s").messages == 4
    assert vault.forget_session(user, "s").messages == 4
    with pytest.raises(SessionForgottenError):
        chat.messages()
    assert vault.carry_out_due() == []
    assert vault.footprint(user).messages == 1


@pytest.mark.wide
def test_p5_one_name_in_two_unicode_forms_is_one_session_in_what_was_hidden_too(
    vault: Vault, user: str
) -> None:
    composed, parted = "caf\u00e9", "cafe\u0301"
    vault.transcript(user, composed).append("user", "one")
    placed = vault.hold(user, reason="case 7")
    vault.transcript(user, parted).clear()
    vault.transcript(user, composed).append("user", "two")
    assert (
        all_of(vault.transcript(user, composed)) == all_of(vault.transcript(user, parted)) == ["one", "two"]
    )
    vault.release(placed.id, reason="closed")
    assert vault.footprint(user, parted).messages == 2
    assert vault.forget_session(user, parted, now=True).messages == 2
    assert vault.footprint(user).messages == 0


def test_p5_forgetting_a_deleted_session_is_refused_too(vault: Vault, user: str, chat: Transcript) -> None:
    placed = vault.hold(user, "s", reason="case 7")
    chat.delete()
    with pytest.raises(HeldError, match=placed.id):
        vault.forget_session(user, "s")
    with pytest.raises(UnknownError):
        vault.forget_session(user, "never")


@pytest.mark.wide
def test_p5_what_another_hold_still_keeps_stays(
    home: Home, vault: Vault, user: str, chat: Transcript
) -> None:
    whole = vault.hold(user, reason="case 7")
    part = vault.hold(user, "s", reason="case 8", until=to_datetime(home.clock.now + DAY))
    chat.pop()
    vault.transcript(user, "t").delete()
    vault.release(whole.id, reason="closed")
    vault.carry_out_due()
    assert all_of(vault.transcript(user, "t")) == []
    assert all_of(chat) == ["one", "two", "three"]
    home.clock.now += DAY
    assert all_of(chat) == ["one", "two", "three"]
    vault.carry_out_due()
    assert contents(chat) == all_of(chat) == ["one", "two"]
    assert not {one.id: one for one in vault.holds()}[part.id].in_force


def test_p5_hidden_messages_are_shown_for_a_purpose_only(vault: Vault, user: str, chat: Transcript) -> None:
    vault.hold(user, reason="case 7")
    chat.pop()
    with pytest.raises(UsageError):
        chat.messages(include_hidden=True)
    with pytest.raises(UsageError):
        chat.messages(include_hidden=True, purpose="case 7", last=1)
    assert contents(vault.transcript(user, "none"), include_hidden=True, purpose="case 7") == []


@pytest.mark.wide
def test_p5_without_a_hold_nothing_is_hidden(home: Home, chat: Transcript) -> None:
    before = stored(home)
    chat.pop()
    assert all_of(chat) == ["one", "two"]
    assert hidden_of(chat) == []
    chat.clear()
    assert all_of(chat) == []
    assert stored(home) == before - 3
