"""The root in a file: what it keeps, and what it lets go of."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import root_files
from hypothesis import given
from hypothesis import strategies as st
from root_files import AAD, HOLDER, KEY, VAULT, entry, holding, key_of, phases, remains, swap

from vault.errors import ConfigError, KeyringOutdatedError, RootUnavailableError, TamperedError, UsageError
from vault.roots import Generation, Noted, Phase, RootState
from vault.roots.file import FileRoot
from vault.roots.file_disk import MAX_BYTES
from vault.roots.file_format import Document, Held

paths, root = root_files.paths, root_files.root


# What it keeps


def test_a_new_root_has_one_current_generation_on_every_mirror(paths: tuple[Path, Path]) -> None:
    root = FileRoot(paths)
    first = root.create(VAULT, HOLDER, 7)
    assert first == Generation(first.id, 1, Phase.CURRENT, 7, None, ())
    for path in paths:
        assert FileRoot((path,)).load() == RootState(VAULT, HOLDER, (first,))
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_root_is_made_private_whatever_the_umask_says(paths: tuple[Path, Path]) -> None:
    for path, umask in zip(paths, (0o000, 0o777), strict=True):
        before = os.umask(umask)
        try:
            FileRoot((path,)).create(VAULT, HOLDER, 1)
        finally:
            os.umask(before)
        assert path.stat().st_mode & 0o777 == 0o600
        assert FileRoot((path,)).load().vault == VAULT


@pytest.mark.parametrize("place", [0, 1])
def test_create_refuses_where_any_path_exists(paths: tuple[Path, Path], place: int) -> None:
    paths[place].write_bytes(b"precious")
    with pytest.raises(ConfigError, match=str(paths[place])):
        FileRoot(paths).create(VAULT, HOLDER, 1)
    assert paths[place].read_bytes() == b"precious"
    assert not paths[1 - place].exists()


@pytest.mark.parametrize("place", [0, 1])
def test_a_root_exists_as_soon_as_anything_is_at_one_of_its_paths(
    paths: tuple[Path, Path], place: int
) -> None:
    assert not FileRoot(paths).exists()
    assert not FileRoot((Path("/missing/place/root.key"),)).exists()
    paths[place].write_bytes(b"?")
    assert FileRoot(paths).exists()


def test_create_refuses_where_a_dangling_link_lies(paths: tuple[Path, Path]) -> None:
    paths[0].symlink_to("nowhere")
    with pytest.raises(ConfigError, match="already"):
        FileRoot(paths).create(VAULT, HOLDER, 1)


def test_a_wrapped_key_opens_from_any_mirror_and_after_swaps(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    first = root.load().generations[0].id
    wrapped = root.wrap(first, KEY, AAD)
    swap(root)
    for path in paths:
        assert FileRoot((path,)).unwrap(first, wrapped, AAD) == KEY


def test_p2_a_wrapped_key_opens_in_its_own_place_only(root: FileRoot) -> None:
    first = root.load().generations[0].id
    wrapped = root.wrap(first, KEY, AAD)
    with pytest.raises(TamperedError):
        root.unwrap(first, wrapped, b"another place")
    with pytest.raises(TamperedError):
        root.unwrap(swap(root), wrapped, AAD)


def test_a_swap_retires_the_current_generation(root: FileRoot) -> None:
    first = root.load().generations[0]
    new = root.stage(2, (entry("one"),), 20)
    assert new == Generation(new.id, 2, Phase.STAGED, 20, None, (entry("one"),))
    root.promote(new.id, 30)
    assert root.load().generations == (
        replace(first, phase=Phase.RETIRED, retired_at=30),
        replace(new, phase=Phase.CURRENT),
    )


def test_promoting_twice_is_promoting_once(root: FileRoot) -> None:
    new = root.stage(2, (), 20)
    root.promote(new.id, 30)
    once = root.load()
    root.promote(new.id, 40)
    assert root.load() == once


def test_promoting_what_is_absent_or_retired_is_refused(root: FileRoot) -> None:
    first = root.load().generations[0].id
    swap(root)
    with pytest.raises(RootUnavailableError, match="does not hold"):
        root.promote(b"x" * 16, 30)
    with pytest.raises(UsageError, match="retired"):
        root.promote(first, 30)
    assert phases(root.load()) == [(1, "retired"), (2, "current")]


def test_staging_drops_a_staged_generation_that_came_to_nothing(root: FileRoot) -> None:
    root.stage(2, (entry("given up"),), 20)
    second = root.stage(2, (entry("kept"),), 21)
    assert root.load().generations[1:] == (second,)


def test_a_generation_is_never_staged_below_those_before_it(root: FileRoot) -> None:
    swap(root)
    for ordinal in (-1, 1, 2):
        with pytest.raises(UsageError, match="higher ordinal"):
            root.stage(ordinal, (), 20)


@pytest.mark.wide
def test_what_could_not_be_read_again_is_never_written(root: FileRoot, paths: tuple[Path, Path]) -> None:
    before = paths[0].read_bytes()
    with pytest.raises(UsageError, match="can't be kept"):
        root.stage(2**62 + 1, (), 20)
    with pytest.raises(UsageError, match="can't be kept"):
        root.stage(2, (replace(entry("large"), slot=bytes(MAX_BYTES)),), 20)
    assert paths[0].read_bytes() == before
    assert remains(*paths) == []


def test_claim_changes_the_holder_and_nothing_else(root: FileRoot, paths: tuple[Path, Path]) -> None:
    before = root.load()
    root.claim(b"other")
    assert FileRoot(paths).load() == replace(before, holder=b"other")


def test_another_process_generation_is_found_without_an_explicit_load(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    other = FileRoot(paths)
    other.load()
    new = root.stage(2, (), 20)
    assert root.unwrap(new.id, other.wrap(new.id, KEY, AAD), AAD) == KEY


def test_p7_a_generation_that_is_not_here_is_a_keyring_that_is_too_old(root: FileRoot) -> None:
    first = root.load().generations[0].id
    wrapped = root.wrap(first, KEY, AAD)
    swap(root)
    root.destroy((first,))
    with pytest.raises(KeyringOutdatedError):
        root.unwrap(first, wrapped, AAD)
    with pytest.raises(KeyringOutdatedError):
        root.wrap(b"x" * 16, KEY, AAD)


# What it lets go of


def test_p3_a_destroyed_key_is_in_no_file_of_any_mirror(root: FileRoot, paths: tuple[Path, Path]) -> None:
    key = key_of(paths[0], 1)
    first = root.load().generations[0].id
    swap(root)
    receipt = root.destroy((first,))
    assert holding(paths[0].parent.parent, key) == []
    assert phases(root.load()) == [(2, "current")]
    assert receipt.provider == "file"
    assert receipt.generations == (first,)
    assert "2 of 2 files" in receipt.proof


def test_a_new_generation_is_one_line_more_in_the_files_that_are_there(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    before = [(path.stat().st_ino, path.read_bytes()) for path in paths]
    for ordinal in (2, 3, 4):
        root.stage(ordinal, (entry(f"{ordinal}"),), ordinal, promoting=root.load().generations[-1].id)
    for path, (inode, content) in zip(paths, before, strict=True):
        assert path.stat().st_ino == inode
        assert path.read_bytes().startswith(content)
        assert path.read_bytes().count(b"\n") == 4
    assert phases(root.load()) == [(1, "retired"), (2, "retired"), (3, "current"), (4, "staged")]
    assert FileRoot(paths).load() == root.load()
    root.spread()
    assert paths[0].read_bytes().count(b"\n") == 1
    assert FileRoot(paths).load() == root.load()


def test_a_file_that_ends_without_an_end_of_line_is_written_anew(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    for path in paths:
        path.write_bytes(path.read_bytes().rstrip())
    inode = paths[0].stat().st_ino
    root.stage(2, (), 20)
    assert phases(FileRoot(paths).load()) == [(1, "current"), (2, "staged")]
    assert paths[0].stat().st_ino != inode


def test_p3_a_hard_link_to_a_root_gets_no_new_generation(
    root: FileRoot, paths: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "snapshot").hardlink_to(paths[1])
    root.stage(2, (), 20)
    assert phases(FileRoot(paths).load()) == [(1, "current"), (2, "staged")]
    assert [path.stat().st_nlink for path in paths] == [1, 1]
    assert not (tmp_path / "snapshot").read_bytes().strip(b"\0")


def test_p3_every_change_but_a_new_generation_overwrites_the_file_that_it_replaces(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    new = root.stage(2, (), 20).id
    first = root.load().generations[0].id
    changes: list[Callable[[], object]] = [
        lambda: root.claim(b"other"),
        lambda: root.promote(new, 30),
        lambda: root.destroy((first,)),
    ]
    for change in changes:
        with paths[0].open("rb") as one, paths[1].open("rb") as two:
            change()
            for old in (one, two):
                content = old.read()
                assert content == bytes(len(content)) != b""


def test_p3_the_old_file_is_overwritten_where_there_are_no_hard_links(
    root: FileRoot, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    with paths[0].open("rb") as old:
        swap(root)
        assert not old.read().strip(b"\0")
    assert phases(root.load()) == [(1, "retired"), (2, "current")]


def test_p8_a_file_is_overwritten_only_after_all_mirrors_are_durable(
    root: FileRoot, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def label(inode: int) -> str:
        for path in paths:
            if path.parent.stat().st_ino == inode:
                return f"directory {path.parent.name}"
            for found in path.parent.iterdir():
                if found.stat().st_ino == inode and found != path:
                    return f"{found.suffix} {path.parent.name}"
        return "?"

    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        real_fsync(handle)
        steps.append(f"sync {label(os.fstat(handle).st_ino)}")

    def rename(source: Path, target: Path) -> None:
        real_replace(source, target)
        steps.append(f"rename {target.parent.name}")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    root.claim(b"other")
    assert steps == [
        *("sync .new a", "sync .new b"),
        *("rename a", "sync directory a", "rename b", "sync directory b"),
        *("sync .old a", "sync .old b"),
    ]


def test_p8_a_new_generation_is_durable_on_every_mirror(
    root: FileRoot, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = {path.stat().st_ino: len(path.read_bytes()) for path in paths}
    synced, real = [], os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        info = os.fstat(handle)
        synced.append(info.st_ino)
        assert info.st_size > lengths[info.st_ino]

    monkeypatch.setattr(os, "fsync", fsync)
    root.stage(2, (), 20)
    assert synced == list(lengths)


def test_only_retired_generations_can_be_destroyed(root: FileRoot) -> None:
    staged = root.stage(2, (), 20).id
    current = root.load().generations[0].id
    for generation in (staged, current):
        with pytest.raises(UsageError, match="only a retired one"):
            root.destroy((generation,))
    assert len(root.load().generations) == 2


def test_destroying_again_gives_a_receipt_again(root: FileRoot) -> None:
    first = root.load().generations[0].id
    swap(root)
    assert root.destroy((first,)).generations == (first,)
    assert root.destroy((first, b"x" * 16)).generations == (first, b"x" * 16)
    assert phases(root.load()) == [(2, "current")]


def test_the_journal_of_a_generation_destroyed_out_of_order_moves_to_the_next(root: FileRoot) -> None:
    second, third = swap(root, "one"), swap(root, "two")
    swap(root, "three")
    root.destroy((second,))
    assert [[e.pseudonym for e in one.erased] for one in root.load().generations] == [
        [],
        ["one", "two"],
        ["three"],
    ]
    root.destroy((third,))
    assert [e.pseudonym for e in root.load().generations[1].erased] == ["one", "two", "three"]


def test_p3_the_journal_goes_with_the_last_generation_that_could_need_it(root: FileRoot) -> None:
    first = root.load().generations[0].id
    second = swap(root, "one")
    swap(root, "two")
    root.destroy((first,))
    assert [[e.pseudonym for e in one.erased] for one in root.load().generations] == [[], ["two"]]
    root.destroy((second,))
    assert root.load().generations[0].erased == ()


@pytest.mark.wide
@given(destroyed=st.lists(st.sets(st.integers(1, 6)), max_size=4))
def test_in_whatever_order_generations_go_each_that_is_left_can_replay_all_after_it(
    destroyed: list[set[int]],
) -> None:
    held = tuple(
        Held(
            id=f"{n:02x}",
            ordinal=n,
            key=KEY,
            phase=Phase.RETIRED if n < 7 else Phase.CURRENT,
            created_at=n,
            retired_at=n if n < 7 else None,
            erased=(entry(str(n)),),
        )
        for n in range(1, 8)
    )
    left = Document(version=1, vault="", holder="", serial=1, generations=held)
    for some in destroyed:
        left = left.destroy(frozenset(f"{n:02x}" for n in some))
        for one in left.generations:
            after = [e.pseudonym for g in left.generations if g.ordinal > one.ordinal for e in g.erased]
            assert after == [str(n) for n in range(one.ordinal + 1, 8)]


# Holds


def test_p5_a_hold_is_noted_on_every_mirror_and_a_root_without_one_reads_as_before(
    paths: tuple[Path, Path],
) -> None:
    root = FileRoot(paths)
    root.create(VAULT, HOLDER, 1)
    assert b"holds" not in paths[0].read_bytes()
    assert root.load().holds == ()
    held = Noted(b"h" * 16, "hold", b"\x03slot", b"u" * 16, None, 9, None, None, "{}", b"s" * 16)
    other = replace(held, id=b"o" * 16, session_node=b"n" * 16)
    root.note(held)
    root.note(other)
    root.note(replace(held, ended_at=5))
    for path in paths:
        assert FileRoot((path,)).load().holds == (other, replace(held, ended_at=5))
    root.note(held, dropping=(other.id,))
    generation = root.stage(2, (), 3)
    root.promote(generation.id, 4)
    assert FileRoot(paths).load().holds == (held,)
