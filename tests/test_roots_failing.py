"""A mirror that is missing, read-only, full, damaged or locked away: nothing is erased, all is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from attacker import root_keys
from databases import Databases
from faces import DAY, TickingClock
from failing_disks import WAYS, Disk, fail_in_the_middle
from sqlalchemy import make_url

from vault import Vault
from vault.crypto.envelope import random_id
from vault.errors import (
    RootUnavailableError,
    SessionForgottenError,
    UserForgottenError,
    VaultError,
    WaitingWarning,
)
from vault.roots.file import FileRoot


@dataclass
class World:
    """A vault on two disks; what happens to them happens to the second."""

    databases: Databases
    roots: tuple[Path, Path]
    disk: Disk
    clock: TickingClock = field(default_factory=TickingClock)

    def open(self, **changes: Any) -> Vault:
        settings: dict[str, Any] = {
            "keyring": self.databases.keyring,
            "root": "file:" + ",".join(map(str, self.roots)),
            "redactor": None,
            "clock": self.clock,
        }
        return Vault.open(self.databases.transcripts, **settings | changes)

    def is_whole(self) -> bool:
        return self.roots[0].read_bytes() == self.roots[1].read_bytes()


# The root is a file wherever the databases are: on servers two ways in which its disk fails stand for all.
of_all_ways = pytest.mark.parametrize(
    ("database", "world", "fails"),
    [("sqlite", mirror, way) for mirror in (0, 1) for way in WAYS]
    + [
        (server, 1, way)
        for server in ("postgresql", "mariadb")
        for way in (Disk.is_unmounted_altogether, Disk.is_read_only)
    ],
    indirect=["database", "world"],
)


@pytest.fixture
def world(request: pytest.FixtureRequest, database: Databases, tmp_path: Path) -> Iterator[World]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir(mode=0o700)
    roots = tmp_path / "a" / "root.key", tmp_path / "b" / "root.key"
    with pytest.MonkeyPatch.context() as patched:
        world = World(database, roots, Disk(roots[request.param].parent, patched))
        with world.open() as vault:
            for user in ("anna", "ben"):
                for session in ("s-1", "s-2"):
                    vault.transcript(user, session).append("user", f"hello from {user}")
        yield world


def lives(vault: Vault, user: str = "ben") -> bool:
    texts = [one.content for one in vault.transcript(user, "s-1").messages()]
    assert [one.session_id for one in vault.sessions(user)] == ["s-1", "s-2"]
    return texts[:1] == [f"hello from {user}"]


ACTS: list[Callable[[Vault], object]] = [
    lambda vault: vault.forget_user("anna"),
    lambda vault: vault.forget_user("anna", now=True),
    lambda vault: vault.forget_session("anna", "s-1"),
    lambda vault: vault.transcript("anna", "s-1").clear(),
    lambda vault: vault.transcript("anna", "s-1").delete(),
    lambda vault: vault.hold("anna", reason="case 7"),
    lambda vault: vault.rotate(),
    lambda vault: vault.rotate(now=True),
    lambda vault: vault.adopt(),
]


@pytest.mark.wide
@of_all_ways
def test_p3_what_needs_the_root_refuses_before_it_begins_and_all_is_read(
    world: World, fails: Callable[[Disk], None]
) -> None:
    with world.open() as vault:
        fails(world.disk)
        before = [vars_of(one) for one in vault.log.entries()]
        for act in ACTS:
            with pytest.raises(RootUnavailableError):
                act(vault)
        assert [vars_of(one) for one in vault.log.entries()] == before
        assert vault.keys_status().unfinished == 0
    with world.open() as again:  # nothing waits that would say a word here
        assert lives(again, "anna")
        assert lives(again, "ben")
        again.transcript("carla", "s-1").append("user", "new ones are taken on")
        world.disk.is_mended()
        for act in ACTS[1:2] + ACTS[6:]:
            act(again)
    assert world.is_whole()


REFUSED: list[Callable[[Vault], object]] = [
    lambda vault: vault.transcript("anna", "s-1").messages(),
    lambda vault: vault.transcript("anna", "s-3").append("user", "hello"),
    lambda vault: vault.sessions("anna"),
]
TRIES: list[Callable[[Vault], object]] = [
    lambda vault: vault.destroy_due(),
    lambda vault: vault.forget_user("anna", now=True),
]


def vars_of(entry: Any) -> tuple[object, ...]:
    return entry.kind, entry.step, entry.act


@pytest.mark.parametrize("mirrors", [1, 2])
def test_p7_a_file_of_a_root_is_to_be_given_up_only_where_others_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirrors: int
) -> None:
    places = [tmp_path / name for name in ("a", "b")[:mirrors]]
    for place in places:
        place.mkdir(mode=0o700)
    root = FileRoot(tuple(place / "root.key" for place in places))
    root.create(random_id(), random_id(), 0)
    for number, place in enumerate(places, 1):
        Disk(place, monkeypatch).is_read_only()
        with pytest.raises(RootUnavailableError, match="read-only") as refused:
            root.require_mirrors()
        assert refused.value.hint.startswith("mend that place, then repeat")
        assert ("keys move" in refused.value.hint) == (number < mirrors)


@pytest.mark.wide
@of_all_ways
@pytest.mark.parametrize("at", ["cut", "destroy_due"])
def test_p3_p7_an_erasure_that_the_root_breaks_off_waits_and_the_living_are_served(
    world: World, fails: Callable[[Disk], None], at: str
) -> None:
    with world.open() as vault:
        fail_in_the_middle(world.disk, fails, at)
        with pytest.raises(RootUnavailableError):
            vault.forget_user("anna", now=True)
        assert lives(vault)
        with pytest.raises(UserForgottenError):
            vault.transcript("anna", "s-1").messages()
    for _ in range(2):
        with pytest.warns(WaitingWarning, match="an erasure waits"):
            opened = world.open()
        with opened:
            assert lives(opened)
            opened.transcript("ben", "s-1").append("user", "and is written")
            assert list(opened.users()) == ["ben"]
            for act in REFUSED:
                with pytest.raises(UserForgottenError):
                    act(opened)
            for try_again in TRIES:
                with pytest.raises(RootUnavailableError):
                    try_again(opened)
            assert [one.status for one in opened.certificates()] != ["final"]
            if at == "cut":
                with pytest.raises(UserForgottenError, match="is being forgotten"):
                    opened.enroll("anna")
    world.disk.is_mended()
    with world.open() as mended:
        [certificate] = mended.certificates()
        assert certificate.status == "final"
        assert certificate.receipt is not None
        assert certificate.receipt.startswith("absent from 2 of 2 files")
        assert lives(mended)
        assert mended.log.verify().unfinished == 0
    assert world.is_whole()


@pytest.mark.wide
@of_all_ways
@pytest.mark.parametrize("act", ["forget", "clear"])
def test_p7_a_session_whose_end_waits_is_not_read_and_others_of_the_user_are(
    world: World, fails: Callable[[Disk], None], act: str
) -> None:
    with world.open() as vault:
        fail_in_the_middle(world.disk, fails)
        with pytest.raises(RootUnavailableError):
            vault.forget_session("anna", "s-1") if act == "forget" else vault.transcript(
                "anna", "s-1"
            ).clear()
    with pytest.warns(WaitingWarning):
        opened = world.open()
    with opened:
        assert len(opened.transcript("anna", "s-2").messages()) == 1
        assert [one.session_id for one in opened.sessions("anna")] == ["s-2"]
        chat = opened.transcript("anna", "s-1")
        if act == "forget":
            with pytest.raises(SessionForgottenError):
                chat.messages()
        else:
            assert chat.messages() == []
        with pytest.raises((RootUnavailableError, SessionForgottenError)):
            chat.append("user", "anew")
        world.disk.is_mended()
        if act == "clear":
            chat.append("user", "anew")
            assert [one.content for one in chat.messages()] == ["anew"]
    with world.open() as mended:
        assert mended.keys_status().unfinished == 0
        assert lives(mended)


@pytest.mark.wide
@of_all_ways
def test_p3_what_is_due_waits_for_all_mirrors_and_nothing_else_does(
    world: World, fails: Callable[[Disk], None]
) -> None:
    [first] = root_keys(world.roots[0]).values()
    with world.open() as vault:
        vault.forget_user("anna")
    world.clock.now += 8 * DAY
    fails(world.disk)
    for _ in range(2):
        with world.open() as later:
            assert lives(later)
            assert [one.status for one in later.certificates()] == ["provisional"]
            with pytest.raises(RootUnavailableError):
                later.destroy_due()
    world.disk.is_mended()
    with world.open() as mended:
        assert [one.status for one in mended.certificates()] == ["final"]
    assert not any(first in root_keys(path).values() for path in world.roots)


def put_back(databases: Databases, older: str) -> None:
    """Put an older keyring in the very place of the present one: it is no copy there."""
    if databases.dialect == "postgresql":
        pytest.skip("a database that is put back is another one there: the keyring in it is a copy")
    if databases.dialect != "sqlite":
        databases.restore(older, databases.keyring)
        return
    source, place = (make_url(url).database for url in (older, databases.keyring))
    assert source
    assert place
    for end in ("-wal", "-shm"):
        Path(place + end).unlink(missing_ok=True)
    shutil.copyfile(source, place)


@pytest.mark.wide
@of_all_ways
def test_p3_an_older_keyring_is_served_without_those_whom_its_root_remembers(
    world: World, fails: Callable[[Disk], None]
) -> None:
    older = world.databases.copy_of(world.databases.keyring)
    with world.open() as vault:
        vault.forget_user("anna")
    put_back(world.databases, older)
    fails(world.disk)
    for _ in range(2):
        with pytest.warns(WaitingWarning):
            opened = world.open()
        with opened:
            assert lives(opened)
            with pytest.raises(UserForgottenError):
                opened.transcript("anna", "s-1").messages()
            with pytest.raises(VaultError):
                opened.forget_user("ben")
    world.disk.is_mended()
    with world.open(horizon="0") as mended:
        assert lives(mended)
        with pytest.raises(UserForgottenError):
            mended.transcript("anna", "s-1").messages()
        mended.forget_session("ben", "s-2", now=True)
        assert mended.log.verify().unfinished == 0
    assert world.is_whole()


@pytest.mark.wide
@of_all_ways
def test_p3_a_restore_that_takes_over_the_root_refuses_before_it_replaces_anything(
    world: World, fails: Callable[[Disk], None], tmp_path: Path
) -> None:
    with world.open() as vault:
        vault.backup(tmp_path / "backup")
        vault.transcript("ben", "s-1").append("user", "since then")
    fails(world.disk)
    uri = "file:" + ",".join(map(str, world.roots))
    with pytest.raises(RootUnavailableError):
        Vault.restore(
            tmp_path / "backup",
            world.databases.transcripts,
            keyring=world.databases.keyring,
            root=uri,
            replace={"keyring", "transcripts"},
            clock=world.clock,
        )
    with world.open() as again:
        assert len(again.transcript("ben", "s-1").messages()) == 2


@pytest.mark.wide
@of_all_ways
def test_p4_a_purge_refuses_before_it_deletes_what_it_could_not_erase(
    world: World, fails: Callable[[Disk], None], tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\npolicy: short\nclasses:\n  - name: default\n    keep: {at_most: 1d}\n", encoding="utf-8"
    )
    with world.open(policies=policy) as vault:
        vault.transcript("ben", "s-3").append("user", "under the policy")
        assert vault.purge().messages == 0  # nothing is due, and from now on the clock is known
        fails(world.disk)
        assert vault.purge().messages == 0  # nor does that need the root
        world.clock.now += 3 * DAY
        with pytest.raises(RootUnavailableError):
            vault.purge()
        assert [one.messages for one in vault.sessions("ben")] == [1, 1, 1]
        assert vault.log.verify().unfinished == 0
        world.disk.is_mended()
        assert vault.purge().messages == 5
