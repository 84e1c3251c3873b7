"""How long a million expired messages take, beside a plain DELETE of an equal table, and who waits for it."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vault import Vault
from vault.clock import DAY, system_clock

if TYPE_CHECKING:
    from databases import Databases

USERS = int(os.environ.get("TRANSCRIPT_VAULT_BENCH_USERS", "10000"))
DAYS = 2
A_DAY = 50  # messages of one user
TEXT = "The quick answer is that your invoice of last month was paid on the third, as agreed. " * 2
POLICY = """\
version: 1
policy: bench
limits: {max_fraction: 100%}
classes:
  - name: default
    keep: {at_most: 30d}
"""


class Clock:
    """A clock that is set while the vault is filled."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def opened(place: list[str], **more: object) -> Vault:
    where, keyring, root, policy = place
    return Vault.open(where, keyring=keyring, root=root, policies=policy, redactor=None, **more)  # type: ignore[arg-type]


def fill(place: list[str]) -> float:
    """Let every user talk on some days of long ago, and say one thing today."""
    clock, started = Clock(), time.perf_counter()
    today = system_clock()
    with opened(place, clock=clock) as vault:
        for day in range(DAYS):
            clock.now = today - (60 - day) * DAY
            for user in range(USERS):
                vault.transcript(f"u-{user}", "s").extend(
                    [{"role": ("user", "assistant")[number % 2], "content": TEXT} for number in range(A_DAY)]
                )
        clock.now = today
        for user in range(USERS):
            vault.transcript(f"u-{user}", "s").append("user", TEXT)
    return time.perf_counter() - started


def plain(path: Path) -> float:
    """Delete as many rows of the same size from a table that nothing is sealed in."""
    total = USERS * DAYS * A_DAY
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute(
            "CREATE TABLE messages (session_id INTEGER, seq INTEGER, chapter_id INTEGER, role TEXT,"
            " created_at INTEGER, body BLOB, originals BLOB, originals_chapter_id INTEGER,"
            " PRIMARY KEY (session_id, seq)) WITHOUT ROWID"
        )
        raw.execute("BEGIN")
        rows = (
            (user, seq, user, "user", 0 if seq < DAYS * A_DAY else 2, os.urandom(len(TEXT) + 40))
            for user in range(USERS)
            for seq in range(DAYS * A_DAY + 1)
        )
        raw.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)", rows)
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        started = time.perf_counter()
        assert raw.execute("DELETE FROM messages WHERE created_at < 1").rowcount == total
        return time.perf_counter() - started


def purge(place: list[str]) -> None:
    """Run the policies in a process of its own, and tell of it."""
    with opened(place) as vault:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        planned = vault.purge(dry_run=True)
        between = time.perf_counter()
        runs = vault._core.runs()
        cut, keys = runs._cutter.cut, [0.0]

        def timed(*given: object) -> object:
            at = time.perf_counter()
            try:
                return cut(*given)  # type: ignore[arg-type]
            finally:
                keys[0] = time.perf_counter() - at

        runs._cutter.cut = timed  # type: ignore[assignment, method-assign]
        ran = runs.run()
        ended = time.perf_counter()
        assert planned.messages == ran.messages
    told = {
        "messages": ran.messages,
        "dry": between - started,
        "run": ended - between,
        "keys": keys[0],
        "before": before // 1024,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    sys.stdout.write(json.dumps(told))


def write_meanwhile(place: list[str], done: threading.Event) -> list[float]:
    """Append until somebody says stop; give how long each append took."""
    taken = []
    with opened(place) as vault:
        chat = vault.transcript("a writer", "s")
        chat.append("user", TEXT)
        while not done.is_set():
            started = time.perf_counter()
            chat.append("user", TEXT)
            taken.append(time.perf_counter() - started)
            done.wait(0.005)
    return sorted(taken)


@pytest.mark.bench
@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_purging_a_million_takes_at_most_twice_a_plain_delete(database: Databases, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    place = [database.transcripts, database.keyring, f"file:{tmp_path / 'root.key'}", str(policy)]
    made, peer = fill(place), plain(tmp_path / "plain.db")
    done, waited = threading.Event(), []
    writer = threading.Thread(target=lambda: waited.extend(write_meanwhile(place, done)))
    writer.start()
    try:
        ran = subprocess.run(
            [sys.executable, __file__, *place], check=True, stdout=subprocess.PIPE, text=True, timeout=3600
        )
    finally:
        done.set()
        writer.join()
    told = json.loads(ran.stdout)
    p99 = waited[len(waited) * 99 // 100] * 1000 if waited else 0
    sys.stdout.write(
        f"\n{database.dialect}: {told['messages']:,} messages of {USERS:,} users, made in {made:.0f} s;"
        f" purged in {told['run']:.1f} s, a plain DELETE on SQLite {peer:.1f} s ({told['run'] / peer:.2f});"
        f" the keys {told['keys'] * 1000:.0f} ms; a dry run {told['dry']:.1f} s;"
        f" peak {told['peak']} MB, {told['before']} MB before; {len(waited):,} appends meanwhile,"
        f" p99 {p99:.1f} ms, most {waited[-1] * 1000 if waited else 0:.0f} ms\n"
    )
    assert told["messages"] == USERS * DAYS * A_DAY
    assert told["peak"] <= 150


if __name__ == "__main__":
    purge(sys.argv[1:])
