"""Different errors, never an empty list in place of one (P7), and what a failure on the way leaves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import contract
import pytest
from contract import PLACES, contents, each_once, edit, newest_session, on_postgresql, on_sqlite
from databases import connected
from faces import Awaited, Home
from sqlalchemy import update
from sqlalchemy.util.concurrency import greenlet_spawn

from vault import Transcript, Vault
from vault.errors import (
    ConfigError,
    KeyringOutdatedError,
    StoreUnavailableError,
    TamperedError,
    UserForgottenError,
    VaultError,
    WrongKeyError,
)
from vault.storage import keyring, schema

home, vault, beside = contract.home, contract.vault, contract.beside
apart, user, chat = contract.apart, contract.user, contract.chat


# -- P7: different errors, never an empty list in place of one ---------------------------------------------


def asked(vault: Vault, user: str) -> list[object]:
    """Ask for messages, to append, and for sessions; give what each gives, or its error."""
    asking: list[Callable[[], object]] = [
        lambda: vault.transcript(user, "s-1").messages(),
        lambda: vault.transcript(user, "s-1").messages(last=1, before=9),
        lambda: vault.transcript(user, "s-1").append("user", "again"),
        lambda: vault.sessions(user),
    ]
    found: list[object] = []
    for ask in asking:
        try:
            found.append(ask())
        except VaultError as error:
            found.append(type(error))
    return found


@pytest.mark.wide
def test_p7_a_user_who_was_forgotten_is_refused_in_every_process(
    vault: Vault, beside: Vault, user: str
) -> None:
    asking: list[Callable[[Vault], object]] = [
        lambda opened: opened.transcript(user, "s-1").messages(last=0),
        lambda opened: opened.footprint(user),
        lambda opened: opened.forget_session(user, "s-1"),
        lambda opened: opened.transcript(user, "s-1").pop(),
        lambda opened: opened.transcript(user, "s-1").clear(),
        lambda opened: opened.transcript(user, "s-1").delete(),
    ]
    vault.transcript(user, "s-1").append("user", "1")
    assert contents(beside.transcript(user, "s-1")) == ["1"]
    vault.forget_user(user)
    for opened in (vault, beside):
        assert asked(opened, user) == [UserForgottenError] * 4
        for ask in asking:
            with pytest.raises(UserForgottenError):
                ask(opened)
    assert user not in vault.users()


@pytest.mark.wide
def test_p7_what_never_was_or_was_cleared_or_deleted_by_the_app_reads_as_empty(
    vault: Vault, beside: Vault, user: str
) -> None:
    chat = vault.transcript(user, "s-1")
    assert (chat.messages(), chat.messages(last=1), vault.sessions(user)) == ([], [], [])
    twin = beside.transcript(user, "s-1")
    for end in (chat.clear, chat.delete):
        chat.append("user", "1")
        assert contents(twin) == ["1"]
        end()
        assert (twin.messages(), twin.messages(last=1)) == ([], [])
        assert chat.messages() == []
    twin.append("user", "2")
    assert contents(chat) == ["2"]


_message, _session = update(schema.messages), update(schema.sessions)
EDITS = {  # what is edited, and which of messages(), messages(last=1), append() and sessions() must notice
    "body": (_message.values(body=b"\1\1" + b"x" * 60), {0, 1}),
    "plain text": (_message.values(body=b"\x92\xa1a\xa1b"), {0, 1}),
    "role": (_message.values(role="system"), {0, 1}),
    "place": (_message.values(seq=7), {0, 1}),
    "namespace": (_session.values(namespace="other"), {0, 1, 2, 3}),
    "state": (_session.values(state=1), {0, 1, 2, 3}),
}


@pytest.mark.wide
@each_once
def test_p2_an_edited_row_is_neither_skipped_nor_believed(home: Home, user: str) -> None:
    with home.open() as vault:
        for name, (statement, _) in EDITS.items():
            vault.transcript(f"{user} {name}", "s-1").append("user", "1")
            key = "session_id" if statement.table is schema.messages else "id"
            edit(home, statement.where(statement.table.c[key] == newest_session(home)))
    with home.open() as vault:
        for name, (_, noticing) in EDITS.items():
            found = asked(vault, f"{user} {name}")
            assert noticing <= {number for number in range(4) if found[number] is TamperedError}, name


@each_once
@pytest.mark.usefixtures("vault")
def test_p7_the_wrong_root_or_keyring_opens_nothing(home: Home, apart: Home) -> None:
    with apart.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "of another vault")
    with pytest.raises(WrongKeyError):
        home.open(root=f"file:{apart.root}")
    with pytest.raises(WrongKeyError):
        home.open(keyring=apart.databases.keyring)


@pytest.mark.wide
@each_once
def test_p7_a_keyring_that_is_older_than_messages_is_never_taken_for_an_empty_vault(apart: Home) -> None:
    with apart.open() as vault:
        vault.transcript("u-0", "s-0").append("user", "0")
        old = apart.databases.copy_of(apart.databases.keyring)
        vault.transcript("u-1", "s-1").append("user", "1")
        vault.transcript("u-0", "s-1").append("user", "1")
    apart.databases.restore(old, apart.databases.keyring)
    with apart.open() as vault:
        assert asked(vault, "u-1") == [KeyringOutdatedError] * 4
        assert asked(vault, "u-0") == [KeyringOutdatedError] * 4
        assert contents(vault.transcript("u-0", "s-0")) == ["0"]
        with pytest.raises(KeyringOutdatedError):
            list(vault.users())
        with pytest.raises(KeyringOutdatedError):
            vault.forget_user("u-1")
        with pytest.raises(KeyringOutdatedError):
            vault.footprint("u-1")


@pytest.mark.wide
@each_once
def test_p7_a_keyring_from_before_the_horizon_opens_nothing(apart: Home) -> None:
    with apart.open() as vault:
        for name in ("u-1", "u-2"):
            vault.transcript(name, "s-1").append("user", "1")
        old = apart.databases.copy_of(apart.databases.keyring)
        vault.forget_user("u-1", now=True)
    apart.databases.restore(old, apart.databases.keyring)
    with pytest.raises(KeyringOutdatedError):
        apart.open()


def drop_connections(vault: Any) -> None:
    stores = vault._core.stores
    for store in (stores.transcripts, stores.keyring):
        if isinstance(vault, Awaited):
            vault._runner.run(greenlet_spawn(store.engine.dispose))
        else:
            store.engine.dispose()


@pytest.mark.wide
def test_p7_a_database_that_is_gone_is_unavailable_not_empty(apart: Home) -> None:
    with ExitStack() as leftovers, apart.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "1")
        for label in ("keyring", "transcripts"):
            drop_connections(vault)  # so that the next question needs a new one
            url = getattr(apart.databases, label)
            apart.databases._server.drop(url)
            if apart.databases.dialect == "sqlite":
                in_the_way = Path(url.removeprefix("sqlite:///"))
                in_the_way.mkdir()
                leftovers.callback(in_the_way.rmdir)
            found = asked(vault, "u-1")
            if label == "keyring":  # who is open needs no key that is not held already
                assert [found.index(one) for one in found if one is StoreUnavailableError] == [3]
            else:
                assert found == [StoreUnavailableError] * 4
            with pytest.raises(StoreUnavailableError):
                vault.transcript("u-2", "s-1").messages()
            with pytest.raises(StoreUnavailableError):
                apart.open()


def at(home: Home, **files: Path) -> Home:
    """Give a home whose databases are named otherwise."""
    named: dict[str, Any] = {label: f"sqlite:///{file}" for label, file in files.items()}
    return replace(home, databases=replace(home.databases, **named))


@on_sqlite
@pytest.mark.parametrize("label", ["keyring", "transcripts"])
def test_p7_a_database_that_is_named_wrongly_is_said_to_be_nowhere_and_none_is_made(
    apart: Home, label: str
) -> None:
    with apart.open() as vault:
        vault.transcript("u-1", "s-1").append("user", "1")
    for file in ("mistyped.db", "no directory/mistyped.db"):
        place = apart.root.parent / file
        wrong = at(apart, **{label: place})
        for create in (True, False):
            with pytest.raises(StoreUnavailableError, match=f"there is no {label} database at {place}"):
                wrong.open(create=create)
        assert not place.exists()


@on_sqlite
def test_where_no_vault_is_and_none_is_to_be_made_no_file_is_made_either(apart: Home) -> None:
    files = {label: apart.root.parent / f"{label}.db" for label in ("transcripts", "keyring")}
    with pytest.raises(ConfigError, match="there is no vault here"):
        at(apart, **files).open(create=False)
    assert not any(file.exists() for file in files.values())
    away = apart.root.parent / "unmounted" / "transcripts.db"
    with pytest.raises(StoreUnavailableError, match=f"no transcripts database at {away}"):
        at(apart, **files | {"transcripts": away}).open(create=False)


# -- failures on the way ---------------------------------------------------------------------------------


class CutOffError(BaseException):
    """The process ends here: nothing catches this."""


@pytest.mark.wide
@on_sqlite
def test_p8_a_writer_that_was_cut_off_before_its_keys_were_planted_is_in_nobodys_way(apart: Home) -> None:
    def cut_off(*_: object) -> None:
        raise CutOffError

    with apart.open() as vault:
        vault.transcript("u-0", "s-1").append("user", "0")
        with mock.patch.object(keyring, "insert_nodes", cut_off):
            for user, session in (("u-0", "s-2"), ("u-1", "s-1")):
                with pytest.raises(CutOffError):
                    vault.transcript(user, session).append("user", "1")
    with apart.open() as vault:
        assert list(vault.users()) == ["u-0"]
        assert [one.session_id for one in vault.sessions("u-0")] == ["s-1"]
        assert vault.sessions("u-1") == []
        for user, session in (("u-0", "s-2"), ("u-1", "s-1")):
            assert vault.transcript(user, session).messages() == []
            vault.transcript(user, session).append("user", "1")
        assert list(vault.users()) == ["u-0", "u-1"]
        assert [one.session_id for one in vault.sessions("u-0")] == ["s-1", "s-2"]


@on_postgresql
def test_p8_an_append_that_fails_when_it_is_committed_leaves_no_gap(home: Home, chat: Transcript) -> None:
    said = [chat.append("user", "before")]
    with connected(home.databases.transcripts) as connection:
        for statement in (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'",
            """
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse()
            """,
        ):
            connection.exec_driver_sql(statement)
        with pytest.raises(StoreUnavailableError):
            chat.append("user", "refused")
        connection.exec_driver_sql("DROP FUNCTION refuse CASCADE")
    said.append(chat.append("user", "after"))
    assert chat.messages() == said


@pytest.mark.parametrize("home", PLACES[:1], indirect=True, ids="-".join)
def test_p7_a_database_that_is_asked_too_much_is_unavailable(
    apart: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with apart.open() as vault, ExitStack() as others:
        vault.transcript("u-1", "s-1").append("user", "1")
        engine = vault._core.stores.transcripts.engine
        for _ in range(15):
            others.enter_context(engine.connect())
        monkeypatch.setattr(engine.pool, "_timeout", 0.01)  # half a minute otherwise
        with pytest.raises(StoreUnavailableError, match="became free"):
            vault.transcript("u-1", "s-1").messages()
