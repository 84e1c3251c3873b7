"""What an auditor is told: all of it is true, none of it names a person, and what was written stays text."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import Tags, asked_for, browse
from commands import run
from databases import Databases, connected
from faces import DAY, Clock, Home
from msgspec.structs import replace as changed

from vault import AsyncVault, Vault
from vault.daemon.turns import Outcome
from vault.errors import TamperedError
from vault.reporting.report import Report
from vault.retention.turned import sealed
from vault.storage import turns as turns_sql
from vault.storage.turns import TurnRow

POLICY = """version: 1
policy: test
classes:
  - name: tool
    match: {role: tool}
    keep: {at_most: 7d}
  - name: billing
    match: {namespace: "billing/*"}
    keep: {at_least: 1y, at_most: 2y}
  - name: default
    keep: {at_most: 30d}
"""
WORST = [
    "</style></title><script>document.title = 'broken'</script>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "<svg/onload=fetch('http://127.0.0.1:1/x')>",
    "--><![CDATA[ </dd></dl></td></tr></table></section></main>",
    "<link rel=stylesheet href=http://127.0.0.1:1/x.css><base href=//127.0.0.1:1>",
]
SECRETS = ["anna-who-asks", "ben-who-leaves", "cleo-who-sues", "sess-of-anna", "what-was-said"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "v"


@pytest.fixture
def vault(where: Path, tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    """A vault in which something of everything has happened."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    with Vault.open(where, redactor=None, policies=tmp_path / "policy.yaml", clock=clock) as vault:
        anna, ben, cleo = SECRETS[:3]
        for user in (anna, ben, cleo):
            vault.transcript(user, "sess-of-anna").append("user", "what-was-said")
            vault.transcript(user, "sess-of-anna").append("tool", "what-was-said")
        vault.forget_user(ben, reason=f"request 881 of {ben}", actor=f"{ben} himself", now=True)
        vault.hold(cleo, "sess-of-anna", reason=f"case 7 about {cleo} in sess-of-anna", actor="counsel")
        clock.now += 10 * DAY
        vault.purge(yes=True)
        clock.now += 25 * DAY
        vault.transcript(anna, "sess-of-anna").append("user", "what-was-said")
        vault.forget_session(anna, "sess-of-anna", reason="request 882", actor="dpo")
        vault.transcript("dora", "s-1").append("user", "what-was-said")
        yield vault


@pytest.mark.wide
def test_a_report_tells_what_is_stored_by_class_and_age(vault: Vault, clock: Clock) -> None:
    found = vault.report()
    stored = {one.name: one for one in found.stored}
    assert set(stored) == {"test/tool", "test/billing", "test/default"}
    assert (found.messages, found.users) == (3, 3)
    default = stored["test/default"]
    assert (default.messages, default.at_most, stored["test/tool"].messages) == (2, "30d", 1)
    assert [(bar.since, bar.messages) for bar in default.bars if bar.messages] == [(0, 1), (35, 1)]
    assert stored["test/billing"].bars == []
    assert default.bytes > 2 * len("what-was-said")
    assert found.at.timestamp() * 1_000_000 == clock.now


@pytest.mark.wide
def test_p5_what_is_overdue_is_what_the_next_run_erases_and_a_hold_keeps(vault: Vault) -> None:
    found = vault.report()
    assert found.overdue is not None
    assert {one.name: (one.goes, one.held, one.floored) for one in found.overdue} == {
        "test/default": (0, 1, 0),
        "test/tool": (0, 1, 0),
    }
    vault.release(found.held[0].id, reason="closed")
    released = vault.report()
    assert released.due == 2 == vault.purge(dry_run=True).messages
    assert released.held == []
    assert released.holds_ended == 1


@pytest.mark.wide
def test_p6_a_report_tells_of_holds_erasures_runs_and_the_log(vault: Vault) -> None:
    found = vault.report()
    [held] = found.held
    assert held.on == "session"
    assert re.fullmatch(r"case 7 about ([0-9a-f]{16}) in \1", held.reason)
    assert found.erasures_by == {"final": 2, "provisional": 1}
    assert {one.kind for one in found.erasures} == {"forget-user", "purge", "forget-session"}
    assert all(one.final_at for one in found.erasures if one.status == "final")
    assert all(one.due_at for one in found.erasures if one.status == "provisional")
    assert (found.runs_in_all, found.runs[0].messages) == (1, 1)
    assert found.log.failure is None
    assert found.log.entries == vault.log.verify().entries
    assert found.log.key == vault.log.public_key()
    assert found.log.checkpoint.startswith(f"transcript-vault/{found.vault}\n{found.log.entries}\n")
    assert len(found.keys.retired) == len(vault.keys_status().retired) > 0
    assert found.keys.nodes == vault.keys_status().nodes


@pytest.mark.wide
def test_p6_scheduled_runs_are_told_and_a_forged_one_is_noticed(vault: Vault, clock: Clock) -> None:
    core = vault._core
    row = TurnRow("purge", clock.now, 1, clock.now, clock.now + 1, Outcome.FAILED)
    core.stores.keyring.write(lambda c: turns_sql.add_turn(c, sealed(row, core.keyring.service)))
    found = vault.report()
    assert [(one.job, one.outcome) for one in found.turns] == [("purge", "failed")]
    assert "1 scheduled run failed" in found.to_html()
    assert "1 failed" in found.to_text()
    forged = replace(row, due=clock.now + 1, outcome=Outcome.DONE, seal=bytes(16))
    core.stores.keyring.write(lambda c: turns_sql.add_turn(c, forged))
    with pytest.raises(TamperedError, match="no daemon"):
        vault.report()


@pytest.mark.wide
def test_p1_a_report_holds_no_content_and_no_id_of_a_person(vault: Vault, where: Path) -> None:
    found = vault.report()
    said = run("--vault", where, "report", "--json")
    for shown in (found.to_html(), found.to_text(), said.out, repr(found)):
        assert found.vault in shown
        assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.wide
@pytest.mark.parametrize("moment", [2**62, -(2**62), 253_402_300_800_000_000])
def test_p2_a_date_that_no_message_can_have_is_noticed(vault: Vault, where: Path, moment: int) -> None:
    with closing(sqlite3.connect(where / "transcripts.db")) as thief:
        thief.execute("UPDATE messages SET created_at = ?", [moment])
        thief.commit()
    with pytest.raises(TamperedError):
        vault.report()


@pytest.mark.wide
@pytest.mark.parametrize(
    "edit", ["DELETE FROM chapters WHERE id = ?", "UPDATE chapters SET id = id + 99 WHERE id = ?"]
)
def test_p2_a_message_whose_chapter_is_gone_is_counted_all_the_same(
    vault: Vault, where: Path, edit: str
) -> None:
    before = vault.report().messages
    with closing(sqlite3.connect(where / "transcripts.db")) as connection:
        [(last,)] = connection.execute("SELECT max(id) FROM chapters")
        connection.execute(edit, (last,))
        connection.commit()
    assert vault.report().messages == before


def test_without_policies_nothing_is_overdue_and_the_report_says_why(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        empty = vault.report()
        assert (empty.overdue, empty.stored, empty.messages) == (None, [], 0)
        assert "This vault has no policies" in empty.to_html()
        vault.transcript("u-1", "s-1").append("user", "Hello")
        assert [(one.name, one.policy, one.messages) for one in vault.report().stored] == [
            ("default", None, 1)
        ]


@pytest.mark.wide
def test_both_faces_report_the_same(where: Path, vault: Vault, clock: Clock, tmp_path: Path) -> None:
    import asyncio

    async def ask() -> Report:
        policies = tmp_path / "policy.yaml"
        async with await AsyncVault.open(where, redactor=None, policies=policies, clock=clock) as other:
            return await other.report()

    assert asyncio.run(ask()) == vault.report()


def test_each_database_counts_the_same(database: Databases, tmp_path: Path) -> None:
    home = Home(database, tmp_path / "root.key", None)
    (tmp_path / "policy.yaml").write_text(POLICY)
    with home.open(policies=str(tmp_path / "policy.yaml")) as vault:
        for days in range(3):
            home.clock.now += days * DAY
            vault.transcript("u-1", "s-1").extend([{"role": "user", "content": "Hello"}] * (days + 1))
        found = vault.report()
    stored = {one.name: one for one in found.stored}["test/default"]
    assert [bar.messages for bar in stored.bars if bar.messages] == [3, 2, 1]
    assert [bar.since for bar in stored.bars if bar.messages] == [0, 2, 3]
    assert (found.users, found.sessions, found.due, found.log.failure) == (1, 1, 0, None)


# -- the page --------------------------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("words", WORST)
def test_whatever_an_operator_wrote_is_only_text(vault: Vault, words: str) -> None:
    plain, drawn = Tags(), Tags()
    found = vault.report()
    plain.feed(found.to_html())
    worst = changed(
        found,
        policies=[words],
        stored=[changed(one, name=words, at_most=words) for one in found.stored],
        overdue=[changed(one, name=words) for one in found.overdue or ()],
        holds=[changed(one, id=words, reason=words, release_reason=words) for one in found.holds],
        erasures=[changed(one, id=words, kind=words, status=words, reason=words) for one in found.erasures],
        log=changed(found.log, root=words, key=words, checkpoint=words),
        keys=changed(found.keys, root=words, warnings=[words], nodes={words: 1}),
    )
    drawn.feed(worst.to_html())
    assert drawn.found == plain.found
    assert drawn.attributes == plain.attributes
    assert drawn.found.isdisjoint({"script", "img", "base", "iframe"})
    broken = changed(found, log=changed(found.log, failure=words))
    drawn.feed(broken.to_html())
    assert drawn.found == plain.found


@pytest.mark.wide
def test_the_summary_fits_a_terminal(vault: Vault) -> None:
    found = vault.report()
    many = changed(found, messages=10**12, stored=[changed(one, name="n" * 90) for one in found.stored])
    for one in (found, many):
        assert max(map(len, one.to_text().splitlines())) <= 80


@pytest.mark.wide
def test_a_browser_finds_no_error_and_asks_for_nothing(vault: Vault, tmp_path: Path) -> None:
    for words in WORST:
        vault.hold("dora", reason=words)
    opened = tmp_path / "report.html"
    opened.write_text(vault.report().to_html())
    document, log = browse(opened)
    assert "CONSOLE" not in log
    assert document.count("<section>") == 7
    assert document.count('<rect class="past"') > 0
    assert "<title>Retention report" in document  # nothing that was written has run
    assert not any("127.0.0.1" in url for url in asked_for(opened))
    opened.write_text(opened.read_text().replace("</main>", "<script>alert(1)</script></main>"))
    _, log = browse(opened)
    assert "CONSOLE" in log  # the page's own policy refused it: an error would have been told


# -- the command -----------------------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.usefixtures("vault")
def test_the_command_writes_a_page_for_its_owner_only(where: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    said = run("--vault", where, "report", "--html", page)
    assert (said.code, said.out) == (0, "")
    assert page.read_text().startswith("<!doctype html>")
    assert page.stat().st_mode & 0o777 == 0o600
    again = run("--vault", where, "report", "--html", page)
    assert again.code == 2
    assert "already" in again.err


@pytest.mark.wide
def test_the_command_tells_a_summary_or_json(where: Path, vault: Vault) -> None:
    said = run("--vault", where, "report")
    assert said.code == 0
    assert f"report of vault {vault.report().vault}" in said.out
    found = run("--vault", where, "report", "--json").json
    assert found["log"]["key"] == vault.log.public_key()
    assert found["holds"][0]["in_force"] is True


@pytest.mark.wide
def test_p6_a_log_that_is_not_whole_is_told_and_fails_the_command(
    where: Path, vault: Vault, tmp_path: Path
) -> None:
    vault.close()
    with connected(f"sqlite:///{where}/keyring.db") as keyring:
        keyring.exec_driver_sql("UPDATE log_entries SET entry = replace(entry, '881', '882')")
        keyring.commit()
    page = tmp_path / "report.html"
    said = run("--vault", where, "report", "--html", page)
    assert said.code == 3
    assert "not whole" in page.read_text()
    assert "Verified up to" not in page.read_text()


# -- much of it ------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_bars_are_few_however_old_the_messages_are(vault: Vault, clock: Clock) -> None:
    dice = random.Random(7)
    chat = vault.transcript("dora", "s-2", namespace="billing/x")
    for _ in range(30):
        clock.now += dice.randrange(20 * DAY)
        chat.append("user", "what-was-said")
    for one in vault.report().stored:
        assert len(one.bars) <= 60
        assert sum(bar.messages for bar in one.bars) == one.messages
