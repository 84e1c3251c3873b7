"""`backup` and `restore`: what is asked first, what is told after. What they do is tested in test_backup*."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import make, names_in, on_terminal, run

from vault import Vault


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return make(tmp_path / "v", anna=["a", "b"], ben=["c"])


@pytest.fixture
def backup(where: Path, tmp_path: Path) -> Path:
    assert run("--vault", where, "backup", tmp_path / "b").code == 0
    return tmp_path / "b"


def sessions(where: Path) -> str:
    return run("--vault", where, "sessions").out


def status(where: Path) -> dict[str, Any]:
    found: dict[str, Any] = run("--vault", where, "keys", "status", "--json").json
    return found


@pytest.mark.wide
def test_backup_leaves_the_root_out_and_says_so(where: Path, tmp_path: Path) -> None:
    said = run("--vault", where, "backup", tmp_path / "b")
    assert said.out == (
        f"a backup is in {tmp_path}/b: 2 users, 2 sessions, 3 messages\n"
        "It opens only with the root, which is not in it.\n"
    )
    assert names_in(tmp_path / "b") == {"transcripts.db", "keyring.db", "manifest.json"}
    manifest = run("--vault", where, "backup", tmp_path / "b2", "--json").json
    assert manifest["vault"] == status(where)["vault"]
    assert manifest["transcripts"]["rows"]["messages"] == 3


@pytest.mark.wide
def test_backup_overwrites_nothing(where: Path, backup: Path) -> None:
    before = (backup / "manifest.json").read_bytes()
    assert run("--vault", where, "backup", backup).code == 2
    assert (backup / "manifest.json").read_bytes() == before


@pytest.mark.wide
def test_a_drill_reads_and_changes_nothing(where: Path, backup: Path) -> None:
    run("--vault", where, "forget-user", "ben", "--confirm", "ben")
    before = (where / "root.key").read_bytes()
    said = run("--vault", where, "restore", backup, "--drill")
    assert said.code == 0, said
    assert "read          1 session, 2 messages\n" in said.out
    assert "keyring       restorable until 2" in said.out
    told = run("--vault", where, "restore", backup, "--drill", "--json").json
    assert (told["users"], told["messages_read"], told["within_horizon"]) == (1, 2, True)
    assert (where / "root.key").read_bytes() == before
    assert status(where)["is_home"]


@pytest.mark.wide
def test_a_drill_needs_no_more_than_the_root(
    where: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--root", f"file:{where}/root.key", "restore", backup, "--drill").code == 0
    assert run("restore", backup, "--drill").code == 2


@pytest.mark.wide
def test_what_holds_something_is_not_replaced_unasked(where: Path, backup: Path) -> None:
    said = run("--vault", where, "restore", backup)
    assert (said.code, said.out) == (5, "")
    assert "both databases hold this vault already; nothing was restored" in said.err


@pytest.mark.wide
def test_replacing_wants_the_name_of_the_vault(where: Path, backup: Path) -> None:
    with Vault.open(where, redactor=None) as vault:
        vault.transcript("cleo", "s-1").append("user", "later")
    words = ("--vault", where, "restore", backup, "--replace", "transcripts")
    unasked = run(*words)
    assert unasked.code == 2
    assert "hint: name what goes: --confirm v " in unasked.err
    assert run(*words, "--confirm", "w").code == 2
    dry = run(*words, "--dry-run")
    assert dry.out.startswith("would restore v: replace transcripts, keep keyring\nfrom a backup of 2")
    assert dry.out.endswith(": 2 users, 2 sessions, 3 messages\n")
    assert "cleo" in sessions(where)

    done = run(*words, "--confirm", "v")
    assert done.code == 0, done
    assert done.out.startswith("restored transcripts from a backup of 2")
    assert "now here" in done.out
    assert run("--vault", where, "show", "anna", "s-1").out.count("#") == 2
    assert run("--vault", where, "doctor").code == 0


@pytest.mark.wide
def test_on_a_terminal_restore_asks_for_the_name(where: Path, backup: Path) -> None:
    words = ("--vault", where, "restore", backup, "--replace", "keyring", "--replace", "transcripts")
    refused = on_terminal(*words, typed="y\n")
    assert refused.code == 2
    asked = "restoring v: replace transcripts, replace keyring; its keyring takes over the\n  root\n"
    assert asked in refused.out
    done = on_terminal(*words, typed="v\n")
    assert done.code == 0
    assert sessions(where) == "anna\t1\t2\nben\t1\t1\n"


@pytest.mark.wide
def test_a_keyring_that_takes_over_the_root_elsewhere_wants_the_name(
    where: Path, backup: Path, tmp_path: Path
) -> None:
    words = ("--vault", tmp_path / "new", "--root", f"file:{where}/root.key", "restore", backup)
    assert run(*words).code == 2
    plan = run(*words, "--dry-run", "--json").json
    assert (plan["transcripts"], plan["keyring"], plan["name"]) == ("fill", "fill", "new")
    assert not (tmp_path / "new").exists()
    assert status(where)["is_home"]

    done = run(*words, "--confirm", "new", "--json")
    assert done.code == 0, done
    assert done.json["filled"] == ["transcripts", "keyring"]
    assert sessions(tmp_path / "new") == "anna\t1\t2\nben\t1\t1\n"
    assert (status(tmp_path / "new")["is_home"], status(where)["is_home"]) == (True, False)


@pytest.mark.wide
def test_filling_lost_transcripts_under_the_present_keyring_wants_no_name(where: Path, backup: Path) -> None:
    run("--vault", where, "forget-user", "ben", "--confirm", "ben")
    (where / "transcripts.db").unlink()
    plan = run("--vault", where, "restore", backup, "--dry-run", "--json").json
    assert (plan["transcripts"], plan["keyring"]) == ("fill", "keep")
    assert not (where / "transcripts.db").exists()
    assert run("--vault", where, "restore", backup).code == 0
    assert sessions(where) == "anna\t1\t2\n"


@pytest.mark.wide
def test_an_interrupted_restore_is_seen_and_repeated(
    where: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_words: object, **_options: object) -> None:
        raise KeyboardInterrupt

    words = ("--vault", where, "restore", backup, "--replace", "transcripts", "--confirm", "v")
    with monkeypatch.context() as patched:
        patched.setattr("vault.transfer.restore._bring_up", crash)
        assert run(*words).code == 130
    assert run("--vault", where, "sessions").code == 4
    seen = run("--vault", where, "doctor")
    assert seen.code == 4
    assert "FAILED   restore      the restore of the transcripts database was interrupted" in seen.out
    told = f"do:  vault --vault {where} restore /BACKUP --confirm v\n"
    assert told in seen.out
    assert run("--vault", where, "restore", backup, "--confirm", "v").code == 0
    assert run("--vault", where, "doctor").code == 0


@pytest.mark.wide
@pytest.mark.parametrize(
    "words", [[], ["--drill"], ["--dry-run"], ["--replace", "transcripts", "--confirm", "v"]]
)
def test_what_is_no_backup_is_a_usage_error(where: Path, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "nowhere", where / "root.key"):
        said = run("--vault", where, "restore", place, *words)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("error: this is no backup")


@pytest.mark.wide
def test_a_backup_that_was_edited_is_an_integrity_error(where: Path, backup: Path) -> None:
    with (backup / "transcripts.db").open("ab") as file:
        file.write(b"x")
    for words in (["--drill"], ["--replace", "transcripts", "--confirm", "v"]):
        assert run("--vault", where, "restore", backup, *words).code == 3
    (backup / "manifest.json").write_text("{")
    assert run("--vault", where, "restore", backup, "--drill").code == 3


@pytest.mark.wide
def test_a_backup_with_the_root_of_another_vault_is_unavailable(
    where: Path, backup: Path, tmp_path: Path
) -> None:
    other = make(tmp_path / "other")
    assert run("--vault", other, "restore", backup, "--drill").code == 4
    shutil.move(where / "root.key", tmp_path / "root.key")
    assert run("--vault", where, "restore", backup, "--drill").code == 4
    assert run("--vault", where, "restore", backup, "--replace", "keyring", "--confirm", "v").code == 4


def test_only_stores_can_be_replaced(where: Path, backup: Path) -> None:
    assert run("--vault", where, "restore", backup, "--replace", "root").code == 2


@pytest.mark.wide
def test_p7_what_a_younger_keyring_has_beyond_older_transcripts_is_told_with_what_mends_it(
    where: Path, backup: Path, tmp_path: Path
) -> None:
    with Vault.open(where, redactor=None) as vault:
        vault.transcript("carl", "s-1").append("user", "d")
    later = tmp_path / "later"
    assert run("--vault", where, "backup", later).code == 0
    both = ("--replace", "transcripts", "--replace", "keyring")
    words = ("--vault", where, "restore")
    assert run(*words, backup, *both, "--confirm", "v").err == ""
    told = run(*words, later, "--replace", "keyring", "--confirm", "v")
    assert "warning: of users and sessions whose keys are here 2 have no rows" in told.err
    assert "restore the transcripts again" in told.err
    again = run(*words, backup, "--replace", "transcripts", "--confirm", "v")
    assert again.err == ""
    with Vault.open(where, redactor=None) as vault:
        assert vault.transcript("carl", "s-1").messages() == []
        vault.transcript("carl", "s-1").append("user", "e")
