"""Auditing the whole log: every entry is hashed again, and held against all that is known of it.

What was edited, inserted, deleted or reordered does not give the sealed head. What was cut off at the end,
or set back as a whole, does not give the checkpoints that lie outside the vault. What the keyring says was
erased has its entries, and what the log says was erased has its record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from vault.errors import TamperedError
from vault.evidence.anchors import PARTED
from vault.evidence.certificate import Why
from vault.evidence.entries import Entry, Step
from vault.evidence.log import Log
from vault.evidence.merkle import Frontier, Node, leaf_hash
from vault.evidence.notes import Checkpoint, encode64
from vault.evidence.tree import STRIDE
from vault.storage import log as sql

_ERASURES = frozenset(Why)
_PAGE = 1000
Steps = Mapping[bytes, Collection[Step]]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found, where nothing is wrong. `unfinished` acts have an intent and no completion yet."""

    entries: int
    root: str
    key: str
    checkpoints: int
    unfinished: int


class _Walk:
    """One walk over all entries, and what was seen on it."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self.frontier = Frontier()
        self.nodes: list[tuple[int, int, bytes]] = []
        self.steps: dict[bytes, set[Step]] = defaultdict(set)
        self.erasures: set[bytes] = set()
        self._seen = 0
        self._leaves: list[bytes] = []
        self._roots = defaultdict(set)
        for one in checkpoints:
            self._roots[one.size].add(one.root)

    def take(self, row: sql.EntryRow) -> None:
        """Look at the next entry."""
        if self._seen in self._roots or len(self._leaves) == _PAGE:
            self._grow()
        if row.id != self._seen:
            raise TamperedError("the log has a hole, or an entry in a wrong place")
        entry = Entry.read(row.entry)  # in what form it was written, its hash says
        if entry.act != row.act.hex():
            raise TamperedError("an entry of the log stands under another act")
        self.steps[row.act].add(entry.step)
        if entry.kind in _ERASURES:
            self.erasures.add(row.act)
        self._leaves.append(leaf_hash(row.entry.encode()))
        self._seen += 1

    def _grow(self) -> None:
        self.frontier, complete = self.frontier.grow(self._leaves)
        self._leaves.clear()
        self.nodes += [_stored(one) for one in complete if one.level % STRIDE == 0]
        size = self.frontier.size
        if size in self._roots and self._roots.pop(size) != {self.frontier.root}:
            raise TamperedError(
                f"the first {size} entries of the log are not those of a checkpoint", hint=PARTED
            )

    def end(self) -> None:
        """Take in what is left."""
        self._grow()

    def check_end(self) -> None:
        """Hold what was seen against the checkpoints that are left."""
        if self._roots:
            raise TamperedError(
                f"a checkpoint knows of {max(self._roots)} entries, the log has {self.frontier.size}:"
                " it was cut off, or an older keyring was put back",
                hint=PARTED,
            )


def _stored(node: Node) -> tuple[int, int, bytes]:
    return node.level, node.place, node.hash


def audit(connection: Connection, log: Log, checkpoints: Sequence[Checkpoint], erasures: Steps) -> Verified:
    """Look at all of the log in one snapshot; raise TamperedError for whatever does not belong together.

    `erasures` are the steps that each recorded erasure must have in the log.
    """
    walk = _Walk(checkpoints)
    for row in sql.all_entries(connection):
        walk.take(row)
    walk.end()
    head = log.head(connection)
    if head != walk.frontier:
        raise TamperedError(
            f"the log's head knows of {head.size} entries, and {walk.frontier.size} are there that give"
            " another root: an entry was edited, added, moved or taken"
        )
    if sql.all_nodes(connection) != sorted(walk.nodes):
        raise TamperedError("the hashes over the entries of the log were edited")
    walk.check_end()
    _check_erasures(walk.steps, walk.erasures, erasures)
    return Verified(
        entries=head.size,
        root=encode64(head.root),
        key=str(log.public_key),
        checkpoints=len(checkpoints),
        unfinished=_count_unfinished(walk.steps.values()),
    )


def _check_erasures(found: Steps, in_log: Collection[bytes], recorded: Steps) -> None:
    if any(not set(steps) <= set(found.get(act, ())) for act, steps in recorded.items()):
        raise TamperedError("the log has lost what it said of an erasure")
    if not set(in_log) <= recorded.keys():
        raise TamperedError("the record of an erasure that stands in the log is gone from the keyring")


def _count_unfinished(acts: Iterable[Collection[Step]]) -> int:
    return sum(set(steps) == {Step.INTENT} for steps in acts)
