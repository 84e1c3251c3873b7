"""Getting messages in: redacted, in order, once, whatever happens in between."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import contract
import pytest
from commands import TOP, make, names_in, run
from test_strings import files, search

from vault import Vault
from vault.errors import ConfigError, UsageError
from vault.transfer import importing
from vault.transfer.importing import StoppedError

home, vault, user = contract.home, contract.vault, contract.user

NAMES = ["Anna Keller", "Ben Smith", "Carla Gomez", "David Jones", "Emma Clark", "Frank Moore"]


def source(path: Path, count: int, *, seed: int = 1, sessions: int = 4) -> Path:
    """Make a table whose sessions are interleaved and whose people come again."""
    drawn = random.Random(seed)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS chat_messages"
            " (id INTEGER PRIMARY KEY, user_id, session_id, role, content, timestamp)"
        )
        for number in range(count):
            caller, called = drawn.choice(NAMES), drawn.choice(NAMES)
            text = f"{caller} asked {called} to call 020 7946 {drawn.randrange(40):04d}. Number {number}."
            at = f"2026-03-02 10:{number // 60 % 60:02d}:{number % 60:02d}"
            role = "user" if number % 3 else "assistant"
            row = (f"u-{number % sessions // 2}", f"s-{number % sessions}", role, text, at)
            connection.execute(
                "INSERT INTO chat_messages (user_id, session_id, role, content, timestamp)"
                " VALUES (?, ?, ?, ?, ?)",
                row,
            )
        connection.commit()
    return path


def lines(vault: Vault, path: Path) -> list[str]:
    vault.export(to=path)
    return path.read_text().splitlines()


# -- both faces, all databases ---------------------------------------------------------------------------


@pytest.mark.wide
def test_import_twice_adds_nothing_on_every_database_and_face(
    vault: Vault, user: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    said = [{"session_id": "s-1", "role": "user", "content": f"m {n}"} for n in range(30)]
    path.write_text("\n".join(map(json.dumps, said)))
    first = vault.import_from(path, "jsonl", user_id=user)
    again = vault.import_from(path, "jsonl", user_id=user)
    assert (first.added, first.known, again.added, again.known) == (30, 0, 0, 30)
    path.write_text("\n".join(map(json.dumps, [*said, {**said[0], "content": "more"}])))
    assert vault.import_from(path, "jsonl", user_id=user).added == 1
    messages = vault.transcript(user, "s-1").messages()
    assert [message.content for message in messages] == [*(f"m {n}" for n in range(30)), "more"]
    vault.export(user, to=tmp_path / "out.jsonl")
    assert vault.import_from(tmp_path / "out.jsonl", "jsonl").known == 31  # into where it came from


# -- redaction and workers -------------------------------------------------------------------------------


@pytest.mark.wide
def test_p1_what_is_imported_is_redacted_with_the_same_numbers_by_any_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = source(tmp_path / "c.db", 120)
    monkeypatch.setattr(importing, "BATCH", 16)
    found = []
    for workers in (1, 2):
        with Vault.open(tmp_path / f"v{workers}") as vault:
            done = vault.import_from(path, "chat-messages", workers=workers)
            found.append(lines(vault, tmp_path / f"{workers}.jsonl"))
        assert (done.added, done.skipped) == (120, 0)
        assert done.entities["PERSON"] > 100
    assert found[0] == found[1]
    whole = "\n".join(found[0])
    assert "<PERSON_1>" in whole
    assert not any(name in whole for name in NAMES)
    assert "7946" not in whole


def test_p1_no_name_in_a_session_is_confused_with_one_that_was_redacted_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    said = ["<PERSON_1> wrote to <PERSON_2>", "My name is Anna Keller"]
    path.write_text("\n".join(json.dumps({"role": "user", "content": text}) for text in said))
    with Vault.open(tmp_path / "v") as vault:
        vault.import_from(path, "jsonl", user_id="u-1", session_id="s-1")
        first, second = vault.transcript("u-1", "s-1").messages()
    assert first.content == said[0]
    assert second.content == "My name is <PERSON_3>"


def test_p1_nothing_of_a_source_lies_anywhere_unsealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = f"Zoe-{token_hex(8)}"
    (tmp_path / "source").mkdir()
    path = tmp_path / "source" / "in.jsonl"
    line = {"user_id": f"u-{word}", "session_id": f"s-{word}", "role": "user", "content": f"x {word}"}
    path.write_text("\n".join(json.dumps({**line, "timestamp": 1_772_442_845 + n}) for n in range(40)))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        assert vault.import_from(path, "jsonl", cursor=tmp_path / "cursor").added == 40
        path.unlink()
        assert search(files(tmp_path), {word}) == set()


# -- order, errors, limits -------------------------------------------------------------------------------


@pytest.mark.wide
def test_a_bad_line_stops_there_or_is_left_out_as_told(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    good = [json.dumps({"role": "user", "content": f"m {n}"}) for n in range(4)]
    bad = ['{"role": "king", "content": "secret"}', '{"role": "user", "content": "secret\\u0000"}', "secret"]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([good[0], good[1], *bad, good[2], good[3]]))
    words = ("--vault", where, "import", path, "--from", "jsonl", "--user", "u", "--session", "s")
    stopped = run(*words)
    assert stopped.code == 2
    assert stopped.err.startswith("error: line 3: this is not a role; 2 messages were added before it")
    skipped = run(*words, "--on-error", "skip")
    assert skipped.code == 0
    assert [line for line in skipped.err.splitlines() if line.startswith("left out")] == [
        "left out: line 3: this is not a role",
        "left out: line 4: text has a NUL character",
        "left out: line 5: it is no JSON",
    ]
    assert skipped.err.endswith(
        "the source and its backups still hold the plain text: erase them when all is here\n"
    )
    assert "secret" not in stopped.err + skipped.out + skipped.err
    with Vault.open(where, redactor=None) as vault:
        assert [one.content for one in vault.transcript("u", "s").messages()] == [f"m {n}" for n in range(4)]


@pytest.mark.wide
def test_p8_an_import_that_was_killed_is_simply_said_again(tmp_path: Path) -> None:
    path = source(tmp_path / "c.db", 60)
    killing = (
        "import os, signal, sys\n"
        "from vault import Vault\n"
        "from vault.chat.writing import Writer\n"
        "from vault.transfer import importing\n"
        "importing.BATCH = 8\n"
        "settle, count = Writer.settle, 0\n"
        "def settling(self, job):\n"
        "    global count\n"
        "    seqs = settle(self, job)\n"
        "    count += 1\n"
        "    if count == 10: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return seqs\n"
        "Writer.settle = settling\n"
        "with Vault.open(sys.argv[1], redactor=None) as vault:\n"
        "    vault.import_from(sys.argv[2], 'chat-messages', cursor=sys.argv[3])\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(TOP)}
    words: list[str | Path] = [sys.executable, "-c", killing, tmp_path / "v", path, tmp_path / "cursor"]
    assert subprocess.run(words, check=False, cwd=TOP, env=environ).returncode == -9
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        done = vault.import_from(path, "chat-messages", cursor=tmp_path / "cursor")
        assert 0 < done.added < 60
        assert done.known > 0  # what was durable before the cursor said so
        found = lines(vault, tmp_path / "1.jsonl")
    with Vault.open(tmp_path / "w", redactor=None) as vault:
        assert vault.import_from(path, "chat-messages").added == 60
        assert lines(vault, tmp_path / "2.jsonl") == found


@pytest.mark.wide
def test_a_cursor_skips_what_is_done_and_is_of_one_import(tmp_path: Path) -> None:
    path, cursor = source(tmp_path / "c.db", 20), tmp_path / "cursor"
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        assert vault.import_from(path, "chat-messages", cursor=cursor).added == 20
        source(path, 5, seed=2)
        again = vault.import_from(path, "chat-messages", cursor=cursor)
        assert (again.added, again.known) == (5, 0)
        with pytest.raises(ConfigError, match="another import"):
            vault.import_from(path, "chat-messages", cursor=cursor, user_id="u-1")
    assert "u-" not in cursor.read_text()


@pytest.mark.wide
def test_a_dry_run_counts_and_changes_nothing(tmp_path: Path) -> None:
    path = source(tmp_path / "c.db", 12)
    where = make(tmp_path / "v")
    before = run("--vault", where, "keys", "status").out
    said = run("--vault", where, "import", path, "--from", "chat-messages", "--dry-run")
    assert said.code == 0
    assert said.out.startswith("would add 12 messages\nwould replace\n")
    assert "PHONE_NUMBER\t12\n" in said.out
    assert "plain text" not in said.err
    assert run("--vault", where, "sessions").out == ""
    assert run("--vault", where, "keys", "status").out == before
    assert run("--vault", where, "import", path, "--from", "chat-messages").code == 0
    again = run("--vault", where, "import", path, "--from", "chat-messages", "--dry-run", "--json").json
    assert (again["added"], again["known"]) == (0, 12)


@pytest.mark.wide
def test_only_the_user_and_the_session_that_are_named(tmp_path: Path) -> None:
    path = source(tmp_path / "c.db", 12)
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        done = vault.import_from(path, "chat-messages", user_id="u-0", session_id="s-1")
        assert (done.added, done.others) == (3, 9)
        assert [one.session_id for one in vault.sessions("u-0")] == ["s-1"]
        (tmp_path / "l").write_text('{"role": "user", "content": "x", "session_id": "s"}')
        with pytest.raises(UsageError, match="names no users"):
            vault.import_from(tmp_path / "l", "jsonl")


def test_what_is_past_its_time_is_counted_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = source(tmp_path / "c.db", 12)
    monkeypatch.setattr(importing, "is_past", lambda _core, _namespace, message, _at: message.role == "user")
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        done = vault.import_from(path, "chat-messages")
        assert (done.added, done.past) == (4, 8)


@pytest.mark.wide
def test_p7_nothing_is_written_for_who_was_forgotten(tmp_path: Path) -> None:
    path = source(tmp_path / "c.db", 12)
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.import_from(path, "chat-messages")
        vault.forget_user("u-0")
        with pytest.raises(StoppedError, match="forgotten"):
            vault.import_from(path, "chat-messages")
        done = vault.import_from(path, "chat-messages", on_error="skip")
        assert (done.added, done.known, done.skipped) == (0, 6, 6)


def test_another_message_at_the_same_place_is_told_and_not_lost_silently(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    line = {"user_id": "u", "session_id": "s", "seq": 0, "role": "user", "created_at": "2026-03-02T10:00:00Z"}
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.transcript("u", "s").append("user", "here first")
        path.write_text(json.dumps({**line, "content": "from elsewhere"}))
        with pytest.raises(StoppedError, match="line 1: another message stands there"):
            vault.import_from(path, "jsonl")
        # Without seqs it follows what is there.
        del line["seq"]
        path.write_text(json.dumps({**line, "content": "from elsewhere"}))
        assert vault.import_from(path, "jsonl").added == 1
        assert len(vault.transcript("u", "s").messages()) == 2


@pytest.mark.wide
def test_what_was_popped_here_does_not_come_back(tmp_path: Path) -> None:
    path = source(tmp_path / "c.db", 8)
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.import_from(path, "chat-messages")
        vault.export("u-0", "s-0", to=tmp_path / "out.jsonl")
        vault.transcript("u-0", "s-0").pop()
        assert vault.import_from(path, "chat-messages").added == 0
        assert vault.import_from(tmp_path / "out.jsonl", "jsonl").added == 0
        assert len(vault.transcript("u-0", "s-0").messages()) == 1


@pytest.mark.wide
def test_two_imports_at_once_add_each_message_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = source(tmp_path / "c.db", 80)
    with Vault.open(tmp_path / "v", redactor=None) as vault, ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: vault.import_from(path, "chat-messages"), range(2)))
        assert sum(one.added for one in done) == 80
        assert sum(one.known for one in done) == 80
        assert sum(one.messages for who in vault.users() for one in vault.sessions(who)) == 80
    assert names_in(tmp_path) == {"c.db", "v"}


@pytest.mark.parametrize("is_known", [True, False])
def test_p6_who_imports_their_own_messages_is_not_named_in_the_log(tmp_path: Path, *, is_known: bool) -> None:
    (tmp_path / "one.jsonl").write_text('{"role": "user", "content": "hello"}\n')
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        if is_known:
            vault.transcript("bea-4711", "before").append("user", "hello")
        vault.import_from(
            tmp_path / "one.jsonl",
            "jsonl",
            user_id="bea-4711",
            session_id="s-0815",
            actor="Bea-4711, of s-0815",
        )
        vault.forget_user("bea-4711", actor="bea-4711")
        told = [one for one in vault.log.entries() if one.kind == "import"]
        assert len(told) == 2
        every = repr(list(vault.log.entries())).lower()
        assert "bea-4711" not in every
        assert "s-0815" not in every
