"""What floors keep of what somebody asks to erase: the rules in force say it, each time anew (P5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.crypto.tree import Opened
from vault.errors import FlooredError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys
from vault.retention.classes import Classes
from vault.retention.deciding import Bound, bounds, rules_for
from vault.retention.facts import Facts, Seen
from vault.retention.parting import Parter
from vault.storage import retention as sql
from vault.storage.retention import Group
from vault.storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Floored:
    """What floors keep of one session: how many messages and records, and which of the floors ends last."""

    messages: int
    longest: Bound
    first: Bound
    is_whole: bool = True  # nothing lies beside it that no floor keeps

    @property
    def says(self) -> str:
        """Name the rule, and from when on it keeps nothing here."""
        rule, until = self.longest.rule, to_datetime(self.longest.at)
        return f"{rule.name}, {rule.at}: at least {self.longest.duration}, until {until:%Y-%m-%d %H:%M} UTC"


class Floors:
    """Looks at sessions, and says which of them a floor keeps."""

    def __init__(self, stores: Stores, keyring: Keyring, sessions: Sessions, classes: Classes) -> None:
        self._stores = stores
        self._policies = classes.policies
        self._facts = Facts(stores, keyring, classes)
        self._parter = Parter(stores, keyring, sessions, self._facts, self._keeps)
        self._has_any = any(rule.keep.at_least is not None for rule in classes.policies.rules)

    def keeping(self, user: bytes, sessions: Collection[bytes] | None = None) -> dict[bytes, Floored]:
        """Give what floors keep now of a user's sessions, or of some, by node."""
        if not self._has_any:
            return {}  # nothing is opened for it, so that what is broken can still be forgotten
        return beyond_doubt(self._stores, lambda: self._look(user, sessions))

    def part(self, user: UserKeys, session: Opened) -> None:
        """Move what a floor keeps to a session of its own, so that the other one can be erased as a whole."""
        self._parter.part(user, session)

    def _floor(self, seen: Seen, group: Group) -> Bound | None:
        fact, now = seen.fact(group), self._stores.transcripts.read(self._stores.earlier_clock)
        return bounds(rules_for(self._policies, fact), fact, now).floor_at(now)

    def _keeps(self, seen: Seen, group: Group) -> bool:
        return self._floor(seen, group) is not None

    def _look(self, user: bytes, sessions: Collection[bytes] | None) -> dict[bytes, Floored]:
        ids = self._stores.transcripts.read(lambda connection: sql.sessions_of_user(connection, user))
        found: dict[bytes, Floored] = {}
        for page in self._facts.pages(ids):
            for seen in page:
                node = seen.session.node
                if sessions is None or node in sessions:
                    kept = self._kept(seen)
                    found |= {} if kept is None else {node: kept}
        return found

    def _kept(self, seen: Seen) -> Floored | None:
        """Say what floors keep of one session. Originals they don't: redaction has left what is kept."""
        floors = [(group, self._floor(seen, group)) for group in seen.groups]
        kept = [(group, floor) for group, floor in floors if floor is not None]
        if not kept:
            return None
        ends = [floor for _, floor in kept]
        return Floored(
            sum(group.messages for group, _ in kept),
            max(ends, key=lambda one: one.at),
            min(ends, key=lambda one: one.at),
            len(kept) == len(floors) and all(one.originals_chapter is None for one in seen.groups),
        )


def last_of(kept: Iterable[Floored]) -> Floored | None:
    """Give the one whose floor ends last."""
    return max(kept, key=lambda one: one.longest.at, default=None)


def refusal(kept: Collection[Floored]) -> FlooredError:
    """Say which floor forbids an erasure, and until when."""
    last = max(kept, key=lambda one: one.longest.at)
    messages = sum(one.messages for one in kept)
    return FlooredError(
        f"a retention rule keeps {messages:,} of the messages, nothing was changed ({last.says})",
        hint="--except-floors erases what no rule keeps now, and the rest on the day that it becomes lawful",
    )
