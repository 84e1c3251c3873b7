"""Holds as people place and end them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace as replace_row
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from vault.chat.naming import Namer
from vault.chat.sessions import Sessions
from vault.clock import from_datetime, to_datetime
from vault.crypto.envelope import ID_BYTES, random_id
from vault.erasure import Eraser
from vault.errors import InputError, StoreUnavailableError, UnknownError, UsageError
from vault.evidence.entries import struck
from vault.keys.holds import UnderWayError, has_ended
from vault.keys.noting import HOLD, Said
from vault.keys.ring import Keyring
from vault.messages import check_id, check_words
from vault.roots import Noted
from vault.storage import holds as holds_sql
from vault.storage.stores import Stores

_RACES = 20


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold on a user, or on one session.

    `user_id` is None where the user was forgotten since, or where the keyring has lost them.
    """

    id: str
    user_id: str | None
    session_id: str | None
    on_session: bool
    in_force: bool
    reason: str
    actor: str
    placed_at: datetime
    until: datetime | None
    released_at: datetime | None
    release_reason: str
    released_by: str


class Holding:
    """Places and releases holds."""

    def __init__(
        self, stores: Stores, keyring: Keyring, eraser: Eraser, sessions: Sessions, namer: Namer
    ) -> None:
        self._stores = stores
        self._keyring = keyring
        self._holds = keyring.holds
        self._eraser = eraser
        self._sessions = sessions
        self._namer = namer

    def hold(
        self, user_id: str, session_id: str | None, *, reason: str, until: datetime | None, actor: str
    ) -> Hold:
        """Forbid every erasure of a user, or of one session of theirs."""
        if not check_words(reason, "reason").strip():
            raise UsageError("a hold has a reason", hint='reason="case 7"')
        check_words(actor, "actor")
        placed = Said(placed_at=self._stores.clock(), reason=reason, actor=actor)
        ends = self._moment(until)
        for _ in range(_RACES):
            row = self._row(user_id, session_id, ends, placed)
            try:
                self._holds.add(row)
            except UnderWayError as erasure:  # it was recorded before: it comes first
                self._eraser.carry_out(erasure.intents)
                continue
            # Whoever looked before the hold has removed by now; whoever looks from here on sees it (P5).
            self._stores.transcripts.write(lambda c, row=row: holds_sql.wait_for_removals(c, row.user_node))  # type: ignore[misc]
            return self._shown(row)
        raise StoreUnavailableError("too much is erased at once", hint="try again")

    def _moment(self, until: object) -> int | None:
        if until is None:
            return None
        if not isinstance(until, datetime) or until.utcoffset() is None:
            raise InputError("until is a datetime with a time zone", hint="datetime(2030, 1, 1, tzinfo=UTC)")
        try:
            ends = from_datetime(until.astimezone(UTC))
        except OverflowError:
            raise InputError(
                "the hold would end after the year 9999", hint="one without an end has no until"
            ) from None
        if ends <= self._stores.clock():
            raise InputError("the hold would have ended already")
        return ends

    def _row(self, user_id: str, session_id: str | None, until: int | None, placed: Said) -> Noted:
        user = self._keyring.find_user(check_id(user_id, "user id"))
        if user is None:
            raise UnknownError("no such user is here", hint="vault sessions lists the users")
        node, where = None, user.slot
        if session_id is not None:
            session = self._sessions.find(user_id, check_id(session_id, "session id"))
            if session is None:
                raise UnknownError("this user has no such session", hint="vault sessions USER lists them")
            node, where = session.node, session.slot
        names, subject = (user_id, session_id or ""), user.pseudonym
        said = replace(
            placed,
            subject=subject,
            reason=struck(placed.reason, names, subject),
            actor=struck(placed.actor, names, subject),
        )
        return Noted(random_id(), HOLD, where, user.node, node, until, None, None, said.encode())

    def release(self, hold_id: str, *, reason: str, actor: str) -> Hold:
        """End a hold. What has waited for that is done by `carry_out_due`."""
        check_words(reason, "reason")
        check_words(actor, "actor")
        where = _id(hold_id)
        # Before its transaction, for which others wait: in it no second connection is asked for.
        known = self._stores.keyring.read(lambda c: self._holds.find(c, where))
        names = [] if known is None else self._names(known)

        def end(row: Noted) -> Noted:
            if row.kind != HOLD:
                raise UnknownError("there is no such hold", hint="vault hold list lists them")
            if row.ended_at is not None:
                return row
            said = Said.decode(row.record)
            said = replace(
                said,
                release_reason=struck(reason, names, said.subject),
                released_by=struck(actor, names, said.subject),
            )
            return replace_row(row, ended_at=self._stores.clock(), record=said.encode())

        return self._shown(self._holds.change(where, end))

    def _names(self, row: Noted) -> list[str]:
        """Give the ids that evidence must not repeat: none is known of who was forgotten since."""
        found = self._namer.owner(row.user_node)
        if found is None:
            return []
        session = row.session_node and self._namer.session(found[0], row.session_node)
        return [found[1], session or ""]

    def holds(self) -> list[Hold]:
        """Give all holds there ever were, oldest first."""
        rows = self._stores.keyring.read(self._holds.every)
        return sorted((self._shown(row) for row in rows if row.kind == HOLD), key=lambda one: one.placed_at)

    def _shown(self, row: Noted) -> Hold:
        said = Said.decode(row.record)
        found = self._namer.owner(row.user_node)
        session_id = None
        if found is not None and row.session_node is not None:
            session_id = self._namer.session(found[0], row.session_node)
        return Hold(
            id=row.id.hex(),
            user_id=None if found is None else found[1] or None,
            session_id=session_id,
            on_session=row.session_node is not None,
            in_force=not has_ended(row, self._stores.clock()),
            reason=said.reason,
            actor=said.actor,
            placed_at=to_datetime(said.placed_at),
            until=None if row.until is None else to_datetime(row.until),
            released_at=None if row.ended_at is None else to_datetime(row.ended_at),
            release_reason=said.release_reason,
            released_by=said.released_by,
        )


def _id(hold_id: str) -> bytes:
    with suppress(ValueError, TypeError):
        found = bytes.fromhex(hold_id)
        if len(found) == ID_BYTES:
            return found
    raise UnknownError("there is no such hold", hint="vault hold list lists them")
