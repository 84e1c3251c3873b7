"""What contract tests may take for granted about their databases."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from databases import Databases, Postgres, connected, fresh_databases
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    NullPool,
    Table,
    Text,
    create_engine,
    inspect,
)
from sqlalchemy.exc import OperationalError

METADATA = MetaData()
SESSIONS = Table(
    "sessions", METADATA, Column("id", Integer, Identity(), primary_key=True), sqlite_autoincrement=True
)
MESSAGES = Table(
    "messages",
    METADATA,
    Column("id", Integer, Identity(), primary_key=True),
    Column("session_id", ForeignKey(SESSIONS.c.id), nullable=False, index=True),
    Column("body", LargeBinary(300), nullable=False),
    Column("note", Text, server_default="100%"),
    CheckConstraint("session_id > 0", name="positive"),
    sqlite_autoincrement=True,
)
BODY = bytes(range(256))
NOTE = "50% of: 𝄞 '\"\\ \n"


def fill(url: str) -> None:
    with connected(url) as connection:
        METADATA.create_all(connection)
        connection.execute(SESSIONS.insert().values())
        say(url, BODY)
        say(url, b"gone")
        connection.execute(MESSAGES.delete().where(MESSAGES.c.body == b"gone"))


def say(url: str, body: bytes) -> int:
    with connected(url) as connection:
        added = connection.execute(MESSAGES.insert().values(session_id=1, body=body, note=NOTE))
        assert added.inserted_primary_key
        return int(added.inserted_primary_key.id)


def definitions(url: str) -> object:
    with connected(url) as connection:
        inspector = inspect(connection)
        return [
            {
                str(column["name"]): (str(column["type"]), column["nullable"])
                for column in inspector.get_columns("messages")
            },
            inspector.get_pk_constraint("messages"),
            inspector.get_foreign_keys("messages"),
            inspector.get_check_constraints("messages"),
            inspector.get_indexes("messages"),
        ]


def test_databases_begin_empty_and_separate(database: Databases) -> None:
    fill(database.transcripts)
    assert database.dump(database.transcripts)["messages"] == [(1, 1, BODY, NOTE)]
    assert database.dump(database.keyring) == {}
    assert database.dump(database.another()) == {}
    assert database.dump(database.copy_of(database.keyring)) == {}


def test_a_copy_equals_its_original_and_lives_on_its_own(database: Databases) -> None:
    fill(database.transcripts)
    copy = database.copy_of(database.transcripts)
    before = database.dump(database.transcripts)
    assert database.dump(copy) == before
    assert definitions(copy) == definitions(database.transcripts)

    assert say(database.transcripts, b"one") == say(copy, b"other") == 3
    assert database.dump(copy) != database.dump(database.transcripts)
    assert database.dump(copy)["sessions"] == before["sessions"]


def test_a_copy_is_taken_under_open_connections_and_holds_what_is_committed(database: Databases) -> None:
    fill(database.transcripts)
    before = database.dump(database.transcripts)
    engine = create_engine(database.transcripts, poolclass=NullPool)
    with engine.connect() as writer:
        writer.execute(MESSAGES.insert().values(session_id=1, body=b"not yet"))
        copy = database.copy_of(database.transcripts)
        writer.commit()
    assert database.dump(copy) == before
    assert definitions(copy) == definitions(database.transcripts)
    assert len(database.dump(database.transcripts)["messages"]) == 2
    assert say(copy, b"next") >= 3


def test_an_old_copy_can_be_put_in_the_place_of_its_original(database: Databases) -> None:
    fill(database.transcripts)
    copy = database.copy_of(database.transcripts)
    before = database.dump(copy)
    say(database.transcripts, b"since")
    database.restore(copy, database.transcripts)
    assert database.dump(database.transcripts) == database.dump(copy) == before


def test_every_database_is_dropped_in_the_end(database: Databases) -> None:
    with fresh_databases(database._server) as passing:
        fill(passing.transcripts)
        made = [passing.transcripts, passing.keyring, passing.another(), passing.copy_of(passing.transcripts)]
    for url in made:
        if database.dialect == "sqlite":
            path = Path(url.removeprefix("sqlite:///"))
            assert list(path.parent.glob(f"{path.name}*")) == []
        else:
            with pytest.raises(OperationalError), connected(url):
                pass


@pytest.mark.wide
def test_a_postgres_server_ends_with_the_process_that_started_it(postgresql: Postgres) -> None:
    if postgresql.tools == Path():
        pytest.skip("the environment names a PostgreSQL server, which nobody here starts or stops")
    program = (
        "import sys, pathlib, databases\n"
        "with databases.running_postgres(pathlib.Path(sys.argv[1])) as server:\n"
        "    print(server.admin, flush=True)\n"
        "    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, postgresql.tools],
        cwd=Path(__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        server = process.stdout.readline().strip().replace("+psycopg", "")
        with psycopg.connect(server, autocommit=True) as connection:
            process.kill()
            with pytest.raises(psycopg.OperationalError):
                list(connection.notifies(timeout=30))
