"""Health is asked by machines: by HEAD as by GET, by probes that go away, and what fails is told in JSON."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vault.daemon.health import Faults, Health
from vault.telemetry import JsonLog, Metrics, log

LOOPBACK = "127.0.0.1"


@contextmanager
def listening(ready: Faults = list) -> Iterator[int]:
    health = Health((LOOPBACK, 0), Metrics(), alive=list, ready=ready)
    health.start()
    try:
        yield health.port
    finally:
        for one in threading.enumerate():
            if "process_request_thread" in one.name:
                one.join(10)
        health.stop()


def ask(port: int, method: str, path: str) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Length"), answer.read()
    finally:
        connection.close()


@pytest.mark.wide
def test_a_probe_that_asks_for_the_head_alone_gets_it() -> None:
    faults: list[str] = []
    with listening(ready=lambda: faults) as port:
        assert ask(port, "HEAD", "/livez") == (200, "14", b"")
        faults.append("the keyring does not answer")
        assert ask(port, "HEAD", "/readyz") == (503, "43", b"")
        assert ask(port, "HEAD", "/")[0] == 404


@pytest.mark.wide
def test_a_probe_that_goes_away_leaves_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with listening() as port:
        probe = socket.create_connection((LOOPBACK, port))
        probe.sendall(b"GET /li")
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        probe.close()
        assert ask(port, "GET", "/livez")[0] == 200  # those who come are let in one after the other
    assert capfd.readouterr().err == ""


@pytest.mark.wide
def test_p1_an_answer_that_fails_is_a_line_of_the_log_without_what_the_error_says(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail() -> list[str]:
        raise ValueError("my secret message")

    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLog())
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    log.addHandler(handler)
    try:
        with listening(ready=fail) as port, pytest.raises(http.client.RemoteDisconnected):
            ask(port, "GET", "/readyz")
    finally:
        log.removeHandler(handler)
    [line] = lines
    assert json.loads(line)["error"] == "ValueError"
    assert "secret" not in line + capfd.readouterr().err
