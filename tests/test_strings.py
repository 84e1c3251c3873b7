"""P1: `strings` over everything that a vault has written finds no content, no user id and no session id."""

from __future__ import annotations

import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import pytest
from databases import Databases, connected
from faces import Home
from sqlalchemy import insert, update

from vault import Message, Vault
from vault.errors import HeldError, InputError
from vault.storage import schema

# -- the search ------------------------------------------------------------------------------------------


def forms(word: str) -> dict[str, bytes]:
    """Give the ways in which a word might lie somewhere unsealed."""
    plain = word.encode()
    found = {
        "UTF-8": plain,
        "UTF-16-LE": word.encode("utf-16-le"),
        "UTF-16-BE": word.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
    }
    for shift in range(3):  # where the word stands within the text that was encoded
        start, end = -(-shift * 4 // 3), (shift + len(plain)) // 3 * 4
        for name, encode in (("base64", b64encode), ("urlsafe base64", urlsafe_b64encode)):
            found[f"{name} at {shift}"] = encode(bytes(shift) + plain)[start:end]
    return found


def search(places: Mapping[str, bytes], words: set[str]) -> set[tuple[str, str, str]]:
    """Give every place, word and form that is found."""
    return {
        (place, word, form)
        for word in words
        for form, needle in forms(word).items()
        for place, there in places.items()
        if needle in there
    }


def files(directory: Path) -> dict[str, bytes]:
    """Read every byte of every file."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def rows(databases: Databases) -> dict[str, bytes]:
    """Read every cell of every row of both databases."""

    def cells(url: str) -> Iterator[bytes]:
        for table in databases.dump(url).values():
            for row in table:
                for cell in row:
                    yield cell if isinstance(cell, bytes) else str(cell).encode()

    return {label: b"\n".join(cells(getattr(databases, label))) for label in ("transcripts", "keyring")}


@pytest.mark.parametrize("form", forms("x"))
def test_the_search_finds_a_word_in_each_of_its_forms(form: str, tmp_path: Path) -> None:
    word = f"word-{token_hex(6)}"
    for number in range(3):
        text = f"{'.' * number}{word}{'.' * number}"
        whole = {
            "UTF-8": text.encode(),
            "UTF-16-LE": text.encode("utf-16-le"),
            "UTF-16-BE": text.encode("utf-16-be"),
            "hex": text.encode().hex().encode(),
            "HEX": text.encode().hex().upper().encode(),
        }.get(form) or (urlsafe_b64encode if form.startswith("urlsafe") else b64encode)(text.encode())
        (tmp_path / f"{number}.db-wal").write_bytes(bytes(5000) + whole + bytes(5000))
    found = search(files(tmp_path), {word})
    assert form in {its_form for _, _, its_form in found}


# -- the run ---------------------------------------------------------------------------------------------


@dataclass
class Words:
    """Words that are nowhere else, by what they were said as."""

    said: dict[str, str] = field(default_factory=dict)

    def new(self, what: str) -> str:
        self.said[what] = f"Zoë-{len(self.said)}-{token_hex(8)}"
        return self.said[what]

    def all(self) -> set[str]:
        return set(self.said.values())


def live(vault: Vault, words: Words) -> dict[str, str]:
    """Say, pop, clear, delete and forget all kinds of things; give the ids that stay."""
    new = words.new
    kept = {"user": new("a user who stays"), "session": new("a session that stays")}
    chat = vault.transcript(kept["user"], kept["session"], namespace="support/eu")
    chat.append("system", new("an instruction"))
    chat.append("user", new("a text"), metadata={new("a key of metadata"): new("metadata")}, key=new("a key"))
    chat.append("user", "Where is it? " * 100 + new("a compressed text"))
    chat.append("user", [{"type": "image", "data": new("a picture").encode()}])
    call = {"id": new("an id of a call"), "function": {"name": new("a tool"), "arguments": new("arguments")}}
    chat.append({"role": "assistant", "content": None, "tool_calls": [call], "name": new("a name")})
    chat.extend(
        [Message("tool", {new("a field"): new("a result")}) for _ in range(20)], key=new("another key")
    )
    chat.append("user", new("a popped text"))
    chat.pop()
    for name, end in (("cleared", "clear"), ("deleted", "delete")):
        other = vault.transcript(kept["user"], new(f"a session that is {name}"))
        other.append("user", new(f"a text that is {name}"))
        getattr(other, end)()
    forgotten = new("a session that is forgotten")
    vault.transcript(kept["user"], forgotten).append("user", new("a text of a forgotten session"))
    vault.forget_session(kept["user"], forgotten, reason="request 881", actor="office")
    held = new("a user who is held")
    chat = vault.transcript(held, new("a session that is held"))
    chat.extend([Message("user", new("a text that is held")), Message("user", new("a text that is hidden"))])
    placed = vault.hold(held, chat.session_id, reason="case 7", actor="office")
    vault.hold(held, reason="case 8", actor="office")
    chat.pop()
    chat.clear()
    vault.forget_user(held, reason="request 883", when_released=True)
    vault.release(placed.id, reason="closed", actor="office")
    vault.carry_out_due()
    with pytest.raises(HeldError) as refused:
        vault.forget_user(held)
    assert not [word for word in words.all() if word in f"{refused.value} {refused.value.hint}"]
    for now in (True, False):
        user = new(f"a user who is forgotten, now={now}")
        vault.transcript(user, new(f"their session, now={now}")).append("user", new(f"their text, now={now}"))
        vault.forget_user(user, reason="request 882", actor="office", now=now)
    vault.enroll(user)
    vault.transcript(user, new("a session after enrolling")).append("user", new("a text after enrolling"))
    vault.enroll(new("a user who has said nothing"))
    with pytest.raises(InputError):
        chat.append("user", [(new("a refused text"),)])
    return kept


@pytest.mark.wide
def test_p1_no_file_of_a_vault_holds_a_word_that_was_said_in_it(tmp_path: Path) -> None:
    directory, words = tmp_path / "vault", Words()
    with Vault.open(directory, redactor=None) as vault:
        kept = live(vault, words)
        while_open = files(directory)
        assert search(while_open, words.all()) == set()
    after = files(directory)
    assert search(after, words.all()) == set()

    # What was searched is all there is: both databases with their logs, the root and the settings.
    assert {
        "transcripts.db",
        "transcripts.db-wal",
        "keyring.db",
        "keyring.db-wal",
        "root.key",
        "vault.toml",
    } <= (while_open.keys())
    assert len(while_open["transcripts.db-wal"]) > 10_000
    assert search(after, {"support/eu"}) >= {("transcripts.db", "support/eu", "UTF-8")}
    with Vault.open(directory, redactor=None) as vault:
        said = str(vault.transcript(kept["user"], kept["session"]).messages())
    assert words.said["a text"] in said
    assert words.said["a popped text"] not in said


@pytest.mark.wide
def test_p1_no_row_of_a_database_holds_a_word_that_was_said_in_it(
    database: Databases, tmp_path: Path
) -> None:
    words = Words()
    with Home(database, tmp_path / "root.key", None).open() as vault:
        live(vault, words)
    found = rows(database)
    assert search(found | files(tmp_path), words.all()) == set()
    assert len(found["transcripts"]) > 2000
    assert search(found, {"request 881", "case 7"}) == {
        ("keyring", "request 881", "UTF-8"),
        ("keyring", "case 7", "UTF-8"),
    }

    # The same search finds a plain text in a row, as a rival stores it.
    word = words.said["a text"]
    with connected(database.transcripts) as connection:
        connection.execute(update(schema.messages).values(body=f"xx{word}xx".encode()))
        connection.execute(insert(schema.classes).values(name=word))
    with connected(database.keyring) as connection:
        connection.execute(update(schema.keyring_meta).values(value=b64encode(f"x{word}".encode())))
    assert {(place, form) for place, _, form in search(rows(database), words.all())} >= {
        ("transcripts", "UTF-8"),
        ("keyring", "base64 at 1"),
    }


def test_the_same_search_finds_a_deleted_row_and_one_that_is_only_in_the_log(tmp_path: Path) -> None:
    deleted, logged = token_hex(12), token_hex(12)
    with closing(sqlite3.connect(tmp_path / "plain.db", isolation_level=None)) as plain:
        plain.execute("PRAGMA secure_delete=OFF")
        plain.execute("CREATE TABLE chat_messages (content TEXT)")
        plain.execute("INSERT INTO chat_messages VALUES (?)", (deleted,))
        plain.execute("DELETE FROM chat_messages")
        plain.execute("PRAGMA journal_mode=WAL")
        plain.execute("INSERT INTO chat_messages VALUES (?)", (logged,))
        assert search(files(tmp_path), {deleted, logged}) >= {
            ("plain.db", deleted, "UTF-8"),
            ("plain.db-wal", logged, "UTF-8"),
        }
