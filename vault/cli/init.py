"""`init`: make a vault."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Command, as_json, put, put_facts, put_json, say

if TYPE_CHECKING:
    from vault.client import Vault

_BACK_UP = """
Back up the root apart from the other two, and control its copies: without it
every transcript is lost, and an old copy of it opens what was erased since.
Copies of the transcripts may lie anywhere, at any age; of the keyring the
latest one counts. vault backup copies these two."""


@click.command(
    "init",
    cls=Command,
    examples=(
        "vault init chat-vault",
        "vault init chat-vault --root file:/mnt/a/root.key,/mnt/b/root.key",
        "vault init postgresql+psycopg://localhost/chat \\",
        "    --keyring postgresql+psycopg://localhost/keyring --root file:/mnt/a/root.key",
    ),
)
@click.argument("where", required=False)
@click.option("--keyring", metavar="URL", help="The database of the keyring, another than the transcripts'.")
@click.option("--root", metavar="URI", help="Where the root goes: file:/a/root.key,/b/root.key")
@click.option("--horizon", metavar="TIME", help="How old a keyring backup may be and still be restored: 7d")
@as_json
@pass_given
def init(
    given: Given,
    where: str | None,
    keyring: str | None,
    root: str | None,
    horizon: str | None,
    as_json: bool,
) -> None:
    """Make a vault.

    WHERE is a new or empty directory, by default the current one, or the URL of a database for the
    transcripts. It asks nothing, and where a vault is already it changes nothing.
    """
    place = where or given.vault or os.environ.get("TRANSCRIPT_VAULT_VAULT") or "."
    named = Given(place, keyring or given.keyring, root or given.root, horizon or given.horizon, given.debug)
    vault, is_new = _open_or_make(named)
    with vault:
        _report(named, vault, is_new=is_new, as_json=as_json)


def _open_or_make(named: Given) -> tuple[Vault, bool]:
    from vault.client import Vault
    from vault.errors import ConfigError

    try:
        return named.open(), False
    except ConfigError:
        # None is here, or what is wrong with it is said again by the next call.
        _refuse_other_settings(named)
        vault = Vault.open(
            named.vault,
            keyring=named.keyring,
            root=named.root,
            horizon=named.horizon,
            redactor=None,  # nothing is written
        )
        return vault, True


def _refuse_other_settings(named: Given) -> None:
    """Where a vault.toml is already, the next command will go by it and not by these options."""
    from vault.config import is_vault, read_settings
    from vault.errors import ConfigError

    place = str(named.vault)
    if is_vault(Path(place)) and read_settings(place, {}) != named.settings():
        raise ConfigError(
            "vault.toml there says something else than these options", hint="edit it, or leave them out"
        )


def _report(named: Given, vault: Vault, *, is_new: bool, as_json: bool) -> None:
    settings, status = named.settings(), vault.keys_status()
    places = {
        "transcripts": _shown(settings.transcripts),
        "keyring": _shown(settings.keyring),
        "root": status.root,
    }
    warnings = [*status.warnings]
    if any(path.parent == settings.base for path in map(Path, status.root.removeprefix("file:").split(","))):
        warnings.append(
            "the root lies beside the data; for real use: vault init --root file:/elsewhere/root.key"
        )
    if as_json:
        put_json({"made": is_new, "vault": status.vault, **places, "warnings": warnings})
        return
    put("made a vault:" if is_new else "there is a vault already; nothing was changed:")
    put_facts(places.items())
    put(_BACK_UP)
    for warning in warnings:
        say(f"warning: {warning}")


def _shown(url: str) -> str:
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return parsed.database or "" if is_file else parsed.render_as_string(hide_password=True)
