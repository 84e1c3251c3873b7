"""An export encrypted to age recipients while it is written: no plain text touches a disk on the way (P1)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from vault.core import Core
from vault.errors import MissingExtraError, StoreUnavailableError, UsageError
from vault.transfer.exporting import Exported, Progress, Wish, export
from vault.transfer.output import Position, Sink, Stream, whole_file


class _Draining:
    """What age writes into: a sink seen as a file."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, piece: bytes) -> int:
        self._sink.write(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is kept back here."""


def age_recipients(given: Sequence[str]) -> list[Any]:
    """Read recipients; only their public half is ever needed."""
    try:
        import pyrage  # noqa: PLC0415 (the extra age)
    except ImportError:
        raise MissingExtraError("pyrage", "age") from None
    found = []
    for one in given:
        try:
            found.append(pyrage.x25519.Recipient.from_str(one.strip()))
        except Exception as error:
            if not isinstance(error, pyrage.RecipientError):
                raise
            raise UsageError("this is no age recipient", hint="age-keygen prints one: age1…") from None
    return found


@contextmanager
def encrypting(recipients: Sequence[Any], sink: Sink) -> Iterator[BinaryIO]:
    """Give a file whose content goes to a sink, encrypted; whole once this ends without an error."""
    import pyrage  # noqa: PLC0415 (the extra age)

    source, end = os.pipe()
    failed: list[Exception] = []
    drained = cast(BinaryIO, _Draining(sink))

    def run() -> None:
        with os.fdopen(source, "rb") as plain:
            try:
                pyrage.encrypt_io(plain, drained, recipients)
            except Exception as error:  # noqa: BLE001 (it is the writer's, who waits for it)
                failed.append(error)

    thread = threading.Thread(target=run, name="age", daemon=True)
    thread.start()
    try:
        with ExitStack() as last:
            last.callback(thread.join)
            with os.fdopen(end, "wb", buffering=1024 * 1024) as file:
                yield file
    except BrokenPipeError:
        if not failed:
            raise
    if failed:
        raise StoreUnavailableError(f"age could not encrypt this: {type(failed[0]).__name__}") from None


@contextmanager
def opened(to: Path | Stream, asked: str, recipients: Sequence[str]) -> Iterator[BinaryIO]:
    """Give a file to write to, encrypted where there are recipients; nothing is left after an error."""
    keys = age_recipients(recipients) if recipients else []
    with ExitStack() as stack:
        sink: Sink = to if isinstance(to, Stream) else stack.enter_context(
            whole_file(to, Position(asked=asked), resumable=False)
        )[0]  # fmt: skip
        if keys:
            yield stack.enter_context(encrypting(keys, sink))
        else:
            yield cast(BinaryIO, _Draining(sink))


def encrypted(
    core: Core,
    wish: Wish,
    recipients: Sequence[str],
    to: Path | Stream,
    progress: Progress | None,
) -> Exported:
    """Write an export, encrypted."""
    with opened(to, wish.asked, recipients) as file:
        return export(core, wish, file, progress)
