"""`forget-user` and `forget-session`: what is asked first, what is told after."""

import getpass
import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from commands import Said, make, on_terminal, run

from vault import Vault
from vault.evidence.certificate import Certificate


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return make(tmp_path / "v", anna=["a", "b"], ben=["c"], cleo=["d"])


def users(where: Path) -> list[str]:
    return [line.split("\t")[0] for line in run("--vault", where, "sessions").out.splitlines()]


# -- asking ----------------------------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize(
    "words",
    [
        ["forget-user", "anna"],
        ["forget-user", "anna", "--now"],
        ["forget-session", "anna", "s-1"],
        ["forget-user", "--from", "-"],
        ["keys", "destroy-due", "--now"],
    ],
)
def test_without_a_terminal_nothing_is_asked_and_nothing_goes(where: Path, words: list[str]) -> None:
    said = run("--vault", where, *words, stdin="anna\nanna\n")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: this destroys, and there is no terminal to ask on\nhint: ")
    assert users(where) == ["anna", "ben", "cleo"]


@pytest.mark.wide
def test_the_hint_can_be_copied(where: Path) -> None:
    said = run("--vault", where, "forget-user", "O'Hara & co")
    assert "--confirm 'O'\"'\"'Hara & co'" in said.err


@pytest.mark.parametrize("confirm", ["ben", "", "Anna", "1"])
def test_another_name_in_confirm_is_refused_before_anything_is_opened(tmp_path: Path, confirm: str) -> None:
    said = run("--vault", tmp_path / "nowhere", "forget-user", "anna", "--confirm", confirm)
    assert said.code == 2
    assert "names something else; nothing was changed" in said.err


@pytest.mark.wide
def test_on_a_terminal_the_name_is_typed_again(where: Path) -> None:
    refused = on_terminal("--vault", where, "forget-user", "anna", typed="ana\n")
    assert refused.code == 2
    assert "forgetting user anna: 1 session, 2 messages\n" in refused.out
    assert "type anna to go on: " in refused.out
    assert "nothing was changed" in refused.out
    ended = on_terminal("--vault", where, "forget-user", "anna", typed="\x04")
    assert ended.code == 2
    assert users(where) == ["anna", "ben", "cleo"]
    done = on_terminal("--vault", where, "forget-user", "anna", typed="anna\n")
    assert done.code == 0
    assert "user anna is forgotten" in done.out
    assert users(where) == ["ben", "cleo"]


@pytest.mark.wide
def test_with_confirm_a_terminal_asks_nothing(where: Path) -> None:
    done = on_terminal("--vault", where, "forget-session", "anna", "s-1", "--confirm", "s-1")
    assert done.code == 0
    assert "to go on" not in done.out


# -- looking first ---------------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_dry_run_counts_and_changes_nothing(where: Path) -> None:
    assert run("--vault", where, "forget-user", "anna", "--dry-run").out == (
        "would forget user anna: 1 session, 2 messages\n"
    )
    assert run("--vault", where, "forget-session", "ben", "s-1", "--dry-run", "--json").json == {
        "user_id": "ben", "session_id": "s-1", "sessions": 1, "messages": 1, "forgotten": False,
        "kept": 0, "kept_until": None, "kept_by": "",
    }  # fmt: skip
    many = run("--vault", where, "forget-user", "--from", "-", "--dry-run", stdin="anna\nben\n")
    assert many.out == "anna\t1\t2\t\nben\t1\t1\t\nwould forget 2 users: 2 sessions, 3 messages\n"
    assert users(where) == ["anna", "ben", "cleo"]
    assert run("--vault", where, "keys", "status", "--json").json["ordinal"] == 1


@pytest.mark.wide
def test_a_dry_run_says_who_is_forgotten_already(where: Path) -> None:
    run("--vault", where, "forget-user", "anna", "--confirm", "anna")
    said = run("--vault", where, "forget-user", "anna", "--dry-run")
    assert (said.code, said.out) == (
        0, "would forget user anna: 0 sessions, 0 messages; 1 of 1 forgotten already\n",
    )  # fmt: skip


@pytest.mark.wide
@pytest.mark.parametrize("words", [["forget-user", "anna"], ["forget-session", "anna", "s-1"]])
def test_p7_whose_rows_were_stolen_is_not_counted_as_nobody_and_can_be_forgotten(
    where: Path, words: list[str]
) -> None:
    with closing(sqlite3.connect(where / "transcripts.db")) as thief, thief:
        thief.execute("DELETE FROM messages WHERE session_id = 1")
        thief.execute("DELETE FROM chapters WHERE session_id = 1")
        thief.execute("DELETE FROM sessions WHERE id = 1")
    refused = run("--vault", where, *words, "--dry-run")
    assert (refused.code, refused.out) == (3, "")
    assert "is gone from the transcripts" in refused.err
    assert run("--vault", where, *words, "--confirm", words[-1]).code == 0
    again = run("--vault", where, *words, "--dry-run")
    assert (again.code, again.err) == (0, "")


@pytest.mark.wide
def test_who_never_was_is_unknown(where: Path) -> None:
    for words in (["forget-user", "nobody", "--confirm", "nobody"], ["forget-user", "nobody", "--dry-run"]):
        assert run("--vault", where, *words).code == 1
    said = run("--vault", where, "forget-session", "anna", "s-9", "--confirm", "s-9")
    assert (said.code, said.err) == (
        1, "error: this user has no such session\nhint: vault sessions USER lists them\n",
    )  # fmt: skip


# -- forgetting ------------------------------------------------------------------------------------------


def forget(where: Path, *words: str) -> Said:
    said = run("--vault", where, "forget-user", "anna", "--confirm", "anna", *words)
    assert said.code == 0, said
    return said


@pytest.mark.wide
def test_the_certificate_is_provisional_and_with_now_it_is_final(where: Path) -> None:
    provisional = forget(where, "--reason", "request 881", "--actor", "the officer", "--json").json
    assert (provisional["status"], provisional["kind"]) == ("provisional", "forget-user")
    assert (provisional["sessions"], provisional["messages"]) == (1, 2)
    assert (provisional["reason"], provisional["actor"]) == ("request 881", "the officer")
    final = forget(where, "--now", "--json").json
    assert (final["status"], final["id"]) == ("final", provisional["id"])


@pytest.mark.wide
def test_the_actor_is_the_login_name(where: Path) -> None:
    assert forget(where, "--json").json["actor"] == getpass.getuser()


@pytest.mark.wide
def test_people_are_told_what_it_means(where: Path) -> None:
    first = forget(where).out
    assert first.startswith("user anna is forgotten\n  status       provisional, until 2")
    assert "an older keyring and a kept root generation still open it" in first
    assert "erased       1 session, 2 messages" in first
    again = forget(where, "--now").out
    assert "status       final, since 2" in again
    assert "receipt      absent from 1 of 1 files" in again


@pytest.mark.wide
def test_a_session_goes_alone(where: Path) -> None:
    with Vault.open(where, redactor=None) as vault:
        vault.transcript("anna", "s-2").append("user", "stays")
    said = run("--vault", where, "forget-session", "anna", "s-1", "--confirm", "s-1", "--json")
    assert said.json["kind"] == "forget-session"
    assert run("--vault", where, "show", "anna", "s-1").err.startswith("error: this session was forgotten\n")
    assert "stays" in run("--vault", where, "show", "anna", "s-2").out


@pytest.mark.wide
def test_many_users_go_with_one_swap(where: Path, tmp_path: Path) -> None:
    listed = tmp_path / "users.txt"
    listed.write_bytes(b"\xef\xbb\xbfanna\r\n\nben\nanna\n")
    assert run("--vault", where, "forget-user", "--from", listed, "--confirm", "3").code == 2
    assert run("--vault", where, "forget-user", "--from", listed, "--confirm", "anna").code == 2
    said = run("--vault", where, "forget-user", "--from", listed, "--confirm", "2", "--json")
    assert [one["messages"] for one in said.json] == [2, 1]
    assert users(where) == ["cleo"]
    assert run("--vault", where, "keys", "status", "--json").json["ordinal"] == 2


@pytest.mark.wide
def test_many_users_are_told_in_rows(where: Path) -> None:
    said = run("--vault", where, "forget-user", "--from", "-", "--confirm", "2", "--now", stdin="ben\ncleo")
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert [(row[0], row[1], row[3]) for row in rows] == [("ben", "final", "1"), ("cleo", "final", "1")]


@pytest.mark.wide
def test_of_many_users_none_goes_where_one_is_unknown(where: Path) -> None:
    said = run("--vault", where, "forget-user", "--from", "-", "--confirm", "2", stdin="anna\nnobody\n")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: the 2. id of the file: no such user is here\n")
    assert users(where) == ["anna", "ben", "cleo"]


@pytest.mark.wide
@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xff\xfe\x00", b"a\x01b\n"])
def test_a_file_that_names_nobody_is_a_usage_error(where: Path, data: bytes) -> None:
    assert run("--vault", where, "forget-user", "--from", "-", "--confirm", "1", stdin=data).code == 2


@pytest.mark.wide
@pytest.mark.parametrize("words", [[], ["anna", "--from", "-"], ["--from", "no-such-file"]])
def test_either_a_user_or_a_file_is_named(where: Path, words: list[str]) -> None:
    assert run("--vault", where, "forget-user", *words, "--confirm", "anna", stdin="ben\n").code == 2


# -- the certificate's file ------------------------------------------------------------------------------


@pytest.mark.wide
def test_the_certificate_goes_to_a_file_of_its_owner(where: Path, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    said = forget(where, "--certificate", str(path), "--json")
    assert json.loads(path.read_text()) == said.json
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "anna" not in path.read_text()


@pytest.mark.wide
def test_a_file_is_never_overwritten_and_nobody_is_forgotten_then(where: Path, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_text("mine")
    for place in (path, tmp_path / "no" / "such" / "directory.json"):
        said = run("--vault", where, "forget-user", "anna", "--confirm", "anna", "--certificate", place)
        assert said.code in {1, 2}
        assert str(place) in said.err
    assert path.read_text() == "mine"
    assert users(where) == ["anna", "ben", "cleo"]


@pytest.mark.wide
def test_a_failed_erasure_leaves_no_empty_certificate(
    where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: object, **_options: object) -> list[Certificate]:
        raise RuntimeError

    monkeypatch.setattr(Vault, "forget_users", fail)
    path = tmp_path / "certificate.json"
    said = run("--vault", where, "forget-user", "anna", "--confirm", "anna", "--certificate", path)
    assert said.code == 1
    assert not path.exists()


@pytest.mark.wide
def test_certificates_of_many_are_one_array(where: Path, tmp_path: Path) -> None:
    path = tmp_path / "certificates.json"
    words = ("--from", "-", "--confirm", "2", "--certificate", path)
    assert run("--vault", where, "forget-user", *words, stdin="anna\nben\n").code == 0
    assert [one["status"] for one in json.loads(path.read_text())] == ["provisional", "provisional"]
