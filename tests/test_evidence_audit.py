"""P6: whatever is done to the log shows: edits to whoever has its keys, a cut end by a checkpoint outside."""

from __future__ import annotations

import base64
import random
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, connected
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs import ANNA, BEN, alter, fill, made, steps, talk
from sqlalchemy import Connection, delete, insert, select, update

from vault import Vault
from vault.errors import ConfigError, InputError, StoreUnavailableError, TamperedError, UsageError
from vault.evidence.anchors import write_anchor
from vault.evidence.checking import check_certificate
from vault.evidence.entries import Entry, Kind, Step
from vault.evidence.merkle import Frontier, leaf_hash
from vault.evidence.notes import Checkpoint, Signer, Verifier, encode64
from vault.logs import Consistency, LogEntry, check_consistency
from vault.storage.schema import log_entries, log_head, log_nodes

TABLES = log_entries.metadata.sorted_tables


# -- any edit shows --------------------------------------------------------------------------------------

ACTS = ("talk", "forget", "forget now", "session", "delete", "enroll", "reveal", "export", "many")


def play(vault: Vault, acts: Sequence[str]) -> None:
    for number, act in enumerate(acts):
        user = f"u-{number}"
        talk(vault, user)
        match act:
            case "forget":
                vault.forget_user(user)
            case "forget now":
                vault.forget_user(user, now=True)
            case "session":
                vault.forget_session(user, "s-9")
            case "delete":
                vault.transcript(user, "s-9").delete()
            case "enroll":
                vault.forget_user(user)
                vault.enroll(user)
            case "reveal":
                vault.transcript(user, "s-9").messages(reveal=True, purpose="to look")
            case "export":
                vault._core.keyring.log.completed(vault._core.keyring.log.intent(Kind.EXPORT))
            case "many":
                fill(vault, 257)


HASHES = ("node", "no node", "size", "seal")
EDITS = (
    *HASHES,
    "text",
    "act",
    "insert",
    "delete",
    "swap",
    "shift",
    "cut",
    "set back",
    "node",
    "no node",
    "size",
    "seal",
)


def edit(vault: Vault, how: str, dice: random.Random) -> bool:
    """Do one thing to the log's tables; False where there is nothing to do it to."""
    with connected(str(vault._core.stores.keyring.engine.url)) as c:
        rows = c.execute(select(log_entries).order_by(log_entries.c.id)).all()
        return _edit_hashes(c, how, rows) if how in HASHES else _edit_entries(c, how, rows, dice)


def _edit_entries(c: Connection, how: str, rows: Sequence[Any], dice: random.Random) -> bool:
    one, other, last = dice.choice(rows), dice.choice(rows), rows[-1]
    here = update(log_entries).where(log_entries.c.id == one.id)
    match how:
        case "text":
            entry = Entry.decode(one.entry)
            forged = Entry.decode(one.entry.replace(f'"kind":"{entry.kind}"', '"kind":"forged"'))
            c.execute(here.values(entry=forged.encode()))
        case "act":
            c.execute(here.values(act=bytes(16)))
        case "insert":
            c.execute(insert(log_entries).values(id=last.id + 1, act=last.act, entry=last.entry))
        case "delete":
            c.execute(delete(log_entries).where(log_entries.c.id == one.id))
        case "swap":
            c.execute(here.values(act=other.act, entry=other.entry))
            there = update(log_entries).where(log_entries.c.id == other.id)
            c.execute(there.values(act=one.act, entry=one.entry))
            return bool(one.id != other.id)
        case "shift":
            c.execute(update(log_entries).where(log_entries.c.id == last.id).values(id=last.id + 7))
        case "cut":
            c.execute(delete(log_entries).where(log_entries.c.id >= one.id))
        case "set back":  # as far as one can who has no key: the tree of fewer entries, unsealed
            c.execute(delete(log_entries).where(log_entries.c.id >= one.id))
            frontier, _ = Frontier().grow([leaf_hash(row.entry.encode()) for row in rows[: one.id]])
            c.execute(update(log_head).values(size=one.id, frontier=b"".join(frontier.hashes)))
    return True


def _edit_hashes(c: Connection, how: str, rows: Sequence[Any]) -> bool:
    match how:
        case "node":
            return bool(c.execute(update(log_nodes).values(hash=bytes(32))).rowcount)
        case "no node":
            return bool(c.execute(delete(log_nodes)).rowcount)
        case "size":
            c.execute(update(log_head).values(size=rows[-1].id))
        case "seal":
            c.execute(update(log_head).values(seal=bytes(16)))
    return True


@pytest.mark.wide
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(ACTS), max_size=5), st.sampled_from(EDITS), st.integers(0, 2**32))
def test_p6_any_edit_of_any_history_shows(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str], how: str, seed: int
) -> None:
    with made(tmp_path_factory.mktemp("log") / "v") as vault:
        play(vault, acts)
        before = vault.log.verify()
        assert before.entries == len(list(vault.log.entries()))
        if edit(vault, how, random.Random(seed)):
            with pytest.raises(TamperedError):
                vault.log.verify()


@pytest.mark.wide
@pytest.mark.parametrize("how", EDITS)
def test_p6_each_kind_of_edit_shows(tmp_path: Path, how: str) -> None:
    with made(tmp_path / "v") as vault:
        play(vault, ["forget now", "many", "reveal", "session"])
        assert vault.log.verify().entries == 267
        assert edit(vault, how, random.Random(7))
        with pytest.raises(TamperedError):
            vault.log.verify()


@pytest.mark.parametrize("how", ["shorter", "edited", "longer"])
def test_p6_who_has_no_key_can_not_make_a_log_that_verifies(tmp_path: Path, how: str) -> None:
    """All hashes can be made anew by anybody; the seal can't."""
    with made(tmp_path / "v") as vault:
        fill(vault, 9)
        rows = vault._core.stores.keyring.read(
            lambda c: [dict(row) for row in c.execute(select(log_entries)).mappings()]
        )
        forged = rows[0]["entry"].replace("create", "forged")
        new = {
            "shorter": rows[:5],
            "edited": [rows[0] | {"entry": forged}, *rows[1:]],
            "longer": [*rows, rows[0] | {"id": 10, "entry": forged}],
        }[how]

        def work(c: Connection) -> None:
            c.execute(delete(log_entries))
            c.execute(insert(log_entries), new)
            frontier, _ = Frontier().grow([leaf_hash(row["entry"].encode()) for row in new])
            c.execute(update(log_head).values(size=len(new), frontier=b"".join(frontier.hashes)))

        alter(vault, work)
        for ask in (vault.log.verify, vault.log.checkpoint, lambda: fill(vault, 1)):
            with pytest.raises(TamperedError, match="the head of the log was edited"):
                ask()


# -- the end, and the whole ------------------------------------------------------------------------------


def keyring_rows(vault: Vault) -> dict[str, list[dict[str, Any]]]:
    def work(c: Connection) -> dict[str, list[dict[str, Any]]]:
        return {one.name: [dict(row) for row in c.execute(select(one)).mappings()] for one in TABLES}

    return vault._core.stores.keyring.read(work)


def set_back(vault: Vault, rows: dict[str, list[dict[str, Any]]], tables: Sequence[str]) -> None:
    def work(c: Connection) -> None:
        for one in reversed(TABLES):
            if one.name in tables:
                c.execute(delete(one))
        for one in TABLES:
            if one.name in tables and rows[one.name]:
                c.execute(insert(one), rows[one.name])

    alter(vault, work)


LOG = ("log_entries", "log_nodes", "log_head")


def test_p6_a_checkpoint_that_a_full_disk_broke_off_leaves_nothing(tmp_path: Path) -> None:
    anchor, note = tmp_path / "outside", "a note\n" * 40
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StoreUnavailableError, match="the checkpoint can't be written"):
            write_anchor(anchor, note, 7)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(anchor.iterdir()) == []
    assert write_anchor(anchor, note, 7).read_text() == note


def test_p6_a_log_that_is_cut_off_or_set_back_shows_by_a_checkpoint_outside(tmp_path: Path) -> None:
    anchor = tmp_path / "outside"
    with made(tmp_path / "v") as vault:
        fill(vault, 5)
        vault.log.checkpoint(anchor=anchor)
        then = keyring_rows(vault)
        fill(vault, 5, "other")
        vault.log.checkpoint(anchor=anchor)
        assert vault.log.verify(anchor=anchor).checkpoints == 2
        set_back(vault, then, LOG)
        assert vault.log.verify().entries == 6  # nobody can tell without a checkpoint
        with pytest.raises(TamperedError, match="a checkpoint knows of 11 entries, the log has 6"):
            vault.log.verify(anchor=anchor)


def test_p6_a_log_that_went_another_way_from_where_it_was_set_back_shows(tmp_path: Path) -> None:
    anchor = tmp_path / "outside"
    with made(tmp_path / "v") as vault:
        then = keyring_rows(vault)
        fill(vault, 5)
        vault.log.checkpoint(anchor=anchor)
        set_back(vault, then, LOG)
        fill(vault, 9, "other")
        assert vault.log.verify().entries == 10
        with pytest.raises(
            TamperedError, match="the first 6 entries of the log are not those of a checkpoint"
        ):
            vault.log.verify(anchor=anchor)
        set_back(vault, then, LOG)
        fill(vault, 5, "other")
        with pytest.raises(TamperedError, match="the log was rewritten"):
            vault.log.checkpoint(anchor=anchor)


@pytest.mark.parametrize("now", [True, False])
def test_p6_an_erasure_can_not_be_taken_out_of_the_log_alone(tmp_path: Path, *, now: bool) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, ANNA)
        then = keyring_rows(vault)
        vault.forget_user(ANNA, now=now)
        after = keyring_rows(vault)
        set_back(vault, then, LOG)
        with pytest.raises(TamperedError, match="lost what it said of an erasure"):
            vault.log.verify()
        with pytest.raises(TamperedError):
            vault.certificates()
        set_back(vault, after, LOG)
        set_back(vault, then, ("intents", "erased", "tombstones"))
        with pytest.raises(TamperedError, match="is gone from the keyring"):
            vault.log.verify()


def test_p6_the_checkpoints_of_another_vault_prove_nothing_here(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault, made(tmp_path / "w") as other:
        other.log.checkpoint(anchor=tmp_path / "outside")
        with pytest.raises(TamperedError, match="not signed with this key"):
            vault.log.verify(anchor=tmp_path / "outside")
        with pytest.raises(TamperedError, match="another key"):
            vault.log.verify(key=other.log.public_key())
        assert vault.log.verify(key=vault.log.public_key()).key == vault.log.public_key()
        with pytest.raises(UsageError, match="not a public key"):
            vault.log.verify(key="x")


def test_p6_no_checkpoint_is_not_taken_for_a_good_one(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        (tmp_path / "outside").mkdir()
        with pytest.raises(ConfigError, match="no checkpoint"):
            vault.log.verify(anchor=tmp_path / "outside")
        with pytest.raises(StoreUnavailableError):
            vault.log.verify(anchor=tmp_path / "nowhere")
        (tmp_path / "outside" / "1.checkpoint").write_bytes(b"\xff\n")
        with pytest.raises(TamperedError, match="not a signed note"):
            vault.log.verify(anchor=tmp_path / "outside")
        (tmp_path / "file").touch()
        with pytest.raises(StoreUnavailableError):
            vault.log.checkpoint(anchor=tmp_path / "file")


def test_p6_a_checkpoint_is_written_once(tmp_path: Path) -> None:
    anchor = tmp_path / "outside"
    with made(tmp_path / "v") as vault:
        note = vault.log.checkpoint(anchor=anchor)
        assert vault.log.checkpoint(anchor=anchor) == note == vault.log.checkpoint()
        assert [path.read_text() for path in anchor.iterdir()] == [note]
        text = Verifier.parse(vault.log.public_key()).open(note)
        assert Checkpoint.parse(text).size == 1


# -- growth ----------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p6_growth_between_any_two_checkpoints_is_proven_without_the_vault(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        notes = [vault.log.checkpoint()]
        for number in (1, 2, 250, 300, 700):
            fill(vault, number)
            notes.append(vault.log.checkpoint())
        key = Verifier.parse(vault.log.public_key())
        for at, old in enumerate(notes):
            check_consistency(old, notes[-1], vault.log.consistency(old), key)
            for new in notes[at:]:
                proof = vault.log.consistency(old, new)
                check_consistency(old, new, proof, key)
                for wrong in (notes[-1] if new != notes[-1] else notes[0],):
                    with pytest.raises(TamperedError):
                        check_consistency(old, wrong, proof, key)
        forged = Consistency(old=1, new=2, hashes=[encode64(bytes(32))])
        with pytest.raises(TamperedError, match="did not grow"):
            check_consistency(notes[0], notes[1], forged, key)
        with pytest.raises(InputError, match="older checkpoint"):
            vault.log.consistency(notes[-1], notes[0])


def test_p6_growth_from_what_never_was_is_not_proven(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        fill(vault, 10)
        log = vault._core.keyring.log
        with pytest.raises(TamperedError, match="not those of a checkpoint"):
            vault.log.consistency(log.checkpoint(5, bytes(32)))
        with pytest.raises(TamperedError, match="knows of 50"):
            vault.log.consistency(log.checkpoint(5, bytes(32)), log.checkpoint(50, bytes(32)))
        other = Signer(log.origin, bytes(32)).sign(str(Checkpoint(log.origin, 5, bytes(32))))
        with pytest.raises(TamperedError, match="not signed with this key"):
            vault.log.consistency(other)


def test_p6_no_checkpoint_is_signed_over_entries_that_were_edited(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, ANNA)
        fill(vault, 300)
        vault.forget_user(ANNA)
        edited = update(log_entries).where(log_entries.c.id == 301).values(entry="{}")
        alter(vault, lambda c: c.execute(edited))
        with pytest.raises(TamperedError):
            vault.log.checkpoint()
        with pytest.raises(TamperedError):
            vault.certificates()


# -- databases -------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p6_the_log_is_the_same_on_every_database(database: Databases, tmp_path: Path) -> None:
    root = f"file:{tmp_path / 'root.key'}"
    with Vault.open(database.transcripts, keyring=database.keyring, root=root, redactor=None) as vault:
        talk(vault, ANNA, BEN)
        certificate = vault.forget_user(ANNA, now=True)
        fill(vault, 600)
        vault.forget_user(BEN)
        assert certificate in vault.certificates()
        old = vault.log.checkpoint(anchor=tmp_path / "outside")
        fill(vault, 3)
        check_consistency(
            old, vault.log.checkpoint(), vault.log.consistency(old), Verifier.parse(vault.log.public_key())
        )
        assert vault.log.verify(anchor=tmp_path / "outside").entries == len(list(vault.log.entries()))
        with connected(database.keyring) as connection:
            connection.execute(delete(log_entries).where(log_entries.c.id == 5))
            connection.commit()
        with pytest.raises(TamperedError, match="hole"):
            vault.log.verify()


@pytest.mark.wide
def test_p6_entries_come_in_order_and_from_where_one_likes(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        fill(vault, 2100)
        every = list(vault.log.entries())
        assert [one.index for one in every] == list(range(2101))
        assert [one.index for one in vault.log.entries(first=2090)] == list(range(2090, 2101))
        assert isinstance(every[0], LogEntry)
        assert every[5].step is Step.COMPLETED


def test_p6_the_root_is_that_of_the_entries_for_anybody_who_hashes_them(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        fill(vault, 700)
        frontier, _ = Frontier().grow([leaf_hash(one.text.encode()) for one in vault.log.entries()])
        assert vault.log.verify().root == base64.b64encode(frontier.root).decode()


# -- backups ---------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p6_a_drill_finds_a_log_that_was_edited_before_the_backup(tmp_path: Path) -> None:
    where = tmp_path / "v"
    with made(where) as vault:
        talk(vault, ANNA)
        vault.backup(tmp_path / "good")
        alter(vault, lambda c: c.execute(update(log_entries).values(act=bytes(16))))
        vault.backup(tmp_path / "bad")
    assert Vault.drill(tmp_path / "good", where).messages == 1
    with pytest.raises(TamperedError, match="under another act"):
        Vault.drill(tmp_path / "bad", where)


@pytest.mark.wide
def test_p6_a_restored_keyring_tells_what_was_restored_and_repeated(tmp_path: Path) -> None:
    where, anchor = tmp_path / "v", tmp_path / "outside"
    with made(where) as vault:
        talk(vault, ANNA, BEN)
        vault.backup(tmp_path / "backup")
        certificate = vault.forget_user(ANNA)
        vault.log.checkpoint(anchor=anchor)
        key = Verifier.parse(vault.log.public_key())
    Vault.restore(tmp_path / "backup", where, replace=["keyring"])
    with made(where) as vault:
        assert vault.log.verify(key=str(key)).unfinished == 0
        assert next(kind for kind, _ in steps(vault)) == "restore"
        [again] = vault.certificates()
        assert (again.id, again.pseudonym) == (certificate.id, certificate.pseudonym)
        assert check_certificate(again.to_json(), key) == again
        assert check_certificate(certificate.to_json(), key) == certificate
        with pytest.raises(TamperedError, match="checkpoint"):  # the log of before is gone, and that shows
            vault.log.verify(anchor=anchor)
