"""Messages whose content lies in a memory outside: what the vault knows of them, and how they are read.

Each has a row in the vault, which settles its seq and its chapter, counts, is held, purged and forgotten like
any other. The row is written before the memory is, and says for certain that the content is there only
afterwards: so a crash in between accuses nobody, and what an acknowledged message loses is noticed (P2, P8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from vault.chat.entries import Parcel, Sealed
from vault.chat.outside import NOTHING, Envelope, Range, check_order, open_body, read_envelope
from vault.chat.profile import Ranges, count_in
from vault.chat.reading import Lying, Reader
from vault.chat.removing import Remover, Taken
from vault.chat.session import Session
from vault.chat.sessions import Sessions
from vault.clock import from_datetime
from vault.crypto.tree import Kind, slot
from vault.errors import StoreUnavailableError, TamperedError
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import hidden_slot
from vault.messages import Message, Outside, encode, pack, unpack
from vault.storage import messages as sql
from vault.storage.stores import Stores

_LOOKED_BACK = 16  # messages whose place before a new one is sealed with it
_RACES = 20


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """What the vault knows of a memory at one moment."""

    session: Session | None = None
    rows: Mapping[int, tuple[Message, Lying]] = field(default_factory=dict)
    popped: Ranges = ()
    end: int = 0  # every seq below it is accounted for
    purged: int = 0

    @property
    def node(self) -> bytes:
        """The session as it is now; another one after it was cleared."""
        return b"" if self.session is None else self.session.node

    @property
    def required(self) -> set[int]:
        """The seqs whose content is in the memory, or was taken."""
        return {seq for seq, (_, lying) in self.rows.items() if lying.for_certain}


@dataclass(slots=True, repr=False)
class Read:
    """What a memory holds, opened: by the index of each text there, its seq and its message."""

    opened: dict[int, tuple[int, Message]] = field(default_factory=dict)
    purged: int = 0
    erased: int = 0
    trimmed: int = 0


class Wrapped:
    """Keeps account of what lies outside."""

    def __init__(
        self, stores: Stores, keyring: Keyring, sessions: Sessions, reader: Reader, remover: Remover
    ) -> None:
        self._stores = stores
        self._keyring = keyring
        self._sessions = sessions
        self._reader = reader
        self._remover = remover

    # -- writing ----------------------------------------------------------------------------------------

    def known(self, user_id: str, session_id: str) -> Range:
        """Give the last unbroken range of seqs that are in the memory for certain."""
        found = self._reader.messages(user_id, session_id, last=_LOOKED_BACK)
        lying = [(seq, one.for_certain) for seq, one in sorted(found.outside.items())]
        while lying and not lying[-1][1]:
            lying.pop()
        first, last = NOTHING
        for seq, for_certain in reversed(lying):
            if not for_certain:
                break
            first, last = seq, max(seq, last)
        return first, last

    def confirm(self, parcels: Sequence[Parcel]) -> None:
        """Note that messages are in the memory now: from here their absence is a loss."""
        self._rewrite([(parcel.row, parcel.certain) for parcel in parcels if parcel.row is not None])

    def doubt(self, known: Known, seqs: Sequence[int]) -> None:
        """Note that messages are about to leave the memory: from here their absence is no loss."""
        rows = []
        for seq in seqs:
            message, lying = known.rows[seq]
            if known.session is not None and lying.for_certain:
                at = from_datetime(message.created_at) if message.created_at else 0
                row = Sealed(known.session, lying.chapter, seq, message.role, at)
                rows.append((row, _announcement(message.role, kept=lying.body.has_originals)))
        self._rewrite(rows)

    def remove(self, user_id: str, session_id: str, known: Known, seqs: Sequence[int]) -> Taken:
        """Note that messages leave the memory, unless a hold keeps them, there as here (P5).

        Only to one caller it says of each that it is theirs to take.
        """
        return self._remover.remove(user_id, session_id, known.node, seqs)

    def is_held(self, known: Known) -> bool:
        """Say whether a hold keeps what is in the memory."""
        one = known.session
        return one is not None and self._keyring.holds.is_held(one.user.node, one.node, self._stores.clock())

    def is_hidden(self, user_id: str, session_id: str) -> bool:
        """Say whether a hold keeps what lay in the memory before the session was cleared."""
        return bool(self._sessions.find_hidden(user_id, session_id))

    def _rewrite(self, rows: Sequence[tuple[Sealed, bytes]]) -> None:
        """Write bodies anew in their places. Rows that went meanwhile are gone with their messages."""

        def work(connection: Connection) -> None:
            for row, packed in rows:
                aad = row.chapter.aad(row.seq, row.role, row.created_at)
                sealed = row.chapter.cipher.seal(packed, aad)
                if not sql.rewrite(connection, row.session.fence, row.seq, sealed):
                    gone.add((row.session.user_id, row.session.session_id))

        gone: set[tuple[str, str]] = set()
        self._stores.transcripts.write(work)
        for names in gone:  # says so where somebody was forgotten (P7)
            self._sessions.distrust(*names)
            self._reader.messages(*names, last=1)

    # -- reading ----------------------------------------------------------------------------------------

    def look(self, user_id: str, session_id: str) -> Known:
        """Say what should be in the memory now."""
        for _ in range(_RACES):
            session = self._sessions.find(user_id, session_id)
            end = 0 if session is None else self._end(session)
            found = self._reader.messages(user_id, session_id)
            after = self._sessions.find(user_id, session_id)
            if session is None and after is None:
                return Known()
            if session is not None and after is not None and session.node == after.node:
                by_seq = {one.seq: one for one in found}
                rows = {seq: (by_seq[seq], lying) for seq, lying in found.outside.items()}
                gone = *after.profile.popped, *after.profile.hidden
                return Known(after, rows, gone, end, found.purged)
        raise StoreUnavailableError("too many changes to one session", hint="try again")

    def _end(self, session: Session) -> int:
        last = self._stores.transcripts.read(lambda connection: sql.last_seq(connection, session.row))
        return max(last + 1, session.profile.next_seq)

    def open(
        self, user_id: str, session_id: str, known: Known, texts: Sequence[str], *, may_trim: bool
    ) -> Read:
        """Open what a memory gave, read after `known`; raise TamperedError where it does not fit (P2)."""

        def look() -> Read:
            try:
                return self._fit(user_id, session_id, known, known, texts, may_trim=may_trim)
            except TamperedError:
                now = self.look(user_id, session_id)  # others may have written and removed since
                return self._fit(user_id, session_id, known, now, texts, may_trim=may_trim)

        return beyond_doubt(self._stores, look)

    def _fit(  # noqa: PLR0913 (what is to fit together)
        self,
        user_id: str,
        session_id: str,
        before: Known,
        now: Known,
        texts: Sequence[str],
        *,
        may_trim: bool,
    ) -> Read:
        """Find each text's row and open it there; `now` is what was known after the memory was read."""
        if before.node != now.node:
            before = Known()  # nothing was known of the session that is there now
        read, order = Read(purged=now.purged), []
        seen: set[int] = set()
        for index, text in enumerate(texts):
            envelope = read_envelope(text)
            if now.session is None or envelope.session != now.node:
                self._check_erased(user_id, session_id, envelope)
                read.erased += 1
                continue
            if envelope.user != now.session.user.node:
                raise TamperedError("an envelope in a memory was edited")
            if envelope.seq in seen:
                raise TamperedError("a message is in a memory twice")
            seen.add(envelope.seq)
            found = now.rows.get(envelope.seq) or before.rows.get(envelope.seq)
            if found is None:
                read.erased += _was_removed(now, envelope.seq)
                continue
            message, lying = found
            at = from_datetime(message.created_at) if message.created_at else 0
            known, packed = open_body(lying.chapter, envelope.seq, message.role, at, envelope.sealed)
            order.append((envelope.seq, known))
            if envelope.seq in now.rows:
                read.opened[index] = envelope.seq, _filled(message, packed, envelope.seq)
        check_order(order)
        missing = (before.required & now.required) - seen
        if missing and (not may_trim or any(seq < max(missing) for seq in seen)):
            raise TamperedError("a message is missing in a memory")
        read.trimmed = len(missing)
        return read

    def _check_erased(self, user_id: str, session_id: str, envelope: Envelope) -> None:
        """Accept a body of another session only where it is this one, before it was lawfully erased."""
        user = self._keyring.find_user(user_id)
        places = {slot(Kind.USER, self._keyring.user_index(user_id))}
        if user is not None:
            places.add(user.session_slot(session_id))
        if user is not None and user.node == envelope.user:
            places.add(hidden_slot(envelope.session))
            if envelope.session in {one.node for one in self._sessions.find_hidden(user_id, session_id)}:
                return  # a hold keeps it
        for node in (envelope.session, envelope.user):
            intent = self._stores.keyring.read(lambda c, n=node: self._keyring.records.of(c, n))  # type: ignore[misc]
            if intent is not None and intent.slot in places:
                return
        raise TamperedError("a memory holds a body of another session")


def _filled(message: Message, packed: bytes, seq: int) -> Message:
    """Give the message of a row with what it says, which lies outside."""
    said = unpack(packed)
    return Message(message.role, said.content, said.metadata or {}, said.extra or {}, message.created_at, seq)


def _was_removed(known: Known, seq: int) -> bool:
    """Accept a message without a row where it was taken: True by the app, False by retention."""
    if seq >= known.end:
        raise TamperedError(
            "a memory holds a message that the vault does not know",
            hint="the transcripts may be older than the memory: put back the latest",
        )
    return bool(count_in(known.popped, seq, seq + 1))


def make_parcel(packed: bytes, index: int, known: Range, role: str, *, kept: bool) -> Parcel:
    """Make what goes to a memory outside of a message that is packed."""
    certain = pack(encode(Message(role, None), has_originals=kept, outside=Outside.YES))
    return Parcel(packed, _announcement(role, kept=kept), certain, index, known)


def _announcement(role: str, *, kept: bool) -> bytes:
    return pack(encode(Message(role, None), has_originals=kept, outside=Outside.PERHAPS))
