"""Running the command line: in this process, in another one, and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from vault import Vault
from vault.cli import cli

TOP = Path(__file__).parents[1]
VARIABLES = "TRANSCRIPT_VAULT_"


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*words: object, stdin: str | bytes | None = None, **environ: str) -> Said:
    """Run a command in this process; there is no terminal."""
    result = CliRunner().invoke(cli, [str(word) for word in words], input=stdin, env=_clean() | environ)
    assert "Traceback" not in result.stderr
    return Said(result.exit_code, result.stdout, result.stderr)


def spawn(*words: object, stdin: str = "", **environ: str) -> Said:
    """Run the real command."""
    done = subprocess.run(
        [sys.executable, "-m", "vault", *map(str, words)],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        env=_inherited() | environ,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def on_terminal(*words: object, typed: str = "", **environ: str) -> Said:
    """Run the real command on a terminal of 80 columns, and type something into it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "vault", *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
        env=_inherited() | {"TERM": "xterm-256color", "COLUMNS": "80"} | environ,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:
            break  # how Linux says that the other end was closed
        if not piece:
            break
        shown += piece
    os.close(ours)
    return Said(process.wait(), shown.decode().replace("\r\n", "\n"), "")


def _clean() -> dict[str, str | None]:
    return {name: None for name in os.environ if name.startswith(VARIABLES)}


def _inherited() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith((VARIABLES, "NO_COLOR"))}
    return kept | {"PYTHONPATH": str(TOP)}


def names_in(directory: Path) -> set[str]:
    """The names of what lies in a directory."""
    return {path.name for path in directory.iterdir()}


def make(where: Path, **chats: list[str]) -> Path:
    """Make a vault in which each user said something in the session s-1."""
    with Vault.open(where, redactor=None) as vault:
        for user, texts in chats.items():
            vault.transcript(user, "s-1", namespace="support").extend(
                [{"role": "user", "content": text} for text in texts]
            )
    return where
