"""Two vaults in one thread: at a chosen instant of what the first does, the second does something else.

An instant is before any transaction and before any look at the root that is made outside one. What comes out
must be what would come out if the one had happened after the other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vault import Vault
from vault.errors import VaultError


@dataclass(slots=True)
class Instants:
    """Counts instants, and lets something happen at one of them."""

    chosen: int
    event: Callable[[], object]
    passed: int = 0
    inside: int = 0

    def pass_one(self) -> None:
        if self.inside:
            return
        self.passed += 1
        if self.passed == self.chosen:
            self.event()

    def within(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Make an instant before the work, and none inside it."""

        def passing(*args: Any, **kwargs: Any) -> Any:
            self.pass_one()
            self.inside += 1
            try:
                return work(*args, **kwargs)
            finally:
                self.inside -= 1

        return passing


@contextmanager
def interrupted(vault: Vault, instants: Instants) -> Iterator[None]:
    """Let the event happen while this vault is used."""
    stores = vault._core.stores
    places: list[tuple[Any, str]] = [
        (stores.transcripts, "_run"),
        (stores.keyring, "_run"),
        (stores.root, "load"),
    ]
    for place, name in places:
        setattr(place, name, instants.within(getattr(place, name)))
    try:
        yield
    finally:
        for place, name in places:
            delattr(place, name)


def outcome(work: Callable[[], object]) -> object:
    """Give what came out, errors of the vault's by their name. Others are faults."""
    try:
        return work()
    except VaultError as error:
        return type(error).__name__
