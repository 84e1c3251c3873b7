"""A vault whose log is looked at, and what is done in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from vault import Vault
from vault.evidence.entries import Kind

DAY = 86_400_000_000
ANNA, BEN, CARL = "anna-4711@example.org", "ben-4712@example.org", "carl-4713@example.org"
SECRET = "the ash tree"


@contextmanager
def made(where: Path, **given: Any) -> Iterator[Vault]:
    with Vault.open(where, **{"redactor": None, **given}) as vault:
        yield vault


def talk(vault: Vault, *users: str) -> None:
    for user in users:
        vault.transcript(user, "s-9").append("user", SECRET)


def told(vault: Vault, *fields: str, first: int = 1) -> list[tuple[object, ...]]:
    return [tuple(getattr(one, field) for field in fields) for one in vault.log.entries(first=first)]


def steps(vault: Vault) -> list[tuple[object, ...]]:
    return told(vault, "kind", "step")


def alter(vault: Vault, work: Callable[[Connection], object]) -> None:
    vault._core.stores.keyring.write(work)


def fill(vault: Vault, number: int, kind: str = Kind.POLICY) -> None:
    """Add many entries as fast as can be."""
    log = vault._core.keyring.log
    alter(vault, lambda c: log.add(c, [log.draft(kind, number=at) for at in range(number)]))
