"""Records: sealed values beside messages. Over three databases and two faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import contract
import pytest
from contract import contents, edit, on_sqlite
from databases import connected
from faces import DAY, Home
from sqlalchemy import delete, func, select, update

from vault import Transcript, Vault
from vault.chat.records import Basis, Drop, Put, plain
from vault.clock import from_datetime
from vault.errors import (
    InputError,
    RedactionError,
    RevisionError,
    SessionForgottenError,
    TamperedError,
    TooLargeError,
    UserForgottenError,
)
from vault.evidence.certificate import Why
from vault.messages import Message
from vault.placing import DEFAULT_CLASS
from vault.storage import schema

home, vault, beside, apart, user, chat = (
    contract.home,
    contract.vault,
    contract.beside,
    contract.apart,
    contract.user,
    contract.chat,
)

VALUES: dict[str, object] = {
    "text": "Hello",
    "empty": "",
    "nothing": None,
    "number": 7,
    "bytes": b"\x00\xff",
    "list": ["a", 1, None, [True]],
    "dict": {"arguments": {"id": "x"}, "role": "user", "n": 1.5},
}


def values(chat: Transcript, collection: str = "notes", **which: Any) -> dict[str, object]:
    return {one.key: one.value for one in chat.records(collection).list(**which)}


def within(home: Home, vault: Vault, work: Callable[[], object]) -> None:
    """Do something behind a face."""
    if home.runner is None:
        work()
    else:
        home.runner.run(vault._runtime.run(work))  # type: ignore[attr-defined]


# -- writing and reading ---------------------------------------------------------------------------------


def test_what_was_put_comes_back_and_lies_apart_from_messages(chat: Transcript, beside: Vault) -> None:
    notes = chat.records("notes")
    notes.put_many(VALUES)
    chat.append("user", "spoken")
    chat.records("others").put("text", "of another collection")
    for reader in (chat, beside.transcript(chat.user_id, "s-1")):
        assert values(reader) == VALUES
        assert {key: one.value for key in VALUES if (one := reader.records("notes").get(key))} == VALUES
        assert values(reader, "others") == {"text": "of another collection"}
        assert contents(reader) == ["spoken"]
        assert reader.records("notes").get("none") is None
        assert reader.records("none").list() == []


def test_a_text_of_a_frameworks_own_is_put_as_the_text_that_it_is(chat: Transcript) -> None:
    class Text(str):
        __slots__ = ()

    chat.records(Text("notes")).put(Text("k"), Text("v"))
    assert values(chat) == {"k": "v"}


def test_p7_a_session_that_never_was_reads_as_empty_and_deleting_there_makes_none(
    vault: Vault, chat: Transcript
) -> None:
    notes = chat.records("notes")
    assert (notes.get("a"), notes.list(), notes.list(last=3)) == (None, [], [])
    notes.delete("a")
    notes.put_many({})
    assert vault.sessions(chat.user_id) == []


def test_the_last_are_given_in_the_order_of_their_dates(chat: Transcript) -> None:
    notes, noon = chat.records("notes"), datetime(2026, 3, 4, 12, tzinfo=UTC)
    for number in (3, 1, 2, 2):
        key = f"n-{number}" if notes.get(f"n-{number}") is None else "n-2b"
        notes.put(key, number, created_at=noon + timedelta(days=number))
    assert list(values(chat)) == ["n-1", "n-2", "n-2b", "n-3"]
    assert list(values(chat, last=2)) == ["n-2b", "n-3"]
    assert (notes.list(last=0), len(notes.list(last=99))) == ([], 4)
    assert notes.list(last=1)[0].created_at == noon + timedelta(days=3)


def test_a_record_is_replaced_whole_and_deleted(chat: Transcript, beside: Vault) -> None:
    notes = chat.records("notes")
    notes.put("a", {"one": 1})
    notes.put("a", {"two": 2})
    assert values(chat) == {"a": {"two": 2}}
    beside.transcript(chat.user_id, "s-1").records("notes").delete("a")
    assert values(chat) == {}
    notes.delete("a")
    notes.put("a", "again")
    assert values(chat) == {"a": "again"}


def test_who_names_a_revision_writes_only_over_that_one(chat: Transcript, beside: Vault) -> None:
    notes = chat.records("notes")
    first = notes.put("a", 1, revision=0)
    assert first
    second = notes.put("a", 2, revision=first)
    assert second
    read = notes.get("a")
    assert read is not None
    assert read.revision == second != first
    late: list[Callable[[], object]] = [
        lambda: notes.put("a", 3, revision=first),
        lambda: notes.put("a", 3, revision=0),
        lambda: notes.put("b", 3, revision=second),
        lambda: notes.delete("a", revision=first),
        lambda: notes.delete("b", revision=first),
        lambda: beside.transcript("nobody", "s-1").records("notes").delete("a", revision=first),
    ]
    for write in late:
        with pytest.raises(RevisionError):
            write()
    assert values(chat) == {"a": 2}
    notes.delete("a", revision=second)
    again = notes.put("a", 4, revision=0)
    assert again not in {first, second}  # or who read the first one would overwrite it
    with pytest.raises(RevisionError):
        notes.put("a", 5, revision=first)


def test_p8_records_and_messages_are_written_together_or_not_at_all(
    home: Home, vault: Vault, chat: Transcript
) -> None:
    def keep(*puts: Put, given: Sequence[Message] = (), drops: Sequence[Drop] = ()) -> None:
        within(home, vault, lambda: vault._core.keep(chat.user_id, "s-1", "", puts, drops, given))

    keep(plain("notes", "a", 1), plain("notes", "b", 2), given=[Message("user", "spoken")])
    assert (values(chat), contents(chat)) == ({"a": 1, "b": 2}, ["spoken"])
    wrong = plain("notes", "a", 9, revision=0)
    with pytest.raises(RevisionError):
        keep(plain("notes", "c", 3), wrong, given=[Message("user", "x")], drops=[Drop("notes", "b")])
    assert (values(chat), contents(chat)) == ({"a": 1, "b": 2}, ["spoken"])
    with pytest.raises(InputError):
        keep(plain("notes", "c", 3), plain("notes", "c", 4))
    keep(plain("notes", "c", 3), drops=[Drop("notes", "b")])
    assert values(chat) == {"a": 1, "c": 3}


def test_what_can_not_be_stored_is_refused_and_makes_no_session(vault: Vault, chat: Transcript) -> None:
    notes = chat.records("notes")
    for value in ((1, 2), {1: {2, 3}}, object(), "\ud800", 2**70):
        with pytest.raises(InputError):
            notes.put("a", value)
    with pytest.raises(TooLargeError):
        notes.put("a", b"\x07" * 17_000_000)
    with pytest.raises(InputError):
        notes.put("", 1)
    with pytest.raises(InputError):
        chat.records("")
    with pytest.raises(InputError):
        notes.list(last=-1)
    with pytest.raises(InputError):
        notes.put("a", 1, created_at=datetime(2026, 3, 4))  # noqa: DTZ001 (that is what is refused)
    assert vault.sessions(chat.user_id) == []


# -- redaction -------------------------------------------------------------------------------------------


@on_sqlite
def test_p1_texts_are_redacted_with_the_numbers_of_their_session(apart: Home) -> None:
    from vault.saying import UNSAID

    with apart.open(redactor=UNSAID) as vault:
        chat = vault.transcript("u-1", "s-1")
        chat.append("user", "Write to anna@example.com")
        given = {"mail": "anna@example.com", "status": ["call 020 7946 0018", b"blob", 3]}
        chat.records("notes").put("a", given)
        chat.append("user", "or to bert@example.com, not anna@example.com")
        found = chat.records("notes").get("a")
        assert found is not None
        assert found.value == {"mail": "<EMAIL_ADDRESS_1>", "status": ["call <PHONE_NUMBER_1>", b"blob", 3]}
        assert contents(chat)[1] == "or to <EMAIL_ADDRESS_2>, not <EMAIL_ADDRESS_1>"


class _Broken:
    def redact(self, message: Message) -> Message:
        raise ValueError(message.content)


@on_sqlite
def test_p1_where_redaction_fails_nothing_is_written(apart: Home) -> None:
    with apart.open(redactor=_Broken()) as vault:
        with pytest.raises(RedactionError):
            vault.transcript("u-1", "s-1").records("notes").put("a", "spoken")
        assert apart.rows()["transcripts.records"] == 0


# -- erasing ---------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p7_after_forgetting_a_user_their_records_raise(
    vault: Vault, beside: Vault, chat: Transcript
) -> None:
    chat.records("notes").put("a", 1)
    other = beside.transcript(chat.user_id, "s-1").records("notes")
    assert other.get("a") is not None
    vault.forget_user(chat.user_id, now=True)
    for notes in (chat.records("notes"), other):
        asked: list[Callable[[], object]] = [
            notes.list,
            lambda n=notes: n.get("a"),  # type: ignore[misc]
            lambda n=notes: n.list(last=0),  # type: ignore[misc]
            lambda n=notes: n.put("b", 1),  # type: ignore[misc]
            lambda n=notes: n.delete("a"),  # type: ignore[misc]
        ]
        for ask in asked:
            with pytest.raises(UserForgottenError):
                ask()


@pytest.mark.wide
def test_p3_rows_go_with_their_session(home: Home, vault: Vault, user: str) -> None:
    ways: dict[str, Callable[[], object]] = {
        "s-1": lambda: vault.forget_session(user, "s-1"),
        "s-2": lambda: vault.transcript(user, "s-2").delete(),
        "s-3": lambda: vault.transcript(user, "s-3").clear(),
    }
    for name, go in ways.items():
        before = home.rows()["transcripts.records"]
        notes = vault.transcript(user, name).records("notes")
        notes.put_many({f"{number}": number for number in range(5)})
        assert home.rows()["transcripts.records"] == before + 5
        go()
        assert home.rows()["transcripts.records"] == before
        if name == "s-1":
            with pytest.raises(SessionForgottenError):
                notes.list()
        else:
            assert notes.list() == []
            notes.put("a", 1)
            assert notes.get("a") is not None
            vault.transcript(user, name).delete()


@pytest.mark.wide
@on_sqlite
def test_p4_records_go_with_the_epoch_of_their_date_and_are_counted(apart: Home) -> None:
    with apart.open() as vault:
        chat = vault.transcript("u-1", "s-1")
        notes = chat.records("notes")
        old = datetime.fromtimestamp((apart.clock.now - 9 * DAY) / 1e6, UTC)
        notes.put("old", "spoken", created_at=old)
        notes.put("new", "spoken too")
        core = vault._core
        place = (DEFAULT_CLASS, from_datetime(old) // DAY)

        def purge() -> None:
            epoch, where = core.keyring.find_epochs([place])[place], core.keyring.epoch_slot(*place)
            intent = core.eraser.begin(Why.PURGE, [epoch.id], where, reason="", actor="", now=True)
            core.eraser.carry_out([intent])

        within(apart, vault, purge)
        assert (values(chat), notes.list().purged) == ({"new": "spoken too"}, 1)
        assert notes.get("old") is None


# -- a thief ---------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p2_a_record_opens_nowhere_else_and_not_when_it_was_edited(
    apart: Home,
) -> None:
    table = schema.records
    with apart.open() as vault:
        for name in ("alice", "bobby"):
            vault.transcript(name, "s-1").records("notes").put_many({"a": "spoken 1", "b": "spoken 2"})
        vault.transcript("alice", "s-1").records("others").put("a", "spoken 3")
        with connected(apart.databases.transcripts) as connection:
            rows = [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]
        a, b, theirs, other = rows[0], rows[1], rows[2], rows[4]

        def reads(name: str = "alice") -> dict[str, object]:
            return values(vault.transcript(name, "s-1"))

        edits: list[dict[str, object]] = [
            {"body": b["body"]},
            {"body": theirs["body"]},
            {"body": other["body"]},
            {"body": b"\0plain"},
            {"body": a["body"][:-1] + bytes([a["body"][-1] ^ 1])},
            {"created_at": a["created_at"] + 1},
            {"chapter_id": theirs["chapter_id"]},
            {"key": b"\7" * 16},
        ]
        for change in edits:
            edit(apart, update(table).where(table.c.id == a["id"]).values(**change))
            with pytest.raises(TamperedError):
                reads()
            assert reads("bobby") == {"a": "spoken 1", "b": "spoken 2"}
            edit(apart, update(table).where(table.c.id == a["id"]).values(**a))
        moved = {"place": other["place"], "key": b"\7" * 16}
        edit(apart, update(table).where(table.c.id == a["id"]).values(**moved))
        with pytest.raises(TamperedError):
            values(vault.transcript("alice", "s-1"), "others")
        edit(apart, delete(table).where(table.c.id == a["id"]))
        assert reads() == {"b": "spoken 2"}  # not promised: a row that is gone is as one that never was


@pytest.mark.wide
def test_p2_records_without_their_key_are_noticed(apart: Home) -> None:
    """Backup and restore count records where they count messages: an older keyring is noticed."""
    from vault.errors import KeyringOutdatedError

    vault = apart.open()
    vault.close()
    early = apart.databases.copy_of(apart.databases.keyring)
    with apart.open() as vault:
        vault.transcript("u-1", "s-1").records("notes").put("a", 1)
    apart.databases.restore(early, apart.databases.keyring)
    with apart.open() as vault, pytest.raises(KeyringOutdatedError):
        vault.transcript("u-1", "s-1").records("notes").list()


def test_p1_neither_names_nor_values_stand_in_the_rows(apart: Home) -> None:
    with apart.open() as vault:
        vault.transcript("u-1", "s-1").records("secret-collection").put("secret-key", "secret-value")
    with connected(apart.databases.transcripts) as connection:
        assert connection.execute(select(func.count()).select_from(schema.records)).scalar_one() == 1
    for url in (apart.databases.transcripts, apart.databases.keyring):
        dump = repr(apart.databases.dump(url))
        assert not any(word in dump for word in ("secret-collection", "secret-key", "secret-value"))


# -- what a write was made up from -----------------------------------------------------------------------


def test_what_is_made_up_from_records_is_refused_once_one_of_them_was_changed(
    home: Home, vault: Vault, beside: Vault, chat: Transcript
) -> None:
    notes, others = chat.records("notes"), beside.transcript(chat.user_id, "s-1").records("notes")
    core = vault._core

    def keep(basis: Basis | None) -> None:
        core.keep(chat.user_id, "s-1", "", [plain("notes", "b", "made")], [], basis=basis)

    def refused(basis: Basis | None) -> None:
        with pytest.raises(RevisionError):
            within(home, vault, lambda: keep(basis))

    def whole() -> Basis:
        found: list[Basis | None] = []
        within(home, vault, lambda: found.append(core.records.basis(chat.user_id, "s-1")))
        assert found[0] is not None
        return found[0]

    notes.put("a", 1)
    one = Basis(whole().node, {("notes", "a"): notes.list()[0].revision, ("notes", "none"): 0})
    every = whole()
    within(home, vault, lambda: keep(one))
    refused(every)  # "b" has come
    every = whole()
    within(home, vault, lambda: keep(every))
    others.put("c", 1)
    within(home, vault, lambda: keep(one))
    others.put("none", 1)
    refused(one)
    others.delete("none")
    within(home, vault, lambda: keep(one))
    every = whole()
    others.delete("c")
    refused(every)
    others.put("a", 1)
    refused(one)
    assert values(chat) == {"a": 1, "b": "made"}


@pytest.mark.wide
def test_what_is_made_up_in_a_session_is_not_written_in_the_one_that_follows(
    home: Home, vault: Vault, beside: Vault, chat: Transcript
) -> None:
    chat.records("notes").put("a", 1)
    found: list[Basis | None] = []
    core = vault._core
    within(home, vault, lambda: found.append(core.records.basis(chat.user_id, "s-1")))
    beside.transcript(chat.user_id, "s-1").clear()
    put = plain("notes", "b", "made")
    with pytest.raises(RevisionError):
        within(home, vault, lambda: core.keep(chat.user_id, "s-1", "", [put], [], basis=found[0]))
    assert values(chat) == {}
    beside.transcript(chat.user_id, "s-1").records("notes").put("c", 1)
    with pytest.raises(RevisionError):
        within(home, vault, lambda: core.keep(chat.user_id, "s-1", "", [put], [], basis=found[0]))
    within(home, vault, lambda: core.keep(chat.user_id, "s-1", "", [put], [], basis=Basis()))
    assert values(chat) == {"b": "made", "c": 1}
