"""Other processes, each with a vault of its own, that do what they are told through a pipe."""

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any, TypeVar

from crash_child import CONTEXT, Place
from interleaving import outcome

from vault import Vault

T = TypeVar("T")
Said = list[tuple[int, str]]

PATIENCE = 120  # seconds after which a process has hung; nothing waits for it otherwise


class Worker:
    """Another process. It is told what to do, and answers when it is done."""

    def __init__(self, place: Place, *, opens: bool = True) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_obey, args=(theirs, place, opens))
        self._process.start()
        theirs.close()
        self._answer()

    def begin(self, work: Callable[..., object], *args: object) -> None:
        """Tell it to begin; several begin at once when all are told before the first is asked."""
        self._pipe.send((work, args))

    def end(self) -> Any:
        """Wait for the answer."""
        return self._answer()

    def do(self, work: Callable[..., T], *args: object) -> T:
        """Tell it, and wait."""
        self.begin(work, *args)
        result: T = self.end()
        return result

    def _answer(self) -> Any:
        assert self._pipe.poll(PATIENCE), "a process hangs"
        fault, result = self._pipe.recv()
        assert not fault, fault
        return result

    def close(self) -> None:
        self._pipe.send(None)
        self._pipe.close()
        self._process.join(PATIENCE)
        assert self._process.exitcode == 0
        self._process.close()


@contextmanager
def workers(place: Place, number: int, *, opens: bool = True) -> Iterator[list[Worker]]:
    with ExitStack() as end:
        started = [Worker(place, opens=opens) for _ in range(number)]
        for worker in started:
            end.callback(worker.close)
        yield started


def at_once(team: Sequence[Worker], *tasks: tuple[Callable[..., object], *tuple[object, ...]]) -> list[Any]:
    """Let each do its own task at the same time; give all answers."""
    for worker, task in zip(team, tasks, strict=True):
        worker.begin(*task)
    return [worker.end() for worker in team]


def _obey(pipe: Pipe, place: Place, opens: bool) -> None:  # noqa: FBT001 (given to a process)
    with ExitStack() as open_vaults:
        subject: Vault | Place = open_vaults.enter_context(place.open()) if opens else place
        pipe.send(("", None))
        while (task := pipe.recv()) is not None:
            work, args = task
            try:
                answer = ("", work(subject, *args))
            except BaseException:  # noqa: BLE001 (the test fails of it)
                answer = (traceback.format_exc(), None)
            pipe.send(answer)


# -- what they do ------------------------------------------------------------------------------------------


def append(vault: Vault, user: str, session: str, writer: str, number: int) -> Said:
    """Say `number` things, one after the other; give seqs and texts as they were acknowledged."""
    chat = vault.transcript(user, session)
    stored = [chat.append("user", f"{writer}:{count}") for count in range(number)]
    return [(message.seq or 0, str(message.content)) for message in stored]


def append_in_threads(
    vault: Vault, user: str, session: str, writer: str, threads: int, number: int
) -> list[Said]:
    """Say things from several threads at once; give what each was told."""
    said: dict[int, Said] = {}

    def talk(thread: int) -> None:
        said[thread] = append(vault, user, session, f"{writer}/{thread}", number)

    run_threads([lambda thread=thread: talk(thread) for thread in range(threads)])  # type: ignore[misc]
    return [said[thread] for thread in range(threads)]


def run_threads(works: Sequence[Callable[[], object]]) -> None:
    """Run all at once; raise the first error of any."""
    errors: list[BaseException] = []
    together = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        together.wait(PATIENCE)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (raised below)
            errors.append(error)

    started = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


def append_keyed(vault: Vault, user: str, session: str, number: int) -> Said:
    """Say things that others say too, under the same idempotency keys."""
    chat = vault.transcript(user, session)
    stored = [chat.append("user", f"said {count}", key=f"key-{count}") for count in range(number)]
    return [(message.seq or 0, str(message.content)) for message in stored]


def make_users(vault: Vault, prefix: str, number: int) -> list[str]:
    """Make users who say two things each."""
    names = [f"{prefix}-{count}" for count in range(number)]
    for name in names:
        vault.transcript(name, "s").append("user", "one")
        vault.transcript(name, "s").append("user", "two")
    return names


def forget(vault: Vault, users: Sequence[str], now: bool) -> list[tuple[str, str]]:  # noqa: FBT001
    """Forget one after the other; give the certificates' ids and statuses."""
    certificates = [vault.forget_user(user, now=now) for user in users]
    return [(certificate.id, certificate.status) for certificate in certificates]


def note(vault: Vault, writer: str, number: int) -> None:
    """Add entries to the log, one after the other."""
    for count in range(number):
        vault._core.keyring.log.note("policy", reason=f"{writer}:{count}")


def forget_sessions(vault: Vault, user: str, sessions: Sequence[str]) -> None:
    for session in sessions:
        vault.forget_session(user, session, now=True)


def clear(vault: Vault, user: str, session: str, number: int) -> None:
    for _ in range(number):
        vault.transcript(user, session).clear()


def delete(vault: Vault, user: str, session: str, number: int) -> None:
    for _ in range(number):
        vault.transcript(user, session).delete()


def clear_and_say(vault: Vault, user: str, session: str, texts: Sequence[str], number: int) -> None:
    """Say many things in one, and start anew, again and again."""
    chat = vault.transcript(user, session)
    for _ in range(number):
        chat.clear()
        chat.extend([{"role": "user", "content": text} for text in texts])


def pop(vault: Vault, user: str, session: str, number: int) -> Said:
    """Take the last message away as often as there is one."""
    chat = vault.transcript(user, session)
    popped = [chat.pop() for _ in range(number)]
    return [(message.seq or 0, str(message.content)) for message in popped if message]


def read(vault: Vault, user: str, session: str = "s") -> object:
    """Give the texts of a session, or the error's name."""
    return outcome(lambda: [message.content for message in vault.transcript(user, session).messages()])


def ask(vault: Vault, what: str, user: str) -> object:
    """Do one thing; give its result or the error's name."""
    chat = vault.transcript(user, "s")
    match what:
        case "messages":
            return read(vault, user)
        case "the last message":
            return outcome(lambda: [message.content for message in chat.messages(last=1)])
        case "append":
            return outcome(lambda: chat.append("user", "mine").content)
        case "append with a key":
            return outcome(lambda: chat.append("user", "mine", key="key").content)
        case "extend":
            return outcome(lambda: len(chat.extend([{"role": "user", "content": "mine"}] * 2)))
        case "pop":
            return outcome(lambda: getattr(chat.pop(), "content", None))
        case "sessions":
            return outcome(lambda: [(one.session_id, one.messages) for one in vault.sessions(user)])
        case "users":
            return outcome(lambda: user in set(vault.users()))
        case "footprint":
            return outcome(lambda: vault.footprint(user).messages)
    raise ValueError(what)


def read_until_told(vault: Vault, names: Sequence[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """Read all sessions again and again until somebody says stop; give all that was ever seen."""
    seen = set()
    while not vault.transcript("the test", "stop").messages():
        seen |= {(user, session, repr(read(vault, user, session))) for user, session in names}
        list(vault.users())
        for user, session in names:
            listed = outcome(lambda user=user: vault.sessions(user))  # type: ignore[misc]
            seen.add((user, session, f"listed: {listed if isinstance(listed, str) else ''}"))
    return seen


def open_and_say(place: Place, writer: str) -> str:
    """Open a vault that others are opening too, and use it; give its id."""
    with place.open() as vault:
        vault.transcript(writer, "s").append("user", "hello")
        vault.transcript("everybody", "s").append("user", writer)
        return vault.keys_status().vault
