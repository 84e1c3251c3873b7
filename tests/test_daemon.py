"""The daemon: three of them for ten simulated days, health, logs, and a real process with its signals."""

import json
import logging
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest
from databases import Databases
from hours import HOUR, POLICY, START, Hours, every, leader_of

from vault import Vault
from vault.clock import DAY
from vault.core import Core
from vault.daemon.duties import duties_of, erasing, sampling
from vault.daemon.health import Health, address_of
from vault.daemon.leading import Duty
from vault.daemon.lease import TERM
from vault.errors import (
    ConfigError,
    GuardedError,
    StoreUnavailableError,
    TamperedError,
    UserForgottenError,
)
from vault.telemetry import JsonLog, Metrics, log, notify, tell, tell_error


@pytest.fixture
def open_core(database: Databases, tmp_path: Path) -> Iterator[Callable[[Hours], Core]]:
    with ExitStack() as opened:

        def opening(clock: Hours) -> Core:
            root = f"file:{tmp_path / 'root.key'}"
            vault = Vault.open(
                database.transcripts, keyring=database.keyring, root=root, redactor=None, clock=clock
            )
            return opened.enter_context(vault)._core

        yield opening


# -- many daemons --------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_three_daemons_in_ten_days_do_each_run_once_though_leaders_die(
    open_core: Callable[[Hours], Core],
) -> None:
    clock, dice = Hours(), random.Random(7)
    done: list[int] = []

    def act(_: object) -> dict[str, object]:
        done.append(clock.at)
        return {}

    duty = Duty("purge", act, triggers=every("0 */4 * * *"))
    cores = [open_core(clock) for _ in range(3)]
    leaders = [leader_of(core, clock, duty) for core in cores]
    for _ in range(10 * 24):
        clock.at += HOUR
        led = [leader for leader in dice.sample(leaders, 3) if leader.beat()]
        assert len(led) <= 1
        for leader in dice.sample(leaders, 3):
            leader.tick()
        if led and dice.random() < 0.1:  # kill -9: its successor knows nothing of it
            dead = leaders.index(led[0])
            leaders[dead] = leader_of(cores[dead], clock, duty)
    assert len(done) == 10 * 6
    gaps = {(later - earlier) // HOUR for earlier, later in pairwise(done)}
    assert gaps <= {3, 4, 5}  # a new leader waits out the old one's term


def test_a_leader_that_was_taken_over_stops_between_two_batches(open_core: Callable[[Hours], Core]) -> None:
    mine, theirs = Hours(), Hours()
    core = open_core(mine)
    batches = []

    def act(may_go_on: Callable[[], bool]) -> dict[str, object] | None:
        while may_go_on():
            batches.append("written")
            if len(batches) == 3:
                other.beat()
                theirs.at += TERM
                assert other.beat()
        return None

    first = leader_of(core, mine, Duty("purge", act, triggers=every("0 3 * * *")))
    other = leader_of(core, theirs, Duty("purge", lambda _: {}, triggers=every("0 3 * * *")))
    first.beat()
    first.tick()
    mine.at += DAY
    theirs.at += DAY
    first.beat()
    assert first.tick() == []
    assert batches == ["written"] * 3
    assert other.tick() == ["purge"]


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (StoreUnavailableError("gone"), 2),
        (GuardedError("too much"), 1),
        (TamperedError("edited"), 1),
        (ZeroDivisionError(), 1),
    ],
)
def test_what_fails_is_told_and_ends_no_other_duty(
    open_core: Callable[[Hours], Core], error: Exception, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock, tries, others = Hours(), [], []

    def act(_: object) -> dict[str, object]:
        tries.append(clock.at)
        raise error

    def other(_: object) -> dict[str, object]:
        others.append(clock.at)
        return {}

    purge, steady = Duty("purge", act, triggers=every("0 3 * * *")), Duty("other", other, every=HOUR)
    leader = leader_of(open_core(clock), clock, purge, steady)
    leader.beat()
    leader.tick()
    for at in (START + DAY, START + DAY + 1, START + DAY + 2 * HOUR):
        clock.at = at
        leader.beat()
        leader.tick()
    assert len(tries) == times
    assert len(others) == 3
    assert [record for record in caplog.records if record.levelno == logging.ERROR]


def test_a_daemon_completes_what_was_interrupted_and_makes_certificates_final(
    database: Databases, open_core: Callable[[Hours], Core], tmp_path: Path
) -> None:
    clock = Hours()
    root = f"file:{tmp_path / 'root.key'}"
    leader = leader_of(core := open_core(clock), clock, erasing(core))
    leader.beat()
    with Vault.open(
        database.transcripts, keyring=database.keyring, root=root, redactor=None, clock=clock
    ) as vault:
        vault.transcript("u", "s").append("user", "hello")
        vault.forget_user("u")
        leader.tick()
        assert [one.final_at for one in vault.certificates()] == [None]
        clock.at += 8 * DAY
        leader.beat()
        leader.tick()
        assert all(one.final_at for one in vault.certificates())


@pytest.mark.wide
def test_p4_p5_a_daemon_purges_on_schedule_and_what_was_held_once_it_is_released(
    database: Databases, tmp_path: Path
) -> None:
    clock, metrics, file = Hours(), Metrics(), tmp_path / "brief.yaml"
    file.write_text(POLICY)
    with Vault.open(
        database.transcripts,
        keyring=database.keyring,
        root=f"file:{tmp_path / 'root.key'}",
        redactor=None,
        clock=clock,
        policies=file,
    ) as vault:
        core = vault._core
        leader = leader_of(core, clock, *duties_of(core, metrics))
        for user in ("u-1", "u-2"):
            vault.transcript(user, "s").append("user", "hello")
        hold = vault.hold("u-1", reason="case 7")
        vault.forget_user("u-1", when_released=True)
        left = []
        for _ in range(5):
            leader.beat()
            leader.tick()
            left.append([len(vault.transcript(user, "s").messages()) for user in ("u-1", "u-2")])
            clock.at += DAY
        vault.release(hold.id, reason="closed")
        leader.beat()
        leader.tick()
        assert left[0] == [1, 1]
        assert left[4] == [1, 0]
        with pytest.raises(UserForgottenError):
            vault.transcript("u-1", "s").messages()
    text = metrics.text().decode()
    assert 'vault_purged_messages_total{class="brief/default",part="body",policy="brief"} 1.0' in text
    assert "u-1" not in text


def test_a_sample_that_does_not_open_is_told(
    open_core: Callable[[Hours], Core], caplog: pytest.LogCaptureFixture
) -> None:
    from vault.storage.schema import messages

    clock = Hours()
    core = open_core(clock)
    vault = Vault(core)
    vault.transcript("u", "s").append("user", "hello there")
    leader = leader_of(core, clock, sampling(core))
    leader.beat()
    caplog.set_level(logging.INFO, logger=log.name)
    leader.tick()
    assert [record.facts["messages_opened"] for record in caplog.records if record.msg == "ran"] == [1]  # type: ignore[attr-defined]
    core.stores.transcripts.write(lambda c: c.execute(messages.update().values(role="system")))
    clock.at += HOUR
    leader.beat()
    leader.tick()
    assert [record.facts["error"] for record in caplog.records if record.msg == "failed"] == ["TamperedError"]  # type: ignore[attr-defined]
    found = [one for one in vault.log.entries() if one.kind == "integrity"]
    assert len(found) == 1  # P6: what was found is evidence


# -- health and logs -----------------------------------------------------------------------------------------


def ask(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.wide
def test_health_says_what_is_wrong_and_metrics_name_nobody() -> None:
    faults: list[str] = []
    metrics = Metrics()
    metrics.count("purged_messages_total", "Messages purged", 3, policy="gdpr")
    metrics.count("purged_messages_total", "Messages purged", 2, policy="gdpr")
    health = Health(("127.0.0.1", 0), metrics, alive=list, ready=lambda: faults)
    health.start()
    try:
        assert ask(health.port, "/livez") == (200, '{"faults": []}')
        assert ask(health.port, "/readyz?verbose") == (200, '{"faults": []}')
        faults.append("the keyring does not answer")
        assert ask(health.port, "/readyz") == (503, '{"faults": ["the keyring does not answer"]}')
        status, text = ask(health.port, "/metrics")
        assert status == 200
        assert 'vault_purged_messages_total{policy="gdpr"} 5.0' in text
        assert ask(health.port, "/")[0] == 404
    finally:
        health.stop()


@pytest.mark.parametrize(
    "where", ["0.0.0.0:80", "[::]:80", "example.org:80", "127.0.0.1", "127.0.0.1:99999", ":x"]
)
def test_health_is_given_to_this_machine_only(where: str) -> None:
    with pytest.raises(ConfigError):
        address_of(where)
    assert address_of("[::1]:80") == ("::1", 80)
    assert address_of("localhost:80") == ("127.0.0.1", 80)


@pytest.mark.wide
@pytest.mark.parametrize("said", ["[::1]:0", "::1:0"])
def test_health_is_given_to_this_machine_by_ipv6_too(said: str) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    health = Health(address_of(said), Metrics(), alive=list, ready=list)
    health.start()
    try:
        assert ask(health.port, "/livez", "[::1]") == (200, '{"faults": []}')
    finally:
        health.stop()


def test_a_port_that_is_taken_is_a_setting_to_be_changed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="can't be served on port"):
            Health(("127.0.0.1", taken.getsockname()[1]), Metrics(), alive=list, ready=list)


def test_p1_a_log_line_has_the_vaults_words_and_of_other_errors_only_the_place() -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLog())
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        tell(logging.INFO, "ran", job="purge", messages=3)
        tell_error("failed", StoreUnavailableError("the keyring database is locked", hint="wait"))
        try:
            int("my secret message")
        except ValueError as error:
            tell_error("failed", error)
    finally:
        log.removeHandler(handler)
    first, second, third = map(json.loads, lines)
    assert (first["event"], first["job"], first["messages"]) == ("ran", "purge", 3)
    assert second["says"] == "the keyring database is locked"
    assert third["error"] == "ValueError"
    assert "secret" not in lines[2]


def test_systemd_is_told_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notify("READY=1")  # nobody asked
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1", "STATUS=fine")
        assert listening.recv(100) == b"READY=1\nSTATUS=fine"


# -- a process -----------------------------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.transcript("u", "s").append("user", "hello")
    return tmp_path / "v"


class Process:
    """A daemon of its own, whose log lines are read as they come."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.lines: list[dict[str, object]] = []
        self.running = subprocess.Popen(
            [sys.executable, "-m", "vault", "--vault", str(directory), "daemon", *options],
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, event: str) -> dict[str, object]:
        """Read on until something happened."""
        assert self.running.stderr is not None
        for line in self.running.stderr:
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(self.lines)

    def tell(self, number: signal.Signals) -> None:
        os.kill(self.running.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.running.kill()
        self.running.communicate()


@pytest.mark.wide
def test_a_process_leads_reads_again_and_ends_when_it_is_told(directory: Path) -> None:
    with Process(directory, "--listen", "127.0.0.1:0") as daemon:
        port = int(str(daemon.until("started")["port"]))
        assert {"event": "leading", "fence": 1}.items() <= daemon.lines[0].items()
        assert ask(port, "/livez")[0] == ask(port, "/readyz")[0] == 200
        daemon.tell(signal.SIGHUP)
        daemon.until("the policies were read again")
        daemon.tell(signal.SIGTERM)
        daemon.until("stopped")
        assert daemon.running.wait(30) == 0


@pytest.mark.wide
def test_p8_a_daemon_that_was_killed_leaves_its_lease_to_one_that_waits(directory: Path) -> None:
    with Process(directory, "--listen", "none") as daemon:
        daemon.until("started")
        daemon.tell(signal.SIGKILL)
        daemon.running.wait(30)
    clock = Hours()
    with Vault.open(directory, redactor=None) as vault:
        leader = leader_of(vault._core, clock)
        assert not leader.beat()
        clock.at += TERM
        assert leader.beat()


@pytest.mark.wide
def test_once_does_what_is_due_and_ends(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vault", "--vault", str(directory), "daemon", "--once"],
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"event": "ran", "job": "integrity", "messages_opened": 1}.items() <= events[-1].items()


@pytest.mark.wide
def test_what_went_wrong_once_is_the_exit_code(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "transcripts.db")) as thief, thief:
        thief.execute("UPDATE messages SET role = 'system'")
    done = subprocess.run(
        [sys.executable, "-m", "vault", "--vault", str(directory), "daemon", "--once"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert '"event": "failed"' in done.stderr


@pytest.mark.wide
def test_a_gauge_shows_nothing_of_what_is_left_of_no_class(tmp_path: Path) -> None:
    clock, metrics, file = Hours(), Metrics(), tmp_path / "brief.yaml"
    file.write_text(POLICY)
    with Vault.open(tmp_path / "v", redactor=None, clock=clock, policies=file) as vault:
        leader = leader_of(vault._core, clock, *duties_of(vault._core, metrics))
        vault.transcript("u", "s").append("user", "hello")
        hold = vault.hold("u", reason="case 7")
        shown = []
        for _ in range(12):
            leader.beat()
            leader.tick()
            shown.append("vault_held_messages{" in metrics.text().decode())
            clock.at += DAY
            if shown[-1]:
                vault.release(hold.id, reason="closed")
                break
        for _ in range(4):
            leader.beat()
            leader.tick()
            clock.at += DAY
        assert shown[-1]
        assert not vault.transcript("u", "s").messages()
    assert "vault_held_messages{" not in metrics.text().decode()
