"""What people ask for: forgetting, enrolling anew, starting a session anew."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from vault.chat.sessions import Sessions
from vault.crypto.tree import Kind, slot
from vault.erasure import Eraser
from vault.errors import InputError, SessionForgottenError, TamperedError, UnknownError, UserForgottenError
from vault.evidence.certificate import Certificate, Record, Why
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring, UserKeys
from vault.messages import check_id, check_ids, check_words
from vault.storage import erasures
from vault.storage.stores import Stores


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure would take."""

    sessions: int
    messages: int


class Requests:
    """Turns a request into an erasure, or into the answer that there is nothing (more) to erase."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser, sessions: Sessions) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser
        self._sessions = sessions

    def footprint(self, user_id: str, session_id: str | None) -> Footprint:
        """Count what forgetting would take."""
        check_id(user_id, "user id")
        if session_id is not None:
            check_id(session_id, "session id")

        def look() -> list[bytes]:
            user = self._known_user(user_id)
            return [user.node] if session_id is None else self._known_session(user, session_id)

        sessions, messages = self._eraser.count(beyond_doubt(self._stores, look))
        beyond_doubt(self._stores, look)  # what was erased meanwhile is an error, not a zero (P7)
        return Footprint(sessions=sessions, messages=messages)

    def forget_users(
        self, user_ids: Iterable[str], *, reason: str, actor: str, now: bool
    ) -> list[Certificate]:
        """Erase users: all are looked up before the first is erased."""
        if isinstance(user_ids, str):
            raise InputError("many user ids are a list: one text would be taken for its letters")
        checked = [check_id(user_id, "user id") for user_id in user_ids]
        found = [self._user_or_intent(user_id) for user_id in checked]
        begun = [
            one
            if isinstance(one, bytes)
            else self._begin(Why.FORGET_USER, [one.node], one.slot, reason, actor, now=now)
            for one in found
        ]
        return self._eraser.carry_out(begun, now=now)

    def _user_or_intent(self, user_id: str) -> UserKeys | bytes:
        """Give a living user's keys, or the erasure of one who is forgotten already."""
        try:
            return self._known_user(user_id)
        except UserForgottenError:
            return self._last_intent(slot(Kind.USER, self._keyring.user_index(user_id)))

    def forget_session(
        self, user_id: str, session_id: str, *, reason: str, actor: str, now: bool
    ) -> Certificate:
        """Erase one session."""
        check_ids(user_id, session_id)

        def look() -> tuple[bytes, list[bytes]]:
            user = self._known_user(user_id)
            where = user.session_slot(session_id)
            try:
                return where, self._known_session(user, session_id)
            except SessionForgottenError:
                return where, []

        where, nodes = beyond_doubt(self._stores, look)
        if nodes:
            intent = self._begin(Why.FORGET_SESSION, nodes, where, reason, actor, now=now)
        else:
            intent = self._last_intent(where)
        return self._eraser.carry_out([intent], now=now)[0]

    def clear(self, user_id: str, session_id: str, namespace: str) -> None:
        """Erase what a session holds and keep its name and its namespace."""
        try:
            session = self._sessions.find(user_id, session_id)
        except TamperedError:
            session = None  # what can't be read any more can be cleared all the same
        if self.delete(user_id, session_id):
            kept = session.profile.namespace if session else namespace
            self._sessions.find_or_make(user_id, session_id, kept)

    def delete(self, user_id: str, session_id: str) -> bool:
        """Erase a session on the app's own account; False where there is none."""

        def look() -> tuple[bytes, list[bytes]] | None:
            user = self._keyring.find_user(user_id)
            opened = self._keyring.find_session(user, session_id) if user else None
            if user is None or opened is None:
                return None
            return user.session_slot(session_id), self._keyring.session_nodes(user, opened)

        found = beyond_doubt(self._stores, look)
        if found is None:
            return False
        where, nodes = found
        intent = self._begin(Why.DELETE, nodes, where, "", "the app", now=False)
        self._eraser.carry_out([intent])
        self._sessions.distrust(user_id, session_id)
        return True

    def enroll(self, user_id: str, session_id: str | None) -> None:
        """Let a forgotten user or session start anew."""
        check_id(user_id, "user id")
        at = self._stores.clock()
        if session_id is not None:
            check_id(session_id, "session id")
            user = self._known_user(user_id)
            self._keyring.lift(user.session_slot(session_id), at)
            return
        self._keyring.lift(slot(Kind.USER, self._keyring.user_index(user_id)), at)
        self._sessions.enrol(user_id)

    def certificates(self) -> list[Certificate]:
        """Give the certificates of all erasures."""

        def work(connection: Connection) -> list[erasures.IntentRow]:
            return self._keyring.records.every(connection)

        return [Record.decode(row.record).certificate for row in self._stores.keyring.read(work)]

    def _begin(  # noqa: PLR0913 (what is recorded)
        self, why: Why, nodes: list[bytes], where: bytes, reason: str, actor: str, *, now: bool
    ) -> bytes:
        # Evidence that can't be read again would stop every later erasure, and the next opening.
        check_words(reason, "reason")
        check_words(actor, "actor")
        return self._eraser.begin(why, nodes, where, reason=reason, actor=actor, now=now)

    def _known_user(self, user_id: str) -> UserKeys:
        user = self._keyring.find_user(user_id)
        if user is None:
            raise UnknownError("no such user is here", hint="vault sessions lists the users")
        return user

    def _known_session(self, user: UserKeys, session_id: str) -> list[bytes]:
        opened = self._keyring.find_session(user, session_id)
        if opened is None:
            raise UnknownError("this user has no such session", hint="vault sessions USER lists them")
        return self._keyring.session_nodes(user, opened)

    def _last_intent(self, where: bytes) -> bytes:
        rows = self._stores.keyring.read(lambda connection: self._keyring.records.at(connection, where))
        if not rows:
            raise TamperedError("the record of an erasure is gone from the keyring")
        return rows[-1].id
