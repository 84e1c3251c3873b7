"""What a backup says of itself, and whether that is true. No names, no content."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

import msgspec

from vault.crypto.envelope import derive
from vault.errors import ConfigError, SchemaError, StoreUnavailableError, TamperedError
from vault.storage import migrations
from vault.storage.runtime import Runtime

T = TypeVar("T")

FORMAT = "transcript-vault backup 1"
NAME = "manifest.json"
FILES = {"transcripts": "transcripts.db", "keyring": "keyring.db"}


class FileSum(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup: a store, as a SQLite database of the vault's own schema."""

    schema: str
    size: int
    sha256: str
    rows: dict[str, int]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `generation` is the root's that the keyring needs; the root is not in it."""

    format: str = FORMAT
    release: str
    vault: str
    created_at: datetime
    generation: str
    ordinal: int
    transcripts: FileSum
    keyring: FileSum
    seal: str = ""

    def part(self, label: str) -> FileSum:
        """Give what is said of one store."""
        return self.transcripts if label == "transcripts" else self.keyring

    @property
    def mark(self) -> bytes:
        """Tell this backup from every other one, in a store that it fills."""
        return hashlib.sha256(self.seal.encode()).digest()

    def sealed(self, service: bytes) -> Manifest:
        """Add the code that only who has the vault's keys can make: sums alone, a forger makes anew."""
        return msgspec.structs.replace(self, seal=self._seal(service))

    def check_seal(self, service: bytes) -> None:
        """Raise TamperedError unless this vault wrote the manifest."""
        if not hmac.compare_digest(self.seal, self._seal(service)):
            raise TamperedError("the manifest of this backup was not written by this vault, or was edited")

    def _seal(self, service: bytes) -> str:
        said = msgspec.json.encode(msgspec.structs.replace(self, seal=""))
        return hmac.digest(derive(service, b"backups"), said, "sha256").hex()

    def to_json(self) -> str:
        """Give the manifest as it stands in the backup."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"


def open_regular(path: Path) -> BufferedReader:
    """Open a file of a backup to be read; a pipe would be waited for, and a device has no end."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise TamperedError(f"{path.name} of this backup is no file")
    return file


def read_manifest(backup: Path) -> Manifest:
    """Read what a backup says of itself; an interrupted one has no manifest."""
    try:
        with open_regular(backup / NAME) as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"this is no backup, or one that was interrupted: it has no {NAME}",
            hint="name the directory that vault backup made",
        ) from None
    except OSError as error:
        raise StoreUnavailableError(f"the backup can't be read: {error.strerror}") from None
    try:
        form = msgspec.json.decode(text, type=dict[str, object]).get("format")
        if isinstance(form, str) and form.startswith("transcript-vault backup") and form != FORMAT:
            raise SchemaError(
                "this backup is of a form that this release does not know",
                hint="pip install --upgrade transcript-vault",
            )
        found = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise TamperedError("the manifest of this backup is damaged") from None
    if found.format != FORMAT:
        raise ConfigError("this is no backup of a vault", hint="name the directory that vault backup made")
    return found


def check_schema(manifest: Manifest) -> None:
    """Raise SchemaError unless the backup's databases are of this release's version."""
    for label, head in migrations.HEADS.items():
        found = manifest.part(label).schema
        if found > head:
            raise SchemaError(
                f"the {label} of this backup have the version {found}, made by a newer release than this one",
                hint="pip install --upgrade transcript-vault",
            )
        if found < head:
            raise SchemaError(
                f"the {label} of this backup have the older version {found}; this release needs {head}",
                hint=f"restore with transcript-vault=={manifest.release}, then: vault db upgrade",
            )


def describe(path: Path, schema: str, rows: dict[str, int]) -> FileSum:
    """Say what a finished file holds."""
    with open_regular(path) as file:
        return FileSum(
            schema=schema,
            size=os.fstat(file.fileno()).st_size,
            sha256=hashlib.file_digest(file, "sha256").hexdigest(),
            rows=rows,
        )


def check_file(path: Path, part: FileSum) -> None:
    """Raise TamperedError unless a file is what its manifest says."""
    try:
        found = describe(path, part.schema, part.rows)
    except FileNotFoundError:
        raise TamperedError(f"{path.name} is missing from this backup") from None
    except OSError as error:
        raise StoreUnavailableError(f"the backup can't be read: {error.strerror}") from None
    if found != part:
        raise TamperedError(f"{path.name} of this backup is not what its manifest says")


def aside(runtime: Runtime, work: Callable[[], T]) -> T:
    """Do what takes long and is no SQL in a thread, so that an event loop goes on meanwhile."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return runtime.wait(pool.submit(work))
