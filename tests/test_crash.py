"""P8: a crash at any instant loses no acknowledged message and leaves no erasure half done.

A child process is killed with SIGKILL at each step of a script in turn, each time in a fresh vault. What it
said before it died decides what must be there when the vault is opened again.
"""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from crash_child import CONTEXT, Act, Place, run
from databases import Databases, Server, Sqlite, fresh_databases
from processes import PATIENCE
from soundness import check_sound, generations, leftovers

from vault import Vault
from vault.errors import SessionForgottenError, UserForgottenError
from vault.evidence.checking import check_certificate
from vault.evidence.notes import Verifier

Name = tuple[str, str]
Seen = dict[Name, list[str] | str]

ERASING = {"forget", "forget-session", "clear", "delete"}


@dataclass(frozen=True, slots=True)
class Script:
    """What the child does: `setup` is never killed, `acts` is killed at each of its steps."""

    setup: tuple[Act, ...]
    acts: tuple[Act, ...]
    mirrors: int = 1
    is_async: bool = False
    in_directory: bool = False


PEOPLE: tuple[Act, ...] = (
    ("append", "bystander", "s-1", "I stay"),
    ("append", "anna", "s-1", "one"),
    ("extend", "anna", "s-1", "two", "three"),
    ("append", "anna", "s-2", "elsewhere"),
    ("append", "bystander", "s-2", "I stay too"),
)
TALK: tuple[Act, ...] = (
    ("append", "anna", "s-1", "one"),
    ("append", "anna", "s-1", "two"),
    ("extend", "anna", "s-1", "three", "four", "five"),
    ("append", "anna", "s-2", "once", "key"),
    ("append", "anna", "s-2", "once", "key"),
    ("pop", "anna", "s-1"),
    ("append", "anna", "s-1", "six"),
    ("append", "bert", "s-1", "hello"),
)
SCRIPTS = {
    "create in a directory": Script((), (("append", "anna", "s-1", "one"),), in_directory=True),
    "create": Script((), (("append", "anna", "s-1", "one"),), mirrors=2),
    "talk": Script((("append", "bystander", "s-1", "I stay"),), TALK),
    "talk, awaited": Script((("append", "bystander", "s-1", "I stay"),), TALK, is_async=True),
    "forget a user now": Script(PEOPLE, (("forget", "anna", "now"),)),
    "forget a user now, with a mirror": Script(PEOPLE, (("forget", "anna", "now"),), mirrors=2),
    "forget a user now, awaited": Script(PEOPLE, (("forget", "anna", "now"),), is_async=True),
    "forget a user, then destroy": Script(PEOPLE, (("forget", "anna", "later"), ("destroy", "now"))),
    "forget a session": Script(PEOPLE, (("forget-session", "anna", "s-1", "now"),)),
    "clear and go on": Script(PEOPLE, (("clear", "anna", "s-1"), ("append", "anna", "s-1", "four"))),
    "delete": Script(PEOPLE, (("delete", "anna", "s-1"),)),
    "enroll anew": Script(
        (*PEOPLE, ("forget", "anna", "now")), (("enroll", "anna"), ("append", "anna", "s-1", "again"))
    ),
    "hold and forget when released": Script(
        PEOPLE, (("hold", "anna"), ("forget-later", "anna"), ("release", "anna"), ("due", ""))
    ),
    "hide and show": Script(
        (*PEOPLE, ("hold", "anna")),
        (
            ("pop", "anna", "s-1"),
            ("clear", "anna", "s-1"),
            ("append", "anna", "s-1", "anew"),
            ("pop", "anna", "s-1"),
            ("delete", "anna", "s-2"),
        ),
        mirrors=2,
    ),
    "remove what was hidden": Script(
        (
            *PEOPLE,
            ("hold", "anna"),
            ("pop", "anna", "s-1"),
            ("delete", "anna", "s-2"),
            ("append", "anna", "s-2", "anew"),
        ),
        (("release", "anna"), ("due", ""), ("append", "anna", "s-1", "four")),
    ),
    "adopt": Script(PEOPLE, (("adopt", ""),)),
}


# -- what the child said -------------------------------------------------------------------------------------


@dataclass
class Story:
    """What a child did, as far as it said so."""

    done: list[Act] = field(default_factory=list)
    pending: Act | None = None
    steps: tuple[str, ...] = ()
    killed: bool = False


def play(place: Place, script: Script, fatal: int | None) -> Story:
    parent, child = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(
        target=run,
        args=(child, place, script.setup, script.acts, fatal),
        kwargs={"is_async": script.is_async},
    )
    process.start()
    child.close()
    story = Story()
    with parent, ExitStack() as end:
        end.callback(process.close)
        end.callback(process.join)
        for kind, what in _said(parent):
            if kind == "ended":
                story.steps = what
            elif kind == "begun":
                story.pending = what
            else:
                story.pending = None
                story.done.append(what)
        process.join(PATIENCE)
        story.killed = process.exitcode == -signal.SIGKILL
        assert story.killed or process.exitcode == 0
    return story


def _said(pipe: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    while True:
        assert pipe.poll(PATIENCE), "a process hangs"  # type: ignore[attr-defined]
        try:
            yield pipe.recv()  # type: ignore[attr-defined]
        except EOFError:
            return


# -- what must be there --------------------------------------------------------------------------------------


@dataclass
class Expected:
    """A vault as a plain dictionary."""

    chats: dict[Name, list[str]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    forgotten_sessions: set[Name] = field(default_factory=set)
    keys: set[tuple[str, ...]] = field(default_factory=set)
    erasures: int = 0
    hasty: bool = False
    held: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    popped: dict[Name, int] = field(default_factory=dict)
    hidden: dict[str, list[int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many messages are there, hidden or not."""
        hidden = sum(map(sum, self.hidden.values())) + sum(self.popped.values())
        return sum(map(len, self.chats.values())) + hidden

    def after(self, acts: Iterable[Act]) -> "Expected":
        for act in acts:
            self.take(act)
        return self

    def settled(self) -> "Expected":
        """Do what has waited for holds that have ended."""
        self.popped = {name: count for name, count in self.popped.items() if name[0] in self.held}
        for user in {*self.hidden, *self.waiting} - self.held:
            if user in self.waiting:  # what is hidden goes with them
                self.waiting.discard(user)
                self.take(("forget", user, "later"))
            else:
                self.erasures += len(self.hidden[user])
            self.hidden.pop(user, None)
        return self

    def hide(self, verb: str, user: str, session: str) -> None:
        """Keep what the app removes."""
        name = user, session
        if verb == "pop":
            self.chats[name].pop()
            self.popped[name] = self.popped.get(name, 0) + 1
        else:
            self.hidden.setdefault(user, []).append(len(self.chats[name]) + self.popped.pop(name, 0))
            self.chats[name] = []

    def take(self, act: Act) -> None:
        if act[0] in {"pop", "clear", "delete"} and act[1] in self.held:
            self.hide(act[0], act[1], act[2])
            return
        self.erasures += act[0] in ERASING
        self.hasty |= act[-1] == "now"
        match act:
            case "append", user, session, text:
                self.chats.setdefault((user, session), []).append(text)
            case "append", user, session, text, key:
                if (user, session, key) not in self.keys:
                    self.keys.add((user, session, key))
                    self.chats.setdefault((user, session), []).append(text)
            case "extend", user, session, *texts:
                self.chats.setdefault((user, session), []).extend(texts)
            case "pop", user, session:
                self.chats[user, session].pop()
            case (("clear" | "delete"), user, session):
                self.chats[user, session] = []
            case "forget", user, _:
                self.forgotten.add(user)
                self.chats |= {name: [] for name in self.chats if name[0] == user}
            case "forget-session", user, session, _:
                self.forgotten_sessions.add((user, session))
                self.chats[user, session] = []
            case "enroll", user:
                self.forgotten.discard(user)
            case "hold", user:
                self.held.add(user)
            case "release", user:
                self.held.discard(user)
            case "forget-later", user:
                self.waiting.add(user)
            case "due", _:
                self.settled()

    def seen(self, names: Iterable[Name]) -> Seen:
        return {name: self._seen(name) for name in names}

    def _seen(self, name: Name) -> list[str] | str:
        if name[0] in self.forgotten:
            return "forgotten user"
        if name in self.forgotten_sessions:
            return "forgotten session"
        return self.chats.get(name, [])


def see(vault: Vault, name: Name) -> list[str] | str:
    try:
        return [str(message.content) for message in vault.transcript(*name).messages()]
    except UserForgottenError:
        return "forgotten user"
    except SessionForgottenError:
        return "forgotten session"


def possible(story: Story, intents: Callable[[], int]) -> list[Expected]:
    """What may be there: the act that was under way is done or not; once it is recorded, it is done."""
    before = Expected().after(story.done).settled()
    if story.pending is None:
        return [before]
    after = Expected().after([*story.done, story.pending]).settled()
    if story.pending[0] in ERASING and before.erasures != after.erasures:
        assert intents() in {before.erasures, after.erasures}
        return [after if intents() == after.erasures else before]
    return [before, after]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where one child lived and died."""

    place: Place
    databases: Databases
    mirrors: tuple[Path, ...]

    def intents(self) -> int:
        return len(self.databases.dump(self.databases.keyring).get("intents", []))


@contextmanager
def scene(server: Server, directory: Path, script: Script) -> Iterator[Scene]:
    directory.mkdir()
    with fresh_databases(server) as databases, ExitStack() as nothing:
        if script.in_directory:
            vault = directory / "vault"
            urls = [f"sqlite:///{vault / name}.db" for name in ("transcripts", "keyring")]
            inside = Databases("sqlite", urls[0], urls[1], server, nothing)
            yield Scene(Place(str(vault)), inside, (vault / "root.key",))
            return
        mirrors = tuple(directory / f"{number}" / "root.key" for number in range(script.mirrors))
        for mirror in mirrors:
            mirror.parent.mkdir()
        root = f"file:{','.join(map(str, mirrors))}"
        yield Scene(Place(databases.transcripts, databases.keyring, root), databases, mirrors)


def check(at: Scene, story: Story, script: Script) -> None:
    """Open the vault again: all that was acknowledged is there, nothing is half, and it can be used on."""
    names = sorted(
        {(act[1], act[2]) for act in script.setup + script.acts if len(act) > 2 and act[0] != "forget"}
    )
    expected = possible(story, at.intents)
    with at.place.open() as vault:
        if story.pending and story.pending[0] == "adopt":
            vault.adopt()
        vault.carry_out_due()
        held = {one.user_id for one in vault.holds() if one.in_force}
        seen = {name: see(vault, name) for name in names}
        assert (seen, held) in [(one.seen(names), one.held) for one in expected]
        [came] = [one for one in expected if (one.seen(names), one.held) == (seen, held)][:1]
        check_erasures(at, vault, came)
        check_listing(vault, came, names)
        check_sound(at.databases, *at.mirrors)
        check_log(vault)
        assert go_on(vault) == "final"
        assert {tuple(phase for phase, _ in generations(mirror)) for mirror in at.mirrors} == {("current",)}
        assert {one.status for one in vault.certificates()} == {"final"}
        assert [leftovers(mirror) for mirror in at.mirrors] == [[] for _ in at.mirrors]
    with at.place.open() as vault:
        assert {name: see(vault, name) for name in names} == seen
        assert see(vault, ("newcomer", "s-1")) == "forgotten user"
        assert see(vault, ("late", "s-1")) == ["I came after"]
    check_sound(at.databases, *at.mirrors)


def check_erasures(at: Scene, vault: Vault, came: Expected) -> None:
    """What was begun is ended: the rows and keys are gone, and the certificate says so."""
    assert vault.keys_status().unfinished == 0
    certificates = vault.certificates()
    assert len(certificates) == came.erasures == at.intents()
    if came.hasty:
        assert {one.status for one in certificates} <= {"final"}
        assert all(one.receipt and one.final_at for one in certificates)
        assert [len(generations(mirror)) for mirror in at.mirrors] == [1 for _ in at.mirrors]
    else:
        gone = [len(generations(mirror)) for mirror in at.mirrors] == [1 for _ in at.mirrors]
        assert {one.status for one in certificates} <= {"final" if gone else "provisional"}
    rows = at.databases.dump(at.databases.transcripts)["messages"]
    assert len(rows) == came.rows


def check_log(vault: Vault) -> None:
    """P6: the log is whole, and says of each erasure once what was asked, cut and ended, in this order."""
    assert vault.log.verify().unfinished == 0
    told: dict[str, list[str]] = {}
    for entry in vault.log.entries():
        told.setdefault(entry.act, []).append(str(entry.step))
    for one in vault.certificates():
        ended = ["final"] if one.final_at else []
        assert told[one.id] == ["intent", "completed", *ended]
        key = Verifier.parse(vault.log.public_key())
        assert check_certificate(one.to_json(), key) == one


def check_listing(vault: Vault, came: Expected, names: Iterable[Name]) -> None:
    """Every user who said something that is still there is listed, and no one who is forgotten."""
    talking = {name for name in names if came.chats.get(name)}
    listed = set(vault.users())
    assert {user for user, _ in talking} <= listed
    assert not listed & came.forgotten
    counted = {
        (user, one.session_id): one.messages
        for user in listed
        for one in vault.sessions(user)
        if one.messages
    }
    assert counted == {name: len(came.chats[name]) for name in talking}


def go_on(vault: Vault) -> str:
    """Use the vault as if nothing had happened."""
    vault.transcript("late", "s-1").append("user", "I came after")
    vault.transcript("newcomer", "s-1").append("user", "I go again")
    return vault.forget_user("newcomer", now=True).status


# -- the kills -----------------------------------------------------------------------------------------------


def count_steps(server: Server, directory: Path, script: Script) -> tuple[str, ...]:
    """Let the child live, check that too, and give its steps."""
    with scene(server, directory, script) as at:
        story = play(at.place, script, None)
        assert not story.killed
        assert story.pending is None
        check(at, story, script)
    return story.steps


def kill_at(server: Server, directory: Path, script: Script, fatal: int) -> None:
    with scene(server, directory, script) as at:
        story = play(at.place, script, fatal)
        assert story.killed
        check(at, story, script)


def kill_everywhere(server: Server, directory: Path, script: Script) -> int:
    steps = count_steps(server, directory / "alive", script)
    for fatal, name in enumerate(steps, 1):
        try:
            kill_at(server, directory / f"{fatal}", script, fatal)
        except BaseException as error:
            error.add_note(f"killed at step {fatal} of {len(steps)}, {name}; then {steps[fatal : fatal + 1]}")
            raise
    return len(steps)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_p8_a_kill_at_any_step_loses_nothing_and_leaves_no_erasure_half_done(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "kills").mkdir()
    kills = kill_everywhere(Sqlite(tmp_path), tmp_path / "kills", SCRIPTS[name])
    print(name, kills)
