"""Getting transcripts out, page by page: memory does not grow with them."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from vault.chat.reading import PAGE
from vault.clock import to_datetime
from vault.core import Core
from vault.crypto.blind import normalized
from vault.crypto.envelope import ID_BYTES, derive
from vault.errors import MissingError, TamperedError, UnknownError, UsageError
from vault.evidence.entries import Kind as Event
from vault.evidence.entries import struck
from vault.listing import SessionSummary
from vault.messages import Messages, check_id, check_words
from vault.saying import check_purpose
from vault.transfer.formats import Format, Head, Json, JsonLines, Markdown
from vault.transfer.output import Position, Sink, Stream, whole_file
from vault.transfer.page import Html

Progress = Callable[[int], None]  # is told how many messages there are so far
Last = dict[str, tuple[str, int]]  # by session id, as `Exporter` learns it
FORMATS: dict[str, Callable[[], Format]] = {"jsonl": JsonLines, "json": Json, "md": Markdown, "html": Html}


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds. `left` counts users and sessions that ended while it was made."""

    users: int
    sessions: int
    messages: int
    purged: int
    left: int = 0


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be exported: a session, all of a user, or everything."""

    user_id: str | None = None
    session_id: str | None = None
    format: str = "jsonl"
    reveal: bool = False
    purpose: str = ""
    actor: str = ""
    resume: bool = False

    def check(self) -> None:
        """Refuse what can't be carried out."""
        if self.user_id is not None:
            check_id(self.user_id, "user id")
        if self.session_id is not None:
            check_id(self.session_id, "session id")
            if self.user_id is None:
                raise UsageError("a session is named with its user")
        if self.format not in FORMATS:
            raise UsageError("this is no format of an export", hint=f"one of {', '.join(FORMATS)}")
        check_words(self.actor, "actor")
        check_words(self.purpose, "purpose")
        if self.reveal:
            check_purpose(self.purpose)

    def is_of(self, session_id: str) -> bool:
        """Say whether it names a session."""
        return self.session_id is None or normalized(self.session_id) == normalized(session_id)

    @property
    def asked(self) -> str:
        """Stand for what was asked, without saying it."""
        said = [self.user_id, self.session_id, self.format, self.reveal]
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def export(
    core: Core, wish: Wish, to: str | os.PathLike[str] | BinaryIO | Stream, progress: Progress | None = None
) -> Exported:
    """Write an export to a file, which is there whole or not at all, or to an open stream."""
    wish.check()
    check_there(core, wish)
    start = Position(asked=wish.asked)
    with ExitStack() as opened:
        sink: Sink
        if isinstance(to, str | os.PathLike):
            sink, start = opened.enter_context(whole_file(Path(to), start, resume=wish.resume))
        elif wish.resume:
            raise UsageError("only what goes to a file can be gone on with")
        elif not _takes_bytes(to):
            raise UsageError(
                "an export goes to a path, or a file that takes bytes", hint='open("everything.jsonl", "wb")'
            )
        else:
            sink = to if isinstance(to, Stream) else Stream(to)
        with logged(core, wish) as facts:
            done = Exporter(core, wish, FORMATS[wish.format]()).write(sink, start, progress)
            facts |= {"users": done.users, "sessions": done.sessions, "messages": done.messages}
            return done


def _takes_bytes(to: object) -> bool:
    return hasattr(to, "write") and not isinstance(to, io.TextIOBase)


def logged(core: Core, wish: Wish, kind: str = "transcripts") -> AbstractContextManager[dict[str, object]]:
    """Say in the log what leaves the vault, before it does, and how it ended (P6)."""
    user = None if wish.user_id is None else core.keyring.find_user(wish.user_id)
    subject = "" if user is None else user.pseudonym
    names = [name for name in (wish.user_id, wish.session_id) if name is not None]
    return core.keyring.log.telling(
        Event.EXPORT,
        subject=subject,
        actor=struck(wish.actor, names, subject),
        reason=struck(wish.purpose, names, subject),
        what=kind,
        format=wish.format,
        revealed=wish.reveal,
    )


def check_there(core: Core, wish: Wish) -> None:
    """Raise UnknownError for a user or a session that never was (P7)."""
    if wish.user_id is None:
        return
    found = core.lister.sessions(wish.user_id)
    if not found and core.keyring.find_user(wish.user_id) is None:
        raise UnknownError("no such user is here", hint="vault sessions lists the users")
    if wish.session_id is not None and not any(wish.is_of(one.session_id) for one in found):
        core.sessions.find(wish.user_id, wish.session_id)  # raises where it was forgotten
        raise UnknownError("this user has no such session", hint="vault sessions USER lists them")


class Exporter:
    """Writes what a wish names in one format.

    `last` learns the mark and the last seq of each session of a user; `again` writes no more than that.
    """

    def __init__(
        self, core: Core, wish: Wish, form: Format, last: Last | None = None, *, again: bool = False
    ) -> None:
        self._core = core
        self._wish = wish
        self._form = form
        self._last = {} if last is None else last
        self._again = again
        self._left = 0

    def write(self, sink: Sink, at: Position, progress: Progress | None = None) -> Exported:
        """Write everything from a position on."""
        compute = self._core.stores.runtime.compute
        if not at.offset:
            sink.write(_bytes(self._form.begin(to_datetime(self._core.stores.clock()))))
        for head, number in self._sessions(at):
            place = (
                f"session {number} of user {at.users}" if self._wish.user_id is None else f"session {number}"
            )
            if at.user_id != head.user_id or at.session_id != head.session_id:
                sink.write(_bytes(self._form.session(head, at)))
                at.user_id, at.session_id, at.seq = head.user_id, head.session_id, 0
                at.number, at.mark = number, self._last[head.session_id][0] if self._again else ""
                at.here = at.purged_here = 0
                at.sessions += 1
            while at.seq is not None:
                try:
                    page, following, at.mark = self._page(head, at, place)
                except MissingError:
                    if self._wish.user_id is not None:
                        raise
                    self._left += 1  # forgotten, or begun anew, while all was exported
                    page, following = Messages(), None
                compute(lambda page=page, head=head: self._add(sink, head, page, at))  # type: ignore[misc]
                at.seq = following
                if following is None:
                    at.purged += at.purged_here
                    sink.write(_bytes(self._form.session_end(head, at)))
                sink.reach(at)
                self._core.keyring.log.acts.beat()
                if progress:
                    progress(at.messages)
        sink.write(_bytes(self._form.end(at)))
        return Exported(
            users=at.users, sessions=at.sessions, messages=at.messages, purged=at.purged, left=self._left
        )

    def _add(self, sink: Sink, head: Head, page: Messages, at: Position) -> None:
        form, reveal = self._form, self._wish.reveal
        pieces = []
        for message in page:
            if self._again and (message.seq or 0) > self._last[head.session_id][1]:
                break
            if self._wish.user_id is not None and not self._again:
                self._last[head.session_id] = at.mark, message.seq or 0
            said = reveal and message.seq in page.originals
            pieces.append(_bytes(form.message(head, message, at, said=said)))
            at.here += 1
            at.messages += 1
        at.purged_here += page.purged
        sink.write(b"".join(pieces))

    def _sessions(self, at: Position) -> Iterator[tuple[Head, int]]:
        """Give the sessions in order, with their number at their user's, from a position on."""
        found = not at.user_id
        for user_id in self._users():
            if not found and user_id != at.user_id:
                continue
            if found:
                at.users += 1
            for number, one in enumerate(self._sessions_of(user_id), 1):
                if not found and one.session_id == at.session_id:
                    if (number, self._mark(user_id, one.session_id)) != (at.number, at.mark):
                        break  # it, or one before it, was begun anew, and comes later in the order
                    found = True
                if found and self._is_wanted(one.session_id):
                    yield Head.of(user_id, one), number
        if not found:
            raise UsageError(
                "where the export was interrupted is gone since, or was begun anew",
                hint="export anew, without --resume: that removes what was written before",
            )

    def _sessions_of(self, user_id: str) -> list[SessionSummary]:
        try:
            return self._core.lister.sessions(user_id)
        except MissingError:
            if self._wish.user_id is not None:
                raise
            self._left += 1
            return []

    def _is_wanted(self, session_id: str) -> bool:
        if self._again:
            return session_id in self._last
        if self._wish.user_id is not None:
            self._last[session_id] = "", -1
        return self._wish.is_of(session_id)

    def _users(self) -> Iterator[str]:
        if self._wish.user_id is not None:
            yield self._wish.user_id
            return
        after: int | None = 0
        while after is not None:
            page, after = self._core.lister.users_page(after)
            yield from page

    def _page(self, head: Head, at: Position, place: str) -> tuple[Messages, int | None, str]:
        """Give a page, where to go on, and the mark of the session that all of its pages are of."""
        seq = at.seq or 0
        if not at.mark:  # what this process knows of it may have ended long ago
            self._core.sessions.distrust(head.user_id, head.session_id)
        try:
            before = self._mark(head.user_id, head.session_id)
            page, following = self._read(head, seq, PAGE)
            after = self._mark(head.user_id, head.session_id)
        except TamperedError as error:
            culprit, problem = self._culprit(head, seq), error
        else:
            if before == after and at.mark in {"", before}:
                return page, following, before
            raise UnknownError(
                f"{place} was ended or begun anew while it was exported", hint="export anew, to have it whole"
            )
        raise TamperedError(f"message {culprit} of {place} does not open: {problem}", hint=problem.hint)

    def _mark(self, user_id: str, session_id: str) -> str:
        """Give what tells a session from every other one that had, or gets, its name; nothing for none."""
        session = self._core.sessions.find(user_id, session_id)
        if session is None:
            return ""
        key = derive(self._core.keyring.service, b"export")
        return hmac.digest(key, session.node, "sha256")[:ID_BYTES].hex()

    def _culprit(self, head: Head, seq: int) -> int:
        """Find the message that a page does not open for."""
        following: int | None = seq
        while following is not None:
            seq = following
            try:
                _, following = self._read(head, seq, 1)
            except TamperedError:
                break
        return seq

    def _read(self, head: Head, seq: int, most: int) -> tuple[Messages, int | None]:
        wish = self._wish
        return self._core.page(head.user_id, head.session_id, seq, most=most, reveal=wish.reveal)


def _bytes(piece: str | bytes) -> bytes:
    return piece.encode() if isinstance(piece, str) else piece
