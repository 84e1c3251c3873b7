"""Attacks on a vault, column by column, and what must not have been answered (P2, P7).

An attack is judged by what two vaults say afterwards: one that was open before, with its keys in memory, and
one opened after. Each answer is the truth, or an error that says what is wrong; there is no third.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import msgspec
from court import READING, Court, truth
from sqlalchemy import Column
from stages import NEW, TABLES, RefusedError, Row, Stage, Thief, said

from vault.crypto.envelope import HEAD
from vault.storage import schema

# -- attacks ---------------------------------------------------------------------------------------------

_PLAIN = b"\0" + msgspec.msgpack.encode(["plain text"])


@dataclass(frozen=True)
class Attack:
    """One thing that a thief does to one row."""

    name: str
    do: Callable[[Thief], object]


def kind_of(column: Column[Any]) -> type:
    """What is stored in a column."""
    return column.type.kind if isinstance(column.type, schema.Checked) else column.type.python_type


def edits(stage: Stage, table: str, row: Row, column: str) -> Iterator[Attack]:
    """Write something else into one column of one row."""
    value, kind = row[column], kind_of(TABLES[table].c[column])
    others = [other[column] for other in stage.now[table] if other[column] not in {None, value}][:2]
    older = [old[column] for past in stage.past for old in same(past[table], table, row)]
    is_loose = stage.databases.dialect == "sqlite"
    candidates = [
        *_edited(kind, value),
        *(("older", one) for one in older),
        *(("of another row", one) for one in others),
        *([("nothing", None)] if TABLES[table].c[column].nullable else []),
        *(_malformed(kind) if is_loose else []),
    ]
    seen: list[object] = [value]
    for name, new in candidates:
        if not any(new == one and type(new) is type(one) for one in seen):
            seen.append(new)
            yield Attack(name, partial(Thief.change, table=table, row=row, values={column: new}))
    if is_loose:
        yield Attack("not UTF-8", partial(Thief.garble, table=table, row=row, column=column))
    other = next((one for one in stage.now[table] if one[column] not in {None, value}), None)
    if other is not None and value is not None:
        yield Attack("swapped", partial(Thief.swap, table=table, rows=(row, other), columns=[column]))


def _edited(kind: type, value: Any) -> list[tuple[str, object]]:
    if kind is bytes:
        value = value or b""
        return [
            ("changed", bytes([value[0] ^ 1]) + value[1:] if value else b"\1"),
            ("changed at the end", value[:-1] + bytes([value[-1] ^ 128]) if value else b"\2"),
            ("shorter", value[:-1]),
            ("longer", value + b"\0"),
            ("empty", b""),
            ("random", os.urandom(len(value) or 16)),
            ("forged", HEAD + os.urandom(max(len(value) - 2, 28))),
            ("plain", _PLAIN),
        ]
    if kind is int:
        value = value or 0
        numbers = (0, 1, 7, -value - 2, 2**31 - 1, 2**31, 2**62, 2**62 + 1, 2**63 - 1, -(2**63))
        return [
            ("changed", value + (1 if value < 10 else 1000)),  # further than a counter comes meanwhile
            ("one less", value - 1),
            *((f"{number}", number) for number in numbers),
        ]
    assert kind is str, kind
    return [
        ("changed", value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"),
        ("shorter", value[:-1]),
        ("empty", ""),
        ("longer", value + "x"),
        ("in capitals", value.upper()),
    ]


def _malformed(kind: type) -> list[tuple[str, object]]:
    """What only SQLite lets a column hold."""
    every: list[object] = ["text", b"blob", 7, 1.5, 2**40]
    return [("of another type", value) for value in every if not isinstance(value, kind)]


def row_attacks(stage: Stage, table: str, row: Row) -> Iterator[Attack]:
    """Take a row away, put an older one in its place, or a second one beside it."""
    yield Attack("deleted", partial(Thief.delete, table=table, row=row))
    for old in (old for past in stage.past for old in same(past[table], table, row)):
        if old != row:
            yield Attack("older row", partial(Thief.change, table=table, row=row, values=old))
    for column in TABLES[table].primary_key:
        free: dict[type, list[object]] = {
            bytes: [os.urandom(16)],
            str: ["another"],
            int: [len(stage.now[table]) + 7, -1, 2**62],
        }
        for value in free[kind_of(column)]:
            insert = partial(Thief.insert, table=table, row={**row, column.name: value})
            yield Attack(f"copied to another {column.name}", insert)


def removed_rows(stage: Stage, table: str) -> Iterator[Attack]:
    """Put back what was removed."""
    known: list[Row] = []
    for past in stage.past:
        for old in past[table]:
            if not same(stage.now[table], table, old) and old not in known:
                known.append(old)
                yield Attack("put back", partial(Thief.insert, table=table, row=old))


def is_rows(rows: Sequence[Row], table: str, row: Row) -> bool:
    """Say whether a table has a row in this place."""
    return bool(same(rows, table, row))


def same(rows: Sequence[Row], table: str, row: Row) -> list[Row]:
    """Find the row in the same place."""
    keys = [column.name for column in TABLES[table].primary_key]
    return [one for one in rows if all(one[key] == row[key] for key in keys)]


# -- the matrix ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """What holds for some attacks beside the common rule: that a TamperedError, or nothing, answers them.

    `where` is table/victim/column/attack with wildcards. `errors` are right there, too, for the reason `why`.
    `is_harmless`: nobody has to notice. `untrue`: questions whose answers are not promised there.
    """

    where: str
    why: str
    errors: frozenset[str] = frozenset()
    is_harmless: bool = False
    untrue: tuple[str, ...] = ()


OUTDATED = frozenset({"KeyringOutdatedError"})
WRONG = frozenset({"WrongKeyError"})


def places(stage: Stage, target: str) -> Iterator[tuple[str, Attack]]:
    """Give all attacks on a target, a table's column or its rows as such, each with its place."""
    table, _, column = target.partition(".")
    for victim, row in stage.victims(table).items():
        attacks = row_attacks(stage, table, row) if column == "row" else edits(stage, table, row, column)
        for attack in attacks:
            yield f"{table}/{victim}/{column}/{attack.name}", attack
    if column == "row":
        for attack in removed_rows(stage, table):
            yield f"{table}/removed/row/{attack.name}", attack


def targets(tables: Iterable[str]) -> list[str]:
    """Give every column of some tables, and their rows: from the schema, so that none is forgotten."""
    return [
        f"{table}.{name}"
        for table in tables
        for name in (*(column.name for column in TABLES[table].columns), "row")
    ]


class Depth(enum.Enum):
    """How many of the attacks are made."""

    FEW = ("changed", "swapped", "deleted")  # on the first victim of a table
    MANY = ("changed", "swapped", "deleted", "older*", "of another row", "forged", "put back")
    ALL = ("*",)

    def takes(self, stage: Stage, where: str) -> bool:
        """Say whether an attack is made."""
        table, victim, _, name = where.split("/")
        is_first = victim == next(iter(stage.victims(table)))
        return (is_first or self is not Depth.FEW) and any(fnmatchcase(name, one) for one in self.value)


def verdict(stage: Stage, target: str, depth: Depth, rules: Sequence[Rule]) -> list[str]:
    """Attack one target in many ways; give what must not have been answered."""
    table, found, heard = target.partition(".")[0], [], 0
    for where, attack in places(stage, target):
        if depth.takes(stage, where):
            court = attacked(stage, table, attack)
            if court is not None:
                heard += 1
                found += faults(court, where, rules)
    assert heard or depth is Depth.FEW, "the database refused everything"
    return found


def attacked(stage: Stage, table: str, attack: Attack) -> Court | None:
    """Attack under a vault that has all in memory; hear it and a fresh one. None: the database refused."""
    stage.reset()
    court = Court(stage)
    with stage.open() as vault:
        court.warm(vault)
        try:
            with stage.thief(table) as thief:
                attack.do(thief)
        except RefusedError:
            return None
        court.hear(vault, "warm")
    court.hear_fresh()
    return court


def _owner(question: str) -> str:
    return next((who for who in ("other user", "enrolled again") if who in question), "alice")


def _texts(answer: object) -> set[str]:
    return set(re.findall(r"spoken \d+", repr(answer)))


def heard_by_two(stage: Stage) -> Court:
    """Ask a fresh process only for what two users have."""
    court = Court(stage)
    with stage.open() as vault:
        for name in ("messages", "messages, other user", "sessions", "sessions, other user", "users"):
            court.compare("fresh", name, court.ask(READING[name], vault))
    return court


def heard_of_doubled(stage: Stage, table: str) -> Court:
    """Put a row into a table a second time, past its primary key; ask a fresh process."""
    with stage.thief(table) as thief:
        thief.run(f"ALTER TABLE {table} RENAME TO before")
        thief.run(f"CREATE TABLE {table} AS SELECT * FROM before")
        thief.insert(table, next(iter(stage.victims(table).values())))
    court = Court(stage)
    court.hear_fresh()
    return court


def faults(court: Court, where: str, rules: Sequence[Rule]) -> list[str]:
    """Say what must not have been answered."""
    mine = [rule for rule in rules if fnmatchcase(where, rule.where)]
    errors = {"TamperedError"}.union(*(rule.errors for rule in mine))
    found = [f"{place}: {error}" for place, error in court.noticed.items() if error not in errors]
    found += [f"{place}: {error}" for place, error in court.raw.items()]
    found += court.leaks
    untrue = [pattern for rule in mine for pattern in rule.untrue]
    for place, answer in court.untrue.items():
        question = place.partition(": ")[2]
        own = _texts(
            [
                true
                for name, true in truth(court.stage, court.added).items()
                if _owner(name) == _owner(question)
            ]
        )
        own |= _texts((said(98), NEW))
        if not any(fnmatchcase(question, pattern) for pattern in untrue) or not _texts(answer) <= own:
            found.append(f"{place}: {answer!r}")
    is_quiet = not any(place.startswith("fresh") for place in court.noticed)
    if is_quiet and not any(rule.is_harmless for rule in mine):
        found.append("a fresh process noticed nothing")
    return [f"{where}: {fault}" for fault in found]
