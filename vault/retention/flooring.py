"""What floors keep of what somebody asks to erase: the rules in force say it, each time anew (P5).

They say it of what is proven: all that is asked about is opened in its place before. It is one user's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.crypto.tree import Kind, Opened
from vault.errors import FlooredError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys
from vault.retention.classes import Classes
from vault.retention.deciding import Bound, bounds, rules_for
from vault.retention.facts import PAGE, Facts, Seen, edited
from vault.retention.parting import Parter
from vault.retention.proving import Proofs
from vault.storage import keyring as keyring_sql
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
        self.gap = classes.policies.gap
        self._keyring = keyring
        self._facts = Facts(stores, keyring, classes)
        self._proofs = Proofs(self._facts)
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
        # Keys before rows: who makes a session adds them the other way round.
        alive = self._stores.keyring.read(lambda c: keyring_sql.ids_below(c, user, Kind.SESSION))
        ids = self._stores.transcripts.read(lambda connection: sql.sessions_of_user(connection, user))
        found: dict[bytes, Floored] = {}

        def prove(connection: Connection, page: list[int]) -> list[Seen]:
            looked = self._facts.look(connection, page)
            asked = [seen for seen in looked if sessions is None or seen.session.node in sessions]
            self._proofs.prove(connection, asked)
            return asked

        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            for seen in self._stores.transcripts.snapshot(lambda c, page=page: prove(c, page)):  # type: ignore[misc]
                alive.discard(seen.session.node)
                kept = self._kept(seen)
                found |= {} if kept is None else {seen.session.node: kept}
        self._refuse_unseen(user, alive if sessions is None else alive.intersection(sessions))
        return found

    def _refuse_unseen(self, user: bytes, nodes: Collection[bytes]) -> None:
        """Accuse where a session has a key, and a row by which it would not be asked about floors.

        Where the row is gone, nothing is left that a floor could keep.
        """
        for node in sorted(nodes):
            found = self._stores.transcripts.read(partial(sql.owner_of_session, node=node))
            if found is None or self._facts.is_erased(node) or self._facts.is_erased(user):
                continue
            row, owner = found
            if owner != user or not self._is_hidden(row):
                raise edited(row, "a session's row was edited, or its user's")

    def _is_hidden(self, row: int) -> bool:
        """Say whether the app cleared or deleted a session that a hold keeps: floors are not for it."""
        read = self._stores.transcripts.read
        listed = read(lambda connection: sql.living_sessions(connection, [row], hidden=True))
        keys = self._facts.session_keys(listed.values())
        return any(self._facts.profile(listed[at], key).is_hidden for at, key in keys.items())

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


def refusal(kept: Collection[Floored]) -> FlooredError:
    """Say which floor forbids an erasure, and until when."""
    last = max(kept, key=lambda one: one.longest.at)
    messages = sum(one.messages for one in kept)
    return FlooredError(
        f"a retention rule keeps {messages:,} of the messages, nothing was changed ({last.says})",
        hint="--except-floors erases what no rule keeps now, and the rest on the day that it becomes lawful",
    )
