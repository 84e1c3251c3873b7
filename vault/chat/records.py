"""Records: sealed keyed values beside the messages of a session, for adapters whose frameworks keep state.

A record opens only in its own place: session, chapter, collection, key and date (P2). There is no chain over
them: a row that is missing reads as one that was never written, and a row that was replaced or deleted reads
again where somebody puts it back. Who needs more lets one record name the others.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.chat.chapter import Chapter
from vault.chat.entries import Parcel
from vault.chat.outside import Range
from vault.chat.pointers import pointer_seal
from vault.chat.reading import Reader
from vault.chat.session import Place, Session
from vault.chat.sessions import Sessions
from vault.clock import to_datetime
from vault.crypto.blind import blind_index
from vault.crypto.envelope import bind, derive
from vault.errors import InputError, RevisionError, TamperedError
from vault.keys.doubt import beyond_doubt
from vault.messages import STATE, Message, check_id, encode_value, pack, unpack
from vault.storage import records as sql
from vault.storage.stores import Stores

# Gives what a hold keeps of records that are deleted: by revision, each with its collection.
Hide = Callable[[Connection, Session, Mapping[int, str]], Collection[int]]
ABSENT = 0  # the revision of a record that is not there
_REOPENINGS = 50
_date = struct.Struct(">q").pack


class Record(msgspec.Struct, frozen=True):
    """One record as it was stored. `revision` changes whenever it is written."""

    key: str
    value: Any
    created_at: datetime
    revision: int


class Records(list[Record]):
    """Records in the order of their dates; `purged` counts those that retention has taken and left a row."""

    __slots__ = ("purged",)

    def __init__(self, records: Iterable[Record] = (), *, purged: int = 0) -> None:
        super().__init__(records)
        self.purged = purged


@dataclass(frozen=True, slots=True, repr=False)
class Put:
    """A record to be written: `said` is what redaction has to see, `make` what is sealed of the outcome.

    With a revision, the record is written only where it still has that one; ABSENT where there is none.
    """

    collection: str
    key: str
    said: Sequence[Message]
    make: Callable[[Sequence[Message]], object]
    created_at: datetime | None = None
    role: str = STATE
    revision: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Drop:
    """A record to be deleted. Its row goes; this is no erasure."""

    collection: str
    key: str
    revision: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Basis:
    """What a write was made up from, and what it does not write itself: RevisionError where it has changed.

    `node` is the session, none where it is no matter which; `revisions` are those of single records, by
    collection and key; `every` are those of all records of the session.
    """

    node: bytes = b""
    revisions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    every: frozenset[int] | None = None

    def check_session(self, node: bytes) -> None:
        """Refuse another session than the one that was read."""
        if self.node not in {b"", node}:
            raise _changed()

    def check_every(self, connection: Connection, session: Session) -> None:
        """Refuse where a record came or went. The caller has locked the session's row, so none comes now."""
        if self.every is not None and self.every != sql.revisions(connection, session.row):
            raise _changed()

    def check_revisions(self, connection: Connection, session: Session, index: Index) -> None:
        """Refuse where one of some records was written or deleted.

        The caller has added records, and shares a lock on the session's row by it: nobody deletes any now.
        """
        names = {index.name(*one): revision for one, revision in self.revisions.items()}
        if names:
            there = sql.find(connection, session.row, names)
            if any(there.get(name, ABSENT) != revision for name, revision in names.items()):
                raise _changed()


_NOTHING = Basis()


def _changed() -> RevisionError:
    return RevisionError("a record was changed, or removed, since it was read", hint="read it again")


@dataclass(frozen=True, slots=True, repr=False)
class Sealing:
    """A record that is redacted and packed, not yet sealed."""

    collection: str
    key: str
    packed: bytes
    created_at: int
    place: Place
    revision: int | None
    role: str


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """What is written in one transaction."""

    given: Sequence[Message] = ()
    puts: Sequence[Put] = ()
    drops: Sequence[Drop] = ()
    pointers: Sequence[bytes] = ()
    basis: Basis = _NOTHING
    key: str | None = None
    revisions: list[int] = field(default_factory=list)
    reserved: dict[str, int] = field(default_factory=dict)
    shown: Mapping[tuple[str, str], int] = field(default_factory=dict)
    outside: Range | None = None  # they go to a memory outside, which holds these for certain
    parcels: list[Parcel] = field(default_factory=list)

    @property
    def said(self) -> list[Message]:
        """Give all that redaction has to see."""
        return [*self.given, *(message for put in self.puts for message in put.said)]


@dataclass(slots=True, repr=False)
class Beside:
    """The records that are written with messages, in one transaction; `revisions` are what they get."""

    sealings: Sequence[Sealing] = ()
    drops: Sequence[Drop] = ()
    pointers: Sequence[bytes] = ()
    basis: Basis = _NOTHING
    revisions: list[int] = field(default_factory=list)
    hide: Hide | None = None

    @property
    def places(self) -> list[Place]:
        """Give the epochs that they need."""
        return [one.place for one in self.sealings]


def plain(
    collection: str,
    key: str,
    value: object,
    *,
    created_at: datetime | None = None,
    revision: int | None = None,
) -> Put:
    """Give what writes a value of dicts, lists and texts: every text in it is redacted, keys are not."""
    # Read as the arguments of a tool are: all keys are the app's own, and tie nothing together.
    content = value if isinstance(value, str) else {"arguments": value}
    return Put(collection, key, [Message(STATE, content)], _value, created_at, revision=revision)


def _value(done: Sequence[Message]) -> object:
    content = done[0].content
    return content["arguments"] if isinstance(content, dict) else content


@dataclass(frozen=True, slots=True, repr=False)
class Index:
    """Where the records of one session are looked up: nothing of their names is stored in clear."""

    key: bytes

    @classmethod
    def of(cls, session: Session) -> Index:
        """Give the index of a session."""
        return cls(derive(session.key, b"records"))

    def place(self, collection: str) -> bytes:
        """Give where a collection is."""
        return blind_index(self.key, "collection", collection)

    def name(self, collection: str, key: str) -> sql.Name:
        """Give where a record is."""
        return self.place(collection), blind_index(self.key, "record", collection, key)

    @property
    def hidden(self) -> bytes:
        """Give where all is that the app has deleted and a hold keeps."""
        return blind_index(self.key, "hidden")

    def hidden_name(self, name: sql.Name, revision: int) -> sql.Name:
        """Give where a record goes that is hidden: its name may be written, and hidden, again."""
        return self.hidden, blind_index(self.key, "hidden", *(part.hex() for part in name), str(revision))


def check_names(every: Sequence[Put | Drop]) -> None:
    """Refuse names that can't be stored, and two writes of one record at once."""
    names = [(one.collection, one.key) for one in every]
    for collection, key in names:
        check_id(collection, "collection")
        check_id(key, "key of a record")
    if len(set(names)) < len(names):
        raise InputError("one record is written twice at once")


def aad(chapter: Chapter, name: sql.Name, role: str, created_at: int) -> bytes:
    """Give what a record's body is bound to: all the facts of its row but the number of the row (P2)."""
    return chapter.prefix + bind(b"record", *name, role.encode(), _date(created_at))


def write_records(connection: Connection, session: Session, beside: Beside, rev: int) -> bool:
    """Write and delete records in the transaction of their caller; False where the fence is closed.

    RevisionError: one has not the revision that was named. IntegrityError: another writer is at the same one.
    """
    sealings, drops = beside.sealings, beside.drops
    if not sealings and not drops:
        return True
    index = Index.of(session)
    beside.basis.check_session(session.node)
    beside.basis.check_every(connection, session)
    every: list[Sealing | Drop] = [*sealings, *drops]
    names = {(one.collection, one.key): index.name(one.collection, one.key) for one in every}
    there = sql.find(connection, session.row, set(names.values()))
    for one in every:
        now = there.get(names[one.collection, one.key], ABSENT)
        if one.revision is not None and one.revision != now:
            raise _changed()
    gone = {there[name]: one.collection for one in drops if (name := names[one.collection, one.key]) in there}
    if gone and beside.hide is not None:
        hidden = beside.hide(connection, session, gone)
        there = {name: revision for name, revision in there.items() if revision not in hidden}
    if there and sql.remove(connection, session.row, there.values()) != len(there):
        raise IntegrityError("a record went meanwhile", None, LookupError())
    rows = [_sealed(session, one, names[one.collection, one.key], rev) for one in sealings]
    if rows and sql.put(connection, rows) != len(rows):
        return False
    beside.basis.check_revisions(connection, session, index)
    if beside.pointers:
        sql.point(connection, session.row, {one: pointer_seal(session.key, one) for one in beside.pointers})
    if any(sealing.revision is not None for sealing in sealings):
        written = sql.find(connection, session.row, set(names.values()))
        beside.revisions = [written[names[sealing.collection, sealing.key]] for sealing in sealings]
    return True


def _sealed(session: Session, sealing: Sealing, name: sql.Name, rev: int) -> dict[str, object]:
    """Seal one record for its row."""
    chapter = session.by_place[sealing.place]
    bound = aad(chapter, name, sealing.role, sealing.created_at)
    return {
        **session.fence,
        "at_rev": rev,
        "the_chapter": chapter.id,
        "place": chapter.place,
        "the_place": name[0],
        "the_key": name[1],
        "the_role": sealing.role,
        "at_time": sealing.created_at,
        "the_body": chapter.cipher.seal(sealing.packed, bound),
    }


class RecordReader:
    """Reads records of sessions, behind the fence that messages are read behind."""

    def __init__(self, stores: Stores, sessions: Sessions, reader: Reader) -> None:
        self._stores = stores
        self._sessions = sessions
        self._reader = reader

    def read(
        self,
        user_id: str,
        session_id: str,
        collection: str,
        *,
        keys: Collection[str] | None = None,
        last: int | None = None,
    ) -> Records:
        """Give records of a collection in order of their dates: all, those of some keys, or the last ones."""
        if last is not None and last < 0:
            raise InputError("last is a whole number from 0 up")
        return beyond_doubt(self._stores, lambda: self._look(user_id, session_id, collection, keys, last))

    def basis(self, user_id: str, session_id: str) -> Basis | None:
        """Give what a write is made up from that looks at all records; None where there is no session."""
        session = self._sessions.find(user_id, session_id)
        if session is None:
            return None
        return Basis(
            session.node, every=self._stores.transcripts.read(lambda c: sql.revisions(c, session.row))
        )

    def _look(
        self, user_id: str, session_id: str, collection: str, keys: Collection[str] | None, last: int | None
    ) -> Records:
        for _ in range(_REOPENINGS):
            session = self._sessions.find(user_id, session_id)
            if session is None:
                return Records()
            index = Index.of(session)
            place, fence = index.place(collection), session.fence
            marks = None if keys is None else {index.name(collection, key)[1] for key in keys}
            # An empty question is asked all the same: an error is not an empty list (P7).
            marks = {bytes(len(place))} if marks is not None and not marks else marks
            most = 1 if last == 0 else last
            rows = self._stores.transcripts.read(
                partial(sql.read, fence=fence, place=place, keys=marks, last=most)
            )
            if rows:
                with self._sessions.questioned(session):
                    return Records() if last == 0 else self._open(session, index, collection, rows)
            self._sessions.drop(session)  # the fence is closed; opening the session again says why
        raise TamperedError("a session's rows do not belong together")

    def _open(self, session: Session, index: Index, collection: str, rows: Sequence[sql.AnyRow]) -> Records:
        place = index.place(collection)
        found, purged = [], 0
        looked_at: dict[tuple[int, bytes | None], Chapter | None] = {}
        if len({row.key for row in rows}) < len(rows):
            raise TamperedError("a record is there twice")
        for revision, key, role, created_at, body, chapter_id, where, alive in rows:
            if revision is None:
                continue
            chapter = self._reader.chapter(session, chapter_id, where, looked_at, alive=alive)
            if chapter is None:
                purged += 1
                continue
            plain = chapter.cipher.open(body, aad(chapter, (place, key), role, created_at))
            name, value = unpack_record(plain)
            found.append(Record(name, value, to_datetime(created_at), revision))
        return Records(found, purged=purged)


def pack_record(key: str, value: object, *, limit: int) -> bytes:
    """Turn a record into the bytes that are sealed, its name with it; InputError for what can't be."""
    return pack(encode_value([key, value], limit=limit))


def unpack_record(packed: bytes) -> tuple[str, Any]:
    """Give back what `pack_record` packed."""
    match unpack(packed).content:
        case [str() as key, value]:
            return key, value
    raise TamperedError("a sealed record is of no known form")
