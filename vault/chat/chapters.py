"""The chapters of sessions: found, opened, added, and kept where their epochs die."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.chat.chapter import chapter_key, chapter_seal, check_seal, make_chapter
from vault.chat.session import Place, Session
from vault.crypto.envelope import random_id
from vault.crypto.tree import Kind, Opened, slot
from vault.erasure import Eraser
from vault.errors import KeyringOutdatedError, TamperedError
from vault.keys.ring import Keyring
from vault.keys.slots import Seedling, chapter_slot, fresh, kept_slot, standing_for
from vault.storage import transcripts as sql
from vault.storage.schema import State
from vault.storage.stores import Stores

_RACES = 20


class Chapters:
    """Knows the epochs, and which chapters of a session can be opened."""

    def __init__(self, stores: Stores, keyring: Keyring, eraser: Eraser) -> None:
        self._stores = stores
        self._keyring = keyring
        self._eraser = eraser
        self._epochs: dict[tuple[str, int], tuple[int, bytes]] = {}

    def _chapter_at(self, session: Session, place: Place) -> bool:
        """Make sure of the chapter in which a new message of some epoch goes; False where it can't be."""
        if place in session.by_place:
            return True
        name, anchor = place
        if anchor is None:
            return self._chapter_alone(session, name)
        epoch = self._epoch((name, anchor))
        if epoch is None:  # it is about to be erased: what comes so late gets a key of its own
            found = self._chapter_alone(session, name)
            if found:
                session.by_place[place] = session.by_place[name, None]
            return found
        self.load_chapters(session)
        if place in session.by_place:
            return True
        row, node = epoch
        seal = chapter_seal(session.key, session.node, node)
        try:
            self._stores.transcripts.write(lambda c: sql.add_chapter(c, session.row, seal=seal, epoch_id=row))
        except IntegrityError:
            return False  # another writer was first, or the session's row is gone
        self.load_chapters(session)
        return place in session.by_place

    def _chapter_alone(self, session: Session, class_name: str) -> bool:
        """Make sure of the chapter of a class without epochs: it has a key of its own."""
        place: Place = class_name, None
        self.load_chapters(session)
        if place in session.by_place:
            return True
        own = fresh()
        if not self._plant_alone(session, own):
            return False
        seal = chapter_seal(session.key, session.node, own.id)
        try:
            self._stores.transcripts.write(
                lambda c: sql.add_chapter(c, session.row, seal=seal, node=own.id, class_name=class_name)
            )
        except IntegrityError:
            return False  # another writer added the class, or the session's row is gone
        self.load_chapters(session)
        return place in session.by_place

    def _plant_alone(self, session: Session, own: Opened) -> bool:
        """Store a chapter's own key; False where another writer planted beside it."""
        kept, where = kept_slot(session.key), chapter_slot(session.key, own.id)
        chapter, path = Seedling(own, Kind.CHAPTER, where, kept), session.user.path
        first = [Seedling(fresh(), Kind.KEPT, kept, session.user.slot), chapter]
        if not self._keyring.trail(path, [kept]).get(kept) and self._keyring.plant(path, first):
            return True
        return self._keyring.plant([*path, kept], [chapter])

    def load_chapters(self, session: Session) -> None:
        """Read all chapters of a session and open those whose keys are alive.

        All must bear their seals: one that is dead shows by nothing else that it is the session's own (P2).
        """
        rows = self._stores.transcripts.read(lambda connection: sql.chapters_of(connection, session.row))
        places = {
            row.place: (row.class_name, row.anchor)
            for row in rows
            if row.epoch_node and row.anchor is not None
        }
        epochs = self._keyring.find_epochs(list(places.values()))
        living = {row.place: epochs.get(places[row.place]) if row.place in places else None for row in rows}
        alone = [row.place for row in rows if not row.lives_by(living[row.place])]
        own = self._keyring.find_chapters(session.user, session.key, alone)
        for row in rows:
            check_seal(row.seal, session.key, session.node, row.place)
            epoch = living[row.place]
            if row.place in own:
                key = own[row.place].key
            elif row.place not in alone and epoch is not None:
                key = chapter_key(session.key, epoch.key, session.node, row.place)
            else:
                # One that outlived its epoch died after it, by its own name.
                is_kept = row.node is not None or row.place not in places
                own_slot = chapter_slot(session.key, row.place)
                where = own_slot if is_kept else self._keyring.epoch_slot(*places[row.place])
                self._check_erased(row.node or row.place, where)
                session.dead.add(row.id)
                continue
            chapter = make_chapter(row.id, self._stores.vault, session.node, row.place, key)
            session.by_id[row.id] = chapter
            if row.takes_more and (row.place not in alone or row.anchor is None):
                session.by_place[row.class_name, row.anchor] = chapter

    def keep_chapter(self, session: Session, place: tuple[str, int]) -> None:
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
        if intent is None or (intent.slot != where and standing_for(node, where) not in intent.nodes):
            raise TamperedError("an epoch or chapter was edited, or the keyring is older than it")

    def _epoch(self, place: tuple[str, int]) -> tuple[int, bytes] | None:
        """Give an epoch's row id and node, made now if it is new; None where it takes no more messages."""
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
                row, state = self._stores.transcripts.write(lambda c, o=opened: self._epoch_row(c, place, o))  # type: ignore[misc]
            except IntegrityError:
                continue  # another writer added the row
            if state == State.CLOSED:
                return None
            if state == State.LIVE:
                self._epochs[place] = found = row, opened.id
                return found
            self._finish_erasing(opened.id)
        raise KeyringOutdatedError("the epoch can't be opened for all the changes to it", hint="try again")

    def _finish_erasing(self, node: bytes) -> None:
        """An epoch is closed and its key still there: its erasure is under way, or it was edited."""
        intent = self._stores.keyring.read(lambda c: self._keyring.records.of(c, node))
        if intent is None:
            raise TamperedError("an epoch is marked as erased, but nothing erased it")
        self._eraser.carry_out([intent.id])

    def _epoch_row(self, connection: Connection, place: tuple[str, int], opened: Opened) -> tuple[int, int]:
        found = sql.find_epoch(connection, opened.id)
        if found is None:
            return sql.add_epoch(connection, *place, opened.id), State.LIVE
        if (found.class_name, found.anchor) != place:
            raise TamperedError("an epoch was edited")
        return found.id, found.state
