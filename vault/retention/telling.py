"""What the log says of runs: by which rules, what was planned, what was done; no ids (P6)."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection

from vault.crypto.envelope import ID_BYTES
from vault.evidence.entries import Act, Draft, Entry, Step
from vault.evidence.entries import Kind as Event
from vault.evidence.log import Log
from vault.retention.classes import Classes
from vault.retention.report import RunRecords, RunResult
from vault.storage import log as log_sql
from vault.storage import runs as sql
from vault.storage.runs import RunRow

# All entries about the policies are one act, by which the last one is found.
POLICY_ACT = hashlib.sha256(b"the policies in force").digest()[:ID_BYTES]
_LOOKED_AT = 100  # runs; each closes those before it


class RunLog:
    """Writes of each run an intent before anything is erased, and a completion with its end."""

    def __init__(self, log: Log, records: RunRecords, classes: Classes) -> None:
        self._log = log
        self._records = records
        self._classes = classes

    def begin(self, connection: Connection, row: RunRow, planned: RunResult, actor: str) -> None:
        """Note a run that is about to begin; close those before it that never came to an end."""
        drafts = [self._close(connection, one) for one in sql.last_runs(connection, _LOOKED_AT)]
        sql.add_run(connection, row)
        intent = self._log.draft(
            Event.PURGE_RUN, act=row.id, step=Step.INTENT, actor=actor, **self._facts(planned)
        )
        self._log.head(connection, lock=True)  # nobody else says meanwhile by which rules is erased
        policy = self._policy(connection, planned, actor)
        self._log.begin_act(connection, [*(one for one in drafts if one), *policy, intent], row.id)

    def _close(self, connection: Connection, row: RunRow) -> Draft | None:
        """Complete a run that a crash ended. One that is alive after all adds its own end later."""
        if not self._records.is_open(row) or not self._log.acts.end(connection, row.id):
            return None  # it has ended just now
        self._records.interrupt(connection, row)
        return self._log.completion(Act(row.id, Event.PURGE_RUN), ended="interrupted")

    def _policy(self, connection: Connection, planned: RunResult, actor: str) -> list[Draft]:
        """Say by which rules it goes from now on, where the last run went by others."""
        before, _ = self.last_rules(connection)
        mark = self._classes.mark
        if before == mark:
            return []
        return [
            self._log.draft(
                Event.POLICY,
                act=POLICY_ACT,
                actor=actor,
                mark=mark,
                before=before,
                policies=planned.policies,
                rules=len(self._classes.policies.rules),
            )
        ]

    @staticmethod
    def last_rules(connection: Connection) -> tuple[str | None, list[str]]:
        """Give the mark of the rules by which the last run went, and the names of its policies."""
        facts: dict[str, Any] = {}
        for row in log_sql.entries_of(connection, {POLICY_ACT}):
            facts = Entry.read(row.entry).facts
        return facts.get("mark"), facts.get("policies", [])

    def end(self, connection: Connection, row: RunRow, done: RunResult, actor: str) -> None:
        """Note how a run ended."""
        self._log.acts.end(connection, row.id)
        sql.update_run(connection, row)
        told = self._log.completion(
            Act(row.id, Event.PURGE_RUN, actor=actor),
            ended="stopped" if done.stopped else "done",
            certificate=done.certificate,
            epochs=done.epochs,
            chapters=done.chapters,
            **self._facts(done),
        )
        self._log.add(connection, [told])

    def _facts(self, result: RunResult) -> dict[str, Any]:
        return {
            "mark": self._classes.mark,
            "policies": result.policies,
            "messages": result.messages,
            "originals": result.originals,
            "sessions": result.sessions,
            "users": result.users,
            "classes": {
                f"{one.name} ({one.part})": {
                    "goes": one.goes.messages,
                    "held": one.held.all.messages,
                    "floored": one.floored.all.messages,
                }
                for one in result.classes
            },
        }
