"""What tests of the adapters share: vaults in a directory, what is said in them, and what a thief does."""

from __future__ import annotations

import functools
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from strategies import texts

from vault import AsyncVault, Vault
from vault.redaction.engine import Engine

MAIL = "anastasia@petrova-mail.org"
SAID = f"Hi, I am Anastasia Petrova, write to {MAIL}"
STORED = "Hi, I am <PERSON_1>, write to <EMAIL_ADDRESS_1>"

# Ids that look like what redaction takes out: a card, a phone number, a user name, a national id.
TELLING_IDS = [
    "call_4111111111111111",
    "msg_345b559ca96c4d69bba5fd65143871bb",
    "02079460018",
    "7497400f-211c",
]


@functools.cache
def engine() -> Engine:
    """One for all tests: it loads its model once."""
    return Engine()


def opened(home: Path, *, redacts: bool = False) -> Vault:
    return Vault.open(home / "vault", redactor=engine() if redacts else None)


async def opened_async(home: Path, *, redacts: bool = False) -> AsyncVault:
    return await AsyncVault.open(home / "vault", redactor=engine() if redacts else None)


Opened = Callable[..., AbstractAsyncContextManager[Any]]
FACES = ("vault", "async-vault")


def either(face: str, home: Path) -> Opened:
    """Give what opens the vault by one of its faces."""

    @asynccontextmanager
    async def open_it(*, redacts: bool = False) -> AsyncIterator[Any]:
        if face == "vault":
            with opened(home, redacts=redacts) as vault:
                yield vault
        else:
            async with await opened_async(home, redacts=redacts) as vault:
                yield vault

    return open_it


def tamper(home: Path) -> None:
    """Edit one byte of every body: what somebody with write access to the file can do."""
    with closing(sqlite3.connect(home / "vault" / "transcripts.db")) as connection, connection:
        rows = connection.execute("SELECT session_id, seq, body FROM messages").fetchall()
        assert rows
        for session, seq, body in rows:
            spoilt = body[:-1] + bytes([body[-1] ^ 1])
            connection.execute(
                "UPDATE messages SET body = ? WHERE session_id = ? AND seq = ?", (spoilt, session, seq)
            )


def bytes_at_rest(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (home / "vault").rglob("*") if path.is_file())


def told_by(program: str, *arguments: Sequence[str] | str) -> Any:
    """Run a program in a process of its own; give the JSON that it prints last."""
    given = [str(one) for one in arguments]
    ran = subprocess.run([sys.executable, "-c", program, *given], check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def json_values(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Whatever JSON can hold, with numbers of 64 bits."""
    numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    leaves = st.none() | st.booleans() | numbers | texts(20)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(10), inner, max_size=4),
        max_leaves=max_leaves,
    )
