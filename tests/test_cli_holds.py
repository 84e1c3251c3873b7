"""`hold`, and forgetting against it: what is told, and how it ends (P5)."""

import json
from pathlib import Path

import pytest
from commands import make, run

from vault import Vault
from vault.cli.given import login


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return make(tmp_path / "v", anna=["a", "b"], ben=["c"], cleo=["d"])


def users(where: Path) -> list[str]:
    return [line.split("\t")[0] for line in run("--vault", where, "sessions").out.splitlines()]


def hold(where: Path, *words: str) -> str:
    placed = run("--vault", where, "hold", "add", "--reason", "case 7", "--json", *words)
    assert placed.code == 0, placed.err
    return str(placed.json["id"])


def forget(where: Path, *words: str) -> tuple[int, str, str]:
    said = run("--vault", where, "forget-user", "anna", "--confirm", "anna", *words)
    return said.code, said.out, said.err


@pytest.mark.wide
def test_p5_forgetting_who_is_held_ends_with_5_and_names_the_hold(where: Path) -> None:
    placed = run("--vault", where, "hold", "add", "--user", "anna", "--reason", "case 7")
    assert placed.code == 0
    assert placed.out.splitlines()[0] == "user anna is held"
    [row] = [line.split("\t") for line in run("--vault", where, "hold", "list").out.splitlines()]
    assert row[1:] == ["in force", "anna", "", "", "case 7"]
    code, out, err = forget(where, "--certificate", str(where / "none.json"))
    assert (code, out) == (5, "")
    assert err.startswith(f"error: held, nothing was changed (hold {row[0]}: case 7)\nhint: vault hold list")
    assert not (where / "none.json").exists()
    session = run("--vault", where, "forget-session", "anna", "s-1", "--confirm", "s-1")
    assert session.code == 5
    assert users(where) == ["anna", "ben", "cleo"]


@pytest.mark.wide
def test_p5_one_who_is_held_stops_a_whole_file_unless_they_may_wait(where: Path, tmp_path: Path) -> None:
    hold(where, "--user", "anna")
    (tmp_path / "users").write_text("ben\nanna\n")
    words = ("--vault", where, "forget-user", "--from", tmp_path / "users", "--confirm", "2")
    assert run(*words).code == 5
    assert users(where) == ["anna", "ben", "cleo"]
    done = run(*words, "--when-released")
    assert done.code == 0
    assert [line.split("\t")[:2] for line in done.out.splitlines()] == [
        ["ben", "provisional"],
        ["anna", "requested"],
    ]
    assert users(where) == ["anna", "cleo"]


@pytest.mark.wide
def test_p5_a_request_waits_for_the_release(where: Path) -> None:
    placed = hold(where, "--user", "anna")
    code, out, _ = forget(where, "--when-released", "--reason", "request 881")
    assert (code, out.splitlines()[0]) == (0, "user anna is held: forgotten when that ends")
    assert "requested, it waits: nothing is erased yet" in out
    [waiting] = run("--vault", where, "hold", "queued", "--json").json
    assert (waiting["user_id"], waiting["reason"], waiting["actor"]) == ("anna", "request 881", login())
    [row] = run("--vault", where, "hold", "queued").out.splitlines()
    assert row.split("\t")[:2] == [waiting["id"], "anna"]
    assert "1 request to forget a user waiting" in run("--vault", where, "hold", "list").err
    early = run("--vault", where, "hold", "carry-out")
    assert early.out == "0 users forgotten, 1 request still waiting\n"
    released = run("--vault", where, "hold", "release", placed, "--reason", "closed")
    assert released.out.startswith(f"user anna is released from hold {placed}, since ")
    assert users(where) == ["anna", "ben", "cleo"]
    done = run("--vault", where, "hold", "carry-out")
    assert done.out.splitlines()[0] == "1 user forgotten, 0 requests still waiting"
    assert done.out.splitlines()[1].startswith(f"{waiting['id']}\tprovisional\t1\t2\t")
    assert users(where) == ["ben", "cleo"]
    assert run("--vault", where, "hold", "queued").err == "no request waits\n"
    [row] = run("--vault", where, "hold", "list").out.splitlines()
    assert row.split("\t")[1:] == ["released", "", "", "", "case 7"]


@pytest.mark.wide
def test_p5_a_hold_on_a_session_names_it_until_a_day(where: Path) -> None:
    words = ("--user", "anna", "--session", "s-1", "--until", "2099-12-31", "--actor", "office")
    placed = hold(where, *words)
    [found] = run("--vault", where, "hold", "list", "--json").json
    assert (found["id"], found["user_id"], found["session_id"]) == (placed, "anna", "s-1")
    assert (found["until"], found["actor"]) == ("2100-01-01T00:00:00Z", "office")
    [row] = run("--vault", where, "hold", "list").out.splitlines()
    assert row.split("\t")[3:5] == ["s-1", "2100-01-01 00:00:00Z"]
    told = run("--vault", where, "hold", "release", placed)
    assert told.out.startswith("session s-1 of user anna is released")


@pytest.mark.wide
@pytest.mark.parametrize("until", ["tomorrow", "2030-13-01", "2099-01-01T10:00", "20990101", "9999-12-31"])
def test_an_end_that_is_no_date_or_has_no_zone_is_refused(where: Path, until: str) -> None:
    said = run("--vault", where, "hold", "add", "--user", "anna", "--reason", "r", "--until", until)
    assert said.code == 2
    assert run("--vault", where, "hold", "list").err == "nothing was ever held\n"


@pytest.mark.wide
def test_an_end_with_a_zone_is_taken_as_it_is(where: Path) -> None:
    hold(where, "--user", "anna", "--until", "2099-01-01T10:00+02:00")
    assert run("--vault", where, "hold", "list", "--json").json[0]["until"] == "2099-01-01T08:00:00Z"


def test_what_is_not_here_is_not_held_and_not_released(where: Path) -> None:
    for words in (
        ("add", "--user", "dora", "--reason", "r"),
        ("add", "--user", "anna", "--session", "none", "--reason", "r"),
        ("release", "00" * 16),
        ("release", "x"),
    ):
        assert run("--vault", where, "hold", *words).code == 1
    assert run("--vault", where, "hold", "add", "--user", "anna", "--reason", " ").code == 2
    assert run("--vault", where, "hold", "add", "--user", "anna").code == 2


@pytest.mark.wide
def test_p5_what_is_hidden_is_removed_by_carry_out(where: Path) -> None:
    placed = hold(where, "--user", "anna")
    with Vault.open(where, redactor=None, create=False) as vault:
        vault.transcript("anna", "s-1").clear()
        assert vault.footprint("anna").messages == 2
    run("--vault", where, "hold", "release", placed)
    assert json.loads(run("--vault", where, "hold", "carry-out", "--json").out) == []
    with Vault.open(where, redactor=None, create=False) as vault:
        assert vault.footprint("anna").messages == 0


@pytest.mark.wide
def test_p5_a_request_of_a_session_is_told_as_that(where: Path) -> None:
    placed = hold(where, "--user", "anna", "--session", "s-1")
    words = ("forget-session", "anna", "s-1", "--confirm", "s-1", "--when-released")
    assert run("--vault", where, *words).code == 0
    [waiting] = run("--vault", where, "hold", "queued", "--json").json
    assert (waiting["user_id"], waiting["session_id"], waiting["on_session"]) == ("anna", "s-1", True)
    [row] = run("--vault", where, "hold", "queued").out.splitlines()
    assert row.split("\t")[:4] == [waiting["id"], "anna", "s-1", ""]
    assert "1 request to forget a session waiting" in run("--vault", where, "hold", "list").err
    hold(where, "--user", "ben")
    run("--vault", where, "forget-user", "ben", "--confirm", "ben", "--when-released")
    assert "2 requests to forget a user or a session waiting" in run("--vault", where, "hold", "list").err
    run("--vault", where, "hold", "release", placed)
    done = run("--vault", where, "hold", "carry-out")
    assert done.out.splitlines()[0] == "1 session forgotten, 1 request still waiting"
    assert done.out.splitlines()[1].split("\t")[-1] == "forget-session"
    assert run("--vault", where, "show", "anna", "s-1").code == 1


@pytest.mark.wide
def test_p5_users_and_sessions_that_are_forgotten_at_once_are_counted_apart(where: Path) -> None:
    holds = [hold(where, "--user", user) for user in ("anna", "ben")]
    words = ("forget-session", "anna", "s-1", "--confirm", "s-1", "--when-released")
    assert run("--vault", where, *words).code == 0
    run("--vault", where, "forget-user", "ben", "--confirm", "ben", "--when-released")
    for one in holds:
        run("--vault", where, "hold", "release", one)
    done = run("--vault", where, "hold", "carry-out")
    assert done.out.splitlines()[0] == "1 user and 1 session forgotten, 0 requests still waiting"
