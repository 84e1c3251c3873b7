"""What floors keep of what somebody asks to erase: the rules in force say it, each time anew (P5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from vault.clock import to_datetime
from vault.errors import FlooredError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.retention.classes import Classes
from vault.retention.deciding import Bound, bounds, rules_for
from vault.retention.facts import Facts
from vault.storage import retention as sql
from vault.storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Floored:
    """What floors keep of one session: how many messages and records, and which of the floors ends last."""

    messages: int
    longest: Bound

    @property
    def says(self) -> str:
        """Name the rule, and from when on it keeps nothing here."""
        rule, until = self.longest.rule, to_datetime(self.longest.at)
        return f"{rule.name}, {rule.at}: at least {self.longest.duration}, until {until:%Y-%m-%d %H:%M} UTC"


class Floors:
    """Looks at sessions, and says which of them a floor keeps."""

    def __init__(self, stores: Stores, keyring: Keyring, classes: Classes) -> None:
        self._stores = stores
        self._policies = classes.policies
        self._facts = Facts(stores, keyring, classes)
        self._has_any = any(rule.keep.at_least is not None for rule in classes.policies.rules)

    def keeping(self, user: bytes, sessions: Collection[bytes] | None = None) -> dict[bytes, Floored]:
        """Give what floors keep now of a user's sessions, or of some, by node."""
        if not self._has_any:
            return {}  # nothing is opened for it, so that what is broken can still be forgotten
        return beyond_doubt(self._stores, lambda: self._look(user, sessions))

    def _look(self, user: bytes, sessions: Collection[bytes] | None) -> dict[bytes, Floored]:
        now = self._stores.clock()
        ids = self._stores.transcripts.read(lambda connection: sql.sessions_of_user(connection, user))
        found: dict[bytes, Floored] = {}
        for page in self._facts.pages(ids):
            for seen in page:
                node = seen.session.node
                for group in seen.groups if sessions is None or node in sessions else ():
                    fact = seen.fact(group)
                    floor = bounds(rules_for(self._policies, fact), fact, now).floor_at(now)
                    if floor is not None:
                        found[node] = _joined(found.get(node), Floored(group.messages, floor))
        return found


def _joined(known: Floored | None, more: Floored) -> Floored:
    if known is None:
        return more
    longest = max(known.longest, more.longest, key=lambda one: one.at)
    return replace(known, messages=known.messages + more.messages, longest=longest)


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
