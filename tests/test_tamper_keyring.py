"""Who may write to the keyring can destroy, and can't have the vault lie, or erase in their stead (P2)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import pytest
import stages
from court import Court
from stages import Row, Stage, Thief, opened
from tampering import OUTDATED, WRONG, Depth, Rule, heard_by_two, heard_of_doubled, is_rows, targets, verdict

from vault.crypto.tree import Kind
from vault.errors import KeyringCopyError, TamperedError, UserForgottenError
from vault.evidence.certificate import Why
from vault.storage import schema

stage, scene = stages.stage, stages.scene

RULES = (
    Rule("*/copied to another *", "a row of nobody's", is_harmless=True),
    Rule("*/removed/row/put back", "without its parent a key does not open", is_harmless=True),
    Rule("keyring_meta/vault/*", "it could be another vault's", WRONG),
    Rule("keyring_meta/holder/name/swapped", "it could be another vault's", WRONG),
    Rule("keyring_meta/root/value/*", "it could be an older keyring, or another's", OUTDATED | WRONG),
    Rule("keyring_meta/root/row/older row", "it could be an older keyring", OUTDATED),
    Rule("keyring_meta/home/value/*", "a copy reads, and refuses to erase", is_harmless=True),
    Rule("keyring_meta/holder/value/*", "a copy reads, and refuses to erase", is_harmless=True),
    *(
        Rule(f"nodes/{leaf}/version/*", "nothing hangs from it", is_harmless=True)
        for leaf in ("secret", "session", "epoch", "chapter-*", "service")
    ),
    Rule("nodes/chapter-kept/*", "its epoch lives and gives the key", is_harmless=True),
    Rule("nodes/user/*", "a hold outlives the keys of who is held", untrue=("holds",)),
    Rule("nodes/user/slot/*", "it could be older than this user", OUTDATED),
    Rule("nodes/user/row/deleted", "it could be older than this user", OUTDATED),
    Rule("nodes/session/slot/*", "it could be older than this session", OUTDATED),
    Rule("nodes/session/row/deleted", "it could be older than this session", OUTDATED),
    Rule("runs/*", "a run is sealed, and looked at by the next one", is_harmless=True),
    Rule("holds/*/row/deleted", "the root remembers it, and brings it back", is_harmless=True),
    Rule("holds/*/row/older row", "the root remembers more, and brings it back", is_harmless=True),
    Rule("tombstones/*/id/*", "it is only an order", is_harmless=True),
    Rule("tombstones/lifted-*", "who enrolled again lives, whatever was before", is_harmless=True),
)


# -- every column, and the rows as such ------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("target", targets(schema.keyring.tables))
def test_p2_nothing_that_is_written_into_the_keyring_passes_for_the_truth(stage: Stage, target: str) -> None:
    assert verdict(stage, target, Depth.FEW, RULES) == []


@pytest.mark.slow
@pytest.mark.parametrize("target", targets(schema.keyring.tables))
def test_p2_nothing_at_all_that_is_written_into_the_keyring_passes_for_the_truth(
    stage: Stage, target: str
) -> None:
    depth = Depth.ALL if stage.databases.dialect == "sqlite" else Depth.MANY
    assert verdict(stage, target, depth, RULES) == []


@pytest.mark.wide
@pytest.mark.parametrize("table", sorted(schema.keyring.tables.keys() - {"leases", "turns"}))
def test_p2_rows_that_are_there_twice_are_noticed_or_nobodys(scene: Stage, table: str) -> None:
    if scene.databases.dialect != "sqlite":
        pytest.skip("a server's thief needs the rights of its owner for that")
    court = heard_of_doubled(scene, table)
    assert (court.untrue, court.raw, court.leaks) == ({}, {}, [])


# -- erasures that nobody asked for ----------------------------------------------------------------------


def node_of(scene: Stage, name: str) -> Row:
    return scene.victims("nodes")[name]


def assert_nobody_was_erased(scene: Stage) -> None:
    """Take the thief's work back, and find the vault as it was, its root too."""
    with scene.thief("nodes") as thief:
        for table in schema.keyring.tables:
            thief.replace(table, scene.now[table])
    court = Court(scene)
    court.hear_fresh()
    assert court.is_content, court
    assert scene.root.read_bytes() == scene.root_bytes


@pytest.mark.wide
@pytest.mark.parametrize("phase", [0, 1, 2], ids=["begun", "cut", "swept"])
@pytest.mark.parametrize("why", list(Why))
def test_p2_an_erasure_that_a_thief_writes_down_erases_nobody(scene: Stage, why: Why, phase: int) -> None:
    victim = node_of(scene, "user")
    model = next(row for row in scene.now["intents"] if row["kind"] == Why.FORGET_USER)
    intent = os.urandom(16)
    forged = {
        **model,
        "id": intent,
        "kind": str(why),
        "phase": phase,
        "ordinal": None if phase == 0 else model["ordinal"],
        "slot": victim["slot"],
        "record": model["record"].replace(model["id"].hex(), intent.hex()),
    }
    with scene.open() as warm:
        with scene.thief("intents") as thief:
            thief.insert("intents", forged)
            thief.insert("erased", {"node": victim["id"], "intent": intent})
        with pytest.raises(TamperedError):
            warm.certificates()
        if phase < 2:
            with pytest.raises(TamperedError):
                scene.open()
    assert_nobody_was_erased(scene)


@pytest.mark.wide
@pytest.mark.parametrize("set_back", [True, False])
def test_p2_an_erasure_that_was_asked_for_takes_nobody_else(scene: Stage, *, set_back: bool) -> None:
    genuine = next(row for row in scene.now["intents"] if row["kind"] == Why.DELETE)
    with scene.thief("intents") as thief:
        thief.insert("erased", {"node": node_of(scene, "user")["id"], "intent": genuine["id"]})
        if set_back:
            thief.change("intents", genuine, {"phase": 0, "ordinal": None})
    with pytest.raises(TamperedError), scene.open() as vault:
        vault.certificates()
    assert_nobody_was_erased(scene)


def test_p2_an_erasure_that_is_set_back_to_its_beginning_is_done_again(scene: Stage) -> None:
    with scene.open() as vault:
        core, session = opened(vault, "doris", "s-work")
        user = session.user
        begun = core.eraser.begin(Why.FORGET_USER, [user.node], user.slot, reason="", actor="", now=False)
        with scene.thief("intents") as thief:
            [before] = [row for row in thief.rows("intents") if row["id"] == begun]
        core.eraser.carry_out([begun])
    with scene.thief("intents") as thief:
        thief.change("intents", before, before)
    with scene.open() as vault:
        with pytest.raises(UserForgottenError):
            vault.transcript("doris", "s-work").messages()
        assert vault.keys_status().unfinished == 0
        assert sorted(vault.users()) == ["alice", "bobby", "finno"]


@pytest.mark.parametrize("kind", [Kind.USERS, Kind.EPOCHS, Kind.SERVICE])
@pytest.mark.parametrize("change", ["moved", "gone", "of another kind"])
def test_p2_an_erasure_leaves_no_part_of_the_tree_below_a_root_that_goes(
    scene: Stage, kind: Kind, change: str
) -> None:
    """Whoever takes a top away for the time of a swap would have all below it lost with the old root."""
    [top] = [row for row in scene.now["nodes"] if row["kind"] == kind]
    scene.reset()
    with scene.open() as vault:
        _, session = opened(vault, "bobby", "s-work")
        core, user = vault._core, session.user
        begun = core.eraser.begin(Why.FORGET_USER, [user.node], user.slot, reason="", actor="", now=True)
        with scene.thief("nodes") as thief:
            if change == "gone":
                thief.delete("nodes", top)
            else:
                thief.change(
                    "nodes", top, {"parent": bytes(16)} if change == "moved" else {"kind": Kind.RADIX}
                )
        with pytest.raises(TamperedError):
            core.eraser.carry_out([begun], now=True)
        with scene.thief("nodes") as thief:
            if change == "gone":
                thief.insert("nodes", top)
            else:
                mine = top | ({"parent": bytes(16)} if change == "moved" else {"kind": Kind.RADIX})
                thief.change("nodes", mine, {"parent": top["parent"], "kind": top["kind"]})
    with scene.open() as vault:
        assert vault.transcript("alice", "s-work").messages()
        with pytest.raises(UserForgottenError):
            vault.transcript("bobby", "s-work").messages()


@pytest.mark.wide
def test_p3_a_key_below_another_parent_is_not_erased_in_appearance_only(scene: Stage) -> None:
    """Whoever moves a key before it is erased would keep the way to it in an old copy as it is."""
    victim, others = node_of(scene, "user"), [row for row in scene.now["nodes"] if row["kind"] == Kind.RADIX]
    for other in others:
        scene.reset()
        if other["id"] == victim["parent"]:
            continue
        with scene.open() as vault:
            _, session = opened(vault, "alice", "s-work")
            core, user = vault._core, session.user
            begun = core.eraser.begin(Why.FORGET_USER, [user.node], user.slot, reason="", actor="", now=True)
            with scene.thief("nodes") as thief:
                thief.change("nodes", victim, {"parent": other["id"]})
            with pytest.raises(TamperedError):
                core.eraser.carry_out([begun], now=True)
        with scene.thief("nodes") as thief:
            moved = victim | {"parent": other["id"]}
            assert is_rows(thief.rows("nodes"), "nodes", moved)
            thief.change("nodes", moved, victim)
        with scene.open() as vault, pytest.raises(UserForgottenError):
            vault.transcript("alice", "s-work").messages()


# -- erasures undone -------------------------------------------------------------------------------------


def put_back(thief: Thief, scene: Stage, tables: Sequence[str]) -> None:
    """Write an older state of some tables; in `keyring_meta` of the root only."""
    then = scene.past[1]
    for table in tables:
        if table == "keyring_meta":
            old = next(row for row in then[table] if row["name"] == "root")
            thief.change(table, old, old)
        else:
            thief.replace(table, then[table])


PARTS = ("nodes", "keyring_meta", "intents", "erased", "tombstones")


@pytest.mark.wide
@pytest.mark.parametrize(
    "tables",
    [
        pytest.param(some, marks=[] if some[:2] == ("nodes", "keyring_meta") else pytest.mark.slow)
        for size in (1, 2, 3, 4)
        for some in itertools.combinations(PARTS, size)
    ],
    ids="+".join,
)
def test_p3_no_part_of_an_older_keyring_brings_anybody_back(scene: Stage, tables: tuple[str, ...]) -> None:
    erased = {row["node"] for row in scene.now["erased"]}
    court = Court(scene)
    with scene.open() as warm:
        court.warm(warm)
        with scene.thief("nodes") as thief:
            put_back(thief, scene, tables)
        court.hear(warm, "warm")
    court.hear_fresh()
    gone = {"messages, forgotten", "messages, forgotten session", "messages, deleted"}
    if {"intents", "tombstones"} <= set(tables):  # not promised: nothing that knows of it is left
        gone.remove("messages, forgotten session")
    for place, answer in court.untrue.items():
        assert place.partition(": ")[2] not in gone, answer
    assert (court.raw, court.leaks) == ({}, [])
    with scene.thief("nodes") as thief:
        back = erased & {row["id"] for row in thief.rows("nodes")}
    assert not back or court.noticed.keys() & {"fresh: open", "fresh: messages"}


def test_p7_a_forgotten_user_whose_tombstone_is_taken_is_not_a_new_one(scene: Stage) -> None:
    [stone] = [
        row for row in scene.now["tombstones"] if row["slot"][0] == Kind.USER and not row["enrolled_at"]
    ]
    with scene.open() as vault:
        with scene.thief("tombstones") as thief:
            thief.delete("tombstones", stone)
        for ask in (vault.transcript("carol", "s-work").messages, lambda: vault.sessions("carol")):
            with pytest.raises(TamperedError):
                ask()
        with pytest.raises(TamperedError):
            vault.transcript("carol", "s-work").append("user", "I am new")
        # Not promised: with its record gone, too, nobody knows who was erased; only that somebody was.
        with scene.thief("tombstones") as thief:
            thief.run("DELETE FROM intents WHERE id = :id", {"id": stone["intent"]})
        assert vault.transcript("carol", "s-work").messages() == []
        with pytest.raises(TamperedError):
            vault.certificates()


# -- keys given to others --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.USER, Kind.SECRET, Kind.SESSION, Kind.EPOCH])
@pytest.mark.parametrize(
    "columns",
    [
        ("slot", "wrapped"),
        ("parent", "slot", "wrapped"),
        ("id", "parent", "wrapped"),
        ("id", "parent", "slot", "version"),
    ],
    ids="+".join,
)
def test_p2_keys_that_change_places_open_nothing(scene: Stage, kind: Kind, columns: tuple[str, ...]) -> None:
    rows = [row for row in scene.now["nodes"] if row["kind"] == kind]
    mine = next(row for row in rows if row["slot"] in scene.slots)
    other = next(row for row in rows if row["slot"] not in scene.slots)
    with scene.thief("nodes") as thief:
        thief.swap("nodes", (mine, other), [name for name in columns if mine[name] != other[name]])
    court = heard_by_two(scene)
    assert (court.untrue, court.raw, court.leaks) == ({}, {}, [])
    assert court.noticed
    assert set(court.noticed.values()) <= {"TamperedError", "KeyringOutdatedError"}


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.USER, Kind.SECRET}))
@pytest.mark.parametrize("column", ["id", "slot"])
def test_p2_somebody_held_whose_key_changes_places_with_another_kind_is_an_error(
    scene: Stage, kind: Kind, column: str
) -> None:
    held = {row["user_node"] for row in scene.now["holds"]}
    mine = next(row for row in scene.now["nodes"] if row["id"] in held)
    other = next(row for row in scene.now["nodes"] if row["kind"] == kind)
    with scene.thief("nodes") as thief:
        thief.swap("nodes", (mine, other), [column])
    with pytest.raises(TamperedError), scene.open() as vault:
        vault.holds()


def test_p2_a_kind_that_no_node_has_is_noticed(scene: Stage) -> None:
    with scene.thief("nodes") as thief:
        thief.change("nodes", node_of(scene, "user"), {"kind": 77})
    with scene.open() as vault, pytest.raises(TamperedError):
        vault.keys_status()


def test_p3_a_keyring_that_was_told_to_be_a_copy_refuses_to_erase(scene: Stage) -> None:
    home = next(row for row in scene.now["keyring_meta"] if row["name"] == "home")
    with scene.open() as vault:
        with scene.thief("keyring_meta") as thief:
            thief.change("keyring_meta", home, {"value": os.urandom(32)})
        assert len(vault.transcript("alice", "s-work").messages()) == 6
        with pytest.raises(KeyringCopyError):
            vault.forget_user("alice")
        assert len(vault.transcript("alice", "s-work").messages()) == 6
    assert scene.root.read_bytes() == scene.root_bytes
