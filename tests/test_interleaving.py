"""P2, P7: what another process does at any instant of what one process does comes before it, or after it.

One instant after the other is tried. Nobody is accused of a theft because somebody else was erasing, nothing
reads as empty that was forgotten, and what was acknowledged is there.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from databases import Databases, Server, Sqlite, fresh_databases
from interleaving import Instants, interrupted, outcome

from vault import Vault

Verb = Callable[[Vault, str], object]
Came = tuple[object, object]


def say(vault: Vault, user: str, *texts: str, session: str = "s") -> int:
    return len(vault.transcript(user, session).extend([{"role": "user", "content": text} for text in texts]))


def said(vault: Vault, user: str, session: str = "s", last: int | None = None) -> list[object]:
    return [message.content for message in vault.transcript(user, session).messages(last=last)]


def say_once(vault: Vault, user: str) -> object:
    return vault.transcript(user, "s").append("user", "once", key="key").content


def pop(vault: Vault, user: str) -> object:
    message = vault.transcript(user, "s").pop()
    return message and message.content


def list_sessions(vault: Vault, user: str) -> list[tuple[str, int]]:
    return [(one.session_id, one.messages) for one in vault.sessions(user) if one.messages]


def forget_session(vault: Vault, user: str) -> str:
    # Where the app is just deleting the session, the certificate is of that.
    return vault.forget_session(user, "s").status


def neighbour(user: str) -> str:
    return f"{user}'s neighbour"


VERBS: dict[str, Verb] = {
    "append": lambda vault, user: say(vault, user, "mine"),
    "append with a key": say_once,
    "extend": lambda vault, user: say(vault, user, "my first", "my second"),
    "messages": said,
    "the last message": lambda vault, user: said(vault, user, last=1),
    "pop": pop,
    "sessions": list_sessions,
    "users": lambda vault, user: user in set(vault.users()),
    "footprint": lambda vault, user: vault.footprint(user),
    "clear": lambda vault, user: vault.transcript(user, "s").clear(),
    "delete": lambda vault, user: vault.transcript(user, "s").delete(),
    "forget user": lambda vault, user: vault.forget_user(user).status,
    "forget user now": lambda vault, user: vault.forget_user(user, now=True).status,
    "forget session": forget_session,
    "enroll": lambda vault, user: vault.enroll(user),
}
EVENTS: dict[str, tuple[Verb, ...]] = {
    "append": (lambda vault, user: say(vault, user, "theirs"),),
    "append with a key": (say_once,),
    "pop": (pop,),
    "clear": (VERBS["delete"], lambda vault, user: vault.transcript(user, "s").clear()),
    "clear and append": (VERBS["clear"], lambda vault, user: say(vault, user, "anew")),
    "delete": (VERBS["delete"],),
    "forget user": (VERBS["forget user"],),
    "forget user now": (VERBS["forget user now"],),
    "forget user and enroll": (VERBS["forget user"], VERBS["enroll"]),
    "forget session": (forget_session,),
    "swap the root": (
        lambda vault, user: say(vault, neighbour(user), "hello"),
        lambda vault, user: vault.forget_user(neighbour(user), now=True),
    ),
}


# -- before or after -----------------------------------------------------------------------------------------


class Pair:
    """Two processes on one vault, and fresh users for each trial."""

    def __init__(self, mine: Vault, theirs: Vault) -> None:
        self.mine = mine
        self.theirs = theirs
        self._users = (f"u-{number}" for number in count())

    def talking(self, setup: str) -> str:
        user = next(self._users)
        if setup == "user made":
            self.theirs.enroll(user)
        if setup == "session made":
            say(self.theirs, user, "gone at once")
            pop(self.theirs, user)
        if setup.startswith("talking"):
            say(self.theirs, user, "one", "two", "three")
            say(self.theirs, user, "beside", session="s-2")
        if setup == "talking, known":
            said(self.mine, user)
        return user

    def state(self, user: str) -> object:
        """What both see afterwards."""
        return [
            (
                outcome(partial(said, vault, user)),
                outcome(partial(said, vault, user, "s-2")),
                outcome(partial(list_sessions, vault, user)),
            )
            for vault in (self.mine, self.theirs)
        ]

    def one_after_the_other(self, setup: str, verb: str, event: str) -> Iterator[Came]:
        """What may come out: the verb is at some place among the steps of the event.

        An append makes a user and a session first, and another process may come after that.
        """
        for made in (setup, "user made", "session made") if setup == "nothing" else (setup,):
            for place in range(len(EVENTS[event]) + 1):
                user = self.talking(made)
                for step in EVENTS[event][:place]:
                    outcome(lambda step=step, user=user: step(self.theirs, user))  # type: ignore[misc]
                result = outcome(lambda user=user: VERBS[verb](self.mine, user))  # type: ignore[misc]
                for step in EVENTS[event][place:]:
                    outcome(lambda step=step, user=user: step(self.theirs, user))  # type: ignore[misc]
                yield result, self.state(user)

    def at_each_instant(self, setup: str, verb: str, event: str) -> Iterator[tuple[int, Came]]:
        for chosen in count(1):
            user = self.talking(setup)
            instants = Instants(chosen, lambda user=user: self.happen(event, user))  # type: ignore[misc]
            with interrupted(self.mine, instants):
                result = outcome(lambda user=user: VERBS[verb](self.mine, user))  # type: ignore[misc]
            if instants.passed < chosen:
                return
            yield chosen, (result, self.state(user))

    def happen(self, event: str, user: str) -> None:
        for step in EVENTS[event]:
            outcome(lambda step=step: step(self.theirs, user))  # type: ignore[misc]


def explained(verb: str, event: str, result: object) -> bool:
    """What no order gives, and is right all the same."""
    return (
        # The app was just deleting the session: its data is erased, and its name stays free.
        (verb, result) == ("forget session", "provisional")
        or (verb, event) in {("clear", "forget session"), ("delete", "forget session")}
        # Enrolled and forgotten again, in one.
        or (verb, result) == ("enroll", "UserForgottenError")
    )


def faults_of(pair: Pair, setup: str, verb: str, event: str) -> list[str]:
    serial = list(pair.one_after_the_other(setup, verb, event))
    tried = 0
    faults = []
    for chosen, (result, state) in pair.at_each_instant(setup, verb, event):
        tried += 1
        states = [after for _, after in serial]
        if (result, state) not in serial and not (state in states and explained(verb, event, result)):
            faults.append(f"{setup}: {verb}, at {chosen} {event}: {result}, {state}")
    assert tried > 1
    return faults


@contextmanager
def paired(server: Server, root: Path) -> Iterator[Pair]:
    with fresh_databases(server) as database, ExitStack() as vaults:
        yield Pair(*(vaults.enter_context(opened(database, root)) for _ in range(2)))


def opened(database: Databases, root: Path) -> Vault:
    return Vault.open(database.transcripts, keyring=database.keyring, root=f"file:{root}", redactor=None)


@pytest.mark.wide
@pytest.mark.parametrize("verb", ["append", "messages", "pop", "sessions"])
def test_p7_another_process_that_forgets_or_clears_at_any_instant_comes_before_or_after(
    tmp_path: Path, verb: str
) -> None:
    with paired(Sqlite(tmp_path), tmp_path / "root.key") as pair:
        for event in ("forget user now", "clear and append"):
            assert faults_of(pair, "talking, unknown", verb, event) == []


@pytest.mark.slow
@pytest.mark.parametrize("setup", ["nothing", "talking, unknown", "talking, known"])
@pytest.mark.parametrize("verb", VERBS)
def test_p7_what_another_process_does_at_any_instant_comes_before_or_after(
    tmp_path: Path, setup: str, verb: str
) -> None:
    with paired(Sqlite(tmp_path), tmp_path / "root.key") as pair:
        faults = [fault for event in EVENTS for fault in faults_of(pair, setup, verb, event)]
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("setup", ["nothing", "talking, unknown"])
@pytest.mark.parametrize("verb", ["append", "messages", "pop", "sessions", "forget user now"])
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p7_on_a_server_too_what_another_process_does_comes_before_or_after(
    database: Databases, tmp_path: Path, setup: str, verb: str
) -> None:
    with paired(database._server, tmp_path / "root.key") as pair:
        events = ("append", "clear and append", "forget user now")
        faults = [fault for event in events for fault in faults_of(pair, setup, verb, event)]
    assert not faults, "\n".join(faults)
