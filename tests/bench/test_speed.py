"""Appending and reading beside plain peers: ratios of medians, several alternating rounds in one run."""

import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from vault import Vault

ROUNDS = 7
APPENDS = 300
LENGTH = 1000
TEXT = "The quick answer is that your invoice of last month was paid on the third, as agreed. " * 2

Rounds = dict[str, list[float]]


def alternate(**peers: Callable[[], float]) -> dict[str, float]:
    """Run each peer in turn, several times; give the median microseconds of each."""
    taken: Rounds = {name: [] for name in peers}
    for _ in range(ROUNDS):
        for name, run in peers.items():
            taken[name].append(run())
    return {name: statistics.median(times) * 1e6 for name, times in taken.items()}


def timed(count: int, act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) / count


def tell(title: str, medians: dict[str, float], peer: str) -> None:
    parts = [f"{name} {micro:.1f} µs ({micro / medians[peer]:.2f})" for name, micro in medians.items()]
    sys.stdout.write(f"\n{title} (ratio to {peer}): {', '.join(parts)}\n")


@pytest.mark.bench
def test_appending_and_reading_beside_raw_sqlite(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "raw.db", isolation_level=None)
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("CREATE TABLE messages (session TEXT, seq INTEGER PRIMARY KEY, role TEXT, body TEXT)")
    with closing(raw), Vault.open(tmp_path / "vault", redactor=None) as vault:
        chat = vault.transcript("u-1", "s-1")
        chat.extend([{"role": "user", "content": TEXT}] * LENGTH)

        def raw_appends() -> None:
            for _ in range(APPENDS):
                raw.execute("INSERT INTO messages (session, role, body) VALUES ('s', 'user', ?)", (TEXT,))

        def vault_appends() -> None:
            for _ in range(APPENDS):
                chat.append("user", TEXT)

        appends = alternate(
            raw=lambda: timed(APPENDS, raw_appends), vault=lambda: timed(APPENDS, vault_appends)
        )
        tell("append one", appends, "raw")
        reads = alternate(vault=lambda: timed(LENGTH, lambda: chat.messages(last=LENGTH)))
        tell(f"read {LENGTH}, a message", reads, "vault")


@pytest.mark.bench
def test_appending_and_reading_beside_langchain(tmp_path: Path) -> None:
    histories = pytest.importorskip(
        "langchain_community.chat_message_histories", reason="langchain-community is not installed"
    )
    peer = histories.SQLChatMessageHistory("s-1", connection=f"sqlite:///{tmp_path / 'peer.db'}")
    with Vault.open(tmp_path / "vault", redactor=None) as vault:
        chat = vault.transcript("u-1", "s-1")
        other = vault.transcript("u-1", "s-2")
        other.extend([{"role": "user", "content": TEXT}] * LENGTH)
        reading = histories.SQLChatMessageHistory("s-2", connection=f"sqlite:///{tmp_path / 'peer.db'}")
        messages = pytest.importorskip("langchain_core.messages")
        reading.add_messages([messages.HumanMessage(TEXT)] * LENGTH)

        def peer_appends() -> None:
            for _ in range(APPENDS):
                peer.add_message(messages.HumanMessage(TEXT))

        def vault_appends() -> None:
            for _ in range(APPENDS):
                chat.append("user", TEXT)

        appends = alternate(
            langchain=lambda: timed(APPENDS, peer_appends), vault=lambda: timed(APPENDS, vault_appends)
        )
        tell("append one", appends, "langchain")
        reads = alternate(
            langchain=lambda: timed(LENGTH, lambda: reading.messages),
            vault=lambda: timed(LENGTH, other.messages),
        )
        tell(f"read {LENGTH}, a message", reads, "langchain")
        assert appends["vault"] < appends["langchain"]
        assert reads["vault"] < reads["langchain"]
