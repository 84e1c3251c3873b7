"""`Vault` and its `Transcript`: what an app holds. vault/aio.py has the same nouns and verbs, awaited."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from vault.clock import Clock, system_clock
from vault.core import (
    UNSAID,
    Core,
    Opening,
    Unsaid,
    many_messages,
    one_message,
)
from vault.evidence.certificate import Certificate
from vault.listing import SessionSummary
from vault.messages import Content, Message, Messages, check_id, check_ids, check_namespace
from vault.redaction import Redactor
from vault.requests import Footprint
from vault.status import KeysStatus
from vault.storage.engine import Blocking
from vault.transfer.backup import back_up
from vault.transfer.drill import Drill, Exercise, drill
from vault.transfer.manifest import Manifest
from vault.transfer.restore import Restored, Target, restore


class Vault:
    """An encrypted transcript vault. Make one with `Vault.open`; share it between threads; close it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @classmethod
    def open(  # noqa: PLR0913 (one for each setting)
        cls,
        where: str | os.PathLike[str] | None = None,
        *,
        keyring: str | None = None,
        root: str | None = None,
        redactor: Redactor | Unsaid | None = UNSAID,
        horizon: str | None = None,
        limit: int | None = None,
        clock: Clock = system_clock,
        create: bool = True,
    ) -> Self:
        """Open a directory, or the URL of transcripts with keyring= and root=; make what is new."""
        given = Opening(
            where=where,
            keyring=keyring,
            root=root,
            redactor=redactor,
            horizon=horizon,
            limit=limit,
            clock=clock,
            create=create,
        )
        return cls(Core(given, Blocking(), is_async=False))

    def close(self) -> None:
        """Close the connections. What was acknowledged is durable already."""
        self._core.stores.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- using ------------------------------------------------------------------------------------------

    def transcript(self, user_id: str, session_id: str, *, namespace: str = "") -> Transcript:
        """Give the transcript of a session. Nothing is made or looked up yet."""
        return Transcript(self._core, *check_ids(user_id, session_id), check_namespace(namespace))

    def users(self) -> Iterator[str]:
        """Give the ids of all users, in the order of their first message."""
        after: int | None = 0
        while after is not None:
            page, after = self._core.lister.users_page(after)
            yield from page

    def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give a user's sessions, in the order of their beginning."""
        return self._core.lister.sessions(check_id(user_id, "user id"))

    def footprint(self, user_id: str, session_id: str | None = None) -> Footprint:
        """Count what forgetting a user, or one session of theirs, would take; change nothing."""
        return self._core.requests.footprint(user_id, session_id)

    # -- forgetting -------------------------------------------------------------------------------------

    def forget_user(
        self, user_id: str, *, reason: str = "", actor: str = "", now: bool = False
    ) -> Certificate:
        """Erase a user for good, in every copy that was ever taken.

        The certificate is provisional until the horizon has passed; `now=True` cuts that short. Asked again,
        it gives the same certificate, as far as it has come.
        """
        return self.forget_users([user_id], reason=reason, actor=actor, now=now)[0]

    def forget_users(
        self, user_ids: Iterable[str], *, reason: str = "", actor: str = "", now: bool = False
    ) -> list[Certificate]:
        """Erase many users with one change of the root."""
        return self._core.requests.forget_users(user_ids, reason=reason, actor=actor, now=now)

    def forget_session(
        self, user_id: str, session_id: str, *, reason: str = "", actor: str = "", now: bool = False
    ) -> Certificate:
        """Erase one session for good."""
        return self._core.requests.forget_session(user_id, session_id, reason=reason, actor=actor, now=now)

    def enroll(self, user_id: str, session_id: str | None = None) -> None:
        """Let a user, or a session, that was forgotten start anew. What was erased stays erased."""
        self._core.requests.enroll(user_id, session_id)

    def certificates(self) -> list[Certificate]:
        """Give the certificates of all erasures, as far as each has come."""
        return self._core.requests.certificates()

    # -- keys -------------------------------------------------------------------------------------------

    def keys_status(self) -> KeysStatus:
        """Say how the root and the keyring stand."""
        return self._core.status()

    def destroy_due(self, *, now: bool = False) -> list[Certificate]:
        """Destroy the old root generations that are due, or all; give the certificates that became final."""
        return self._core.swapper.destroy_due(cut_short=now)

    def adopt(self) -> None:
        """Make this keyring, a copy or one that was moved, the holder of its root."""
        self._core.adopt()

    # -- backups ----------------------------------------------------------------------------------------

    def backup(self, destination: str | os.PathLike[str]) -> Manifest:
        """Copy transcripts and keyring, while they are in use, into a new directory. The root is left out."""
        return back_up(self._core.stores, self._core.keyring, destination)

    @classmethod
    def restore(  # noqa: PLR0913 (one for each setting)
        cls,
        backup: str | os.PathLike[str],
        where: str | os.PathLike[str] | None = None,
        *,
        keyring: str | None = None,
        root: str | None = None,
        horizon: str | None = None,
        replace: Collection[str] = (),
        clock: Clock = system_clock,
    ) -> Restored:
        """Put a backup back: fill what is empty, keep what holds something unless `replace` names it.

        Keep the present keyring where there is one: it knows who was forgotten since and whose keys are new.
        No process may have the vault open meanwhile.
        """
        target = Target(
            where=where,
            keyring=keyring,
            root=root,
            horizon=horizon,
            replace=replace,
            clock=clock,
            runtime=Blocking(),
            is_async=False,
        )
        return restore(backup, target)

    @classmethod
    def drill(
        cls,
        backup: str | os.PathLike[str],
        where: str | os.PathLike[str] | None = None,
        *,
        root: str | None = None,
        sample: int | None = 20,
        clock: Clock = system_clock,
    ) -> Drill:
        """Show that a backup can be restored, in a temporary copy: nothing else is touched.

        Every user's name is opened, and the last `sample` messages of `sample` sessions; None reads all.
        """
        given = Exercise(
            where=where, root=root, sample=sample, clock=clock, runtime=Blocking(), is_async=False
        )
        return drill(backup, given)


class Transcript:
    """The messages of one session of one user."""

    __slots__ = ("_core", "_namespace", "session_id", "user_id")

    def __init__(self, core: Core, user_id: str, session_id: str, namespace: str) -> None:
        self._core = core
        self._namespace = namespace
        self.user_id = user_id
        self.session_id = session_id

    def append(
        self,
        message: str | Message | Mapping[str, Any],
        content: Content | Unsaid = UNSAID,
        *,
        metadata: dict[str, Any] | None = None,
        created_at: datetime | None = None,
        key: str | None = None,
    ) -> Message:
        """Add one message: a role and content, a dict, or a Message. It is durable when this returns.

        With `key`, saying the same again in this session adds nothing and gives the first message.
        """
        one = one_message(message, content, metadata, created_at)
        return self._core.extend(self.user_id, self.session_id, self._namespace, [one], key)[0]

    def extend(
        self, messages: Iterable[Message | Mapping[str, Any]], *, key: str | None = None
    ) -> list[Message]:
        """Add many messages, all or none."""
        many = many_messages(messages)
        return self._core.extend(self.user_id, self.session_id, self._namespace, many, key)

    def messages(self, *, last: int | None = None, before: int | None = None) -> Messages:
        """Give the messages in order: all, the `last` ones, or those `before` a seq."""
        return self._core.reader.messages(self.user_id, self.session_id, last=last, before=before)

    def pop(self) -> Message | None:
        """Remove the last message and give it. Its row is deleted, which is no erasure from old copies."""
        return self._core.remover.pop(self.user_id, self.session_id)

    def clear(self) -> None:
        """Start the session anew: its messages are erased, its name stays."""
        self._core.requests.clear(self.user_id, self.session_id, self._namespace)

    def delete(self) -> None:
        """Erase the session. Its id may be used again."""
        self._core.requests.delete(self.user_id, self.session_id)
