"""Checkpoints outside the vault: one file each, in a directory that whoever has the databases can't write to.

Without them nobody can tell a log that was set back to an older state from one that is young.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from vault.errors import ConfigError, StoreUnavailableError, TamperedError
from vault.evidence.notes import Checkpoint, Verifier, open_checkpoint

PARTED = (
    "if you put an older keyring back, keep these checkpoints and begin a new directory:"
    " vault log checkpoint --anchor NEW; if not, leave all as it is: somebody else did, or cut it off"
)  # what to do where the log did not grow from what lies outside
_SUFFIX = ".checkpoint"
_DIGITS = 19  # the names sort by size


def write_anchor(directory: str | os.PathLike[str], note: str, size: int) -> Path:
    """Write a signed checkpoint, durably; raise TamperedError where another of the same size lies there."""
    path = Path(directory) / f"{size:0{_DIGITS}}{_SUFFIX}"
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists():
            if path.read_text(encoding="utf-8") != note:
                raise TamperedError(
                    "another checkpoint of this size lies there: the log was rewritten", hint=PARTED
                )
            return path
        Path(directory).mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except (OSError, UnicodeDecodeError) as error:
        with suppress(OSError):  # the first error is the one to tell; there may be no file yet
            unfinished.unlink()
        raise StoreUnavailableError(
            f"the checkpoint can't be written: {getattr(error, 'strerror', None) or 'it is no text'}",
            hint="name a directory that can be written to",
        ) from error
    return path


def read_anchors(directory: str | os.PathLike[str], key: Verifier) -> list[Checkpoint]:
    """Read all checkpoints of a directory; raise TamperedError for one that this key did not sign."""
    try:
        paths = sorted(path for path in Path(directory).iterdir() if path.name.endswith(_SUFFIX))
        notes = [path.read_text(encoding="utf-8") for path in paths if not path.name.startswith(".")]
    except UnicodeDecodeError:
        raise TamperedError("this is not a signed note") from None
    except OSError as error:
        raise StoreUnavailableError(
            f"the checkpoints can't be read: {error.strerror}", hint="name the directory that holds them"
        ) from error
    if not notes:
        raise ConfigError(
            "there is no checkpoint in this directory, and nothing to compare the log with",
            hint="vault log checkpoint --anchor DIR writes one",
        )
    return [open_checkpoint(note, key) for note in notes]
