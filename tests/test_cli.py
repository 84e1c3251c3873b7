"""The command line as a whole: help, options, how commands end. Each command's own tests stand beside."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import TOP, make, on_terminal, run, spawn

from vault import Vault
from vault.cli import cli
from vault.cli.talking import harmless

# -- which vault -----------------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_flag_beats_a_variable_and_that_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, elsewhere = (
        make(tmp_path / name, **{f"user-of-{name}": ["x"]}) for name in ("here", "there", "elsewhere")
    )
    monkeypatch.chdir(here)
    assert run("sessions").out == "user-of-here\t1\t1\n"
    assert run("sessions", TRANSCRIPT_VAULT_VAULT=str(there)).out == "user-of-there\t1\t1\n"
    flagged = run("--vault", elsewhere, "sessions", TRANSCRIPT_VAULT_VAULT=str(there))
    assert flagged.out == "user-of-elsewhere\t1\t1\n"


def test_without_any_vault_it_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("sessions")
    assert said.code == 2
    assert "hint: vault --vault" in said.err


# -- how commands end ------------------------------------------------------------------------------------


def no_vault(where: Path) -> None:
    (where / "vault.toml").unlink()


def no_root(where: Path) -> None:
    (where / "root.key").unlink()


def a_root_of_another_vault(where: Path) -> None:
    other = make(where.parent / "other")
    shutil.copy2(other / "root.key", where / "root.key")


def a_root_open_to_all(where: Path) -> None:
    (where / "root.key").chmod(0o644)


def a_root_of_garbage(where: Path) -> None:
    (where / "root.key").write_bytes(b"\x00garbage")


def transcripts_of_garbage(where: Path) -> None:
    (where / "transcripts.db").write_bytes(os.urandom(5000))


def a_keyring_of_garbage(where: Path) -> None:
    (where / "keyring.db").write_bytes(b"no database at all " * 100)


def no_keyring(where: Path) -> None:
    (where / "keyring.db").unlink()


def settings_of_garbage(where: Path) -> None:
    (where / "vault.toml").write_text("transcripts = [")


def settings_not_in_utf8(where: Path) -> None:
    (where / "vault.toml").write_bytes(b"\xff\xfe")


def an_unknown_setting(where: Path) -> None:
    (where / "vault.toml").write_text("colour = 'red'\n")


def an_unknown_database(where: Path) -> None:
    (where / "vault.toml").write_text("keyring = 'redis://localhost'\n")


def an_unknown_root(where: Path) -> None:
    (where / "vault.toml").write_text("root = 'ftp://localhost/root.key'\n")


def a_newer_schema(where: Path) -> None:
    with closing(sqlite3.connect(where / "keyring.db")) as connection:
        connection.execute("UPDATE keyring_version SET version_num = 'k9999'")
        connection.commit()


def an_edited_body(where: Path) -> None:
    with closing(sqlite3.connect(where / "transcripts.db")) as connection:
        connection.execute("UPDATE messages SET role = 'assistant'")
        connection.commit()


BROKEN: list[tuple[Callable[[Path], None], int]] = [
    (no_vault, 2),
    (settings_of_garbage, 2),
    (settings_not_in_utf8, 2),
    (an_unknown_setting, 2),
    (an_unknown_database, 2),
    (an_unknown_root, 2),
    (an_edited_body, 3),
    (no_root, 4),
    (a_root_of_another_vault, 4),
    (a_root_open_to_all, 4),
    (a_root_of_garbage, 4),
    (transcripts_of_garbage, 4),
    (a_keyring_of_garbage, 4),
    (no_keyring, 4),
    (a_newer_schema, 4),
]


@pytest.mark.wide
@pytest.mark.parametrize(("breaking", "code"), BROKEN)
def test_what_is_broken_ends_with_its_code_and_without_a_traceback(
    tmp_path: Path, breaking: Callable[[Path], None], code: int
) -> None:
    where = make(tmp_path / "v", anna=["a secret"])
    breaking(where)
    for words in (["show", "anna", "s-1"], ["show", "anna", "s-1", "--json"], ["doctor"]):
        said = run("--vault", where, *words)
        assert said.code == code, (words, said)
        assert "secret" not in said.out + said.err
        if words != ["doctor"]:
            assert said.err.startswith("error: ")
            assert said.out == ""


@pytest.mark.parametrize(
    "url",
    ["postgresql://127.0.0.1:1/x", "mysql+pymysql://user:hunter2@127.0.0.1:1/x", "sqlite:////nowhere/x.db"],
)
def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path, url: str) -> None:
    for words in ("sessions", "doctor", "db upgrade"):
        said = run("--vault", url, "--keyring", url, "--root", f"file:{tmp_path}/root.key", *words.split())
        assert said.code == 4, said
        assert "hunter2" not in said.out + said.err


def test_the_words_of_an_unexpected_error_stay_untold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = make(tmp_path / "v", anna=["x"])

    def fail(_vault: Vault) -> Iterator[str]:
        raise LookupError("the content of a message")

    monkeypatch.setattr(Vault, "users", fail)
    said = run("--vault", where, "sessions")
    assert said.code == 1
    assert said.err == "error: unexpected: LookupError\nhint: vault --debug … shows where\n"


@pytest.mark.wide
def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    for said in (
        spawn("--debug", "--vault", tmp_path, "sessions"),
        spawn("--vault", tmp_path, "sessions", TRANSCRIPT_VAULT_DEBUG="1"),
    ):
        assert said.code == 2
        assert "Traceback" in said.err
        assert said.err.endswith(
            "error: this directory is not a vault: it has no vault.toml\nhint: vault init makes one\n"
        )
    assert "Traceback" not in spawn("--vault", tmp_path, "sessions").err


def test_p1_debug_shows_where_and_not_what_an_unexpected_error_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = make(tmp_path / "v", anna=["x"])

    def fail(_vault: Vault) -> Iterator[str]:
        users: dict[str, list[str]] = {}
        try:
            return iter(users["a first secret"])
        except KeyError as first:
            raise LookupError("a second secret") from first

    monkeypatch.setattr(Vault, "users", fail)
    result = CliRunner().invoke(cli, ["--debug", "--vault", str(where), "sessions"])
    assert result.exit_code == 1
    assert "in fail\n" in result.stderr
    assert "KeyError\n" in result.stderr
    assert "LookupError\n" in result.stderr
    assert "secret" not in re.sub(r" {4}(raise|return) .*", "", result.stderr)


def test_an_unknown_command_or_option_is_a_usage_error() -> None:
    assert run("sess").code == 2
    assert run("sessions", "--colour").code == 2
    assert run("show", "u-1").code == 2


@pytest.mark.wide
@pytest.mark.parametrize("name", ["", " ", "a\x07b", "x" * 513])
def test_an_id_that_can_not_be_is_a_usage_error(tmp_path: Path, name: str) -> None:
    where = make(tmp_path / "v")
    assert run("--vault", where, "show", name, "s-1").code == 2
    assert run("--vault", where, "sessions", name).code == 2


@pytest.mark.wide
def test_whoever_reads_only_the_beginning_gets_no_complaint(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["line\n" * 20_000])
    command = f"{sys.executable} -m vault --vault {where} show anna s-1 | head -n 1"
    done = subprocess.run(["sh", "-c", command], check=False, cwd=TOP, capture_output=True, text=True)
    assert done.stdout.startswith("#0  user")
    assert done.stderr == ""


@pytest.mark.wide
def test_a_full_disk_under_stdout_is_one_line(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["x"])
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vault", "--vault", where, "sessions"],
            check=False, cwd=TOP, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1, "error: No space left on device\nhint: make room there, then say it again\n",
    )  # fmt: skip


@pytest.mark.wide
def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["x"])
    code = (
        "import vault.client, time, sys\n"
        "vault.client.Vault.users = lambda vault: print('begun', flush=True) or time.sleep(30)\n"
        f"sys.argv = ['vault', '--vault', {str(where)!r}, 'sessions']\n"
        "from vault.__main__ import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "begun\n"
        while process.poll() is None:  # one that comes while Python collects garbage is swallowed
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
        assert process.returncode == 130
        assert process.stderr.read() == "\ninterrupted\n"


# -- the terminal ----------------------------------------------------------------------------------------


@pytest.mark.wide
def test_colour_only_on_a_terminal_that_wants_it(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["hello"])
    words = ("--vault", where, "show", "anna", "s-1")
    assert "\x1b[" in on_terminal(*words).out
    assert "\x1b[" not in on_terminal(*words, NO_COLOR="1").out
    assert "\x1b[" not in on_terminal(*words, TERM="dumb").out
    assert "\x1b[" not in spawn(*words).out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("a\u202eb\u2066c\u2069", r"a\u202eb\u2066c\u2069"),
        ("\x9b31m", r"\x9b31m"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\U000e0041tag", r"\U000e0041tag"),
        ("a\rb\x7f\x00", r"a\rb\x7f\x00"),
        (
            "tab\tline\nwörld 中 👩\u200d🔬 \u0645\u06cc\u200c\u062e",
            "tab\tline\nwörld 中 👩\u200d🔬 \u0645\u06cc\u200c\u062e",
        ),
    ],
)
def test_what_drives_a_terminal_is_made_visible(text: str, shown: str) -> None:
    assert harmless(text) == shown
