"""`daemon`: what the policies say, done on schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Command, say
from vault.errors import UnavailableError

if TYPE_CHECKING:
    from vault.daemon.leading import Leader
    from vault.daemon.lease import Lease


@click.command(
    "daemon",
    cls=Command,
    examples=(
        "vault --vault chat-vault daemon",
        "vault daemon --listen 127.0.0.1:9000",
        "vault daemon --anchor /mnt/elsewhere/checkpoints",
        "vault daemon --once",
    ),
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="127.0.0.1:8642",
    show_default=True,
    help="Where /livez, /readyz and /metrics are; none: nowhere.",
)
@click.option(
    "--anchor",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write a signed checkpoint of the log to a directory each day.",
)
@click.option("--once", is_flag=True, help="Do what is due now, and end: for cron.")
@pass_given
def daemon(given: Given, listen: str, anchor: str | None, once: bool) -> None:
    """Run what is due: purges, erasures, generations.

    Of many daemons on one vault one leads; another takes over half a minute after it fell silent. Logs are
    lines of JSON on stderr, without content and without ids. SIGHUP reads the policies again, and so does
    whoever takes over; SIGTERM lets the batch in hand come to its end, a second one ends at once.
    """
    import threading

    from vault.daemon.duties import duties_of
    from vault.daemon.health import address_of
    from vault.daemon.leading import Leader
    from vault.daemon.lease import Lease
    from vault.daemon.serving import Service, monotonic
    from vault.daemon.turns import LEADING, Turns
    from vault.telemetry import Metrics, log_to_stderr

    where = None if listen == "none" or once else address_of(listen)
    stop, metrics = threading.Event(), Metrics()
    with given.open(None) as vault:
        core = vault._core  # noqa: SLF001 (a face of its own, beside the library's)
        log_to_stderr()
        lease = Lease(core.stores.keyring, LEADING, monotonic)
        turns = Turns(core.stores.keyring, lambda: core.keyring.service)
        leader = Leader(
            duties_of(core, metrics, anchor),
            lease=lease,
            turns=turns,
            clock=core.stores.clock,
            stop=stop,
            metrics=metrics,
        )
        try:
            if once:
                _once(leader)
            else:
                Service(leader, core, stop, metrics).run(where)
        finally:
            _give_back(lease)


def _give_back(lease: Lease) -> None:
    """Let another daemon lead at once; where the keyring is away, it leads when the term is over."""
    from vault.telemetry import tell_error

    try:
        lease.release()
    except UnavailableError as error:
        tell_error("the lease can't be given back", error)


def _once(leader: Leader) -> None:
    """Do what is due; another daemon that leads does it just as well. What went wrong is the exit code."""
    from vault.daemon import pacing, serving

    if leader.lead(pacing.pause):
        with pacing.repeated(leader.beat, serving.BEAT):  # the others see that it lives
            leader.tick()
    elif leader.trouble is None:
        say("another daemon leads: nothing to do here")
    if leader.trouble is not None:
        raise leader.trouble
