"""What `vault doctor` knows while it says why a finding matters, and the very command that mends it.

What only the person knows stands in capitals: /ELSEWHERE and /MIRROR are directories on other disks or
machines, /COPY is where a copy of the root is kept, /BACKUP what vault backup made.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vault.cli.given import Given, is_missing
from vault.config import FILE, Settings, is_url, is_vault
from vault.roots import from_uri
from vault.storage.engine import parse_url

EDIT = '"${EDITOR:-vi}"'


class Mend(NamedTuple):
    """Why a finding matters, and what to type."""

    why: str
    do: str


@dataclass(frozen=True, slots=True)
class Bedside:
    """What is known of the patient: how it was named, and what could be read of its settings."""

    given: Given
    settings: Settings | None = None

    def vault(self, words: str) -> str:
        """Write a command for this vault."""
        return f"{self.given.command} {words}"

    @property
    def file(self) -> Path | None:
        """Give the vault.toml, where the vault has one."""
        where = self.given.vault or os.environ.get("TRANSCRIPT_VAULT_VAULT") or "."
        return None if is_url(where) else Path(where) / FILE

    def edit(self, line: int | None = None) -> str:
        """Open the settings."""
        if self.file is None:
            return "env | grep ^TRANSCRIPT_VAULT_"
        place = f"+{line} " if line else ""
        return f"{EDIT} {place}{shlex.quote(str(self.file))}"

    def restore(self, *replace: str) -> str:
        """Put a backup back."""
        options = "".join(f" --replace {one}" for one in replace)
        return self.vault(f"restore /BACKUP{options} --confirm {shlex.quote(self._name)}")

    @property
    def is_new(self) -> bool:
        """Say whether nothing but a vault.toml is here."""
        if self.settings is None or self.file is None:
            return False
        urls = (self.settings.transcripts, self.settings.keyring)
        root = from_uri(self.settings.root, relative_to=str(self.settings.base))
        return all(map(is_missing, urls)) and not root.exists()

    @property
    def _name(self) -> str:
        if self.settings is None:
            return "NAME"
        base = self.settings.base
        return base.name if is_vault(base) else parse_url(self.settings.transcripts).database or ""


def line_of(file: Path | None, name: str) -> int | None:
    """Find the line of a setting."""
    if file is None or not file.is_file():
        return None
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(name)), None)
