"""What the mirrors of a file root hold at one moment: which of them counts, and what forbids a change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vault.errors import ConfigError, RootUnavailableError, VaultError, WrongKeyError
from vault.roots import UNCLAIMED
from vault.roots.file_format import Document
from vault.roots.file_lines import Understood
from vault.roots.file_room import SPARE, obstacle


@dataclass(frozen=True, slots=True)
class Mirror:
    """What was found in one file."""

    path: Path
    said: Understood

    @property
    def document(self) -> Document:
        """What it says."""
        return self.said.document


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found in all files at one moment."""

    opened: tuple[Mirror, ...]
    missing: tuple[Path, ...]
    faults: tuple[VaultError, ...]

    def newest(self) -> Mirror:
        """Choose the mirror that counts, or say why there is none."""
        if not self.opened:
            raise self._nothing()
        if len({one.document.vault for one in self.opened}) > 1:
            raise ConfigError(
                f"{', '.join(str(one.path) for one in self.opened)} are roots of different vaults",
                hint="mirrors hold copies of one root; give each vault its own",
            )
        newest = max(self.opened, key=lambda one: one.document.rank)
        for one in self.opened:
            if one.document.rank == newest.document.rank and one.document != newest.document:
                raise RootUnavailableError(
                    f"the mirrors {one.path} and {newest.path} were changed apart from each other",
                    hint="move the one away that the vault was not used with",
                )
        return newest

    def refuse_missing(self) -> None:
        """Raise where a file is not there: on a disk that is away it would keep what a change takes (P3).

        A root that no vault has claimed yet has nothing to take: its making was interrupted, and goes on.
        """
        if self.missing and any(one.document.holder != UNCLAIMED.hex() for one in self.opened):
            raise RootUnavailableError(
                f"there is no file at {', '.join(map(str, self.missing))}, where a mirror of the root was",
                hint="mount its disk, then repeat: every mirror must be there for a change. One that is lost"
                " for good: vault keys move to the files that are left, or to all, which writes it anew",
            )

    def refuse_faults(self) -> None:
        """Raise where a file can't be read: what lies there is not ours to overwrite."""
        for fault in self.faults:
            raise RootUnavailableError(str(fault), hint=fault.hint)

    def stuck(self) -> list[str]:
        """Say which of the files that could be read can't be changed, and why."""
        sizes = sum(len(one.said.data) + SPARE for one in self.opened)
        found = [(one.path, obstacle(one.path, sizes)) for one in self.opened]
        return [f"the root at {path} can't be changed: {why}" for path, why in found if why is not None]

    @property
    def agrees(self) -> bool:
        """Say whether every mirror is there, whole, and the same as the others."""
        first = self.opened[0].said
        all_same = all(one.said.data == first.data for one in self.opened)
        return all_same and first.is_whole and not self.missing and not self.faults

    def _nothing(self) -> VaultError:
        if not self.faults:
            return RootUnavailableError(
                f"there is no root at {', '.join(map(str, self.missing))}",
                hint="mount the place where it lies, or restore it from a copy",
            )
        first = min(self.faults, key=lambda one: not isinstance(one, WrongKeyError))
        return type(first)("; ".join(str(one) for one in self.faults), hint=first.hint)
