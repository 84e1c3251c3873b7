"""`backup` and `restore`."""

from __future__ import annotations

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Command, as_json


@click.command("backup", cls=Command, examples=("vault backup /mnt/backups/2026-11-20",))
@click.argument("dest")
@as_json
@pass_given
def backup(given: Given, dest: str, as_json: bool) -> None:
    """Copy."""


@click.command("restore", cls=Command, examples=("vault restore /mnt/backups/2026-11-20",))
@pass_given
def restore(given: Given) -> None:
    """Restore."""
