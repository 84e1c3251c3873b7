"""What mends each thing that `vault doctor` may find."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from sqlalchemy.engine import URL

from vault.cli.bedside import EDIT, Bedside, Mend, line_of
from vault.cli.given import is_missing
from vault.cli.mending_root import mend_root, put_back
from vault.cli.places import is_full, make_room
from vault.config import FILE
from vault.errors import (
    ConfigError,
    KeyringCopyError,
    KeyringOutdatedError,
    MissingExtraError,
    PolicyError,
    SchemaError,
    TamperedError,
    VaultError,
)
from vault.roots import Root
from vault.storage.checks import Setting
from vault.storage.engine import parse_url

_SERVERS = {"postgresql": "postgres", "mysql": "mariadb", "mariadb": "mariadb"}
_LABELS = ("transcripts", "keyring")
_BROKEN = ("not a database", "malformed")  # what SQLite says of content, and of nothing else
_UNREAD = "until then nothing can be read, written or erased"


def mend(check: str, error: VaultError, at: Bedside, root: Root | None = None) -> Mend:
    """Say what to do about an error; the check is the step that met it."""
    by_kind = _mend_kind(check, error, at, root)
    if by_kind is not None:
        return by_kind
    said = str(error)
    label = next((one for one in _LABELS if check == one or said.startswith(f"the {one} database ")), None)
    if label is not None and at.settings is not None:
        return _mend_database(label, error, at)
    by_check = {
        "settings": lambda: _mend_settings(error, at),
        "policies": lambda: Mend("without them nothing is purged", at.edit(line_of(at.file, "policies"))),
        "restore": lambda: Mend("half a backup is here, and nothing of it is served", at.restore()),
    }
    return by_check.get(check, lambda: mend_root(error, at, root))()


def _mend_kind(check: str, error: VaultError, at: Bedside, root: Root | None) -> Mend | None:
    """Give what is the same wherever such an error is met."""
    found = None
    match error:
        case MissingExtraError():
            found = Mend("without its driver the database can't be reached", error.hint)
        case PolicyError():
            why = "while a policy is wrong no purge runs, and no forget-user knows its floors"
            found = Mend(why, f"{EDIT} +{error.line} {shlex.quote(error.path)}")
        case KeyringCopyError():
            why = "only one keyring may change a root; say this only where the original is given up for good"
            name = root.name if root else "ROOT"
            found = Mend(why, at.vault(f"keys adopt --confirm {shlex.quote(name)}"))
        case SchemaError():
            found = _mend_schema(error, at)
        case TamperedError():
            why = "somebody or something changed what was stored; look at who could, then put back what was"
            part = "keyring" if check in {"vault", "generation", "keyring"} else "transcripts"
            found = Mend(why, at.restore(part))
        case KeyringOutdatedError():
            found = Mend("the keys it needs were destroyed: take a younger copy", at.restore("keyring"))
    return found


def _mend_settings(error: VaultError, at: Bedside) -> Mend:
    why = "every command needs to know where the three stores are"
    if at.file is None:
        place = at.given.place
        option = _SERVERS.get(re.split(r"\W", place)[0])
        server = f" --{option} {shlex.quote(place)}" if option else ""
        return Mend(why, f"vault init /ELSEWHERE/chat-vault{server} && cd /ELSEWHERE/chat-vault")
    directory = at.file.parent
    if at.file.exists():
        line = re.search(r"line (\d+)", str(error))
        return Mend(why, at.edit(int(line[1]) if line else None))
    quoted = shlex.quote(str(directory))
    inside = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    if {"transcripts.db", "keyring.db"} <= inside:
        return Mend("the databases are here, and the file that names them is not", f"touch {quoted}/{FILE}")
    if at.given.vault is None and "TRANSCRIPT_VAULT_VAULT" not in os.environ:
        return Mend(why, "vault init chat-vault && cd chat-vault")
    return Mend(
        why,
        f"vault init {quoted}" if not inside else f"vault init {quoted}/chat-vault && cd {quoted}/chat-vault",
    )


def _mend_schema(error: SchemaError, at: Bedside) -> Mend:
    if "db upgrade" in error.hint:
        return Mend("this release reads and writes only its own schema", at.vault("db upgrade"))
    if "upgrade" in error.hint:
        return Mend("an older release would break what a newer one wrote", error.hint)
    return Mend("it is empty: what was in it has to come from a backup", at.restore())


def _mend_database(label: str, error: VaultError, at: Bedside) -> Mend:
    url = getattr(at.settings, label)
    if isinstance(error, ConfigError):
        return Mend(_UNREAD, at.edit(line_of(at.file, label)))
    if parse_url(url).get_backend_name() != "sqlite":
        why = f"{_UNREAD}: start the server, or correct how it is named"
        return Mend(why, at.edit(line_of(at.file, label)) if at.file else _ask(url, "SELECT 1"))
    if is_missing(url):
        if at.is_new:
            directory = shlex.quote(str(at.file.parent if at.file else Path.cwd()))
            return Mend("a vault was begun here and never made", f"vault init {directory}")
        return Mend(f"{'the keys' if label == 'keyring' else 'the messages'} are in it", at.restore())
    return _mend_file(Path(parse_url(url).database or "").absolute(), str(error), at)


def _mend_file(file: Path, said: str, at: Bedside) -> Mend:
    """Tell a file that is broken from a place that is: who moves away what a full disk holds up loses it."""
    if any(words in said for words in _BROKEN):
        return Mend("it is no database any more", f"{_aside(file, 'broken')} && {at.restore()}")
    if "is full" in said or is_full(file.parent):
        return Mend(
            f"the disk is full, and nothing else is known to be wrong: {_UNREAD}", make_room(file.parent)
        )
    if "locked" in said:
        return Mend(f"{_UNREAD}: another program keeps it to itself", f"fuser -v {shlex.quote(str(file))}")
    why = f"{_UNREAD}: the disk does not do its work, or who runs this may not write there"
    return Mend(why, f"ls -la {shlex.quote(str(file.parent))}  # and dmesg says what the disk has")


def _aside(file: Path, end: str) -> str:
    """Move a SQLite file, and what lies beside it: its last commits, which belong to no other file."""
    quoted = shlex.quote(str(file))
    move = f"mv {quoted}$end {quoted}.{end}$end"
    return f"for end in '' -wal -shm; do test ! -e {quoted}$end || {move}; done"


def mend_foreign(odd: str | None, at: Bedside, root: Root) -> Mend:
    """Say what to do where one store, or each of them, belongs to another vault."""
    if odd == "root":
        return put_back(root)
    why = "a key of one vault opens nothing of another; nothing is read or written before that is clear"
    url = getattr(at.settings, odd) if odd else ""
    if not odd or parse_url(url).get_backend_name() != "sqlite":
        return Mend(why, at.edit(line_of(at.file, odd or "transcripts")))
    return Mend(why, f"{_aside(Path(parse_url(url).database or ''), 'other')} && {at.restore()}")


def _ask(url: str, *statements: str) -> str:
    """Say something to a server by its own client, which asks for a password where it needs one."""
    at = parse_url(url)
    if at.get_backend_name() == "postgresql":
        plain = URL.create("postgresql", at.username, None, at.host, at.port, at.database, at.query)
        said = " ".join(f"-c {shlex.quote(one)}" for one in statements)
        return f"psql {shlex.quote(plain.render_as_string())} {said}"
    options = {"-h": at.host, "-P": at.port, "-u": at.username}
    words = [word for name, value in options.items() if value for word in (name, str(value))]
    return shlex.join(["mariadb", *words, "-e", "; ".join(statements)])


def mend_rights(label: str, url: str, at: Bedside) -> Mend:
    """Say what to do where a server lets nothing be written: it is a replica, or whoever is named may not."""
    why = (
        "nothing is kept, held or erased through it: grant its user all on every table there, or name another"
    )
    return Mend(why, at.edit(line_of(at.file, label)) if at.file else _ask(url, "SELECT current_user"))


def mend_setting(setting: Setting, url: str) -> str:
    """Change a setting of a database server."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _ask(url, *(one.strip() for one in setting.mend.split(";") if one.strip()))
    if parsed.get_backend_name() == "sqlite":
        return f"mv {shlex.quote(str(Path(parsed.database or '').parent))} /ELSEWHERE/  # {setting.mend}"
    return server_option(setting.name, 1)


def server_option(name: str, value: int) -> str:
    """Set an option of MariaDB or MySQL for good."""
    return (
        f"printf '[mysqld]\\n{name} = {value}\\n' | sudo tee /etc/mysql/conf.d/{name}.cnf"
        " && sudo systemctl restart mariadb"
    )
