"""What people ask for: forgetting, enrolling anew, starting a session anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from vault.chat.hiding import Hider
from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.crypto.tree import Kind, Opened, slot
from vault.erasure import Eraser, Target
from vault.errors import (
    FlooredError,
    HeldError,
    InputError,
    SessionForgottenError,
    StoreUnavailableError,
    TamperedError,
    UnknownError,
    UserForgottenError,
    VaultError,
)
from vault.evidence.certificate import Certificate, Record, Why
from vault.evidence.entries import struck
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys
from vault.listing import Lister
from vault.messages import check_flag, check_id, check_ids, check_words
from vault.queue import Queue
from vault.roots import Noted
from vault.saying import Asking
from vault.storage.stores import Stores

if TYPE_CHECKING:
    from vault.retention.flooring import Floored

_RACES = 20


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure would take; of that, what a floor keeps yet, until when, and by which rule."""

    sessions: int
    messages: int
    kept: int = 0
    kept_until: datetime | None = None
    kept_by: str = ""


class Requests:
    """Turns a request into an erasure, or into the answer that there is nothing (more) to erase."""

    def __init__(  # noqa: PLR0913, PLR0917 (what it stands on)
        self,
        stores: Stores,
        keyring: Keyring,
        eraser: Eraser,
        sessions: Sessions,
        hider: Hider,
        queue: Queue,
        lister: Lister,
    ) -> None:
        self._hider = hider
        self._lister = lister
        self._queue = queue
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
            if session_id is None:
                self._lister.refuse_losses(user)
                return [user.node]
            nodes = self._known_session(user, user_id, session_id)
            self._lister.refuse_losses(user, nodes)
            return nodes

        sessions, messages = self._eraser.count(beyond_doubt(self._stores, look))
        beyond_doubt(self._stores, look)  # what was erased meanwhile is an error, not a zero (P7)
        found = Footprint(sessions=sessions, messages=messages)
        user = self._known_user(user_id)
        kept = self._queue.kept(user.node, None if session_id is None else look()).values()
        if not kept:
            return found
        last = max(kept, key=lambda one: one.longest.at)
        return replace(
            found,
            kept=sum(one.messages for one in kept),
            kept_until=to_datetime(last.longest.at),
            kept_by=last.says,
        )

    def forget_users(self, user_ids: Iterable[str], asked: Asking) -> list[Certificate]:
        """Erase users: all are looked up before the first is erased, and all holds before anything is.

        With `when_released` those who are held wait for the end of the hold, and only they. With
        `except_floors` those of whom a floor keeps something lose the rest now, and wait for its end. With
        both, those who are held and kept by a floor lose the rest when the hold ends.
        """
        check_flag(asked.now, "now")
        if isinstance(user_ids, str):
            raise InputError("many user ids are a list: one text would be taken for its letters")
        checked = [check_id(user_id, "user id") for user_id in user_ids]
        found = self._users_or_intents(checked)
        alive = [
            (user_id, one) for user_id, one in zip(checked, found, strict=True) if isinstance(one, UserKeys)
        ]
        waiting = self._let_wait_for_floors(alive, asked)
        taken = {user.node: user.slot for _, user in alive if user.node not in waiting}
        names = {user.slot: [user_id] for user_id, user in alive}
        queued, begun = self._begin_users(taken, asked, names)
        waiting |= queued
        going = [
            waiting.get(one.node) or begun[one.node] if isinstance(one, UserKeys) else one for one in found
        ]
        intents = [one for one in going if isinstance(one, bytes)]
        done = iter(self._eraser.carry_out(intents, now=asked.now) if intents else [])
        return [next(done) if isinstance(one, bytes) else one for one in going]

    def _let_wait_for_floors(
        self, users: Sequence[tuple[str, UserKeys]], asked: Asking
    ) -> dict[bytes, Certificate]:
        """Refuse where a floor keeps something, before anything is changed; or let those users wait."""
        kept = {user.node: self._queue.kept(user.node) for _, user in users}
        lost = {
            user.node: row
            for _, user in users
            if not kept[user.node] and (row := self._queue.waits_for_lost(user.node, None))
        }
        others = [row for row in lost.values() if row.session_node is not None]
        if (any(kept.values()) or others) and not asked.when_released:
            for _, user in users:  # a hold is told first
                self._queue.refuse_held(user.node, None)
        if (any(kept.values()) or others) and not asked.except_floors:
            raise _refusal([one for found in kept.values() for one in found.values()], others)
        waiting = {}
        for user_id, user in users:
            row = lost.get(user.node)
            if row is not None and row.session_node is None:
                waiting[user.node] = Record.decode(row.record).certificate
            elif row is not None or kept[user.node]:
                until = _last_day(kept[user.node].values(), row)
                waiting[user.node], _ = self._queue.let_wait_for_floors(
                    user, None, user.slot, until, asked, [user_id]
                )
        return waiting

    def _begin_users(
        self, taken: Mapping[bytes, bytes], asked: Asking, names: Mapping[bytes, Sequence[str]]
    ) -> tuple[dict[bytes, Certificate], dict[bytes, bytes]]:
        """Record the erasure of users, by node and slot; let those wait who are held and may.

        Give the certificates of who waits, and the intents of the others, by node.
        """
        if not taken:
            return {}, {}
        for _ in range(_RACES):
            waiting: dict[bytes, Certificate] = {}
            if asked.when_released:
                waiting = self._queue.let_held_users_wait(taken, asked, names)
            targets = [([node], where) for node, where in taken.items() if node not in waiting]
            ids: list[bytes] = []
            try:
                if targets:
                    ids = self._begin(Why.FORGET_USER, targets, asked, names)
            except HeldError:
                if not asked.when_released:
                    raise
                continue  # a hold was placed this very moment
            return waiting, {nodes[0]: intent for (nodes, _), intent in zip(targets, ids, strict=True)}
        raise StoreUnavailableError("too many holds come and go", hint="try again")

    def _users_or_intents(self, user_ids: Sequence[str]) -> list[UserKeys | bytes | Certificate]:
        """Give what `_user_or_intent` gives of each; all who live are found in one look."""
        indexes = [self._keyring.user_index(user_id) for user_id in user_ids]
        alive: dict[bytes, UserKeys] = {}
        if len(user_ids) > 1:
            alive = beyond_doubt(self._stores, lambda: self._keyring.find_users(indexes))
        return [
            alive.get(index) or self._user_or_intent(user_id)
            for user_id, index in zip(user_ids, indexes, strict=True)
        ]

    def _user_or_intent(self, user_id: str) -> UserKeys | bytes | Certificate:
        """Give a living user's keys, or the erasure of one who is forgotten already.

        Of one whose keys an older keyring does not have it is the certificate of the request that waits.
        """
        try:
            return self._known_user(user_id)
        except UserForgottenError:
            where = slot(Kind.USER, self._keyring.user_index(user_id))
            return self._queue.waits(where) or self._last_intent(where)

    def forget_session(self, user_id: str, session_id: str, asked: Asking) -> Certificate:
        """Erase one session. `when_released` and `except_floors` are as with users."""
        check_ids(user_id, session_id)
        check_flag(asked.now, "now")

        def look() -> tuple[bytes, list[bytes]]:
            user = self._known_user(user_id)
            where = user.session_slot(session_id)
            try:
                return where, self._known_session(user, user_id, session_id)
            except SessionForgottenError:
                return where, []

        where, nodes = beyond_doubt(self._stores, look)
        user = self._known_user(user_id) if nodes else None
        if user is None:
            return self._queue.waits(where) or self._carry_out(self._last_intent(where), now=asked.now)
        opened, said = self._keyring.find_session(user, session_id), [user_id, session_id]
        kept, lost = self._queue.kept(user.node, nodes), None
        if not kept and opened is not None:
            lost = self._queue.waits_for_lost(user.node, opened.id)
        if lost is not None and opened is not None and lost.session_node == opened.id:
            return Record.decode(lost.record).certificate
        if kept or lost is not None:
            for node in () if asked.when_released else nodes:
                self._queue.refuse_held(user.node, node)
            if not asked.except_floors or opened is None:
                raise _refusal(list(kept.values()), [] if lost is None else [lost])
            until = _last_day(kept.values(), lost)
            return self._queue.let_wait_for_floors(user, opened, where, until, asked, said)[0]
        may_wait = opened if asked.when_released else None
        waiting = self._begin_session(user, may_wait, nodes, where, asked, said)
        return waiting if isinstance(waiting, Certificate) else self._carry_out(waiting, now=asked.now)

    def _begin_session(  # noqa: PLR0913, PLR0917 (what is asked for)
        self,
        user: UserKeys,
        may_wait: Opened | None,
        nodes: list[bytes],
        where: bytes,
        asked: Asking,
        names: list[str],
    ) -> Certificate | bytes:
        """Record the erasure of a session and give the intent; or let it wait where it is held, and may.

        Then give the certificate of what waits.
        """
        for _ in range(_RACES):
            if may_wait is not None:
                waiting = self._queue.let_held_session_wait(user, may_wait, where, asked, names)
                if waiting is not None:
                    return waiting
            try:
                return self._begin(Why.FORGET_SESSION, [(nodes, where)], asked, {where: names})[0]
            except HeldError:
                if may_wait is None:
                    raise
        raise StoreUnavailableError("too many holds come and go", hint="try again")

    def _carry_out(self, intent: bytes, *, now: bool) -> Certificate:
        """Carry an erasure out as far as it can be."""
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
        """Erase a session on the app's own account; False where there is none.

        Under a hold it is hidden: the app finds nothing under its id any more, and everything is still there.
        """

        def look() -> tuple[bytes, list[bytes]] | None:
            user = self._keyring.find_user(user_id)
            opened = self._keyring.find_session(user, session_id) if user else None
            if user is None or opened is None:
                return None
            node, session = user.node, opened.id
            self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, node, session))
            return user.session_slot(session_id), self._keyring.session_nodes(user, opened)

        for _ in range(_RACES):
            found = beyond_doubt(self._stores, look)
            if found is None:
                return False
            where, nodes = found
            try:
                [intent] = self._begin(Why.DELETE, [(nodes, where)], Asking(actor="the app"), {})
            except HeldError:
                if self._hider.hide(user_id, session_id):
                    return True
                if self._sessions.find(user_id, session_id) is None:
                    return False  # a restore lost it and the hold keeps its key, or another was faster
                continue  # the hold has just ended
            self._eraser.carry_out([intent])
            self._sessions.distrust(user_id, session_id)
            return True
        raise StoreUnavailableError("too many holds come and go", hint="try again")

    def enroll(self, user_id: str, session_id: str | None, actor: str) -> None:
        """Let a forgotten user or session start anew."""
        check_id(user_id, "user id")
        check_words(actor, "actor")
        at = self._stores.clock()
        if session_id is not None:
            check_id(session_id, "session id")
            user = self._known_user(user_id)
            self._refuse_going(user.node)
            self._keyring.tombstones.lift(
                user.session_slot(session_id), at, struck(actor, [user_id, session_id], user.pseudonym)
            )
            opened = self._keyring.find_session(user, session_id)
            session = None if opened is None else opened.id
            self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, user.node, session))
            return
        self._keyring.tombstones.lift(
            slot(Kind.USER, self._keyring.user_index(user_id)), at, struck(actor, [user_id], "the user")
        )
        self._sessions.enrol(user_id)
        node = self._known_user(user_id).node
        self._refuse_going(node)
        self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, node, None))

    def _refuse_going(self, node: bytes) -> None:
        """Raise for one whose erasure is begun and has not come to its end: who enrols would go with it."""
        if self._stores.keyring.read(lambda connection: self._keyring.records.of(connection, node)):
            raise UserForgottenError(
                "this user is being forgotten", hint="try again at the end: vault keys status counts those"
            )

    def certificates(self) -> list[Certificate]:
        """Give the certificates of all erasures."""

        def work(connection: Connection) -> list[Certificate]:
            rows = self._keyring.records.every(connection)
            found = [Record.decode(row.record).certificate for row in rows]
            return self._keyring.log.certify(connection, found)

        return self._stores.keyring.snapshot(work)

    def _begin(
        self, why: Why, targets: Sequence[Target], asked: Asking, names: Mapping[bytes, Sequence[str]]
    ) -> list[bytes]:
        asked.check_words()
        return self._eraser.begin_many(
            why, targets, reason=asked.reason, actor=asked.actor, now=asked.now, names=names
        )

    def _known_user(self, user_id: str) -> UserKeys:
        user = self._keyring.find_user(user_id)
        if user is None:
            raise UnknownError("no such user is here", hint="vault sessions lists the users")
        return user

    def _known_session(self, user: UserKeys, user_id: str, session_id: str) -> list[bytes]:
        """Give all nodes that go with a session id: those too that the app no longer sees."""
        opened = self._keyring.find_session(user, session_id)
        hidden = self._hider.nodes_hidden(user_id, session_id)
        if opened is None and not hidden:
            raise UnknownError("this user has no such session", hint="vault sessions USER lists them")
        return [*(self._keyring.session_nodes(user, opened) if opened else []), *hidden]

    def _last_intent(self, where: bytes) -> bytes:
        rows = self._stores.keyring.read(lambda connection: self._keyring.records.at(connection, where))
        if not rows:
            raise TamperedError("the record of an erasure is gone from the keyring")
        return rows[-1].id


def _last_day(kept: Iterable[Floored], lost: Noted | None) -> int:
    """Give when the last of some floors ends, or what is waited for that is not here."""
    return max([one.longest.at for one in kept] + ([] if lost is None else [lost.until or 0]))


def _refusal(kept: Sequence[Floored], lost: Sequence[Noted]) -> VaultError:
    if kept:
        from vault.retention.flooring import refusal  # noqa: PLC0415 (only where there are policies)

        return refusal(kept)
    return FlooredError(
        "a request waits for messages that a retention rule keeps until"
        f" {to_datetime(max(one.until or 0 for one in lost)):%Y-%m-%d %H:%M} UTC, and that are not here:"
        " nothing was changed",
        hint="put them back from a backup; --except-floors erases what no request waits for now, and the rest"
        " on that day",
    )
