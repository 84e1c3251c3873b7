"""`demo`: it really tries, and it notices when a step does not show what it claims."""

import re
from pathlib import Path

import pytest
from commands import on_terminal, run, spawn

from vault.cli.thief import Thief
from vault.crypto.envelope import Cipher
from vault.crypto.tree import Node, Opened


@pytest.mark.wide
def test_the_demo_shows_what_it_claims(tmp_path: Path) -> None:
    said = spawn("demo", TMPDIR=str(tmp_path))
    assert (said.code, said.err) == (0, "")
    assert [int(number) for number in re.findall(r"^ ?(\d+)  ", said.out, re.MULTILINE)] == list(range(1, 12))
    assert re.search(r"in [\d,]+ bytes of 7 files: 0\n", said.out)
    assert re.search(r"opens (1\d) of \1 keys, 3 of 3 messages\n", said.out)
    assert re.search(r"with 1 root key: 0 of 1\d keys open, 0 of 3 messages\n", said.out)
    assert "ok  KeyringOutdatedError: " in said.out
    assert all(len(line) <= 100 for line in said.out.splitlines() if str(tmp_path) not in line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.wide
def test_the_demo_works_on_a_terminal_and_leaves_what_it_made(tmp_path: Path) -> None:
    said = on_terminal("demo", "--keep", TMPDIR=str(tmp_path))
    assert said.code == 0
    [left] = tmp_path.iterdir()
    assert f"left in {left}" in " ".join(said.out.split())  # a long path has a line of its own
    assert {"vault", "backup", "restored", "elsewhere"} == {path.name for path in left.iterdir()}


@pytest.mark.wide
def test_the_demo_touches_no_vault_that_a_variable_names(tmp_path: Path) -> None:
    named = {
        f"TRANSCRIPT_VAULT_{name}": f"{tmp_path}/{name}"
        for name in ("VAULT", "TRANSCRIPTS", "KEYRING", "ROOT")
    }
    assert run("demo", **named).code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.wide
def test_the_demo_fails_where_the_backup_still_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thief keeps a copy of the root that it saw in an earlier step."""
    first: list[Opened] = []
    make = Thief.__init__

    def make_with_old_keys(thief: Thief, root: Path) -> None:
        make(thief, root)
        first.extend(thief._keys[: 1 - len(first)])
        thief._keys += first

    monkeypatch.setattr(Thief, "__init__", make_with_old_keys)
    said = run("demo")
    assert said.code == 1
    assert re.search(r"NOT SHOWN  with 1 root key: (1\d) of \1 keys open, 3 of 3 messages\n", said.out)
    assert said.err == "error: a step did not show what it claims\n"


@pytest.mark.wide
def test_the_demo_fails_where_the_thief_opens_nothing_even_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_thief: Thief, _node: Node) -> None:
        return None

    monkeypatch.setattr(Thief, "_try", fail)
    said = run("demo")
    assert said.code == 1
    assert "NOT SHOWN  today whoever has it, and the root, opens 0 of 1" in said.out


@pytest.mark.wide
def test_the_demo_fails_where_the_database_holds_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave_plain(_cipher: Cipher, plain: bytes, _aad: bytes) -> bytes:
        return b"\1\1" + bytes(12) + plain + bytes(16)

    def take_plain(_cipher: Cipher, sealed: bytes, _aad: bytes) -> bytes:
        return sealed[14:-16]

    monkeypatch.setattr(Cipher, "seal", leave_plain)
    monkeypatch.setattr(Cipher, "open", take_plain)
    said = run("demo")
    assert said.code == 1
    assert re.search(r"NOT SHOWN  words and names of the chat in [\d,]+ bytes of 7 files: [1-9]", said.out)
