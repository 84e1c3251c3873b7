"""`keys move`: at each instant vault.toml names every file that holds the root."""

import json
import tomllib
from pathlib import Path

import pytest
from commands import make, names_in, run

from vault import Vault
from vault.errors import RootUnavailableError
from vault.roots.file import FileRoot


@pytest.fixture
def where(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / name).mkdir(mode=0o700)
    return make(tmp_path / "v", anna=["hello"])


def uri(where: Path, *names: str) -> str:
    return "file:" + ",".join(str(where.parent / name / "root.key") for name in names)


def named(where: Path) -> str:
    root: str = tomllib.loads((where / "vault.toml").read_text())["root"]
    return root


def reads(where: Path) -> bool:
    return "hello" in run("--vault", where, "show", "anna", "s-1").out


def test_a_root_is_moved_to_two_places_and_is_gone_from_the_first(where: Path) -> None:
    words = ("--vault", where, "keys", "move", uri(where, "a", "b"))
    before = (where / "vault.toml").read_text()
    dry = run(*words, "--dry-run")
    assert dry.out == f"the root would lie at {uri(where, 'a', 'b')}\nwould remove 1 file: {where}/root.key\n"
    assert ((where / "vault.toml").read_text(), (where / "root.key").exists()) == (before, True)
    done = run(*words, "--json").json
    assert done == {"root": uri(where, "a", "b"), "removed": [f"{where}/root.key"]}
    assert named(where) == uri(where, "a", "b")
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert [
        line for line in (where / "vault.toml").read_text().splitlines() if line.startswith("#")
    ] == comments
    assert "root.key" not in names_in(where)
    assert (where.parent / "a/root.key").read_bytes() == (where.parent / "b/root.key").read_bytes()
    assert reads(where)
    told = [json.loads(line) for line in run("--vault", where, "log", "show", "--json").out.splitlines()]
    assert [(one["kind"], one["step"]) for one in told[-2:]] == [("move", "intent"), ("move", "completed")]
    assert run(*words).out == f"the root lies at {uri(where, 'a', 'b')}\n"


def test_a_mirror_is_added_and_the_first_file_stays(where: Path) -> None:
    assert run("--vault", where, "keys", "move", f"file:root.key,{where.parent}/a/root.key").code == 0
    assert named(where) == f"file:root.key,{where.parent}/a/root.key"
    assert (where / "root.key").read_bytes() == (where.parent / "a/root.key").read_bytes()


@pytest.mark.wide
def test_a_mirror_that_is_lost_for_good_is_given_up_or_written_anew(where: Path) -> None:
    assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 0
    lost = where.parent / "b/root.key"
    lost.unlink()
    refused = run("--vault", where, "forget-user", "anna", "--confirm", "anna", "--now")
    assert (refused.code, lost.exists()) == (4, False)
    assert "keys move" in refused.err
    assert reads(where)
    given_up = run("--vault", where, "keys", "move", uri(where, "a"))
    assert (given_up.code, given_up.out) == (0, f"the root lies at {uri(where, 'a')}\n")
    assert str(lost) in given_up.err
    assert named(where) == uri(where, "a")
    assert run("--vault", where, "keys", "rotate").code == 0
    assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 0
    lost.unlink()
    assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 0
    assert lost.read_bytes() == (where.parent / "a/root.key").read_bytes()
    assert reads(where)


@pytest.mark.wide
def test_a_mirror_is_given_up_while_an_erasure_waits_for_it(where: Path) -> None:
    """What is due can't be destroyed everywhere: it waits, and who asks for it is told."""
    assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 0
    assert run("--vault", where, "keys", "rotate").code == 0
    settings = (where / "vault.toml").read_text()
    (where / "vault.toml").write_text(settings.replace('horizon = "7d"', 'horizon = "0"'))
    (where.parent / "b/root.key").unlink()
    assert reads(where)
    for words in (("keys", "destroy-due"), ("daemon", "--once")):
        said = run("--vault", where, *words)
        assert said.code == 4
        assert str(where.parent / "b/root.key") in said.err
    assert run("--vault", where, "keys", "move", uri(where, "a")).code == 0
    assert run("--vault", where, "keys", "status", "--json").json["retired"] == []


def test_a_move_that_fails_gives_no_mirror_up(where: Path) -> None:
    assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 0
    (where.parent / "b").rename(where.parent / "unmounted")
    before = (where / "vault.toml").read_text()
    assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 4
    assert (where / "vault.toml").read_text() == before


def test_a_root_that_is_nowhere_is_not_moved(where: Path) -> None:
    (where / "root.key").unlink()
    before = (where / "vault.toml").read_text()
    assert run("--vault", where, "keys", "move", uri(where, "a")).code == 4
    assert (where / "vault.toml").read_text() == before


def test_a_place_that_can_not_be_written_changes_nothing(where: Path) -> None:
    before = (where / "vault.toml").read_text(), (where / "root.key").read_bytes()
    said = run("--vault", where, "keys", "move", uri(where, "nowhere"))
    assert said.code == 4
    assert ((where / "vault.toml").read_text(), (where / "root.key").read_bytes()) == before
    assert reads(where)


def test_the_root_of_another_vault_is_not_overwritten(where: Path) -> None:
    other = make(where.parent / "other")
    theirs = (other / "root.key").read_bytes()
    assert run("--vault", where, "keys", "move", uri(where, "other")).code == 2
    assert (other / "root.key").read_bytes() == theirs
    assert reads(where)


@pytest.mark.parametrize("step", ["spread", "remove_all"])
def test_p8_a_move_that_a_crash_broke_off_is_completed_by_saying_it_again(
    where: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_args: object) -> None:
        raise KeyboardInterrupt

    words = ("--vault", where, "keys", "move", uri(where, "a"))
    with monkeypatch.context() as patched:
        if step == "spread":
            patched.setattr(FileRoot, step, crash)
        else:
            patched.setattr(f"vault.roots.file.{step}", crash)
        assert run(*words).code == 130
    assert named(where).count("root.key") == 2
    assert reads(where)
    assert run(*words).code == 0
    assert named(where) == uri(where, "a")
    assert "root.key" not in names_in(where)
    assert reads(where)


def test_p8_who_changes_the_root_by_its_old_place_while_it_moves_leaves_nobody_out(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread = FileRoot.spread
    with Vault.open(where, redactor=None) as other:

        def meanwhile(root: FileRoot) -> None:
            spread(root)
            other.rotate(now=True)

        monkeypatch.setattr(FileRoot, "spread", meanwhile)
        assert run("--vault", where, "keys", "move", uri(where, "a", "b")).code == 0
        with pytest.raises(RootUnavailableError):
            other.rotate()
    assert "root.key" not in names_in(where)
    assert reads(where)


def test_a_copy_moves_nothing(where: Path, tmp_path: Path) -> None:
    there = tmp_path / "copy"
    there.mkdir(mode=0o700)
    for name in ("transcripts.db", "keyring.db"):
        (there / name).write_bytes((where / name).read_bytes())
    (there / "vault.toml").write_text(f"root = 'file:{where}/root.key'\n")
    assert run("--vault", there, "keys", "move", uri(where, "a")).code == 5
    assert reads(where)


def test_a_root_that_vault_toml_does_not_name_is_not_moved(where: Path) -> None:
    words = ("--vault", where, "keys", "move", uri(where, "a"))
    assert run(*words, TRANSCRIPT_VAULT_ROOT=f"file:{where}/root.key").code == 2
    assert run("--root", f"file:{where}/root.key", *words).code == 2
    assert run("--vault", where, "keys", "move", "awskms:key").code == 2
    assert reads(where)


@pytest.mark.wide
def test_a_passphrase_stays_when_its_root_moves(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "words").write_text("correct horse\n")
    option = f"?passphrase-file={tmp_path}/words"
    assert run("init", tmp_path / "v", "--root", f"file:{tmp_path}/v/root.key{option}").code == 0
    assert run("--vault", tmp_path / "v", "keys", "move", uri(tmp_path / "v", "a")).code == 0
    assert named(tmp_path / "v") == uri(tmp_path / "v", "a") + option
    assert run("--vault", tmp_path / "v", "sessions").code == 0
