"""README is run: every block of Python, every command that it names."""

import re
import tomllib
from pathlib import Path

import pytest
from click import Group
from databases import Databases

from vault.cli import cli

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SERVER = [code for code in PYTHON if "chat@db" in code]


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
@pytest.mark.parametrize("code", [code for code in PYTHON if code not in SERVER])
def test_every_block_of_python_in_readme_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_block_for_a_server_runs_on_postgresql(database: Databases, tmp_path: Path) -> None:
    [code] = SERVER
    here = {
        "postgresql+psycopg://chat@db/transcripts": database.transcripts,
        "postgresql+psycopg://chat@db/keyring": database.keyring,
        "/mnt/": f"{tmp_path}/",
    }
    for there, url in here.items():
        assert there in code
        code = code.replace(there, url)
    for mirror in ("a", "b"):
        (tmp_path / mirror).mkdir()
    names: dict[str, object] = {}
    exec(compile(f"from vault import Vault\n{code}\nvault.close()", "README.md", "exec"), names)
    assert (tmp_path / "a" / "root.key").read_bytes() == (tmp_path / "b" / "root.key").read_bytes()


def test_the_two_commands_stand_on_the_first_screen() -> None:
    first = "\n".join(README.splitlines()[:24])
    assert "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/vault demo" in first
    assert ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest" in first


def test_every_command_that_readme_names_exists_and_has_help() -> None:
    assert isinstance(cli, Group)
    commands = {name for line in _command_lines() for name in line}
    assert {"demo", "init", "doctor", "backup", "restore"} <= commands
    with cli.make_context("vault", [], resilient_parsing=True) as context:
        for name in commands:
            command = cli.get_command(context, name)
            assert command is not None, name
            assert command.help, name


def _command_lines() -> list[list[str]]:
    """Give the commands of lines such as `vault a | b` or `vault a DIRECTORY`."""
    blocks = "\n".join(code for language, code in BLOCKS if language == "sh")
    lines = re.findall(r"(?:^|\s)vault ((?:[a-z][a-z-]*(?: \| )?)+)", blocks)
    return [
        line.split(" | ") if " | " in line else line.split()[:1]
        for line in lines
        if not line.startswith(
            ("keys", "db", "policy check", "log ", "certificate verify", "hold add", "policy explain")
        )
    ]


def test_every_extra_that_readme_names_exists() -> None:
    extras = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    named = set(re.findall(r"\[([a-z-]+)\]'", README)) | set(re.findall(r"`\[([a-z-]+)\]`", README))
    assert named
    assert named <= extras.keys()
