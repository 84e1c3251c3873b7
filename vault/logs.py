"""What a person reads of the log, and how it is checked: the work behind `vault.log` of both faces."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from vault.errors import InputError, TamperedError
from vault.evidence.anchors import read_anchors, write_anchor
from vault.evidence.audit import Verified, audit
from vault.evidence.entries import Entry, Step
from vault.evidence.growth import Growth, check_growth
from vault.evidence.notes import Verifier, encode64, open_checkpoint
from vault.keys.ring import Keyring
from vault.storage import log as sql
from vault.storage.erasures import IntentRow, Phase
from vault.storage.stores import Stores

PAGE = 1000


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log, as it is shown; `text` is what was hashed."""

    index: int
    act: str
    at: datetime
    kind: str
    step: Step
    subject: str
    actor: str
    reason: str
    facts: dict[str, Any]
    text: str


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that the log of one checkpoint began as that of another."""

    old: int
    new: int
    hashes: list[str]


def check_consistency(old: str, new: str, proof: Consistency, key: Verifier) -> None:
    """Raise TamperedError unless one signed checkpoint's log grew into the other's; needs no vault."""
    first, second = check_growth(Growth(old=old, new=new, hashes=proof.hashes), key)
    if (proof.old, proof.new) != (first.size, second.size):
        raise TamperedError("the proof is of other checkpoints")


class Auditor:
    """Reads and checks the log of one opened vault."""

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self._store = stores.keyring
        self._keyring = keyring
        self._log = keyring.log

    @property
    def key(self) -> str:
        """The public key, as `vault keys public` prints it."""
        return str(self._log.public_key)

    def page(self, first: int, stop: int | None = None) -> list[LogEntry]:
        """Give the entries from an index on, at most a page."""
        last = first + PAGE - 1 if stop is None else min(first + PAGE, stop) - 1
        rows = self._store.read(lambda connection: sql.entries_between(connection, first, last))
        return [_shown(row) for row in rows]

    def checkpoint(self, anchor: str | os.PathLike[str] | None = None) -> str:
        """Sign what the log is now; with `anchor`, write it to that directory too."""

        def work(connection: Connection) -> tuple[str, int]:
            head = self._log.head(connection)
            root = self._log.tree(connection).root(head.size)
            return self._log.checkpoint(head.size, root), head.size

        note, size = self._store.snapshot(work)
        if anchor is not None:
            write_anchor(anchor, note, size)
        return note

    def verify(self, anchor: str | os.PathLike[str] | None = None, key: str | None = None) -> Verified:
        """Check all of the log, against a directory of checkpoints and a public key where they are given."""
        mine = self._log.public_key
        if key is not None and Verifier.parse(key) != mine:
            raise TamperedError(
                "this vault signs with another key than the one that was given",
                hint="the keyring and the root may be those of another vault",
            )
        checkpoints = [] if anchor is None else read_anchors(anchor, mine)

        def work(connection: Connection) -> Verified:
            records = self._keyring.records.every(connection)
            return audit(connection, self._log, checkpoints, {row.id: _steps(row) for row in records})

        return self._store.snapshot(work)

    def consistency(self, old: str, new: str | None = None) -> Consistency:
        """Prove that the log of one signed checkpoint grew into that of another, or into the present one."""
        key = self._log.public_key
        first = open_checkpoint(old, key)
        second = None if new is None else open_checkpoint(new, key)

        def work(connection: Connection) -> Consistency:
            tree, size = self._log.tree(connection), self._log.head(connection).size
            end = size if second is None else second.size
            if first.size > end:
                raise InputError("the older checkpoint is the one with more entries")
            if end > size:
                raise TamperedError(f"a checkpoint knows of {end} entries, the log has {size}")
            for one in (first, second):
                if one is not None and tree.root(one.size) != one.root:
                    raise TamperedError(
                        f"the first {one.size} entries of the log are not those of a checkpoint"
                    )
            tree.root(end)
            hashes = [encode64(one) for one in tree.consistency(first.size, end)]
            return Consistency(old=first.size, new=end, hashes=hashes)

        return self._store.snapshot(work)


def _shown(row: sql.EntryRow) -> LogEntry:
    entry = Entry.decode(row.entry)
    fields: dict[str, Any] = {name: getattr(entry, name) for name in entry.__struct_fields__}
    fields.pop("format")
    return LogEntry(index=row.id, text=row.entry, **fields)


def _steps(row: IntentRow) -> frozenset[Step]:
    """Give what the log must say of an erasure that has come so far."""
    found = {Step.INTENT}
    if row.phase >= Phase.CUT:
        found.add(Step.COMPLETED)
    if row.phase is Phase.FINAL:
        found.add(Step.FINAL)
    return frozenset(found)
