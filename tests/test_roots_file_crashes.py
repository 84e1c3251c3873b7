"""A root in a file whose processes die at any step, or are many at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import root_files
from root_files import AAD, HOLDER, KEY, VAULT, document, holding, key_of, phases, remains, swap

from vault.roots import Phase
from vault.roots.file import FileRoot

paths, root = root_files.paths, root_files.root


# Crashes


STEPS = """
import os, sys
from pathlib import Path
from vault.roots.file import FileRoot

place, change = Path(sys.argv[1]), sys.argv[2]

def die_at(step):
    done = 0
    for name in ("open", "fchmod", "write", "fsync", "pread", "link", "replace", "unlink"):
        def counted(*given, name=name, real=getattr(os, name), **named):
            nonlocal done
            done += 1
            if done == step:
                if name == "write":  # half of it reaches the file
                    real(given[0], given[1][: len(given[1]) // 2])
                os._exit(9)
            return real(*given, **named)
        setattr(os, name, counted)

def attempt(step):
    paths = tuple(place / str(step) / name / "root.key" for name in "ab")
    for path in paths:
        path.parent.mkdir(parents=True)
    root = FileRoot(paths)
    if change != "create":
        first = root.create(b"v" * 16, b"h" * 16, 1).id
        (place / str(step) / "wrapped").write_bytes(root.wrap(first, b"k" * 32, b"place"))
    if change in ("promote", "destroy"):
        second = root.stage(2, (), 20).id
    if change == "destroy":
        root.promote(second, 30)
    child = os.fork()
    if child == 0:
        die_at(step)
        if change == "create":
            root.create(b"v" * 16, bytes(16), 1)  # as a vault makes it: nobody holds it yet
        elif change == "stage":
            root.stage(2, (), 20)
        elif change == "promote":
            root.promote(second, 30)
        else:
            root.destroy((first,))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

step = 1
while code := attempt(step):
    assert code == 9, code
    step += 1
"""


def crashed(tmp_path: Path, change: str) -> list[tuple[Path, Path]]:
    """Carry a change out many times, each killed one step later; give the mirrors that each one left."""
    subprocess.run([sys.executable, "-c", STEPS, tmp_path, change], check=True, timeout=120)
    found = [
        (place / "a" / "root.key", place / "b" / "root.key") for place in tmp_path.iterdir() if place.is_dir()
    ]
    assert len(found) > (10 if change == "stage" else 20)
    return found


def unaltered(paths: tuple[Path, Path]) -> bool:
    """Can the first generation still open what it sealed?"""
    root = FileRoot(paths)
    wrapped = (paths[0].parent.parent / "wrapped").read_bytes()
    return root.unwrap(root.load().generations[0].id, wrapped, AAD) == KEY


def whole(paths: tuple[Path, Path]) -> bool:
    """Do the mirrors agree, with nothing left beside them?"""
    return paths[0].read_bytes() == paths[1].read_bytes() and remains(*paths) == []


@pytest.mark.wide
def test_p8_a_root_killed_while_it_is_made_is_there_or_can_be_made_again(tmp_path: Path) -> None:
    made = 0
    for paths in crashed(tmp_path, "create"):
        root = FileRoot(paths)
        if any(path.exists() for path in paths):
            made += 1
            assert phases(root.load()) == [(1, "current")]
            root.claim(HOLDER)
        else:
            root.create(VAULT, HOLDER, 1)
        assert whole(paths)
    assert made > 1


@pytest.mark.wide
def test_p8_staging_killed_at_any_step_can_be_repeated(tmp_path: Path) -> None:
    seen = set()
    for paths in crashed(tmp_path, "stage"):
        root = FileRoot(paths)
        seen.add(len(root.load().generations))
        assert unaltered(paths)
        new = root.stage(2, (), 21)
        assert root.load().generations[1:] == (new,)
        assert unaltered(paths)
        assert whole(paths)
    assert seen == {1, 2}


@pytest.mark.wide
def test_p8_promoting_killed_at_any_step_can_be_repeated(tmp_path: Path) -> None:
    seen = set()
    for paths in crashed(tmp_path, "promote"):
        root = FileRoot(paths)
        state = root.load()
        seen.add(state.generations[1].phase)
        assert unaltered(paths)
        root.promote(state.generations[1].id, 30)
        assert phases(root.load()) == [(1, "retired"), (2, "current")]
        assert root.load().generations[0].retired_at == 30
        assert unaltered(paths)
        assert whole(paths)
    assert seen == {Phase.STAGED, Phase.CURRENT}


@pytest.mark.wide
def test_p3_p8_destroying_killed_at_any_step_can_be_repeated_and_leaves_no_key(tmp_path: Path) -> None:
    seen = set()
    for paths in crashed(tmp_path, "destroy"):
        place = paths[0].parent.parent
        root = FileRoot(paths)
        state = root.load()
        seen.add(len(state.generations))
        keys = {b64encode(held.key) for path in paths for held in document(path).generations}
        kept = key_of(paths[0], 2)
        files = [found.open("rb") for name in "ab" for found in (place / name).iterdir()]
        gone = tuple(one.id for one in state.generations if one.phase is Phase.RETIRED)
        root.destroy(gone)
        assert phases(root.load()) == [(2, "current")]
        assert whole(paths)
        for key in keys - {kept}:
            assert holding(place, key) == []
        # Nor is a key in what has lost its name by now: all that lay there was overwritten.
        for file in files:
            with file:
                assert not file.read().strip(b"\0")
    assert seen == {1, 2}


# Many at once


def test_threads_lose_no_change_of_each_other(root: FileRoot, paths: tuple[Path, Path]) -> None:
    def work(number: int) -> None:
        # Half of them share one object, and the URI names the mirrors in either order.
        mine = root if number % 2 else FileRoot(paths[:: 1 if number % 4 else -1])
        for _ in range(5):
            mine.claim(bytes([number]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert document(paths[0]).serial == 1 + 8 * 5
    assert whole(paths)


@pytest.mark.wide
def test_p8_readers_see_a_whole_root_while_it_changes(root: FileRoot, paths: tuple[Path, Path]) -> None:
    first = root.load().generations[0].id
    wrapped = root.wrap(first, KEY, AAD)
    done = threading.Event()

    def look(number: int) -> int:
        reads = 0
        while not done.is_set():
            mine = FileRoot(paths[: 1 + number % 2])
            assert mine.unwrap(first, wrapped, AAD) == KEY
            reads += 1
        return reads

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(look, number) for number in range(4)]
        try:
            for _ in range(15):
                swap(root)
        finally:
            done.set()
        assert min(read.result() for read in reading) > 0


def test_p8_a_file_that_is_replaced_and_overwritten_under_a_reader_is_read_anew(
    root: FileRoot, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, real = FileRoot(paths[:1]), os.fstat

    def fstat(handle: int) -> os.stat_result:
        """The first thing that happens to a file once it is open."""
        info = real(handle)
        monkeypatch.undo()
        swap(root)
        return info

    monkeypatch.setattr(os, "fstat", fstat)
    assert phases(reader.load()) == [(1, "retired"), (2, "current")]


SWAPS = """
import fcntl, sys
from pathlib import Path
from vault.roots import Erased
from vault.roots.file import FileRoot

place, worker = Path(sys.argv[1]), sys.argv[2]
root = FileRoot((place / "a" / "root.key", place / "b" / "root.key"))
for turn in range(6):
    with (place / "swap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ordinal = root.load().generations[-1].ordinal + 1
        label = f"{worker}.{turn}"
        erased = Erased(label.encode(), "user", (), b"", label, 1)
        new = root.stage(ordinal, (erased,), ordinal)
        (place / f"wrapped.{new.id.hex()}").write_bytes(root.wrap(new.id, b"k" * 32, b"place"))
        root.promote(new.id, ordinal)
    root.claim(worker.encode())
"""


@pytest.mark.wide
def test_p8_processes_that_swap_in_turn_lose_no_generation_and_no_erasure(
    root: FileRoot, paths: tuple[Path, Path], tmp_path: Path
) -> None:
    workers = [subprocess.Popen([sys.executable, "-c", SWAPS, tmp_path, str(number)]) for number in range(4)]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 4
    state = root.load()
    assert [one.ordinal for one in state.generations] == list(range(1, 26))
    assert {e.pseudonym for one in state.generations for e in one.erased} == {
        f"{number}.{turn}" for number in range(4) for turn in range(6)
    }
    for one in state.generations[1:]:
        wrapped = (tmp_path / f"wrapped.{one.id.hex()}").read_bytes()
        assert FileRoot(paths).unwrap(one.id, wrapped, AAD) == KEY
    assert whole(paths)
