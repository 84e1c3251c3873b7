"""`init`: make a vault."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.given import Given, pass_given
from vault.cli.talking import Command, as_json, put, put_facts, put_json, say
from vault.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from vault.client import Vault

_BACK_UP = """
Back up the root apart from the other two, and control its copies: without it
every transcript is lost, and an old copy of it opens what was erased since.
Copies of the transcripts may lie anywhere, at any age; of the keyring the
latest one counts. vault backup copies these two."""
_SCHEMES = {"postgres": ("postgresql", "postgres"), "mariadb": ("mariadb", "mysql")}


@click.command(
    "init",
    cls=Command,
    examples=(
        "vault init chat-vault",
        "vault init chat-vault --root file:/mnt/a/root.key,/mnt/b/root.key",
        "vault init --postgres postgresql://localhost/chat --root file:/mnt/a/root.key",
        "vault init chat-vault --postgres postgresql://db1/chat \\",
        "    --keyring postgresql://db2/keyring --root file:/mnt/a/root.key",
    ),
)
@click.argument("where", required=False)
@click.option(
    "--postgres", metavar="URL", help="Keep the transcripts on a PostgreSQL server, in this database."
)
@click.option("--mariadb", metavar="URL", help="Keep them on a MariaDB or MySQL server, in this database.")
@click.option(
    "--keyring",
    metavar="URL",
    help="The database of the keyring, another than the transcripts'. On a server it is NAME_keyring beside"
    " NAME where nothing is said.",
)
@click.option(
    "--root",
    metavar="URI",
    help="Where the root goes: file:/a/root.key,/b/root.key; behind it ?passphrase-file=/path, where the root"
    " is to be under a passphrase, which that file holds.",
)
@click.option("--horizon", metavar="TIME", help="How old a keyring backup may be and still be restored: 7d")
@as_json
@pass_given
def init(
    given: Given,
    where: str | None,
    postgres: str | None,
    mariadb: str | None,
    keyring: str | None,
    root: str | None,
    horizon: str | None,
    as_json: bool,
) -> None:
    """Make a vault.

    WHERE is a directory, by default the current one. It gets a vault.toml that names the three stores, so
    that commands need no options there, and without a server the databases too: then it is new or empty. On a
    server a database that is missing is made. WHERE may also be the URL of a database; then no vault.toml is
    written. It asks nothing, and where a vault is already it changes nothing.
    """
    place = where or given.vault or os.environ.get("TRANSCRIPT_VAULT_VAULT") or "."
    named = Given(place, keyring or given.keyring, root or given.root, horizon or given.horizon, given.debug)
    server = _server(place, postgres, mariadb)
    new_databases = [] if server is None else _prepare(named, server)
    vault, is_new = _open_or_make(named)
    with vault:
        _report(named, vault, new_databases, is_new=is_new, as_json=as_json)


def _server(place: str, postgres: str | None, mariadb: str | None) -> str | None:
    """Give the URL of the transcripts on a server, where one was named."""
    from vault.config import is_url

    given = {name: url for name, url in (("postgres", postgres), ("mariadb", mariadb)) if url is not None}
    if not given:
        return None
    if len(given) > 1 or is_url(place):
        raise UsageError("name one database for the transcripts", hint="vault init DIRECTORY --postgres URL")
    [(name, url)] = given.items()
    scheme, mark, rest = url.partition("://")
    family, _, driver = scheme.partition("+")
    if not mark or family not in _SCHEMES[name]:
        raise UsageError(f"--{name} takes a URL", hint=f"--{name} {_SCHEMES[name][0]}://user@host/chat")
    known = "postgresql" if name == "postgres" else family
    return f"{known}{'+' if driver else ''}{driver}://{rest}"


def _prepare(named: Given, transcripts: str) -> list[str]:
    """Make what databases are missing, and the vault.toml that names them; give the new databases."""
    from vault.config import FILE, is_vault, make_directory, read_settings
    from vault.roots import from_uri
    from vault.storage.engine import parse_url
    from vault.storage.making import beside, make_database
    from vault.storage.runtime import Blocking

    directory = Path(str(named.vault))
    if is_vault(directory):
        given = {"keyring": named.keyring, "root": named.root, "horizon": named.horizon}
        if read_settings(directory, {}) != read_settings(directory, {"transcripts": transcripts, **given}):
            raise _says_something_else()
        return []
    if named.root is not None:
        # What can't be right is refused before all else.
        from_uri(named.root, relative_to=str(directory)).require_place(directory)
    keyring = named.keyring or beside(transcripts)
    urls = {"transcripts": parse_url(transcripts), "keyring": parse_url(keyring)}
    made = [
        url.database or ""
        for label, url in urls.items()
        if url.get_backend_name() != "sqlite" and make_database(url, label, Blocking())
    ]
    make_directory(
        directory, transcripts=transcripts, keyring=keyring, root=named.root, horizon=named.horizon
    )
    if any(url.password for url in urls.values()):
        say(
            f"warning: a password stands in {directory / FILE}, which only its owner may read;"
            " PostgreSQL takes one from ~/.pgpass, too"
        )
    return made


def _open_or_make(named: Given) -> tuple[Vault, bool]:
    from vault.client import Vault

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

    place = str(named.vault)
    if is_vault(Path(place)) and read_settings(place, {}) != named.settings():
        raise _says_something_else()


def _says_something_else() -> ConfigError:
    return ConfigError(
        "vault.toml there says something else than these options", hint="edit it, or leave them out"
    )


def _report(named: Given, vault: Vault, new_databases: list[str], *, is_new: bool, as_json: bool) -> None:
    from vault.config import FILE, is_url, is_vault
    from vault.roots import from_uri
    from vault.roots.file import FileRoot
    from vault.storage.engine import parse_url

    settings, status = named.settings(), vault.keys_status()
    places = {
        "transcripts": _shown(settings.transcripts),
        "keyring": _shown(settings.keyring),
        "root": status.root,
    }
    has_file = not is_url(str(named.vault)) and is_vault(settings.base)
    if has_file:
        places = {"settings": str(settings.base / FILE), **places}
    warnings = [*status.warnings]
    root = from_uri(settings.root, relative_to=str(settings.base))
    urls = [parse_url(url) for url in (settings.transcripts, settings.keyring)]
    data = {Path(one.database or "").parent for one in urls if one.get_backend_name() == "sqlite"}
    if isinstance(root, FileRoot) and any(path.parent in data for path in root.paths):
        warnings.append("the root lies beside the data: one copy or theft takes both")
    if as_json:
        facts = {"made": is_new, "vault": status.vault, **places, "made_databases": new_databases}
        put_json({**facts, "warnings": warnings})
        return
    put("made a vault:" if is_new else "there is a vault already; nothing was changed:")
    made = [("new databases", ", ".join(new_databases))] if new_databases else []
    put_facts([*places.items(), *made])
    put(_BACK_UP)
    for warning in warnings:
        say(f"warning: {warning}")
    if warnings and has_file:
        say(f"hint: {_vault(settings.base)} keys move file:/ELSEWHERE/root.key,/MIRROR/root.key")
        say(f"hint: {_vault(settings.base)} doctor says more")


def _vault(base: Path) -> str:
    return "vault" if base == Path.cwd() else f"vault --vault {shlex.quote(str(base))}"


def _shown(url: str) -> str:
    from vault.storage.engine import parse_url

    parsed = parse_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return parsed.database or "" if is_file else parsed.render_as_string(hide_password=True)
