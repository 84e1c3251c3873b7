"""The root in a file: what it keeps, what it lets go of, and what a crash or a lost mirror does to it."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.envelope import Cipher, random_key
from vault.errors import (
    ConfigError,
    KeyringOutdatedError,
    RootUnavailableError,
    TamperedError,
    UsageError,
    VaultError,
    WrongKeyError,
)
from vault.roots import Erased, Generation, Phase, RootState, from_uri
from vault.roots.file import FileRoot
from vault.roots.file_disk import MAX_BYTES
from vault.roots.file_format import Document, Held, Kdf, Sealed, decode, encode

VAULT = b"v" * 16
HOLDER = b"h" * 16
KEY = b"k" * 32
AAD = b"place"


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path / "a" / "root.key", tmp_path / "b" / "root.key"


@pytest.fixture
def root(paths: tuple[Path, Path]) -> FileRoot:
    root = FileRoot(paths)
    root.create(VAULT, HOLDER, 1)
    return root


def entry(label: str) -> Erased:
    return Erased(intent=label.encode(), kind="user", nodes=(b"n",), slot=b"s", pseudonym=label, at=5)


def swap(root: FileRoot, *labels: str) -> bytes:
    """Stage and promote one generation."""
    ordinal = root.load().generations[-1].ordinal + 1
    new = root.stage(ordinal, tuple(entry(label) for label in labels), ordinal * 10)
    root.promote(new.id, ordinal * 10 + 1)
    return new.id


def phases(state: RootState) -> list[tuple[int, str]]:
    return [(one.ordinal, one.phase.value) for one in state.generations]


def document(path: Path) -> Document:
    found = decode(path.read_bytes(), str(path))
    assert isinstance(found, Document)
    return found


def remains(*paths: Path) -> list[str]:
    """What lies beside the roots and their locks."""
    own = {name for path in paths for name in (path.name, f".{path.name}.lock")}
    return sorted(found.name for path in paths for found in path.parent.iterdir() if found.name not in own)


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


def key_of(path: Path, ordinal: int) -> bytes:
    return next(b64encode(one.key) for one in document(path).generations if one.ordinal == ordinal)


def holding(directory: Path, key: bytes) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and key in path.read_bytes()]


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


def test_p3_every_change_overwrites_the_file_that_it_replaces(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    new = root.stage(2, (), 20).id
    first = root.load().generations[0].id
    changes: list[Callable[[], object]] = [
        lambda: root.claim(b"other"),
        lambda: root.promote(new, 30),
        lambda: root.destroy((first,)),
        lambda: root.stage(3, (), 40),
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
    root.stage(2, (), 20)
    assert steps == [
        *("sync .new a", "sync .new b"),
        *("rename a", "sync directory a", "rename b", "sync directory b"),
        *("sync .old a", "sync .old b"),
    ]


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
    root.stage(2, (), 20)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not any("missing" in warning for warning in root.warnings())


def test_a_full_disk_changes_nothing_and_leaves_no_key_behind(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    before = paths[0].read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        with pytest.raises(RootUnavailableError, match="can't be written"):
            root.stage(2, (), 20)
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


# Files that it does not trust


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_root_that_others_could_open_is_refused(
    root: FileRoot, paths: tuple[Path, Path], mode: int
) -> None:
    paths[0].chmod(mode)
    with pytest.raises(RootUnavailableError, match="other users") as caught:
        FileRoot((paths[0],)).load()
    assert caught.value.hint == f"chmod 600 {paths[0]}"
    assert any("other users" in warning for warning in root.warnings())


def a_directory(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    target = path.with_name("target")
    FileRoot((target,)).create(VAULT, HOLDER, 1)
    path.symlink_to(target)


def a_fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def a_huge_file(path: Path) -> None:
    path.touch(0o600)
    os.truncate(path, MAX_BYTES + 1)


@pytest.mark.parametrize("make", [a_directory, a_link, a_fifo, a_huge_file])
def test_what_is_no_plain_small_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "root.key"
    make(path)
    with pytest.raises(RootUnavailableError, match=str(path)):
        FileRoot((path,)).load()
    assert len(FileRoot((path,)).warnings()) == 1


@pytest.mark.parametrize(
    "path", ["/proc/root.key", "/missing/place/root.key", "/dev/null/root.key", f"/tmp/{'x' * 300}"]
)
def test_a_place_that_takes_no_file_is_an_error_that_names_it(paths: tuple[Path, Path], path: str) -> None:
    with pytest.raises(RootUnavailableError, match=path):
        FileRoot((paths[0], Path(path))).create(VAULT, HOLDER, 1)
    assert not paths[0].exists()
    with pytest.raises(RootUnavailableError, match=path):
        FileRoot((Path(path),)).load()


def test_p7_a_file_cut_off_at_any_byte_is_damaged(root: FileRoot, paths: tuple[Path, Path]) -> None:
    swap(root, "one")
    whole = paths[0].read_bytes()
    for length in range(len(whole)):
        with pytest.raises(RootUnavailableError, match="damaged"):
            decode(whole[:length], "here")


def test_p7_a_flipped_byte_gives_an_error_of_the_vault_or_another_document(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    swap(root, "one")
    whole = paths[0].read_bytes()
    for position in range(len(whole)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(whole)
            changed[position] ^= flip
            try:
                decode(bytes(changed), "here")
            except RootUnavailableError as error:
                assert "damaged" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'{"format":"transcript-vault root","version":1,"generations":' + b"[" * 1_000_000,
        b'{"format":"transcript-vault root","version":2}',
        b'{"format":"another","version":1}',
        b'{"format":"transcript-vault root","version":1,"vault":"\xff"}',
        b"\xff\xfe\x00",
        b"null",
    ],
)
def test_p7_garbage_is_damaged_and_nothing_of_it_gets_out(content: bytes) -> None:
    with pytest.raises(RootUnavailableError, match="damaged") as caught:
        decode(content, "here")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_no_key_gets_into_a_message_or_a_repr(root: FileRoot, paths: tuple[Path, Path]) -> None:
    key = key_of(paths[0], 1).decode()
    assert key not in repr(document(paths[0]))
    assert document(paths[0]).generations[0].key.hex() not in repr(root.load())
    broken = paths[0].read_bytes().replace(b'"current"', f'"{key}"'.encode())
    paths[0].write_bytes(broken)
    with pytest.raises(RootUnavailableError) as caught:
        FileRoot((paths[0],)).load()
    assert key not in f"{caught.value}{caught.value.hint}{caught.value.__context__}"


def altered(**changes: object) -> bytes:
    one: dict[str, object] = {
        "id": "01",
        "ordinal": 1,
        "key": KEY,
        "phase": "current",
        "created_at": 1,
        "retired_at": None,
        "erased": (),
    }
    file = {"format": "transcript-vault root", "version": 1, "vault": "00", "holder": "00", "serial": 1}
    return msgspec.json.encode(file | {"generations": [one | changes]})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "0"},
        {"id": "zz"},
        {"id": "01\n"},
        {"ordinal": -1},
        {"ordinal": 2**80},
        {"ordinal": "1"},
        {"key": b"short"},
        {"key": "!"},
        {"phase": "retired", "retired_at": 1},
        {"phase": "staged"},
        {"phase": "other"},
        {"retired_at": 5},
        {"erased": [1]},
        {"surplus": 1},
    ],
)
def test_a_document_that_no_change_leads_to_is_damaged(changes: dict[str, object]) -> None:
    decode(altered(), "here")
    with pytest.raises(RootUnavailableError, match="damaged"):
        decode(altered(**changes), "here")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the files of others")
def test_what_an_administrator_changes_still_belongs_to_the_service(paths: tuple[Path, Path]) -> None:
    FileRoot(paths[:1]).create(VAULT, HOLDER, 1)
    os.chown(paths[0], 1234, 1235)
    FileRoot(paths).stage(2, (), 20)
    for path in (*paths, paths[1].with_name(".root.key.lock")):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


# A passphrase


@pytest.fixture
def sealed(paths: tuple[Path, Path]) -> FileRoot:
    root = FileRoot(paths, "correct horse")
    root.create(VAULT, HOLDER, 1)
    return root


def test_a_sealed_root_does_what_a_plain_one_does(sealed: FileRoot, paths: tuple[Path, Path]) -> None:
    first = sealed.load().generations[0].id
    wrapped = sealed.wrap(first, KEY, AAD)
    swap(sealed, "one")
    again = FileRoot(paths, "correct horse")
    assert again.load() == sealed.load()
    assert again.unwrap(first, wrapped, AAD) == KEY
    again.destroy((first,))
    assert phases(sealed.load()) == [(2, "current")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_p1_a_sealed_root_shows_nothing_of_what_it_holds(sealed: FileRoot, paths: tuple[Path, Path]) -> None:
    swap(sealed, "pseudonym-7")
    raw = paths[0].read_bytes()
    assert all(word not in raw for word in (b"pseudonym-7", b"current", VAULT.hex().encode(), b"ordinal"))


def test_the_key_of_a_passphrase_is_derived_once(sealed: FileRoot) -> None:
    salts = set(sealed._derived)
    swap(sealed)
    assert set(sealed._derived) == salts
    assert len(salts) == 1


@pytest.mark.usefixtures("sealed")
def test_p7_a_wrong_or_missing_passphrase_is_a_wrong_key(paths: tuple[Path, Path]) -> None:
    with pytest.raises(WrongKeyError, match="does not open") as caught:
        FileRoot(paths, "wrong horse").load()
    assert "horse" not in str(caught.value)
    with pytest.raises(WrongKeyError, match="none was given") as caught:
        FileRoot(paths).load()
    assert "passphrase-file" in caught.value.hint


@pytest.mark.usefixtures("root")
def test_a_passphrase_for_a_plain_root_is_refused_aloud(paths: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="not under one"):
        FileRoot(paths, "any").load()
    with pytest.raises(ConfigError, match="not under one"):
        FileRoot(paths, "any").stage(2, (), 20)
    assert "not under one" in FileRoot(paths, "any").warnings()[0]


def test_a_passphrase_opens_from_every_keyboard(paths: tuple[Path, Path]) -> None:
    FileRoot(paths, "caf\u00e9").create(VAULT, HOLDER, 1)
    assert FileRoot(paths, "cafe\u0301").load().vault == VAULT


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("memory_kib", 100 * 1024 * 1024, RootUnavailableError),
        ("memory_kib", 1, RootUnavailableError),
        ("passes", 10**9, RootUnavailableError),
        ("passes", 0, RootUnavailableError),
        ("lanes", 1000, RootUnavailableError),
        ("salt", b"", RootUnavailableError),
        ("passes", 2, WrongKeyError),
        ("salt", b"0" * 16, WrongKeyError),
    ],
)
def test_forged_parameters_of_a_sealed_root_are_refused(
    paths: tuple[Path, Path], field: str, value: object, error: type[VaultError]
) -> None:
    file = msgspec.json.decode(paths[0].read_bytes())
    file["kdf"][field] = value
    paths[0].write_bytes(msgspec.json.encode(file))
    with pytest.raises(error):
        FileRoot((paths[0],), "correct horse").load()


# Its URI


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:/a/root.key", "file:/a/root.key"),
        ("file:///a/root.key", "file:/a/root.key"),
        ("file:/a/root.key,/b/root.key", "file:/a/root.key,/b/root.key"),
        ("file:///a/root.key,b/root.key", "file:/a/root.key,/here/b/root.key"),
        ("file:root.key", "file:/here/root.key"),
        ("file:/a%2Cb/r%20%3F%23.key", "file:/a,b/r ?#.key"),
        ("file:/a/r+%2B.key", "file:/a/r++.key"),
    ],
)
def test_a_uri_names_one_file_or_several(uri: str, expected: str) -> None:
    assert FileRoot.from_uri(uri, relative_to="/here").name == expected
    assert from_uri(uri, relative_to="/here").name == expected


@pytest.mark.parametrize(
    "uri",
    [
        "file:",
        "file:///",
        "file:/a,",
        "file:/a,/a",
        "file://host/a",
        "file://[/a",
        "file:/a#b",
        "file:/a%00b",
        "http:/a",
        "file:/a?passphrase=hunter2",
        "file:/a?hunter2",
        "file:/a?passphrase-file=",
        "file:/a?passphrase-file=/x&passphrase-file=/y",
        "file:/a?passphrase-file=/missing/hunter1",
        "file:/a?passphrase-file=/",
    ],
)
def test_a_uri_that_is_wrong_is_refused_without_repeating_a_secret(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        FileRoot.from_uri(uri)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_passphrase_is_read_from_its_file_and_is_no_part_of_the_name(tmp_path: Path, ending: str) -> None:
    (tmp_path / "pass phrase").write_bytes(f"correct horse{ending}".encode())
    FileRoot((tmp_path / "root.key",), "correct horse").create(VAULT, HOLDER, 1)
    root = FileRoot.from_uri("file:root.key?passphrase-file=pass%20phrase", relative_to=tmp_path)
    assert root.load().vault == VAULT
    assert root.name == f"file:{tmp_path}/root.key"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_passphrase_file_without_a_passphrase_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(ConfigError, match="passphrase") as caught:
        FileRoot.from_uri("file:root.key?passphrase-file=p", relative_to=tmp_path)
    assert caught.value.__context__ is None


# Its format


times = st.integers(0, 2**62)
journals = st.lists(
    st.builds(
        Erased,
        intent=st.binary(max_size=16),
        kind=st.text(max_size=8),
        nodes=st.lists(st.binary(max_size=16), max_size=3).map(tuple),
        slot=st.binary(max_size=16),
        pseudonym=st.text(max_size=8),
        at=times,
    ),
    max_size=3,
).map(tuple)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    ordinals = sorted(draw(st.sets(st.integers(0, 2**62), min_size=1, max_size=5)))
    current = draw(st.integers(0, len(ordinals) - 1))
    ids = draw(st.lists(st.binary(max_size=16), min_size=5, max_size=5, unique=True))
    return Document(
        version=1,
        vault=draw(st.binary(max_size=16)).hex(),
        holder=draw(st.binary(max_size=16)).hex(),
        serial=draw(st.integers(0, 2**62)),
        generations=tuple(
            Held(
                id=ids[place].hex(),
                ordinal=ordinal,
                key=draw(st.binary(min_size=32, max_size=32)),
                phase=(
                    Phase.RETIRED if place < current else Phase.STAGED if place > current else Phase.CURRENT
                ),
                created_at=draw(times),
                retired_at=draw(times) if place < current else None,
                erased=draw(journals),
            )
            for place, ordinal in enumerate(ordinals)
        ),
    )


@given(documents())
def test_a_plain_file_gives_back_what_was_written(written: Document) -> None:
    assert decode(encode(written, None, None), "here") == written


@given(documents(), st.binary(min_size=32, max_size=32))
def test_a_sealed_file_gives_back_what_was_written_and_only_with_its_key(
    written: Document, key: bytes
) -> None:
    kdf = Kdf(memory_kib=1024, passes=1, lanes=1, salt=b"s" * 16)
    found = decode(encode(written, kdf, Cipher(key)), "here")
    assert isinstance(found, Sealed)
    assert found.kdf == kdf
    assert found.open(Cipher(key), "here") == written
    with pytest.raises(WrongKeyError):
        found.open(Cipher(random_key()), "here")
    for change in ({"memory_kib": 2048}, {"passes": 2}, {"lanes": 2}, {"salt": b"t" * 16}):
        other = msgspec.structs.replace(found, kdf=msgspec.structs.replace(kdf, **change))
        with pytest.raises(WrongKeyError):
            other.open(Cipher(key), "here")


@given(st.binary(max_size=200))
def test_p7_any_bytes_are_a_root_or_damaged(content: bytes) -> None:
    with pytest.raises(RootUnavailableError, match="damaged"):
        decode(content, "here")


# Crashes


STEPS = """
import os, sys
from pathlib import Path
from vault.roots.file import FileRoot

place, change = Path(sys.argv[1]), sys.argv[2]

def die_at(step):
    done = 0
    for name in ("open", "fchmod", "fsync", "link", "replace", "unlink"):
        def counted(*given, real=getattr(os, name), **named):
            nonlocal done
            done += 1
            if done == step:
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
            root.create(b"v" * 16, b"h" * 16, 1)
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
    assert len(found) > 20
    return found


def unaltered(paths: tuple[Path, Path]) -> bool:
    """Can the first generation still open what it sealed?"""
    root = FileRoot(paths)
    wrapped = (paths[0].parent.parent / "wrapped").read_bytes()
    return root.unwrap(root.load().generations[0].id, wrapped, AAD) == KEY


def whole(paths: tuple[Path, Path]) -> bool:
    """Do the mirrors agree, with nothing left beside them?"""
    return paths[0].read_bytes() == paths[1].read_bytes() and remains(*paths) == []


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
