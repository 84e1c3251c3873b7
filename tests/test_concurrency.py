"""P2, P7, P8: many processes and threads on one vault. Nothing is lost, and nobody is accused wrongly."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from crash_child import Place
from databases import Databases
from processes import (
    Said,
    append,
    append_in_threads,
    append_keyed,
    ask,
    at_once,
    clear,
    clear_and_say,
    delete,
    forget,
    forget_sessions,
    make_users,
    open_and_say,
    pop,
    read,
    read_until_told,
    run_threads,
    workers,
)
from soundness import check_sound
from sqlalchemy import event, text

from vault import Message, Vault
from vault.errors import KeyringCopyError, UserForgottenError

QUICK, LONG = 1, pytest.param(8, marks=pytest.mark.slow)


@pytest.fixture(params=[QUICK, LONG], ids=lambda times: f"x{times}")
def times(request: pytest.FixtureRequest) -> int:
    """How much larger the test is than it need be to find what is grossly wrong."""
    number = request.param
    assert isinstance(number, int)
    return number


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root.key"


@pytest.fixture
def place(database: Databases, root: Path) -> Place:
    return Place(database.transcripts, database.keyring, f"file:{root}")


def texts_of(vault: Vault, user: str, session: str = "s") -> list[str]:
    return [str(message.content) for message in vault.transcript(user, session).messages()]


# -- appending ---------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p8_what_processes_and_threads_append_to_one_session_is_all_there_in_order(
    place: Place, times: int
) -> None:
    threads, number = 3, 6 * times
    with workers(place, 3) as team:
        tasks = [(append_in_threads, "u", "s", f"{writer}", threads, number) for writer in range(3)]
        said: list[Said] = [one for told in at_once(team, *tasks) for one in told]
    with place.open() as vault:
        stored = vault.transcript("u", "s").messages()
        assert [message.seq for message in stored] == list(range(3 * threads * number))
        assert sorted(pair for one in said for pair in one) == [
            (message.seq or 0, message.content) for message in stored
        ]
        for one in said:
            assert [text for _, text in sorted(one)] == [text for _, text in one]
            assert len({text.partition(":")[0] for _, text in one}) == 1


@pytest.mark.wide
def test_p8_what_two_processes_say_under_the_same_keys_is_there_once(place: Place, times: int) -> None:
    number = 10 * times
    with workers(place, 2) as team:
        first, second = at_once(team, *[(append_keyed, "u", "s", number)] * 2)
    with place.open() as vault:
        stored = [(message.seq, message.content) for message in vault.transcript("u", "s").messages()]
    assert first == second == stored
    assert [text for _, text in stored] == [f"said {count}" for count in range(number)]


@pytest.mark.wide
def test_p8_appending_goes_on_while_others_clear_and_delete(place: Place, times: int) -> None:
    number = 12 * times
    with workers(place, 4) as team:
        at_once(
            team,
            (append, "u", "s", "a", number),
            (append, "u", "s", "b", number),
            (clear, "u", "s", number // 3),
            (delete, "u", "s", number // 3),
        )
    with place.open() as vault:
        stored = vault.transcript("u", "s").messages()
        assert [message.seq for message in stored] == list(range(len(stored)))
        for writer in "ab":
            own = [str(message.content) for message in stored if str(message.content)[0] == writer]
            assert own == [f"{writer}:{count}" for count in range(number)][number - len(own) :]
        texts_before = [message.content for message in stored]
        vault.transcript("u", "s").append("user", "last")
        assert texts_of(vault, "u") == [*texts_before, "last"]


@pytest.mark.wide
def test_p2_no_seq_is_used_twice_while_others_pop(place: Place, times: int) -> None:
    number = 15 * times
    with workers(place, 4) as team:
        one, two, first, second = at_once(
            team,
            (append, "u", "s", "a", number),
            (append, "u", "s", "b", number),
            (pop, "u", "s", number),
            (pop, "u", "s", number),
        )
    added, popped = [*one, *two], [*first, *second]
    assert len({seq for seq, _ in added}) == len(added) == 2 * number
    assert len({seq for seq, _ in popped}) == len(popped)
    assert set(popped) <= set(added)
    with place.open() as vault:
        left = [(message.seq, message.content) for message in vault.transcript("u", "s").messages()]
    assert left == sorted(set(added) - set(popped))


_WAITING = {
    "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted",
    # Its table of transactions is not renewed as long as it is read again and again.
    "mariadb": "SELECT CAST(variable_value AS UNSIGNED) FROM information_schema.global_status"
    " WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'",
}


@pytest.mark.wide
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_p2_a_seq_that_is_being_popped_is_not_taken_by_a_writer_who_waits_for_it(
    place: Place, database: Databases
) -> None:
    waiting = text(_WAITING[database.dialect])
    with place.open() as mine, place.open() as theirs, ThreadPoolExecutor(1) as pool:
        mine.transcript("u", "s").append("user", "first")  # from now on it counts on the seq after this
        theirs.transcript("u", "s").append("user", "second")
        engine = theirs._core.stores.transcripts.engine
        late: list[Future[Message]] = []

        def add(*executed: object) -> None:
            if not str(executed[2]).startswith("DELETE FROM messages"):
                return
            late.append(pool.submit(mine.transcript("u", "s").append, "user", "third"))
            with mine._core.stores.transcripts.engine.connect() as looking:
                while not late[0].done() and not looking.execute(waiting).scalar_one():
                    looking.rollback()

        event.listen(engine, "after_cursor_execute", add)
        popped = theirs.transcript("u", "s").pop()
        assert popped is not None
        assert (popped.seq, late[0].result().seq) == (1, 2)
        assert texts_of(theirs, "u") == texts_of(mine, "u") == ["first", "third"]


# -- forgetting --------------------------------------------------------------------------------------------


@pytest.mark.wide
def test_p8_no_living_user_is_lost_while_others_are_forgotten(
    place: Place, database: Databases, root: Path, times: int
) -> None:
    number = 5 * times
    with workers(place, 4) as team:
        old = at_once(team, *((make_users, f"old-{one}", number) for one in range(4)))
        doomed = [name for names in old[:2] for name in names]
        born = at_once(
            team,
            (forget, doomed[::2], True),
            (forget, doomed[1::2], False),
            (make_users, "new-0", number),
            (make_users, "new-1", number),
        )[2:]
    alive = [name for names in (*old[2:], *born) for name in names]
    with place.open() as vault:
        assert {name: texts_of(vault, name) for name in alive} == {name: ["one", "two"] for name in alive}
        for name in doomed:
            with pytest.raises(UserForgottenError):
                vault.transcript(name, "s").messages()
        assert sorted(vault.users()) == sorted(alive)
        assert vault.keys_status().unfinished == 0
    check_sound(database, root)


@pytest.mark.wide
def test_p8_two_processes_that_swap_the_root_again_and_again_leave_it_in_agreement(
    place: Place, database: Databases, root: Path, times: int
) -> None:
    number = 5 * times
    with workers(place, 2) as team:
        doomed = at_once(team, (make_users, "one", number), (make_users, "two", number))
        make = team[0].do(make_users, "alive", 3)
        told = at_once(team, (forget, doomed[0], True), (forget, doomed[1], True))
    assert {status for certificates in told for _, status in certificates} == {"final"}
    assert len({identity for certificates in told for identity, _ in certificates}) == 2 * number
    with place.open() as vault:
        assert {name: texts_of(vault, name) for name in make} == {name: ["one", "two"] for name in make}
        assert vault.keys_status().retired == []
        assert {certificate.status for certificate in vault.certificates()} == {"final"}
    check_sound(database, root)


@pytest.mark.wide
def test_p6_two_processes_that_forget_the_same_users_at_once_get_the_same_certificates(
    place: Place, times: int
) -> None:
    with workers(place, 2) as team:
        doomed = team[0].do(make_users, "u", 5 * times)
        first, second = at_once(team, *[(forget, doomed, True)] * 2)
    assert first == second
    assert {status for _, status in first} == {"final"}
    with place.open() as vault:
        assert sorted(certificate.id for certificate in vault.certificates()) == sorted(
            one for one, _ in first
        )


@pytest.mark.wide
def test_p6_two_threads_that_forget_the_same_users_at_once_get_the_same_certificates(place: Place) -> None:
    told: dict[int, list[tuple[str, str]]] = {}
    with place.open() as vault:
        doomed = make_users(vault, "u", 5)
        run_threads([lambda one=one: told.update({one: forget(vault, doomed, True)}) for one in range(3)])  # type: ignore[misc]
    assert told[0] == told[1] == told[2]
    assert {status for _, status in told[0]} == {"final"}


QUESTIONS = (
    "messages", "the last message", "append", "append with a key", "extend", "pop", "sessions", "footprint",
)  # fmt: skip


@pytest.mark.wide
def test_p7_what_another_process_erased_is_noticed_at_the_very_next_call(place: Place) -> None:
    with place.open() as vault, workers(place, 1) as [other]:
        for question in (*QUESTIONS, "users"):
            user = f"asked for {question}"
            make_users(vault, user, 1)
            user = f"{user}-0"
            for _ in range(2):  # its caches are warm
                assert other.do(read, user) == ["one", "two"]
            vault.forget_user(user)
            assert other.do(ask, question, user) == (False if question == "users" else "UserForgottenError")


@pytest.mark.wide
def test_p7_what_another_process_cleared_is_noticed_at_the_very_next_call(place: Place) -> None:
    empty = {
        "messages": [], "the last message": [], "append": "mine", "append with a key": "mine",
        "extend": 2, "pop": None, "sessions": [("s", 0)], "footprint": 0,
    }  # fmt: skip
    with place.open() as vault, workers(place, 1) as [other]:
        for question in QUESTIONS:
            [user] = make_users(vault, f"asked for {question}", 1)
            assert other.do(read, user) == ["one", "two"]
            vault.transcript(user, "s").clear()
            assert other.do(ask, question, user) == empty[question]
            if empty[question] == "mine":
                assert texts_of(vault, user) == ["mine"]


@pytest.mark.wide
def test_p7_what_another_process_said_or_popped_is_noticed_at_the_very_next_call(place: Place) -> None:
    with place.open() as vault, workers(place, 1) as [other]:
        [user] = make_users(vault, "u", 1)
        chat = vault.transcript(user, "s")
        assert other.do(read, user) == ["one", "two"]
        chat.append("user", "three")
        assert other.do(read, user) == ["one", "two", "three"]
        chat.pop()
        assert other.do(ask, "append", user) == "mine"
        chat.append("user", "four")
        assert other.do(read, user) == texts_of(vault, user) == ["one", "two", "mine", "four"]
        vault.forget_session(user, "s")
        assert other.do(ask, "append", user) == "SessionForgottenError"


@pytest.mark.wide
def test_p7_a_reader_sees_all_or_what_was_erased_and_never_a_theft(
    place: Place, database: Databases, root: Path, times: int
) -> None:
    texts = [f"text {number}" for number in range(5)]
    doomed = [f"doomed-{number}" for number in range(3 * times)]
    sessions = [f"s-{number}" for number in range(3 * times)]
    cleared = [("cleared", "s"), ("cleared", "s-2")]
    names = [*((user, "s") for user in doomed), *(("keeper", session) for session in sessions), *cleared]
    with place.open() as vault, workers(place, 5) as team:
        for user, session in names:
            vault.transcript(user, session).extend([{"role": "user", "content": text} for text in texts])
        for reader in team[:2]:
            reader.begin(read_until_told, names)
        at_once(
            team[2:],
            (forget, doomed, True),
            (forget_sessions, "keeper", sessions),
            (clear_and_say, "cleared", "s", texts, 4 * times),
        )
        vault.transcript("the test", "stop").append("user", "stop")
        seen = {found for reader in team[:2] for found in reader.end()}
    right = {
        "doomed": {repr(texts), "'UserForgottenError'", "listed: ", "listed: UserForgottenError"},
        "keeper": {repr(texts), "'SessionForgottenError'", "listed: "},
        "cleared": {repr(texts), "[]", "listed: "},
    }
    assert not {found for found in seen if found[2] not in right[found[0].partition("-")[0]]}
    assert {(user, session) for user, session, _ in seen} == set(names)
    check_sound(database, root)


# -- opening -----------------------------------------------------------------------------------------------


def check_opened(place: Place, vaults: Sequence[str], writers: Sequence[str]) -> None:
    assert len(set(vaults)) == 1
    with place.open() as vault:
        assert sorted(texts_of(vault, "everybody")) == sorted(writers)
        for writer in writers:
            assert texts_of(vault, writer) == ["hello"]


@pytest.mark.wide
def test_p8_processes_that_open_a_new_vault_at_once_make_one(place: Place, times: int) -> None:
    number = 3 if times == 1 else 8
    writers = [f"w-{writer}" for writer in range(number)]
    with workers(place, number, opens=False) as team:
        vaults = at_once(team, *((open_and_say, writer) for writer in writers))
    check_opened(place, vaults, writers)


@pytest.mark.wide
def test_p8_processes_that_open_a_new_directory_at_once_make_one_vault(tmp_path: Path, times: int) -> None:
    writers = [f"w-{writer}" for writer in range(4)]
    for attempt in range(2 * times):
        place = Place(str(tmp_path / f"vault-{attempt}"))
        with workers(place, 4, opens=False) as team:
            vaults = at_once(team, *((open_and_say, writer) for writer in writers))
        check_opened(place, vaults, writers)


@pytest.mark.wide
def test_p8_threads_that_open_a_new_vault_at_once_make_one(place: Place, times: int) -> None:
    writers = [f"w-{writer}" for writer in range(4 if times == 1 else 16)]
    vaults: list[str] = []
    run_threads([lambda one=one: vaults.append(open_and_say(place, one)) for one in writers])  # type: ignore[misc]
    check_opened(place, vaults, writers)


@pytest.mark.wide
def test_p8_threads_that_open_a_new_directory_at_once_make_one_vault(tmp_path: Path, times: int) -> None:
    writers = [f"w-{writer}" for writer in range(6)]
    for attempt in range(2 * times):
        place = Place(str(tmp_path / f"vault-{attempt}"))
        vaults: list[str] = []
        run_threads([lambda one=one: vaults.append(open_and_say(place, one)) for one in writers])  # type: ignore[misc] # noqa: B023
        check_opened(place, vaults, writers)


# -- a copy ------------------------------------------------------------------------------------------------


def clone_of(database: Databases, place: Place) -> Place:
    """What somebody has who copies both databases elsewhere and leaves the root's URI as it is."""
    return Place(database.copy_of(database.transcripts), database.copy_of(database.keyring), place.root)


def test_p3_a_clone_that_forgets_is_refused_and_does_not_touch_the_root(
    place: Place, database: Databases, root: Path
) -> None:
    with place.open() as production:
        make_users(production, "u", 2)
        before = root.read_bytes()
        with clone_of(database, place).open() as clone:
            for refused in (
                lambda: clone.forget_user("u-0", now=True),
                lambda: clone.forget_user("u-0"),
                lambda: clone.forget_session("u-0", "s", now=True),
                lambda: clone.transcript("u-0", "s").clear(),
                lambda: clone.transcript("u-0", "s").delete(),
                lambda: clone.destroy_due(now=True),
            ):
                with pytest.raises(KeyringCopyError):
                    refused()
            assert texts_of(clone, "u-0") == ["one", "two"]
            clone.transcript("u-1", "s").append("user", "only in the clone")
        assert root.read_bytes() == before
        assert texts_of(production, "u-0") == texts_of(production, "u-1") == ["one", "two"]
        assert production.forget_user("u-0", now=True).status == "final"
    check_sound(database, root)


def test_p3_a_copied_keyring_that_is_refused_changes_nothing_in_the_transcripts_either(
    place: Place, database: Databases, root: Path
) -> None:
    """A drill that restores the keyring alone, beside the transcripts of production."""
    with place.open() as production:
        make_users(production, "u", 1)
        drill = Place(database.transcripts, database.copy_of(database.keyring), place.root)
        with drill.open() as copy, pytest.raises(KeyringCopyError):
            copy.forget_user("u-0", now=True)
        assert texts_of(production, "u-0") == ["one", "two"]
    check_sound(database, root)


def test_p3_after_a_clone_has_adopted_the_root_its_original_is_refused(
    place: Place, database: Databases, root: Path
) -> None:
    with place.open() as original:
        make_users(original, "u", 2)
        with clone_of(database, place).open() as clone:
            clone.adopt()
            before = root.read_bytes()
            with pytest.raises(KeyringCopyError):
                original.forget_user("u-0")
            assert root.read_bytes() == before
            assert texts_of(original, "u-0") == ["one", "two"]
            assert clone.forget_user("u-0", now=True).status == "final"
            assert texts_of(clone, "u-1") == ["one", "two"]
