"""Sessions of a vault and what is in them: keys that say something once, removing, and listing."""

from __future__ import annotations

import contract
import pytest
from contract import contents, each_once, edit, newest_session
from faces import DAY, Home
from sqlalchemy import delete, update

from vault import Message, Transcript, Vault
from vault.clock import to_datetime
from vault.errors import InputError, TamperedError, UserForgottenError
from vault.requests import Footprint
from vault.storage import schema

home, vault, beside = contract.home, contract.vault, contract.beside
apart, user, chat = contract.apart, contract.user, contract.chat


# -- idempotency keys ------------------------------------------------------------------------------------


@pytest.mark.wide
def test_saying_the_same_under_one_key_adds_one_message(
    home: Home, vault: Vault, beside: Vault, user: str
) -> None:
    chat = vault.transcript(user, "s-1")
    first = chat.append("user", "Hello", key="k-1", metadata={"try": 1})
    home.clock.now += 1_000_000
    assert chat.append("user", "Hello", key="k-1", metadata={"try": 2}) == first
    second = chat.append("user", "Hello", key="k-2")
    assert beside.transcript(user, "s-1").append("user", "Hello", key="k-1") == first
    assert beside.transcript(user, "s-1").messages() == [first, second]
    elsewhere = vault.transcript(user, "s-2").append("user", "Other", key="k-1")
    assert (elsewhere.content, elsewhere.seq) == ("Other", 0)


def test_a_key_is_one_in_whichever_form_of_unicode_it_is_said(chat: Transcript) -> None:
    first = chat.append("user", "Hello", key="caf\u00e9")
    assert chat.append("user", "Hello", key="cafe\u0301") == first
    assert chat.messages() == [first]


def test_saying_many_again_under_one_key_adds_them_once(chat: Transcript) -> None:
    batch = [Message("user", "Hello"), Message("assistant", "Good day")]
    first = chat.extend(batch, key="k-1")
    assert chat.extend(batch, key="k-1") == first
    third = chat.append("user", "And?", key="k-2")
    assert chat.extend(batch, key="k-1") == first
    assert chat.append(batch[0], key="k-1") == first[0]
    assert chat.messages() == [*first, third]


def test_a_key_that_stood_for_fewer_messages_is_refused_and_breaks_nothing(chat: Transcript) -> None:
    first = chat.append("user", "one", key="k-1")
    many = [Message("user", "one"), Message("user", "two"), Message("user", "three")]
    with pytest.raises(InputError, match="idempotency key"):
        chat.extend(many, key="k-1")
    second = chat.append("user", "next")
    assert chat.messages() == [first, second]
    with pytest.raises(InputError, match="idempotency key"):
        chat.extend(many, key="k-1")
    assert chat.messages() == [first, second]


def test_a_key_adds_nothing_again_after_its_message_was_popped(chat: Transcript) -> None:
    first = chat.append("user", "Hello", key="k-1")
    chat.pop()
    assert chat.append("user", "Hello", key="k-1").seq == first.seq
    assert chat.messages() == []
    second = chat.append("user", "Hello", key="k-2")
    assert chat.messages() == [second]


@pytest.mark.wide
def test_a_key_is_free_again_in_a_session_that_was_cleared(chat: Transcript) -> None:
    chat.append("user", "Hello", key="k-1")
    chat.clear()
    again = chat.append("user", "Hello", key="k-1")
    assert chat.messages() == [again]


# -- pop, clear, delete ----------------------------------------------------------------------------------


@pytest.mark.wide
def test_pop_gives_and_removes_the_last_message_and_its_seq_is_not_used_again(chat: Transcript) -> None:
    said = chat.extend([Message("user", "one"), Message("user", "two"), Message("user", "three")])
    assert [chat.pop(), chat.pop()] == [said[2], said[1]]
    assert chat.messages() == [said[0]]
    assert chat.append("user", "four").seq == 3
    assert contents(chat) == ["one", "four"]
    assert [message and message.content for message in (chat.pop(), chat.pop(), chat.pop())] == [
        "four",
        "one",
        None,
    ]
    assert chat.messages() == []


def test_p2_a_seq_that_somebody_else_used_and_popped_is_not_used_again(
    vault: Vault, beside: Vault, user: str
) -> None:
    mine, theirs = vault.transcript(user, "s"), beside.transcript(user, "s")
    mine.append("user", "one")
    theirs.append("user", "two")
    theirs.pop()
    assert contents(mine) == ["one"]
    assert mine.append("user", "three").seq == 2
    assert contents(mine) == contents(theirs) == ["one", "three"]


def test_p2_a_seq_that_somebody_else_used_and_this_process_popped_is_not_used_again(
    vault: Vault, beside: Vault, user: str
) -> None:
    mine, theirs = vault.transcript(user, "s"), beside.transcript(user, "s")
    kept = theirs.append("user", "one")
    assert mine.messages() == [kept]
    popped = theirs.append("user", "two")
    assert mine.pop() == popped
    following = mine.append("user", "three")
    assert following.seq == 2
    assert mine.messages() == theirs.messages() == [kept, following]


def test_pop_from_a_session_that_never_was_gives_nothing(chat: Transcript) -> None:
    assert chat.pop() is None


def test_a_cleared_session_is_empty_and_stays_listed(vault: Vault, user: str) -> None:
    chat = vault.transcript(user, "s-1", namespace="support/eu")
    chat.append("user", "Hello")
    chat.clear()
    assert chat.messages() == []
    [summary] = vault.sessions(user)
    assert (summary.session_id, summary.messages, summary.namespace) == ("s-1", 0, "support/eu")
    assert (summary.first_at, summary.last_at) == (None, None)
    again = chat.append("user", "Hello again")
    assert again.seq == 0
    assert chat.messages() == [again]


def test_a_session_keeps_its_namespace_when_it_is_cleared_by_somebody_who_does_not_name_it(
    vault: Vault, user: str
) -> None:
    vault.transcript(user, "s-1", namespace="support/eu").append("user", "Hello")
    vault.transcript(user, "s-1").clear()
    assert [summary.namespace for summary in vault.sessions(user)] == ["support/eu"]


@pytest.mark.wide
def test_a_session_that_was_tampered_with_can_be_cleared(home: Home, chat: Transcript) -> None:
    chat.append("user", "Hello")
    with home.open() as opened:
        edit(home, update(schema.sessions).where(schema.sessions.c.id == newest_session(home)).values(rev=9))
        again = opened.transcript(chat.user_id, chat.session_id)
        with pytest.raises(TamperedError):
            again.messages()
        again.clear()
        assert again.messages() == []
        again.append("user", "Hello again")
        assert contents(chat) == ["Hello again"]


@pytest.mark.wide
def test_a_deleted_session_is_no_longer_listed_and_its_id_is_free(vault: Vault, user: str) -> None:
    chat = vault.transcript(user, "s-1")
    chat.append("user", "Hello")
    vault.transcript(user, "s-2").append("user", "Other")
    chat.delete()
    assert [summary.session_id for summary in vault.sessions(user)] == ["s-2"]
    assert chat.messages() == []
    again = chat.append("user", "Hello again")
    assert chat.messages() == [again]
    assert [summary.session_id for summary in vault.sessions(user)] == ["s-2", "s-1"]


def test_clearing_and_deleting_what_never_was_does_nothing(vault: Vault, user: str) -> None:
    vault.transcript(user, "s-1").clear()
    vault.transcript(user, "s-1").delete()
    assert vault.sessions(user) == []
    assert user not in vault.users()


# -- listing ---------------------------------------------------------------------------------------------


@pytest.mark.wide
@each_once
def test_users_and_their_sessions_are_listed_in_the_order_of_their_beginning(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with apart.open() as vault:
        assert list(vault.users()) == []
        vault.transcript("Zoë", "b").append("user", "1")
        vault.transcript("anna", "c").append("user", "2")
        apart.clock.now += 5 * DAY
        vault.transcript("Zoë", "a", namespace="billing").extend([Message("user", "3"), Message("user", "4")])
        first, second = vault.sessions("Zoë")
        assert (first.session_id, first.namespace, first.messages) == ("b", "", 1)
        assert (second.session_id, second.namespace, second.messages) == ("a", "billing", 2)
        assert second.first_at == second.last_at == to_datetime(apart.clock.now)
        assert vault.sessions("nobody") == []

        names = ["Zoë", "anna"]
        monkeypatch.setattr("vault.listing._PAGE", 2)
        for number in range(3):
            assert list(vault.users()) == names
            vault.enroll(f"u-{number}")
            names.append(f"u-{number}")

        edit(apart, update(schema.users).where(schema.users.c.id == 2).values(state=1))
        with pytest.raises(TamperedError):
            list(vault.users())
        with pytest.raises(TamperedError):
            vault.sessions("anna")


def test_a_footprint_counts_what_forgetting_would_take_and_changes_nothing(vault: Vault, user: str) -> None:
    vault.transcript(user, "s-1").extend([Message("user", "1"), Message("user", "2")])
    vault.transcript(user, "s-2").append("user", "3")
    assert vault.footprint(user) == Footprint(sessions=2, messages=3)
    assert vault.footprint(user, "s-1") == Footprint(sessions=1, messages=2)
    assert contents(vault.transcript(user, "s-1")) == ["1", "2"]


def steal(home: Home, session: int, user: int | None = None) -> None:
    """Delete all rows of a session, and of its user."""
    for table in (schema.messages, schema.chapters):
        edit(home, delete(table).where(table.c.session_id == session))
    edit(home, delete(schema.sessions).where(schema.sessions.c.id == session))
    if user is not None:
        edit(home, delete(schema.users).where(schema.users.c.id == user))


@pytest.mark.wide
@each_once
def test_p7_p2_what_was_stolen_is_no_zero_in_a_footprint_and_can_be_forgotten(apart: Home) -> None:
    with apart.open() as vault:
        for session in ("s-1", "s-2"):
            vault.transcript("anna", session).append("user", "1")
        steal(apart, 1)
        for asked in (("anna",), ("anna", "s-1")):
            with pytest.raises(TamperedError):
                vault.footprint(*asked)
        assert vault.footprint("anna", "s-2").messages == 1
        steal(apart, 2, user=1)
        for asked in (("anna",), ("anna", "s-1"), ("anna", "s-2")):
            with pytest.raises(TamperedError):
                vault.footprint(*asked)
        assert vault.forget_user("anna", now=True).status == "final"
        with pytest.raises(UserForgottenError):
            vault.footprint("anna")


@pytest.mark.wide
def test_one_session_id_of_two_users_names_two_sessions(vault: Vault, user: str) -> None:
    one, other = vault.transcript(user, "s-1"), vault.transcript(f"{user}x", "s-1")
    one.append("user", "of one", key="k")
    other.append("user", "of the other", key="k")
    assert (contents(one), contents(other)) == (["of one"], ["of the other"])
    one.clear()
    assert contents(other) == ["of the other"]
    vault.forget_user(user)
    assert contents(other) == ["of the other"]
    assert [summary.session_id for summary in vault.sessions(f"{user}x")] == ["s-1"]


@pytest.mark.wide
def test_ids_that_join_to_the_same_text_stay_apart(vault: Vault, user: str) -> None:
    pairs = [(user, "a:b"), (f"{user}:a", "b"), (f"{user}:", "a:b"), (user, "A:b"), (user, " a:b")]
    for number, (user_id, session_id) in enumerate(pairs):
        vault.transcript(user_id, session_id).append("user", str(number))
    assert [contents(vault.transcript(*pair)) for pair in pairs] == [["0"], ["1"], ["2"], ["3"], ["4"]]


def test_one_text_in_two_unicode_forms_is_one_user(vault: Vault, user: str) -> None:
    composed, decomposed = f"{user}-Zoë", f"{user}-Zoe\u0308"
    vault.transcript(composed, "café").append("user", "1")
    vault.transcript(decomposed, "cafe\u0301").append("user", "2")
    vault.transcript(composed, "café").append("user", "3")
    assert contents(vault.transcript(decomposed, "cafe\u0301")) == ["1", "2", "3"]
    vault.forget_user(decomposed)
    with pytest.raises(UserForgottenError):
        vault.transcript(composed, "café").messages()


def test_a_session_keeps_the_namespace_that_it_began_with(vault: Vault, user: str) -> None:
    vault.transcript(user, "s-1", namespace="support/eu").append("user", "1")
    vault.transcript(user, "s-1", namespace="billing/us").append("user", "2")
    vault.transcript(user, "s-2").append("user", "3")
    assert contents(vault.transcript(user, "s-1")) == ["1", "2"]
    assert [(one.session_id, one.namespace) for one in vault.sessions(user)] == [
        ("s-1", "support/eu"),
        ("s-2", ""),
    ]
