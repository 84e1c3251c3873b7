"""What a daemon tells the machine around it: JSON logs, metrics, systemd. Never content, never an id."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from vault.errors import VaultError

log = logging.getLogger("vault.daemon")

_FACTS = "facts"


def tell(level: int, event: str, **facts: object) -> None:
    """Log an event with its facts: counts, names of jobs and policies, places in policy files."""
    log.log(level, event, extra={_FACTS: facts})


def tell_error(event: str, error: Exception, **facts: object) -> None:
    """Log what went wrong. The vault's words hold no content; of other errors the kind and place are told."""
    if isinstance(error, VaultError):
        tell(logging.ERROR, event, **facts, error=type(error).__name__, says=str(error), hint=error.hint)
        return
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    tell(logging.ERROR, event, **facts, error=type(error).__name__, at=places[-5:])


class JsonLog(logging.Formatter):
    """One line of JSON for each record; what is not the vault's own is told without its arguments."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        ours = record.name == log.name
        said: dict[str, object] = {
            "at": at,
            "level": record.levelname.lower(),
            "event": record.msg if ours else f"from {record.name}",
        }
        return json.dumps({**said, **getattr(record, _FACTS, {})}, default=str, ensure_ascii=False)


def log_to_stderr() -> None:
    """Write the vault's log to stderr as JSON lines, and of what others log only that something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLog())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)


# -- systemd -------------------------------------------------------------------------------------------------


def notify(*states: str) -> None:
    """Tell systemd how the service stands, where it asked to be told."""
    where = os.environ.get("NOTIFY_SOCKET")
    if not where:
        return
    address = "\0" + where[1:] if where.startswith("@") else where
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.connect(address)
        out.sendall(
            "\n".join(states).encode()
        )  # who does not listen misses nothing that the log does not hold


def reloading() -> str:
    """Say that the settings are being read again, as systemd wants to hear it."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


# -- metrics -------------------------------------------------------------------------------------------------


class Metrics:
    """What Prometheus asks for, where its client is installed; labels name jobs, policies and classes."""

    def __init__(self) -> None:
        self._client = _client()
        self._made: dict[str, Any] = {}
        self._registry = self._client.CollectorRegistry() if self._client else None

    @property
    def is_there(self) -> bool:
        """Say whether there is anything to ask for."""
        return self._client is not None

    def count(self, name: str, says: str, number: float = 1, **labels: str) -> None:
        """Let a counter grow."""
        if self._client is not None:
            self._of(self._client.Counter, name, says, labels).inc(number)

    def show(self, name: str, says: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        if self._client is not None:
            self._of(self._client.Gauge, name, says, labels).set(value)

    def clear(self, name: str) -> None:
        """Forget what a gauge shows: what it says next is all there is."""
        if name in self._made:
            self._made[name].clear()

    def text(self) -> bytes:
        """Write everything in Prometheus' text format."""
        if self._client is None:
            return b""
        text: bytes = self._client.generate_latest(self._registry)
        return text

    def _of(self, kind: Callable[..., Any], name: str, says: str, labels: Mapping[str, str]) -> Any:  # noqa: ANN401 (an optional package's)
        if name not in self._made:
            self._made[name] = kind(f"vault_{name}", says, tuple(labels), registry=self._registry)
        return self._made[name].labels(**labels) if labels else self._made[name]


def _client() -> ModuleType | None:
    with suppress(ModuleNotFoundError):
        import prometheus_client  # noqa: PLC0415 (an extra)

        return prometheus_client
    return None
