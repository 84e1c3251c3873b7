"""Facts from the databases: what there is, summed up by session, chapter, role and a unit of time.

Epochs that can't be due by their own dates are not looked at. What other rules put into the vault is looked
at every time: nothing is known of its dates.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from vault.chat.chapter import Chapter, chapter_key, check_seal, make_chapter
from vault.chat.profile import Profile, open_name, open_profile
from vault.clock import DAY
from vault.crypto.envelope import Cipher
from vault.crypto.tree import Kind, Opened, slot
from vault.errors import TamperedError
from vault.keys.doubt import beyond_doubt
from vault.keys.many import ManyKeys, user_path
from vault.keys.ring import Keyring
from vault.keys.slots import hidden_slot
from vault.messages import unpack
from vault.retention.classes import Classes, labels_of, plain_name
from vault.retention.deciding import Fact, span_of
from vault.retention.durations import HOUR
from vault.retention.policy import Part
from vault.storage import grouping
from vault.storage import retention as sql
from vault.storage.keyring import nodes_by_id
from vault.storage.retention import ChapterAt, Group, RecordAt, RowAt, SessionAt
from vault.storage.schema import State
from vault.storage.stores import Stores
from vault.storage.transcripts import EpochRow, all_epochs

PAGE = 200  # sessions that are looked at in one go
_LABELS = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One session, as a look found it: its chapters, and its messages and records in groups.

    `started` and `last` are of its messages; `touched` is when the last record was put, if that is later:
    records go by it where a rule counts from the last message, since they may stand alone, or be put later.
    """

    session: SessionAt
    chapters: Mapping[int, ChapterAt]
    groups: Sequence[Group]
    started: int
    last: int
    touched: int

    def fact(self, group: Group, part: Part = Part.BODY) -> Fact:
        """Give a group as deciding takes it."""
        is_body = part is Part.BODY
        number = group.chapter if is_body else group.originals_chapter
        chapter = self.chapters.get(-1 if number is None else number)
        if chapter is None:
            raise edited(self.session.id, "a message has lost its chapter")
        if chapter.anchor is not None:
            first, after = span_of(chapter.anchor)
            if not first <= group.oldest <= group.newest < after:
                raise edited(self.session.id, "a message stands in an epoch that its date does not lie in")
        return Fact(
            user=self.session.user_node,
            session=self.session.node,
            namespace=self.session.namespace,
            role=group.role,
            messages=group.messages,
            bytes=group.bytes if is_body else group.originals_bytes,
            oldest=group.oldest,
            newest=group.newest,
            session_start=min(self.started, group.oldest),
            last_activity=self.touched if group.records else self.last,
            labels=group.labels,
            part=part,
            class_name=plain_name(chapter.class_name),
            anchor=chapter.anchor if chapter.depends else None,
            records=group.records,
        )


class Facts:
    """Looks at sessions, and opens what has to be opened for it."""

    def __init__(
        self,
        stores: Stores,
        keyring: Keyring,
        classes: Classes,
        *,
        by_role: bool = False,
        hidden: bool = False,
    ) -> None:
        self._hidden = hidden
        self._stores = stores
        self._keyring = keyring
        self.vault = stores.vault
        self.many = ManyKeys(stores, keyring)
        self.classes = classes
        # Half as many groups where no rule tells roles apart; whoever explains shows them all the same.
        self.by_role = by_role or any(rule.match.roles for rule in classes.policies.rules)
        units = {rule.unit(part) for rule in classes.policies.rules for part in Part}
        self.unit = HOUR if HOUR in units else DAY

    # -- where to look ----------------------------------------------------------------------------------

    def candidates(
        self, now: int, user: bytes | None = None
    ) -> tuple[array[int], array[int], list[EpochRow], list[EpochRow]]:
        """Give the sessions in which something may be due, and the epochs: where it may, and where not.

        After those sessions come others, of which only what was said last says that nothing is.
        """
        store = self._stores.transcripts
        epochs = store.read(all_epochs)
        gone = [one.id for one in epochs if one.state == State.GONE]
        back = store.read(lambda c: sql.epochs_back(c, gone)) if gone else set()
        due: list[EpochRow] = []
        later: list[EpochRow] = []
        for one in epochs:
            (later if one.id not in back and self._is_later(one, now) else due).append(one)

        def look(connection: Connection) -> tuple[array[int], array[int]]:
            if user is not None:
                return array("q", sql.sessions_of_user(connection, user)), array("q")
            found, going_on = set(sql.sessions_in(connection, [one.id for one in due])), set()
            for session, state, name, first, last in sql.sessions_alone(connection):
                if first is None or state != State.LIVE or self.classes.due_after(name, first, last) <= now:
                    found.add(session)
                elif max(first, last or first) > now:
                    found.add(session)  # nothing is said in the future: this is to be proven
                elif self.classes.due_after(name, first) <= now:
                    going_on.add(session)
            return array("q", sorted(found)), array("q", sorted(going_on - found))

        return (*store.snapshot(look), due, later)

    def _is_later(self, epoch: EpochRow, now: int) -> bool:
        if epoch.state == State.CLOSED:
            return False
        return self.classes.epoch_due_after(epoch.class_name, epoch.anchor) > now

    # -- looking ----------------------------------------------------------------------------------------

    def pages(self, ids: Sequence[int]) -> Iterator[list[Seen]]:
        """Look at sessions page by page."""
        for start in range(0, len(ids), PAGE):
            page = list(ids[start : start + PAGE])
            yield self._stores.transcripts.snapshot(lambda connection, page=page: self.look(connection, page))  # type: ignore[misc]

    def look(self, connection: Connection, ids: Sequence[int], *, lock: bool = False) -> list[Seen]:
        """Look at some sessions; locked, so that what was seen stays so for the transaction."""
        sessions = self.living(connection, ids, lock=lock)
        chapters: defaultdict[int, dict[int, ChapterAt]] = defaultdict(dict)
        for chapter in sql.chapters_in(connection, list(sessions)):
            chapters[chapter.session][chapter.id] = chapter
        groups: defaultdict[int, list[Group]] = defaultdict(list)
        for group in self._groups(connection, sessions, chapters):
            groups[group.session].append(group)
        known = self._profiles(sessions)
        return [
            _seen(session, chapters[number], groups[number], known.get(number))
            for number, session in sessions.items()
        ]

    def living(
        self, connection: Connection, ids: Sequence[int], *, lock: bool = False
    ) -> dict[int, SessionAt]:
        """Give those of some sessions that nobody is erasing, and where it counts those that are hidden."""
        return sql.living_sessions(connection, ids, lock=lock, hidden=self._hidden)

    def _profiles(self, sessions: Mapping[int, SessionAt]) -> dict[int, Profile]:
        """Open what says when sessions began or ended of which a part is erased, where that counts."""
        asks = self.classes.asks_start or self.classes.asks_last
        changed = [one for one in sessions.values() if one.is_remainder or (asks and one.rev)]
        keys = self.session_keys(changed)
        return {one.id: self.profile(one, keys[one.id]) for one in changed if one.id in keys}

    def _groups(
        self,
        connection: Connection,
        sessions: Mapping[int, SessionAt],
        chapters: Mapping[int, Mapping[int, ChapterAt]],
    ) -> Iterator[Group]:
        yield from grouping.record_groups_in(connection, list(sessions), self.unit)
        if not self.classes.labels:
            yield from grouping.groups_in(connection, list(sessions), self.unit, by_role=self.by_role)
            return
        opened = self.open_chapters(sessions.values(), chapters)
        for session in sessions:
            sums: dict[tuple[object, ...], Group] = {}
            for row in sql.rows_in(connection, session):
                key, one = self.key_of(row, opened), _single(row)
                known = sums.get(key)
                sums[key] = (
                    replace(one, labels=self.labels_of(row, opened)) if known is None else _sum(known, one)
                )
            yield from sums.values()

    def key_of(self, row: RowAt, opened: Mapping[int, Chapter]) -> tuple[object, ...]:
        """Give what tells a message's group from the others."""
        bucket = grouping.bucket_of(row.created_at, self.unit)
        return row.chapter, row.originals_chapter, self._role(row.role), bucket, self.labels_of(row, opened)

    def key_of_group(self, group: Group) -> tuple[object, ...]:
        """Give the same for a group."""
        bucket = grouping.bucket_of(group.oldest, self.unit)
        return group.chapter, group.originals_chapter, self._role(group.role), bucket, group.labels

    def key_of_record(self, row: RecordAt) -> tuple[object, ...]:
        """Give the same for a record."""
        return row.chapter, None, self._role(row.role), grouping.bucket_of(row.created_at, self.unit), ()

    def _role(self, role: str) -> str:
        return role if self.by_role else ""

    def labels_of(self, row: RowAt, opened: Mapping[int, Chapter]) -> _LABELS:
        """Open a body for the fields of its metadata that some rule asks for."""
        chapter = opened.get(row.chapter) if self.classes.labels else None
        if chapter is None:  # nobody asks, or the key is erased already
            return ()
        try:
            said = unpack(chapter.cipher.open(row.body, chapter.aad(row.seq, row.role, row.created_at)))
        except TamperedError:
            raise edited(row.session, "a message was edited, or moved to where it is") from None
        return labels_of(said.metadata or {}, self.classes.policies)

    def own_keys(self, page: Iterable[Seen]) -> dict[int, bytes | None]:
        """Give the nodes of the own keys, if any, of chapters whose rows still tie them to an erased epoch.

        An older copy of the transcripts brought them back. Without a key nothing can be read of them.
        """
        loose = [
            (seen.session, chapter)
            for seen in page
            for chapter in seen.chapters.values()
            if chapter.depends and chapter.epoch_state == State.GONE
        ]
        keys = self.session_keys({session.id: session for session, _ in loose}.values())
        tied = [(session, chapter) for session, chapter in loose if session.id in keys]
        own = self.many.find_chapters(
            (session.user_slot, keys[session.id], [chapter.place]) for session, chapter in tied
        )
        found = {chapter.id: own.get((keys[session.id], chapter.place)) for session, chapter in tied}
        return {number: None if node is None else node.id for number, node in found.items()}

    def dead_chapters(self, page: Sequence[Seen]) -> set[int]:
        """Give the chapters whose keys are erased, those of erased epochs and those that had their own."""
        dead = {number for number, node in self.own_keys(page).items() if node is None}
        every = (chapter for seen in page for chapter in seen.chapters.values())
        return dead | {one.id for one in every if not one.depends and one.state == State.GONE}

    def check_erased(self, session: SessionAt, key: bytes, chapter: ChapterAt) -> None:
        """Accuse where a chapter has no key, and the vault erased none, or the session never had it (P2)."""
        with naming(session.id):
            if not self.is_erased(chapter.node or chapter.place):
                raise TamperedError("an epoch or chapter was edited, or the keyring is older than it")
            check_seal(chapter.seal, key, session.node, chapter.place)

    def check_dead(self, session: SessionAt, key: bytes, chapter: ChapterAt) -> None:
        """Accuse where rows stand in a chapter without a key, and retention has not erased them there (P2).

        An older copy of the transcripts may have brought them back; its ledger knows nothing of it then.
        """
        self.check_erased(session, key, chapter)
        profile = self.profile(session, key)
        with naming(session.id):
            profile.check_not_emptied(chapter.place)

    def is_erased(self, node: bytes) -> bool:
        """Say whether the vault erased a node."""
        read = self._stores.keyring.read
        return read(lambda connection: self._keyring.records.of(connection, node)) is not None

    # -- opening ----------------------------------------------------------------------------------------

    def session_keys(self, sessions: Iterable[SessionAt]) -> dict[int, bytes]:
        """Give the keys of those sessions, by row, that are alive; accuse where one lives elsewhere (P4)."""
        rows = {one.id: one for one in sessions}
        found = self._found_keys(rows)
        lost = {number: one for number, one in rows.items() if number not in found}
        if lost:
            alive = self._stores.keyring.read(lambda c: nodes_by_id(c, {one.node for one in lost.values()}))
            lost = {number: one for number, one in lost.items() if one.node in alive}
        if lost:  # a key may have come, or have moved to where a hold hides it, between the looks
            beyond_doubt(self._stores, lambda: found.update(self._found_after_all(lost)))
        return found

    def _found_after_all(self, lost: Mapping[int, SessionAt]) -> dict[int, bytes]:
        found = self._found_keys(lost)
        nodes = {one.node: number for number, one in lost.items() if number not in found}
        alive = self._stores.keyring.read(lambda connection: nodes_by_id(connection, nodes)) if nodes else {}
        for node in alive:
            raise edited(nodes[node], "a session's row was edited, or its user's, or where its key lies")
        return found

    def _found_keys(self, rows: Mapping[int, SessionAt]) -> dict[int, bytes]:
        named = self._lying({number: slot(Kind.SESSION, one.slot) for number, one in rows.items()}, rows)
        mine = {number: one for number, one in named.items() if one.id == rows[number].node}
        # What is hidden lies beside. In older transcripts its row doesn't say so; the name may be another's.
        beside = {number: hidden_slot(one.node) for number, one in rows.items() if number not in mine}
        hidden = self._lying(beside, rows)
        mine |= {number: one for number, one in hidden.items() if one.id == rows[number].node}
        for number in sorted(named.keys() - mine.keys()):
            if rows[number].state != State.HIDDEN:
                raise edited(number, "a session's row was edited")
        return {number: one.key for number, one in mine.items()}

    def _lying(self, places: Mapping[int, bytes], rows: Mapping[int, SessionAt]) -> dict[int, Opened]:
        """Give what lies in some slots below the users of sessions, by row."""
        if not places:
            return {}
        ways = {number: [*user_path(rows[number].user_slot), where] for number, where in places.items()}
        found = self.many.find_below(list(ways.values()))
        lying = {}
        for number, (*_, user, where) in ways.items():
            if user in found and where in found:
                if found[user].id != rows[number].user_node:
                    raise edited(number, "a session's row was edited")
                lying[number] = found[where]
        return lying

    def profile(self, session: SessionAt, key: bytes | Cipher) -> Profile:
        """Open what is sealed in a session's row."""
        try:
            profile = open_profile(session.profile, self.vault, session.node, key, session.rev)
        except TamperedError:
            raise edited(session.id, "a session's profile was edited, or its revision") from None
        if profile.namespace != session.namespace:
            raise edited(session.id, "a session's namespace was edited")
        return profile

    def names(self, session: SessionAt, key: bytes) -> tuple[str, str] | None:
        """Open the names of a session's user and of the session, by which chapters are made."""
        where = slot(Kind.SECRET, session.user_slot)
        secret = self.many.find([[*user_path(session.user_slot), where]]).get(where)
        if secret is None:
            return None
        user = open_name(session.user_name, self.vault, session.user_node, b"", secret.key)
        own = open_name(session.name, self.vault, session.node, session.user_node, key)
        return (user, own) if user and own else None

    def epoch_keys(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Opened]:
        """Give the keys of those epochs that are alive, by class and anchor."""
        where = {place: self._keyring.epoch_slot(*place) for place in places}
        found = self.many.find([[slot(Kind.EPOCHS), one] for one in where.values()]) if where else {}
        return {place: found[one] for place, one in where.items() if one in found}

    def chapter_keys(
        self,
        sessions: Mapping[int, SessionAt],
        keys: Mapping[int, bytes],
        chapters: Iterable[ChapterAt],
    ) -> dict[int, bytes]:
        """Give the keys of those chapters that are alive."""
        listed = [one for one in chapters if one.session in keys]
        epochs = self.epoch_keys((one.class_name, one.anchor) for one in listed if one.anchor is not None)
        found: dict[int, bytes] = {}
        alone: defaultdict[int, list[ChapterAt]] = defaultdict(list)
        for one in listed:
            epoch = None if one.anchor is None else epochs.get((one.class_name, one.anchor))
            session = sessions[one.session]
            if epoch is not None and epoch.id == one.epoch_node:
                found[one.id] = chapter_key(keys[one.session], epoch.key, session.node, epoch.id)
            else:
                alone[one.session].append(one)
        own = self.many.find_chapters(
            (sessions[number].user_slot, keys[number], [one.place for one in these])
            for number, these in alone.items()
        )
        for number, these in alone.items():
            for one in these:
                kept = own.get((keys[number], one.place))
                if kept is not None:
                    found[one.id] = kept.key
        return found

    def open_chapters(
        self, sessions: Iterable[SessionAt], chapters: Mapping[int, Mapping[int, ChapterAt]]
    ) -> dict[int, Chapter]:
        """Open all chapters of some sessions whose keys are alive."""
        by_id = {one.id: one for one in sessions}
        listed = [one for number in by_id for one in chapters.get(number, {}).values()]
        keys = self.chapter_keys(by_id, self.session_keys(by_id.values()), listed)
        return {
            one.id: make_chapter(one.id, self.vault, by_id[one.session].node, one.place, keys[one.id])
            for one in listed
            if one.id in keys
        }


def edited(session: int, what: str) -> TamperedError:
    """Say where something was edited: by the number of a session's row, which tells nobody whose it is.

    One such row stops a run for everybody, so who is to mend it must find it.
    """
    return TamperedError(
        f"{what}: sessions.id {session} of the transcripts",
        hint="put the rows of that session back from a backup, or forget or delete it: until then no run goes"
        " past it. Reading it fails likewise; vault doctor looks at all else",
    )


@contextmanager
def naming(session: int) -> Iterator[None]:
    """Say of what is accused within where it was edited."""
    try:
        yield
    except TamperedError as error:
        raise edited(session, str(error)) from None


def _seen(
    session: SessionAt, chapters: Mapping[int, ChapterAt], groups: Sequence[Group], known: Profile | None
) -> Seen:
    said = [one for one in groups if not one.records] or groups
    began = [] if known is None or known.started is None else [known.started]
    ended, touched = ([], []) if known is None or known.last is None else ([known.last[0]], [known.last[1]])
    last = max([one.newest for one in said] + ended, default=0)
    return Seen(
        session,
        chapters,
        groups,
        min([one.oldest for one in said] + began, default=0),
        last,
        max([one.newest for one in groups] + touched, default=last),
    )


def _single(row: RowAt) -> Group:
    size = 0 if row.originals is None else len(row.originals)
    at, seq = row.created_at, row.seq
    return Group(
        row.session, row.chapter, row.originals_chapter, row.role, 1, len(row.body), size, at, at, seq, seq
    )


def _sum(group: Group, one: Group) -> Group:
    return replace(
        group,
        messages=group.messages + 1,
        bytes=group.bytes + one.bytes,
        originals_bytes=group.originals_bytes + one.originals_bytes,
        oldest=min(group.oldest, one.oldest),
        newest=max(group.newest, one.newest),
        first=min(group.first, one.first),
        last=max(group.last, one.last),
    )
