"""A mirror of the root whose disk is away: nothing is erased, and what comes back is made the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from attacker import root_keys
from commands import run
from faces import DAY, TickingClock

from vault import Vault
from vault.daemon.duties import erasing
from vault.errors import KeyringOutdatedError, RootUnavailableError, VaultError


@pytest.fixture
def disks(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir(mode=0o700)
    return tmp_path / "a", tmp_path / "b"


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def vault(tmp_path: Path, disks: tuple[Path, Path], clock: TickingClock) -> Vault:
    uri = "file:" + ",".join(f"{disk}/root.key" for disk in disks)
    vault = Vault.open(tmp_path / "v", root=uri, redactor=None, clock=clock)
    for user in ("anna", "ben"):
        vault.transcript(user, "s-1").append("user", "hello")
    return vault


def unmount(disk: Path) -> Path:
    """Leave an empty mount point."""
    away = disk.rename(disk.with_name("unmounted"))
    disk.mkdir(mode=0o700)
    return away


def copied(vault: Vault, tmp_path: Path) -> Path:
    """Take a copy of both databases, as a backup does."""
    vault.backup(tmp_path / "yesterday")
    return tmp_path / "yesterday"


def said_in(copy: Path, root: Path, user: str) -> list[object]:
    """Open a copy of the databases by a root file of a thief's own."""
    stolen = copy.parent / "stolen"
    shutil.rmtree(stolen, ignore_errors=True)
    stolen.mkdir(mode=0o700)
    for name in ("transcripts.db", "keyring.db"):
        shutil.copy(copy / name, stolen)
    shutil.copy2(root, stolen / "root.key")
    (stolen / "vault.toml").touch()
    with Vault.open(stolen, create=False) as vault:
        return [one.content for one in vault.transcript(user, "s-1").messages()]


ACTS: list[Callable[[Vault], object]] = [
    lambda vault: vault.forget_user("anna", now=True),
    lambda vault: vault.forget_user("anna"),
    lambda vault: vault.forget_session("anna", "s-1"),
    lambda vault: vault.transcript("anna", "s-1").clear(),
    lambda vault: vault.rotate(),
    lambda vault: vault.hold("anna", reason="case 7"),
]


@pytest.mark.wide
@pytest.mark.parametrize("act", ACTS)
def test_p3_what_needs_the_root_refuses_before_it_begins(
    vault: Vault, disks: tuple[Path, Path], act: Callable[[Vault], object]
) -> None:
    away = unmount(disks[1])
    with vault, pytest.raises(RootUnavailableError, match=str(disks[1])):
        act(vault)
    assert list(disks[1].iterdir()) == []
    with Vault.open(disks[0].parent / "v") as again:  # nothing waits that would keep it closed
        assert len(again.transcript("anna", "s-1").messages()) == 1
        disks[1].rmdir()
        away.rename(disks[1])
        act(again)


@pytest.mark.wide
def test_p3_a_final_certificate_counts_every_mirror(
    vault: Vault, disks: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = copied(vault, tmp_path)
    away = unmount(disks[1])
    with vault:
        with pytest.raises(RootUnavailableError):
            vault.forget_user("anna", now=True)
        disks[1].rmdir()
        away.rename(disks[1])
        certificate = vault.forget_user("anna", now=True)
    assert certificate.receipt is not None
    assert certificate.receipt.startswith("absent from 2 of 2 files")
    for disk in disks:
        with pytest.raises(VaultError):
            said_in(copy, disk / "root.key", "anna")


@pytest.mark.wide
@pytest.mark.parametrize("way", ["opening", "destroy-due", "daemon"])
def test_p3_an_old_mirror_that_comes_back_is_brought_up_to_date(
    vault: Vault, disks: tuple[Path, Path], tmp_path: Path, way: str
) -> None:
    copy, old = copied(vault, tmp_path), (disks[1] / "root.key").read_bytes()
    vault.forget_user("anna", now=True)
    (disks[1] / "root.key").write_bytes(old)
    assert said_in(copy, disks[1] / "root.key", "anna") == ["hello"]
    if way == "destroy-due":
        vault.destroy_due()
    vault.close()
    if way == "opening":
        Vault.open(tmp_path / "v").close()
    if way == "daemon":
        assert run("--vault", tmp_path / "v", "daemon", "--once").code == 0
    assert (disks[0] / "root.key").read_bytes() == (disks[1] / "root.key").read_bytes()
    with pytest.raises(KeyringOutdatedError):
        said_in(copy, disks[1] / "root.key", "anna")


@pytest.mark.parametrize("way", ["mirror", "rotation"])
def test_p3_a_daemon_that_runs_already_destroys_what_no_erasure_waits_for(
    vault: Vault, disks: tuple[Path, Path], clock: TickingClock, way: str
) -> None:
    root, old = disks[0] / "root.key", (disks[1] / "root.key").read_bytes()
    [first] = root_keys(root).values()
    vault.rotate(now=way == "mirror")
    if way == "mirror":
        (disks[1] / "root.key").write_bytes(old)
    else:
        clock.now += 8 * DAY
    with vault:
        erasing(vault._core).act(lambda: True)
        for disk in disks:
            assert first not in root_keys(disk / "root.key").values()


@pytest.mark.wide
def test_p7_any_one_mirror_opens_a_vault_and_what_is_due_waits_for_the_others(
    vault: Vault, disks: tuple[Path, Path]
) -> None:
    with vault:
        certificate = vault.forget_user("anna")
    away = unmount(disks[1])
    with Vault.open(disks[0].parent / "v", horizon="0") as later:
        assert len(later.transcript("ben", "s-1").messages()) == 1
        with pytest.raises(RootUnavailableError, match=str(disks[1])):
            later.destroy_due()
        [told] = [one for one in later.certificates() if one.id == certificate.id]
        assert (told.status, told.receipt) == ("provisional", None)
        disks[1].rmdir()
        away.rename(disks[1])
        [final] = later.destroy_due()
    assert (final.id, final.status) == (certificate.id, "final")
