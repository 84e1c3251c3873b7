"""`keys`: the root's generations, how they change, and which keyring may change them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.moving import move
from vault.cli.talking import (
    Group,
    actor,
    as_json,
    ask_confirm,
    check_confirm,
    counted,
    dry,
    put,
    put_facts,
    put_json,
    put_table,
    say,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from vault.evidence.certificate import Certificate
    from vault.status import KeysStatus


@click.group("keys", cls=Group, examples=("vault keys status", "vault keys rotate --dry-run"))
def keys() -> None:
    """See, rotate and destroy root generations; adopt."""


keys.add_command(move)


def _status(given: Given) -> KeysStatus:
    from vault.status import read_status

    with given.look() as stores:
        return read_status(stores)


@keys.command("status", examples=("vault keys status", "vault keys status --json | jq .provisional"))
@as_json
@pass_given
def status(given: Given, as_json: bool) -> None:
    """Say how the root and the keyring stand.

    Nothing is changed, nor completed, by looking: unfinished counts erasures that are to be completed,
    provisional those that wait for the horizon.
    """
    found = _status(given)
    if as_json:
        put_json(found)
        return
    home = "yes" if found.is_home else "no: this is a copy, or was moved, and does not erase"
    put_facts(
        [
            ("vault", found.vault),
            ("root", found.root),
            ("generation", f"{found.ordinal} ({found.generation})"),
            ("at home", home),
            ("nodes", ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.nodes.items()))),
            ("unfinished", counted(found.unfinished, "erasure")),
            ("provisional", counted(found.provisional, "erasure")),
        ]
    )
    if found.retired:
        put()
        put_table(
            ("retired generation", "since", "due"),
            [(f"{one.ordinal} ({one.id[:8]})", one.retired_at, one.due_at) for one in found.retired],
        )
    for warning in found.warnings:
        say(f"warning: {warning}")


@keys.command(
    "destroy-due",
    examples=(
        "vault keys destroy-due",
        "vault keys destroy-due --now --dry-run",
        "vault keys destroy-due --now --confirm file:/mnt/a/root.key",
    ),
)
@click.option("--now", is_flag=True, help="Destroy all retired generations, due or not.")
@click.option("--confirm", metavar="NAME", help="With --now: the root again, as keys status calls it.")
@actor
@dry
@as_json
@pass_given
def destroy_due(
    given: Given, now: bool, confirm: str | None, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Destroy retired root generations that are due.

    The certificates that waited for it become final. With --now no keyring from before this moment can be
    restored any more, whatever the horizon.
    """
    before = _status(given)
    if now and not dry_run:
        check_confirm(before.root, confirm)
    at = datetime.now(UTC)
    due = [one.ordinal for one in before.retired if now or one.due_at <= at]
    if dry_run:
        _tell_destroyed("would destroy", due, [], as_json=as_json)
        return
    if now:
        what = f"destroying {counted(len(due), 'retired generation')} of {before.root}"
        ask_confirm(what, before.root, confirm)
    with given.look() as stores:
        waiting = stores.keyring.read(_not_final)
    with given.open() as vault:  # what is due goes already by opening
        vault.destroy_due(now=now, actor=actor or login())
        final = [one for one in vault.certificates() if one.id in waiting and one.final_at is not None]
        left = {one.ordinal for one in vault.keys_status().retired}
    gone = [one.ordinal for one in before.retired if one.ordinal not in left]
    _tell_destroyed("destroyed", gone, final, as_json=as_json)


def _not_final(connection: Connection) -> set[str]:
    from vault.storage import erasures

    return {row.id.hex() for row in erasures.intents_before(connection, erasures.Phase.FINAL)}


def _tell_destroyed(verb: str, ordinals: list[int], final: list[Certificate], *, as_json: bool) -> None:
    if as_json:
        put_json({"generations": ordinals, "certificates": final})
        return
    named = f": {', '.join(map(str, ordinals))}" if ordinals else ""
    put(f"{verb} {counted(len(ordinals), 'retired generation')}{named}")
    if final:
        put(f"final by it: {counted(len(final), 'erasure')}")
        put_table(("pseudonym", "kind", "certificate"), [(one.pseudonym, one.kind, one.id) for one in final])


@keys.command(
    "rotate",
    examples=(
        'vault keys rotate --reason "yearly"',
        "vault keys rotate --now --dry-run",
        'vault keys rotate --now --confirm file:/mnt/a/root.key --reason "copy lost"',
    ),
)
@click.option("--now", is_flag=True, help="Destroy all older generations too, due or not.")
@click.option("--confirm", metavar="NAME", help="With --now: the root again, as keys status calls it.")
@click.option("--reason", metavar="TEXT", default="", help="Why; it stands in the log.")
@actor
@dry
@as_json
@pass_given
def rotate(
    given: Given, now: bool, confirm: str | None, reason: str, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Give the root a new generation.

    The keys at the top of the tree are wrapped again under it, nothing is erased, and all stays readable. The
    old generation is destroyed when the horizon has passed: from then on an old copy of the root opens no
    keyring that is newer than it, and the present root none that is older than this moment. With --now that
    is at once. A thief who has an old root and a keyring of its time is not stopped by it.
    """
    before = _status(given)
    going = [*(one.ordinal for one in before.retired), before.ordinal] if now else []
    if dry_run:
        _tell_rotated("would rotate", before.root, before.ordinal + 1, going, [], as_json=as_json)
        return
    if now:
        what = f"rotating {before.root}, and destroying {counted(len(going), 'generation')} of it"
        ask_confirm(what, before.root, confirm)
    with given.open() as vault:
        final = vault.rotate(now=now, actor=actor or login(), reason=reason)
        after = vault.keys_status()
    left = {one.ordinal for one in after.retired}
    gone = [one for one in going if one not in left]
    _tell_rotated("rotated", before.root, after.ordinal, gone, final, as_json=as_json)


def _tell_rotated(  # the same words before and after
    verb: str, root: str, ordinal: int, gone: list[int], final: list[Certificate], *, as_json: bool
) -> None:
    if as_json:
        put_json({"root": root, "generation": ordinal, "destroyed": gone, "certificates": final})
        return
    put(f"{verb} {root}: generation {ordinal}")
    if gone:
        word = "would destroy" if verb.startswith("would") else "destroyed"
        _tell_destroyed(word, gone, final, as_json=False)


@keys.command("public", examples=("vault keys public > vault.pub",))
@as_json
@pass_given
def public(given: Given, as_json: bool) -> None:
    """Print the key that checks certificates.

    It is public, and checks checkpoints too. Give it to whoever is to check, by a way that they trust.
    """
    with given.open() as vault:
        key = vault.log.public_key()
    if as_json:
        put_json({"key": key})
    else:
        put(key)


@keys.command(
    "adopt",
    examples=("vault keys adopt --dry-run", "vault keys adopt --confirm file:/mnt/a/root.key"),
)
@click.option("--confirm", metavar="NAME", help="The root again, as keys status calls it.")
@actor
@dry
@as_json
@pass_given
def adopt(given: Given, confirm: str | None, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Make this keyring the holder of its root.

    It is a copy, or was moved, and so may not erase. From then on the original is the copy: it reads, and
    neither erases nor changes the root. Never adopt in a drill that uses the root of production.
    """
    before = _status(given)
    if not before.is_home and not dry_run:
        ask_confirm(
            f"this keyring takes over {before.root}, and the one that holds it becomes a copy",
            before.root,
            confirm,
        )
        with given.open() as vault:
            vault.adopt(actor=actor or login())
    adopts = not before.is_home
    if as_json:
        put_json({"root": before.root, "adopted": adopts and not dry_run, "would_adopt": adopts})
    elif not adopts:
        put(f"this keyring holds {before.root} already")
    else:
        put(f"{'would take over' if dry_run else 'took over'} {before.root}")
