"""A vault that refuses: nothing is written then, and nothing of what was refused is repeated (P1).

A test module takes the fixtures by their names: `home, vault = refusals.home, refusals.vault`.
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from faces import Home, moved_in

from vault import Transcript, Vault
from vault.errors import InputError, VaultError

SECRET = "Iban-DE89370400440532013000"  # what stands in everything that is refused


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with moved_in(None, None) as place:
        yield place


@pytest.fixture(scope="module")
def vault(home: Home) -> Iterator[Vault]:
    with home.open() as opened:
        opened.transcript("u-1", "s-1").append("user", "Hello")
        yield opened


@pytest.fixture
def chat(vault: Vault) -> Transcript:
    return vault.transcript("u-1", "s-1")


def said_by(error: BaseException) -> str:
    """Give all that an error says or carries, and all errors before it."""
    everything = traceback.format_exception(error)
    following: list[BaseException | None] = [error]
    while following:
        one = following.pop()
        if one is not None:
            carried = {
                name: value for name, value in vars(one).items() if name not in {"connection", "_pgconn"}
            }
            # A UnicodeError has what it failed on in attributes that vars() does not show.
            everything += [
                str(one),
                repr(one),
                repr(one.args),
                repr(carried),
                repr(getattr(one, "object", "")),
            ]
            following += [one.__cause__, one.__context__]
    return "\n".join(everything)


def refused(
    home: Home, attempt: Callable[[], object], error: type[VaultError] = InputError, secret: str = SECRET
) -> VaultError:
    """Make sure that something is refused, that nothing was written, and that it is not repeated."""
    before = written(home)
    with pytest.raises(error) as caught:
        attempt()
    assert type(caught.value) is error
    assert secret not in said_by(caught.value)
    assert written(home) == before
    return caught.value


def written(home: Home) -> list[str]:
    """Give all that the databases hold."""
    found = []
    for url in (home.databases.transcripts, home.databases.keyring):
        path = Path(url.removeprefix("sqlite:///"))
        if path.exists():  # a look must not make it
            with closing(sqlite3.connect(path)) as connection:
                found += list(connection.iterdump())
    return found
