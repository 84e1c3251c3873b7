"""P3, P5: a run is broken off, then a hold comes: it keeps what is held, and nobody else's old copies."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault.erasure import Eraser
from vault.errors import StoreUnavailableError
from vault.retention import planning, taking
from vault.retention.cutting import Cutter
from vault.retention.report import RunResult
from vault.retention.taking import Ready, Taker
from vault.retention.whole import Whole
from vault.storage import purging as purge_sql
from vault.storage.engine import Store

USERS = ("anna", "ben", "carl")
AT_MOST = 9 * DAY  # by the rules of a world


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    yield made
    made.vault.close()


def talk(world: Retained) -> dict[str, str]:
    """Let each user say something on one day; copy it, and let its day come."""
    said = {user: world.say(user, "s-1").text for user in USERS}
    world.snapshot()
    world.clock.now += AT_MOST + 2 * DAY
    return said


def opened(world: Retained) -> set[str]:
    """Give what opens of all old copies, under all old keyrings and the present root."""
    world.vault.destroy_due(now=True)
    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    return set().union(*(thief.read(copy) for copy in world.transcripts))


def start_again(world: Retained) -> None:
    world.vault.close()
    world.vault = world.open()


def kill_in(world: Retained, where: object, name: str) -> None:
    """Kill a run when it is about to do something; start again."""
    with mock.patch.object(where, name, side_effect=Killed), suppress(Killed):
        world.vault.purge()
        raise AssertionError("it was not killed")
    start_again(world)


def stop_after_one(world: Retained) -> None:
    """Ask a run to stop when it has taken the first session."""
    asked = iter([False])
    with mock.patch.object(planning, "PAGE", 1):
        ran = world.vault._core.runs().run(should_stop=lambda: next(asked, True))
    assert (ran.stopped, ran.messages) == (True, 1)


BREAKING: dict[str, Callable[[Retained], None]] = {
    "killed before the cut": lambda world: kill_in(world, Cutter, "cut"),
    "stopped between batches": stop_after_one,
}


def purge(world: Retained) -> RunResult:
    planned, ran = world.vault.purge(dry_run=True), world.vault.purge()
    assert (planned.messages, planned.epochs) == (ran.messages, ran.epochs)
    return ran


@pytest.mark.wide
@pytest.mark.parametrize("on_session", [False, True], ids=["user", "session"])
@pytest.mark.parametrize("how", BREAKING)
def test_p3_a_hold_after_a_run_that_was_broken_off_keeps_no_key_of_others(
    world: Retained, how: str, *, on_session: bool
) -> None:
    world.edit("labels")  # so that each session is looked at for itself
    said = talk(world)
    world.clock.now += 7 * DAY
    BREAKING[how](world)
    world.hold("anna", "s-1" if on_session else None)
    ran = purge(world)
    assert (ran.epochs, ran.kept, ran.certificate is None) == (1, 1, False)
    assert opened(world) == {said["anna"]}  # of hers the hold keeps what there is
    assert purge(world).epochs == 0
    world.release()
    assert purge(world).chapters == 1
    assert opened(world) == set()


def test_p3_a_hold_that_comes_while_a_run_is_under_way_keeps_others_until_the_next_one(
    world: Retained,
) -> None:
    said = talk(world)
    real = Cutter.cut

    def late(self: Cutter, *given: Any, **how: Any) -> object:
        world.hold("ben")
        return real(self, *given, **how)

    with mock.patch.object(Cutter, "cut", late):
        assert world.vault.purge().epochs == 0
    assert purge(world).epochs == 1
    assert opened(world) == {said["ben"]}


@pytest.mark.wide
@pytest.mark.parametrize("released", [False, True])
def test_p8_a_run_that_is_killed_between_the_key_that_a_hold_asks_for_and_its_row_leaves_no_second_key(
    world: Retained, *, released: bool
) -> None:
    said = talk(world)
    kill_in(world, Cutter, "cut")
    world.hold("anna")
    really_keep = purge_sql.keep_chapters

    def keep(connection: Any, kept: Any) -> None:
        if kept:
            raise Killed
        really_keep(connection, kept)

    with mock.patch.object(purge_sql, "keep_chapters", keep), suppress(Killed):
        world.vault.purge()
        raise AssertionError("it was not killed")
    start_again(world)
    if not released:
        assert purge(world).epochs == 1
        assert opened(world) == {said["anna"]}
    world.release()
    world.vault.purge()
    assert opened(world) == set()


@pytest.mark.wide
def test_p8_a_hold_after_the_keys_were_cut_comes_too_late_and_accuses_nobody(world: Retained) -> None:
    """Who has the vault open takes nothing up: the rows say that the keys are to die, and they are dead."""
    talk(world)
    other = world.open()
    with mock.patch.object(Eraser, "carry_out", side_effect=Killed), suppress(Killed):
        world.vault.purge()
        raise AssertionError("it was not killed")
    other.hold("anna", reason="a case")
    assert other.purge().epochs == 0
    other.close()
    start_again(world)
    assert purge(world).epochs == 0
    assert opened(world) == set()


@pytest.mark.wide
@pytest.mark.parametrize("when", ["before the run", "when it was broken off"])
def test_p3_transcripts_of_before_the_hold_that_are_put_back_leave_no_second_key(
    world: Retained, when: str
) -> None:
    said = talk(world)
    copy = world.databases.copy_of(world.databases.transcripts)
    kill_in(world, Cutter, "cut")
    if when != "before the run":
        copy = world.databases.copy_of(world.databases.transcripts)
    world.hold("anna")
    purge(world)
    world.vault.close()
    world.databases.restore(copy, world.databases.transcripts)
    world.vault = world.open()
    for _ in range(2):
        purge(world)
        assert opened(world) == {said["anna"]}
    shown = [one.content for one in world.vault.transcript("anna", "s-1").messages()]
    assert shown == ([said["anna"]] if when == "before the run" else [])
    world.release()
    purge(world)
    assert opened(world) == set()


# -- by chance -------------------------------------------------------------------------------------------


@contextmanager
def killing(step: int) -> Iterator[None]:
    """End the process before a transaction, or when it is committed: by turns, for each further step."""
    left = [step]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def work(*given: Any, **how: Any) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            done = real(*given, **how)
            if left[0] == 0 and step % 2:
                raise Killed
            return done

        return work

    with (
        mock.patch.object(Store, "write", counted(Store.write)),
        mock.patch.object(Store, "remove", counted(Store.remove)),
        suppress(Killed),
    ):
        yield


class Chance:
    """Kills, holds, releases and runs in any order; and what must be so when a run has come to its end."""

    def __init__(self, world: Retained, seed: int) -> None:
        self.world, self.dice = world, random.Random(seed)
        self.popped: set[str] = set()
        self.held: dict[str, set[str]] = {}  # what those who are held had, and everything they said before

    def readable(self, *users: str) -> set[str]:
        every = ((user, session) for user in users for session in ("s-1", "s-2"))
        shown = (self.world.vault.transcript(*name).messages() for name in every)
        return {str(one.content) for messages in shown for one in messages}

    def step(self) -> None:
        world, dice = self.world, self.dice
        user, session = dice.choice(USERS), dice.choice(["s-1", "s-2"])
        match dice.choices(
            ["say", "wait", "kill", "purge", "hold", "release", "pop"], [30, 12, 10, 8, 8, 6, 3]
        )[0]:
            case "say":
                world.say(user, session, dice.choice(["user", "tool", "assistant"]))
            case "wait":
                world.snapshot()
                world.clock.now += dice.choice([DAY // 4, 2 * DAY, 5 * DAY])
            case "kill":
                with killing(dice.randrange(1, 24)):
                    world.vault.purge()
                start_again(world)
            case "purge":
                world.vault.purge()
                self.look()
            case "hold" if any(one.user == user for one in world.said):
                self.held.setdefault(user, self.readable(user))
                world.hold(user)
            case "release":
                world.release()
                self.held.clear()
                world.vault.carry_out_due()
            case "pop" if self.readable(user):
                known = self.readable(user)
                world.vault.transcript(user, session).pop()
                self.popped |= known - self.readable(user)

    def look(self) -> None:
        theirs = {one.text for one in self.world.said if one.user in self.held}
        self.world.snapshot()
        found = opened(self.world)
        assert found - theirs - self.popped <= self.readable(*USERS)
        assert set().union(*self.held.values()) <= found

    def end(self) -> None:
        self.world.vault.purge()
        self.look()
        self.world.release()
        self.world.vault.carry_out_due()
        self.world.clock.now += 60 * DAY
        self.world.vault.purge()
        assert opened(self.world) == set()


@pytest.mark.wide
@pytest.mark.parametrize(("rules", "seed"), [("plain", 1), ("by session", 2), ("labels", 3)])
def test_p3_p5_in_whatever_order_runs_are_killed_and_holds_come_and_go(
    world: Retained, rules: str, seed: int
) -> None:
    world.edit(rules)
    chance = Chance(world, seed)
    for _ in range(40):
        chance.step()
    chance.end()


@pytest.mark.wide
def test_a_run_that_loses_its_database_says_so_once(world: Retained, monkeypatch: pytest.MonkeyPatch) -> None:
    talk(world)
    monkeypatch.setattr(taking, "CHUNK", 1)
    ready: list[object] = []
    prepare = Taker._prepare

    def lost(*_: object) -> NoReturn:
        raise StoreUnavailableError("it is away")

    def once(taker: Taker, window: Sequence[Whole]) -> list[Ready]:
        ready.append(window)
        return prepare(taker, window) if len(ready) == 1 else lost()

    with monkeypatch.context() as patched:
        patched.setattr(Taker, "_prepare", once)
        patched.setattr(Taker, "take", lost)
        with pytest.raises(StoreUnavailableError):
            world.vault.purge()
        gc.collect()  # an error in what was made ready beside would be told here, past whoever asked
    assert len(ready) == 2
    assert world.purge().messages == len(USERS)
