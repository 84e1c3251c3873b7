"""P8: a daemon that is killed at any instant is taken up by the next one, which comes to the same end.

A vault in which something of every kind falls due within days is set up once. From a copy of it a child lives
through those days as a daemon, and is killed at a point by chance. Another daemon lives on from there, and
what it leaves must be what it leaves behind a child that was not killed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from attacker import Attacker, Dump, root_keys
from crash_child import Act
from daemon_days import lead
from databases import Databases, Server, Sqlite
from faces import Clock
from soundness import check_sound, leftovers
from test_crash import Scene, Script, play, scene
from test_purging_crashes import rest

from vault import Vault
from vault.clock import DAY
from vault.errors import MissingError

NOON = 1_790_596_800_000_000  # a day at noon: the schedule asks at night
RULES = """\
version: 1
policy: house
schedule: "0 3 * * *"
limits: {max_fraction: 100%}
classes:
  - name: tool
    match: {role: tool}
    keep: {at_most: 2d}
  - name: receipts
    match: {role: system}
    keep: {at_least: 4d}
  - name: default
    keep: {at_most: 1y}
"""
SETUP: tuple[Act, ...] = (
    ("say", "anna", "s-1", "user", "I stay"),
    ("say", "ben", "s-1", "tool", "goes by its age"),
    ("say", "ben", "s-1", "user", "stays beside it"),
    ("say", "carl", "s-1", "tool", "goes once it is not held"),
    ("say", "carl", "s-1", "user", "stays when it is not held"),
    ("say", "dora", "s-1", "user", "stays"),
    ("say", "dora", "s-1", "user", "was popped"),
    ("say", "dora", "s-2", "user", "was deleted"),
    ("say", "erna", "s-1", "user", "waits for a hold"),
    ("say", "finn", "s-1", "user", "was forgotten"),
    ("say", "gina", "s-1", "system", "a receipt"),
    ("say", "gina", "s-1", "user", "beside it"),
    ("say", "gina", "s-2", "user", "elsewhere"),
    ("say", "hans", "s-1", "user", "is being forgotten"),
    ("hold-for", "carl", "5"),
    ("hold-for", "dora", "3"),
    ("hold-for", "erna", "4"),
    ("pop", "dora", "s-1"),
    ("delete", "dora", "s-2"),
    ("forget-later", "erna"),
    ("forget", "finn", "later"),
    ("forget-except", "gina"),
    ("begin", "export"),
)
LIVES, LIVES_ON = 6, 6  # days: of the one that is killed, and of the next
ALIVE = {"I stay", "stays beside it", "stays when it is not held", "stays"}
POPPED = {"was popped"}  # a row less, and no erasure: old copies open it


@dataclass(frozen=True)
class Due:
    """A vault as it was set up, and what the child is to do with it."""

    at: Scene
    before: tuple[str, str, bytes]
    thief: tuple[Dump, Dump]
    anchors: Path

    @property
    def acts(self) -> tuple[Act, ...]:
        return (("begin", "forget", "hans"), ("daemon", str(LIVES), str(self.anchors)))

    def put_back(self) -> None:
        """Make everything as it was before the child."""
        databases, (transcripts, keyring, root) = self.at.databases, self.before
        databases.restore(transcripts, databases.transcripts)
        databases.restore(keyring, databases.keyring)
        self.at.mirrors[0].write_bytes(root)
        for file in self.anchors.glob("*"):
            file.unlink()
        with self.at.place.open() as vault:
            vault.adopt()  # new files are a copy to it, in whatever place


@contextmanager
def due(server: Server, directory: Path) -> Iterator[Due]:
    rules = directory / "house.yaml"
    rules.write_text(RULES)
    with scene(server, directory / "vault", Script((), ())) as made:
        place = replace(made.place, policies=str(rules), horizon="3d", at=NOON)
        at = Scene(place, made.databases, made.mirrors)
        assert not play(place, Script((), SETUP), None).killed
        databases = at.databases
        yield Due(
            at,
            (
                databases.copy_of(databases.transcripts),
                databases.copy_of(databases.keyring),
                at.mirrors[0].read_bytes(),
            ),
            (databases.dump(databases.transcripts), databases.dump(databases.keyring)),
            directory / "anchors",
        )


# -- what is left ----------------------------------------------------------------------------------------


def live_on(one: Due) -> dict[str, object]:
    """Let another daemon do what is left to be done; give what is there then."""
    place, clock = one.at.place, Clock(NOON + LIVES * DAY)

    def wait() -> None:
        clock.now += DAY

    with place.open(clock) as vault:
        vault.forget_user("hans")  # where the child was killed before it was asked to
        lead(vault, LIVES_ON, wait, one.anchors)
        check_sound(one.at.databases, *one.at.mirrors)
        assert leftovers(one.at.mirrors[0]) == []
        return left(one, vault)


def left(one: Due, vault: Vault) -> dict[str, object]:
    """Say what is there, without what is random."""
    databases, certificates = one.at.databases, vault.certificates()
    names = {(act[1], act[2]) for act in SETUP if act[0] == "say"}
    keyring = databases.dump(databases.keyring)
    verified = vault.log.verify(anchor=one.anchors)
    told = {entry.act: entry for entry in vault.log.entries()}
    thief = Attacker(bytes.fromhex(vault.keys_status().vault), root_keys(one.at.mirrors[0]))
    thief.take_keyrings([one.thief[1], keyring])
    transcripts = databases.dump(databases.transcripts)
    return {
        "read": {name: read(vault, *name) for name in names},
        "listed": sorted(vault.users()),
        "rest": rest(one.at),
        "holds": sorted((hold.user_id or "", hold.in_force) for hold in vault.holds()),
        "waiting": vault.queued(),
        # A purge that was killed may go on in the next one: how many there were is not the same.
        "asked for": Counter(item.kind for item in certificates if item.kind != "purge"),
        "purged": any(item.kind == "purge" for item in certificates),
        "tombstones": len(keyring["tombstones"]),
        "status": {item.status for item in certificates},
        "unfinished": (vault.keys_status().unfinished, verified.unfinished),
        "exports": [(entry.step, entry.facts) for entry in told.values() if entry.kind == "export"],
        "stolen": thief.read(one.thief[0]) | thief.read(transcripts),
    }


def read(vault: Vault, user: str, session: str) -> object:
    try:
        found = vault.transcript(user, session).messages()
    except MissingError as error:
        return type(error).__name__
    return [message.content for message in found], found.purged


def what_must_be(found: dict[str, object]) -> None:
    """Say in plain words what the days must have come to."""
    said = found["read"]
    assert isinstance(said, dict)
    assert said["ben", "s-1"] == (["stays beside it"], 1)
    assert said["carl", "s-1"] == (["stays when it is not held"], 1)
    assert (said["dora", "s-1"], said["dora", "s-2"]) == ((["stays"], 0), ([], 0))
    gone = {user for (user, _), one in said.items() if one == "UserForgottenError"}
    assert gone == {"erna", "finn", "gina", "hans"}
    assert found["waiting"] == []
    assert found["holds"] == [("", False), ("carl", False), ("dora", False)]
    assert found["asked for"] == {"forget-user": 4, "forget-session": 2, "delete": 1}
    assert (found["status"], found["unfinished"]) == ({"final"}, (0, 0))
    assert found["exports"] == [("completed", {"ended": "interrupted"})]
    assert found["stolen"] == ALIVE | POPPED


# -- the kills -------------------------------------------------------------------------------------------


@dataclass
class Kills:
    """Kills one child after the other."""

    one: Due
    steps: tuple[str, ...] = ()
    expected: dict[str, object] = field(default_factory=dict)

    def live(self) -> None:
        """Let one live, for the others to be measured by."""
        self.one.put_back()
        story = play(self.one.at.place, Script((), self.one.acts), None)
        assert not story.killed
        self.steps = story.steps
        self.expected = live_on(self.one)
        what_must_be(self.expected)

    def kill_at(self, fatal: int) -> None:
        self.one.put_back()
        story = play(self.one.at.place, Script((), self.one.acts), fatal)
        assert story.killed
        assert live_on(self.one) == self.expected

    def by_chance(self, number: int, seed: int) -> None:
        self.live()
        assert len(self.steps) > 100
        points = sorted(random.Random(seed).sample(range(1, len(self.steps) + 1), number))
        print(f"{len(self.steps)} steps; seed {seed} kills at {points}")
        for fatal in points:
            try:
                self.kill_at(fatal)
            except BaseException as error:
                after = self.steps[fatal : fatal + 1]
                error.add_note(f"killed at step {fatal}, {self.steps[fatal - 1]}; then {after}")
                raise


def kill_by_chance(server: Server, directory: Path, number: int, seed: int) -> None:
    with due(server, directory) as one:
        Kills(one).by_chance(number, seed)


@pytest.mark.wide
def test_p8_a_daemon_killed_at_ten_points_by_chance_is_taken_up_by_the_next(tmp_path: Path) -> None:
    kill_by_chance(Sqlite(tmp_path), tmp_path, 10, seed=1)


@pytest.mark.slow
def test_p8_a_daemon_killed_at_a_hundred_points_by_chance_is_taken_up_by_the_next(tmp_path: Path) -> None:
    kill_by_chance(Sqlite(tmp_path), tmp_path, 100, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p8_on_a_server_too_a_killed_daemon_is_taken_up_by_the_next(
    database: Databases, tmp_path: Path
) -> None:
    kill_by_chance(database._server, tmp_path, 10, seed=3)
