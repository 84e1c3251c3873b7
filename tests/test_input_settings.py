"""Settings, roots and databases that are refused, and how: nothing is made, and nothing is repeated (P1)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import refusals
from databases import connected
from faces import Home, moved_in
from refusals import SECRET, refused

from vault import Vault
from vault.errors import ConfigError, RootUnavailableError, StoreUnavailableError, UsageError, WrongKeyError
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

home, vault = refusals.home, refusals.vault
pytestmark = pytest.mark.usefixtures("vault")  # what is refused must leave what is there as it was


# -- settings --------------------------------------------------------------------------------------------

NO_URLS = [
    "oracle://localhost/chat",
    "http://localhost/chat",
    "nonsense://",
    "://",
    f"postgresql://chat:{SECRET}@localhost:port/chat",
    f"postgresql+psycopg://chat:{SECRET}@[::1/chat",
    f"postgresql://chat:an@{SECRET}@localhost/chat",
    f"mysql://chat:an@/{SECRET}@localhost/chat",
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///file::memory:?uri=true",
    "sqlite:///file:chat?mode=memory&uri=true",
]


@pytest.mark.parametrize("url", NO_URLS)
def test_p1_what_is_no_database_url_is_refused(home: Home, tmp_path: Path, url: str) -> None:
    refused(
        home, lambda: home.open(url, keyring=home.databases.keyring, root=f"file:{home.root}"), ConfigError
    )
    refused(home, lambda: home.open(keyring=url), ConfigError)
    refused(home, lambda: home.open(str(tmp_path / "new"), keyring=url), ConfigError)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "root",
    [
        "s3://bucket/key",
        "nonsense:",
        "/a/path",
        "file:",
        "file://host/key",
        f"file:/a?passphrase={SECRET}",
        "",
    ],
    ids=repr,
)
def test_p1_what_is_no_root_is_refused(home: Home, tmp_path: Path, root: str) -> None:
    refused(home, lambda: home.open(root=root), ConfigError)
    refused(home, lambda: home.open(str(tmp_path / "new"), root=root), ConfigError)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "settings", [{"keyring": None}, {"root": None}, {"keyring": None, "root": None}], ids=repr
)
def test_a_vault_on_a_server_needs_a_keyring_and_a_root(home: Home, settings: dict[str, None]) -> None:
    missing = "|".join(settings)
    with pytest.raises(ConfigError, match=missing):
        home.open(**settings)


@pytest.mark.parametrize("setting", [{"limit": limit} for limit in (0, -1, "many", 1.5, True, "²")], ids=repr)
def test_a_limit_is_a_number_of_bytes(home: Home, setting: dict[str, Any]) -> None:
    refused(home, lambda: home.open(**setting), ConfigError)


@pytest.mark.parametrize("horizon", ["7", "-1d", "soon", "7 days", "1.5h", "", "7d7d", 7], ids=repr)
def test_a_horizon_is_a_duration(home: Home, tmp_path: Path, horizon: Any) -> None:
    refused(home, lambda: home.open(horizon=horizon), ConfigError)
    refused(home, lambda: home.open(str(tmp_path / "new"), horizon=horizon), ConfigError)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("redactor", [5, False, "balanced", str.upper, Redaction(), Engine])
def test_p1_what_is_no_redactor_is_refused_when_the_vault_is_opened(
    home: Home, tmp_path: Path, redactor: Any
) -> None:
    refused(home, lambda: home.open(redactor=redactor), UsageError)
    refused(home, lambda: home.open(str(tmp_path / "new"), redactor=redactor), UsageError)
    assert not (tmp_path / "new").exists()


def test_a_directory_that_holds_something_else_is_left_alone(home: Home, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("Dear Anna")
    refused(home, lambda: home.open(str(tmp_path)), ConfigError)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letters.txt"]
    refused(home, lambda: home.open(str(tmp_path), create=False), ConfigError)
    refused(home, lambda: home.open(str(tmp_path / "nowhere"), create=False), ConfigError)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_the_place_of_a_directory_is_left_alone(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "vault"
    file.write_text("Dear Anna")
    for create in (True, False):
        refused(home, partial(home.open, str(file), create=create), ConfigError)
        refused(home, partial(home.open, str(file / "in"), create=create), ConfigError)
    assert file.read_text() == "Dear Anna"


def test_a_file_that_is_named_as_a_vault_is_told_from_a_directory(home: Home, tmp_path: Path) -> None:
    with home.open(str(tmp_path / "vault")):
        pass
    with pytest.raises(ConfigError, match="a vault is a directory, and this is a file") as caught:
        home.open(str(tmp_path / "vault" / "transcripts.db"), create=False)
    assert "vault.toml" in caught.value.hint


@pytest.mark.wide
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"transcripts = ", "can't be read"),
        (b"\xff\xfe", "can't be read"),
        (b'colour = "red"', "unknown setting: colour"),
        (b'horizon = "soon"', "duration"),
        (b"limit = 0", "limit"),
        (b"limit = [1]", "limit"),
        (b'transcripts = "oracle://localhost/chat"', "oracle"),
        (b'root = "s3://bucket"', "s3"),
        (b"root = 5", "root"),
        (b"[transcripts]\na = 1", "transcripts"),
    ],
)
def test_a_broken_vault_toml_is_told_from_a_new_vault(
    home: Home, tmp_path: Path, content: bytes, told: str
) -> None:
    directory = tmp_path / "vault"
    with home.open(str(directory)) as vault:
        vault.transcript("u-1", "s-1").append("user", "Hello")
    good = (directory / "vault.toml").read_bytes()
    before = {entry.name: entry.read_bytes() for entry in directory.iterdir() if entry.name != "vault.toml"}
    (directory / "vault.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        home.open(str(directory))
    assert {
        entry.name: entry.read_bytes() for entry in directory.iterdir() if entry.name != "vault.toml"
    } == before
    (directory / "vault.toml").write_bytes(good)
    with home.open(str(directory)) as vault:
        assert len(vault.transcript("u-1", "s-1").messages()) == 1


@pytest.mark.wide
@pytest.mark.parametrize("name", ["a b", 'quo\'te "s" \\ back', "what?", "per%20cent", "#1", "ünï"], ids=repr)
def test_a_directory_may_have_any_name(home: Home, tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    for _ in range(2):
        with home.open(str(directory)) as vault:
            vault.transcript("u-1", "s-1").append("user", "Hello")
    assert sorted(entry.name for entry in directory.iterdir() if not entry.name.startswith(".")) == [
        "keyring.db",
        "root.key",
        "transcripts.db",
        "vault.toml",
    ]
    with home.open(str(directory), create=False) as vault:
        assert len(vault.transcript("u-1", "s-1").messages()) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_a_root_that_others_may_read_or_write_is_refused(home: Home, vault: Vault, mode: int) -> None:
    assert vault.keys_status().is_home
    home.root.chmod(mode)
    try:
        error = refused(home, home.open, RootUnavailableError)
        assert "chmod 600" in error.hint
    finally:
        home.root.chmod(0o600)
    with home.open() as again:
        assert again.keys_status().is_home


def test_a_missing_root_is_told_from_a_new_vault(home: Home, vault: Vault) -> None:
    assert vault.keys_status().is_home
    away = home.root.rename(home.root.with_suffix(".away"))
    try:
        refused(home, home.open, RootUnavailableError)
        assert not home.root.exists()
    finally:
        away.rename(home.root)


def test_the_keyring_or_root_of_another_vault_is_refused(home: Home, vault: Vault) -> None:
    assert vault.keys_status().is_home
    with moved_in(None, None) as other:
        with other.open() as opened:
            opened.transcript("u-1", "s-1").append("user", "Hello")
        refused(home, lambda: home.open(keyring=other.databases.keyring), WrongKeyError)
        refused(other, lambda: home.open(root=f"file:{other.root}"), WrongKeyError)


def test_a_new_vault_is_not_made_on_the_root_of_another(home: Home, vault: Vault) -> None:
    """Whichever of the two forgot first would destroy the keys of the other."""
    assert vault.keys_status().ordinal == 1
    with moved_in(None, None) as other:
        refused(other, lambda: other.open(root=f"file:{home.root}"), ConfigError)


@pytest.mark.wide
def test_p1_a_server_that_does_not_answer_is_named_without_the_password(home: Home) -> None:
    for scheme in ("postgresql", "mysql"):
        url = f"{scheme}://chat:{SECRET}@127.0.0.1:1/chat"
        refused(home, partial(home.open, url, keyring=url, root=f"file:{home.root}"), StoreUnavailableError)


@pytest.mark.wide
def test_p1_a_database_that_refuses_a_message_repeats_nothing_of_it() -> None:
    with moved_in(None, None) as place, place.open() as vault:
        chat = vault.transcript(f"u-{SECRET}", f"s-{SECRET}")
        chat.append("user", "Hello")
        with connected(place.databases.transcripts) as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER no BEFORE INSERT ON messages BEGIN SELECT RAISE(FAIL, 'no'); END"
            )
        refused(place, lambda: chat.append("user", SECRET, metadata={"it": SECRET}), StoreUnavailableError)
        with connected(place.databases.transcripts) as connection:
            connection.exec_driver_sql("DROP TRIGGER no")
        assert chat.append("user", "Hello").seq == 1


def test_a_closed_vault_says_so(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "vault", redactor=None) as vault:
        chat = vault.transcript("u-1", "s-1")
        chat.append("user", "text")
    with pytest.raises(UsageError, match="closed"):
        chat.append("user", "more")
    with pytest.raises(UsageError, match="closed"):
        chat.messages()
