"""`hold`: forbid erasures, see what is forbidden, allow them again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.talking import Group, actor, as_json, counted, moment, put, put_facts, put_json, put_table, say

if TYPE_CHECKING:
    from vault.holding import Hold
    from vault.queue import Queued


@click.group("hold", cls=Group, examples=('vault hold add --user u-42 --reason "case 7"', "vault hold list"))
def hold() -> None:
    """Forbid erasures, and allow them again."""


@hold.command(
    "add",
    examples=(
        'vault hold add --user u-42 --reason "case 7"',
        'vault hold add --user u-42 --session s-1 --reason "case 7" --until 2030-12-31',
    ),
)
@click.option("--user", required=True, metavar="USER", help="Who is held.")
@click.option("--session", metavar="SESSION", help="Only this session of theirs.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; a refused erasure repeats it.")
@click.option("--until", metavar="DATE", help="The last day of the hold, or an ISO time with its zone; UTC.")
@actor
@as_json
@pass_given
def add(
    given: Given,
    user: str,
    session: str | None,
    reason: str,
    until: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Forbid every erasure of a user, or of a session.

    A hold on a user covers their sessions, also those that begin later. Forgetting fails with exit code 5;
    what the app pops, clears or deletes is hidden from it and stays.
    """
    ends = None if until is None else _moment(until)
    with given.open() as vault:
        placed = vault.hold(user, session, reason=reason, until=ends, actor=actor or login())
    if as_json:
        put_json(placed)
        return
    put(f"{_what(placed)} is held")
    put_facts([("hold", placed.id), ("reason", placed.reason), ("until", placed.until or "it is released")])


def _moment(said: str) -> datetime:
    """Understand a date, which is the last day of the hold, or a time."""
    from vault.errors import UsageError

    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        found = None
    if found is not None and len(said) == len("2030-12-31"):
        try:
            return found.replace(tzinfo=UTC) + timedelta(days=1)
        except OverflowError:
            raise UsageError(
                "the hold would end after the year 9999", hint="one without an end has no --until"
            ) from None
    if found is None or found.utcoffset() is None:
        raise UsageError(
            "--until is a date, or a time with its zone", hint="--until 2030-12-31, --until 2030-12-31T18:00Z"
        )
    return found


@hold.command("list", examples=("vault hold list", "vault hold list --json | jq '.[] | select(.in_force)'"))
@as_json
@pass_given
def list_holds(given: Given, as_json: bool) -> None:
    """List all holds there ever were, oldest first.

    In a pipe each line is a row, its values apart by tabs: hold, state, user, session, until, reason.
    """
    with given.open() as vault:
        found = vault.holds()
        waiting = vault.queued()
    if as_json:
        put_json(found)
    elif found:
        rows = [
            (one.id, _state(one), one.user_id or "", one.session_id or "", one.until, one.reason)
            for one in found
        ]
        put_table(("hold", "state", "user", "session", "until", "reason"), rows)
    else:
        say("nothing was ever held")
    if waiting:
        whom = " or ".join(
            f"a {what}" for what in ("user", "session") if what in {_of_what(one) for one in waiting}
        )
        say(f"{counted(len(waiting), 'request')} to forget {whom} waiting: vault hold queued")


def _of_what(one: Queued) -> str:
    return "session" if one.on_session else "user"


def _state(one: Hold) -> str:
    if one.in_force:
        return "in force"
    return "ended" if one.released_at is None else "released"


def _what(one: Hold) -> str:
    """Name what is held, as far as that is still here."""
    if one.user_id is None:
        return "a user who was forgotten"
    if not one.on_session:
        return f"user {one.user_id}"
    return f"session {one.session_id or '(erased)'} of user {one.user_id}"


@hold.command(
    "release",
    examples=(
        'vault hold release 5f0c… --reason "case 7 is closed"',
        "vault hold release 5f0c… && vault hold carry-out",
    ),
)
@click.argument("hold_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with the hold.")
@actor
@as_json
@pass_given
def release(given: Given, hold_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """End a hold.

    What has waited for that, requests to forget and what the app has removed, is done by the daemon at its
    next run, or by hold carry-out.
    """
    with given.open() as vault:
        released = vault.release(hold_id, reason=reason, actor=actor or login())
    if as_json:
        put_json(released)
        return
    at = "" if released.released_at is None else f", since {moment(released.released_at)}"
    put(f"{_what(released)} is released from hold {released.id}{at}")


@hold.command("queued", examples=("vault hold queued", "vault hold queued --json"))
@as_json
@pass_given
def queued(given: Given, as_json: bool) -> None:
    """List the requests to forget that wait.

    They come from forget-user and forget-session with --when-released or --except-floors, and are carried
    out when no hold is left and no rule keeps anything. In a pipe each line is a row, its values apart by
    tabs: certificate, user, session, until, requested, actor, reason.
    """
    with given.open() as vault:
        found = vault.queued()
    if as_json:
        put_json(found)
    elif found:
        rows = [
            (
                one.id,
                one.user_id or "",
                one.session_id or ("(erased)" if one.on_session else ""),
                one.until,
                one.requested_at,
                one.actor,
                one.reason,
            )
            for one in found
        ]
        put_table(("certificate", "user", "session", "until", "requested", "actor", "reason"), rows)
    else:
        say("no request waits")


@hold.command("carry-out", examples=("vault hold carry-out", "vault hold carry-out --json"))
@as_json
@pass_given
def carry_out(given: Given, as_json: bool) -> None:
    """Do what has waited for holds that have ended.

    Users and sessions are forgotten whose requests wait and that nothing holds or keeps any more; what the
    app popped, cleared or deleted under a hold is removed for good.
    """
    with given.open(None) as vault:  # with its policies: their floors count (P5)
        done = vault.carry_out_due()
        waiting = len(vault.queued())
    if as_json:
        put_json(done)
        return
    sessions = sum(one.kind == "forget-session" for one in done)
    users = len(done) - sessions
    counts = [counted(users, "user")] if users or not sessions else []
    counts += [counted(sessions, "session")] if sessions else []
    put(f"{' and '.join(counts)} forgotten, {counted(waiting, 'request')} still waiting")
    if done:
        rows = [(one.id, one.status, one.sessions, one.messages, one.due_at, one.kind) for one in done]
        put_table(("certificate", "status", "sessions", "messages", "due", "kind"), rows)
