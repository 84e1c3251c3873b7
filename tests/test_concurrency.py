"""P8, P2, P7: many processes, threads and tasks on one vault. Nothing is lost, and nobody is accused wrongly."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from databases import Databases
from interleaving import Instants, interrupted, outcome

from vault import Vault

Verb = Callable[[Vault, str], object]


@contextmanager
def opened(database: Databases, tmp_path: Path) -> Iterator[Vault]:
    with Vault.open(
        database.transcripts, keyring=database.keyring, root=f"file:{tmp_path / 'root.key'}", redactor=None
    ) as vault:
        yield vault


# -- one instant of another process ------------------------------------------------------------------------


def said(vault: Vault, user: str, session: str = "s") -> list[object]:
    return [message.content for message in vault.transcript(user, session).messages()]


def talk(vault: Vault, user: str) -> None:
    vault.transcript(user, "s").extend(
        [{"role": "user", "content": text} for text in ("one", "two", "three")]
    )
    vault.transcript(user, "s-2").append("user", "beside")


def popped(vault: Vault, user: str) -> object:
    message = vault.transcript(user, "s").pop()
    return message and message.content


VERBS: dict[str, Verb] = {
    "append": lambda vault, user: vault.transcript(user, "s").append("user", "mine").content,
    "append with a key": lambda vault, user: vault.transcript(user, "s").append("user", "k", key="k").content,
    "extend": lambda vault, user: len(
        vault.transcript(user, "s").extend([{"role": "user", "content": text} for text in ("x", "y")])
    ),
    "messages": said,
    "the last message": lambda vault, user: [
        message.content for message in vault.transcript(user, "s").messages(last=1)
    ],
    "pop": popped,
    "sessions": lambda vault, user: [(one.session_id, one.messages) for one in vault.sessions(user)],
    "users": lambda vault, user: user in set(vault.users()),
    "footprint": lambda vault, user: repr(vault.footprint(user)),
    "clear": lambda vault, user: vault.transcript(user, "s").clear(),
    "delete": lambda vault, user: vault.transcript(user, "s").delete(),
    "forget user": lambda vault, user: vault.forget_user(user).kind,
    "forget user now": lambda vault, user: vault.forget_user(user, now=True).status,
    "forget session": lambda vault, user: vault.forget_session(user, "s").kind,
    "enroll": lambda vault, user: vault.enroll(user),
}
EVENTS: dict[str, Verb] = {
    "append": lambda vault, user: vault.transcript(user, "s").append("user", "theirs"),
    "append with a key": VERBS["append with a key"],
    "pop": popped,
    "clear": VERBS["clear"],
    "clear and append": lambda vault, user: (
        vault.transcript(user, "s").clear(),
        vault.transcript(user, "s").append("user", "anew"),
    ),
    "delete": VERBS["delete"],
    "forget user": VERBS["forget user"],
    "forget user now": VERBS["forget user now"],
    "forget and enroll": lambda vault, user: (
        vault.forget_user(user),
        vault.enroll(user),
    ),
    "forget session": VERBS["forget session"],
    "swap the root": lambda vault, user: (
        vault.transcript(f"{user}'s neighbour", "s").append("user", "hello"),
        vault.forget_user(f"{user}'s neighbour", now=True),
    ),
}


def state(vault: Vault, user: str) -> object:
    return (
        outcome(lambda: said(vault, user)),
        outcome(lambda: said(vault, user, "s-2")),
        outcome(lambda: [(one.session_id, one.messages) for one in vault.sessions(user) if one.messages]),
        outcome(lambda: user in set(vault.users())),
    )


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p7_what_another_process_does_at_any_instant_comes_before_or_after(
    database: Databases, tmp_path: Path, verb: str
) -> None:
    faults = []
    with opened(database, tmp_path) as mine, opened(database, tmp_path) as theirs:
        users = (f"u-{number}" for number in count())
        for setup in ("nothing", "talking, cold", "talking, warm"):
            for event in EVENTS:
                faults += explore(mine, theirs, users, setup, verb, event)
    assert not faults, "\n".join(faults)


def explore(mine: Vault, theirs: Vault, users: Iterator[str], setup: str, verb: str, event: str) -> list[str]:
    def prepared() -> str:
        user = next(users)
        if setup != "nothing":
            talk(theirs, user)
        if setup == "talking, warm":
            said(mine, user)
        return user

    def after(user: str, result: object) -> object:
        return result, state(mine, user), state(theirs, user)

    user = prepared()
    serial = [
        after(
            user, (outcome(lambda: VERBS[verb](mine, user)), outcome(lambda: EVENTS[event](theirs, user)))[0]
        )
    ]
    user = prepared()
    outcome(lambda: EVENTS[event](theirs, user))
    serial.append(after(user, outcome(lambda: VERBS[verb](mine, user))))
    faults = []
    for chosen in count(1):
        user = prepared()
        instants = Instants(chosen, lambda: outcome(lambda: EVENTS[event](theirs, user)))
        with interrupted(mine, instants):
            try:
                result = outcome(lambda: VERBS[verb](mine, user))
            except Exception as error:
                result = repr(error)
        if instants.passed < chosen:
            return faults
        came = after(user, result)
        if came not in serial:
            faults.append(f"{setup}: {verb}, at {chosen} {event}: {came}\n    not in {serial}")
    return faults
