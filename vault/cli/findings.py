"""One thing that `vault doctor` looked at: what it is, why it matters, and the command that mends it."""

from __future__ import annotations

from typing import Literal

import msgspec

from vault.cli.bedside import Mend
from vault.errors import VaultError

_BY_WEIGHT = (0, 1, 5, 2, 4, 3)  # exit codes, the worst last: integrity above all


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; all but `ok` say why it matters, and what to do."""

    check: str
    state: Literal["ok", "warning", "FAILED", "skipped"]
    says: str
    why: str = ""
    do: str = ""
    exit_code: int = 0


def worst(findings: list[Finding]) -> int:
    """Give the exit code of the worst failure."""
    return max((one.exit_code for one in findings), key=_BY_WEIGHT.index, default=0)


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check=check, state="ok", says=says)


def warning(check: str, says: str, mend: Mend) -> Finding:
    """It works, and is not safe."""
    return Finding(check=check, state="warning", says=says, why=mend.why, do=mend.do)


def failed(check: str, error: VaultError, mend: Mend) -> Finding:
    """It does not work, or must not."""
    code = error.exit_code
    return Finding(check=check, state="FAILED", says=str(error), why=mend.why, do=mend.do, exit_code=code)


def unexpected(check: str, error: Exception, command: str) -> Finding:
    """It failed in a way that nobody foresaw; its words may be content (P1)."""
    says, why = f"unexpected: {type(error).__name__}", "a step of this command itself failed"
    do = f"{command} --debug doctor"
    return Finding(check=check, state="FAILED", says=says, why=why, do=do, exit_code=1)
