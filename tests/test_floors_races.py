"""P5: whatever comes together with forgetting except for floors comes before it, or after it.

One instant after the other is tried. What a floor keeps is there until its day, whoever removes, appends,
holds, releases, purges or forgets at the same time; from the answer on nobody reads or adds; on the day all
is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from databases import Databases, Server, Sqlite, fresh_databases
from faces import DAY, Clock
from interleaving import Instants, interrupted, outcome
from soundness import check_sound

from vault import Vault
from vault.errors import MissingError
from vault.evidence.certificate import Certificate

RULES = """\
version: 1
policy: law
limits: {max_fraction: 100%}
classes:
  - name: receipts
    match: {role: tool}
    keep: {at_least: 30d}
  - name: brief
    match: {role: system}
    keep: {at_most: 2d}
  - name: default
    keep: {at_most: 90y}
"""
SESSIONS = ("s", "t", "u")


@dataclass(frozen=True)
class Pair:
    """Two processes on one vault, and what they share."""

    mine: Vault
    theirs: Vault
    clock: Clock
    databases: Databases
    root: Path

    def __iter__(self) -> Iterator[Vault]:
        return iter((self.mine, self.theirs))


@contextmanager
def paired(server: Server, directory: Path) -> Iterator[Pair]:
    clock, rules, root = Clock(), directory / "law.yaml", directory / "root.key"
    rules.write_text(RULES)
    with fresh_databases(server) as databases, ExitStack() as vaults:
        mine, theirs = (
            vaults.enter_context(
                Vault.open(
                    databases.transcripts,
                    keyring=databases.keyring,
                    root=f"file:{root}",
                    redactor=None,
                    horizon="0d",
                    policies=rules,
                    clock=clock,
                )
            )
            for _ in range(2)
        )
        yield Pair(mine, theirs, clock, databases, root)


@dataclass
class Trial:
    """A user with receipts that a floor keeps, and with what it does not keep."""

    pair: Pair
    user: str
    hold: str = ""
    at_hold: set[object] = field(default_factory=set)
    is_asked: bool = False
    said: list[object] = field(default_factory=list)
    added: set[str] = field(default_factory=set)

    def talk(self) -> None:
        for session, said in (
            ("s", (("tool", "a receipt"), ("user", "beside it"), ("system", "is due"))),
            ("t", (("tool", "another receipt"),)),
            ("u", (("user", "alone"),)),
        ):
            chat = self.pair.theirs.transcript(self.user, session)
            chat.extend([{"role": role, "content": text} for role, text in said])
            self.pair.mine.transcript(self.user, session).messages()
        self.pair.clock.now += 3 * DAY

    @property
    def receipts(self) -> set[str]:
        return {"a receipt", "another receipt"} | {one for one in self.added if one.startswith("receipt")}

    def kept(self, vault: Vault, sessions: Iterable[str] = SESSIONS) -> set[object]:
        """Everything of this user that is still there, closed or hidden or not."""
        found: set[object] = set()
        for session in sessions:
            try:
                chat = vault.transcript(self.user, session)
                found |= {one.content for one in chat.messages(include_hidden=True, purpose="a test")}
            except MissingError:
                continue
        return found

    def append(self, vault: Vault, role: str, text: str) -> object:
        """Add a message; what is acknowledged counts."""

        def add() -> str:
            vault.transcript(self.user, "s").append(role, text)
            self.added.add(text)
            return "added"

        return outcome(add)

    def check_refused(self) -> None:
        """To the app the user is forgotten."""
        for vault in self.pair:
            for session in SESSIONS:
                found = outcome(lambda v=vault, s=session: v.transcript(self.user, s).messages())  # type: ignore[misc]
                assert found == "UserForgottenError"
            assert self.append(vault, "user", "late") == "UserForgottenError"

    def check_day(self) -> None:
        """On the day all is gone, for whoever waited."""
        self.pair.clock.now += 40 * DAY
        for vault in self.pair:
            vault.carry_out_due()
        assert self.kept(self.pair.mine) == self.kept(self.pair.theirs) == set()
        assert self.pair.mine.queued() == []


def forget(trial: Trial, vault: Vault) -> object:
    """Forget the user; what is accepted counts."""
    result = outcome(lambda: vault.forget_user(trial.user, except_floors=True, now=True))
    trial.is_asked |= isinstance(result, Certificate)
    return result


def hold(trial: Trial, vault: Vault, session: str | None = None) -> object:
    def place() -> str:
        trial.hold = vault.hold(trial.user, session, reason="case 7").id
        trial.at_hold = trial.kept(vault, SESSIONS if session is None else [session])
        return "held"

    return outcome(place)


def release(trial: Trial, vault: Vault) -> object:
    def end() -> str:
        vault.release(trial.hold, reason="closed")
        vault.carry_out_due()
        trial.hold = ""
        return "released"

    return outcome(end)


Event = Callable[[Trial, Vault], object]
EVENTS: dict[str, Event] = {
    "a purge": lambda _, vault: outcome(lambda: vault.purge(yes=True)),
    "an append": lambda trial, vault: trial.append(vault, "user", "more"),
    "a receipt": lambda trial, vault: trial.append(vault, "tool", "receipt of now"),
    "a hold": hold,
    "a hold on a session": lambda trial, vault: hold(trial, vault, "s"),
    "the same": forget,
    "a plain forgetting": lambda trial, vault: outcome(lambda: vault.forget_user(trial.user)),
    "forgetting a session": lambda trial, vault: outcome(
        lambda: vault.forget_session(trial.user, "s", except_floors=True)
    ),
    "a delete": lambda trial, vault: outcome(lambda: vault.transcript(trial.user, "u").delete()),
    "what is due": lambda _, vault: outcome(vault.carry_out_due),
}
QUICK = ("a purge", "a hold")


def at_each_instant(
    pair: Pair, work: Event, event: Event, *, before: Event | None, every: int
) -> Iterator[tuple[Trial, object]]:
    for chosen in count(1, every):
        trial = Trial(pair, f"u-{chosen}")
        trial.talk()
        if before is not None:
            before(trial, pair.theirs)
        instants = Instants(chosen, lambda trial=trial: trial.said.append(event(trial, pair.theirs)))  # type: ignore[misc]
        with interrupted(pair.mine, instants):
            result = work(trial, pair.mine)
        if instants.passed < chosen:
            assert chosen > 2
            return
        yield trial, result


def check(trial: Trial, *, asked: bool) -> None:
    """Nothing that a floor or a hold keeps is gone, nothing that none keeps is there."""
    for vault in trial.pair:
        vault.carry_out_due()
    kept = trial.kept(trial.pair.mine)
    assert kept == trial.kept(trial.pair.theirs)
    assert trial.receipts <= kept, (kept, trial.said)
    if trial.hold:
        assert trial.at_hold <= kept, (kept, trial.said)
        assert asked or {"beside it", "alone"} <= kept
        trial.pair.theirs.release(trial.hold, reason="closed")
        trial.pair.theirs.carry_out_due()
        trial.hold = ""
    if asked:
        trial.check_refused()
        assert trial.kept(trial.pair.mine) == trial.receipts
        trial.check_day()


def race(pair: Pair, work: Event, event: Event, *, before: Event | None = None, every: int = 1) -> None:
    rounds = 0
    for trial, result in at_each_instant(pair, work, event, before=before, every=every):
        rounds += 1
        try:
            check(trial, asked=trial.is_asked)
        except BaseException as error:
            error.add_note(f"at instant {rounds}: {result}; {trial.said}")
            raise
    assert rounds
    assert pair.mine.log.verify().unfinished == 0
    check_sound(pair.databases, pair.root)


@pytest.mark.wide
@pytest.mark.parametrize("name", EVENTS)
def test_p5_what_comes_at_some_instants_of_forgetting_takes_nothing_that_a_floor_keeps(
    tmp_path: Path, name: str
) -> None:
    with paired(Sqlite(tmp_path), tmp_path) as pair:
        race(pair, forget, EVENTS[name], every=8)


@pytest.mark.wide
@pytest.mark.parametrize("name", EVENTS)
def test_p5_forgetting_at_some_instants_of_something_else_takes_nothing_that_a_floor_keeps(
    tmp_path: Path, name: str
) -> None:
    with paired(Sqlite(tmp_path), tmp_path) as pair:
        race(pair, EVENTS[name], forget, every=6)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVENTS)
def test_p5_what_comes_at_any_instant_of_forgetting_and_forgetting_at_any_of_it_leave_what_a_floor_keeps(
    tmp_path: Path, name: str
) -> None:
    for place, works in (("one", (forget, EVENTS[name])), ("other", (EVENTS[name], forget))):
        (tmp_path / place).mkdir()
        with paired(Sqlite(tmp_path / place), tmp_path / place) as pair:
            race(pair, *works)


@pytest.mark.wide
def test_p5_forgetting_at_some_instants_of_a_release_is_refused_or_done(tmp_path: Path) -> None:
    with paired(Sqlite(tmp_path), tmp_path) as pair:
        race(pair, release, forget, before=hold, every=3)


@pytest.mark.wide
def test_p5_a_release_at_any_instant_of_forgetting_is_before_it_or_after(tmp_path: Path) -> None:
    with paired(Sqlite(tmp_path), tmp_path) as pair:
        race(pair, forget, release, before=hold)


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("name", QUICK)
def test_p5_on_a_server_too_what_comes_together_takes_nothing_that_a_floor_keeps(
    database: Databases, tmp_path: Path, name: str
) -> None:
    with paired(database._server, tmp_path) as pair:
        race(pair, forget, EVENTS[name], every=15)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("name", EVENTS)
def test_p5_on_a_server_too_whatever_comes_at_more_instants_takes_nothing_that_a_floor_keeps(
    database: Databases, tmp_path: Path, name: str
) -> None:
    with paired(database._server, tmp_path) as pair:
        race(pair, forget, EVENTS[name], every=4)
