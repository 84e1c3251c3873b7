"""Tables of another program, read page by page: SQLite's files as they are, servers through SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vault.errors import UsageError
from vault.transfer.sources import Given, SourceError, open_file

if TYPE_CHECKING:
    from sqlalchemy import ColumnClause

_PAGE = 500
_PAGE_BYTES = 4 * 1024 * 1024
_MAGIC = b"SQLite format 3\0"
_WAL = b"\x02"
Row = tuple[Any, ...]


class Columns:
    """The columns of a table, found by what they are for."""

    def __init__(self, names: Sequence[str], given: Given) -> None:
        self._names = {name.lower(): name for name in names}
        self._given = {purpose.lower(): column for purpose, column in given.columns.items()}

    def find(self, purpose: str, *usual: str) -> str | None:
        """Give the column for a purpose: the one that was named, otherwise one of the usual names."""
        if purpose in self._given:
            name = self._given[purpose]
            if name.lower() not in self._names:
                raise SourceError(f"the table has no column {name}", hint=f"it has {self}")
            return self._names[name.lower()]
        return next((self._names[name] for name in (purpose, *usual) if name in self._names), None)

    def need(self, purpose: str, *usual: str) -> str:
        """Give the column for a purpose that can't be done without."""
        found = self.find(purpose, *usual)
        if found is None:
            raise SourceError(
                f"the table has no column {purpose}",
                hint=f"--column {purpose}=NAME; it has {self}",
            )
        return found

    def __str__(self) -> str:
        return ", ".join(self._names.values())


def is_server(source: str) -> bool:
    """Tell a database URL from a file."""
    return "://" in source and not source.startswith("sqlite")


def path_of(source: str) -> Path:
    """Give the file that a path or a URL of SQLite's names."""
    if not source.startswith("sqlite"):
        return Path(source)
    from sqlalchemy import make_url  # noqa: PLC0415 (only for a URL)
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        return Path(make_url(source).database or "")
    except ArgumentError:
        raise UsageError("this is no database URL") from None


class Database(Protocol):
    """Something with tables, opened to be read."""

    def columns(self, table: str) -> list[str]:
        """Give the names of a table's columns; none where there is no such table."""

    def rows(self, table: str, columns: Sequence[str], order: str | None) -> Iterator[tuple[Any, Row]]:
        """Give the rows in the order of a whole number, each with that."""


@contextmanager
def opened(source: str) -> Iterator[Database]:
    """Open a database for reading; nothing in it or beside it is changed."""
    if is_server(source):
        yield _Server(source)
        return
    path = path_of(source)
    with open_file(path) as file:
        head = file.read(20)
    if not head.startswith(_MAGIC):
        raise SourceError("this is no SQLite database")
    # A database that nobody has open has no log; then nothing need be made beside it to read it.
    at_rest = head[18:19] == _WAL and not path.with_name(path.name + "-wal").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)
    except sqlite3.Error:
        raise SourceError("the SQLite database can't be opened") from None
    with closing(connection):
        connection.text_factory = bytes  # what is no UTF-8 is its row's trouble, not the whole table's
        yield _File(connection)


class _File(Database):
    """A SQLite file. Rows come by their rowid, which is the order in which they were added."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def columns(self, table: str) -> list[str]:
        """Give the names of a table's columns."""
        found = self._all(f"PRAGMA table_info({_quoted(table)})", (), "its schema")
        return [row[1].decode(errors="replace") for row in found]

    def rows(self, table: str, columns: Sequence[str], order: str | None) -> Iterator[tuple[Any, Row]]:
        """Give the rows, a page at a time: a long read would keep the other program from writing."""
        by, name, last = self._order(table, order)
        wanted = ", ".join([by, name, *map(_quoted, columns)])
        first = f"SELECT {wanted} FROM {_quoted(table)} ORDER BY {by} LIMIT {_PAGE}"  # noqa: S608 (quoted)
        more = f"SELECT {wanted} FROM {_quoted(table)} WHERE {by} > {last} ORDER BY {by} LIMIT {_PAGE}"  # noqa: S608
        page = self._all(first, (), "its first row")
        while page:
            for row in page:
                yield row[1].decode(errors="replace") if isinstance(row[1], bytes) else row[1], row[2:]
            page = self._all(more, (page[-1][0],), f"the row after {page[-1][0]}")

    def _order(self, table: str, order: str | None) -> tuple[str, str, str]:
        """Give what pages can be counted by, so that no row falls between two; what names a row; the last."""
        name, is_text = "rowid", False
        if order is not None:
            column = _quoted(order)
            kinds = ", ".join(f"total(typeof({column}) = '{kind}')" for kind in ("integer", "text"))
            query = f"SELECT count(*), count(DISTINCT {column}), {kinds} FROM {_quoted(table)}"  # noqa: S608
            [(rows, different, whole, texts)] = self._all(query, (), "its rows")
            if rows == different == whole:
                return column, column, "?"
            name = column if rows == different else name
            is_text = rows == different == texts
        if self._has_rowid(table):
            return "rowid", name, "?"
        if is_text:
            return name, name, "CAST(? AS TEXT)"  # all text arrives as bytes
        raise SourceError("nothing in the table tells its rows apart", hint="--column id=NAME")

    def _has_rowid(self, table: str) -> bool:
        with suppress(sqlite3.OperationalError):
            self._connection.execute(f"SELECT rowid FROM {_quoted(table)} LIMIT 0").close()  # noqa: S608
            return True
        return False

    def _all(self, query: str, values: Row, place: str) -> list[Row]:
        try:
            found, size = [], 0
            with closing(self._connection.execute(query, values)) as cursor:
                for row in cursor:
                    found.append(row)
                    size += sum(len(cell) for cell in row if isinstance(cell, bytes))
                    if size > _PAGE_BYTES:
                        break
        except sqlite3.Error as error:
            failure = getattr(error, "sqlite_errorname", type(error).__name__)
        else:
            return found
        raise SourceError(f"the SQLite database can't be read at {place}: {failure}")


class _Server(Database):
    """A table on a server."""

    def __init__(self, url: str) -> None:
        from vault.storage.engine import open_store  # noqa: PLC0415 (only for a server)
        from vault.storage.runtime import Blocking  # noqa: PLC0415 (only for a server)

        self._store = open_store(url, "source", Blocking())

    def columns(self, table: str) -> list[str]:
        """Give the names of a table's columns."""
        from sqlalchemy import inspect  # noqa: PLC0415 (only for a server)
        from sqlalchemy.exc import NoSuchTableError  # noqa: PLC0415

        try:
            return self._store.read(lambda c: [str(one["name"]) for one in inspect(c).get_columns(table)])
        except NoSuchTableError:
            return []

    def rows(self, table: str, columns: Sequence[str], order: str | None) -> Iterator[tuple[Any, Row]]:
        """Give the rows, a page at a time."""
        from sqlalchemy import column, distinct, func, select  # noqa: PLC0415 (only for a server)
        from sqlalchemy import table as named  # noqa: PLC0415

        if order is None:
            raise SourceError(
                "the table has no column id", hint="--column id=NAME, a whole number that grows"
            )
        by: ColumnClause[Any] = column(order)
        counted = select(func.count(), func.count(distinct(by))).select_from(named(table))
        rows, different = self._store.read(lambda c: c.execute(counted).one())
        if rows != different:  # a row could fall between two pages
            raise SourceError("the column id names some rows twice, or not at all", hint="--column id=NAME")
        query = select(by, *map(column, columns)).select_from(named(table)).order_by(by).limit(_PAGE)
        page: list[Any] = list(self._store.read(lambda c: c.execute(query).all()))
        while page:
            for row in page:
                yield row[0], tuple(row[1:])
            after = page[-1][0]
            if not isinstance(after, int):
                raise SourceError("the column id holds no whole numbers", hint="--column id=NAME")
            page = list(self._store.read(lambda c, at=after: c.execute(query.where(by > at)).all()))  # type: ignore[misc]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
