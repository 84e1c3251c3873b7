"""The keyring: opens the way from the root to a key, and plants new nodes.

Leaves that live (secret, session, epoch, chapter) never change, so who holds one keeps it; inner nodes are
read afresh each time, all in one statement, because an erasure anywhere may have re-keyed them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.crypto.blind import blind_index
from vault.crypto.envelope import ID_BYTES, derive
from vault.crypto.tree import (
    TOPS,
    Kind,
    Node,
    Opened,
    radix_slots,
    slot,
    unlock,
    wrap_below,
)
from vault.errors import KeyringOutdatedError, SessionForgottenError, TamperedError, UserForgottenError
from vault.evidence.log import Log
from vault.forks import cached
from vault.keys.doubt import beyond_doubt
from vault.keys.holds import Holds
from vault.keys.records import Records
from vault.keys.rotations import Rotations
from vault.keys.slots import Seedling, UserKeys, chapter_slot, fresh, hidden_slot, kept_slot, unwrap_top
from vault.keys.tombstones import Tombstones
from vault.storage import keyring as sql
from vault.storage import transcripts
from vault.storage.engine import chunks
from vault.storage.stores import Stores

_RACES = 20  # attempts to plant a node while others re-key or plant beside it


class Keyring:
    """Finds keys and plants new ones. Safe to use from many threads."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._store = stores.keyring
        self.records = Records(lambda: self.service)
        self.log = Log(stores.keyring, stores.vault, lambda: self.service, stores.clock)
        self.holds = Holds(stores, lambda: self.service, self.records, self.log)
        self.rotations = Rotations(lambda: self.service)
        self.tombstones = Tombstones(stores.keyring, lambda: self.service, self.records, self.log)

    @cached
    def service(self) -> bytes:
        """The key of what belongs to the vault as a whole: blind indexes, tombstones, signatures."""
        where = slot(Kind.SERVICE)
        return self.trail([where])[where].key

    @cached
    def _user_key(self) -> bytes:
        return derive(self.service, b"users")

    def user_index(self, user_id: str) -> bytes:
        """Give a user's blind index."""
        return blind_index(self._user_key, "user", user_id)

    # -- finding ----------------------------------------------------------------------------------------

    def trail(self, path: Sequence[bytes], beside: Sequence[bytes] = ()) -> dict[bytes, Opened]:
        """Open nodes along a path of slots, as far as they exist, and then those `beside` the path's end."""
        for attempt in range(3):
            found = self._store.read(lambda connection: sql.nodes_at(connection, [*path, *beside]))
            try:
                return self._open_all(found, path, beside)
            except KeyringOutdatedError:
                if attempt == 2:  # noqa: PLR2004 (a swap may fall between the read and the root, twice is enough)
                    raise
        raise AssertionError("unreachable")

    def _open_all(
        self, found: dict[bytes, Node], path: Sequence[bytes], beside: Sequence[bytes]
    ) -> dict[bytes, Opened]:
        opened: dict[bytes, Opened] = {}
        parent: Opened | None = None
        for depth, where in enumerate(path):
            if where not in found:
                if depth == 0 or any(below in found for below in path[depth:]):
                    raise TamperedError("the keyring's tree has a hole")
                return opened
            node = found[where]
            if node.kind != where[0] or (parent is None) != (node.kind in TOPS):
                raise TamperedError("the keyring's tree is out of shape")
            parent = self._open_node(parent, node)
            opened[where] = parent
        for where in beside:
            if where in found and parent is not None:
                opened[where] = unlock(self._stores.vault, parent, found[where])
        return opened

    def open_each(
        self,
        found: Mapping[bytes, Node],
        paths: Iterable[Sequence[bytes]],
        shared: Mapping[bytes, Opened] = MappingProxyType({}),
    ) -> dict[bytes, Opened]:
        """Open what was found along many paths, as far as each exists; what they share is opened once.

        `shared` is what is opened already.
        """
        opened = dict(shared)
        for path in paths:
            parent: Opened | None = None
            for where in path:
                known = opened.get(where)
                if known is None:
                    node = found.get(where)
                    if node is None:
                        break
                    if node.kind != where[0] or (parent is None) != (node.kind in TOPS):
                        raise TamperedError("the keyring's tree is out of shape")
                    known = opened[where] = self._open_node(parent, node)
                parent = known
        return opened

    def _open_node(self, parent: Opened | None, node: Node) -> Opened:
        if parent is None:
            return unwrap_top(self._stores.root, self._stores.vault, node)
        return unlock(self._stores.vault, parent, node)

    def find_user(self, user_id: str) -> UserKeys | None:
        """Give a user's keys; None for one that never was. Raise UserForgottenError for one that was."""
        return beyond_doubt(self._stores, lambda: self._look_up(user_id))

    def _look_up(self, user_id: str) -> UserKeys | None:
        index = self.user_index(user_id)
        where, secret_slot = slot(Kind.USER, index), slot(Kind.SECRET, index)
        found = self.trail([*radix_slots(index), where], beside=[secret_slot])
        if where in found:
            if secret_slot not in found:
                raise TamperedError("the keyring has lost a user's secret")
            return UserKeys(found[where].id, where, index, found[secret_slot].key)
        self._refuse_forgotten(where)
        self._refuse_orphans(user_slot=index)
        return None

    def _refuse_forgotten(self, where: bytes) -> None:
        def look(connection: Connection) -> bool:
            self.holds.refuse_closed(connection, where)
            return self.tombstones.standing(connection, where) is not None

        if self._store.read(look):
            raise UserForgottenError(
                "this user was forgotten", hint="Vault.enroll(user_id) starts anew, if that is lawful"
            )

    def unheard(self, connection: Connection, nodes: Collection[bytes]) -> set[bytes]:
        """Give those of some keys of which the keyring knows neither them nor their erasure: it is older."""
        missing = set(nodes) - sql.nodes_by_id(connection, nodes).keys()
        return {node for node in missing if self.records.of(connection, node) is None}

    def find_users(self, indexes: Sequence[bytes]) -> dict[bytes, UserKeys]:
        """Give the keys of those users, by blind index, that are alive."""
        if any(len(index) != ID_BYTES for index in indexes):
            raise TamperedError("a user is looked up where no user can be")
        paths = {
            index: [*radix_slots(index), slot(Kind.USER, index), slot(Kind.SECRET, index)]
            for index in indexes
        }
        wanted = list(dict.fromkeys(where for path in paths.values() for where in path))
        found = self._store.snapshot(
            lambda connection: {
                where: node
                for part in chunks(wanted)
                for where, node in sql.nodes_at(connection, part).items()
            }
        )
        users = {}
        for index, path in paths.items():
            opened = self._open_all(found, path, ())
            if len(opened) == len(path):
                users[index] = UserKeys(opened[path[-2]].id, path[-2], index, opened[path[-1]].key)
        return users

    def find_sessions(self, user: UserKeys, slots: Sequence[bytes]) -> dict[bytes, Opened]:
        """Give the keys of those sessions of a user, by slot, that are alive."""
        found: dict[bytes, Opened] = {}
        for part in chunks(slots):
            opened = self._trail_below(user, part)
            found |= {where: opened[where] for where in part if where in opened}
        return found

    def hidden_sessions(self, user: UserKeys) -> dict[bytes, Opened]:
        """Give the keys, by their nodes, of a user's sessions that only a hold keeps."""
        nodes = self._store.read(lambda connection: sql.ids_below(connection, user.node, Kind.SESSION))
        return {one.id: one for one in self.find_sessions(user, [*map(hidden_slot, nodes)]).values()}

    def find_session(self, user: UserKeys, session_id: str) -> Opened | None:
        """Give a session's key; None for one that is not. Raise SessionForgottenError for one that was."""
        return beyond_doubt(self._stores, lambda: self._look_below(user, user.session_slot(session_id)))

    def _trail_below(self, user: UserKeys, beside: Sequence[bytes]) -> dict[bytes, Opened]:
        """Open what is below a user, who may have been erased since their keys were looked up (P7)."""
        found = self.trail(user.path, beside)
        if user.slot not in found or found[user.slot].id != user.node:
            self._refuse_forgotten(user.slot)
            raise KeyringOutdatedError("a user was enrolled anew this very moment", hint="try again")
        return found

    def _look_below(self, user: UserKeys, where: bytes) -> Opened | None:
        found = self._trail_below(user, [where])
        if where in found:
            return found[where]
        if self._store.read(lambda connection: self.tombstones.standing(connection, where)):
            raise SessionForgottenError(
                "this session was forgotten",
                hint="Vault.enroll(user_id, session_id) starts it anew, if that is lawful",
            )
        self._refuse_orphans(session_slot=where[1:], user=user)
        return None

    def _refuse_orphans(
        self, *, user_slot: bytes = b"", session_slot: bytes = b"", user: UserKeys | None = None
    ) -> None:
        """Messages whose key the keyring never heard of: it was restored from before them (P7)."""
        node = self._stores.transcripts.read(
            lambda c: transcripts.holder_of_messages(c, user_slot=user_slot, session_slot=session_slot)
        )
        if node is None or (user is not None and self.find_sessions(user, [hidden_slot(node)])):
            return  # an older copy of the transcripts, from before the session was hidden
        if self._store.read(lambda connection: self.records.of(connection, node)):
            raise TamperedError("messages are back that were erased")
        raise KeyringOutdatedError(
            "messages are stored whose key this keyring does not have: it is older than they are",
            hint="put back the latest keyring",
        )

    def find_epochs(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Opened]:
        """Give the keys of those epochs (class and anchor) that are alive."""
        found: dict[tuple[str, int], Opened] = {}
        for part in chunks(places):
            where = {self.epoch_slot(*place): place for place in part}
            opened = self.trail([slot(Kind.EPOCHS)], beside=list(where))
            found |= {place: opened[at] for at, place in where.items() if at in opened}
        return found

    def epoch_slot(self, class_name: str, anchor: int) -> bytes:
        """Give where an epoch is looked up: a changed date or class finds another key, or none (P2)."""
        return slot(
            Kind.EPOCH, blind_index(derive(self.service, b"epochs"), "epoch", class_name, str(anchor))
        )

    def session_nodes(self, user: UserKeys, session: Opened) -> list[bytes]:
        """Give the nodes that go with a session: its own, and that of its kept chapters."""
        where = kept_slot(session.key)
        kept = self.trail(user.path, beside=[where]).get(where)
        return [session.id] if kept is None else [session.id, kept.id]

    def find_chapters(self, user: UserKeys, session: bytes, places: Sequence[bytes]) -> dict[bytes, Opened]:
        """Give the keys of those chapters of a session, by place, that have one of their own."""
        found: dict[bytes, Opened] = {}
        for part in chunks(places):
            where = {chapter_slot(session, place): place for place in part}
            opened = self.trail([*user.path, kept_slot(session)], beside=list(where))
            found |= {place: opened[at] for at, place in where.items() if at in opened}
        return found

    # -- planting ---------------------------------------------------------------------------------------

    def plant(
        self,
        path: Sequence[bytes],
        seedlings: Sequence[Seedling],
        below: bytes | None = None,
        *,
        closed: bool = False,
    ) -> bool:
        """Add nodes below what exists of a path; False where another process planted one of them first.

        `below` is the node at the path's end: another one in its place belongs to a later enrolment. What is
        `closed` to the app is planted though nobody may begin a session any more.
        The parent's row is locked and its version compared in the same transaction: without that, an
        erasure that re-keys the parent meanwhile would leave the new node under a key that is gone.
        """
        taken = [seedling.slot for seedling in seedlings]
        for _ in range(_RACES):
            known = self.trail(path)
            missing = path[len(known) :]
            lost = [where for where in missing if where[0] != Kind.RADIX and where not in taken]
            replaced = below is not None and path[-1] in known and known[path[-1]].id != below
            if lost or replaced or any(where in known for where in taken):
                return False
            anchor = known[path[len(known) - 1]]
            grown = self._grow(known, path, missing, seedlings)
            try:
                work = partial(self._insert, anchor=anchor, grown=grown, taken=taken, closed=closed)
                if self._store.write(work):
                    return True
            except IntegrityError:
                if self._store.read(lambda connection: sql.nodes_at(connection, taken)):
                    return False
        raise KeyringOutdatedError("the keyring changes faster than a key can be added", hint="try again")

    def _grow(
        self,
        known: dict[bytes, Opened],
        path: Sequence[bytes],
        missing: Sequence[bytes],
        seedlings: Sequence[Seedling],
    ) -> list[Node]:
        vault = self._stores.vault
        opened, nodes = dict(known), []
        planted = {seedling.slot: seedling for seedling in seedlings}
        for where in missing:
            if where not in planted:
                above = path[path.index(where) - 1]
                node, opened[where] = wrap_below(vault, opened[above], fresh(), Kind(where[0]), where)
                nodes.append(node)
        for seedling in seedlings:
            node, opened[seedling.slot] = wrap_below(
                vault, opened[seedling.above], seedling.opened, seedling.kind, seedling.slot
            )
            nodes.append(node)
        return nodes

    def _insert(
        self,
        connection: Connection,
        anchor: Opened,
        grown: Sequence[Node],
        taken: Sequence[bytes],
        *,
        closed: bool,
    ) -> bool:
        if sql.lock_version(connection, anchor.id) != anchor.version:
            return False
        for where in taken:
            if self.tombstones.standing(connection, where):  # forgotten between the look and the lock
                raise UserForgottenError("this was forgotten a moment ago")
            if where[0] == Kind.SESSION and not closed:
                self.holds.refuse_closing(connection, anchor.id, None)
        sql.insert_nodes(connection, grown)
        return True

    def move_aside(self, user: UserKeys, where: bytes, node: bytes) -> None:
        """Free the name of a session that is hidden; its key and all that hangs on it stay."""
        aside = hidden_slot(node)
        for _ in range(_RACES):
            found = self._trail_below(user, [where, aside])
            if aside in found or where not in found or found[where].id != node:
                return  # another process was faster, or it was erased
            above = found[user.slot]
            moved, _opened = wrap_below(self._stores.vault, above, found[where], Kind.SESSION, aside)

            def move(connection: Connection, above: Opened = above, moved: Node = moved) -> bool:
                if sql.lock_version(connection, above.id) != above.version:
                    return False
                return sql.move_node(connection, moved, where)

            if self._store.write(move):
                return
        raise KeyringOutdatedError("the keyring changes faster than a key can be moved", hint="try again")
