"""What comes a second time is known again; what is another message is never taken for it, nor passed over."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import make, run

from vault import Message, Vault
from vault.crypto.envelope import random_key
from vault.transfer import importing
from vault.transfer.filling import Filler, Group, Piece, Tally, marks
from vault.transfer.importing import StoppedError

AT = "2026-03-02T10:00:00Z"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        yield vault


def written(path: Path, *texts: str, **more: Any) -> Path:
    line = {"user_id": "u", "session_id": "s", "role": "user", **more}
    path.write_text("".join(json.dumps({**line, "content": text}) + "\n" for text in texts))
    return path


def said(vault: Vault, user: str = "u", session: str = "s") -> list[Any]:
    return [one.content for one in vault.transcript(user, session).messages()]


# -- a cursor -------------------------------------------------------------------------------------------


def rows(path: Path, *texts: str, without: int = 0) -> Path:
    """Take the first rows out of a table, and add others."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS chat_messages"
            " (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id, session_id, role, content)"
        )
        connection.execute(
            "DELETE FROM chat_messages WHERE id IN (SELECT id FROM chat_messages ORDER BY id LIMIT ?)",
            (without,),
        )
        connection.executemany(
            "INSERT INTO chat_messages (user_id, session_id, role, content) VALUES ('u', 's', 'user', ?)",
            [(text,) for text in texts],
        )
        connection.commit()
    return path


@pytest.mark.parametrize("less", [1, 2, 4])
def test_a_cursor_passes_nothing_over_where_the_source_lost_what_it_had_passed(
    vault: Vault, tmp_path: Path, less: int
) -> None:
    path, cursor = rows(tmp_path / "c.db", "one", "two", "three", "four"), tmp_path / "cursor"
    assert vault.import_from(path, "chat-messages", cursor=cursor).added == 4
    rows(path, "five", "six", without=less)
    done = vault.import_from(path, "chat-messages", cursor=cursor)
    assert (done.added, done.known, done.anew) == (2, 4 - less, True)
    assert said(vault) == ["one", "two", "three", "four", "five", "six"]
    rows(path, "seven")
    done = vault.import_from(path, "chat-messages", cursor=cursor)
    assert (done.added, done.known, done.anew) == (1, 0, False)


@pytest.mark.wide
def test_a_cursor_begins_anew_in_the_next_days_file_of_the_same_name(tmp_path: Path) -> None:
    where = make(tmp_path / "v")
    words = ("import", tmp_path / "day.jsonl", "--from", "jsonl", "--cursor", tmp_path / "cursor")
    written(tmp_path / "day.jsonl", "monday", "and more")
    first = run("--vault", where, *words)
    assert (first.code, "looked at again" in first.err) == (0, False)
    written(tmp_path / "day.jsonl", "tuesday", "and some", "and more", session_id="t")
    second = run("--vault", where, *words)
    assert (second.code, second.out.splitlines()[0]) == (0, "added 3 messages")
    assert "the source is not what the cursor has passed" in second.err
    assert run("--vault", where, *words, "--json").json["anew"] is False


def test_a_cursor_notices_that_what_it_passed_was_rewritten(vault: Vault, tmp_path: Path) -> None:
    path, cursor = tmp_path / "in.jsonl", tmp_path / "cursor"
    assert vault.import_from(written(path, "abc", "def"), "jsonl", cursor=cursor).added == 2
    done = vault.import_from(written(path, "abc", "xyz", created_at=AT), "jsonl", cursor=cursor)
    assert (done.added, done.anew) == (2, True)


def test_a_cursor_stays_where_it_is_while_nothing_comes(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    path, cursor = written(tmp_path / "in.jsonl", "1", "2", "3", "4"), tmp_path / "cursor"
    vault.import_from(path, "jsonl", cursor=cursor)
    stood = cursor.read_bytes()
    assert json.loads(stood)["done"] == 4
    for _ in range(2):
        done = vault.import_from(path, "jsonl", cursor=cursor)
        assert (done.added, done.known, done.anew) == (0, 0, False)
        assert cursor.read_bytes() == stood


@pytest.mark.wide
def test_p1_a_cursor_says_nothing_of_what_it_passed_without_the_keyring(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", "020 7946 0018")
    passed = []
    for name in ("v", "w"):
        with Vault.open(tmp_path / name, redactor=None) as vault:
            vault.import_from(path, "jsonl", cursor=tmp_path / f"{name}.cursor")
        passed.append(json.loads((tmp_path / f"{name}.cursor").read_bytes())["passed"])
    assert passed[0] != passed[1]  # under a key of each vault's own


# -- marks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"created_at": AT}], ids=["no times", "one time"])
def test_files_that_say_something_else_at_the_same_length_are_both_taken(
    vault: Vault, tmp_path: Path, more: dict[str, str]
) -> None:
    for text in ("yes", "not"):
        path = written(tmp_path / f"{text}.jsonl", text, **more)
        assert vault.import_from(path, "jsonl").added == 1
        again = vault.import_from(path, "jsonl")
        assert (again.added, again.known) == (0, 1)
    assert said(vault) == ["yes", "not"]


def test_a_row_that_was_rewritten_at_the_same_length_is_another_message(vault: Vault, tmp_path: Path) -> None:
    path = rows(tmp_path / "c.db", "yes")
    assert vault.import_from(path, "chat-messages").added == 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE chat_messages SET content = 'not'")
        connection.commit()
    assert vault.import_from(path, "chat-messages").added == 1
    assert said(vault) == ["yes", "not"]


def test_what_has_a_time_is_known_again_whatever_stands_before_it(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    assert vault.import_from(written(path, "one", "ok", "ok", created_at=AT), "jsonl").added == 3
    done = vault.import_from(written(path, "ok", "ok", "two", created_at=AT), "jsonl")
    assert (done.added, done.known) == (1, 2)
    assert said(vault) == ["one", "ok", "ok", "two"]


def test_the_same_at_the_same_time_between_others_is_one_message(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    line = {"user_id": "u", "session_id": "s", "role": "user"}
    times = [("ok", AT), ("later", "2026-03-02T10:00:01Z"), ("ok", AT)]
    path.write_text("\n".join(json.dumps({**line, "content": text, "created_at": at}) for text, at in times))
    for counts in ((2, 1), (0, 3)):
        done = vault.import_from(path, "jsonl")
        assert (done.added, done.known) == counts


def test_a_name_in_two_unicode_forms_is_one_user_and_none_of_what_they_say_is_lost(
    vault: Vault, tmp_path: Path
) -> None:
    composed, apart = (unicodedata.normalize(form, "\u00e9") for form in ("NFC", "NFD"))
    said_by = [(composed, apart, "1"), (apart, composed, "2"), (composed, composed, "3"), (apart, apart, "1")]
    path = tmp_path / "in.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"user_id": user, "session_id": session, "role": "user", "content": text})
            for user, session, text in said_by
        )
    )
    done = vault.import_from(path, "jsonl", user_id=apart)
    assert (done.added, done.known, done.others) == (4, 0, 0)
    assert said(vault, composed, apart) == ["1", "2", "3", "1"]
    assert vault.import_from(path, "jsonl").known == 4


def test_p3_what_an_import_is_known_by_dies_with_its_session(vault: Vault) -> None:
    """Under the user's keys alone, which live on, nobody can try what was said in a session that is gone."""
    vault.transcript("u", "s").append("user", "hello")
    session = vault._core.sessions.find("u", "s")
    assert session is not None
    pieces = [Piece("line 1", Message("user", "020 7946 0018"), b"a hash")]
    assert marks(session, pieces) == marks(session, pieces)
    assert marks(session, pieces) != marks(replace(session, key=random_key()), pieces)


# -- exports --------------------------------------------------------------------------------------------


@pytest.fixture
def halves(vault: Vault, tmp_path: Path) -> tuple[Path, Path]:
    """Split an export of six messages, of which one was popped."""
    chat = vault.transcript("u", "s")
    for text in ("1", "2", "popped"):
        chat.append("user", text)
    chat.pop()
    for text in ("4", "5", "6"):
        chat.append("user", text)
    vault.export("u", to=tmp_path / "all.jsonl")
    lines = (tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b"".join(lines[:3]))
    second.write_bytes(b"".join(lines[3:]))
    return first, second


@pytest.mark.wide
def test_the_parts_of_an_export_are_imported_in_their_order(
    tmp_path: Path, halves: tuple[Path, Path]
) -> None:
    with Vault.open(tmp_path / "w", redactor=None) as other:
        for _ in range(2):
            for half in halves:
                other.import_from(half, "jsonl")
        assert said(other) == ["1", "2", "4", "5", "6"]
        other.export("u", to=tmp_path / "again.jsonl")
        assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()
        other.transcript("u", "s").pop()
        done = other.import_from(tmp_path / "all.jsonl", "jsonl")
        assert (done.added, done.known) == (0, 5)  # what was popped here stays so


@pytest.mark.wide
def test_an_earlier_part_of_an_export_that_comes_late_is_refused_and_not_taken_for_known(
    tmp_path: Path, halves: tuple[Path, Path]
) -> None:
    first, second = halves
    with Vault.open(tmp_path / "w", redactor=None) as other:
        assert other.import_from(second, "jsonl").added == 2
        with pytest.raises(StoppedError, match="line 1: what follows it was imported before it"):
            other.import_from(first, "jsonl")
        done = other.import_from(tmp_path / "all.jsonl", "jsonl", on_error="skip")
        assert (done.added, done.known, done.skipped) == (0, 2, 3)
        assert said(other) == ["5", "6"]  # and no gap in them counts as a theft
        other.transcript("u", "s").delete()
        assert other.import_from(tmp_path / "all.jsonl", "jsonl").added == 5


@pytest.mark.wide
def test_two_imports_of_one_export_at_once_add_each_message_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    path = tmp_path / "out.jsonl"
    with Vault.open(tmp_path / "source", redactor=None) as source:
        source.transcript("u", "s").extend([{"role": "user", "content": f"{one}"} for one in range(6)])
        source.export(to=path)
    with (
        Vault.open(tmp_path / "v", redactor=None) as vault,
        Vault.open(tmp_path / "v", redactor=None) as other,
    ):
        really_add = Filler.add

        def add(filler: Filler, groups: Sequence[Group]) -> Tally:
            """Let the other one come first, when this one has looked through what comes next, too."""
            monkeypatch.setattr(Filler, "add", really_add)
            assert other.import_from(path, "jsonl").added == 6
            return filler.add(groups)

        monkeypatch.setattr(Filler, "add", add)
        done = vault.import_from(path, "jsonl")
        assert (done.added, done.known, done.problems) == (0, 6, [])
        assert said(vault) == ["0", "1", "2", "3", "4", "5"]
