"""A certificate counts what was erased: what is added amid a forgetting is counted, or refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from faces import Home
from interleaving import Instants, interrupted

from vault import Vault
from vault.erasure import Eraser
from vault.errors import SessionForgottenError, UserForgottenError
from vault.evidence.certificate import Certificate, Status
from vault.storage import sweeping

FORGET: dict[str, Callable[[Vault], Certificate]] = {
    "user": lambda vault: vault.forget_user("u-1", now=True),
    "session": lambda vault: vault.forget_session("u-1", "s-1", now=True),
}


def acknowledged(vault: Vault, session: str = "s-1") -> int:
    """Append a message; say how many were taken."""
    try:
        vault.transcript("u-1", session).append("user", "amid")
    except (UserForgottenError, SessionForgottenError):
        return 0
    return 1


@pytest.mark.wide
@pytest.mark.parametrize("what", FORGET)
@pytest.mark.parametrize("also", ["s-1", "s-new"])
def test_p6_a_certificate_counts_what_was_added_at_any_instant_of_the_forgetting(
    what: str, also: str, database: Databases, tmp_path: Path
) -> None:
    home = Home(database, tmp_path / "root.key", None)
    chosen, has_more, counts = 1, True, set[int]()
    with home.open() as one, home.open() as other:
        while has_more:
            one.transcript("u-1", "s-1").extend([{"role": "user", "content": "before"}] * 2)
            other.transcript("u-1", "s-1").messages()  # knows it, and asks the keyring no more
            taken: list[int] = []
            instants = Instants(chosen, lambda taken=taken: taken.append(acknowledged(other, also)))  # type: ignore[misc]
            with interrupted(one, instants):
                certificate = FORGET[what](one)
            has_more = bool(taken)
            goes = what == "user" or also == "s-1"
            expected = 2 + (sum(taken) if goes else 0)
            assert (chosen, certificate.messages) == (chosen, expected)
            counts.add(certificate.messages)
            assert certificate.status is Status.FINAL
            assert certificate.sessions == 1 + (sum(taken) if what == "user" and also == "s-new" else 0)
            if what == "session":
                one.enroll("u-1", "s-1")
                one.forget_user("u-1", now=True)
            one.enroll("u-1")
            chosen += 1
        assert counts == ({2, 3} if what == "user" or also == "s-1" else {2})
        one.log.verify()


@pytest.mark.parametrize("what", FORGET)
def test_p6_a_message_that_is_just_being_committed_is_waited_for_and_counted(
    what: str, database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(database, tmp_path / "root.key", None)
    written, fencing = threading.Event(), threading.Event()
    with home.open() as one, home.open() as other, ThreadPoolExecutor(2) as pool:
        one.transcript("u-1", "s-1").append("user", "before")
        other.transcript("u-1", "s-1").messages()
        store: Any = other._core.stores.transcripts
        committing = store._outcome_unknown

        def slowly() -> Any:
            written.set()
            assert fencing.wait(30)
            return committing()

        monkeypatch.setattr(store, "_outcome_unknown", slowly)
        adding = pool.submit(acknowledged, other)
        assert written.wait(30)
        close = Eraser._close_fence

        def closing(self: Eraser, *args: Any, **kwargs: Any) -> Any:
            fencing.set()
            return close(self, *args, **kwargs)

        monkeypatch.setattr(Eraser, "_close_fence", closing)
        certificate = pool.submit(FORGET[what], one).result(60)
        assert certificate.messages == 1 + adding.result(60) == 2


@pytest.mark.parametrize("what", FORGET)
def test_p6_a_message_that_waits_for_the_fence_is_refused_or_counted(
    what: str, database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(database, tmp_path / "root.key", None)
    adding, started = list[Future[int]](), threading.Event()
    with home.open() as one, home.open() as other, ThreadPoolExecutor(1) as pool:
        one.transcript("u-1", "s-1").append("user", "before")
        other.transcript("u-1", "s-1").messages()
        store: Any = one._core.stores.transcripts
        committing, close = store._outcome_unknown, sweeping.close_fence

        def add() -> int:
            started.set()
            return acknowledged(other)

        def slowly() -> Any:
            monkeypatch.setattr(store, "_outcome_unknown", committing)
            adding.append(pool.submit(add))
            assert started.wait(30)
            return committing()

        def closing(*args: Any) -> None:
            close(*args)
            monkeypatch.setattr(store, "_outcome_unknown", slowly)  # the fence is closed and not told yet

        monkeypatch.setattr(sweeping, "close_fence", closing)
        certificate = FORGET[what](one)
        assert certificate.messages == 1 + adding[0].result(60)
