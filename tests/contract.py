"""Where the contract of a vault holds: over three databases and two faces, whoever keeps it.

A test module takes the fixtures by their names, with those that they ask for:
`home, vault = contract.home, contract.vault`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from secrets import token_hex
from typing import Any

import pytest
from databases import Server, connected
from faces import Home, moved_in
from sqlalchemy import func, select

from vault import Transcript, Vault
from vault.storage import schema

FACES = ["sync", "async"]
PLACES = list(itertools.product(["sqlite", "postgresql", "mariadb"], FACES))

# For what takes databases of its own and does not depend on how the two go together.
each_once = pytest.mark.parametrize("home", [PLACES[1], PLACES[2], PLACES[5]], indirect=True, ids="-".join)
on_postgresql = pytest.mark.parametrize("home", PLACES[2:4], indirect=True, ids="-".join)
on_sqlite = pytest.mark.parametrize("home", PLACES[:2], indirect=True, ids="-".join)


@pytest.fixture(scope="module", params=PLACES, ids="-".join)
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    """A place for one vault that many tests share, each with users of its own."""
    dialect, face = request.param
    server: Server | None = None if dialect == "sqlite" else request.getfixturevalue(dialect)
    with ExitStack() as leftovers:
        runner = leftovers.enter_context(asyncio.Runner()) if face == "async" else None
        yield leftovers.enter_context(moved_in(server, runner))


@pytest.fixture(scope="module")
def vault(home: Home) -> Iterator[Vault]:
    with home.open() as opened:
        yield opened


@pytest.fixture(scope="module")
def beside(home: Home) -> Iterator[Vault]:
    """The same vault, opened by somebody else: what a second process sees."""
    with home.open() as opened:
        yield opened


@pytest.fixture
def apart(home: Home) -> Iterator[Home]:
    """A place of its own, for a test that breaks something."""
    with another(home) as place:
        yield place


def another(home: Home) -> AbstractContextManager[Home]:
    server = None if home.databases.dialect == "sqlite" else home.databases._server
    return moved_in(server, home.runner)


@pytest.fixture
def user() -> str:
    return f"u-{token_hex(8)}"


@pytest.fixture
def chat(vault: Vault, user: str) -> Transcript:
    return vault.transcript(user, "s-1")


def contents(chat: Transcript, **which: Any) -> list[object]:
    return [message.content for message in chat.messages(**which)]


def newest_session(home: Home) -> int:
    """Give the row id of the session that was made last: ids are never reused."""
    with connected(home.databases.transcripts) as connection:
        return int(connection.execute(select(func.max(schema.sessions.c.id))).scalar_one())


def edit(home: Home, statement: Any) -> None:
    """Do what somebody with write access to the transcripts can do."""
    with connected(home.databases.transcripts) as connection:
        assert connection.execute(statement).rowcount > 0
