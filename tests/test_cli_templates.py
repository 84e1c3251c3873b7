"""What `vault template` prints works where it is meant to."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

from vault import __version__


def template(*given: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "vault", "template", *given], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.wide
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    program = shutil.which("true")
    assert program is not None
    unit = tmp_path / "transcript-vault.service"
    unit.write_text(template("systemd", "--program", program))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert unit.name not in checked.stderr, checked.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    exposure = re.search(r"Overall exposure level.*?: ([0-9.]+)", judged.stdout)
    assert exposure is not None, judged.stderr
    assert float(exposure[1]) < 2.5


@pytest.mark.wide
def test_the_unit_runs_the_daemon_of_the_vault_that_was_named() -> None:
    text = template("systemd", "--vault", "/srv/a%b", "--program", "/opt/bin/vault")
    assert "ExecStart=/opt/bin/vault --vault /srv/a%%b daemon\n" in text
    assert "ReadWritePaths=-/srv/a%%b\n" in text


@pytest.mark.wide
def test_the_unit_takes_names_with_spaces_and_signs() -> None:
    text = template("systemd", "--vault", "/var/lib/my vault", "--program", "/opt/100%h/vault")
    assert 'ExecStart=/opt/100%%h/vault --vault "/var/lib/my vault" daemon\n' in text
    assert 'ReadWritePaths="-/var/lib/my vault"\n' in text


@pytest.mark.wide
def test_the_unit_names_no_variable_where_a_directory_has_a_dollar() -> None:
    text = template("systemd", "--vault", "/srv/a${HOME}$b", "--program", "/opt/vault")
    assert "ExecStart=/opt/vault --vault /srv/a$${HOME}$$b daemon\n" in text
    assert "ReadWritePaths=-/srv/a${HOME}$b\n" in text


@pytest.mark.wide
def test_p1_the_unit_holds_no_url_which_may_have_a_password() -> None:
    text = template("systemd", "--vault", "postgresql+psycopg://u:pa$x@db/chat")
    assert "ExecStart=/usr/local/bin/vault daemon\n" in text
    assert "pa$x" not in text
    assert "\nReadWritePaths=" not in text
    assert "TRANSCRIPT_VAULT_VAULT" in text


def test_a_unit_for_a_directory_that_depends_on_where_one_stands_is_refused() -> None:
    done = run("template", "systemd", "--vault", "relative/dir")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("program", ["", ".venv/bin/vault"])
def test_a_unit_for_a_program_that_systemd_would_not_find_is_refused(program: str) -> None:
    done = run("template", "systemd", "--program", program)
    assert (done.code, done.out) == (2, "")
    assert "--program /" in done.err


def test_the_dockerfile_installs_this_version_and_drops_root() -> None:
    text = template("dockerfile")
    assert f"=={__version__}" in text
    assert re.search(r"^USER vault$", text, re.MULTILINE)
    assert "{" not in text.replace("${", "")
