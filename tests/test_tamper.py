"""Who may write to the transcripts can destroy, and can't pass anything off as the truth (P2, P7)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stages
from court import Court, chain
from databases import Sqlite, fresh_databases
from stages import TABLES, USERS, WORK, Row, Stage, Thief, played
from tampering import (
    OUTDATED,
    WRONG,
    Depth,
    Rule,
    attacked,
    heard_by_two,
    heard_of_doubled,
    is_rows,
    places,
    targets,
    verdict,
)

from vault import Vault
from vault.chat.chapter import Chapter
from vault.errors import (
    RootUnavailableError,
    SessionForgottenError,
    StoreUnavailableError,
    TamperedError,
    UserForgottenError,
    WrongKeyError,
)
from vault.storage import schema

stage, scene = stages.stage, stages.scene
OWN = ("messages", "messages, last", "sessions", "append*")

RULES = (
    Rule("*/copied to another *", "a row of nobody's", is_harmless=True),
    Rule("*/removed/row/put back", "without its key a row is noise", is_harmless=True),
    Rule("transcripts_meta/vault/*", "they could be another vault's", WRONG),
    Rule("transcripts_meta/erased/name/swapped", "they could be another vault's", WRONG),
    Rule("transcripts_meta/erased/value/*", "what it says is swept opens nowhere", is_harmless=True),
    Rule("transcripts_meta/erased/row/older*", "what it says is swept opens nowhere", is_harmless=True),
    Rule("users/*/id/*", "where nothing hangs from it, it is only an order", is_harmless=True),
    Rule("users/*/node/*", "it could be of a younger user of this name", OUTDATED),
    Rule(
        "sessions/*/id/*",
        "all rows of a transcript are lost, and a loss at the very end is not promised",
        is_harmless=True,
        untrue=("messages*", "sessions*", "append*", "records*", "pointers*"),
    ),
    Rule("sessions/*/row/older row", "an older copy may be restored", is_harmless=True),
    Rule("classes/*", "the epoch changes as if another process were at it", OUTDATED),
    Rule("epochs/*/class_id/*", "the epoch changes as if another process were at it", OUTDATED),
    Rule("epochs/4/state/*", "it is erased, whatever the state", is_harmless=True),
    Rule("epochs/4/row/*", "it is erased, whatever the state", is_harmless=True),
    Rule("chapters/*/class_id/*", "at worst a class gets another chapter", is_harmless=True),
    Rule("chapters/*/node/*", "no key is looked up by it", is_harmless=True),
    Rule("chapters/kept/state/*", "it has a key of its own", is_harmless=True),
    Rule("chapters/alone/state/*", "it has a key of its own", is_harmless=True),
    Rule("chapters/alone/epoch_id/*", "an epoch that is not there changes nothing", is_harmless=True),
    Rule("messages/*/originals*", "only who reveals reads them", is_harmless=True),
    Rule("messages/*/created_at/*", "a summary opens no body", untrue=("sessions*",)),
    Rule("messages/*/session_id/*", "a summary opens no body", untrue=("sessions*",)),
    Rule("messages/last/row/deleted", "a loss at the very end", is_harmless=True, untrue=OWN),
    Rule("messages/last/session_id/*", "a loss at the very end", is_harmless=True, untrue=OWN),
    Rule("messages/last/seq/*", "a loss at the very end", is_harmless=True, untrue=OWN),
    Rule(
        "records/*/created_at/*", "the last ones are chosen before they are opened", untrue=("records, last",)
    ),
    Rule("sessions/*/slot/*", "the key that it needs may be younger than this keyring", OUTDATED),
    Rule("sessions/*/node/*", "a name that is lost leads nowhere", untrue=("pointers*",)),
    Rule("records/*/id/*", "it is only an order, and a revision", is_harmless=True, untrue=("records*",)),
    *(
        Rule(where, "a name that is lost leads nowhere", is_harmless=True, untrue=("pointers*",))
        for where in ("pointers/*/row/*", "pointers/*/session_id/*", "pointers/*/place/*")
    ),
    *(
        Rule(where, "records have no chain", is_harmless=True, untrue=("records*",))
        for where in (
            "records/*/row/*",
            "records/*/session_id/*",
            "records/*/place/*",
            "records/4/chapter_id/one less",  # to where the key is lawfully dead
        )
    ),
    *(
        Rule(f"idempotency/*/{where}/*", "a key that is lost may be used again", is_harmless=True, untrue=OWN)
        for where in ("session_id", "key", "row")
    ),
)


# -- every column, and the rows as such ------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("target", targets(schema.transcripts.tables))
def test_p2_nothing_that_is_written_into_the_transcripts_passes_for_the_truth(
    stage: Stage, target: str
) -> None:
    assert verdict(stage, target, Depth.FEW, RULES) == []


@pytest.mark.slow
@pytest.mark.parametrize("target", targets(schema.transcripts.tables))
def test_p2_nothing_at_all_that_is_written_into_the_transcripts_passes_for_the_truth(
    stage: Stage, target: str
) -> None:
    depth = Depth.ALL if stage.databases.dialect == "sqlite" else Depth.MANY
    assert verdict(stage, target, depth, RULES) == []


@pytest.fixture(params=["postgresql", "mariadb"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from played(request, tmp_path)


def test_p2_servers_answer_a_thief_as_sqlite_does(served: Stage) -> None:
    """In the loop that runs at every change; all of it is behind the marker `slow`."""
    for target in ("messages.body", "messages.seq", "sessions.profile", "nodes.wrapped", "intents.phase"):
        assert verdict(served, target, Depth.FEW, RULES) == []


def test_p2_every_column_is_checked_for_what_belongs_there() -> None:
    loose = [
        f"{table.name}.{column.name}"
        for table in TABLES.values()
        for column in table.columns
        if not isinstance(column.type, schema.Checked)
    ]
    assert loose == []


@pytest.mark.wide
def test_control_an_untouched_vault_tells_the_truth(scene: Stage) -> None:
    court = Court(scene)
    with scene.open() as vault:
        court.hear(vault, "warm")
    court.hear_fresh()
    assert court.is_content, court


@pytest.mark.wide
def test_control_bodies_that_are_bound_to_nothing_are_condemned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chapter, "aad", lambda *_: b"")
    with fresh_databases(Sqlite(tmp_path)) as databases:
        unbound = Stage(databases, tmp_path / "root.key")
        unbound.play()
        attacks = dict(places(unbound, "messages.body"))
        court = attacked(unbound, "messages", attacks["messages/first/body/swapped"])
    assert court
    assert court.untrue


# -- what is missing, and what is back -------------------------------------------------------------------


def messages_of(scene: Stage, rows: str = "now") -> dict[int, Row]:
    """The rows of alice's `s-work`."""
    found = scene.now if rows == "now" else scene.past[0]
    session = scene.now["sessions"][0]["id"]
    return {row["seq"]: row for row in found["messages"] if row["session_id"] == session}


def read(vault: Vault, **window: Any) -> list[int | None]:
    return [message.seq for message in vault.transcript("alice", "s-work").messages(**window)]


@pytest.mark.wide
def test_p2_a_row_that_is_missing_is_noticed_in_every_window_that_should_have_it(scene: Stage) -> None:
    rows = messages_of(scene)
    windows = [
        dict(zip(("last", "before"), window, strict=True))
        for window in itertools.product([None, *range(1, 8)], [None, *range(1, 9)])
    ]
    for seq in sorted(rows)[:-1]:
        scene.reset()
        with scene.open() as vault:
            with scene.thief("messages") as thief:
                thief.delete("messages", rows[seq])
            for window in windows:
                last, before = window["last"] or 99, window["before"] or 99
                true = [one for one in sorted(rows) if one < before][-last:]
                if seq in true:
                    with pytest.raises(TamperedError):
                        read(vault, **window)
                else:
                    assert read(vault, **window) == true


@pytest.mark.wide
def test_p2_a_popped_message_that_is_put_back_is_a_forgery(scene: Stage) -> None:
    popped = messages_of(scene, "past")[4]
    with scene.open() as warm:
        assert read(warm) == sorted(WORK)
        with scene.thief("messages") as thief:
            thief.insert("messages", popped)
        for vault in (warm, scene.open()):
            with vault:
                for window in ({}, {"last": 3}, {"before": 5}, {"before": 6, "last": 2}):
                    with pytest.raises(TamperedError):
                        read(vault, **window)
                assert read(vault, last=2) == [5, 6]


@pytest.mark.wide
def test_p2_who_has_not_heard_of_a_pop_does_not_take_the_message_from_a_thief(scene: Stage) -> None:
    last = messages_of(scene)[6]
    with scene.open() as warm:
        assert read(warm) == sorted(WORK)
        with scene.open() as other:
            other.transcript("alice", "s-work").pop()
        assert read(warm) == [0, 1, 2, 3, 5]
        with scene.thief("messages") as thief:
            thief.insert("messages", last)
        with pytest.raises(TamperedError):
            read(warm)


def test_p2_a_session_that_goes_back_is_noticed_by_who_knew_it_later(scene: Stage) -> None:
    old = scene.past[0]["sessions"][0]
    with scene.open() as warm:
        assert read(warm) == sorted(WORK)
        with scene.thief("messages") as thief:
            thief.change("sessions", scene.now["sessions"][0], old)
            thief.delete("messages", messages_of(scene)[5])
            thief.delete("messages", messages_of(scene)[6])
            thief.insert("messages", messages_of(scene, "past")[4])
        with pytest.raises(TamperedError):
            read(warm)
    # Not promised: to a new process this is a copy of that day, and transcripts may be restored at any age.
    with scene.open() as fresh:
        assert read(fresh) == [0, 1, 2, 3, 4]


def test_p2_not_promised_a_loss_at_the_very_end(scene: Stage) -> None:
    rows = messages_of(scene)
    with scene.open() as vault, scene.thief("messages") as thief:
        for seq in (6, 5):
            thief.delete("messages", rows[seq])
            assert read(vault) == [one for one in sorted(rows) if one < seq]
        # Here the ledger knows that there was a fifth message, so there was a fourth.
        thief.delete("messages", rows[3])
        with pytest.raises(TamperedError):
            read(vault)


@pytest.mark.wide
def test_p2_whole_chapters_sessions_and_users_that_are_taken_are_noticed(scene: Stage) -> None:
    work = scene.now["sessions"][0]
    theirs = [row for row in scene.now["sessions"] if row["user_id"] == work["user_id"]]

    def take(thief: Thief, column: str, values: list[int], *tables: str) -> None:
        for table in tables:
            for value in values:
                thief.run(f"DELETE FROM {table} WHERE {column} = :value", {"value": value})

    def take_chapter(thief: Thief) -> None:
        chapter = messages_of(scene)[2]["chapter_id"]
        take(thief, "chapter_id", [chapter], "messages")
        take(thief, "id", [chapter], "chapters")

    def take_session(thief: Thief) -> None:
        take(thief, "session_id", [work["id"]], "messages", "idempotency", "chapters")
        take(thief, "id", [work["id"]], "sessions")

    def take_user(thief: Thief) -> None:
        take(thief, "session_id", [row["id"] for row in theirs], "messages", "idempotency", "chapters")
        take(thief, "id", [row["id"] for row in theirs], "sessions")
        take(thief, "id", [work["user_id"]], "users")

    asked: dict[Callable[[Thief], None], list[str]] = {
        take_chapter: ["messages", "sessions"],
        take_session: ["messages", "append", "sessions"],
        take_user: ["messages", "append", "sessions", "messages, home", "users"],
    }
    for steal, questions in asked.items():
        scene.reset()
        court = Court(scene)
        with scene.open() as warm:
            court.warm(warm)
            with scene.thief("messages") as thief:
                steal(thief)
            court.hear(warm, "warm")
        court.hear_fresh()
        assert {
            f"{who}: {question}" for who in ("warm", "fresh") for question in questions
        } <= court.noticed.keys()
        assert set(court.noticed.values()) == {"TamperedError"}
        assert (court.untrue, court.raw, court.leaks) == ({}, {}, [])


@pytest.mark.wide
def test_p7_all_that_was_erased_and_is_put_back_stays_erased(scene: Stage) -> None:
    court = Court(scene)
    with scene.open() as warm:
        court.warm(warm)
        with scene.thief("messages") as thief:
            for table in ("users", "sessions", "epochs", "chapters", "messages", "idempotency"):
                for row in scene.past[0][table]:
                    if not is_rows(scene.now[table], table, row):
                        thief.insert(table, row)
        court.hear(warm, "warm")
    court.hear_fresh()
    assert (court.untrue, court.raw, court.leaks) == ({}, {}, [])
    for who in ("warm", "fresh"):
        assert court.noticed[f"{who}: messages, deleted"] == "TamperedError"
        assert court.noticed[f"{who}: messages"] == "TamperedError"  # the popped one is among them


# -- what is moved ---------------------------------------------------------------------------------------


def subsets(columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(columns) + 1):
        yield from itertools.combinations(columns, size)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("sessions", ("user_id", "slot", "node", "name", "profile", "namespace")),
        ("users", ("id", "slot", "node", "name")),
    ],
    ids=["sessions", "users"],
)
def test_p2_whatever_two_users_are_given_of_each_other_opens_for_neither(
    scene: Stage, table: str, columns: tuple[str, ...]
) -> None:
    owners = [row["id"] for row in scene.now["users"][:2]]
    owner = "id" if table == "users" else "user_id"
    rows = [next(row for row in scene.now[table] if row[owner] == one) for one in owners]
    noticed = 0
    exchanges = [some for some in subsets(columns) if len(some) not in {2, 3, 4} or table == "users"]
    for some in exchanges:
        scene.reset()
        with scene.thief(table) as thief:
            thief.swap(table, (rows[0], rows[1]), some)
        court = heard_by_two(scene)
        assert (court.untrue, court.raw, court.leaks) == ({}, {}, [])
        assert set(court.noticed.values()) <= {"TamperedError", "KeyringOutdatedError"}
        noticed += bool(court.noticed)
    is_whole_row = table == "users"  # two rows that change their places are the same two rows
    assert noticed == len(exchanges) - is_whole_row


@pytest.mark.wide
def test_p2_a_body_opens_in_no_other_session_user_or_seq(scene: Stage) -> None:
    columns = ("body", "role", "created_at", "chapter_id")
    rows = scene.now["messages"]
    middle = messages_of(scene)[2]
    with scene.open() as vault, scene.thief("messages") as thief:
        for other in (row for row in rows if row is not middle):
            for some in subsets(columns):
                if "body" in some:
                    thief.change("messages", middle, {name: other[name] for name in some})
                    with pytest.raises(TamperedError):
                        read(vault)
        thief.change("messages", middle, middle)
        assert read(vault) == sorted(WORK)


# -- errors ----------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p7_what_is_wrong_is_said_by_an_error_of_its_own(scene: Stage, tmp_path: Path) -> None:
    for name in ("other", "broken"):
        (tmp_path / name).mkdir()
    with fresh_databases(scene.databases._server) as databases:
        Stage(databases, tmp_path / "other" / "root.key").open().close()
    broken = tmp_path / "broken" / "keyring.db"
    broken.write_bytes(b"no database at all, but a file that is long enough to be one" * 50)
    with pytest.raises(WrongKeyError):
        scene.open(root=f"file:{tmp_path / 'other' / 'root.key'}")
    with pytest.raises(RootUnavailableError):
        scene.open(root=f"file:{tmp_path / 'nowhere' / 'root.key'}")
    with pytest.raises(StoreUnavailableError):
        scene.open(keyring=f"sqlite:///{broken}")
    with scene.open() as vault:
        with pytest.raises(UserForgottenError):
            vault.transcript("carol", "s-work").messages()
        with pytest.raises(SessionForgottenError):
            vault.transcript("bobby", "s-lost").messages()
        with scene.thief("messages") as thief:
            thief.change("messages", messages_of(scene)[0], {"body": b"\0plain"})
        with pytest.raises(TamperedError) as caught:
            vault.transcript("alice", "s-work").messages()
        assert vault.transcript("alice", "s-none").messages() == []
    assert not any(user in repr(one) for one in chain(caught.value) for user in USERS)


@pytest.mark.wide
@pytest.mark.parametrize("table", sorted(schema.transcripts.tables))
def test_p2_rows_that_are_there_twice_are_noticed_or_nobodys(scene: Stage, table: str) -> None:
    if scene.databases.dialect != "sqlite":
        pytest.skip("a server's thief needs the rights of its owner for that")
    court = heard_of_doubled(scene, table)
    assert (court.untrue, court.raw, court.leaks) == ({}, {}, [])
