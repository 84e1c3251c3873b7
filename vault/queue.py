"""What waits: requests to forget, for the end of holds or of floors; what is hidden, for the end of holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace as replace_row
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from vault.chat.hiding import Hider
from vault.chat.naming import Namer
from vault.clock import DAY, to_datetime
from vault.crypto.tree import Opened
from vault.erasure import Eraser
from vault.errors import GuardedError, HeldError, TamperedError
from vault.evidence.certificate import Certificate, Record, Why
from vault.keys.holds import HoldRow, has_ended, refusal
from vault.keys.home import require_home
from vault.keys.noting import FORGET_SESSION, FORGET_USER, HOLD
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys
from vault.remainders import Remainders
from vault.roots import Noted
from vault.saying import Asking
from vault.storage import holds as holds_sql
from vault.storage import keyring as keyring_sql
from vault.storage.runs import FAR, SLACK, last_runs
from vault.storage.stores import Stores

if TYPE_CHECKING:
    from vault.retention.flooring import Floored, Floors

_LOOKED_AT = 100  # runs
_SOON = DAY // 24  # after which a request is looked at again, whatever its floors say


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits for the end of holds, or of floors; `id` is that of its certificate.

    `until` is when the last floor ends, as it was when it was asked: the rules in force may end it earlier or
    later. Without it a hold is waited for.
    `session_id` is None where a whole user is to be forgotten, and where nobody can read the name any more.
    """

    id: str
    user_id: str | None
    reason: str
    actor: str
    requested_at: datetime
    now: bool
    until: datetime | None = None
    session_id: str | None = None
    on_session: bool = False


class Queue:
    """Lets requests wait, and carries out what has waited long enough."""

    def __init__(  # noqa: PLR0913, PLR0917 (what it stands on)
        self,
        stores: Stores,
        keyring: Keyring,
        eraser: Eraser,
        hider: Hider,
        namer: Namer,
        floors: Callable[[], Floors | None],
    ) -> None:
        self._floors = floors
        self._next: dict[bytes, int] = {}  # when a request that waits for floors is to be looked at again
        self._stores = stores
        self._keyring = keyring
        self._holds = keyring.holds
        self._eraser = eraser
        self._hider = hider
        self._namer = namer
        self._remainders = Remainders(stores, keyring, eraser)

    # -- requests that wait -----------------------------------------------------------------------------

    def let_held_users_wait(
        self, users: Mapping[bytes, bytes], asked: Asking, names: Mapping[bytes, Sequence[str]]
    ) -> dict[bytes, Certificate]:
        """Let the forgetting of those wait who are held, of users given by node and slot.

        `names` are, by slot, the ids that evidence must not repeat where somebody gives them as a reason.
        """
        asked.check_words()
        rows = self._in_force()
        held = {row.user for row in rows}
        known = self._holds.asked(self._requests())
        waiting = {}
        for node in users.keys() & held:
            certificate = known.get(node)
            if certificate is None:
                certificate = self._requested(Why.FORGET_USER, asked, names.get(users[node], ()))
                self._ask(certificate, users[node], node, None, now=asked.now)
            waiting[node] = certificate
        return waiting

    def let_held_session_wait(
        self, user: UserKeys, session: Opened, where: bytes, asked: Asking, names: Sequence[str]
    ) -> Certificate | None:
        """Let the forgetting of a session wait where it, or what had its name, is held; otherwise None."""
        asked.check_words()
        if not any(one.covers(user.node, session.id) or one.slot == where for one in self._in_force()):
            return None
        known = self._holds.asked(self._requests()).get(session.id)  # by its node: the name may be another's
        if known is not None:
            return known
        certificate = self._requested(Why.FORGET_SESSION, asked, names)
        self._ask(certificate, where, user.node, session.id, now=asked.now)
        return certificate

    def _requested(self, why: Why, asked: Asking, names: Sequence[str]) -> Certificate:
        return self._eraser.requested(why, reason=asked.reason, actor=asked.actor, names=names)

    def _ask(  # noqa: PLR0913 (what is noted)
        self,
        certificate: Certificate,
        where: bytes,
        user: bytes,
        session: bytes | None,
        *,
        now: bool,
        until: int | None = None,
    ) -> Noted:
        """Note a request that waits, under the certificate that is given for it."""
        record = Record(certificate=certificate, now=now).encode()
        row = Noted(
            bytes.fromhex(certificate.id),
            FORGET_USER if session is None else FORGET_SESSION,
            where,
            user,
            session,
            until,
            None,
            None,
            record,
        )
        self._holds.add(row)
        return row

    def waits(self, where: bytes) -> Certificate | None:
        """Give the certificate of a request to forget a session, or a user, by their slot, that waits."""
        found = (row for row in self._requests() if row.slot == where)
        return next((Record.decode(row.record).certificate for row in found), None)

    def waits_for_lost(self, user: bytes, session: bytes | None) -> Noted | None:
        """Give the request that waits longest for what the stores don't have of a user, or of a session (P5).

        A request to forget something else may have noted it: less of a user, or more.
        """
        rows = [row for row in self._requests() if row.user_node == user]
        owner = self._namer.owner(user) if rows else None
        if owner is None:
            return None
        found = [row for row in rows if self._lost(owner[0], row, session)]
        return max(found, key=lambda row: (row.session_node == session, row.until or 0), default=None)

    def _all_lost(self, user: UserKeys, session: bytes | None) -> set[bytes]:
        """Give what all requests together have noted of them, and the stores don't have now."""
        return {node for row in self._requests() for node in self._lost(user, row, session)}

    def _lost(self, user: UserKeys, row: Noted, session: bytes | None) -> set[bytes]:
        """Give what a request has noted of a user, or of a session, and the stores don't have now."""
        if row.user_node != user.node or (session is not None and row.session_node not in {None, session}):
            return set()
        lost = self._remainders.lost(row, self._remainders.alive(user, row))
        return lost if session in {None, row.session_node} else lost & {session}

    def queued(self) -> list[Queued]:
        """Give the requests that wait, oldest first."""
        found = []
        for row in self._requests():
            record = Record.decode(row.record)
            owner, certificate = self._namer.owner(row.user_node), record.certificate
            session = None
            if owner is not None and row.session_node is not None:
                node = next(iter(self._remainders.alive(owner[0], row)), row.session_node)
                session = self._namer.session(owner[0], node)
            found.append(
                Queued(
                    id=row.id.hex(),
                    user_id=None if owner is None else owner[1] or None,
                    reason=certificate.reason,
                    actor=certificate.actor,
                    requested_at=certificate.requested_at,
                    now=record.now,
                    until=None if row.until is None else to_datetime(row.until),
                    session_id=session or None,
                    on_session=row.kind == FORGET_SESSION,
                )
            )
        return sorted(found, key=lambda one: one.requested_at)

    def _in_force(self) -> list[HoldRow]:
        return self._stores.keyring.read(lambda c: self._holds.in_force(c, self._stores.clock()))

    def _requests(self) -> list[Noted]:
        rows = self._stores.keyring.read(self._holds.unsettled)
        return [row for row in rows if row.kind in {FORGET_USER, FORGET_SESSION}]

    # -- what is due ------------------------------------------------------------------------------------

    def carry_out_due(self) -> list[Certificate]:
        """Do what has waited for the end of holds: forget who was to be forgotten, remove what is hidden.

        Give the certificates of those who are forgotten by it. Each step can be repeated. A request that
        meets rows which were edited stops no other; then TamperedError is raised at the end.
        """
        self._refuse_to_be_early()
        done: list[Certificate] = []
        accused: list[TamperedError] = []
        holds = self._in_force()
        for row in self._requests():
            try:
                done += self._forget_due(row, holds)
            except TamperedError as error:
                accused.append(error)
        for row in self._stores.keyring.read(self._holds.unsettled):
            if row.kind == HOLD and has_ended(row, self._stores.clock()):
                self._settle(row)
        if accused:
            raise accused[0]
        return done

    def _refuse_to_be_early(self) -> None:
        """Raise GuardedError where this machine's clock is ahead of the database's: holds would end early.

        Where the database has none of its own, the last run of the rules stands for it.
        """
        now, server = self._stores.clock(), self._stores.keyring.read(self._stores.server_clock)
        if server is None:
            self._refuse_a_leap(now)
        if server is not None and now > server + SLACK:
            raise GuardedError(
                f"this machine's clock says {to_datetime(now):%Y-%m-%d %H:%M}, ahead of the database's"
                f" {to_datetime(server):%Y-%m-%d %H:%M}: nothing was erased",
                hint="set the clocks right; what waits for a date is done then",
            )

    def _refuse_a_leap(self, now: int) -> None:
        rows = self._stores.keyring.read(lambda connection: last_runs(connection, _LOOKED_AT))
        floors = self._floors()
        last = next((row.started_at for row in rows if row.started_at <= now + SLACK), now)
        if now > last + max(FAR, floors.gap if floors else 0):
            raise GuardedError(
                f"the clock says {to_datetime(now):%Y-%m-%d %H:%M}, long after the last run of"
                f" {to_datetime(last):%Y-%m-%d %H:%M}: nothing was erased",
                hint="set the clock right; vault purge --yes, if it is",
            )

    def _forget_due(self, row: Noted, holds: Sequence[HoldRow]) -> list[Certificate]:
        """Carry one request out, as far as it may be."""
        if row.until is not None:
            is_due = self._next.get(row.id, 0) <= self._stores.clock()
            return self._advance(row, holds) if is_due else []
        if row.kind == FORGET_SESSION:
            return self._forget_held(row, holds)
        node = row.user_node
        if any(one.user == node for one in holds) or self.kept(node) or self.waits_for_lost(node, None):
            return []
        done: list[Certificate] = []
        if not self._stores.keyring.read(lambda c: keyring_sql.nodes_by_id(c, [node])):
            return self._without_keys(row, holds)
        record = Record.decode(row.record)
        asked = record.certificate
        with suppress(HeldError):  # a hold was placed this very moment: it waits on
            intents = self._eraser.begin_many(
                Why.FORGET_USER,
                [([node], row.slot)],
                reason=asked.reason,
                actor=asked.actor,
                now=record.now,
                asked={node: asked},
            )
            done = self._eraser.carry_out(intents, now=record.now)
            self._end(row)
        return done

    def _forget_held(self, row: Noted, holds: Sequence[HoldRow]) -> list[Certificate]:
        """Forget a session that was held; what its name was given to since is another."""
        owner = self._namer.owner(row.user_node)
        sessions = {} if owner is None else self._remainders.alive(owner[0], row)
        if owner is None or not sessions:
            return self._without_keys(row, holds)
        user = owner[0]
        if any(one.covers(user.node, node) for one in holds for node in sessions):
            return []
        done: list[Certificate] = []
        if not self.kept(user.node, list(sessions)) and not self.waits_for_lost(user.node, row.session_node):
            with suppress(HeldError):  # a hold was placed this very moment: it waits on
                done = self._remainders.finish(row, user, sessions)
                self._end(row)
        return done

    # -- floors -----------------------------------------------------------------------------------------

    def kept(self, user: bytes, sessions: Sequence[bytes] | None = None) -> dict[bytes, Floored]:
        """Give what floors of the policies in force keep now, by session; nothing without policies."""
        floors = self._floors()
        return {} if floors is None else floors.keeping(user, sessions)

    def refuse_held(self, user: bytes, session: bytes | None) -> None:
        """Raise HeldError where a hold forbids it: holds come before floors."""
        rows = self._in_force()
        held = [one for one in rows if one.user == user and (session is None or one.covers(user, session))]
        if held:
            raise refusal(held)

    def let_wait_for_floors(  # noqa: PLR0913, PLR0917 (what is asked for)
        self,
        user: UserKeys,
        session: Opened | None,
        where: bytes,
        until: int,
        asked: Asking,
        names: Sequence[str],
    ) -> tuple[Certificate, list[Certificate]]:
        """Close a user or a session to the app, erase what no floor keeps, and let the rest wait.

        Give the certificate of what waits, and those of what is erased now.
        """
        asked.check_words()
        why = Why.FORGET_USER if session is None else Why.FORGET_SESSION
        node = None if session is None else session.id
        known = [
            row
            for row in self._requests()
            if (row.kind, row.user_node, row.session_node) == (why, user.node, node)
        ]
        if known:  # one that waited for a hold may wait for floors now
            row = self._holds.change(
                known[0].id, lambda one: replace_row(one, until=max(until, one.until or until))
            )
        else:
            certificate = self._requested(why, asked, names)
            row = self._ask(certificate, where, user.node, node, now=asked.now, until=until)
        rows = self._in_force()
        return Record.decode(row.record).certificate, self._advance(row, rows)

    def _advance(self, row: Noted, holds: Sequence[HoldRow]) -> list[Certificate]:
        """Do what floors and holds allow of a request by now. Each step can be repeated (P8)."""
        owner = self._namer.owner(row.user_node)
        if owner is None:
            return self._without_keys(row, holds)
        user, at = owner[0], self._stores.clock()
        sessions = self._remainders.alive(user, row)
        if row.session_node is not None and not sessions:
            return self._without_keys(row, holds)
        self._require_home()
        for one, (_, opened) in sessions.items():
            self._remainders.close(one, opened)
        floors = self._floors()
        kept = {} if floors is None else floors.keeping(user.node, list(sessions))
        row = self._remainders.note(row, sessions, kept)
        if any(one.covers(user.node, node) for one in holds for node in [*sessions, None]):
            return []
        with suppress(HeldError):  # a hold was placed this very moment: it waits on
            # The rules in force say what they keep, whatever was said when it was asked; without any rules,
            # and of what is not here, the day that was said then counts.
            is_over = row.until is not None and row.until <= at
            lost = set() if is_over else self._all_lost(user, row.session_node)
            if not kept and not lost and (floors is not None or is_over):
                done = self._remainders.finish(row, user, sessions)
                self._end(row)
                return done
            done = [] if floors is None else self._remainders.forget_free(row, user, floors, kept, lost)
            first = min([one.first.at for one in kept.values()] or [row.until or at])
            self._next[row.id] = min(first, at + _SOON)
            return done
        return []

    def _without_keys(self, row: Noted, holds: Sequence[HoldRow]) -> list[Certificate]:
        """End a request whose keys are not here: somebody else has had them erased.

        Or this keyring is older than they are. The latest one may be put back, and has them: the request
        waits for that. On its day a user is forgotten all the same: no younger keyring brings them back (P3).
        """
        if not self._is_older(row):
            self._end(row)
            return []
        is_due = row.until is not None and row.until <= self._stores.clock()
        if row.session_node is not None or not is_due:
            return []
        done: list[Certificate] = []
        if not any(one.user == row.user_node for one in holds):
            with suppress(HeldError):  # a hold was placed this very moment: it waits on
                done = self._remainders.finish(row, None, {})
                self._end(row)
        return done

    def _is_older(self, row: Noted) -> bool:
        """Say whether the keyring knows neither the keys that a request is about nor their end."""
        nodes = [row.user_node]
        if row.session_node is not None:
            nodes += [row.session_node, *Record.decode(row.record).kept]

        def look(connection: Connection) -> bool:
            if self._keyring.records.of(connection, row.user_node):
                return False
            return bool(self._keyring.unheard(connection, nodes))

        return self._stores.keyring.read(look)

    def _settle(self, row: Noted) -> None:
        """Remove what is hidden and no longer held, once nobody hides anything more because of this hold."""
        self._require_home()
        self._stores.transcripts.write(lambda c: holds_sql.wait_for_removals(c, row.user_node))
        if self._hider.remove_unheld(row.user_node, row.session_node, self._in_force()):
            self._end(row)

    def _require_home(self) -> None:
        """Refuse before a row goes, or is sealed anew: a copy's keys are not those of its original."""
        self._stores.keyring.read(lambda connection: require_home(self._stores, connection))

    def _end(self, row: Noted) -> None:
        """Note that nothing is left to be done for a hold or a request."""
        at = self._stores.clock()
        self._holds.change(row.id, lambda row: replace_row(row, settled_at=row.settled_at or at))
