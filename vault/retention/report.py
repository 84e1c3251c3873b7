"""What a run did, or would do: for people, for JSON, and as the keyring remembers it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from vault.clock import to_datetime
from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.errors import TamperedError
from vault.forks import cached
from vault.retention.plan import ClassPlan, Kept, Plan, Tally
from vault.storage import runs as sql
from vault.storage.runs import RunRow


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """How much of something there is."""

    messages: int = 0
    sessions: int = 0
    users: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    records: int = 0


class KeptBack(msgspec.Struct, frozen=True, kw_only=True):
    """What is past its ceiling and stays, in all and by its grounds: holds, or rules with a floor."""

    all: Sum = Sum()
    by: dict[str, Sum] = {}


class ClassReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of one class. `looked_at` is what had to be looked at to decide."""

    name: str
    policy: str
    part: str
    goes: Sum
    held: KeptBack
    floored: KeptBack
    looked_at: int


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that would erase more than the share it allows."""

    policy: str
    goes: int
    of: int
    limit: float


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the policies: what goes by class, what keeps the rest, and which keys died.

    `opens_bodies`: a rule asks for metadata, so that bodies were opened to decide. `stopped`: somebody asked
    it to end early; what it closed is erased by the next run. A run without `ended_at` is under way, or was
    interrupted: `interrupted`, once somebody has noted that. `disregards`: until when runs count no more that
    a clock made which was ahead, since somebody has said so.
    """

    id: str
    policies: list[str]
    dry_run: bool
    now: datetime
    started_at: datetime
    ended_at: datetime | None = None
    stopped: bool = False
    interrupted: bool = False
    opens_bodies: bool = False
    classes: list[ClassReport] = []
    excesses: list[Excess] = []
    messages: int = 0
    originals: int = 0
    sessions: int = 0
    users: int = 0
    bytes: int = 0
    epochs: int = 0
    chapters: int = 0
    kept: int = 0
    resealed: int = 0
    records: int = 0
    certificate: str | None = None
    disregards: datetime | None = None


def class_reports(plan: Plan, done: Plan | None = None) -> list[ClassReport]:
    """Tell a plan by class; of a run that was carried out, what went is what it counted itself."""
    went = None if done is None else {(one.name, one.part): one.goes for one in done.classes}
    return [
        _class(one, one.goes if went is None else went.get((one.name, one.part), Tally()))
        for one in plan.classes
    ]


def _class(one: ClassPlan, goes: Tally) -> ClassReport:
    return ClassReport(
        name=one.name,
        policy=one.policy,
        part=one.part.value,
        goes=_sum(goes),
        held=_kept(one.held),
        floored=_kept(one.floored),
        looked_at=one.all.messages + one.all.records,
    )


def _kept(kept: Kept) -> KeptBack:
    return KeptBack(all=_sum(kept.all), by={name: _sum(one) for name, one in kept.by.items()})


def _sum(tally: Tally) -> Sum:
    return Sum(
        messages=tally.messages,
        sessions=tally.sessions,
        users=tally.users,
        bytes=tally.bytes,
        oldest=None if tally.oldest is None else to_datetime(tally.oldest),
        records=tally.records,
    )


def excesses(plan: Plan) -> list[Excess]:
    """Tell which policies would erase too much."""
    return [
        Excess(policy=one.policy, goes=one.goes, of=one.of, limit=float(one.limit)) for one in plan.excesses
    ]


class RunRecords:
    """Seals what is noted of runs: the guards go by the time of the last one."""

    def __init__(self, service: Callable[[], bytes]) -> None:
        self._service = service

    @cached
    def _key(self) -> bytes:
        return derive(self._service(), b"runs")

    def row(self, result: RunResult, started_at: int, cursor: int) -> RunRow:
        """Give a run as it is stored."""
        record = msgspec.json.encode(result).decode()
        row = RunRow(bytes.fromhex(result.id), started_at, cursor, record)
        return RunRow(row.id, row.started_at, row.cursor, row.record, self._seal(row))

    def read(self, row: RunRow) -> RunResult:
        """Give back what `row` stored; raise TamperedError for what it did not."""
        if not hmac.compare_digest(row.seal, self._seal(row)):
            raise TamperedError("the keyring holds the record of a run that was not written by this vault")
        return msgspec.json.decode(row.record, type=RunResult)

    def is_open(self, row: RunRow) -> bool:
        """Say whether a run has not come to its end, and nobody has noted yet that it never will."""
        left = self.read(row)
        return left.ended_at is None and not left.interrupted

    def interrupt(self, connection: Connection, row: RunRow) -> None:
        """Note that a run was ended by a crash."""
        closed = replace(self.read(row), interrupted=True)
        sql.update_run(connection, self.row(closed, row.started_at, row.cursor))

    def _seal(self, row: RunRow) -> bytes:
        said = bind(row.id, str(row.started_at).encode(), str(row.cursor).encode(), row.record.encode())
        return hmac.digest(self._key, said, "sha256")[:ID_BYTES]
