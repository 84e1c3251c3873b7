"""P5: a hold beats every erasure, loudly, and requests wait for its end where they may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import contract
import pytest
from contract import contents
from faces import DAY, Home

from vault import Vault
from vault.clock import to_datetime
from vault.errors import (
    GuardedError,
    HeldError,
    InputError,
    SessionForgottenError,
    UnknownError,
    UsageError,
    UserForgottenError,
)
from vault.holding import Hold

home, vault, beside, user = contract.home, contract.vault, contract.beside, contract.user


@pytest.fixture
def anna(vault: Vault, user: str) -> str:
    say(vault, user, "s", "one", "two", "three")
    say(vault, user, "t", "beside")
    say(vault, f"{user}-ben", "s", "other")
    return user


def say(vault: Vault, user: str, session: str, *texts: str) -> None:
    vault.transcript(user, session).extend([{"role": "user", "content": text} for text in texts])


def said(vault: Vault, user: str, session: str = "s") -> list[object]:
    return contents(vault.transcript(user, session))


def known(vault: Vault, hold: Hold) -> Hold:
    return {one.id: one for one in vault.holds()}[hold.id]


# -- forgetting ------------------------------------------------------------------------------------------

FORGETTING: dict[str, Callable[[Vault, str], object]] = {
    "the user": lambda vault, user: vault.forget_user(user),
    "the user, now": lambda vault, user: vault.forget_user(user, now=True),
    "many users": lambda vault, user: vault.forget_users([f"{user}-ben", user]),
    "the session": lambda vault, user: vault.forget_session(user, "s"),
}


@pytest.mark.wide
@pytest.mark.parametrize("session", [None, "s"], ids=["user-held", "session-held"])
@pytest.mark.parametrize("how", FORGETTING)
def test_p5_what_is_held_is_not_forgotten_and_nothing_is_changed(
    home: Home, vault: Vault, beside: Vault, anna: str, how: str, session: str | None
) -> None:
    placed = vault.hold(anna, session, reason="case 7", actor="office")
    before = home.root.read_bytes(), home.rows(), vault.certificates()
    for face in (vault, beside):
        with pytest.raises(HeldError, match=f"hold {placed.id}: case 7") as raised:
            FORGETTING[how](face, anna)
        assert raised.value.exit_code == GuardedError.exit_code == 5
        assert anna not in str(raised.value) + raised.value.hint
    assert (home.root.read_bytes(), home.rows(), vault.certificates()) == before
    assert said(vault, anna) == said(beside, anna) == ["one", "two", "three"]
    assert said(vault, f"{anna}-ben") == ["other"]
    vault.release(placed.id, reason="closed", actor="office")
    FORGETTING[how](beside, anna)
    with pytest.raises((UserForgottenError, SessionForgottenError)):
        said(vault, anna)


@pytest.mark.wide
def test_p5_a_hold_on_a_user_covers_sessions_that_begin_later(vault: Vault, anna: str) -> None:
    vault.hold(anna, reason="case 7")
    say(vault, anna, "new", "later")
    with pytest.raises(HeldError):
        vault.forget_session(anna, "new")


@pytest.mark.wide
def test_p5_a_hold_on_a_session_leaves_the_others_free(vault: Vault, anna: str) -> None:
    vault.hold(anna, "s", reason="case 7")
    vault.forget_session(anna, "t")
    with pytest.raises(SessionForgottenError):
        said(vault, anna, "t")
    assert said(vault, anna) == ["one", "two", "three"]
    vault.forget_user(f"{anna}-ben")


@pytest.mark.wide
def test_p5_every_hold_must_end(vault: Vault, anna: str) -> None:
    first, second = (vault.hold(anna, session, reason="case 7") for session in (None, "s"))
    with pytest.raises(HeldError) as raised:
        vault.forget_user(anna)
    assert {first.id, second.id} <= set(str(raised.value).replace(":", " ").split())
    vault.release(first.id, reason="closed")
    with pytest.raises(HeldError, match=second.id):
        vault.forget_user(anna)
    vault.release(second.id, reason="closed")
    assert vault.forget_user(anna).status == "provisional"


@pytest.mark.wide
def test_p5_a_hold_ends_by_itself_when_its_time_has_come(home: Home, vault: Vault, anna: str) -> None:
    until = to_datetime(home.clock.now + DAY)
    placed = vault.hold(anna, reason="case 7", until=until)
    home.clock.now += DAY - 1
    assert known(vault, placed).in_force
    with pytest.raises(HeldError):
        vault.forget_user(anna)
    home.clock.now += 1
    assert not known(vault, placed).in_force
    vault.forget_user(anna)
    with pytest.raises(UserForgottenError):
        said(vault, anna)


# -- placing and releasing -------------------------------------------------------------------------------


@pytest.mark.wide
def test_p5_holds_are_listed_as_they_stand(home: Home, vault: Vault, beside: Vault, anna: str) -> None:
    at = to_datetime(home.clock.now)
    placed = vault.hold(anna, "s", reason="case 7", until=at + timedelta(days=900), actor="office")
    assert (placed.user_id, placed.session_id, placed.on_session) == (anna, "s", True)
    assert (placed.reason, placed.actor, placed.placed_at) == ("case 7", "office", at)
    assert (placed.until, placed.released_at, placed.in_force) == (at + timedelta(days=900), None, True)
    assert known(beside, placed) == placed
    home.clock.now += DAY
    released = beside.release(placed.id, reason="closed", actor="court")
    assert (released.released_at, released.in_force) == (at + timedelta(days=1), False)
    assert (released.release_reason, released.released_by) == ("closed", "court")
    home.clock.now += DAY
    assert vault.release(placed.id, reason="again") == known(vault, placed) == released


@pytest.mark.wide
def test_p5_a_hold_needs_a_reason_a_time_to_come_and_somebody_who_is_here(vault: Vault, anna: str) -> None:
    with pytest.raises(UsageError):
        vault.hold(anna, reason=" ")
    with pytest.raises(InputError):
        vault.hold(anna, reason="case 7", until=to_datetime(0))
    with pytest.raises(InputError):
        vault.hold(anna, reason="case 7", until=to_datetime(2**52).replace(tzinfo=None))
    with pytest.raises(UnknownError):
        vault.hold("nobody", reason="case 7")
    with pytest.raises(UnknownError):
        vault.hold(anna, "none", reason="case 7")
    vault.forget_session(anna, "t")
    with pytest.raises(SessionForgottenError):
        vault.hold(anna, "t", reason="case 7")
    vault.forget_user(anna)
    with pytest.raises(UserForgottenError):
        vault.hold(anna, reason="case 7")
    for unknown in ("00" * 16, "x", ""):
        with pytest.raises(UnknownError):
            vault.release(unknown, reason="closed")


@pytest.mark.wide
def test_p5_somebody_who_is_held_can_talk_on(vault: Vault, beside: Vault, anna: str) -> None:
    vault.hold(anna, reason="case 7")
    say(beside, anna, "s", "four")
    assert said(vault, anna) == ["one", "two", "three", "four"]


# -- requests that wait ----------------------------------------------------------------------------------


@pytest.mark.wide
def test_p5_a_request_waits_for_the_end_of_every_hold_and_is_then_carried_out(
    home: Home, vault: Vault, beside: Vault, anna: str
) -> None:
    first, second = (vault.hold(anna, session, reason="case 7") for session in (None, "s"))
    asked = vault.forget_user(anna, reason="request 881", actor="privacy", when_released=True)
    assert (asked.status, asked.cut_at, asked.reason) == ("requested", None, "request 881")
    assert beside.forget_user(anna, reason="another", when_released=True) == asked
    assert [one.id for one in beside.queued() if one.user_id == anna] == [asked.id]
    for hold in (first, second):
        assert vault.carry_out_due() == []
        assert said(vault, anna) == ["one", "two", "three"]
        vault.release(hold.id, reason="closed")
    home.clock.now += DAY
    with home.open() as later:
        [done] = later.carry_out_due()
        assert (done.id, done.status, done.sessions, done.messages) == (asked.id, "provisional", 2, 4)
        assert (done.reason, done.actor, done.requested_at) == ("request 881", "privacy", asked.requested_at)
        assert later.carry_out_due() == []
    for face in (vault, beside):
        with pytest.raises(UserForgottenError):
            said(face, anna)
        assert anna not in {one.user_id for one in face.queued()}


@pytest.mark.wide
def test_p5_of_many_users_only_those_who_are_held_wait(vault: Vault, anna: str) -> None:
    vault.hold(anna, reason="case 7")
    waits, gone = vault.forget_users([anna, f"{anna}-ben"], when_released=True)
    assert (waits.status, gone.status) == ("requested", "provisional")
    assert said(vault, anna) == ["one", "two", "three"]


@pytest.mark.wide
def test_p5_who_may_wait_and_is_not_held_is_forgotten_at_once(vault: Vault, anna: str) -> None:
    assert vault.forget_user(anna, when_released=True, now=True).status == "final"


@pytest.mark.wide
def test_p5_a_request_that_waited_is_the_one_that_is_carried_out_when_asked_again(
    vault: Vault, anna: str
) -> None:
    placed = vault.hold(anna, reason="case 7")
    asked = vault.forget_user(anna, reason="request 881", when_released=True)
    vault.release(placed.id, reason="closed")
    done = vault.forget_user(anna, reason="request 882")
    assert (done.id, done.pseudonym, done.reason) == (asked.id, asked.pseudonym, "request 881")
    assert vault.carry_out_due() == []
    assert anna not in {one.user_id for one in vault.queued()}


@pytest.mark.wide
@pytest.mark.parametrize("on", [None, "s"])
def test_p5_a_session_that_is_held_can_be_asked_for_and_goes_when_the_hold_ends(
    home: Home, vault: Vault, anna: str, on: str | None
) -> None:
    placed = vault.hold(anna, on, reason="case 7")
    with pytest.raises(HeldError):
        vault.forget_session(anna, "s")
    asked = vault.forget_session(anna, "s", reason="request 883", when_released=True)
    assert (asked.status, asked.kind) == ("requested", "forget-session")
    assert vault.forget_session(anna, "s", when_released=True).id == asked.id
    assert [(one.id, one.session_id) for one in vault.queued() if one.user_id == anna] == [(asked.id, "s")]
    assert vault.carry_out_due() == []
    say(vault, anna, "s", "four")
    vault.release(placed.id, reason="closed")
    with home.open() as later:
        [done] = later.carry_out_due()
        assert (done.id, done.status, done.sessions, done.reason) == (
            asked.id,
            "provisional",
            1,
            "request 883",
        )
        assert later.carry_out_due() == []
    with pytest.raises(SessionForgottenError):
        said(vault, anna)
    assert vault.forget_session(anna, "s").id == asked.id
    assert anna not in {one.user_id for one in vault.queued()}


@pytest.mark.wide
def test_p5_who_asks_again_for_a_session_that_was_begun_anew_asks_for_that_one_too(
    vault: Vault, anna: str
) -> None:
    placed = vault.hold(anna, reason="case 7")
    first = vault.forget_session(anna, "s", when_released=True)
    vault.transcript(anna, "s").clear()
    say(vault, anna, "s", "anew")
    again = vault.forget_session(anna, "s", when_released=True)
    assert again.id != first.id
    vault.release(placed.id, reason="closed")
    assert {one.id for one in vault.carry_out_due()} == {first.id, again.id}
    with pytest.raises(SessionForgottenError):
        said(vault, anna)


@pytest.mark.wide
def test_p5_a_session_that_took_the_name_of_one_that_is_held_can_be_asked_for(
    vault: Vault, anna: str
) -> None:
    placed = vault.hold(anna, "s", reason="case 7")
    vault.transcript(anna, "s").clear()
    say(vault, anna, "s", "anew")
    asked = vault.forget_session(anna, "s", when_released=True)
    assert asked.status == "requested"
    assert vault.forget_session(anna, "s", when_released=True).id == asked.id
    assert vault.carry_out_due() == []
    assert said(vault, anna) == ["anew"]
    beside = vault.footprint(anna).messages - vault.footprint(anna, "s").messages
    vault.release(placed.id, reason="closed")
    assert [one.id for one in vault.carry_out_due()] == [asked.id]
    assert vault.footprint(anna).messages == beside
    with pytest.raises(SessionForgottenError):
        said(vault, anna)


@pytest.mark.wide
def test_p5_a_session_that_was_asked_for_is_forgotten_under_the_same_certificate_and_only_it(
    vault: Vault, anna: str
) -> None:
    placed = vault.hold(anna, reason="case 7")
    asked = vault.forget_session(anna, "s", when_released=True)
    vault.release(placed.id, reason="closed")
    assert vault.forget_session(anna, "s").id == asked.id
    vault.enroll(anna, "s")
    say(vault, anna, "s", "anew")
    assert vault.carry_out_due() == []
    assert said(vault, anna) == ["anew"]


@pytest.mark.wide
def test_p5_who_enrolled_again_is_not_forgotten_by_an_old_request(vault: Vault, anna: str) -> None:
    placed = vault.hold(anna, reason="case 7")
    vault.forget_user(anna, when_released=True)
    vault.release(placed.id, reason="closed")
    vault.forget_user(anna)
    vault.enroll(anna)
    say(vault, anna, "s", "anew")
    assert vault.carry_out_due() == []
    assert said(vault, anna) == ["anew"]
