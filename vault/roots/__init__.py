"""The root: the key over all keys, outside every database.

It comes in generations. An erasure stages a new one, wraps the top of the tree with it, and destroys
the old one when the horizon has passed. Beside each generation lies what its swap erased: the journal
from which an older keyring, once restored, repeats the erasures before anything is served. Beside them all
lie the holds, which come back from there into an older keyring.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from vault.errors import ConfigError

UNCLAIMED = bytes(16)  # the holder of a root whose keyring is still to be made


class Phase(enum.StrEnum):
    """Where a generation is in its life."""

    STAGED = "staged"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure, as the journal remembers it: ids and blind indexes, no names.

    `above` are the nodes that were re-keyed for it. An older keyring re-keys them as well when it repeats the
    erasure, even where it never had what was erased: another copy may hold that, below the same keys (P3).
    """

    intent: bytes
    kind: str
    nodes: tuple[bytes, ...]
    slot: bytes
    pseudonym: str
    at: int
    above: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """A hold, or a request that waits for holds to end: the keyring's row, as the journal remembers it.

    `slot` is where the user, or the session, is looked up. It stays in the journal for as long as it counts,
    and for the horizon after that, so that no older keyring loses it (P5).
    """

    id: bytes
    kind: str
    slot: bytes
    user_node: bytes
    session_node: bytes | None
    until: int | None
    ended_at: int | None
    settled_at: int | None
    record: str
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of the root, without its key. Times are microseconds since 1970."""

    id: bytes
    ordinal: int
    phase: Phase
    created_at: int
    retired_at: int | None
    erased: tuple[Erased, ...]


@dataclass(frozen=True, slots=True)
class RootState:
    """All that a root holds, read at one moment."""

    vault: bytes
    holder: bytes
    generations: tuple[Generation, ...]
    holds: tuple[Noted, ...] = ()

    def find(self, generation: bytes) -> Generation | None:
        """Look up a generation by its id: mostly one of the last."""
        return next((one for one in reversed(self.generations) if one.id == generation), None)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a root says of a destruction: which generations are gone, and how it knows."""

    provider: str
    generations: tuple[bytes, ...]
    proof: str


class Root(Protocol):
    """What every root can do. All writes may be repeated."""

    @property
    def name(self) -> str:
        """How the root is called in messages: its URI without secrets."""

    def exists(self) -> bool:
        """Say whether a root, or what is left of one, is at this place."""

    def require_place(self, making: Path) -> None:
        """Raise where no root could be made; `making` is a directory that is about to be."""

    def create(self, vault: bytes, holder: bytes, at: int) -> Generation:
        """Make the first generation; refuse where a root already is."""

    def load(self) -> RootState:
        """Read afresh what the root holds now."""

    def wrap(self, generation: bytes, key: bytes, aad: bytes) -> bytes:
        """Seal a key under one generation."""

    def unwrap(self, generation: bytes, wrapped: bytes, aad: bytes) -> bytes:
        """Open what `wrap` sealed."""

    def stage(
        self, ordinal: int, erased: tuple[Erased, ...], at: int, *, promoting: bytes | None = None
    ) -> Generation:
        """Add a new generation beside the others, on every mirror.

        `promoting` is the one that the keyring names: it becomes the current one where it is still staged.
        Other staged ones came to nothing and are dropped.
        """

    def promote(self, generation: bytes, at: int) -> None:
        """Make a staged generation the current one; the one before it retires."""

    def destroy(self, generations: tuple[bytes, ...], *, promoting: bytes | None = None) -> Receipt:
        """Remove retired generations for good, and read back on every mirror that they are gone.

        `promoting` is as for `stage`.
        """

    def note(self, noted: Noted, *, dropping: tuple[bytes, ...] = ()) -> None:
        """Remember a hold as it stands now, on every mirror; drop those that nobody needs any more."""

    def claim(self, holder: bytes) -> None:
        """From now on only the keyring of this holder swaps the root."""

    def require_mirrors(self) -> None:
        """Raise where a mirror is missing, or could not be changed: an erasure refuses before it begins."""

    def hindrances(self) -> list[str]:
        """Say what keeps the root from being changed: until it is mended nothing can be erased."""

    def heal(self) -> None:
        """Bring mirrors that are behind up to date, where all of them are there."""

    def warnings(self) -> list[str]:
        """Say what an operator should mend: hindrances, no mirror, one that is behind, open permissions."""


def from_uri(uri: str, *, relative_to: str = ".") -> Root:
    """Choose the root by its URI's scheme."""
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        from vault.roots.file import FileRoot  # noqa: PLC0415 (a provider loads only when it is chosen)

        return FileRoot.from_uri(uri, relative_to=relative_to)
    raise ConfigError(
        f"no root is known for the scheme {scheme!r}",
        hint="use file:/path/to/root.key, or file:/a/root.key,/b/root.key with mirrors",
    )
