"""A session, opened: its keys, its ledger, and the chapters that messages go to."""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.chat.chapter import Chapter
from vault.chat.profile import Profile
from vault.keys.slots import UserKeys
from vault.storage.schema import State

Place = tuple[str, int | None]  # a class and its anchor, which make an epoch; no anchor: a key of its own


@dataclass(slots=True, repr=False)
class Session:
    """One session, opened."""

    user_id: str
    session_id: str
    user: UserKeys
    slot: bytes
    node: bytes
    key: bytes
    row: int
    ledger: tuple[int, Profile]
    next_seq: int
    state: State = State.LIVE
    by_place: dict[Place, Chapter] = field(default_factory=dict)
    by_id: dict[int, Chapter] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    started: int | None = None  # when it began, once somebody asked
    is_apart: bool = False  # opened although it is closed: for a run, or for an officer

    def learn(self, rev: int, profile: Profile) -> None:
        """Know a ledger as somebody found or wrote it, unless a later one is known."""
        self.ledger = max(self.ledger, (rev, profile), key=lambda one: one[0])
        self.next_seq = max(self.next_seq, profile.next_seq)  # seqs of removed rows are never reused

    @property
    def rev(self) -> int:
        """The revision of the row that the profile was sealed for."""
        return self.ledger[0]

    @property
    def profile(self) -> Profile:
        """What was sealed in the row, at the last look."""
        return self.ledger[1]

    @property
    def fence(self) -> dict[str, object]:
        """What every statement names, so that an erasure made elsewhere is noticed by it."""
        return {"the_session": self.row, "session_node": self.node, "user_node": self.user.node}
