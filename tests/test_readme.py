"""README is followed: its blocks run in order in a directory, its commands exist, its links lead on."""

import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click import UsageError
from databases import Databases
from shell_blocks import README, TRIED, Shell, blocks, commands_in, named, parse

from vault.redaction.settings import Redaction

TOP = Path(__file__).parents[1]
BLOCKS = blocks()
SHELL = [block for block in BLOCKS if block.language == "sh"]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def server_urls(database: Databases, place: Path) -> dict[str, str]:
    for mirror in ("a", "b"):
        (place / mirror).mkdir()
    return {
        "postgresql+psycopg://chat@db/transcripts": database.transcripts,
        "postgresql+psycopg://chat@db/keyring": database.keyring,
        "/mnt/": f"{place}/",
    }


def replaced(code: str, changes: dict[str, str]) -> str:
    for there, here in changes.items():
        assert there in code
        code = code.replace(there, here)
    return code


@pytest.mark.wide
def test_a_stranger_follows_the_commands_of_readme_in_an_empty_directory(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for block in SHELL:
        if not block.tried:
            shell.run(block)


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
@pytest.mark.parametrize("code", [block.code for block in PYTHON if "chat@db" not in block.code])
def test_every_block_of_python_in_readme_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_blocks_for_a_server_run_on_postgresql(database: Databases, tmp_path: Path) -> None:
    urls = server_urls(database, tmp_path)
    [commands] = [block for block in SHELL if block.tried == "postgres"]
    quoted = {there: f"'{here}'" if "?" in here else here for there, here in urls.items()}
    Shell(tmp_path).run(replace(commands, code=replaced(commands.code, quoted)))
    [python] = [block.code for block in PYTHON if "chat@db" in block.code]
    code = f"from vault import Vault\n{replaced(python, urls)}\nvault.close()"
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "a" / "root.key").read_bytes() == (tmp_path / "b" / "root.key").read_bytes()


@pytest.mark.wide
def test_a_root_is_put_under_a_passphrase_as_readme_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    [block] = [block for block in SHELL if "passphrase-file" in block.code]
    (shell.place / "disk-a").mkdir()
    (shell.place / "disk-b").mkdir()
    shell.run(block)
    for disk in ("disk-a", "disk-b"):
        assert b"transcript-vault sealed root" in (shell.place / disk / "sealed.key").read_bytes()


def test_what_the_blocks_import_comes_with_an_extra_or_is_named_beside_them() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name != "test"}
    offered = tuple(need for needs in extras.values() for need in needs)
    found = [re.findall(r"^(?:from|import) (\w+)", block.code, re.MULTILINE) for block in PYTHON]
    foreign = (
        {name.replace("_", "-") for names in found for name in names} - sys.stdlib_module_names - {"vault"}
    )
    with_none = {name for name in foreign if not any(need.startswith(name) for need in offered)}
    assert {name for name in with_none if f"`{name}`" not in README} == set()


def test_the_two_commands_stand_on_the_first_screen() -> None:
    first = "\n".join(README.splitlines()[:24])
    assert "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/vault demo" in first
    assert ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest" in first


def test_each_block_says_how_it_is_tried() -> None:
    assert {block.tried for block in SHELL} == TRIED
    assert {block.language for block in BLOCKS} == {"sh", "python", "mermaid", "toml"}
    assert not any(block.tried for block in BLOCKS if block.language != "sh")


@pytest.mark.parametrize(
    ("line", "words"),
    [(block.line, words) for block in SHELL for words in commands_in(block.code) if "||" not in words],
)
def test_every_command_of_a_block_is_one_that_click_takes(
    line: int, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for word in words:  # what click looks for before it runs anything
        if re.fullmatch(r"[\w/-]+\.(json|yaml)", word):
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    assert parse(words).help, f"README.md:{line}"


def test_a_command_that_click_does_not_take_is_found() -> None:
    for words in (["hold", "add"], ["purge", "--never"], ["no-such"], ["policy", "check"]):
        with pytest.raises(UsageError):
            parse(words)


def test_every_command_that_a_sentence_names_exists_and_has_help() -> None:
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`vault ([a-z][^`]*)`", prose)
    assert len(found) > 30
    for words in found:
        assert named(words).help, words
    with pytest.raises(AssertionError):
        named("hold nothing")


def test_the_settings_that_readme_shows_are_settings() -> None:
    for block in BLOCKS:
        if block.language == "toml":
            Redaction.of(tomllib.loads(block.code)["redaction"])


def test_every_extra_that_readme_names_exists() -> None:
    extras = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    found = set(re.findall(r"\[([a-z-]+)\]'", README)) | set(re.findall(r"`\[([a-z-]+)\]`", README))
    assert found
    assert found <= extras.keys()


def test_every_link_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", one.lower()).strip().replace(" ", "-")
        for one in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", README):
        path, _, place = link.partition("#")
        assert not path or (TOP / path).exists(), link
        assert not place or place in headings, link
