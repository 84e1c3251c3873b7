"""What only a floor keeps of what somebody asked to forget: closed to the app, and erased on its day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace as replace_row
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import Connection

from vault.chat.profile import open_name, open_profile, seal_profile
from vault.crypto.tree import Kind, Opened
from vault.erasure import Eraser
from vault.errors import StoreUnavailableError
from vault.evidence.certificate import Certificate, Record, Why
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys
from vault.roots import Noted
from vault.storage import keyring as keyring_sql
from vault.storage import messages as message_sql
from vault.storage import transcripts as transcripts_sql
from vault.storage.schema import State
from vault.storage.stores import Stores

if TYPE_CHECKING:
    from vault.retention.flooring import Floored, Floors

_RACES = 20

Alive = Mapping[bytes, tuple[bytes, Opened]]  # slots and keys of sessions, by node


class Remainders:
    """Does by steps, each of which can be repeated (P8), what requests that wait for floors ask for."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser

    def alive(self, user: UserKeys, row: Noted) -> Alive:
        """Give the sessions that a request is about: all of a user, or one with what was moved out of it."""
        only, noted = row.session_node, Record.decode(row.record).kept
        nodes = self._stores.keyring.read(lambda c: keyring_sql.ids_below(c, user.node, Kind.SESSION))
        found = self._stores.keyring.read(lambda c: keyring_sql.nodes_by_id(c, nodes))
        keys = self._keyring.find_sessions(user, [one.slot for one in found.values()])
        return {
            opened.id: (where, opened)
            for where, opened in keys.items()
            if only in {None, opened.id} or opened.id in noted or self._remainder_of(opened) == only
        }

    def note(self, row: Noted, sessions: Alive, kept: Collection[bytes]) -> Noted:
        """Remember in a request which sessions floors keep, and how much of each: rows may be gone some day.

        Restored transcripts may not know of what was taken apart; nobody would erase the keys of that then,
        and newer copies would open with them (P3).
        """
        record = Record.decode(row.record)
        counts = record.counted
        for node, (_, opened) in sorted(sessions.items()):
            if node in kept or self._remainder_of(opened):
                counts[node] = max(counts.get(node, 0), self._count(opened))
        noted = replace(record, kept=tuple(counts), counts=tuple(counts.values()))
        if noted == record:
            return row
        return self._keyring.holds.change(row.id, lambda one: replace_row(one, record=noted.encode()))

    def lost(self, row: Noted, sessions: Alive) -> set[bytes]:
        """Give what floors kept and the stores do not have now: another copy may bring it back (P5).

        The app is shut out of these sessions, so that only what retention took may be missing. Rows that
        somebody else deleted end no floor.
        """
        if row.until is not None and row.until <= self._stores.clock():
            return set()
        noted = Record.decode(row.record).counted
        unheard = self._stores.keyring.read(
            lambda c: self._keyring.unheard(c, noted.keys() - sessions.keys())
        )
        return unheard | {
            node
            for node in noted.keys() & sessions.keys()
            if self._is_nameless(sessions[node][1]) or self._count(sessions[node][1]) < noted[node]
        }

    def _count(self, opened: Opened) -> int:
        """Count the messages of a session with those that its ledger says were removed."""

        def look(connection: Connection) -> int:
            row = transcripts_sql.find_session(connection, opened.id)
            if row is None:
                return 0
            profile = open_profile(row.profile, self._stores.vault, row.node, opened.key, row.rev)
            return message_sql.count_of(connection, row.id) + profile.removed

        return self._stores.transcripts.snapshot(look)

    def _is_nameless(self, opened: Opened) -> bool:
        row = self._stores.transcripts.read(lambda c: transcripts_sql.find_session(c, opened.id))
        return row is None or not open_name(row.name, self._stores.vault, row.node, row.user_node, opened.key)

    def _remainder_of(self, opened: Opened) -> bytes | None:
        row = self._stores.transcripts.read(lambda c: transcripts_sql.find_session(c, opened.id))
        if row is None or row.slot != row.node:
            return None
        return open_profile(row.profile, self._stores.vault, row.node, opened.key, row.rev).remainder_of

    def close(self, node: bytes, opened: Opened) -> None:
        """Mark a session as closed: who knows it from before is refused by its next statement."""

        def work(connection: Connection) -> bool:
            row = transcripts_sql.find_session(connection, node)
            if row is None or row.state != State.LIVE:
                return True
            known = open_profile(row.profile, self._stores.vault, node, opened.key, row.rev)
            if known.is_closed:
                return True
            closed = replace(known, is_closed=True)
            sealed = seal_profile(closed, self._stores.vault, node, opened.key, row.rev + 1)
            return message_sql.write_profile(connection, row.id, sealed, row.rev)

        for _ in range(_RACES):
            if self._stores.transcripts.write(work):
                return
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def forget_free(
        self,
        row: Noted,
        user: UserKeys,
        floors: Floors,
        kept: Mapping[bytes, Floored],
        lost: Collection[bytes],
    ) -> list[Certificate]:
        """Erase what no floor keeps: what lies beside something that is kept is taken apart from it first.

        `lost` is what requests wait for that the stores don't have.
        """
        sessions = self.alive(user, row)
        for node, one in kept.items():
            if not one.is_whole and node in sessions:
                floors.part(user, sessions[node][1])
        sessions = self.alive(user, row)
        kept = floors.keeping(user.node, list(sessions))
        row = self.note(row, sessions, kept)
        lost = {*lost, *self.lost(row, sessions)}
        targets = [
            (self._keyring.session_nodes(user, opened), where)
            for node, (where, opened) in sessions.items()
            if node not in kept and node not in lost
        ]
        if not targets:
            return []
        record = Record.decode(row.record)
        asked = record.certificate
        intents = self._eraser.begin_many(
            Why.FORGET_SESSION, targets, reason=asked.reason, actor=asked.actor, now=record.now, asked={}
        )
        return self._eraser.carry_out(intents, now=record.now)

    def finish(self, row: Noted, user: UserKeys | None, sessions: Alive) -> list[Certificate]:
        """Erase what has waited, under the certificate that was given for it; without keys, a user."""
        record = Record.decode(row.record)
        asked = record.certificate
        nodes = [row.user_node]
        if user is not None and row.session_node is not None:
            nodes = [
                node for _, opened in sessions.values() for node in self._keyring.session_nodes(user, opened)
            ]
        intents = self._eraser.begin_many(
            Why(row.kind),
            [(nodes, row.slot)],
            reason=asked.reason,
            actor=asked.actor,
            now=record.now,
            asked={nodes[0]: asked},
        )
        return self._eraser.carry_out(intents, now=record.now)
