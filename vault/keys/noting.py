"""What is noted of holds, and of requests that wait: who may not be erased yet, and who is to be (P5).

A note stands in two places, each under a seal of the service key: in the keyring, and in the root's journal,
from which an older keyring gets it back. The root is written first and counts: taking the row out of the
keyring takes no hold away.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import to_datetime
from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.errors import TamperedError
from vault.evidence.certificate import Record, Why
from vault.evidence.entries import Draft, Entry
from vault.evidence.entries import Kind as Event
from vault.evidence.log import Log
from vault.forks import cached
from vault.roots import Noted, RootState
from vault.storage import holds as sql
from vault.storage import keyring as keyring_sql
from vault.storage import log as log_sql
from vault.storage.stores import Stores

HOLD = "hold"
FORGET_USER = str(Why.FORGET_USER)
FORGET_SESSION = str(Why.FORGET_SESSION)


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


class Notes:
    """Keeps the notes in both places, tells the log of them, and notices one that was edited."""

    def __init__(self, stores: Stores, service: Callable[[], bytes], log: Log) -> None:
        self._log = log
        self._stores = stores
        self._service = service
        self._known: tuple[tuple[Noted, ...], dict[bytes, Noted]] = (), {}

    @cached
    def _key(self) -> bytes:
        return derive(self._service(), b"holds")

    # -- finding ----------------------------------------------------------------------------------------

    def unsettled(self, connection: Connection, state: RootState | None = None) -> list[Noted]:
        """Give the holds and requests for which something is still to be done; the root may be just read."""
        noted = self._noted(state)
        here = self._checked(sql.unsettled(connection))
        left = [row for row in here if row.id not in noted]
        return [*left, *(row for row in noted.values() if row.settled_at is None)]

    def unsettled_of(self, connection: Connection, user: bytes) -> list[Noted]:
        """Give the same of one user, whose rows alone are read."""
        noted = self._noted()
        here = self._checked(sql.unsettled_of(connection, user))
        mine = [row for row in noted.values() if row.user_node == user and row.settled_at is None]
        return [*mine, *(row for row in here if row.id not in noted)]

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

    # -- writing ----------------------------------------------------------------------------------------

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

    def write(self, connection: Connection, state: RootState, row: Noted) -> None:
        """Write a note to the root before the keyring commits: after a crash the next opening repeats it.

        What the keyring refuses comes to no root, which would repeat it at every opening.
        """
        sealed = replace(row, seal=self._seal(row))
        if not sql.change(connection, sealed):
            sql.add(connection, sealed)
        self._tell(connection, self._drafts(sealed))
        past = self._stores.clock() - self._stores.horizon
        gone = tuple(one.id for one in state.holds if one.settled_at is not None and one.settled_at < past)
        self._stores.root.note(sealed, dropping=gone)

    def _tell(self, connection: Connection, drafts: Sequence[tuple[str, Draft]]) -> None:
        """Add to the log what it does not say yet, in the transaction that writes the rows (P6)."""
        said = log_sql.entries_of(connection, {one.act for _, one in drafts})
        known = {(Entry.read(one.entry).kind, one.act) for one in said}
        self._log.add(connection, [one for kind, one in drafts if (kind, one.act) not in known])

    def _drafts(self, row: Noted) -> list[tuple[str, Draft]]:
        """Give the entries that the log has of a note, each with its kind."""
        return (
            self._drafts_of_hold(row) if row.kind == HOLD else [(Event.REQUEST, self._draft_of_request(row))]
        )

    def _draft_of_request(self, row: Noted) -> Draft:
        asked = Record.decode(row.record).certificate
        return self._log.draft(
            Event.REQUEST,
            act=hashlib.sha256(bind(b"request", row.id)).digest()[:ID_BYTES],
            subject=asked.pseudonym,
            actor=asked.actor,
            reason=asked.reason,
            certificate=asked.id,
            erasure=row.kind,
            waits_until=None if row.until is None else to_datetime(row.until),
        )

    def _drafts_of_hold(self, row: Noted) -> list[tuple[str, Draft]]:
        said = Said.decode(row.record)
        on = "user" if row.session_node is None else "session"
        placed = self._log.draft(
            Event.HOLD,
            act=row.id,
            subject=said.subject,
            actor=said.actor,
            reason=said.reason,
            on=on,
            until=None if row.until is None else to_datetime(row.until),
        )
        if row.ended_at is None:
            return [(Event.HOLD, placed)]
        ended = self._log.draft(
            Event.RELEASE,
            act=row.id,
            subject=said.subject,
            actor=said.released_by,
            reason=said.release_reason,
            on=on,
        )
        return [(Event.HOLD, placed), (Event.RELEASE, ended)]

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
