"""`db`: the schema of the two databases."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, open_existing, pass_given
from vault.cli.talking import Command, Group, as_json, put, put_json

if TYPE_CHECKING:
    from vault.storage.engine import Store


@click.group("db", cls=Group, examples=("vault db upgrade --check", "vault db upgrade"))
def db() -> None:
    """Upgrade the databases."""


@db.command("upgrade", cls=Command, examples=("vault db upgrade --check", "vault db upgrade"))
@click.option("--check", is_flag=True, help="Only compare; exit 4 where a database does not fit.")
@as_json
@pass_given
def upgrade(given: Given, check: bool, as_json: bool) -> None:
    """Bring both databases to this release.

    Make a backup first, and stop whatever uses the vault.
    """
    settings = given.settings()
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(open_existing(url, label)))
            for url, label in ((settings.transcripts, "transcripts"), (settings.keyring, "keyring"))
        ]
        before = [_version(store, older=not check) for store in stores]
        if not check:
            for store in stores:
                _upgrade(store)
        after = [_version(store) for store in stores]
    changes = [
        {"store": store.label, "from": old, "to": new}
        for store, old, new in zip(stores, before, after, strict=True)
    ]
    if as_json:
        put_json(changes)
        return
    for change in changes:
        same = change["from"] == change["to"]
        moved = f"is at {change['to']}" if same else f"went from {change['from']} to {change['to']}"
        put(f"{change['store']} {moved}")


def _version(store: Store, *, older: bool = False) -> str:
    """Give a database's version; raise SchemaError unless it fits, or is older and that will do."""
    from vault.storage import migrations

    found = store.read(lambda connection: migrations.version(connection, store.label))
    if found is None or not older or found > migrations.HEADS[store.label]:
        store.read(lambda connection: migrations.check(connection, store.label))
    return found or ""


def _upgrade(store: Store) -> None:
    from vault.storage import migrations

    store.write(lambda connection: migrations.upgrade(connection, store.label))
