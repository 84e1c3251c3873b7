"""Sessions as this process knows them: their keys, the fence that their statements carry, their chapters.

What is kept here is never trusted to be current: each statement names the random nodes and states, and where
the fence is closed the session is opened anew, which says why.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection

from vault.chat.chapters import Chapters
from vault.chat.making import Maker
from vault.chat.profile import Profile, open_name, open_profile, seal_profile
from vault.chat.session import Place, Session
from vault.crypto.blind import normalized
from vault.crypto.tree import Opened
from vault.erasure import Eraser
from vault.errors import (
    KeyringOutdatedError,
    RootUnavailableError,
    SessionForgottenError,
    TamperedError,
    UserForgottenError,
)
from vault.evidence.certificate import Why
from vault.forks import in_child
from vault.keys.doubt import beyond_doubt
from vault.keys.ring import Keyring
from vault.keys.slots import UserKeys, hidden_slot
from vault.storage import messages as message_sql
from vault.storage import records as record_sql
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores

CACHED = 10_000  # sessions whose keys stay in memory
_RACES = 20


class Sessions(Chapters):
    """Opens sessions, makes new ones, and keeps the keys of those in use."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser) -> None:
        super().__init__(stores, keyring, eraser)
        self.maker = Maker(stores, keyring, eraser)
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Session] = OrderedDict()
        in_child(self, Sessions._renew)

    def _renew(self) -> None:
        """Open all sessions anew in a forked child: a thread of the parent may have been changing them."""
        self._lock, self._open = threading.Lock(), OrderedDict()
        self._epochs.clear()

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
                self.maker.make(user_id, session_id, namespace)
            raise KeyringOutdatedError("the session can't be opened for all the changes", hint="try again")

        return beyond_doubt(self._stores, look)

    def enrol(self, user_id: str) -> None:
        """Make a user who has no session yet."""
        for _ in range(_RACES):
            if self._keyring.find_user(user_id) is not None:
                return
            self.maker.make(user_id, None, "")
        raise KeyringOutdatedError("the user can't be enrolled for all the changes", hint="try again")

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

    def find_closed(self, user_id: str, session_id: str) -> Session | None:
        """Give a session even where it is closed to the app, because only a floor keeps it."""
        return beyond_doubt(self._stores, lambda: self._load(user_id, session_id, apart=True))

    def ready_apart(
        self, user_id: str, session_id: str, namespace: str, places: Iterable[Place], node: bytes
    ) -> Session:
        """Make chapters for a run: it goes on in what is closed to the app, and where no name leads."""
        wanted = set(places)
        try:
            return self.ready(user_id, session_id, namespace, wanted)
        except (UserForgottenError, SessionForgottenError):
            for _ in range(_RACES):
                session = self._remainder(user_id, session_id, node) or self.find_closed(user_id, session_id)
                if session is None:
                    raise
                if all(self._chapter_at(session, place) for place in wanted):
                    return session
            raise

    def make_chapters(self, session: Session, places: Iterable[Place]) -> bool:
        """Make chapters in a session that no name leads to; False where it is gone."""
        wanted = set(places)
        return any(all(self._chapter_at(session, place) for place in wanted) for _ in range(_RACES))

    def _remainder(self, user_id: str, session_id: str, node: bytes) -> Session | None:
        """Give what a floor keeps of a session that is forgotten."""
        return next((one for one in self.find_hidden(user_id, session_id) if one.node == node), None)

    def drop(self, session: Session) -> None:
        """Stop trusting what is known of a session: its fence was closed."""
        self.distrust(session.user_id, session.session_id)

    @contextmanager
    def questioned(self, session: Session) -> Iterator[None]:
        """Take nothing that is known of a session for granted once something about it does not fit."""
        try:
            yield
        except TamperedError:
            self.drop(session)
            raise

    def distrust(self, user_id: str, session_id: str) -> None:
        """Open a session anew the next time: it was just erased, or chapters of it were closed."""
        with self._lock:
            self._open.pop((user_id, session_id), None)
            self._epochs.clear()

    def _load(self, user_id: str, session_id: str, *, apart: bool = False) -> Session | None:
        """Open a session by its key and its row, which must fit; `apart` is for what is closed to the app."""
        keys, store = self._keyring, self._stores.transcripts
        user = self._find_user(user_id, apart=apart)
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
        if row.user_state == State.LIVE and row.state == State.HIDDEN:
            self.finish_hiding(user, where, row, opened)
            return None
        if row.user_state != State.LIVE or row.state != State.LIVE:
            self._explain(row)
            return None
        last = store.read(lambda connection: message_sql.last_seq(connection, row.id))
        if not open_name(row.name, self._stores.vault, row.node, row.user_node, opened.key):
            if last >= 0 or store.read(lambda connection: record_sql.has_any(connection, row.id)):
                raise TamperedError("a session that has messages has lost its name")
            return None  # lost in a restore: reads as empty until somebody writes to it
        profile = open_profile(row.profile, self._stores.vault, row.node, opened.key, row.rev)
        if profile.namespace != row.namespace:
            raise TamperedError("a session's namespace was edited")
        self._refuse_closed(profile, user, row.node, apart=apart)
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
            is_apart=apart,
        )

    def _find_user(self, user_id: str, *, apart: bool) -> UserKeys | None:
        user = self._keyring.find_user(user_id)
        if user is not None and not apart:
            self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, user.node, None))
        return user

    def _refuse_closed(self, profile: Profile, user: UserKeys, node: bytes, *, apart: bool) -> None:
        """Only a floor keeps what is closed: to the app it is forgotten, whichever process it asks (P5).

        The profile alone does not tell: it may be that of older transcripts.
        """
        if apart:
            return
        self._stores.keyring.read(lambda c: self._keyring.holds.refuse_closing(c, user.node, node))
        if profile.is_closed:
            raise SessionForgottenError("this session is forgotten")

    def finish_hiding(self, user: UserKeys, where: bytes, row: sql.SessionRow, opened: Opened) -> None:
        """A row is marked as hidden: its profile must say so too. Free its name, as a crash left that."""
        profile = open_profile(row.profile, self._stores.vault, row.node, opened.key, row.rev)
        if not profile.is_hidden:
            raise TamperedError("a row is marked as hidden, but nothing hid it")
        self._keyring.move_aside(user, where, row.node)

    def find_hidden(self, user_id: str, session_id: str) -> list[Session]:
        """Give the sessions of this id that the app doesn't see and a hold or a floor keeps, oldest first."""
        return beyond_doubt(self._stores, lambda: self._load_hidden(user_id, session_id))

    def _load_hidden(self, user_id: str, session_id: str) -> list[Session]:
        vault, user = self._stores.vault, self._keyring.find_user(user_id)
        if user is None:
            return []
        every = self._keyring.hidden_sessions(user)
        rows = self._stores.transcripts.read(lambda connection: sql.sessions_of(connection, user.node))
        if not every.keys() <= {row.node for row in rows}:
            raise TamperedError("a hidden session's row is gone from the transcripts, though its key is here")
        where = user.session_slot(session_id)
        present = self._keyring.find_sessions(user, [where]).get(where)
        found = []
        for row in rows:
            opened = every.get(row.node)
            if opened is None and row.state == State.HIDDEN and present and present.id == row.node:
                opened = present
                self.finish_hiding(user, where, row, opened)
            if opened is None:
                continue
            name = open_name(row.name, vault, row.node, user.node, opened.key)
            if normalized(name) != normalized(session_id):
                continue
            profile = open_profile(row.profile, vault, row.node, opened.key, row.rev)
            if row.state == State.GONE and self._is_erased(row.node):
                continue
            is_remainder = profile.remainder_of is not None
            if (row.slot, row.namespace) != (row.node if is_remainder else where[1:], profile.namespace) or (
                profile.is_hidden != (row.state == State.HIDDEN)
            ):
                raise TamperedError("a hidden session's row was edited")
            found.append(
                Session(
                    user_id=user_id,
                    session_id=session_id,
                    user=user,
                    slot=hidden_slot(row.node),
                    node=row.node,
                    key=opened.key,
                    row=row.id,
                    ledger=(row.rev, profile),
                    next_seq=0,
                    state=State(row.state),
                    is_apart=is_remainder,
                )
            )
        return found

    def _is_erased(self, node: bytes) -> bool:
        return self._stores.keyring.read(lambda c: self._keyring.records.of(c, node)) is not None

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
                with suppress(RootUnavailableError):  # it reads as empty all the same; who writes is told
                    self._eraser.carry_out([intent.id])

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
        if profile.is_closed and not session.is_apart:
            self.drop(session)
            self._refuse_closed(profile, session.user, session.node, apart=False)
        session.learn(rev, profile)
        return profile

    def seal(self, session: Session, profile: Profile, rev: int) -> bytes:
        """Seal a changed profile for one revision."""
        return seal_profile(profile, self._stores.vault, session.node, session.key, rev)
