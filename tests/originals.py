"""Vaults whose redactor replaces all that is said, and gives what it replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from world import World

from vault import Message, Vault
from vault.redaction import Redacted
from vault.redaction.memory import Memory


class Values:
    """A redactor that replaces all, and gives what it replaced."""

    def examine(self, messages: list[Message], namespace: str) -> Values:
        assert namespace == ""
        return Given([Redacted(Message(one.role, "[all]"), {"[all]": str(one.content)}) for one in messages])


class Given(Values):
    def __init__(self, redacted: list[Redacted]) -> None:
        self._redacted = redacted

    def finish(self, memory: Memory) -> list[Redacted]:
        assert memory.known == {}
        return self._redacted


def revealed(vault: Vault) -> list[object]:
    return [one.content for one in vault.transcript("u-1", "s-1").messages(reveal=True, purpose="a test")]


def open_with(world: World, rules: str, tmp_path: Path, **more: Any) -> Vault:
    file = tmp_path / "own.yaml"
    file.write_text(rules)
    return Vault.open(
        world.databases.transcripts,
        keyring=world.databases.keyring,
        root=f"file:{world.root}",
        clock=world.clock,
        policies=file,
        **{"redactor": Values(), **more},
    )
