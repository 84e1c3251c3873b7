"""`/livez`, `/readyz` and `/metrics`, on the loopback address only: they have no password."""

from __future__ import annotations

import ipaddress
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from vault.errors import ConfigError
from vault.telemetry import Metrics, tell_error

DEFAULT = "127.0.0.1:8642"

Faults = Callable[[], list[str]]  # what is wrong, in words for an operator; nothing: all is well


def address_of(said: str) -> tuple[str, int]:
    """Read HOST:PORT; refuse what others than this machine can reach."""
    host, _, port = said.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 (the last port)
        raise ConfigError("the address to listen on is HOST:PORT", hint=f"--listen {DEFAULT}")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(
            "health and metrics are given to this machine only",
            hint=f"--listen {DEFAULT}, and a proxy in front of it where others must ask",
        )
    return ("127.0.0.1" if host == "localhost" else host), int(port)


class _Server(ThreadingHTTPServer):
    """Listens on an address of either kind."""

    def __init__(self, where: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        super().__init__(where, handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (socketserver's)
        """Tell of what fails as of all else, in the log (P1); who asked and went away is no event."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            tell_error("health can't answer", error)


def _handler(metrics: Metrics, answers: Mapping[str, Faults]) -> type[BaseHTTPRequestHandler]:
    """Make what answers three paths: those of probes by their faults, and that of the metrics."""

    class Handler(BaseHTTPRequestHandler):
        """Answers three paths."""

        server_version = "transcript-vault"
        sys_version = ""
        timeout = 5

        def do_GET(self) -> None:
            """Answer."""
            path = self.path.partition("?")[0]
            if path in answers:
                faults = answers[path]()
                status = HTTPStatus.SERVICE_UNAVAILABLE if faults else HTTPStatus.OK
                self._say(status, "application/json", json.dumps({"faults": faults}).encode())
            elif path == "/metrics" and metrics.is_there:
                self._say(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", metrics.text())
            else:
                self._say(HTTPStatus.NOT_FOUND, "application/json", b"{}")

        def do_HEAD(self) -> None:
            """Answer without the body."""
            self.do_GET()

        def _say(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's)
            """Say nothing: a probe every few seconds is no event."""

    return Handler


class Health:
    """A small server beside the daemon."""

    def __init__(self, where: tuple[str, int], metrics: Metrics, alive: Faults, ready: Faults) -> None:
        handler = _handler(metrics, {"/livez": alive, "/readyz": ready})
        try:
            self._server = _Server(where, handler)
        except OSError as error:
            raise ConfigError(
                f"health can't be served on port {where[1]}: {error.strerror}",
                hint="name another with --listen",
            ) from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """Give the port that is listened on, where 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
