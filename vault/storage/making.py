"""Making a database on a server that has none of that name."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import text
from sqlalchemy.engine import URL

from vault.errors import ConfigError, StoreUnavailableError
from vault.storage.engine import T, Work, open_store, parse_url
from vault.storage.runtime import Runtime

# A database that every server has: there one asks for others, and makes them.
_ALWAYS = {"postgresql": "postgres", "mysql": "information_schema", "mariadb": "information_schema"}
_NAMES = {
    "postgresql": "SELECT datname FROM pg_database WHERE datname = :name",
    "mysql": "SELECT schema_name FROM information_schema.schemata WHERE schema_name = :name",
}
_NAMES["mariadb"] = _NAMES["mysql"]
_SUFFIX = "_keyring"


def beside(transcripts: str) -> str:
    """Give the URL of the keyring's database where none is named: on the same server, NAME_keyring."""
    parsed = parse_url(transcripts)
    if not parsed.database:
        raise ConfigError("the URL names no database", hint="postgresql://user@host/chat")
    return parsed.set(database=parsed.database + _SUFFIX).render_as_string(hide_password=False)


def make_database(url: str | URL, label: str, runtime: Runtime) -> bool:
    """Make a server's database where it is not there yet; say whether it was made."""
    parsed = parse_url(url)
    with closing(open_store(parsed, label, runtime)) as store:
        try:
            store.read(lambda connection: connection.execute(text("SELECT 1")))
        except StoreUnavailableError as silent:
            if not _is_missing(parsed, label, runtime):
                raise silent from None
        else:
            return False
        quoted = store.engine.dialect.identifier_preparer.quote_identifier(parsed.database or "")
    # Texts of people are UTF-8, whatever the server's default.
    form = (
        " TEMPLATE template0 ENCODING 'UTF8'" if store.dialect == "postgresql" else " CHARACTER SET utf8mb4"
    )
    statement = f"CREATE DATABASE {quoted}{form}"
    try:
        # Read, because that is outside of a transaction, as PostgreSQL wants it.
        _ask_server(parsed, label, runtime, lambda connection: connection.exec_driver_sql(statement))
    except StoreUnavailableError as refused:
        hint = f"let somebody who may do so say: {statement}"
        raise StoreUnavailableError(str(refused), hint=hint) from None
    return True


def _is_missing(parsed: URL, label: str, runtime: Runtime) -> bool:
    """Say whether a server answers that has no such database."""
    query, name = text(_NAMES[parsed.get_backend_name()]), {"name": parsed.database}
    try:
        found = _ask_server(parsed, label, runtime, lambda one: one.execute(query, name).all())
    except StoreUnavailableError:
        return False  # then what the database itself said counts
    return not found


def _ask_server(parsed: URL, label: str, runtime: Runtime, work: Work[T]) -> T:
    server = parsed.set(database=_ALWAYS[parsed.get_backend_name()])
    with closing(open_store(server, label, runtime)) as store:
        return store.read(work)
