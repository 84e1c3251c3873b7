"""P4: chapters that go as a whole go many sessions at once; what changed meanwhile is looked at closely."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
from databases import Databases, connected
from faces import DAY
from retained import HOUR, Retained
from sqlalchemy import create_engine, event, insert
from sqlalchemy.exc import IntegrityError

from vault.retention import taking, whole
from vault.retention.purging import Purger
from vault.retention.report import RunResult
from vault.storage import whole as sql
from vault.storage.runtime import Blocking
from vault.storage.schema import chapters, messages, transcripts

USERS = [f"u-{number}" for number in range(4)]


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key")
    for user in USERS:
        for role in ("tool", "user", "tool", "assistant"):
            made.say(user, "s-1", role)
    made.snapshot()
    yield made
    made.vault.close()


@pytest.fixture
def closely(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sessions that a run looks at closely, by their rows."""
    found: list[int] = []
    take = Purger.take

    def noted(self: Purger, ids: Sequence[int]) -> None:
        found.extend(ids)
        take(self, ids)

    monkeypatch.setattr(Purger, "take", noted)
    return found


def purge_and(world: Retained, act: Callable[[], object]) -> RunResult:
    """Let something happen when a run has seen all, and is about to take the first."""
    acts = [act]

    def stop() -> bool:
        if acts:
            acts.pop()()
        return False

    return world.vault._core.runs().run(should_stop=stop)


def went(world: Retained, *users: str) -> None:
    """Note that what tools said is gone."""
    gone = [one for one in world.said if one.role == "tool" and one.user in users]
    world.said = [one for one in world.said if one not in gone]
    world.purged += gone


@pytest.mark.wide
def test_p4_p2_whole_chapters_go_with_their_ledgers_and_nobody_looks_closely(
    world: Retained, closely: list[int]
) -> None:
    world.clock.now += DAY
    assert world.purge().messages == 2 * len(USERS)
    world.clock.now += 10 * DAY
    assert world.purge().messages == 2 * len(USERS)
    assert closely == []
    assert world.databases.dump(world.databases.transcripts)["chapters"] == []
    world.check_copies()


def test_p4_what_is_more_than_a_run_remembers_is_looked_at_again(
    world: Retained, closely: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "KEPT", 1)
    world.clock.now += DAY
    assert world.purge().messages == 2 * len(USERS)
    assert closely == []


def test_p2_who_pops_meanwhile_is_looked_at_closely(world: Retained, closely: list[int]) -> None:
    world.clock.now += DAY
    other = world.open()
    last = next(one for one in world.said[::-1] if one.user == "u-1")
    ran = purge_and(world, other.transcript("u-1", "s-1").pop)
    assert ran.messages == 2 * len(USERS)
    world.said.remove(last)
    went(world, *USERS)
    world.check()
    other.close()
    assert len(closely) == len(USERS)  # all that were to go in the same transaction


def test_p8_who_is_popped_of_what_goes_meanwhile_loses_nothing_else(world: Retained) -> None:
    world.clock.now += DAY
    other = world.open()
    chat = other.transcript("u-1", "s-1")

    def pop_two() -> None:
        chat.pop()
        chat.pop()  # one that a tool said

    assert purge_and(world, pop_two).messages == 2 * len(USERS) - 1
    world.said = [one for one in world.said if one.user != "u-1" or one.seq not in {2, 3}]
    went(world, *USERS)
    world.check()
    other.close()


def test_p8_what_is_said_meanwhile_stays(world: Retained, closely: list[int]) -> None:
    world.clock.now += DAY
    assert purge_and(world, lambda: world.say("u-1", "s-1", "tool")).messages == 2 * len(USERS)
    new = world.said.pop()
    went(world, *USERS)
    world.said.append(new)
    world.check()
    assert closely == []


def test_p2_what_slips_into_an_epoch_before_it_is_closed_is_in_the_ledger_too(
    world: Retained, closely: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, other = world.clock.now, world.open()
    chat = other.transcript("u-1", "s-1")
    chat.messages()
    world.edit("short")
    world.clock.now += 5 * DAY
    find = whole.Wholes.find

    def slip_in(self: whole.Wholes, ids: Sequence[int]) -> object:
        found = find(self, ids)
        world.clock.now = old
        chat.append("user", "late")
        world.clock.now = old + 5 * DAY
        world.say("u-1", "s-1")
        return found

    monkeypatch.setattr(whole.Wholes, "find", slip_in)
    ran = world.vault._core.runs().run()
    other.close()
    assert ran.messages == 4 * len(USERS) + 1
    assert len(closely) == len(USERS)
    found = world.vault.transcript("u-1", "s-1").messages()
    assert ([one.content for one in found], found.purged) == ([world.said[-1].text], 5)


@pytest.mark.wide
def test_p5_a_hold_that_comes_meanwhile_keeps_what_was_seen_to_go(world: Retained) -> None:
    world.clock.now += DAY
    ran = purge_and(world, lambda: world.hold("u-1"))
    assert ran.messages == 2 * (len(USERS) - 1)
    went(world, "u-0", "u-2", "u-3")
    world.check()
    world.snapshot()
    world.release()
    assert world.purge().messages == 2
    world.check_copies()


@pytest.mark.wide
def test_p5_who_is_held_is_looked_at_closely_and_the_others_are_not(
    world: Retained, closely: list[int]
) -> None:
    world.hold("u-2", "s-1")
    world.clock.now += DAY
    world.purge()
    assert len(closely) == 1
    world.release()
    world.purge()
    world.check_copies()


def test_p8_two_runs_at_once_take_everything_once(world: Retained) -> None:
    world.clock.now += DAY
    other, ran = world.open(), []
    first = purge_and(world, lambda: ran.append(other.purge().messages))
    other.close()
    assert (first.messages, ran) == (0, [2 * len(USERS)])
    went(world, *USERS)
    world.check()
    world.check_copies()


@pytest.mark.wide
def test_p4_a_chapter_of_which_a_part_stays_is_looked_at_closely(world: Retained, closely: list[int]) -> None:
    """Other rules put all roles into one epoch; by those of today only what tools said goes."""
    world.edit("short")
    for user in USERS[:2]:
        for role in ("tool", "user"):
            world.say(user, "s-2", role)
    world.say("u-3", "s-2", "user")
    world.snapshot()
    world.edit("plain")
    world.clock.now += DAY
    world.purge()
    assert len(closely) == 3  # also who has nothing that goes in an epoch that dies
    world.check_copies()


def test_a_key_that_was_used_for_what_goes_is_forgotten(world: Retained) -> None:
    chat = world.vault.transcript("u-1", "s-3")
    chat.append("tool", "once", key="a key")
    chat.append("user", "twice", key="another key")
    world.clock.now += DAY
    world.vault.purge()
    keys = world.databases.dump(world.databases.transcripts)["idempotency"]
    assert [row[2] for row in keys] == [1]


def test_rows_still_need_what_they_refer_to_after_a_purge(world: Retained) -> None:
    world.clock.now += 7 * HOUR
    world.purge()
    row = {"session_id": 999, "seq": 0, "chapter_id": 1, "role": "user", "created_at": 0, "body": b""}
    store = world.vault._core.stores.transcripts
    for _ in range(3):
        with pytest.raises(IntegrityError):
            store.write(lambda connection: connection.execute(insert(messages), [row]))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_batch_walks_all_chapters_that_there_are(world: Retained) -> None:
    said: list[str] = []
    engine = world.vault._core.stores.transcripts.engine
    event.listen(engine, "connect", lambda raw, _record: raw.set_trace_callback(said.append))
    engine.dispose()
    world.clock.now += DAY
    world.purge()
    by = "SEARCH chapters USING INDEX sqlite_autoindex_chapters_1 (session_id=?"
    of_sessions = {one for one in said if "chapters" in one and "session_id IN (" in one}
    assert any(one.startswith("UPDATE chapters") for one in of_sessions)
    with connected(world.databases.transcripts) as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}").all() for one in of_sessions]
    steps = [step for plan in plans for *_, step in plan if " chapters" in step]
    assert {step[: len(by)] for step in steps} == {by}, steps


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_others_get_sqlite_for_a_moment_once_they_were_kept_from_it_for_long(
    world: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(Blocking, "pause", lambda _, seconds: waited.append(seconds))
    monkeypatch.setattr(taking, "ROWS", 2)  # each session goes alone
    monkeypatch.setattr(taking, "GAP", 10)
    monkeypatch.setattr(taking, "STRETCH", 0)
    world.clock.now += DAY
    assert world.purge().messages == 2 * len(USERS)
    assert waited == [10] * (len(USERS) - 1)


def test_threads_take_short_turns_only_as_long_as_they_work_beside_each_other() -> None:
    usual, blocking, go_on = sys.getswitchinterval(), Blocking(), Event()
    first, second = (blocking.begin(lambda: (sys.getswitchinterval(), go_on.wait(10))) for _ in range(2))
    go_on.set()
    for interval, _ in (first(), second()):
        assert interval < usual
    assert sys.getswitchinterval() == usual


def test_twice_as_many_days_of_a_session_take_twice_as_long_to_sum_up(tmp_path: Path) -> None:
    def steps(days: int) -> int:
        taken = []
        engine = create_engine(f"sqlite:///{tmp_path / str(days)}.db")
        transcripts.create_all(engine)
        with engine.begin() as connection:
            connection.execute(
                insert(chapters),
                [
                    {"id": day + 1, "session_id": 1, "epoch_id": day + 1, "seal": bytes(16), "state": 0}
                    for day in range(days)
                ],
            )
            said = {"session_id": 1, "role": "user", "created_at": 0, "body": b""}
            connection.execute(
                insert(messages),
                [{**said, "seq": seq, "chapter_id": seq // 10 + 1} for seq in range(days * 10)],
            )
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.set_progress_handler(lambda: taken.append(1), 100)
            found = list(sql.sums(connection, [1], range(1, days + 1), by_role=False))
            raw.set_progress_handler(None, 0)
        engine.dispose()
        assert [row[4] for row in found] == [10] * days
        return len(taken)

    assert steps(100) < 3 * steps(50)
