"""Statements that go to the driver as they were compiled once: the same rows, checks and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databases import Databases
from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from vault.errors import StoreUnavailableError, TamperedError
from vault.storage import migrations
from vault.storage.engine import Store, open_store
from vault.storage.prepared import Prepared
from vault.storage.runtime import Blocking
from vault.storage.schema import keyring_meta as meta

_all = Prepared(select(meta).order_by(meta.c.name))
_some = Prepared(select(meta).where(meta.c.name.in_(bindparam("names", expanding=True))), many="names")
_one = Prepared(select(meta.c.value).where(meta.c.name == bindparam("fact")))
_add = Prepared(insert(meta), columns=meta.columns.keys())
_set = Prepared(update(meta).where(meta.c.name == bindparam("fact")).values(value=bindparam("now")))
_drop = Prepared(delete(meta).where(meta.c.name.in_(bindparam("names", expanding=True))), many="names")
_names: BindParameter[str] = bindparam("names", expanding=True)
_sizes: BindParameter[int] = bindparam("sizes", expanding=True, type_=Integer())
_both = Prepared(
    select(meta.c.name).where(
        or_(meta.c.name.in_(_names), meta.c.name.in_(_names)), func.length(meta.c.value).in_(_sizes)
    ),
    many=("names", "sizes"),
)
_fixed = Prepared(
    select(meta.c.name).where(meta.c.name.in_(_names), meta.c.name.in_(("n1", "n2"))), many="names"
)


@pytest.fixture
def store(database: Databases) -> Iterator[Store]:
    opened = open_store(database.keyring, "keyring", Blocking())
    opened.write(lambda connection: migrations.upgrade(connection, "keyring"))
    yield opened
    opened.close()


def fill(connection: Connection) -> None:
    _add.run_each(connection, [{"name": f"n{number}", "value": bytes([number])} for number in range(1, 6)])


def test_what_is_prepared_does_what_its_statement_says(store: Store) -> None:
    def work(connection: Connection) -> None:
        fill(connection)
        assert _set.run(connection, fact="n2", now=b"%s:x?\0\xff") == 1
        assert _set.run(connection, fact="n9", now=b"x") == 0
        assert _all.rows(connection) == [
            tuple(row) for row in connection.execute(select(meta).order_by(meta.c.name))
        ]
        for names in (["n1"], ["n1", "n2", "n5"], ["n3", "n9"]):
            assert {row.name for row in _some.rows(connection, names=names)} == {*names} - {"n9"}
        assert _one.one_or_none(connection, fact="n2").value == b"%s:x?\0\xff"
        assert _one.one_or_none(connection, fact="n9") is None
        for names, sizes, found in (
            (["n1", "n2"], [1], {"n1"}),
            (["n2"], [1, 9, 2], set()),
            ([], [1], set()),
        ):
            assert {row.name for row in _both.rows(connection, names=names, sizes=sizes)} == found
        # A list that stands in the statement itself: PostgreSQL alone could not be told of one.
        assert [row.name for row in _fixed.rows(connection, names=["n2", "n5"])] == ["n2"]
        assert _drop.run(connection, names=["n1", "n4"]) == 2

    store.write(work)
    assert [row.name for row in store.read(_all.rows)] == ["n2", "n3", "n5"]


def test_an_error_of_the_driver_is_one_that_a_transaction_understands(store: Store) -> None:
    store.write(fill)
    with pytest.raises(IntegrityError):
        store.write(fill)
    gone = Prepared(text("SELECT nothing FROM nowhere"))
    with pytest.raises(StoreUnavailableError, match="keyring database"):
        store.write(gone.run)
    assert len(store.read(_all.rows)) == 5  # and the connection is as good as before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("found", ["text", 7, 1.5, b"", bytes(513)])
def test_p2_what_the_vault_never_wrote_is_refused_on_this_way_too(store: Store, found: Any) -> None:
    def work(connection: Connection) -> None:
        fill(connection)
        connection.exec_driver_sql("UPDATE keyring_meta SET value = ? WHERE name = 'n3'", (found,))

    store.write(work)
    for look in (_all.rows, lambda connection: _one.one_or_none(connection, fact="n3")):
        with pytest.raises(TamperedError, match="never wrote"):
            store.read(look)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_p8_what_is_written_lazily_leaves_every_other_transaction_lasting(store: Store) -> None:
    def synchronous(connection: Connection) -> Any:
        return connection.exec_driver_sql("PRAGMA synchronous").scalar_one()

    full, normal = 2, 1
    assert store.write(synchronous) == full
    assert store.write(synchronous, lazily=True) == normal
    assert store.write(synchronous) == full
    assert store.write(synchronous, lazily=True) == normal
    assert store.remove(synchronous) == full
