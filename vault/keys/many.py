"""Many keys at once: what a purge opens and plants for thousands of sessions, in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.crypto.envelope import random_id
from vault.crypto.tree import Kind, Node, Opened, radix_slots, slot, wrap_below
from vault.errors import KeyringOutdatedError, TamperedError
from vault.keys.ring import Keyring
from vault.keys.slots import chapter_slot, fresh, kept_slot
from vault.storage import keyring as sql
from vault.storage.stores import Stores

_RACES = 20
_SHARED = 4  # bytes of the slots above the last radix level: at most 4,369 of them


@dataclass(frozen=True, slots=True, repr=False)
class Keeping:
    """Chapters of one session that are to get keys of their own: each place with its key."""

    user: bytes  # the user's blind index
    session: bytes  # the session's key
    chapters: Sequence[tuple[bytes, bytes]]

    @property
    def way(self) -> list[bytes]:
        """Give the slots down to the node that the kept chapters hang from."""
        return [*user_path(self.user), kept_slot(self.session)]


@dataclass(slots=True, repr=False)
class _Grown:
    """What one transaction plants, and the versions of the nodes that it hangs from."""

    nodes: list[Node] = field(default_factory=list)
    anchors: dict[bytes, int] = field(default_factory=dict)


def user_path(index: bytes) -> list[bytes]:
    """Give the slots from the top down to a user."""
    return [*radix_slots(index), slot(Kind.USER, index)]


class ManyKeys:
    """Opens and plants keys of many sessions.

    It remembers the upper levels that many users share. What opens with a key that is remembered is bound to
    that very key, and is read afresh; what does not is opened anew from the root.
    """

    def __init__(self, stores: Stores, keyring: Keyring) -> None:
        self._stores = stores
        self._keyring = keyring
        self._shared: dict[bytes, Opened] = {}

    def find_below(self, paths: Sequence[Sequence[bytes]]) -> dict[bytes, Opened]:
        """Open what exists along some paths to users and below; what they share is remembered."""
        known = self._shared
        nodes = self._look(paths, known)
        try:
            opened = self._keyring.open_each(nodes, paths, known)
        except (TamperedError, KeyringOutdatedError):  # re-keyed since, or tampered with: the whole way tells
            known.clear()
            opened = self.find(paths)
        known |= {where: one for where, one in opened.items() if len(where) <= _SHARED}
        return opened

    def find(self, paths: Sequence[Sequence[bytes]]) -> dict[bytes, Opened]:
        """Open what exists along some paths of slots, each from its top; by slot."""
        for attempt in range(3):
            found = self._look(paths)
            try:
                return self._keyring.open_each(found, paths)
            except KeyringOutdatedError:
                if attempt == 2:  # noqa: PLR2004 (a swap may fall between the read and the root, twice is enough)
                    raise
        raise AssertionError("unreachable")

    def _look(
        self, paths: Iterable[Sequence[bytes]], known: Mapping[bytes, Opened] = MappingProxyType({})
    ) -> dict[bytes, Node]:
        wanted = set(chain.from_iterable(paths)).difference(known)
        return self._stores.keyring.snapshot(lambda connection: sql.nodes_at_all(connection, wanted))

    def find_chapters(
        self, wanted: Iterable[tuple[bytes, bytes, Sequence[bytes]]]
    ) -> dict[tuple[bytes, bytes], Opened]:
        """Give chapters' own keys by session key and place, for (user's index, session key, places)."""
        paths, names = [], {}
        for index, session, places in wanted:
            way = [*user_path(index), kept_slot(session)]
            for place in places:
                where = chapter_slot(session, place)
                names[where] = session, place
                paths.append([*way, where])
        opened = self.find(paths) if paths else {}
        return {name: opened[where] for where, name in names.items() if where in opened}

    def keep(self, wanted: Sequence[Keeping]) -> None:
        """Give chapters keys of their own, where they have none yet. Who is forgotten by now is left out."""
        for _ in range(_RACES):
            grown = self._grow(wanted)
            if not grown.nodes:
                return
            try:
                if self._stores.keyring.write(lambda connection, g=grown: _plant(connection, g)):  # type: ignore[misc]
                    return
            except IntegrityError:
                continue  # another process planted one of them
        raise KeyringOutdatedError("the keyring changes faster than keys can be added", hint="try again")

    def _grow(self, wanted: Sequence[Keeping]) -> _Grown:
        paths = [[*one.way, chapter_slot(one.session, place)] for one in wanted for place, _ in one.chapters]
        opened, vault, grown = self.find(paths), self._stores.vault, _Grown()
        for one in wanted:
            *_, user_slot, kept = one.way
            missing = [
                (where, key)
                for place, key in one.chapters
                if (where := chapter_slot(one.session, place)) not in opened
            ]
            user, above = opened.get(user_slot), opened.get(kept)
            if user is None or not missing:
                continue
            if above is None:
                node, above = wrap_below(vault, user, fresh(), Kind.KEPT, kept)
                grown.nodes.append(node)
                grown.anchors[user.id] = user.version
            else:
                grown.anchors[above.id] = above.version
            for where, key in missing:
                own = Opened(random_id(), 0, key)
                grown.nodes.append(wrap_below(vault, above, own, Kind.CHAPTER, where)[0])
        return grown


def _plant(connection: Connection, grown: _Grown) -> bool:
    """Add nodes; False where one that they hang from was re-keyed meanwhile."""
    for node, version in sorted(grown.anchors.items()):
        if sql.lock_version(connection, node) != version:
            return False
    sql.insert_nodes(connection, grown.nodes)
    return True
