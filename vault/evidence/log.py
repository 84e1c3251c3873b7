"""The log: what was done to keys and originals, append-only, and provable to a stranger (P6).

What changes the keyring is logged in the transaction that changes it; anything else has an intent before it
and a completion after it. One row, the head, is locked by whoever adds: two processes never fork the log. The
head stands under a seal of the service key, so whoever may only write to the keyring can't add, change or
reorder; what they cut off at the end, a checkpoint outside the vault shows.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from vault.clock import Clock, to_datetime
from vault.crypto.envelope import ID_BYTES, bind, derive, random_id
from vault.errors import TamperedError, VaultError
from vault.evidence.acts import Acts
from vault.evidence.certificate import Certificate, Proof, entry_of, sealed_text
from vault.evidence.entries import FORMAT, Act, Draft, Entry, Step, facts_of
from vault.evidence.entries import Kind as Event
from vault.evidence.merkle import HASH_BYTES, Frontier, leaf_hash
from vault.evidence.notes import Checkpoint, Signer, Verifier, encode64
from vault.evidence.tree import STRIDE, TILE, Tail, Tree
from vault.forks import cached
from vault.storage import log as sql
from vault.storage.engine import Store

_REMEMBERED = TILE  # acts, and entries that are read instead of what the tree reads
MANIFEST = b"transcript-vault manifest 1\n"  # begins what is signed: it is no certificate, nor a note


class Log:
    """Adds entries, and proves them. `service` gives the key from which the log's own keys are derived."""

    def __init__(self, store: Store, vault: bytes, service: Callable[[], bytes], clock: Clock) -> None:
        self._store = store
        self._service = service
        self._clock = clock
        self.origin = f"transcript-vault/{vault.hex()}"
        self._vault = vault
        self._told: set[str] = set()
        self.acts = Acts(store, clock)
        self._before: dict[bytes, Frontier] = {}

    @cached
    def _key(self) -> bytes:
        return derive(self._service(), b"log")

    @cached
    def _signer(self) -> Signer:
        return Signer(self.origin, derive(self._service(), b"signing"))

    @property
    def public_key(self) -> Verifier:
        """The key with which a stranger checks certificates and checkpoints."""
        return self._signer.verifier

    # -- adding -----------------------------------------------------------------------------------------

    def draft(  # noqa: PLR0913 (what an entry says)
        self,
        kind: str,
        *,
        act: bytes | None = None,
        step: Step = Step.COMPLETED,
        subject: str = "",
        actor: str = "",
        reason: str = "",
        **facts: object,
    ) -> Draft:
        """Write an entry for `add`. `subject` is a pseudonym, never an id."""
        return self._draft(Act(act or random_id(), kind, subject, actor), step, reason, facts)

    def _draft(self, act: Act, step: Step, reason: str, facts: Mapping[str, object]) -> Draft:
        entry = Entry(
            format=FORMAT,
            act=act.id.hex(),
            at=to_datetime(self._clock()),
            kind=act.kind,
            step=step,
            subject=act.subject,
            actor=act.actor,
            reason=reason,
            facts=facts_of(facts),
        )
        return Draft(act.id, entry.encode())

    def erasure(self, certificate: Certificate) -> Draft:
        """Write the entry that says how far an erasure has come."""
        entry = entry_of(certificate, to_datetime(self._clock()))
        return Draft(bytes.fromhex(certificate.id), entry.encode())

    def add(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        """Add entries in the transaction of what they tell. Last in it: from here on others wait."""
        if not drafts:
            return
        head = self.head(connection, lock=True)
        self._remember(head, drafts)
        grown, complete = head.grow([leaf_hash(draft.text.encode()) for draft in drafts])
        rows = [sql.EntryRow(head.size + at, draft.act, draft.text) for at, draft in enumerate(drafts)]
        nodes = [(one.level, one.place, one.hash) for one in complete if one.level % STRIDE == 0]
        sql.append(connection, rows, nodes, self._head_row(grown))

    def _remember(self, head: Frontier, drafts: Sequence[Draft]) -> None:
        """Keep in mind what the log was before these acts: `recent` reads from there."""
        for draft in drafts:
            self._before.pop(draft.act, None)
            self._before[draft.act] = head
        if len(self._before) > 2 * _REMEMBERED:
            for act in list(self._before)[:-_REMEMBERED]:
                self._before.pop(act, None)

    def note(
        self, kind: str, *, subject: str = "", actor: str = "", reason: str = "", **facts: object
    ) -> None:
        """Add what needs no completion, in a transaction of its own; then do it."""
        act = Act(random_id(), kind, subject, actor)
        self._write(self._draft(act, Step.COMPLETED, reason, facts))

    def intent(
        self, kind: str, *, subject: str = "", actor: str = "", reason: str = "", **facts: object
    ) -> Act:
        """Add what is about to be done; give what `completed` takes once it is."""
        act = Act(random_id(), kind, subject, actor)
        draft = self._draft(act, Step.INTENT, reason, facts)
        self._store.write(lambda connection: self.begin_act(connection, [draft], act.id))
        return act

    def begin_act(self, connection: Connection, drafts: Sequence[Draft], act: bytes) -> None:
        """Add the intent of an act; whoever completes it gives its lease back: `acts.end`."""
        self.acts.begin(connection, act)
        self.add(connection, drafts)

    def completed(self, act: Act, **facts: object) -> None:
        """Add that an act whose intent stands in the log was done, or how it ended."""
        draft = self.completion(act, **facts)

        def work(connection: Connection) -> None:
            self.acts.end(connection, act.id)
            self.add(connection, [draft])

        self.acts.leave(act.id)  # where this can't be written, whoever comes later completes it
        self._store.write(work)

    def end_silent(self, connection: Connection) -> list[Act]:
        """Complete the acts that a crash ended; one that is alive after all adds its own end later."""
        left = self.acts.take_over(connection)
        self.add(connection, [self.completion(act, ended="interrupted") for act in left])
        return left

    @contextmanager
    def telling(
        self, kind: str, *, subject: str = "", actor: str = "", reason: str = "", **facts: object
    ) -> Iterator[dict[str, object]]:
        """Add what is about to be done, and how it ended, with what the caller puts into the dict."""
        act = self.intent(kind, subject=subject, actor=actor, reason=reason, **facts)
        told: dict[str, object] = {}
        ended = "interrupted"
        try:
            yield told
            ended = "done"
        finally:
            self.completed(act, ended=ended, **told)

    def completion(self, act: Act, **facts: object) -> Draft:
        """Write the completion of an act for `add`."""
        return self._draft(act, Step.COMPLETED, "", facts)

    def sign(self, manifest: bytes) -> str:
        """Sign a manifest, so that a third party can check it with the public key."""
        return encode64(self._signer.signature(MANIFEST + manifest))

    def failed_integrity(self, error: TamperedError) -> None:
        """Add what was found to be not what was written, once in a process for each kind of finding.

        Whoever was told of it is told all the same where the log can't be written either.
        """
        found = str(error)
        if found in self._told:
            return
        self._told.add(found)
        try:
            self.note(Event.INTEGRITY, found=found)
        except VaultError as other:
            error.add_note(f"the log could not be told of it: {type(other).__name__}")

    def _write(self, draft: Draft) -> None:
        self._store.write(lambda connection: self.add(connection, [draft]))

    def begin(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        """Begin the log of a new vault, with its first entries."""
        sql.begin_head(connection, self._head_row(Frontier()))
        self.add(connection, drafts)

    # -- the head ---------------------------------------------------------------------------------------

    def head(self, connection: Connection, *, lock: bool = False) -> Frontier:
        """Give the tree as far as it has come; raise TamperedError where the head was not written here."""
        row = sql.read_head(connection, lock=lock)
        hashes = [row.frontier[at : at + HASH_BYTES] for at in range(0, len(row.frontier), HASH_BYTES)]
        found = Frontier(row.size, tuple(hashes))
        if not found.is_whole or not hmac.compare_digest(row.seal, self._seal(found)):
            raise TamperedError("the head of the log was edited")
        return found

    def last_at(self, connection: Connection) -> datetime | None:
        """Give when the last entry was written; None of an empty log."""
        last = self.head(connection).size - 1
        rows = sql.entries_between(connection, last, last)
        return Entry.decode(rows[-1].entry).at if rows else None

    def _head_row(self, head: Frontier) -> sql.HeadRow:
        return sql.HeadRow(head.size, b"".join(head.hashes), self._seal(head))

    def _seal(self, head: Frontier) -> bytes:
        said = bind(self._vault, head.size.to_bytes(8, "big"), *head.hashes)
        return hmac.digest(self._key, said, "sha256")[:ID_BYTES]

    # -- proving ----------------------------------------------------------------------------------------

    def checkpoint(self, size: int, root: bytes) -> str:
        """Sign what the log is at a size."""
        return self._signer.sign(str(Checkpoint(self.origin, size, root)))

    def tree(self, connection: Connection) -> Tree:
        """Give what reads roots and proofs, in a transaction that sees one state."""
        return Tree(connection, self.head(connection))

    def certify(self, connection: Connection, certificates: Sequence[Certificate]) -> list[Certificate]:
        """Give certificates with the proofs of their entries, and signed.

        Each is proven in the log as it was when its entry was the last: read again, it is the same.
        """
        if not certificates:
            return []
        acts = {one.id: bytes.fromhex(one.id) for one in certificates}
        tree = Tree(connection, self.head(connection))
        entries: dict[bytes, list[sql.EntryRow]] = {}
        for row in sql.entries_of(connection, set(acts.values())):
            entries.setdefault(row.act, []).append(row)
        found = [self._certified(tree, one, entries.get(acts[one.id], ())) for one in certificates]
        if not all(found):
            raise TamperedError("the log has lost what it said of an erasure")
        return [one for one in found if one]

    def recent(self, connection: Connection, certificates: Sequence[Certificate]) -> Tail | None:
        """Read what came since this process added the entries of some certificates, a moment ago.

        They can be proven from it, up to the sealed head; None where it was not this process, or long ago.
        """
        before = [self._before.get(bytes.fromhex(one.id)) for one in certificates]
        known = min((one for one in before if one), key=lambda one: one.size, default=None)
        if known is None or None in before:
            return None
        head = self.head(connection)
        if not 0 < head.size - known.size <= _REMEMBERED:
            return None
        tail = Tail(known, sql.entries_between(connection, known.size, head.size - 1))
        return tail if tail.head == head else None  # else it was of a transaction that came to nothing

    def certify_recent(self, tail: Tail, certificates: Sequence[Certificate]) -> list[Certificate] | None:
        """As `certify`, from what `recent` has read; None where that does not hold all entries."""
        found = [
            self._certified(tail, one, tail.entries.get(bytes.fromhex(one.id), ())) for one in certificates
        ]
        return [one for one in found if one] if all(found) else None

    def _certified(
        self, tree: Tree | Tail, certificate: Certificate, entries: Iterable[sql.EntryRow]
    ) -> Certificate | None:
        for row in entries:
            entry = Entry.read(row.entry)
            expected = entry_of(certificate, entry.at)
            if expected.step is entry.step and expected.encode() == row.entry:
                hashes, root = tree.newest(row.id)
                proof = Proof(
                    index=row.id,
                    entry=row.entry,
                    hashes=[encode64(one) for one in hashes],
                    checkpoint=self.checkpoint(row.id + 1, root),
                )
                proven = certificate.with_proof(proof, str(self.public_key))
                return proven.signed(encode64(self._signer.signature(sealed_text(proven))))
        return None
