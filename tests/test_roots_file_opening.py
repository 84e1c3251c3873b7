"""How a root in a file is named and opened: its URI and its passphrase."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
import root_files
from root_files import AAD, HOLDER, KEY, VAULT, phases, swap

from vault.errors import ConfigError, RootUnavailableError, VaultError, WrongKeyError
from vault.roots import from_uri
from vault.roots.file import FileRoot
from vault.roots.file_format import Kdf

paths, root = root_files.paths, root_files.root


# A passphrase


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a passphrase cost nothing where that is not the matter; from every keyboard it costs in full."""
    monkeypatch.setattr(Kdf, "fresh", lambda: Kdf(memory_kib=1024, passes=1, lanes=1, salt=os.urandom(16)))


@pytest.fixture
def sealed(paths: tuple[Path, Path], cheap: None) -> FileRoot:  # noqa: ARG001 (it patches)
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


@pytest.mark.wide
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


@pytest.mark.usefixtures("cheap")
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
