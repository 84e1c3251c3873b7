"""What only a floor keeps of what somebody asked to forget: closed to the app, and erased on its day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import Connection

from vault.chat.profile import open_profile, seal_profile
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

    def alive(self, user: UserKeys, only: bytes | None) -> Alive:
        """Give a user's sessions: all, or one with what was moved out of it."""
        nodes = self._stores.keyring.read(lambda c: keyring_sql.ids_below(c, user.node, Kind.SESSION))
        found = self._stores.keyring.read(lambda c: keyring_sql.nodes_by_id(c, nodes))
        keys = self._keyring.find_sessions(user, [one.slot for one in found.values()])
        return {
            opened.id: (where, opened)
            for where, opened in keys.items()
            if only in {None, opened.id} or self._remainder_of(opened) == only
        }

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
        self, row: Noted, user: UserKeys, floors: Floors, kept: Mapping[bytes, Floored]
    ) -> list[Certificate]:
        """Erase what no floor keeps: what lies beside something that is kept is taken apart from it first."""
        sessions = self.alive(user, row.session_node)
        for node, one in kept.items():
            if not one.is_whole and node in sessions:
                floors.part(user, sessions[node][1])
        sessions = self.alive(user, row.session_node)
        kept = floors.keeping(user.node, list(sessions))
        targets = [
            (self._keyring.session_nodes(user, opened), where)
            for node, (where, opened) in sessions.items()
            if node not in kept
        ]
        if not targets:
            return []
        record = Record.decode(row.record)
        asked = record.certificate
        intents = self._eraser.begin_many(
            Why.FORGET_SESSION, targets, reason=asked.reason, actor=asked.actor, now=record.now, asked={}
        )
        return self._eraser.carry_out(intents, now=record.now)

    def finish(self, row: Noted, user: UserKeys, sessions: Alive) -> list[Certificate]:
        """Erase what has waited, under the certificate that was given for it."""
        record = Record.decode(row.record)
        asked = record.certificate
        nodes = [user.node]
        if row.session_node is not None:
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
