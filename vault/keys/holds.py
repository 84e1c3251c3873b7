"""Holds: who may not be erased, and the requests that wait for that to end (P5).

A hold is placed under the swap lock, and so before or after any erasure. See `Notes` for where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from vault.crypto.tree import Kind
from vault.errors import HeldError, SessionForgottenError, UnknownError, UserForgottenError
from vault.evidence.certificate import Certificate, Record, Why
from vault.evidence.log import Log
from vault.keys.home import require_home
from vault.keys.noting import HOLD, Notes, Said
from vault.keys.records import Records
from vault.roots import Noted, RootState
from vault.storage import erasures
from vault.storage import holds as sql
from vault.storage import keyring as keyring_sql
from vault.storage.stores import Stores


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold that is in force. `user` and `session` are nodes; `until` is in microseconds."""

    id: bytes
    user: bytes
    session: bytes | None
    until: int | None
    slot: bytes = b""
    reason: str = ""

    def covers(self, user: bytes, session: bytes | None) -> bool:
        """Say whether it forbids to take from this session: a hold on a user covers all of theirs."""
        return self.user == user and self.session in {None, session}


class UnderWayError(Exception):
    """A purge, or the erasure of a session, is recorded and has not cut its keys: it comes first.

    `intents` are to be carried out before the hold is placed on what is left.
    """

    def __init__(self, intents: Sequence[bytes]) -> None:
        super().__init__("an erasure is under way")
        self.intents = intents


class Holds(Notes):
    """Places, ends and finds holds, and refuses what they forbid."""

    def __init__(self, stores: Stores, service: Callable[[], bytes], records: Records, log: Log) -> None:
        super().__init__(stores, service, log)
        self._records = records

    # -- looking ----------------------------------------------------------------------------------------

    def in_force(
        self, connection: Connection, now: int, rows: Sequence[Noted] | None = None
    ) -> list[HoldRow]:
        """Give the holds that forbid erasing now. Whoever erases asks within the transaction that decides.

        `rows` are what `unsettled` gave there.
        """
        rows = [row for row in (self.unsettled(connection) if rows is None else rows) if row.kind == HOLD]
        now = self._sober(connection, rows, now)
        return [
            HoldRow(
                row.id, row.user_node, row.session_node, row.until, row.slot, Said.decode(row.record).reason
            )
            for row in rows
            if not has_ended(row, now)
        ]

    def _sober(self, connection: Connection, rows: Iterable[Noted], now: int) -> int:
        """Give the earlier of this machine's time and the database's, where a hold is over by one (P5)."""
        if not any(row.ended_at is None and has_ended(row, now) for row in rows):
            return now
        return min(now, self._stores.earlier_clock(connection))

    def is_held(self, user: bytes, session: bytes | None, now: int) -> bool:
        """Say whether a session's messages may not be removed. It reads the holds of this user only."""
        mine = self._stores.keyring.read(lambda c: self.unsettled_of(c, user))
        rows = [row for row in mine if row.kind == HOLD and row.session_node in {None, session}]
        now = self._stores.keyring.read(lambda c: self._sober(c, rows, now)) if rows else now
        return any(not has_ended(row, now) for row in rows)

    def refuse_closing(self, connection: Connection, user: bytes, session: bytes | None) -> None:
        """Raise where somebody asked to forget a user or a session, and only a floor keeps it yet (P5).

        To the app it is forgotten already.
        """
        for row in filter(_closes, self.unsettled_of(connection, user)):
            if row.session_node is None:
                raise UserForgottenError("this user is forgotten: what a retention rule keeps goes later")
            if row.session_node == session:
                raise SessionForgottenError(
                    "this session is forgotten: what a retention rule keeps goes later"
                )

    def refuse_closed(self, connection: Connection, where: bytes) -> None:
        """Raise, by the slot, for a user who was to be forgotten and is younger than this keyring (P5)."""
        rows = self._checked(sql.unsettled_at(connection, where))
        if any(_closes(row) and row.session_node is None for row in rows):
            raise UserForgottenError("this user is forgotten: what a retention rule keeps goes later")

    def closing(self, connection: Connection) -> set[bytes]:
        """Give the nodes of users and sessions that `refuse_closing` refuses."""
        return {
            row.user_node if row.session_node is None else row.session_node
            for row in filter(_closes, self.unsettled(connection))
        }

    @staticmethod
    def asked(rows: Iterable[Noted]) -> dict[bytes, Certificate]:
        """Give the certificates of the requests that wait, by the node of the user or the session."""
        return {
            row.session_node or row.user_node: Record.decode(row.record).certificate
            for row in rows
            if row.kind != HOLD
        }

    # -- refusing ---------------------------------------------------------------------------------------

    def refuse_held(  # noqa: PLR0913, PLR0917 (what goes, and what is known)
        self,
        connection: Connection,
        why: Why,
        nodes: Collection[bytes],
        where: Collection[bytes],
        now: int,
        unsettled: Sequence[Noted] | None = None,
    ) -> None:
        """Raise HeldError where a hold forbids an erasure. The caller has the swap lock."""
        rows = self.in_force(connection, now, unsettled) if nodes else []
        if not rows:
            return
        if why is Why.PURGE:
            held = [row for row in rows if self._holds_messages(row, nodes)]
        else:
            found = keyring_sql.nodes_by_id(connection, nodes).values()
            above = {node.parent for node in found if node.kind is Kind.SESSION}
            held = [
                row
                for row in rows
                if row.user in nodes
                or row.session in nodes
                or (row.session is None and row.user in above)
                or (why is Why.FORGET_SESSION and row.slot in where)
            ]
        if held:
            raise refusal(held)

    def _holds_messages(self, row: HoldRow, nodes: Collection[bytes]) -> bool:
        users, sessions = ([row.user], []) if row.session is None else ([], [row.session])
        return self._stores.transcripts.read(lambda c: sql.has_held_messages(c, nodes, users, sessions))

    # -- changing ---------------------------------------------------------------------------------------

    def add(self, row: Noted) -> None:
        """Place a hold, or note a request: after no erasure of the same, and before every later one."""

        def work(connection: Connection) -> None:
            state = self._locked(connection)
            if row.kind == HOLD:
                self._refuse_erased(connection, row)
                if row.session_node is not None:  # it may be taken apart: only a hold on the user covers both
                    self.refuse_closing(connection, row.user_node, row.session_node)
            elif row.until is not None:  # a session comes before this, or is refused
                keyring_sql.lock_version(connection, row.user_node)
            self.write(connection, state, row)

        self._stores.keyring.write(work)

    def change(self, hold: bytes, step: Callable[[Noted], Noted]) -> Noted:
        """Change what is known of a hold; give it as it is then."""

        def work(connection: Connection) -> Noted:
            state = self._locked(connection)
            row = self.find(connection, hold)
            if row is None:
                raise UnknownError("there is no such hold", hint="vault hold list lists them")
            changed = step(row)
            if changed != row:
                self.write(connection, state, changed)
            return changed

        return self._stores.keyring.write(work)

    def _locked(self, connection: Connection) -> RootState:
        facts, state = keyring_sql.lock_meta(connection), self._stores.root.load()
        require_home(self._stores, connection, facts, state)
        return state

    def _refuse_erased(self, connection: Connection, row: Noted) -> None:
        """Raise where what is to be held is being erased: that came first, and nobody can take it back."""
        begun = self._records.before(connection, erasures.Phase.CUT)
        nodes = keyring_sql.nodes_by_id(connection, {node for one in begun for node in one.nodes})
        mine = {node.id for node in nodes.values() if node.parent == row.user_node}
        first = [one.id for one in begun if one.kind == Why.PURGE or mine.intersection(one.nodes)]
        if first:
            raise UnderWayError(first)
        alive = keyring_sql.nodes_by_id(connection, [row.user_node])
        if self._records.of(connection, row.user_node) or not alive:
            raise UserForgottenError("this user was forgotten: there is nothing left to hold")
        if row.session_node is None:
            return
        alive = keyring_sql.nodes_by_id(connection, [row.session_node])
        intent = self._records.of(connection, row.session_node)
        if intent is not None and intent.kind == Why.FORGET_SESSION:
            raise SessionForgottenError("this session was forgotten: there is nothing left to hold")
        if intent is not None or not alive:
            raise UnknownError("this session was deleted a moment ago")


def has_ended(row: Noted, now: int) -> bool:
    """Say whether a hold was released, or its time is over."""
    return row.ended_at is not None or (row.until is not None and row.until <= now)


def _closes(row: Noted) -> bool:
    """Say whether it is a request to forget that only floors keep waiting: to the app it is done (P5)."""
    return row.kind != HOLD and row.until is not None


def refusal(rows: Sequence[HoldRow]) -> HeldError:
    """Say which holds forbid an erasure, and why they were placed."""
    named = "; ".join(f"hold {row.id.hex()}: {row.reason}" for row in rows)
    return HeldError(
        f"held, nothing was changed ({named})",
        hint="vault hold list shows the holds, vault hold release ends one; --when-released waits for that",
    )
