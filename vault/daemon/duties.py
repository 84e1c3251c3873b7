"""The duties themselves, each a thin shell around what the vault can do anyway."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from vault.clock import DAY
from vault.core import Core
from vault.daemon.leading import MINUTE, Duty, Facts, MayGoOn
from vault.daemon.steady import steady_trigger
from vault.errors import KeyringOutdatedError, MissingError, TamperedError
from vault.opening import end_silent, make_ready
from vault.retention.policy import Policies, Policy
from vault.storage import erasures, transcripts
from vault.storage.erasures import Phase
from vault.telemetry import Metrics, tell

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

PURGE = "purge"
_SAMPLE_USERS = 20
_SAMPLE_SESSIONS = 3
_SAMPLE_MESSAGES = 50


def trigger_of(policy: Policy) -> CronTrigger:
    """Give a policy's schedule in the form in which APScheduler takes it."""
    said = policy.schedule
    return steady_trigger()(
        minute=said.minute,
        hour=said.hour,
        day=said.day,
        month=said.month,
        day_of_week=said.weekday,
        timezone=policy.zone,
    )


def triggers_of(policies: Policies | None) -> Sequence[CronTrigger]:
    """Give all schedules. A run always decides by all policies together, whichever asked for it (P5)."""
    return [] if policies is None else [trigger_of(policy) for policy in policies.policies]


def erasing(core: Core) -> Duty:
    """Complete what was interrupted, destroy the root generations that are due.

    Where the keyring lies behind its root, it repeats what is missing, as an opening does.
    An export, an import or a purge that was interrupted can't be completed: the log says that of it.
    """

    def act(_: MayGoOn) -> Facts:
        def open_ones(connection: Connection) -> int:
            return sum(row.phase < Phase.FINAL for row in erasures.intents_before(connection, Phase.FINAL))

        before = core.stores.keyring.read(open_ones)
        try:
            core.eraser.take_up()  # where nothing is open too: a rotation may be due, or a mirror be behind
        except KeyringOutdatedError:  # an opening could not write to the keyring what the root remembers
            make_ready(core.stores, core.keyring, core.eraser)
            core.eraser.take_up()
        silent = end_silent(core.stores, core.keyring)
        return {
            "interrupted_acts": silent,
            "became_final": before - core.stores.keyring.read(open_ones) if before else 0,
        }

    return Duty("erasures", act, every=MINUTE)


def sampling(core: Core) -> Duty:
    """Open the last messages of some sessions, chosen at random: what does not open is found in time."""
    dice = random.SystemRandom()

    def act(may_go_on: MayGoOn) -> Facts | None:
        newest = core.stores.transcripts.read(transcripts.newest_user)
        users, _ = core.lister.users_page(dice.randrange(newest) if newest else 0)
        read = opened = 0
        for user in dice.sample(users, min(len(users), _SAMPLE_USERS)):
            if not may_go_on():
                return None
            with suppress(MissingError):  # is just being forgotten
                try:
                    sessions = core.lister.sessions(user)
                    for one in dice.sample(sessions, min(len(sessions), _SAMPLE_SESSIONS)):
                        read += len(
                            core.reader.messages(user, one.session_id, last=_SAMPLE_MESSAGES, before=None)
                        )
                        opened += 1
                except TamperedError as error:
                    core.keyring.log.failed_integrity(error)
                    raise
        return {"sessions_opened": opened, "messages_opened": read}

    return Duty("integrity", act, every=DAY // 24)


def purging(core: Core, metrics: Metrics) -> Duty:
    """Purge on the schedules of the policies that are in force when it is asked.

    Where they are read again meanwhile, and say something else, the run ends and is begun anew by those:
    they may keep what those of before would take next (P5).
    """

    def act(may_go_on: MayGoOn) -> Facts | None:
        policies = core.policies
        if policies is None:
            return {}

        def should_stop() -> bool:
            return not may_go_on() or core.policies != policies

        runs = core.runs()
        if (before := runs.other_rules()) is not None:  # they were edited, or another daemon has others
            names = [one.name for one in policies.policies]
            tell(logging.WARNING, "the rules are others than at the last run", before=before, policies=names)
        result = runs.run(actor="the daemon", should_stop=should_stop)
        for gauge in ("held_messages", "floored_messages"):
            metrics.clear(gauge)  # a class of which nothing is left is not in the result
        for one in result.classes:
            labels = {"policy": one.policy, "class": one.name, "part": one.part}
            metrics.count("purged_messages_total", "Messages purged", one.goes.messages, **labels)
            metrics.show("held_messages", "Past their date, and on hold", one.held.all.messages, **labels)
            kept = one.floored.all.messages
            metrics.show("floored_messages", "Past their date, and kept by a floor", kept, **labels)
        if result.stopped:
            return None
        sums = {"messages": result.messages, "originals": result.originals, "epochs": result.epochs}
        return {"policies": result.policies, **sums}

    return Duty(PURGE, act, triggers=lambda: triggers_of(core.policies))


def answering(core: Core) -> Duty:
    """Do what has waited for the end of holds."""

    def act(_: MayGoOn) -> Facts:
        return {"forgotten": len(core.queue.carry_out_due())}

    return Duty("requests", act, every=MINUTE)


def anchoring(core: Core, anchor: str | os.PathLike[str] | None = None) -> Duty:
    """Sign each day what the log is, into a directory where one is given, and into the daemon's own log.

    Whoever sets the log of the keyring back has to reach those, too (P6).
    """

    def act(_: MayGoOn) -> Facts:
        return {"checkpoint": core.auditor.checkpoint(anchor)}

    return Duty("checkpoint", act, every=DAY)


def duties_of(core: Core, metrics: Metrics, anchor: str | os.PathLike[str] | None = None) -> list[Duty]:
    """Give all that the daemon of a vault does, in the order in which it does it."""
    return [erasing(core), answering(core), purging(core, metrics), anchoring(core, anchor), sampling(core)]
