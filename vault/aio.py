"""`AsyncVault` and `AsyncTranscript`: the very same implementation, run in a greenlet over async drivers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self

from vault.aio_transcript import AsyncTranscript
from vault.clock import Clock, system_clock
from vault.core import Core
from vault.errors import MissingExtraError
from vault.evidence.audit import Verified
from vault.evidence.certificate import Certificate
from vault.holding import Hold
from vault.listing import SessionSummary
from vault.logs import PAGE, Consistency, LogEntry
from vault.messages import check_id, check_ids, check_namespace
from vault.opening import Opening, PolicyPaths
from vault.queue import Queued
from vault.redaction import Redactor, SessionRedactor
from vault.redaction.result import RedactedText
from vault.requests import Footprint
from vault.saying import UNSAID, Asking, Unsaid
from vault.status import KeysStatus
from vault.transfer.backup import back_up
from vault.transfer.drill import Drill, Exercise, drill
from vault.transfer.exporting import Exported, Wish, export
from vault.transfer.importing import Imported, Order, import_from
from vault.transfer.manifest import Manifest
from vault.transfer.restore import Restored, Target, restore
from vault.waiting import Waiting, run_spawned

if TYPE_CHECKING:
    from vault.reporting.report import Report
    from vault.retention.explaining import Explained
    from vault.retention.report import RunResult


class AsyncVault:
    """`Vault`, awaited. It belongs to one event loop; use it as an async context manager."""

    def __init__(self, core: Core, runtime: Waiting) -> None:
        self._core = core
        self._runtime = runtime

    @classmethod
    async def open(  # noqa: PLR0913 (one for each setting)
        cls,
        where: str | os.PathLike[str] | None = None,
        *,
        keyring: str | None = None,
        root: str | None = None,
        redactor: Redactor | SessionRedactor | Unsaid | None = UNSAID,
        horizon: str | None = None,
        limit: int | None = None,
        policies: PolicyPaths | None = None,
        clock: Clock = system_clock,
        create: bool = True,
    ) -> Self:
        """Open a directory, or the URL of transcripts with keyring= and root=; make what is new.

        `policies` is a YAML file, a list of them or a directory of *.yaml. They are read once, here.
        """
        given = Opening(
            where=where,
            keyring=keyring,
            root=root,
            redactor=redactor,
            horizon=horizon,
            limit=limit,
            policies=policies,
            clock=clock,
            create=create,
        )
        runtime = Waiting()
        try:
            return cls(await run_spawned(Core, given, runtime, is_async=True), runtime)
        except ImportError as missing:
            raise MissingExtraError(missing.name or "greenlet", "async") from None

    async def close(self) -> None:
        """Close the connections. What was acknowledged is durable already."""
        await self._runtime.finish(self._core.stores.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def transcript(self, user_id: str, session_id: str, *, namespace: str = "") -> AsyncTranscript:
        """Give the transcript of a session. Nothing is made or looked up yet."""
        ids = check_ids(user_id, session_id)
        return AsyncTranscript(self._core, self._runtime, *ids, check_namespace(namespace))

    def wrap(  # noqa: PLR0913 (what can be said of a memory)
        self,
        memory: object,
        *,
        user_id: str,
        session_id: str | None = None,
        namespace: str = "",
        mode: str = "seal",
        adopt: bool = False,
        trims: bool | None = None,
        add: str = "",
        read: str = "",
        clear: str = "",
        replace: str = "",
        keep: Collection[str] = (),
    ) -> Any:  # noqa: ANN401 (whatever was given)
        """Give a chat memory that keeps its own storage, sealed: an object with the same interface as it has.

        What is added through it is redacted and sealed under this vault's keys before it reaches the storage,
        so that forgetting, holds and retention reach it there. `mode="record"` leaves the memory as it is and
        keeps the whole transcript here beside it. `adopt=True` seals what was there before. A memory of no
        framework says by name how it is added to and read.
        """
        from vault.wrapping.wrap import wrap  # noqa: PLC0415 (only for a memory)

        return wrap(
            self._core,
            self._runtime,
            memory,
            user_id=user_id,
            session_id=session_id,
            namespace=namespace,
            mode=mode,
            adopt=adopt,
            trims=trims,
            add=add,
            read=read,
            clear=clear,
            replace=replace,
            keep=keep,
        )

    async def users(self) -> AsyncIterator[str]:
        """Give the ids of all users, in the order of their first message."""
        after: int | None = 0
        while after is not None:
            page, after = await self._runtime.run(self._core.lister.users_page, after)
            for user_id in page:
                yield user_id

    async def sessions(self, user_id: str) -> list[SessionSummary]:
        """Give a user's sessions, in the order of their beginning."""
        return await self._runtime.run(self._core.lister.sessions, check_id(user_id, "user id"))

    async def footprint(self, user_id: str, session_id: str | None = None) -> Footprint:
        """Count what forgetting a user, or one session of theirs, would take; change nothing."""
        return await self._runtime.run(self._core.requests.footprint, user_id, session_id)

    def redact(self, text: str, *, namespace: str = "") -> RedactedText:
        """Redact a text as a message of that namespace would be; nothing is stored."""
        return self._core.engine.redact_text(text, check_namespace(namespace))

    async def forget_user(  # noqa: PLR0913 (how it is asked for)
        self,
        user_id: str,
        *,
        reason: str = "",
        actor: str = "",
        now: bool = False,
        when_released: bool = False,
        except_floors: bool = False,
    ) -> Certificate:
        """Erase a user for good, in every copy that was ever taken.

        The certificate is provisional until the horizon has passed; `now=True` cuts that short. Asked again,
        it gives the same certificate, as far as it has come. Under a hold it raises HeldError, or with
        `when_released` waits for the hold's end: the certificate says `requested` until then.

        Where a policy's `at_least` keeps something it raises FlooredError. With `except_floors` all that
        nothing keeps is erased now, in whatever session it lies, and the remainder by parts, each on the day
        that it becomes lawful; to the app the user is forgotten from now on.
        """
        done = await self.forget_users(
            [user_id],
            reason=reason,
            actor=actor,
            now=now,
            when_released=when_released,
            except_floors=except_floors,
        )
        return done[0]

    async def forget_users(  # noqa: PLR0913 (how it is asked for)
        self,
        user_ids: Iterable[str],
        *,
        reason: str = "",
        actor: str = "",
        now: bool = False,
        when_released: bool = False,
        except_floors: bool = False,
    ) -> list[Certificate]:
        """Erase many users with one change of the root. One who is held stops all, unless they may wait."""
        asked = Asking(
            reason=reason, actor=actor, now=now, when_released=when_released, except_floors=except_floors
        )
        return await self._runtime.run(self._core.requests.forget_users, user_ids, asked)

    async def forget_session(  # noqa: PLR0913 (how it is asked for)
        self,
        user_id: str,
        session_id: str,
        *,
        reason: str = "",
        actor: str = "",
        now: bool = False,
        when_released: bool = False,
        except_floors: bool = False,
    ) -> Certificate:
        """Erase one session for good.

        With `when_released` it waits for the end of a hold; with `except_floors` what a rule keeps of it
        goes later. With both, the rest goes when the hold ends.
        """
        asked = Asking(
            reason=reason, actor=actor, now=now, when_released=when_released, except_floors=except_floors
        )
        return await self._runtime.run(self._core.requests.forget_session, user_id, session_id, asked)

    async def enroll(self, user_id: str, session_id: str | None = None, *, actor: str = "") -> None:
        """Let a user, or a session, that was forgotten start anew. What was erased stays erased."""
        await self._runtime.run(self._core.requests.enroll, user_id, session_id, actor)

    async def certificates(self) -> list[Certificate]:
        """Give the certificates of all erasures, as far as each has come."""
        return await self._runtime.run(self._core.requests.certificates)

    async def hold(
        self,
        user_id: str,
        session_id: str | None = None,
        *,
        reason: str,
        until: datetime | None = None,
        actor: str = "",
    ) -> Hold:
        """Forbid every erasure of a user, or of one session, until it is released or `until` has come.

        Forgetting raises HeldError then, and what the app pops, clears or deletes is hidden and stays.
        """
        hold = self._core.holding.hold
        return await self._runtime.run(hold, user_id, session_id, reason=reason, until=until, actor=actor)

    async def holds(self) -> list[Hold]:
        """Give all holds there ever were, oldest first."""
        return await self._runtime.run(self._core.holding.holds)

    async def release(self, hold_id: str, *, reason: str, actor: str = "") -> Hold:
        """End a hold. What has waited for that happens at the next `carry_out_due`."""
        return await self._runtime.run(self._core.holding.release, hold_id, reason=reason, actor=actor)

    async def queued(self) -> list[Queued]:
        """Give the requests to forget a user, or a session, that wait for holds or floors, oldest first."""
        return await self._runtime.run(self._core.queue.queued)

    async def carry_out_due(self) -> list[Certificate]:
        """Do what has waited for holds that have ended: forget who was to be, remove for good what is hidden.

        The daemon calls it; so can you. It gives the certificates of those who were forgotten.
        """
        return await self._runtime.run(self._core.queue.carry_out_due)

    async def purge(
        self,
        *,
        dry_run: bool = False,
        user: str | None = None,
        policies: PolicyPaths | None = None,
        yes: bool = False,
    ) -> RunResult:
        """Erase what is past its date by the policies, and say by class what went and what kept the rest.

        `user` is about one user's messages, and those of others that share an epoch with what goes.
        `policies` stand in for the vault's own. `yes` says that somebody has looked at what a guard refuses.
        """
        run = await self._runtime.run(self._core.runs, policies)
        return await self._runtime.run(run.run, dry_run=dry_run, user_id=user, yes=yes)

    async def explain(self, user: str, session: str) -> list[Explained]:
        """Say of a session's messages which rules and holds decide about them, and when they go."""
        return await self._runtime.run(self._core.explain, user, session)

    async def report(self, *, anchor: str | os.PathLike[str] | None = None) -> Report:
        """Say for an auditor what is stored, overdue, held, erased and run, and whether the log is whole.

        No content and no id of a person is in it. `anchor` is a directory of checkpoints outside the vault.
        """
        from vault.reporting.gathering import gather  # noqa: PLC0415 (only for a report)

        return await self._runtime.run(gather, self._core, anchor)

    @property
    def log(self) -> AsyncLog:
        """The log of what was done to keys and originals, which a stranger can check."""
        return AsyncLog(self._core, self._runtime)

    async def keys_status(self) -> KeysStatus:
        """Say how the root and the keyring stand."""
        return await self._runtime.run(self._core.status)

    async def destroy_due(self, *, now: bool = False, actor: str = "") -> list[Certificate]:
        """Destroy the old root generations that are due, or all; give the certificates that became final."""
        return await self._runtime.run(self._core.destroy_due, now=now, actor=actor)

    async def rotate(self, *, now: bool = False, actor: str = "", reason: str = "") -> list[Certificate]:
        """Give the root a new generation and wrap the keys below it again; erase nothing.

        `now` destroys all older generations at once, with what destroy_due says of that.
        """
        return await self._runtime.run(self._core.rotate, now=now, actor=actor, reason=reason)

    async def adopt(self, *, actor: str = "") -> None:
        """Make this keyring, a copy or one that was moved, the holder of its root."""
        await self._runtime.run(self._core.adopt, actor)

    async def export(  # noqa: PLR0913 (which, and how)
        self,
        user_id: str | None = None,
        session_id: str | None = None,
        *,
        to: str | os.PathLike[str] | BinaryIO,
        format: str = "jsonl",  # noqa: A002 (what everybody calls it)
        reveal: bool = False,
        purpose: str = "",
        actor: str = "",
    ) -> Exported:
        """Write a session, all of a user, or everything, as jsonl, json, md or html.

        A file is there whole or not at all, and only its owner can read it. `reveal` gives what was said
        before redaction, where the policy keeps that; it takes a purpose. The log says that it was made.
        """
        wish = Wish(
            user_id=user_id,
            session_id=session_id,
            format=format,
            reveal=reveal,
            purpose=purpose,
            actor=actor,
        )
        return await self._runtime.run(export, self._core, wish, to)

    async def import_from(  # noqa: PLR0913 (what, and how)
        self,
        source: str | os.PathLike[str],
        kind: str,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        namespace: str = "",
        table: str | None = None,
        columns: Mapping[str, str] | None = None,
        on_error: Literal["stop", "skip"] = "stop",
        dry_run: bool = False,
        workers: int = 1,
        cursor: str | os.PathLike[str] | None = None,
        actor: str = "",
    ) -> Imported:
        """Take over messages from another store: redacted, at their times, each only once.

        Where the source names users or sessions, only those that are given; otherwise what they are called
        from now on. The source is only read, and still holds the plain text afterwards.
        """
        order = Order(
            source=os.fspath(source),
            kind=kind,
            user_id=user_id,
            session_id=session_id,
            namespace=namespace,
            table=table,
            columns=columns or {},
            on_error=on_error,
            dry_run=dry_run,
            workers=workers,
            cursor=None if cursor is None else os.fspath(cursor),
            actor=actor,
        )
        return await self._runtime.run(import_from, self._core, order)

    async def backup(self, destination: str | os.PathLike[str]) -> Manifest:
        """Copy transcripts and keyring, while they are in use, into a new directory. The root is left out."""
        return await self._runtime.run(back_up, self._core.stores, self._core.keyring, destination)

    @classmethod
    async def restore(  # noqa: PLR0913 (one for each setting)
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
        runtime = Waiting()
        target = Target(
            where=where,
            keyring=keyring,
            root=root,
            horizon=horizon,
            replace=replace,
            clock=clock,
            runtime=runtime,
            is_async=True,
        )
        return await runtime.run(restore, backup, target)

    @classmethod
    async def drill(
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
        runtime = Waiting()
        given = Exercise(where=where, root=root, sample=sample, clock=clock, runtime=runtime, is_async=True)
        return await runtime.run(drill, backup, given)


class AsyncLog:
    """`Log`, awaited."""

    __slots__ = ("_core", "_runtime")

    def __init__(self, core: Core, runtime: Waiting) -> None:
        self._core = core
        self._runtime = runtime

    async def entries(self, *, first: int = 0) -> AsyncIterator[LogEntry]:
        """Give the entries from an index on, oldest first."""
        page = await self._runtime.run(self._core.auditor.page, first)
        while page:
            for entry in page:
                yield entry
            following = page[-1].index + 1
            full = len(page) == PAGE
            page = await self._runtime.run(self._core.auditor.page, following) if full else []

    async def public_key(self) -> str:
        """Give the key with which a stranger checks certificates and checkpoints."""
        return await self._runtime.run(lambda: self._core.auditor.key)

    async def checkpoint(self, *, anchor: str | os.PathLike[str] | None = None) -> str:
        """Sign what the log is now; `anchor` is a directory outside the vault that gets it too."""
        return await self._runtime.run(self._core.auditor.checkpoint, anchor)

    async def verify(
        self, *, anchor: str | os.PathLike[str] | None = None, key: str | None = None
    ) -> Verified:
        """Check every entry; raise TamperedError for a log that was edited, cut off or set back.

        What was cut off at its end shows only against the checkpoints in `anchor`. `key` is the public key
        that you know.
        """
        return await self._runtime.run(self._core.auditor.verify, anchor, key)

    async def consistency(self, old: str, new: str | None = None) -> Consistency:
        """Prove that the log of one signed checkpoint grew into that of another, or into the present one."""
        return await self._runtime.run(self._core.auditor.consistency, old, new)
