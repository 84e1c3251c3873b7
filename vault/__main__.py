"""The command `vault`, also `transcript-vault` and `python -m vault`."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path


def _open_closed_streams() -> None:
    """Put nothing in the place of a stream that whoever started this has closed.

    Python has None there, and the next file that is opened, a database, would get the stream's number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (as long as it runs)


def main() -> None:
    """Run the command line."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A locale without Unicode must not turn a message into an exception that carries it (P1).
            stream.reconfigure(errors="backslashreplace")
    try:
        from vault.cli import cli  # noqa: PLC0415 (within the reach of Ctrl-C)

        cli()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
