"""How long forgetting takes among a million users, and how many keys it re-wraps."""

import statistics
import sys
import time
from pathlib import Path

import pytest
from million import fill
from sqlalchemy import event

from vault import Vault

USERS = 1_000_000
FORGETS = 101
BATCH = 100
BATCHES = 5


@pytest.mark.bench
def test_forgetting_many_of_a_million_takes_at_most_5_ms_and_120_rewraps_each(tmp_path: Path) -> None:
    directory = tmp_path / "vault"
    started = time.perf_counter()
    fill(directory, USERS)
    made = time.perf_counter() - started
    seconds, rewraps = [], []
    with Vault.open(directory, redactor=None) as vault:
        counted: list[int] = []

        @event.listens_for(vault._core.stores.keyring.engine, "before_cursor_execute")
        def count(*heard: object) -> None:
            if str(heard[2]).startswith("UPDATE nodes SET"):
                counted.append(len(heard[3]) if isinstance(heard[3], list) else 1)

        for number in range(FORGETS):
            counted.clear()
            before = time.perf_counter()
            vault.forget_user(f"u-{number * 9973}")
            seconds.append(time.perf_counter() - before)
            rewraps.append(sum(counted))
        vault.destroy_due(now=True)
        batches = []
        for number in range(BATCHES):
            before = time.perf_counter()
            vault.forget_users([f"u-{number * BATCH + one + 500}" for one in range(BATCH)])
            batches.append((time.perf_counter() - before) / BATCH)
    alone, together = statistics.median(seconds) * 1000, statistics.median(batches) * 1000
    sys.stdout.write(
        f"\n{USERS:,} users made in {made:.0f} s; forget, one at a time: median {alone:.2f} ms,"
        f" 90% {sorted(seconds)[FORGETS * 9 // 10] * 1000:.2f} ms; {BATCH} at a time: {together:.2f} ms each;"
        f" re-wraps of one: median {statistics.median(rewraps):.0f}, most {max(rewraps)}\n"
    )
    assert max(rewraps) <= 120
    assert together <= 5
