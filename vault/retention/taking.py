"""Taking whole chapters, many sessions in one transaction, with their ledgers (P2).

All is made ready before: the transaction only compares and writes. A session of another revision, a count
that differs, a hold that came meanwhile (P5): then nothing of the batch is changed, and the purger, which
looks at each session under its lock, gets it.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection

from vault.chat.profile import Ranges, join, profile_cipher, seal_profile
from vault.errors import VaultError
from vault.retention.ends import Ends
from vault.retention.facts import Facts
from vault.retention.holding import Holds
from vault.retention.plan import Planner
from vault.retention.steps import ROWS
from vault.retention.whole import Found, Whole, Wholes, count
from vault.storage import purging as purge_sql
from vault.storage import whole as sql
from vault.storage.engine import CHUNK
from vault.storage.stores import Stores

STRETCH = 0.1  # seconds
GAP = 0.025  # who waits for SQLite looks again at least as often, at first


class _ChangedError(Exception):
    """A batch is no longer what was seen of it."""


class Ready(NamedTuple):
    """A session, its ledger as it will be, sealed, and the seqs that go."""

    whole: Whole
    ledger: bytes
    removed: Ranges


class Taker:
    """Takes what was found to go as a whole."""

    def __init__(  # noqa: PLR0913, PLR0917 (the parts of a run)
        self, stores: Stores, facts: Facts, holds: Holds, wholes: Wholes, counter: Planner, now: int
    ) -> None:
        self._stores = stores
        self._facts = facts
        self._holds = holds
        self._wholes = wholes
        self._counter = counter
        self._now = now
        self._taken = array("q")
        self._ends = Ends(stores, facts)
        # SQLite lets one write at a time, so each batch is short. A server keeps nobody waiting but those who
        # write to the very sessions.
        self._is_alone = stores.transcripts.dialect == "sqlite"
        self._most = ROWS if self._is_alone else ROWS * 5
        self._began = self._ended = 0.0  # since when SQLite is kept from others, and when it was free last

    def batches(self, found: Found) -> Iterator[list[Ready]]:
        """Make sessions ready, and put them together to what one transaction takes."""
        windows = self._windows(found)

        def following() -> list[Ready] | None:
            window = next(windows, None)
            return None if window is None else self._prepare(window)

        coming = self._stores.runtime.begin(following)
        try:
            while (ready := coming()) is not None:
                coming = self._stores.runtime.begin(following)  # while the database writes
                for batch in self._packed(ready):
                    if self._is_alone:
                        self._give_way()
                    yield batch
        finally:
            with suppress(VaultError):  # of what nobody takes any more; what broke the run off says so itself
                coming()

    def _give_way(self) -> None:
        """Leave SQLite to others for a moment, as soon as it was kept from them for long."""
        now = time.monotonic()
        if now - self._ended > GAP:
            self._began = now
        elif now - self._began > STRETCH:
            self._stores.runtime.pause(GAP)
            self._began = time.monotonic()

    def _packed(self, ready: Iterable[Ready]) -> Iterator[list[Ready]]:
        batch: list[Ready] = []
        rows = 0
        for one in ready:
            if batch and rows + one.whole.messages > self._most:
                yield batch
                batch, rows = [], 0
            batch.append(one)
            rows += one.whole.messages
        if batch:
            yield batch

    def _windows(self, found: Found) -> Iterator[list[Whole]]:
        every = (
            one
            for one in self._every(found)  # what outlives the epoch that it is in is not for here
            if not any(part.kind.epoch in found.epochs for part in one.stays)
        )
        while window := list(islice(every, CHUNK)):
            yield window

    def _every(self, found: Found) -> Iterator[Whole]:
        yield from found.kept
        for page, _ in self._wholes.pages(found.unkept):
            yield from page

    def without_taken(self, ids: Iterable[int]) -> list[int]:
        """Leave out of sessions those that were taken."""
        taken = set(self._taken)
        return [number for number in ids if number not in taken]

    def _prepare(self, window: Sequence[Whole]) -> list[Ready]:
        """Seal the ledgers of those sessions that are still as they were seen."""
        ids = [one.id for one in window]
        revs = self._stores.transcripts.read(lambda c: sql.revisions(c, ids))
        same = [one for one in window if revs.get(one.id) == one.at.rev]
        keys = self._facts.session_keys(one.at for one in same)
        same = self._ends.of_wholes([one for one in same if one.id in keys], keys)
        removed = self._removed(same)
        return [
            Ready(one, self._ledger(one, keys[one.id], removed[one.id]), removed[one.id])
            for one in same
            if one.id in removed
        ]

    def take(self, batch: Sequence[Ready]) -> None:
        """Take what goes of some sessions: all, or where one of them has changed, nothing."""
        try:
            self._stores.transcripts.remove(lambda c: self._write(c, batch))
        except _ChangedError:
            return
        finally:
            self._ended = time.monotonic()
        for one in batch:
            count(one.whole, one.whole.goes)
            self._taken.append(one.whole.id)
        self._wholes.tell(self._counter)

    def _removed(self, batch: Sequence[Whole]) -> dict[int, Ranges]:
        """Give the seqs of the messages that go; a session where they are others by now is left out."""
        found: dict[int, Ranges] = {}
        scattered: dict[int, Whole] = {}
        for one in batch:
            first, last = min(part.first for part in one.goes), max(part.last for part in one.goes)
            if one.messages == last - first + 1:
                found[one.id] = ((first, last),)
            else:
                scattered[one.id] = one
        if scattered:
            ids, epochs = list(scattered), _epochs(scattered.values())
            seqs = self._stores.transcripts.read(lambda c: list(sql.seqs(c, ids, epochs)))
            for number, rows in groupby(seqs, key=itemgetter(0)):
                mine = [seq for _, seq in rows]
                if len(mine) == scattered[number].messages:
                    found[number] = join((), ((seq, seq) for seq in mine))
        return found

    def _ledger(self, one: Whole, key: bytes, removed: Ranges) -> bytes:
        cipher = profile_cipher(key)
        profile = self._facts.profile(one.at, cipher)
        began, ended = min(part.oldest for part in one.goes), max(part.newest for part in one.goes)
        emptied = profile.losing(began, (ended, ended)).emptying(part.kind.at.node for part in one.goes)
        return seal_profile(emptied.purging(removed), self._stores.vault, one.at.node, cipher, one.at.rev + 1)

    def _write(self, connection: Connection, batch: Sequence[Ready]) -> None:
        whole = [one.whole for one in batch]
        ids = [one.id for one in whole]
        sql.plan_afresh(connection)
        ledgers = [(one.whole.id, one.whole.at.rev, one.ledger) for one in batch]
        if sql.write_profiles(connection, ledgers) != len(batch):
            raise _ChangedError
        # The sessions are locked from here on: who places a hold waits for this, or was before it.
        held = {row.user for row in self._stores.keyring.read(lambda c: self._holds.in_force(c, self._now))}
        if any(one.at.user_node in held for one in whole):
            raise _ChangedError
        gone = dict.fromkeys((one.id, part.chapter) for one in whole for part in one.goes)
        if sql.close_chapters(connection, ids, _epochs(whole)) != len(gone):
            raise _ChangedError  # one was begun meanwhile, or is kept
        if sql.delete_messages(connection, gone) != sum(one.messages for one in whole):
            raise _ChangedError
        used = sql.having_keys(connection, ids)
        ranges = [(one.whole.id, *range_) for one in batch if one.whole.id in used for range_ in one.removed]
        purge_sql.delete_keys(connection, ranges)


def _epochs(batch: Collection[Whole]) -> list[int]:
    return sorted({part.kind.epoch for one in batch for part in one.goes})
