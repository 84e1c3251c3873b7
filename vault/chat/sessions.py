"""Sessions as this process knows them: their keys, the fence that their statements carry, their chapters.

What is kept here is never trusted to be current: each statement names the random nodes and states, and where
the fence is closed the session is opened anew, which says why.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.chat.chapter import Chapter, chapter_key, make_chapter
from vault.chat.profile import Profile, open_name, open_profile, seal_name, seal_profile
from vault.crypto.envelope import random_id
from vault.crypto.tree import Kind, Opened, radix_slots, slot
from vault.erasure import Eraser
from vault.errors import KeyringOutdatedError, SessionForgottenError, TamperedError, UserForgottenError
from vault.evidence.certificate import Why
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring, Seedling, UserKeys, chapter_slot, fresh, kept_slot
from vault.storage import lost, sweeping
from vault.storage import messages as message_sql
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores

CACHED = 10_000  # sessions whose keys stay in memory
_RACES = 20

Place = tuple[str, int]  # the name of a class and its anchor: an epoch


@dataclass(slots=True, repr=False)
class Session:
    """One session, opened."""

    user_id: str
    session_id: str
    user: UserKeys
    slot: bytes
    node: bytes
    key: bytes
    row: int
    ledger: tuple[int, Profile]
    next_seq: int
    by_place: dict[Place, Chapter] = field(default_factory=dict)
    by_id: dict[int, Chapter] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)

    @property
    def rev(self) -> int:
        """The revision of the row that the profile was sealed for."""
        return self.ledger[0]

    @property
    def profile(self) -> Profile:
        """What was sealed in the row, at the last look."""
        return self.ledger[1]

    @property
    def fence(self) -> dict[str, object]:
        """What every statement names, so that an erasure made elsewhere is noticed by it."""
        return {"the_session": self.row, "session_node": self.node, "user_node": self.user.node}


class Sessions:
    """Opens sessions, makes new ones, and keeps the keys of those in use."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Session] = OrderedDict()
        self._epochs: dict[Place, tuple[int, Opened]] = {}

    # -- opening ----------------------------------------------------------------------------------------

    def find(self, user_id: str, session_id: str) -> Session | None:
        """Give a session, or None for one that never was, or was cleared or deleted by the app."""
        name = (user_id, session_id)
        known = self._open.get(name)
        if known is not None:
            return known
        loaded = beyond_doubt(self._stores, lambda: self._load(user_id, session_id))
        if loaded is not None:
            with self._lock:
                self._open[name] = loaded
                if len(self._open) > CACHED:
                    self._open.popitem(last=False)
        return loaded

    def find_or_make(self, user_id: str, session_id: str, namespace: str) -> Session:
        """Give a session, made now if it is new."""

        def look() -> Session:
            for _ in range(_RACES):
                found = self.find(user_id, session_id)
                if found is not None:
                    return found
                self._make(user_id, session_id, namespace)
            raise KeyringOutdatedError("the session can't be opened for all the changes", hint="try again")

        return beyond_doubt(self._stores, look)

    def ready(self, user_id: str, session_id: str, namespace: str, places: Iterable[Place]) -> Session:
        """Give a session, made now if it is new, with the chapters in which messages will go."""
        wanted = set(places)

        def look() -> Session:
            for _ in range(_RACES):
                session = self.find_or_make(user_id, session_id, namespace)
                if all(self._chapter_at(session, place) for place in wanted):
                    return session
                self.drop(session)
            raise TamperedError("a chapter can't be opened")

        return beyond_doubt(self._stores, look)

    def drop(self, session: Session) -> None:
        """Stop trusting what is known of a session: its fence was closed."""
        with self._lock:
            self._open.pop((session.user_id, session.session_id), None)
            self._epochs.clear()

    @contextmanager
    def questioned(self, session: Session) -> Iterator[None]:
        """Take nothing that is known of a session for granted once something about it does not fit."""
        try:
            yield
        except TamperedError:
            self.drop(session)
            raise

    def distrust(self, user_id: str, session_id: str) -> None:
        """Open a session anew the next time: it was just erased."""
        with self._lock:
            self._open.pop((user_id, session_id), None)

    def _load(self, user_id: str, session_id: str) -> Session | None:
        keys, store = self._keyring, self._stores.transcripts
        user = keys.find_user(user_id)
        if user is None:
            return None
        opened = keys.find_session(user, session_id)
        where = user.session_slot(session_id)
        if opened is None:
            return None
        row = store.read(lambda connection: sql.find_session(connection, opened.id))
        if row is None:
            raise TamperedError(
                "a session's row is gone from the transcripts, though its key is here",
                hint="if an older copy of the transcripts was restored, clear or delete this session",
            )
        if (row.user_node, row.user_slot, row.slot) != (user.node, user.index, where[1:]):
            raise TamperedError("a session's row was edited")
        if row.user_state != State.LIVE or row.state != State.LIVE:
            self._explain(row)
            return None
        last = store.read(lambda connection: message_sql.last_seq(connection, row.id))
        if not open_name(row.name, self._stores.vault, row.node, row.user_node, opened.key):
            if last >= 0:
                raise TamperedError("a session that has messages has lost its name")
            return None  # lost in a restore: reads as empty until somebody writes to it
        profile = open_profile(row.profile, self._stores.vault, row.node, opened.key, row.rev)
        if profile.namespace != row.namespace:
            raise TamperedError("a session's namespace was edited")
        return Session(
            user_id=user_id,
            session_id=session_id,
            user=user,
            slot=where,
            node=row.node,
            key=opened.key,
            row=row.id,
            ledger=(row.rev, profile),
            next_seq=max(last + 1, profile.next_seq),
        )

    def _explain(self, row: sql.SessionRow) -> None:
        """A row is marked as gone: say who did it; finish what the app began; accuse where nobody did."""
        node = row.node if row.user_state == State.LIVE else row.user_node
        intent = self._stores.keyring.read(lambda c: self._keyring.records.of(c, node))
        match intent and Why(intent.kind):
            case None:
                raise TamperedError("a row is marked as erased, but nothing erased it")
            case Why.FORGET_USER:
                raise UserForgottenError("this user was forgotten")
            case Why.FORGET_SESSION:
                raise SessionForgottenError("this session was forgotten")
            case _ if intent is not None:
                self._eraser.carry_out([intent.id])

    # -- making -----------------------------------------------------------------------------------------

    def enrol(self, user_id: str) -> None:
        """Make a user who has no session yet."""
        for _ in range(_RACES):
            if self._keyring.find_user(user_id) is not None:
                return
            self._make(user_id, None, "")
        raise KeyringOutdatedError("the user can't be enrolled for all the changes", hint="try again")

    def _make(self, user_id: str, session_id: str | None, namespace: str) -> None:
        """Add a session, and its user if new: first the rows, then the keys.

        In this order a crash leaves rows without keys and without messages, which harm nobody; a key without
        a row is then always a theft (P2).
        """
        known = self._keyring.find_user(user_id)
        if known and session_id is None:
            return
        user, seedlings = (known, []) if known else self._new_user(user_id)
        made: list[bytes] = [] if known else [user.node]
        session: tuple[Opened, bytes] | None = None
        if session_id is not None:
            session = fresh(), user.session_slot(session_id)
            seedlings.append(Seedling(session[0], Kind.SESSION, session[1], user.slot))
            made.append(session[0].id)

        def rows(connection: Connection) -> None:
            user_row = self._user_row(connection, user, user_id, new=known is None)
            if session is not None and session_id is not None:
                self._session_row(connection, user, user_row, session, session_id, namespace)

        try:
            self._stores.transcripts.write(rows)
        except IntegrityError:
            return  # the user's row went meanwhile: the next look says why
        if not self._keyring.plant(user.path, seedlings, below=user.node):
            self._stores.transcripts.write(lambda connection: sweeping.withdraw(connection, made))
            if session_id is not None:
                self._take_over(user_id, session_id, namespace)

    def _take_over(self, user_id: str, session_id: str, namespace: str) -> None:
        """Give a nameless row, which a restore left for a session that was lost, its name again."""
        vault, user = self._stores.vault, self._keyring.find_user(user_id)
        opened = None if user is None else self._keyring.find_session(user, session_id)
        if user is None or opened is None:
            return
        row = self._stores.transcripts.read(lambda connection: sql.find_session(connection, opened.id))
        if row is None or open_name(row.name, vault, row.node, user.node, opened.key):
            return
        name = seal_name(session_id, vault, row.node, user.node, opened.key)
        profile = seal_profile(Profile(namespace), vault, row.node, opened.key, row.rev)
        self._stores.transcripts.write(
            lambda c: lost.name_session(c, row, name=name, namespace=namespace, profile=profile)
        )

    def _new_user(self, user_id: str) -> tuple[UserKeys, list[Seedling]]:
        index = self._keyring.user_index(user_id)
        node, secret, where = fresh(), fresh(), slot(Kind.USER, index)
        keys = UserKeys(node.id, where, index, secret.key)
        return keys, [
            Seedling(node, Kind.USER, where, radix_slots(index)[-1]),
            Seedling(secret, Kind.SECRET, slot(Kind.SECRET, index), where),
        ]

    def _user_row(self, connection: Connection, user: UserKeys, user_id: str, *, new: bool) -> int:
        if new:
            name = seal_name(user_id, self._stores.vault, user.node, b"", user.secret)
            return sql.add_user(connection, user.index, user.node, name)
        found = sql.find_user(connection, user.node)
        if found is None:
            raise TamperedError("a user's row is gone from the transcripts, though their key is here")
        if found.slot != user.index:
            raise TamperedError("a user's row was edited")
        if not open_name(found.name, self._stores.vault, user.node, b"", user.secret):
            name = seal_name(user_id, self._stores.vault, user.node, b"", user.secret)
            lost.name_user(connection, found, name)
        return found.id

    def _session_row(  # noqa: PLR0913, PLR0917 (the parts of a row)
        self,
        connection: Connection,
        user: UserKeys,
        user_row: int,
        session: tuple[Opened, bytes],
        session_id: str,
        namespace: str,
    ) -> None:
        opened, where = session
        vault = self._stores.vault
        sql.add_session(
            connection,
            user_id=user_row,
            slot=where[1:],
            node=opened.id,
            name=seal_name(session_id, vault, opened.id, user.node, opened.key),
            namespace=namespace,
            profile=seal_profile(Profile(namespace), vault, opened.id, opened.key, 0),
        )

    # -- chapters ---------------------------------------------------------------------------------------

    def _chapter_at(self, session: Session, place: Place) -> bool:
        """Make sure of the chapter in which a new message of some epoch goes; False where it can't be."""
        if place in session.by_place:
            return True
        epoch, _ = self._epoch(place)
        self.load_chapters(session)
        if place in session.by_place:
            return True
        try:
            self._stores.transcripts.write(lambda c: sql.add_chapter(c, session.row, epoch_id=epoch))
        except IntegrityError:
            return False  # another writer was first, or the session's row is gone
        self.load_chapters(session)
        return place in session.by_place

    def load_chapters(self, session: Session) -> None:
        """Read all chapters of a session and open those whose keys are alive."""
        rows = self._stores.transcripts.read(lambda connection: sql.chapters_of(connection, session.row))
        epochs = self._keyring.find_epochs([(row.class_name, row.anchor) for row in rows if row.epoch_node])
        alone = [row.place for row in rows if not row.lives_by(epochs.get((row.class_name, row.anchor)))]
        own = self._keyring.find_chapters(session.user, session.key, alone)
        for row in rows:
            place: Place = row.class_name, row.anchor
            if row.place in own:
                key = own[row.place].key
            elif row.place not in alone:
                key = chapter_key(session.key, epochs[place].key, session.node, row.place)
            else:
                where = self._keyring.epoch_slot(*place) if row.epoch_node else None
                self._check_erased(row.place, where or chapter_slot(session.key, row.place))
                session.dead.add(row.id)
                continue
            chapter = make_chapter(row.id, self._stores.vault, session.node, row.place, key)
            session.by_id[row.id] = chapter
            if row.place not in alone:
                session.by_place[place] = chapter

    def keep_chapter(self, session: Session, place: Place) -> None:
        """Give a chapter a key of its own, so that it outlives its epoch; no message is sealed again."""
        epoch = self._keyring.find_epochs([place])[place]
        chapter = session.by_place[place]
        key = chapter_key(session.key, epoch.key, session.node, epoch.id)
        own = Opened(random_id(), 0, key)
        where = chapter_slot(session.key, chapter.place)
        self._stores.transcripts.write(lambda c: sql.keep_chapter(c, chapter.id, own.id))
        kept = kept_slot(session.key)
        path = [*session.user.path, kept]
        self._keyring.plant(path, [Seedling(fresh(), Kind.KEPT, kept, session.user.slot)])
        self._keyring.plant(path, [Seedling(own, Kind.CHAPTER, where, kept)])

    def _check_erased(self, node: bytes, where: bytes) -> None:
        """Make sure that a missing or closed key was erased in this very place, and by the vault."""
        intent = self._stores.keyring.read(lambda c: self._keyring.records.of(c, node))
        if intent is None or intent.slot != where:
            raise TamperedError("an epoch or chapter was edited, or the keyring is older than it")

    def _epoch(self, place: Place) -> tuple[int, Opened]:
        """Give an epoch's row id and key, made now if it is new."""
        known = self._epochs.get(place)
        if known is not None:
            return known
        top, where = slot(Kind.EPOCHS), self._keyring.epoch_slot(*place)
        for _ in range(_RACES):
            opened = self._keyring.find_epochs([place]).get(place)
            if opened is None:
                self._keyring.plant([top, where], [Seedling(fresh(), Kind.EPOCH, where, top)])
                continue
            try:
                row = self._stores.transcripts.write(lambda c, o=opened: self._epoch_row(c, place, o))  # type: ignore[misc]
            except IntegrityError:
                continue  # another writer added the row
            if row is not None:
                self._epochs[place] = row, opened
                return row, opened
            self._finish_erasing(opened.id)
        raise KeyringOutdatedError("the epoch can't be opened for all the changes to it", hint="try again")

    def _finish_erasing(self, node: bytes) -> None:
        """An epoch is closed and its key still there: its erasure is under way, or it was edited."""
        intent = self._stores.keyring.read(lambda c: self._keyring.records.of(c, node))
        if intent is None:
            raise TamperedError("an epoch is marked as erased, but nothing erased it")
        self._eraser.carry_out([intent.id])

    def _epoch_row(self, connection: Connection, place: Place, opened: Opened) -> int | None:
        found = sql.find_epoch(connection, opened.id)
        if found is None:
            return sql.add_epoch(connection, *place, opened.id)
        if (found.class_name, found.anchor) != place:
            raise TamperedError("an epoch was edited")
        return found.id if found.state == State.LIVE else None

    # -- the ledger -------------------------------------------------------------------------------------

    def reload_profile(self, session: Session) -> bool:
        """Read the ledger again; False where the session is gone."""
        return self._stores.transcripts.read(lambda connection: self.learn(connection, session))

    def learn(self, connection: Connection, session: Session) -> bool:
        """Read the ledger as a transaction sees it; False where the session is gone."""
        row = sql.find_session(connection, session.node)
        if row is None or row.state != State.LIVE:
            return False
        self.open_ledger(session, row.profile, row.rev)
        return True

    def open_ledger(self, session: Session, sealed: bytes, rev: int) -> Profile:
        """Learn of the ledger as a statement found it."""
        profile = open_profile(sealed, self._stores.vault, session.node, session.key, rev)
        session.ledger = max(session.ledger, (rev, profile), key=lambda one: one[0])
        return profile

    def seal(self, session: Session, profile: Profile, rev: int) -> bytes:
        """Seal a changed profile for one revision."""
        return seal_profile(profile, self._stores.vault, session.node, session.key, rev)
