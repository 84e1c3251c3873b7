"""`daemon --once`: what it does where another daemon leads, and where one was killed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import test_daemon
from commands import run
from hours import HOUR, Hours, leader_of

from vault import Vault
from vault.core import Core
from vault.daemon import pacing, serving
from vault.daemon.leading import Duty, Leader
from vault.daemon.lease import TERM
from vault.errors import StoreUnavailableError

open_core = test_daemon.open_core


def test_p8_once_takes_over_from_a_daemon_that_was_killed(open_core: Callable[[Hours], Core]) -> None:
    clock = Hours()
    core = open_core(clock)
    killed, late = leader_of(core, clock), leader_of(core, clock)
    assert killed.beat()
    began = clock.at
    assert late.lead(lambda seconds: pass_time(clock, seconds))
    assert TERM <= clock.at - began <= 2 * TERM
    assert killed.tick() == []


def test_once_leaves_the_lease_to_a_daemon_that_beats(open_core: Callable[[Hours], Core]) -> None:
    clock = Hours()
    core = open_core(clock)
    alive, late = leader_of(core, clock), leader_of(core, clock)
    assert alive.beat()

    def wait(seconds: float) -> None:
        pass_time(clock, seconds)
        if (clock.at - began) % (serving.BEAT * 1_000_000) < seconds * 1_000_000:
            alive.beat()

    began = clock.at
    assert not late.lead(wait)
    assert clock.at - began < TERM
    assert late.trouble is None
    assert alive.beat()


def test_once_leads_as_soon_as_another_daemon_has_ended(open_core: Callable[[Hours], Core]) -> None:
    clock = Hours()
    core = open_core(clock)
    ending, late = leader_of(core, clock), leader_of(core, clock)
    assert ending.beat()
    began = clock.at

    def wait(seconds: float) -> None:
        pass_time(clock, seconds)
        ending._lease.release()

    assert late.lead(wait)
    assert clock.at - began < TERM


def test_once_does_not_wait_for_a_keyring_that_is_away(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Hours()
    core = open_core(clock)
    late = leader_of(core, clock)

    def away(*_: object, **__: object) -> NoReturn:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(core.stores.keyring, "write", away)
    assert not late.lead(away)
    assert isinstance(late.trouble, StoreUnavailableError)


@pytest.mark.wide
@pytest.mark.timeout(20)
def test_p8_a_command_does_what_is_due_though_the_last_daemon_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Hours()
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        assert leader_of(vault._core, clock).beat()  # and never again
    monkeypatch.setattr("vault.telemetry.log_to_stderr", lambda: None)  # the test's own handlers stay
    monkeypatch.setattr(serving, "monotonic", clock)
    monkeypatch.setattr(pacing, "pause", lambda seconds: pass_time(clock, seconds))
    ticks: list[Leader] = []

    def tick(leader: Leader) -> None:
        ticks.append(leader)

    monkeypatch.setattr(Leader, "tick", tick)
    done = run("--vault", str(tmp_path / "v"), "daemon", "--once")
    assert (done.code, len(ticks)) == (0, 1)
    assert "another daemon leads" not in done.err


@pytest.mark.timeout(20)
def test_a_command_that_works_for_long_shows_that_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beaten = threading.Semaphore(0)
    beat, done = Leader.beat, []

    def beats(leader: Leader) -> bool:
        leads = beat(leader)
        beaten.release()
        return leads

    def works(leader: Leader) -> None:
        for _ in range(4):  # the first was before it
            beaten.acquire()
        done.append(leader)

    monkeypatch.setattr("vault.telemetry.log_to_stderr", lambda: None)
    monkeypatch.setattr(serving, "BEAT", 0.01)
    monkeypatch.setattr(Leader, "beat", beats)
    monkeypatch.setattr(Leader, "tick", works)
    Vault.open(tmp_path / "v", redactor=None).close()
    assert run("--vault", str(tmp_path / "v"), "daemon", "--once").code == 0
    assert done


def test_p8_of_two_commands_that_wait_for_the_same_silence_one_leads(
    open_core: Callable[[Hours], Core],
) -> None:
    clock = Hours()
    core = open_core(clock)
    done: list[str] = []

    def named(name: str) -> Duty:
        def act(_: object) -> dict[str, object]:
            done.append(name)
            return {}

        return Duty("steady", act, every=HOUR)

    killed = leader_of(core, clock)
    first, second = (leader_of(core, clock, named(name)) for name in ("first", "second"))
    killed.beat()
    first.beat()

    def wait(seconds: float) -> None:
        pass_time(clock, seconds)
        first.beat()

    assert not second.lead(wait)
    first.tick()
    second.tick()
    assert done == ["first"]


def pass_time(clock: Hours, seconds: float) -> None:
    clock.at += round(seconds * 1_000_000)
