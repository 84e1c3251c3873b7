"""How every command ends: a message, a hint on what to do next, and an exit code; never a traceback."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

import click

from vault.cli.talking import fitting, harmless, paint, say
from vault.errors import (
    Note,
    PolicyError,
    TamperedError,
    UnavailableError,
    UnknownError,
    UsageError,
    VaultError,
)

_HINTS = (  # where an error has none of its own; the first that fits
    (UnknownError, "vault sessions lists who is here"),
    (PolicyError, "vault policy schema prints what may stand there"),
    (TamperedError, "vault doctor and vault log verify say more"),
    (UnavailableError, "vault doctor says what it finds"),
    (UsageError, "{command} --help shows examples"),
    (VaultError, "nothing more is known; vault doctor looks at all that the vault stands on"),
)
_TAMPERED_HINTS = {  # where vault doctor can't know more
    "vault certificate": "get it anew from whoever keeps the vault, and the key by a way that you trust",
    "vault log": "leave all as it is, and compare it with checkpoints outside the vault: --anchor DIR",
}
# What the library calls an argument is an option here.
_OPTIONS = {
    "keyring": "keyring",
    "policies": "policy",
    "purpose": "purpose",
    "reason": "reason",
    "root": "root",
}
_ARGUMENT = re.compile(rf'\b({"|".join(_OPTIONS)})=(?=("?))')
_LONG = 200  # characters of a file's name that are shown
_OS_HINTS = {
    errno.ENOSPC: "make room there, then say it again",
    errno.ENOENT: "name a file that is there",
    errno.EACCES: "the owner of that file may; vault doctor says whose files are whose",
    errno.EPERM: "the owner of that file may; vault doctor says whose files are whose",
}


def end(error: BaseException, *, debug: bool, command: str = "vault") -> int:
    """Tell how a command failed, and give its exit code. Only VaultError and OSError say their own words."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        error = _as_usage_error(error)
    elif debug:
        _trace(error)
    if isinstance(error, VaultError):
        text, hint = (_with_options(said) for said in (str(error), error.hint or _hint(error, command)))
        code = error.exit_code
    elif isinstance(error, OSError):
        where = f": {_shortened(str(error.filename))}" if error.filename else ""
        text, code = f"{error.strerror or type(error).__name__}{where}", 1
        hint = _os_hint(error)
    else:
        # Whatever it says might be content (P1).
        text, hint, code = f"unexpected: {type(error).__name__}", "vault --debug … shows where", 1
    said = fitting(harmless(f"error: {text}"), err=True).removeprefix("error:")
    click.echo(f"{paint('error:', err=True, fg='red', bold=True)}{said}", err=True)
    say(f"hint: {hint}")
    tell_notes(error)
    return code


def tell_notes(error: BaseException) -> None:
    """Tell what the vault added to an error; what others added might be content (P1)."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, Note):
            say(f"note: {note}")


def _with_options(said: str) -> str:
    return _ARGUMENT.sub(lambda found: f"--{_OPTIONS[found[1]]}{' ' if found[2] else ''}", said)


def _shortened(name: str) -> str:
    """Leave out the middle of what is too long to be the name of a file, and was taken for one."""
    return name if len(name) <= _LONG else f"{name[: _LONG // 2]}…{name[-_LONG // 2 :]}"


def _hint(error: Exception, command: str) -> str:
    if isinstance(error, TamperedError) and command in _TAMPERED_HINTS:
        return _TAMPERED_HINTS[command]
    return next(hint for kind, hint in _HINTS if isinstance(error, kind)).format(command=command)


def _os_hint(error: OSError) -> str:
    if error.errno == errno.ENOENT and error.filename and not Path(str(error.filename)).parent.is_dir():
        return "make its directory first"
    return _OS_HINTS.get(error.errno or 0, "mend that, then say it again")


def _as_usage_error(error: click.ClickException) -> UsageError:
    """Say what click has to say in the words of all errors, with a hint."""
    text = (
        error.message.rstrip(".")
        if isinstance(error, click.NoSuchOption)
        else error.format_message().rstrip(".")
    )
    context = getattr(error, "ctx", None)
    below = (
        []
        if context is None
        else context.command_path.split()[len(context.find_root().command_path.split()) :]
    )
    name = " ".join(["vault", *below])
    hint = f"{name} --help shows examples"
    if isinstance(error, click.NoSuchOption) and context is not None:
        if error.option_name in getattr(context.find_root().command, "own", ()):
            hint = f"it stands before the command: vault {error.option_name} … {' '.join(below)}"
        elif error.possibilities:
            hint = f"did you mean {' or '.join(sorted(error.possibilities))}? {hint}"
    return UsageError(text[:1].lower() + text[1:], hint=hint)


def _trace(error: BaseException) -> None:
    """Show where an error came from. What it says may be content, unless the vault said it (P1)."""
    import traceback

    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        _trace(before)
    words = f": {error}" if isinstance(error, VaultError | OSError) else ""
    say(f"Traceback:\n{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}{words}\n")


def hush() -> None:
    """Go on without a reader: whoever had the other end of stdout has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
