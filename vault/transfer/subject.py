"""What a person gets who asks what is stored about them: one ZIP, to read and to take elsewhere."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from vault.clock import to_datetime
from vault.config import policy_files
from vault.core import Core
from vault.errors import ConfigError
from vault.retention import policy_file
from vault.retention.loading import load
from vault.transfer.encrypting import opened
from vault.transfer.exporting import Exported, Exporter, Last, Progress, Wish, check_there, logged
from vault.transfer.formats import Format, JsonLines
from vault.transfer.output import Position, Stream
from vault.transfer.page import Html
from vault.transfer.seams import sign
from vault.version import __version__

FORMAT = "transcript-vault subject access 1"
_TITLE = "What is stored of your conversations"
_WORDS = (
    "These are all the messages that are kept here of conversations with you.",
    "Nothing on this page is loaded from a network, and what you type into the search field stays with you.",
    "data.jsonl beside this page holds the same for programs; manifest.json lists the files with their sums.",
)
_POLICIES = "The folder policies holds the rules that say for how long messages are kept."
_YEAR = 1980  # before it a ZIP has no dates


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the ZIP."""

    sha256: str
    size: int


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What the ZIP holds."""

    format: str = FORMAT
    release: str
    exported_at: datetime
    sessions: int
    messages: int
    purged: int
    revealed: bool
    files: dict[str, File]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data is asked for, and how they get it."""

    wish: Wish
    policies: Sequence[Path] = ()
    recipients: Sequence[str] = ()


def subject_access(
    core: Core, asked: Subject, to: Path | Stream, progress: Progress | None = None
) -> Exported:
    """Write the ZIP, encrypted where there are recipients."""
    asked.wish.check()
    check_there(core, asked.wish)
    policies = _read(asked.policies)
    packer = _Packer(core, asked.wish, to_datetime(core.stores.clock()))
    with opened(to, asked.wish.asked, asked.recipients) as file, logged(core, asked.wish, "access") as facts:
        done = packer.pack(file, policies, progress)
        facts |= {"sessions": done.sessions, "messages": done.messages}
        return done


def _read(paths: Sequence[Path]) -> dict[str, bytes]:
    """Give the texts of policies by their names in the ZIP; what is no policy is not given as one."""
    files = [policy_file(path) for path in policy_files(paths)]
    if files:
        load(files)
    found: dict[str, bytes] = {}
    for path in files:
        name = f"policies/{path.name}"
        if name in found:
            raise ConfigError("two policies have the same file name", hint="rename one")
        found[name] = path.read_bytes()
    return found


class _Member:
    """A file that grows within the ZIP."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._sum.update(piece)
        self.size += len(piece)

    def reach(self, position: Position) -> None:
        """A ZIP can't be gone on with."""

    @property
    def said(self) -> File:
        return File(sha256=self._sum.hexdigest(), size=self.size)


class _Packer:
    """Writes the files of one ZIP one after the other."""

    def __init__(self, core: Core, wish: Wish, at: datetime) -> None:
        self._core = core
        self._wish = wish
        self._at = at
        self._files: dict[str, File] = {}

    def pack(self, file: IO[bytes], policies: dict[str, bytes], progress: Progress | None) -> Exported:
        words = (*_WORDS, _POLICIES) if policies else _WORDS
        # The page shows what the data hold, though somebody may go on writing: the second pass ends where
        # the first did.
        last: Last = {}
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            done = self._write(archive, "data.jsonl", JsonLines(), last, progress)
            self._write(archive, "index.html", Html(_TITLE, words), last, None, again=True)
            for name, text in policies.items():
                with self._member(archive, name) as member:
                    member.write(text)
            said = self._manifest(done)
            with self._member(archive, "manifest.json") as member:
                member.write(said)
            signature = sign(self._core, said)
            if signature is not None:
                with self._member(archive, "manifest.json.sig") as member:
                    member.write(signature.encode())
        return done

    def _write(  # noqa: PLR0913 (what, and where)
        self,
        archive: zipfile.ZipFile,
        name: str,
        form: Format,
        last: Last,
        progress: Progress | None,
        *,
        again: bool = False,
    ) -> Exported:
        exporter = Exporter(self._core, self._wish, form, last, again=again)
        with self._member(archive, name) as member:
            return exporter.write(member, Position(asked=""), progress)

    @contextmanager
    def _member(self, archive: zipfile.ZipFile, name: str) -> Iterator[_Member]:
        at = self._at.astimezone(UTC)
        entry = zipfile.ZipInfo(name, (max(_YEAR, at.year), at.month, at.day, at.hour, at.minute, at.second))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        with archive.open(entry, "w", force_zip64=True) as file:
            member = _Member(file)
            yield member
        self._files[name] = member.said

    def _manifest(self, done: Exported) -> bytes:
        contents = Contents(
            release=__version__,
            exported_at=self._at,
            sessions=done.sessions,
            messages=done.messages,
            purged=done.purged,
            revealed=self._wish.reveal,
            files=self._files,
        )
        return msgspec.json.format(msgspec.json.encode(contents), indent=2) + b"\n"
