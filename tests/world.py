"""A vault beside what should be in it, and beside every copy that was ever taken of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attacker import Attacker, Dump, root_keys
from databases import Databases
from faces import DAY, TickingClock

from vault import Vault
from vault.errors import SessionForgottenError


@dataclass
class World:
    """A vault beside a plain dictionary of what should be in it, and every copy taken so far."""

    databases: Databases
    root: Path
    clock: TickingClock = field(default_factory=TickingClock)
    horizon: str = "7d"
    alive: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    popped: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    transcripts: list[Dump] = field(default_factory=list)
    keyrings: list[Dump] = field(default_factory=list)
    texts: Iterator[str] = field(default_factory=lambda: (f"text-{number}-" for number in range(10_000)))

    def __post_init__(self) -> None:
        self.vault = self.open()

    def open(self, **settings: Any) -> Vault:
        return Vault.open(
            self.databases.transcripts,
            keyring=self.databases.keyring,
            root=f"file:{self.root}",
            redactor=None,
            clock=self.clock,
            horizon=self.horizon,
            **settings,
        )

    def snapshot(self) -> None:
        self.transcripts.append(self.databases.dump(self.databases.transcripts))
        self.keyrings.append(self.databases.dump(self.databases.keyring))

    def vault_id(self) -> bytes:
        return bytes.fromhex(self.vault.keys_status().vault)

    def attacker(self) -> Attacker:
        return Attacker(self.vault_id(), root_keys(self.root))

    # -- operations -------------------------------------------------------------------------------------

    def append(self, dice: random.Random) -> None:
        user, session = f"user-{dice.randrange(5)}", f"session-{dice.randrange(3)}"
        if user in self.forgotten:
            self.vault.enroll(user)
            self.forgotten.discard(user)
        self.clock.now += dice.choice([0, 0, DAY])
        text = next(self.texts)
        try:
            self.vault.transcript(user, session).append("user", text)
        except SessionForgottenError:
            self.vault.enroll(user, session)
            self.vault.transcript(user, session).append("user", text)
        self.alive.setdefault((user, session), []).append(text)

    def forget_user(self, dice: random.Random) -> None:
        users = sorted({user for user, _ in self.alive})
        if users:
            user = dice.choice(users)
            self.vault.forget_user(user)
            self.forgotten.add(user)
            for name in [name for name in self.alive if name[0] == user]:
                self.erased |= set(self.alive.pop(name))

    def _end_session(self, dice: random.Random, end: Callable[[str, str], object]) -> None:
        if self.alive:
            name = dice.choice(sorted(self.alive))
            end(*name)
            self.erased |= set(self.alive.pop(name))

    def forget_session(self, dice: random.Random) -> None:
        self._end_session(dice, self.vault.forget_session)

    def clear(self, dice: random.Random) -> None:
        self._end_session(dice, lambda user, session: self.vault.transcript(user, session).clear())

    def delete(self, dice: random.Random) -> None:
        self._end_session(dice, lambda user, session: self.vault.transcript(user, session).delete())

    def pop(self, dice: random.Random) -> None:
        if self.alive:
            user, session = dice.choice(sorted(self.alive))
            self.vault.transcript(user, session).pop()
            texts = self.alive[user, session]
            self.popped.add(texts.pop())
            if not texts:
                del self.alive[user, session]

    def reopen(self, _dice: random.Random) -> None:
        self.vault.close()
        self.vault = self.open()

    def act(self, dice: random.Random) -> None:
        weights = {
            self.append: 12,
            self.forget_user: 2,
            self.forget_session: 2,
            self.clear: 1,
            self.delete: 1,
            self.pop: 1,
            self.reopen: 1,
        }
        dice.choices(list(weights), list(weights.values()))[0](dice)
