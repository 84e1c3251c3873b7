"""Getting transcripts out: whole or not at all, page by page, and nothing lost on the way there and back."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import zipfile
from base64 import b64decode
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import contract
import pytest
from commands import TOP, make, names_in, on_terminal, run
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FEW, leaves, texts

from vault import Message, Vault
from vault.errors import ConfigError, TamperedError, UnknownError, UsageError, UserForgottenError
from vault.evidence.log import MANIFEST
from vault.evidence.notes import Verifier
from vault.transfer import exporting
from vault.transfer.formats import fenced, span
from vault.transfer.lines import plain, restored

home, vault = contract.home, contract.vault

BAD = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`````\n# head\n- [x](javascript:x)"
FORMATS = ["jsonl", "json", "md", "html"]


def fill(vault: Vault) -> None:
    chat = vault.transcript("anna", "s-1", namespace="support/eu")
    at = datetime(2026, 3, 2, 9, 14, 5, 123_456, UTC)
    chat.append("user", "Hällo\n  wörld", created_at=at)
    chat.append("assistant", [{"type": "text", "text": "a"}, {"type": "image", "data": b"\x00\xff"}])
    chat.append({"role": "assistant", "content": None, "tool_calls": [{"id": "c-1"}], "metadata": {"a": {}}})
    chat.append("user", "popped")
    chat.pop()
    chat.append(
        "tool", {"$bytes": "no bytes", "n": {"$bytes": "aGk="}}, metadata={"when": at, "1": {2: b"x"}}
    )
    vault.transcript("anna", "s-2").append("user", BAD)
    vault.transcript("ben", "hollow", namespace="hr").append("user", "x")
    vault.transcript("ben", "hollow").clear()


def exported(vault: Vault, *who: str, **how: Any) -> bytes:
    file = io.BytesIO()
    vault.export(*who, to=file, **how)
    return file.getvalue()


# -- both faces, all databases ---------------------------------------------------------------------------


@pytest.mark.wide
def test_export_gives_what_is_there_on_every_database_and_face(vault: Vault, tmp_path: Path) -> None:
    user = f"u-{token_hex(8)}"
    said = [f"message {number}" for number in range(40)]
    vault.transcript(user, "s-1").extend([{"role": "user", "content": text} for text in said])
    done = vault.export(user, to=tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["content"] for line in lines] == said
    assert [line["seq"] for line in lines] == list(range(40))
    assert (done.users, done.sessions, done.messages, done.purged) == (1, 1, 40, 0)


@pytest.mark.wide
def test_a_session_is_exported_in_whichever_form_of_unicode_it_is_named(vault: Vault) -> None:
    vault.transcript("zo\u00eb", "caf\u00e9").append("user", "Hello")
    said = exported(vault, "zo\u00eb", "caf\u00e9")
    assert said.count(b"Hello") == 1
    assert exported(vault, "zo\u00eb", "cafe\u0301") == said


@pytest.mark.wide
def test_pages_join_to_the_whole_on_every_database(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 7)
    user = f"u-{token_hex(8)}"
    chat = vault.transcript(user, "s-1")
    chat.extend([{"role": "user", "content": str(number)} for number in range(23)])
    for _ in range(3):
        chat.pop()
    chat.append("user", "after a gap")
    said = [json.loads(line)["content"] for line in exported(vault, user, "s-1").splitlines()]
    assert said == [message.content for message in chat.messages()]
    assert len(said) == 21


# -- formats ---------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        fill(vault)
    return tmp_path / "v"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_holds_every_session(place: Path, form: str) -> None:
    with Vault.open(place, redactor=None) as vault:
        said = exported(vault, format=form).decode()
        again = exported(vault, "anna", format=form).decode()
    assert all(name in said for name in ("s-1", "s-2", "hollow", "wörld"))
    assert "popped" not in said
    assert "hollow" not in again


@pytest.mark.wide
def test_round_trip_export_import_export_is_the_same_to_the_byte(place: Path, tmp_path: Path) -> None:
    with Vault.open(place, redactor=None) as vault:
        first = vault.export(to=tmp_path / "1.jsonl")
    with Vault.open(tmp_path / "w", redactor=None) as other:
        done = other.import_from(tmp_path / "1.jsonl", "jsonl")
        assert (done.added, done.known, done.skipped) == (first.messages, 0, 0)
        other.export(to=tmp_path / "2.jsonl")
        assert other.transcript("anna", "s-1").messages()[0].created_at == datetime(
            2026, 3, 2, 9, 14, 5, 123_456, UTC
        )
        again = other.import_from(tmp_path / "1.jsonl", "jsonl")
        assert (again.added, again.known) == (0, first.messages)
        other.transcript("anna", "s-1").append("user", "one more")
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert b'"seq":4' in (tmp_path / "1.jsonl").read_bytes()  # past the one that was popped


def values() -> st.SearchStrategy[Any]:
    moments = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis's)
    keys = texts(6) | st.sampled_from(["$", "$bytes", "$pairs", "$x"]) | st.integers(0, 9)
    return st.recursive(
        leaves(20) | moments,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )


@pytest.mark.wide
@FEW
@given(values())
def test_any_value_of_a_message_comes_back_from_json(value: Any) -> None:
    assert restored(json.loads(json.dumps(plain(value)))) == value


MESSAGES = st.builds(
    Message,
    st.sampled_from(["user", "assistant", "tool", "system"]),
    texts(30) | st.lists(values(), max_size=2) | st.dictionaries(texts(5), values(), max_size=2) | st.none(),
    st.dictionaries(texts(5), values(), max_size=2),
    st.dictionaries(st.sampled_from(["name", "tool_calls", "id", "seq", "$"]), values(), max_size=2),
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
)


@pytest.mark.wide
@settings(FEW, max_examples=12)
@given(st.lists(MESSAGES, min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_round_trip_of_any_messages_with_any_gaps(messages: list[Message], pops: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Vault.open(directory / "v", redactor=None) as vault:
            chat = vault.transcript("a <b>", "s", namespace="n")
            for message, pop in zip(messages, pops, strict=False):
                if pop:
                    chat.append("user", "x")
                    chat.pop()
                chat.append(message)
            vault.export(to=directory / "1")
        with Vault.open(directory / "w", redactor=None) as other:
            assert other.import_from(directory / "1", "jsonl").added == len(messages)
            other.export(to=directory / "2")
        assert (directory / "1").read_bytes() == (directory / "2").read_bytes()


@pytest.mark.parametrize("text", [BAD, "```", "a\n~~~\n````text\n", "` `` ```", "", "x\r\n```\r\n"])
def test_nothing_breaks_out_of_a_fence_or_a_span(text: str) -> None:
    block = fenced(text)
    fence = block.partition("text\n")[0]
    assert set(fence) == {"`"}
    assert block == f"{fence}text\n{text}\n{fence}\n"
    assert fence not in text
    name = " ".join(text.split())
    ticks = span(name).partition(" ")[0]
    runs = {"".join(run) for run in "".join(c if c == "`" else " " for c in name).split()}
    assert ticks not in runs


@pytest.mark.wide
def test_revealed_originals_are_marked_and_take_a_purpose(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    run("init", tmp_path / "v")
    toml = tmp_path / "v" / "vault.toml"
    toml.write_text(toml.read_text() + "\n[redaction]\noriginals = true\n")
    with Vault.open(tmp_path / "v") as vault:
        vault.transcript("anna", "s-1").append("user", "I live with Anna Keller, call 020 7946 0018")
        hidden = json.loads(exported(vault))
        shown = json.loads(exported(vault, reveal=True, purpose="request 881"))
        with pytest.raises(UsageError, match="purpose"):
            exported(vault, reveal=True)
    assert "7946" not in hidden["content"]
    assert "originals" not in hidden
    assert shown["content"] == "I live with Anna Keller, call 020 7946 0018"
    assert shown["originals"] is True


# -- files -----------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p7_what_another_process_began_anew_long_ago_is_exported_as_it_is_now(place: Path) -> None:
    with Vault.open(place, redactor=None) as vault, Vault.open(place, redactor=None) as other:
        before = vault.transcript("anna", "s-1").messages()
        assert before
        chat = other.transcript("anna", "s-1")
        chat.clear()
        chat.append("user", "begun anew")
        for user in ("anna", None):
            assert vault.transcript("anna", "s-1").messages()[0].content == "begun anew"
            chat.clear()
            chat.append("user", "begun anew")
            out = io.BytesIO()
            exported = vault.export(user, to=out)
            assert exported.left == 0
            assert out.getvalue().count(b"begun anew") == 1


def test_a_file_is_new_and_its_owners_alone(place: Path, tmp_path: Path) -> None:
    with Vault.open(place, redactor=None) as vault:
        vault.export("anna", to=tmp_path / "out")
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
        before = (tmp_path / "out").read_bytes()
        with pytest.raises(ConfigError, match="already"):
            vault.export("ben", to=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == before
    assert names_in(tmp_path) == {"v", "out"}


@pytest.mark.wide
def test_p7_who_was_forgotten_or_never_was_is_an_error_and_no_empty_file(place: Path, tmp_path: Path) -> None:
    with Vault.open(place, redactor=None) as vault:
        vault.forget_user("ben")
        with pytest.raises(UserForgottenError):
            vault.export("ben", to=tmp_path / "out")
        with pytest.raises(UnknownError):
            vault.export("nobody", to=tmp_path / "out")
        with pytest.raises(UnknownError):
            vault.export("anna", "no-session", to=tmp_path / "out")
        assert {json.loads(line)["user_id"] for line in exported(vault).splitlines()} == {"anna"}
    assert names_in(tmp_path) == {"v"}


@pytest.mark.wide
def test_p2_a_row_that_does_not_open_ends_with_its_place_and_leaves_no_file(
    place: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(place / "transcripts.db", isolation_level=None)) as rows:
        rows.execute(
            "UPDATE messages SET body = zeroblob(60) WHERE seq = 2 AND session_id ="
            " (SELECT min(session_id) FROM messages)"
        )
    said = run("--vault", place, "export", "--user", "anna", "--output", tmp_path / "out")
    assert said.code == 3
    assert said.err.startswith("error: message 2 of session 1 does not open: ")
    assert "anna" not in said.err
    assert "s-1" not in said.err
    everything = run("--vault", place, "export", "--all", "--output", tmp_path / "out")
    assert everything.code == 3
    assert "message 2 of session 1 of user 1" in everything.err
    assert "out" not in names_in(tmp_path)
    with Vault.open(place, redactor=None) as vault, pytest.raises(TamperedError):
        exported(vault, "anna")


KILLED = """
import os, signal, sys
from vault import Vault
from vault.transfer import exporting, output
exporting.PAGE = 10
reach, count = output._Growing.reach, 0
def reaching(self, position):
    global count
    reach(self, position)
    count += 1
    if count == 5:
        self._file.write(b'half of a line')
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
output._Growing.reach = reaching
with Vault.open(sys.argv[1], redactor=None) as vault:
    vault.export(to=sys.argv[2], format=sys.argv[3])
"""


@pytest.mark.wide
@pytest.mark.parametrize("form", FORMATS)
def test_p8_an_export_that_was_killed_goes_on_where_it_was(tmp_path: Path, form: str) -> None:
    where = make(tmp_path / "v", **{f"u-{number}": ["text"] * 24 for number in range(4)})
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, where, tmp_path / "out", form], check=False, cwd=TOP, env=_environ()
    )
    assert killed.returncode == -9
    assert names_in(tmp_path) == {"v", "out.part", "out.cursor"}
    assert stat.S_IMODE((tmp_path / "out.part").stat().st_mode) == 0o600
    wrong = run("--vault", where, "export", "--user", "u-1", "--resume", "--output", tmp_path / "out")
    assert wrong.code == 2
    words = ("--vault", where, "export", "--all", "--format", form, "--output")
    resumed = run(*words, tmp_path / "out", "--resume")
    assert resumed.code == 0, resumed
    assert resumed.err == "exported 4 sessions, 96 messages of 4 users\n"
    assert run(*words, tmp_path / "whole").code == 0
    assert _dateless(tmp_path / "out") == _dateless(tmp_path / "whole")
    assert names_in(tmp_path) == {"v", "out", "whole"}


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TOP)}


def _dateless(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.lower().count("exported")]


# -- the command -----------------------------------------------------------------------------------------


def test_stdout_takes_it_in_a_pipe(place: Path) -> None:
    said = run("--vault", place, "export", "--user", "anna", "--session", "s-2")
    assert json.loads(said.out)["content"] == BAD
    assert said.err == "exported 1 session, 1 message\n"


@pytest.mark.wide
def test_a_terminal_gets_nothing_unless_asked_and_then_nothing_that_drives_it(tmp_path: Path) -> None:
    where = make(tmp_path / "v", anna=["a\x1b[31mred\u202e"])
    refused = on_terminal("--vault", where, "export", "--all")
    assert refused.code == 2
    assert "--output" in refused.out
    shown = on_terminal("--vault", where, "export", "--all", "--format", "md", "--output", "-")
    assert shown.code == 0
    assert r"a\x1b[31mred\u202e" in shown.out


@pytest.mark.wide
@pytest.mark.parametrize(
    "words",
    [
        ["export"],
        ["export", "--all", "--user", "anna"],
        ["export", "--all", "--session", "s-1"],
        ["export", "--all", "--subject-access"],
        ["export", "--all", "--resume"],
        ["export", "--user", "anna", "--reveal"],
        ["export", "--user", "anna", "--policy", "policies/gdpr.yaml"],
        ["export", "--user", "anna", "--to", "age1nonsense"],
    ],
)
def test_what_can_not_be_carried_out_is_a_usage_error(place: Path, words: list[str]) -> None:
    assert run("--vault", place, *words).code == 2


@pytest.mark.parametrize("to", [None, 5, io.StringIO()])
def test_what_takes_no_bytes_is_refused_before_the_log_tells_of_an_export(place: Path, to: Any) -> None:
    with Vault.open(place, redactor=None) as vault:
        before = len(list(vault.log.entries()))
        with pytest.raises(UsageError, match="a path, or a file that takes bytes"):
            vault.export("anna", to=to)
        assert len(list(vault.log.entries())) == before


@pytest.mark.parametrize(("text", "told"), [(b"\xff\xfe", "not UTF-8"), (b"version: 1\n", "policy")])
def test_what_is_no_policy_is_not_given_to_a_person_as_one(
    place: Path, tmp_path: Path, text: bytes, told: str
) -> None:
    (tmp_path / "shop.yaml").write_bytes(text)
    words = ("--subject-access", "--policy", tmp_path / "shop.yaml", "--output", tmp_path / "a.zip")
    said = run("--vault", place, "export", "--user", "anna", *words)
    assert said.code == 2
    assert f"{tmp_path / 'shop.yaml'}:1:1: " in said.err
    assert told in said.err
    assert not (tmp_path / "a.zip").exists()


def test_a_policy_that_comes_with_the_vault_is_given_to_a_person_by_its_name(
    place: Path, tmp_path: Path
) -> None:
    words = ("--subject-access", "--policy", "gdpr", "--output", tmp_path / "a.zip")
    assert run("--vault", place, "export", "--user", "anna", *words).code == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("policies/gdpr.yaml") == (TOP / "policies" / "gdpr.yaml").read_bytes()


# -- for the person --------------------------------------------------------------------------------------


def test_subject_access_is_one_zip_whose_manifest_holds(place: Path, tmp_path: Path) -> None:
    policy = TOP / "policies" / "gdpr.yaml"
    words = (
        "export",
        "--user",
        "anna",
        "--subject-access",
        "--policy",
        policy,
        "--output",
        tmp_path / "a.zip",
    )
    assert run("--vault", place, *words).code == 0
    assert stat.S_IMODE((tmp_path / "a.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        inside = {name: archive.read(name) for name in archive.namelist()}
    said = inside.pop("manifest.json")
    with Vault.open(place, redactor=None) as vault:
        key = Verifier.parse(vault.log.public_key())
    signature = b64decode(inside.pop("manifest.json.sig"))
    assert key.signed(MANIFEST + said, signature)
    assert not key.signed(MANIFEST + said[:-1], signature)
    manifest = json.loads(said)
    assert set(inside) == {"index.html", "data.jsonl", "policies/gdpr.yaml"}
    assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
        name: sha256(text).hexdigest() for name, text in inside.items()
    }
    assert (manifest["sessions"], manifest["messages"]) == (2, 5)
    assert inside["policies/gdpr.yaml"] == policy.read_bytes()
    assert inside["index.html"].count(b"<article ") == 5
    assert b"ben" not in inside["data.jsonl"]


def test_subject_access_to_an_age_recipient_leaves_no_plain_text(place: Path, tmp_path: Path) -> None:
    pyrage = pytest.importorskip("pyrage", reason="the extra age is not installed")
    identity = pyrage.x25519.Identity.generate()
    words = ("export", "--user", "anna", "--subject-access", "--to", identity.to_public())
    assert run("--vault", place, *words, "--output", tmp_path / "a.zip.age").code == 0
    sealed = (tmp_path / "a.zip.age").read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1\n")
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [identity]))) as archive:
        assert b"w\xc3\xb6rld" in archive.read("data.jsonl")
    assert names_in(tmp_path) == {"v", "a.zip.age"}


def test_age_names_the_extra_where_it_is_missing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)  # as if it were not installed
    said = run("--vault", place, "export", "--user", "anna", "--to", "age1x")
    assert said.code == 2
    assert "pip install 'transcript-vault[age]'" in said.err


def test_p6_the_log_says_what_left_and_what_came_in_and_names_nobody(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.transcript("u-4711", "s-0815").append("user", "hello")
        vault.export("u-4711", to=tmp_path / "out.jsonl", purpose="request of u-4711", actor="officer")
        with pytest.raises(UnknownError):
            vault.export("nobody", to=tmp_path / "none.jsonl")
        vault.import_from(tmp_path / "out.jsonl", "jsonl", actor="officer")
        log = [one for one in vault.log.entries() if one.kind in {"export", "import"}]
        assert [(one.kind, one.step) for one in log] == [
            ("export", "intent"),
            ("export", "completed"),
            ("import", "intent"),
            ("import", "completed"),
        ]
        assert log[0].actor == "officer"
        assert "u-4711" not in repr(log)
        assert vault.log.verify().unfinished == 0


def test_p6_an_export_and_an_import_that_break_off_are_told_as_such(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "in.jsonl").write_text(
        '{"user_id": "ben", "session_id": "s", "role": "user", "content": "x"}\n'
    )
    with Vault.open(place, redactor=None) as vault:
        monkeypatch.setattr("vault.transfer.exporting.Exporter.write", breaks)
        monkeypatch.setattr("vault.transfer.importing._Import.run", breaks)
        with pytest.raises(KeyboardInterrupt):
            vault.export("anna", to=tmp_path / "out.jsonl")
        with pytest.raises(KeyboardInterrupt):
            vault.import_from(tmp_path / "in.jsonl", "jsonl")
        ends = [one for one in vault.log.entries() if one.kind in {"export", "import"}][1::2]
        assert [(one.kind, one.facts["ended"]) for one in ends] == [
            ("export", "interrupted"),
            ("import", "interrupted"),
        ]
        assert vault.log.verify().unfinished == 0
