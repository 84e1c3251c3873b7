"""The daemon as a process meets the machine around it: signals at any instant, databases that go away."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
import test_daemon
from commands import run
from hours import POLICY, START, Hours, every, leader_of

from vault import Vault
from vault.clock import DAY
from vault.core import Core
from vault.daemon import serving
from vault.daemon.duties import anchoring, duties_of, purging
from vault.daemon.leading import MINUTE, Duty, Leader
from vault.daemon.lease import TERM, Lease
from vault.daemon.serving import Service
from vault.daemon.turns import Turns
from vault.errors import ConfigError, StoreUnavailableError
from vault.storage.engine import Store
from vault.telemetry import Metrics, log

open_core = test_daemon.open_core


@pytest.mark.wide
@pytest.mark.timeout(30)
def test_a_signal_while_the_daemon_wakes_up_from_another_one_leaves_it_awake(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    core, clock, stop = open_core(Hours()), Hours(), threading.Event()
    service = Service(leader_of(core, clock, stop=stop), core, stop, Metrics())
    seen: set[tuple[object, int]] = set()
    known = reloads = 0

    def interrupt(frame: FrameType, _: str, __: object) -> Callable[..., Any] | None:
        """Send a signal once from each line in which the main thread waits and wakes up."""
        if frame.f_code.co_filename not in {serving.__file__, threading.__file__}:
            return None
        if (place := (frame.f_code, frame.f_lineno)) not in seen:
            seen.add(place)
            if callable(signal.getsignal(signal.SIGHUP)) and not stop.is_set():
                signal.raise_signal(signal.SIGHUP)
        return interrupt

    def reload() -> None:
        nonlocal known, reloads
        reloads += 1
        signal.raise_signal(signal.SIGTERM if known == len(seen) else signal.SIGHUP)
        known = len(seen)

    monkeypatch.setattr(core, "reload_policies", reload)
    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        service.run(None)
    finally:
        sys.settrace(before)
    assert stop.is_set()
    assert reloads > 2


@pytest.mark.timeout(30)
def test_a_second_sigterm_aborts_what_the_first_lets_come_to_its_end(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    core, stop, codes = open_core(Hours()), threading.Event(), list[int]()
    service = Service(leader_of(core, Hours(), stop=stop), core, stop, Metrics())

    def notify(state: str) -> None:
        if state == "STOPPING=1":
            assert stop.is_set()
            assert codes == []
        if state in {"READY=1", "STOPPING=1"}:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(serving, "notify", notify)
    monkeypatch.setattr("os._exit", codes.append)
    service.run(None)
    assert codes == [serving._ABORTED]


# -- policies that are read again ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["x" * 300, "a\0b"])
def test_policies_at_a_place_that_can_not_be_looked_at_leave_those_of_before_in_force(
    path: str, tmp_path: Path
) -> None:
    (tmp_path / "brief.yaml").write_text(POLICY)
    Vault.open(tmp_path / "v", redactor=None).close()
    settings = tmp_path / "v" / "vault.toml"
    text = settings.read_text()
    settings.write_text(f'policies = "../brief.yaml"\n{text}')
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        core = vault._core
        before = core.policies
        assert before is not None
        settings.write_text(f"policies = {json.dumps(path)}\n{text}")
        with pytest.raises(ConfigError, match=r"can't be looked for|no file has"):
            core.reload_policies()
        assert core.policies is before


@pytest.mark.wide
def test_p5_a_purge_ends_where_the_policies_are_read_again_and_goes_on_by_the_new_ones(
    tmp_path: Path,
) -> None:
    clock, file = Hours(), tmp_path / "policy.yaml"
    file.write_text(POLICY)
    with Vault.open(tmp_path / "vault", redactor=None, clock=clock, policies=file) as vault:
        core, looks = vault._core, list[None]()
        for user in ("u-1", "u-2"):
            vault.transcript(user, "s").append("user", "hello")
        clock.at += 4 * DAY
        purge = purging(core, Metrics())

        def may_go_on() -> bool:
            if not looks:  # its plan is made, by the rules of before
                file.write_text(POLICY.replace("at_most: 2d", "at_least: 6d, at_most: 7d"))
                core.reload_policies()
            looks.append(None)
            return True

        assert purge.act(may_go_on) is None
        assert purge.act(may_go_on) == {"policies": ["brief"], "messages": 0, "originals": 0, "epochs": 1}
        assert [len(vault.transcript(user, "s").messages()) for user in ("u-1", "u-2")] == [1, 1]
        clock.at += 4 * DAY
        done = purge.act(may_go_on)
        assert done is not None
        assert done["messages"] == 2


@pytest.mark.timeout(30)
def test_p5_who_takes_over_reads_the_policies_again_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, stop, clock, done = tmp_path / "policy.yaml", threading.Event(), Hours(), list[str]()
    file.write_text(POLICY)
    with Vault.open(tmp_path / "vault", redactor=None, clock=clock, policies=file) as vault:
        core = vault._core
        other = Lease(core.stores.keyring, "daemon", clock)

        def notify(state: str) -> None:
            if (
                state == "READY=1" and other.fence is not None
            ):  # the first one goes, who knows of the new rules
                file.write_text(POLICY.replace("policy: brief", "policy: lasting"))
                other.release()

        def act(_: object) -> dict[str, object]:
            assert core.policies is not None
            done.extend(one.name for one in core.policies.policies)
            os.kill(os.getpid(), signal.SIGTERM)
            return {}

        assert other.keep()
        monkeypatch.setattr(serving, "notify", notify)
        monkeypatch.setattr(serving, "BEAT", 0.01)
        monkeypatch.setattr(serving, "TICK", 0.01)
        Service(leader_of(core, clock, Duty("look", act, every=DAY), stop=stop), core, stop, Metrics()).run(
            None
        )
    assert done == ["lasting"]


def test_a_daemon_whose_rules_are_others_than_those_of_the_last_run_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, log.name)
    brief, lasting = tmp_path / "brief.yaml", tmp_path / "lasting.yaml"
    brief.write_text(POLICY)
    lasting.write_text(POLICY.replace("policy: brief", "policy: lasting"))
    for file in (brief, brief, lasting, lasting, brief):
        with Vault.open(tmp_path / "vault", redactor=None, clock=Hours(), policies=file) as vault:
            vault.transcript("u", "s").append("user", "hello")
            purging(vault._core, Metrics()).act(lambda: True)
    told = [record.facts for record in caplog.records]  # type: ignore[attr-defined]
    assert told == [
        {"before": ["brief"], "policies": ["lasting"]},
        {"before": ["lasting"], "policies": ["brief"]},
    ]


@pytest.mark.timeout(60)
def test_whatever_goes_wrong_as_policies_are_read_again_ends_no_daemon(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    core, stop = open_core(Hours()), threading.Event()
    service = Service(leader_of(core, Hours(), stop=stop), core, stop, Metrics())
    faults = [ZeroDivisionError(), PermissionError(13, "Permission denied"), None]

    def notify(state: str) -> None:
        if state == "READY=1":
            signal.raise_signal(signal.SIGHUP if faults else signal.SIGTERM)

    def reload() -> None:
        if fault := faults.pop(0):
            raise fault

    monkeypatch.setattr(serving, "notify", notify)
    monkeypatch.setattr(core, "reload_policies", reload)
    service.run(None)
    told = [record.facts["error"] for record in caplog.records if record.levelno == logging.ERROR]  # type: ignore[attr-defined]
    assert (told, faults) == (["ZeroDivisionError", "PermissionError"], [])


# -- databases that go away, clocks that jump ----------------------------------------------------------------


def away(*_: object, **__: object) -> NoReturn:
    raise StoreUnavailableError("gone")


def test_a_look_at_what_is_due_tells_that_the_keyring_is_away(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Hours()
    core = open_core(clock)
    leader = leader_of(core, clock, Duty("steady", lambda _: {}, every=DAY))
    assert leader.beat()
    with monkeypatch.context() as gone:
        gone.setattr(core.stores.keyring, "read", away)
        assert leader.tick() == []
    assert [record.facts["says"] for record in caplog.records if record.levelno == logging.ERROR] == ["gone"]  # type: ignore[attr-defined]
    assert leader.tick() == ["steady"]


def test_who_asks_whether_the_daemon_is_ready_hears_what_keeps_it_from_its_duties(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, stop, metrics = Hours(), threading.Event(), Metrics()
    core = open_core(clock)
    leader = leader_of(core, clock, *duties_of(core, metrics), stop=stop)
    service = Service(leader, core, stop, metrics)

    def look() -> list[str]:
        clock.at += DAY
        leader.beat()
        leader.tick()
        return service.unready()

    Vault(core).transcript("u", "s").append("user", "hello")
    assert look() == []
    with monkeypatch.context() as gone:
        gone.setattr(core.stores.root, "load", away)
        assert [one for one in look() if one.startswith("erasures: ")] == ["erasures: gone"]
    assert look() == []
    with monkeypatch.context() as gone:
        gone.setattr(core.stores.transcripts, "read", away)
        assert [one for one in look() if one.startswith("integrity: ")] == ["integrity: gone"]
        monkeypatch.setattr(leader._lease, "keep", lambda: False)
        leader.beat()
        assert service.unready() == []  # another leads, and does it


def test_a_daemon_shows_from_its_start_on_that_its_policies_are_valid(
    open_core: Callable[[Hours], Core],
) -> None:
    core, stop, metrics = open_core(Hours()), threading.Event(), Metrics()
    stop.set()
    Service(leader_of(core, Hours(), stop=stop), core, stop, metrics).run(None)
    assert "vault_policies_valid 1.0" in metrics.text().decode()


def test_a_daemon_that_is_told_to_stop_while_the_keyring_is_away_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Vault.open(tmp_path / "v", redactor=None).close()
    monkeypatch.setattr("vault.telemetry.log_to_stderr", lambda: None)  # the test's own handlers stay
    monkeypatch.setattr(Service, "run", lambda *_: monkeypatch.setattr(Store, "write", away))
    done = run("--vault", str(tmp_path / "v"), "daemon", "--listen", "none")
    assert done.code == 0
    assert [record.facts["says"] for record in caplog.records if record.levelno == logging.ERROR] == ["gone"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("jump", [-900 * DAY, 900 * DAY])
def test_a_clock_that_jumps_makes_nobody_silent_and_nobody_loud(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    clock, steady = Hours(), Hours()
    core = open_core(clock)
    leader = leader_of(core, clock, steady=steady)
    assert leader.is_silent()
    leader.beat()
    clock.at += jump
    assert not leader.is_silent()
    monkeypatch.setattr(core.stores.keyring, "write", away)
    leader.beat()
    steady.at += TERM + 1
    assert leader.is_silent()


def test_a_run_that_was_broken_off_by_a_clock_that_ran_ahead_is_taken_up_once_it_is_right(
    open_core: Callable[[Hours], Core],
) -> None:
    clock, steady, done = Hours(), Hours(), []

    def act(_: object) -> dict[str, object]:
        done.append(clock.at)
        if len(done) == 1:
            raise StoreUnavailableError("gone")
        return {}

    leader = leader_of(
        open_core(clock), clock, Duty("purge", act, triggers=every("0 3 * * *")), steady=steady
    )
    leader.beat()
    leader.tick()
    start = clock.at
    for at in (start + 900 * DAY, start + DAY, start + DAY + MINUTE, start + 2 * DAY):
        clock.at = at
        leader.beat()
        leader.tick()
    assert done == [start + 900 * DAY, start + DAY, start + 2 * DAY]


@pytest.mark.timeout(20)
def test_a_wall_clock_that_is_set_back_stops_neither_the_beats_nor_the_looks(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    core, stop, back = open_core(Hours()), threading.Event(), timedelta()
    leader = leader_of(core, Hours(), stop=stop)
    service = Service(leader, core, stop, Metrics())
    beats, looks, ended = list[int](), list[int](), threading.Event()

    class Wall(datetime):
        """The wall clock, as the scheduler reads it."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - back

    def go_on(done: list[int]) -> None:
        nonlocal back
        done.append(len(done))
        if min(len(beats), len(looks)) == 2:
            back = timedelta(days=1)
        if done is looks and min(len(beats), len(looks)) >= 5 and not ended.is_set():
            ended.set()  # a second signal would abort the process
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Wall)
    monkeypatch.setattr(serving, "BEAT", 0.01)
    monkeypatch.setattr(serving, "TICK", 0.01)
    monkeypatch.setattr(leader, "beat", lambda: go_on(beats))
    monkeypatch.setattr(leader, "tick", lambda: go_on(looks))
    service.run(None)
    assert min(len(beats), len(looks)) >= 5
    assert not service.dead()


@pytest.mark.timeout(20)
def test_a_look_that_fails_is_told_and_the_next_one_comes(
    open_core: Callable[[Hours], Core], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    core, stop, looks = open_core(Hours()), threading.Event(), list[int]()
    leader = leader_of(core, Hours(), stop=stop)

    def tick() -> None:
        looks.append(len(looks))
        if len(looks) == 1:
            raise ZeroDivisionError
        if len(looks) == 2:  # a second signal would abort the process
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(serving, "TICK", 0.01)
    monkeypatch.setattr(leader, "tick", tick)
    Service(leader, core, stop, Metrics()).run(None)
    told = [record.facts["error"] for record in caplog.records if record.levelno == logging.ERROR]  # type: ignore[attr-defined]
    assert (told, looks[:2]) == (["ZeroDivisionError"], [0, 1])


def test_p6_a_checkpoint_that_can_not_be_written_is_tried_again_soon(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, metrics, mount = Hours(), Metrics(), tmp_path / "mount"
    mount.write_text("not mounted yet")
    with Vault.open(tmp_path / "v", redactor=None, clock=clock) as vault:
        core = vault._core
        leader = Leader(
            [anchoring(core, mount / "checkpoints")],
            lease=Lease(core.stores.keyring, "daemon", clock),
            turns=Turns(core.stores.keyring, lambda: core.keyring.service),
            clock=clock,
            stop=threading.Event(),
            metrics=metrics,
        )
        leader.beat()
        assert leader.tick() == []
        mount.unlink()
        clock.at += MINUTE
        leader.beat()
        assert leader.tick() == ["checkpoint"]
        assert len(list((mount / "checkpoints").iterdir())) == 1
        clock.at += DAY - 1
        leader.beat()
        assert leader.tick() == []
    told = [record.facts for record in caplog.records if record.levelno == logging.ERROR]  # type: ignore[attr-defined]
    assert [facts["job"] for facts in told] == ["checkpoint"]
    assert 'vault_runs_total{job="checkpoint",outcome="begun"} 1.0' in metrics.text().decode()


@pytest.mark.wide
def test_a_duty_that_goes_on_failing_is_tried_ever_less_often_but_each_hour_at_least(
    open_core: Callable[[Hours], Core], caplog: pytest.LogCaptureFixture
) -> None:
    clock, tries, works = Hours(), list[int](), False
    caplog.set_level(logging.INFO, logger=log.name)

    def act(_: object) -> dict[str, object]:
        tries.append((clock.at - START) // MINUTE)
        if not works:
            raise OSError
        return {}

    leader = leader_of(open_core(clock), clock, Duty("steady", act, every=DAY))
    for minute in range(600):
        works = minute >= 250
        leader.beat()
        leader.tick()
        clock.at += MINUTE
    assert tries == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]
    said = [record.facts["again"] for record in caplog.records if "again" in getattr(record, "facts", {})]  # type: ignore[attr-defined]
    assert said == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
