"""A transcript as a queue of active and archived messages, which can be replaced: what chat stores ask for.

Messages stay where they are. One record beside them says from which seq on they count, and up to which they
are archived; it changes in the transaction that adds what replaces the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from vault.adapters.facing import passing_over, whose
from vault.chat.records import ABSENT, plain
from vault.core import Core
from vault.errors import RevisionError, StoreUnavailableError, TamperedError, UserForgottenError
from vault.messages import Message, check_id, check_namespace

Status = Literal["active", "archived"]
T = TypeVar("T")

_COLLECTION, _KEY = "queue", "places"
_ARCHIVED = "archived"  # in the metadata of a message that was added as such
_RACES = 50


@dataclass(frozen=True, slots=True)
class _Places:
    """Messages count from the seq `start` on; those before `archived` are archived."""

    start: int = 0
    archived: int = 0
    revision: int = ABSENT

    def status(self, message: Message) -> Status:
        """Tell whether a message is archived."""
        is_archived = (message.seq or 0) < self.archived or message.metadata.get(_ARCHIVED) is True
        return "archived" if is_archived else "active"


class Queue:
    """The queues of a user, by session. Its methods run on the core of either face."""

    def __init__(self, core: Core, user_id: str | None, namespace: str, *, user_from_session: bool) -> None:
        self._core = core
        whose(user_id, "", user_from_session=user_from_session)
        self._user_id = None if user_id is None else check_id(user_id, "user id")
        self._namespace = check_namespace(namespace)

    def read(self, key: str, status: Status | None) -> list[Message]:
        """Give the messages of a status, or all of them, in order."""
        places, found = self._look(key)
        return [message for message in found if status is None or places.status(message) == status]

    def add(self, key: str, messages: Sequence[Message], status: Status | None) -> None:
        """Add messages, all or none."""
        self._core.extend(self._user(key), key, self._namespace, _marked(messages, status), None)

    def replace(self, key: str, messages: Sequence[Message], status: Status | None) -> None:
        """Put messages in the place of all others, in one transaction; then remove the others' rows."""

        def work() -> int:
            places, found = self._look(key)
            start = 1 + max((message.seq or 0 for message in found), default=places.start - 1)
            self._put(key, _Places(start, start, places.revision), _marked(messages, status))
            return start

        self._sweep(key, self._again(work))

    def take_at(self, key: str, at: int) -> list[Message]:
        """Remove the active message at a place, and give it."""
        active = self.read(key, "active")
        return self._take(key, [active[at]] if -len(active) <= at < len(active) else [])

    def take_oldest(self, key: str, count: int) -> list[Message]:
        """Remove the oldest active messages, and give them."""
        return self._take(key, self.read(key, "active")[: max(0, count)])

    def archive(self, key: str, count: int) -> list[Message]:
        """Archive the oldest active messages, and give them."""

        def work() -> list[Message]:
            places, found = self._look(key)
            active = [message for message in found if places.status(message) == "active"]
            oldest = active[: max(0, count)]
            if oldest:
                self._put(key, _Places(places.start, 1 + (oldest[-1].seq or 0), places.revision))
            return oldest

        return self._again(work)

    def delete(self, key: str, status: Status | None) -> None:
        """Erase the session, or remove the messages of a status."""
        if status is None:
            self._core.requests.delete(self._user(key), key)
        else:
            self._take(key, self.read(key, status))

    def keys(self) -> list[str]:
        """Give the sessions in which a message is."""
        if self._user_id is not None:
            return [one.session_id for one in self._core.lister.sessions(self._user_id) if one.messages]
        found: list[str] = []
        after: int | None = 0
        while after is not None:
            users, after = self._core.lister.users_page(after)
            for user in users:
                with passing_over(UserForgottenError):
                    theirs = [one for one in self._core.lister.sessions(user) if one.messages]
                    found += [user for one in theirs if one.session_id == user]
        return found

    def _user(self, key: str) -> str:
        check_id(key, "key")
        return key if self._user_id is None else self._user_id

    def _look(self, key: str) -> tuple[_Places, list[Message]]:
        """Read what counts: the messages, between two looks at where they begin."""
        user, before = self._user(key), self._places(key)
        for _ in range(_RACES):
            found = self._core.messages(user, key, last=None, before=None, reveal=False, purpose="")
            places = self._places(key)
            if places == before:
                return places, [message for message in found if (message.seq or 0) >= places.start]
            before = places
        raise StoreUnavailableError("too many writers for one session", hint="try again")

    def _places(self, key: str) -> _Places:
        for record in self._core.records.read(self._user(key), key, _COLLECTION, keys=[_KEY]):
            match record.value:
                case {"start": int() as start, "archived": int() as archived}:
                    return _Places(start, archived, record.revision)
            raise TamperedError("what says where a queue begins is of no known form")
        return _Places()

    def _put(self, key: str, places: _Places, messages: Sequence[Message] = ()) -> None:
        value = {"start": places.start, "archived": places.archived}
        put = plain(_COLLECTION, _KEY, value, revision=places.revision)
        self._core.keep(self._user(key), key, self._namespace, [put], (), messages)

    def _take(self, key: str, messages: Sequence[Message]) -> list[Message]:
        seqs = {message.seq for message in messages if message.seq is not None}
        return self._core.remover.take(self._user(key), key, seqs)

    def _sweep(self, key: str, start: int) -> None:
        """Remove what no longer counts. Whatever stays behind in a crash goes with the next replacement."""
        gone = self._core.messages(self._user(key), key, last=None, before=start, reveal=False, purpose="")
        self._take(key, gone)

    def _again(self, work: Callable[[], T]) -> T:
        for _ in range(_RACES):
            try:
                return work()
            except RevisionError:
                self._core.stores.runtime.pause(0)
        raise StoreUnavailableError("too many writers for one session", hint="try again")


def _marked(messages: Sequence[Message], status: Status | None) -> list[Message]:
    if status != "archived":
        return list(messages)
    return [Message(one.role, one.content, {_ARCHIVED: True}, one.extra) for one in messages]
