"""The state that ADK's sessions share: a user's, which is erased with them, and the app's, which is nobody's.

It lies beside no session's events, so no one transaction writes both. What an event changes of it is written
down with the event first, and then where it belongs; whoever comes to the session after a crash in between
completes it (P8), unless somebody has written there since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from vault.chat.records import ABSENT, Put, Record, plain
from vault.core import Core
from vault.errors import InputError, RevisionError
from vault.messages import check_id

APP = "app:"  # what the app's own state belongs to: no user's id may begin so
_USER = "user:"
_SHARED = "state"

Shared = dict[str, dict[str, Any]]  # by prefix


class SharedState:
    """What sessions share, by app. Its methods run on the core of either face."""

    def __init__(self, core: Core, namespace: str | None) -> None:
        self._core = core
        self._namespace = namespace

    def read(self, app: str, owner: str) -> dict[str, Any]:
        """Give the state of a user, or of the app."""
        return dict(_named(one) for one in self._records(app, owner))

    def waiting(self, app: str, user: str, shared: Shared) -> dict[str, Any]:
        """Give what is written down with an event: what it changes, and which revisions that had before.

        Where one of them was forgotten, nothing is written.
        """
        if not any(shared.values()):
            return {}
        seen = []
        for prefix, owner in _owners(app, user):
            now = {one.key: one.revision for one in self._records(app, owner)} if shared[prefix] else {}
            seen += [now.get(_name(key), ABSENT) for key in shared[prefix]]
        return {"shared": shared, "seen": seen}

    def write(self, app: str, user: str, shared: Shared) -> None:
        """Write it where it belongs."""
        for prefix, owner in _owners(app, user):
            self._keep(app, owner, [_put(key, value) for key, value in shared[prefix].items()])

    def complete(self, app: str, user: str, record: Record) -> None:
        """Write what a session's last event changed and a crash left undone."""
        shared: Shared = record.value.get("shared") or {}
        seen = iter(record.value.get("seen") or ())
        for prefix, owner in _owners(app, user):
            left = [(key, value, next(seen)) for key, value in shared.get(prefix, {}).items()]
            while left:
                now = {one.key: one.revision for one in self._records(app, owner)}
                left = [one for one in left if now.get(_name(one[0]), ABSENT) == one[2]]
                try:
                    self._keep(app, owner, [_put(key, value, was) for key, value, was in left])
                except RevisionError:
                    continue  # somebody has written this very moment: what they wrote stays
                break

    def _records(self, app: str, owner: str) -> Sequence[Record]:
        return self._core.records.read(owner, shared_place(app), _SHARED)

    def _keep(self, app: str, owner: str, puts: Sequence[Put]) -> None:
        if puts:
            namespace = app if self._namespace is None else self._namespace
            self._core.keep(owner, shared_place(app), namespace, puts)


def user_of(user: str) -> str:
    """Check the id of a user."""
    if check_id(user, "user id").startswith(APP):
        raise InputError(f"a user id does not begin with {APP}: that is where the app's own state is")
    return user


def shared_place(app: str) -> str:
    """Give where the state is that sessions share: no session has an empty id."""
    if ":" in check_id(app, "app name"):
        raise InputError("an app name has no colon")
    return f"{app}:"


def _owners(app: str, user: str) -> list[tuple[str, str]]:
    return [(_USER, user_of(user)), (APP, check_id(APP + app, "app name"))]


def _name(key: str) -> str:
    """Give the name of a key's record: itself, or its hash where no record can have such a name."""
    with suppress(InputError):
        return check_id(key, "key")
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _put(key: str, value: object, revision: int | None = None) -> Put:
    name = _name(key)
    return plain(_SHARED, name, value if name == key else {key: value}, revision=revision)


def _named(record: Record) -> tuple[str, Any]:
    """Give a record's key and value: with a name that is the hash of the key in it, that one."""
    match record.value:
        case dict() as held if len(held) == 1:
            [(key, value)] = held.items()
            if key != record.key and _name(key) == record.key:
                return key, value
    return record.key, record.value
