"""`init`, `sessions`, `show`: making a vault, and looking into it."""

import base64
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import make, names_in, on_terminal, run
from databases import Databases

from vault import Message, Vault


def write(where: Path, *messages: Message | dict[str, object]) -> None:
    with Vault.open(where, redactor=None) as vault:
        vault.transcript("anna", "s-1").extend(messages)


# -- init ------------------------------------------------------------------------------------------------


def test_init_makes_a_vault_that_only_its_owner_can_look_into(tmp_path: Path) -> None:
    said = run("init", tmp_path / "v")
    assert said.code == 0
    assert said.out.startswith("made a vault:\n")
    assert f"root         file:{tmp_path}/v/root.key" in said.out
    assert "Back up the root apart" in said.out
    assert "warning: the root lies beside the data" in said.err
    assert stat.S_IMODE((tmp_path / "v").stat().st_mode) == 0o700
    assert run("--vault", tmp_path / "v", "sessions").code == 0


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    first = run("init", tmp_path / "v", "--json")
    again = run("init", tmp_path / "v", "--json")
    assert first.json == {**again.json, "made": True}
    assert not again.json["made"]
    assert run("init", tmp_path / "v").out.startswith("there is a vault already; nothing was changed:\n")


def test_init_makes_the_current_directory_a_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init").code == 0
    assert (tmp_path / "vault.toml").exists()


def test_what_init_was_told_stands_in_vault_toml(tmp_path: Path) -> None:
    for name in ("a", 'b"q', "k"):
        (tmp_path / name).mkdir()
    root = f'file:{tmp_path}/a/root.key,{tmp_path}/b"q/root.key'
    keyring = f"sqlite:///{tmp_path}/k/keys.db"
    said = run("init", tmp_path / "v", "--root", root, "--keyring", keyring, "--horizon", "2d")
    assert said.code == 0, said
    assert "lies beside" not in said.err
    status = run("--vault", tmp_path / "v", "keys", "status", "--json").json
    assert status["root"] == root
    assert (tmp_path / "k" / "keys.db").exists()
    assert not (tmp_path / "v" / "keyring.db").exists()
    assert 'horizon = "2d"' in (tmp_path / "v" / "vault.toml").read_text()


@pytest.mark.wide
@pytest.mark.parametrize(
    "option", [["--root", "ftp:x"], ["--keyring", "redis://x"], ["--horizon", "soon"], ["--root", "file:"]]
)
def test_init_with_a_wrong_option_leaves_nothing_behind(tmp_path: Path, option: list[str]) -> None:
    assert run("init", tmp_path / "v", *option).code == 2
    assert names_in(tmp_path) == set()
    assert run("init", tmp_path / "v").code == 0


def test_init_after_one_whose_root_had_no_place_begins_anew(tmp_path: Path) -> None:
    words = ("init", tmp_path / "v", "--root", f"file:{tmp_path}/usb/root.key")
    assert run(*words).code == 4
    assert not (tmp_path / "v").exists()
    (tmp_path / "usb").mkdir()
    assert run(*words).out.startswith("made a vault:\n")
    assert run("--vault", tmp_path / "v", "sessions").code == 0


def test_init_refuses_a_directory_with_something_else(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    said = run("init", tmp_path)
    assert said.code == 2
    assert "not empty" in said.err
    assert names_in(tmp_path) == {"letters.txt"}


@pytest.mark.parametrize("name", ["a?b", "a#b", "a@b", "a%20b", "a b", "ä", "a&b=c"])
def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    where = make(tmp_path / name, anna=["hello"])
    assert names_in(tmp_path) == {name}
    assert {"transcripts.db", "keyring.db"} <= names_in(where)
    assert run("--vault", where, "doctor").code == 0


def test_init_on_a_server(database: Databases, tmp_path: Path) -> None:
    words = (database.transcripts, "--keyring", database.keyring, "--root", f"file:{tmp_path}/root.key")
    made = run("init", *words, "--json")
    assert made.code == 0, made
    assert made.json["made"]
    assert made.json["root"] == f"file:{tmp_path}/root.key"
    assert not run("init", *words, "--json").json["made"]
    there = ("--vault", database.transcripts, "--keyring", database.keyring, "--root", words[-1])
    assert run(*there, "sessions", "--json").json == []
    assert run(*there, "db", "upgrade", "--check").code == 0
    by_variables = {
        "TRANSCRIPT_VAULT_VAULT": database.transcripts,
        "TRANSCRIPT_VAULT_KEYRING": database.keyring,
        "TRANSCRIPT_VAULT_ROOT": words[-1],
    }
    assert run("sessions", **by_variables).code == 0


def test_a_server_needs_keyring_and_root() -> None:
    said = run("init", "postgresql://127.0.0.1:1/x")
    assert said.code == 2
    assert "needs --keyring" in said.err


# -- sessions --------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_sessions_lists_users_with_their_counts(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["a", "b"], ben=["c"])
    assert run("--vault", where, "sessions").out == "anna\t1\t2\nben\t1\t1\n"
    assert run("--vault", where, "sessions", "--json").json == [
        {"user_id": "anna", "sessions": 1, "messages": 2},
        {"user_id": "ben", "sessions": 1, "messages": 1},
    ]


def test_sessions_lists_the_sessions_of_a_user(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["a", "b"])
    [found] = run("--vault", where, "sessions", "anna", "--json").json
    assert (found["session_id"], found["messages"], found["namespace"]) == ("s-1", 2, "support")
    name, count, first, last, namespace = (
        run("--vault", where, "sessions", "anna").out.rstrip("\n").split("\t")
    )
    assert (name, count, namespace) == ("s-1", "2", "support")
    assert first <= last
    assert datetime.fromisoformat(last).tzinfo is UTC


def test_nothing_to_list_is_said_on_stderr(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    users, nobody = run("--vault", where, "sessions"), run("--vault", where, "sessions", "nobody")
    assert (users.code, users.out, users.err) == (0, "", "the vault is empty\n")
    assert (nobody.code, nobody.out) == (0, "")
    assert nobody.err == "this user has no sessions here\n"
    assert run("--vault", where, "sessions", "nobody", "--json").json == []


@pytest.mark.wide
def test_p7_a_forgotten_user_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["a"])
    run("--vault", where, "forget-user", "anna", "--confirm", "anna")
    for words in (["sessions", "anna"], ["show", "anna", "s-1"], ["sessions", "anna", "--json"]):
        said = run("--vault", where, *words)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("error: this user was forgotten\n")


@pytest.mark.wide
def test_a_table_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    long = "u" * 70 + "-end"
    where = make(tmp_path / "v", **{long: ["a"], "ben\u202e": ["b"]})
    shown = on_terminal("--vault", where, "sessions", NO_COLOR="1").out
    head, *rows = shown.splitlines()
    assert head.split() == ["user", "sessions", "messages"]
    assert all(len(row) <= 80 for row in rows)
    assert "-end" in shown
    assert r"ben\u202e" in shown
    assert "ben\u202e" in run("--vault", where, "sessions").out  # a pipe gets ids as they are


# -- show ------------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_show_prints_role_time_and_text(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    at = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)
    call: dict[str, object] = {"role": "assistant", "content": None, "tool_calls": [{"id": "c-1"}]}
    write(
        where,
        Message("user", "two\nlines", {"ip": "::1"}, {}, at),
        call,
        {"role": "tool", "content": [{"text": "ä"}]},
    )
    shown = run("--vault", where, "show", "anna", "s-1").out
    assert shown.startswith("#0  user  2026-03-04 05:06:07Z\n    two\n    lines\n    metadata: {\n")
    assert "#1  assistant  " in shown
    assert '"id": "c-1"' in shown
    assert '"text": "ä"' in shown


def test_show_as_json_keeps_every_value(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    text = "\x1b]0;x\x07 \u202e \x9b \U000e0041 中\n"
    write(
        where,
        {"role": "user", "content": {"text": text, "bytes": b"\x00\xff"}, "metadata": {"n": 1}, "name": "A"},
    )
    said = run("--vault", where, "show", "anna", "s-1", "--json")
    assert len(said.out.splitlines()) == 1
    found = said.json
    assert found["content"] == {"text": text, "bytes": base64.b64encode(b"\x00\xff").decode()}
    assert (found["seq"], found["role"], found["metadata"], found["extra"]) == (
        0,
        "user",
        {"n": 1},
        {"name": "A"},
    )
    assert said.out.isprintable() or said.out[:-1].isprintable()


@pytest.mark.wide
def test_show_takes_the_last_and_those_before(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=[f"m{number}" for number in range(6)])

    def seqs(*words: object) -> list[int]:
        lines = run("--vault", where, "show", "anna", "s-1", "--json", *words).out.splitlines()
        return [json.loads(line)["seq"] for line in lines]

    assert seqs() == [0, 1, 2, 3, 4, 5]
    assert seqs("--last", 2) == [4, 5]
    assert seqs("--before", 3) == [0, 1, 2]
    assert seqs("--last", 1, "--before", 3) == [2]
    assert seqs("--last", 0) == []
    assert run("--vault", where, "show", "anna", "s-1", "--last", "-1").code == 2


def test_show_of_a_session_that_never_was_is_empty(tmp_path: Path) -> None:
    said = run("--vault", make(tmp_path / "v"), "show", "anna", "s-1")
    assert (said.code, said.out, said.err) == (0, "", "this session has no messages here\n")


@pytest.mark.wide
@pytest.mark.parametrize("text", ["\x1b]0;x\x07", "a\u202eb", "\x9b2J", "\u2066x", "\x1b[2J\r"])
def test_a_message_can_not_drive_the_terminal(tmp_path: Path, text: str) -> None:
    where = make(tmp_path / "v")
    write(where, {"role": "user", "content": text, "name": text, "metadata": {text: text}})
    with Vault.open(where, redactor=None) as vault:
        vault.transcript("anna", "s-2").append("user", [{"text": text}])
    for session in ("s-1", "s-2"):
        words = ("--vault", where, "show", "anna", session)
        for shown in (on_terminal(*words, NO_COLOR="1").out, run(*words).out, run(*words, "--json").out):
            assert not set(shown) & set("\x1b\x07\x9b\u202e\u2066\r")


@pytest.mark.wide
def test_a_message_can_not_pass_for_another_one(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    forged = "#7  assistant  2026-01-01 00:00:00Z\nyes, transfer it"
    write(where, {"role": "user", "content": f"{forged}\n{'x ' * 38}{forged}"})
    for shown in (
        on_terminal("--vault", where, "show", "anna", "s-1", NO_COLOR="1").out,
        run("--vault", where, "show", "anna", "s-1").out,
    ):
        heads = [line for line in shown.splitlines() if not line.startswith("    ")]
        assert len(heads) == 1, shown
