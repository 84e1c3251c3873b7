"""The parts of a vault, put together. Both faces, `Vault` and `AsyncVault`, are thin shells around this."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vault.chat.entries import Parcel
from vault.chat.hiding import Hider
from vault.chat.inserting import OutgrownError
from vault.chat.naming import Namer
from vault.chat.pointers import Name, Pointers
from vault.chat.reading import Reader
from vault.chat.record_hiding import RecordHider
from vault.chat.records import (
    Basis,
    Batch,
    Drop,
    Put,
    RecordReader,
    Records,
    check_names,
)
from vault.chat.removing import Remover
from vault.chat.revealing import Revealer
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.chat.wrapping import Wrapped
from vault.chat.writing import Writer, stored
from vault.config import (
    policy_files,
    read_settings,
)
from vault.crypto.envelope import derive
from vault.erasure import Eraser
from vault.errors import RevisionError, StoreUnavailableError, TamperedError, UsageError, WaitingWarning
from vault.evidence.certificate import Certificate
from vault.evidence.entries import Kind as Event
from vault.evidence.entries import struck
from vault.holding import Holding
from vault.keys.home import adopt
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper
from vault.listing import Lister
from vault.logs import Auditor
from vault.messages import (
    Message,
    Messages,
    check_id,
    check_ids,
    check_words,
)
from vault.opening import Opening, PolicyPaths, make_ready, open_stores
from vault.packing import Packing
from vault.placing import Placing, choose_redactor, load_classes
from vault.queue import Queue
from vault.redaction import check_redactor, examine
from vault.redaction.engine import Engine
from vault.redaction.memory import Memory
from vault.redaction.stream import Stream
from vault.redaction.streaming import numbered
from vault.requests import Requests
from vault.saying import Unsaid, check_purpose
from vault.status import KeysStatus, read_status
from vault.storage import transcripts as sql
from vault.storage.runtime import Runtime

if TYPE_CHECKING:
    from vault.retention.explaining import Explained
    from vault.retention.flooring import Floors
    from vault.retention.policy import Policies
    from vault.retention.run import Runs

_RACES = 200


class Core:
    """One opened vault. Safe to use from many threads, or from many tasks of one loop."""

    def __init__(self, given: Opening, runtime: Runtime, *, is_async: bool) -> None:
        if not isinstance(given.redactor, Unsaid):
            check_redactor(given.redactor)
        given.make_place()
        self._given = given
        self.settings = read_settings(given.where, given.explicit)
        self.classes = load_classes(self.settings.policies)
        self.redactor, self._unheard = choose_redactor(given.redactor, self.settings, self.classes)
        self.stores = open_stores(self.settings, given.clock, runtime, is_async=is_async, create=given.create)
        self.keyring = Keyring(self.stores)
        self.swapper = Swapper(self.stores, self.keyring)
        self.eraser = Eraser(self.stores, self.swapper)
        self.sessions = Sessions(self.stores, self.keyring, self.eraser)
        self.reader = Reader(self.stores, self.sessions)
        self.placing = Placing(self.classes, self.reader)
        self.pointers = Pointers(self.stores, self.keyring)
        self.records = RecordReader(self.stores, self.sessions, self.reader)
        self.record_hider = RecordHider(self.stores, self.keyring, self.sessions)
        self.packing = Packing(self.placing, self.record_hider, self.stores.limit)
        self.writer = Writer(self.stores, self.sessions)
        self.remover = Remover(self.stores, self.keyring, self.sessions, self.reader)
        self.revealer = Revealer(self.stores, self.sessions, self.reader)
        self.wrapped = Wrapped(self.stores, self.keyring, self.sessions, self.reader, self.remover)
        self.lister = Lister(self.stores, self.keyring)
        namer = Namer(self.stores, self.keyring)
        self.hider = Hider(
            self.stores,
            self.keyring,
            self.eraser,
            self.sessions,
            self.reader,
            self.remover,
            self.revealer,
            namer,
            self.record_hider.remove,
        )
        self.holding = Holding(self.stores, self.keyring, self.eraser, self.sessions, namer)
        self.queue = Queue(self.stores, self.keyring, self.eraser, self.hider, namer, self.floors)
        self.requests = Requests(
            self.stores, self.keyring, self.eraser, self.sessions, self.hider, self.queue, self.lister
        )
        self.auditor = Auditor(self.stores, self.keyring)
        with ExitStack() as undone:
            undone.callback(self.stores.close)
            self.waits = make_ready(self.stores, self.keyring, self.eraser)
            if self.waits is not None:
                warnings.warn(f"an erasure waits: {self.waits}", WaitingWarning, stacklevel=3)
            undone.pop_all()

    def extend(  # noqa: PLR0913, PLR0917 (what is written, and where)
        self,
        user_id: str,
        session_id: str,
        namespace: str,
        given: Sequence[Message],
        key: str | None = None,
        shown: Mapping[tuple[str, str], int] | None = None,
    ) -> list[Message]:
        """Redact, encode, seal and add messages, all or none; give them as they were stored.

        What a stream has `shown` keeps its numbers.
        """
        if key is not None:
            check_id(key, "idempotency key")
        if not given:
            return []
        seqs, stored = self._write(user_id, session_id, namespace, Batch(given, key=key, shown=shown or {}))
        if key is None:
            return stored
        first = self.reader.first_said(user_id, session_id, seqs, key)
        return [first.get(seq, message) for seq, message in zip(seqs, stored, strict=True)]

    def announce(
        self, user_id: str, session_id: str, namespace: str, given: Sequence[Message]
    ) -> list[Parcel]:
        """Redact messages and seal them for a memory outside; from here their rows say that they come."""
        if not given:
            return []
        batch = Batch(given, outside=self.wrapped.known(user_id, session_id))
        self._write(user_id, session_id, namespace, batch)
        return batch.parcels

    def keep(  # noqa: PLR0913, PLR0917 (what is to be written, and where)
        self,
        user_id: str,
        session_id: str,
        namespace: str,
        puts: Sequence[Put],
        drops: Sequence[Drop] = (),
        given: Sequence[Message] = (),
        found_by: Sequence[Name] = (),
        copied_from: str | None = None,
        basis: Basis | None = None,
    ) -> list[int]:
        """Redact, seal and write records, delete others, add messages: all in one transaction, or nothing.

        Where a put names a revision, the revisions that all of them have afterwards come back. `found_by` are
        names, each with its kind, that lead to the session without its user: see `Pointers`. The numbers of
        placeholders in the session `copied_from` are not given again. RevisionError where a `basis` changed.
        """
        check_names([*puts, *drops])
        batch = Batch(given, puts, drops, self.pointers.places(found_by), basis or Basis())
        source = None if copied_from is None else self.sessions.find(user_id, copied_from)
        if source is not None:
            batch.reserved.update(Memory(bytes(32), source.profile.placeholders).counts)
        is_bare = not puts and not given  # no session is made for nothing
        if is_bare and (self.sessions.find(user_id, session_id) is None or not drops):
            if any(one.revision for one in drops):
                raise RevisionError("a record was removed since it was read", hint="read it again")
            return []
        self._write(user_id, session_id, namespace, batch)
        return batch.revisions

    def _write(
        self, user_id: str, session_id: str, namespace: str, batch: Batch
    ) -> tuple[list[int], list[Message]]:
        """Find what is to be redacted, number the placeholders, seal and write: in one transaction.

        Again where another writer numbered at the same time.
        """
        if self._unheard is not None:
            raise self._unheard
        known = self.sessions.find(user_id, session_id)
        where = known.profile.namespace if known else namespace
        batch.basis.check_session(known.node if known else b"")
        if self.redactor is None:
            examined = examine(None, batch.said, where)
        else:
            examined = self.stores.runtime.compute(lambda: examine(self.redactor, batch.said, where))
        now = self.stores.clock()
        if known is None:  # what can't be stored is refused before a session is made for it
            self.packing.of_batch(examined.finish(Memory(bytes(32), {})), batch, where, now)
        for _ in range(_RACES):
            session = self.sessions.find_or_make(user_id, session_id, namespace)
            rev, profile = session.ledger
            memory = Memory(derive(session.key, b"placeholders"), profile.placeholders)
            for entity, number in batch.reserved.items():
                memory.reserve(entity, number)
            memory.take(batch.shown)
            redacted = examined.finish(memory)
            entries, beside = self.packing.of_batch(redacted, batch, profile.namespace, now, session)
            places = [place for entry in entries for place in entry.places] + beside.places
            if self.sessions.ready(user_id, session_id, namespace, places) is not session:
                continue  # it was opened anew meanwhile: its numbers may be others
            grown = (rev, replace(profile, placeholders=memory.known)) if memory.has_grown else None
            try:
                seqs = self.writer.add(session, entries, batch.key, grown, beside)
            except OutgrownError:
                self.sessions.drop(session)
                continue
            batch.revisions[:] = beside.revisions
            batch.parcels[:] = [entry.outside for entry in entries if entry.outside is not None]
            return seqs, [
                stored(one.message, entry, seq)
                for one, entry, seq in zip(redacted, entries, seqs, strict=False)
            ]
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def messages(  # noqa: PLR0913 (which, and how)
        self,
        user_id: str,
        session_id: str,
        *,
        last: int | None = None,
        before: int | None = None,
        reveal: bool = False,
        include_hidden: bool = False,
        purpose: str = "",
        actor: str = "",
    ) -> Messages:
        """Give messages in order: as they were stored or, for a purpose, as they were said, or all."""
        if include_hidden and (last is not None or before is not None):
            raise UsageError(
                "what is hidden is given with everything else: a seq is there more than once",
                hint="leave last= and before= away",
            )
        if reveal or include_hidden:
            self._log_reveal(user_id, session_id, purpose, actor, closed=include_hidden)
        try:
            if include_hidden:
                return self.hider.messages(user_id, session_id, reveal=reveal)
            read = self.revealer.messages if reveal else self.reader.messages
            return read(user_id, session_id, last=last, before=before)
        except TamperedError as error:
            self.keyring.log.failed_integrity(error)
            raise

    def page(
        self, user_id: str, session_id: str, start: int, *, most: int, reveal: bool
    ) -> tuple[Messages, int | None]:
        """Give the messages from a seq on, not too many for memory, and where to go on."""
        reader = self.revealer if reveal else self.reader
        return reader.page(user_id, session_id, start, most=most)

    def hidden_records(
        self, user_id: str, session_id: str, collection: str, purpose: str, actor: str
    ) -> Records:
        """Give records that the app has deleted and a hold keeps, for a purpose."""
        self._log_reveal(user_id, session_id, purpose, actor, closed=True)
        return self.record_hider.hidden(self.hider, user_id, session_id, collection)

    def restore_text(self, user_id: str, session_id: str, text: str, purpose: str, actor: str) -> str:
        """Put originals back into a text, for the person who may see them."""
        self._log_reveal(user_id, session_id, purpose, actor)
        return self.revealer.restore(user_id, session_id, text)

    def _log_reveal(
        self, user_id: str, session_id: str, purpose: str, actor: str, *, closed: bool = False
    ) -> None:
        """Nothing is revealed before the log says to whom and what for (P6)."""
        check_purpose(purpose)
        check_words(actor, "actor")
        if closed:
            session = next(iter(self.hider.sessions(user_id, session_id)), None)
        else:
            self.sessions.distrust(user_id, session_id)  # another process may have ended it
            session = self.sessions.find(user_id, session_id)
        if session is None:
            return  # there is nothing to reveal
        subject, names = session.user.pseudonym, (user_id, session_id)
        self.keyring.log.note(
            Event.REVEAL,
            subject=subject,
            actor=struck(actor, names, subject),
            reason=struck(purpose, names, subject),
        )

    def stream(self, user_id: str, session_id: str, namespace: str) -> Stream:
        """Give what makes tokens safe as they come, with the numbers that the session knows."""
        engine = self.engine
        session = self.sessions.find(user_id, session_id)
        known = session.profile if session else None
        key = derive(session.key, b"placeholders") if session else secrets.token_bytes(32)
        memory = Memory(key, known.placeholders if known else {})
        return numbered(engine, memory, engine.settings.at(known.namespace if known else namespace))

    def count_messages(self) -> int:
        """Count all messages there are."""
        return dict(self.stores.transcripts.read(lambda c: list(sql.count_all(c))))["messages"]

    @property
    def engine(self) -> Engine:
        """The engine that redacts, where it is the one that ships."""
        if not isinstance(self.redactor, Engine):
            raise UsageError(
                "this vault was opened with a redactor of its own, or none",
                hint="leave redactor= away, or pass a vault.redaction.engine.Engine",
            )
        return self.redactor

    def status(self) -> KeysStatus:
        """Say how the root and the keyring stand."""
        return read_status(self.stores)

    def destroy_due(self, *, now: bool, actor: str) -> list[Certificate]:
        """Destroy what is due; give the certificates that became final by it."""
        check_words(actor, "actor")
        done = self.eraser.complete()  # what could not be at the opening, or was broken off since
        final = [one for one in done if one.final_at is not None]
        final += self.swapper.destroy_due(cut_short=now, actor=actor)
        return self.stores.keyring.snapshot(lambda connection: self.keyring.log.certify(connection, final))

    def rotate(self, *, now: bool, actor: str, reason: str) -> list[Certificate]:
        """Change the root; give the certificates that became final where the old ones went at once."""
        words = {"actor": check_words(actor, "actor"), "reason": check_words(reason, "reason")}
        self.swapper.rotate(now=now, **words)
        return self.destroy_due(now=now, actor=actor)

    def adopt(self, actor: str) -> None:
        """Take over the root, and repeat first what this keyring has missed."""
        self.stores.root.require_mirrors()
        self.keyring.log.note(Event.ADOPT, actor=check_words(actor, "actor"))
        adopt(self.stores)
        self.waits = make_ready(self.stores, self.keyring, self.eraser)

    def chapter_of(self, session: Session, role: str, at: int) -> bytes:
        """Give the node of the chapter in which a record of that role is sealed now: what dies with it."""
        namespace = session.profile.namespace
        spot = self.placing.spot(session, namespace, [at], at)
        place, _ = self.placing.places(Message(role, None), at, spot, refuses=False)
        ready = self.sessions.ready(session.user_id, session.session_id, namespace, [place])
        return ready.by_place[place].place

    def was_purged(self, node: bytes) -> bool:
        """Say whether a chapter's key was erased: what is missing from it is not stolen (P2)."""
        return self.stores.keyring.read(lambda c: self.keyring.records.of(c, node)) is not None

    # -- retention --------------------------------------------------------------------------------------

    @property
    def policies(self) -> Policies | None:
        """Give the policies in force."""
        return None if self.classes is None else self.classes.policies

    def reload_policies(self) -> Policies | None:
        """Read the policies again; where they can't be read, those of before stay in force."""
        settings = read_settings(self._given.where, self._given.explicit)
        classes = load_classes(settings.policies)
        self.redactor, self._unheard = choose_redactor(self._given.redactor, settings, classes)
        self.classes, self.placing = classes, Placing(classes, self.reader)
        self.packing = Packing(self.placing, self.record_hider, self.stores.limit)
        return self.policies

    def runs(self, policies: PolicyPaths | None = None) -> Runs:
        """Give what runs the policies: those of the vault, or others in their place."""
        classes = self.classes if policies is None else load_classes(policy_files(policies))
        if classes is None:
            raise UsageError(
                "this vault has no retention policies, so all is kept",
                hint='policies = "policies" in vault.toml, or policies=; policies/default.yaml is a start',
            )
        from vault.retention.run import Runs  # noqa: PLC0415 (only where there are policies)

        return Runs(self.stores, self.keyring, self.eraser, self.sessions, classes, self.keyring.holds)

    def floors(self) -> Floors | None:
        """Give what says which floors keep something; None where there are no policies."""
        if self.classes is None:
            return None
        from vault.retention.flooring import Floors  # noqa: PLC0415 (only where there are policies)

        return Floors(self.stores, self.keyring, self.sessions, self.classes)

    def explain(self, user_id: str, session_id: str) -> list[Explained]:
        """Say of a session's messages which rules decide about them."""
        check_ids(user_id, session_id)
        return self.runs().explain(user_id, session_id)

    def is_past(
        self,
        message: Message,
        namespace: str,
        *,
        session_start: int | None = None,
        last_activity: int | None = None,
    ) -> bool:
        """Say whether a message is past its date: who imports leaves it out and reports it.

        The times, in microseconds, are those of the whole session that it comes from.
        """
        now = self.stores.clock()
        return self.placing.is_past(message, namespace, now, session_start, last_activity)
