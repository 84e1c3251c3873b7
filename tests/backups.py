"""Places to back up and to restore into, and what is said and read there.

A test module takes the fixtures by their names: `home, backup = backups.home, backups.backup`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from attacker import Attacker, Dump, root_keys
from databases import Databases, Server, Sqlite, fresh_databases
from faces import TickingClock

from vault import Vault
from vault.transfer.drill import Drill
from vault.transfer.restore import Restored


@dataclass(frozen=True)
class Place:
    """Where a vault lives: two databases and a root."""

    databases: Databases
    root: Path
    clock: Callable[[], int] = field(default_factory=TickingClock)

    @property
    def uris(self) -> dict[str, Any]:
        return {"keyring": self.databases.keyring, "root": f"file:{self.root}", "clock": self.clock}

    def open(self, **changes: Any) -> Vault:
        return Vault.open(self.databases.transcripts, **{**self.uris, "redactor": None, **changes})

    def restore(self, backup: Path, **changes: Any) -> Restored:
        return Vault.restore(backup, self.databases.transcripts, **{**self.uris, **changes})

    def drill(self, backup: Path, **changes: Any) -> Drill:
        return Vault.drill(backup, **{"root": f"file:{self.root}", "clock": self.clock, **changes})

    def dumps(self) -> tuple[Dump, Dump]:
        return self.databases.dump(self.databases.transcripts), self.databases.dump(self.databases.keyring)

    def attacker(self) -> Attacker:
        with self.open() as vault:
            return Attacker(bytes.fromhex(vault.keys_status().vault), root_keys(self.root))

    def stolen(self, copies: Sequence[tuple[Dump, Dump]]) -> set[str]:
        """Give every text that somebody reads who holds these copies, and the present root."""
        thief = self.attacker()
        thief.take_keyrings(keyring for _, keyring in copies)
        return set().union(*(thief.read(transcripts) for transcripts, _ in copies))


@pytest.fixture
def home(database: Databases, tmp_path: Path) -> Place:
    return Place(database, tmp_path / "root.key")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@contextmanager
def moved(
    home: Place, dialect: str | None, request: pytest.FixtureRequest, directory: Path
) -> Iterator[Place]:
    """Give new databases, of another dialect if one is named, for the same root."""
    server: Server
    if dialect is None:
        server = home.databases._server
    elif dialect == "sqlite":
        server = Sqlite(directory)
    else:
        server = request.getfixturevalue(dialect)
    with fresh_databases(server) as databases:
        yield replace(home, databases=databases)


@pytest.fixture
def elsewhere(home: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """New databases of the same dialect for the same root."""
    with moved(home, None, request, tmp_path) as place:
        yield place


def say(vault: Vault, user: str, session: str, *texts: str) -> None:
    for one in texts:
        vault.transcript(user, session).append("user", one)


def read(vault: Vault, user: str, session: str) -> list[object]:
    return [message.content for message in vault.transcript(user, session).messages()]


def everything(vault: Vault) -> dict[tuple[str, str], list[object]]:
    return {
        (user, one.session_id): read(vault, user, one.session_id)
        for user in vault.users()
        for one in vault.sessions(user)
    }


def file_sums(directory: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.iterdir()
        if path.is_file()
    }
