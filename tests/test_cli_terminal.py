"""What a person sees on a terminal of 80 columns, with colours and without."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from commands import make, on_terminal, run

from vault import Vault, errors
from vault.errors import VaultError

pytestmark = pytest.mark.wide

LONG = "a-user-whose-name-is-rather-long@department.example.org"
STYLES = re.compile("\x1b\\[([0-9;]*)m")
READABLE = {"0", "1", "2", "31", "35"}  # plain, bold, dim, red, magenta: on a dark ground and on a light one


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shown") / "v"
    make(place, anna=["hello"])
    with Vault.open(place, redactor=None) as vault:
        for session in ("s-1", "session-2026-11-20T10:00:00Z-with-a-long-name"):
            vault.transcript(LONG, session, namespace="support/eu").append("assistant", "words " * 30)
        vault.hold(LONG, reason="a case that has a rather long name, and then some more of it")
        vault.forget_user("anna", reason="request 881")
    return place


SHOWN = [
    "sessions",
    f"sessions {LONG}",
    f"show {LONG} s-1",
    "keys status",
    "keys rotate --dry-run",
    "hold list",
    "log show",
    "report",
    "policy check gdpr",
    f"policy explain --user {LONG} --session s-1 --policy gdpr",
    "purge --policy gdpr --dry-run",
    f"forget-user {LONG} --dry-run",
    "db upgrade --check",
    "doctor",
    "policy check nowhere.yaml",
    "purge",
    f"forget-user {LONG} --confirm {LONG}",
]


@pytest.mark.parametrize("line", SHOWN)
def test_what_is_shown_fits_80_columns_and_reads_on_dark_and_light(where: Path, line: str) -> None:
    shown = on_terminal("--vault", where, *line.split())
    assert "Traceback" not in shown.out
    assert {code for found in STYLES.findall(shown.out) for code in found.split(";")} <= READABLE
    plain = STYLES.sub("", shown.out)
    for text in plain.splitlines():
        # A command and a path stay whole, so that they can be copied.
        assert len(text) <= 80 or str(where) in text or "+" in text or "hint: " in text, text


@pytest.mark.parametrize("off", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("line", ["doctor", f"show {LONG} s-1", "log show", "keys", "sess"])
def test_who_wants_no_colour_gets_none(where: Path, line: str, off: dict[str, str]) -> None:
    assert "\x1b" not in on_terminal("--vault", where, *line.split(), **off).out


@pytest.mark.parametrize("line", SHOWN)
def test_a_pipe_gets_no_colour_and_no_question(where: Path, line: str) -> None:
    said = run("--vault", where, *line.split())
    assert "\x1b" not in said.out + said.err


def test_an_id_that_is_to_be_copied_stands_in_one_line(where: Path) -> None:
    [hold] = run("--vault", where, "hold", "list", "--json").json
    assert hold["id"] in on_terminal("--vault", where, "hold", "list").out


def test_every_entry_of_the_log_has_its_own_block(where: Path) -> None:
    shown = on_terminal("--vault", where, "log", "show", NO_COLOR="1").out
    assert re.search(
        r"^#0  create completed  \d{4}-\d\d-\d\d .*Z\n  generation  [0-9a-f]{32}$", shown, re.MULTILINE
    )
    assert "  reason        request 881\n" in shown


def kinds(kind: type[VaultError]) -> list[type[VaultError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in kinds(below))]


@pytest.mark.parametrize("kind", kinds(VaultError))
def test_every_error_comes_with_a_hint(
    where: Path, kind: type[VaultError], monkeypatch: pytest.MonkeyPatch
) -> None:
    special = {
        errors.PolicyError: lambda: errors.PolicyError("wrong", path="x.yaml"),
        errors.MissingExtraError: lambda: errors.MissingExtraError("psycopg", "postgres"),
    }
    error = special.get(kind, lambda: kind("wrong"))()

    def fail(_vault: Vault) -> None:
        raise error

    monkeypatch.setattr(Vault, "users", fail)
    said = run("--vault", where, "sessions")
    assert said.code == kind.exit_code
    assert re.fullmatch(r"error: .+\nhint: .+\n", said.err)


def test_an_error_of_the_system_comes_with_a_hint(tmp_path: Path) -> None:
    said = run("certificate", "verify", "-", "--key", tmp_path / "nowhere", stdin="{}")
    assert said.code == 2
    assert "can't be read: No such file or directory\nhint: name a file that holds it" in said.err


def test_whoever_is_interrupted_before_a_name_is_typed_changed_nothing(where: Path) -> None:
    shown = on_terminal("--vault", where, "keys", "rotate", "--now", typed="yes\n")
    assert shown.code == 2
    assert "what was typed is something else; nothing was changed" in shown.out
    with closing(sqlite3.connect(where / "keyring.db")) as keyring:
        assert keyring.execute("SELECT count(*) FROM keyring_meta WHERE name LIKE 'rotated%'").fetchone() == (
            0,
        )
