"""A person at a shell who types what `vault doctor` says, and nothing else."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands import TOP, VARIABLES

_DONE = "\x01done"


@dataclass
class Shell:
    """One bash that goes on; `vault` is this vault. `knows` are the places that stand in capitals."""

    home: Path
    knows: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        programs = self.home / "bin"
        programs.mkdir()
        self.program("vault", f'exec {sys.executable} -m vault "$@"')
        clean = {name: value for name, value in os.environ.items() if not name.startswith(VARIABLES)}
        path = f"{programs}:{os.environ['PATH']}"
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
            env={**clean, "PYTHONPATH": str(TOP), "PATH": path, "EDITOR": "false"},
        )

    def program(self, name: str, script: str) -> None:
        """Put a program where the shell finds it."""
        path = self.home / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def type(self, line: str) -> tuple[int, str]:
        """Type a line; give its exit code and what it said."""
        for capitals, place in self.knows.items():
            line = line.replace(capitals, place)
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f"{line} </dev/null\nprintf '{_DONE} %s\\n' $?\n")
        self._bash.stdin.flush()
        said = []
        for shown in self._bash.stdout:
            before, mark, code = shown.partition(_DONE)
            said.append(before)
            if mark:
                return int(code), "".join(said)
        raise AssertionError(f"the shell has ended: {''.join(said)}")

    def close(self) -> None:
        assert self._bash.stdin
        self._bash.stdin.close()
        assert self._bash.stdout
        self._bash.stdout.close()
        self._bash.wait()

    def doctor(self, command: str) -> list[dict[str, Any]]:
        """Ask doctor; give what is not well."""
        _, said = self.type(f"{command} doctor --json 2>/dev/null")
        found: list[dict[str, Any]] = json.loads(said)["checks"]
        bad = [one for one in found if one["state"] in {"warning", "FAILED"}]
        for one in bad:
            assert one["why"], one
            assert one["do"], one
            assert "\n" not in one["do"]
        return bad

    def follow(self, command: str, *, bears: tuple[str, ...] = ()) -> list[str]:
        """Do what doctor says until it is content; give what was done, the failures before the warnings."""
        done: list[str] = []
        while True:
            bad = [one for one in self.doctor(command) if not any(words in one["says"] for words in bears)]
            if not bad:
                return done
            [first, *_] = sorted(bad, key=lambda one: one["state"] != "FAILED")
            assert first["do"] not in done, f"it did not help: {first}"
            code, said = self.type(first["do"])
            assert code == 0, (first, said)
            done.append(first["do"])
