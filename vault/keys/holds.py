"""Holds: who may not be erased, and the requests that wait for that to end (P5).

A hold stands in two places, each under a seal of the service key: in the keyring, where it is placed under
the swap lock, and so before or after any erasure; and in the root's journal, from which an older keyring gets
it back. The root is written first and counts: taking the row out of the keyring takes no hold away.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import to_datetime
from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.crypto.tree import Kind
from vault.errors import HeldError, SessionForgottenError, TamperedError, UnknownError, UserForgottenError
from vault.evidence.certificate import Certificate, Record, Why
from vault.evidence.entries import Draft, Entry
from vault.evidence.entries import Kind as Event
from vault.evidence.log import Log
from vault.forks import cached
from vault.keys.home import require_home
from vault.keys.records import Records
from vault.roots import Noted, RootState
from vault.storage import erasures
from vault.storage import holds as sql
from vault.storage import keyring as keyring_sql
from vault.storage import log as log_sql
from vault.storage.stores import Stores

HOLD = "hold"
FORGET_USER = str(Why.FORGET_USER)
FORGET_SESSION = str(Why.FORGET_SESSION)


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


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was said when a hold was placed, and when it was released. Times are microseconds since 1970.

    It outlives the person, so it names them as the log does: by `subject`, a pseudonym (P6).
    """

    placed_at: int
    reason: str
    actor: str
    release_reason: str = ""
    released_by: str = ""
    subject: str = ""

    def encode(self) -> str:
        """Write it for the keyring."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def decode(text: str) -> Said:
        """Read what `encode` wrote."""
        return msgspec.json.decode(text, type=Said)


class UnderWayError(Exception):
    """A purge, or the erasure of a session, is recorded and has not cut its keys: it comes first.

    `intents` are to be carried out before the hold is placed on what is left.
    """

    def __init__(self, intents: Sequence[bytes]) -> None:
        super().__init__("an erasure is under way")
        self.intents = intents


class Holds:
    """Places, ends and finds holds, and refuses what they forbid."""

    def __init__(self, stores: Stores, service: Callable[[], bytes], records: Records, log: Log) -> None:
        self._log = log
        self._stores = stores
        self._service = service
        self._records = records
        self._known: tuple[tuple[Noted, ...], dict[bytes, Noted]] = (), {}

    @cached
    def _key(self) -> bytes:
        return derive(self._service(), b"holds")

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
        noted = self._noted()
        here = self._stores.keyring.read(lambda c: self._checked(sql.unsettled_of(c, user)))
        mine = [row for row in noted.values() if row.user_node == user and row.settled_at is None]
        rows = [
            row
            for row in [*mine, *(row for row in here if row.id not in noted)]
            if row.kind == HOLD and row.session_node in {None, session}
        ]
        now = self._stores.keyring.read(lambda c: self._sober(c, rows, now)) if rows else now
        return any(not has_ended(row, now) for row in rows)

    def refuse_closing(self, connection: Connection, user: bytes, session: bytes | None) -> None:
        """Raise where somebody asked to forget a user or a session, and only a floor keeps it yet (P5).

        To the app it is forgotten already.
        """
        noted = self._noted()
        here = [row for row in self._checked(sql.unsettled_of(connection, user)) if row.id not in noted]
        mine = [row for row in noted.values() if row.user_node == user and row.settled_at is None]
        for row in filter(_closes, [*mine, *here]):
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

    def unsettled(self, connection: Connection, state: RootState | None = None) -> list[Noted]:
        """Give the holds and requests for which something is still to be done; the root may be just read."""
        noted = self._noted(state)
        here = self._checked(sql.unsettled(connection))
        left = [row for row in here if row.id not in noted]
        return [*left, *(row for row in noted.values() if row.settled_at is None)]

    @staticmethod
    def asked(rows: Iterable[Noted]) -> dict[bytes, Certificate]:
        """Give the certificates of the requests that wait, by the node of the user or the session."""
        return {
            row.session_node or row.user_node: Record.decode(row.record).certificate
            for row in rows
            if row.kind != HOLD
        }

    def every(self, connection: Connection) -> list[Noted]:
        """Give all holds and requests there ever were."""
        return [*({row.id: row for row in self._checked(sql.every(connection))} | self._noted()).values()]

    def find(self, connection: Connection, hold: bytes) -> Noted | None:
        """Give one of them."""
        here = self._checked(sql.find(connection, [hold]))
        return self._noted().get(hold) or next(iter(here), None)

    def _noted(self, state: RootState | None = None) -> dict[bytes, Noted]:
        noted, found = (state or self._stores.root.load()).holds, self._known
        if noted is not found[0]:  # a root that did not change gives the very same
            found = self._known = noted, {row.id: row for row in self._checked(noted)}
        return found[1]

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
            self._write(connection, state, row)

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
                self._write(connection, state, changed)
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

    def _write(self, connection: Connection, state: RootState, row: Noted) -> None:
        """Write it to the root before the keyring commits: after a crash then, the next opening repeats it.

        What the keyring refuses comes to no root, which would repeat it at every opening.
        """
        sealed = replace(row, seal=self._seal(row))
        if not sql.change(connection, sealed):
            sql.add(connection, sealed)
        self._tell(connection, list(self._drafts(sealed)))
        past = self._stores.clock() - self._stores.horizon
        gone = tuple(one.id for one in state.holds if one.settled_at is not None and one.settled_at < past)
        self._stores.root.note(sealed, dropping=gone)

    def _tell(self, connection: Connection, drafts: Sequence[tuple[str, Draft]]) -> None:
        """Add to the log what it does not say yet, in the transaction that writes the rows (P6)."""
        said = log_sql.entries_of(connection, {one.act for _, one in drafts})
        known = {(Entry.read(one.entry).kind, one.act) for one in said}
        self._log.add(connection, [one for kind, one in drafts if (kind, one.act) not in known])

    def _drafts(self, row: Noted) -> Iterable[tuple[str, Draft]]:
        if row.kind != HOLD:
            asked = Record.decode(row.record).certificate
            yield (
                Event.REQUEST,
                self._log.draft(
                    Event.REQUEST,
                    act=hashlib.sha256(bind(b"request", row.id)).digest()[:ID_BYTES],
                    subject=asked.pseudonym,
                    actor=asked.actor,
                    reason=asked.reason,
                    certificate=asked.id,
                    erasure=row.kind,
                    waits_until=None if row.until is None else to_datetime(row.until),
                ),
            )
            return
        said = Said.decode(row.record)
        until = None if row.until is None else to_datetime(row.until)
        on = "user" if row.session_node is None else "session"
        placed = self._log.draft(
            Event.HOLD,
            act=row.id,
            subject=said.subject,
            actor=said.actor,
            reason=said.reason,
            on=on,
            until=until,
        )
        yield Event.HOLD, placed
        if row.ended_at is not None:
            ended = self._log.draft(
                Event.RELEASE,
                act=row.id,
                subject=said.subject,
                actor=said.released_by,
                reason=said.release_reason,
                on=on,
            )
            yield Event.RELEASE, ended

    def recall(self) -> None:
        """Bring a keyring to what its root remembers; find what was edited. Nothing is served before (P5)."""

        def look(connection: Connection) -> list[Noted]:
            noted = self._noted()
            here = {row.id: row for row in self._checked(sql.find(connection, noted))}
            self._checked(sql.unsettled(connection))
            return [row for row in noted.values() if here.get(row.id) != row]

        def repeat(connection: Connection) -> None:
            keyring_sql.lock_meta(connection)
            missing = look(connection)
            for row in missing:
                if not sql.change(connection, row):
                    sql.add(connection, row)
            self._tell(connection, [draft for row in missing for draft in self._drafts(row)])

        for last in (False, True):
            try:
                if self._stores.keyring.read(look):
                    self._stores.keyring.write(repeat)
            except IntegrityError:  # two rows of one hold, or another process was faster
                if last:
                    raise TamperedError("the keyring's holds can't be repaired") from None
            else:
                return

    # -- seals ------------------------------------------------------------------------------------------

    def _seal(self, row: Noted) -> bytes:
        said = bind(
            row.id,
            row.kind.encode(),
            row.slot,
            row.user_node,
            row.session_node or b"",
            *(str(moment).encode() for moment in (row.until, row.ended_at, row.settled_at)),
            row.record.encode(),
        )
        return hmac.digest(self._key, said, "sha256")[:ID_BYTES]

    def _checked(self, rows: Iterable[Noted]) -> list[Noted]:
        listed = list(rows)
        if not all(hmac.compare_digest(row.seal, self._seal(row)) for row in listed):
            raise TamperedError(
                "the keyring holds a hold that was not written by this vault, or was edited",
                hint="somebody writes to the keyring; without this row the hold comes back from the root",
            )
        return listed


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
