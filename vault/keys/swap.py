"""The root swap: stage, re-wrap and compare-and-swap in one transaction, destroy when due.

The row `root` of the keyring is the swap lock, and the generation that it names is the one that counts. A
crash after any step leaves a state that the next swap, or the next start, completes: a staged generation that
the keyring names is promoted, another came to nothing, and those before it are destroyed when they are due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from vault.clock import to_datetime
from vault.crypto.tree import Node, ancestors, prune, radix_slots
from vault.errors import KeyringOutdatedError, TamperedError, WrongKeyError
from vault.evidence.certificate import Certificate, Record, Status, Why
from vault.evidence.entries import Kind as Event
from vault.keys.home import require_home
from vault.keys.ring import Keyring
from vault.keys.slots import unwrap_top, wrap_top
from vault.roots import Erased, Generation, RootState
from vault.roots import Phase as RootPhase
from vault.storage import erasures
from vault.storage import keyring as sql
from vault.storage.stores import Stores

T = TypeVar("T")
_NOTHING: Mapping[bytes, tuple[int, int]] = {}


def locate(state: RootState, generation: bytes, ordinal: int) -> Generation:
    """Find the keyring's generation in the root, or say what is wrong with the pair."""
    found = state.find(generation)
    if found is not None:
        if found.ordinal != ordinal:
            raise TamperedError("the keyring counts its root generations otherwise than the root does")
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


def superseded(state: RootState, present: Generation) -> dict[bytes, int]:
    """Give the generations before the one that the keyring names, and when each retired."""
    return {
        one.id: present.created_at if one.retired_at is None else one.retired_at
        for one in state.generations
        if one.ordinal < present.ordinal
    }


@dataclass(frozen=True, slots=True)
class _Reach:
    """What erasures reach in the tree: `family` is all that has to be seen of it for that."""

    family: Mapping[bytes, Node]
    gone: set[bytes]
    above: Mapping[bytes, set[bytes]]  # the ancestors of what goes, by intent
    rekeyed: set[bytes]  # of those, the ancestors of what is gone from here already


def _reach(
    connection: Connection,
    present: Generation,
    begun: Sequence[erasures.IntentRow],
    repeated: Sequence[Erased],
) -> _Reach:
    """Find what goes by erasures that begin, and by those that are repeated, and all that is above it."""
    targets = {row.id: row.nodes for row in begun}
    # What is repeated may be gone from this keyring, or was never in it. Its ancestors are re-keyed all
    # the same: another copy holds it below the keys that they have here (P3).
    above = {one.intent: set(one.above) for one in repeated}
    rekeyed = set().union(*above.values())
    # An erasure that was carried out here long ago is repeated too: a thief may have put back the nodes.
    every = [*targets.values(), *(one.nodes for one in repeated)]
    family = sql.family(connection, present.id, [node for nodes in every for node in nodes], rekeyed)
    # Of a user who is younger than this keyring only the way is known that leads to them (P3).
    younger = [row for row in begun if row.kind == Why.FORGET_USER and not family.keys() & set(row.nodes)]
    for row in younger:
        way = sql.nodes_at(connection, radix_slots(row.slot[1:])).values()
        above.setdefault(row.id, set()).update(node.id for node in way)
        rekeyed |= above[row.id]
    if younger:
        family |= sql.family(connection, present.id, [], rekeyed)
    gone = {node for nodes in every for node in nodes if node in family}
    for one, nodes in targets.items():
        above[one] = ancestors(family, gone.intersection(nodes)) | above.get(one, set())
    return _Reach(family, gone, above, rekeyed)


class Swapper:
    """Changes the root. At most one at a time does, whatever the number of processes."""

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self.records = keyring.records
        self.holds = keyring.holds
        self.rotations = keyring.rotations
        self.log = keyring.log
        self._stores = stores
        self._keyring = keyring

    def cut(
        self,
        intents: Sequence[bytes],
        *,
        counted: Mapping[bytes, tuple[int, int]] = _NOTHING,
        repeated: Sequence[Erased] | None = None,
    ) -> None:
        """Cut off the keys that some recorded erasures take: re-key their ancestors up to a new root (P3).

        `counted` are the sessions and messages behind the fence of each, `repeated` is the journal that an
        older keyring repeats.
        """
        at = self._stores.clock()

        def work(connection: Connection) -> None:
            state, present = self._locked(connection, replaying=repeated is not None)
            rows = self.records.find(connection, intents)
            begun = [
                _saying(rows[one], counted.get(one))
                for one in dict.fromkeys(intents)
                if rows[one].phase is erasures.Phase.BEGUN
            ]
            if repeated is None:
                # A hold can't come between a purge's beginning and this; whoever finds one has found a fault,
                # and the keys live on (P5).
                purged = [node for row in begun if row.kind == Why.PURGE for node in row.nodes]
                self.holds.refuse_held(connection, Why.PURGE, purged, (), at)
            outdated = repeated is not None and any(
                one.ordinal > present.ordinal for one in state.generations
            )
            if begun or outdated:  # otherwise another process was faster
                self._swap(connection, state, present, begun, repeated, at)

        self._stores.keyring.write(work)

    def cut_chosen(self, choose: Callable[[Connection], erasures.IntentRow | None]) -> bytes | None:
        """Record an erasure and cut off its keys in one transaction; `choose` says under the lock which."""
        at = self._stores.clock()

        def work(connection: Connection) -> bytes | None:
            state, present = self._locked(connection)
            chosen = choose(connection)
            if chosen is None:
                return None
            self._stores.root.require_mirrors()
            self.records.add(connection, chosen)
            # No act without its intent in the log (P6).
            self.log.add(connection, [self.log.erasure(Record.decode(chosen.record).certificate)])
            self._swap(connection, state, present, [chosen], None, at)
            return chosen.id

        return self._stores.keyring.write(work)

    def rotate(self, *, now: bool, actor: str, reason: str) -> None:
        """Change the root and erase nothing; `now` marks the old generation as due, whatever the horizon."""
        at = self._stores.clock()

        def work(connection: Connection) -> None:
            state, present = self._locked(connection)
            self._stores.root.require_mirrors()
            self.rotations.note(connection, present, now=now)
            self._swap(connection, state, present, [], None, at, actor=actor, reason=reason)

        self._stores.keyring.write(work)

    def _locked(self, connection: Connection, *, replaying: bool = False) -> tuple[RootState, Generation]:
        """Take the swap lock; give the root and the generation in it that the keyring names."""
        facts = sql.lock_meta(connection)
        state = self._stores.root.load()
        require_home(self._stores, connection, facts, state)
        present = locate(state, *sql.split_root(facts["root"]))
        if present.phase is RootPhase.RETIRED and not replaying:
            raise KeyringOutdatedError(
                "this keyring is older than its root", hint="open the vault again: it repeats what is missing"
            )
        return state, present

    def _swap(  # noqa: PLR0913, PLR0917 (what is known under the lock)
        self,
        connection: Connection,
        state: RootState,
        present: Generation,
        begun: Sequence[erasures.IntentRow],
        repeated: Sequence[Erased] | None,
        at: int,
        *,
        actor: str = "",
        reason: str = "",
    ) -> None:
        """Give the root a new generation without what goes, in the transaction of its caller."""
        stores = self._stores
        reach = _reach(connection, present, begun, repeated or ())
        journal = tuple(_journal(row, reach.above[row.id], at) for row in begun)
        youngest = max(state.generations, key=lambda one: one.ordinal)
        # A younger keyring than this one may turn up yet: what it names is kept for the horizon, too.
        kept = present if repeated is None else youngest
        new = stores.root.stage(youngest.ordinal + 1, journal, at, promoting=kept.id)

        def old_root(node: Node) -> bytes:
            return unwrap_top(stores.root, stores.vault, node).key

        def new_root(node: Node, key: bytes) -> Node:
            return wrap_top(stores.root, stores.vault, new.id, node, key)

        changed = prune(stores.vault, reach.family, reach.gone, old_root, new_root, reach.rekeyed)
        sql.update_nodes(connection, changed)
        sql.delete_subtrees(connection, [reach.family[node] for node in reach.gone])
        sql.set_root(connection, new.id, new.ordinal)
        told = [self._note(connection, row, new, present.id, at) for row in begun]
        rotated = self.log.draft(
            Event.ROTATE,
            actor=actor,
            reason=reason,
            generation=new.id.hex(),
            ordinal=new.ordinal,
            retired=present.id.hex(),
        )
        self.log.add(connection, [*(self.log.erasure(one) for one in told), rotated])

    def _note(
        self, connection: Connection, row: erasures.IntentRow, new: Generation, retired: bytes, at: int
    ) -> Certificate:
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
        cut = replace(row, phase=erasures.Phase.CUT, ordinal=new.ordinal, record=written)
        self.records.update(connection, [cut])
        if Why(row.kind).leaves_tombstone:
            self._keyring.tombstones.bury(connection, row, certificate.pseudonym, at)
        return certificate

    def destroy_due(self, *, cut_short: bool = False, actor: str = "") -> list[Certificate]:
        """Destroy the old generations whose horizon has passed, or all; give what became final by it.

        All of it is done again where it was lost.
        """
        return self._stores.keyring.write(
            lambda connection: self._destroy_due(connection, cut_short=cut_short, actor=actor)
        )

    def settle(self, swept: Sequence[bytes], look: Callable[[Connection], T], *, now: bool) -> T:
        """Note that the rows of some erasures are deleted, and destroy what is due; `now`, everything.

        Give what `look` then reads.
        """

        def work(connection: Connection) -> T:
            self._destroy_due(connection, cut_short=now, swept=swept)
            return look(connection)

        return self._stores.keyring.write(work, lazily=not now)

    def _destroy_due(
        self, connection: Connection, *, cut_short: bool, swept: Sequence[bytes] = (), actor: str = ""
    ) -> list[Certificate]:
        stores, at = self._stores, self._stores.clock()
        state, present = self._locked(connection)
        old, rotations = superseded(state, present), self.rotations.untold(connection)
        gone_before = [one for one in rotations if state.find(one.generation) is None]
        hasty = cut_short or any(one.now for one in rotations if one not in gone_before)
        due = tuple(one for one, retired in old.items() if hasty or retired + stores.horizon <= at)
        if due and not hasty:  # a clock that ran ahead destroys nothing that a restore may still need
            server = stores.server_clock(connection)
            due = tuple(one for one in due if server is None or old[one] + stores.horizon <= server)
        oldest = min(one.ordinal for one in state.generations if one.id not in due)
        rows = self.records.find(connection, swept).values()
        cut = [row for row in rows if row.phase is erasures.Phase.CUT]
        self.records.update(connection, [replace(row, phase=erasures.Phase.SWEPT) for row in cut])
        reached = self.records.reached(connection, oldest)
        # Where nobody read back yet that they are gone, a crash may have left them on a mirror (P3).
        receipts = all(Record.decode(row.record).certificate.receipt for row in reached)
        proven = receipts and not gone_before
        proof = ""
        if due or not proven:
            proof = stores.root.destroy(due, promoting=present.id).proof
        else:
            stores.root.heal()  # a mirror that was away may hold what was destroyed since (P3)
        told = [self._tell(connection, row, proof, at) for row in reached]
        final = [certificate for certificate in told if certificate.status is Status.FINAL]
        # A crash may have come between a destruction and its entry: then nothing is due any more, and
        # what the erasures waited for is told instead.
        late = set() if due or proven else {one.retired for one in told if one.retired}
        late.update(one.generation.hex() for one in gone_before)
        self.rotations.told(connection, [one for one in rotations if one.generation in due])
        self.rotations.told(connection, gone_before)
        drafts = [self.log.erasure(one) for one in final]
        if gone := late.union(one.hex() for one in due):
            drafts.append(self.log.draft(Event.DESTROY, actor=actor, generations=sorted(gone), receipt=proof))
        self.log.add(connection, drafts)
        return final

    def _tell(self, connection: Connection, row: erasures.IntentRow, proof: str, at: int) -> Certificate:
        """Write into a certificate that its keys are gone for good; it is final once the rows are too."""
        record = Record.decode(row.record)
        certificate = msgspec.structs.replace(record.certificate, receipt=proof or record.certificate.receipt)
        phase = row.phase
        if phase is erasures.Phase.SWEPT:
            certificate = msgspec.structs.replace(certificate, status=Status.FINAL, final_at=to_datetime(at))
            phase = erasures.Phase.FINAL
        written = msgspec.structs.replace(record, certificate=certificate).encode()
        self.records.update(connection, [replace(row, phase=phase, record=written)])
        return certificate


def _saying(row: erasures.IntentRow, counted: tuple[int, int] | None) -> erasures.IntentRow:
    """Give an erasure whose certificate says what was counted; rows go only once its keys are cut off."""
    if counted is None:
        return row
    record = Record.decode(row.record)
    certificate = msgspec.structs.replace(record.certificate, sessions=counted[0], messages=counted[1])
    return replace(row, record=msgspec.structs.replace(record, certificate=certificate).encode())


def _journal(row: erasures.IntentRow, above: set[bytes], at: int) -> Erased:
    pseudonym = Record.decode(row.record).certificate.pseudonym
    return Erased(row.id, row.kind, row.nodes, row.slot, pseudonym, at, tuple(sorted(above)))
