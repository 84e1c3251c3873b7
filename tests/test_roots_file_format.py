"""What a root file may be and hold: all that was written comes back, and nothing else is trusted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import root_files
from hypothesis import given
from hypothesis import strategies as st
from root_files import HOLDER, KEY, VAULT, document, entry, key_of, phases, swap

from vault.crypto.envelope import Cipher, random_key
from vault.errors import RootUnavailableError, WrongKeyError
from vault.roots import Erased, Phase
from vault.roots.file import FileRoot
from vault.roots.file_disk import MAX_BYTES
from vault.roots.file_format import Document, Held, Kdf, Sealed, decode, encode
from vault.roots.file_lines import understand

paths, root = root_files.paths, root_files.root


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


@pytest.mark.wide
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
    for length in range(len(whole) - 1):  # the last is the end of the line
        with pytest.raises(RootUnavailableError, match="damaged"):
            understand(whole[:length], "here")


@pytest.mark.wide
@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_p8_a_line_that_was_broken_off_is_passed_over_and_the_file_written_anew(
    tmp_path: Path, passphrase: str | None
) -> None:
    path = tmp_path / "root.key"
    FileRoot((path,), passphrase).create(VAULT, HOLDER, 1)
    before = path.read_bytes()
    FileRoot((path,), passphrase).stage(2, (entry("one"),), 20)
    whole = path.read_bytes()
    root = FileRoot((path,), passphrase)
    for length in range(len(before), len(whole), 1 if passphrase is None else 40):
        path.write_bytes(whole[:length] + bytes(3))  # some file systems leave zeros
        assert phases(root.load()) == [(1, "current")]
        root.stage(2, (entry("two"),), 30)
        assert phases(root.load()) == [(1, "current"), (2, "staged")]
        assert bytes(3) not in path.read_bytes()
    path.write_bytes(whole)
    assert phases(root.load()) == [(1, "current"), (2, "staged")]


@pytest.mark.wide
@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_p2_a_line_counts_in_its_own_place_only(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "root.key"
    root = FileRoot((path,), passphrase)
    root.create(VAULT, HOLDER, 1)
    for ordinal in (2, 3):
        root.stage(ordinal, (), ordinal * 10, promoting=root.load().generations[-1].id)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    for wrong in (
        [first, third],
        [first, third, second],
        [first, second, second],
        [first, second, third, third],
    ):
        path.write_bytes(b"".join(wrong))
        with pytest.raises((RootUnavailableError, WrongKeyError)):
            FileRoot((path,), passphrase).load()
        with pytest.raises((RootUnavailableError, WrongKeyError)):
            root.load()
    path.write_bytes(first + second + third)
    assert phases(root.load()) == [(1, "retired"), (2, "current"), (3, "staged")]


@pytest.mark.wide
def test_p7_a_flipped_byte_gives_an_error_of_the_vault_or_another_document(
    root: FileRoot, paths: tuple[Path, Path]
) -> None:
    swap(root, "one")
    root.stage(3, (entry("two"),), 30)
    whole = paths[0].read_bytes()
    assert whole.count(b"\n") == 2
    for position in range(len(whole)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(whole)
            changed[position] ^= flip
            try:
                understand(bytes(changed), "here")
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


def test_p1_no_key_gets_into_a_message_or_a_repr(root: FileRoot, paths: tuple[Path, Path]) -> None:
    key = key_of(paths[0], 1).decode()
    assert key not in repr(document(paths[0]))
    assert key not in repr(understand(paths[0].read_bytes(), "here"))
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
    FileRoot(paths).spread()
    for path in (*paths, paths[1].with_name(".root.key.lock")):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


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


@pytest.mark.wide
@given(documents())
def test_a_plain_file_gives_back_what_was_written(written: Document) -> None:
    assert decode(encode(written, None, None), "here") == written


@pytest.mark.wide
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
