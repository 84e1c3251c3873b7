"""The examples run: each in a process of its own, in an empty directory, with nothing but what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import TOP, names_in, run

from vault import Vault
from vault.errors import UserForgottenError

EXAMPLES = TOP / "tests" / "examples"
README = (TOP / "README.md").read_text(encoding="utf-8")
SAID = "Call me on 020 7946 0018"
STORED = "Call me on <PHONE_NUMBER_1>"

Ran = subprocess.CompletedProcess[str]
Runs = Callable[..., Ran]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Run an example in an empty directory, with `vault` in the PATH; unless told, it must end well."""
    programs, place = tmp_path / "bin", tmp_path / "empty"
    programs.mkdir()
    place.mkdir()
    (programs / "vault").write_text(f'#!/bin/sh\nexec {sys.executable} -m vault "$@"\n')
    (programs / "vault").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRANSCRIPT_VAULT_")}
    environ = kept | {"PYTHONPATH": str(TOP), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    monkeypatch.chdir(place)

    def started(name: str, *words: str, typed: str = "", code: int = 0) -> Ran:
        program = "sh" if name.endswith(".sh") else sys.executable
        done = subprocess.run(
            [program, EXAMPLES / name, *words],
            input=typed, capture_output=True, text=True, check=False, cwd=place, env=environ,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done

    return started


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "framework"),
    [
        ("langgraph_chat.py", "langgraph"),
        ("openai_agents_chat.py", "agents"),
        ("langchain_chat.py", "langchain_core"),
    ],
)
def test_a_chat_goes_on_in_another_process_and_ends_when_its_user_is_forgotten(
    example: Runs, name: str, framework: str
) -> None:
    pytest.importorskip(framework, reason=f"{framework} is not installed")
    first = example(name, "u-42", "s-1", typed=f"{SAID}\nStill there?\n")
    assert first.stdout.splitlines()[1] == f"You have said: {STORED} / Still there?"
    again = example(name, "u-42", "s-1", typed="And now?\n")
    assert again.stdout == f"You have said: {STORED} / Still there? / And now?\n"
    assert example(name, "u-43", "s-2", typed="Hello\n").stdout == "You have said: Hello\n"
    for path in Path("chat-vault").iterdir():
        assert b"7946 0018" not in path.read_bytes()
        assert b"Still there" not in path.read_bytes()
    with Vault.open("chat-vault", redactor=None) as vault:
        assert vault.forget_user("u-42", now=True).status == "final"
    refused = example(name, "u-42", "s-1", typed="And now?\n", code=1)
    assert UserForgottenError.__name__ in refused.stderr


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
def test_chats_move_from_langchains_sql_history_once(example: Runs) -> None:
    histories = pytest.importorskip(
        "langchain_community.chat_message_histories", reason="langchain-community is not installed"
    )
    for session, said in (("s-1", f"I am Anna Kowalski. {SAID}"), ("s-2", "Hello"), ("s-3", "nobody's")):
        histories.SQLChatMessageHistory(session, connection="sqlite:///memory.db").add_user_message(said)
    moved = example("move_from_langchain_sql.py", "memory.db").stdout.splitlines()
    assert moved[0].startswith("s-1 of anna: 1 added, 0 known")
    assert moved[2] == f"['I am <PERSON_1>. {STORED}', 'Are you still there?']"
    assert "s-1 of anna: 0 added, 1 known" in example("move_from_langchain_sql.py", "memory.db").stdout
    with Vault.open("chat-vault") as vault:
        assert list(vault.users()) == ["anna", "ben"]


@pytest.mark.wide
def test_a_day_of_compliance_ends_with_a_proof_and_a_drill(example: Runs) -> None:
    told = example("compliance_day.sh").stdout
    assert "erased 1 message of 1 user" in told  # Ben's; Anna's were held
    assert told.count("refused with code 5") == told.count("refused with code 4") == 1
    assert told.count("can be restored with this root") == 2
    assert "status     final" in told
    assert "the log is whole" in told
    assert {"anna.zip", "881.json", "vault.pub", "report.html"} <= names_in(Path())
    assert names_in(Path("checkpoints"))
    with zipfile.ZipFile("anna.zip") as answer:
        assert "policy.yaml" in " ".join(answer.namelist())
    elsewhere = run("certificate", "verify", "881.json", "--key", "vault.pub")
    assert (elsewhere.code, elsewhere.err) == (0, "")


def test_readme_links_to_every_example() -> None:
    for path in EXAMPLES.iterdir():
        if path.suffix in {".py", ".sh"} and path.name != "stand_ins.py":
            assert f"(tests/examples/{path.name})" in README, path.name
