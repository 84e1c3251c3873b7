"""`certificate`: check the proof of an erasure, with the public key alone."""

from __future__ import annotations

from typing import BinaryIO

import click

from vault.cli.talking import Group, as_json, counted, moment, put, put_facts, put_json


@click.group("certificate", cls=Group, examples=("vault certificate verify 881.json --key vault.pub",))
def certificate() -> None:
    """Verify certificates of erasures."""


@certificate.command(
    "verify",
    examples=(
        "vault certificate verify 881.json --key vault.pub",
        'vault certificate verify - --key "$(cat vault.pub)" <881.json',
    ),
)
@click.argument("file", type=click.File("rb"))
@click.option("--key", required=True, metavar="PUB", help="The vault's public key, or a file with it.")
@as_json
def verify(file: BinaryIO, key: str, as_json: bool) -> None:
    """Check a certificate, or a file of many.

    It needs no vault, no database and no network: only the file, and the public key, which vault keys
    public prints. Exit code 3 means that the certificate does not hold; the message names what does not fit.
    """
    from vault.evidence.checking import check_certificates, read_key

    found = check_certificates(file.read(), read_key(key))
    if as_json:
        put_json(found)
        return
    for one in found:
        put(f"certificate {one.id} holds")
        reach = f", since {moment(one.final_at)}" if one.final_at else ""
        due = f", due to be final {moment(one.due_at)}" if one.due_at and not one.final_at else ""
        put_facts(
            [
                ("kind", one.kind),
                ("status", f"{one.status}{reach}{due}"),
                ("erased", f"{counted(one.sessions, 'session')}, {counted(one.messages, 'message')}"),
                ("pseudonym", one.pseudonym),
                ("reason", one.reason or "none given"),
                ("actor", one.actor or "none given"),
                ("requested", one.requested_at),
                ("receipt", one.receipt or "none yet"),
            ]
        )
