"""`vault.wrap`: what reaches a memory's own storage is sealed, for every kind of memory."""

from __future__ import annotations

import pytest
import wrapped
from attacker import Attacker, root_keys
from faces import DAY, Home
from test_strings import search
from wrapped import SAID, Bench

from vault import Vault
from vault.errors import SessionForgottenError, TamperedError, UserForgottenError
from vault.evidence.certificate import Why

bench, home, vault = wrapped.bench, wrapped.home, wrapped.vault


def end_epoch(vault: Vault, day: int) -> None:
    """Erase an epoch, as a retention run does."""
    core = vault._core
    [(_, opened)] = core.keyring.find_epochs([("default", day)]).items()
    where = core.keyring.epoch_slot("default", day)
    intent = core.eraser.begin(Why.PURGE, [opened.id], where, reason="", actor="", now=True)
    core.eraser.carry_out([intent], now=True)


def test_a_wrapped_memory_gives_what_was_added(bench: Bench, vault: Vault) -> None:
    memory = bench.wrap(vault, "u-1", "s-1")
    bench.add(memory, SAID[:2])
    bench.add(memory, SAID[2:])
    assert bench.read(memory) == SAID
    assert [one.role for one in vault.transcript("u-1", "s-1").messages()] == [role for role, _ in SAID]
    assert vault.sessions("u-1")[0].messages == len(SAID)


def test_it_is_the_same_in_another_process(bench: Bench, home: Home) -> None:
    with home.open() as vault:
        bench.add(bench.wrap(vault, "u-1", "s-1"), SAID[:2])
    with home.open() as vault:
        memory = bench.wrap(vault, "u-1", "s-1")
        assert bench.read(memory) == SAID[:2]
        bench.add(memory, SAID[2:])
        assert bench.read(memory) == SAID


def test_p1_nothing_that_was_said_reaches_the_storage(bench: Bench, vault: Vault) -> None:
    words = {text for _, text in SAID}
    bench.add(bench.wrap(vault, "u-1", "s-1"), SAID)
    stored = "\n".join(bench.raw("s-1")).encode()
    assert len(bench.raw("s-1")) == len(SAID)
    assert search({"memory": stored}, words) == set()
    assert all("tv1." in row for row in bench.raw("s-1"))
    bench.add(bench.open("s-2"), SAID)
    assert search({"memory": "\n".join(bench.raw("s-2")).encode()}, {"Monday"}) != set()  # the search finds


def test_p2_two_users_with_the_same_session_id_share_nothing(bench: Bench, vault: Vault) -> None:
    bench.add(bench.wrap(vault, "u-1", "s-1"), SAID)
    theirs = bench.wrap(vault, "u-2", "s-1")
    with pytest.raises(TamperedError):
        bench.read(theirs)
    bench.write("s-1", [])
    bench.add(theirs, SAID[:1])
    assert bench.read(theirs) == SAID[:1]
    with pytest.raises(TamperedError):
        bench.read(bench.wrap(vault, "u-1", "s-1"))


# -- forgetting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["user", "session"])
def test_p3_old_copies_of_all_stores_and_the_present_root_open_nothing_that_was_forgotten(
    bench: Bench, home: Home, what: str
) -> None:
    databases = home.databases
    with home.open() as vault:
        bench.add(bench.wrap(vault, "u-1", "s-1"), SAID[:2])
        bench.add(bench.wrap(vault, "u-2", "s-2"), [("user", "I stay.")])
        keyrings, transcripts = [databases.dump(databases.keyring)], [databases.dump(databases.transcripts)]
        bench.add(bench.wrap(vault, "u-1", "s-1"), SAID[2:])
        keyrings.append(databases.dump(databases.keyring))
        transcripts.append(databases.dump(databases.transcripts))
        memories = [row for session in ("s-1", "s-2") for row in bench.raw(session)]
        before = Attacker(vault._core.stores.vault, root_keys(home.root))
        before.take_keyrings(keyrings)
        assert before.read_outside(transcripts, memories) == {text for _, text in SAID} | {"I stay."}
        if what == "user":
            vault.forget_user("u-1", now=True)
        else:
            vault.forget_session("u-1", "s-1", now=True)
        keyrings.append(databases.dump(databases.keyring))
        transcripts.append(databases.dump(databases.transcripts))
        after = Attacker(vault._core.stores.vault, root_keys(home.root))
        after.take_keyrings(keyrings)
        assert after.read_outside(transcripts, memories) == {"I stay."}


@pytest.mark.parametrize("what", ["user", "session"])
def test_p7_reading_and_writing_after_a_forget_raises(bench: Bench, vault: Vault, what: str) -> None:
    memory, other = bench.wrap(vault, "u-1", "s-1"), bench.wrap(vault, "u-1", "s-2")
    bench.add(memory, SAID)
    bench.add(other, SAID)
    stored = bench.raw("s-1")
    error: type[Exception] = UserForgottenError
    if what == "user":
        vault.forget_user("u-1", now=True)
    else:
        error = SessionForgottenError
        vault.forget_session("u-1", "s-1", now=True)
        assert bench.read(other) == SAID
    for _ in range(2):
        for one in (memory, bench.wrap(vault, "u-1", "s-1")):
            with pytest.raises(error):
                bench.read(one)
            with pytest.raises(error):
                bench.add(one, SAID)
    assert bench.raw("s-1") == stored


def test_p7_after_enrolling_again_what_lies_there_of_before_is_left_out(bench: Bench, vault: Vault) -> None:
    memory = bench.wrap(vault, "u-1", "s-1")
    bench.add(memory, SAID[:2])
    vault.forget_user("u-1", now=True)
    vault.enroll("u-1")
    assert bench.read(memory) == []
    bench.add(memory, SAID[2:])
    assert bench.read(memory) == SAID[2:]
    vault.forget_session("u-1", "s-1", now=True)
    vault.enroll("u-1", "s-1")
    bench.add(memory, SAID[:1])
    assert bench.read(memory) == SAID[:1]
    assert len(bench.raw("s-1")) == 4


def test_a_certificate_counts_what_lies_outside(bench: Bench, vault: Vault) -> None:
    bench.add(bench.wrap(vault, "u-1", "s-1"), SAID)
    assert vault.footprint("u-1").messages == len(SAID)
    assert vault.forget_user("u-1", now=True).messages == len(SAID)


def test_clearing_erases_the_keys_and_empties_the_memory(bench: Bench, vault: Vault) -> None:
    memory = bench.wrap(vault, "u-1", "s-1")
    bench.add(memory, SAID)
    stolen = bench.raw("s-1")
    bench.clear(memory)
    assert bench.read(memory) == []
    assert bench.raw("s-1") == []
    bench.write("s-1", stolen)  # as if the process had died before the memory was cleared
    assert bench.read(memory) == []
    bench.add(memory, SAID[:1])
    assert bench.read(memory) == SAID[:1]


# -- retention -------------------------------------------------------------------------------------------


def test_p4_what_retention_took_is_left_out_and_counted(bench: Bench, home: Home) -> None:
    with home.open() as vault:
        memory = bench.wrap(vault, "u-1", "s-1")
        bench.add(memory, SAID[:2])
        home.clock.now += DAY
        bench.add(memory, SAID[2:])
        end_epoch(vault, (home.clock.now - DAY) // DAY)
        assert bench.read(memory) == SAID[2:]
        assert len(bench.raw("s-1")) == len(SAID)
        bench.add(memory, SAID[:1])
        assert bench.read(memory) == [*SAID[2:], *SAID[:1]]
    with home.open() as vault:
        assert bench.read(bench.wrap(vault, "u-1", "s-1")) == [*SAID[2:], *SAID[:1]]


# -- tampering -------------------------------------------------------------------------------------------


MANY = [("user" if number % 2 == 0 else "assistant", f"message {number}") for number in range(6)]


def thefts(rows: list[str], others: list[str], plain: list[str]) -> dict[str, list[str]]:
    """What a thief who may write to the memory may leave there."""
    edited = (
        rows[3][: (at := rows[3].index("tv1.") + 80)]
        + ("A" if rows[3][at] != "A" else "B")
        + rows[3][at + 1 :]
    )
    swapped = swap(rows[2], rows[4]), swap(rows[4], rows[2])
    return {
        "an edited body": [*rows[:3], edited, *rows[4:]],
        "a body cut short": [
            *rows[:3],
            rows[3].replace(envelope(rows[3]), envelope(rows[3])[:-8]),
            *rows[4:],
        ],
        "a body of another session": [*rows[:3], others[3], *rows[4:]],
        "a body of another session added": [*rows, others[0]],
        "two bodies swapped in their rows": [*rows[:2], swapped[0], rows[3], swapped[1], rows[5]],
        "a body under another role": [*rows[:2], swap(rows[3], rows[2]), swap(rows[2], rows[3]), *rows[4:]],
        "two neighbours in another order": [*rows[:2], rows[3], rows[2], *rows[4:]],
        "the first at the end": [*rows[1:], rows[0]],
        "the last at the beginning": [rows[5], *rows[:5]],
        "all turned round": rows[::-1],
        "a body replayed": [*rows, rows[2]],
        "a body replayed beside itself": [*rows[:3], rows[2], *rows[3:]],
        "a body replayed in another's place": [*rows[:3], rows[2], *rows[4:]],
        "a plain text": [*rows[:3], plain[0], *rows[3:]],
        "a plain text in another's place": [*rows[:3], plain[0], *rows[4:]],
        "one missing in the middle": [*rows[:3], *rows[4:]],
        "the first missing": rows[1:],
        "the last missing": rows[:-1],
        "all missing": [],
    }


def envelope(row: str) -> str:
    """Find the envelope in a stored row."""
    return row[(start := row.index("tv1.")) : row.index('"', start)]


def swap(row: str, other: str) -> str:
    """Put another row's envelope into a row."""
    return row.replace(envelope(row), envelope(other))


def test_p2_whatever_is_changed_in_the_memory_is_noticed(bench: Bench, vault: Vault) -> None:
    memory = bench.wrap(vault, "u-1", "s-1")
    for one in MANY:
        bench.add(memory, [one])
    bench.add(bench.wrap(vault, "u-1", "s-2"), MANY)
    bench.add(bench.open("s-3"), MANY[3:4])
    rows = bench.raw("s-1")
    for name, left in thefts(rows, bench.raw("s-2"), bench.raw("s-3")).items():
        bench.write("s-1", left)
        with pytest.raises(TamperedError):
            pytest.fail(f"{name}: {bench.read(memory)}")
    bench.write("s-1", rows)
    assert bench.read(memory) == MANY
