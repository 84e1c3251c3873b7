"""Export and import of many messages: the rate, the peak of memory, what a second worker brings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = int(os.environ.get("TRANSCRIPT_VAULT_BENCH_MESSAGES", "100000"))
REDACTED = min(COUNT, 10_000)
MOST = 200 * 1024  # KiB
TEXT = "The quick answer is that your invoice of last month was paid on the third, as agreed with {}. " * 4
TOP = Path(__file__).parents[2]

RUN = """
import json, resource, sys, time
from vault import Vault
def main():
    act, where, path, redacts, workers = sys.argv[1:]
    settings = {} if redacts == "yes" else {"redactor": None}
    with Vault.open(where, **settings) as vault:
        if redacts == "yes":
            vault.redact("Warm up, Anna Keller.")
        started = time.perf_counter()
        if act == "import":
            done = vault.import_from(path, "jsonl", workers=int(workers)).added
        else:
            done = vault.export(to=path, format=act).messages
        took = time.perf_counter() - started
    # Not ru_maxrss: that begins with what the parent had when it forked.
    [peak] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")]
    peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    print(json.dumps({"done": done, "took": took, "peak": peak}))
if __name__ == "__main__":
    main()
"""


def run(*words: object) -> tuple[int, float, int]:
    """Run one act in a process of its own; give the peak of the largest of its processes too."""
    path = Path(str(words[1])).parent / "act.py"
    path.write_text(RUN)
    done = subprocess.run(
        [sys.executable, path, *map(str, words)],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(TOP)},
    )  # fmt: skip
    found = json.loads(done.stdout)
    return found["done"], found["took"], found["peak"]


def tell(title: str, count: int, took: float, peak: int) -> None:
    sys.stdout.write(
        f"\n{title}: {count:,} in {took:.1f} s, {count / took:,.0f}/s, peak {peak / 1024:.0f} MiB\n"
    )


def write_lines(path: Path, count: int, sessions: int) -> None:
    with path.open("w") as file:
        for number in range(count):
            session = number * sessions // count
            line = {
                "user_id": f"u-{session // 5}",
                "session_id": f"s-{session}",
                "role": "assistant" if number % 2 else "user",
                "content": TEXT.replace("{}", f"Anna Keller on 020 7946 {number % 10_000:04d}"),
                "timestamp": 1_772_442_845 + number,
            }
            file.write(json.dumps(line) + "\n")


@pytest.mark.bench
def test_export_and_import_of_many_messages(tmp_path: Path) -> None:
    write_lines(tmp_path / "in.jsonl", COUNT, COUNT // 100)
    count, took, peak = run("import", tmp_path / "v", tmp_path / "in.jsonl", "no", 1)
    tell("import without redaction", count, took, peak)
    assert count == COUNT
    assert peak < MOST
    for form in ("jsonl", "html"):
        count, took, peak = run(form, tmp_path / "v", tmp_path / f"out.{form}", "no", 1)
        tell(f"export as {form}", count, took, peak)
        assert count == COUNT
        assert peak < MOST
    count, took, peak = run("import", tmp_path / "w", tmp_path / "out.jsonl", "no", 1)
    tell("import of that export", count, took, peak)
    assert peak < MOST


@pytest.mark.bench
def test_a_second_worker(tmp_path: Path) -> None:
    write_lines(tmp_path / "in.jsonl", REDACTED, REDACTED // 100)
    rates = []
    for workers in (1, 2):
        count, took, peak = run("import", tmp_path / f"v{workers}", tmp_path / "in.jsonl", "yes", workers)
        tell(f"import with redaction, {workers} workers", count, took, peak)
        rates.append(count / took)
    sys.stdout.write(
        f"two workers are {rates[1] / rates[0]:.2f} times as fast; load {os.getloadavg()[0]:.1f} on"
        f" {os.cpu_count()} cores\n"
    )
