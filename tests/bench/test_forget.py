"""How long forgetting takes among a million users, and how many keys it re-wraps."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from million import fill
from sqlalchemy import Connection

from vault import Vault
from vault.erasure import Eraser
from vault.storage import keyring

USERS = 1_000_000
FORGETS = 101
BATCH = 100
BATCHES = 5
DISK = Path("/var/tmp")  # other tests may lie in memory, where nothing is ever synced


@dataclass
class Spent:
    """What one forget spent where, in seconds, and how many keys it wrapped again."""

    deleting: float = 0
    syncing: float = 0
    syncs: int = 0
    rewraps: int = 0
    inside: list[str] = field(default_factory=list)

    def timed(self, work: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timing(*args: Any, **kwargs: Any) -> Any:
            self.inside.append(name)
            started = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                took = time.perf_counter() - started
                self.inside.pop()
                self.deleting += took * (name == "deleting")
                if name == "syncing" and "deleting" not in self.inside:
                    self.syncing, self.syncs = self.syncing + took, self.syncs + 1

        return timing

    def counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def counting(connection: Connection, changed: list[Any]) -> Any:
            self.rewraps += len(changed)
            return work(connection, changed)

        return counting


@contextmanager
def watched(spent: Spent) -> Iterator[None]:
    """Time the deletion of rows, and what waits for a disk: the root's syncs and the databases' commits."""
    with ExitStack() as patches:
        for place, name, new in (
            (Eraser, "_sweep", spent.timed(Eraser._sweep, "deleting")),
            (os, "fsync", spent.timed(os.fsync, "syncing")),
            (Connection, "commit", spent.timed(Connection.commit, "syncing")),
            (keyring, "update_nodes", spent.counted(keyring.update_nodes)),
        ):
            patches.enter_context(mock.patch.object(place, name, new))
        yield


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=DISK) as made:
        yield Path(made) / "vault"


@pytest.mark.bench
def test_forgetting_one_of_a_million_takes_at_most_5_ms_and_120_rewraps(directory: Path) -> None:
    started = time.perf_counter()
    fill(directory, USERS)
    os.sync()  # or what was made in bulk is still on its way to the disk, and every commit waits for it
    made = time.perf_counter() - started
    whole, rest, syncing, working, rewraps = [], [], [], [], []
    with Vault.open(directory, redactor=None) as vault:
        for number in range(FORGETS):
            spent = Spent()
            with watched(spent):
                before, worked = time.perf_counter(), time.process_time()
                vault.forget_user(f"u-{number * 9973}")
                whole.append(time.perf_counter() - before)
                working.append(time.process_time() - worked)
            rest.append(whole[-1] - spent.deleting)
            syncing.append(spent.syncing)
            rewraps.append(spent.rewraps)
        vault.destroy_due(now=True)
        batches = []
        for number in range(BATCHES):
            before = time.perf_counter()
            vault.forget_users([f"u-{number * BATCH + one + 500}" for one in range(BATCH)])
            batches.append((time.perf_counter() - before) / BATCH)
    alone, synced, together = (statistics.median(one) * 1000 for one in (rest, syncing, batches))
    sys.stdout.write(
        f"\n{USERS:,} users made in {made:.0f} s; forget, one at a time: median {alone:.2f} ms, 90%"
        f" {sorted(rest)[FORGETS * 9 // 10] * 1000:.2f} ms, of that {synced:.2f} ms"
        f" in fsyncs and commits; with the rows' deletion {statistics.median(whole) * 1000:.2f} ms, of that"
        f" {statistics.median(working) * 1000:.2f} ms of the processor; {BATCH} at a time: {together:.2f} ms"
        f" each; re-wraps of one: median {statistics.median(rewraps):.0f}, most {max(rewraps)}\n"
    )
    assert max(rewraps) <= 120
    assert together <= 5
    assert alone <= 5
