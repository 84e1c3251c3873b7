"""Erasing: intent, fence, cut, destroy, sweep, completion. Each step can be repeated (P8).

The intent stands in the keyring before anything happens; whoever finds one unfinished takes it up. The fence
in transcripts makes every process refuse at its next statement; the cut makes the keys unreachable; only
then are rows deleted, in batches, because by then they are noise.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import to_datetime
from vault.crypto.envelope import random_id
from vault.errors import RootUnavailableError, TamperedError
from vault.evidence.certificate import Certificate, Record, Status, Why
from vault.evidence.entries import struck
from vault.evidence.tree import Tail
from vault.keys.home import require_home
from vault.keys.swap import Swapper
from vault.roots import Erased, Noted
from vault.storage import erasures, keyring, sweeping, transcripts
from vault.storage.schema import chapters, epochs, sessions, users
from vault.storage.stores import Stores

_FENCED = {  # the tables in which an erasure closes the fence
    Why.FORGET_USER: (users,),
    Why.FORGET_SESSION: (sessions,),
    Why.DELETE: (sessions,),
    Why.PURGE: (epochs, chapters),
}
Target = tuple[Sequence[bytes], bytes]  # the nodes that go, and the slot that stays blocked
Names = Sequence[str]
Counted = Mapping[bytes, tuple[int, int]]  # of each intent, the sessions and messages that go
_NOBODY: Mapping[bytes, Names] = {}
_ASKED = {Why.FORGET_USER, Why.FORGET_SESSION}  # what a request may wait for


def _count(connection: Connection, nodes: Sequence[bytes]) -> tuple[int, int]:
    below = sweeping.sessions_below(connection, nodes)
    return len(below), sweeping.count_messages(connection, below) if below else 0


class Eraser:
    """Carries erasures out, and takes up those that a crash left behind."""

    def __init__(self, stores: Stores, swapper: Swapper) -> None:
        self._stores = stores
        self._swapper = swapper
        self._records = swapper.records
        self._holds = swapper.holds
        self._log = swapper.log
        self._begun: dict[bytes, tuple[erasures.IntentRow, int]] = {}

    def count(self, nodes: Sequence[bytes]) -> tuple[int, int]:
        """Count the sessions and messages that an erasure would take."""
        return self._stores.transcripts.read(lambda connection: _count(connection, nodes))

    def begin(  # noqa: PLR0913 (what is recorded)
        self,
        why: Why,
        nodes: Sequence[bytes],
        where: bytes,
        *,
        reason: str,
        actor: str,
        now: bool,
    ) -> bytes:
        """Record an erasure; from here on it happens, whatever crashes. Give the intent's id."""
        return self.begin_many(why, [(nodes, where)], reason=reason, actor=actor, now=now)[0]

    def begin_many(  # noqa: PLR0913 (what is recorded)
        self,
        why: Why,
        targets: Sequence[Target],
        *,
        reason: str,
        actor: str,
        now: bool,
        asked: Mapping[bytes, Certificate] | None = None,
        names: Mapping[bytes, Names] = _NOBODY,
    ) -> list[bytes]:
        """Record many erasures in one transaction, and in the log; give their intents' ids.

        Raise HeldError where a hold forbids one: nothing is recorded then. `asked` are the certificates of
        requests that waited, by the node that goes; they are looked up where somebody asked to forget.
        `names` are, by slot, the ids that evidence must not repeat where somebody gives them as a reason.
        """
        counts = self._stores.transcripts.read(lambda c: [_count(c, nodes) for nodes, _ in targets])

        def add(connection: Connection) -> tuple[list[erasures.IntentRow], int]:
            # A copy refuses before it has changed anything; by the lock a hold comes before this, or after.
            facts, state = keyring.lock_meta(connection), self._stores.root.load()
            require_home(self._stores, connection, facts, state)
            self._stores.root.require_mirrors()
            waiting = self._holds.unsettled(connection, state)
            known = asked
            if known is None:
                known = self._holds.asked(waiting) if why in _ASKED else {}
            rows = [
                self.record(
                    why,
                    (nodes, where),
                    count,
                    reason=reason,
                    actor=actor,
                    now=now,
                    asked=known.get(nodes[0]),
                    names=names.get(where, ()),
                )
                for (nodes, where), count in zip(targets, counts, strict=True)
            ]
            self._write(connection, why, rows, waiting)
            return rows, erasures.swept_through(connection)

        with suppress(IntegrityError):
            rows, through = self._stores.keyring.write(add)
            self._begun |= {row.id: (row, through) for row in rows}
            return [row.id for row in rows]
        if len(targets) > 1:  # one of them is recorded already: find out which
            return [
                one
                for target in targets
                for one in self.begin_many(
                    why, [target], reason=reason, actor=actor, now=now, asked=asked, names=names
                )
            ]
        return [self._begun_elsewhere(targets[0])]

    def _write(
        self, connection: Connection, why: Why, rows: Sequence[erasures.IntentRow], waiting: Sequence[Noted]
    ) -> None:
        """Write intents, unless a hold forbids one; no act is without its intent in the log (P6)."""
        nodes = {node for row in rows for node in row.nodes}
        slots = {row.slot for row in rows}
        self._holds.refuse_held(connection, why, nodes, slots, self._stores.clock(), waiting)
        for row in rows:
            self._records.add(connection, row)
        self._log.add(connection, [self._log.erasure(Record.decode(row.record).certificate) for row in rows])

    def _begun_elsewhere(self, target: Target) -> bytes:
        """Give the intent of another process that was asked for the same."""
        nodes, _ = target
        first = self._stores.keyring.read(lambda connection: self._records.of(connection, nodes[0]))
        if first is None:
            raise TamperedError("an erasure is recorded without its intent")
        return first.id

    def record(  # noqa: PLR0913 (what is recorded)
        self,
        why: Why,
        target: Target,
        count: tuple[int, int],
        *,
        reason: str,
        actor: str,
        now: bool,
        asked: Certificate | None = None,
        names: Names = (),
    ) -> erasures.IntentRow:
        """Make the record of an erasure that is about to begin."""
        nodes, where = target
        certificate = asked or self.requested(why, reason=reason, actor=actor, names=names)
        counted = replace(certificate, sessions=count[0], messages=count[1])
        intent = bytes.fromhex(certificate.id)
        record = Record(certificate=counted, now=now)
        taken = tuple(sorted(nodes))
        return erasures.IntentRow(intent, why, erasures.Phase.BEGUN, None, where, record.encode(), taken)

    def requested(self, why: Why, *, reason: str, actor: str, names: Names = ()) -> Certificate:
        """Make the certificate of an erasure that is only asked for yet."""
        pseudonym = secrets.token_hex(8)
        return Certificate(
            id=random_id().hex(),
            vault=self._stores.vault.hex(),
            kind=why,
            pseudonym=pseudonym,
            status=Status.REQUESTED,
            sessions=0,
            messages=0,
            reason=struck(reason, names, pseudonym),
            actor=struck(actor, names, pseudonym),
            requested_at=to_datetime(self._stores.clock()),
        )

    def purge(self, choose: Callable[[Connection], erasures.IntentRow | None]) -> Certificate | None:
        """Erase keys that are chosen under the swap lock, when nobody can place a hold any more (P5).

        What hangs from them is emptied and closed already, so that nothing has to be fenced before.
        """
        intent = self._swapper.cut_chosen(choose)
        return None if intent is None else self.carry_out([intent])[0]

    def carry_out(self, intents: Sequence[bytes], *, now: bool = False) -> list[Certificate]:
        """Take erasures from wherever they stand to their end."""
        now = now or self._stores.horizon == 0
        # What the transcripts are told, and that they were told it, is done again where it is lost with the
        # power: the intent is durable. Unless it is final.
        targets, counted = self._close_fence(intents, lazily=not now)
        self._swapper.cut(intents, counted=counted)
        if now:  # the keys go before the rows, which may take long
            self._swapper.destroy_due(cut_short=True)
        self._sweep(targets, lazily=not now)

        def look(connection: Connection) -> tuple[list[Certificate], Tail | None]:
            rows = self._records.find(connection, intents)
            told = [Record.decode(rows[intent].record).certificate for intent in intents]
            return told, self._log.recent(connection, told)

        told, tail = self._swapper.settle(intents, look, now=now)
        return (tail and self._log.certify_recent(tail, told)) or self._stores.keyring.snapshot(
            lambda connection: self._log.certify(connection, told)
        )

    def _close_fence(self, intents: Sequence[bytes], *, lazily: bool = False) -> tuple[list[bytes], Counted]:
        """Mark what goes: from here every process refuses, and what is there is counted.

        Note on the way what is swept long ago.
        """

        def look(connection: Connection) -> tuple[list[erasures.IntentRow], int]:
            rows = self._records.find(connection, intents).values()
            return list(rows), erasures.swept_through(connection)

        begun = [self._begun.pop(intent, None) for intent in intents]
        if begun and all(begun):  # by this process, a moment ago
            rows = [one[0] for one in begun if one]
            through = min(one[1] for one in begun if one)
        else:
            rows, through = self._stores.keyring.read(look)

        def close(connection: Connection) -> Counted:
            for kind in sorted({row.kind for row in rows}):
                nodes = [node for row in rows if row.kind == kind for node in row.nodes]
                sweeping.close_fence(connection, nodes, _FENCED[Why(kind)])
            transcripts.raise_mark(connection, through)
            return {row.id: _count(connection, row.nodes) for row in rows if row.kind != Why.PURGE}

        counted = self._stores.transcripts.write(close, lazily=lazily)
        return [node for row in rows for node in row.nodes], counted

    def repeat(self, journal: Sequence[Erased]) -> None:
        """Erase once more, in a keyring that was restored, what its root's journal remembers."""
        intents = [erased.intent for erased in journal]
        self._close_fence(intents)
        self._swapper.cut(intents, repeated=journal)

    def take_up(self) -> None:
        """Complete what was begun and not ended, and destroy what is due."""
        self.complete()
        self._swapper.destroy_due()

    def complete(self) -> list[Certificate]:
        """Complete what was begun and not ended."""
        unfinished = self._unfinished()
        hasty = [row.id for row in unfinished if Record.decode(row.record).now]
        patient = [row.id for row in unfinished if row.id not in hasty]
        done = self.carry_out(hasty, now=True) if hasty else []
        return [*done, *(self.carry_out(patient) if patient else [])]

    def take_up_as_far_as_can_be(self) -> RootUnavailableError | None:
        """Do the same at an opening; give what an erasure waits for where the root can't be changed now.

        Any one mirror of the root opens a vault, though nothing is erased before all can be written: who
        lives is read, and who goes is refused by the fence (P7).
        """
        try:
            self.complete()
        except RootUnavailableError as error:
            self._close_fence([row.id for row in self._unfinished()])
            return error
        with suppress(RootUnavailableError):  # what is merely due waits: doctor and the daemon tell of it
            self._swapper.destroy_due()
        return None

    def _unfinished(self) -> list[erasures.IntentRow]:
        return self._stores.keyring.read(
            lambda connection: self._records.before(connection, erasures.Phase.SWEPT)
        )

    def sweep_after(self, ordinal: int) -> None:
        """Delete again what was erased after some swap: the transcripts are an older copy."""
        rows = self._stores.keyring.read(lambda connection: self._records.after(connection, ordinal))
        targets = [node for row in rows for node in row.nodes]
        self._stores.transcripts.write(lambda connection: sweeping.close_fence(connection, targets))
        self._sweep(targets)
        self._raise_mark()

    def _sweep(self, nodes: Sequence[bytes], *, lazily: bool = False) -> None:
        def finish(connection: Connection) -> list[int]:
            """Delete the users once they are empty; until then give what is left of them."""
            left = sweeping.sessions_below(connection, nodes)
            if not left:
                sweeping.delete_users(connection, nodes)
            return left

        while True:
            with suppress(IntegrityError):  # a session that somebody was just making; its keys are refused
                left = self._stores.transcripts.write(finish, lazily=lazily)
                if not left:
                    return
                for session in left:
                    self._sweep_session(session, lazily=lazily)

    def _sweep_session(self, session: int, *, lazily: bool) -> None:
        store = self._stores.transcripts
        while True:
            while store.write(lambda connection: sweeping.delete_batch(connection, session), lazily=lazily):
                pass
            try:
                store.write(lambda connection: sweeping.delete_session(connection, session), lazily=lazily)
            except IntegrityError:
                continue  # a row of a writer that was faster than the fence; nothing opens it
            return

    def _raise_mark(self) -> None:
        through = self._stores.keyring.read(erasures.swept_through)
        self._stores.transcripts.write(lambda connection: transcripts.raise_mark(connection, through))
