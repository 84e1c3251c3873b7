"""What a vault says, and what is true: each answer is the truth, or an error that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from stages import (
    DORIS,
    HOME,
    KEPT,
    NEW,
    NOTES,
    OTHER,
    OTHER_NOTES,
    PURGED,
    SESSIONS,
    USERS,
    WORDS,
    WORK,
    Stage,
    said,
    shown,
)

from vault.client import Vault
from vault.errors import VaultError
from vault.listing import SessionSummary
from vault.messages import Message

# -- what the vault says ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raised:
    """An error in place of an answer; two are equal when they are of one class."""

    name: str


Question: TypeAlias = Callable[[Vault], object]


def _messages(user: str, session: str, **window: Any) -> Question:
    def ask(vault: Vault) -> object:
        found = vault.transcript(user, session).messages(**window)
        return [shown(message) for message in found], found.purged

    return ask


def _sessions(user: str) -> Question:
    return lambda vault: sorted(map(repr, vault.sessions(user)))


def _records(user: str, collection: str = "notes", **which: Any) -> Question:
    def ask(vault: Vault) -> object:
        found = vault.transcript(user, "s-work").records(collection).list(**which)
        return [(one.key, one.value) for one in found], found.purged

    return ask


def _append(user: str, message: Message, key: str | None = None) -> Question:
    return lambda vault: shown(vault.transcript(user, "s-work").append(message, key=key))


READING: dict[str, Question] = {
    "messages": _messages("alice", "s-work"),
    "messages, last": _messages("alice", "s-work", last=3),
    "messages, before": _messages("alice", "s-work", before=3, last=2),
    "messages, home": _messages("alice", "s-home"),
    "messages, bare": _messages("alice", "s-bare"),
    "messages, other user": _messages("bobby", "s-work"),
    "messages, enrolled again": _messages("doris", "s-work"),
    "messages, forgotten": _messages("carol", "s-work"),
    "messages, forgotten session": _messages("bobby", "s-lost"),
    "messages, deleted": _messages("alice", "s-gone"),
    "records": _records("alice"),
    "records, last": _records("alice", last=1),
    "records, others": _records("alice", "others"),
    "records, other user": _records("bobby"),
    "records, others, other user": _records("bobby", "others"),
    "records, forgotten": _records("carol"),
    "pointers": lambda vault: sorted(vault._core.pointers.holders(("kind", "shared"))),
    "pointers, alone": lambda vault: vault._core.pointers.holders(("kind", "alice")),
    "pointers, alone, other user": lambda vault: vault._core.pointers.holders(("kind", "bobby")),
    "messages, hidden": _messages("finno", "s-kept", include_hidden=True, purpose="case 2"),
    "messages, held": _messages("finno", "s-kept"),
    "sessions": _sessions("alice"),
    "sessions, other user": _sessions("bobby"),
    "sessions, none": _sessions("finno"),
    "sessions, forgotten": _sessions("carol"),
    "users": lambda vault: sorted(vault.users()),
    "certificates": lambda vault: sorted(map(repr, vault.certificates())),
    "holds": lambda vault: sorted(map(repr, vault.holds())),
    "queued": lambda vault: sorted(map(repr, vault.queued())),
    "log": lambda vault: vault.log.verify().unfinished,
    "append again": _append("alice", said(98), "k-one"),
    "append again, other key": _append("alice", said(98), "k-two"),
}
WRITING: dict[str, Question] = {
    "append": _append("alice", NEW),
    "append, other user": _append("bobby", NEW),
    "append, forgotten": _append("carol", NEW),
}
READ_BY = {"append": "messages", "append, other user": "messages, other user"}


def truth(stage: Stage, added: Mapping[str, int]) -> dict[str, object]:
    """What must be said when so many messages were added since."""
    work = {**WORK, **{7 + n: NEW for n in range(added["append"])}}
    other = {**OTHER, **{5 + n: NEW for n in range(added["append, other user"])}}
    forgotten = Raised("UserForgottenError")
    return {
        "messages": _all(work),
        "messages, last": (_all(work)[0][-3:], 0),
        "messages, before": (_all(work)[0][1:3], 0),
        "messages, home": _all(HOME),
        "messages, bare": ([], 0),
        "messages, other user": (_all(other)[0], 1),
        "messages, enrolled again": _all(DORIS),
        "messages, forgotten": forgotten,
        "messages, forgotten session": Raised("SessionForgottenError"),
        "messages, deleted": ([], 0),
        "records": (list(NOTES.items()), 0),
        "records, last": (list(NOTES.items())[-1:], 0),
        "records, others": ([("two", ""), ("one", "spoken 73")], 0),
        "records, other user": (list(OTHER_NOTES.items()), 0),
        "records, others, other user": ([("two", "")], 0),
        "records, forgotten": forgotten,
        "pointers": [("alice", "s-work"), ("bobby", "s-work")],
        "pointers, alone": [("alice", "s-work")],
        "pointers, alone, other user": [("bobby", "s-work")],
        "messages, hidden": _all(KEPT),
        "messages, held": ([], 0),
        "sessions": sorted(
            (
                _summary("s-work", "support/eu", work),
                _summary("s-home", "", HOME),
                _summary("s-bare", "", {}),
            )
        ),
        "sessions, other user": [_summary("s-work", "billing/us", {3: PURGED, **other})],
        "sessions, none": [],
        "sessions, forgotten": forgotten,
        "users": ["alice", "bobby", "doris", "finno"],
        "certificates": stage.certificates,
        "holds": stage.holds,
        "queued": stage.queued,
        "log": 0,
        "append again": shown(WORK[3], 3),
        "append again, other key": shown(WORK[5], 5),
        "append": shown(NEW, max(work) + 1),
        "append, other user": shown(NEW, max(other) + 1),
        "append, forgotten": forgotten,
    }


def _all(messages: Mapping[int, Message]) -> tuple[list[tuple[object, ...]], int]:
    return [shown(message, seq) for seq, message in messages.items()], 0


def _summary(session: str, namespace: str, messages: Mapping[int, Message]) -> str:
    times = [message.created_at for message in messages.values() if message.created_at]
    return repr(
        SessionSummary(
            session_id=session,
            namespace=namespace,
            messages=len(messages),
            first_at=min(times, default=None),
            last_at=max(times, default=None),
        )
    )


# -- judgement -------------------------------------------------------------------------------------------


@dataclass
class Court:
    """Hears every answer, and compares it with the truth."""

    stage: Stage
    added: dict[str, int] = field(default_factory=lambda: dict.fromkeys(READ_BY, 0))
    noticed: dict[str, str] = field(default_factory=dict)
    untrue: dict[str, object] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    @property
    def is_content(self) -> bool:
        """Whether everything was the truth."""
        return not (self.noticed or self.untrue or self.raw or self.leaks)

    def warm(self, vault: Vault) -> None:
        """Let a vault have everything in memory."""
        for question in READING.values():
            self.ask(question, vault)
        self.leaks.clear()

    def hear(self, vault: Vault, who: str) -> None:
        """Read, add, and read again what was added."""
        for name, question in READING.items():
            self.compare(who, name, self.ask(question, vault))
        for name, question in WRITING.items():
            answer = self.ask(question, vault)
            self.compare(who, name, answer)
            if name in self.added and not isinstance(answer, Raised | Exception):
                self.added[name] += 1
        for name in READ_BY.values():
            self.compare(f"{who} then", name, self.ask(READING[name], vault))

    def hear_fresh(self) -> None:
        """Open the vault anew, and ask."""

        def ask(_: object) -> object:
            with self.stage.open(create=False) as vault:
                self.hear(vault, "fresh")
            return "opened"

        answer = self.ask(ask, None)
        if answer != "opened":
            self.compare("fresh", "open", answer)

    def ask(self, question: Callable[[Any], object], vault: Vault | None) -> object:
        try:
            return question(vault)
        except VaultError as error:
            self.leaks += told(error, self.stage)
            return Raised(type(error).__name__)
        except Exception as error:  # noqa: BLE001 (that is the fault that is looked for)
            return error

    def compare(self, who: str, name: str, answer: object) -> None:
        expected = truth(self.stage, self.added).get(name)
        place = f"{who}: {name}"
        if answer == expected:
            return
        if isinstance(answer, Raised):
            self.noticed[place] = answer.name
        elif isinstance(answer, Exception):
            self.raw[place] = repr(answer)
        elif not self._is_added_behind(who, name, answer, expected):
            self.untrue[place] = answer

    def _is_added_behind(self, who: str, name: str, answer: object, expected: object) -> bool:
        """Accept a message added behind a row that is out of place: the transcript can't be read then."""
        return (
            name in READ_BY
            and f"{who}: {READ_BY[name]}" in self.noticed
            and isinstance(answer, tuple)
            and isinstance(expected, tuple)
            and answer[1:] == expected[1:]
        )


def chain(error: BaseException) -> list[BaseException]:
    """An error with all that it came from."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def told(error: BaseException, stage: Stage) -> list[str]:
    """Find what a log that shows this error would give away (P1)."""
    words = " ".join(f"{one!s} {one!r} {getattr(one, 'hint', '')}" for one in chain(error))
    found = [word for word in (*USERS, *SESSIONS, *WORDS) if word in words]
    found += [name for value, name in stage.secrets.items() if value in words]
    return [f"{type(error).__name__} tells {name}" for name in found]
