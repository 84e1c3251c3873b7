"""The command `vault`, also `transcript-vault` and `python -m vault`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line."""
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
