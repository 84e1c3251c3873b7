"""The command line beside a mirror of the root that can't be used: it reads, and says what waits."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import Said, make, names_in, run
from failing_disks import Disk, fail_in_the_middle, of_all_ways


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patched:
        yield Disk(tmp_path / "b", patched)


@pytest.fixture
def where(tmp_path: Path, disk: Disk) -> Path:
    where = make(tmp_path / "v", anna=["hello"], ben=["hello"])
    assert run("--vault", where, "keys", "move", f"file:{tmp_path}/a/root.key,{disk.root}").code == 0
    return where


def forget(where: Path, user: str, *words: str) -> Said:
    return run("--vault", where, "forget-user", user, "--confirm", user, *words)


def read_everything(where: Path, tmp_path: Path, name: str) -> list[Said]:
    (tmp_path / "in.jsonl").write_text('{"role": "user", "content": "more"}\n')
    imported = ("import", tmp_path / "in.jsonl", "--from", "jsonl", "--user", "carla", "--session", name)
    said = [
        run("--vault", where, *words)
        for words in (
            ("show", "ben", "s-1"),
            ("sessions",),
            ("backup", tmp_path / name),
            ("log", "verify"),
            imported,
            ("export", "--user", "ben"),
        )
    ]
    assert [one.code for one in said] == [0] * len(said), said
    assert "hello" in said[0].out
    return said


def failures(where: Path) -> list[str]:
    told = run("--vault", where, "doctor", "--json")
    found = [one["check"] for one in told.json["checks"] if one["state"] == "FAILED"]
    assert told.code == (4 if found else 0)
    assert "it works" not in run("--vault", where, "doctor").err or not found
    return found


@pytest.mark.wide
@of_all_ways
def test_p7_who_was_refused_leaves_everything_as_it_was(
    where: Path, disk: Disk, tmp_path: Path, fails: Callable[[Disk], None]
) -> None:
    fails(disk)
    refused = forget(where, "anna", "--now")
    assert refused.code == 4
    assert "hint: " in refused.err
    assert all("waits" not in one.err for one in read_everything(where, tmp_path, "one"))
    assert "hello" in run("--vault", where, "show", "anna", "s-1").out
    assert failures(where) == ["root"]
    disk.is_mended()
    assert failures(where) == []
    assert forget(where, "anna", "--now").code == 0


@pytest.mark.wide
@of_all_ways
def test_p7_an_erasure_that_waits_is_told_and_everybody_else_is_served(
    where: Path, disk: Disk, tmp_path: Path, fails: Callable[[Disk], None]
) -> None:
    fail_in_the_middle(disk, fails)
    assert forget(where, "anna", "--now").code == 4
    for name in ("one", "two"):
        said = read_everything(where, tmp_path, name)
        assert all("warning: an erasure waits: " in one.err for one in said)
        assert run("--vault", where, "show", "anna", "s-1").code == 1
    assert failures(where) == ["root", "erasures"]
    assert run("--vault", where, "keys", "destroy-due").code == 4
    assert run("--vault", where, "daemon", "--once").code == 4
    disk.is_mended()
    assert run("--vault", where, "daemon", "--once").code == 0
    assert failures(where) == []


@pytest.mark.wide
@of_all_ways
@pytest.mark.parametrize("waits", [True, False])
def test_a_mirror_that_can_not_be_used_is_given_up_and_what_stays_there_is_told(
    where: Path, disk: Disk, fails: Callable[[Disk], None], *, waits: bool
) -> None:
    if waits:
        fail_in_the_middle(disk, fails)
        assert forget(where, "anna", "--now").code == 4
    else:
        fails(disk)
    uri = f"file:{where.parent}/a/root.key"
    dry = run("--vault", where, "keys", "move", uri, "--dry-run")
    assert (dry.code, dry.out) == (0, f"the root would lie at {uri}\n")
    done = run("--vault", where, "keys", "move", uri)
    assert (done.code, done.out) == (0, f"the root lies at {uri}\n")
    assert str(disk.root) in done.err
    assert "opens what was alive until now" in done.err
    assert tomllib.loads((where / "vault.toml").read_text())["root"] == uri
    assert failures(where) == []
    assert run("--vault", where, "keys", "status", "--json").json["unfinished"] == 0
    assert forget(where, "ben", "--now").code == 0
    if disk.root.is_file():
        assert disk.root.stat().st_size
    assert "root.key" in names_in(where.parent / "a")


@pytest.mark.wide
def test_a_root_of_which_no_file_can_be_changed_is_not_moved(where: Path, disk: Disk) -> None:
    assert run("--vault", where, "keys", "move", f"file:{disk.root}").code == 0
    disk.is_read_only()
    before = (where / "vault.toml").read_text()
    said = run("--vault", where, "keys", "move", f"file:{where.parent}/a/root.key")
    assert said.code == 4
    assert (where / "vault.toml").read_text() == before
    assert "root.key" not in names_in(where.parent / "a")
