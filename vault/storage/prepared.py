"""Statements that run often: compiled once, then handed to the driver as they are.

What SQLAlchemy does at each execution takes several times what SQLite takes for the row. So a statement is
still written in its language and compiled by it, once for each dialect and number of values, and the checks
of its columns still look at whatever arrives (P2); only the way to the driver is shorter.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, SelectBase
from sqlalchemy.exc import MultipleResultsFound
from sqlalchemy.types import TypeEngine

from vault.storage.schema import Checked

_LIST = re.compile(r"IN \(__\[POSTCOMPILE_(\w+)\]\)")

Values = Mapping[str, Any]
Checks = list[Callable[[Sequence[Any]], Sequence[Any]] | None]  # of columns


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement in the words of one dialect, and the names of what it is to be told."""

    text: str
    order: tuple[str, ...] | None  # where the driver takes values by place
    constants: dict[str, Any]
    spread: dict[str, tuple[str, ...]]  # the names of the values of each list, where they are told one by one

    def told(self, values: Values) -> Sequence[Any] | dict[str, Any]:
        known = {**self.constants, **values}
        return known if self.order is None else [known[name] for name in self.order]


def drive(connection: Connection, text: str, told: Any = (), *, each: bool = False) -> tuple[int, list[Any]]:  # noqa: ANN401
    """Let the driver run a text; say how many rows it met, and give those that came back."""
    cursor = None
    try:
        cursor = connection.connection.cursor()
        (cursor.executemany if each else cursor.execute)(text, told)
        rows = list(cursor.fetchall()) if cursor.description else []
        found = cursor.rowcount, rows
        cursor.close()
    except BaseException as error:  # noqa: BLE001 (raised again)
        # What SQLAlchemy itself does with it: the error in its words, a lost connection out of the pool.
        said = text if isinstance(error, connection.dialect.loaded_dbapi.Error) else None
        connection._handle_dbapi_exception(error, said, None, cursor, None)  # noqa: SLF001
    return found


class Prepared:
    """A statement. `many` are its parameters that are lists; `columns` are what an INSERT is given."""

    def __init__(
        self, statement: Executable, *, many: str | Sequence[str] = (), columns: Iterable[str] = ()
    ) -> None:
        self._statement: Any = statement
        self._many = (many,) if isinstance(many, str) else tuple(many)
        self._keys = list(columns) or None
        self._forms: dict[tuple[str, str, tuple[int, ...]], _Form] = {}
        self._checks: dict[str, Checks] = {}
        found = statement.selected_columns if isinstance(statement, SelectBase) else ()
        names = [str(one.name) for one in found]
        row: Any = namedtuple("row", names)  # type: ignore[misc] # noqa: PYI024 (the statement's own columns)
        self._make: Callable[[Iterable[Any]], Any] = row._make

    def rows(self, connection: Connection, **values: Any) -> list[Any]:  # noqa: ANN401 (what columns hold)
        """Run a SELECT; give its rows, whose columns have their names."""
        form, told = self._form(connection, values)
        _, found = drive(connection, form.text, told)
        checks = self._checks_of(connection.dialect)
        columns = [
            check(column) if check else column
            for check, column in zip(checks, zip(*found, strict=True), strict=False)  # none where no row is
        ]
        return list(map(self._make, zip(*columns, strict=True)))

    def one_or_none(self, connection: Connection, **values: Any) -> Any:  # noqa: ANN401 (what columns hold)
        """Run a SELECT of at most one row; MultipleResultsFound where a thief made two of it."""
        found = self.rows(connection, **values)
        if len(found) > 1:
            raise MultipleResultsFound
        return found[0] if found else None

    def run(self, connection: Connection, **values: Any) -> int:  # noqa: ANN401 (what columns hold)
        """Run what gives no rows; say how many it met."""
        form, told = self._form(connection, values)
        return drive(connection, form.text, told)[0]

    def run_each(self, connection: Connection, values: Sequence[Values]) -> int:
        """Run it once for each set of values; say how many rows it met."""
        form, _ = self._form(connection, {})
        return drive(connection, form.text, [form.told(each) for each in values], each=True)[0]

    def _form(self, connection: Connection, values: Values) -> tuple[_Form, Any]:
        if not connection.in_transaction():
            connection.begin()
        dialect = connection.dialect
        lists = {name: values.get(name, ()) for name in self._many}
        takes_lists = dialect.name == "postgresql"
        lengths = () if takes_lists else tuple(map(len, lists.values()))
        key = dialect.name, dialect.driver, lengths
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = (
                self._with_lists(dialect) if takes_lists else self._spread(dialect, lists)
            )
        if form.spread:
            spread = (zip(form.spread[name], several, strict=True) for name, several in lists.items())
            values = {**values, **{name: one for each in spread for name, one in each}}
        return form, form.told(values)

    def _spread(self, dialect: Dialect, lists: Mapping[str, Sequence[Any]]) -> _Form:
        """Compile it for lists of some lengths."""
        compiled = self._statement.compile(dialect=dialect, column_keys=self._keys)
        state = compiled.construct_expanded_state({**compiled.params, **lists})
        order = None if state.positiontup is None else tuple(state.positiontup)
        names = {name: tuple(state.parameter_expansion.get(name, ())) for name in lists}
        return _Form(state.statement, order, state.parameters, names)

    def _with_lists(self, dialect: Dialect) -> _Form:
        """Compile it for a server that takes a list of any length as one value, and has less to read."""
        compiled = self._statement.compile(dialect=dialect, column_keys=self._keys)
        names = compiled.bind_names  # a list that stands in the statement itself has a name made for it
        kinds = {names[one]: one.type.compile(dialect) for one in compiled.post_compile_params}
        constants = {
            name: list(value) if name in kinds and value is not None else value
            for name, value in compiled.params.items()
        }

        def array(found: re.Match[str]) -> str:
            return f"= ANY(%({found[1]})s::{kinds[found[1]]}[])"

        return _Form(_LIST.sub(array, compiled.string), None, constants, {})

    def _checks_of(self, dialect: Dialect) -> Checks:
        known = self._checks.get(dialect.name)
        if known is None:
            known = [_check_of(one.type, dialect) for one in self._statement.selected_columns]
            self._checks[dialect.name] = known
        return known


def _check_of(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """Give what a column of many rows passes."""
    if isinstance(kind, Checked):
        look = kind.check_all

        def check(column: Sequence[Any]) -> Sequence[Any]:
            look(column)
            return column

        return check
    process = kind.result_processor(dialect, None)
    return None if process is None else lambda column: list(map(process, column))
