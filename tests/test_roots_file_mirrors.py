"""Mirrors of a root in a file: which one counts, how the others are healed, and what an operator is told."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import root_files
from root_files import HOLDER, VAULT, document, holding, key_of, remains, swap

from vault.errors import ConfigError, RootUnavailableError
from vault.roots import UNCLAIMED
from vault.roots.file import FileRoot
from vault.roots.file_format import encode

paths, root = root_files.paths, root_files.root


# Mirrors


def test_a_change_that_a_mirror_can_not_take_changes_nothing_and_may_be_repeated(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    shutil.rmtree(paths[1].parent)
    before = paths[0].read_bytes()
    with pytest.raises(RootUnavailableError, match=str(paths[1])):
        root.stage(2, (), 20)
    assert paths[0].read_bytes() == before
    assert any("missing" in warning for warning in root.warnings())
    paths[1].parent.mkdir()
    root.spread()
    root.stage(2, (), 20)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not any("missing" in warning for warning in root.warnings())


CHANGES: list[Callable[[FileRoot], object]] = [
    lambda root: root.stage(2, (), 20),
    lambda root: root.destroy(()),
    lambda root: root.claim(b"other"),
    lambda root: root.require_mirrors(),
]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("change", CHANGES)
def test_p3_nothing_changes_while_the_file_of_a_mirror_is_away(
    root: FileRoot, paths: tuple[Path, Path], change: Callable[[FileRoot], object], place: int
) -> None:
    """Its disk may not be mounted: what is destroyed elsewhere would live on there."""
    before = paths[0].read_bytes()
    disk = paths[place].parent.rename(paths[place].parents[1] / "unmounted")
    paths[place].parent.mkdir()
    with pytest.raises(RootUnavailableError, match=str(paths[place])) as caught:
        change(root)
    assert "mount" in caught.value.hint
    root.heal()
    assert list(paths[place].parent.iterdir()) == []
    assert paths[1 - place].read_bytes() == (disk / "root.key").read_bytes() == before


def test_a_mirror_is_written_anew_where_that_is_asked_for(root: FileRoot, paths: tuple[Path, Path]) -> None:
    paths[1].unlink()
    root.spread()
    assert paths[0].read_bytes() == paths[1].read_bytes()
    swap(root)


def test_p8_a_root_whose_making_was_interrupted_between_its_mirrors_is_completed(
    paths: tuple[Path, Path],
) -> None:
    FileRoot(paths).create(VAULT, UNCLAIMED, 1)
    paths[1].unlink()
    FileRoot(paths).claim(HOLDER)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_p3_a_mirror_that_comes_back_loses_what_was_destroyed_meanwhile(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    first = root.load().generations[0]
    key, away = key_of(paths[0], 1), paths[1].read_bytes()
    swap(root)
    root.destroy((first.id,))
    paths[1].write_bytes(away)
    root.heal()
    assert holding(paths[0].parents[1], key) == []
    assert paths[0].read_bytes() == paths[1].read_bytes()
    healed = paths[0].stat().st_mtime_ns
    root.heal()  # which is nothing to do any more
    assert paths[0].stat().st_mtime_ns == healed


@pytest.mark.parametrize(
    ("change", "room"),
    [
        (lambda root: root.stage(2, (), 20), -1),
        (lambda root: root.stage(2, (), 20), 10),  # for a part of what is added
        (lambda root: root.claim(b"other"), -200),
    ],
)
def test_a_full_disk_changes_nothing_and_leaves_no_key_behind(
    root: FileRoot, paths: tuple[Path, Path], change: Callable[[FileRoot], object], room: int
) -> None:
    before = paths[0].read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, limit[1]))
    try:
        with pytest.raises(RootUnavailableError, match="can't be written"):
            change(root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [path.read_bytes() for path in paths] == [before, before]
    assert remains(*paths) == []
    swap(root)


@pytest.mark.parametrize("place", [0, 1])
def test_one_mirror_serves_when_the_other_is_gone(
    root: FileRoot, paths: tuple[Path, Path], place: int
) -> None:
    state = root.load()
    paths[place].unlink()
    assert FileRoot(paths).load() == state


@pytest.mark.parametrize("place", [0, 1])
def test_the_newest_mirror_wins_and_the_other_is_healed(
    root: FileRoot, paths: tuple[Path, Path], place: int
) -> None:
    old = paths[place].read_bytes()
    swap(root)
    state = root.load()
    paths[place].write_bytes(old)
    assert root.load() == state
    assert any(f"{paths[place]} is behind" in warning for warning in root.warnings())
    root.claim(HOLDER)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert root.load() == state


def test_a_mirror_that_failed_attempts_have_aged_does_not_undo_a_finished_swap(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    stale = msgspec.structs.replace(document(paths[0]), serial=99)
    swap(root)
    state = root.load()
    paths[0].write_bytes(encode(stale, None, None))
    assert root.load() == state
    root.claim(HOLDER)
    assert FileRoot((paths[0],)).load() == state


def test_mirrors_that_were_changed_apart_are_not_chosen_between(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    for path in paths:
        FileRoot((path,)).stage(2, (), 20)
    with pytest.raises(RootUnavailableError, match="apart"):
        root.load()
    with pytest.raises(RootUnavailableError, match="apart"):
        root.stage(2, (), 20)
    assert "apart" in root.warnings()[0]


def test_mirrors_of_different_vaults_are_refused(paths: tuple[Path, Path]) -> None:
    for path, vault in zip(paths, (b"1", b"2"), strict=True):
        FileRoot((path,)).create(vault, HOLDER, 1)
    with pytest.raises(ConfigError, match="different vaults"):
        FileRoot(paths).load()


@pytest.mark.parametrize("content", [b"", b"not a root", b"{}"])
def test_a_mirror_that_can_not_be_read_is_reported_and_never_overwritten(
    root: FileRoot, paths: tuple[Path, Path], content: bytes
) -> None:
    state = root.load()
    paths[1].write_bytes(content)
    assert root.load() == state
    assert any(str(paths[1]) in warning and "damaged" in warning for warning in root.warnings())
    with pytest.raises(RootUnavailableError, match=str(paths[1])):
        root.stage(2, (), 20)
    assert paths[1].read_bytes() == content
    assert root.load() == state


def test_p7_no_mirror_at_all_is_an_error_that_names_them(paths: tuple[Path, Path]) -> None:
    with pytest.raises(RootUnavailableError, match="there is no root at") as caught:
        FileRoot(paths).load()
    assert all(str(path) in str(caught.value) for path in paths)
    paths[0].mkdir()
    paths[1].write_bytes(b"?")
    paths[1].chmod(0o600)
    with pytest.raises(RootUnavailableError, match=r"not a regular file.*damaged"):
        FileRoot(paths).load()
    assert len(FileRoot(paths).warnings()) == 1


def test_two_names_of_one_file_are_no_mirrors(paths: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(paths[0].parent)
    with pytest.raises(ConfigError, match="one file"):
        FileRoot((paths[0], tmp_path / "alias" / "root.key")).create(VAULT, HOLDER, 1)
    assert not paths[0].exists()


def test_mirrors_that_are_hard_links_become_two_files_at_the_first_change(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    paths[1].unlink()
    paths[1].hardlink_to(paths[0])
    assert any("hard link" in warning for warning in root.warnings())
    swap(root)
    assert not paths[0].samefile(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_two_roots_in_one_directory_keep_out_of_each_others_way(tmp_path: Path) -> None:
    one, two = FileRoot((tmp_path / "root.key",)), FileRoot((tmp_path / "root.key.0123456789abcdef",))
    one.create(b"1", HOLDER, 1)
    two.create(b"2", HOLDER, 1)
    (tmp_path / ".root.key.0123456789abcdef.0123456789abcdef.new").write_bytes(b"two's")
    swap(one)
    assert (tmp_path / ".root.key.0123456789abcdef.0123456789abcdef.new").exists()
    swap(two)
    assert (one.load().vault, two.load().vault) == (b"1", b"2")
    assert remains(tmp_path / "root.key") == [
        ".root.key.0123456789abcdef.lock",
        "root.key.0123456789abcdef",
    ]


# What an operator is told


def test_a_root_without_a_mirror_is_reported(tmp_path: Path) -> None:
    root = FileRoot((tmp_path / "root.key",))
    root.create(VAULT, HOLDER, 1)
    assert [warning for warning in root.warnings() if "no mirror" in warning]


def test_mirrors_in_one_place_are_reported(root: FileRoot, tmp_path: Path) -> None:
    assert root.warnings() == ["mirrors of the root lie on one device, and are lost with it"]
    together = FileRoot((tmp_path / "1", tmp_path / "2"))
    together.create(VAULT, HOLDER, 1)
    assert together.warnings() == ["mirrors of the root lie on one directory, and are lost with it"]


def test_a_directory_that_others_may_write_to_is_reported(root: FileRoot, paths: tuple[Path, Path]) -> None:
    paths[0].parent.chmod(0o777)
    assert any("chmod go-w" in warning for warning in root.warnings())


def test_what_an_interrupted_change_left_is_reported(root: FileRoot, paths: tuple[Path, Path]) -> None:
    paths[0].with_name(".root.key.0123456789abcdef.new").write_bytes(b"key")
    assert any("interrupted" in warning for warning in root.warnings())
    root.claim(HOLDER)
    assert not any("interrupted" in warning for warning in root.warnings())
