"""Commands and the daemon go by the policies that the settings name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import Said, make, run

from vault import Vault
from vault.clock import system_clock
from vault.daemon.duties import PURGE
from vault.daemon.lease import Lease
from vault.daemon.turns import Turns

POLICY = """\
version: 1
policy: ours
schedule: "* * * * *"
limits: {max_fraction: 100%}
classes:
  - name: contract
    match: {namespace: "contract/*"}
    keep: {at_least: 3y}
  - name: default
    keep: {at_most: 30d}
redaction:
  entities: {CREDIT_CARD: drop}
"""
LONG_AGO = datetime.now(UTC) - timedelta(days=60)


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A vault whose vault.toml was given policies when it held messages already."""
    directory = make(tmp_path / "v", anna=["a"])
    with Vault.open(directory, redactor=None) as vault:
        vault.transcript("anna", "s-2").append("user", "old", created_at=LONG_AGO)
    (tmp_path / "policy.yaml").write_text(POLICY)
    with (directory / "vault.toml").open("a") as settings:
        settings.write(f"policies = {json.dumps(str(tmp_path / 'policy.yaml'))}\n")
    return directory


@pytest.fixture
def vault(where: Path) -> Callable[..., Said]:
    return lambda *words: run("--vault", where, *words)


@pytest.mark.wide
def test_p4_the_daemon_purges_by_the_policies_of_vault_toml(where: Path, vault: Callable[..., Said]) -> None:
    with Vault.open(where, redactor=None) as opened:  # a daemon was here an hour ago
        core = opened._core
        store = core.stores.keyring
        lease = Lease(store, "daemon", system_clock)
        assert lease.keep()
        assert lease.fence is not None
        hour_ago = system_clock() - 3_600_000_000
        assert Turns(store, lambda: core.keyring.service).claim(PURGE, [], lease.fence, hour_ago) is None
        lease.release()
    assert vault("show", "anna", "s-2").out
    done = vault("daemon", "--once")
    assert done.code == 0
    ran = [json.loads(line) for line in done.err.splitlines()]
    assert [one["messages"] for one in ran if one.get("job") == PURGE] == [1]
    assert vault("show", "anna", "s-2").out == ""


@pytest.mark.wide
def test_p5_what_waited_for_a_hold_waits_on_for_a_floor(where: Path, vault: Callable[..., Said]) -> None:
    with Vault.open(where, policies=[], redactor=None) as opened:  # before there was a floor
        opened.transcript("anna", "s-3", namespace="contract/eu").append("user", "agreed")
        hold = opened.hold("anna", reason="case 7").id
        opened.forget_user("anna", when_released=True)
    assert vault("hold", "release", hold).code == 0
    for words in (("hold", "carry-out"), ("daemon", "--once")):
        assert vault(*words).code == 0
        assert [one["user_id"] for one in vault("hold", "queued", "--json").json] == ["anna"], words


@pytest.mark.wide
def test_p5_a_request_that_waits_for_a_floor_says_until_when(where: Path, vault: Callable[..., Said]) -> None:
    with Vault.open(where, policies=[], redactor=None) as opened:
        opened.transcript("anna", "s-3", namespace="contract/eu").append("user", "agreed")
    words = ("--confirm", "s-3", "--except-floors")
    assert vault("forget-session", "anna", "s-3", *words).code == 0
    [waiting] = vault("hold", "queued", "--json").json
    [row] = vault("hold", "queued").out.splitlines()
    until = datetime.fromisoformat(waiting["until"])
    assert until > datetime.now(UTC) + timedelta(days=3 * 365 - 1)
    assert row.split("\t")[:4] == [waiting["id"], "anna", "s-3", f"{until:%Y-%m-%d %H:%M:%S}Z"]


def test_an_import_goes_by_the_policies(where: Path, vault: Callable[..., Said], tmp_path: Path) -> None:
    told = [
        {"user_id": "ben", "session_id": "s-1", "role": "user", "content": text, "timestamp": at.timestamp()}
        for text, at in (("too old", LONG_AGO), ("it is 4111 1111 1111 1111", datetime.now(UTC)))
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, told)))
    done = vault("import", tmp_path / "in.jsonl", "--from", "jsonl", "--json")
    assert (done.json["added"], done.json["past"]) == (1, 1)
    with Vault.open(where) as opened:
        [message] = opened.transcript("ben", "s-1").messages()
        assert message.content == "it is "
