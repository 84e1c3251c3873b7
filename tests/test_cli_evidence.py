"""`log`, `certificate`, `keys public`, `show --reveal`: evidence on the command line (P6)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from commands import make, run, spawn
from logs import fill, made

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return make(tmp_path / "v", anna=["a", "b"], ben=["c"])


@pytest.fixture
def key(where: Path) -> str:
    said = run("--vault", where, "keys", "public")
    assert (said.code, said.err) == (0, "")
    return said.out.strip()


@pytest.fixture
def certificate(where: Path, tmp_path: Path) -> Path:
    path = tmp_path / "881.json"
    words = ("--confirm", "anna", "--reason", "request 881", "--actor", "the officer", "--certificate", path)
    assert run("--vault", where, "forget-user", "anna", *words).code == 0
    return path


def tamper(where: Path, statement: str) -> None:
    with closing(sqlite3.connect(where / "keyring.db")) as connection:
        connection.execute(statement)
        connection.commit()


# -- log -------------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p6_log_show_prints_the_entries(where: Path, certificate: Path) -> None:
    lines = run("--vault", where, "log", "show").out.splitlines()
    assert [line.split("\t")[2:4] for line in lines] == [
        ["create", "completed"],
        ["forget-user", "intent"],
        ["forget-user", "completed"],
        ["rotate", "completed"],
    ]
    assert lines[1].split("\t")[5:7] == ["the officer", "request 881"]
    entries = [json.loads(line) for line in run("--vault", where, "log", "show", "--json").out.splitlines()]
    assert [entry["index"] for entry in entries] == [0, 1, 2, 3]
    assert entries[1]["act"] == json.loads(certificate.read_text())["id"]
    assert run("--vault", where, "log", "show", "--first", "3").out.split("\t")[2] == "rotate"


@pytest.mark.wide
def test_p6_log_verify_says_what_it_found(where: Path, key: str, tmp_path: Path) -> None:
    (tmp_path / "pub").write_text(key + "\n")
    said = run("--vault", where, "log", "verify", "--key", tmp_path / "pub")
    assert said.code == 0
    assert said.out.startswith("the log is whole\n")
    assert "without --anchor nobody can tell" in said.err
    found = run("--vault", where, "log", "verify", "--json", "--key", key).json
    assert (found["entries"], found["key"], found["unfinished"]) == (1, key, 0)


@pytest.mark.wide
def test_p6_log_verify_with_the_key_of_another_vault_fails(where: Path, tmp_path: Path) -> None:
    with made(tmp_path / "w") as other:
        theirs = other.log.public_key()
    said = run("--vault", where, "log", "verify", "--key", theirs)
    assert (said.code, "another key" in said.err) == (3, True)
    assert run("--vault", where, "log", "verify", "--key", "a+b").code == 2


@pytest.mark.wide
def test_p6_an_edited_log_fails_with_the_exit_code_of_integrity(where: Path) -> None:
    tamper(where, "UPDATE log_entries SET entry = replace(entry, 'create', 'forged')")
    said = run("--vault", where, "log", "verify")
    assert said.code == 3
    assert "an entry was edited, added, moved or taken" in said.err


@pytest.mark.wide
def test_p6_a_log_that_was_set_back_fails_against_the_checkpoints_outside(
    where: Path, tmp_path: Path
) -> None:
    anchor = tmp_path / "outside"
    before = (where / "keyring.db").read_bytes()
    with Vault.open(where, redactor=None) as vault:
        fill(vault, 3)
    said = run("--vault", where, "log", "checkpoint", "--anchor", anchor)
    assert said.code == 0
    assert said.out == next(anchor.iterdir()).read_text()
    assert said.out.splitlines()[1] == "4"
    assert run("--vault", where, "log", "verify", "--anchor", anchor).code == 0
    (where / "keyring.db").write_bytes(before)
    assert run("--vault", where, "log", "verify").code == 0
    said = run("--vault", where, "log", "verify", "--anchor", anchor)
    assert (said.code, "a checkpoint knows of 4 entries, the log has 1" in said.err) == (3, True)
    assert "keep these checkpoints and begin a new directory: vault log checkpoint --anchor NEW" in said.err
    assert run("--vault", where, "log", "checkpoint", "--anchor", tmp_path / "new").code == 0
    assert run("--vault", where, "log", "verify", "--anchor", tmp_path / "new").code == 0


@pytest.mark.wide
def test_p6_an_empty_directory_of_checkpoints_is_no_anchor(where: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    assert run("--vault", where, "log", "verify", "--anchor", tmp_path / "outside").code == 2
    assert run("--vault", where, "log", "verify", "--anchor", tmp_path / "nowhere").code == 4


# -- certificates ----------------------------------------------------------------------------------------


def grown(where: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two checkpoints with an erasure between them, and the proof."""
    old, new, proof = (tmp_path / name for name in ("old.checkpoint", "new.checkpoint", "growth.json"))
    old.write_text(run("--vault", where, "log", "checkpoint").out)
    assert run("--vault", where, "forget-user", "ben", "--confirm", "ben").code == 0
    new.write_text(run("--vault", where, "log", "checkpoint").out)
    said = run("--vault", where, "log", "prove", old, new)
    assert said.code == 0, said
    proof.write_text(said.out)
    return old, new, proof


@pytest.mark.wide
def test_p6_that_a_log_only_grew_is_proven_to_whoever_has_the_key(
    where: Path, key: str, tmp_path: Path
) -> None:
    old, _, proof = grown(where, tmp_path)
    checked = run("log", "verify", proof, "--key", key, "--json")
    assert checked.code == 0, checked
    assert (checked.json["old_entries"], checked.json["new_entries"]) == (1, 4)
    assert "begins as the earlier one" in run("log", "verify", proof, "--key", key).out
    assert "ben" not in proof.read_text()
    present = run("--vault", where, "log", "prove", old)
    assert json.loads(present.out)["hashes"] == json.loads(proof.read_text())["hashes"]


@pytest.mark.wide
def test_p6_a_changed_proof_or_another_key_fails_with_the_exit_code_of_integrity(
    where: Path, key: str, tmp_path: Path
) -> None:
    old, new, proof = grown(where, tmp_path)
    genuine = json.loads(proof.read_text())
    forged = [
        {**genuine, "hashes": genuine["hashes"][:-1]},
        {**genuine, "hashes": [genuine["hashes"][0][::-1], *genuine["hashes"][1:]]},
        {**genuine, "old": genuine["old"].replace("\n1\n", "\n2\n")},
        {**genuine, "old": genuine["new"]},
        {**genuine, "more": 1},
        {**genuine, "format": "another"},
        [],
    ]
    for one in forged:
        proof.write_text(json.dumps(one))
        refused = run("log", "verify", proof, "--key", key)
        assert (refused.code, "hint: leave all as it is" in refused.err) == (3, True), one
    proof.write_text(json.dumps(genuine))
    other = make(tmp_path / "w")
    theirs = run("--vault", other, "keys", "public").out.strip()
    assert run("log", "verify", proof, "--key", theirs).code == 3
    assert run("--vault", other, "log", "prove", old, new).code == 3
    assert run("--vault", where, "log", "prove", new, old).code == 2


@pytest.mark.wide
def test_a_proof_is_checked_with_the_key_alone(where: Path, key: str, tmp_path: Path) -> None:
    *_, proof = grown(where, tmp_path)
    assert run("log", "verify", proof).code == 2
    assert run("log", "verify", proof, "--key", key, "--anchor", tmp_path).code == 2


@pytest.mark.wide
def test_p6_a_certificate_is_verified_without_a_vault(certificate: Path, key: str, tmp_path: Path) -> None:
    certificate = certificate.rename(tmp_path / "elsewhere.json")
    said = spawn("certificate", "verify", certificate, "--key", key)
    assert (said.code, said.err) == (0, "")
    assert f"certificate {json.loads(certificate.read_text())['id']} holds\n" in said.out
    assert "request 881" in said.out
    [found] = run("certificate", "verify", certificate, "--key", key, "--json").json
    assert found == json.loads(certificate.read_text())


@pytest.mark.wide
def test_p6_certificates_of_many_are_verified_at_once(where: Path, key: str, tmp_path: Path) -> None:
    words = ("--from", "-", "--confirm", "2", "--certificate", tmp_path / "many.json")
    assert run("--vault", where, "forget-user", *words, stdin="anna\nben\n").code == 0
    said = run("certificate", "verify", "-", "--key", key, stdin=(tmp_path / "many.json").read_bytes())
    assert (said.code, said.out.count(" holds\n")) == (0, 2)


def test_p6_a_changed_certificate_fails_with_the_exit_code_of_integrity(certificate: Path, key: str) -> None:
    text = certificate.read_text()
    for old, new, reason in (
        ('"messages": 2', '"messages": 3', "messages: the certificate does not say"),
        ('"provisional"', '"final"', "the certificate does not say"),
        ('"request 881"', '"request 882"', "reason: the certificate does not say"),
        ('"hashes": [', '"hashes": ["AAAA", ', "hashes: one of the proof's hashes"),
    ):
        assert old in text
        said = run("certificate", "verify", "-", "--key", key, stdin=text.replace(old, new, 1))
        assert said.code == 3
        assert reason in said.err
    assert run("certificate", "verify", certificate, "--key", "a+b").code == 2
    assert run("certificate", "verify", certificate.with_name("none.json"), "--key", key).code == 2


# -- originals -------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p6_showing_originals_takes_a_purpose_and_stands_in_the_log(tmp_path: Path) -> None:
    where = tmp_path / "v"
    engine = Engine(Redaction.of({"originals": True, "deny": ["the ash tree"]}))
    with Vault.open(where, redactor=engine) as vault:
        vault.transcript("anna", "s-1").append("user", "under the ash tree")
    show = ("--vault", where, "show", "anna", "s-1")
    assert "the ash tree" not in run(*show).out
    refused = run(*show, "--reveal")
    assert (refused.code, refused.out) == (2, "")
    assert "under the ash tree" in run(*show, "--reveal", "--purpose", "request 7", "--actor", "the desk").out
    [entry] = [json.loads(one) for one in run("--vault", where, "log", "show", "--json").out.splitlines()][1:]
    assert (entry["kind"], entry["reason"], entry["actor"]) == ("reveal", "request 7", "the desk")
