"""How long a million expired messages take, beside a plain DELETE of an equal table, and who waits for it.

Both are done in turn, a few times, each on data made anew; a writer goes on beside both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from operator import truediv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from expired import A_DAY, AGES, LENGTHS, TEXT, fill
from sqlalchemy import Connection, create_engine, event, text

from vault import Vault
from vault.clock import DAY, system_clock

if TYPE_CHECKING:
    from databases import Databases

USERS = int(os.environ.get("TRANSCRIPT_VAULT_BENCH_USERS", "10000"))
TURNS = int(os.environ.get("TRANSCRIPT_VAULT_BENCH_TURNS", "2"))
POLICY = """\
version: 1
policy: bench
limits: {max_fraction: 100%}
classes:
  - name: default
    keep: {at_most: 30d}
"""


def opened(place: list[str], **more: object) -> Vault:
    where, keyring, root, policy = place
    return Vault.open(where, keyring=keyring, root=root, policies=policy, redactor=None, **more)  # type: ignore[arg-type]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection as an app has one: with the settings of the vault's own, and nothing more."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(raw: object, _record: object) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
                raw.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    with engine.connect() as connection:
        yield connection
    engine.dispose()


def make_plain(vault: Vault, url: str, *, refers: bool = False) -> None:
    """Make a table that is equal to the vault's messages, with all their rows, in a database of its own.

    Where it `refers` to the sessions as theirs does, SQLite looks for the session of each row that goes.
    """
    source = vault._core.stores.transcripts.engine.url
    is_file = source.get_backend_name() == "sqlite"
    blob, kind = ("BLOB", " WITHOUT ROWID") if is_file else ("BYTEA", "")
    reference = ", FOREIGN KEY (session_id) REFERENCES sessions (id)" if refers else ""
    with connected(url) as connection:
        run = connection.exec_driver_sql
        run("CREATE TABLE sessions (id INTEGER PRIMARY KEY)")
        run(
            "CREATE TABLE plain (session_id BIGINT NOT NULL, seq BIGINT NOT NULL, chapter_id BIGINT NOT NULL,"
            f" role VARCHAR(16) NOT NULL, created_at BIGINT NOT NULL, body {blob} NOT NULL,"
            f" originals {blob}, originals_chapter_id BIGINT, PRIMARY KEY (session_id, seq){reference}){kind}"
        )
        if is_file:
            run(f"ATTACH '{source.database}' AS vault")
            run("INSERT INTO sessions SELECT id FROM vault.sessions")
            run("INSERT INTO plain SELECT * FROM vault.messages")
            run("DETACH vault")
            return
        with connected(source.render_as_string(hide_password=False)) as reading:
            raw, into = reading.connection.cursor(), connection.connection.cursor()
            with raw.copy("COPY messages TO STDOUT") as rows, into.copy("COPY plain FROM STDIN") as copy:
                for block in rows:
                    copy.write(block)


def settle(url: str) -> None:
    """Let the database know how much there is, as it does by itself after a while."""
    with connected(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")


def plain(url: str) -> tuple[int, float]:
    """Delete what is past its date, as an app would that seals nothing."""
    before = system_clock() - 30 * DAY
    with connected(url) as connection:
        started = time.perf_counter()
        gone = connection.execute(text("DELETE FROM plain WHERE created_at < :before"), {"before": before})
        return gone.rowcount, time.perf_counter() - started


def peak() -> int:
    """Give the most memory that this process ever had, in MB; getrusage would count its parent too."""
    [line] = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024


def purge(place: list[str]) -> None:
    """Run the policies in a process of its own, and tell of it."""
    with opened(place) as vault:
        before = peak()
        runs, keys = vault._core.runs(), [0.0]
        erase = vault._core.eraser.purge  # without the sweep of what hung from the keys

        def timed(*given: object) -> object:
            at = time.perf_counter()
            try:
                return erase(*given)  # type: ignore[arg-type]
            finally:
                keys[0] = time.perf_counter() - at

        vault._core.eraser.purge = timed  # type: ignore[assignment, method-assign]
        started = time.perf_counter()
        ran = runs.run()
        ended = time.perf_counter()
    told = {
        "messages": ran.messages,
        "epochs": ran.epochs,
        "run": ended - started,
        "keys": keys[0],
        "before": before,
        "peak": peak(),
    }
    sys.stdout.write(json.dumps(told))


@contextmanager
def writing(place: list[str]) -> Iterator[list[float]]:
    """Append to a session all the while, and note how long each append took."""
    taken: list[float] = []
    done = threading.Event()

    def write() -> None:
        with opened(place) as vault:
            chat = vault.transcript("a writer", "s")
            chat.append("user", TEXT)
            while not done.wait(0.005):
                started = time.perf_counter()
                chat.append("user", TEXT)
                taken.append(time.perf_counter() - started)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield taken
    finally:
        done.set()
        writer.join()
        taken.sort()


def waited(taken: list[float]) -> str:
    if not taken:
        return "no append"
    half, late, most = (1000 * taken[place] for place in (len(taken) // 2, len(taken) * 99 // 100, -1))
    return f"{len(taken):,} appends, half in {half:.1f} ms, p99 {late:.0f} ms, most {most:.0f} ms"


@pytest.mark.bench
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_purging_a_million_beside_a_plain_delete(database: Databases, tmp_path: Path, length: str) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    total = USERS * A_DAY * (len(AGES) - 1)
    times: dict[str, list[float]] = {"purge": [], "plain": [], "referring": []}
    for turn in range(TURNS):
        others = {"plain": database.another()}
        if database.dialect == "sqlite":  # elsewhere it makes no difference
            others["referring"] = database.another()
        place = [database.another(), database.another(), f"file:{tmp_path / f'root-{turn}.key'}", str(policy)]
        started = time.perf_counter()
        with opened(place) as vault:
            fill(vault, USERS, length)
            for name, url in others.items():
                make_plain(vault, url, refers=name == "referring")
        for url in (*place[:2], *others.values()):
            settle(url)
        made = time.perf_counter() - started
        with writing(place) as beside_plain:
            for name, url in others.items():
                gone, seconds = plain(url)
                assert gone == total
                times[name].append(seconds)
        with writing(place) as beside_purge:
            ran = subprocess.run(
                [sys.executable, __file__, *place],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                timeout=3600,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},  # where the other tests are
            )
        told = json.loads(ran.stdout)
        times["purge"].append(told["run"])
        sys.stdout.write(
            f"\n{database.dialect}: {told['messages']:,} messages, {length}, of {USERS:,} users,"
            f" made in {made:.0f} s; purged in {told['run']:.2f} s ({told['messages'] / told['run']:,.0f}/s),"
            f" the keys alone {told['keys'] * 1000:.0f} ms;"
            f" peak {told['peak']} MB, {told['before']} MB before\n"
            f"  beside the purge {waited(beside_purge)}\n  beside the DELETE {waited(beside_plain)}\n"
        )
        assert told["messages"] == total
        assert told["peak"] <= 150
    for name in others:
        ratio = statistics.median(map(truediv, times["purge"], times[name]))
        seconds = statistics.median(times[name])
        sys.stdout.write(
            f"{database.dialect}, {length}: {ratio:.2f} times as long as a {name} DELETE of {seconds:.2f} s\n"
        )


if __name__ == "__main__":
    purge(sys.argv[1:])
