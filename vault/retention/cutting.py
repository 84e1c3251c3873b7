"""The end of a purge: the keys of closed epochs and chapters die, in one change of the root (P3, P4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.crypto.tree import Kind, slot
from vault.erasure import Eraser
from vault.errors import KeyringOutdatedError, TamperedError
from vault.evidence.certificate import Certificate, Why
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import chapter_slot, standing_for
from vault.retention.facts import Facts
from vault.retention.holding import Holds
from vault.storage import erasures
from vault.storage import keyring as keyring_sql
from vault.storage import purging as purge_sql
from vault.storage.erasures import IntentRow
from vault.storage.schema import State
from vault.storage.stores import Stores
from vault.storage.transcripts import EpochRow, all_epochs

_ALIVE = frozenset((State.LIVE, State.CLOSED))


@dataclass(frozen=True, slots=True)
class _Closed:
    """A key that may die: of an epoch, or of a chapter that has its own; and where it is looked up."""

    node: bytes
    where: bytes
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut took."""

    certificate: Certificate | None = None
    epochs: int = 0
    chapters: int = 0


class Cutter:
    """Erases the keys of what is closed and empty."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser, facts: Facts, holds: Holds) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser
        self._facts = facts
        self._holds = holds

    def cut(
        self,
        counts: tuple[int, int],
        reason: str,
        actor: str,
        keyless: Collection[bytes] = (),
        *,
        loose: bool = False,
    ) -> Cut:
        """Erase what is ready, with one re-key up to the root; `counts` are sessions and messages.

        `keyless` are sessions in which something is due, and whose keys were not found.
        `loose` says that a chapter may have got a key of its own that its row doesn't name.
        """
        self._name_loose((State.CLOSED, State.GONE) if loose else (State.GONE,))
        alone = self._alone()
        chosen: list[_Closed] = []

        def choose(connection: Connection) -> IntentRow | None:
            chosen[:] = self._choose(connection, alone)
            if not chosen:
                return None
            nodes = [node for one in chosen for node in (one.node, standing_for(one.node, one.where))]
            now = self._stores.horizon == 0
            return self._eraser.record(
                Why.PURGE, (nodes, slot(Kind.EPOCH)), counts, reason=reason, actor=actor, now=now
            )

        certificate = self._eraser.purge(choose)
        self.sweep()
        beyond_doubt(self._stores, lambda: self._accuse(keyless))
        epochs = sum(one.epoch is not None for one in chosen)
        return Cut(certificate, epochs, len(chosen) - epochs)

    def _alone(self) -> list[_Closed]:
        """Give the closed chapters that have keys of their own, and where those must be."""
        found = self._stores.transcripts.read(purge_sql.chapters_alone_to_erase)
        sessions = self._stores.transcripts.read(
            lambda c: self._facts.living(c, sorted({one[2] for one in found}))
        )
        keys = self._facts.session_keys(sessions.values())
        return [
            _Closed(node, chapter_slot(keys[session], place))
            for node, place, session, _, _ in found
            if session in keys
        ]

    def _name_loose(self, states: Sequence[State]) -> None:
        """Name the keys that were planted to keep chapters of closed or erased epochs, which are empty now.

        The key comes before the row that names it. A crash between the two, a hold that ends there, or an
        older row that is put back leave a second key to what the epoch's death is to erase (P3). Named, it
        goes like every chapter's own key, unless a hold keeps it.
        """
        store = self._stores.transcripts
        closing = store.read(lambda c: purge_sql.chapters_closing(c, states))
        sessions = store.read(lambda c: self._facts.living(c, sorted({one[1] for one in closing})))
        keys = self._facts.session_keys(sessions.values())
        names = {(keys[number], place): chapter for chapter, number, place in closing if number in keys}
        users = {keys[number]: sessions[number].user_slot for number in keys}
        own = self._facts.many.find_chapters((users[key], key, [place]) for key, place in names)
        named = {names[name]: one.id for name, one in own.items()}
        store.write(lambda connection: purge_sql.keep_chapters(connection, named))

    def _choose(self, connection: Connection, alone: Sequence[_Closed]) -> list[_Closed]:
        """Say under the swap lock which keys die: those that nothing keeps, and that are in their places."""
        holds = self._holds.in_force(connection, self._stores.clock())

        def look(transcripts: Connection) -> tuple[list[EpochRow], set[int], set[bytes]]:
            closed, unready = purge_sql.closed_epochs(transcripts), purge_sql.unready_epochs(transcripts)
            kept_epochs, kept_nodes = set(unready), set[bytes]()
            for hold in holds:
                epochs, nodes = purge_sql.closing_of(transcripts, hold.user, hold.session)
                kept_epochs |= epochs
                kept_nodes |= nodes
            return closed, kept_epochs, kept_nodes

        closed, kept_epochs, kept_nodes = self._stores.transcripts.read(look)
        ready = [
            _Closed(one.node, self._keyring.epoch_slot(one.class_name, one.anchor), one.id)
            for one in closed
            if one.id not in kept_epochs
        ]
        ready += [one for one in alone if one.node not in kept_nodes]
        return self._checked(connection, ready)

    def _checked(self, connection: Connection, ready: Sequence[_Closed]) -> list[_Closed]:
        """Leave out what is erased already; accuse where a row names another key than its own (P2)."""
        gone = erasures.erased_among(connection, [one.node for one in ready])
        for node in gone:
            if self._keyring.records.of(connection, node) is None:
                raise TamperedError("an epoch or chapter was edited, or the keyring is older than it")
        left = [one for one in ready if one.node not in gone]
        found = keyring_sql.nodes_at_all(connection, [one.where for one in left])
        for one in left:
            if one.where not in found or found[one.where].id != one.node:
                raise TamperedError("an epoch or chapter was edited, or the keyring is older than it")
        return left

    def _accuse(self, keyless: Collection[bytes]) -> None:
        """Look for rows that were edited so that a key doesn't die, and nobody hears of it (P2, P4).

        While a user is being forgotten, their sessions are marked as gone, and only the user is named.
        """
        store, read = self._stores.transcripts, self._stores.keyring.read
        named, rows = store.snapshot(lambda c: (purge_sql.epochs_named(c), all_epochs(c)))
        if not named <= {one.id for one in rows}:  # with the row went the date on which its key is to die
            raise TamperedError("chapters have lost their epoch")
        epochs = {one.node: one for one in rows}
        said = {one.node for one in epochs.values() if one.state not in _ALIVE}
        said.update(store.read(purge_sql.gone_alone))
        keeping = store.read(purge_sql.gone_that_keep)
        # What is marked as gone was recorded before that, so it is looked up after that.
        waiting = dict.fromkeys(keyless, b"") | store.read(purge_sql.sessions_that_keep)
        told = [*epochs, *said, *waiting, *(keeping or ())]
        nodes = read(lambda connection: keyring_sql.nodes_by_id(connection, told))
        erased = read(lambda connection: erasures.erased_among(connection, told))
        under_way = read(lambda connection: self._keyring.records.before(connection, erasures.Phase.SWEPT))
        going = {node for row in under_way for node in row.nodes}
        for node in nodes.keys() - erased:
            at = epochs.get(node)
            moved = at is not None and nodes[node].slot != self._keyring.epoch_slot(at.class_name, at.anchor)
            keeps = node in (keeping or ()) and nodes[node].parent not in going
            if moved or node in said or keeps:
                raise TamperedError("a row was edited so that a key lives which is to be erased")
        if keeping is None:
            raise TamperedError("a chapter has lost its session, or its key, and that lives on")
        missing = sum(waiting[node] not in going for node in waiting.keys() - nodes.keys() - erased)
        if missing:  # what they share an epoch with lives as long as they do
            raise KeyringOutdatedError(
                "messages are due, or share a key with others that are, whose own key this keyring does not"
                f" have (sessions: {missing:,})",
                hint="put back the latest keyring; until then they are not erased, nor what shares their day",
            )

    def sweep(self) -> None:
        """Delete the rows of what is gone; what a crash left is taken along."""
        store = self._stores.transcripts
        gone = [one for one in store.read(all_epochs) if one.state not in _ALIVE]
        own = store.read(purge_sql.gone_alone)
        erased = self._stores.keyring.read(
            lambda c: erasures.erased_among(c, [*(one.node for one in gone), *own])
        )
        epochs = [one.id for one in gone if one.node in erased]
        nodes = [node for node in own if node in erased]
        if epochs or nodes:
            store.write(lambda connection: purge_sql.sweep_closed(connection, epochs, nodes))
        for epoch in epochs:
            with suppress(IntegrityError):  # a writer is adding a chapter to it; nothing opens there
                store.write(lambda connection, epoch=epoch: purge_sql.sweep_epoch(connection, epoch))  # type: ignore[misc]
