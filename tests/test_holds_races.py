"""P5: whatever comes together with a hold comes before it, or is stopped by it.

One instant after the other is tried. From the moment on that a hold is acknowledged nothing is taken away;
what was recorded before makes the placing fail; and nobody is accused of a theft.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from databases import Databases, Server, Sqlite, fresh_databases
from interleaving import Instants, interrupted, outcome

from vault import Vault
from vault.errors import SessionForgottenError, UserForgottenError
from vault.evidence.certificate import Why

Verb = Callable[[Vault, str], object]


@contextmanager
def paired(server: Server, root: Path) -> Iterator[tuple[Vault, Vault]]:
    """Two processes on one vault."""

    def opened(database: Databases) -> Vault:
        return Vault.open(database.transcripts, keyring=database.keyring, root=f"file:{root}", redactor=None)

    with fresh_databases(server) as database, ExitStack() as vaults:
        mine, theirs = (vaults.enter_context(opened(database)) for _ in range(2))
        yield mine, theirs


@dataclass
class Trial:
    """A user who talks, and what was there when a hold on them was acknowledged."""

    mine: Vault
    theirs: Vault
    user: str
    at_hold: set[object] | None = None
    said: list[object] = field(default_factory=list)

    def talk(self) -> None:
        for session, texts in (("s", ("one", "two", "three")), ("t", ("beside",))):
            self.theirs.transcript(self.user, session).extend(
                [{"role": "user", "content": text} for text in texts]
            )
        self.mine.transcript(self.user, "s").messages()

    def kept(self, vault: Vault) -> set[object]:
        """Everything of this user that is still there, hidden or not."""
        found: set[object] = set()
        for session in ("s", "t"):
            try:
                chat = vault.transcript(self.user, session).messages(include_hidden=True, purpose="a test")
            except (UserForgottenError, SessionForgottenError):
                continue
            found |= {message.content for message in chat}
        return found

    def hold(self, vault: Vault, session: str | None = None) -> str:
        placed = vault.hold(self.user, session, reason="case 7")
        self.at_hold = self.kept(vault)
        return placed.id

    def check(self) -> None:
        """Both see the same, and nothing is gone that was there when the hold was acknowledged."""
        kept = [self.kept(vault) for vault in (self.mine, self.theirs)]
        assert kept[0] == kept[1]
        assert self.at_hold is None or self.at_hold <= kept[0]


REMOVING: dict[str, Verb] = {
    "pop": lambda vault, user: vault.transcript(user, "s").pop(),
    "clear": lambda vault, user: vault.transcript(user, "s").clear(),
    "delete": lambda vault, user: vault.transcript(user, "s").delete(),
    "forget the user": lambda vault, user: vault.forget_user(user),
    "forget the user now": lambda vault, user: vault.forget_user(user, now=True),
    "forget the session": lambda vault, user: vault.forget_session(user, "s"),
    "forget the user when released": lambda vault, user: vault.forget_user(user, when_released=True),
}


def at_each_instant(
    pair: tuple[Vault, Vault],
    work: Callable[[Trial], object],
    event: Callable[[Trial], object],
    every: int = 1,
) -> Iterator[tuple[Trial, object]]:
    """Let the event happen at one instant of the work after the other, each time with another user."""
    mine, theirs = pair
    for chosen in count(1, every):
        trial = Trial(mine, theirs, f"u-{id(work)}-{chosen}")
        trial.talk()
        instants = Instants(chosen, lambda trial=trial: event(trial))  # type: ignore[misc]
        with interrupted(mine, instants):
            result = outcome(lambda trial=trial: work(trial))  # type: ignore[misc]
        if instants.passed < chosen:
            assert chosen > 2
            return
        yield trial, result


def excluded(trial: Trial, verb: str, *, refused: bool) -> bool:
    """Either the hold was placed or the erasure happened; a user's hold comes after that of one session."""
    if verb == "forget the session" and not refused:
        return trial.at_hold in (None, {"beside"})
    return refused is (trial.at_hold is not None)


def hold_comes_at_instants_of(
    pair: tuple[Vault, Vault], verb: str, session: str | None, every: int = 1
) -> set[str]:
    """Give what came out, in short: whether the hold was placed and whether the verb was refused."""
    came = set()

    def event(trial: Trial) -> None:
        trial.said.append(outcome(lambda: trial.hold(trial.theirs, session)))

    def work(trial: Trial) -> object:
        return REMOVING[verb](trial.mine, trial.user)

    for trial, result in at_each_instant(pair, work, event, every):
        trial.check()
        placed = trial.at_hold is not None
        refused = result == "HeldError" or getattr(result, "status", "") == "requested"
        if verb.startswith("forget"):
            assert excluded(trial, verb, refused=refused), (trial.said, result)
        came.add(f"{'held' if placed else trial.said[0]}, {'refused' if refused else 'done'}")
    return came


QUICK = ("pop", "forget the user")
held = pytest.mark.parametrize(
    ("verb", "session"),
    [
        pytest.param(
            verb,
            session,
            id=f"{verb}-{session or 'user'}-held",
            marks=() if session is None and verb in QUICK else pytest.mark.wide,
        )
        for verb in REMOVING
        for session in (None, "s")
    ],
)


@pytest.mark.wide
@held
def test_p5_a_hold_at_any_instant_of_a_removal_stops_it_or_comes_too_late(
    tmp_path: Path, verb: str, session: str | None
) -> None:
    with paired(Sqlite(tmp_path), tmp_path / "root.key") as pair:
        came = hold_comes_at_instants_of(pair, verb, session)
    if verb.startswith("forget"):
        assert "held, refused" in came
        assert came - {"held, refused"} <= {
            "UserForgottenError, done",
            "SessionForgottenError, done",
            "held, done",
        }
        assert len(came) > 1
    else:
        assert "held, done" in came


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("verb", REMOVING)
def test_p5_on_a_server_too_a_hold_stops_a_removal_or_comes_too_late(
    database: Databases, tmp_path: Path, verb: str
) -> None:
    with paired(database._server, tmp_path / "root.key") as pair:
        assert hold_comes_at_instants_of(pair, verb, None, every=4)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("verb", REMOVING)
def test_p5_on_a_server_too_a_hold_at_any_instant_stops_a_removal_or_comes_too_late(
    database: Databases, tmp_path: Path, verb: str
) -> None:
    with paired(database._server, tmp_path / "root.key") as pair:
        assert hold_comes_at_instants_of(pair, verb, None)


def removal_comes_at_instants_of_a_hold(root: Path, verb: str, session: str | None, every: int = 1) -> None:
    def work(trial: Trial) -> object:
        return trial.hold(trial.mine, session)

    def event(trial: Trial) -> None:
        trial.said.append(outcome(lambda: REMOVING[verb](trial.theirs, trial.user)))

    with paired(Sqlite(root), root / "root.key") as pair:
        for trial, result in at_each_instant(pair, work, event, every):
            trial.check()
            if verb.startswith("forget"):
                refused = trial.said[0] == "HeldError" or getattr(trial.said[0], "status", "") == "requested"
                assert excluded(trial, verb, refused=refused), (trial.said, result)


@pytest.mark.wide
@held
def test_p5_a_removal_at_some_instants_of_a_hold_comes_first_or_is_stopped(
    tmp_path: Path, verb: str, session: str | None
) -> None:
    removal_comes_at_instants_of_a_hold(tmp_path, verb, session, every=3)


@pytest.mark.slow
@held
def test_p5_a_removal_at_any_instant_of_a_hold_comes_first_or_is_stopped(
    tmp_path: Path, verb: str, session: str | None
) -> None:
    removal_comes_at_instants_of_a_hold(tmp_path, verb, session)


@pytest.mark.parametrize(
    "verb", ["pop", *(pytest.param(verb, marks=pytest.mark.wide) for verb in ("clear", "delete"))]
)
def test_p5_a_release_at_any_instant_of_hiding_leaves_nothing_hidden(tmp_path: Path, verb: str) -> None:
    placed: dict[str, str] = {}

    def event(trial: Trial) -> None:
        trial.theirs.release(placed[trial.user], reason="closed")
        trial.theirs.carry_out_due()

    def held_first(trial: Trial) -> object:
        placed[trial.user] = trial.theirs.hold(trial.user, reason="case 7").id
        return REMOVING[verb](trial.mine, trial.user)

    with paired(Sqlite(tmp_path), tmp_path / "root.key") as pair:
        for trial, result in at_each_instant(pair, held_first, event):
            assert not isinstance(result, str), result
            left = {"beside"} | ({"one", "two"} if verb == "pop" else set())
            assert trial.kept(trial.mine) == trial.kept(trial.theirs) == left
            shown = [
                [message.content for message in vault.transcript(trial.user, "s").messages()]
                for vault in pair
            ]
            assert shown == [["one", "two"] if verb == "pop" else []] * 2


@pytest.mark.wide
@pytest.mark.parametrize("hidden", ["pop", "clear", "delete", "forget the user when released"])
def test_p5_a_new_hold_at_any_instant_of_what_is_due_keeps_what_is_left(tmp_path: Path, hidden: str) -> None:
    def work(trial: Trial) -> object:
        first = trial.theirs.hold(trial.user, reason="case 7")
        REMOVING[hidden](trial.theirs, trial.user)
        trial.theirs.release(first.id, reason="closed")
        return trial.mine.carry_out_due()

    def event(trial: Trial) -> None:
        trial.said.append(outcome(lambda: trial.hold(trial.theirs)))

    with paired(Sqlite(tmp_path), tmp_path / "root.key") as pair:
        came = set()
        for trial, result in at_each_instant(pair, work, event):
            assert not isinstance(result, str), result
            trial.check()
            came.add(trial.at_hold is not None and "one" in trial.at_hold)
    assert True in came


# -- at the same time ------------------------------------------------------------------------------------


def hold_waits_for_a_pop(mine: Vault, theirs: Vault) -> None:
    """The pop has looked, and not removed yet: the hold is placed meanwhile, and waits to be acknowledged."""
    trial = Trial(mine, theirs, "anna")
    trial.talk()
    holds = mine._core.keyring.holds
    really_held = holds.is_held
    holding = threading.Thread(target=lambda: trial.hold(theirs))
    early = []

    def is_held(user: bytes, session: bytes | None, now: int) -> bool:
        answer = really_held(user, session, now)
        if not holding.ident:
            holding.start()
            while not really_held(user, session, now):
                holding.join(0.01)
            holding.join(0.2)
            early.append(not holding.is_alive())
        return answer

    holds.is_held = is_held  # type: ignore[method-assign]
    assert mine.transcript("anna", "s").pop()
    holding.join()
    assert early == [False]
    assert trial.at_hold == {"one", "two", "beside"}
    trial.check()
    mine.transcript("anna", "s").pop()
    trial.check()


@pytest.mark.wide
def test_p5_a_hold_is_acknowledged_when_who_looked_before_it_has_removed(tmp_path: Path) -> None:
    with paired(Sqlite(tmp_path), tmp_path / "root.key") as (mine, theirs):
        hold_waits_for_a_pop(mine, theirs)


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p5_on_a_server_too_a_hold_waits_for_who_looked_before_it(
    database: Databases, tmp_path: Path
) -> None:
    with paired(database._server, tmp_path / "root.key") as (mine, theirs):
        hold_waits_for_a_pop(mine, theirs)


def erasure_and_hold_exclude_each_other(mine: Vault, theirs: Vault, rounds: int) -> None:
    """Both at once, in two threads: one of them comes first, and the other says so."""
    for number in range(rounds):
        trial = Trial(mine, theirs, f"u-{number}")
        trial.talk()
        ready = threading.Barrier(2)
        said: dict[str, object] = {}

        def hold(
            trial: Trial = trial, ready: threading.Barrier = ready, said: dict[str, object] = said
        ) -> None:
            ready.wait()
            said["hold"] = outcome(lambda: trial.hold(trial.theirs))

        placing = threading.Thread(target=hold)
        placing.start()
        ready.wait()
        erased = outcome(lambda trial=trial: trial.mine.forget_user(trial.user))  # type: ignore[misc]
        placing.join()
        trial.check()
        assert (erased == "HeldError") is (trial.at_hold is not None), (erased, said)
        assert (said["hold"] == "UserForgottenError") is (trial.at_hold is None), (erased, said)


@pytest.mark.wide
def test_p5_of_a_hold_and_an_erasure_at_once_one_comes_first(tmp_path: Path) -> None:
    with paired(Sqlite(tmp_path), tmp_path / "root.key") as (mine, theirs):
        erasure_and_hold_exclude_each_other(mine, theirs, 10)


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p5_on_a_server_too_of_a_hold_and_an_erasure_one_comes_first(
    database: Databases, tmp_path: Path
) -> None:
    with paired(database._server, tmp_path / "root.key") as (mine, theirs):
        erasure_and_hold_exclude_each_other(mine, theirs, 10)


# -- purging ---------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p5_a_purge_of_what_is_held_is_refused_and_nothing_is_recorded(tmp_path: Path) -> None:
    with paired(Sqlite(tmp_path), tmp_path / "root.key") as (mine, theirs):
        trial = Trial(mine, theirs, "anna")
        trial.talk()
        core = mine._core
        session = core.sessions.find("anna", "s")
        assert session
        [(name, anchor)] = session.by_place
        assert anchor is not None
        place = name, anchor
        epoch, where = core.keyring.find_epochs([place])[place], core.keyring.epoch_slot(*place)
        placed = trial.hold(theirs, "t")

        def purge() -> bytes:
            return core.eraser.begin(Why.PURGE, [epoch.id], where, reason="", actor="", now=False)

        assert outcome(purge) == "HeldError"
        assert mine.certificates() == []
        beside = core.sessions.find("anna", "t")
        assert beside
        beside = core.sessions.ready("anna", "t", "", [place])
        core.sessions.keep_chapter(beside, place)
        begun = purge()  # the held chapter has a key of its own now
        theirs.hold("anna", reason="case 8")  # the purge was recorded before, and comes first
        assert core.eraser.carry_out([begun])[0].kind == Why.PURGE
        theirs.release(placed, reason="closed")
        chat = mine.transcript("anna", "s").messages()
        assert (list(chat), chat.purged) == ([], 3)
        assert [message.content for message in mine.transcript("anna", "t").messages()] == ["beside"]
