"""Odd ways to call the command line: closed streams, names that are none, what can't be said twice."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import TOP, make, names_in, run

from vault.transfer.formats import JsonLines


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return make(tmp_path / "v", anna=["hello"], ben=["hello"])


def shell(where: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Say a line to a shell; `vault` is the real command on this vault."""
    command = shlex.join([sys.executable, "-m", "vault", "--vault", str(where)])
    return subprocess.run(
        ["sh", "-c", line.replace("vault", command, 1)],
        check=False,
        capture_output=True,
        text=True,
        cwd=where.parent,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    )


# -- closed streams ----------------------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_what_was_done_is_done_though_nobody_can_be_told(where: Path, closed: str) -> None:
    done = shell(where, f"vault forget-user anna --confirm anna --certificate c.json {closed}")
    assert done.returncode == 0, done
    assert "error" not in done.stderr
    assert (where.parent / "c.json").stat().st_size
    assert run("--vault", where, "sessions").out == "ben\t1\t1\n"
    assert run("--vault", where, "doctor").code == 0  # no database was written to as if it were stdout


@pytest.mark.wide
@pytest.mark.parametrize("words", ["sessions", "show ben s-1", "redact", "export --user ben", "--help"])
def test_every_command_runs_without_a_stdout(where: Path, words: str) -> None:
    done = shell(where, f"vault {words} <&- >&-")
    assert (done.returncode, "error" in done.stderr) == (0, False), done


def test_p7_who_can_not_be_asked_is_told_how_to_say_it(where: Path) -> None:
    done = shell(where, "vault forget-user anna <&-")
    assert done.returncode == 2
    assert "there is no terminal to ask on" in done.stderr


@pytest.mark.wide
def test_an_error_without_a_stderr_still_has_its_exit_code(where: Path) -> None:
    assert shell(where, "vault show nobody s-1 2>&-").returncode == 0  # reads as empty
    assert shell(where, "vault export --user nobody 2>&-").returncode == 1
    assert shell(where, "vault no-such-command 2>&-").returncode == 2


# -- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "."])
def test_an_output_without_a_name_is_a_usage_error(where: Path, name: str) -> None:
    said = run("--vault", where, "export", "--user", "ben", "--output", name)
    assert (said.code, "unexpected" in said.err) == (2, False)


def test_numbers_are_bounded(where: Path) -> None:
    assert run("--vault", where, "log", "show", "--first", 2**62 + 1).code == 2
    assert run("--vault", where, "log", "show", "--first", 2**62).code == 0


@pytest.mark.parametrize("key", ["x" * 5000, "x+" * 2500, "a\x00b", "/nowhere/vault.pub", "/"])
def test_a_key_that_is_none_is_said_to_be_none_in_few_words(tmp_path: Path, key: str) -> None:
    (tmp_path / "c.json").write_text("{}")
    said = run("certificate", "verify", tmp_path / "c.json", "--key", key)
    assert said.code == 2
    assert "public key" in said.err
    assert len(said.err) < 400


def test_a_file_name_of_any_length_is_told_shortly(where: Path) -> None:
    said = run("--vault", where, "export", "--user", "ben", "--output", "x" * 5000)
    assert said.code == 1
    assert len(said.err) < 500


@pytest.mark.parametrize(
    "words",
    [
        ["export", "--user", "ben", "--output"],
        ["forget-user", "ben", "--confirm", "ben", "--certificate"],
        ["report", "--html"],
    ],
)
def test_a_new_file_in_a_directory_that_is_not_there_is_told_so(
    where: Path, tmp_path: Path, words: list[str]
) -> None:
    said = run("--vault", where, *words, tmp_path / "nowhere" / "x")
    assert said.code == 1
    assert "hint: make its directory first" in said.err


@pytest.mark.wide
def test_a_dash_is_stdout_or_is_refused_and_never_a_file(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(where.parent)
    assert "<html" in run("--vault", where, "report", "--html", "-").out
    assert run("--vault", where, "report", "--html", "-", "--json").code == 2
    assert run("--vault", where, "import", "-", "--from", "jsonl", stdin="{}").code == 2
    said = run("--vault", where, "forget-user", "anna", "--confirm", "anna", "--certificate", "-")
    assert said.code == 2
    assert run("--vault", where, "show", "anna", "s-1").code == 0  # nothing was erased before it was refused
    assert names_in(where.parent) == {"v"}


@pytest.mark.wide
@pytest.mark.parametrize(
    ("error", "code"), [(OSError(28, "No space left on device"), 1), (KeyboardInterrupt(), 130)]
)
def test_p1_an_export_that_breaks_off_says_where_its_plain_text_waits(
    where: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    real = JsonLines.session

    def breaks(*given: Any) -> str | bytes:
        if (where.parent / "out.cursor").exists():
            raise error
        return real(*given)

    monkeypatch.setattr(JsonLines, "session", breaks)
    said = run("--vault", where, "export", "--all", "--output", where.parent / "out")
    assert said.code == code
    assert f"note: what was written so far waits in {where.parent}/out.part: --resume goes on" in said.err
    assert names_in(where.parent) == {"v", "out.part", "out.cursor"}


# -- what is said again ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "root", ["file:///nowhere/root.key", "file:nowhere/root.key", "file:a/root.key,b/root.key"]
)
def test_init_with_a_wrong_root_leaves_nothing_and_is_said_again_rightly(tmp_path: Path, root: str) -> None:
    (tmp_path / "right").mkdir(mode=0o700)
    refused = run("init", tmp_path / "v", "--root", root)
    assert refused.code == 4
    assert "there is no directory" in refused.err
    assert not (tmp_path / "v").exists()
    assert run("init", tmp_path / "v", "--root", f"file:{tmp_path}/right/root.key").code == 0


def test_a_root_beside_a_vault_that_is_new_is_named_from_its_directory(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    said = run("init", tmp_path / "v", "--root", "file:../keys/root.key")
    assert said.code == 0, said.err
    assert "root.key" in names_in(tmp_path / "keys")
    assert run("--vault", tmp_path / "v", "sessions").code == 0


def test_a_horizon_that_is_no_duration_is_named_as_the_horizon(where: Path) -> None:
    said = run("--vault", where, "--horizon", "7", "sessions")
    assert (said.code, said.err.splitlines()[0]) == (2, "error: the horizon is not a duration")


@pytest.mark.parametrize("horizon", ["6m", "30m"])
def test_a_horizon_in_m_is_refused_for_it_may_be_minutes_or_months(tmp_path: Path, horizon: str) -> None:
    said = run("init", tmp_path / "v", "--horizon", horizon)
    assert said.code == 2
    assert "m may be minutes or months" in said.err
    assert not (tmp_path / "v").exists()
    assert run("init", tmp_path / "v", "--horizon", f"{horizon}in").code == 0


# -- the passphrase ----------------------------------------------------------------------------------------


def words_in(path: Path, text: bytes = b"correct horse\n", mode: int = 0o600) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)
    return path


@pytest.mark.wide
def test_a_passphrase_that_others_read_or_that_lies_beside_its_root_is_told(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir(mode=0o700)
    uri = f"file:{tmp_path}/root/root.key?passphrase-file="
    aside, beside = words_in(tmp_path / "aside" / "words", mode=0o644), words_in(tmp_path / "root" / "words")
    said = run("init", tmp_path / "v", "--root", f"{uri}{aside}")
    assert f"the passphrase is open to other users of this machine: chmod go-rwx {aside}" in said.err
    told = run("--vault", tmp_path / "v", "doctor", "--json").json["checks"]
    assert f"chmod go-rwx {aside}" in [one["do"] for one in told]
    aside.chmod(0o600)
    assert "the passphrase" not in run("--vault", tmp_path / "v", "doctor").out
    said = run("--vault", tmp_path / "v", "--root", f"{uri}{beside}", "keys", "status")
    assert "lies beside the root: one copy or theft takes both" in said.err


def test_a_passphrase_is_a_file_of_some_length(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    long = words_in(tmp_path / "long", b"x" * 65_537)
    for path, why in (
        (tmp_path / "pipe", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (long, "far too long"),
    ):
        said = run("init", tmp_path / "v", "--root", f"file:{tmp_path}/root.key?passphrase-file={path}")
        assert said.code == 2
        assert why in said.err
    assert names_in(tmp_path) == {"pipe", "long"}


# -- hints -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["show", "anna", "s-1", "--reveal"], "are read for a purpose", '--purpose "request 881"'),
        (["hold", "add", "--user", "anna", "--reason", ""], "a hold has a reason", '--reason "case 7"'),
        (["purge"], "no retention policies", 'policies = "policies" in vault.toml, or --policy; '),
    ],
)
def test_what_python_calls_an_argument_is_an_option_in_hints(
    where: Path, words: list[str], error: str, hint: str
) -> None:
    told = run("--vault", where, *words)
    assert error in told.err
    assert f"hint: {hint}" in told.err


def test_a_vault_on_a_server_asks_for_the_options_that_name_the_rest_of_it() -> None:
    told = run("--vault", "postgresql://nowhere/chat", "sessions")
    assert "error: a vault on a database server needs --keyring\n" in told.err
    assert "hint: --keyring is a second database; --root is file:/path/root.key, outside both" in told.err
