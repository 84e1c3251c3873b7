"""The root swap: stage, re-wrap and compare-and-swap in one transaction, promote, destroy when due.

The row `root` of the keyring is the swap lock. A crash after any step leaves a state that the next step, or
the next start, completes: a staged generation that no keyring names came to nothing; one that the keyring
names is promoted; a retired one is destroyed when its horizon has passed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from vault.clock import to_datetime
from vault.crypto.tree import Node, prune
from vault.errors import KeyringOutdatedError, WrongKeyError
from vault.evidence.certificate import Certificate, Record, Status, Why
from vault.keys.home import require_home
from vault.keys.ring import Keyring, unwrap_top, wrap_top
from vault.roots import Erased, Generation, RootState
from vault.roots import Phase as RootPhase
from vault.storage import keyring as sql
from vault.storage.stores import Stores


def locate(state: RootState, generation: bytes, ordinal: int) -> Generation:
    """Find the keyring's generation in the root, or say what is wrong with the pair."""
    found = state.find(generation)
    if found is not None:
        return found
    ordinals = [one.ordinal for one in state.generations]
    if ordinals and ordinal < min(ordinals):
        raise KeyringOutdatedError(
            f"this keyring needs root generation {ordinal}; the oldest that is left is {min(ordinals)}",
            hint="restore a keyring that is not older than the horizon",
        )
    if not ordinals or ordinal > max(ordinals):
        raise WrongKeyError(
            f"this root is older than the keyring, which needs generation {ordinal}",
            hint="put back the present root, or a mirror of it",
        )
    raise WrongKeyError("this root and this keyring went different ways", hint="vault doctor says which")


class Swapper:
    """Changes the root. At most one at a time does, whatever the number of processes."""

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self._stores = stores
        self._keyring = keyring

    def cut(self, intents: Sequence[bytes], *, replaying: bool = False) -> None:
        """Cut off the keys that some recorded erasures take: re-key their ancestors up to a new root (P3)."""
        at = self._stores.clock()

        def work(connection: Connection) -> Generation | None:
            generation, ordinal = sql.lock_root(connection)
            require_home(self._stores, connection)
            state = self._settled(generation, ordinal, at, replaying=replaying)
            rows = [row for one in intents if (row := sql.find_intent(connection, one)) is not None]
            begun = [row for row in rows if row.phase is sql.Phase.BEGUN]
            if not begun and not replaying:
                return None  # another process was faster
            return self._swap(connection, state, generation, begun, at)

        new = self._stores.keyring.write(work)
        if new is not None:
            self._stores.root.promote(new.id, at)

    def _settled(self, generation: bytes, ordinal: int, at: int, *, replaying: bool) -> RootState:
        """Finish a swap that was committed and then interrupted; the caller holds the swap lock."""
        root = self._stores.root
        state = root.load()
        found = locate(state, generation, ordinal)
        if found.phase is RootPhase.STAGED:
            root.promote(generation, at)
            return root.load()
        if found.phase is RootPhase.RETIRED and not replaying:
            raise KeyringOutdatedError(
                "this keyring is older than its root", hint="open the vault again: it repeats what is missing"
            )
        return state

    def _swap(
        self,
        connection: Connection,
        state: RootState,
        retired: bytes,
        begun: Sequence[sql.IntentRow],
        at: int,
    ) -> Generation:
        stores = self._stores
        targets = {row.id: sql.targets_of(connection, row.id) for row in begun}
        family = sql.family(connection, [node for nodes in targets.values() for node in nodes])
        gone = {node for nodes in targets.values() for node in nodes if node in family}
        journal = tuple(_journal(row, targets[row.id], at) for row in begun)
        new = stores.root.stage(max(one.ordinal for one in state.generations) + 1, journal, at)

        def old_root(node: Node) -> bytes:
            return unwrap_top(stores.root, stores.vault, node).key

        def new_root(node: Node, key: bytes) -> Node:
            return wrap_top(stores.root, stores.vault, new.id, node, key)

        changed = prune(stores.vault, family, gone, old_root, new_root)
        sql.update_nodes(connection, changed)
        sql.delete_subtrees(connection, gone)
        sql.set_root(connection, new.id, new.ordinal)
        for row in begun:
            self._note(connection, row, new, retired, at)
        return new

    def _note(
        self, connection: Connection, row: sql.IntentRow, new: Generation, retired: bytes, at: int
    ) -> None:
        """Write what was cut, in the transaction that cuts it."""
        record = Record.decode(row.record)
        certificate = msgspec.structs.replace(
            record.certificate,
            status=Status.PROVISIONAL,
            cut_at=to_datetime(at),
            due_at=to_datetime(at if record.now else at + self._stores.horizon),
            retired=retired.hex(),
        )
        written = msgspec.structs.replace(record, certificate=certificate).encode()
        sql.update_intent(
            connection,
            sql.IntentRow(row.id, row.kind, sql.Phase.CUT, new.ordinal, row.slot, written),
        )
        if Why(row.kind).leaves_tombstone:
            self._keyring.bury(connection, row, certificate.pseudonym, at)

    def destroy_due(self, *, cut_short: bool = False) -> list[Certificate]:
        """Destroy the retired generations whose horizon has passed, or all; give what became final by it."""
        stores, at = self._stores, self._stores.clock()

        def work(connection: Connection) -> list[Certificate]:
            generation, ordinal = sql.lock_root(connection)
            require_home(stores, connection)
            state = self._settled(generation, ordinal, at, replaying=False)
            due = tuple(
                one.id
                for one in state.generations
                if one.phase is RootPhase.RETIRED
                and (cut_short or (one.retired_at or 0) + stores.horizon <= at)
            )
            proof = stores.root.destroy(due).proof if due else ""
            oldest = min(one.ordinal for one in state.generations if one.id not in due)
            waiting = sql.intents_before(connection, sql.Phase.FINAL)
            reached = [row for row in waiting if row.ordinal is not None and row.ordinal <= oldest]
            told = [self._tell(connection, row, proof, at) for row in reached]
            return [certificate for certificate in told if certificate.status is Status.FINAL]

        return stores.keyring.write(work)

    def _tell(self, connection: Connection, row: sql.IntentRow, proof: str, at: int) -> Certificate:
        """Write into a certificate that its keys are gone for good; it is final once the rows are too."""
        record = Record.decode(row.record)
        receipt = proof or record.certificate.receipt or f"{self._stores.root.name} holds nothing older"
        certificate = msgspec.structs.replace(record.certificate, receipt=receipt)
        phase = row.phase
        if phase is sql.Phase.SWEPT:
            certificate = msgspec.structs.replace(certificate, status=Status.FINAL, final_at=to_datetime(at))
            phase = sql.Phase.FINAL
        written = msgspec.structs.replace(record, certificate=certificate).encode()
        sql.update_intent(connection, sql.IntentRow(row.id, row.kind, phase, row.ordinal, row.slot, written))
        return certificate


def _journal(row: sql.IntentRow, nodes: Sequence[bytes], at: int) -> Erased:
    pseudonym = Record.decode(row.record).certificate.pseudonym
    return Erased(row.id, row.kind, tuple(nodes), row.slot, pseudonym, at)
