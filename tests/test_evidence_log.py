"""P6: what is done leaves an entry, and whatever is done to the entries shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from faces import Clock
from hypothesis import example, given
from hypothesis import strategies as st
from logs import ANNA, BEN, CARL, DAY, SECRET, alter, made, steps, talk
from sqlalchemy import Connection, delete, select, update
from strategies import FEW

from vault import Vault
from vault.errors import TamperedError
from vault.evidence.entries import Kind, canonical
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction
from vault.storage.schema import log_entries, log_head, messages

# -- what is told ----------------------------------------------------------------------------------------


def test_p6_a_new_vault_begins_its_log(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        [first] = vault.log.entries()
        assert (first.index, first.kind, first.step) == (0, "create", "completed")
        assert vault.log.verify().entries == 1


def test_p6_an_erasure_is_told_before_it_begins_when_keys_are_cut_and_when_it_is_final(
    tmp_path: Path,
) -> None:
    clock = Clock()
    with made(tmp_path / "v", clock=clock) as vault:
        talk(vault, ANNA)
        vault.forget_user(ANNA, reason="request 881", actor="the officer")
        assert steps(vault) == [
            ("forget-user", "intent"),
            ("forget-user", "completed"),
            ("rotate", "completed"),
        ]
        clock.now += 8 * DAY
        [final] = vault.destroy_due(actor="the clock")
        assert steps(vault)[3:] == [("forget-user", "final"), ("destroy", "completed")]
        entries = list(vault.log.entries(first=1))
        mine = [one for one in entries if one.kind == "forget-user"]
        assert {(one.act, one.subject, one.reason, one.actor) for one in mine} == {
            (final.id, final.pseudonym, "request 881", "the officer")
        }
        assert entries[2].facts["retired"] == final.retired
        assert entries[4].facts == {"generations": [final.retired], "receipt": final.receipt}
        assert entries[4].actor == "the clock"


@pytest.mark.wide
def test_p6_every_act_has_its_entry(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, ANNA, BEN, CARL)
        vault.transcript(ANNA, "s-9").clear()
        vault.transcript(ANNA, "s-9").delete()
        vault.forget_session(BEN, "s-9", now=True)
        vault.forget_users([ANNA, CARL], now=True)
        vault.enroll(ANNA, actor="the desk")
        vault.enroll(BEN, "s-9", actor="the desk")
        vault.adopt(actor="me")
        kinds = [kind for kind, step in steps(vault) if step != "intent"]
        assert kinds.count("delete") == 4  # completed and final, each: a clear erases what was there
        assert kinds.count("forget-session") == 2
        assert kinds.count("forget-user") == 4
        assert kinds.count("rotate") == 4
        assert kinds[-3:] == ["enroll", "enroll", "adopt"]
        assert vault.log.verify().unfinished == 0


@pytest.mark.wide
def test_p6_many_erasures_are_told_in_the_transactions_that_they_need_anyway(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, *(f"u-{number}" for number in range(30)))
        commits: list[str] = []
        original = Connection.commit

        def commit(connection: Connection) -> None:
            if connection.get_execution_options().get("transcript_vault_mode") == "write":
                commits.append(Path(str(connection.engine.url.database)).name)
            original(connection)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Connection, "commit", commit)
            vault.forget_users([f"u-{number}" for number in range(30)])
        assert commits.count("keyring.db") == 3  # the request, the cut, the end of the sweep
        assert len(steps(vault)) == 61


@pytest.mark.wide
def test_p6_a_certificate_at_once_is_the_one_that_is_read_later(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault, made(tmp_path / "v") as other:
        users = [f"u-{number}" for number in range(40)]
        talk(vault, *users)
        given = [one for user in users[:20] for one in ((vault, other)[len(user) % 2].forget_user(user),)]
        given += vault.forget_users(users[20:])
        again = {one.id: one for one in other.certificates()}
        assert [again[one.id].proof for one in given] == [one.proof for one in given]
        assert [again[one.id].signature for one in given] == [one.signature for one in given]


def test_p6_what_a_lost_transaction_left_in_mind_proves_nothing(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault, made(tmp_path / "v") as other:
        talk(vault, ANNA, BEN)
        certificate = vault.forget_user(ANNA)
        store, log = vault._core.stores.keyring, vault._core.keyring.log

        def lose(connection: Connection) -> None:
            log.add(connection, [log.draft(Kind.POLICY), log.erasure(certificate)])
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.write(lose)
        other.forget_user(BEN)
        tail = store.snapshot(lambda c: log.recent(c, [certificate]))
        assert tail is not None
        assert log.certify_recent(tail, [certificate]) is None
        [proven] = store.snapshot(lambda c: log.certify(c, [certificate]))
        assert proven.proof == certificate.proof


@pytest.mark.wide
@FEW
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e30, 1e30) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@example({"b": 1, "a": '\x00\x1f\x7f"\\/\b\t\n\f\r\u2028é', "A": [True, None, {"z": -1, "y": 10**15}]})
@example({"\U0001f600": 1, "\uffff": 2})  # in another order as UTF-16 than by their numbers
@example([1.0, 1e21, -0.0, 2**53 - 1])
def test_p6_the_canonical_form_is_that_of_the_standard(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_p6_an_act_of_another_part_is_told_before_and_after(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        log = vault._core.keyring.log
        act = log.intent(Kind.EXPORT, actor="the desk", reason="request 7", form="jsonl")
        assert vault.log.verify().unfinished == 1
        log.completed(act, messages=7)
        [begun, done] = vault.log.entries(first=1)
        assert (begun.step, begun.reason, begun.facts) == ("intent", "request 7", {"form": "jsonl"})
        assert (done.step, done.act, done.actor, done.facts) == (
            "completed",
            begun.act,
            "the desk",
            {"messages": 7},
        )
        assert vault.log.verify().unfinished == 0


def test_p6_nothing_happens_where_its_entry_can_not_be_written(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, ANNA)
        alter(vault, lambda c: c.execute(update(log_head).values(seal=bytes(16))))
        with pytest.raises(TamperedError, match="head of the log"):
            vault.forget_user(ANNA)
        assert [one.content for one in vault.transcript(ANNA, "s-9").messages()] == [SECRET]
        assert vault.keys_status().unfinished == 0


def test_p6_what_was_found_to_be_tampered_with_is_told_once(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, ANNA)
        vault._core.stores.transcripts.write(lambda c: c.execute(update(messages).values(body=bytes(64))))
        for _ in range(3):
            with pytest.raises(TamperedError) as raised:
                vault.transcript(ANNA, "s-9").messages()
        [entry] = vault.log.entries(first=1)
        assert (entry.kind, entry.facts) == ("integrity", {"found": str(raised.value)})


def test_p6_whoever_met_a_thief_hears_of_it_where_the_log_can_not(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, ANNA)
        vault._core.stores.transcripts.write(lambda c: c.execute(update(messages).values(body=bytes(64))))
        alter(vault, lambda c: c.execute(delete(log_head)))
        with pytest.raises(TamperedError, match="sealed envelope") as raised:
            vault.transcript(ANNA, "s-9").messages()
        assert raised.value.__notes__ == ["the log could not be told of it: TamperedError"]


# -- originals -------------------------------------------------------------------------------------------


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Vault]:
    engine = Engine(Redaction.of({"originals": True, "deny": [SECRET]}))
    with made(tmp_path / "v", redactor=engine) as vault:
        talk(vault, ANNA, BEN)
        yield vault


@pytest.mark.wide
def test_p6_reading_originals_is_told_with_its_purpose(keeping: Vault) -> None:
    chat = keeping.transcript(ANNA, "s-9")
    [message] = chat.messages(reveal=True, purpose=f"{ANNA} wrote to us", actor="the desk")
    assert message.content == SECRET
    placeholder = str(chat.messages()[0].content)
    assert chat.restore(placeholder, purpose="to show it", actor="the app") == SECRET
    keeping.transcript(BEN, "s-9").messages(reveal=True, purpose="another")
    one, two, three = keeping.log.entries(first=1)
    assert [one.kind, two.kind, three.kind] == ["reveal"] * 3
    assert (one.actor, one.reason) == ("the desk", f"{one.subject} wrote to us")
    assert (two.actor, two.reason) == ("the app", "to show it")
    assert one.subject == two.subject != three.subject


def test_p6_nothing_is_revealed_before_it_is_told(keeping: Vault) -> None:
    alter(keeping, lambda c: c.execute(delete(log_head)))
    chat = keeping.transcript(ANNA, "s-9")
    with pytest.raises(TamperedError, match="head"):
        chat.messages(reveal=True, purpose="to look")
    with pytest.raises(TamperedError, match="head"):
        chat.restore("text", purpose="to look")
    assert chat.messages()


def test_p6_who_was_revealed_links_to_nobody_once_they_are_forgotten(keeping: Vault) -> None:
    keeping.transcript(ANNA, "s-9").messages(reveal=True, purpose="to look")
    certificate = keeping.forget_user(ANNA, now=True)
    [revealed] = [one for one in keeping.log.entries() if one.kind == "reveal"]
    assert revealed.subject != certificate.pseudonym
    keyring = keeping._core.stores.keyring
    rows = keyring.read(lambda c: [str(row) for table in TABLES for row in c.execute(select(table))])
    assert sum(revealed.subject in row for row in rows) == 1  # the entry itself
    keeping.enroll(ANNA)
    talk(keeping, ANNA)
    keeping.transcript(ANNA, "s-9").messages(reveal=True, purpose="to look")
    assert [one.subject for one in keeping.log.entries()].count(revealed.subject) == 1


TABLES = log_entries.metadata.sorted_tables


# -- what is not told ------------------------------------------------------------------------------------


def test_p6_no_content_and_no_user_id_stands_in_the_log_or_a_certificate(keeping: Vault) -> None:
    for user in (ANNA, BEN):
        keeping.transcript(user, "s-9").messages(reveal=True, purpose=f"for {user}", actor=user)
    certificates = [
        keeping.forget_session(BEN, "s-9", reason=f"s-9 of {BEN.upper()}", actor=BEN),
        keeping.forget_user(ANNA, reason=f"asked by {ANNA}: erase {ANNA}", actor=ANNA, now=True),
    ]
    keeping.enroll(ANNA, actor=ANNA)
    written = "".join(one.text for one in keeping.log.entries()) + "".join(
        one.to_json() for one in [*certificates, *keeping.certificates()]
    )
    for name in (ANNA, BEN, BEN.upper(), "s-9", SECRET):
        assert name not in written
    assert certificates[1].reason == re.sub("X", certificates[1].pseudonym, "asked by X: erase X")


def test_p6_what_only_looks_like_an_id_stays_in_a_reason(tmp_path: Path) -> None:
    with made(tmp_path / "v") as vault:
        talk(vault, "881")
        assert vault.forget_user("881", reason="request 8812, 18815").reason == "request 8812, 18815"
