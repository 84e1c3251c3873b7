"""README's blocks as a reader follows them: run in order, in one directory, or at least parsed by click."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from click import Command, Group
from commands import TOP

from vault.cli import cli

README = (TOP / "README.md").read_text(encoding="utf-8")

# What follows `sh` says how a block is tried. Nothing: run, in order. postgres: run on the tests' server.
# install: CI runs it. system: it changes the machine, so that our commands in it are only parsed.
TRIED = {"", "postgres", "install", "system"}


@dataclass(frozen=True)
class Block:
    """A fenced block, with the line on which it begins."""

    line: int
    language: str
    tried: str
    code: str


def blocks() -> list[Block]:
    """Give all blocks of README, in order."""
    return [
        Block(README.count("\n", 0, found.start()) + 1, found[1], found[2].strip(), found[3])
        for found in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    ]


class Shell:
    """A person's shell in a directory."""

    def __init__(self, place: Path) -> None:
        self.place = place / "work"
        self.place.mkdir()
        programs = place / "bin"
        programs.mkdir()
        for name, what in (("vault", "-m vault "), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {what}"$@"\n')
            (programs / name).chmod(0o755)
        self._exported = place / "exported"
        self._exported.write_text("")
        kept = {name: one for name, one in os.environ.items() if not name.startswith("TRANSCRIPT_VAULT_")}
        self._environ = kept | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(TOP),
            "USER": "tests",
        }

    def run(self, block: Block) -> None:
        """Run a block; whatever fails in it fails the test, and what it exports, the next one finds."""
        code = f". {self._exported}\nset -eu\n{block.code}\nexport -p > {self._exported}\n"
        done = subprocess.run(
            ["sh", "-c", code],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.place,
            env=self._environ,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"README.md:{block.line}: {done.stderr}"


def commands_in(code: str) -> list[list[str]]:
    """Give the words of each `vault …` in a block, without what the shell does with them."""
    found = []
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while ours := [at for at, word in enumerate(words) if Path(word).name == "vault"]:
            rest = words[ours[0] + 1 :]
            ends = [at for at, word in enumerate(rest) if word[0] in "|><&;"]
            end = ends[0] if ends else len(rest)
            found.append(rest[:end])
            words = rest[end:]
    return found


def parse(words: list[str]) -> Command:
    """Let click parse a command as it would to run it, and run nothing; give the command that is meant."""
    command: Command = cli
    with ExitStack() as opened:  # click opens the files that are named
        context = opened.enter_context(cli.make_context("vault", list(words)))
        while isinstance(command, Group):
            name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            assert found is not None
            context = opened.enter_context(found.make_context(name, rest, parent=context))
            command = found
    return command


def named(words: str) -> Command:
    """Give the command of words such as `hold add`: those that stand inside a sentence."""
    command: Command = cli
    for word in words.split():
        if not isinstance(command, Group) or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        with command.make_context("vault", [], resilient_parsing=True) as context:
            found = command.get_command(context, word)
        assert found is not None, words
        command = found
    return command
