"""The options that stand before every command, and the vault that they name."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.talking import say

if TYPE_CHECKING:
    from vault.client import Vault
    from vault.config import Settings
    from vault.storage.engine import Store
    from vault.storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Given:
    """What was said before the command."""

    vault: str | None = None
    keyring: str | None = None
    root: str | None = None
    horizon: str | None = None
    debug: bool = False

    @property
    def where(self) -> str | None:
        """Name the vault: as it was given, otherwise the current directory if it is one."""
        from vault.config import FILE, VARIABLES
        from vault.errors import ConfigError

        if self.vault is not None or VARIABLES + "VAULT" in os.environ:
            return self.vault
        if Path(FILE).is_file():
            return "."
        raise ConfigError(
            "no vault is named, and the current directory is none",
            hint="vault --vault WHERE …, or set TRANSCRIPT_VAULT_VAULT; vault init makes one",
        )

    @property
    def place(self) -> str:
        """Give what names the vault, without a password."""
        return _without_password(self.vault or os.environ.get("TRANSCRIPT_VAULT_VAULT")) or "."

    @property
    def command(self) -> str:
        """Write how this vault is named on the command line, without passwords."""
        options = {
            "--vault": _without_password(self.vault),
            "--keyring": _without_password(self.keyring),
            "--root": self.root,
            "--horizon": self.horizon,
        }
        # HashiCorp's binary is called vault, too: who says the long name is answered with it.
        program = Path(sys.argv[0]).name
        name = program if program == "transcript-vault" else "vault"
        return shlex.join([name, *(word for pair in options.items() if pair[1] for word in pair if word)])

    def settings(self) -> Settings:
        """Read all settings."""
        from vault.config import read_settings

        given = {"keyring": self.keyring, "root": self.root, "horizon": self.horizon}
        return read_settings(self.where, given)

    def open(self, policies: tuple[Path, ...] | None = (), *, redacts: bool = False) -> Vault:
        """Open the vault, which must exist. What was interrupted is completed first.

        Without policies, unless a command asks for them: a wrong one must not keep anybody from forgetting.
        None asks for those that the settings name.
        """
        import warnings

        from vault.client import Vault
        from vault.errors import WaitingWarning
        from vault.saying import UNSAID

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", WaitingWarning)  # it is said here, as all else
            vault = Vault.open(
                self.where,
                keyring=self.keyring,
                root=self.root,
                horizon=self.horizon,
                policies=policies,
                redactor=UNSAID if redacts else None,  # what writes no message needs none
                create=False,
            )
        waits = vault._core.waits  # noqa: SLF001 (the command line says it in its own way)
        if waits is not None:
            say(f"warning: an erasure waits: {waits}")
        return vault

    @contextmanager
    def look(self) -> Iterator[Stores]:
        """Give the three stores as they are: nothing is repeated or completed."""
        from vault.clock import system_clock
        from vault.opening import open_stores
        from vault.storage.runtime import Blocking

        stores = open_stores(self.settings(), system_clock, Blocking(), is_async=False, create=False)
        try:
            yield stores
        finally:
            stores.close()


def _without_password(url: str | None) -> str | None:
    return None if url is None else re.sub(r"^([^:]+://[^:/@]*):.*@", r"\1@", url)


def login() -> str:
    """Say who runs the command."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"  # a container without a passwd entry


pass_given = click.make_pass_decorator(Given)


def is_missing(url: str) -> bool:
    """Say whether a database is a file that is not there."""
    from vault.storage.engine import parse_url

    parsed = parse_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()


def open_existing(url: str, label: str) -> Store:
    """Open one database on its own; no file is made where there is none."""
    from vault.errors import StoreUnavailableError
    from vault.storage.engine import open_store, parse_url
    from vault.storage.runtime import Blocking

    if is_missing(url):
        raise StoreUnavailableError(
            f"there is no {label} database at {parse_url(url).database}",
            hint="put it back, or name it rightly",
        )
    return open_store(url, label, Blocking())
